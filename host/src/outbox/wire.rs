//! The wire: one thread owns standard output, and all that leaves goes through here.
//!
//! Two things leave: **frames** (JSON-RPC answers and notifications of the MCP side) and **events**. Frames keep
//! their order, events keep theirs; a frame may overtake waiting events, so that a call is answered at once.
//!
//! Events are a cursor over the journal. While the wire keeps up it is *live*: the journal hands over what it
//! committed ([`Wire::deliver`]), and a bounded queue in memory is the shortcut. When the queue is full, and at the
//! start, the wire is *behind*: it reads from the [`Backlog`] until nothing is left, then it is live again. So a
//! client that stops reading holds up this thread and nothing else, and memory stays bounded.
//!
//! A message that gathers (see `burst`) is held until its burst is complete, while others pass it. What is held was
//! taken from the journal but not written: the written cursor stays before the oldest of it, so that the next
//! process gets it again, together with what has passed it. How far it may be passed is bounded.
//!
//! Order of things for each event: its offer is durable ([`Backlog::mark_offered`]), then it is written, then the
//! cursor moves ([`Backlog::written`]). What was offered but not known to be written when a process ended is
//! sent again, marked as redelivered.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::writer::Writer;
use crate::journal::Stored;

/// Roughly what a message takes in memory, in bytes.
pub(super) fn weight(stored: &Stored) -> usize {
    512 + stored.message.text.len()
}

/// Why the journal could not do what the wire asked. The wire says so in the log and asks again later.
pub type BacklogError = Box<dyn std::error::Error + Send + Sync>;

/// What the wire needs of the journal. Called from the wire's own thread, which may block in it; answers to the
/// client wait meanwhile.
pub trait Backlog: Send + 'static {
    /// The committed messages after `seq`, in order: at most `max_count`, and about `max_bytes` of text, but one
    /// at least if there is any. A message is visible here before [`Wire::deliver`] is called for it.
    ///
    /// # Errors
    /// Whatever kept the journal from answering.
    fn after(&mut self, seq: i64, max_count: usize, max_bytes: usize) -> Result<Vec<Arc<Stored>>, BacklogError>;

    /// Records that everything up to `seq` may be on the wire; returns after the commit. Called before every
    /// write, so it must be cheap when the journal has recorded it already (see `offering` of [`Wire::start`]).
    ///
    /// # Errors
    /// Whatever kept the journal from committing; nothing is written then.
    fn mark_offered(&mut self, seq: i64) -> Result<(), BacklogError>;

    /// Everything up to `seq` has been written; rises with each call. May be recorded later.
    fn written(&mut self, seq: i64);
}

/// How events look on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// As MCP notifications, for Claude Code.
    Notifications,
    /// As the tags that the model would see, for people at a terminal; `source` is the server's name.
    Tags {
        /// The tag's `source`.
        source: String,
    },
}

/// Bounds on what the wire holds in memory and writes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Events in the queue.
    pub queued_events: usize,
    /// Bytes of events in the queue, roughly.
    pub queued_bytes: usize,
    /// Frames that the client has not read yet; above it the connection is given up.
    pub waiting_frames: usize,
    /// Bytes of such frames. A single frame may be larger.
    pub waiting_frame_bytes: usize,
    /// Events that are written with one call.
    pub batch_events: usize,
    /// Bytes of events that are written with one call, roughly; a single event may be larger.
    pub batch_bytes: usize,
    /// Messages that may come while one is held for its burst, those that are held included; then it leaves.
    pub held_messages: usize,
    /// Bytes of messages that are held, roughly; above it the oldest leave.
    pub held_bytes: usize,
    /// How long to wait before asking a failing journal again.
    pub retry: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queued_events: 4096,
            queued_bytes: 8 << 20,
            waiting_frames: 4096,
            waiting_frame_bytes: 16 << 20,
            batch_events: 256,
            batch_bytes: 128 << 10,
            held_messages: 1024,
            held_bytes: 8 << 20,
            retry: Duration::from_millis(500),
        }
    }
}

