//! Tools of an adapter's own, which Claude sees beside the host's.

use std::collections::BTreeMap;

/// A tool of the adapter's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Its name: `[a-z][a-z0-9_]*`, at most 32 characters, and none of the host's.
    pub name: String,
    /// What it does, for Claude and the user; at most 120 characters.
    pub summary: String,
    /// It is about a conversation: the host adds `chat_id` and `thread_id`, and checks them.
    pub place: bool,
    /// Its parameters, by name.
    pub params: BTreeMap<String, Param>,
}

/// A parameter of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its type.
    pub kind: ParamType,
    /// What it is, at most 120 characters.
    pub summary: Option<String>,
    /// It must be given.
    pub required: bool,
    /// Its only values; empty if it is free. Only of strings.
    pub one_of: Vec<String>,
    /// The most characters of a string, or the largest number. Not of booleans.
    pub max: Option<u64>,
}

/// The JSON type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParamType {
    /// A string.
    String,
    /// An integer.
    Integer,
    /// A number.
    Number,
    /// A boolean.
    Boolean,
}

impl ParamType {
    /// The word of JSON Schema.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}
