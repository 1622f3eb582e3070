//! An adapter's way to the network: its endpoints and polls, with what the user set for them.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Method;
use sha2::{Digest, Sha256};
use tokio::{
    sync::{Semaphore, SemaphorePermit, watch},
    time::{Instant, sleep, timeout_at},
};
use url::Url;

use super::{
    Asked, Permit, Values,
    address::Named,
    answer::{Downloaded, Response, retry_after},
    client::{Client, Exchange},
    problem::{PollFailure, Problem, STOPPED},
    request,
    scrub::Scrubber,
};
use crate::{
    evidence::{Document, Found},
    files::{FileStore, KeptFile},
    limits::Limits,
    manifest::{Action, Base, Endpoint, ErrorShape, Piece, Platform, Pointer, Poll, Use},
    name::AdapterName,
    relay::Live,
};

/// Requests of one adapter that may be under way at a time, beside its polls.
const AT_ONCE: usize = 16;

/// How long a request of an action waits when the platform asks it to, and how often.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const WAITS: u32 = 3;

/// Bytes of an answer, where an endpoint says nothing else, and of a poll's answer.
const ANSWER: u64 = 1 << 20;
const POLL_ANSWER: u64 = 32 << 20;

/// Characters of a platform's own words.
const DESCRIPTION: usize = 200;

/// What a platform answered, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers that concern an adapter.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Ids of the messages that the platform has taken, by the endpoint's `sent`.
    pub sent: Vec<String>,
}

/// The way of one adapter.
pub struct Egress {
    adapter: AdapterName,
    platform: Arc<Platform>,
    values: Values,
    client: Client,
    scrubber: Scrubber,
    files: FileStore,
    file_bytes: u64,
    /// What no request may carry but the prompt that it belongs to.
    live: Arc<Live>,
    slots: Semaphore,
    /// Whether it has ended.
    closed: watch::Sender<bool>,
}

impl Egress {
    /// The way of an adapter, with the values that the user set; `live` are the codes and tokens of all prompts of the host.
    #[must_use]
    pub fn new(
        adapter: AdapterName,
        platform: Arc<Platform>,
        values: Values,
        files: FileStore,
        limits: &Limits,
        live: Arc<Live>,
    ) -> Self {
        let by_user = values.config.iter().filter(|(name, _)| values.by_user.contains(*name));
        let mut named = Named::none();
        by_user.filter_map(|(_, value)| Url::parse(value).ok()).for_each(|url| named.add(&url));
        Self {
            adapter,
            client: Client::new(named),
            scrubber: Scrubber::new(values.secrets.values()),
            platform,
            values,
            files,
            file_bytes: limits.file_mib << 20,
            live,
            slots: Semaphore::new(AT_ONCE),
            closed: watch::Sender::new(false),
        }
    }

    /// Ends the way: nothing leaves any more, and whatever is under way ends without its answer.
    pub fn close(&self) {
        self.closed.send_replace(true);
        self.slots.close();
    }

    /// Whose way it is.
    #[must_use]
    pub fn adapter(&self) -> &AdapterName {
        &self.adapter
    }

