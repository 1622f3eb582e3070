//! Text with its escapes undone, and where in the source each byte of it stands.
//!
//! Undone are percent-encoding (RFC 3986), the escapes of JSON strings (RFC 8259) with `\x41` and `\'` beside them,
//! and HTML's character references, all at once: each in whatever mixture of escaped and plain characters a server
//! writes. What only looks like an escape stays as it is.

use std::ops::Range;

/// Most bytes of one escape: a surrogate pair, `\ud83d\ude00`.
const LONGEST: usize = 12;
/// Most bytes of source for one byte of text: `&#x0027;`.
pub(super) const MOST_PER_BYTE: usize = 8;

/// A text and its source.
#[derive(Debug)]
pub(super) struct Unescaped {
    /// The text.
    pub(super) text: Vec<u8>,
    /// The source's bytes that were read. The rest may be an escape that is not all there yet.
    pub(super) read: usize,
    escapes: Vec<Escape>,
}

/// One escape: so many bytes at a place of the text stand for so many at a place of the source.
#[derive(Debug, Clone, Copy)]
struct Escape {
    at: usize,
    length: usize,
    from: usize,
    source: usize,
}

impl Unescaped {
    /// Undoes the escapes of a source. Unless it is `whole`, an escape at its end may be left unread.
    pub(super) fn of(source: &[u8], whole: bool) -> Self {
        let mut this = Self { text: Vec::with_capacity(source.len()), read: 0, escapes: Vec::new() };
        loop {
            let rest = &source[this.read..];
            let plain = rest.iter().position(|b| matches!(b, b'%' | b'\\' | b'&')).unwrap_or(rest.len());
            this.text.extend_from_slice(&rest[..plain]);
            this.read += plain;
            let rest = &rest[plain..];
            if rest.is_empty() || (!whole && rest.len() < LONGEST) {
                return this;
            }
            match escape(rest) {
                Some((bytes, length, source)) => {
                    this.escapes.push(Escape { at: this.text.len(), length, from: this.read, source });
                    this.text.extend_from_slice(&bytes[..length]);
                    this.read += source;
                }
                None => {
                    this.text.push(rest[0]);
                    this.read += 1;
                }
            }
        }
    }

    /// Whether the source has no escapes: then the text is what was read of it.
    pub(super) const fn is_plain(&self) -> bool {
        self.escapes.is_empty()
    }

    /// The bytes of the source that this part of the text stands for; of an escape always all.
    pub(super) fn source(&self, text: Range<usize>) -> Range<usize> {
        let end = match text.end.checked_sub(1).map(|last| self.place(last)) {
            Some(Ok(escape)) => escape.from + escape.source,
            Some(Err(at)) => at + 1,
            None => 0,
        };
        self.start(text.start)..end
    }

    /// Where in the source a byte of the text begins.
    pub(super) fn start(&self, at: usize) -> usize {
        match self.place(at) {
            Ok(escape) => escape.from,
            Err(at) => at,
        }
    }

    /// The escape that a byte of the text comes from, or its place in the source.
    fn place(&self, at: usize) -> Result<Escape, usize> {
        match self.escapes.partition_point(|escape| escape.at <= at).checked_sub(1).map(|last| self.escapes[last]) {
            Some(escape) if at < escape.at + escape.length => Ok(escape),
            Some(escape) => Err(escape.from + escape.source + (at - escape.at - escape.length)),
            None => Err(at),
        }
    }

    /// The place of the text that stands for a place of the source, or for the beginning of the escape around it.
    pub(super) fn floor(&self, source: usize) -> usize {
        match self.escapes.partition_point(|escape| escape.from <= source).checked_sub(1).map(|i| self.escapes[i]) {
            Some(escape) if source < escape.from + escape.source => escape.at,
            Some(escape) => escape.at + escape.length + (source - escape.from - escape.source),
            None => source,
        }
    }
}

/// The bytes that an escape at the beginning stands for, how many they are, and how many bytes it has itself.
fn escape(source: &[u8]) -> Option<([u8; 4], usize, usize)> {
    match (*source.first()?, source.get(1).copied()) {
        (b'%', _) => Some((one(u8::try_from(hex(source.get(1..3)?)?).ok()?), 1, 3)),
        (b'\\', Some(b'x')) => Some((one(u8::try_from(hex(source.get(2..4)?)?).ok()?), 1, 4)),
        (b'\\', Some(b'u')) => unicode(source),
        (b'\\', Some(c)) => {
            let c = match c {
                b'"' | b'\'' | b'\\' | b'/' => c,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                _ => return None,
            };
            Some((one(c), 1, 2))
        }
        (b'&', Some(b'#')) => reference(source),
        (b'&', _) => {
            let names: [(&[u8], u8); 5] =
                [(b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&apos;", b'\'')];
            names.iter().find(|(name, _)| source.starts_with(name)).map(|(name, c)| (one(*c), 1, name.len()))
        }
        _ => None,
    }
}

/// `\u0041`, or two of them for a character beyond the first 65,536.
fn unicode(source: &[u8]) -> Option<([u8; 4], usize, usize)> {
    let first = hex(source.get(2..6)?)?;
    if let Some(c) = char::from_u32(first) {
        return Some(encoded(c, 6));
    }
    let second = source.get(6..12).filter(|rest| rest.starts_with(b"\\u")).and_then(|rest| hex(&rest[2..]))?;
    let both = char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?]).next()?;
    both.ok().map(|c| encoded(c, 12))
}

