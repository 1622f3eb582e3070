//! Performing one action.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::Semaphore;

use super::permit::{conversation, kind, permit};
use crate::{
    adapters::Adapter,
    clock::now_ms,
    egress::Permit,
    evidence::Reading,
    files::KeptFile,
    journal::{Lane, PromptChange, Transaction},
    manifest::Action,
    sandbox::{Effects, Ended, Instance, types},
};

/// Actions of one adapter that may be under way at a time.
const AT_ONCE: usize = 8;

/// Instances that are kept for the next action.
const KEPT: usize = 2;

/// Why an action did not succeed. The texts are for Claude and the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// The adapter or its platform cannot do it.
    #[error("{0} cannot do this")]
    Unsupported(String),
    /// The input is wrong.
    #[error("the adapter refused it: {0}")]
    Invalid(String),
    /// The platform said no.
    #[error("the platform refused it (status {status}): {message}{}", .retry_after_ms.map_or_else(String::new, |ms| format!("; it may be tried again in {} s", ms.div_ceil(1000))))]
    Platform {
        /// The platform's status code.
        status: u16,
        /// Its words.
        message: String,
        /// When it may be tried again, if the platform said so.
        retry_after_ms: Option<u64>,
    },
    /// It was begun and its end is not known.
    #[error("it is not known whether this was done: {0}. Ask the user before trying again.")]
    Unknown(String),
    /// It was never begun.
    #[error("{0}")]
    NotBegun(String),
}

