//! Why a manifest does not load, and where.

use std::{fmt, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::plain::excerpt;

/// The most characters of an error's explanation.
pub(super) const PROBLEM_CHARS: usize = 600;

/// A position in a manifest, both counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl Place {
    /// The position of a byte offset; an offset beyond the text is its end.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a manifest or a profile does not load. Every text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The text is longer than any honest manifest.
    #[error("the manifest has {bytes} bytes; at most {most} are allowed")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// The text is not TOML, a key is unknown or missing, or a value does not do.
    #[error("{place}, {}: {problem}", if key.is_empty() { "top level" } else { key })]
    Wrong {
        /// Where.
        place: Place,
        /// The key, such as `identity[0].event`; empty at the top level.
        key: String,
        /// What is wrong and how to mend it.
        problem: String,
    },
    /// A word of the design that nothing in this version enforces.
    #[error(
        "{place}, {key}: this version of Sluicegate does not know {what} yet; take it out, or use a version that does"
    )]
    NotYet {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// The word.
        what: String,
    },
    /// No profile of that name is built in.
    #[error(
        "this version of Sluicegate has no profile {name:?}; it has {known}. Take one of them, or bring own tables"
    )]
    UnknownProfile {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: String,
    },
}

/// Why a single value does not do, with the mend; where it stands is added by [`ManifestError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub(super) String);

impl Malformed {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

/// A problem and the bytes of the manifest that it is about.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) kind: FaultKind,
}

#[derive(Debug)]
pub(super) enum FaultKind {
    Wrong(String),
    NotYet(String),
}

impl Fault {
    pub(super) fn wrong(span: Range<usize>, problem: impl Into<String>) -> Self {
        Self { span, kind: FaultKind::Wrong(problem.into()) }
    }

    pub(super) fn not_yet(span: Range<usize>, what: impl Into<String>) -> Self {
        Self { span, kind: FaultKind::NotYet(what.into()) }
    }

    /// Names the place and the key of the fault.
    pub(super) fn locate(self, text: &str, table: &DeTable<'_>) -> ManifestError {
        let place = Place::of(text, self.span.start);
        let key = key_at(table, &self.span);
        match self.kind {
            // Errors of the parsers quote the manifest, which is foreign text.
            FaultKind::Wrong(problem) => ManifestError::Wrong { place, key, problem: excerpt(&problem, PROBLEM_CHARS) },
            FaultKind::NotYet(what) => ManifestError::NotYet { place, key, what },
        }
    }
}

/// The path of the innermost key whose name or value contains the span.
fn key_at(table: &DeTable<'_>, span: &Range<usize>) -> String {
    let mut path = String::new();
    descend_table(table, span, &mut path);
    path
}

fn descend_table(table: &DeTable<'_>, span: &Range<usize>, path: &mut String) {
    for (key, value) in table {
        let on_key = contains(&key.span(), span);
        if on_key || reaches(value, span) {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&excerpt(key.get_ref(), 40));
            if !on_key {
                descend(value, span, path);
            }
            return;
        }
    }
}

fn descend(value: &Spanned<DeValue<'_>>, span: &Range<usize>, path: &mut String) {
    match value.get_ref() {
        DeValue::Table(table) => descend_table(table, span, path),
        DeValue::Array(array) => {
            if let Some((index, inner)) = array.iter().enumerate().find(|(_, inner)| reaches(inner, span)) {
                path.push_str(&format!("[{index}]"));
                descend(inner, span, path);
            }
        }
        _ => {}
    }
}

/// The span lies in the value, or in anything below it: the parts of a TOML table need not stand together.
fn reaches(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    contains(&value.span(), span)
        || match value.get_ref() {
            DeValue::Table(table) => {
                table.iter().any(|(key, value)| contains(&key.span(), span) || reaches(value, span))
            }
            DeValue::Array(array) => array.iter().any(|inner| reaches(inner, span)),
            _ => false,
        }
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
