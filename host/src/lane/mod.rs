//! The lane: an adapter's events, one after another, each a transaction.
//!
//! ```text
//! occurrence ─▶ seen before? ─▶ the host's own? ─▶ handle (sandbox) ─▶ gate ─▶ images ─▶ queue ─┐ next event may start
//!                               code, verdict,                                                  └▶ commit ─▶ frames, answer,
//!                               command                                                                      verdicts judged
//! ```
//! The next call starts once the previous transaction is queued, and its reads see what is queued. When a commit
//! fails, everything queued behind it fails too and is not answered.

mod answers;
mod batch;
mod commit;
mod images;
mod judge;
mod occurrence;
mod overlay;
mod quarantine;
mod surroundings;
mod verdict;

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::sync::{Mutex, Semaphore};

pub use commit::key as once;
pub use occurrence::{Happening, Occurrence, kept};

use answers::Answered;
use batch::Batch;
use commit::Queued;
use overlay::Overlay;
use quarantine::Quarantine;
use surroundings::Queueing;

use crate::{
    adapters::Adapter,
    clock::now_ms,
    sandbox::{CallError, Effects, Ended, Instance, Purpose, types},
};

/// Attempts at one event before it is a dead letter.
const ATTEMPTS: u32 = 3;

/// How long somebody who asks how the lane stands waits for the event whose turn it is.
const PROMPT: Duration = Duration::from_millis(500);

/// Pressed buttons that the platform is told of at a time; of more it is not told.
const ACKNOWLEDGING: usize = 4;

/// How an event ended.
#[derive(Debug)]
pub enum Handled {
    /// It is in the journal; a page route has its answer.
    Stored(Option<types::RouteResponse>),
    /// It was seen before.
    Repeated,
    /// The adapter says that the input is wrong.
    Refused(String),
    /// The adapter failed on it; it is kept as a dead letter where that makes sense.
    Failed(String),
    /// It cannot be taken now and must come again.
    Busy(String),
}

/// How a lane stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It takes events.
    Running,
    /// The adapter has not taken its first event yet.
    Starting,
    /// It failed too often and rests, for this reason.
    Quarantined(String),
}

/// The lane of one adapter.
pub struct Lane {
    adapter: Arc<Adapter>,
    overlay: Arc<Overlay>,
    turn: Mutex<Turn>,
    /// Pressed buttons that the platform is being told of.
    acknowledging: Arc<Semaphore>,
}

/// What only the event whose turn it is may touch.
struct Turn {
    instance: Option<Instance>,
    generation: u64,
    quarantine: Quarantine,
    started: bool,
    /// Bytes in `state`, never less than they are; counted anew when they seem too many.
    state_size: Option<u64>,
}

/// How the attempts at one event ended.
enum Attempted {
    Done(Box<Ended<Result<Option<types::RouteResponse>, types::Failure>>>),
    Crashed(String),
}

impl Lane {
    /// The lane of an adapter that has not been started.
    #[must_use]
    pub fn new(adapter: Arc<Adapter>) -> Self {
        let generation = adapter.journal.next_generation();
        let turn =
            Turn { instance: None, generation, quarantine: Quarantine::default(), started: false, state_size: None };
        let acknowledging = Arc::new(Semaphore::new(ACKNOWLEDGING));
        Self { adapter, overlay: Arc::default(), turn: Mutex::new(turn), acknowledging }
    }

    /// Gives an event its turn, and waits until what it left behind is committed.
    ///
    /// Dropping the future while the adapter computes costs its instance; nothing else is lost.
    pub async fn handle(&self, occurrence: Occurrence) -> Handled {
        let queued = {
            let mut turn = self.turn.lock().await;
            self.mend(&mut turn);
            if occurrence.batch.as_ref().is_some_and(|batch| !batch.goes_on(turn.generation)) {
                return Handled::Busy("what came before it was not taken".into());
            }
            match self.take(&mut turn, &occurrence).await {
                Ok(queued) => queued,
                Err(handled) => {
                    if let (Handled::Busy(_), Some(batch)) = (&handled, &occurrence.batch) {
                        batch.break_off();
                    }
                    return handled;
                }
            }
        };
        let (handled, attempts) = queued.committed().await;
        match &occurrence.batch {
            Some(batch) => batch.attempts(attempts),
            None => self.adapter.relay.attempted(attempts).await,
        }
        handled
    }

    /// Gives events of one answer or body their turns, in their order. When one cannot be taken now, none after it is.
    pub async fn handle_all(&self, occurrences: impl IntoIterator<Item = Occurrence>) -> Vec<Handled> {
        let batch = Arc::<Batch>::default();
        let handled = occurrences.into_iter().map(|mut occurrence| {
            occurrence.batch = Some(Arc::clone(&batch));
            self.handle(occurrence)
        });
        // Turns are given in the order of asking.
        let handled = join_all(handled).await;
        // What came together is judged together.
        self.adapter.relay.attempted(batch.take_attempts()).await;
        handled
    }

    /// Keeps what cannot even be read as a dead letter.
    pub async fn bury_unread(&self, occurrence: Occurrence, reason: String) -> Handled {
        let queued = {
            let mut turn = self.turn.lock().await;
            self.mend(&mut turn);
            self.bury(&turn, &occurrence, reason, 1)
        };
        queued.committed().await.0
    }

