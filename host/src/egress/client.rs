//! One exchange with a platform: a prepared request out, its answer in, without secrets and within bounds.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use http::{
    HeaderName, HeaderValue, Request, Uri,
    header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT},
};
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};

use super::{
    Prepared, PreparedBody,
    address::Named,
    answer::{self, Downloaded, Response},
    connect::{ConnectError, Connector, Resolve, SystemResolver, cause},
    multipart::multipart,
    scrub::Scrubber,
    stream::{BodyError, Outgoing, Piece},
    tls::Tls,
};
use crate::{
    files::{FileError, Writer},
    manifest::{Method, is_hosts_header},
};

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(60);
/// Most such connections to one authority.
const MOST_IDLE: usize = 4;
/// Most bytes of an answer's head; also what is read at a time.
const READ_BUFFER: usize = 64 * 1024;
/// How the host calls itself, unless the endpoint says otherwise.
const OWN_NAME: &str = concat!("sluicegate/", env!("CARGO_PKG_VERSION"));

/// Why an exchange has no answer, or none that may be used. Holds no secret, no URL and no address, so an adapter may
/// read it.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// A rule of the host forbids it. Nothing was sent.
    #[error("{0}")]
    Refused(String),
    /// There is no connection. Nothing was sent.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The body cannot be read to its end, so the request was not sent or not wholly.
    #[error("{0}")]
    Body(String),
    /// It took too long. Whether the server did what it was asked to do is not known.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The answer is larger than it may be. The server has done what it was asked to do, or refused it.
    #[error("the answer is larger than {max} bytes")]
    TooLarge {
        /// Most bytes of its body.
        max: u64,
    },
    /// The connection broke, or the answer is not as HTTP has it. Whether the server did what it was asked to do is
    /// not known.
    #[error("{0}")]
    Protocol(String),
    /// The answer cannot be kept as a file.
    #[error("{0}")]
    File(FileError),
}

impl TransportError {
    /// Whether it is certain that the server has not seen the whole request.
    #[must_use]
    pub const fn is_unsent(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Unreachable(_) | Self::Body(_))
    }
}

/// The bounds of one exchange.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// From the name's look-up to the answer's last byte.
    pub deadline: Duration,
    /// Most bytes of the answer's body.
    pub max_bytes: u64,
    /// Removes the adapter's secrets from the answer.
    pub scrubber: &'a Scrubber,
}

type Pool = legacy::Client<Connector, Outgoing>;

/// The connections of one adapter. Cheap to clone; clones share them. HTTP/1.1, no proxies, no redirects, no cookies.
#[derive(Clone)]
pub struct Client {
    /// For requests whose authority the user's own setting names.
    own: Pool,
    /// For all others: no authority is trusted there.
    open: Pool,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client that trusts the system's certificate authorities and asks the system's resolver.
    ///
    /// Authorities in `named` may have private addresses and may be asked over plain `http`, by requests that are
    /// themselves [`Prepared::by_user`].
    #[must_use]
    pub fn new(named: impl Into<Named>) -> Self {
        Self::with(named.into(), &Tls::system(), &(Arc::new(SystemResolver) as Arc<dyn Resolve>))
    }

    /// A client with a TLS configuration and a resolver of one's own.
    #[must_use]
    pub fn with(named: Named, tls: &Tls, resolver: &Arc<dyn Resolve>) -> Self {
        let pool = |named| {
            let connector = Connector::new(Arc::new(named), Arc::clone(resolver), tls.clone());
            legacy::Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(MOST_IDLE)
                .http1_max_buf_size(READ_BUFFER)
                .build(connector)
        };
        Self { own: pool(named), open: pool(Named::none()) }
    }

