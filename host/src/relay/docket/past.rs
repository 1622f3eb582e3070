//! What is remembered of requests that ended: a late answer is an honest one, and its code is given to nobody else.

use std::collections::VecDeque;

use super::{Approver, MOST_ASKS, MOST_WAITING, Ticket};
use crate::relay::{Codes, Why};

/// How long, in milliseconds.
const REMEMBERED_MS: i64 = 10 * 60 * 1000;
/// How many prompts: all that can end at once. The oldest are forgotten first.
pub(super) const MOST: usize = MOST_WAITING * MOST_ASKS;

/// The prompts of requests that ended lately, the oldest first.
#[derive(Default)]
pub(super) struct Past {
    over: VecDeque<Over>,
}

/// A prompt that decides nothing any more.
pub(super) struct Over {
    pub(super) ticket: Ticket,
    pub(super) approver: Approver,
    pub(super) codes: Codes,
    /// Why it decides nothing.
    pub(super) why: Why,
    /// Since when; none until somebody says what time it is.
    since_ms: Option<i64>,
}

impl Past {
    pub(super) fn add(&mut self, ticket: Ticket, approver: Approver, codes: Codes, why: Why, since_ms: Option<i64>) {
        if self.over.len() == MOST {
            self.over.pop_front();
        }
        self.over.push_back(Over { ticket, approver, codes, why, since_ms });
    }

    /// Forgets what ended long ago.
    pub(super) fn forget(&mut self, now_ms: i64) {
        self.over.retain_mut(|over| now_ms.saturating_sub(*over.since_ms.get_or_insert(now_ms)) < REMEMBERED_MS);
    }

    pub(super) fn find(&self, is: impl Fn(&Codes) -> bool) -> Option<&Over> {
        self.over.iter().find(|over| is(&over.codes))
    }

    pub(super) fn codes(&self) -> impl Iterator<Item = &Codes> {
        self.over.iter().map(|over| &over.codes)
    }

    pub(super) fn knows(&self, ticket: &Ticket) -> bool {
        self.over.iter().any(|over| over.ticket == *ticket)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.over.len()
    }
}
