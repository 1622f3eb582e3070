//! What people see while Claude works: a reaction on receipt, and that an answer is being written.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{runtime::Handle, task::AbortHandle, time::Instant};

use super::perform;
use crate::{
    adapters::Adapter,
    manifest::Action,
    message::{Kind, Message},
    sandbox::types,
};

/// Platforms show that somebody writes for about five seconds.
const AGAIN: Duration = Duration::from_millis(4500);

/// How long it is shown without an answer: nobody says when Claude decides to give none.
const LONGEST: Duration = Duration::from_secs(180);

/// Where answers are being written.
pub struct Presence {
    runtime: Handle,
    writing: Mutex<HashMap<(String, Option<String>), AbortHandle>>,
}

impl Presence {
    /// Nobody waits yet. What it starts runs on the runtime that this is called on.
    #[must_use]
    pub fn new() -> Self {
        Self { runtime: Handle::current(), writing: Mutex::default() }
    }

    /// An answer to that conversation is on its way: nothing is being written any more.
    pub fn answered(&self, conversation: &str) {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        writing.retain(|(there, _), task| {
            let elsewhere = there != conversation;
            if !elsewhere {
                task.abort();
            }
            elsewhere && !task.is_finished()
        });
    }
}

impl Default for Presence {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let writing = self.writing.get_mut().unwrap_or_else(PoisonError::into_inner);
        writing.values().for_each(AbortHandle::abort);
    }
}

/// A message that was kept and will be shown to Claude.
pub struct Heard {
    place: types::Place,
    message: String,
}

impl Heard {
    /// What people wrote; edits and reactions are taken in without a word.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        let place = types::Place { conversation: message.conversation.clone(), thread: message.thread.clone() };
        (message.kind == Kind::Message).then(|| Self { place, message: message.message_id.clone() })
    }
}

/// Shows the senders that their messages have come. Returns at once, on any thread.
pub fn acknowledge(adapter: &Arc<Adapter>, heard: Vec<Heard>) {
    let actions = &adapter.program.contract.manifest.actions;
    let (reacts, types) = (actions.contains(&Action::React), actions.contains(&Action::Typing));
    if heard.is_empty() || !(reacts || types) {
        return;
    }
    if types {
        let mut writing = adapter.presence.writing.lock().unwrap_or_else(PoisonError::into_inner);
        for Heard { place, .. } in &heard {
            let task = adapter.presence.runtime.spawn(keep_writing(Arc::clone(adapter), place.clone()));
            let before = writing.insert((place.conversation.clone(), place.thread.clone()), task.abort_handle());
            before.iter().for_each(AbortHandle::abort);
        }
    }
    if reacts {
        adapter.presence.runtime.spawn(react(Arc::clone(adapter), heard));
    }
}

async fn keep_writing(adapter: Arc<Adapter>, place: types::Place) {
    let until = Instant::now() + LONGEST;
    while Instant::now() < until {
        if let Err(error) = perform(&adapter, types::Action::Typing(place.clone())).await {
            tracing::debug!(adapter = %adapter.name(), "it was not shown that an answer is being written: {error}");
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn react(adapter: Arc<Adapter>, heard: Vec<Heard>) {
    let Some(emoji) = adapter.gate.settings().ack_reaction else { return };
    for Heard { place, message } in heard {
        let reaction = types::Reaction { place, message, emoji: emoji.clone() };
        if let Err(error) = perform(&adapter, types::Action::React(reaction)).await {
            tracing::warn!(adapter = %adapter.name(), "the reaction on receipt was not made: {error}");
            return;
        }
    }
}
