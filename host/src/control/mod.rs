//! The control socket: on it the leading process answers the user's command line.
//!
//! The socket stands in the home, which only the user can enter, has mode 0600, and whoever connects must have
//! the user's own id. A connection carries one [`Request`] and one [`Answer`], each a line of JSON. No tool that
//! the model can call leads here.

mod client;
mod path;
mod protocol;
mod server;

pub use client::{ControlError, ask};
pub(crate) use protocol::local_base;
pub use protocol::{AdapterState, AdapterStatus, Answer, Request, RetryOutcome, RouteStatus, Status};
pub use server::{Controlled, serve};

#[cfg(test)]
mod tests;