/// What the actions of one adapter share.
pub struct Pool {
    idle: Mutex<Vec<Instance>>,
    slots: Semaphore,
    orders: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl Default for Pool {
    fn default() -> Self {
        Self { idle: Mutex::default(), slots: Semaphore::new(AT_ONCE), orders: Mutex::default() }
    }
}

impl Pool {
    /// Drops idle instances; their memory is only a cache.
    pub fn rest(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The turn of a conversation, shared by all who wait for it.
    fn order(&self, conversation: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(order) = orders.get(conversation).and_then(Weak::upgrade) {
            return order;
        }
        orders.retain(|_, order| order.strong_count() > 0);
        let order = Arc::default();
        orders.insert(conversation.to_owned(), Arc::downgrade(&order));
        order
    }
}

/// What an action has done.
pub(super) struct Performed {
    /// In the platform's words where it named new messages, else in the adapter's.
    pub(super) outcome: types::Outcome,
    /// If the platform has taken a request for a prompt: the messages that it named.
    pub(super) asked: Option<Vec<String>>,
}

/// Has the adapter perform an action, and keeps what it leaves behind.
///
/// # Errors
/// [`ActionError`].
pub async fn perform(adapter: &Arc<Adapter>, action: types::Action) -> Result<types::Outcome, ActionError> {
    let permit = permit(&action);
    run(adapter, action, permit, None).await.map(|performed| performed.outcome)
}

/// Whether a message may be edited. Where prompts are shown, only what the host knows to have sent, by just that id: then
/// no other spelling of a prompt's id passes, and only the relay changes a prompt.
fn may_change(adapter: &Adapter, edit: &types::Edit) -> Result<(), ActionError> {
    let (name, conversation, message) = (adapter.name(), &edit.place.conversation, &edit.message);
    let known = adapter.read(|reader| {
        let sent = adapter.is_own_page() || !adapter.can_ask() || reader.sent(name, conversation, message)?;
        Ok((sent, reader.is_prompt(name, conversation, message)?))
    });
    match known {
        Ok((true, false)) => Ok(()),
        Ok((_, true)) => Err(ActionError::NotBegun("that is a permission prompt, which cannot be edited".into())),
        Ok((false, false)) => Err(ActionError::NotBegun(
            "no message of that id was sent there; give the message_id as it was answered when it was sent".into(),
        )),
        Err(error) => Err(ActionError::NotBegun(format!("it could not be looked up what that message is: {error}"))),
    }
}

/// Has the adapter perform an action within that permit. With a `subject` the new messages are permission prompts, which
/// is known of them before the next action of the conversation has its turn.
pub(super) async fn run(
    adapter: &Arc<Adapter>,
    action: types::Action,
    permit: Permit,
    subject: Option<&str>,
) -> Result<Performed, ActionError> {
    let kind = kind(&action);
    if kind.is_some_and(|kind| !adapter.program.contract.manifest.actions.contains(&kind)) {
        return Err(ActionError::Unsupported(adapter.name().to_string()));
    }
    if !adapter.is_live() {
        return Err(ActionError::NotBegun(format!("{} does not run any more", adapter.name())));
    }
    adapter.used();
    let order = conversation(&action).map(|conversation| adapter.actions.order(conversation));
    let _turn = match &order {
        Some(order) => Some(order.lock().await),
        None => None,
    };
    let closed = |_| ActionError::NotBegun("Sluicegate is stopping".into());
    let _slot = adapter.actions.slots.acquire().await.map_err(closed)?;
    // Its turn may have come after its end.
    if !adapter.is_live() {
        return Err(ActionError::NotBegun(format!("{} does not run any more", adapter.name())));
    }
    if let types::Action::Edit(edit) = &action {
        may_change(adapter, edit)?;
    }
    let idle = adapter.actions.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut instance = match idle {
        Some(instance) => instance,
        None => adapter.program.instantiate().await.map_err(|error| ActionError::NotBegun(error.to_string()))?,
    };
    // A dropped future takes the instance along; on an error it is dropped here.
    let ended = match instance.perform(permit, Arc::clone(adapter) as _, &action).await {
        Ok(ended) => ended,
        Err(error) => {
            tracing::warn!(adapter = %adapter.name(), "an action failed: {error}");
            let effects = Effects { traces: instance.take_traces(), ..Effects::default() };
            keep(adapter, effects, subject).await?;
            return Err(ActionError::Unknown(error.to_string()));
        }
    };
    if adapter.program.reuses_instances() {
        let mut idle = adapter.actions.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(instance);
        }
    }
    let Ended { returned, mut effects } = ended;
    let traces = &mut effects.traces;
    let (open, downloaded) = (traces.open.take(), std::mem::take(&mut traces.downloaded));
    let outcome = match returned {
        Ok(outcome) => outcome,
        Err(failure) => {
            // What has left is ours, whatever became of the rest.
            keep(adapter, Effects { traces: effects.traces, ..Effects::default() }, subject).await?;
            return Err(match (open, failure) {
                // The adapter's word for it does not say that the platform may have done it.
                (Some(reason), _) => ActionError::Unknown(reason),
                (None, types::Failure::Unsupported) => ActionError::Unsupported(adapter.name().to_string()),
                (None, types::Failure::Invalid(reason)) => ActionError::Invalid(reason),
                (None, types::Failure::Platform(types::PlatformFailure { status, message, retry_after_ms })) => {
                    ActionError::Platform { status, message, retry_after_ms }
                }
            });
        }
    };
    // What the platform itself said comes before the adapter's word.
    let ids: Vec<_> = effects.traces.sent.iter().map(|(_, id)| id.clone()).collect();
    let has_asked = kind == Some(Action::Ask) && effects.traces.asked;
    keep(adapter, effects, subject).await?;
    let asked = has_asked.then(|| ids.clone());
    let outcome = match outcome {
        // A file that this very call has fetched, and no other.
        types::Outcome::Kept(kept) if !downloaded.contains(&kept.file) => {
            return Err(ActionError::Invalid("the adapter names a file that it did not fetch for this".into()));
        }
        _ if !ids.is_empty() => types::Outcome::Sent(ids),
        outcome => outcome,
    };
    Ok(Performed { outcome, asked })
}

/// Has the adapter fetch the attachment of that reference.
///
/// # Errors
/// [`ActionError`].
pub async fn fetch(adapter: &Arc<Adapter>, reference: String) -> Result<KeptFile, ActionError> {
    match perform(adapter, types::Action::Fetch(reference)).await? {
        types::Outcome::Kept(kept) => {
            let file = adapter.files.get(&kept.file);
            file.ok_or_else(|| ActionError::Invalid("the file has since made room for others".into()))
        }
        _ => Err(ActionError::Invalid("the adapter fetched nothing".into())),
    }
}

/// Keeps state and timers; the frames leave after the commit.
async fn keep(adapter: &Arc<Adapter>, effects: Effects, subject: Option<&str>) -> Result<(), ActionError> {
    if effects.state.is_empty() && effects.timers.is_empty() && effects.traces.sent.is_empty() {
        adapter.send_frames(effects.frames);
        return Ok(());
    }
    let most = adapter.program.limits.state_kib << 10;
    let size = adapter.state_size_with(&effects.state).map_err(|error| ActionError::Unknown(error.to_string()))?;
    if size > most && effects.state.values().any(Option::is_some) {
        let reason = format!("what it changed was not kept: its state is full ({most} bytes, the limit `state-kib`)");
        tracing::warn!(adapter = %adapter.name(), "{reason}");
        return Err(ActionError::Unknown(reason));
    }
    let now = now_ms();
    let mut transaction = Transaction::new(Lane::apart(adapter.name().clone()));
    transaction.timers = effects
        .timers
        .into_iter()
        .map(|(name, after)| (name, after.map(|after| now.saturating_add(i64::from(after)))))
        .collect();
    transaction.state = effects.state.into_iter().collect();
    if let Some(subject) = subject {
        let prompts = effects.traces.sent.iter().map(|(conversation, id)| shown(conversation, id, subject));
        transaction.prompts = prompts.collect();
    }
    transaction.sent = effects.traces.sent;
    let Some(receipt) = adapter.submit(transaction) else {
        return Err(ActionError::Unknown("the adapter was stopped meanwhile".into()));
    };
    let committed = receipt.await;
    committed.map_err(|error| ActionError::Unknown(format!("what it changed could not be kept: {error}")))?;
    adapter.timers.notify_one();
    adapter.send_frames(effects.frames);
    Ok(())
}

/// Keeps what became of prompts.
///
/// # Errors
/// [`ActionError::Unknown`] if that could not be kept.
pub async fn keep_prompts(adapter: &Adapter, changes: Vec<PromptChange>) -> Result<(), ActionError> {
    let mut transaction = Transaction::new(Lane::apart(adapter.name().clone()));
    transaction.prompts = changes;
    let receipt = adapter.submit(transaction);
    let receipt = receipt.ok_or_else(|| ActionError::Unknown("the adapter was stopped meanwhile".into()))?;
    receipt.await.map(drop).map_err(|error| ActionError::Unknown(format!("it could not be kept: {error}")))
}

pub(super) fn shown(conversation: &str, message: &str, subject: &str) -> PromptChange {
    let (conversation, message, subject) = (conversation.to_owned(), message.to_owned(), subject.to_owned());
    PromptChange::Shown { conversation, message, subject }
}

/// Has the adapter say something of the host's.
///
/// # Errors
/// [`ActionError`].
pub async fn say(adapter: &Arc<Adapter>, place: types::Place, text: String) -> Result<(), ActionError> {
    let text = types::RichText { text, spans: Vec::new() };
    let send = types::Outgoing { place, reply_to: None, text, files: Vec::new() };
    perform(adapter, types::Action::Send(send)).await.map(drop)
}

/// Has the adapter say something of the host's to whoever wrote, without waiting for it. Adapters that cannot
/// send stay silent.
pub fn tell(adapter: &Arc<Adapter>, reading: &Reading, text: String) {
    if !adapter.program.contract.manifest.actions.contains(&Action::Send) {
        return;
    }
    let place = types::Place { conversation: reading.conversation.clone(), thread: reading.thread.clone() };
    let adapter = Arc::clone(adapter);
    tokio::spawn(async move {
        if let Err(error) = say(&adapter, place, text).await {
            tracing::warn!(adapter = %adapter.name(), "the host's message was not sent: {error}");
        }
    });
}
