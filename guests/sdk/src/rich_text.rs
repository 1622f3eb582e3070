//! Text that the host cut and parsed, whose offsets count Unicode scalar values; and the units that platforms count in.

use crate::types::{RichText, Span};

impl RichText {
    /// Text without spans; for tests.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), spans: Vec::new() }
    }

    /// The length in UTF-16 code units.
    pub fn utf16_len(&self) -> usize {
        self.text.encode_utf16().count()
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

/// The part of a text that starts at this UTF-16 code unit and has that many of them; `None` where it would reach
/// beyond the text or cut a character in two.
pub fn utf16_slice(text: &str, start: usize, length: usize) -> Option<&str> {
    text.get(byte_of(text, start)?..byte_of(text, start.checked_add(length)?)?)
}

/// The byte at which that UTF-16 code unit begins, or the text ends.
fn byte_of(text: &str, unit: usize) -> Option<usize> {
    let mut passed = 0;
    for (byte, character) in text.char_indices() {
        if passed >= unit {
            return (passed == unit).then_some(byte);
        }
        passed += character.len_utf16();
    }
    (passed == unit).then_some(text.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::types::Style;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn units_of_utf_16_are_those_of_the_encoding(text in "[a-zé€\\u{200d}😀🏳\\u{fe0f}]{0,12}", a in 0..14_u32, b in 0..14_u32) {
            let (start, end) = (a.min(b), a.max(b));
            let spans = vec![Span { start, end, style: Style::Bold }];
            let rich = RichText { text: text.clone(), spans };
            let units: Vec<u16> = text.encode_utf16().collect();
            prop_assert_eq!(rich.utf16_len(), units.len());
            let Span { start: from, end: to, .. } = rich.utf16_spans()[0].clone();
            let expected: String = text.chars().skip(start as usize).take((end - start) as usize).collect();
            let found = String::from_utf16(&units[from as usize..to as usize]).unwrap();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(utf16_slice(&text, from as usize, (to - from) as usize), Some(&*expected));
        }

        #[test]
        fn a_slice_is_what_the_encoding_has_there_or_nothing(text in "[a😀é]{0,8}", start in 0..20_usize, length in 0..20_usize) {
            let units: Vec<u16> = text.encode_utf16().collect();
            let expected = units.get(start..start + length).and_then(|part| String::from_utf16(part).ok());
            let inside = |at: usize| units.get(at).is_some_and(|unit| (0xDC00..0xE000).contains(unit));
            let expected = expected.filter(|_| !inside(start) && !inside(start + length));
            prop_assert_eq!(utf16_slice(&text, start, length).map(str::to_owned), expected);
        }
    }

    #[test]
    fn offsets_are_converted_to_the_platforms_units() {
        let span = |start, end| Span { start, end, style: Style::Bold };
        let text =
            RichText { text: "a😀é!".to_owned(), spans: vec![span(0, 1), span(1, 2), span(2, 3), span(3, 9)] };
        assert_eq!(text.utf16_spans(), [span(0, 1), span(1, 3), span(3, 4), span(4, 5)]);
        assert_eq!(text.utf8_spans(), [span(0, 1), span(1, 5), span(5, 7), span(7, 8)]);
    }
}
