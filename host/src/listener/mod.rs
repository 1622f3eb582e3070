//! One HTTP/1.1 listener for the routes of all adapters.
//!
//! ```text
//! http://127.0.0.1:8788/<adapter>/<route's path>
//!
//! target, Host ─▶ route, method ─▶ page: peer, origin, token, key ─▶ room? ─▶ body ─▶ credential ─▶ intake ─▶ answer
//! ```
//!
//! The connection's own task awaits the [`Intake`], so there is no hop between socket and adapter. Routes come
//! and go by swapping the whole [`RouteTable`]. Clients learn a status, the user's log learns the reason
//! ([`Denied`]).

mod answer;
mod body;
mod connections;
mod credential;
mod denial;
mod intake;
mod page;
mod serve;
mod stream;
mod table;
mod target;
mod upload;
mod websocket;

#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    io::{self, Write},
    net::SocketAddr,
    pin::pin,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};

pub use connections::Connections;
pub use denial::{Denial, Denied};
pub use intake::{
    Answer, Caller, Closure, Frame, FrameIn, Incoming, Intake, KeptUpload, PAGE, Page, PageBody, Request, Socket,
};
pub use page::PageToken;
pub use table::{Mount, RouteTable};

use serve::Shared;
use stream::Patient;

/// After a failed accept, usually because the process has no descriptors left.
const AFTER_FAILURE: Duration = Duration::from_millis(50);
/// For connections to end when the listener stops.
const GRACE: Duration = Duration::from_secs(6);

/// Hears why requests were refused.
pub type DenialLog = Arc<dyn Fn(&Denied<'_>) + Send + Sync>;

/// How the listener is set up.
pub struct Settings {
    /// Names under which credential routes (never pages) may be reached from outside.
    pub public_hosts: Vec<String>,
    /// Opens the pages.
    pub page_token: PageToken,
    /// Bounds of all connections.
    pub bounds: Bounds,
    /// Hears why requests were refused, at most a hundred times a minute; without it they are logged as warnings.
    pub denied: Option<DenialLog>,
}

/// What connections may use. What adapters may use is among their limits.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// HTTP connections at a time.
    pub connections: usize,
    /// Headers of a request.
    pub headers: usize,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Bytes of all bodies that are being read; the first 64 KiB of each do not count.
    pub body_bytes: usize,
    /// For a request's head to arrive, also on a connection that is kept open.
    pub head_time: Duration,
    /// For a body to arrive; of uploads, for its next piece.
    pub body_time: Duration,
    /// For an upload to arrive.
    pub upload_time: Duration,
    /// For a peer to take what is sent to it.
    pub patience: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 256,
            headers: 64,
            head_bytes: 16 * 1024,
            body_bytes: 128 * 1024 * 1024,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            upload_time: Duration::from_secs(15 * 60),
            patience: Duration::from_secs(30),
        }
    }
}

/// Why the listener cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else does already.
    #[error("{0} is in use: end the other program, or set another `listen` in config.toml")]
    InUse(SocketAddr),
    /// The system does not allow it.
    #[error("cannot listen on {address}: {error}")]
    Io {
        /// The address.
        address: SocketAddr,
        /// What happened.
        error: io::Error,
    },
}

/// The listener. Cheap to clone.
#[derive(Clone)]
pub struct Listener {
    socket: Arc<TcpListener>,
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Listener {
    /// Takes the address. Requests wait until [`Listener::run`].
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn bind(address: SocketAddr, settings: Settings) -> Result<Self, ListenError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse(address),
            _ => ListenError::Io { address, error },
        };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let Settings { public_hosts, page_token, bounds, denied } = settings;
        let shared = Shared {
            names: target::Names::new(address.port(), &public_hosts),
            token: page_token,
            routes: RwLock::default(),
            connections: Arc::default(),
            budget: body::Budget::new(bounds.body_bytes),
            reports: denial::Reports::default(),
            log: denied,
            stop: watch::Sender::new(false),
            bounds,
        };
        Ok(Self { socket: Arc::new(socket), address, shared: Arc::new(shared) })
    }

    /// The address, with the port that the system chose if none was given.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The open WebSockets.
    #[must_use]
    pub fn connections(&self) -> Arc<Connections> {
        Arc::clone(&self.shared.connections)
    }

    /// Replaces all routes. Requests that are being answered end under the old ones; WebSockets that the new
    /// ones would not open are closed.
    pub fn set_routes(&self, table: Arc<RouteTable>) {
        *self.shared.routes.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&table);
        self.shared.connections.close_unrouted(&table);
    }

    /// Answers requests until `until` resolves, and then lets those that have begun end, for a few seconds.
    pub async fn run<I: Intake>(&self, intake: Arc<I>, until: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(self.shared.bounds.connections));
        let mut until = pin!(until);
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = &mut until => break,
            };
            match accepted {
                Ok((stream, peer)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => {
                        let (shared, intake) = (Arc::clone(&self.shared), Arc::clone(&intake));
                        let stop = shared.stop.subscribe();
                        tokio::spawn(async move {
                            attend(&shared, &intake, stream, peer, stop).await;
                            drop(place);
                        });
                    }
                    Err(_) => self.turn_away(stream, peer),
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
        self.shared.stop.send_replace(true);
        // Each connection holds a receiver.
        let _: Result<(), _> = tokio::time::timeout(GRACE, self.shared.stop.closed()).await;
    }

    /// Answers 503 without reading anything.
    fn turn_away(&self, stream: TcpStream, peer: SocketAddr) {
        const BUSY: &[u8] =
            b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\
            content-security-policy: default-src 'none'; frame-ancestors 'none'; sandbox\r\n\r\n";
        self.shared.report(Some(peer), None, None, &Denial::Crowded("so many connections"));
        // It does not block, and whether it arrives does not matter.
        let _: Result<usize, _> = stream.into_std().and_then(|mut stream| stream.write(BUSY));
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Attends to one HTTP connection until its end.
async fn attend<I: Intake>(
    shared: &Arc<Shared>,
    intake: &Arc<I>,
    stream: TcpStream,
    peer: SocketAddr,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small and somebody waits for them.
    let _: io::Result<()> = stream.set_nodelay(true);
    let bounds = &shared.bounds;
    let service = service_fn(async |request| Ok::<_, Infallible>(serve::serve(shared, intake, peer, request).await));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_time)
        .max_headers(bounds.headers)
        .max_header_size(bounds.head_bytes)
        .max_buf_size(64 * 1024)
        .half_close(true)
        .serve_connection(TokioIo::new(Patient::new(stream, bounds.patience)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = serve::stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}
