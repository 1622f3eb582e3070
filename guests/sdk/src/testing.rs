//! A host for unit tests on native targets: one per thread, it records what an adapter does.
//!
//! Calls made through [`Host::handle`] and [`Host::perform`] are transactions, as with the real host: what a
//! failed call delivered, kept, timed and framed is dropped. Requests and log lines are not taken back,
//! for they have left. There are no snapshots, no grants and no identity rules: the evidence for a
//! message is not examined ([`Host::refuse`] plays a refusal).

use crate::adapter::{Adapter, Handled, Performed};
use crate::http::{Problem, Request, Response};
use crate::log::Level;
use crate::message::{Message, Refusal};
use crate::types::{
    Action, Choice, ConnectionId, Event, Frame, Item, KeptFile, Outgoing, Place, Prompt, RichText, RouteRequest,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

/// A frame that the adapter sent.
#[derive(Clone, Debug, PartialEq)]
pub struct SentFrame {
    /// The socket's or the route's name.
    pub socket: String,
    /// One connection, or all.
    pub to: Option<ConnectionId>,
    /// What is in it.
    pub frame: Frame,
}

impl SentFrame {
    /// The frame's text read as JSON; `null` for anything else.
    pub fn json(&self) -> serde_json::Value {
        match &self.frame {
            Frame::Text(text) => serde_json::from_str(text).unwrap_or_default(),
            Frame::Binary(_) => serde_json::Value::Null,
        }
    }
}

/// What a failed call loses.
#[derive(Clone, Default)]
struct Committed {
    deliveries: Vec<Message>,
    frames: Vec<SentFrame>,
    reconnects: Vec<(String, u32)>,
    state: BTreeMap<String, Vec<u8>>,
    timers: BTreeMap<String, u32>,
}

#[derive(Default)]
struct Fake {
    kept: Committed,
    /// There is evidence only while an event is handled.
    handling: bool,
    refusals: BTreeMap<String, Refusal>,
    answers: BTreeMap<String, VecDeque<Result<Response, Problem>>>,
    requests: Vec<Request>,
    downloads: usize,
    logs: Vec<(Level, String)>,
}

thread_local! {
    static FAKE: RefCell<Fake> = RefCell::default();
}

fn with<T>(use_it: impl FnOnce(&mut Fake) -> T) -> T {
    FAKE.with_borrow_mut(use_it)
}

/// This thread's fake host.
#[derive(Debug)]
pub struct Host(());

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// An empty host in place of the one that this thread had.
    pub fn new() -> Self {
        with(|fake| *fake = Fake::default());
        Self(())
    }

    /// Runs `handle` as one transaction.
    pub fn handle<A: Adapter>(&self, event: Event) -> Handled {
        with(|fake| fake.handling = true);
        let result = transaction(|| A::handle(event));
        with(|fake| fake.handling = false);
        result
    }

    /// Runs `perform` as one transaction.
    pub fn perform<A: Adapter>(&self, action: Action) -> Performed {
        transaction(|| A::perform(action))
    }

    /// The next request to that endpoint gets this answer; answers queue up. Without one the endpoint is
    /// denied.
    pub fn answer(&self, endpoint: &str, response: Response) {
        self.queue(endpoint, Ok(response));
    }

    /// The next request to that endpoint has this problem.
    pub fn fail(&self, endpoint: &str, problem: Problem) {
        self.queue(endpoint, Err(problem));
    }

    /// Every message under that rule is refused from now on.
    pub fn refuse(&self, rule: &str, refusal: Refusal) {
        with(|fake| fake.refusals.insert(rule.to_owned(), refusal));
    }

    fn queue(&self, endpoint: &str, answer: Result<Response, Problem>) {
        with(|fake| fake.answers.entry(endpoint.to_owned()).or_default().push_back(answer));
    }

    /// The messages delivered so far.
    pub fn deliveries(&self) -> Vec<Message> {
        with(|fake| fake.kept.deliveries.clone())
    }

    /// The frames sent since the last time this was asked.
    pub fn take_frames(&self) -> Vec<SentFrame> {
        with(|fake| std::mem::take(&mut fake.kept.frames))
    }

    /// The sockets asked to reconnect, with the delays in milliseconds.
    pub fn reconnects(&self) -> Vec<(String, u32)> {
        with(|fake| fake.kept.reconnects.clone())
    }

    /// The whole state.
    pub fn state(&self) -> BTreeMap<String, Vec<u8>> {
        with(|fake| fake.kept.state.clone())
    }

    /// The timers that are set, with their delays in milliseconds.
    pub fn timers(&self) -> BTreeMap<String, u32> {
        with(|fake| fake.kept.timers.clone())
    }

    /// The requests made so far, downloads among them.
    pub fn requests(&self) -> Vec<Request> {
        with(|fake| fake.requests.clone())
    }

    /// The log so far.
    pub fn logs(&self) -> Vec<(Level, String)> {
        with(|fake| fake.logs.clone())
    }
}

fn transaction<T, E>(call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let before = with(|fake| fake.kept.clone());
    let result = call();
    if result.is_err() {
        with(|fake| fake.kept = before);
    }
    result
}