    /// Sends a request and takes the answer's body whole. A redirect is an answer like any other.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn send(&self, prepared: Prepared, exchange: &Exchange<'_>) -> Result<Response, TransportError> {
        within(exchange.deadline, async {
            let answer = self.begin(prepared).await?;
            answer::collected(answer, exchange).await
        })
        .await
    }

    /// Sends a request and, when it is answered with 200, writes the answer's body into the file that `create` makes
    /// of the answer's head. Any other answer is taken as [`Client::send`] does.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn download(
        &self,
        prepared: Prepared,
        exchange: &Exchange<'_>,
        create: impl FnOnce(&Response) -> Result<Writer, FileError>,
    ) -> Result<Downloaded, TransportError> {
        within(exchange.deadline, async {
            let answer = self.begin(prepared).await?;
            answer::kept(answer, exchange, create).await
        })
        .await
    }

    async fn begin(&self, prepared: Prepared) -> Result<answer::Incoming, TransportError> {
        let pool = if prepared.by_user { &self.own } else { &self.open };
        let request = request(prepared).await?;
        pool.request(request).await.map_err(|error| broken(&error))
    }
}

async fn within<T>(
    deadline: Duration,
    exchange: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    tokio::time::timeout(deadline, exchange).await.unwrap_or(Err(TransportError::TimedOut))
}

/// What went wrong on the wire, in words of the host's own: those of libraries may quote what was sent.
pub(super) fn broken(error: &(dyn Error + 'static)) -> TransportError {
    if let Some(error) = cause::<ConnectError>(error) {
        return match error {
            ConnectError::Refused(reason) => TransportError::Refused((*reason).to_owned()),
            ConnectError::Failed(reason) => TransportError::Unreachable(reason.clone()),
        };
    }
    if let Some(error) = cause::<BodyError>(error) {
        return TransportError::Body(error.to_string());
    }
    let reason = match cause::<hyper::Error>(error) {
        Some(error) if error.is_parse_too_large() => "the head of the server's answer is too large",
        Some(error) if error.is_parse() => "the server's answer is not HTTP/1.1",
        Some(error) if error.is_incomplete_message() => "the server closed the connection before its answer was whole",
        _ => "the connection broke before the server's answer was whole",
    };
    TransportError::Protocol(reason.to_owned())
}

async fn request(prepared: Prepared) -> Result<Request<Outgoing>, TransportError> {
    let Prepared { method, url, headers, body, .. } = prepared;
    let refused = |reason: &str| TransportError::Refused(reason.to_owned());
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(refused("the URL is neither https nor http, or names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("the URL has a user name or a password in it"));
    }
    let uri: Uri = url.as_str().parse().map_err(|_| refused("the URL has characters that no request can have"))?;
    let mut request = Request::builder().method(method.as_str()).uri(uri);
    let Some(map) = request.headers_mut() else { return Err(refused("the request cannot be written")) };
    map.insert(USER_AGENT, HeaderValue::from_static(OWN_NAME));
    let mut set = std::collections::HashSet::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused("a header has a name that is none"))?;
        if is_hosts_header(name.as_str()) {
            return Err(refused(&format!("the header {name} is the host's to write")));
        }
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| refused(&format!("the value of the header {name} has characters that no header can have")))?;
        value.set_sensitive(true);
        if !set.insert(name.clone()) {
            return Err(refused(&format!("the header {name} is set twice")));
        }
        map.insert(name, value);
    }
    map.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let (content_type, pieces) = match body {
        PreparedBody::Empty => (None, Vec::new()),
        PreparedBody::Bytes { content_type, bytes } => (Some(content_type.to_owned()), vec![Piece::Bytes(bytes)]),
        PreparedBody::Multipart(parts) => {
            let written = multipart(&parts).await.map_err(|error| TransportError::Body(error.to_string()))?;
            (Some(written.content_type), written.pieces)
        }
    };
    let body = Outgoing::new(pieces);
    if content_type.is_some() || !matches!(method, Method::Get | Method::Delete) {
        map.insert(CONTENT_LENGTH, body.length().into());
    }
    if let Some(content_type) = content_type {
        let value = HeaderValue::from_str(&content_type).map_err(|_| refused("the body's media type is none"))?;
        map.insert(CONTENT_TYPE, value);
    }
    request.body(body).map_err(|_| refused("the request cannot be written"))
}
