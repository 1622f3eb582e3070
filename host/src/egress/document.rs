//! The document of a request's body: read strictly, compared with what the endpoint lists, and written anew.
//!
//! A document is read into a tree of its own rather than `serde_json::Value`, which keeps the last of two members of
//! one name and unfolds members with the names that `serde_json` uses within.

use std::{cell::Cell, collections::HashSet, fmt};

use serde::{
    Serialize, Serializer,
    de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor},
    ser::Error as _,
};

use super::request::Denial;
use crate::{
    files::KeptFile,
    manifest::{FieldPattern, FieldToken, Pointer, Scalar, excerpt},
};

/// The most levels of arrays and objects, that of the document itself among them.
pub(super) const LEVELS: usize = 16;
/// The most leaves of one body; what is empty counts as one.
pub(super) const LEAVES: usize = 4096;

/// A value of a document. Integers of 64 bits are written again by their digits, any other number as the finite 64-bit
/// float that was read.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Unsigned(u64),
    /// Below zero.
    Negative(i64),
    Float(f64),
    Text(String),
    /// A part of a multipart body.
    File(Box<KeptFile>),
    Array(Vec<Node>),
    /// No two members have the same name.
    Object(Vec<(String, Node)>),
}

/// How many leaves the body may still have.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub(super) fn new() -> Self {
        Self(Cell::new(LEAVES))
    }

    /// Takes one leaf.
    pub(super) fn take(&self) -> Result<(), Denial> {
        let less = self.0.get().checked_sub(1);
        self.0.set(less.ok_or_else(|| Denial::new(format!("the body has more than {LEAVES} values; send fewer")))?);
        Ok(())
    }

    fn leaf<E: serde::de::Error>(&self) -> Result<(), E> {
        self.take().map_err(|_| E::custom(format_args!("it has more than {LEAVES} values; send fewer")))
    }
}

impl Node {
    /// Reads strict JSON (RFC 8259): no member twice (compared after unescaping), no unpaired surrogate, nothing after
    /// the value. `around` counts the levels that the value already stands in.
    ///
    /// # Errors
    /// [`Denial`] says why it is none, or which limit it exceeds.
    pub(super) fn parse(text: &str, budget: &Budget, around: usize) -> Result<Self, Denial> {
        let refused = |error: serde_json::Error| Denial::new(format!("is refused as JSON: {error}"));
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let node = Reader { budget, around }.deserialize(&mut deserializer).map_err(refused)?;
        deserializer.end().map_err(refused)?;
        Ok(node)
    }

    /// The value as JSON.
    ///
    /// # Errors
    /// [`Denial`] if a file is in it.
    pub(super) fn to_json(&self) -> Result<String, Denial> {
        serde_json::to_string(self).map_err(|error| Denial::new(format!("the body cannot be written: {error}")))
    }

    /// All values, leaves or not, that the tokens lead to.
    pub(super) fn select<'n>(&'n self, tokens: &[FieldToken]) -> Vec<&'n Self> {
        let mut nodes = vec![self];
        for token in tokens {
            nodes = nodes.into_iter().flat_map(|node| node.step(token)).collect();
        }
        nodes
    }

    fn step<'n>(&'n self, token: &FieldToken) -> Vec<&'n Self> {
        match (self, token) {
            (Self::Object(members), FieldToken::Member(name)) => {
                members.iter().filter(|(it, _)| it == name).map(|(_, node)| node).collect()
            }
            (Self::Array(elements), FieldToken::Each) => elements.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether any text in it is such: strings, names of files, names of members.
    pub(super) fn any_text(&self, is_such: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Text(text) => is_such(text),
            Self::File(file) => is_such(&file.name),
            Self::Array(elements) => elements.iter().any(|element| element.any_text(is_such)),
            Self::Object(members) => members.iter().any(|(name, node)| is_such(name) || node.any_text(is_such)),
            Self::Null | Self::Bool(_) | Self::Unsigned(_) | Self::Negative(_) | Self::Float(_) => false,
        }
    }

    /// Checks that every leaf is listed, and that arrays and objects are there only on the way to a listed leaf.
    ///
    /// # Errors
    /// [`Denial`] names the first value that is not.
    pub(super) fn check_listed(&self, fields: &[FieldPattern]) -> Result<(), Denial> {
        let open: Vec<&[FieldToken]> = fields.iter().map(|field| &*field.tokens).collect();
        let is_bare = matches!(self, Self::Object(members) if members.is_empty());
        if is_bare { Ok(()) } else { self.listed(&open, &Way::Document) }
    }

    /// `open` is what remains of the patterns that lead here.
    fn listed(&self, open: &[&[FieldToken]], way: &Way<'_>) -> Result<(), Denial> {
        let refused = |way: &Way<'_>| {
            Err(Denial::new(format!("the field {way} is not among its `fields`; leave it out, or have it granted")))
        };
        let each = || below(open, |token| *token == FieldToken::Each);
        match self {
            Self::Object(members) if members.is_empty() => {
                let leads_on = open.iter().any(|tokens| matches!(tokens.first(), Some(FieldToken::Member(_))));
                if leads_on { Ok(()) } else { refused(way) }
            }
            Self::Array(elements) if elements.is_empty() => {
                if each().is_empty() {
                    refused(way)
                } else {
                    Ok(())
                }
            }
            Self::Object(members) => {
                for (name, node) in members {
                    let way = Way::Member(way, name);
                    let open = below(open, |token| matches!(token, FieldToken::Member(it) if it == name));
                    if open.is_empty() {
                        return refused(&way);
                    }
                    node.listed(&open, &way)?;
                }
                Ok(())
            }
            Self::Array(elements) => {
                let open = each();
                for (index, node) in elements.iter().enumerate() {
                    let way = Way::Element(way, index);
                    if open.is_empty() {
                        return refused(&way);
                    }
                    node.listed(&open, &way)?;
                }
                Ok(())
            }
            _leaf => {
                if open.iter().any(|tokens| tokens.is_empty()) {
                    Ok(())
                } else {
                    refused(way)
                }
            }
        }
    }

    /// Writes a leaf of the host's, with the objects on the way to it.
    ///
    /// # Errors
    /// [`Denial`] if the adapter wrote it, or something else than an object on the way to it.
    pub(super) fn write_fixed(&mut self, pointer: &Pointer, value: &Scalar) -> Result<(), Denial> {
        let shown = excerpt(pointer.as_str(), 80);
        let Some((last, way)) = pointer.tokens().split_last() else {
            return Err(Denial::new("it writes a value of the host's nowhere; this is an error of its manifest"));
        };
        let mut node = self;
        for token in way {
            let Self::Object(members) = node else { return Err(in_the_way(&shown)) };
            let at = members.iter().position(|(name, _)| **name == **token).unwrap_or(members.len());
            if at == members.len() {
                members.push((token.to_string(), Self::Object(Vec::new())));
            }
            let Some((_, next)) = members.get_mut(at) else { return Err(in_the_way(&shown)) };
            node = next;
        }
        let Self::Object(members) = node else { return Err(in_the_way(&shown)) };
        if members.iter().any(|(name, _)| **name == **last) {
            return Err(Denial::new(format!("the field {shown} is written by the host; leave it out")));
        }
        members.push((last.to_string(), Self::from(value)));
        Ok(())
    }
}

