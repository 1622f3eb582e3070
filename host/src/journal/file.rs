//! The file: who may read it, how SQLite is set, which schema it has.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind},
    path::Path,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::{Durability, JournalError};

/// What turns schema `n` into schema `n + 1`; the length is the newest schema.
pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE message (
        seq INTEGER PRIMARY KEY,
        adapter TEXT NOT NULL,
        conversation TEXT NOT NULL,
        message_id TEXT NOT NULL,
        sender TEXT NOT NULL,
        time_ms INTEGER NOT NULL,
        received_ms INTEGER NOT NULL,
        offered INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX message_by_conversation ON message (adapter, conversation, seq);
    CREATE TABLE seen (key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE seen_lately (id INTEGER PRIMARY KEY, keys BLOB NOT NULL) STRICT;
    CREATE TABLE place (
        adapter TEXT NOT NULL,
        conversation TEXT NOT NULL,
        direct INTEGER NOT NULL,
        sender TEXT,
        by_credential INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        PRIMARY KEY (adapter, conversation)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE state (
        adapter TEXT NOT NULL,
        key TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (adapter, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE timer (
        adapter TEXT NOT NULL,
        name TEXT NOT NULL,
        due_ms INTEGER NOT NULL,
        PRIMARY KEY (adapter, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX timer_by_due ON timer (due_ms);
    CREATE TABLE dead (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        adapter TEXT NOT NULL,
        key BLOB NOT NULL,
        source TEXT NOT NULL,
        event BLOB NOT NULL,
        context TEXT NOT NULL,
        error TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        UNIQUE (adapter, key)
    ) STRICT;
    CREATE TABLE counter (
        adapter TEXT NOT NULL,
        name TEXT NOT NULL,
        value INTEGER NOT NULL,
        PRIMARY KEY (adapter, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE cursor (session TEXT PRIMARY KEY, written INTEGER NOT NULL) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE poll (
        adapter TEXT NOT NULL,
        source TEXT NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (adapter, source)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sent (
        adapter TEXT NOT NULL,
        conversation TEXT NOT NULL,
        message_id TEXT NOT NULL,
        sent_ms INTEGER NOT NULL,
        PRIMARY KEY (adapter, conversation, message_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sent_by_time ON sent (sent_ms);
",
    "
    CREATE TABLE permission (
        id INTEGER PRIMARY KEY,
        time_ms INTEGER NOT NULL,
        entry TEXT NOT NULL,
        hash BLOB NOT NULL
    ) STRICT;
    CREATE TABLE permission_head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        count INTEGER NOT NULL,
        hash BLOB NOT NULL
    ) STRICT;
    INSERT INTO permission_head VALUES (1, 0, zeroblob(32));
    CREATE TABLE prompt (
        id INTEGER PRIMARY KEY,
        adapter TEXT NOT NULL,
        conversation TEXT NOT NULL,
        message TEXT NOT NULL,
        plain_conversation TEXT NOT NULL,
        plain_message TEXT NOT NULL,
        subject TEXT NOT NULL,
        open INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,
        UNIQUE (adapter, conversation, message)
    ) STRICT;
    CREATE INDEX prompt_by_plain_ids ON prompt (adapter, plain_conversation, plain_message);
    CREATE INDEX prompt_by_open ON prompt (adapter, open);
",
];

/// How long another process may hold the file before an operation fails.
const BUSY: Duration = Duration::from_secs(5);

/// Opens the file for the writer's thread; makes it, and brings an older schema up to date.
pub(super) fn open_writer(path: &Path, durability: Durability) -> Result<Connection, JournalError> {
    keep_private(path).map_err(|source| JournalError::File { path: path.to_owned(), source })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let explained = |source| explain(path, source);
    let mut connection = Connection::open_with_flags(path, flags).map_err(explained)?;
    connection.busy_timeout(BUSY).map_err(explained)?;
    // Before anything is written: a file that is not ours stays as it is.
    schema(&connection, path)?;
    let synchronous = match durability {
        Durability::Process => "NORMAL",
        Durability::Power => "FULL",
    };
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0)).map_err(explained)?;
    if mode != "wal" {
        let source = io::Error::new(ErrorKind::Unsupported, "its file system cannot share memory (a network drive?)");
        return Err(JournalError::File { path: path.to_owned(), source });
    }
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -1000; PRAGMA mmap_size = 0; \
             PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 8388608;"
        ))
        .map_err(explained)?;
    migrate(&mut connection, path)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Opens the file for reading only.
pub(super) fn open_reader(path: &Path) -> Result<Connection, JournalError> {
    let missing = || JournalError::Missing { path: path.to_owned() };
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Err(missing()),
        Err(source) => return Err(JournalError::File { path: path.to_owned(), source }),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let explained = |source| explain(path, source);
    let connection = Connection::open_with_flags(path, flags).map_err(explained)?;
    connection.busy_timeout(BUSY).map_err(explained)?;
    if schema(&connection, path)? == 0 {
        return Err(missing());
    }
    connection
        .execute_batch("PRAGMA cache_size = -500; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;")
        .map_err(explained)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Names the file and the mend for what SQLite says.
pub(super) fn explain(path: &Path, source: rusqlite::Error) -> JournalError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            JournalError::Damaged { path, detail: source.to_string() }
        }
        _ => JournalError::Sqlite { path, source },
    }
}

/// The file's schema; 0 if it is empty.
pub(super) fn schema(connection: &Connection, path: &Path) -> Result<i64, JournalError> {
    // One statement: between two of them another process might make the tables.
    let (found, tables): (i64, i64) = connection
        .query_row("SELECT user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .map_err(|source| explain(path, source))?;
    let known = MIGRATIONS.len() as i64;
    match (found, tables) {
        (0, 0) => Ok(0),
        (..=0, _) | (_, 0) => Err(JournalError::Foreign { path: path.to_owned() }),
        _ if found > known => Err(JournalError::Newer { path: path.to_owned(), found, known }),
        _ => Ok(found),
    }
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), JournalError> {
    let explained = |source| explain(path, source);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(explained)?;
    // Again, now that nobody else can change it.
    let found = usize::try_from(schema(&transaction, path)?).unwrap_or_default();
    for migration in MIGRATIONS.iter().skip(found) {
        transaction.execute_batch(migration).map_err(explained)?;
    }
    if found < MIGRATIONS.len() {
        transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64).map_err(explained)?;
    }
    transaction.commit().map_err(explained)
}

/// Makes the file readable by its owner alone before SQLite writes to it. SQLite gives `-wal` and `-shm` the same mode.
fn keep_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => tighten(path),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn tighten(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let file = match File::open(&name) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound && !suffix.is_empty() => continue,
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
        }
        let mut permissions = metadata.permissions();
        if permissions.mode() & 0o777 != 0o600 {
            permissions.set_mode(0o600);
            file.set_permissions(permissions)?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn tighten(path: &Path) -> io::Result<()> {
    File::open(path).map(drop)
}
