//! Why there is no answer, in words that an adapter may read.

use std::time::Duration;

use super::{Denied, client::TransportError};
use crate::files::FileError;

/// Why there is no answer. The texts hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not within the grant; says what was not.
    #[error("{0}")]
    Denied(String),
    /// The answer is larger than it may be.
    #[error("the answer is too large")]
    TooLarge,
    /// It took too long.
    #[error("the platform did not answer in time")]
    TimedOut,
    /// The platform was not reached, or a file could not be read or kept.
    #[error("{0}")]
    Unreachable(String),
    /// The connection broke after the request had left.
    #[error("{0}")]
    Broken(String),
}

impl Problem {
    /// Whether the platform may have done what it was asked to do.
    #[must_use]
    pub const fn leaves_open(&self) -> bool {
        matches!(self, Self::TooLarge | Self::TimedOut | Self::Broken(_))
    }
}

/// Why a poll brought nothing. The texts hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollFailure {
    /// It cannot be asked before the user does something.
    NotSet(String),
    /// There was no connection, or it broke.
    Transport(String),
    /// The platform said no.
    Status {
        /// The status code.
        status: u16,
        /// The platform's own words.
        description: String,
        /// When it may be asked again.
        retry_after: Option<Duration>,
    },
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied.0)
    }
}

impl From<TransportError> for Problem {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Refused(reason) => Self::Denied(reason),
            TransportError::TooLarge { .. } => Self::TooLarge,
            TransportError::TimedOut => Self::TimedOut,
            TransportError::Protocol(reason) => Self::Broken(reason),
            TransportError::File(error) => error.into(),
            TransportError::Unreachable(_) | TransportError::Body(_) => Self::Unreachable(error.to_string()),
        }
    }
}

/// An adapter does not learn where the host keeps files.
impl From<FileError> for Problem {
    fn from(error: FileError) -> Self {
        match error {
            FileError::TooLarge { .. } => Self::TooLarge,
            FileError::Io(error) => Self::Unreachable(format!("the file cannot be kept: {}", error.kind())),
            FileError::Full { .. } | FileError::Unknown => Self::Unreachable(error.to_string()),
        }
    }
}

/// What everything is told that an adapter still wants after its end.
pub(super) const STOPPED: &str = "the adapter was stopped";

impl Problem {
    /// Nothing was sent, because the adapter was stopped.
    pub(super) fn stopped() -> Self {
        Self::Unreachable(STOPPED.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_adapter_learns_no_path_of_the_hosts() {
        let path = "/home/user/.sluicegate/inbox";
        let error = || FileError::Io(io::Error::new(io::ErrorKind::PermissionDenied, path));
        for problem in [Problem::from(error()), TransportError::File(error()).into()] {
            assert_eq!(problem, Problem::Unreachable("the file cannot be kept: permission denied".into()));
        }
        assert_eq!(Problem::from(FileError::TooLarge { max: 1 }), Problem::TooLarge);
    }
}
