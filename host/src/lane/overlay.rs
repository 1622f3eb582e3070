//! State that is queued but not committed: the next call reads it as if it were.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use crate::journal::Key;

/// What the queued transactions of one lane have written, until each is committed.
#[derive(Default)]
pub(super) struct Overlay {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    values: HashMap<String, (u64, Option<Vec<u8>>)>,
    /// Events whose transactions are queued.
    once: HashSet<Key>,
    /// The newest generation of which a transaction failed: everything queued then rests on what was not kept.
    broken: Option<u64>,
}

/// One queued transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

impl Overlay {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queued value of a key: `None` if nothing about it is queued.
    pub(super) fn get(&self, key: &str) -> Option<Option<Vec<u8>>> {
        let inner = self.lock();
        if inner.values.is_empty() {
            return None;
        }
        inner.values.get(key).map(|(_, value)| value.clone())
    }

    /// Whether nothing is queued that a call could have read.
    pub(super) fn is_empty(&self) -> bool {
        let inner = self.lock();
        inner.values.is_empty() && inner.once.is_empty()
    }

    /// Whether the transaction of that event is queued.
    pub(super) fn is_queued(&self, once: &Key) -> bool {
        self.lock().once.contains(once)
    }

    /// Notes what a transaction is about to write.
    pub(super) fn queue<'a>(
        &self,
        once: Option<Key>,
        writes: impl Iterator<Item = &'a (String, Option<Vec<u8>>)>,
    ) -> Ticket {
        let mut inner = self.lock();
        inner.next += 1;
        let ticket = inner.next;
        for (key, value) in writes {
            inner.values.insert(key.clone(), (ticket, value.clone()));
        }
        inner.once.extend(once);
        Ticket(ticket)
    }

    /// The transaction is committed: what it wrote is read from the journal from now on, except where a later one
    /// has written again.
    pub(super) fn settle<'a>(&self, ticket: Ticket, once: Option<Key>, keys: impl Iterator<Item = &'a String>) {
        let mut inner = self.lock();
        if let Some(once) = once {
            inner.once.remove(&once);
        }
        for key in keys {
            if inner.values.get(key).is_some_and(|(last, _)| *last == ticket.0) {
                inner.values.remove(key);
            }
        }
    }

    /// A transaction of that generation failed.
    pub(super) fn break_off(&self, generation: u64) {
        let mut inner = self.lock();
        inner.broken = inner.broken.max(Some(generation));
    }

    /// Forgets all that is queued if a transaction of this generation failed; gives whether one did.
    pub(super) fn mend(&self, generation: u64) -> bool {
        let mut inner = self.lock();
        let broken = inner.broken.is_some_and(|broken| broken >= generation);
        if broken {
            inner.values.clear();
            inner.once.clear();
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(key: &str, value: &str) -> (String, Option<Vec<u8>>) {
        (key.into(), Some(value.into()))
    }

    #[test]
    fn a_later_write_outlives_the_commit_of_an_earlier_one() {
        let overlay = Overlay::default();
        let (a, b) = ([write("k", "1"), write("only", "1")], [write("k", "2")]);
        let first = overlay.queue(Some([1; 16]), a.iter());
        let second = overlay.queue(None, b.iter());
        assert!(overlay.is_queued(&[1; 16]));
        overlay.settle(first, Some([1; 16]), a.iter().map(|(key, _)| key));
        assert!(!overlay.is_queued(&[1; 16]));
        assert_eq!(overlay.get("only"), None);
        assert_eq!(overlay.get("k"), Some(Some(b"2".to_vec())));
        overlay.settle(second, None, b.iter().map(|(key, _)| key));
        assert_eq!(overlay.get("k"), None);
    }

    #[test]
    fn after_a_failure_nothing_queued_is_read_any_more() {
        let overlay = Overlay::default();
        overlay.queue(Some([1; 16]), [write("k", "1")].iter());
        assert!(!overlay.mend(1));
        overlay.break_off(1);
        assert!(overlay.mend(1));
        assert_eq!(overlay.get("k"), None);
        assert!(!overlay.is_queued(&[1; 16]));
        overlay.break_off(1);
        assert!(!overlay.mend(2), "a late failure of what is forgotten already breaks nothing");
    }
}
