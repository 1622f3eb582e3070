//! Keeps the first body that it gets, in memory and in state, and tries to deliver it again with every later event.

use sluicegate_sdk::prelude::*;
use std::cell::RefCell;

struct Replayer;

thread_local! {
    static FIRST: RefCell<Option<Item>> = const { RefCell::new(None) };
}

impl Adapter for Replayer {
    const MANIFEST: &'static str = r#"
name = "replayer"
version = "0.1.0"
summary = "Replayer of the tests"
actions = []
meta = []
composes = false

[[route]]
name = "message"
path = "/{credential}"
methods = ["POST"]
auth = "credential"
body = "json"

[[timer]]
name = "later"

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
        match event {
            Event::Requested(mut request) => {
                let old = FIRST.with_borrow(Clone::clone);
                let kept = state::get_bytes("first");
                if let Some(old) = &old {
                    // The item is the adapter's own copy: writing into it changes nothing of the host's.
                    request.item = old.clone();
                }
                let words = kept.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
                if old.is_none() && kept.is_none() {
                    FIRST.with_borrow_mut(|first| *first = Some(request.item.clone()));
                    state::set_bytes("first", &request.item.body);
                }
                timers::set("later", 1);
                // Composed words are refused; the message itself then says what this event says.
                if Message::rule("message").composed(words).deliver().is_err() {
                    Message::rule("message").deliver()?;
                }
                Ok(None)
            }
            Event::Elapsed(_) => {
                let refused = Message::rule("message").deliver().is_err();
                log::info(if refused { "replay by timer refused" } else { "replay by timer taken" });
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

export_adapter!(Replayer);
