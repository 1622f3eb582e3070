//! Events that came together and must be kept in their order.

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use crate::relay::Attempt;

/// The events of one answer or body. When one of them cannot be taken, or its commit fails, those after it must come
/// again behind it.
#[derive(Debug, Default)]
pub(super) struct Batch {
    broken: AtomicBool,
    /// The lane's generation when the first of them had its turn: a failed commit begins a new one.
    generation: OnceLock<u64>,
    /// What looks like verdicts in those that are committed.
    attempts: Mutex<Vec<Attempt>>,
}

impl Batch {
    /// Whether the next of them may have its turn in that generation.
    pub(super) fn goes_on(&self, generation: u64) -> bool {
        !self.broken.load(Ordering::Relaxed) && *self.generation.get_or_init(|| generation) == generation
    }

    /// Keeps what looks like verdicts until all of them are committed.
    pub(super) fn attempts(&self, attempts: Vec<Attempt>) {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).extend(attempts);
    }

    /// Takes what looks like verdicts out.
    pub(super) fn take_attempts(&self) -> Vec<Attempt> {
        std::mem::take(&mut self.attempts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One of them was not taken.
    pub(super) fn break_off(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_on_after_one_that_was_not_taken_or_not_kept() {
        let batch = Batch::default();
        assert!(batch.goes_on(3) && batch.goes_on(3));
        assert!(!batch.goes_on(4), "a commit failed meanwhile");
        assert!(batch.goes_on(3));
        batch.break_off();
        assert!(!batch.goes_on(3));
    }
}