/// `&#65;` or `&#x41;`, if it is not longer than [`MOST_PER_BYTE`] allows.
fn reference(source: &[u8]) -> Option<([u8; 4], usize, usize)> {
    let end = source.iter().take(LONGEST).position(|b| *b == b';')?;
    let digits = source.get(2..end).filter(|digits| !digits.is_empty())?;
    let number = match digits {
        [b'x' | b'X', digits @ ..] => hex(digits)?,
        _ => digits.iter().try_fold(0, |number: u32, b| Some(number * 10 + char::from(*b).to_digit(10)?))?,
    };
    char::from_u32(number).map(|c| encoded(c, end + 1)).filter(|(_, length, source)| *source <= length * MOST_PER_BYTE)
}

/// At most six hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    digits.iter().try_fold(0, |number: u32, b| Some(number << 4 | char::from(*b).to_digit(16)?))
}

const fn one(byte: u8) -> [u8; 4] {
    [byte, 0, 0, 0]
}

fn encoded(c: char, source: usize) -> ([u8; 4], usize, usize) {
    let mut bytes = [0; 4];
    let length = c.encode_utf8(&mut bytes).len();
    (bytes, length, source)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_undone_and_what_only_looks_like_one_stays() {
        for (source, text) in [
            ("", ""),
            ("plain", "plain"),
            ("a%3Ab%3ac", "a:b:c"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%%41", "%zz%A"),
            ("%+1", "%+1"),
            (r#"\"\\\/\b\f\n\r\t\'"#, "\"\\/\u{8}\u{c}\n\r\t'"),
            (r"\u0041\u004a\u004A\x41", "AJJA"),
            (r"\ud83d\ude00\u00e9", "😀é"),
            (r"\ud83d\u0041", r"\ud83dA"),
            (r"\ude00", r"\ude00"),
            (r"\u00zz\q\", r"\u00zz\q\"),
            ("&amp;&lt;&gt;&quot;&apos;&#39;&#x27;&#X27;&#x0027;", "&<>\"'''''"),
            ("&#128512;&#x1f600;&#x000e9;", "😀😀é"),
            (
                "&&#;&#x;&#xzz;&nbsp;&#0000039;&#00000000039;&#999999999;",
                "&&#;&#x;&#xzz;&nbsp;&#0000039;&#00000000039;&#999999999;",
            ),
        ] {
            let undone = Unescaped::of(source.as_bytes(), true);
            assert_eq!(String::from_utf8_lossy(&undone.text), text, "{source}");
            assert_eq!(undone.read, source.len());
        }
    }

    #[test]
    fn every_byte_knows_where_it_came_from() {
        let undone = Unescaped::of(br"ab%3Acd\ud83d\ude00e", true);
        assert_eq!(undone.text, "ab:cd😀e".as_bytes());
        for (text, source) in [(0..2, 0..2), (2..3, 2..5), (1..4, 1..6), (4..5, 6..7), (6..7, 7..19), (5..10, 7..20)] {
            assert_eq!(undone.source(text.clone()), source, "{text:?}");
        }
        for (source, text) in [(0, 0), (2, 2), (3, 2), (4, 2), (5, 3), (7, 5), (18, 5), (19, 9), (20, 10)] {
            assert_eq!(undone.floor(source), text, "{source}");
        }
    }

    proptest! {
        #[test]
        fn what_is_cut_at_a_boundary_is_undone_as_the_whole(source in r#"[%\\u0-9a-f&#x;"]{0,60}"#, cut in 0_usize..60) {
            let whole = Unescaped::of(source.as_bytes(), true);
            let at = whole.floor(cut.min(source.len()));
            let boundary = whole.start(at);
            let rest = Unescaped::of(&source.as_bytes()[boundary..], true);
            prop_assert_eq!(&whole.text[at..], &rest.text[..]);
            let begun = Unescaped::of(&source.as_bytes()[..cut.min(source.len())], false);
            prop_assert!(whole.text.starts_with(&begun.text));
        }
    }
}