    /// How the lane stands. An event that takes long does not hold this up.
    pub async fn state(&self) -> State {
        let Ok(turn) = tokio::time::timeout(PROMPT, self.turn.lock()).await else { return State::Running };
        match turn.quarantine.active(now_ms()) {
            Some(reason) => State::Quarantined(reason),
            None if turn.started => State::Running,
            None => State::Starting,
        }
    }

    /// Drops the instance if no event has its turn now; its memory is only a cache.
    pub fn rest(&self) {
        if let Ok(mut turn) = self.turn.try_lock() {
            turn.instance = None;
        }
    }

    /// After a failed commit the lane begins anew: with a new generation, and without an instance whose memory may
    /// know what was not kept.
    fn mend(&self, turn: &mut Turn) {
        if self.overlay.mend(turn.generation) {
            turn.generation = self.adapter.journal.next_generation();
            turn.instance = None;
            turn.state_size = None;
        }
    }

    async fn take(&self, turn: &mut Turn, occurrence: &Occurrence) -> Result<Queued, Handled> {
        if let Some(reason) = turn.quarantine.active(now_ms()) {
            return Err(Handled::Busy(reason));
        }
        let starting = occurrence.happening == Happening::Started;
        if !turn.started && !starting {
            return Err(Handled::Busy("the adapter has not started yet".into()));
        }
        if !self.adapter.is_live() {
            return Err(Handled::Busy("the adapter was stopped".into()));
        }
        // The adapter never sees a repetition: it would write what is never kept, and answer what was answered.
        if occurrence.once.is_some_and(|once| self.overlay.is_queued(&once)) {
            return Ok(self.queue_repetition(turn, occurrence));
        }
        if self.was_seen(occurrence)? {
            return Err(Handled::Repeated);
        }
        let verdict = match self.answer_itself(turn, occurrence) {
            Answered::Whole(queued) => return Ok(queued),
            Answered::Beside(taken) => Some(taken),
            Answered::Nothing => None,
        };
        self.adapter.used();
        let (attempted, attempts) = self.attempt(turn, occurrence).await;
        let Ended { returned, effects } = match attempted {
            Attempted::Done(ended) => *ended,
            Attempted::Crashed(reason) => {
                if let Some(until) = turn.quarantine.failed(&reason, now_ms()) {
                    tracing::error!(adapter = %self.adapter.name(), "quarantined for {until} s: {reason}");
                }
                return Ok(self.bury(turn, occurrence, reason, attempts));
            }
        };
        match returned {
            Ok(response) => {
                turn.quarantine.succeeded();
                turn.started |= starting;
                Ok(self.queue(turn, occurrence, (effects, verdict), response, attempts).await)
            }
            Err(types::Failure::Platform(failure)) => {
                let reason = format!("the platform said {}: {}", failure.status, failure.message);
                Ok(self.bury(turn, occurrence, reason, attempts))
            }
            Err(types::Failure::Invalid(reason)) => {
                if starting {
                    return Err(Handled::Failed(format!("it refuses to start: {reason}")));
                }
                turn.quarantine.succeeded();
                self.refuse(&reason, "refused by the adapter");
                self.refused(turn, occurrence, reason).await
            }
            Err(types::Failure::Unsupported) => {
                // Events that an adapter has no use for are the everyday case for connections and the start.
                turn.started |= starting;
                turn.quarantine.succeeded();
                self.refused(turn, occurrence, "the adapter has no use for it".into()).await
            }
        }
    }

    /// Calls `handle`, again on a fresh instance where it crashed.
    async fn attempt(&self, turn: &mut Turn, occurrence: &Occurrence) -> (Attempted, u32) {
        let event = occurrence.event();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let surroundings = Queueing::new(Arc::clone(&self.adapter), Arc::clone(&self.overlay));
            let purpose = Purpose::Handle(occurrence.evidence.clone());
            // The instance is out of its place while it runs, so that a dropped future takes it along.
            let called = match turn.instance.take() {
                Some(instance) => Ok(instance),
                None => self.adapter.program.instantiate().await,
            };
            let called = match called {
                Ok(mut instance) => {
                    let ended = instance.handle(purpose, Arc::new(surroundings), &event).await;
                    if ended.is_ok() && self.adapter.program.reuses_instances() {
                        turn.instance = Some(instance);
                    }
                    ended
                }
                Err(error) => Err(error),
            };
            match called {
                Ok(ended) => return (Attempted::Done(Box::new(ended)), attempts),
                Err(error) => {
                    self.crashed(occurrence, &error, attempts);
                    if attempts == ATTEMPTS {
                        return (Attempted::Crashed(error.to_string()), attempts);
                    }
                }
            }
        }
    }

    fn crashed(&self, occurrence: &Occurrence, error: &CallError, attempts: u32) {
        tracing::warn!(
            adapter = %self.adapter.name(), source = occurrence.source(),
            "an event failed (attempt {attempts} of {ATTEMPTS}): {error}"
        );
    }

    /// What is refused leaves nothing behind, but a timer has run out all the same.
    async fn refused(&self, turn: &mut Turn, occurrence: &Occurrence, reason: String) -> Result<Queued, Handled> {
        match occurrence.happening {
            Happening::Elapsed(_) => Ok(self.queue(turn, occurrence, (Effects::default(), None), None, 1).await),
            // What it read may be queued only.
            _ if !self.overlay.is_empty() => Ok(self.queue_nothing(turn, Handled::Refused(reason))),
            _ => Err(Handled::Refused(reason)),
        }
    }

    fn refuse(&self, reason: &str, why: &str) {
        tracing::info!(adapter = %self.adapter.name(), "{why}: {reason}");
    }
}
