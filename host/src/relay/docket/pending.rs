//! A request that waits, and the prompts that show it.

use super::{Approver, Open, Presented, Terms, Ticket};
use crate::{
    name::AdapterName,
    relay::{AskId, Codes, Repeated, Request, Token, live::Letters},
};

/// What is kept of what one prompt has shown; the oldest is forgotten first.
pub(super) const MOST_VIEWS: usize = 8;

/// A request that waits.
pub(super) struct Pending {
    pub(super) ticket: Ticket,
    pub(super) request: Request,
    pub(super) terms: Terms,
    pub(super) asks: Vec<Ask>,
    /// What of the request a prompt may show.
    pub(super) letters: Letters,
}

impl Pending {
    pub(super) fn new(ticket: Ticket, request: Request, terms: Terms) -> Self {
        let letters = Letters::of(&[&*request.tool, &*request.description, &*request.preview].concat());
        Self { ticket, request, terms, asks: Vec::new(), letters }
    }

    pub(super) fn open(&self) -> Vec<Open> {
        self.asks.iter().map(Ask::open).collect()
    }
}

/// One approver's prompt.
pub(super) struct Ask {
    pub(super) id: AskId,
    pub(super) approver: Approver,
    pub(super) codes: Codes,
    pub(super) standing: Standing,
    /// It is being rewritten, so it is not known what it shows.
    pub(super) changing: bool,
    /// Its approver has allowed the request, which takes another one.
    pub(super) allowed: bool,
    /// What it has shown, in that order.
    pub(super) views: Vec<Seen>,
}

/// Whether a prompt can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is not known to be sent.
    UnderWay,
    /// What is received from then on may answer it.
    Sent { since_ms: i64 },
    /// It cannot.
    Void,
}

/// What a prompt has shown since a time.
pub(super) struct Seen {
    pub(super) message: String,
    presented: Presented,
    since_ms: i64,
}

impl Seen {
    /// Whether the button hung on it.
    pub(super) fn offers(&self, token: &Token) -> bool {
        self.presented.choices.iter().any(|choice| choice.token == token.as_str())
    }

    /// Whether it is what the platform repeats, as far as its rule names a place for that. Platforms trim white space
    /// and change line breaks; everything else is compared as it is.
    pub(super) fn reads_as(&self, repeated: &Repeated) -> bool {
        let same = |text: &String| text.split_whitespace().eq(self.presented.text.split_whitespace());
        let text = repeated.text.as_ref().is_none_or(same);
        text && repeated.choices.as_ref().is_none_or(|choices| *choices == self.presented.choices)
    }
}

impl Ask {
    pub(super) const fn new(id: AskId, approver: Approver, codes: Codes) -> Self {
        Self { id, approver, codes, standing: Standing::UnderWay, changing: false, allowed: false, views: Vec::new() }
    }

    pub(super) fn is_of(&self, adapter: &AdapterName, sender: &str) -> bool {
        self.approver.adapter == *adapter && self.approver.sender == sender
    }

    pub(super) fn shown(&mut self, message: String, presented: Presented, now_ms: i64) {
        match self.standing {
            Standing::Void => return,
            Standing::UnderWay => self.standing = Standing::Sent { since_ms: now_ms },
            Standing::Sent { .. } => {}
        }
        self.changing = false;
        if self.views.last().is_some_and(|last| last.message == message && last.presented == presented) {
            return;
        }
        if self.views.len() == MOST_VIEWS {
            self.views.remove(0);
        }
        self.views.push(Seen { message, presented, since_ms: now_ms });
    }

    pub(super) fn void(&mut self) {
        (self.standing, self.allowed) = (Standing::Void, false);
    }

    /// Whether what is shown last offers to allow.
    pub(super) fn offers_allow(&self) -> bool {
        !self.changing && self.views.last().is_some_and(|last| last.presented.allow)
    }

    /// Whether what was shown at that time offered to allow, and everything that was shown since.
    pub(super) fn offered_allow_since(&self, time_ms: i64) -> bool {
        let at = self.views.iter().rposition(|view| view.since_ms <= time_ms);
        self.offers_allow() && at.is_some_and(|at| self.views[at..].iter().all(|view| view.presented.allow))
    }

    fn open(&self) -> Open {
        Open {
            ask: self.id,
            approver: self.approver.clone(),
            message: self.views.last().map(|view| view.message.clone()),
            answered: self.allowed,
        }
    }
}
