//! Evidence: the host reads identity itself, from its own copy of the bytes that the adapter got.
//!
//! A rule says where sender, conversation, ids and text stand ([`IdentityRule`]); [`IdentityRule::read`] applies it to
//! one item. Reading is strict: duplicate members, invalid UTF-8 or trailing data are no evidence, ids are strings
//! or plain integers, and a condition that does not hold is a refusal, never a guess.
//!
//! [`IdentityRule`]: crate::manifest::IdentityRule
//! [`IdentityRule::read`]: crate::manifest::IdentityRule::read

mod items;
mod json;
mod reading;
mod time;

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use items::{Item, MOST_ITEMS, split_items};
pub use json::{Document, Found, MOST_VALUES, NotStrict};
pub use reading::Reading;

/// One item as the host received it: exactly the bytes that the adapter gets, and what the host knows around them.
pub struct Evidence {
    /// The source that brought it.
    pub source: String,
    /// The bytes.
    pub bytes: Bytes,
    /// What the host knows around them.
    pub context: Context,
    document: OnceLock<Result<Document, NotStrict>>,
}

impl Evidence {
    /// Takes an item; nothing is parsed before a rule needs it.
    #[must_use]
    pub fn new(source: String, bytes: Bytes, context: Context) -> Self {
        Self { source, bytes, context, document: OnceLock::new() }
    }

    /// The item as strict JSON, parsed once.
    ///
    /// # Errors
    /// [`NotStrict`] says why it is none.
    pub fn document(&self) -> Result<&Document, &NotStrict> {
        self.document.get_or_init(|| Document::parse(self.bytes.clone())).as_ref()
    }
}

/// Shows no content: payloads are private, and foreign text.
impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("source", &self.source)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// What the host knows around an item. Kept with dead letters, so it must hold no secret.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The name of the credential, or of the page, that was authenticated.
    pub credential: Option<String>,
    /// The event's id by the host: what the signature covers, an idempotency key, or a fresh id.
    pub signed: Option<String>,
    /// The headers of the request, without those that hold secrets; names are compared without case.
    pub headers: Vec<(String, String)>,
    /// The path of the request below the adapter's own.
    pub path: String,
    /// What the wildcards matched: first those of the path, then the one of `items`.
    pub matches: Vec<String>,
    /// When the host received it, in milliseconds since the Unix epoch.
    pub received_ms: i64,
    /// The page's key came with it: the user's own page said it, and nobody who has the page's cookie alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keyed: bool,
    /// Tells the accounts of one platform apart where ids are counted for each: a digest, of no use as a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// Shows no values of headers.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Context")
            .field("credential", &self.credential)
            .field("signed", &self.signed)
            .field("headers", &headers)
            .field("path", &self.path)
            .field("matches", &self.matches)
            .field("received_ms", &self.received_ms)
            .field("keyed", &self.keyed)
            .finish()
    }
}

/// Why an item is no evidence under a rule. Values of the payload appear shortened and escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotEvidence {
    /// The rule reads another source.
    #[error("the rule `{rule}` reads the source `{expected}`, and this came from `{actual}`")]
    OtherSource {
        /// The rule.
        rule: Arc<str>,
        /// Its source.
        expected: Arc<str>,
        /// The item's source.
        actual: String,
    },
    /// The rule reads from the item, which is no strict JSON.
    #[error("the rule `{rule}` finds no strict JSON: {why}")]
    NotStrict {
        /// The rule.
        rule: Arc<str>,
        /// Why.
        why: NotStrict,
    },
    /// A condition does not hold, or a value is missing or unusable.
    #[error("the rule `{rule}` does not apply: {what} {problem}")]
    DoesNotApply {
        /// The rule.
        rule: Arc<str>,
        /// Which condition or value, such as `sender ("/from/id")`.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A body cannot be split into its items.
    #[error("the items {pattern} cannot be read: {problem}")]
    NoItems {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        problem: String,
    },
}

#[cfg(test)]
mod pressed_tests;
#[cfg(test)]
mod strictness_tests;
#[cfg(test)]
mod tests;