    /// Makes a request of an endpoint. When the platform asks to wait a little, a request of an action waits and is made
    /// again: the platform did nothing yet. For `ask` one request of the permit may reach the platform: the next is made
    /// only if the platform surely did nothing.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn send(
        &self,
        permit: &Permit,
        endpoint: &str,
        asked: Asked,
        within: Duration,
    ) -> Result<Answer, Problem> {
        self.exchange(permit, self.endpoint(endpoint)?, asked, within, u64::MAX).await
    }

    /// The longest answer of an endpoint, in bytes; the default for a name that is none.
    #[must_use]
    pub fn longest_answer(&self, endpoint: &str) -> u64 {
        self.named(endpoint).and_then(|endpoint| endpoint.max_bytes).unwrap_or(ANSWER)
    }

    /// The same for `wasi:http`, where the method is the guest's to name, names are in lower case, and the answer has at
    /// most `room` bytes.
    ///
    /// # Errors
    /// [`Problem`].
    pub async fn send_as(
        &self,
        permit: &Permit,
        endpoint: &str,
        method: &Method,
        asked: Asked,
        within: Duration,
        room: u64,
    ) -> Result<Answer, Problem> {
        let endpoint = self.named(endpoint).map_or_else(|| self.endpoint(endpoint), Ok)?;
        let wanted = endpoint.method.as_str();
        if method.as_str() != wanted {
            return Err(Problem::Denied(format!("the endpoint {} is requested with {wanted}", endpoint.name)));
        }
        self.exchange(permit, endpoint, asked, within, room).await
    }

    /// Makes a request of an endpoint and keeps the answer's body as a file of that name.
    ///
    /// # Errors
    /// [`Problem`]; an answer that is no success is unreachable, with its status.
    pub async fn download(
        &self,
        permit: &Permit,
        endpoint: &str,
        asked: Asked,
        name: &str,
        within: Duration,
    ) -> Result<KeptFile, Problem> {
        let end = Instant::now() + within;
        let endpoint = self.endpoint(endpoint)?;
        if !endpoint.download {
            return Err(Problem::Denied(format!(
                "the endpoint `{}` answers with no file; ask with `http.send`, or have `download = true` granted",
                endpoint.name
            )));
        }
        let _slot = self.slot(end).await?;
        let prepared = request::build(endpoint, &self.values, &self.live, permit, asked)?;
        // A server that does not know the type leaves it to the name.
        let known = |media_type: &&str| !media_type.starts_with("application/octet-stream");
        let create = |head: &Response| self.files.create(name, head.header("content-type").filter(known));
        let bounds = self.bounds(end.saturating_duration_since(Instant::now()), self.file_bytes);
        let downloaded = self.while_open(self.client.download(prepared, &bounds, create)).await;
        match downloaded.ok_or_else(Problem::stopped)?? {
            Downloaded::Written(_, writer) => Ok(writer.finish(None).await?),
            Downloaded::Answered(Response { status, body, .. }) => {
                let words = self.words(&body.into());
                Err(Problem::Unreachable(format!("the platform says {status} {words}").trim_end().to_owned()))
            }
        }
    }

    /// Asks a platform for what is new after that position.
    ///
    /// # Errors
    /// [`PollFailure`].
    pub async fn poll(&self, poll: &Poll, position: Option<i64>) -> Result<Bytes, PollFailure> {
        let prepared = request::build_poll(poll, &self.values, position);
        let prepared = prepared.map_err(|denied| PollFailure::NotSet(denied.0))?;
        let bounds = self.bounds(Duration::from_secs(poll.timeout_s), POLL_ANSWER);
        let answered = self.while_open(self.client.send(prepared, &bounds)).await;
        let answered = answered.ok_or_else(|| PollFailure::Transport(STOPPED.into()))?;
        let Response { status, headers, body } = answered.map_err(|error| PollFailure::Transport(error.to_string()))?;
        let body = Bytes::from(body);
        if status == 200 {
            return Ok(body);
        }
        Err(PollFailure::Status {
            status,
            description: self.words(&body),
            retry_after: self.asked_to_wait(&headers, &body),
        })
    }

    /// Tells accounts apart: of no use to whoever does not know the secrets already.
    #[must_use]
    pub fn account(&self, poll: &Poll) -> String {
        let mut hasher = Sha256::new();
        if let Base::Config(name) = &poll.url.base {
            hasher.update(self.values.config.get(name).map_or(&b""[..], String::as_bytes));
        }
        let headers = poll.headers.iter().flat_map(|header| &header.value);
        for piece in poll.url.pieces().chain(headers) {
            if let Piece::Secret(name) = piece {
                hasher.update([0]);
                hasher.update(self.values.secrets.get(name).map_or(&b""[..], |secret| secret.expose()));
            }
        }
        hex::encode(&hasher.finalize()[..8])
    }

    fn endpoint(&self, name: &str) -> Result<&Endpoint, Problem> {
        self.platform.endpoint(name).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            Problem::Denied(format!("the endpoint {name:?} is not granted"))
        })
    }

    /// The endpoint whose name has these letters, in whatever case, if there is one and no more.
    fn named(&self, name: &str) -> Option<&Endpoint> {
        let mut found = self.platform.endpoints.iter().filter(|it| it.name.eq_ignore_ascii_case(name));
        found.next().filter(|_| found.next().is_none())
    }

    /// A turn among the requests of the adapter; what waits for it too long has not left.
    async fn slot(&self, end: Instant) -> Result<SemaphorePermit<'_>, Problem> {
        match timeout_at(end, self.slots.acquire()).await {
            Ok(slot) => slot.map_err(|_| Problem::stopped()),
            Err(_) => Err(Problem::Unreachable(format!(
                "{AT_ONCE} requests of this adapter were under way all the time; nothing was sent"
            ))),
        }
    }

    /// What comes of it, unless the way is closed before that. What has begun is dropped then.
    async fn while_open<T>(&self, running: impl Future<Output = T>) -> Option<T> {
        let mut closed = self.closed.subscribe();
        tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => None,
            done = running => Some(done),
        }
    }

    fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    fn bounds(&self, deadline: Duration, max_bytes: u64) -> Exchange<'_> {
        Exchange { deadline, max_bytes, scrubber: &self.scrubber }
    }

    /// What is dropped on the way counts as done, like everything whose end is not known.
    async fn exchange(
        &self,
        permit: &Permit,
        endpoint: &Endpoint,
        asked: Asked,
        within: Duration,
        room: u64,
    ) -> Result<Answer, Problem> {
        let asks = permit.purpose == Use::Action(Action::Ask);
        if asks && !permit.once.take() {
            let name = &endpoint.name;
            return Err(Problem::Denied(format!(
                "the endpoint `{name}`: the prompt is sent or on its way already; it is sent once"
            )));
        }
        let answered = self.exchanges(permit, endpoint, asked, within, room).await;
        let did_nothing = match &answered {
            Ok(answer) => (400..500).contains(&answer.status),
            Err(problem) => !problem.leaves_open(),
        };
        if asks && did_nothing {
            permit.once.give_back();
        }
        answered
    }

    async fn exchanges(
        &self,
        permit: &Permit,
        endpoint: &Endpoint,
        asked: Asked,
        within: Duration,
        room: u64,
    ) -> Result<Answer, Problem> {
        let end = Instant::now() + within;
        if endpoint.download {
            return Err(Problem::Denied(format!(
                "the endpoint `{}` answers with a file; ask for it with `http.download`",
                endpoint.name
            )));
        }
        let _slot = self.slot(end).await?;
        let most = endpoint.max_bytes.unwrap_or(ANSWER).min(room);
        let mut waits = if waits(permit.purpose) { WAITS } else { 0 };
        loop {
            if self.is_closed() {
                return Err(Problem::stopped());
            }
            let prepared = request::build(endpoint, &self.values, &self.live, permit, asked.clone())?;
            let bounds = self.bounds(end.saturating_duration_since(Instant::now()), most);
            let answered = self.while_open(self.client.send(prepared, &bounds)).await;
            // It may have left, so its end is not known.
            let answered =
                answered.ok_or_else(|| Problem::Broken(format!("{STOPPED} before the platform answered")))?;
            let Response { status, headers, body } = answered?;
            let body = Bytes::from(body);
            if status == 429 && waits > 0 {
                let wait = self.asked_to_wait(&headers, &body).unwrap_or(Duration::from_secs(1));
                if wait <= LONGEST_WAIT && Instant::now() + wait < end {
                    waits -= 1;
                    tracing::debug!(adapter = %self.adapter, "the platform asks to wait for {} s", wait.as_secs());
                    self.while_open(sleep(wait)).await;
                    continue;
                }
            }
            let sent = if (200..300).contains(&status) { request::sent(endpoint, &body) } else { Vec::new() };
            return Ok(Answer { status, headers, body: body.into(), sent });
        }
    }

    /// The platform's own words in an answer that says no.
    fn words(&self, body: &Bytes) -> String {
        let ErrorShape { description, .. } = &self.platform.errors;
        let found = description.as_ref().and_then(|at| match at_of(body, at)? {
            Value::Text(text) => Some(text),
            Value::Integer(_) => None,
        });
        let text = found.unwrap_or_default();
        crate::gate::visible(&text, DESCRIPTION)
    }

    /// How long the platform asks to wait, in the headers or in the body.
    fn asked_to_wait(&self, headers: &[(String, String)], body: &Bytes) -> Option<Duration> {
        retry_after(headers, SystemTime::now()).or_else(|| self.wait_of(body))
    }

    fn wait_of(&self, body: &Bytes) -> Option<Duration> {
        match at_of(body, self.platform.errors.retry_after.as_ref()?)? {
            Value::Integer(seconds) => u64::try_from(seconds).ok().map(Duration::from_secs),
            Value::Text(_) => None,
        }
    }
}

/// Whether a request waits when the platform asks it to: not while events wait behind it, and not for what is of no use
/// a moment later.
const fn waits(purpose: Use) -> bool {
    match purpose {
        Use::Call => true,
        Use::Action(action) => matches!(action, Action::Send | Action::Edit | Action::Ask | Action::Fetch),
        Use::Handle => false,
    }
}

enum Value {
    Text(String),
    Integer(i128),
}

fn at_of(body: &Bytes, at: &Pointer) -> Option<Value> {
    let document = Document::parse(body.clone()).ok()?;
    match document.at(at)? {
        Found::Text(text) => Some(Value::Text(text.to_owned())),
        Found::Integer(number) => Some(Value::Integer(number)),
        _ => None,
    }
}
