//! Single values of the vocabulary: each checks itself while it is read, so that an error stands where it is.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, de::Error as _};

use super::{Bound, FieldPattern, PathPattern, Pointer, PointerPattern, UrlTemplate, error::Malformed, is_plain};

/// The longest value of a setting, in bytes.
pub(super) const CONFIG_BYTES: usize = 1000;
/// The longest pattern, in characters.
const PATTERN_CHARS: usize = 300;
/// The most memory that a compiled pattern may take, in bytes.
const PATTERN_MEMORY: usize = 3 << 19;

/// One line of text that shows all that it holds, 1 to `MOST` characters.
#[derive(Debug, Clone)]
pub(super) struct Line<const MOST: usize>(pub(super) String);

impl<'de, const MOST: usize> Deserialize<'de> for Line<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let count = text.chars().count();
        if text.trim().is_empty() {
            return Err(D::Error::custom("it is empty; say something, or leave the key out"));
        }
        if count > MOST {
            return Err(D::Error::custom(format!("it has {count} characters; at most {MOST} are allowed")));
        }
        if let Some(hidden) = text.chars().find(|c| !is_plain(*c)) {
            return Err(D::Error::custom(format!(
                "it has the character {}; write one line without control, direction-changing or invisible characters",
                hidden.escape_unicode()
            )));
        }
        Ok(Self(text))
    }
}

/// A line that Claude reads: nothing in it looks like a tag, so that it cannot imitate the host or the client.
#[derive(Debug, Clone)]
pub(super) struct Advice<const MOST: usize>(pub(super) String);

impl<'de, const MOST: usize> Deserialize<'de> for Advice<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Line(text) = Line::<MOST>::deserialize(deserializer)?;
        if text.contains(['<', '>']) {
            return Err(D::Error::custom("Claude reads it, so it may not have `<` or `>`; write it without them"));
        }
        Ok(Self(text))
    }
}

/// What kind of name a [`Named`] is.
pub(super) trait Shape {
    /// What the name must look like, for people.
    const RULE: &'static str;
    /// Whether it does.
    fn fits(name: &str) -> bool;
}

/// A name of the shape `S`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named<S>(pub(super) String, PhantomData<S>);

impl<S> fmt::Debug for Named<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, S: Shape> Deserialize<'de> for Named<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if S::fits(&name) {
            Ok(Self(name, PhantomData))
        } else {
            let shown = super::plain::excerpt(&name, 40);
            Err(D::Error::custom(format!("{shown:?} does not do as a name here: {}", S::RULE)))
        }
    }
}

fn shaped(name: &str, most: usize, first: fn(u8) -> bool, rest: fn(u8) -> bool) -> bool {
    name.len() <= most && name.bytes().next().is_some_and(first) && name.bytes().all(rest)
}

