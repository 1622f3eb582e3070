//! The outbox: from the journal to Claude, in order, at least once.
//!
//! ```text
//! journal ─ deliver / Backlog ─▶ Wire (one thread) ─ burst ─ Event ─ sanitise ─▶ standard output
//! MCP ───── frame, release ────▶
//! ```

mod burst;
mod link;
pub(crate) mod lookalike;
pub mod render;
pub mod sanitise;
pub mod wire;
mod wording;
mod writer;

pub use link::Link;
pub use render::Event;
pub use wire::{Backlog, BacklogError, Format, Limits, Wire, WireClosed, WireEnd};
