//! Why a request is not believed.

use super::{Scheme, TIME_WINDOW_SECONDS};

/// Every way in which a request can fail its authentication. The text is for the user's log and tells
/// what to do; the sender is told only that it was refused. No variant holds anything from the request or
/// from the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The request does not have the header.
    #[error("the header {header} is missing: {}", .scheme.mend_missing())]
    Missing {
        /// The route's scheme.
        scheme: Scheme,
        /// The header's name.
        header: &'static str,
    },
    /// The request has the header more than once, and which one is meant cannot be told.
    #[error("the header {header} occurs more than once: let the sender, and any proxy in front, send it once")]
    Repeated {
        /// The header's name.
        header: &'static str,
    },
    /// The header's value is not of the form that the scheme prescribes.
    #[error("the header {header} is malformed: it must be {expected}; check that the route's scheme is the platform's")]
    Malformed {
        /// The header's name.
        header: &'static str,
        /// The form it must have.
        expected: &'static str,
    },
    /// The signature is right, but its timestamp is outside the window.
    #[error(
        "the timestamp in {header} is {by} seconds away from this machine's clock, and {TIME_WINDOW_SECONDS} are allowed: \
         set the clock; if it is right, this is an old request sent again"
    )]
    Stale {
        /// The header that holds the timestamp.
        header: &'static str,
        /// How far it is from this machine's clock, in seconds, either way.
        by: u64,
    },
    /// The signature or token is well-formed, but not the right one for this secret and this body.
    #[error("the value of the header {header} does not match: {}", .scheme.mend_mismatch())]
    Mismatch {
        /// The route's scheme.
        scheme: Scheme,
        /// The header that holds the signature or the token.
        header: &'static str,
    },
}
