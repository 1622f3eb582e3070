//! `sluicegate serve` with a strict client: Claude Code's handshake, and nothing forgiven.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, kill_process};
use serde_json::{Value, json};

pub use rustix::process::Signal;

use crate::{
    Home,
    binary::binary,
    deadline::{self, patience},
    wire::{Event, RpcError, ToolResult, Wire},
};

/// A running server and its client.
#[derive(Debug)]
pub struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) wire: Arc<Wire>,
    errors: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    next: AtomicI64,
    /// What it answered to `initialize`.
    pub initialized: Value,
    /// What it answered to `tools/list` at the start.
    pub tools: Vec<Value>,
}

/// How a server ended.
#[derive(Debug)]
pub struct End {
    /// Its status.
    pub status: ExitStatus,
    /// From the signal to the end of the process.
    pub took: Duration,
    /// Every event that was on the wire.
    pub events: Vec<Event>,
}

impl Server {
    /// Starts `serve` on the home and shakes hands as Claude Code does.
    ///
    /// # Panics
    /// If any answer is not as it must be.
    pub fn start(home: &Home) -> Self {
        Self::start_with(home, &[])
    }

    /// As [`Server::start`], with more arguments.
    ///
    /// # Panics
    /// If any answer is not as it must be.
    pub fn start_with(home: &Home, arguments: &[&str]) -> Self {
        let mut server = Self::spawn_with(home, arguments);
        server.shake_hands();
        server
    }

