//! What goes into the journal and what comes out of it.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{CommitError, PromptChange};
use crate::{message::Message, name::AdapterName, relay::record::Entry};

/// A name of sixteen bytes for something that must happen once: a digest of the event or of the message.
pub type Key = [u8; 16];

/// The order that a transaction belongs to: the events of one adapter, one after another.
///
/// When a transaction fails, everything later in the same lane fails too, because it may rest on what was not kept.
/// A higher generation begins anew; take one from [`Journal::next_generation`](super::Journal::next_generation).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Whose transaction it is.
    pub adapter: AdapterName,
    /// Which attempt at the lane this is; never falls while the process lives. `None` for what stands by itself,
    /// such as an action's: it rests on no earlier transaction, and its failure breaks nothing.
    pub generation: Option<u64>,
}

impl Lane {
    /// The lane of an adapter's events, in that generation.
    #[must_use]
    pub const fn of(adapter: AdapterName, generation: u64) -> Self {
        Self { adapter, generation: Some(generation) }
    }

    /// For a transaction of the adapter's that stands by itself.
    #[must_use]
    pub const fn apart(adapter: AdapterName) -> Self {
        Self { adapter, generation: None }
    }
}

/// A message to be kept and shown.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Delivered once, for ever: a message whose key was seen before is left out and counted as repeated. `None` where
    /// the transaction's `once` says the same.
    pub key: Option<Key>,
    /// The sender is a credential that the user configured, or the local page: one may answer it without the gate.
    pub by_credential: bool,
    /// What was said.
    pub message: Message,
}

/// An event that `handle` failed on too often, kept for the user to look at and to repeat.
///
/// Of each adapter at most 1000 are kept, and 64 MiB of their events and contexts. Those that failed longest ago make
/// room, and the adapter's counter `dead letter dropped` says how many did.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// A digest of the event, so that a further failure of it updates its entry.
    pub key: Key,
    /// The source it came from.
    pub source: String,
    /// Exactly the bytes that the adapter got.
    pub event: Bytes,
    /// What was known around the bytes, as JSON; [`DeadEvent`] gives it back unchanged.
    pub context: String,
    /// Why the last attempt failed.
    pub error: String,
    /// Attempts since the last entry for this event; they are added up.
    pub attempts: u32,
}

/// What is done on the writer's thread once it is certain how a transaction ended, before its receipt resolves:
/// so it does not depend on whether somebody still waits for the receipt. Must be quick, and must not wait for one.
pub struct After(pub Box<Following>);

type Following = dyn FnOnce(Result<Committed, &CommitError>) + Send;

impl std::fmt::Debug for After {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("After")
    }
}

/// What one event changes; all of it is kept, or nothing.
#[derive(Debug)]
pub struct Transaction {
    /// The order that it belongs to.
    pub lane: Lane,
    /// If this key was seen before, the whole transaction is a repetition and nothing of it is kept.
    pub once: Option<Key>,
    /// Messages to be shown, in order.
    pub messages: Vec<NewMessage>,
    /// State by key: a new value, or `None` to remove it. Later entries win.
    pub state: Vec<(String, Option<Vec<u8>>)>,
    /// Timers by name: when they are due, in milliseconds since the Unix epoch, or `None` to cancel.
    pub timers: Vec<(String, Option<i64>)>,
    /// How far a poll has come, by its place in the journal. Kept for a repetition too.
    pub polled: Option<(String, i64)>,
    /// Messages that the platform has taken from us: conversation and id.
    pub sent: Vec<(String, String)>,
    /// What is added to the record of permissions, in order. It is never pruned or forgotten.
    pub permissions: Vec<Entry>,
    /// What happens to permission prompts of the adapter, in order.
    pub prompts: Vec<PromptChange>,
    /// The event failed for good.
    pub dead: Option<DeadLetter>,
    /// The dead letter that this event was and that has succeeded now: it is removed. The event's key was not kept when
    /// the letter died, so `once` is set here as for any event. If the platform sent the event again meanwhile and
    /// that succeeded, this transaction is a repetition and removes nothing: the letter is left to
    /// [`Journal::delete_dead`](super::Journal::delete_dead).
    pub revived: Option<i64>,
    /// What follows its end.
    pub after: Option<After>,
}

