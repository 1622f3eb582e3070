//! Brings prompts to approvers: those of one conversation one after another, in the order in which they were handed over.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use tokio::sync::{mpsc, oneshot};

use super::{
    AskId, Presented, Relay, Shown,
    record::{Entry, What},
};
use crate::{
    actions::{self, ActionError},
    adapters::Adapter,
    clock::now_ms,
    journal::PromptChange,
    name::AdapterName,
    registry::Registry,
    sandbox::types,
    text::RichText,
};

/// One prompt on its way.
pub(super) struct Errand {
    /// Which prompt.
    pub(super) ask: AskId,
    /// The host's name of the request.
    pub(super) request: String,
    /// What is done.
    pub(super) what: Doing,
}

/// What is done with a prompt.
pub(super) enum Doing {
    /// It is sent for the first time.
    Ask {
        /// To whom.
        sender: String,
        /// What it shows.
        shown: Box<Shown>,
        /// What is kept of the request, so that a later process can close the prompt.
        subject: String,
    },
    /// It is shown otherwise.
    Again(Box<Shown>),
    /// It decides nothing any more, and says so.
    Close(RichText),
}

/// Where something goes: an adapter's conversation.
pub(super) type Address = (AdapterName, String);

/// All couriers; there is one for each conversation.
pub(super) struct Couriers {
    relay: Arc<Relay>,
    registry: Arc<Registry>,
    ways: HashMap<Address, mpsc::UnboundedSender<Handed>>,
}

enum Handed {
    Errand(Errand),
    /// Told when everything before it is done.
    Mark(oneshot::Sender<()>),
    /// A prompt of an earlier process, which decides nothing any more.
    Stray {
        message: String,
        text: RichText,
    },
}

impl Couriers {
    pub(super) fn new(relay: Arc<Relay>, registry: Arc<Registry>) -> Self {
        Self { relay, registry, ways: HashMap::new() }
    }

    /// Sends somebody on an errand.
    pub(super) fn send(&mut self, to: &Address, errand: Errand) {
        self.hand(to, Handed::Errand(errand));
    }

    /// Closes a prompt that an earlier process left open.
    pub(super) fn close_stray(&mut self, to: &Address, message: String, text: RichText) {
        self.hand(to, Handed::Stray { message, text });
    }

    /// Waits until everything that was handed over is done.
    pub(super) async fn done(&mut self) {
        let marks: Vec<_> = self
            .ways
            .values()
            .filter_map(|way| {
                let (mark, done) = oneshot::channel();
                way.send(Handed::Mark(mark)).ok().map(|()| done)
            })
            .collect();
        for mark in marks {
            // A courier that is gone does nothing any more.
            let _ = mark.await;
        }
    }

    fn hand(&mut self, to: &Address, handed: Handed) {
        let way = self.ways.entry(to.clone()).or_insert_with(|| {
            let (way, errands) = mpsc::unbounded_channel();
            let courier = Courier {
                relay: Arc::clone(&self.relay),
                registry: Arc::downgrade(&self.registry),
                to: to.clone(),
                delivered: HashMap::new(),
            };
            tokio::spawn(courier.run(errands));
            way
        });
        // It ends with the desk alone.
        let _ = way.send(handed);
    }
}

/// The courier of one conversation.
struct Courier {
    relay: Arc<Relay>,
    registry: Weak<Registry>,
    to: Address,
    /// The messages of the prompts that are open.
    delivered: HashMap<AskId, String>,
}

impl Courier {
    async fn run(mut self, mut errands: mpsc::UnboundedReceiver<Handed>) {
        while let Some(handed) = errands.recv().await {
            match handed {
                Handed::Errand(errand) => self.go(errand).await,
                Handed::Stray { message, text } => self.close(message, text).await,
                // Whoever asked may have given up.
                Handed::Mark(mark) => drop(mark.send(())),
            }
        }
    }

    async fn go(&mut self, Errand { ask, request, what }: Errand) {
        match what {
            Doing::Ask { sender, shown, subject } => self.ask(ask, request, sender, *shown, subject).await,
            Doing::Again(shown) => self.again(ask, *shown).await,
            Doing::Close(text) => {
                if let Some(message) = self.delivered.remove(&ask) {
                    self.close(message, text).await;
                }
            }
        }
    }