/// Why the wire ended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WireEnd {
    /// [`Wire::close`] was called, and every frame was written.
    #[error("closed")]
    Closed,
    /// Writing failed: the client is gone.
    #[error("the client is gone: {0}")]
    Gone(Arc<io::Error>),
    /// The client asks and asks, but does not read the answers.
    #[error("the client does not read its answers")]
    NotReading,
    /// The wire's thread panicked, which is a fault of this program.
    #[error("the thread that writes to the client failed")]
    Failed,
}

/// What is refused once the wire has ended or is closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection to the client has ended")]
pub struct WireClosed;

/// A handle on the wire; clones are the same wire. Dropping the handles does not end it: [`close`](Self::close) does.
#[derive(Clone)]
pub struct Wire {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    end: watch::Sender<Option<WireEnd>>,
    offering: Box<dyn Fn(bool) + Send + Sync>,
    pub(super) limits: Limits,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) frames: VecDeque<Vec<u8>>,
    frame_bytes: usize,
    /// What was handed over, and when.
    pub(super) queue: VecDeque<(Arc<Stored>, Instant)>,
    queue_bytes: usize,
    /// Live: the queue continues where the cursor stands. Otherwise the journal does, once the queue is empty.
    pub(super) live: bool,
    pub(super) released: bool,
    /// The newest message that the journal has handed over, queued or not.
    pub(super) newest: i64,
    /// The first message that was committed in this process, so that no earlier one can have sent it.
    pub(super) own_from: Option<i64>,
    /// Up to here the backlog was read when the wire became live; such messages may be handed over late.
    caught_up: i64,
    /// Until when the writer may still try, once `close` was called.
    pub(super) closing: Option<Instant>,
    pub(super) ended: bool,
    /// The thread waits, or is about to: without it there is nobody to notify.
    idle: bool,
}

impl State {
    /// Takes from the queue what one write may carry.
    pub(super) fn take_events(&mut self, limits: &Limits) -> Vec<(Arc<Stored>, Instant)> {
        let (mut taken, mut bytes) = (Vec::with_capacity(self.queue.len().min(limits.batch_events)), 0);
        while let Some((next, _)) = self.queue.front() {
            let weight = weight(next);
            if !taken.is_empty() && (taken.len() >= limits.batch_events || bytes + weight > limits.batch_bytes) {
                break;
            }
            bytes += weight;
            taken.extend(self.queue.pop_front());
        }
        self.queue_bytes = self.queue_bytes.saturating_sub(bytes);
        taken
    }

    pub(super) fn take_frames(&mut self) -> VecDeque<Vec<u8>> {
        self.frame_bytes = 0;
        std::mem::take(&mut self.frames)
    }
}

