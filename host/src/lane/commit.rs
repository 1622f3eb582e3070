//! From what a call left behind to a transaction in the journal.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Handled, Lane, Occurrence, Turn, answers::Taken, occurrence::Happening};
use crate::{
    actions::presence::{self, Heard},
    adapters::Adapter,
    clock::now_ms,
    journal::{self, After, Committed, DeadLetter, JournalError, Key, Receipt, Transaction},
    relay::Attempt,
    sandbox::{Effects, Frame, types},
};

/// A transaction on its way into the journal, and what to answer when it is there.
pub(super) struct Queued {
    receipt: Option<Receipt>,
    then: Handled,
    /// What of it looks like verdicts: judged once it is committed, and never for a repetition.
    pub(super) attempts: Vec<Attempt>,
}

impl Queued {
    fn new(receipt: Option<Receipt>, then: Handled) -> Self {
        Self { receipt, then, attempts: Vec::new() }
    }

    pub(super) async fn committed(self) -> (Handled, Vec<Attempt>) {
        let Some(receipt) = self.receipt else { return (self.then, self.attempts) };
        match receipt.await {
            Ok(Committed::Stored { .. }) => (self.then, self.attempts),
            Ok(Committed::Repeated) => (Handled::Repeated, Vec::new()),
            Err(error) => (Handled::Busy(error.to_string()), Vec::new()),
        }
    }
}

impl Lane {
    /// What a successful call left behind, and the verdict that its event may be.
    pub(super) async fn queue(
        &self,
        turn: &mut Turn,
        occurrence: &Occurrence,
        (mut effects, verdict): (Effects, Option<Taken>),
        response: Option<types::RouteResponse>,
        attempts: u32,
    ) -> Queued {
        self.explain_refusals(occurrence, &effects);
        match self.within_quota(turn, &effects) {
            Ok(()) => {}
            Err(Handled::Failed(reason)) => return self.bury(turn, occurrence, reason, attempts),
            Err(then) => return Queued::new(None, then),
        }
        let now = now_ms();
        let mut transaction = self.transaction(turn, occurrence);
        transaction.revived = occurrence.revives;
        let is_verdict = verdict.is_some();
        let mut attempts = Vec::new();
        if let Some(Taken { attempt, once }) = verdict {
            attempts.extend(attempt);
            transaction.once = transaction.once.or(once);
        }
        for delivery in effects.deliveries.drain(..) {
            let attempt = self.verdict_in(&delivery, occurrence);
            let Some(mut message) = self.judge(delivery, occurrence, now) else { continue };
            if let Some(attempt) = attempt {
                attempts.extend((!is_verdict).then_some(attempt));
            } else {
                self.fetch_images(&mut message.message).await;
                transaction.messages.push(message);
            }
        }
        transaction.sent = std::mem::take(&mut effects.traces.sent);
        transaction.timers = self.timers(occurrence, &effects, now);
        transaction.state = std::mem::take(&mut effects.state).into_iter().collect();
        let frames = effects.frames;
        let then = Handled::Stored(response);
        let nothing_to_keep = transaction.once.is_none()
            && transaction.revived.is_none()
            && transaction.sent.is_empty()
            && transaction.messages.is_empty()
            && transaction.state.is_empty()
            && transaction.timers.is_empty();
        // What the call returned may rest on what is queued: then it waits for that to be committed.
        if nothing_to_keep && frames.is_empty() && self.overlay.is_empty() {
            return Queued { attempts, ..Queued::new(None, then) };
        }
        Queued { attempts, ..self.submit(turn, transaction, frames, then) }
    }

    /// Whether the event is in the journal already.
    pub(super) fn was_seen(&self, occurrence: &Occurrence) -> Result<bool, Handled> {
        let Some(once) = &occurrence.once else { return Ok(false) };
        self.adapter.read(|reader| reader.seen(once)).map_err(|error| Handled::Busy(error.to_string()))
    }

