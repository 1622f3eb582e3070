//! Cuts long texts into pieces.

mod place;

use std::{cmp::Reverse, ops::Range};

use super::{RichText, Span, Style};
use crate::manifest::TextUnit;
use place::Cutter;

/// How long a piece may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The most units of a piece. A single character that is larger is a piece of its own: none is ever torn.
    pub max: u32,
    /// What is counted.
    pub unit: TextUnit,
    /// Where the cuts are.
    pub prefer: Prefer,
}

/// Where a long text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefer {
    /// At the limit, between two grapheme clusters.
    Length,
    /// At the end of a paragraph, else of a line, of a sentence, of a word: the first of these that leaves at least
    /// half of the limit. Code is cut between its lines. Where there is no such place, as `Length` does.
    #[default]
    Reader,
}

/// Cuts a text into pieces within the limit, none of them blank.
///
/// Line breaks and spaces at a cut are dropped, but for a line's indentation. A grapheme cluster is torn only if it is
/// larger than the limit itself. Spans go on in the next piece.
#[must_use]
pub fn cut(rich: RichText, limit: Limit) -> Vec<RichText> {
    if rich.is_blank() {
        return Vec::new();
    }
    let (places, _) = places(&rich, limit);
    if let [whole] = &places[..]
        && *whole == (0..rich.text.len())
    {
        return vec![rich];
    }
    distribute(rich, &places)
}

/// The pieces as ranges of bytes, and how many characters were looked at to find them.
pub(super) fn places(rich: &RichText, limit: Limit) -> (Vec<Range<usize>>, usize) {
    let text = &rich.text;
    let mut cutter = Cutter::new(text, code(rich), limit);
    let (mut places, mut from) = (Vec::new(), 0);
    while from < text.len() {
        let (end, next) = cutter.next(from);
        if !text[from..end].trim().is_empty() {
            places.push(from..end);
        }
        from = next;
    }
    (places, cutter.work)
}

/// Where the blocks are, in bytes; what overlaps or touches is one.
fn code(rich: &RichText) -> Vec<Range<usize>> {
    let is_code = |span: &&Span| matches!(span.style, Style::Block(_)) && span.start < span.end;
    let mut spans: Vec<(u32, u32)> = rich.spans.iter().filter(is_code).map(|span| (span.start, span.end)).collect();
    spans.sort_unstable();
    let mut blocks: Vec<(u32, u32)> = Vec::with_capacity(spans.len());
    for (start, end) in spans {
        match blocks.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => blocks.push((start, end)),
        }
    }
    // Every offset asked for is larger than the last one, so one pass over the text finds all.
    let (mut bytes, mut passed) = (rich.text.char_indices().map(|(at, _)| at), 0);
    let mut byte = |offset: u32| {
        let found = bytes.nth((offset - passed) as usize).unwrap_or(rich.text.len());
        passed = offset.saturating_add(1);
        found
    };
    blocks.into_iter().map(|(start, end)| byte(start)..byte(end)).collect()
}

/// Gives each piece its part of the text and of the spans.
fn distribute(rich: RichText, places: &[Range<usize>]) -> Vec<RichText> {
    let RichText { text, mut spans } = rich;
    spans.sort_by_key(|span| (span.start, Reverse(span.end)));
    let mut waiting = spans.into_iter().peekable();
    let mut open: Vec<Span> = Vec::new();
    let (mut byte, mut offset) = (0, 0);
    let mut pieces = Vec::with_capacity(places.len());
    for place in places {
        let start = offset + length(&text[byte..place.start]);
        let end = start + length(&text[place.clone()]);
        (byte, offset) = (place.end, end);
        while let Some(span) = waiting.next_if(|span| span.start < end) {
            open.push(span);
        }
        open.retain(|span| span.end > start);
        let clip = |span: &Span| Span {
            start: span.start.max(start) - start,
            end: span.end.min(end) - start,
            style: span.style.clone(),
        };
        let spans = open.iter().map(clip).filter(|span| span.start < span.end).collect();
        pieces.push(RichText { text: text[place.clone()].to_owned(), spans });
    }
    pieces
}

/// Unicode scalar values.
fn length(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}
