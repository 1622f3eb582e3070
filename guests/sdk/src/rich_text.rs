//! Text that the host cut and parsed. Offsets of spans count Unicode scalar values.

use crate::types::{RichText, Span};

impl RichText {
    /// Text without spans; for tests.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), spans: Vec::new() }
    }

    /// The spans, with offsets in UTF-16 code units, as Telegram and JavaScript count.
    pub fn utf16_spans(&self) -> Vec<Span> {
        self.convert(|character| character.len_utf16() as u32)
    }

    /// The spans, with offsets in bytes of UTF-8, as Rust slices and Slack's and Bluesky's facets count.
    pub fn utf8_spans(&self) -> Vec<Span> {
        self.convert(|character| character.len_utf8() as u32)
    }

    /// Offsets beyond the text become its end.
    fn convert(&self, width: impl Fn(char) -> u32) -> Vec<Span> {
        let mut offsets = vec![0];
        let mut end = 0;
        for character in self.text.chars() {
            end += width(character);
            offsets.push(end);
        }
        let at = |index: u32| offsets.get(index as usize).copied().unwrap_or(end);
        let moved = |span: &Span| Span { start: at(span.start), end: at(span.end), style: span.style.clone() };
        self.spans.iter().map(moved).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Style;

    #[test]
    fn offsets_are_converted_to_the_platforms_units() {
        let span = |start, end| Span { start, end, style: Style::Bold };
        let text =
            RichText { text: "a😀é!".to_owned(), spans: vec![span(0, 1), span(1, 2), span(2, 3), span(3, 9)] };
        assert_eq!(text.utf16_spans(), [span(0, 1), span(1, 3), span(3, 4), span(4, 5)]);
        assert_eq!(text.utf8_spans(), [span(0, 1), span(1, 5), span(5, 7), span(7, 8)]);
    }
}