fn in_the_way(shown: &str) -> Denial {
    Denial::new(format!("the host writes the field {shown}, and something else is in its way; leave that out"))
}

/// What remains of the patterns whose next token is one of these.
fn below<'t>(open: &[&'t [FieldToken]], fits: impl Fn(&FieldToken) -> bool) -> Vec<&'t [FieldToken]> {
    let next = |tokens: &&'t [FieldToken]| match tokens.split_first() {
        Some((token, rest)) if fits(token) => Some(rest),
        _ => None,
    };
    open.iter().filter_map(next).collect()
}

impl From<&Scalar> for Node {
    fn from(value: &Scalar) -> Self {
        match value {
            Scalar::Bool(value) => Self::Bool(*value),
            Scalar::Integer(value) => u64::try_from(*value).map_or(Self::Negative(*value), Self::Unsigned),
            Scalar::Text(text) => Self::Text(text.clone()),
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Negative(value) => serializer.serialize_i64(*value),
            Self::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            Self::Float(_) => Err(S::Error::custom("a number has no value")),
            Self::Text(text) => serializer.serialize_str(text),
            Self::File(_) => Err(S::Error::custom("a file is no JSON")),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Object(members) => serializer.collect_map(members.iter().map(|(name, node)| (name, node))),
        }
    }
}

/// Where a value stands, for errors: a JSON pointer, foreign names shortened and escaped.
enum Way<'a> {
    Document,
    Member(&'a Way<'a>, &'a str),
    Element(&'a Way<'a>, usize),
}

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => f.write_str("/"),
            Self::Member(Way::Document, name) => write!(f, "/{}", excerpt(name, 40)),
            Self::Element(Way::Document, index) => write!(f, "/{index}"),
            Self::Member(way, name) => write!(f, "{way}/{}", excerpt(name, 40)),
            Self::Element(way, index) => write!(f, "{way}/{index}"),
        }
    }
}

/// Builds the tree within its limits.
#[derive(Clone, Copy)]
struct Reader<'b> {
    budget: &'b Budget,
    around: usize,
}

impl Reader<'_> {
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.around >= LEVELS {
            return Err(E::custom(format_args!("it has more than {LEVELS} levels of arrays and objects")));
        }
        Ok(Self { around: self.around + 1, ..self })
    }

    fn leaf<E: serde::de::Error>(self, node: Node) -> Result<Node, E> {
        self.budget.leaf()?;
        Ok(node)
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node, E> {
        self.leaf(Node::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Node, E> {
        self.leaf(Node::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node, E> {
        self.leaf(Node::Unsigned(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Node, E> {
        self.leaf(u64::try_from(value).map_or(Node::Negative(value), Node::Unsigned))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        if !value.is_finite() {
            return Err(E::custom("a number is too large"));
        }
        self.leaf(Node::Float(value))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node, E> {
        self.leaf(Node::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Node, A::Error> {
        let inside = self.inside()?;
        let mut elements = Vec::new();
        while let Some(element) = array.next_element_seed(inside)? {
            elements.push(element);
        }
        if elements.is_empty() {
            self.budget.leaf()?;
        }
        Ok(Node::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Node, A::Error> {
        let inside = self.inside()?;
        let mut members: Vec<(String, Node)> = Vec::new();
        while let Some(name) = object.next_key::<String>()? {
            members.push((name, object.next_value_seed(inside)?));
        }
        if members.is_empty() {
            self.budget.leaf()?;
        }
        let mut names = HashSet::with_capacity(members.len());
        if let Some((name, _)) = members.iter().find(|(name, _)| !names.insert(&**name)) {
            return Err(A::Error::custom(format_args!("the member \"{}\" is there twice", excerpt(name, 40))));
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