    /// Hands a transaction to the journal. What follows the commit happens there, so that it does not depend on
    /// whether somebody still waits for the answer.
    fn submit(&self, turn: &Turn, mut transaction: Transaction, frames: Vec<Frame>, then: Handled) -> Queued {
        let ticket = self.overlay.queue(transaction.once, transaction.state.iter());
        let keys: Vec<String> = transaction.state.iter().map(|(key, _)| key.clone()).collect();
        let (overlay, adapter) = (Arc::clone(&self.overlay), Arc::clone(&self.adapter));
        let (once, generation) = (transaction.once, turn.generation);
        let timed = !transaction.timers.is_empty();
        let heard: Vec<_> = transaction.messages.iter().filter_map(|new| Heard::of(&new.message)).collect();
        transaction.after = Some(After(Box::new(move |committed| match committed {
            Ok(committed) => {
                overlay.settle(ticket, once, keys.iter());
                if let Committed::Stored { messages, .. } = committed {
                    if messages > 0 {
                        presence::acknowledge(&adapter, heard);
                    }
                    (0..messages).for_each(|_| adapter.journal.count(adapter.name(), "delivered"));
                    adapter.send_frames(frames);
                }
                if timed {
                    adapter.timers.notify_one();
                }
            }
            Err(_) => overlay.break_off(generation),
        })));
        match self.adapter.submit(transaction) {
            Some(receipt) => Queued::new(Some(receipt), then),
            None => Queued::new(None, Handled::Busy("the adapter was stopped".into())),
        }
    }

    /// Waits for all that is queued, and then ends like this.
    pub(super) fn queue_nothing(&self, turn: &Turn, then: Handled) -> Queued {
        self.submit(turn, Transaction::new(self.ticket(turn)), Vec::new(), then)
    }

    /// A repetition of an event whose transaction is queued: it ends as that one does.
    pub(super) fn queue_repetition(&self, turn: &Turn, occurrence: &Occurrence) -> Queued {
        self.submit(turn, self.transaction(turn, occurrence), Vec::new(), Handled::Repeated)
    }

    /// An event that the host answered itself: the adapter never sees it.
    pub(super) fn queue_answered(&self, turn: &Turn, occurrence: &Occurrence, event: Option<&str>) -> Queued {
        let mut transaction = self.transaction(turn, occurrence);
        transaction.once = occurrence.once.or_else(|| event.map(|event| key(&self.adapter, occurrence, event)));
        self.submit(turn, transaction, Vec::new(), Handled::Stored(None))
    }

