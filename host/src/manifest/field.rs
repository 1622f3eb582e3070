//! Fields of requests: which leaves a body may have, and what of a request is compared with the action.

use std::fmt;

use super::{
    error::Malformed,
    plain::excerpt,
    pointer::tokens,
    shapes::{Shape, ToolName},
    value::quoted,
};

/// Something of a request that the host compares with the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// Leaves of the body.
    Field(FieldPattern),
    /// A variable of the URL.
    Variable(String),
}

/// Names leaves of a document: a JSON pointer in which `*` stands for every element of an array.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPattern {
    /// The pattern as it was written.
    pub text: String,
    /// Its reference tokens, unescaped. There is at least one.
    pub tokens: Vec<FieldToken>,
}

/// One token of a [`FieldPattern`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldToken {
    /// The member of that name. Never an index.
    Member(String),
    /// Every element of an array.
    Each,
}

impl FieldPattern {
    /// Reads a pattern such as `/entities/*/type`.
    ///
    /// # Errors
    /// [`Malformed`] if it is no pointer, or has an empty token or one that looks like an index.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let token = |token: Box<str>| match &*token {
            "*" => Ok(FieldToken::Each),
            "" => Err(Malformed::new(format!("{:?} has an empty name in it; take a `/` out", excerpt(text, 80)))),
            "-" => Err(index(text)),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => Err(index(text)),
            _ => Ok(FieldToken::Member(token.into())),
        };
        let tokens = tokens(text)?.into_iter().map(token).collect::<Result<_, _>>()?;
        Ok(Self { text: text.into(), tokens })
    }

    /// Whether it leads to the other, or is the other: no document has leaves at both, unless they are the same.
    #[must_use]
    pub fn leads_to(&self, other: &Self) -> bool {
        other.tokens.starts_with(&self.tokens)
    }

    /// The part of a form or a multipart body that it is in; `None` if the document would be an array.
    #[must_use]
    pub fn part(&self) -> Option<&str> {
        match self.tokens.first() {
            Some(FieldToken::Member(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether it is a whole part of a form or a multipart body.
    #[must_use]
    pub fn is_part(&self) -> bool {
        matches!(self.tokens.as_slice(), [FieldToken::Member(_)])
    }
}

fn index(text: &str) -> Malformed {
    Malformed::new(format!("{:?} has an index in it; `*` stands for all elements of an array", excerpt(text, 80)))
}

impl Bound {
    /// Reads a field such as `/chat/id`, or a variable such as `$chat`.
    ///
    /// # Errors
    /// [`Malformed`] if it is neither.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        match text.strip_prefix('$') {
            Some(name) if ToolName::fits(name) => Ok(Self::Variable(name.into())),
            None if text.starts_with('/') => FieldPattern::parse(text).map(Self::Field),
            _ => Err(Malformed::new(format!(
                "{:?} is neither a field of the body, such as \"/chat/id\", nor a variable of the URL, such as \"$chat\"",
                excerpt(text, 80)
            ))),
        }
    }
}

/// The TOML form.
impl fmt::Display for FieldPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quoted(&self.text).fmt(f)
    }
}

/// The TOML form.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(pattern) => pattern.fmt(f),
            Self::Variable(name) => write!(f, "\"${name}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn member(name: &str) -> FieldToken {
        FieldToken::Member(name.into())
    }

    #[test]
    fn patterns_are_pointers_with_stars() {
        for (text, tokens) in [
            ("/a", vec![member("a")]),
            ("/a/*/b", vec![member("a"), FieldToken::Each, member("b")]),
            ("/*/a", vec![FieldToken::Each, member("a")]),
            ("/a~1b/m~0n/x*", vec![member("a/b"), member("m~n"), member("x*")]),
            ("/1a", vec![member("1a")]),
        ] {
            assert_eq!(FieldPattern::parse(text).unwrap().tokens, tokens, "{text}");
        }
        for bad in ["", "a", "/", "/a/", "/a//b", "/a/0", "/a/01/b", "/-", "/a~", "/a\u{200b}", "$a"] {
            assert!(FieldPattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bound_thing_is_a_field_or_a_variable() {
        assert_eq!(Bound::parse("$chat_id").unwrap(), Bound::Variable("chat_id".into()));
        assert_eq!(Bound::parse("/chat_id").unwrap(), Bound::Field(FieldPattern::parse("/chat_id").unwrap()));
        for bad in ["", "$", "$Chat", "$a-b", "$var:chat", "chat", "/0"] {
            assert!(Bound::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pattern_leads_to_what_is_below_it() {
        for (one, other, expected) in [
            ("/a", "/a", true),
            ("/a", "/a/b", true),
            ("/a", "/ab", false),
            ("/a/b", "/a", false),
            ("/a/*", "/a/*/b", true),
            ("/a/*", "/a/b", false),
        ] {
            let (one, other) = (FieldPattern::parse(one).unwrap(), FieldPattern::parse(other).unwrap());
            assert_eq!(one.leads_to(&other), expected, "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC*") {
            let _ = Bound::parse(&text);
            let _ = FieldPattern::parse(&text);
        }

        #[test]
        fn what_is_read_has_names_and_stars_only(text in "(/([a-c*~01-]|[a-z]{2}){0,2}){0,5}") {
            if let Ok(pattern) = FieldPattern::parse(&text) {
                prop_assert!(!pattern.tokens.is_empty());
                let again: String = pattern.tokens.iter().map(|token| match token {
                    FieldToken::Each => "/*".to_owned(),
                    FieldToken::Member(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
                }).collect();
                prop_assert_eq!(again, text);
                for token in &pattern.tokens {
                    if let FieldToken::Member(name) = token {
                        prop_assert!(!name.is_empty() && crate::manifest::array_index(name).is_none());
                    }
                }
            }
        }
    }
}
