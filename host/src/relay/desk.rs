//! The desk: takes what Claude Code asks to the approvers, and their verdict back.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{
    AskId, Asked, Asking, Attempt, Ended, Ending, Judged, Means, Open, Relay, Request, RequestId, Rule, Shown, Terms,
    Ticket, Verdict, View, Why, counted,
    courier::{Address, Couriers, Doing, Errand},
    outcome, prompt,
    reach::{Reach, Survey, means},
    record::{Entry, Evidence, What},
    relay::Task,
    subject,
};
use crate::{actions, clock::now_ms, gate::visible, host::Host, name::AdapterName, outbox::Wire, sandbox::types};

/// The longest sleep until something expires.
const LONGEST: Duration = Duration::from_secs(3600);

/// Said of a verdict when something new had reached Claude since it asked: it may have gone on by an answer that was
/// given at the terminal, of which nobody is told.
const MAY_BE_LATE: &str = "\nIf it was answered at the terminal before, that answer stands.";

/// Runs the desk of a session until its host is gone.
pub async fn desk(host: Arc<Host>, wire: Wire) {
    let relay = Arc::clone(host.relay());
    let Some(mut tasks) = relay.tasks() else { return };
    let couriers = Couriers::new(Arc::clone(&relay), Arc::clone(&host.registry));
    let mut desk = Desk { host, relay, wire, couriers, held: HashMap::new(), told: false };
    loop {
        let next = desk.relay.docket().next_due();
        let wait = next.map_or(LONGEST, |due| {
            Duration::from_millis(u64::try_from(due.saturating_sub(now_ms())).unwrap_or_default()).min(LONGEST)
        });
        tokio::select! {
            task = tasks.recv() => match task {
                Some(task) => desk.does(task).await,
                None => return,
            },
            () = tokio::time::sleep(wait) => desk.expire(),
        }
    }
}

struct Desk {
    host: Arc<Host>,
    relay: Arc<Relay>,
    wire: Wire,
    couriers: Couriers,
    /// The requests that wait.
    held: HashMap<Ticket, Held>,
    /// The user was told that nobody may answer.
    told: bool,
}

/// A request that waits.
struct Held {
    request: Arc<Request>,
    /// Approvers that must allow it.
    needed: u8,
    /// Approvers that have.
    allowed: u8,
    /// When it expires, for people.
    expires: String,
    /// The last message that was there when it asked.
    seen: i64,
    asks: HashMap<AskId, Way>,
}

/// How one approver is asked.
#[derive(Clone)]
struct Way {
    to: Address,
    asked: Asked,
    means: Means,
    typed: bool,
}

impl Desk {
    async fn does(&mut self, task: Task) {
        match task {
            Task::Requested(params) => self.requested(&params),
            Task::WentOn => self.went_on(),
            Task::Runs(adapter) => self.close_strays(&adapter),
            Task::Judged(judged) => {
                for (attempt, judged) in judged {
                    self.judged(&attempt, judged).await;
                }
            }
            Task::Ends(done) => {
                let waiting = self.relay.docket().waiting();
                self.end(waiting, &Ending::SessionEnded);
                self.couriers.done().await;
                // Whoever asked may have given up.
                let _ = done.send(());
            }
        }
    }

    /// Claude Code asks: whom, and how.
    fn requested(&mut self, params: &Map<String, Value>) {
        let request = match Request::read(params) {
            Ok(request) => Arc::new(request),
            Err(error) => return tracing::warn!("{error}"),
        };
        let rule = match &self.host.config().permissions {
            Ok(policy) => policy.rule(&request.tool, Timestamp::now()),
            Err(problem) => Rule::No(format!("`[permissions]` in config.toml is wrong: {problem}")),
        };
        let terms = match rule {
            Rule::Relay { approvers, expiry } => {
                let lasts = i64::try_from(expiry.as_millis()).unwrap_or(i64::MAX);
                Terms { approvers, expires_ms: now_ms().saturating_add(lasts) }
            }
            Rule::No(why) => return self.not_relayed(&request, why),
        };
        let reached = match self.reach(&terms) {
            Ok(reached) => reached,
            Err(why) => return self.not_relayed(&request, why),
        };
        let (needed, expires) = (terms.approvers, clock(terms.expires_ms));
        let ticket = match self.relay.docket().open((*request).clone(), terms, now_ms()) {
            Ok(ticket) => ticket,
            Err(error) => return self.not_relayed(&request, error.to_string()),
        };
        tracing::info!(request = %ticket.label(), tool = %visible(&request.tool, 64), "Claude Code asks");
        self.relay.note(vec![Entry::of(Some(ticket.label()), What::requested(&request))]);
        let mut held =
            Held { request, needed, allowed: 0, expires, seen: self.host.journal.last_seq(), asks: HashMap::new() };
        for Reach { approver, means, typed, first } in reached {
            let to = (approver.adapter.clone(), approver.conversation.clone());
            let sender = approver.sender.clone();
            let asked = self.relay.docket().ask(&ticket, approver);
            let asked = match asked {
                Ok(asked) => asked,
                Err(error) => {
                    tracing::error!(adapter = %to.0, "an approver could not be asked: {error}");
                    continue;
                }
            };
            let ask = asked.ask;
            let way = Way { to: to.clone(), asked, means, typed };
            let shown = Box::new(held.shown(&way, first));
            held.asks.insert(ask, way);
            let what = Doing::Ask { sender, shown, subject: subject(&held.request) };
            self.couriers.send(&to, Errand { ask, request: ticket.label().to_owned(), what });
        }
        self.held.insert(ticket, held);
    }

