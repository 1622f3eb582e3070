//! The client's side of MCP, as Claude Code 2.1.330 opens it.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::server::Server;

/// How long the server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Performs the handshake in the client's order: `server/discover`, `initialize`,
/// `notifications/initialized` and, if the server has tools, `tools/list`. Returns when the answer
/// to `initialize` was there.
///
/// # Errors
/// If the server does not answer, or if Claude Code would not take it for a channel.
pub(crate) fn shake_hands(server: &mut Server, lines: &Receiver<Vec<u8>>) -> Result<Instant> {
    let mut client = Client { server, lines };
    let discover = json!({
        "jsonrpc": "2.0", "id": "server-discover-probe-1", "method": "server/discover",
        "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}},
    });
    client.call(&discover)?;
    let initialize = json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {"roots": {"listChanged": true}, "elicitation": {"form": {}, "url": {}}},
            "clientInfo": {"name": "claude-code", "title": "Claude Code", "version": "2.1.330"},
        },
    });
    let (answer, at) = client.call(&initialize)?;
    let result = answer.get("result").with_context(|| format!("initialize was refused: {answer}"))?;
    let capabilities = &result["capabilities"];
    ensure!(
        capabilities["experimental"]["claude/channel"].is_object(),
        "the server does not declare the capability claude/channel: {capabilities}"
    );
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
    if capabilities.get("tools").is_some() {
        let (answer, _) = client.call(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))?;
        ensure!(answer["result"]["tools"].is_array(), "tools/list was refused: {answer}");
    }
    Ok(at)
}

struct Client<'a> {
    server: &'a mut Server,
    lines: &'a Receiver<Vec<u8>>,
}

impl Client<'_> {
    fn send(&mut self, message: &Value) -> Result<()> {
        let stdin = self.server.stdin()?;
        stdin.write_all(format!("{message}\n").as_bytes()).context("the server closed its standard input")
    }

    /// Sends a request and returns its answer, whether result or error, and when it was there.
    fn call(&mut self, request: &Value) -> Result<(Value, Instant)> {
        self.send(request)?;
        let method = &request["method"];
        let end = Instant::now() + PATIENCE;
        loop {
            let line = match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{method} was not answered within {PATIENCE:?}")
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("standard output ended before {method} was answered")
                }
            };
            let at = Instant::now();
            // The client ignores lines that are not messages, and so does this one.
            let Ok(message) = serde_json::from_slice::<Value>(&line) else {
                continue;
            };
            if message.get("method").is_some() {
                self.refuse(&message)?;
            } else if message["id"] == request["id"] {
                return Ok((message, at));
            }
        }
    }

    /// Answers a request of the server's; a notification needs no answer.
    fn refuse(&mut self, message: &Value) -> Result<()> {
        let Some(id) = message.get("id") else {
            return Ok(());
        };
        let error = json!({"code": -32601, "message": "Method not found"});
        self.send(&json!({"jsonrpc": "2.0", "id": id, "error": error}))
    }
}
