//! A text with spans as it grows, and what it costs.

use super::Means;
use crate::{
    manifest::{TextLimit, TextUnit},
    text::{RichText, Span, Style},
};

/// More units than these nobody reads before deciding, whatever a platform takes.
const LONGEST: u32 = 32_000;
/// What stands before each line of foreign text where there are no spans.
const BAR: &str = "│";

/// The most units of a text.
pub(super) fn most(means: &Means) -> u64 {
    means.limit.map_or(LONGEST, |limit| limit.max.min(LONGEST)).into()
}

/// What a text costs on a platform.
pub(super) fn units(text: &str, limit: Option<TextLimit>) -> u64 {
    let units = match limit.map(|limit| limit.unit) {
        Some(TextUnit::Utf16) => text.encode_utf16().count(),
        Some(TextUnit::Bytes) => text.len(),
        Some(TextUnit::Chars) | None => text.chars().count(),
    };
    units as u64
}

/// What a line break in foreign text costs at most, with what stands before the next line.
pub(super) fn line_units(means: &Means) -> u64 {
    units(if means.spans { "\n" } else { "\n│ " }, means.limit)
}

/// A text that grows at its end.
#[derive(Debug, Default)]
pub(super) struct Page {
    rich: RichText,
    length: u32,
    spans: bool,
}

impl Page {
    pub(super) fn new(means: &Means) -> Self {
        Self { spans: means.spans, ..Self::default() }
    }

    /// Words of the host's.
    pub(super) fn push(&mut self, text: &str) {
        self.rich.text.push_str(text);
        self.length = self.length.saturating_add(u32::try_from(text.chars().count()).unwrap_or(u32::MAX));
    }

    /// A part of a line.
    pub(super) fn styled(&mut self, text: &str, style: Style) {
        let start = self.length;
        self.push(text);
        if self.spans && start < self.length {
            self.rich.spans.push(Span { start, end: self.length, style });
        }
    }

    /// Lines of foreign text, below what is there.
    pub(super) fn foreign(&mut self, text: &str, style: Style) {
        if self.spans {
            self.push("\n");
            return self.styled(text, style);
        }
        for line in text.split('\n') {
            self.push("\n");
            self.push(BAR);
            if !line.is_empty() {
                self.push(" ");
                self.push(line);
            }
        }
    }

    /// The text, if the platform takes it.
    pub(super) fn fits(self, means: &Means) -> Option<RichText> {
        (units(&self.rich.text, means.limit) <= most(means)).then_some(self.rich)
    }

    /// What it costs so far.
    pub(super) fn units(&self, means: &Means) -> u64 {
        units(&self.rich.text, means.limit)
    }
}
