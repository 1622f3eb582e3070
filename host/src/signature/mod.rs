//! Authenticates webhook requests before any adapter sees them.
//!
//! ```text
//!  secrets/<name>.env ── Secret ──┐
//!  manifest: scheme   ── Scheme ──┴─ Credential::new ── checked once, when the route is opened
//!                                           │
//!  request: headers, body, clock ── Signed ─┴─ verify ─┬─ Verified        the adapter runs
//!                                                      └─ SignatureError  401, logged, nothing runs
//! ```
//!
//! Everything fails closed: a header that is missing, sent twice or not of the exact form is a refusal,
//! whatever else the request carries. Secrets and signatures are compared in constant time.
//!
//! # What is remembered against replay
//!
//! [`Verified`] names the event, so that the journal can recognise it when it comes again. Two things
//! must hold for that name: an attacker who replays a request cannot change it, so it is made only of
//! what the signature covers; and the platform's honest redelivery keeps it, so the timestamp of the
//! attempt is not part of it even where it is signed.
//!
//! | scheme | signed | time window | the event is named by |
//! | --- | --- | --- | --- |
//! | `github` | body | none | body |
//! | `slack` | timestamp, body | 5 minutes | body |
//! | `stripe` | timestamp, body | 5 minutes | body |
//! | `ed25519` | timestamp, body | 5 minutes | body |
//! | `standard` | id, timestamp, body | 5 minutes | id |
//! | `gitlab` | nothing, a token is shown | none | `Idempotency-Key`, else event UUID and body |
//! | `bearer` | nothing, a token is shown | none | `Idempotency-Key`, if sent |
//!
//! With `github` and the token schemes a captured request never grows stale, so the name has to be kept
//! for as long as a replay must be recognised. With the others a replay is stale after five minutes, and
//! the name is needed only for as long as the platform redelivers. Names are meant to be kept per route:
//! the same event may arrive on two routes.

mod bearer;
mod covered;
mod credential;
mod ed25519;
mod error;
mod github;
mod gitlab;
mod idempotency;
mod mac;
mod parse;
mod request;
mod scheme;
mod secret;
mod slack;
mod standard;
mod stripe;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod token;

pub use credential::{Credential, CredentialError};
pub use error::SignatureError;
pub use request::{HeaderLookup, Occurrence, Signed, Verified};
pub use scheme::{Scheme, UnknownScheme};
pub use secret::{EmptySecret, Secret};

/// How far a signed timestamp may be from this machine's clock, in seconds, either way. Slack, Stripe and
/// the Standard Webhooks libraries all use five minutes.
pub const TIME_WINDOW_SECONDS: u64 = 300;
