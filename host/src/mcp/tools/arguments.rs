//! Reads a tool's arguments by name and says what is wrong with them in words that Claude can act on.

use serde_json::Value;

use crate::{mcp::JsonObject, text::Format};

/// What is wrong with a tool's arguments, and the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// A required argument is not there.
    #[error("`{0}` is missing: pass it, as the tool's description says")]
    Missing(&'static str),
    /// An argument is there, but empty.
    #[error("`{0}` is empty: pass a text, or leave it out if it is optional")]
    Empty(&'static str),
    /// An argument has another type.
    #[error("`{name}` is {found}: pass {wanted}")]
    Type {
        /// The argument.
        name: &'static str,
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// An argument that the tool does not have.
    #[error("there is no argument `{name}`: leave it out; the tool takes {known}")]
    Unknown {
        /// The argument.
        name: String,
        /// Those that exist.
        known: String,
    },
    /// The text is to be read in a way that does not exist.
    #[error("`format` is {given}: pass markdown or text, or leave it out for markdown")]
    Format {
        /// What was passed.
        given: String,
    },
    /// The adapter does not exist, cannot do it, or has to be named.
    #[error(
        "`channel` is {given}, and this tool works for {choices} only: pass one of them if the <channel> tag has it, else \
             there is nobody to answer there"
    )]
    Channel {
        /// What was passed.
        given: String,
        /// What may be passed.
        choices: String,
    },
}

/// Arguments of which each is taken once; what remains was not asked for.
pub(super) struct Arguments {
    given: JsonObject,
    known: Vec<&'static str>,
}

impl Arguments {
    /// An argument that is `null` counts as left out.
    pub(super) fn new(mut given: JsonObject) -> Self {
        given.retain(|_, value| !value.is_null());
        Self { given, known: Vec::new() }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.given.remove(name)
    }

    /// A text that is there and not empty.
    pub(super) fn text(&mut self, name: &'static str) -> Result<String, ArgumentError> {
        match self.take(name) {
            None => Err(ArgumentError::Missing(name)),
            Some(Value::String(text)) if text.trim().is_empty() => Err(ArgumentError::Empty(name)),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(wrong_type(name, &other, "a string")),
        }
    }

    /// A text; empty where it is left out.
    pub(super) fn optional_text(&mut self, name: &'static str) -> Result<String, ArgumentError> {
        match self.take(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(wrong_type(name, &other, "a string")),
        }
    }

    /// An id. Models like to pass those of digits as numbers; an integer is taken by its digits.
    pub(super) fn id(&mut self, name: &'static str) -> Result<String, ArgumentError> {
        self.optional_id(name)?.ok_or(ArgumentError::Missing(name))
    }

    /// An id, if it is there.
    pub(super) fn optional_id(&mut self, name: &'static str) -> Result<Option<String>, ArgumentError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Err(ArgumentError::Empty(name)),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(Some(number.to_string())),
            Some(other) => Err(wrong_type(name, &other, "a string")),
        }
    }

    /// A list of texts; empty where it is left out.
    pub(super) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, ArgumentError> {
        const WANTED: &str = "an array of strings";
        let values = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(values)) => values,
            Some(other) => return Err(wrong_type(name, &other, WANTED)),
        };
        values
            .into_iter()
            .map(|value| match value {
                Value::String(text) if text.is_empty() => Err(ArgumentError::Empty(name)),
                Value::String(text) => Ok(text),
                other => Err(wrong_type(name, &other, WANTED)),
            })
            .collect()
    }

    /// How a text is to be read: Markdown where it is left out. The official plugin calls it by its platform's name,
    /// and Claude may know that.
    pub(super) fn format(&mut self) -> Result<Format, ArgumentError> {
        const NAME: &str = "format";
        let Some(value) = self.take(NAME) else { return Ok(Format::default()) };
        let Value::String(given) = value else { return Err(wrong_type(NAME, &value, "a string")) };
        match given.to_ascii_lowercase().as_str() {
            "markdown" | "markdownv2" => Ok(Format::Markdown),
            "text" => Ok(Format::Text),
            "" => Err(ArgumentError::Empty(NAME)),
            _ => Err(ArgumentError::Format { given: excerpt(&given) }),
        }
    }

    /// Refuses what was not asked for.
    pub(super) fn finish(self) -> Result<(), ArgumentError> {
        match self.given.keys().next() {
            None => Ok(()),
            Some(name) => {
                let known: Vec<&str> = self.known.into_iter().filter(|known| *known != "channel").collect();
                Err(ArgumentError::Unknown { name: excerpt(name), known: known.join(", ") })
            }
        }
    }
}

/// The beginning of a text from outside, for an error message.
pub(super) fn excerpt(text: &str) -> String {
    crate::outbox::sanitise::attribute(text, 60).into_owned()
}

fn wrong_type(name: &'static str, value: &Value, wanted: &'static str) -> ArgumentError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    ArgumentError::Type { name, found, wanted }
}
