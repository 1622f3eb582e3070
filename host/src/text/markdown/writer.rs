//! Text that grows, with spans that are opened and closed as on a stack.

use crate::text::{RichText, Span, Style};

/// The text so far. Spans lie in the order in which they were opened: by start, the outer before the inner.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
    length: u32,
    spans: Vec<Span>,
}

/// A span that has not ended yet.
#[derive(Debug)]
#[must_use]
pub(super) struct Open(usize);

impl Writer {
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        self.length = self.length.saturating_add(length);
    }

    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// What was written since.
    pub(super) fn since(&self, bytes: usize) -> &str {
        self.text.get(bytes..).unwrap_or_default()
    }

    pub(super) fn open(&mut self, style: Style) -> Open {
        self.spans.push(Span { start: self.length, end: self.length, style });
        Open(self.spans.len() - 1)
    }

    pub(super) fn close(&mut self, open: Open) {
        if let Some(span) = self.spans.get_mut(open.0) {
            span.end = self.length;
        }
    }

    /// Makes as if it had never been opened.
    pub(super) fn cancel(&mut self, open: Open) {
        if let Some(span) = self.spans.get_mut(open.0) {
            span.end = span.start;
        }
    }

    /// The text without line breaks before it and white space behind it, and the spans that are not empty.
    pub(super) fn finish(self) -> RichText {
        let Self { mut text, length, mut spans } = self;
        let count = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let end = text.trim_end_matches([' ', '\t', '\n']).len();
        let end_offset = length - count(&text[end..]);
        text.truncate(end);
        let start = text.len() - text.trim_start_matches('\n').len();
        let start_offset = count(&text[..start]);
        text.drain(..start);
        for span in &mut spans {
            span.start = span.start.clamp(start_offset, end_offset.max(start_offset)) - start_offset;
            span.end = span.end.clamp(start_offset, end_offset.max(start_offset)) - start_offset;
        }
        spans.retain(|span| span.start < span.end);
        RichText { text, spans }
    }
}

/// A style that may be opened again while it is open: the outermost counts.
#[derive(Default)]
pub(super) struct Nested {
    depth: usize,
    open: Option<Open>,
}

impl Nested {
    pub(super) fn enter(&mut self, out: &mut Writer, style: Style) {
        self.depth += 1;
        if self.depth == 1 {
            self.open = Some(out.open(style));
        }
    }

    pub(super) fn leave(&mut self, out: &mut Writer) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.open.take().into_iter().for_each(|open| out.close(open));
        }
    }
}
