//! What a guest writes into the log: bounded for each call, and harmless to look at.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::manifest::is_plain;

/// Characters of one line.
const LINE: usize = 2000;

/// The log of one instance. Each call may write a number of lines; the rest is counted.
pub(super) struct GuestLog {
    adapter: String,
    lines: usize,
    left: AtomicUsize,
    dropped: AtomicUsize,
}

impl GuestLog {
    pub(super) fn new(adapter: String, lines: usize) -> Self {
        Self { adapter, lines, left: AtomicUsize::new(lines), dropped: AtomicUsize::new(0) }
    }

    /// A call begins: its lines are counted anew.
    pub(super) fn refill(&self) {
        self.left.store(self.lines, Ordering::Relaxed);
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(target: "adapter", adapter = %self.adapter,
                "{dropped} lines of its log were dropped: at most {} a call are kept", self.lines);
        }
    }

    /// Lines of the call under way that were dropped.
    #[cfg(test)]
    pub(super) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(super) fn write(&self, level: tracing::Level, line: &str) {
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let line: String = line.chars().take(LINE).map(visible).collect();
        let adapter = &self.adapter;
        match level {
            tracing::Level::ERROR => tracing::error!(target: "adapter", %adapter, "{line}"),
            tracing::Level::WARN => tracing::warn!(target: "adapter", %adapter, "{line}"),
            tracing::Level::INFO => tracing::info!(target: "adapter", %adapter, "{line}"),
            _ => tracing::debug!(target: "adapter", %adapter, "{line}"),
        }
    }
}

/// Characters that would move the cursor, hide text or turn its direction are shown as `�`.
fn visible(c: char) -> char {
    match c {
        '\n' | '\t' => ' ',
        c if is_plain(c) => c,
        _ => '\u{fffd}',
    }
}
