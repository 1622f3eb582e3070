//! Finds the place of the next cut.

use std::ops::Range;

use unicode_segmentation::GraphemeCursor;

use super::{Limit, Prefer};
use crate::manifest::TextUnit;

/// Looks for one cut after another. Each looks at what the piece may hold and at the white space behind it.
pub(super) struct Cutter<'t> {
    text: &'t str,
    /// Where code is, in bytes; sorted and disjoint.
    code: Vec<Range<usize>>,
    limit: Limit,
    /// Characters that were looked at.
    pub(super) work: usize,
}

impl<'t> Cutter<'t> {
    pub(super) fn new(text: &'t str, code: Vec<Range<usize>>, limit: Limit) -> Self {
        Self { text, code, limit, work: 0 }
    }

    /// Where the piece that begins at `from` ends, and where the next one begins: always behind `from`.
    /// The piece may be empty: then nothing but white space lay there.
    pub(super) fn next(&mut self, from: usize) -> (usize, usize) {
        let (half, end) = self.window(from);
        if end == self.text.len() {
            return (end, end);
        }
        let hard = self.whole_clusters(from, end);
        let at = match self.limit.prefer {
            Prefer::Length => hard,
            Prefer::Reader => self.reader(from, half, hard).unwrap_or(hard),
        };
        self.trim(from, at)
    }

    /// Where half of the limit is reached and where the last character ends that fits; at least one does.
    fn window(&mut self, from: usize) -> (usize, usize) {
        let max = u64::from(self.limit.max);
        let (mut units, mut half, mut end) = (0, None, from);
        for c in self.text[from..].chars() {
            units += units_of(c, self.limit.unit);
            if units > max && end > from {
                break;
            }
            end += c.len_utf8();
            self.work += 1;
            if units * 2 >= max {
                half = half.or(Some(end));
            }
        }
        (half.unwrap_or(end), end)
    }

    /// The end of the last grapheme cluster that ends by `end`; `end` itself if the first one does not.
    fn whole_clusters(&self, from: usize, end: usize) -> usize {
        let text = &self.text[from..];
        let mut cursor = GraphemeCursor::new(end - from, text.len(), true);
        if let Ok(false) = cursor.is_boundary(text, 0)
            && let Ok(Some(before)) = cursor.prev_boundary(text, 0)
            && before > 0
        {
            return from + before;
        }
        end
    }

    fn is_boundary(&self, from: usize, at: usize) -> bool {
        let text = &self.text[from..];
        GraphemeCursor::new(at - from, text.len(), true).is_boundary(text, 0).unwrap_or(true)
    }

    /// The best place for a reader, from `half` to `hard`; of equal ones the last.
    fn reader(&mut self, from: usize, half: usize, hard: usize) -> Option<usize> {
        let (mut paragraph, mut line, mut sentence, mut word) = (None, None, None, None);
        let keep = |best: &mut Option<usize>, at| {
            if best.is_none() && self.is_boundary(from, at) {
                *best = Some(at);
            }
        };
        let (mut at, mut looked) = (hard, 0);
        while at >= half && at > from {
            looked += 1;
            let (before, code) = (&self.text[from..at], self.in_code(at));
            match self.line_breaks(at) {
                Some(2..) if !code && self.is_boundary(from, at) => {
                    paragraph = Some(at);
                    break;
                }
                Some(1..) => keep(&mut line, at),
                _ if code => {}
                Some(_) if ends_sentence(before) => keep(&mut sentence, at),
                Some(_) => keep(&mut word, at),
                None if ends_wide_sentence(before, &self.text[at..]) => keep(&mut sentence, at),
                None => {}
            }
            at -= before.chars().next_back().map_or(1, char::len_utf8);
        }
        self.work += looked;
        paragraph.or(line).or(sentence).or(word)
    }

    /// How many line breaks the white space that begins here has, up to two; `None` where no white space begins.
    fn line_breaks(&self, at: usize) -> Option<usize> {
        if !self.text[at..].starts_with(is_space) || self.text[..at].ends_with(is_space) {
            return None;
        }
        let mut breaks = 0;
        for c in self.text[at..].chars().take_while(|c| is_space(*c)) {
            breaks += usize::from(c == '\n');
            if breaks == 2 {
                break;
            }
        }
        Some(breaks)
    }

    /// Takes the white space around a cut away from both sides; a line keeps its indentation, code its spaces.
    fn trim(&mut self, from: usize, at: usize) -> (usize, usize) {
        let left = from + self.text[from..at].trim_end_matches(is_space).len();
        let right = self.text.len() - self.text[at..].trim_start_matches(is_space).len();
        self.work += right - left;
        if left == from {
            // A space that carries a combining mark is a character like others.
            let torn = usize::from(!self.is_boundary(from, right));
            let indented = self.text[at..right].rfind('\n').map(|line| at + line + 1);
            return (from, indented.unwrap_or(right - torn).max(at));
        }
        if let Some(line) = self.text[left..right].rfind('\n') {
            return (left, left + line + 1);
        }
        let torn = !self.is_boundary(from, left) || !self.is_boundary(from, right);
        if torn || self.in_code(at) { (at, at) } else { (left, right) }
    }

    /// Whether a cut here would cut code.
    fn in_code(&self, at: usize) -> bool {
        let next = self.code.partition_point(|code| code.end <= at);
        self.code.get(next).is_some_and(|code| code.start < at)
    }
}

fn units_of(c: char, unit: TextUnit) -> u64 {
    match unit {
        TextUnit::Utf16 => c.len_utf16() as u64,
        TextUnit::Chars => 1,
        TextUnit::Bytes => c.len_utf8() as u64,
    }
}

/// White space that a cut may take. No-break spaces and the like are the writer's.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\r' | '\t')
}

/// Brackets and quotation marks that close behind a sentence.
const CLOSERS: [char; 12] = ['"', '\'', ')', ']', '*', '_', '”', '’', '»', '」', '』', '）'];

/// Ends of sentences that no space follows.
const WIDE_ENDS: [char; 3] = ['。', '！', '？'];

/// Whether a sentence ends here, if white space follows.
fn ends_sentence(before: &str) -> bool {
    let mut last = before.chars().rev();
    // A few are enough: a long row of them closes no sentence.
    match last.by_ref().take(4).find(|c| !CLOSERS.contains(c)) {
        Some('!' | '?' | '…') => true,
        Some('.') => last.next().is_some_and(|c| !c.is_ascii_digit()),
        Some(c) => WIDE_ENDS.contains(&c),
        None => false,
    }
}

/// Whether a sentence ends here, even though no white space follows.
fn ends_wide_sentence(before: &str, after: &str) -> bool {
    let end = before.chars().rev().take(4).find(|c| !CLOSERS.contains(c));
    end.is_some_and(|c| WIDE_ENDS.contains(&c)) && !after.starts_with(CLOSERS) && !after.starts_with(WIDE_ENDS)
}
