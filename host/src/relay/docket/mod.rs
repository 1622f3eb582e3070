//! The docket: the requests that wait, who was asked, and which answer counts.
//!
//! Everything that decides is here, as plain data and rules: no input, no output, no clock. Times are milliseconds
//! since the Unix epoch and are handed in. Whatever does not fit (an ask that was not sent, a message that reads
//! otherwise, a sender who guesses) counts for nothing; no attempt that is refused changes anything but how often its
//! sender has tried and was noted.

mod judge;
mod past;
mod pending;
mod tries;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::{collections::HashSet, fmt, sync::Arc};

pub use judge::Judged;

use self::{
    past::Past,
    pending::{Ask, Pending, Standing},
    tries::Tries,
};
use super::{AskId, Choice, Code, Codes, Live, Request, Shown, Why};
use crate::name::AdapterName;

/// Requests that wait at a time.
const MOST_WAITING: usize = 32;
/// Approvers that one request is taken to.
const MOST_ASKS: usize = 64;

/// Somebody who may answer, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approver {
    /// Through which adapter.
    pub adapter: AdapterName,
    /// Their immutable id on the platform.
    pub sender: String,
    /// Their direct conversation.
    pub conversation: String,
}

/// What it takes to allow a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How many different approvers must allow it: 1 or 2. One who denies is enough.
    pub approvers: u8,
    /// From this millisecond since the Unix epoch on nothing is accepted.
    pub expires_ms: i64,
}

/// The host's own name of a request, which says nothing about it. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ticket(Arc<str>);

impl Ticket {
    /// The name, for the record: `p-` and eight hexadecimal digits.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.0
    }

    /// A name for the record of a request that never gets a ticket.
    #[must_use]
    pub fn label_of_nothing() -> String {
        draw().unwrap_or_else(|_| "p-00000000".into())
    }
}

fn draw() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)?;
    Ok(format!("p-{}", hex::encode(bytes)))
}

/// What one approver was asked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which prompt.
    pub ask: AskId,
    /// What it is answered with.
    pub codes: Codes,
}

/// What a message shows, as the host wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// Its text.
    pub text: String,
    /// Its buttons in their order.
    pub choices: Vec<Choice>,
    /// Whether everything is shown that whoever allows it must have seen.
    pub allow: bool,
}

impl Presented {
    /// What the host's rendering becomes on the platform.
    #[must_use]
    pub fn of(shown: &Shown) -> Self {
        Self { text: shown.text.text.clone(), choices: shown.choices.clone(), allow: shown.allow }
    }
}

/// Shows no text: the code is in it.
impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("choices", &self.choices).field("allow", &self.allow).finish_non_exhaustive()
    }
}

/// A request that does not wait any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its name.
    pub ticket: Ticket,
    /// What Claude Code had asked.
    pub request: Request,
    /// Everybody who was asked.
    pub asks: Vec<Open>,
}

/// A prompt and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Which one.
    pub ask: AskId,
    /// Whose it is.
    pub approver: Approver,
    /// The platform's id of the message that shows it; none if it was never shown.
    pub message: Option<String>,
    /// Whether this approver's answer counted.
    pub answered: bool,
}

/// Why a request cannot wait. Then the terminal decides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// Too many wait.
    #[error("{MOST_WAITING} requests wait already: answer some of them at the terminal")]
    TooMany,
    /// Claude Code has asked under this name, and that waits.
    #[error("a request of the same name waits already")]
    Twice,
    /// Nobody or more than two would have to allow it.
    #[error("a request takes one or two approvers, not {0}")]
    Approvers(u8),
    /// There is no time to answer.
    #[error("the request would have expired already: see `expiry` in config.toml")]
    Expired,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Chance(getrandom::Error),
}

