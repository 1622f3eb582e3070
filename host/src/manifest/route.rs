//! Routes: which HTTP requests below the adapter's own path become events.

use serde::Deserialize;

use super::{error::Malformed, path::PathPattern, pointer::PointerPattern};

/// One route of the HTTP listener.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Its name: the source of the items that it brings.
    pub name: String,
    /// Which paths below the adapter's own it takes.
    pub path: PathPattern,
    /// Which methods it takes; `GET` alone for WebSockets.
    pub methods: Vec<Method>,
    /// Who may use it.
    pub auth: RouteAuth,
    /// What a request's body must be. `None` for WebSockets, whose frames are the items.
    pub body: BodyKind,
    /// What it answers.
    pub answer: Answer,
    /// It is upgraded to a WebSocket; every frame is an item.
    pub websocket: bool,
    /// Each element of this array of the body is an item of its own.
    pub items: Option<PointerPattern>,
    /// The largest body, in bytes, where it differs from the host's default.
    pub max_bytes: Option<u64>,
}

/// A method of RFC 9110.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method as requests write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Who may use a route; checked before the adapter runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteAuth {
    /// The local user, on a page of this adapter: `Host`, `Origin` and the page's token are checked.
    Page,
    /// Whoever holds the credential that the path names, by its signature scheme.
    Credential,
}

/// What a request's body must be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BodyKind {
    /// Empty.
    #[default]
    None,
    /// JSON; the item is the body.
    Json,
    /// A form; the item is its fields as a JSON object of strings.
    Form,
    /// A form with JSON in the field of this name; the item is that JSON.
    FormJson(String),
    /// UTF-8 text; the item is the body.
    Text,
    /// Anything; the item is the body.
    Bytes,
    /// A multipart form with files; the item is its text fields as a JSON object of strings.
    Upload,
}

impl BodyKind {
    /// Whether the item is JSON, so that pointers can read it.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        matches!(self, Self::Json | Self::Form | Self::FormJson(_) | Self::Upload)
    }
}

impl<'de> Deserialize<'de> for BodyKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        match (&*word, word.strip_prefix("form-json:")) {
            ("none", _) => Ok(Self::None),
            ("json", _) => Ok(Self::Json),
            ("form", _) => Ok(Self::Form),
            ("text", _) => Ok(Self::Text),
            ("bytes", _) => Ok(Self::Bytes),
            ("upload", _) => Ok(Self::Upload),
            (_, Some(key)) if !key.is_empty() && key.len() <= 64 && key.chars().all(super::is_plain) => {
                Ok(Self::FormJson(key.into()))
            }
            _ => Err(serde::de::Error::custom(Malformed::new(format!(
                "{word:?} is no kind of body; take \"none\", \"json\", \"form\", \"form-json:KEY\" (KEY has at most 64 \
                 bytes), \"text\", \"bytes\" or \"upload\""
            )))),
        }
    }
}

/// What a route answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The status alone.
    #[default]
    Status,
    /// What the adapter says: only to the local user.
    Page,
}
