//! Takes an array and delivers each of its elements, which are events of their own; crashes on "poison".

use sluicegate_sdk::prelude::*;

struct Crowd;

impl Adapter for Crowd {
    const MANIFEST: &'static str = r#"
name = "crowd"
version = "0.1.0"
summary = "Crowd of the tests"
actions = []
meta = []
composes = false

[[route]]
name = "message"
path = "/{credential}"
methods = ["POST"]
auth = "credential"
body = "json"
items = "/*"

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
        let item = match event {
            Event::Received(item) => item,
            Event::Requested(request) => request.item,
            _ => return Ok(None),
        };
        let body: Value = item.json()?;
        assert!(!body.to_string().contains("poison"), "poisoned");
        Message::rule("message").deliver()?;
        Ok(None)
    }
}

export_adapter!(Crowd);
