//! Addresses and paths: which may be links, and where they stand bare in a text.

use std::ops::Range;

/// The longest address that becomes a link, in bytes.
const LONGEST: usize = 2048;

/// Whether an address may be a link: no scheme that runs code, opens files or starts programs.
pub(super) fn may_link(address: &str) -> bool {
    let has = |scheme: &str| {
        let (start, rest) = address.split_at_checked(scheme.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(scheme) && !rest.is_empty()
    };
    address.len() <= LONGEST
        && ["http://", "https://", "mailto:", "tg://"].into_iter().any(has)
        && !address.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Parts of a text that look like markup and are none.
#[derive(Debug)]
pub(super) struct Verbatim(Vec<Range<usize>>);

impl Verbatim {
    /// The addresses that stand bare in a text, from their `://` on.
    pub(super) fn addresses(source: &str) -> Self {
        Self::from_signs(source, source.match_indices("://").map(|(at, _)| at))
    }

    /// The paths that begin with a drive (`C:\`) or a server (`\\`), from their first backslash on.
    pub(super) fn paths(source: &str) -> Self {
        let bytes = source.as_bytes();
        let letter = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
        let begins = |at: &usize| match at.checked_sub(1).and_then(|before| bytes.get(before)) {
            Some(b':') => letter(at.checked_sub(2)) && !letter(at.checked_sub(3)),
            _ => bytes.get(at + 1) == Some(&b'\\'),
        };
        Self::from_signs(source, source.match_indices('\\').map(|(at, _)| at).filter(begins))
    }

    /// From each sign to the end of its word.
    fn from_signs(source: &str, signs: impl Iterator<Item = usize>) -> Self {
        let mut found: Vec<Range<usize>> = Vec::new();
        for at in signs {
            if found.last().is_none_or(|last| last.end <= at) {
                let rest = &source[at..];
                found.push(at..at + rest.find(|c| !belongs(c)).unwrap_or(rest.len()));
            }
        }
        Self(found)
    }

    /// Whether that place lies within one.
    pub(super) fn contain(&self, at: usize) -> bool {
        let next = self.0.partition_point(|range| range.end <= at);
        self.0.get(next).is_some_and(|range| range.contains(&at))
    }
}

/// Whether it belongs to an address or a path and cannot be markup around it.
fn belongs(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, ')' | ']' | '<' | '>' | '"' | '`' | '*' | '|')
}
