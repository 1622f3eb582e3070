//! The record of permissions: lines that are chained by their hashes, so that one that was changed, moved or removed is
//! noticed.
//!
//! The hash of a line is SHA-256 over the hash of the line before it (32 zero bytes for the first), its number and the
//! length of its text in bytes, both as 64 bits with the lowest byte first, and the text. Numbers are 1, 2, 3 … without
//! gaps. The table `permission_head` has the count and the newest hash, so that a removed end is noticed as well.
//!
//! This does not stop whoever can write the file from calculating everything anew. The log is a second witness: it
//! says the beginning of each hash.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{JournalError, Reader, file};
use crate::{
    name::AdapterName,
    relay::record::{Entry, What},
};

/// A SHA-256 hash.
type Hash = [u8; 32];

/// The schema that the record came with.
const SINCE: i64 = 3;

/// Bytes of a hash that the log says.
const WITNESSED: usize = 8;

/// A line of the record as the file has it, whether it is genuine or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number.
    pub id: i64,
    /// The entry's JSON.
    pub text: String,
    /// Its hash; 32 bytes, unless somebody changed it.
    pub hash: Vec<u8>,
    /// When, in milliseconds since the Unix epoch: the same as in the entry, unless somebody changed it.
    pub time_ms: i64,
}

impl Recorded {
    /// The entry; none if this version cannot read it.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        serde_json::from_str(&self.text).ok()
    }

    /// Whether it is the line that comes after `before`; then the chain with it.
    ///
    /// # Errors
    /// [`Broken`] if it is not.
    pub fn follows(&self, before: &Verified) -> Result<Verified, Broken> {
        before.and(self.id, self.time_ms, self.text.as_bytes(), &self.hash)
    }
}

/// A chain that is whole, as far as it was read. The default is the empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// How many lines it has.
    pub count: i64,
    /// The hash of the newest; zero bytes if there is none.
    pub head: [u8; 32],
}

impl Verified {
    /// The chain with one more line.
    fn and(&self, id: i64, time_ms: i64, text: &[u8], hash: &[u8]) -> Result<Self, Broken> {
        #[derive(Deserialize)]
        struct Timed {
            time_ms: i64,
        }
        let expected = self.count + 1;
        if id < expected {
            return Err(Broken { at: id, what: Fault::Stray });
        }
        if id > expected {
            return Err(Broken { at: expected, what: Fault::Missing });
        }
        let head = link(&self.head, id, text);
        // The column is a copy of what the text says.
        let timed = serde_json::from_slice::<Timed>(text).is_ok_and(|timed| timed.time_ms == time_ms);
        if head != hash || !timed {
            return Err(Broken { at: id, what: Fault::Changed });
        }
        Ok(Self { count: id, head })
    }

    /// What the file says of its end must hold too.
    fn ends_at(self, head: Option<Head>) -> Result<Self, Broken> {
        let broken = |at, what| Err(Broken { at, what });
        match head {
            None => broken(self.count, Fault::NoHead),
            Some(head) if head.count > self.count => broken(self.count + 1, Fault::End),
            Some(head) if head.count < self.count => broken(head.count.saturating_add(1), Fault::Added),
            Some(head) if head.hash != self.head => broken(self.count, Fault::OtherHead),
            Some(_) => Ok(self),
        }
    }
}

/// The first place at which the record is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {at} {what}")]
pub struct Broken {
    /// The number of the line.
    pub at: i64,
    /// What is wrong with it.
    pub what: Fault,
}

/// What is wrong with a line of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It, or one that was moved to its place, is not what was written there.
    #[error("was changed, or is not at its place")]
    Changed,
    /// There are lines after it, but not itself.
    #[error("is missing")]
    Missing,
    /// The end is missing, from this line on.
    #[error("is missing, and what came after it")]
    End,
    /// Its number is none that is ever given.
    #[error("was put in")]
    Stray,
    /// It is behind the end.
    #[error("was put in behind the end")]
    Added,
    /// It is the last one, and not the one that was written last.
    #[error("is not the one that was written last")]
    OtherHead,
    /// It is the last one, and what could prove it is gone.
    #[error("is the last one, but the count and the hash that prove it are missing")]
    NoHead,
}

/// What the file says of the newest line.
struct Head {
    count: i64,
    hash: Vec<u8>,
}

impl Head {
    fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached("SELECT count, hash FROM permission_head WHERE one = 1")?
            .query_row((), |row| Ok(Self { count: row.get(0)?, hash: row.get(1)? }))
            .optional()
    }
}

fn link(before: &Hash, id: i64, text: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(id.to_le_bytes());
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
    hash.finalize().into()
}

/// What the log says of a line once it is committed. Nothing of it was chosen by anybody else.
#[derive(Debug)]
pub(super) struct Witness {
    id: i64,
    hash: [u8; WITNESSED],
    request: Option<String>,
    what: &'static str,
    adapter: Option<AdapterName>,
}

