//! A real listener on loopback, asked byte by byte.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod denials;
mod pages;
mod requests;
mod sockets;
mod uploads;

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::*;
use crate::{
    files::FileStore,
    limits::Limits,
    manifest::{self, BodyKind, Method, PathPattern, Platform, Route, RouteAuth},
    name::AdapterName,
    signature::{Credential, Scheme, Secret},
};

pub(super) const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
pub(super) const BEARER: &str = "bearer-token-for-tests";
pub(super) const SECRET: &str = "github-secret-for-tests";

type Script = Box<dyn FnMut(&Incoming) -> Answer + Send>;

/// An intake that hands on what it gets and answers what the test says.
pub(super) struct Fake {
    full: AtomicBool,
    seen: mpsc::UnboundedSender<Incoming>,
    answer: Mutex<Script>,
    /// Frames go back to where they came from.
    echo: Option<Arc<Connections>>,
    /// One permit for each event that may be taken.
    gate: Semaphore,
    room: watch::Sender<bool>,
}

impl Intake for Fake {
    fn is_full(&self, _: &AdapterName) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    async fn room(&self, _: &AdapterName) {
        self.room.subscribe().wait_for(|room| *room).await.unwrap();
    }

    async fn accept(&self, adapter: &AdapterName, incoming: Incoming) -> Answer {
        self.gate.acquire().await.unwrap().forget();
        let answer = (self.answer.lock().unwrap())(&incoming);
        if let (Some(connections), Incoming::Frame(socket, frame)) = (&self.echo, &incoming) {
            let to = Some(socket.connection);
            assert_eq!(connections.send(adapter, &socket.route.name, to, frame.frame.clone()), 1);
        }
        self.seen.send(incoming).ok();
        answer
    }
}

pub(super) struct Running {
    pub(super) listener: Listener,
    pub(super) intake: Arc<Fake>,
    pub(super) seen: mpsc::UnboundedReceiver<Incoming>,
    pub(super) denied: Arc<Mutex<Vec<String>>>,
    pub(super) files: FileStore,
    pub(super) limits: Limits,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

pub(super) fn route(name: &str, path: &str, methods: &[Method], auth: RouteAuth, body: BodyKind) -> Route {
    let answer = if auth == RouteAuth::Page { manifest::Answer::Page } else { manifest::Answer::Status };
    Route {
        name: name.into(),
        path: PathPattern::parse(path).unwrap(),
        methods: methods.to_vec(),
        auth,
        body,
        answer,
        websocket: false,
        items: None,
        max_bytes: None,
    }
}

pub(super) fn routes() -> Vec<Route> {
    use Method::{Get, Post, Put};
    use RouteAuth::{Credential, Page};
    let mut small = route("small", "/{credential}/small", &[Post], Credential, BodyKind::Bytes);
    small.max_bytes = Some(10);
    let mut socket = route("ws", "/ws", &[Get], Page, BodyKind::None);
    socket.websocket = true;
    let mut machine = route("machine", "/{credential}/ws", &[Get], Credential, BodyKind::None);
    machine.websocket = true;
    vec![
        route("page", "/", &[Get], Page, BodyKind::None),
        route("asset", "/assets/*", &[Get], Page, BodyKind::None),
        route("say", "/say", &[Post], Page, BodyKind::Json),
        route("upload", "/upload", &[Post], Page, BodyKind::Upload),
        route("hook", "/{credential}/hook/*", &[Post, Put], Credential, BodyKind::Json),
        route("form", "/{credential}/form", &[Post], Credential, BodyKind::FormJson("payload".into())),
        route("text", "/{credential}/text", &[Post], Credential, BodyKind::Text),
        route("ping", "/{credential}/ping", &[Get], Credential, BodyKind::None),
        route("send", "/{credential}/upload", &[Post], Credential, BodyKind::Upload),
        small,
        socket,
        machine,
    ]
}

pub(super) fn adapter() -> AdapterName {
    AdapterName::new("chat").unwrap()
}

impl Running {
    pub(super) async fn new() -> Self {
        Self::with(Bounds::default(), false).await
    }

