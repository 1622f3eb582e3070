//! Polls: the host asks a platform for what is new, outside of the sandbox, one request at a time.
//!
//! ```text
//! room in the journal? ─▶ request (egress) ─▶ items ─▶ lane, one after another ─▶ all committed ─▶ cursor ─▶ again
//! ```
//! The next request, which tells the platform what it may forget, leaves only when everything that the last answer
//! brought is in the journal. An answer that comes again is the same events, which are known by their ids.

mod health;
mod pace;

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};

pub use health::{Health, Source, State};

use pace::{Pace, Trouble};

use crate::{
    clock::now_ms,
    egress::PollFailure,
    evidence::{Context, Evidence, Found, split_items},
    journal::{Lane, Transaction},
    lane::{Handled, Happening, Occurrence, once},
    manifest::Poll,
    registry::Running,
};

/// A request that is not answered for so long is held back until something is new.
const HELD: Duration = Duration::from_secs(2);

/// Starts the polls of an adapter that has taken its first event.
pub fn start(running: &Arc<Running>) {
    // Under the lock that its end takes first: what is started here is there to be aborted.
    let live = running.adapter.live.read().unwrap_or_else(PoisonError::into_inner);
    if !*live {
        return;
    }
    for poll in &running.adapter.program.contract.platform.polls {
        let task = run(Arc::clone(running), poll.clone());
        running.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }
}

/// Polls one source until the task is aborted.
async fn run(running: Arc<Running>, poll: Poll) {
    let adapter = Arc::clone(&running.adapter);
    let source = PollSource::new(&running, poll);
    let name = source.poll.name.clone();
    let note = |state: State, next_ms, items| {
        if adapter.health.note(&name, state.clone(), next_ms, items) {
            explain(&running, &name, &state);
        }
    };
    let mut pace = Pace::default();
    loop {
        if adapter.journal.is_full() {
            note(State::Paused, None, 0);
            adapter.journal.room().await;
        }
        let asked = Instant::now();
        let once = source.once();
        tokio::pin!(once);
        let answered = match timeout(HELD, &mut once).await {
            Ok(answered) => answered,
            // A platform that holds the request back has taken it.
            Err(_) => {
                note(State::Listening, None, 0);
                once.await
            }
        };
        if !adapter.is_live() {
            return;
        }
        let trouble = match answered {
            Ok(items) => {
                note(State::Listening, None, items);
                sleep(pace.after_success(&source.poll, items, asked.elapsed())).await;
                continue;
            }
            Err(trouble) => trouble,
        };
        let wait = pace.after(&trouble);
        let next = now_ms().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        note(trouble.into_state(), Some(next), 0);
        sleep(wait).await;
    }
}

fn explain(running: &Running, source: &str, state: &State) {
    let adapter = running.adapter.name();
    match state {
        State::Listening => tracing::info!(%adapter, source, "it listens"),
        State::Paused => tracing::warn!(%adapter, source, "it waits: too many events wait for Claude"),
        State::Elsewhere => tracing::warn!(
            %adapter, source,
            "somebody else polls with the same secret; it is left alone and tried now and then. \
             Stop the other program (the official plugin?), or use a secret of its own here"
        ),
        State::Slowed => tracing::warn!(%adapter, source, "the platform asks for fewer requests"),
        State::Refused(why) => tracing::error!(%adapter, source, "it cannot listen: {why}"),
        State::Failing(why) => tracing::warn!(%adapter, source, "it does not answer and is tried again: {why}"),
    }
}

/// One source, and where its position is kept.
struct PollSource<'a> {
    running: &'a Running,
    poll: Poll,
    account: String,
    place: String,
}

impl<'a> PollSource<'a> {
    fn new(running: &'a Running, poll: Poll) -> Self {
        // Another secret is another account, with a count of its own.
        let account = running.adapter.egress.account(&poll);
        let place = format!("{}@{account}", poll.name);
        Self { running, poll, account, place }
    }

