//! An adapter that fails on everything rests for a while, alone.

/// Events in a row that must fail before the adapter rests.
const STRIKES: u32 = 5;

/// Seconds of the first rest; each further one is twice as long.
const FIRST_REST: i64 = 5;

/// Seconds of the longest rest.
const LONGEST_REST: i64 = 600;

/// The record of one adapter's failures.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    strikes: u32,
    rests: u32,
    until_ms: i64,
    reason: String,
}

impl Quarantine {
    /// Why the adapter rests now, if it does.
    pub(super) fn active(&self, now_ms: i64) -> Option<String> {
        (now_ms < self.until_ms).then(|| {
            let seconds = (self.until_ms - now_ms + 999) / 1000;
            format!("the adapter failed {STRIKES} times in a row and rests for {seconds} s more: {}", self.reason)
        })
    }

    /// An event succeeded.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// An event failed for good; gives the seconds of the rest that begins with it, if one does.
    pub(super) fn failed(&mut self, reason: &str, now_ms: i64) -> Option<i64> {
        self.strikes += 1;
        if self.strikes < STRIKES {
            return None;
        }
        let rest = (FIRST_REST << self.rests.min(10)).min(LONGEST_REST);
        self.rests += 1;
        // One more failure after the rest is enough to rest again.
        self.strikes = STRIKES - 1;
        self.until_ms = now_ms + rest * 1000;
        self.reason = reason.to_owned();
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_rest_longer_and_longer_until_a_success() {
        let mut quarantine = Quarantine::default();
        let rests: Vec<_> = (0..8).map(|_| quarantine.failed("trap", 0)).collect();
        assert_eq!(rests, [None, None, None, None, Some(5), Some(10), Some(20), Some(40)]);
        assert!(quarantine.active(39_999).is_some());
        assert!(quarantine.active(40_000).is_none());
        assert_eq!((0..20).map(|_| quarantine.failed("trap", 0)).last(), Some(Some(LONGEST_REST)));
        quarantine.succeeded();
        assert_eq!(quarantine.active(0), None);
        assert_eq!(quarantine.failed("trap", 0), None);
    }
}