    pub(super) async fn with(bounds: Bounds, echo: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let files = FileStore::open(&dir.path().join("inbox"), 1 << 20, 1 << 20).unwrap();
        let denied = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&denied);
        let settings = Settings {
            public_hosts: vec!["hooks.example.com".into()],
            page_token: PageToken::new(TOKEN.into()),
            bounds,
            denied: Some(Arc::new(move |denied: &Denied<'_>| log.lock().unwrap().push(denied.to_string()))),
        };
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), settings).await.unwrap();
        let (seen_sender, seen) = mpsc::unbounded_channel();
        let intake = Arc::new(Fake {
            full: AtomicBool::new(false),
            seen: seen_sender,
            answer: Mutex::new(Box::new(|_| Answer::Stored)),
            echo: echo.then(|| listener.connections()),
            gate: Semaphore::new(Semaphore::MAX_PERMITS / 2),
            room: watch::Sender::new(true),
        });
        let (stop, stopped) = oneshot::channel();
        let (running, taking) = (listener.clone(), Arc::clone(&intake));
        let task = tokio::spawn(async move {
            running
                .run(taking, async {
                    stopped.await.ok();
                })
                .await;
        });
        let limits = Limits { body_kib: 100, frame_kib: 64, connections: 2, file_mib: 1, ..Limits::default() };
        let this = Self { listener, intake, seen, denied, files, limits, stop: Some(stop), task, _dir: dir };
        this.listener.set_routes(Arc::new(this.table(routes())));
        this
    }

    pub(super) fn table(&self, routes: Vec<Route>) -> RouteTable {
        let credential = |scheme, secret: &str| {
            Arc::new(Credential::new(scheme, Secret::new(secret.as_bytes().to_vec()).unwrap()).unwrap())
        };
        let credentials = [("ci", credential(Scheme::Bearer, BEARER)), ("gh", credential(Scheme::Github, SECRET))];
        let mount = Mount {
            adapter: adapter(),
            platform: Arc::new(Platform { routes, ..Platform::default() }),
            credentials: credentials.into_iter().map(|(name, credential)| (name.to_owned(), credential)).collect(),
            files: Some(self.files.clone()),
            limits: self.limits.clone(),
        };
        [mount].into_iter().collect()
    }

    pub(super) fn answer(&self, answer: impl FnMut(&Incoming) -> Answer + Send + 'static) {
        *self.intake.answer.lock().unwrap() = Box::new(answer);
    }

    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.listener.address().port())
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.listener.address()).await.unwrap()
    }

    /// Sends bytes in which `HOST` stands for the listener's name, and reads one answer.
    pub(super) async fn ask(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut stream = self.connect().await;
        self.ask_on(&mut stream, request).await
    }

    pub(super) async fn ask_on(&self, stream: &mut TcpStream, request: impl AsRef<[u8]>) -> Reply {
        let request = self.fill(request.as_ref());
        stream.write_all(&request).await.unwrap();
        Reply::read(stream).await
    }

    fn fill(&self, request: &[u8]) -> Vec<u8> {
        let mut filled = Vec::new();
        let mut rest = request;
        while let Some(at) = rest.windows(4).position(|word| word == b"HOST") {
            filled.extend_from_slice(&rest[..at]);
            filled.extend_from_slice(self.host().as_bytes());
            rest = &rest[at + 4..];
        }
        filled.extend_from_slice(rest);
        filled
    }

    /// The reasons of the refusals so far.
    pub(super) fn reasons(&self) -> Vec<String> {
        std::mem::take(&mut *self.denied.lock().unwrap())
    }

    /// The cookie that the first visit gives.
    pub(super) async fn cookie(&self) -> String {
        let reply = self.ask(format!("GET /chat/?token={TOKEN} HTTP/1.1\r\nhost: HOST\r\n\r\n")).await;
        assert_eq!(reply.status, 303);
        reply.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    pub(super) async fn next_request(&mut self) -> Request {
        match self.seen.recv().await.unwrap() {
            Incoming::Request(request) => *request,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn stop(&mut self) {
        self.stop.take().unwrap().send(()).ok();
        (&mut self.task).await.unwrap();
    }
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) async fn read(stream: &mut TcpStream) -> Self {
        let mut read = Vec::new();
        let end = loop {
            if let Some(at) = read.windows(4).position(|end| end == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return Self { status: 0, head: String::from_utf8_lossy(&read).into_owned(), body: vec![] };
            }
        };
        let mut body = read.split_off(end);
        let head = String::from_utf8(read).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = Self { status, head, body: vec![] };
        let length: usize = reply.header("content-length").parse().unwrap_or(0);
        while body.len() < length && stream.read_buf(&mut body).await.unwrap_or(0) > 0 {}
        reply.body = body;
        reply
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let find = |line: &'_ str| line.split_once(": ").is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
        self.head.lines().find(|line| find(line)).map_or("", |line| line.split_once(": ").unwrap().1)
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A request to a credential route with the bearer token.
pub(super) fn bearer(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: HOST\r\nauthorization: Bearer {BEARER}\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}
