//! Polls: requests that the host repeats, whose answers bring items.

use std::{collections::BTreeSet, fmt};

use super::{
    HeaderTemplate, Pattern, Pointer, PointerPattern, UrlTemplate,
    template::{header_pairs, secrets},
    value::{pairs, quoted},
};

/// One source that the host polls: a `GET`, one at a time, the next only when what the last one brought is committed.
/// [`fmt::Display`] gives its TOML form, in full.
#[derive(Debug, Clone, PartialEq)]
pub struct Poll {
    /// Its name: the source of the items that it brings.
    pub name: String,
    /// Where it goes; without variables.
    pub url: UrlTemplate,
    /// Headers that the host writes.
    pub headers: Vec<HeaderTemplate>,
    /// The elements of the answer that are items.
    pub items: PointerPattern,
    /// How the host tells the platform what it has.
    pub cursor: Cursor,
    /// Seconds from the request to the end of the answer, longer than the platform holds a request back.
    pub timeout_s: u64,
    /// Milliseconds from one answer to the next request; 0 for long polls.
    pub pause_ms: u64,
}

impl Poll {
    /// The names of the secrets that it needs.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<&str> {
        secrets(&self.url, &self.headers)
    }
}

impl fmt::Display for Poll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cursor { query, max, add } = &self.cursor;
        writeln!(f, "[[poll]]")?;
        writeln!(f, "name = {}", quoted(&self.name))?;
        writeln!(f, "url = {}", quoted(&self.url.text))?;
        pairs(f, "headers", header_pairs(&self.headers))?;
        writeln!(f, "items = {}", quoted(self.items.as_str()))?;
        writeln!(f, "cursor = {{ query = {}, max = {}, add = {add} }}", quoted(query), quoted(max.as_str()))?;
        writeln!(f, "timeout-s = {}", self.timeout_s)?;
        writeln!(f, "pause-ms = {}", self.pause_ms)
    }
}

/// What a poll's next request says of what was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The query parameter that carries it; left out before the first item.
    pub query: String,
    /// The integer within each item; the largest of an answer counts.
    pub max: Pointer,
    /// What is added to it.
    pub add: i64,
}

/// A secret that an adapter's endpoints and polls need.
#[derive(Debug, Clone, PartialEq)]
pub struct SecretItem {
    /// The variable that holds it, in the environment or in `secrets/<name>.env`.
    pub env: String,
    /// What it is and where one gets it; at most 120 characters.
    pub summary: Option<String>,
    /// What the whole value must match.
    pub pattern: Option<Pattern>,
}

/// The longest text of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLimit {
    /// How many units.
    pub max: u32,
    /// What is counted.
    pub unit: TextUnit,
}

/// What platforms count texts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextUnit {
    /// Code units of UTF-16.
    Utf16,
    /// Unicode scalar values.
    Chars,
    /// Bytes of UTF-8.
    Bytes,
}

/// What belongs together: messages of one sender in one conversation that follow each other quickly are one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Burst {
    /// Milliseconds without another message after which the event leaves.
    pub quiet_ms: u32,
    /// Milliseconds after the first message at which it leaves in any case.
    pub longest_ms: u32,
}

/// Where a platform's answers that say no carry what people and hosts need to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorShape {
    /// Seconds until the request may be repeated, beside the header `Retry-After`.
    pub retry_after: Option<Pointer>,
    /// The platform's own words.
    pub description: Option<Pointer>,
}
