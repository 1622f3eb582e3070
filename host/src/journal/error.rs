//! Why the journal cannot be opened, read or written.

use std::path::PathBuf;

/// Why a journal cannot be opened or read. Every text says what the user can do.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file was written by a later version, whose tables this one would misread.
    #[error(
        "the journal {} was written by a newer Sluicegate (schema {found}, this one knows up to {known}): \
         install that version again, or move the file away to start with an empty journal",
        path.display()
    )]
    Newer {
        /// The journal's file.
        path: PathBuf,
        /// The schema that the file has.
        found: i64,
        /// The newest schema that this version knows.
        known: i64,
    },
    /// The file has tables, but they are not a journal's.
    #[error(
        "{} is a database of another program: move it away, and Sluicegate starts with an empty journal",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a database any more, or its pages contradict each other.
    #[error(
        "the journal {0} is damaged ({detail}): stop every sluicegate, then move {0}, {0}-wal and {0}-shm away to start \
         with an empty journal (`sqlite3 {0} .recover` may save what it held)",
        path.display()
    )]
    Damaged {
        /// The journal's file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// There is no journal yet; only [`Reader::open`](super::Reader::open) says so.
    #[error("there is no journal at {} yet: it is made when `sluicegate serve` runs for the first time", path.display())]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// The file or its directory cannot be used.
    #[error("cannot use the journal {}: {source}; it must belong to you and its disk must be writable", path.display())]
    File {
        /// The journal's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite refused for another reason.
    #[error(
        "cannot use the journal {}: {source}; check that the disk has room and that no other program holds the file",
        path.display()
    )]
    Sqlite {
        /// The journal's file.
        path: PathBuf,
        /// What SQLite said; never a value that was stored.
        source: rusqlite::Error,
    },
}

/// Why a transaction was not committed. Nothing of it was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// This transaction failed; its lane is broken from here on. There is exactly one such failure for each break.
    #[error("not committed: {0}")]
    Failed(String),
    /// A transaction of this lane before it failed, so this one may rest on what was never kept.
    #[error("not committed: an earlier event of this adapter could not be journalled")]
    Behind,
    /// The journal is shut down.
    #[error("not committed: the journal is closed")]
    Closed,
}