/// An item of that source, as a poll or a socket brings it.
pub fn item(source: &str, connection: Option<ConnectionId>, body: impl Into<Vec<u8>>) -> Item {
    Item { source: source.to_owned(), connection, body: body.into() }
}

/// A request on the route of that name, with the credential "test"; add to it what the case needs.
pub fn request(source: &str, method: &str, path: &str, body: impl Into<Vec<u8>>) -> RouteRequest {
    RouteRequest {
        item: item(source, None, body),
        method: method.to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        credential: "test".to_owned(),
        files: Vec::new(),
    }
}

/// A message of Claude's to that conversation.
pub fn outgoing(conversation: &str, text: &str) -> Outgoing {
    let place = Place { conversation: conversation.to_owned(), thread: None };
    Outgoing { place, reply_to: None, text: RichText::plain(text), files: Vec::new() }
}

/// A new question of the host's in that conversation, with these buttons: label and token.
pub fn prompt(conversation: &str, text: &str, buttons: &[(&str, &str)]) -> Prompt {
    let place = Place { conversation: conversation.to_owned(), thread: None };
    let choice = |(label, token): &(&str, &str)| Choice { label: (*label).to_owned(), token: (*token).to_owned() };
    Prompt { place, replaces: None, text: RichText::plain(text), choices: buttons.iter().map(choice).collect() }
}

/// The imports, in the shapes that the generated bindings give them.
pub(crate) mod imports {
    use super::{Fake, with};
    use crate::http::{Problem, Request, Response};

    fn answer(fake: &mut Fake, request: &Request) -> Result<Response, Problem> {
        fake.requests.push(request.clone());
        let denied = || Problem::Denied(format!("no answer is scripted for endpoint {:?}", request.endpoint));
        fake.answers.get_mut(&request.endpoint).and_then(|queue| queue.pop_front()).ok_or_else(denied)?
    }

    pub(crate) mod inbox {
        use super::with;
        use crate::message::{Message, Refusal};

        pub(crate) fn deliver(message: &Message) -> Result<(), Refusal> {
            with(|fake| {
                if !fake.handling {
                    return Err(Refusal::DoesNotApply("there is no event".to_owned()));
                }
                if let Some(refusal) = fake.refusals.get(&message.rule) {
                    return Err(refusal.clone());
                }
                fake.kept.deliveries.push(message.clone());
                Ok(())
            })
        }
    }

    pub(crate) mod http {
        use super::{answer, with};
        use crate::http::{Problem, Request, Response};
        use crate::types::KeptFile;

        pub(crate) fn send(request: &Request) -> Result<Response, Problem> {
            with(|fake| answer(fake, request))
        }

        pub(crate) fn download(request: &Request, suggested_name: &str) -> Result<KeptFile, Problem> {
            with(|fake| {
                let response = answer(fake, request)?;
                fake.downloads += 1;
                Ok(KeptFile {
                    file: format!("download-{}", fake.downloads),
                    name: suggested_name.to_owned(),
                    media_type: response.header("content-type").unwrap_or("application/octet-stream").to_owned(),
                    size: response.body.len() as u64,
                })
            })
        }
    }

    pub(crate) mod sockets {
        use super::super::SentFrame;
        use super::with;
        use crate::types::{ConnectionId, Frame};

        pub(crate) fn send(socket: &str, to: Option<ConnectionId>, frame: &Frame) -> Result<(), String> {
            let sent = SentFrame { socket: socket.to_owned(), to, frame: frame.clone() };
            with(|fake| fake.kept.frames.push(sent));
            Ok(())
        }

        pub(crate) fn reconnect(socket: &str, after_ms: u32) {
            with(|fake| fake.kept.reconnects.push((socket.to_owned(), after_ms)));
        }
    }

    pub(crate) mod timers {
        use super::with;

        pub(crate) fn set(name: &str, after_ms: u32) {
            with(|fake| fake.kept.timers.insert(name.to_owned(), after_ms));
        }

        pub(crate) fn cancel(name: &str) {
            with(|fake| fake.kept.timers.remove(name));
        }
    }

    pub(crate) mod state {
        use super::with;

        pub(crate) fn get(key: &str) -> Option<Vec<u8>> {
            with(|fake| fake.kept.state.get(key).cloned())
        }

        pub(crate) fn set(key: &str, value: &[u8]) {
            with(|fake| fake.kept.state.insert(key.to_owned(), value.to_vec()));
        }

        pub(crate) fn remove(key: &str) {
            with(|fake| fake.kept.state.remove(key));
        }
    }

    pub(crate) mod log {
        use super::with;
        use crate::log::Level;

        pub(crate) fn write(level: Level, message: &str) {
            with(|fake| fake.logs.push((level, message.to_owned())));
        }
    }
}

/// A file that the host keeps.
pub fn kept(file: &str, name: &str, media_type: &str, size: u64) -> KeptFile {
    KeptFile { file: file.to_owned(), name: name.to_owned(), media_type: media_type.to_owned(), size }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
