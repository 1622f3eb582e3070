//! Coming from the official plugins: what they keep in `~/.claude/channels/<platform>/`, taken over.
//!
//! ```text
//! directory ── Survey::of ── Channel ── Plan::of ── (the user is asked) ── take ── access/<name>.json, secrets/<name>.env
//!   (read only)                            (nothing is written)
//! ```
//!
//! The original is only read. What is taken is added to what is there: nobody who may speak here is dropped, no setting
//! or secret is replaced unless the user says so, and a second time changes nothing. There every allowed sender may
//! approve what Claude does; here those do whom the user names, and the import makes somebody an approver only if asked to.

mod merge;
mod plan;
mod survey;

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::Serialize;

pub use merge::Gain;
pub use plan::{Fate, Plan, Wanted, take};
pub use survey::{Channel, Survey};

use crate::{gate::GateError, secrets::SecretError};

/// Something that is not taken over, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Left {
    /// What it is, in visible characters.
    pub what: String,
    /// Why it stays where it is.
    pub why: String,
}

impl Left {
    fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

/// Why nothing can be taken over.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The directory cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// It is the directory of one plugin.
    #[error(
        "{} is the directory of one channel; name the one above it, and the channel: sluicegate import --from '{}' {}",
        path.display(),
        path.parent().unwrap_or(Path::new("..")).display(),
        path.file_name().unwrap_or_default().to_string_lossy()
    )]
    OneChannel {
        /// The directory.
        path: PathBuf,
    },
    /// The access file cannot be changed.
    #[error(transparent)]
    Access(#[from] GateError),
    /// The secrets cannot be kept.
    #[error(transparent)]
    Secret(#[from] SecretError),
}
