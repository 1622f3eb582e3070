//! What kind of body a request has. Services and people mislabel them (`curl -d` calls everything a form), so the
//! bytes count first and the media type second.

use serde_json::{Map, Value};

/// A request's body.
#[derive(Debug, PartialEq)]
pub enum Body {
    Empty,
    /// JSON, or a form as an object.
    Json(Value),
    Text(String),
    /// That many bytes which are no UTF-8.
    Binary(usize),
}

impl Body {
    /// Reads a body of that media type.
    pub fn read(bytes: &[u8], media_type: Option<&str>) -> Self {
        let Ok(text) = std::str::from_utf8(bytes) else { return Self::Binary(bytes.len()) };
        let trimmed = text.trim_start_matches('\u{feff}').trim();
        if trimmed.is_empty() {
            return Self::Empty;
        }
        if let Some(document) = document(trimmed) {
            return Self::Json(document);
        }
        let form = media_type.is_some_and(|name| name.trim_start().starts_with("application/x-www-form-urlencoded"));
        match form.then(|| fields(trimmed)).flatten() {
            Some(fields) => Self::Json(fields),
            None => Self::Text(text.to_owned()),
        }
    }
}

/// JSON, if it is an object or an array.
fn document(text: &str) -> Option<Value> {
    if text.starts_with(['{', '[']) { serde_json::from_str(text).ok() } else { None }
}

/// The fields of a form, or the JSON that GitHub and Slack put into its field `payload`. Nothing when it is a
/// plain sentence that only was labelled a form.
fn fields(text: &str) -> Option<Value> {
    if !text.contains('=') || text.contains(char::is_whitespace) || !text.is_ascii() {
        return None;
    }
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let value = Value::String(value.into_owned());
        match fields.get_mut(name.as_ref()) {
            None => {
                fields.insert(name.into_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    let payload = fields.get("payload").and_then(Value::as_str).and_then(document);
    Some(payload.unwrap_or(Value::Object(fields)))
}
