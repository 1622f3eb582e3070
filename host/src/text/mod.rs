//! Outgoing text: what Claude writes becomes text with spans, cut where a reader would cut it.
//!
//! The host does both, so that an adapter only translates spans into its platform's own way of marking text, and
//! nothing that Claude writes can fail on a platform's escaping. Nothing here can fail or recurse, whatever comes in,
//! and the work grows with the length of the text alone.

mod cut;
mod markdown;

pub use cut::{Limit, Prefer, cut};
pub use markdown::markdown;

use crate::manifest::{TextLimit, TextUnit};

/// Text, and what parts of it are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RichText {
    /// What is read.
    pub text: String,
    /// Sorted by their start, the outer before the inner; none is empty, and two are nested or disjoint.
    pub spans: Vec<Span>,
}

impl RichText {
    /// Text without spans.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), spans: Vec::new() }
    }

    /// Whether there is nothing to see in it; platforms refuse such messages.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// A part of a text. Offsets count Unicode scalar values from the start of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The first that belongs to it.
    pub start: u32,
    /// The first that does not.
    pub end: u32,
    /// What it is.
    pub style: Style,
}

/// What a part of a text is. A style never lies within the same style; neither styles nor blocks within a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Style {
    /// Strong emphasis, and headings.
    Bold,
    /// Emphasis.
    Italic,
    /// Struck through.
    Strike,
    /// Code within a line.
    Code,
    /// Lines of code or of a table in a fixed pitch, with the language if one was given.
    Block(Option<String>),
    /// A quotation.
    Quote,
    /// A link to that address: `http`, `https`, `mailto` or `tg`.
    Link(String),
}

/// How Claude's text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// As it stands.
    Text,
    /// As [`markdown`] does.
    #[default]
    Markdown,
}

/// What the user's settings say about long replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pieces {
    /// The longest piece that the user wants (`textChunkLimit`); a platform's smaller limit holds all the same.
    pub chunk_limit: Option<u32>,
    /// Cut where a reader would (`chunkMode` `newline`), else at the limit (`length`).
    pub reader: bool,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { chunk_limit: None, reader: true }
    }
}

/// The messages that one reply becomes: none if there is nothing to see in it.
///
/// `limit` is the platform's; the user's is counted in the same unit, without one in code units of UTF-16, as the
/// official plugins count.
#[must_use]
pub fn pieces(text: &str, format: Format, limit: Option<TextLimit>, settings: &Pieces) -> Vec<RichText> {
    let rich = match format {
        Format::Text => RichText::plain(text),
        Format::Markdown => markdown(text),
    };
    let unit = limit.map_or(TextUnit::Utf16, |limit| limit.unit);
    let max = limit.map(|limit| limit.max).into_iter().chain(settings.chunk_limit).min().unwrap_or(u32::MAX);
    let prefer = if settings.reader { Prefer::Reader } else { Prefer::Length };
    cut(rich, Limit { max, unit, prefer })
}

#[cfg(test)]
mod tests;
