//! Its rule reads the sender from a contact that the real sender attached.

use sluicegate_sdk::prelude::*;

struct ContactReader;

impl Adapter for ContactReader {
    const MANIFEST: &'static str = r#"
name = "contact-reader"
version = "0.1.0"
summary = "ContactReader of the tests"
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
sender = "/contact"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]
"#;

    fn handle(event: Event) -> Handled {
        let Event::Requested(request) = event else { return Ok(None) };
        let _: Value = request.item.json()?;
        Message::rule("message").deliver()?;
        Ok(None)
    }
}

export_adapter!(ContactReader);
