//! The thread that writes: takes what is queued, commits it as one group, tells the hook, resolves the receipts.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc,
        atomic::Ordering::SeqCst,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::{
    CommitError, Committed, JournalError, Stored, Transaction,
    apply::{Group, Tables, now_ms},
    file,
    lanes::Lanes,
    shared::Shared,
    work::{Ended, Maintenance, Work},
};

/// The largest group.
const GROUP: usize = 512;

/// Cursor and counts wait so long for a group to go with.
const PERSIST_AFTER: Duration = Duration::from_millis(200);

/// While there are groups to go with, the cursor goes with one so often.
const CURSOR_EVERY: Duration = Duration::from_millis(20);

/// When they could not be persisted, they wait so long.
const PERSIST_AGAIN: Duration = Duration::from_secs(5);

enum Outcome {
    Applied(Committed),
    Maintained(u64),
    Behind,
}

/// Why a group failed.
struct Failure {
    error: rusqlite::Error,
    /// It might succeed in parts: not so when the file could not be locked at all.
    divisible: bool,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self { error, divisible: true }
    }
}

pub(super) struct Writer {
    tables: Tables,
    path: PathBuf,
    shared: Arc<Shared>,
    lanes: Lanes,
    /// New messages are stored as offered.
    offering: bool,
    /// The cursor as the file has it.
    persisted: i64,
    persisted_at: Instant,
    /// There may soon be something to persist: wait with this time limit.
    patience: Option<Duration>,
    /// The numbers of the messages of the group at hand, in order; `None` for repeated ones.
    kept: Vec<Option<i64>>,
}

impl Writer {
    pub(super) fn new(connection: Connection, path: PathBuf, shared: Arc<Shared>) -> Result<Self, JournalError> {
        let (tables, (last_seq, written)) = Tables::new(connection, Arc::clone(&shared.lately))
            .and_then(|tables| tables.positions().map(|positions| (tables, positions)))
            .map_err(|source| file::explain(&path, source))?;
        shared.last_seq.store(last_seq, SeqCst);
        shared.written.store(written, SeqCst);
        Ok(Self {
            tables,
            path,
            shared,
            lanes: Lanes::default(),
            offering: false,
            persisted: written,
            persisted_at: Instant::now(),
            patience: None,
            kept: Vec::new(),
        })
    }

