//! Reading what is committed, beside the writer.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Params, Row, params, types::Type};

use super::{
    Counter, DeadEntry, DeadEvent, JournalError, Key, Place, Stored, TimerDue, file,
    seen::{self, Lately},
};
use crate::name::AdapterName;

/// A read-only connection with its prepared statements. It may move between threads but not be shared.
///
/// Each call sees what was committed before it. A call takes some microseconds and never waits for a commit.
///
/// # Errors
/// Every method fails with [`JournalError::Damaged`] or [`JournalError::Sqlite`] when the file cannot be read.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// The writer's memory of what was seen lately, if it is in this process.
    lately: Option<Lately>,
}

const DEAD: &str = "SELECT id, adapter, source, length(event), error, attempts, first_ms, last_ms";

#[allow(clippy::missing_errors_doc)] // Said once, at the type.
impl Reader {
    /// Opens a journal to read it, also without the process that writes it.
    ///
    /// # Errors
    /// [`JournalError::Missing`] if there is none, and as [`Journal::open`](super::Journal::open).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = path.as_ref();
        Ok(Self { connection: file::open_reader(path)?, path: path.to_owned(), lately: None })
    }

    /// Opens the journal whose writer is in this process.
    pub(super) fn beside(path: &Path, lately: Lately) -> Result<Self, JournalError> {
        Ok(Self { lately: Some(lately), ..Self::open(path)? })
    }

    /// The value of an adapter's state under that key.
    pub fn state_get(&self, adapter: &AdapterName, key: &str) -> Result<Option<Vec<u8>>, JournalError> {
        self.one("SELECT value FROM state WHERE adapter = ?1 AND key = ?2", params![adapter.as_str(), key], |row| {
            row.get(0)
        })
    }

    /// The bytes that an adapter's state takes, keys and values.
    pub fn state_size(&self, adapter: &AdapterName) -> Result<u64, JournalError> {
        self.one(
            "SELECT coalesce(sum(octet_length(key) + octet_length(value)), 0) FROM state WHERE adapter = ?1",
            [adapter.as_str()],
            |row| unsigned(row, 0),
        )
        .map(Option::unwrap_or_default)
    }

    /// This key was committed, as a transaction's `once` or as a message's key.
    pub fn seen(&self, key: &Key) -> Result<bool, JournalError> {
        seen::was_seen(&self.connection, self.lately.as_ref(), key).map_err(|source| file::explain(&self.path, source))
    }

    /// The timers of an adapter, the next first.
    pub fn timers(&self, adapter: &AdapterName) -> Result<Vec<TimerDue>, JournalError> {
        self.all(
            "SELECT adapter, name, due_ms FROM timer WHERE adapter = ?1 ORDER BY due_ms, name",
            [adapter.as_str()],
            timer,
        )
    }

    /// The timers of all adapters that are due at `now_ms`, the earliest first.
    pub fn timers_due(&self, now_ms: i64) -> Result<Vec<TimerDue>, JournalError> {
        self.all("SELECT adapter, name, due_ms FROM timer WHERE due_ms <= ?1 ORDER BY due_ms", [now_ms], timer)
    }

    /// When the next timer of any adapter is due, in milliseconds since the Unix epoch.
    pub fn next_timer_due(&self) -> Result<Option<i64>, JournalError> {
        self.one("SELECT due_ms FROM timer ORDER BY due_ms LIMIT 1", (), |row| row.get(0))
    }

    /// What is remembered of a conversation; nothing if no message of it was ever delivered under this grant.
    pub fn place(&self, adapter: &AdapterName, conversation: &str) -> Result<Option<Place>, JournalError> {
        self.one(
            "SELECT direct, sender, by_credential, last_ms FROM place WHERE adapter = ?1 AND conversation = ?2",
            params![adapter.as_str(), conversation],
            |row| {
                Ok(Place { direct: row.get(0)?, sender: row.get(1)?, by_credential: row.get(2)?, last_ms: row.get(3)? })
            },
        )
    }

    /// The direct conversation in which that sender spoke last.
    pub fn direct_conversation(&self, adapter: &AdapterName, sender: &str) -> Result<Option<String>, JournalError> {
        self.one(
            "SELECT conversation FROM place WHERE adapter = ?1 AND sender = ?2 AND direct = 1 ORDER BY last_ms DESC LIMIT 1",
            [adapter.as_str(), sender],
            |row| row.get(0),
        )
    }

    /// How far a poll has come, by its place in the journal; `None` before its first item.
    pub fn polled(&self, adapter: &AdapterName, source: &str) -> Result<Option<i64>, JournalError> {
        self.one("SELECT position FROM poll WHERE adapter = ?1 AND source = ?2", [adapter.as_str(), source], |row| {
            row.get(0)
        })
    }

    /// Whether the platform has taken that message from us.
    pub fn sent(&self, adapter: &AdapterName, conversation: &str, message: &str) -> Result<bool, JournalError> {
        let found = self.one(
            "SELECT 1 FROM sent WHERE adapter = ?1 AND conversation = ?2 AND message_id = ?3",
            [adapter.as_str(), conversation, message],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// The messages after a number, in order: at most `limit_count`, and no more after `limit_bytes` of stored text,
    /// but at least one if there is one.
    pub fn messages_after(
        &self,
        seq: i64,
        limit_count: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Stored>, JournalError> {
        let mut bytes = 0;
        self.messages("SELECT seq, offered, body FROM message WHERE seq > ?1 ORDER BY seq", [seq], |count, next| {
            bytes += next;
            count < limit_count && (count == 0 || bytes <= limit_bytes)
        })
    }

    /// The last messages of a conversation, oldest first: at most `limit`, and those before a message if its id
    /// is given (none if there is no such message).
    pub fn history(
        &self,
        adapter: &AdapterName,
        conversation: &str,
        limit: usize,
        before: Option<&str>,
    ) -> Result<Vec<Stored>, JournalError> {
        let before = match before {
            None => i64::MAX,
            Some(id) => self
                .one(
                    "SELECT min(seq) FROM message WHERE adapter = ?1 AND conversation = ?2 AND message_id = ?3",
                    params![adapter.as_str(), conversation, id],
                    |row| row.get::<_, Option<i64>>(0),
                )?
                .flatten()
                .unwrap_or(0),
        };
        let mut messages = self.messages(
            "SELECT seq, offered, body FROM message
             WHERE adapter = ?1 AND conversation = ?2 AND seq < ?3 ORDER BY seq DESC",
            params![adapter.as_str(), conversation, before],
            |count, _| count < limit,
        )?;
        messages.reverse();
        Ok(messages)
    }

    /// Dead letters, of one adapter or of all, the latest failure first.
    pub fn dead_letters(&self, adapter: Option<&AdapterName>, limit: usize) -> Result<Vec<DeadEntry>, JournalError> {
        self.all(
            &format!("{DEAD} FROM dead WHERE ?1 IS NULL OR adapter = ?1 ORDER BY last_ms DESC, id DESC LIMIT ?2"),
            params![adapter.map(AdapterName::as_str), i64::try_from(limit).unwrap_or(i64::MAX)],
            dead_entry,
        )
    }

    /// One dead letter, with the event as the adapter got it.
    pub fn dead_letter(&self, id: i64) -> Result<Option<DeadEvent>, JournalError> {
        self.one(&format!("{DEAD}, key, event, context FROM dead WHERE id = ?1"), [id], |row| {
            let entry = dead_entry(row)?;
            let event = Bytes::from(row.get::<_, Vec<u8>>(9)?);
            Ok(DeadEvent { entry, key: row.get(8)?, event, context: row.get(10)? })
        })
    }

    /// All counters, by adapter and name.
    pub fn counters(&self) -> Result<Vec<Counter>, JournalError> {
        self.all("SELECT adapter, name, value FROM counter ORDER BY adapter, name", (), |row| {
            Ok(Counter { adapter: adapter(row, 0)?, name: row.get(1)?, value: unsigned(row, 2)? })
        })
    }

    /// Reads messages while `more` agrees, which is asked with the number of those read and the next one's bytes.
    /// One that cannot be read is left out, so that it does not stop the others.
    fn messages(
        &self,
        sql: &str,
        params: impl Params,
        mut more: impl FnMut(usize, usize) -> bool,
    ) -> Result<Vec<Stored>, JournalError> {
        let read = || -> rusqlite::Result<Vec<Stored>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query(params)?;
            let mut messages = Vec::new();
            while let Some(row) = rows.next()? {
                let seq = row.get(0)?;
                let body = row.get_ref(2)?.as_str()?;
                if !more(messages.len(), body.len()) {
                    break;
                }
                match serde_json::from_str(body) {
                    Ok(message) => {
                        messages.push(Stored { seq, message, offered_before: row.get(1)?, live: false });
                    }
                    Err(error) => tracing::error!(seq, %error, "a message in the journal cannot be read: left out"),
                }
            }
            Ok(messages)
        };
        read().map_err(|source| file::explain(&self.path, source))
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, JournalError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(params, read).optional())
            .map_err(|source| file::explain(&self.path, source))
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, JournalError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(params, read)?.collect())
            .map_err(|source| file::explain(&self.path, source))
    }
}

fn adapter(row: &Row<'_>, column: usize) -> rusqlite::Result<AdapterName> {
    AdapterName::new(row.get_ref(column)?.as_str()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// A count; SQLite's integers are signed.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|value| u64::try_from(value).unwrap_or(0))
}

fn timer(row: &Row<'_>) -> rusqlite::Result<TimerDue> {
    Ok(TimerDue { adapter: adapter(row, 0)?, name: row.get(1)?, due_ms: row.get(2)? })
}

fn dead_entry(row: &Row<'_>) -> rusqlite::Result<DeadEntry> {
    Ok(DeadEntry {
        id: row.get(0)?,
        adapter: adapter(row, 1)?,
        source: row.get(2)?,
        size: unsigned(row, 3)?,
        error: row.get(4)?,
        attempts: unsigned(row, 5)?,
        first_ms: row.get(6)?,
        last_ms: row.get(7)?,
    })
}
