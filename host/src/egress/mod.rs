//! Egress: the only way in which anything of an adapter's leaves for the network.
//!
//! ```text
//! asked ─▶ endpoint of the grant ─▶ request, built anew (compared with the action) ─▶ address ─▶ platform
//!                                                              answer, without secrets ◀─┘
//! ```

mod address;
mod answer;
mod client;
mod connect;
mod document;
mod exchange;
mod fill;
mod multipart;
mod prepared;
mod problem;
mod request;
mod scrub;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod unescape;

pub use address::{Named, is_public};
pub use answer::{Downloaded, Response, retry_after};
pub use client::{Client, Exchange, TransportError};
pub use connect::{Resolve, SystemResolver};
pub use exchange::{Answer, Egress};
pub use prepared::{Asked, Body, Content, Denied, Once, Part, Permit, Prepared, PreparedBody, PreparedPart, Values};
pub use problem::{PollFailure, Problem};
pub use scrub::{ScrubStream, Scrubber};
pub use tls::Tls;
