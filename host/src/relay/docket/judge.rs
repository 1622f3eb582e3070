//! Which attempt counts. One after another the rules of [`Why`]; then what came together is settled together.

use std::collections::HashMap;

use super::{Ask, Docket, Ended, Pending, Standing, Ticket, tries::who};
use crate::{
    message::TextBy,
    relay::{AskId, Attempt, By, Code, Codes, Repeated, Token, Verdict, Why},
};

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// It decides the request, which has ended.
    Decided {
        /// Which one.
        ticket: Ticket,
        /// What is decided.
        verdict: Verdict,
        /// By the answer to which prompt.
        ask: AskId,
        /// What there was.
        ended: Ended,
    },
    /// It allows a request that takes another approver besides.
    Counted {
        /// Which one.
        ticket: Ticket,
        /// By the answer to which prompt.
        ask: AskId,
    },
    /// This approver wants to see everything. Nothing has changed.
    More {
        /// Which request.
        ticket: Ticket,
        /// In which prompt.
        ask: AskId,
    },
    /// It counts for nothing.
    Refused {
        /// The first rule that it breaks.
        why: Why,
        /// The request whose code or token it has, whoever's that is.
        ticket: Option<Ticket>,
        /// Whether it is worth a line in the record; false if there are many of this sender lately.
        noted: bool,
    },
}

/// An attempt that keeps every rule.
struct Valid {
    ticket: Ticket,
    ask: AskId,
    says: Says,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Verdict(Verdict),
    More,
}

/// An attempt that does not.
struct Refusal {
    why: Why,
    ticket: Option<Ticket>,
}

impl Docket {
    /// Judges attempts that came together, in their order; gives as many answers. A deny that counts decides its
    /// request whatever else is said of it in the same batch; otherwise the first answers win.
    ///
    /// An attempt counts only if
    /// - its rule is vetted, its event is no revived one, its sender is an approver now, and it was said directly;
    /// - its sender has made fewer than five wrong tries within ten minutes, while something waited for them;
    /// - typed: it is the sender's own new message and nothing else, answers no message but the prompt, and the access
    ///   settings take typed ones; the code waits and is theirs, in that conversation;
    /// - pressed: the token waits and is theirs, in that conversation, on the prompt's own message, which offered that
    ///   button and reads as the host wrote it, as far as the platform repeats it;
    /// - it was received after the prompt was sent, and the request has not expired, then and now;
    /// - for an allow: what is shown last offers it; typed, also what was shown when it was received.
    ///
    /// Where two must allow, they are two senders of different ids: the same id through two adapters is taken for one
    /// person. Two accounts of one person cannot be told apart from two people. Whoever has allowed may still deny.
    pub fn judge(&mut self, attempts: &[Attempt], now_ms: i64) -> Vec<Judged> {
        self.past.forget(now_ms);
        let read: Vec<_> = attempts.iter().map(|attempt| self.read(attempt, now_ms)).collect();
        let mut denied = HashMap::new();
        for (at, valid) in read.iter().enumerate() {
            if let Ok(Valid { ticket, says: Says::Verdict(Verdict::Deny), .. }) = valid {
                denied.entry(ticket.clone()).or_insert(at);
            }
        }
        let settle = |(at, (attempt, read)): (usize, (&Attempt, Result<Valid, Refusal>))| {
            let settled = read.and_then(|valid| match denied.get(&valid.ticket) {
                Some(first) if *first != at => Err(Refusal { why: Why::Decided, ticket: Some(valid.ticket) }),
                _ => self.settle(valid, now_ms),
            });
            settled.unwrap_or_else(|Refusal { why, ticket }| Judged::Refused {
                why,
                ticket,
                noted: self.tries.note(attempt, now_ms),
            })
        };
        attempts.iter().zip(read).enumerate().map(settle).collect()
    }

    /// Whether an attempt answers a prompt of its sender's of which it is not known yet what it shows: a press may be
    /// quicker than the platform's answer to what sent the prompt. Such an attempt is better judged a little later.
    #[must_use]
    pub fn is_under_way(&self, attempt: &Attempt) -> bool {
        self.pending(&attempt.by).is_some_and(|(_, ask)| {
            ask.is_of(&attempt.adapter, &attempt.sender)
                && match ask.standing {
                    Standing::UnderWay => true,
                    Standing::Sent { .. } => ask.changing,
                    Standing::Void => false,
                }
        })
    }

