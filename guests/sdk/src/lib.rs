//! Write a Sluicegate channel adapter in Rust.
//!
//! An adapter is a translator: it turns a platform's payloads into messages, and the host's actions
//! into the platform's requests. The host does all waiting, input and output, identity and policy.
//! Three things follow for the code:
//!
//! - Memory is a cache. The host may drop an instance after any call and may run several at once, so
//!   whatever must survive goes into [`state`].
//! - One event is one transaction. Messages, state, timers and frames of a [`handle`](Adapter::handle)
//!   that fails are dropped, and `handle` may run again for the same event.
//! - The adapter never says who spoke. It names an identity rule, and the host reads sender,
//!   conversation and text from its own copy of the event's bytes.
//!
//! # A complete adapter
//!
//! It takes what a guest book's form posts. [`http`] shows how an adapter answers, and [`prompt`] how it asks.
//!
//! ```
//! use sluicegate_sdk::prelude::*;
//!
//! struct GuestBook;
//!
//! impl Adapter for GuestBook {
//!     const MANIFEST: &'static str = r#"
//!         name = "guestbook"
//!         version = "0.1.0"
//!         summary = "Entries of a guest book"
//!         hint = "Each message is an entry that a visitor left in the guest book."
//!         actions = []
//!         meta = ["page"]
//!         composes = false
//!
//!         [[route]]
//!         name = "entry"
//!         path = "/{credential}"
//!         methods = ["POST"]
//!         auth = "credential"
//!         body = "json"
//!
//!         [[identity]]
//!         name = "entry"
//!         source = "entry"
//!         kind = "message"
//!         event = "/entry/id"
//!         message = "/entry/id"
//!         sender = "/visitor/id"
//!         sender-name = "/visitor/name"
//!         conversation = "/book/id"
//!         direct = { const = true }
//!         text = ["/entry/text"]
//!     "#;
//!
//!     fn handle(event: Event) -> Handled {
//!         if let Event::Requested(request) = event {
//!             let entry: Value = request.item.json()?;
//!             let mut message = Message::rule("entry");
//!             if let Some(page) = json::text(&entry, "/entry/page") {
//!                 message = message.meta("page", page);
//!             }
//!             if json::text(&entry, "/entry/text").is_none() {
//!                 message = message.placeholder("(no words)");
//!             }
//!             message.deliver()?;
//!         }
//!         Ok(None)
//!     }
//! }
//!
//! export_adapter!(GuestBook);
//!
//! // Its test runs on the native target, without a host.
//! let host = testing::Host::new();
//! let body = r#"{"book":{"id":"b1"},"visitor":{"id":"v7"},"entry":{"id":1,"text":"Hi","page":"/"}}"#;
//! host.handle::<GuestBook>(Event::Requested(testing::request("entry", "POST", "/b1", body))).unwrap();
//! assert_eq!(host.deliveries(), [Message::rule("entry").meta("page", "/")]);
//! ```
//!
//! A crate with this in it is a `cdylib`, built by `cargo build --release --target wasm32-wasip2`.

mod adapter;
pub mod bindings;
mod failure;
mod host;
pub mod http;
pub mod item;
pub mod json;
pub mod log;
pub mod message;
pub mod prompt;
pub mod response;
pub mod rich_text;
pub mod sockets;
pub mod state;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod timers;
pub mod types;

pub use adapter::{Adapter, Exported, Handled, Performed};
pub use serde_json;

/// Everything that an adapter usually needs.
pub mod prelude {
    pub use crate::adapter::{Adapter, Handled, Performed};
    pub use crate::http::{Body, Part, Problem, Request, Response};
    pub use crate::message::{Attachment, Message, Refusal, Wording};
    #[cfg(not(target_arch = "wasm32"))]
    pub use crate::testing;
    pub use crate::types::*;
    pub use crate::{export_adapter, json, log, sockets, state, timers};
    pub use serde_json::{Value, json};
}

/// The examples of the interface's own documentation, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../wit/README.md")]
struct InterfaceDocumentation;