    /// Everybody who can be asked, or why too few can.
    fn reach(&mut self, terms: &Terms) -> Result<Vec<Reach>, String> {
        let Survey { adapters, reached, problems } = Survey::of(&self.host.registry);
        if reached.is_empty() && !std::mem::replace(&mut self.told, true) {
            for problem in &problems {
                tracing::warn!("a permission request of Claude Code's reaches nobody: {problem}");
            }
        }
        // One id is one person, through whichever adapter.
        let people: HashSet<&str> = reached.iter().map(|reach| &*reach.approver.sender).collect();
        match (adapters, people.len()) {
            (0, _) => Err("no adapter runs that can ask".into()),
            (_, 0) => Err(problems.join("; ")),
            (_, count) if count < usize::from(terms.approvers) => Err(format!(
                "the tool needs {} approvers and {count} can be asked{}",
                terms.approvers,
                problems.first().map_or_else(String::new, |problem| format!(": {problem}"))
            )),
            _ => Ok(reached),
        }
    }

    fn not_relayed(&self, request: &Request, why: String) {
        tracing::info!(tool = %visible(&request.tool, 64), "a permission request is not relayed: {why}");
        let label = Ticket::label_of_nothing();
        let what = What::NotRelayed { why };
        self.relay.note(vec![Entry::of(Some(&label), What::requested(request)), Entry::of(Some(&label), what)]);
    }

    async fn judged(&mut self, attempt: &Attempt, judged: Judged) {
        let by = Evidence::of(attempt);
        match judged {
            Judged::Decided { ticket, verdict: Verdict::Allow, ask, ended } if !self.still_approve(&ended) => {
                let why = "an approver who had allowed it is none any more";
                self.relay.note(vec![Entry::of(Some(ticket.label()), What::Ended { why: why.into() })]);
                self.close(ended, &Ending::Withdrawn(why.into()), Some(ask));
            }
            Judged::Decided { ticket, verdict, ask, ended } => {
                // What is not recorded does not count.
                let what = What::Decided { verdict: verdict.as_str().into(), by };
                let recorded = self.host.journal.record(vec![Entry::of(Some(ticket.label()), what)]).await;
                let ending = match recorded {
                    Ok(_) => {
                        self.answer(&ended.request.id, verdict);
                        tracing::info!(request = %ticket.label(), "{}", verdict.as_str());
                        Ending::Decided { verdict, by: who(attempt), you: false }
                    }
                    Err(error) => {
                        tracing::error!("a verdict could not be recorded, so it does not count: {error}");
                        Ending::Withdrawn("it could not be recorded".into())
                    }
                };
                self.close(ended, &ending, Some(ask));
            }
            Judged::Counted { ticket, ask } => {
                self.relay.note(vec![Entry::of(Some(ticket.label()), What::Counted { by })]);
                let Some(held) = self.held.get_mut(&ticket) else { return };
                held.allowed = held.allowed.saturating_add(1);
                let Some(way) = held.asks.get(&ask) else { return };
                let text = counted(&subject(&held.request), held.allowed, held.needed, &way.means);
                let what = Doing::Again(Box::new(Shown::closed(text)));
                self.couriers.send(&way.to, Errand { ask, request: ticket.label().to_owned(), what });
            }
            Judged::More { ticket, ask } => {
                let Some(held) = self.held.get(&ticket) else { return };
                let Some(way) = held.asks.get(&ask) else { return };
                let what = Doing::Again(Box::new(held.shown(way, View::Full)));
                self.couriers.send(&way.to, Errand { ask, request: ticket.label().to_owned(), what });
            }
            Judged::Refused { why, ticket, noted } => {
                let (adapter, sender) = (&attempt.adapter, visible(&attempt.sender, 64));
                self.host.journal.count(adapter, "verdict refused");
                if !noted {
                    return;
                }
                tracing::warn!(%adapter, %sender, "what looks like a verdict counts for nothing: {why}");
                let label = ticket.as_ref().map(Ticket::label);
                self.relay.note(vec![Entry::of(label, What::Refused { why: why.to_string(), by })]);
                self.explain(attempt, &why);
            }
        }
    }

    /// Whether everybody whose answer counted is an approver now.
    fn still_approve(&self, ended: &Ended) -> bool {
        ended.asks.iter().filter(|open| open.answered).all(|Open { approver, .. }| {
            let running = self.host.registry.get(&approver.adapter);
            running.is_some_and(|running| running.adapter.gate.is_approver(&approver.sender))
        })
    }

