//! A JSON document as lines: `a.b: value`, `list[0].name: value`. Nothing is lost until the limit, and what is left
//! out after it is counted.

use crate::template::clip;
use serde_json::Value;

/// Characters of one value; a longer one ends with the count of what was left out.
const VALUE: usize = 4000;

/// The document in about that many characters.
pub fn lines(document: &Value, limit: usize) -> String {
    let mut lines = Lines { text: String::new(), room: limit, left_out: 0 };
    lines.add(&mut String::new(), document);
    if lines.left_out > 0 {
        let values = if lines.left_out == 1 { "value is" } else { "values are" };
        lines.text.push_str(&format!("… {} more {values} left out\n", lines.left_out));
    }
    lines.text.truncate(lines.text.trim_end().len());
    lines.text
}

struct Lines {
    text: String,
    /// Characters.
    room: usize,
    left_out: usize,
}

impl Lines {
    /// `path` is the same after the call as before.
    fn add(&mut self, path: &mut String, value: &Value) {
        let length = path.len();
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, value) in members {
                    if length > 0 {
                        path.push('.');
                    }
                    path.push_str(&key(name));
                    self.add(path, value);
                    path.truncate(length);
                }
            }
            Value::Array(elements) if !elements.is_empty() => {
                for (index, value) in elements.iter().enumerate() {
                    path.push_str(&format!("[{index}]"));
                    self.add(path, value);
                    path.truncate(length);
                }
            }
            scalar => self.line(path, scalar),
        }
    }

    fn line(&mut self, path: &str, value: &Value) {
        if self.room == 0 {
            self.left_out += 1;
            return;
        }
        let separator = if path.is_empty() { "" } else { ": " };
        let line = format!("{path}{separator}{}\n", scalar(value));
        let length = line.chars().count();
        if length > self.room && !self.text.is_empty() {
            self.room = 0;
            self.left_out += 1;
            return;
        }
        self.room = self.room.saturating_sub(length);
        self.text.push_str(&line);
    }
}

/// Text as it is; quoted only where it would read as something else.
fn scalar(value: &Value) -> String {
    let Value::String(text) = value else { return value.to_string() };
    let ambiguous =
        text.trim() != text || text.is_empty() || text.starts_with('"') || serde_json::from_str::<Value>(text).is_ok();
    if ambiguous {
        return clip(&value.to_string(), VALUE);
    }
    // Lines after the first are indented: none of them can look like a member.
    clip(text, VALUE).replace("\r\n", "\n").replace(['\n', '\r'], "\n  ")
}

fn key(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || "_-$@/".contains(letter));
    if plain { name.to_owned() } else { Value::from(name).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_value_has_a_line_and_reads_as_what_it_is() {
        let cases = [
            (json!({ "a": { "b": 1, "c": [true, null] } }), "a.b: 1\na.c[0]: true\na.c[1]: null"),
            (json!([{ "x": "y" }, []]), "[0].x: y\n[1]: []"),
            (json!({ "n": "1", "e": "", "t": "true", "o": {} }), "n: \"1\"\ne: \"\"\nt: \"true\"\no: {}"),
            (json!({ "a.b": 1, "": 2, "c d": 3 }), "\"a.b\": 1\n\"\": 2\n\"c d\": 3"),
            (json!({ "text": "one\nb: two" }), "text: one\n  b: two"),
        ];
        for (document, expected) in cases {
            assert_eq!(lines(&document, 1000), expected);
        }
    }

    #[test]
    fn order_and_digits_stay_as_they_were_sent() {
        let document: Value =
            serde_json::from_str(r#"{"z":1.0,"a":12345678901234567890123,"m":1e2}"#).unwrap_or_default();
        assert_eq!(lines(&document, 1000), "z: 1.0\na: 12345678901234567890123\nm: 1e+2");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let document = Value::from((0..100).collect::<Vec<_>>());
        let text = lines(&document, 50);
        assert!(text.chars().count() < 100);
        let shown = text.lines().count() - 1;
        assert!(text.ends_with(&format!("… {} more values are left out", 100 - shown)), "{text}");
        let long = lines(&json!({ "a": "x".repeat(VALUE + 7), "b": 1 }), 10_000);
        assert!(long.contains("… (7 more characters)") && long.ends_with("b: 1"));
    }
}
