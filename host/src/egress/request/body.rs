//! Bodies: what the adapter gives becomes one document, and the document becomes the body that is sent.
//!
//! The parts of a form or a multipart body are the members of an object. Parts that the endpoint lists in `json` are
//! parsed, those in `files` are leaves, all others are text.

use std::collections::HashSet;

use bytes::Bytes;

use super::Denial;
use crate::{
    egress::{
        Body, Content, Part, Permit, PreparedBody, PreparedPart,
        document::{Budget, LEAVES, Node},
    },
    files::KeptFile,
    manifest::{BodyShape, Endpoint, excerpt},
};

/// The longest body, in bytes, without the files in it.
const BODY_BYTES: usize = 1 << 20;
/// The longest name of a part, in bytes.
const NAME_BYTES: usize = 128;

/// Reads the body that the adapter gives as a document; `None` where the endpoint takes none.
///
/// # Errors
/// [`Denial`] if it is not of the endpoint's shape, is no strict JSON where it should be, names a part twice, has a file
/// where none is or none where one is, has somebody else's file, or is too long.
pub(super) fn read(endpoint: &Endpoint, permit: &Permit, body: Body) -> Result<Option<Node>, Denial> {
    let parts = match (endpoint.body, body) {
        (BodyShape::None, Body::Empty) => return Ok(None),
        (BodyShape::Json, Body::Json(text)) => {
            check_length(text.len())?;
            let document = Node::parse(&text, &Budget::new(), 0);
            return document.map(Some).map_err(|problem| problem.of("the body"));
        }
        (BodyShape::Form | BodyShape::Multipart, Body::Form(fields)) => {
            fields.into_iter().map(|(name, text)| (name, Given::Text(text))).collect()
        }
        (BodyShape::Multipart, Body::Multipart(parts)) => {
            parts.into_iter().map(|part| given(endpoint, part)).collect::<Result<Vec<_>, _>>()?
        }
        (shape, body) => return Err(other_shape(shape, &body)),
    };
    document(endpoint, permit, parts).map(Some)
}

fn other_shape(shape: BodyShape, body: &Body) -> Denial {
    let takes = match shape {
        BodyShape::None => "no body",
        BodyShape::Json => "a body of JSON",
        BodyShape::Form => "a form",
        BodyShape::Multipart => "a multipart body or a form",
    };
    Denial::new(match body {
        Body::Bytes(_) => format!("a body of bytes cannot be compared with the grant; it takes {takes}"),
        Body::Empty => format!("it takes {takes}, and got none"),
        Body::Json(_) => format!("it takes {takes}, and got JSON"),
        Body::Form(_) => format!("it takes {takes}, and got a form"),
        Body::Multipart(_) => format!("it takes {takes}, and got a multipart body"),
    })
}

/// What a part holds.
enum Given {
    Text(String),
    File(KeptFile),
}

/// A part of a multipart body. Media types that an adapter gives, and names of files, are not sent: a file has its own of
/// both, a text has none.
fn given(endpoint: &Endpoint, part: Part) -> Result<(String, Given), Denial> {
    let refused = |problem: &str| Err(Denial::new(format!("the part `{}` {problem}", excerpt(&part.name, 40))));
    match part.content {
        Content::File(file) => Ok((part.name, Given::File(file))),
        Content::Bytes(_) if is_listed(&part.name, &endpoint.files) => {
            refused("is a file; give it as one that the host keeps, not as bytes")
        }
        Content::Bytes(_) if part.file_name.is_some() => {
            refused("has a file's name, and is text; leave the name out, or give a file that the host keeps")
        }
        Content::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok((part.name, Given::Text(text))),
            Err(_) => refused("is not UTF-8; give text, or a file that the host keeps"),
        },
    }
}