    /// Does what an attempt says that keeps every rule.
    fn settle(&mut self, Valid { ticket, ask, says }: Valid, now_ms: i64) -> Result<Judged, Refusal> {
        // It may have ended by an attempt of the same batch.
        let Some(at) = self.find(&ticket) else {
            return Err(Refusal { why: Why::Decided, ticket: Some(ticket) });
        };
        let Says::Verdict(verdict) = says else { return Ok(Judged::More { ticket, ask }) };
        let pending = &mut self.waiting[at];
        if verdict == Verdict::Allow && !pending.allow(ask) {
            return Err(Refusal { why: Why::Answered, ticket: Some(ticket) });
        }
        if verdict == Verdict::Allow && !pending.is_allowed() {
            return Ok(Judged::Counted { ticket, ask });
        }
        let mut ended = self.take(at, &Why::Decided, Some(now_ms));
        for open in ended.asks.iter_mut().filter(|open| open.ask == ask) {
            open.answered = true;
        }
        Ok(Judged::Decided { ticket, verdict, ask, ended })
    }

    /// Holds an attempt against the rules. Counts a wrong try, and changes nothing else.
    fn read(&mut self, attempt: &Attempt, now_ms: i64) -> Result<Valid, Refusal> {
        let known = self.pending(&attempt.by).map(|(pending, _)| &pending.ticket);
        let ticket = known.or_else(|| self.past.find(by(&attempt.by)).map(|over| &over.ticket)).cloned();
        let who = who(attempt);
        let ruled = about_sender(attempt).and_then(|()| match &attempt.by {
            By::Lookalike => Err(Why::Lookalike),
            _ if self.tries.wrong.is_over(&who, now_ms) => Err(Why::TooManyTries),
            By::Typed { .. } | By::Pressed { .. } => Ok(()),
        });
        let ruled = ruled.and_then(|()| about_words(attempt));
        let valid = ruled.and_then(|()| {
            let Some((pending, ask)) = self.pending(&attempt.by) else {
                return Err(self.without_prompt(attempt, now_ms));
            };
            if !ask.is_of(&attempt.adapter, &attempt.sender) {
                self.tried_wrongly(attempt, now_ms);
                return Err(Why::NotTheirs);
            }
            let says = about_prompt(pending, ask, attempt, now_ms)?;
            Ok(Valid { ticket: pending.ticket.clone(), ask: ask.id, says })
        });
        valid.map_err(|why| Refusal { why, ticket })
    }

    /// Why an attempt is refused that no prompt waits for. A late answer is no wrong try.
    fn without_prompt(&mut self, attempt: &Attempt, now_ms: i64) -> Why {
        let over = self.past.find(by(&attempt.by));
        let (why, late) = match over {
            Some(over) if over.approver.adapter == attempt.adapter && over.approver.sender == attempt.sender => {
                (over.why.clone(), true)
            }
            Some(_) => (Why::NotTheirs, false),
            None => (Why::Unknown, false),
        };
        if !late {
            self.tried_wrongly(attempt, now_ms);
        }
        why
    }

    /// Counts a typed code that is not the sender's. Where nothing waits for them there is nothing to guess, and it is more
    /// likely chat: "no sorry" has the form of a verdict.
    fn tried_wrongly(&mut self, attempt: &Attempt, now_ms: i64) {
        let mut asks = self.waiting.iter().flat_map(|pending| &pending.asks);
        let waits =
            asks.any(|ask| ask.is_of(&attempt.adapter, &attempt.sender) && !matches!(ask.standing, Standing::Void));
        if waits && matches!(attempt.by, By::Typed { .. }) {
            self.tries.wrong.add(&who(attempt), now_ms);
        }
    }

    /// The prompt that waits and has the code or token of an attempt, whoever's it is.
    fn pending(&self, attempted: &By) -> Option<(&Pending, &Ask)> {
        let is = by(attempted);
        let mut asks = self.waiting.iter().flat_map(|pending| pending.asks.iter().map(move |ask| (pending, ask)));
        asks.find(|(_, ask)| is(&ask.codes))
    }
}

impl Pending {
    /// Counts that this prompt's approver allows it; false if that was counted already, through whatever adapter.
    fn allow(&mut self, ask: AskId) -> bool {
        let Some(at) = self.asks.iter().position(|other| other.id == ask) else { return false };
        let sender = &self.asks[at].approver.sender;
        if self.asks.iter().any(|other| other.allowed && other.approver.sender == *sender) {
            return false;
        }
        self.asks[at].allowed = true;
        true
    }

