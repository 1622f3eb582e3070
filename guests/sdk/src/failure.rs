//! What `?` makes of the errors of the imports.

use crate::http::Problem;
use crate::message::Refusal;
use crate::types::{Failure, PlatformFailure};

impl Failure {
    /// The input is wrong; trying again will not help. Say what was wrong with it.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid(reason.into())
    }

    /// The platform said no, with this status of HTTP (0 when it did not answer) and these words.
    pub fn platform(status: u16, message: impl Into<String>) -> Self {
        Self::Platform(PlatformFailure { status, message: message.into(), retry_after_ms: None })
    }

    /// Why, in words.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unsupported => "this cannot be done here",
            Self::Invalid(reason) => reason,
            Self::Platform(failure) => &failure.message,
        }
    }
}

impl From<Refusal> for Failure {
    /// A refused message is wrong input: the same event will be refused again.
    fn from(refusal: Refusal) -> Self {
        Self::Invalid(match refusal {
            Refusal::NoSuchRule => "the host knows no identity rule of that name".to_owned(),
            Refusal::DoesNotApply(why) => format!("the identity rule does not apply: {why}"),
            Refusal::TooLarge => "the message is too large".to_owned(),
            Refusal::TooMany => "too many messages in one event".to_owned(),
        })
    }
}

impl From<Problem> for Failure {
    /// What lies outside the grant is wrong input; a platform that does not answer is one that said no,
    /// with status 0.
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Denied(what) => Self::Invalid(format!("not granted: {what}")),
            Problem::TooLarge => Self::invalid(
                "the request or its answer is too large; for a file the user can raise `file-mib` in config.toml",
            ),
            Problem::TimedOut => Self::platform(0, "the platform did not answer in time"),
            Problem::Unreachable(why) => Self::platform(0, format!("the platform is unreachable: {why}")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Invalid(format!("unexpected JSON: {error}"))
    }
}