fn document(endpoint: &Endpoint, permit: &Permit, parts: Vec<(String, Given)>) -> Result<Node, Denial> {
    if parts.len() > LEAVES {
        return Err(Denial::new(format!("the body has more than {LEAVES} parts; send fewer")));
    }
    check_length(parts.iter().map(|(name, given)| length(name, given)).sum())?;
    let (budget, mut names) = (Budget::new(), HashSet::with_capacity(parts.len()));
    let mut members = Vec::with_capacity(parts.len());
    for (name, given) in parts {
        let shown = excerpt(&name, 40);
        let refused = |problem: &str| Err(Denial::new(format!("the part `{shown}` {problem}")));
        if !names.insert(name.clone()) {
            return refused("is there twice; give it once");
        }
        let is_file = is_listed(&name, &endpoint.files);
        let node = match given {
            Given::File(_) if !is_file => return refused("is a file, which is not among its `files`; give text"),
            Given::File(file) if !may_leave(&file, permit) => {
                return refused(
                    "is a file of another conversation; a file goes out only to the conversation that it came from, or \
                     with the action that names it",
                );
            }
            Given::File(file) => {
                budget.take()?;
                Node::File(Box::new(file))
            }
            Given::Text(_) if is_file => return refused("is a file; give it as one that the host keeps, not as text"),
            Given::Text(text) if is_listed(&name, &endpoint.json) => {
                Node::parse(&text, &budget, 1).map_err(|problem| problem.of(&format!("the part `{shown}`")))?
            }
            Given::Text(text) => {
                budget.take()?;
                Node::Text(text)
            }
        };
        members.push((name, node));
    }
    Ok(Node::Object(members))
}

fn length(name: &str, given: &Given) -> usize {
    match given {
        Given::Text(text) => name.len().saturating_add(text.len()),
        Given::File(_) => name.len(),
    }
}

fn check_length(bytes: usize) -> Result<(), Denial> {
    if bytes > BODY_BYTES {
        return Err(Denial::new(format!("the body has more than {BODY_BYTES} bytes without its files; send less")));
    }
    Ok(())
}

fn is_listed(name: &str, names: &[String]) -> bool {
    names.iter().any(|it| it == name)
}

/// A file leaves with the action that names it, or to the conversation that it came from.
fn may_leave(file: &KeptFile, permit: &Permit) -> bool {
    permit.files.contains(&file.id) || (file.conversation.is_some() && file.conversation == permit.conversation)
}

/// Writes the document as the endpoint's body.
///
/// # Errors
/// [`Denial`] if it is too long, or holds what cannot be a part.
pub(super) fn write(endpoint: &Endpoint, document: Node) -> Result<PreparedBody, Denial> {
    match endpoint.body {
        BodyShape::None => Err(Denial::new("it takes no body")),
        BodyShape::Json => bytes("application/json", document.to_json()?),
        BodyShape::Form => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, node) in members(document)? {
                form.append_pair(&name, &text(endpoint, &name, node)?);
            }
            bytes("application/x-www-form-urlencoded", form.finish())
        }
        BodyShape::Multipart => {
            let mut length = 0_usize;
            let mut parts = Vec::new();
            for (name, node) in members(document)? {
                check_name(&name)?;
                length = length.saturating_add(name.len());
                parts.push(match node {
                    Node::File(file) => PreparedPart::File { name, file: *file },
                    node => {
                        let text = text(endpoint, &name, node)?;
                        length = length.saturating_add(text.len());
                        PreparedPart::Field { name, text }
                    }
                });
            }
            check_length(length)?;
            Ok(PreparedBody::Multipart(parts))
        }
    }
}

fn bytes(content_type: &'static str, text: String) -> Result<PreparedBody, Denial> {
    check_length(text.len())?;
    Ok(PreparedBody::Bytes { content_type, bytes: Bytes::from(text) })
}

fn members(document: Node) -> Result<Vec<(String, Node)>, Denial> {
    match document {
        Node::Object(members) => Ok(members),
        _ => Err(Denial::new("the body has no parts")),
    }
}

/// The text of a part: JSON where the endpoint says so, otherwise the text itself, or a value of the host's.
fn text(endpoint: &Endpoint, name: &str, node: Node) -> Result<String, Denial> {
    if is_listed(name, &endpoint.json) {
        return node.to_json();
    }
    match node {
        Node::Text(text) => Ok(text),
        Node::Bool(value) => Ok(value.to_string()),
        Node::Unsigned(value) => Ok(value.to_string()),
        Node::Negative(value) => Ok(value.to_string()),
        _ => Err(Denial::new(format!(
            "the host writes into the part `{}`, which is not among its `json`; this is an error of its manifest",
            excerpt(name, 40)
        ))),
    }
}

/// The name of a part stands in a header of its own: it has no characters that could act there.
fn check_name(name: &str) -> Result<(), Denial> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.[]".contains(&b);
    if !(1..=NAME_BYTES).contains(&name.len()) || !name.bytes().all(plain) {
        return Err(Denial::new(format!(
            "the part `{}` cannot be sent: names of parts have letters, digits and `_-.[]`",
            excerpt(name, 40)
        )));
    }
    Ok(())
}
