#![allow(clippy::unwrap_used, clippy::panic)]

mod guesses;
mod rules;
mod together;
mod views;
mod waiting;

use serde_json::json;

use super::*;
use crate::{
    message::TextBy,
    relay::{Attempt, By, Repeated, Token, Verdict},
};

/// When requests are opened here, when the first prompts are sent, and when requests expire.
pub(super) const OPENED: i64 = 1_000_000;
pub(super) const SENT: i64 = 1_001_000;
pub(super) const EXPIRES: i64 = 1_600_000;
const NOW: i64 = 1_010_000;

pub(super) fn request(id: &str) -> Request {
    let params = json!({ "request_id": id, "tool_name": "Bash", "description": "Lists", "input_preview": "{\"command\":\"ls\"}" });
    Request::read(params.as_object().unwrap()).unwrap()
}

pub(super) fn adapter(name: &str) -> AdapterName {
    AdapterName::new(name).unwrap()
}

pub(super) fn approver(name: &str, sender: &str) -> Approver {
    Approver { adapter: adapter(name), sender: sender.into(), conversation: format!("chat-{sender}") }
}

/// What a prompt shows whole, or in part.
pub(super) fn presented(codes: &Codes, allow: bool, more: bool) -> Presented {
    let choice = |label: &str, token: &Token| Choice { label: label.into(), token: token.as_str().into() };
    let mut choices = Vec::new();
    if more {
        choices.push(choice("See more", &codes.more));
    }
    if allow {
        choices.push(choice("Allow", &codes.allow));
    }
    choices.push(choice("Deny", &codes.deny));
    let view = if more { "in short" } else { "in full" };
    Presented { text: format!("Bash, {view}:\nls  -l\n\nyes {0} or no {0}", codes.code.as_str()), choices, allow }
}

/// A good answer, typed.
pub(super) fn types(approver: &Approver, verdict: Verdict, code: &Code) -> Attempt {
    Attempt {
        adapter: approver.adapter.clone(),
        rule: "message".into(),
        event: "e".into(),
        vetted: true,
        revived: false,
        sender: approver.sender.clone(),
        admitted: true,
        sender_name: None,
        approver: true,
        conversation: approver.conversation.clone(),
        direct: true,
        message: "another".into(),
        received_ms: NOW,
        by: By::Typed {
            verdict,
            code: code.clone(),
            written: true,
            text_by: TextBy::Sender,
            whole: true,
            reply_to: None,
            buttons_only: false,
        },
    }
}

/// A good answer, by a button of a message that shows this.
pub(super) fn presses(approver: &Approver, message: &str, token: &Token, shown: &Presented) -> Attempt {
    let repeated = Repeated { text: Some(shown.text.clone()), choices: Some(shown.choices.clone()) };
    let by = By::Pressed { token: token.clone(), repeated };
    Attempt { message: message.into(), by, ..types(approver, Verdict::Deny, &Code::none()) }
}

impl Code {
    /// No code is like it.
    fn none() -> Self {
        let super::super::Typed { code, .. } = super::super::typed("no aaaaa").unwrap();
        code
    }
}

/// One request, asked of some approvers, whose prompts are shown whole.
struct Scene {
    docket: Docket,
    live: Arc<Live>,
    ticket: Ticket,
    /// Who was asked, with what, and what their prompt shows.
    asked: Vec<(Approver, Asked, Presented)>,
}

impl Scene {
    fn new(approvers: u8, who: &[(&str, &str)]) -> Self {
        let live = Arc::<Live>::default();
        let mut docket = Docket::new(Arc::clone(&live));
        let ticket = docket.open(request("first"), Terms { approvers, expires_ms: EXPIRES }, OPENED).unwrap();
        let mut scene = Self { docket, live, ticket: ticket.clone(), asked: Vec::new() };
        for (name, sender) in who {
            scene.ask(&ticket, approver(name, sender), true);
        }
        scene
    }

    fn one() -> Self {
        Self::new(1, &[("telegram", "7")])
    }

    fn ask(&mut self, ticket: &Ticket, who: Approver, shown: bool) {
        let asked = self.docket.ask(ticket, who.clone()).unwrap();
        let presented = presented(&asked.codes, true, false);
        if shown {
            self.docket.shown(asked.ask, format!("m{}", who.sender), presented.clone(), SENT);
        }
        self.asked.push((who, asked, presented));
    }

    fn types(&self, at: usize, verdict: Verdict) -> Attempt {
        types(&self.asked[at].0, verdict, &self.asked[at].1.codes.code)
    }

    fn presses(&self, at: usize, verdict: Verdict) -> Attempt {
        let (who, Asked { codes, .. }, shown) = &self.asked[at];
        let token = if verdict == Verdict::Allow { &codes.allow } else { &codes.deny };
        presses(who, &format!("m{}", who.sender), token, shown)
    }

    fn judge(&mut self, attempts: &[Attempt]) -> Vec<Judged> {
        self.docket.judge(attempts, NOW)
    }

    fn judge_one(&mut self, attempt: Attempt) -> Judged {
        self.judge(&[attempt]).remove(0)
    }

    fn is_live(&self, at: usize) -> bool {
        self.live.asks().contains(&self.asked[at].1.ask)
    }
}

fn why(judged: &Judged) -> Option<&Why> {
    match judged {
        Judged::Refused { why, .. } => Some(why),
        _ => None,
    }
}

fn decided(judged: &Judged) -> Option<Verdict> {
    match judged {
        Judged::Decided { verdict, .. } => Some(*verdict),
        _ => None,
    }
}

/// A code that nothing has.
fn unknown(scene: &Scene) -> Code {
    let codes: Vec<_> = scene.asked.iter().map(|(_, asked, _)| asked.codes.code.clone()).collect();
    let all = ["aaaab", "aaaac", "aaaad", "aaaae"].map(|code| super::super::typed(&format!("y {code}")).unwrap().code);
    all.into_iter().find(|code| !codes.contains(code)).unwrap()
}

/// A prompt that does not fit in short.
fn in_short() -> (Scene, Presented, Presented) {
    let mut scene = Scene::new(1, &[]);
    let who = approver("telegram", "7");
    let asked = scene.docket.ask(&scene.ticket, who.clone()).unwrap();
    let (short, full) = (presented(&asked.codes, false, true), presented(&asked.codes, true, false));
    scene.docket.shown(asked.ask, "m7".into(), short.clone(), SENT);
    scene.asked.push((who, asked, short.clone()));
    (scene, short, full)
}
