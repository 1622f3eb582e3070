//! What the handles and the writer thread share: counts, the commit hook and the switch of the outbox.

use std::{
    collections::BTreeMap,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst},
    },
};

use tokio::sync::Notify;

use super::{
    Stored,
    seen::Lately,
    types::{Receipt, Reply},
};
use crate::name::AdapterName;

/// Is given the new messages of each commit, in order, before the receipts resolve.
pub type CommitHook = Box<dyn Fn(&[Arc<Stored>]) + Send + Sync>;

type Hook = Arc<dyn Fn(&[Arc<Stored>]) + Send + Sync>;

/// Counts that are not in the file yet.
pub(super) type Counts = BTreeMap<AdapterName, BTreeMap<String, u64>>;

/// Locks, also after a panic elsewhere: none of the values here can be left half changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
pub(super) struct Shared {
    /// The number of the last committed message.
    pub(super) last_seq: AtomicI64,
    /// Every message up to this number is on the wire.
    pub(super) written: AtomicI64,
    /// Messages that were submitted and whose end is open.
    pub(super) queued: AtomicU64,
    /// The highest generation given out.
    pub(super) generation: AtomicU64,
    /// The writer waits without a time limit: whoever leaves it something to persist must wake it.
    pub(super) asleep: AtomicBool,
    /// Something may have been written, or a transaction has ended.
    pub(super) progress: Notify,
    /// Keys that the table of the seen ones does not hold yet.
    pub(super) lately: Lately,
    counts: Mutex<Counts>,
    hook: Mutex<Option<Hook>>,
    /// Changes of `offering` that the writer has not seen yet.
    switches: Mutex<Vec<(bool, Reply<i64>)>>,
    /// The writer has ended; set under the lock of `switches`, so that no switch waits for ever.
    closed: AtomicBool,
    #[cfg(test)]
    pub(super) faults: Faults,
}

/// Makes commits fail, so that tests can prove what happens then.
#[cfg(test)]
#[derive(Default)]
pub(super) struct Faults {
    /// As many of the next commits fail.
    pub(super) commits: AtomicU64,
    /// Transactions of this adapter fail.
    pub(super) adapter: Mutex<Option<AdapterName>>,
}

#[cfg(test)]
impl Faults {
    pub(super) fn commit(&self) -> rusqlite::Result<()> {
        let left = self.commits.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if left.is_ok() { Err(Self::error()) } else { Ok(()) }
    }

    pub(super) fn apply(&self, adapter: &AdapterName) -> rusqlite::Result<()> {
        if lock(&self.adapter).as_ref() == Some(adapter) { Err(Self::error()) } else { Ok(()) }
    }

    fn error() -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR), Some("injected".into()))
    }
}

impl Shared {
    pub(super) fn unwritten(&self) -> u64 {
        // `written` first: it never passes `last_seq`, and both only rise.
        let written = self.written.load(SeqCst);
        let committed = self.last_seq.load(SeqCst).saturating_sub(written);
        u64::try_from(committed).unwrap_or(0).saturating_add(self.queued.load(SeqCst))
    }

    pub(super) fn count(&self, adapter: &AdapterName, name: &str) {
        let mut counts = lock(&self.counts);
        if let Some(value) = counts.get_mut(adapter).and_then(|names| names.get_mut(name)) {
            *value = value.saturating_add(1);
        } else {
            counts.entry(adapter.clone()).or_default().insert(name.to_owned(), 1);
        }
    }

    pub(super) fn take_counts(&self) -> Counts {
        mem::take(&mut *lock(&self.counts))
    }

    pub(super) fn has_counts(&self) -> bool {
        !lock(&self.counts).is_empty()
    }

    /// Puts counts back that could not be persisted.
    pub(super) fn return_counts(&self, back: Counts) {
        let mut counts = lock(&self.counts);
        for (adapter, names) in back {
            let kept = counts.entry(adapter).or_default();
            for (name, value) in names {
                let sum = kept.entry(name).or_default();
                *sum = sum.saturating_add(value);
            }
        }
    }

    pub(super) fn set_hook(&self, hook: Option<CommitHook>) {
        // Dropped after the lock is released: what the old hook owns may call back.
        let _old = mem::replace(&mut *lock(&self.hook), hook.map(Hook::from));
    }

    pub(super) fn hook(&self) -> Option<Hook> {
        lock(&self.hook).clone()
    }

    pub(super) fn switch(&self, on: bool) -> Receipt<i64> {
        let (reply, receipt) = Receipt::pair();
        let mut switches = lock(&self.switches);
        if !self.is_closed() {
            switches.push((on, reply));
        }
        receipt
    }

    pub(super) fn take_switches(&self) -> Vec<(bool, Reply<i64>)> {
        mem::take(&mut *lock(&self.switches))
    }

    pub(super) fn has_switches(&self) -> bool {
        !lock(&self.switches).is_empty()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(SeqCst)
    }

    /// The writer has ended: nothing will be answered any more.
    pub(super) fn close(&self) {
        let mut switches = lock(&self.switches);
        self.closed.store(true, SeqCst);
        let pending = mem::take(&mut *switches);
        drop(switches);
        drop(pending);
        self.set_hook(None);
        self.progress.notify_waiters();
    }
}
