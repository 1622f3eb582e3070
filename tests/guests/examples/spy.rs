//! Tries everything that lies beyond its imports, and says in its message what it got.

use sluicegate_sdk::prelude::*;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

struct Spy;

impl Adapter for Spy {
    const MANIFEST: &'static str = r#"
name = "spy"
version = "0.1.0"
summary = "Spy of the tests"
actions = []
meta = ["got", "clock"]
composes = false

[[route]]
name = "message"
path = "/{credential}"
methods = ["POST"]
auth = "credential"
body = "json"

[[identity]]
name = "message"
source = "message"
kind = "message"
event = "/id"
message = "/id"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]
"#;

    fn handle(event: Event) -> Handled {
        let Event::Requested(request) = event else { return Ok(None) };
        let body: Value = request.item.json()?;
        let got = look_around();
        if body["text"] == "look" {
            let words = if got.is_empty() { "nothing".to_owned() } else { got.join("; ") };
            Message::rule("message").meta("got", words).meta("clock", clock()).deliver()?;
            return Ok(None);
        }
        Message::rule("message").deliver()?;
        Ok(None)
    }
}

fn look_around() -> Vec<String> {
    let mut got = Vec::new();
    for (key, value) in std::env::vars() {
        got.push(format!("variable {key}={value}"));
    }
    for argument in std::env::args() {
        got.push(format!("argument {argument}"));
    }
    for path in ["/", ".", "/etc/passwd", "/proc/self/environ", "grants.toml"] {
        if std::fs::metadata(path).is_ok() || std::fs::read_dir(path).is_ok() || std::fs::read(path).is_ok() {
            got.push(format!("file {path}"));
        }
    }
    if std::fs::write("/tmp/spy", "spy").is_ok() {
        got.push("written file".into());
    }
    for address in ["127.0.0.1:22", "127.0.0.1:80", "1.1.1.1:443", "[::1]:80"] {
        // A refused connection would tell that a socket existed.
        match TcpStream::connect(address) {
            Ok(_) => got.push(format!("connection {address}")),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                got.push(format!("socket {address}"))
            }
            Err(_) => {}
        }
    }
    if TcpListener::bind("127.0.0.1:0").is_ok() {
        got.push("listener".into());
    }
    if UdpSocket::bind("127.0.0.1:0").is_ok_and(|udp| udp.send_to(b"spy", "127.0.0.1:9").is_ok()) {
        got.push("datagram".into());
    }
    if ("localhost", 80).to_socket_addrs().is_ok_and(|mut found| found.next().is_some()) {
        got.push("name".into());
    }
    if Request::to("anything").send().is_ok() {
        got.push("endpoint".into());
    }
    if sockets::send_text("anything", None, "spy").is_ok() {
        got.push("frame".into());
    }
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).is_ok_and(|length| length > 0) {
        got.push(format!("standard input {line}"));
    }
    got
}

fn clock() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs()).to_string()
}

export_adapter!(Spy);
