//! Calls itself without end when the text says so.

use sluicegate_sdk::prelude::*;

struct Recursion;

impl Adapter for Recursion {
    const MANIFEST: &'static str = r#"
name = "recursion"
version = "0.1.0"
summary = "Recursion of the tests"
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
        if body["text"] == "dive" {
            std::hint::black_box(dive(0));
        }
        Message::rule("message").deliver()?;
        Ok(None)
    }
}

#[allow(unconditional_recursion)]
#[inline(never)]
fn dive(depth: u64) -> u64 {
    let ballast = std::hint::black_box([depth; 64]);
    dive(ballast[7] + 1) + ballast[63]
}

export_adapter!(Recursion);
