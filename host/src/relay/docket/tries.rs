//! Who tried too often, and of whom enough was recorded. Bounded, whoever tries.

use std::collections::{HashMap, VecDeque};

use crate::{name::AdapterName, relay::Attempt};

/// Wrong tries after which a sender is not heard.
pub(super) const WRONG: usize = 5;
/// Refused attempts of one sender that are worth a line in the record.
pub(super) const NOTED: usize = 20;
/// Senders that each list remembers.
pub(super) const SENDERS: usize = 1024;
/// How long, in milliseconds.
pub(super) const WINDOW_MS: i64 = 10 * 60 * 1000;

/// What is remembered of attempts that were refused.
///
/// Approvers have lists of their own: nobody else can fill them.
pub(super) struct Tries {
    /// Of approvers alone.
    pub(super) wrong: Recent,
    pub(super) noted_approvers: Recent,
    pub(super) noted_others: Recent,
}

impl Default for Tries {
    fn default() -> Self {
        Self { wrong: Recent::new(WRONG), noted_approvers: Recent::new(NOTED), noted_others: Recent::new(NOTED) }
    }
}

impl Tries {
    /// Whether a refused attempt is worth a line, which is then counted.
    pub(super) fn note(&mut self, attempt: &Attempt, now_ms: i64) -> bool {
        let list = if attempt.vetted && attempt.approver { &mut self.noted_approvers } else { &mut self.noted_others };
        // Strangers share one list of lines: there may be any number of them.
        let who = if attempt.admitted { who(attempt) } else { (attempt.adapter.clone(), String::new()) };
        list.add(&who, now_ms)
    }
}

/// One sender; an id means nothing without its adapter.
pub(super) type Who = (AdapterName, String);

pub(super) fn who(attempt: &Attempt) -> Who {
    (attempt.adapter.clone(), attempt.sender.clone())
}

/// When each of some senders did something within the last ten minutes.
pub(super) struct Recent {
    most: usize,
    times: HashMap<Who, VecDeque<i64>>,
    /// When there was last looked for room. At the same time there is no more of it.
    looked_ms: Option<i64>,
}

impl Recent {
    fn new(most: usize) -> Self {
        Self { most, times: HashMap::new(), looked_ms: None }
    }

    /// Whether that sender did it as often as may be. When there is no room to remember a sender, nothing more of
    /// theirs may be.
    pub(super) fn is_over(&mut self, who: &Who, now_ms: i64) -> bool {
        if let Some(times) = self.times.get_mut(who) {
            times.retain(|time| is_recent(*time, now_ms));
            return times.len() >= self.most;
        }
        !self.has_room(now_ms)
    }

    /// Remembers one more; false if there are as many as may be.
    pub(super) fn add(&mut self, who: &Who, now_ms: i64) -> bool {
        if self.is_over(who, now_ms) {
            return false;
        }
        self.times.entry(who.clone()).or_default().push_back(now_ms);
        true
    }

    fn has_room(&mut self, now_ms: i64) -> bool {
        if self.times.len() >= SENDERS && self.looked_ms != Some(now_ms) {
            self.looked_ms = Some(now_ms);
            self.times.retain(|_, times| times.iter().any(|time| is_recent(*time, now_ms)));
        }
        self.times.len() < SENDERS
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.times.len(), self.times.values().map(VecDeque::len).max().unwrap_or_default())
    }
}

/// A clock that was set back makes a time lie ahead; it counts until it is over.
const fn is_recent(time_ms: i64, now_ms: i64) -> bool {
    now_ms.saturating_sub(time_ms) < WINDOW_MS
}
