//! Connections: a name is resolved once, all its addresses are checked, and only checked addresses are connected to.

use std::{
    error::Error,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tower_service::Service;

use super::{
    address::{Named, bare, is_public, is_public_name},
    tls::Tls,
};

/// Time for looking a name up and connecting to one of its addresses; the TLS handshake may take as long again.
const CONNECT: Duration = Duration::from_secs(10);
/// Most addresses of a name that are tried.
const MOST_TRIED: usize = 6;

/// What a connection in the making is.
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, ConnectError>> + Send>>;

/// Looks names up. The host's own is [`SystemResolver`]; tests have others.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of a name, best first.
    fn resolve(&self, host: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// Why there is no connection. Nothing was sent. Names neither host nor address: the adapter reads it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ConnectError {
    /// The rule of addresses forbids it.
    #[error("{0}")]
    Refused(&'static str),
    /// It did not come about.
    #[error("{0}")]
    Failed(String),
}

const LOCAL_NAME: ConnectError = ConnectError::Refused(
    "the host's name stands for something on this machine or its network: such a server is reached only if the \
     user's own configuration of this adapter names it",
);
const PRIVATE_ADDRESS: ConnectError = ConnectError::Refused(
    "the host's address, or one of its addresses, is not on the open internet: such a server is reached only if the \
     user's own configuration of this adapter names it",
);
const PLAIN: ConnectError = ConnectError::Refused(
    "the URL is not https: without TLS a server is reached only if the user's own configuration of this adapter \
     names it",
);

/// Opens connections for one client: TLS for `https`, none for `http`.
#[derive(Clone)]
pub(super) struct Connector {
    named: Arc<Named>,
    resolver: Arc<dyn Resolve>,
    tls: Tls,
}

impl Connector {
    pub(super) const fn new(named: Arc<Named>, resolver: Arc<dyn Resolve>, tls: Tls) -> Self {
        Self { named, resolver, tls }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = ConnectError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let tcp = connector.tcp(&uri).await?;
            if uri.scheme() != Some(&Scheme::HTTPS) {
                return Ok(MaybeHttpsStream::Http(TokioIo::new(tcp)));
            }
            let config = connector.tls.config().await.map_err(ConnectError::Failed)?;
            let mut https = HttpsConnector::from((Once(Some(tcp)), config));
            match timeout(CONNECT, https.call(uri)).await {
                Ok(Ok(stream)) => Ok(stream),
                Ok(Err(error)) => Err(ConnectError::Failed(format!("no secure connection: {}", tls_reason(&*error)))),
                Err(_) => Err(failed("no secure connection: the server did not answer in time")),
            }
        })
    }
}

impl Connector {
    /// Connects to one of the checked addresses of the URI's authority.
    async fn tcp(&self, uri: &Uri) -> Result<TcpStream, ConnectError> {
        let host = uri.host().map(bare).ok_or_else(|| failed("the URL names no host"))?;
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let named = self.named.has_authority(host, port);
        if !named && !secure {
            return Err(PLAIN);
        }
        let deadline = Instant::now() + CONNECT;
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) if !named && !is_public_name(host) => return Err(LOCAL_NAME),
            Err(_) => match timeout_at(deadline, self.resolver.resolve(host.to_owned())).await {
                Ok(Ok(addresses)) => addresses,
                Ok(Err(_)) => {
                    return Err(failed("the host's name cannot be resolved: is it right, is there a network?"));
                }
                Err(_) => return Err(failed("the host's name cannot be resolved: no answer in time")),
            },
        };
        // One address that is not public spoils all: a name of the internet has no reason to lead here too.
        if !named && !addresses.iter().all(|address| is_public(*address)) {
            return Err(PRIVATE_ADDRESS);
        }
        first_of(&addresses, port, deadline).await
    }
}

/// Connects to the first address that answers. Each gets its share of the time that is left.
async fn first_of(addresses: &[IpAddr], port: u16, deadline: Instant) -> Result<TcpStream, ConnectError> {
    let tried = &addresses[..addresses.len().min(MOST_TRIED)];
    let mut last = failed("the host's name has no address");
    for (at, address) in tried.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(tried.len() - at).unwrap_or(1);
        match timeout(share, TcpStream::connect(SocketAddr::new(*address, port))).await {
            Ok(Ok(stream)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY cannot be set");
                }
                return Ok(stream);
            }
            // Of the system's words only the kind: the rest may name the address.
            Ok(Err(error)) => last = ConnectError::Failed(format!("no connection: {}", error.kind())),
            Err(_) => last = failed("no connection: the server did not answer in time"),
        }
    }
    Err(last)
}

/// Hands over the one connection that was opened already.
struct Once(Option<TcpStream>);

impl Service<Uri> for Once {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let stream = self.0.take().map(TokioIo::new);
        std::future::ready(stream.ok_or_else(|| io::Error::other("the connection was handed over already")))
    }
}

fn failed(reason: &str) -> ConnectError {
    ConnectError::Failed(reason.to_owned())
}

/// The first error of that type among an error and its causes, those that an [`io::Error`] wraps included.
pub(super) fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}

/// What went wrong with TLS, in words that hold neither names nor certificates.
fn tls_reason(error: &(dyn Error + 'static)) -> String {
    match cause::<rustls::Error>(error) {
        Some(rustls::Error::InvalidCertificate(error)) => certificate_reason(error).to_owned(),
        Some(rustls::Error::AlertReceived(alert)) => format!("the server ended it ({alert:?})"),
        Some(_) => "the server does not speak TLS as it should".to_owned(),
        None => "the connection broke".to_owned(),
    }
}

const fn certificate_reason(error: &rustls::CertificateError) -> &'static str {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext, Revoked,
        UnknownIssuer,
    };
    match error {
        UnknownIssuer => {
            "the server's certificate is not from an authority that this system trusts; add your own authority to \
             the system, or name its file in SSL_CERT_FILE"
        }
        NotValidForName | NotValidForNameContext { .. } => "the server's certificate is for another name",
        Expired | ExpiredContext { .. } => "the server's certificate has expired; is the clock right?",
        NotValidYet | NotValidYetContext { .. } => "the server's certificate is not valid yet; is the clock right?",
        Revoked => "the server's certificate was revoked",
        _ => "the server's certificate is not valid",
    }
}