impl Witness {
    fn of(id: i64, hash: &Hash, entry: &Entry) -> Self {
        let (what, adapter) = match &entry.what {
            What::Requested { .. } => ("requested", None),
            What::NotRelayed { .. } => ("not-relayed", None),
            What::Asked { adapter, .. } => ("asked", Some(adapter)),
            What::NotSent { adapter, .. } => ("not-sent", Some(adapter)),
            What::Counted { by } => ("counted", Some(&by.adapter)),
            What::Decided { by, .. } => ("decided", Some(&by.adapter)),
            What::Ended { .. } => ("ended", None),
            What::Refused { by, .. } => ("refused", Some(&by.adapter)),
        };
        let mut beginning = [0; WITNESSED];
        beginning.copy_from_slice(&hash[..WITNESSED]);
        Self { id, hash: beginning, request: entry.request.clone(), what, adapter: adapter.cloned() }
    }

    pub(super) fn log(&self) {
        tracing::info!(
            adapter = self.adapter.as_ref().map(tracing::field::display),
            line = self.id,
            request = self.request.as_deref(),
            what = self.what,
            hash = hex::encode(self.hash),
            "permission recorded"
        );
    }
}

/// Adds entries to the end of the record, and to `witnesses` what the log shall say of them after the commit.
pub(super) fn append(connection: &Connection, entries: &[Entry], witnesses: &mut Vec<Witness>) -> rusqlite::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let newest: i64 =
        connection.prepare_cached("SELECT coalesce(max(id), 0) FROM permission")?.query_row((), |row| row.get(0))?;
    // Whatever somebody did to the file, a request is still recorded, and what was done stays to be seen: a head that is
    // gone leaves a gap, and so does an end that is gone.
    let head = Head::read(connection)?;
    let genuine = head.as_ref().is_some_and(|head| head.count == newest);
    let (count, hash) = head.map_or((1, Vec::new()), |head| (head.count, head.hash));
    let mut hash = Hash::try_from(hash).unwrap_or_default();
    let mut id = newest.max(count);
    if !genuine {
        tracing::error!(
            line = newest,
            "somebody changed the record of permissions: `sluicegate log --permissions` names the line"
        );
    }
    let mut insert = connection.prepare_cached("INSERT INTO permission VALUES (?1, ?2, ?3, ?4)")?;
    for entry in entries {
        let text =
            serde_json::to_string(entry).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        id = id.saturating_add(1);
        hash = link(&hash, id, text.as_bytes());
        insert.execute(params![id, entry.time_ms, text, hash])?;
        witnesses.push(Witness::of(id, &hash, entry));
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO permission_head VALUES (1, ?1, ?2)")?
        .execute(params![id, hash])
        .map(drop)
}

#[allow(clippy::missing_errors_doc)] // Said once, at the type.
impl Reader {
    /// Lines of the record of permissions after a number, in order, at most `limit`.
    pub fn permissions(&self, after_id: i64, limit: usize) -> Result<Vec<Recorded>, JournalError> {
        if !self.has_permissions()? {
            return Ok(Vec::new());
        }
        self.all(
            "SELECT id, time_ms, entry, hash FROM permission WHERE id > ?1 ORDER BY id LIMIT ?2",
            [after_id, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| Ok(recorded(row.get(0)?, row.get(1)?, row.get_ref(2)?.as_bytes()?, row.get_ref(3)?.as_bytes()?)),
        )
    }

    /// Whether the record of permissions is as it was written: the chain, or the first line that is not.
    pub fn verify_permissions(&self) -> Result<Result<Verified, Broken>, JournalError> {
        self.walk(|_, _, _, _| {})
    }

    /// As [`Reader::verify_permissions`], and shows each line on the way; those after a broken one too.
    pub fn walk_permissions(&self, mut each: impl FnMut(Recorded)) -> Result<Result<Verified, Broken>, JournalError> {
        self.walk(|id, time_ms, text, hash| each(recorded(id, time_ms, text, hash)))
    }

    fn walk(&self, mut each: impl FnMut(i64, i64, &[u8], &[u8])) -> Result<Result<Verified, Broken>, JournalError> {
        if !self.has_permissions()? {
            return Ok(Ok(Verified::default()));
        }
        let mut walk = || -> rusqlite::Result<Result<Verified, Broken>> {
            // One view of the file: the lines and what it says of their end belong together.
            let view = self.connection.unchecked_transaction()?;
            let head = Head::read(&view)?;
            let mut statement = view.prepare_cached("SELECT id, time_ms, entry, hash FROM permission ORDER BY id")?;
            let mut rows = statement.query(())?;
            let mut chain = Ok(Verified::default());
            while let Some(row) = rows.next()? {
                let (id, time_ms) = (row.get(0)?, row.get(1)?);
                let (text, hash) = (row.get_ref(2)?.as_bytes()?, row.get_ref(3)?.as_bytes()?);
                chain = chain.and_then(|chain: Verified| chain.and(id, time_ms, text, hash));
                each(id, time_ms, text, hash);
            }
            Ok(chain.and_then(|chain| chain.ends_at(head)))
        };
        walk().map_err(|source| file::explain(&self.path, source))
    }

    /// A file that no version with the record has opened yet has none.
    fn has_permissions(&self) -> Result<bool, JournalError> {
        Ok(file::schema(&self.connection, &self.path)? >= SINCE)
    }
}

fn recorded(id: i64, time_ms: i64, text: &[u8], hash: &[u8]) -> Recorded {
    Recorded { id, text: String::from_utf8_lossy(text).into_owned(), hash: hash.to_vec(), time_ms }
}
