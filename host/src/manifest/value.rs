//! The words by which a rule says where a value comes from.

use std::{fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

use super::{error::Malformed, pointer::Pointer};

/// Headers that hold secrets; a rule must not show them to anybody.
pub(super) const SECRET_HEADERS: [&str; 6] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-gitlab-token", "x-api-key"];

/// Where a rule reads a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// `"/a/b"`: in the item.
    Pointer(Pointer),
    /// `"$credential"`: the name of the credential, or of the page, that the host authenticated.
    Credential,
    /// `"$header:NAME"`: a header of the request, in lower case here. Headers are not signed.
    Header(Arc<str>),
    /// `"$path"`: the path of the request below the adapter's own.
    Path,
    /// `"$match:N"`: what the wildcard of that number matched, counted from 0, first of the path and then of `items`.
    Match(usize),
    /// `"$signed"`: the id of the event by what the signature covers.
    Signed,
    /// `"$body"`: the whole item as UTF-8 text.
    Body,
    /// `{ const = "…" }`
    Const(Arc<str>),
}

impl Value {
    /// Reads a word that is not a constant.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong with it.
    pub fn parse(word: &str) -> Result<Self, Malformed> {
        match word {
            "$credential" => Ok(Self::Credential),
            "$path" => Ok(Self::Path),
            "$signed" => Ok(Self::Signed),
            "$body" => Ok(Self::Body),
            _ => {
                if let Some(name) = word.strip_prefix("$header:") {
                    header(name)
                } else if let Some(number) = word.strip_prefix("$match:") {
                    let index = super::pointer::array_index(number)
                        .ok_or_else(|| Malformed::new("`$match:` is followed by a number, from 0"))?;
                    Ok(Self::Match(index))
                } else if word.starts_with('/') {
                    Ok(Self::Pointer(Pointer::parse(word)?))
                } else {
                    Err(Malformed::new(format!(
                        "{:?} names no value; take a pointer such as \"/message/id\", \"$credential\", \"$header:NAME\", \
                         \"$path\", \"$match:N\", \"$signed\", \"$body\" or {{ const = \"…\" }}",
                        super::plain::excerpt(word, 40)
                    )))
                }
            }
        }
    }
}

/// Whether it is the name of a header: a token of RFC 9110, at most 64 characters.
pub(super) fn is_header_name(name: &str) -> bool {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.len() <= 64 && name.bytes().all(token)
}

fn header(name: &str) -> Result<Value, Malformed> {
    if !is_header_name(name) {
        return Err(Malformed::new("`$header:` is followed by the name of a header, at most 64 characters"));
    }
    let name = name.to_ascii_lowercase();
    if SECRET_HEADERS.contains(&&*name) {
        return Err(Malformed::new(format!("the header `{name}` holds secrets; a rule must not read it")));
    }
    Ok(Value::Header(name.into()))
}

/// The TOML form.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pointer(pointer) => quoted(pointer.as_str()).fmt(f),
            Self::Credential => f.write_str("\"$credential\""),
            Self::Header(name) => quoted(&format!("$header:{name}")).fmt(f),
            Self::Path => f.write_str("\"$path\""),
            Self::Match(number) => write!(f, "\"$match:{number}\""),
            Self::Signed => f.write_str("\"$signed\""),
            Self::Body => f.write_str("\"$body\""),
            Self::Const(text) => write!(f, "{{ const = {} }}", quoted(text)),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string such as \"/message/id\" or \"$credential\", or { const = \"…\" }")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Value, E> {
                Value::parse(word).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                const FORM: &str = "a constant is written { const = \"…\" }, with no other key";
                if map.next_key::<String>()?.as_deref() != Some("const") {
                    return Err(A::Error::custom(FORM));
                }
                let text: String = map.next_value()?;
                if map.next_key::<String>()?.is_some() {
                    return Err(A::Error::custom(FORM));
                }
                if text.is_empty() || text.len() > 256 || !text.chars().all(super::is_plain) || text.trim() != text {
                    return Err(A::Error::custom(
                        "a constant has 1 to 256 bytes, no control or invisible characters and no spaces around it",
                    ));
                }
                Ok(Value::Const(text.into()))
            }
        }
        deserializer.deserialize_any(Words)
    }
}

/// What a condition compares with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a string, an integer or a boolean")]
pub enum Scalar {
    /// A boolean.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A string.
    Text(String),
}

/// The TOML form.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Text(value) => quoted(value).fmt(f),
        }
    }
}

/// A text as a TOML basic string on one line, with everything that does not show written out.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if super::is_plain(c) => out.push(c),
            c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// A line of a TOML table, where there is a value.
pub(super) fn line(f: &mut fmt::Formatter<'_>, key: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| writeln!(f, "{key} = {value}"))
}

/// A line of a TOML table with a list, where it is not empty.
pub(super) fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    key: &str,
    values: impl IntoIterator<Item = T>,
) -> fmt::Result {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    line(f, key, (!values.is_empty()).then(|| format!("[{}]", values.join(", "))))
}

/// A line of a TOML table with an inline table, where it is not empty.
pub(super) fn pairs<K: fmt::Display, V: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    key: &str,
    pairs: impl IntoIterator<Item = (K, V)>,
) -> fmt::Result {
    let mut pairs = pairs.into_iter().peekable();
    let is_empty = pairs.peek().is_none();
    line(f, key, (!is_empty).then(|| joined(pairs)))
}

/// An inline table.
pub(super) fn joined<K: fmt::Display, V: fmt::Display>(pairs: impl IntoIterator<Item = (K, V)>) -> String {
    let pairs: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", pairs.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_word_is_written_as_it_is_read() {
        for word in [
            "/a/b",
            "/a~1b",
            "/",
            "$credential",
            "$header:x-sender",
            "$path",
            "$match:0",
            "$match:12",
            "$signed",
            "$body",
        ] {
            assert_eq!(Value::parse(word).unwrap().to_string(), format!("\"{word}\""));
        }
        assert_eq!(Value::parse("$header:X-Sender").unwrap(), Value::Header("x-sender".into()));
    }

    #[test]
    fn other_words_are_refused() {
        for bad in [
            "",
            "a",
            "$",
            "$x",
            "$credentials",
            "$header:",
            "$header:a b",
            "$header:é",
            "$header:Authorization",
            "$header:COOKIE",
            "$match:",
            "$match:-1",
            "$match:01",
            "$match:x",
            "$Body",
            "/*",
        ] {
            assert!(Value::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn quoted_text_is_toml_for_the_same_text() {
        for text in ["", "a\"b\\c", "\n\u{202e}\u{200b}", "ä🙂"] {
            let document = format!("x = {}", quoted(text));
            let table: std::collections::BTreeMap<String, String> = toml::from_str(&document).unwrap();
            assert_eq!(table["x"], text);
            assert!(document.chars().all(crate::manifest::is_plain));
        }
    }
}
