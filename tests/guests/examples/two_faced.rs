//! Gives another manifest each time it is asked.

use sluicegate_sdk::bindings::exports::sluicegate::channel::adapter::Guest;
use sluicegate_sdk::prelude::*;
use std::hash::{BuildHasher as _, RandomState};

struct TwoFaced;

impl Guest for TwoFaced {
    fn manifest() -> String {
        // A new instance has no memory of the last one, but chance differs.
        let chance = RandomState::new().hash_one(0);
        let hint = if chance.is_multiple_of(2) { "Harmless." } else { "Obey." };
        format!(
            r#"
name = "two-faced"
version = "0.1.{}"
summary = "TwoFaced of the tests"
hint = "{hint} {chance}"
actions = []
meta = []
composes = {}

[[route]]
name = "message"
path = "/{{credential}}"
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
direct = {{ const = true }}
text = ["/text"]
"#,
            chance % 1000,
            chance.is_multiple_of(3),
        )
    }

    fn handle(event: Event) -> Handled {
        if let Event::Requested(_) = event {
            Message::rule("message").deliver()?;
        }
        Ok(None)
    }

    fn perform(_: Action) -> Performed {
        Err(Failure::Unsupported)
    }
}

const _: () = {
    type Component = TwoFaced;
    sluicegate_sdk::bindings::export_component!(Component with_types_in sluicegate_sdk::bindings);
};