    /// The event failed for good: kept, shown in `status`, repeated by `sluicegate retry`.
    pub(super) fn bury(&self, turn: &Turn, occurrence: &Occurrence, error: String, attempts: u32) -> Queued {
        let failed = Handled::Failed(error.clone());
        if !occurrence.is_kept_when_dead() {
            return Queued::new(None, failed);
        }
        let (bytes, key) = match &occurrence.evidence {
            Some(evidence) => {
                // Without a signature a repetition is known only by being the same in every respect.
                let context = &evidence.context;
                let mut parts = vec![evidence.source.as_bytes(), context.path.as_bytes(), &evidence.bytes];
                parts.extend(context.headers.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
                (evidence.bytes.clone(), occurrence.once.unwrap_or_else(|| digest(&parts)))
            }
            None => (bytes::Bytes::new(), digest(&[occurrence.source().as_bytes()])),
        };
        let mut transaction = Transaction::new(self.ticket(turn));
        transaction.dead = Some(DeadLetter {
            key,
            source: occurrence.source().to_owned(),
            event: bytes,
            context: occurrence.circumstances(),
            error,
            attempts,
        });
        if let Happening::Elapsed(name) = &occurrence.happening {
            let next = self.every(name).map(|every| now_ms().saturating_add(every));
            transaction.timers = vec![(name.clone(), next)];
        }
        self.submit(turn, transaction, Vec::new(), failed)
    }

    /// What is kept of every event.
    fn transaction(&self, turn: &Turn, occurrence: &Occurrence) -> Transaction {
        let mut transaction = Transaction::new(self.ticket(turn));
        transaction.once = occurrence.once;
        transaction
    }

    fn ticket(&self, turn: &Turn) -> journal::Lane {
        journal::Lane::of(self.adapter.name().clone(), turn.generation)
    }

    fn explain_refusals(&self, occurrence: &Occurrence, effects: &Effects) {
        for refusal in &effects.refusals {
            tracing::info!(adapter = %self.adapter.name(), source = occurrence.source(), "not delivered: {refusal}");
        }
        if !effects.refusals.is_empty() {
            self.adapter.journal.count(self.adapter.name(), "not delivered");
        }
    }

    /// Timers that the call set, and the next turn of the one that called it.
    fn timers(&self, occurrence: &Occurrence, effects: &Effects, now: i64) -> Vec<(String, Option<i64>)> {
        let due = |after: u32| now.saturating_add(i64::from(after));
        let mut timers: Vec<_> = effects.timers.iter().map(|(name, after)| (name.clone(), after.map(due))).collect();
        match &occurrence.happening {
            Happening::Elapsed(name) if !effects.timers.contains_key(name) => {
                timers.push((name.clone(), self.every(name).map(|every| now.saturating_add(every))));
            }
            Happening::Started => {
                // One that is set already goes on over restarts.
                let running = self.adapter.read(|reader| reader.timers(self.adapter.name())).unwrap_or_default();
                for timer in &self.adapter.program.contract.platform.timers {
                    let set = effects.timers.contains_key(&timer.name)
                        || running.iter().any(|running| running.name == timer.name);
                    if let (false, Some(every)) = (set, self.every(&timer.name)) {
                        timers.push((timer.name.clone(), Some(now.saturating_add(every))));
                    }
                }
            }
            _ => {}
        }
        timers
    }

    /// Milliseconds between the turns of a timer that runs by itself.
    fn every(&self, name: &str) -> Option<i64> {
        let timers = &self.adapter.program.contract.platform.timers;
        let every = timers.iter().find(|timer| timer.name == name)?.every_ms?;
        i64::try_from(every).ok()
    }

    /// Refuses what would make `state` larger than it may be.
    fn within_quota(&self, turn: &mut Turn, effects: &Effects) -> Result<(), Handled> {
        if effects.state.is_empty() {
            return Ok(());
        }
        let adapter = &self.adapter;
        let busy = |error: JournalError| Handled::Busy(error.to_string());
        let most = adapter.program.limits.state_kib << 10;
        let written: u64 =
            effects.state.iter().map(|(key, value)| (key.len() + value.as_ref().map_or(0, Vec::len)) as u64).sum();
        let before = match turn.state_size {
            Some(known) => known,
            None => adapter.read(|reader| reader.state_size(adapter.name())).map_err(busy)?,
        };
        let mut size = before + written;
        if size > most {
            // What is replaced was counted twice.
            size = adapter.state_size_with(&effects.state).map_err(busy)?;
        }
        if size > most {
            let reason = format!("its state would be larger than {most} bytes (the limit `state-kib`)");
            tracing::warn!(adapter = %adapter.name(), "{reason}");
            return Err(Handled::Failed(reason));
        }
        turn.state_size = Some(size);
        Ok(())
    }
}

/// The key of an event in the journal, by the platform's id of it: delivered once, for ever.
#[must_use]
pub fn key(adapter: &Adapter, occurrence: &Occurrence, event: &str) -> Key {
    let account = occurrence.evidence.as_ref().and_then(|evidence| evidence.context.account.as_deref());
    let mut parts = vec![adapter.name().as_str().as_bytes(), occurrence.source().as_bytes(), event.as_bytes()];
    parts.extend(account.map(str::as_bytes));
    digest(&parts)
}

/// Sixteen bytes of a digest over parts whose borders count.
fn digest(parts: &[&[u8]]) -> Key {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut key = Key::default();
    key.copy_from_slice(&hasher.finalize()[..16]);
    key
}