    async fn ask(&mut self, ask: AskId, request: String, sender: String, shown: Shown, subject: String) {
        let began = now_ms();
        let presented = Presented::of(&shown);
        let sent = match self.adapter() {
            Ok(adapter) => actions::ask(&adapter, ask, self.prompt(None, shown), &subject).await,
            Err(why) => Err(why),
        };
        let (adapter, conversation) = self.to.clone();
        let what = match sent {
            Ok(message) => {
                self.relay.docket().shown(ask, message.clone(), presented, began);
                self.delivered.insert(ask, message.clone());
                What::Asked { adapter, sender, conversation, message }
            }
            Err(error) => {
                self.relay.docket().unsent(ask);
                tracing::warn!(%adapter, "a permission prompt was not sent: {error}");
                What::NotSent { adapter, sender, why: error.to_string() }
            }
        };
        self.relay.look_again();
        self.relay.note(vec![Entry::of(Some(&request), what)]);
    }

    async fn again(&mut self, ask: AskId, shown: Shown) {
        let Some(message) = self.delivered.get(&ask).cloned() else { return };
        let presented = Presented::of(&shown);
        // A press may come before the platform's answer does; it counts by what that answer says is shown.
        self.relay.docket().changing(ask);
        let rewritten = match self.adapter() {
            Ok(adapter) => actions::ask_again(&adapter, ask, self.prompt(Some(message.clone()), shown)).await,
            Err(why) => Err(why),
        };
        match rewritten {
            Ok(()) => self.relay.docket().shown(ask, message, presented, now_ms()),
            Err(error) => {
                self.relay.docket().unchanged(ask);
                tracing::warn!(adapter = %self.to.0, "a permission prompt was not shown in full: {error}");
            }
        }
        self.relay.look_again();
    }

    /// Says on the prompt how it ended; where it cannot be changed, below it.
    async fn close(&mut self, message: String, text: RichText) {
        let closed = match self.adapter() {
            Ok(adapter) => {
                let shown = Shown::closed(text.clone());
                match actions::close(&adapter, self.prompt(Some(message.clone()), shown)).await {
                    Err(ActionError::Unsupported(_)) => actions::say(&adapter, self.place(), text.text).await,
                    done => done,
                }
            }
            Err(why) => Err(why),
        };
        if let Err(error) = &closed {
            tracing::warn!(adapter = %self.to.0, "a permission prompt was not closed: {error}");
        }
        // What the platform refuses for good, it refuses the next time too: the message is gone, or the person.
        let for_good = |error: &ActionError| matches!(error, ActionError::Platform { status, .. } if (400..500).contains(status) && *status != 429);
        if closed.as_ref().err().is_none_or(for_good) {
            self.note(PromptChange::Closed { conversation: self.to.1.clone(), message }).await;
        }
    }

    fn adapter(&self) -> Result<Arc<Adapter>, ActionError> {
        let running = self.registry.upgrade().and_then(|registry| registry.get(&self.to.0));
        running
            .map(|running| Arc::clone(&running.adapter))
            .ok_or_else(|| ActionError::NotBegun(format!("{} does not run any more", self.to.0)))
    }

    fn place(&self) -> types::Place {
        types::Place { conversation: self.to.1.clone(), thread: None }
    }

    fn prompt(&self, replaces: Option<String>, shown: Shown) -> types::Prompt {
        let choice = |choice: super::Choice| types::Choice { label: choice.label, token: choice.token };
        types::Prompt {
            place: self.place(),
            replaces,
            text: actions::spoken(shown.text),
            choices: shown.choices.into_iter().map(choice).collect(),
        }
    }

    async fn note(&self, change: PromptChange) {
        let Ok(adapter) = self.adapter() else { return };
        if let Err(error) = actions::keep_prompts(&adapter, vec![change]).await {
            tracing::error!(adapter = %self.to.0, "a permission prompt could not be noted: {error}");
        }
    }
}
