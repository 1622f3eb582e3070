//! What is in `journal.db`, read beside the server.

use std::collections::BTreeMap;

use rusqlite::{Connection, OpenFlags};

use crate::Home;

/// How often each `message_id` of an adapter is in the journal.
///
/// # Panics
/// If there is no journal.
pub fn messages(home: &Home, adapter: &str) -> BTreeMap<String, u64> {
    let journal = open(home);
    let mut counted = journal
        .prepare("SELECT message_id, count(*) FROM message WHERE adapter = ?1 GROUP BY message_id")
        .expect("the journal has messages");
    let rows = counted.query_map([adapter], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())));
    rows.expect("the journal can be read").collect::<Result<_, _>>().expect("the journal can be read")
}

/// Conversation, sender and `message_id` of each message of an adapter, in the journal's order.
///
/// # Panics
/// If there is no journal.
pub fn order(home: &Home, adapter: &str) -> Vec<(String, String, String)> {
    let journal = open(home);
    let mut listed = journal
        .prepare("SELECT conversation, sender, message_id FROM message WHERE adapter = ?1 ORDER BY seq")
        .expect("the journal has messages");
    let rows = listed.query_map([adapter], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.expect("the journal can be read").collect::<Result<_, _>>().expect("the journal can be read")
}

/// The keys of an adapter's state.
///
/// # Panics
/// If there is no journal.
pub fn state(home: &Home, adapter: &str) -> Vec<String> {
    let journal = open(home);
    let mut keys =
        journal.prepare("SELECT key FROM state WHERE adapter = ?1 ORDER BY key").expect("the journal has states");
    let rows = keys.query_map([adapter], |row| row.get(0));
    rows.expect("the journal can be read").collect::<Result<_, _>>().expect("the journal can be read")
}

/// Whether SQLite finds nothing wrong with the file.
///
/// # Panics
/// If there is no journal.
pub fn is_sound(home: &Home) -> bool {
    let checked = open(home).query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    checked.is_ok_and(|answer| answer == "ok")
}

fn open(home: &Home) -> Connection {
    // Not read-only: reading a write-ahead log that nobody has open needs its index to be made.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(home.path().join("journal.db"), flags).expect("the journal can be opened")
}
