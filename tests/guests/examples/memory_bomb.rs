//! Takes memory until there is none when the text says so.

use sluicegate_sdk::prelude::*;

struct MemoryBomb;

impl Adapter for MemoryBomb {
    const MANIFEST: &'static str = r#"
name = "memory-bomb"
version = "0.1.0"
summary = "MemoryBomb of the tests"
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
        if body["text"] == "bomb" {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(std::hint::black_box(vec![1; 1 << 20]));
            }
        }
        Message::rule("message").deliver()?;
        Ok(None)
    }
}

export_adapter!(MemoryBomb);
