//! The harness of the end-to-end tests.
//!
//! Everything runs the real binary on a throw-away home: [`Home`] is that directory with a `config.toml`, [`Server`]
//! is `sluicegate serve` with a strict MCP client on its standard input and output, [`http`] and [`websocket`] are
//! the platforms' and browsers' side, [`sign`] is how platforms sign, [`telegram`] is a strict Bot API, [`desk`] is where
//! permission requests are answered, [`page`] is a browser that has opened a page, [`guest`] and [`raw`] are the
//! adapters.
//!
//! | variable | what it does |
//! | --- | --- |
//! | `SLUICEGATE_BIN` | tests this binary instead of building one |
//! | `SLUICEGATE_TEST_FRESH=1` | every call gets a fresh instance (`reuse-instances = false`) |
//! | `SLUICEGATE_TEST_KILLS` | how often the crash tests kill the server (15; 200 when `CI` is set) |
//! | `SLUICEGATE_TEST_PATIENCE` | factor on all deadlines (1) |
//! | `CI` | what a machine may lack (Node.js, npm packages) is then required |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a harness reports by panicking"
)]

pub mod binary;
pub mod bot;
mod cache;
pub mod deadline;
pub mod desk;
pub mod guest;
pub mod home;
pub mod http;
pub mod impostor;
pub mod journal;
pub mod node;
pub mod page;
mod permission;
pub mod port;
pub mod raw;
pub mod scene;
pub mod server;
pub mod sign;
pub mod telegram;
pub mod websocket;
mod wire;

pub use guest::Guest;
pub use home::{Home, Run};
pub use server::Server;
pub use wire::{Event, RpcError, ToolResult};

use std::io::Write as _;

use serde_json::{Value, json};

/// Tells the user something, also out of a test that passes: what `eprintln!` prints there is kept from them.
fn note(words: &str) {
    drop(writeln!(std::io::stderr(), "{words}"));
}

/// A message of the guest `chat` and its relatives: alice says it, directly.
pub fn says(id: &str, text: &str) -> Value {
    json!({ "id": id, "sender": "alice", "conversation": "alice", "type": "private", "text": text })
}
