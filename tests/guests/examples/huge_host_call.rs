//! Hands the host more at once than it takes, in the way that the text names.

use sluicegate_sdk::prelude::*;

struct HugeHostCall;

impl Adapter for HugeHostCall {
    const MANIFEST: &'static str = r#"
name = "huge-host-call"
version = "0.1.0"
summary = "HugeHostCall of the tests"
actions = []
meta = ["huge"]
composes = true

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
        match body["text"].as_str().unwrap_or_default() {
            "state" => state::set_bytes("huge", &vec![b'x'; 20 << 20]),
            "key" => state::set_bytes(&"k".repeat(1 << 20), b"x"),
            "log" => log::info("x".repeat(20 << 20)),
            "meta" => Message::rule("message").meta("huge", "x".repeat(20 << 20)).deliver()?,
            "words" => Message::rule("message").composed("x".repeat(20 << 20)).deliver()?,
            "list" => {
                let mut message = Message::rule("message");
                message.meta = vec![("huge".into(), String::new()); 2_000_000];
                message.deliver()?;
            }
            "timer" => timers::set("unknown", 1),
            _ => {}
        }
        Message::rule("message").deliver()?;
        Ok(None)
    }
}

export_adapter!(HugeHostCall);
