//! Keeps another mebibyte with every event, less a little, under a key of its own.

use sluicegate_sdk::prelude::*;

struct StateHog;

impl Adapter for StateHog {
    const MANIFEST: &'static str = r#"
name = "state-hog"
version = "0.1.0"
summary = "StateHog of the tests"
actions = []
meta = []
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
        let id = json::id(&body, "/id").unwrap_or_default();
        if body["text"] == "hog" {
            state::set_bytes(&id, &vec![7; (1 << 20) - 1024]);
        }
        Message::rule("message").deliver()?;
        Ok(None)
    }
}

export_adapter!(StateHog);
