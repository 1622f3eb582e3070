//! Crashes on every body with "poison" in it, until it got one with an antidote.

use sluicegate_sdk::prelude::*;

struct Trapper;

impl Adapter for Trapper {
    const MANIFEST: &'static str = r#"
name = "trapper"
version = "0.1.0"
summary = "Trapper of the tests"
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
        if !body["antidote"].is_null() {
            state::set("antidote", &true)?;
        } else if state::get::<bool>("antidote").is_none() {
            assert!(!body.to_string().contains("poison"), "poisoned");
        }
        if let Some(number) = json::text(&body, "/remember") {
            state::set("remembered", number)?;
        }
        Message::rule("message").deliver()?;
        Ok(None)
    }
}

export_adapter!(Trapper);