/// Why somebody cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// It waits no more.
    #[error("the request does not wait any more")]
    Ended,
    /// They were asked already.
    #[error("this approver was asked already")]
    Twice,
    /// Too many were asked.
    #[error("{MOST_ASKS} approvers were asked already")]
    TooMany,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Chance(getrandom::Error),
}

/// The requests of one session that wait, and what is remembered of those that ended lately.
///
/// Its size is bounded, whoever tries what.
pub struct Docket {
    live: Arc<Live>,
    /// The oldest first.
    waiting: Vec<Pending>,
    past: Past,
    tries: Tries,
    next_ask: u64,
}

impl Docket {
    /// Nothing waits. What `live` holds is this docket's alone.
    #[must_use]
    pub fn new(live: Arc<Live>) -> Self {
        Self { live, waiting: Vec::new(), past: Past::default(), tries: Tries::default(), next_ask: 1 }
    }

    /// Lets a request wait for its approvers. Nobody is asked yet.
    ///
    /// # Errors
    /// [`NotOpened`]; nothing has changed then. Older requests never make room.
    pub fn open(&mut self, request: Request, terms: Terms, now_ms: i64) -> Result<Ticket, NotOpened> {
        self.past.forget(now_ms);
        if !matches!(terms.approvers, 1 | 2) {
            return Err(NotOpened::Approvers(terms.approvers));
        }
        if terms.expires_ms <= now_ms {
            return Err(NotOpened::Expired);
        }
        if self.waiting.len() >= MOST_WAITING {
            return Err(NotOpened::TooMany);
        }
        if self.waiting.iter().any(|pending| pending.request.id == request.id) {
            return Err(NotOpened::Twice);
        }
        let ticket = loop {
            let ticket = Ticket(draw().map_err(NotOpened::Chance)?.into());
            if !self.waiting.iter().any(|pending| pending.ticket == ticket) && !self.past.knows(&ticket) {
                break ticket;
            }
        };
        self.waiting.push(Pending::new(ticket.clone(), request, terms));
        Ok(ticket)
    }

    /// Makes a code and tokens for one approver and one request. From now on no request but this prompt's may carry
    /// them; they are good for an answer once it is [`shown`](Self::shown).
    ///
    /// # Errors
    /// [`NotAsked`]; nothing has changed then.
    pub fn ask(&mut self, ticket: &Ticket, approver: Approver) -> Result<Asked, NotAsked> {
        let at = self.find(ticket).ok_or(NotAsked::Ended)?;
        let pending = &self.waiting[at];
        if pending.asks.iter().any(|ask| ask.is_of(&approver.adapter, &approver.sender)) {
            return Err(NotAsked::Twice);
        }
        if pending.asks.len() >= MOST_ASKS {
            return Err(NotAsked::TooMany);
        }
        let taken: HashSet<Code> = self.codes().chain(self.past.codes()).map(|codes| codes.code.clone()).collect();
        let codes = loop {
            let codes = Codes::mint(&taken).map_err(NotAsked::Chance)?;
            // A prompt shows the request; another's code that happened to be in it would keep the prompt from leaving.
            if !pending.letters.carry_code(&codes.code) {
                break codes;
            }
        };
        let ask = AskId(self.next_ask);
        self.next_ask += 1;
        self.live.add(ask, codes.clone());
        self.waiting[at].asks.push(Ask::new(ask, approver, codes.clone()));
        Ok(Asked { ask, codes })
    }

    /// The prompt is on the platform, in that message. `now_ms` is, for the first time, when sending it began: what was
    /// received before is no answer to it. Later it is when it was shown otherwise, and what it showed before is still
    /// known: a press may cross a rewrite. An allow counts only if what is shown last offers it.
    pub fn shown(&mut self, ask: AskId, message: String, presented: Presented, now_ms: i64) {
        if let Some(ask) = self.ask_mut(ask) {
            ask.shown(message, presented, now_ms);
        }
    }

