//! Why a request is not taken: one status for the client, one reason for the user's log.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use hyper::StatusCode;

use crate::{files::FileError, manifest::is_plain, name::AdapterName, signature::SignatureError};

/// Why a request or a connection was refused. The text is for the user's log and says what to do; it never
/// carries a secret or a body.
#[derive(Debug, thiserror::Error)]
pub enum Denial {
    /// The target is not a path.
    #[error("the request's target is not a path: the client takes this listener for a proxy")]
    Target,
    /// Something about the message itself.
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    /// `Host` is not a name of this listener.
    #[error(
        "{0:?} is not a name of this listener: pages open at http://127.0.0.1 or http://localhost with its port; for a \
         tunnel, add its name to `public-hosts` in config.toml"
    )]
    WrongHost(String),
    /// No adapter has such a route.
    #[error("no adapter has a route of that path: `sluicegate list` shows those there are")]
    NoRoute,
    /// The route takes other methods.
    #[error("the route takes {}", .allowed.join(", "))]
    Method {
        /// What it takes.
        allowed: Vec<String>,
    },
    /// The adapter takes nothing at the moment.
    #[error("too much waits for Claude already: the sender will come back")]
    Full,
    /// There are too many connections or too many bytes on the way.
    #[error("{0} at a time are the most that are taken: the sender will come back")]
    Crowded(&'static str),
    /// The body is larger than the route takes.
    #[error("the body is larger than {max} bytes: raise `body-kib` (uploads: `file-mib`) in config.toml if it must be")]
    TooLarge {
        /// Most bytes.
        max: u64,
    },
    /// The body is compressed.
    #[error("the body is compressed: let the sender send it as it is")]
    Compressed,
    /// The body is of another kind.
    #[error("the route takes {expected}")]
    MediaType {
        /// What the route takes.
        expected: &'static str,
    },
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    Slow,
    /// The body is not of the form that the route's kind of body prescribes.
    #[error("the body cannot be taken: {0}")]
    Body(&'static str),
    /// There is no credential of that name.
    #[error("there is no credential {0:?}: add it to config.toml, or mend the address at the sender")]
    UnknownCredential(String),
    /// The credential does not vouch for the request.
    #[error("the credential {credential:?} does not vouch for the request: {error}")]
    Signature {
        /// Its name.
        credential: String,
        /// Why.
        error: SignatureError,
    },
    /// The scheme signs bodies, and this is none that could be read first.
    #[error("the credential {0:?} signs bodies, which uploads and WebSockets cannot have checked first: use `bearer`")]
    Unsigned(String),
    /// A page was asked for from another machine, or through a proxy.
    #[error("pages are for browsers at this machine alone, not through tunnels or proxies")]
    NotLocal,
    /// Another site is behind the request.
    #[error("another site is behind the request ({0}): open the page by its own address")]
    CrossSite(&'static str),
    /// It would become a frame, a worker or another part of a page that has a policy of its own.
    #[error("nothing here runs as a part of a page ({0:?}): open its address in a tab of its own")]
    Embedded(String),
    /// The page's key is wrong.
    #[error("the page's key is wrong: open the page by the address that `sluicegate list` prints")]
    PageKey,
    /// The page's token is missing or wrong.
    #[error("the page's token is {}: `sluicegate list` prints the page's address with it", if *.shown { "wrong" } else { "missing" })]
    PageToken {
        /// A token was shown.
        shown: bool,
    },
    /// The route is a WebSocket, and the request does not open one as RFC 6455 has it.
    #[error("the route is a WebSocket: {0}")]
    NotWebSocket(&'static str),
    /// An uploaded file cannot be kept.
    #[error("the upload cannot be kept: {0}")]
    File(#[from] FileError),
    /// The adapter refused the input.
    #[error("the adapter refuses it: {0}")]
    Refused(String),
    /// The adapter failed.
    #[error("the adapter failed; its log says how")]
    Failed,
}

impl Denial {
    /// The status that the client gets.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Target | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::WrongHost(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Full | Self::Crowded(_) | Self::File(FileError::Full { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge { .. } | Self::File(FileError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Compressed | Self::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Body(_) | Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::UnknownCredential(_) | Self::Signature { .. } | Self::Unsigned(_) => StatusCode::UNAUTHORIZED,
            Self::PageToken { .. } | Self::PageKey => StatusCode::UNAUTHORIZED,
            Self::NotLocal | Self::CrossSite(_) | Self::Embedded(_) => StatusCode::FORBIDDEN,
            Self::NotWebSocket(_) => StatusCode::UPGRADE_REQUIRED,
            Self::File(FileError::Io(_) | FileError::Unknown) | Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What an adapter said, made fit for a log.
    pub(super) fn refused(reason: &str) -> Self {
        Self::Refused(reason.chars().filter(|c| is_plain(*c)).take(300).collect())
    }
}

/// A refusal, as the log gets it.
#[derive(Debug)]
pub struct Denied<'a> {
    /// Who asked; of WebSockets, the request that opened them tells.
    pub peer: Option<SocketAddr>,
    /// The adapter whose route it was, if it was one's.
    pub adapter: Option<&'a AdapterName>,
    /// The route's name, if there is one.
    pub route: Option<&'a str>,
    /// Why.
    pub denial: &'a Denial,
    /// Refusals that were not reported before this one, because there were too many.
    pub unreported: u64,
}

impl fmt::Display for Denied<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.denial.status().as_u16(), self.denial)?;
        if self.unreported > 0 {
            write!(f, " (and {} refusals before it that were not written down)", self.unreported)?;
        }
        Ok(())
    }
}

/// Most reports in one [`SPAN`]: whoever can reach the listener must not be able to fill the disk with them.
const MOST: u32 = 100;
const SPAN: Duration = Duration::from_secs(60);

/// Counts reports.
#[derive(Debug, Default)]
pub(super) struct Reports(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    since: Option<Instant>,
    reported: u32,
    unreported: u64,
}

impl Reports {
    /// Whether to report now, and how many reports were left out before.
    pub(super) fn admit(&self, now: Instant) -> Option<u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.since.is_none_or(|since| now.saturating_duration_since(since) >= SPAN) {
            counts.since = Some(now);
            counts.reported = 0;
        }
        if counts.reported == MOST {
            counts.unreported += 1;
            return None;
        }
        counts.reported += 1;
        Some(std::mem::take(&mut counts.unreported))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_counted_and_not_written() {
        let (reports, start) = (Reports::default(), Instant::now());
        let admitted = (0..MOST + 50).filter(|_| reports.admit(start).is_some()).count();
        assert_eq!(admitted, MOST as usize);
        assert_eq!(reports.admit(start + SPAN), Some(50));
        assert_eq!(reports.admit(start + SPAN), Some(0));
    }

    #[test]
    fn an_adapters_words_are_short_and_plain_in_the_log() {
        let text = Denial::refused(&format!("a\n\u{202e}{}", "x".repeat(1000))).to_string();
        assert!(text.len() < 400 && text.chars().all(is_plain), "{text}");
    }
}
