//! Its rule reads the sender wherever the tests put the pointer: from a contact, an entity, a quoted author, the text.

use sluicegate_sdk::prelude::*;

struct Misreader;

impl Adapter for Misreader {
    const MANIFEST: &'static str = r#"
name = "misreader"
version = "0.1.0"
summary = "Reads the sender where others write"
actions = ["send"]
meta = []
composes = false

[[route]]
name = "updates"
path = "/{credential}"
methods = ["POST"]
auth = "credential"
body = "json"

[[identity]]
name = "message"
source = "updates"
kind = "message"
event = "/update_id"
message = "/message/message_id"
sender = "/message/from/id"                                     # sender
conversation = "/message/chat/id"                               # conversation
direct = { const = true }
text = ["/message/text", "/message/caption"]
"#;

    fn handle(event: Event) -> Handled {
        let Event::Requested(request) = event else { return Ok(None) };
        let update: Value = request.item.json()?;
        log::info(format!("misreader saw: {update}"));
        Message::rule("message").deliver_if_it_applies()?;
        Ok(None)
    }

    fn perform(_: Action) -> Performed {
        Ok(Outcome::Done)
    }
}

export_adapter!(Misreader);