    /// The prompt could not be sent: its codes are good for nothing, then and for ever.
    pub fn unsent(&mut self, ask: AskId) {
        self.live.remove(ask);
        if let Some(ask) = self.ask_mut(ask) {
            ask.void();
        }
    }

    /// The prompt is about to be shown otherwise. Until [`shown`](Self::shown) or [`unchanged`](Self::unchanged) says
    /// what is shown, no allow counts.
    pub fn changing(&mut self, ask: AskId) {
        if let Some(ask) = self.ask_mut(ask) {
            ask.changing = true;
        }
    }

    /// It is shown as before.
    pub fn unchanged(&mut self, ask: AskId) {
        if let Some(ask) = self.ask_mut(ask) {
            ask.changing = false;
        }
    }

    /// Whoever it was is no approver any more: nothing of theirs is asked or counts, nor what they had allowed.
    pub fn withdraw(&mut self, adapter: &AdapterName, sender: &str) {
        for ask in self.waiting.iter_mut().flat_map(|pending| &mut pending.asks).filter(|a| a.is_of(adapter, sender)) {
            self.live.remove(ask.id);
            ask.void();
        }
    }

    /// Ends a request that was answered elsewhere, or that nobody waits for; none if it does not wait.
    pub fn end(&mut self, ticket: &Ticket) -> Option<Ended> {
        let at = self.find(ticket)?;
        Some(self.take(at, &Why::Decided, None))
    }

    /// Ends the requests that have expired.
    pub fn due(&mut self, now_ms: i64) -> Vec<Ended> {
        self.past.forget(now_ms);
        let mut ended = Vec::new();
        while let Some(at) = self.waiting.iter().position(|pending| pending.terms.expires_ms <= now_ms) {
            ended.push(self.take(at, &Why::Expired, Some(now_ms)));
        }
        ended
    }

    /// When the next request expires.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        self.waiting.iter().map(|pending| pending.terms.expires_ms).min()
    }

    /// The requests that wait, the oldest first.
    #[must_use]
    pub fn waiting(&self) -> Vec<Ticket> {
        self.waiting.iter().map(|pending| pending.ticket.clone()).collect()
    }

    /// Everybody who was asked about a request that waits, in that order.
    #[must_use]
    pub fn asks(&self, ticket: &Ticket) -> Vec<Open> {
        self.find(ticket).map_or_else(Vec::new, |at| self.waiting[at].open())
    }

    /// The messages of an adapter that show prompts of requests that wait: conversation and message.
    #[must_use]
    pub fn messages(&self, adapter: &AdapterName) -> HashSet<(String, String)> {
        let asks = self.waiting.iter().flat_map(|pending| &pending.asks).filter(|ask| ask.approver.adapter == *adapter);
        asks.flat_map(|ask| ask.views.iter().map(|view| (ask.approver.conversation.clone(), view.message.clone())))
            .collect()
    }

    fn find(&self, ticket: &Ticket) -> Option<usize> {
        self.waiting.iter().position(|pending| pending.ticket == *ticket)
    }

    fn ask_mut(&mut self, ask: AskId) -> Option<&mut Ask> {
        self.waiting.iter_mut().flat_map(|pending| &mut pending.asks).find(|other| other.id == ask)
    }

    fn codes(&self) -> impl Iterator<Item = &Codes> {
        self.waiting.iter().flat_map(|pending| &pending.asks).map(|ask| &ask.codes)
    }

    /// Takes a request out. Its codes are good for nothing from here on, and are known for a while.
    fn take(&mut self, at: usize, why: &Why, now_ms: Option<i64>) -> Ended {
        let pending = self.waiting.remove(at);
        for ask in &pending.asks {
            self.live.remove(ask.id);
        }
        let asks = pending.open();
        let Pending { ticket, request, asks: over, .. } = pending;
        for Ask { approver, codes, .. } in over {
            self.past.add(ticket.clone(), approver, codes, why.clone(), now_ms);
        }
        Ended { ticket, request, asks }
    }
}