impl Wire {
    /// Starts the thread. `output` is written in whole batches and flushed; it should not buffer by lines.
    /// `written` is the last message that is known to have been written, in this or an earlier process.
    ///
    /// `offering` tells the journal whether to record new messages as offered in the commit that stores them, which
    /// saves a commit for each while the wire is live. It is called under a lock: it must only set a flag.
    ///
    /// Nothing but frames leaves before [`release`](Self::release).
    ///
    /// # Errors
    /// The operating system refuses another thread.
    pub fn start(
        output: impl io::Write + Send + 'static,
        format: Format,
        backlog: impl Backlog,
        offering: impl Fn(bool) + Send + Sync + 'static,
        written: i64,
        limits: Limits,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            end: watch::Sender::new(None),
            offering: Box::new(offering),
            limits,
        });
        let writer = Writer::new(shared.clone(), output, format, backlog, written);
        std::thread::Builder::new().name("wire".into()).spawn(move || writer.run())?;
        Ok(Self { shared })
    }

    /// Queues a frame: one JSON-RPC message without its line ending. Never blocks.
    ///
    /// # Errors
    /// [`WireClosed`] once the wire has ended, also when this frame is one too many for a client that does not read.
    pub fn frame(&self, mut line: Vec<u8>) -> Result<(), WireClosed> {
        line.push(b'\n');
        let limits = &self.shared.limits;
        let mut state = self.shared.lock();
        if state.ended || state.closing.is_some() {
            return Err(WireClosed);
        }
        let bytes = state.frame_bytes.saturating_add(line.len());
        let too_many = state.frames.len() >= limits.waiting_frames || bytes > limits.waiting_frame_bytes;
        if too_many && !state.frames.is_empty() {
            state.frames.clear();
            self.shared.end(state, WireEnd::NotReading);
            return Err(WireClosed);
        }
        state.frame_bytes = bytes;
        state.frames.push_back(line);
        self.shared.wake(state);
        Ok(())
    }

    /// Hands over what was just committed, in the journal's order. Never blocks; what finds no room is read from
    /// the journal later.
    pub fn deliver(&self, committed: &[Arc<Stored>]) {
        let limits = &self.shared.limits;
        let mut state = self.shared.lock();
        // Under the lock, so that times rise with the queue.
        let now = Instant::now();
        let mut queued = false;
        for stored in committed {
            state.newest = state.newest.max(stored.seq);
            state.own_from.get_or_insert(stored.seq);
            if !state.live || stored.seq <= state.caught_up {
                continue;
            }
            let bytes = state.queue_bytes.saturating_add(weight(stored));
            let fits = state.queue.len() < limits.queued_events && bytes <= limits.queued_bytes;
            if fits || state.queue.is_empty() {
                state.queue_bytes = bytes;
                state.queue.push_back((stored.clone(), now));
                queued = true;
            } else {
                state.live = false;
                (self.shared.offering)(false);
            }
        }
        if queued {
            self.shared.wake(state);
        }
    }

    /// Lets events through, from now on: the client has registered the channel. Further calls change nothing.
    pub fn release(&self) {
        let mut state = self.shared.lock();
        state.released = true;
        self.shared.wake(state);
    }

    /// Waits until the wire ends, and says why.
    pub async fn ended(&self) -> WireEnd {
        let mut end = self.shared.end.subscribe();
        let ended = end.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        ended.unwrap_or(WireEnd::Failed)
    }

    /// Ends the wire: the waiting frames and the batch in hand are still written, for at most `within`. Events that
    /// wait, also those held for their burst, are left to the journal, from where the next session gets them: a client
    /// that is going away would drop them. A thread that is stuck in a write is left behind.
    ///
    /// Returns why the wire ended; `None` if it is stuck.
    pub async fn close(&self, within: Duration) -> Option<WireEnd> {
        let deadline = Instant::now() + within;
        {
            let mut state = self.shared.lock();
            let earlier = state.closing.map_or(deadline, |closing| closing.min(deadline));
            state.closing = Some(earlier);
            if state.live {
                state.live = false;
                (self.shared.offering)(false);
            }
            self.shared.wake(state);
        }
        tokio::time::timeout(within, self.ended()).await.ok()
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between statements, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, state: MutexGuard<'_, State>) {
        let idle = state.idle;
        drop(state);
        if idle {
            self.changed.notify_one();
        }
    }

    pub(super) fn wait<'s>(&self, mut state: MutexGuard<'s, State>, until: Option<Instant>) -> MutexGuard<'s, State> {
        state.idle = true;
        let mut state = match until {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        state.idle = false;
        state
    }

    /// Becomes live if the journal handed over nothing beyond `taken`, up to which the backlog was read dry.
    pub(super) fn try_live(&self, taken: i64) -> bool {
        let mut state = self.lock();
        if state.newest > taken || state.closing.is_some() {
            return false;
        }
        state.live = true;
        state.caught_up = taken;
        (self.offering)(true);
        true
    }

    pub(super) fn end(&self, mut state: MutexGuard<'_, State>, why: WireEnd) {
        if !state.ended {
            state.ended = true;
            if state.live {
                state.live = false;
                (self.offering)(false);
            }
            self.end.send_replace(Some(why));
        }
        self.wake(state);
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