    /// Works until it is told to stop, or until nobody can submit any more.
    pub(super) fn run(mut self, queue: &Receiver<Work>) {
        let _closing = Closing(Arc::clone(&self.shared));
        let mut group = Vec::with_capacity(GROUP);
        let mut stop = false;
        while !stop {
            let first = match self.wait(queue) {
                Ok(work) => Some(work),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let idle = first.is_none();
            // Whoever was about to submit as well gets to it: their transactions share this group's commit.
            std::thread::yield_now();
            for work in first.into_iter().chain(queue.try_iter()) {
                match work {
                    Work::Nudge => self.patience = Some(PERSIST_AFTER),
                    Work::Stop => {
                        stop = true;
                        break;
                    }
                    work => {
                        // What comes after a `Forget` must see its effect on the lane.
                        let last = matches!(work, Work::Maintain(Maintenance::Forget(_), _));
                        group.push(work);
                        if last || group.len() >= GROUP {
                            break;
                        }
                    }
                }
            }
            self.switch();
            if !group.is_empty() {
                self.process(&mut group);
                self.patience = Some(PERSIST_AFTER);
            } else if idle {
                self.patience = match self.persist() {
                    Ok(()) => self.tables.is_unsettled().then_some(PERSIST_AFTER),
                    Err(_) => Some(PERSIST_AGAIN),
                };
            }
        }
        self.finish();
    }

    /// Waits for work; with a time limit only while there may be something to persist.
    fn wait(&self, queue: &Receiver<Work>) -> Result<Work, RecvTimeoutError> {
        let patience = self.patience.unwrap_or(PERSIST_AFTER);
        if self.patience.is_some() {
            return queue.recv_timeout(patience);
        }
        self.shared.asleep.store(true, SeqCst);
        // Whoever changed something before this line did not wake us.
        let waited = if self.is_dirty() || self.shared.has_switches() {
            queue.recv_timeout(patience)
        } else {
            queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        self.shared.asleep.store(false, SeqCst);
        waited
    }

    fn is_dirty(&self) -> bool {
        self.shared.written.load(SeqCst) > self.persisted || self.shared.has_counts()
    }

    /// Obeys changes of `offering`: between two groups, so that a group is wholly offered or not at all.
    fn switch(&mut self) {
        for (on, reply) in self.shared.take_switches() {
            self.offering = on;
            // Nobody has to wait for it.
            let _ = reply.send(Ok(self.shared.last_seq.load(SeqCst)));
        }
    }

    fn persist(&mut self) -> Result<(), Failure> {
        if !self.is_dirty() && !self.tables.is_unsettled() {
            return Ok(());
        }
        let result = self.attempt(&[]).map(drop);
        if let Err(failure) = &result {
            tracing::warn!(error = %failure.error, "the journal cannot keep what was written to Claude; trying again");
        }
        result
    }

    /// Commits the group; if it fails, each part of it alone, so that only what is bad fails.
    fn process(&mut self, group: &mut Vec<Work>) {
        match self.attempt(group) {
            Ok(outcomes) => self.complete(group.drain(..), outcomes),
            Err(failure) if failure.divisible && group.len() > 1 => {
                for work in mem::take(group) {
                    let work = [work];
                    match self.attempt(&work) {
                        Ok(outcomes) => self.complete(work, outcomes),
                        Err(failure) => self.refuse(work, failure.error),
                    }
                }
            }
            Err(failure) => self.refuse(group.drain(..), failure.error),
        }
    }

    /// Commits all of it, with cursor and counts, or nothing.
    fn attempt(&mut self, group: &[Work]) -> Result<Vec<Outcome>, Failure> {
        self.kept.clear();
        if let Err(error) = self.tables.begin() {
            self.tables.roll_back();
            return Err(Failure { error, divisible: false });
        }
        let counts = self.shared.take_counts();
        let written = self.shared.written.load(SeqCst);
        let cursor = written > self.persisted
            && (group.is_empty()
                || group.iter().any(|work| matches!(work, Work::Maintain(..)))
                || self.persisted_at.elapsed() >= CURSOR_EVERY);
        let result = self.fill(group, written).and_then(|outcomes| {
            self.tables.add_counts(&counts)?;
            if cursor {
                self.tables.set_cursor(written)?;
            }
            #[cfg(test)]
            self.shared.faults.commit()?;
            self.tables.commit(group.is_empty())?;
            Ok(outcomes)
        });
        match result {
            Ok(outcomes) => {
                if cursor {
                    self.persisted = written;
                    self.persisted_at = Instant::now();
                }
                Ok(outcomes)
            }
            Err(error) => {
                self.tables.roll_back();
                self.shared.return_counts(counts);
                Err(error.into())
            }
        }
    }

    fn fill(&mut self, group: &[Work], written: i64) -> rusqlite::Result<Vec<Outcome>> {
        let rules = Group { offered: self.offering, written, now_ms: now_ms() };
        let mut outcomes = Vec::with_capacity(group.len());
        for work in group {
            outcomes.push(match work {
                Work::Apply(transaction, _) if self.lanes.is_behind(&transaction.lane) => Outcome::Behind,
                Work::Apply(transaction, _) => {
                    #[cfg(test)]
                    self.shared.faults.apply(&transaction.lane.adapter)?;
                    Outcome::Applied(self.tables.apply(transaction, rules, &mut self.kept)?)
                }
                Work::Maintain(what, _) => Outcome::Maintained(self.tables.maintain(what, rules)?),
                Work::Nudge | Work::Stop => Outcome::Maintained(0),
            });
        }
        Ok(outcomes)
    }

    /// Tells the hook and then the receipts what is in the file now.
    fn complete(&mut self, group: impl IntoIterator<Item = Work>, outcomes: Vec<Outcome>) {
        for witness in self.tables.take_witnesses() {
            witness.log();
        }
        let mut kept = mem::take(&mut self.kept);
        let mut numbers = kept.drain(..);
        let mut stored = Vec::new();
        let mut replies = Vec::with_capacity(outcomes.len());
        let mut ended = 0;
        for (work, outcome) in group.into_iter().zip(outcomes) {
            match (work, outcome) {
                (Work::Apply(mut transaction, reply), Outcome::Applied(committed)) => {
                    ended += transaction.messages.len() as u64;
                    let after = transaction.after.take();
                    if committed != Committed::Repeated {
                        // The messages come first: they are as many as numbers were taken.
                        for (new, seq) in transaction.messages.into_iter().zip(numbers.by_ref()) {
                            let Some(seq) = seq else { continue };
                            let (message, live) = (new.message, self.offering);
                            stored.push(Arc::new(Stored { seq, message, offered_before: false, live }));
                        }
                    }
                    replies.push(Ended::Applied(reply, Ok(committed), after));
                }
                (Work::Apply(transaction, reply), _) => {
                    ended += transaction.messages.len() as u64;
                    replies.push(Ended::Applied(reply, Err(CommitError::Behind), transaction.after));
                }
                (Work::Maintain(what, reply), Outcome::Maintained(changed)) => {
                    if let Maintenance::Forget(adapter) = &what {
                        self.lanes.forget(adapter);
                    }
                    replies.push(Ended::Maintained(reply, Ok(changed)));
                }
                _ => {}
            }
        }
        drop(numbers);
        self.kept = kept;
        if let Some(last) = stored.last() {
            self.shared.last_seq.store(last.seq, SeqCst);
        }
        self.shared.queued.fetch_sub(ended, SeqCst);
        self.call_hook(&stored);
        self.resolve(replies);
    }

    fn call_hook(&self, stored: &[Arc<Stored>]) {
        if stored.is_empty() {
            return;
        }
        if let Some(hook) = self.shared.hook()
            && catch_unwind(AssertUnwindSafe(|| hook(stored))).is_err()
        {
            tracing::error!("the journal's commit hook panicked; its messages are written again after a restart");
        }
    }

    /// None of it was kept. The first of each lane breaks the lane; the others are behind it.
    fn refuse(&mut self, group: impl IntoIterator<Item = Work>, error: rusqlite::Error) {
        let reason = file::explain(&self.path, error).to_string();
        let mut replies = Vec::new();
        let mut ended = 0;
        for work in group {
            match work {
                Work::Apply(transaction, reply) => {
                    ended += transaction.messages.len() as u64;
                    let Transaction { lane, after, .. } = *transaction;
                    let error = if self.lanes.is_behind(&lane) {
                        CommitError::Behind
                    } else {
                        self.lanes.break_off(lane);
                        CommitError::Failed(reason.clone())
                    };
                    replies.push(Ended::Applied(reply, Err(error), after));
                }
                Work::Maintain(_, reply) => {
                    replies.push(Ended::Maintained(reply, Err(CommitError::Failed(reason.clone()))));
                }
                Work::Nudge | Work::Stop => {}
            }
        }
        self.shared.queued.fetch_sub(ended, SeqCst);
        self.resolve(replies);
    }

    /// Whoever waits for room must be awake before it can be asked for.
    fn resolve(&self, replies: Vec<Ended>) {
        self.shared.progress.notify_waiters();
        for reply in replies {
            reply.resolve();
        }
    }

    fn finish(mut self) {
        // The cursor may lag behind after a failure: then messages are written again, as redeliveries.
        if self.is_dirty() {
            let _ = self.persist();
        }
        if let Err(error) = self.tables.close() {
            tracing::debug!(%error, "the journal's last checkpoint is left to the next start");
        }
    }
}

/// Also after a panic, nobody may wait for an answer that never comes.
struct Closing(Arc<Shared>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}
