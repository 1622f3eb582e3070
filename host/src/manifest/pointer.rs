//! JSON pointers (RFC 6901), and the pattern that names the items of a body.

use std::fmt;

use super::error::Malformed;

/// The longest pointer, in bytes.
const POINTER_BYTES: usize = 200;
/// The most reference tokens; documents are at most this deep where a rule reads.
const TOKENS: usize = 16;

/// A JSON pointer of at least one reference token, such as `/message/from/id`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pointer {
    text: Box<str>,
    tokens: Box<[Box<str>]>,
}

impl Pointer {
    /// Reads a pointer as RFC 6901 writes it. A token `*` is refused, because a pointer names one value.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let tokens = tokens(text)?;
        if tokens.iter().any(|token| &**token == "*") {
            return Err(Malformed::new(format!("{text:?} has a `*`, but a rule reads one value; `*` is for `items`")));
        }
        Ok(Self { text: text.into(), tokens: tokens.into() })
    }

    /// The pointer as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its reference tokens, unescaped.
    #[must_use]
    pub fn tokens(&self) -> &[Box<str>] {
        &self.tokens
    }
}

impl fmt::Debug for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Names the elements of one array, such as `/result/*`, or `/*` where the document is the array.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PointerPattern {
    text: Box<str>,
    array: Box<[Box<str>]>,
}

impl PointerPattern {
    /// Reads a pattern: a JSON pointer whose last token, and only that, is `*`.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut tokens = tokens(text)?;
        let last = tokens.pop();
        if last.as_deref() != Some("*") || tokens.iter().any(|token| &**token == "*") {
            return Err(Malformed::new(format!(
                "{text:?} does not name the elements of one array; write it like \"/result/*\", with one `*` at the end"
            )));
        }
        Ok(Self { text: text.into(), array: tokens.into() })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The reference tokens that lead to the array; none where the document is the array.
    #[must_use]
    pub fn array(&self) -> &[Box<str>] {
        &self.array
    }
}

impl fmt::Debug for PointerPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The index that a reference token means in an array: digits without a leading zero. `-` means none.
pub(crate) fn array_index(token: &str) -> Option<usize> {
    let digits = !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit());
    if digits && (token == "0" || !token.starts_with('0')) { token.parse().ok() } else { None }
}

pub(super) fn tokens(text: &str) -> Result<Vec<Box<str>>, Malformed> {
    if text.len() > POINTER_BYTES {
        return Err(Malformed::new(format!("a pointer has at most {POINTER_BYTES} bytes")));
    }
    if let Some(hidden) = text.chars().find(|c| !super::is_plain(*c)) {
        return Err(Malformed::new(format!("a pointer has no invisible or control characters ({hidden:?})")));
    }
    let Some(rest) = text.strip_prefix('/') else {
        return Err(Malformed::new(format!("{text:?} is not a pointer into the item; it begins with `/`")));
    };
    let tokens = rest.split('/').map(unescape).collect::<Result<Vec<_>, _>>()?;
    if tokens.len() > TOKENS {
        return Err(Malformed::new(format!("a pointer goes at most {TOKENS} levels deep")));
    }
    Ok(tokens)
}

fn unescape(token: &str) -> Result<Box<str>, Malformed> {
    let mut out = String::with_capacity(token.len());
    let mut chars = token.chars();
    while let Some(c) = chars.next() {
        match c {
            '~' => match chars.next() {
                Some('0') => out.push('~'),
                Some('1') => out.push('/'),
                _ => return Err(Malformed::new("in a pointer `~` is written `~0`, and `/` within a name `~1`")),
            },
            c => out.push(c),
        }
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pointers_follow_rfc_6901() {
        for (text, tokens) in [
            ("/a/b", vec!["a", "b"]),
            ("/", vec![""]),
            ("/a~1b/m~0n", vec!["a/b", "m~n"]),
            ("/~01", vec!["~1"]),
            ("/0/-", vec!["0", "-"]),
        ] {
            let pointer = Pointer::parse(text).unwrap();
            assert_eq!(pointer.tokens().iter().map(|t| &**t).collect::<Vec<_>>(), tokens, "{text}");
        }
        let deep = "/a".repeat(17);
        for bad in ["", "a", "/~", "/a~2", "/*", "/a/*", "/a\u{200b}", &deep, &format!("/{}", "x".repeat(200))] {
            assert!(Pointer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_pattern_names_one_level_of_one_array() {
        assert_eq!(PointerPattern::parse("/result/*").unwrap().array(), ["result".into()]);
        assert!(PointerPattern::parse("/*").unwrap().array().is_empty());
        for bad in ["", "*", "/result", "/*/*", "/*/a", "/a*"] {
            assert!(PointerPattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_index_has_no_leading_zero_and_no_sign() {
        assert_eq!(array_index("0"), Some(0));
        assert_eq!(array_index("10"), Some(10));
        for bad in ["", "-", "00", "01", "+1", "-1", "1.0", "99999999999999999999999"] {
            assert_eq!(array_index(bad), None, "{bad}");
        }
    }
}
