//! What the writer is asked to do, and how it answers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{After, CommitError, Committed, Transaction, types::Reply};
use crate::{name::AdapterName, relay::record::Entry};

/// What the thread is asked to do.
pub(super) enum Work {
    Apply(Box<Transaction>, Reply<Committed>),
    Maintain(Maintenance, Reply<u64>),
    /// Look at what changed outside the queue.
    Nudge,
    /// Commit what is queued and end.
    Stop,
}

/// Changes that are no adapter's event.
#[derive(Debug)]
pub(super) enum Maintenance {
    Flush,
    MarkOffered(i64),
    Prune { before_ms: i64 },
    Forget(AdapterName),
    DeleteDead(i64),
    Record(Vec<Entry>),
}

/// A receipt that is about to resolve.
pub(super) enum Ended {
    Applied(Reply<Committed>, Result<Committed, CommitError>, Option<After>),
    Maintained(Reply<u64>, Result<u64, CommitError>),
}

impl Ended {
    /// What follows comes first: whoever got an answer must find it done. A receipt that was dropped needs no answer.
    pub(super) fn resolve(self) {
        match self {
            Ended::Applied(reply, result, after) => {
                if let Some(After(after)) = after
                    && catch_unwind(AssertUnwindSafe(|| after(result.as_ref().copied()))).is_err()
                {
                    tracing::error!("what follows a commit panicked");
                }
                drop(reply.send(result));
            }
            Ended::Maintained(reply, result) => drop(reply.send(result)),
        }
    }
}
