//! Strict JSON (RFC 8259): whatever two parsers could read in two ways is refused.
//!
//! Refused are duplicate members at any depth (compared after unescaping), invalid UTF-8, unpaired surrogates, data
//! after the value, more than 127 levels and more than [`MOST_VALUES`] values. Numbers are integers only if their
//! digits are: `1.0`, `1e3`, `-0` and what does not fit in 64 bits are numbers that are no ids.

mod elements;

use std::{cell::Cell, fmt};

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::manifest::{Pointer, array_index, excerpt};

/// The most values of one document, which bounds the memory that a small body can take.
pub const MOST_VALUES: u32 = 250_000;
/// Up to this many members an object's names are compared one by one; above, they are sorted.
const FEW_MEMBERS: usize = 12;

/// Why bytes are no strict JSON. Foreign text in it is shortened and escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotStrict(String);

/// A strictly parsed document. Strings without escapes stay in the bytes.
#[derive(Debug)]
pub struct Document {
    bytes: Bytes,
    root: Node,
}

/// A value of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer by its digits, within 64 bits.
    Integer(i128),
    /// Any other number.
    OtherNumber,
    /// A string, unescaped.
    Text(&'a str),
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Document {
    /// Parses strictly.
    ///
    /// # Errors
    /// [`NotStrict`] says why the bytes are refused.
    pub fn parse(bytes: Bytes) -> Result<Self, NotStrict> {
        let root = {
            let reader = Reader { base: &bytes, left: &Cell::new(MOST_VALUES) };
            strict(&bytes, reader)?
        };
        Ok(Self { bytes, root })
    }

    /// Whether a string of the document, or an integer by its digits, is this.
    #[must_use]
    pub fn names(&self, text: &str) -> bool {
        let mut left = vec![&self.root];
        while let Some(node) = left.pop() {
            let found = match node {
                Node::Text(found) => found.bytes(&self.bytes) == text.as_bytes(),
                Node::Unsigned(number) => number.to_string() == text,
                Node::Negative(number) => number.to_string() == text,
                Node::Array(elements) => {
                    left.extend(elements);
                    false
                }
                Node::Object(members) => {
                    left.extend(members.iter().map(|(_, value)| value));
                    false
                }
                Node::Null | Node::Bool(_) | Node::OtherNumber => false,
            };
            if found {
                return true;
            }
        }
        false
    }

    /// The value that the pointer names (RFC 6901).
    #[must_use]
    pub fn at(&self, pointer: &Pointer) -> Option<Found<'_>> {
        self.found(self.below(&self.root, pointer)?)
    }

    fn below<'d>(&'d self, mut node: &'d Node, pointer: &Pointer) -> Option<&'d Node> {
        for token in pointer.tokens() {
            node = match node {
                Node::Object(members) => {
                    &members.iter().find(|(name, _)| name.bytes(&self.bytes) == token.as_bytes())?.1
                }
                Node::Array(elements) => elements.get(array_index(token)?)?,
                _ => return None,
            };
        }
        Some(node)
    }

    fn found<'d>(&'d self, node: &'d Node) -> Option<Found<'d>> {
        Some(match node {
            Node::Null => Found::Null,
            Node::Bool(value) => Found::Bool(*value),
            Node::Unsigned(value) => Found::Integer((*value).into()),
            Node::Negative(value) => Found::Integer((*value).into()),
            Node::OtherNumber => Found::OtherNumber,
            // The bytes were UTF-8 when the document was parsed.
            Node::Text(text) => Found::Text(std::str::from_utf8(text.bytes(&self.bytes)).ok()?),
            Node::Array(_) => Found::Array,
            Node::Object(_) => Found::Object,
        })
    }
}

/// Checks that the bytes are strict JSON without keeping anything.
pub(super) fn check(bytes: &[u8]) -> Result<(), NotStrict> {
    strict(bytes, Checker { base: bytes, left: &Cell::new(MOST_VALUES) })
}

fn strict<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value, NotStrict> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(NotStrict("it is longer than 4 GiB".into()));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = seed.deserialize(&mut deserializer).map_err(|error| NotStrict(error.to_string()))?;
    deserializer.end().map_err(|error| NotStrict(error.to_string()))?;
    Ok(value)
}

