//! The journal: what must survive, in one SQLite file.
//!
//! One event is one [`Transaction`]. A thread of its own owns the connection that writes; it takes everything that is
//! queued, commits it as one group, calls the commit hook with the new messages and then resolves the [`Receipt`]s
//! in order. A receipt that resolved with success is in the file, also after `kill -9` (with [`Durability::Power`] also
//! after the power failed). [`Reader`]s see what is committed and never wait for the writer.
//!
//! The outbox is a cursor over the messages here. A message is *offered* once it may have been on the wire, and
//! *written* once it certainly was; what is offered but not written is written again after a crash, as a redelivery.

mod apply;
mod error;
mod file;
mod lanes;
mod permissions;
mod prompts;
mod read;
mod seen;
mod shared;
mod types;
mod work;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::Ordering::SeqCst,
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
};

pub use self::{
    error::{CommitError, JournalError},
    permissions::{Broken, Fault, Recorded, Verified},
    prompts::{OpenPrompt, PromptChange},
    read::Reader,
    shared::CommitHook,
    types::{
        After, Committed, Counter, DeadEntry, DeadEvent, DeadLetter, Key, Lane, NewMessage, Place, Receipt, Stored,
        TimerDue, Transaction,
    },
};
use self::{
    shared::{Shared, lock},
    work::{Maintenance, Work},
};
use crate::{name::AdapterName, relay::record::Entry};

/// What a committed transaction survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The death of the process. The file system's cache holds the newest commits for a while.
    #[default]
    Process,
    /// Also a power failure: each group is flushed to the disk before its receipts resolve.
    Power,
}

/// How a journal is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// What a committed transaction survives.
    pub durability: Durability,
    /// With this many messages unwritten the journal is full, and sources stop.
    pub max_unwritten: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { durability: Durability::Process, max_unwritten: 10_000 }
    }
}

/// The journal. Cheap to clone; the thread ends after [`Journal::shutdown`] or with the last clone.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