impl Transaction {
    /// A transaction that changes nothing yet.
    #[must_use]
    pub fn new(lane: Lane) -> Self {
        Self {
            lane,
            once: None,
            messages: vec![],
            state: vec![],
            timers: vec![],
            polled: None,
            sent: vec![],
            permissions: vec![],
            prompts: vec![],
            dead: None,
            revived: None,
            after: None,
        }
    }
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// It is in the file.
    Stored {
        /// Messages that are new.
        messages: u32,
        /// Messages that were seen before and therefore left out.
        repeated: u32,
    },
    /// Its `once` was seen before: nothing of it was kept, and all is well.
    Repeated,
}

/// A message as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its number: rises without gaps, and is never used twice.
    pub seq: i64,
    /// What was said.
    pub message: Message,
    /// It may have been on the wire before; writing it again is a redelivery. Never set in the commit hook.
    pub offered_before: bool,
    /// It was committed while offering was on and marked as offered with it: the commit hook puts it on the wire.
    /// Set only in the commit hook.
    pub live: bool,
}

/// What is remembered of a conversation: where one may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// It is with one person alone.
    pub direct: bool,
    /// Who spoke there last, if it is direct.
    pub sender: Option<String>,
    /// The last one to speak there was a credential that the user configured, or the local page.
    pub by_credential: bool,
    /// When something of this changed, in milliseconds since the Unix epoch.
    pub last_ms: i64,
}

/// A timer that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerDue {
    /// Whose it is.
    pub adapter: AdapterName,
    /// Its name.
    pub name: String,
    /// When it runs out, in milliseconds since the Unix epoch.
    pub due_ms: i64,
}

/// How often something happened to an adapter's events, by reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// Whose events.
    pub adapter: AdapterName,
    /// What happened.
    pub name: String,
    /// How often, since the journal began.
    pub value: u64,
}

/// A dead letter without its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadEntry {
    /// Its number; never used twice.
    pub id: i64,
    /// Whose event it was.
    pub adapter: AdapterName,
    /// The source it came from.
    pub source: String,
    /// The event's size in bytes.
    pub size: u64,
    /// Why the last attempt failed.
    pub error: String,
    /// Attempts so far.
    pub attempts: u64,
    /// When it failed for the first time, in milliseconds since the Unix epoch.
    pub first_ms: i64,
    /// When it failed last.
    pub last_ms: i64,
}

/// A dead letter with everything that is needed to try it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadEvent {
    /// What is known of it.
    pub entry: DeadEntry,
    /// The digest under which it was kept.
    pub key: Key,
    /// Exactly the bytes that the adapter got.
    pub event: Bytes,
    /// The context that [`DeadLetter`] carried.
    pub context: String,
}

/// The journal's answer to something submitted: resolves when it is in the file, or when it is certain that it is not.
///
/// Dropping it does not withdraw anything.
#[derive(Debug)]
#[must_use = "nothing may be answered or acknowledged before the receipt has come"]
pub struct Receipt<T = Committed>(oneshot::Receiver<Result<T, CommitError>>);

/// The writer's end of a [`Receipt`].
pub(super) type Reply<T> = oneshot::Sender<Result<T, CommitError>>;

impl<T> Receipt<T> {
    pub(super) fn pair() -> (Reply<T>, Self) {
        let (reply, receiver) = oneshot::channel();
        (reply, Self(receiver))
    }

    /// Waits on this thread, which must not be one that runs asynchronous tasks or the commit hook.
    ///
    /// # Errors
    /// As the future itself.
    pub fn wait(mut self) -> Result<T, CommitError> {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut self).poll(&mut context) {
                Poll::Ready(result) => return result,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

impl<T> Future for Receipt<T> {
    type Output = Result<T, CommitError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|reply| reply.unwrap_or(Err(CommitError::Closed)))
    }
}
