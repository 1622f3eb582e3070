//! Telegram's errors, in its words.

use serde_json::{Value, json};

/// An error of the Bot API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status, and `error_code`.
    pub code: u16,
    /// What it says.
    pub description: String,
    /// Seconds, for 429.
    pub retry_after: Option<u32>,
}

/// What a method gives: the text of `result`.
pub(super) type Answer<T = Value> = Result<T, Refusal>;

impl Refusal {
    pub(super) fn new(code: u16, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), retry_after: None }
    }

    pub(super) fn too_many(seconds: u32) -> Self {
        let description = format!("Too Many Requests: retry after {seconds}");
        Self { code: 429, description, retry_after: Some(seconds) }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut body = json!({ "ok": false, "error_code": self.code, "description": self.description });
        if let Some(seconds) = self.retry_after {
            body["parameters"] = json!({ "retry_after": seconds });
        }
        body
    }
}

/// A 400. As Telegram does, words begin small after the colon, and server errors (`REACTION_INVALID`) stay.
pub(super) fn bad(reason: impl AsRef<str>) -> Refusal {
    let reason = reason.as_ref();
    let second = reason.chars().nth(1);
    let reason = match second {
        Some(second) if second == '_' || second.is_ascii_uppercase() => reason.to_owned(),
        _ => reason.chars().take(1).flat_map(char::to_lowercase).chain(reason.chars().skip(1)).collect(),
    };
    Refusal::new(400, format!("Bad Request: {reason}"))
}

/// A 403.
pub(super) fn forbidden(reason: &str) -> Refusal {
    Refusal::new(403, format!("Forbidden: {reason}"))
}