    /// One request, and everything that it brings. Gives the number of items, if they brought it further.
    async fn once(&self) -> Result<u64, Trouble> {
        let adapter = &self.running.adapter;
        let position = adapter.read(|reader| reader.polled(adapter.name(), &self.place));
        let position = position.map_err(|error| Trouble::Failing(error.to_string()))?;
        let body = adapter.egress.poll(&self.poll, position).await.map_err(|failure| match failure {
            PollFailure::NotSet(why) => Trouble::Refused(why),
            PollFailure::Transport(why) => Trouble::Failing(why),
            PollFailure::Status { status: 409, .. } => Trouble::Elsewhere,
            PollFailure::Status { status: 429, retry_after, .. } => Trouble::Slowed(retry_after),
            PollFailure::Status { status: status @ (400..=408 | 410..=428 | 430..=499), description, .. } => {
                Trouble::Refused(refusal(status, &description, &self.poll))
            }
            PollFailure::Status { status, description, retry_after } => match retry_after {
                Some(wait) => Trouble::Slowed(Some(wait)),
                None => Trouble::Failing(format!("status {status} {description}")),
            },
        })?;
        self.take(body, position).await
    }

    /// Hands the items to the lane, and moves on when all of them are kept.
    async fn take(&self, body: Bytes, position: Option<i64>) -> Result<u64, Trouble> {
        let received_ms = now_ms();
        let garbage = |why: String| Trouble::Failing(format!("its answer cannot be read: {why}"));
        let items = split_items(&self.poll.items, &body).map_err(|error| garbage(error.to_string()))?;
        let (mut newest, mut readable, mut unread) = (None, Vec::with_capacity(items.len()), Vec::new());
        for item in items {
            let context = Context {
                matches: item.matches,
                received_ms,
                account: Some(self.account.clone()),
                ..Context::default()
            };
            let evidence = Evidence::new(self.poll.name.clone(), item.bytes, context);
            let number = self.number(&evidence);
            let mut occurrence = Occurrence::with(Happening::Received { connection: None }, evidence, None);
            match number {
                Ok(number) => {
                    newest = newest.max(Some(number));
                    // The poll counts items, and rules name events: two spaces of ids.
                    let counted = format!("counted {number}");
                    occurrence.once = Some(once(&self.running.adapter, &occurrence, &counted));
                    readable.push(occurrence);
                }
                Err(why) => unread.push((occurrence, why)),
            }
        }
        let Some(newest) = newest else {
            // Nothing says how to go on behind what cannot be read.
            return unread.into_iter().next().map_or(Ok(0), |(_, why)| Err(garbage(why)));
        };
        let lane = &self.running.lane;
        let mut handled = Vec::new();
        for (occurrence, why) in unread {
            tracing::error!(adapter = %self.running.adapter.name(), source = self.poll.name, "an item cannot be read: {why}");
            handled.push(lane.bury_unread(occurrence, format!("it cannot be read: {why}")).await);
        }
        handled.extend(lane.handle_all(readable).await);
        for handled in &handled {
            // What was refused or failed for good is dealt with; what is busy must come again, and all after it.
            if let Handled::Busy(why) = handled {
                return Err(Trouble::Failing(why.clone()));
            }
        }
        let adapter = &self.running.adapter;
        let next = newest.saturating_add(self.poll.cursor.add);
        let mut transaction = Transaction::new(Lane::apart(adapter.name().clone()));
        transaction.polled = Some((self.place.clone(), next));
        let receipt = adapter.submit(transaction).ok_or_else(|| Trouble::Failing("the adapter was stopped".into()))?;
        receipt.await.map_err(|error| Trouble::Failing(error.to_string()))?;
        Ok(if Some(next) == position { 0 } else { handled.len() as u64 })
    }

    /// The integer by which the poll counts an item.
    fn number(&self, item: &Evidence) -> Result<i64, String> {
        let at = &self.poll.cursor.max;
        let document = item.document().map_err(ToString::to_string)?;
        let number = match document.at(at) {
            Some(Found::Integer(number)) => i64::try_from(number).ok(),
            _ => None,
        };
        number.ok_or_else(|| format!("it has no integer {}", at.as_str()))
    }
}

/// Why a platform says no, with the mend.
fn refusal(status: u16, description: &str, poll: &Poll) -> String {
    let secrets: Vec<_> = poll.url.secrets().into_iter().map(|name| format!("`{name}`")).collect();
    let mend = match (status, secrets.is_empty()) {
        (401 | 403 | 404, false) => {
            format!("; is the secret {} right? `sluicegate doctor` shows how to set it", secrets.join(", "))
        }
        _ => String::new(),
    };
    format!("the platform says {status} {description}{mend}")
}