    /// Whether enough allow it. They are different people, as far as their ids say.
    fn is_allowed(&self) -> bool {
        self.asks.iter().filter(|ask| ask.allowed).count() >= usize::from(self.terms.approvers)
    }
}

/// Whether codes have what an attempt was made with.
fn by(attempted: &By) -> impl Fn(&Codes) -> bool {
    enum Word<'a> {
        Code(&'a Code),
        Token(&'a Token),
        None,
    }
    let word = match attempted {
        By::Typed { code, .. } => Word::Code(code),
        By::Pressed { token, .. } => Word::Token(token),
        By::Lookalike => Word::None,
    };
    move |codes| match word {
        Word::Code(code) => codes.code == *code,
        Word::Token(token) => codes.says(token).is_some(),
        Word::None => false,
    }
}

impl Codes {
    /// What a button means.
    fn says(&self, token: &Token) -> Option<Says> {
        match token {
            _ if self.allow == *token => Some(Says::Verdict(Verdict::Allow)),
            _ if self.deny == *token => Some(Says::Verdict(Verdict::Deny)),
            _ if self.more == *token => Some(Says::More),
            _ => None,
        }
    }
}

/// The rules about who it was, and where.
const fn about_sender(attempt: &Attempt) -> Result<(), Why> {
    match attempt {
        Attempt { vetted: false, .. } => Err(Why::NotVetted),
        Attempt { revived: true, .. } => Err(Why::Revived),
        Attempt { approver: false, .. } => Err(Why::NotApprover),
        Attempt { direct: false, .. } => Err(Why::NotDirect),
        _ => Ok(()),
    }
}

/// The rules about how it was said.
const fn about_words(attempt: &Attempt) -> Result<(), Why> {
    match &attempt.by {
        By::Typed { buttons_only: true, .. } => Err(Why::ButtonsOnly),
        By::Typed { written: true, text_by: TextBy::Sender, whole: true, .. } | By::Pressed { .. } => Ok(()),
        By::Typed { .. } => Err(Why::NotOwnWords),
        By::Lookalike => Err(Why::Lookalike),
    }
}

/// The rules about the prompt, which is this sender's.
fn about_prompt(pending: &Pending, ask: &Ask, attempt: &Attempt, now_ms: i64) -> Result<Says, Why> {
    if ask.approver.conversation != attempt.conversation {
        return Err(Why::OtherConversation);
    }
    let since_ms = match ask.standing {
        Standing::Sent { since_ms } => since_ms,
        Standing::UnderWay => return Err(Why::TooEarly),
        Standing::Void => return Err(Why::Unknown),
    };
    let says = match &attempt.by {
        By::Typed { verdict, reply_to, .. } => {
            if reply_to.as_ref().is_some_and(|answered| ask.views.iter().all(|view| view.message != *answered)) {
                return Err(Why::OtherReply);
            }
            Says::Verdict(*verdict)
        }
        By::Pressed { token, repeated } => {
            about_message(ask, attempt, token, repeated)?;
            ask.codes.says(token).ok_or(Why::Unknown)?
        }
        By::Lookalike => return Err(Why::Lookalike),
    };
    if attempt.received_ms < since_ms {
        return Err(Why::TooEarly);
    }
    if pending.terms.expires_ms <= attempt.received_ms || pending.terms.expires_ms <= now_ms {
        return Err(Why::Expired);
    }
    if says != Says::Verdict(Verdict::Allow) {
        return Ok(says);
    }
    if ask.allowed {
        return Err(Why::Answered);
    }
    let offered = match attempt.by {
        By::Typed { .. } => ask.offered_allow_since(attempt.received_ms),
        // The button itself was only where it was offered.
        _ => ask.offers_allow(),
    };
    if offered { Ok(says) } else { Err(Why::Incomplete) }
}

/// The rules about the message whose button was pressed.
fn about_message(ask: &Ask, attempt: &Attempt, token: &Token, repeated: &Repeated) -> Result<(), Why> {
    let mut here = ask.views.iter().filter(|view| view.message == attempt.message).peekable();
    if here.peek().is_none() {
        return Err(Why::OtherMessage);
    }
    // Both of the same: an earlier text with later buttons is neither.
    if here.any(|view| view.offers(token) && view.reads_as(repeated)) { Ok(()) } else { Err(Why::Altered) }
}