    /// Tells an honest sender why nothing happened. Nothing of it says whether a code exists.
    fn explain(&self, attempt: &Attempt, why: &Why) {
        if !(attempt.vetted && attempt.direct && attempt.admitted) {
            return;
        }
        let text = why.for_sender();
        let Some(running) = self.host.registry.get(&attempt.adapter) else { return };
        let place = types::Place { conversation: attempt.conversation.clone(), thread: None };
        let adapter = Arc::clone(&running.adapter);
        tokio::spawn(async move {
            if let Err(error) = actions::say(&adapter, place, text.into()).await {
                tracing::debug!(adapter = %adapter.name(), "the host's message was not sent: {error}");
            }
        });
    }

    fn answer(&self, id: &RequestId, verdict: Verdict) {
        let params = json!({ "request_id": id.expose(), "behavior": verdict.as_str() });
        let frame = json!({ "jsonrpc": "2.0", "method": "notifications/claude/channel/permission", "params": params });
        if self.wire.frame(frame.to_string().into_bytes()).is_err() {
            tracing::warn!("a verdict came after the session had ended");
        }
    }

    /// Claude Code says nothing when its own dialog is answered. A tool call shows that it went on; where something new
    /// reached it since it asked, the call may be an answer to that, while its dialog still waits.
    fn went_on(&mut self) {
        let seen = self.host.journal.last_seq();
        let held = self.held.iter().filter(|(_, held)| held.seen == seen).map(|(ticket, _)| ticket.clone());
        self.end(held.collect(), &Ending::Elsewhere);
    }

    fn expire(&mut self) {
        let due = self.relay.docket().due(now_ms());
        for ended in due {
            self.ended(&ended, "it expired");
            self.close(ended, &Ending::Expired, None);
        }
    }

    fn end(&mut self, tickets: Vec<Ticket>, ending: &Ending) {
        let why = match ending {
            Ending::Elsewhere => "Claude Code went on, so it was answered at the terminal or in another channel",
            _ => "the session ended",
        };
        for ticket in tickets {
            let ended = self.relay.docket().end(&ticket);
            if let Some(ended) = ended {
                self.ended(&ended, why);
                self.close(ended, ending, None);
            }
        }
    }

    fn ended(&self, ended: &Ended, why: &str) {
        self.relay.note(vec![Entry::of(Some(ended.ticket.label()), What::Ended { why: why.into() })]);
    }

    /// Says on every prompt of the request how it ended.
    fn close(&mut self, ended: Ended, ending: &Ending, by: Option<AskId>) {
        let Some(held) = self.held.remove(&ended.ticket) else { return };
        let may_be_late = matches!(ending, Ending::Decided { .. }) && held.seen != self.host.journal.last_seq();
        let (subject, at) = (subject(&held.request), clock(now_ms()));
        for Open { ask, .. } in ended.asks {
            let Some(way) = held.asks.get(&ask) else { continue };
            let mut text = outcome(&subject, &ending.clone().to(by == Some(ask)), &at, &way.means);
            if may_be_late {
                text.text.push_str(MAY_BE_LATE);
            }
            let request = ended.ticket.label().to_owned();
            self.couriers.send(&way.to, Errand { ask, request, what: Doing::Close(text) });
        }
    }

    /// Prompts that an earlier process left open decide nothing any more.
    fn close_strays(&mut self, name: &AdapterName) {
        let Some(running) = self.host.registry.get(name) else { return };
        let adapter = &running.adapter;
        let open = adapter.read(|reader| reader.open_prompts(name)).unwrap_or_default();
        let live = self.relay.docket().messages(name);
        for prompt in open {
            let key = (prompt.conversation.clone(), prompt.message.clone());
            if live.contains(&key) {
                continue;
            }
            let text = outcome(&prompt.subject, &Ending::SessionEnded, &clock(now_ms()), &means(adapter));
            self.couriers.close_stray(&(name.clone(), prompt.conversation), prompt.message, text);
        }
    }
}

impl Held {
    fn shown(&self, way: &Way, view: View) -> Shown {
        let asking = Asking {
            request: &self.request,
            codes: &way.asked.codes,
            typed: way.typed,
            needed: self.needed,
            allowed: self.allowed,
            expires: &self.expires,
        };
        prompt(&asking, &way.means, view)
    }
}

/// Somebody, for the other approvers.
fn who(attempt: &Attempt) -> String {
    let sender = visible(&attempt.sender, 64);
    match &attempt.sender_name {
        Some(name) => format!("{} ({sender})", visible(name, 64)),
        None => sender,
    }
}

/// A time of today, for people.
fn clock(ms: i64) -> String {
    let time = Timestamp::from_millisecond(ms).unwrap_or_default();
    time.to_zoned(TimeZone::system()).strftime("%H:%M").to_string()
}