    /// Starts `serve` and says nothing.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn spawn(home: &Home) -> Self {
        Self::spawn_with(home, &[])
    }

    fn spawn_with(home: &Home, arguments: &[&str]) -> Self {
        let mut command = Command::new(binary());
        home.surround(&mut command);
        command.arg("serve").args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary can be run");
        let (wire, errors) = (Arc::<Wire>::default(), Arc::<Mutex<String>>::default());
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (to_wire, to_errors) = (Arc::clone(&wire), Arc::clone(&errors));
        let readers = vec![
            thread::spawn(move || read_wire(stdout, &to_wire)),
            thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let mut errors = to_errors.lock().unwrap_or_else(PoisonError::into_inner);
                    errors.push_str(&line);
                    errors.push('\n');
                }
            }),
        ];
        Self {
            stdin: child.stdin.take(),
            child,
            wire,
            errors,
            readers,
            next: AtomicI64::new(0),
            initialized: Value::Null,
            tools: Vec::new(),
        }
    }

    /// The handshake of Claude Code 2.1, in its order and with its ids.
    ///
    /// # Panics
    /// If any answer is not as it must be.
    pub fn shake_hands(&mut self) {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "claude-code", "version": "2.1.330" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        self.write(&json!({
            "jsonrpc": "2.0", "id": "server-discover-0", "method": "server/discover", "params": { "_meta": meta },
        }));
        let discovered = self.answer(&json!("server-discover-0"));
        assert!(discovered.is_err(), "the probe must be refused, or no channel is registered: {discovered:?}");
        let initialized = self.request(
            "initialize",
            &json!({
                "protocolVersion": "2025-11-25",
                "capabilities": { "roots": {}, "elicitation": { "form": {}, "url": {} } },
                "clientInfo": { "name": "claude-code", "title": "Claude Code", "version": "2.1.330" },
            }),
        );
        self.initialized = initialized.expect("initialize succeeds");
        assert_eq!(self.initialized["protocolVersion"], "2025-11-25");
        let capabilities = &self.initialized["capabilities"];
        assert_eq!(capabilities["experimental"]["claude/channel"], json!({}), "{capabilities}");
        let relays = capabilities["experimental"].get("claude/channel/permission");
        assert!(relays.is_none_or(|it| *it == json!({})), "`false` makes Claude Code fail: {capabilities}");
        self.notify("notifications/initialized", &json!({}));
        if capabilities["tools"].is_object() {
            self.tools = self.list_tools();
        }
    }

    /// Asks for the tools.
    ///
    /// # Panics
    /// If there is no list.
    pub fn list_tools(&self) -> Vec<Value> {
        let listed = self.request("tools/list", &json!({})).expect("tools/list succeeds");
        listed["tools"].as_array().expect("a list of tools").clone()
    }

    /// The names of the tools that were listed at the start.
    pub fn tool_names(&self) -> Vec<&str> {
        self.tools.iter().filter_map(|tool| tool["name"].as_str()).collect()
    }

    /// Calls a tool.
    ///
    /// # Panics
    /// If it answers with a JSON-RPC error.
    pub fn call(&self, tool: &str, arguments: &Value) -> ToolResult {
        self.try_call(tool, arguments).unwrap_or_else(|error| panic!("{tool}: {error:?}"))
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// The server's, as JSON-RPC has it.
    pub fn try_call(&self, tool: &str, arguments: &Value) -> Result<ToolResult, RpcError> {
        let number = self.next.load(Ordering::Relaxed);
        let result = self.request(
            "tools/call",
            &json!({
                "name": tool,
                "arguments": arguments,
                "_meta": { "claudecode/toolUseId": format!("toolu_{number}"), "progressToken": number },
            }),
        )?;
        let parts = result["content"].as_array().expect("a result has content");
        let text: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
        Ok(ToolResult { text: text.join("\n"), is_error: result["isError"] == true })
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// The server's, as JSON-RPC has it.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn request(&self, method: &str, params: &Value) -> Result<Value, RpcError> {
        let id = self.send_request(method, params);
        self.answer(&id)
    }

    /// Sends a request; gives its id.
    pub fn send_request(&self, method: &str, params: &Value) -> Value {
        let id = json!(self.next.fetch_add(1, Ordering::Relaxed));
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// Waits for the answer to a request.
    ///
    /// # Errors
    /// The server's, as JSON-RPC has it.
    ///
    /// # Panics
    /// If there is none.
    pub fn answer(&self, id: &Value) -> Result<Value, RpcError> {
        self.wait(&format!("the answer to request {id}"), |arrived| arrived.answers.get(&id.to_string()).cloned())
    }

    /// Sends a notification.
    pub fn notify(&self, method: &str, params: &Value) {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn write(&self, message: &Value) {
        self.write_raw(format!("{message}\n").as_bytes()).expect("the server reads its standard input");
    }

    /// Writes these bytes to the server's standard input.
    ///
    /// # Errors
    /// If the server has closed it.
    pub fn write_raw(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut stdin = self.stdin.as_ref().expect("the input is open");
        stdin.write_all(bytes)?;
        stdin.flush()
    }

    /// Waits for an event.
    ///
    /// # Panics
    /// If none comes that fits.
    pub fn event(&self, what: &str, fits: impl Fn(&Event) -> bool) -> Event {
        self.wait(what, |arrived| arrived.events.iter().find(|event| fits(event)).cloned())
    }

    /// Waits for the event of that `message_id`.
    ///
    /// # Panics
    /// If it does not come.
    pub fn event_of(&self, message_id: &str) -> Event {
        self.event(&format!("the event {message_id}"), |event| event.id() == message_id)
    }

    /// Waits until so many events have come, and gives them all.
    ///
    /// # Panics
    /// If fewer come.
    pub fn events_when(&self, count: usize) -> Vec<Event> {
        self.wait(&format!("{count} events"), |arrived| (arrived.events.len() >= count).then(|| arrived.events.clone()))
    }

    /// The events so far.
    pub fn events(&self) -> Vec<Event> {
        self.wire.lock().events.clone()
    }

    /// Waits for a notification of that method.
    ///
    /// # Panics
    /// If none comes.
    pub fn notification(&self, method: &str) -> Value {
        self.wait(method, |arrived| arrived.others.iter().find(|other| other["method"] == method).cloned())
    }

    /// Whether the server has written anything at all.
    pub fn has_written(&self) -> bool {
        self.wire.lock().lines > 0
    }

    pub(crate) fn wait<T>(&self, what: &str, look: impl FnMut(&mut crate::wire::Arrived) -> Option<T>) -> T {
        self.wire.wait(look).unwrap_or_else(|| panic!("this did not come: {what}"))
    }

    /// Stops reading what the server writes, as a client that hangs.
    pub fn pause(&self) {
        self.wire.change(|arrived| arrived.paused = true);
    }

    /// Reads on.
    pub fn resume(&self) {
        self.wire.change(|arrived| arrived.paused = false);
    }

    /// Waits until that adapter takes events.
    ///
    /// # Panics
    /// If it does not.
    pub fn wait_until_running(&self, home: &Home, adapter: &str) {
        self.wait_for_state(home, adapter, "running");
    }

    /// Waits until `status` says that of the adapter.
    ///
    /// # Panics
    /// If it does not.
    pub fn wait_for_state(&self, home: &Home, adapter: &str, state: &str) -> Value {
        deadline::until(&format!("{adapter} is {state}"), || {
            let leader = home.leader();
            let adapters = leader["adapters"].as_array()?;
            adapters.iter().find(|it| it["name"] == adapter && it["state"] == state).cloned()
        })
    }

    /// What it wrote to standard error.
    pub fn errors(&self) -> String {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The most memory that the process ever held, in MiB.
    ///
    /// # Panics
    /// Where there is no `/proc`.
    pub fn peak_memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("the system has /proc");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells it");
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
        kib / 1024
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If there is no such process.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, signal).expect("the server can be signalled");
    }

    /// Ends it with a signal and waits for the end.
    ///
    /// # Panics
    /// If it does not end.
    pub fn end_by(mut self, signal: Signal) -> End {
        let begun = Instant::now();
        self.signal(signal);
        self.wait_for_end(begun)
    }

    /// Closes its standard input and waits for the end.
    ///
    /// # Panics
    /// If it does not end.
    pub fn end_by_closing(mut self) -> End {
        let begun = Instant::now();
        self.stdin = None;
        self.wait_for_end(begun)
    }

    /// Kills it with SIGKILL; everything that it had written is read.
    ///
    /// # Panics
    /// If there is no such process.
    pub fn kill(mut self) -> End {
        let begun = Instant::now();
        self.child.kill().expect("the server can be killed");
        self.wait_for_end(begun)
    }

    fn wait_for_end(&mut self, begun: Instant) -> End {
        let status = deadline::until("the server ends", || self.child.try_wait().expect("the server is a child"));
        let took = begun.elapsed();
        self.resume();
        for reader in self.readers.drain(..) {
            reader.join().expect("the reader reads to the end");
        }
        let arrived = self.wire.lock();
        // Of a killed server the last line may be a part of one.
        assert!(arrived.violations.is_empty(), "the server broke the protocol: {:#?}", arrived.violations);
        End { status, took, events: arrived.events.clone() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        self.wire.change(|arrived| arrived.paused = false);
        if thread::panicking() {
            eprintln!("--- the server's standard error ---\n{}---", self.errors());
        } else {
            let violations = &self.wire.lock().violations;
            assert!(violations.is_empty(), "the server broke the protocol: {violations:#?}");
        }
    }
}

/// Reads line by line. What follows the last newline is a line that a killed server could not end.
fn read_wire(mut stdout: impl Read, wire: &Wire) {
    let mut line = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        wire.wait_while_paused();
        match stdout.read(&mut buffer) {
            Ok(count @ 1..) => {
                for byte in &buffer[..count] {
                    match byte {
                        b'\n' => wire.take_line(&std::mem::take(&mut line)),
                        byte => line.push(*byte),
                    }
                }
            }
            _ => break,
        }
    }
    wire.change(|arrived| arrived.ended = true);
}

/// How long tests wait for what must not happen: long enough for a fast machine to do it.
pub fn a_moment() {
    thread::sleep(Duration::from_millis(300).min(patience()));
}