/// The name of a route, a timer or a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartName;
impl Shape for PartName {
    const RULE: &'static str = "use a letter, then letters, digits, `-` and `_`, at most 32";
    fn fits(name: &str) -> bool {
        shaped(name, 32, |b| b.is_ascii_alphabetic(), |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    }
}

/// The name of a setting or of a profile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyName;
impl Shape for KeyName {
    const RULE: &'static str = "use a lower-case letter, then lower-case letters, digits and `-`, at most 32";
    fn fits(name: &str) -> bool {
        shaped(name, 32, |b| b.is_ascii_lowercase(), |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }
}

/// The name of a tool or of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ToolName;
impl Shape for ToolName {
    const RULE: &'static str = "use a lower-case letter, then lower-case letters, digits and `_`, at most 32";
    fn fits(name: &str) -> bool {
        shaped(name, 32, |b| b.is_ascii_lowercase(), |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    }
}

/// The name of a variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EnvName;
impl Shape for EnvName {
    const RULE: &'static str = "use a capital letter, then capital letters, digits and `_`, at most 64";
    fn fits(name: &str) -> bool {
        shaped(name, 64, |b| b.is_ascii_uppercase(), |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    }
}

/// The name of a part of a form or a multipart body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FormPart;
impl Shape for FormPart {
    const RULE: &'static str = "a part of a form is named with letters, digits and `_-.[]`, at most 64";
    fn fits(name: &str) -> bool {
        let shape = |b: u8| b.is_ascii_alphanumeric() || b"_-.[]".contains(&b);
        shaped(name, 64, shape, shape)
    }
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version;
impl Shape for Version {
    const RULE: &'static str =
        "a version is written like 1.0.0: letters, digits and `.+-`, at most 32, a digit or letter first";
    fn fits(name: &str) -> bool {
        shaped(name, 32, |b| b.is_ascii_alphanumeric(), |b| b.is_ascii_alphanumeric() || b".+-".contains(&b))
    }
}

/// The key of an attribute that an adapter adds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MetaKey;
impl MetaKey {
    /// Attributes that the host writes.
    const HOSTS: [&'static str; 17] = [
        "source",
        "channel",
        "chat_id",
        "message_id",
        "message_ids",
        "user",
        "user_id",
        "ts",
        "thread_id",
        "kind",
        "reply_to",
        "reply_to_text",
        "text_by",
        "redelivered",
        "direct",
        "file_path",
        "image_path",
    ];
}
impl Shape for MetaKey {
    const RULE: &'static str = "an attribute is a letter or `_`, then letters, digits and `_`, at most 32, and none of the \
        host's own (source, channel, chat_id, message_id, message_ids, user, user_id, ts, thread_id, kind, reply_to, \
        reply_to_text, text_by, redelivered, direct, file_path, image_path, and all that begin with attachment_)";
    fn fits(name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        shaped(name, 32, |b| b.is_ascii_alphabetic() || b == b'_', |b| b.is_ascii_alphanumeric() || b == b'_')
            && !Self::HOSTS.contains(&&*lower)
            && !lower.starts_with("attachment_")
    }
}

/// A regular expression that a whole value must match; it takes linear time.
#[derive(Clone)]
pub struct Pattern {
    text: Box<str>,
    whole: regex::Regex,
}

impl Pattern {
    /// Reads a pattern in the syntax of the `regex` crate.
    ///
    /// # Errors
    /// [`Malformed`] if it is wrong, or too large to be checked quickly.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.chars().count() > PATTERN_CHARS {
            return Err(Malformed::new(format!("a pattern has at most {PATTERN_CHARS} characters")));
        }
        if !text.chars().all(is_plain) {
            return Err(Malformed::new("a pattern has no control or invisible characters; write them escaped"));
        }
        let compile = |text: &str| {
            regex::RegexBuilder::new(text)
                .size_limit(PATTERN_MEMORY)
                .dfa_size_limit(PATTERN_MEMORY)
                .nest_limit(32)
                .build()
                .map_err(|error| {
                    // The last line says what is wrong; those before show where, in several lines.
                    let text = error.to_string();
                    let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    Malformed::new(format!("it is no pattern that can be used: {reason}"))
                })
        };
        // Alone first, so that the pattern cannot close the group around it.
        compile(text)?;
        Ok(Self { text: text.into(), whole: compile(&format!(r"\A(?:{text})\z"))? })
    }

    /// Whether the whole value matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        self.whole.is_match(value)
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

macro_rules! read_by_parse {
    ($($type:ty),*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(D::Error::custom)
            }
        }
    )*};
}
read_by_parse!(Bound, FieldPattern, Pattern, PathPattern, Pointer, PointerPattern, UrlTemplate);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_value() {
        let pattern = Pattern::parse("a|ab").unwrap();
        assert!(pattern.matches("a") && pattern.matches("ab"));
        assert!(!pattern.matches("abc") && !pattern.matches("xa") && !pattern.matches("a\n"));
        assert!(Pattern::parse(r"^\d+:[\w-]{30,}$").unwrap().matches(&format!("1:{}", "x".repeat(30))));
    }

    #[test]
    fn a_pattern_cannot_leave_its_group_or_be_huge() {
        for bad in ["a)|(?:.*", "(", "(?x)a # )", r"\w{1000}{1000}", r"(a)\1", "(?=a)", "a\nb", &"a".repeat(301)] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_have_their_shapes() {
        assert!(
            PartName::fits("sendMessage") && !PartName::fits("") && !PartName::fits("1a") && !PartName::fits("a b")
        );
        assert!(KeyName::fits("api-url") && !KeyName::fits("Api") && !KeyName::fits(&"a".repeat(33)));
        assert!(ToolName::fits("look_up") && !ToolName::fits("look-up") && !ToolName::fits("_a"));
        assert!(Version::fits("0.1.0-rc.1+x") && !Version::fits("") && !Version::fits("1 0") && !Version::fits(".1"));
    }

    #[test]
    fn the_hosts_attributes_are_taken() {
        for taken in MetaKey::HOSTS.iter().chain(&["attachment_kind", "attachment_", "Source", "USER", "a-b", "1a", ""])
        {
            assert!(!MetaKey::fits(taken), "{taken}");
        }
        for free in ["sticker_set", "_x", "path", "method", "sourced"] {
            assert!(MetaKey::fits(free), "{free}");
        }
    }
}
