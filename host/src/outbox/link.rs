//! The link between journal and wire: what was committed goes out, and what went out is marked.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicI64, Ordering},
};

use super::wire::{Backlog, BacklogError, Wire};
use crate::journal::{CommitError, Journal, JournalError, Reader, Stored};

/// A journal that may be opened later than the wire starts.
///
/// The wire starts with the process, so that answers can leave; the journal is opened only when the client has sent
/// `initialize`, or never, in a process that does not lead.
#[derive(Clone, Default)]
pub struct Link(Arc<Inner>);

#[derive(Default)]
struct Inner {
    journal: OnceLock<Journal>,
    /// There will be no journal in this process.
    none: OnceLock<()>,
    /// The newest message that was marked as offered by the commit that stored it.
    live: AtomicI64,
    /// The newest one that was stored without the mark.
    unmarked: AtomicI64,
    /// Every message up to this number has been marked by [`Backlog::mark_offered`].
    marked: AtomicI64,
}

/// The journal is not open yet; the wire asks again.
#[derive(Debug, thiserror::Error)]
#[error("the journal is not open yet")]
struct NotYet;

impl Link {
    /// What the wire asks.
    pub fn backlog(&self) -> impl Backlog + use<> {
        Linked { link: self.clone(), reader: None }
    }

    /// What the wire tells when it becomes live, or falls behind.
    pub fn offering(&self) -> impl Fn(bool) + Send + Sync + use<> {
        let link = self.clone();
        move |on| {
            if let Some(journal) = link.0.journal.get() {
                // The commit hook sees from when on it holds.
                drop(journal.offering(on));
            }
        }
    }

    /// From now on what this journal commits goes out on this wire.
    pub fn open(&self, journal: &Journal, wire: &Wire) {
        let (link, wire) = (self.clone(), wire.clone());
        journal.set_commit_hook(Box::new(move |stored: &[Arc<Stored>]| {
            for stored in stored {
                let newest = if stored.live { &link.0.live } else { &link.0.unmarked };
                newest.fetch_max(stored.seq, Ordering::SeqCst);
            }
            wire.deliver(stored);
        }));
        // A link is opened once.
        let _ = self.0.journal.set(journal.clone());
    }

    /// There will be no journal: this process does not lead.
    pub fn close(&self) {
        let _ = self.0.none.set(());
    }
}

struct Linked {
    link: Link,
    reader: Option<Reader>,
}

impl Backlog for Linked {
    fn after(&mut self, seq: i64, max_count: usize, max_bytes: usize) -> Result<Vec<Arc<Stored>>, BacklogError> {
        let inner = &self.link.0;
        let Some(journal) = inner.journal.get() else {
            return if inner.none.get().is_some() { Ok(Vec::new()) } else { Err(NotYet.into()) };
        };
        let reader = match &self.reader {
            Some(reader) => reader,
            None => self.reader.insert(journal.reader()?),
        };
        // The wire began without knowing the cursor.
        let messages: Result<_, JournalError> = reader.messages_after(seq.max(journal.cursor()), max_count, max_bytes);
        Ok(messages?.into_iter().map(Arc::new).collect())
    }

    fn mark_offered(&mut self, seq: i64) -> Result<(), BacklogError> {
        let inner = &self.link.0;
        let (live, unmarked) = (inner.live.load(Ordering::SeqCst), inner.unmarked.load(Ordering::SeqCst));
        let marked = inner.marked.load(Ordering::SeqCst);
        if marked >= seq || (live >= seq && marked >= unmarked) {
            return Ok(());
        }
        let journal = inner.journal.get().ok_or(NotYet)?;
        let marked: Result<u64, CommitError> = journal.mark_offered(seq).wait();
        marked?;
        inner.marked.fetch_max(seq, Ordering::SeqCst);
        Ok(())
    }

    fn written(&mut self, seq: i64) {
        if let Some(journal) = self.link.0.journal.get() {
            journal.written(seq);
        }
    }
}