struct Inner {
    path: PathBuf,
    max_unwritten: u64,
    shared: Arc<Shared>,
    queue: Sender<Work>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("path", &self.0.path).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal at `path`, or makes one; only its owner can read the file. The directory must be there.
    ///
    /// # Errors
    /// [`JournalError`] if the file is of a newer version, of another program, damaged or not usable.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, JournalError> {
        let path = path.as_ref().to_owned();
        let connection = file::open_writer(&path, options.durability)?;
        let shared = Arc::new(Shared::default());
        let writer = writer::Writer::new(connection, path.clone(), Arc::clone(&shared))?;
        let (queue, receiver) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run(&receiver))
            .map_err(|source| JournalError::File { path: path.clone(), source })?;
        Ok(Self(Arc::new(Inner {
            path,
            max_unwritten: options.max_unwritten,
            shared,
            queue,
            thread: Mutex::new(Some(thread)),
        })))
    }

    /// Queues a transaction and returns at once. Transactions are applied in the order of these calls.
    pub fn submit(&self, transaction: Transaction) -> Receipt {
        let (reply, receipt) = Receipt::pair();
        self.0.shared.queued.fetch_add(transaction.messages.len() as u64, SeqCst);
        self.send(Work::Apply(Box::new(transaction), reply));
        receipt
    }

    /// A generation higher than every one before, for a [`Lane`] that begins anew.
    #[must_use]
    pub fn next_generation(&self) -> u64 {
        self.0.shared.generation.fetch_add(1, SeqCst).saturating_add(1)
    }

    /// A connection that reads what is committed, beside the writer. Open one where it is used and keep it.
    ///
    /// # Errors
    /// [`JournalError`] if the file cannot be opened any more.
    pub fn reader(&self) -> Result<Reader, JournalError> {
        Reader::beside(&self.0.path, Arc::clone(&self.0.shared.lately))
    }

    /// Sets what is called on the writer's thread after each commit, with its new messages in order and before the
    /// receipts resolve. It must be quick and must not wait for a receipt. It replaces the hook before it.
    ///
    /// A hook that owns a clone of the journal keeps it open until [`Journal::shutdown`].
    pub fn set_commit_hook(&self, hook: CommitHook) {
        self.0.shared.set_hook(Some(hook));
    }

    /// Says whether the commit hook puts new messages on the wire. While it does, they are stored as offered, in
    /// their own transaction, and are [`Stored::live`] in the hook. Off when the journal is opened.
    ///
    /// Takes effect before the next group is applied, in front of everything queued; called in the hook, the next
    /// call of the hook obeys it. The receipt names the last message from before the switch: all up to it were
    /// under the old rule (switched on: they are backlog), all after it are under the new one.
    pub fn offering(&self, on: bool) -> Receipt<i64> {
        let receipt = self.0.shared.switch(on);
        self.send(Work::Nudge);
        receipt
    }

    /// Marks the unwritten messages up to `up_to_seq` as offered. The receipt must come before one of them is
    /// written to the wire. It says how many were not marked before.
    pub fn mark_offered(&self, up_to_seq: i64) -> Receipt<u64> {
        self.maintain(Maintenance::MarkOffered(up_to_seq))
    }

    /// Says that every message up to `seq` is on the wire. It goes into the file with the next group, or after at
    /// most 200 ms; call [`Journal::flush`] to be sure of it. A lower number than before changes nothing.
    pub fn written(&self, seq: i64) {
        let shared = &self.0.shared;
        shared.written.fetch_max(seq.min(shared.last_seq.load(SeqCst)), SeqCst);
        shared.progress.notify_waiters();
        self.nudge();
    }

    /// The cursor: every message up to this number is on the wire.
    #[must_use]
    pub fn cursor(&self) -> i64 {
        self.0.shared.written.load(SeqCst)
    }

    /// The number of the last committed message; 0 before the first.
    #[must_use]
    pub fn last_seq(&self) -> i64 {
        self.0.shared.last_seq.load(SeqCst)
    }

    /// How many messages are queued or committed and not yet written. Cheap.
    #[must_use]
    pub fn unwritten(&self) -> u64 {
        self.0.shared.unwritten()
    }

    /// There are so many unwritten messages that sources must stop.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.unwritten() >= self.0.max_unwritten
    }

    /// Waits until the journal is no longer full (or is shut down).
    pub async fn room(&self) {
        loop {
            let mut progress = pin!(self.0.shared.progress.notified());
            progress.as_mut().enable();
            if !self.is_full() || self.0.shared.is_closed() {
                return;
            }
            progress.await;
        }
    }

    /// Counts something that happened to an adapter's events, such as a refusal by its reason. Goes into the file
    /// with the next group, or after at most 200 ms. `name` must come from a small fixed set.
    pub fn count(&self, adapter: &AdapterName, name: &str) {
        self.0.shared.count(adapter, name);
        self.nudge();
    }

    /// Persists cursor and counts; resolves when everything submitted before has ended.
    pub fn flush(&self) -> Receipt<u64> {
        self.maintain(Maintenance::Flush)
    }

    /// Removes up to 1000 of the oldest messages that are written and were received before `before_ms` (since the
    /// Unix epoch). Repeat it until it says that it removed none. Their keys stay: they are never delivered again.
    pub fn prune(&self, before_ms: i64) -> Receipt<u64> {
        self.maintain(Maintenance::Prune { before_ms })
    }

    /// Forgets what belongs to a grant: state, timers, places, prompts and dead letters of that adapter, but nothing of
    /// the record of permissions. Transactions of generations that were seen before fail from here on, so that
    /// nothing of the old grant comes back.
    pub fn forget(&self, adapter: AdapterName) -> Receipt<u64> {
        self.maintain(Maintenance::Forget(adapter))
    }

    /// Adds entries that belong to no adapter to the record of permissions. They take their place in the order of
    /// [`Journal::submit`], and stand by themselves. The receipt says how many they were.
    pub fn record(&self, entries: Vec<Entry>) -> Receipt<u64> {
        self.maintain(Maintenance::Record(entries))
    }

    /// Removes a dead letter; the receipt says whether it was there (1) or not (0).
    pub fn delete_dead(&self, id: i64) -> Receipt<u64> {
        self.maintain(Maintenance::DeleteDead(id))
    }

    /// Commits what was submitted before, persists cursor and counts, and ends the thread; what is submitted later fails
    /// with [`CommitError::Closed`]. Blocks for some milliseconds. Calling it again changes nothing.
    pub fn shutdown(&self) {
        self.send(Work::Stop);
        let thread = lock(&self.0.thread).take();
        if let Some(thread) = thread
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the journal's thread had panicked");
        }
    }

    fn maintain(&self, what: Maintenance) -> Receipt<u64> {
        let (reply, receipt) = Receipt::pair();
        self.send(Work::Maintain(what, reply));
        receipt
    }

    /// Wakes the writer if it waits without a time limit.
    fn nudge(&self) {
        if self.0.shared.asleep.swap(false, SeqCst) {
            self.send(Work::Nudge);
        }
    }

    /// After a shutdown the work is dropped here, and its receipt resolves as closed.
    fn send(&self, work: Work) {
        if let Err(mpsc::SendError(Work::Apply(transaction, _))) = self.0.queue.send(work) {
            self.0.shared.queued.fetch_sub(transaction.messages.len() as u64, SeqCst);
        }
    }
}
