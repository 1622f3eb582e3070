//! A second reading of the rules, which shares nothing with the first, and holds every step against it.

use super::{
    super::{
        tests::{OPENED, approver, presented, presses, request, types},
        *,
    },
    steps::{Answer, Flaw, MINUTE, PEOPLE, Step, Try},
};
use crate::{
    message::TextBy,
    relay::{Attempt, By, Repeated, Token, Verdict, typed},
};

/// What a sequence came to, without names of chance: request, prompt, verdict (none: counted).
pub(super) type Verdicts = Vec<(usize, usize, Option<Verdict>)>;

struct Matter {
    ticket: Ticket,
    terms: Terms,
    ended: bool,
    /// Since when it is said to have ended.
    ended_ms: Option<i64>,
    verdicts: usize,
}

struct Prompt {
    matter: usize,
    who: usize,
    asked: Asked,
    sent_ms: Option<i64>,
    void: bool,
    changing: bool,
    allowed: bool,
    views: Vec<(i64, Presented)>,
}

pub(super) struct World {
    docket: Docket,
    live: Arc<Live>,
    now: i64,
    matters: Vec<Matter>,
    prompts: Vec<Prompt>,
    wrong: Vec<(usize, i64)>,
    verdicts: Verdicts,
}

impl World {
    fn new() -> Self {
        let live = Arc::<Live>::default();
        let docket = Docket::new(Arc::clone(&live));
        let (matters, prompts, wrong, verdicts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { docket, live, now: OPENED, matters, prompts, wrong, verdicts }
    }

    /// Everything happens; attempts of that flaw do not, if there is one.
    pub(super) fn run(steps: &[Step], without: &[Flaw]) -> Verdicts {
        let mut world = Self::new();
        for step in steps {
            world.step(step, without);
            world.check();
        }
        world.verdicts
    }

    fn step(&mut self, step: &Step, without: &[Flaw]) {
        let prompt = |at: &usize, prompts: &[Prompt]| at.checked_rem(prompts.len());
        match step {
            Step::Open { approvers, minutes } => {
                let terms = Terms { approvers: *approvers, expires_ms: self.now + minutes * MINUTE };
                self.learn_time();
                let id = format!("r{}", self.matters.len());
                match self.docket.open(request(&id), terms, self.now) {
                    Ok(ticket) => {
                        self.matters.push(Matter { ticket, terms, ended: false, ended_ms: None, verdicts: 0 });
                    }
                    Err(error) => assert_eq!(error, NotOpened::TooMany),
                }
            }
            Step::Ask { ticket, who } if !self.matters.is_empty() => {
                let matter = ticket % self.matters.len();
                let twice = self.prompts.iter().any(|p| p.matter == matter && p.who == *who);
                let (name, sender) = PEOPLE[*who];
                match self.docket.ask(&self.matters[matter].ticket, approver(name, sender)) {
                    Ok(asked) => {
                        assert!(!twice && !self.matters[matter].ended);
                        let (void, changing, allowed, views) = (false, false, false, Vec::new());
                        let sent_ms = None;
                        self.prompts.push(Prompt { matter, who: *who, asked, sent_ms, void, changing, allowed, views });
                    }
                    Err(_) => assert!(twice || self.matters[matter].ended),
                }
            }
            Step::Shown { ask, view } => {
                let Some(at) = prompt(ask, &self.prompts) else { return };
                let ended = self.matters[self.prompts[at].matter].ended;
                let prompt = &mut self.prompts[at];
                let shown = view_of(prompt, *view);
                self.docket.shown(prompt.asked.ask, format!("m{at}"), shown.clone(), self.now);
                if ended || prompt.void {
                    return;
                }
                prompt.sent_ms.get_or_insert(self.now);
                prompt.changing = false;
                if prompt.views.last().is_none_or(|(_, last)| *last != shown) {
                    prompt.views.push((self.now, shown));
                    let much = prompt.views.len().saturating_sub(pending::MOST_VIEWS);
                    prompt.views.drain(..much);
                }
            }
            Step::Unsent { ask } => {
                let Some(at) = prompt(ask, &self.prompts) else { return };
                self.docket.unsent(self.prompts[at].asked.ask);
                self.void(|at_, _| at_ == at);
            }
            Step::Changing { ask } | Step::Unchanged { ask } => {
                let Some(at) = prompt(ask, &self.prompts) else { return };
                let changing = matches!(step, Step::Changing { .. });
                let ask = self.prompts[at].asked.ask;
                if changing {
                    self.docket.changing(ask)
                } else {
                    self.docket.unchanged(ask)
                }
                self.prompts[at].changing = changing;
            }
            Step::Withdraw { who } => {
                let (name, sender) = PEOPLE[*who];
                self.docket.withdraw(&AdapterName::new(name).unwrap(), sender);
                self.void(|_, prompt| prompt.who == *who);
            }
            Step::End { ticket } if !self.matters.is_empty() => {
                let at = ticket % self.matters.len();
                let matter = &mut self.matters[at];
                assert_eq!(self.docket.end(&matter.ticket).is_some(), !matter.ended);
                matter.ended = true;
            }
            Step::Due => {
                self.learn_time();
                let due = self.docket.due(self.now);
                for matter in self.matters.iter_mut().filter(|m| !m.ended && m.terms.expires_ms <= self.now) {
                    assert!(due.iter().any(|ended| ended.ticket == matter.ticket));
                    (matter.ended, matter.ended_ms) = (true, Some(self.now));
                }
            }
            Step::Pass { ms } => self.now += ms,
            Step::Judge(tries) => {
                let tries = tries.iter().filter(|attempt| !without.contains(&attempt.flaw));
                let attempts: Vec<_> = tries.filter_map(|attempt| self.attempt(attempt)).collect();
                self.learn_time();
                self.judge(&attempts);
            }
            Step::Ask { .. } | Step::End { .. } => {}
        }
    }

    fn void(&mut self, which: impl Fn(usize, &Prompt) -> bool) {
        let matters = &self.matters;
        for (_, prompt) in
            self.prompts.iter_mut().enumerate().filter(|(at, p)| which(*at, p) && !matters[p.matter].ended)
        {
            (prompt.void, prompt.allowed) = (true, false);
        }
    }

    fn learn_time(&mut self) {
        for matter in self.matters.iter_mut().filter(|matter| matter.ended) {
            matter.ended_ms.get_or_insert(self.now);
        }
    }

    fn attempt(&self, attempt: &Try) -> Option<Attempt> {
        if self.prompts.is_empty() {
            return None;
        }
        let at = attempt.ask % self.prompts.len();
        let prompt = &self.prompts[at];
        let (name, sender) = PEOPLE[attempt.who.unwrap_or(prompt.who)];
        let who = approver(name, sender);
        let codes = &prompt.asked.codes;
        let mut made = match attempt.view {
            Some(view) => {
                let token = match attempt.answer {
                    Answer::Allow => &codes.allow,
                    Answer::Deny => &codes.deny,
                    Answer::More => &codes.more,
                };
                presses(&who, &format!("m{at}"), token, &view_of(prompt, view))
            }
            None => {
                let verdict = if attempt.answer == Answer::Allow { Verdict::Allow } else { Verdict::Deny };
                types(&who, verdict, &codes.code)
            }
        };
        made.received_ms = self.now - attempt.ago_ms;
        let flaw = attempt.flaw;
        match flaw {
            Flaw::NotVetted => made.vetted = false,
            Flaw::Revived => made.revived = true,
            Flaw::NotApprover => made.approver = false,
            Flaw::NotDirect => made.direct = false,
            Flaw::OtherConversation => made.conversation = "elsewhere".into(),
            Flaw::OtherMessage => made.message = "another".into(),
            Flaw::Lookalike => made.by = By::Lookalike,
            _ => {}
        }
        match &mut made.by {
            By::Typed { code, written, text_by, whole, reply_to, buttons_only, .. } => match flaw {
                Flaw::NotWritten => *written = false,
                Flaw::OthersWords => *text_by = TextBy::Others,
                Flaw::NotWhole => *whole = false,
                Flaw::OtherReply => *reply_to = Some("another".into()),
                Flaw::ButtonsOnly => *buttons_only = true,
                Flaw::Unknown => *code = typed("y aaaaa").unwrap().code,
                _ => *reply_to = (attempt.ago_ms % 2 == 0).then(|| format!("m{at}")),
            },
            By::Pressed { token, repeated } => match flaw {
                Flaw::Unknown => *token = Token::read(&format!("sg.{}", "0".repeat(32))).unwrap(),
                Flaw::OtherText => repeated.text = Some("ls".into()),
                Flaw::OtherChoices => repeated.choices.as_mut().unwrap().reverse(),
                _ if attempt.ago_ms % 2 == 1 => *repeated = Repeated { text: None, choices: None },
                _ => {}
            },
            By::Lookalike => {}
        }
        Some(made)
    }

    /// The prompt that an attempt answers, if it has everything that it takes, without regard to what else is said.
    fn good(&mut self, a: &Attempt) -> Option<(usize, Answer)> {
        let sender = PEOPLE.iter().position(|who| *who == (a.adapter.as_str(), &*a.sender)).unwrap();
        let as_it_must = a.vetted && !a.revived && a.approver && a.direct;
        if !as_it_must || matches!(a.by, By::Lookalike) || self.is_silenced(sender) {
            return None;
        }
        let (word, is_typed) = match &a.by {
            By::Typed { code, written, text_by, whole, buttons_only, .. } => {
                if !written || *text_by != TextBy::Sender || !whole || *buttons_only {
                    return None;
                }
                (code.as_str(), true)
            }
            By::Pressed { token, .. } => (token.as_str(), false),
            By::Lookalike => return None,
        };
        let known = |p: &&Prompt| {
            let codes = &p.asked.codes;
            [codes.code.as_str(), codes.allow.as_str(), codes.deny.as_str(), codes.more.as_str()].contains(&word)
        };
        let remembered = |matter: &Matter| matter.ended_ms.is_none_or(|ended| self.now - ended < 10 * MINUTE);
        let theirs =
            self.prompts.iter().position(|p| known(&p) && p.who == sender && remembered(&self.matters[p.matter]));
        let Some(at) = theirs else {
            let waits = |p: &Prompt| p.who == sender && !p.void && !self.matters[p.matter].ended;
            if is_typed && self.prompts.iter().any(waits) {
                self.wrong.push((sender, self.now));
            }
            return None;
        };
        let prompt = &self.prompts[at];
        let matter = &self.matters[prompt.matter];
        let codes = &prompt.asked.codes;
        let in_time = prompt.sent_ms.is_some_and(|sent| sent <= a.received_ms)
            && a.received_ms < matter.terms.expires_ms
            && self.now < matter.terms.expires_ms;
        let conversation = approver(PEOPLE[sender].0, PEOPLE[sender].1).conversation;
        if matter.ended || prompt.void || !in_time || a.conversation != conversation {
            return None;
        }
        let answer = match &a.by {
            By::Typed { verdict: Verdict::Allow, .. } => Answer::Allow,
            By::Typed { .. } => Answer::Deny,
            By::Pressed { .. } if word == codes.allow.as_str() => Answer::Allow,
            By::Pressed { .. } if word == codes.deny.as_str() => Answer::Deny,
            _ => Answer::More,
        };
        let right_place = match &a.by {
            By::Typed { reply_to, .. } => reply_to.as_ref().is_none_or(|to| *to == format!("m{at}")),
            By::Pressed { repeated, .. } => {
                a.message == format!("m{at}")
                    && prompt.views.iter().any(|(_, shown)| {
                        shown.choices.iter().any(|choice| choice.token == word)
                            && repeated.text.as_ref().is_none_or(|text| *text == shown.text)
                            && repeated.choices.as_ref().is_none_or(|choices| *choices == shown.choices)
                    })
            }
            By::Lookalike => false,
        };
        let seen = prompt.views.iter().rposition(|(since, _)| *since <= a.received_ms);
        let whole = !prompt.changing
            && prompt.views.last().unwrap().1.allow
            && (!is_typed || seen.is_some_and(|seen| prompt.views[seen..].iter().all(|(_, shown)| shown.allow)));
        (right_place && (answer != Answer::Allow || whole)).then_some((at, answer))
    }

    fn is_silenced(&self, sender: usize) -> bool {
        self.wrong.iter().filter(|(who, time)| *who == sender && self.now - time < 10 * MINUTE).count() >= 5
    }

    /// Judges, and compares with what should come out.
    fn judge(&mut self, attempts: &[Attempt]) {
        let good: Vec<_> = attempts.iter().map(|attempt| self.good(attempt)).collect();
        let denies = |matter: usize, prompts: &[Prompt]| {
            good.iter()
                .position(|g| g.is_some_and(|(at, answer)| answer == Answer::Deny && prompts[at].matter == matter))
        };
        let judged = self.docket.judge(attempts, self.now);
        assert_eq!(judged.len(), attempts.len());
        for (index, (good, judged)) in good.iter().zip(judged).enumerate() {
            let Some((at, answer)) = *good else {
                assert!(matches!(judged, Judged::Refused { .. }), "{:?} became {judged:?}", attempts[index]);
                continue;
            };
            let matter = self.prompts[at].matter;
            let denied = denies(matter, &self.prompts);
            let sender = PEOPLE[self.prompts[at].who].1;
            let mut others = self.prompts.iter().filter(|p| p.matter == matter && p.allowed);
            let repeated = others.clone().any(|p| PEOPLE[p.who].1 == sender);
            let refused = match (denied, answer) {
                _ if self.matters[matter].ended => Some(Why::Decided),
                (Some(first), _) if first != index => Some(Why::Decided),
                (_, Answer::Allow) if repeated => Some(Why::Answered),
                _ => None,
            };
            let is_second = others.next().is_some();
            if let Some(expected) = refused {
                let Judged::Refused { why, .. } = &judged else { panic!("{expected}, but it became {judged:?}") };
                // Of two reasons either may be named.
                assert!(*why == expected || (repeated && *why == Why::Answered), "{expected}, not {why}");
                continue;
            }
            match judged {
                Judged::More { ask, .. } => assert_eq!((answer, ask), (Answer::More, self.prompts[at].asked.ask)),
                Judged::Counted { ask, .. } => {
                    assert_eq!((answer, ask), (Answer::Allow, self.prompts[at].asked.ask));
                    assert!(self.matters[matter].terms.approvers == 2 && !is_second);
                    self.prompts[at].allowed = true;
                    self.verdicts.push((matter, at, None));
                }
                Judged::Decided { ticket, verdict, ask, ended } => {
                    assert_eq!((&ticket, ask), (&self.matters[matter].ticket, self.prompts[at].asked.ask));
                    assert_eq!(ended.ticket, ticket);
                    let enough = is_second || self.matters[matter].terms.approvers == 1;
                    match answer {
                        Answer::Allow => assert!(verdict == Verdict::Allow && enough),
                        Answer::Deny => assert_eq!(verdict, Verdict::Deny),
                        Answer::More => panic!("See more decided"),
                    }
                    let decided = &mut self.matters[matter];
                    decided.verdicts += 1;
                    (decided.ended, decided.ended_ms) = (true, Some(self.now));
                    self.verdicts.push((matter, at, Some(verdict)));
                }
                Judged::Refused { why, .. } => panic!("{:?} was refused: {why}", attempts[index]),
            }
        }
    }

    /// What must hold after every step.
    fn check(&self) {
        let open: Vec<_> =
            self.prompts.iter().filter(|p| !p.void && !self.matters[p.matter].ended).map(|p| p.asked.ask).collect();
        assert_eq!(self.live.asks(), open, "only what can be answered is live");
        for prompt in &self.prompts {
            let is_live = open.contains(&prompt.asked.ask);
            assert_eq!(self.live.carries(prompt.asked.codes.allow.as_str(), None), is_live);
        }
        assert!(self.matters.iter().all(|matter| matter.verdicts <= 1), "decided twice");
        let waiting: Vec<_> = self.matters.iter().filter(|m| !m.ended).map(|m| m.ticket.clone()).collect();
        assert_eq!(self.docket.waiting(), waiting);
        assert!(waiting.len() <= MOST_WAITING && self.docket.past.len() <= past::MOST);
    }
}

fn view_of(prompt: &Prompt, view: usize) -> Presented {
    match view {
        0 => presented(&prompt.asked.codes, true, false),
        1 => presented(&prompt.asked.codes, false, true),
        _ => Presented {
            text: "Your answer counts; another approver is needed.".into(),
            choices: Vec::new(),
            allow: false,
        },
    }
}
