//! Buttons: where a request has them, and what a pressed one brings.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

use super::{
    FieldPattern, FieldToken, Pointer, Value,
    error::Malformed,
    value::{joined, quoted},
};

/// Where the buttons of a message stand in a document, in their order. [`fmt::Display`] gives the TOML form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
pub struct Buttons {
    /// Each button: the elements of arrays.
    pub at: FieldPattern,
    /// Within a button, what it shows.
    pub label: Pointer,
    /// Within a button, what comes back when it is pressed.
    pub token: Pointer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ at = \"/rows/*/*\", label = \"/text\", token = \"/data\" }")]
struct Table {
    at: FieldPattern,
    label: Pointer,
    token: Pointer,
}

impl TryFrom<Table> for Buttons {
    type Error = Malformed;

    fn try_from(Table { at, label, token }: Table) -> Result<Self, Malformed> {
        if at.tokens.last() != Some(&FieldToken::Each) {
            return Err(Malformed::new(format!(
                "{at} is one place, and buttons are the elements of an array; write it like \"/rows/*\", with `*` at the end"
            )));
        }
        let buttons = Self { at, label, token };
        let (label, token) = (buttons.leaf(&buttons.label)?, buttons.leaf(&buttons.token)?);
        if label.leads_to(&token) || token.leads_to(&label) {
            return Err(Malformed::new(format!("{label} and {token} cannot both be leaves; a button has one of each")));
        }
        Ok(buttons)
    }
}

impl Buttons {
    /// The leaves of all buttons: what they show, and what comes back.
    #[must_use]
    pub fn leaves(&self) -> Vec<FieldPattern> {
        [&self.label, &self.token].into_iter().filter_map(|below| self.leaf(below).ok()).collect()
    }

    fn leaf(&self, below: &Pointer) -> Result<FieldPattern, Malformed> {
        FieldPattern::parse(&format!("{}{}", self.at.text, below.as_str()))
    }
}

/// The TOML form.
impl fmt::Display for Buttons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (label, token) = (quoted(self.label.as_str()), quoted(self.token.as_str()));
        write!(f, "{{ at = {}, label = {label}, token = {token} }}", self.at)
    }
}

/// What a platform repeats of the message whose button was pressed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeats {
    /// Its text.
    pub text: Option<Pointer>,
    /// Its buttons.
    pub buttons: Option<Buttons>,
}

/// The TOML form.
impl fmt::Display for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text.iter().map(|text| ("text", quoted(text.as_str())));
        let buttons = self.buttons.iter().map(|buttons| ("buttons", buttons.to_string()));
        f.write_str(&joined(text.chain(buttons)))
    }
}

/// The request by which the host itself tells the platform that it took a press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledge {
    /// The endpoint: for `handle`, with a body of JSON.
    pub endpoint: String,
    /// The leaves of its body, and where the item has them. All that the endpoint requires is there.
    pub fields: BTreeMap<Pointer, Value>,
}

/// The TOML form.
impl fmt::Display for Acknowledge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = joined(self.fields.iter().map(|(at, value)| (quoted(at.as_str()), value)));
        f.write_str(&joined([("endpoint", quoted(&self.endpoint)), ("fields", fields)]))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(table: &str) -> Result<Buttons, String> {
        #[derive(Debug, Deserialize)]
        struct Document {
            buttons: Buttons,
        }
        toml::from_str::<Document>(&format!("buttons = {table}"))
            .map(|document| document.buttons)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn buttons_are_elements_with_a_label_and_a_token() {
        for table in [
            "{ at = \"/rows/*/*\", label = \"/text\", token = \"/data\" }",
            "{ at = \"/blocks/*/elements/*\", label = \"/text/text\", token = \"/value\" }",
            "{ at = \"/*\", label = \"/a~1b\", token = \"/data\" }",
        ] {
            let buttons = read(table).unwrap();
            assert_eq!(buttons.to_string(), table);
            assert_eq!(buttons.leaves().len(), 2);
            assert!(buttons.leaves().iter().all(|leaf| buttons.at.leads_to(leaf)));
        }
    }

    #[test]
    fn places_that_are_no_buttons_are_refused() {
        for (table, expected) in [
            ("\"/rows/*\"", "expected { at = \"/rows/*/*\""),
            ("{ at = \"/rows/*\", label = \"/text\" }", "missing field `token`"),
            ("{ at = \"/rows/*\", label = \"/text\", token = \"/data\", url = \"/url\" }", "unknown field `url`"),
            ("{ at = \"/row\", label = \"/text\", token = \"/data\" }", "with `*` at the end"),
            ("{ at = \"/rows/*/button\", label = \"/text\", token = \"/data\" }", "with `*` at the end"),
            ("{ at = \"/rows/*\", label = \"/text\", token = \"/text\" }", "a button has one of each"),
            ("{ at = \"/rows/*\", label = \"/text\", token = \"/text/data\" }", "a button has one of each"),
            ("{ at = \"/rows/*\", label = \"/text\", token = \"/0\" }", "has an index in it"),
            ("{ at = \"/rows/*\", label = \"text\", token = \"/data\" }", "begins with `/`"),
            ("{ at = \"/rows/*\", label = \"/*\", token = \"/data\" }", "has a `*`"),
        ] {
            let error = read(table).unwrap_err();
            assert!(error.contains(expected), "{table}\n{error}");
        }
    }
}
