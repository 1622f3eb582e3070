//! The permission relay: Claude Code asks whether a tool may run, approvers answer, and the verdict is the host's alone.
//!
//! ```text
//! permission_request ─▶ policy ─▶ docket ─▶ prompt (host's words) ─▶ perform(ask) ─▶ egress compares ─▶ platform
//!                                   ▲                                                                     │
//! Claude Code ◀── verdict ◀── docket judges ◀── attempt, read from evidence before the adapter sees it ◀──┘
//! ```
//! An adapter carries the prompt and never the verdict. What it is told of a request is what the approver shall read,
//! one code and the tokens of the buttons; Claude Code's own name of the request stays here. An attempt counts only
//! if every condition of [`Docket::judge`] holds; anything else that looks like a verdict is refused, recorded, and
//! never shown to Claude as chat.

mod code;
mod courier;
mod desk;
mod docket;
mod likeness;
mod live;
mod policy;
mod prompt;
mod reach;
pub mod record;
#[expect(clippy::module_inception, reason = "the module is named after its type")]
mod relay;
mod request;
mod verdict;

pub use code::{Code, Codes, Token, Typed, typed};
pub use desk::desk;
pub use docket::{Approver, Asked, Docket, Ended, Judged, NotAsked, NotOpened, Open, Presented, Terms, Ticket};
pub use likeness::looks_like_verdict;
pub use live::{AskId, Live};
pub use policy::{Policy, Rule};
pub use prompt::{ALLOW, Asking, DENY, Ending, Means, SEE_MORE, Shown, View, counted, outcome, prompt, subject};
pub use reach::{conversation_of, foreign_page, silent};
pub use relay::Relay;
pub use request::{Malformed, Request, RequestId};
pub use verdict::{Attempt, By, Choice, Repeated, Verdict, Why};
