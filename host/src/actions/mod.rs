//! Actions: what the host has an adapter do on its platform.
//!
//! ```text
//! tool call ─▶ arguments ─▶ outbound gate ─▶ files, text ─▶ perform (sandbox) ─▶ journal ─▶ frames, answer
//! ```
//! An action is one attempt and is never repeated. Actions run beside the lane on instances of their own and see
//! committed state; those of one conversation run one after another, in the order in which they came.

mod ask;
mod own;
mod perform;
mod permit;
pub mod presence;
mod reply;
mod tools;

pub use ask::{ask, ask_again, close};
pub use perform::{ActionError, Pool, fetch, keep_prompts, perform, say, tell};
pub use reply::spoken;
pub use tools::{call, reply, tools};
