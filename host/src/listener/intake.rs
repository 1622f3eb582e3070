//! What the listener hands on, and what it is told to answer.

use std::sync::Arc;

use bytes::Bytes;

use crate::{files::KeptFile, manifest::Route, name::AdapterName};

/// Takes what routes bring in. Implemented by the lanes.
///
/// A call is awaited on the connection's own task. It is dropped when the peer hangs up, so it must leave
/// nothing half done at an await.
pub trait Intake: Send + Sync + 'static {
    /// Whether the adapter takes nothing at the moment; asked before anything is read.
    fn is_full(&self, adapter: &AdapterName) -> bool;

    /// Resolves when the adapter takes events again. WebSockets are not read before.
    fn room(&self, adapter: &AdapterName) -> impl Future<Output = ()> + Send;

    /// Takes one authenticated event and resolves after its commit.
    fn accept(&self, adapter: &AdapterName, incoming: Incoming) -> impl Future<Output = Answer> + Send;
}

/// What came in on a route.
#[derive(Debug)]
pub enum Incoming {
    /// A request.
    Request(Box<Request>),
    /// A WebSocket was opened. It is closed again unless this is [`Answer::Stored`].
    Opened(Socket),
    /// A frame of a WebSocket.
    Frame(Socket, FrameIn),
    /// A WebSocket is closed.
    Closed(Socket, Closure),
}

/// An authenticated request with its body.
#[derive(Debug)]
pub struct Request {
    /// The route.
    pub route: Arc<Route>,
    /// Who asks, and how.
    pub caller: Caller,
    /// `GET`, `POST` …
    pub method: String,
    /// The item: the body as the route's kind of body has it.
    pub body: Bytes,
    /// The same for a delivery and its repetition, where the signature covers what names the event: the digest
    /// of adapter, route and what was signed.
    pub once: Option<[u8; 16]>,
    /// The id of the event for `$signed`: what the signature covers, else the name that the holder of the
    /// credential gave to it, else a fresh one.
    pub signed: String,
    /// Uploaded files. They are removed again unless the answer is [`Answer::Stored`] or a page.
    pub files: Vec<KeptUpload>,
    /// When the request came, in milliseconds since the Unix epoch.
    pub received_ms: i64,
}

/// Who asks, and how: what is known around the bytes.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The name of the credential; [`PAGE`] on pages.
    pub credential: String,
    /// The path below the adapter's name, with its first `/`, as it was sent.
    pub path: String,
    /// It came with the page's key: from a window that the user opened by the address with the token, or from one of the
    /// same origin. A page's cookie alone may have been read by whoever listens on another port.
    pub keyed: bool,
    /// The decoded query; without the page's token and key.
    pub query: Vec<(String, String)>,
    /// The headers in lower case, without those that carry secrets or belong to the connection.
    pub headers: Vec<(String, String)>,
    /// What the wildcards of the route's path matched.
    pub matches: Vec<String>,
}

/// What stands for a credential's name on pages: the user at this machine.
pub const PAGE: &str = "page";

/// A file of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptUpload {
    /// The name of the form's field.
    pub field: String,
    /// The file.
    pub file: KeptFile,
}

/// One connection of a route's WebSocket.
#[derive(Debug, Clone)]
pub struct Socket {
    /// The route; its name is the socket's.
    pub route: Arc<Route>,
    /// Who opened it, and how.
    pub caller: Arc<Caller>,
    /// The connection's number; none is used twice.
    pub connection: u64,
}

/// A frame that came in.
#[derive(Debug)]
pub struct FrameIn {
    /// What it holds.
    pub frame: Frame,
    /// A fresh id of the event for `$signed`.
    pub signed: String,
    /// When it came, in milliseconds since the Unix epoch.
    pub received_ms: i64,
}

/// What a frame holds, in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl Frame {
    /// Bytes of its content.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it has no content.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How a WebSocket ended (RFC 6455, section 7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// The close code; 1005 if the peer gave none, 1006 if it went without a word.
    pub code: u16,
    /// The words that came with it: at most 123 bytes.
    pub reason: String,
}

/// What became of an event.
#[derive(Debug)]
pub enum Answer {
    /// It is committed: 200.
    Stored,
    /// It had been committed before: 200.
    Repeated,
    /// The adapter refuses this input: 422. The reason is for the log alone.
    Refused(String),
    /// `handle` failed: 500.
    Failed,
    /// Nothing is taken at the moment: 503.
    Busy,
    /// It is committed, and a page route answers with content. On other routes: 200 alone.
    Page(Page),
}

/// What a page route answers.
#[derive(Debug)]
pub struct Page {
    /// 200, 201, 202, 204, 304, or one from 400 to 599; anything else becomes 500.
    pub status: u16,
    /// Headers; all but a few harmless ones are left out.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: PageBody,
}

/// The content of a page.
#[derive(Debug)]
pub enum PageBody {
    /// Bytes of the adapter's.
    Bytes(Bytes),
    /// A file that the host keeps.
    File(KeptFile),
}
