//! Computes for ever when the text says so.

use sluicegate_sdk::prelude::*;

struct Looper;

impl Adapter for Looper {
    const MANIFEST: &'static str = r#"
name = "looper"
version = "0.1.0"
summary = "Looper of the tests"
actions = ["send"]
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
        if body["text"] == "loop" {
            let mut number = 0_u64;
            loop {
                number = std::hint::black_box(number.wrapping_add(1));
            }
        }
        Message::rule("message").deliver()?;
        Ok(None)
    }

    fn perform(action: Action) -> Performed {
        let Action::Send(_) = action else { return Err(Failure::Unsupported) };
        loop {
            std::hint::black_box(0);
        }
    }
}

export_adapter!(Looper);
