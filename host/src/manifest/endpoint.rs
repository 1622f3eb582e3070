//! Endpoints: all that an adapter may ever request, each a whole request with gaps.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, HeaderTemplate, Method, Pointer, PointerPattern, Scalar, UrlTemplate};

/// One request that the adapter may have the host make.
///
/// The body of a JSON endpoint is its document. Forms and multipart bodies are treated as the object of their parts:
/// `/chat_id` is the part of that name, a part listed in `json` is parsed and pointed into, a file part is a leaf.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its name, by which the adapter requests it.
    pub name: String,
    /// When it may be requested.
    pub uses: BTreeSet<Use>,
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub url: UrlTemplate,
    /// Headers that the host writes.
    pub headers: Vec<HeaderTemplate>,
    /// Headers that the adapter may set, in lower case; never one of `headers` or of the host's.
    pub may_set: Vec<String>,
    /// What its body is.
    pub body: BodyShape,
    /// The leaves (strings, numbers, booleans, nulls, files) that a body may have; what is not listed is refused.
    pub fields: Vec<FieldPattern>,
    /// Those that must be there.
    pub required: Vec<FieldPattern>,
    /// Names of parts, of a form or a multipart body, whose text is JSON.
    pub json: Vec<String>,
    /// Names of parts of a multipart body that are files. No other part may be one.
    pub files: Vec<String>,
    /// Leaves that the host writes; the adapter may not.
    pub fixed: BTreeMap<Pointer, Scalar>,
    /// Leaves that must equal the action's conversation; one of them at least must be there.
    pub conversation: Vec<FieldPattern>,
    /// Must equal the action's thread where it is there.
    pub thread: Option<Pointer>,
    /// Must equal the message that the action is about where it is there (`edit`, `react`).
    pub message: Option<Pointer>,
    /// Must equal the message that the action answers where it is there.
    pub reply_to: Option<Pointer>,
    /// Must equal the action's text where it is there.
    pub text: Option<Pointer>,
    /// Must equal the reference of the action `fetch`.
    pub reference: Option<Pointer>,
    /// Where a successful answer names the new message, or each of the new messages.
    pub sent: Option<Sent>,
    /// The longest answer, in bytes, where it differs from the host's default. Downloads have the limit of files.
    pub max_bytes: Option<u64>,
}

/// When an endpoint may be requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// While `handle` runs; it must be harmless when repeated.
    Handle,
    /// For that action.
    Action(Action),
    /// For tools of the adapter's own.
    Call,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyShape {
    /// There is none.
    #[default]
    None,
    /// `application/json`
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/form-data` (RFC 7578)
    Multipart,
}

/// Names leaves of a document: a JSON pointer in which `*` stands for every element of an array.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPattern {
    /// The pattern as it was written.
    pub text: String,
    /// Its reference tokens, unescaped.
    pub tokens: Vec<FieldToken>,
}

/// One token of a [`FieldPattern`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldToken {
    /// The member of that name. Never an index.
    Member(String),
    /// Every element of an array.
    Each,
}

/// Where an answer names new messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// One id at this place.
    One(Pointer),
    /// An id at `id` in each element of the array.
    Each {
        /// The array.
        items: PointerPattern,
        /// Within each element.
        id: Pointer,
    },
}

impl Endpoint {
    /// Whether it belongs to one action on one conversation: only then can a request name a conversation.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        !self.conversation.is_empty()
    }
}
