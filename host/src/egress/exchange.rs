//! An adapter's way to the network: its endpoints and polls, with what the user set for them.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Method;
use sha2::{Digest, Sha256};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};
use url::Url;

use super::{
    Asked, Denied, Permit, Values,
    address::Named,
    answer::{Downloaded, Response, retry_after},
    client::{Client, Exchange, TransportError},
    request,
    scrub::Scrubber,
};
use crate::{
    evidence::{Document, Found},
    files::{FileStore, KeptFile},
    limits::Limits,
    manifest::{Base, Endpoint, ErrorShape, Piece, Platform, Pointer, Poll, Use},
    name::AdapterName,
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

/// Why there is no answer. The texts hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not within the grant; says what was not.
    #[error("{0}")]
    Denied(String),
    /// The answer is larger than it may be.
    #[error("the answer is too large")]
    TooLarge,
    /// It took too long.
    #[error("the platform did not answer in time")]
    TimedOut,
    /// The platform was not reached, or a file could not be read or kept.
    #[error("{0}")]
    Unreachable(String),
    /// The connection broke after the request had left.
    #[error("{0}")]
    Broken(String),
}

impl Problem {
    /// Whether the platform may have done what it was asked to do.
    #[must_use]
    pub const fn leaves_open(&self) -> bool {
        matches!(self, Self::TooLarge | Self::TimedOut | Self::Broken(_))
    }
}

/// Why a poll brought nothing. The texts hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollFailure {
    /// It cannot be asked before the user does something.
    NotSet(String),
    /// There was no connection, or it broke.
    Transport(String),
    /// The platform said no.
    Status {
        /// The status code.
        status: u16,
        /// The platform's own words.
        description: String,
        /// When it may be asked again.
        retry_after: Option<Duration>,
    },
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied.0)
    }
}

impl From<TransportError> for Problem {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Refused(reason) => Self::Denied(reason),
            TransportError::TooLarge { .. } => Self::TooLarge,
            TransportError::TimedOut => Self::TimedOut,
            TransportError::Protocol(reason) => Self::Broken(reason),
            other => Self::Unreachable(other.to_string()),
        }
    }
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
    slots: Semaphore,
}

impl Egress {
    /// The way of an adapter, with the values that the user set.
    #[must_use]
    pub fn new(
        adapter: AdapterName,
        platform: Arc<Platform>,
        values: Values,
        files: FileStore,
        limits: &Limits,
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
            slots: Semaphore::new(AT_ONCE),
        }
    }

    /// Whose way it is.
    #[must_use]
    pub fn adapter(&self) -> &AdapterName {
        &self.adapter
    }

    /// Makes a request of an endpoint. When the platform asks to wait a little, a request of an action waits and is made
    /// again: the platform did nothing yet.
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
        self.exchange(permit, self.endpoint(endpoint)?, asked, within).await
    }

    /// The same for `wasi:http`, where the method is the guest's to name and names are in lower case.
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
    ) -> Result<Answer, Problem> {
        let mut found = self.platform.endpoints.iter().filter(|it| it.name.eq_ignore_ascii_case(endpoint));
        let endpoint = match (found.next(), found.next()) {
            (Some(one), None) => one,
            _ => self.endpoint(endpoint)?,
        };
        let wanted = endpoint.method.as_str();
        if method.as_str() != wanted {
            return Err(Problem::Denied(format!("the endpoint {} is requested with {wanted}", endpoint.name)));
        }
        self.exchange(permit, endpoint, asked, within).await
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
        let endpoint = self.endpoint(endpoint)?;
        let _slot = self.slot().await?;
        let prepared = request::build(endpoint, &self.values, permit, asked)?;
        // A server that does not know the type leaves it to the name.
        let known = |media_type: &&str| !media_type.starts_with("application/octet-stream");
        let create = |head: &Response| self.files.create(name, head.header("content-type").filter(known));
        match self.client.download(prepared, &self.bounds(within, self.file_bytes), create).await? {
            Downloaded::Written(_, writer) => {
                writer.finish(None).await.map_err(|error| Problem::Unreachable(error.to_string()))
            }
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
        let answered = self.client.send(prepared, &bounds).await;
        let Response { status, headers, body } =
            answered.map_err(|error| PollFailure::Transport(error.to_string()))?;
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

    async fn slot(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Problem> {
        self.slots.acquire().await.map_err(|_| Problem::Unreachable("Sluicegate is stopping".into()))
    }

    fn bounds(&self, deadline: Duration, max_bytes: u64) -> Exchange<'_> {
        Exchange { deadline, max_bytes, scrubber: &self.scrubber }
    }

    async fn exchange(
        &self,
        permit: &Permit,
        endpoint: &Endpoint,
        asked: Asked,
        within: Duration,
    ) -> Result<Answer, Problem> {
        let _slot = self.slot().await?;
        let end = Instant::now() + within;
        let most = endpoint.max_bytes.unwrap_or(ANSWER);
        let mut waits = if permit.purpose == Use::Handle { 0 } else { WAITS };
        loop {
            let prepared = request::build(endpoint, &self.values, permit, asked.clone())?;
            let bounds = self.bounds(end.saturating_duration_since(Instant::now()), most);
            let Response { status, headers, body } = self.client.send(prepared, &bounds).await?;
            let body = Bytes::from(body);
            if status == 429 && waits > 0 {
                let wait = self.asked_to_wait(&headers, &body).unwrap_or(Duration::from_secs(1));
                if wait <= LONGEST_WAIT && Instant::now() + wait < end {
                    waits -= 1;
                    tracing::debug!(adapter = %self.adapter, "the platform asks to wait for {} s", wait.as_secs());
                    sleep(wait).await;
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
