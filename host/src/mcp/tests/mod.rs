//! Whole conversations with a client, over pipes in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod handshake;

use std::{
    io::Write,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncWriteExt, DuplexStream},
    sync::mpsc,
    task::JoinHandle,
};

use super::*;
use crate::{
    journal::Stored,
    message::{Kind, Message, TextBy},
    name::AdapterName,
    outbox::{Backlog, BacklogError, Format, Limits},
};

const PATIENCE: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(100_000);
const INITIALIZE: &str = r#"{"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"roots":{},"elicitation":{"form":{},"url":{}}},"clientInfo":{"name":"claude-code","version":"2.1.330"}},"jsonrpc":"2.0","id":0}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const LIST: &str = r#"{"method":"tools/list","jsonrpc":"2.0","id":1}"#;
const DISCOVER: &str = r#"{"jsonrpc":"2.0","id":"d","method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"claude-code","version":"2"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#;

#[derive(Default)]
struct Fake {
    initialized: AtomicUsize,
    more_tools: AtomicBool,
    asked: Mutex<Vec<Value>>,
    dropped: Arc<AtomicUsize>,
}

/// Counts when it is dropped: a call's future was.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Surface for Fake {
    fn server(&self) -> (String, String) {
        ("sluicegate".into(), "1.2.3".into())
    }

    fn instructions(&self) -> String {
        "read me".into()
    }

    fn tools(&self) -> Vec<ToolDefinition> {
        let tool = |name: &str| ToolDefinition {
            name: name.into(),
            description: "does it".into(),
            input_schema: json!({"type": "object"}).as_object().unwrap().clone(),
            always_load: name == "reply",
        };
        let more = self.more_tools.load(Ordering::SeqCst);
        [Some("reply"), more.then_some("web_more")].into_iter().flatten().map(tool).collect()
    }

    fn call(&self, tool: String, arguments: JsonObject) -> BoxFuture<'_, Result<ToolAnswer, ToolError>> {
        assert!(tool != "panics at once", "on purpose");
        let dropped = Dropped(self.dropped.clone());
        Box::pin(async move {
            let _dropped = dropped;
            match tool.as_str() {
                "echo" => Ok(ToolAnswer::new(Value::Object(arguments).to_string())),
                "fails" => Err(ToolError::Failed("`chat_id` is missing".into())),
                "never" => std::future::pending().await,
                "panics" => panic!("on purpose"),
                _ => Err(ToolError::Unknown),
            }
        })
    }

    fn initialized(&self) {
        self.initialized.fetch_add(1, Ordering::SeqCst);
    }

    fn relays_permissions(&self) -> bool {
        self.more_tools.load(Ordering::SeqCst)
    }

    fn permission_request(&self, request: JsonObject) {
        self.asked.lock().unwrap().push(request["request_id"].clone());
    }

    fn tool_called(&self) {
        self.asked.lock().unwrap().push("a tool call".into());
    }
}

/// A journal in memory: what is handed over is to be found in it first.
#[derive(Clone)]
struct Rows(Arc<Mutex<Vec<Arc<Stored>>>>);

impl Backlog for Rows {
    fn after(&mut self, seq: i64, _: usize, _: usize) -> Result<Vec<Arc<Stored>>, BacklogError> {
        Ok(self.0.lock().unwrap().iter().filter(|row| row.seq > seq).cloned().collect())
    }
    fn mark_offered(&mut self, _: i64) -> Result<(), BacklogError> {
        Ok(())
    }
    fn written(&mut self, _: i64) {}
}

struct Output(mpsc::UnboundedSender<Value>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.strip_suffix(b"\n").unwrap().split(|b| *b == b'\n') {
            self.0.send(serde_json::from_slice(line).unwrap()).map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Talk {
    input: Option<DuplexStream>,
    output: mpsc::UnboundedReceiver<Value>,
    surface: Arc<Fake>,
    wire: Wire,
    rows: Rows,
    quit: JoinHandle<Quit>,
    changed: watch::Sender<u64>,
    stop: Option<oneshot::Sender<()>>,
}

fn event(seq: i64) -> Arc<Stored> {
    let message = Message {
        adapter: AdapterName::new("web").unwrap(),
        kind: Kind::Message,
        message_id: seq.to_string(),
        time_ms: 0,
        sender: "s".into(),
        sender_name: None,
        conversation: "c".into(),
        thread: None,
        direct: true,
        reply_to: None,
        quoted: None,
        group: None,
        burst: None,
        text: "t".into(),
        text_by: TextBy::Sender,
        attachments: Vec::new(),
        meta: Vec::new(),
    };
    Arc::new(Stored { seq, message, offered_before: false, live: false })
}

impl Talk {
    fn with(options: Options) -> Self {
        let (tell, output) = mpsc::unbounded_channel();
        let rows = Rows(Arc::new(Mutex::new(vec![event(1), event(2)])));
        let wire =
            Wire::start(Output(tell), Format::Notifications, rows.clone(), |_| {}, 0, Limits::default()).unwrap();
        let (input, server_input) = tokio::io::duplex(1 << 16);
        let (changed, changes) = watch::channel(0);
        let (stop, stopped) = oneshot::channel::<()>();
        let surface = Arc::new(Fake::default());
        let stopped = async move {
            let _ = stopped.await;
        };
        let quit = tokio::spawn(serve(surface.clone(), server_input, wire.clone(), options, changes, stopped));
        Self { input: Some(input), output, surface, wire, rows, quit, changed, stop: Some(stop) }
    }

    fn new() -> Self {
        Self::with(Options { hold: LONG, call_limit: LONG })
    }

    async fn ready() -> Self {
        let mut talk = Self::new();
        talk.say(INITIALIZE).await;
        assert_eq!(talk.hear().await["id"], 0);
        talk.say(INITIALIZED).await;
        talk
    }

    async fn say(&mut self, line: impl AsRef<[u8]>) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_ref()).await.unwrap();
        input.write_all(b"\n").await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        tokio::time::timeout(PATIENCE, self.output.recv()).await.expect("an answer").expect("a wire")
    }

    /// Whatever was said before has been read, and this is the next thing heard.
    async fn still_answers(&mut self) {
        self.say(r#"{"jsonrpc":"2.0","id":"still","method":"ping"}"#).await;
        assert_eq!(self.hear().await, json!({"jsonrpc": "2.0", "id": "still", "result": {}}));
    }

    async fn call(&mut self, id: u32, tool: &str) {
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params":
            {"name": tool, "arguments": {"a": 1}, "_meta": {"claudecode/toolUseId": "t", "progressToken": id}}});
        self.say(call.to_string()).await;
    }

    async fn quit(self) -> Quit {
        tokio::time::timeout(PATIENCE, self.quit).await.expect("an end").unwrap()
    }

    async fn hang_up(mut self) -> Quit {
        drop(self.input.take());
        self.quit().await
    }
}