#[derive(Debug)]
enum Node {
    Null,
    Bool(bool),
    Unsigned(u64),
    Negative(i64),
    OtherNumber,
    Text(Text),
    Array(Box<[Node]>),
    Object(Box<[(Text, Node)]>),
}

/// A string: where it stands in the bytes, or what it is without its escapes.
#[derive(Debug)]
enum Text {
    Here { start: u32, end: u32 },
    Unescaped(Box<str>),
}

impl Text {
    /// A string that the parser borrowed from `base`: whatever lies outside is kept as a copy.
    fn borrowed(text: &str, base: &[u8]) -> Self {
        let start = (text.as_ptr() as usize).checked_sub(base.as_ptr() as usize);
        let range = start.map(|start| (start, start.saturating_add(text.len())));
        match range {
            Some((start, end)) if end <= base.len() => match (u32::try_from(start), u32::try_from(end)) {
                (Ok(start), Ok(end)) => Self::Here { start, end },
                _ => Self::Unescaped(text.into()),
            },
            _ => Self::Unescaped(text.into()),
        }
    }

    fn bytes<'a>(&'a self, base: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Here { start, end } => base.get(*start as usize..*end as usize).unwrap_or_default(),
            Self::Unescaped(text) => text.as_bytes(),
        }
    }
}

/// Refuses names that are there twice.
fn check_names<'m, T, E: Error>(members: &'m [T], name: impl Fn(&'m T) -> &'m [u8]) -> Result<(), E> {
    let twice = if members.len() <= FEW_MEMBERS {
        let is_repeated = |at: usize, it: &'m T| members.iter().take(at).any(|earlier| name(earlier) == name(it));
        members.iter().enumerate().find(|(at, it)| is_repeated(*at, it)).map(|(_, it)| name(it))
    } else {
        let mut names: Vec<&[u8]> = members.iter().map(&name).collect();
        names.sort_unstable();
        names.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first().copied())
    };
    match twice {
        None => Ok(()),
        Some(name) => {
            let shown = excerpt(&String::from_utf8_lossy(name), 40);
            Err(E::custom(format_args!("the member \"{shown}\" is there twice")))
        }
    }
}

fn count<E: Error>(left: &Cell<u32>) -> Result<(), E> {
    match left.get().checked_sub(1) {
        Some(less) => {
            left.set(less);
            Ok(())
        }
        None => Err(E::custom(format_args!("it has more than {MOST_VALUES} values"))),
    }
}

/// Builds the tree.
#[derive(Clone, Copy)]
struct Reader<'b> {
    base: &'b [u8],
    left: &'b Cell<u32>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        count(self.left)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Negative(value))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::OtherNumber)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node, E> {
        Ok(Node::Text(Text::borrowed(text, self.base)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(Text::Unescaped(text.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Node, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element_seed(self)? {
            elements.push(element);
        }
        Ok(Node::Array(elements.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Node, A::Error> {
        let mut members: Vec<(Text, Node)> = Vec::new();
        while let Some(name) = object.next_key_seed(Name { base: self.base })? {
            members.push((name, object.next_value_seed(self)?));
        }
        check_names(&members, |(name, _)| name.bytes(self.base))?;
        Ok(Node::Object(members.into()))
    }
}

/// Reads the name of a member.
#[derive(Clone, Copy)]
struct Name<'b> {
    base: &'b [u8],
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'_> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text, E> {
        Ok(Text::borrowed(text, self.base))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text::Unescaped(text.into()))
    }
}

/// Walks a document without keeping it.
#[derive(Clone, Copy)]
struct Checker<'b> {
    base: &'b [u8],
    left: &'b Cell<u32>,
}

impl<'de> DeserializeSeed<'de> for Checker<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        count(self.left)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checker<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut names = Vec::new();
        while let Some(name) = object.next_key_seed(Name { base: self.base })? {
            names.push(name);
            object.next_value_seed(self)?;
        }
        check_names(&names, |name| name.bytes(self.base))
    }
}
