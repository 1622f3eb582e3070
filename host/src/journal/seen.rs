//! What was seen, for ever: each key once.
//!
//! Keys are digests, so each one put into a sorted table touches a page of its own: at a high rate that would be most
//! of the work of a commit. Therefore the keys of a group are first kept together as one row of `seen_lately`, and
//! are looked up in memory. Many of them, sorted, are then moved to the table `seen` bit by bit, with later groups or
//! when there is nothing else to do. A key is in one of both from its commit on; for a while it may be in both.

use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex},
};

use rusqlite::{Connection, OptionalExtension};

use super::{Key, shared::lock};

/// Keys that may gather in memory before they are moved: a megabyte of them.
const GATHERED: usize = if cfg!(test) { 256 } else { 48 * 1024 };

/// No fewer are moved at once, because neighbours share a page.
const MOVED_TOGETHER: usize = 128;

/// So many are moved at once when there is nothing else to do.
const MOVED_WHEN_IDLE: usize = 512;

/// Keys that are committed and were not moved yet.
pub(super) type Lately = Arc<Mutex<HashSet<Key>>>;

pub(super) struct Seen {
    lately: Lately,
    /// Keys of the group at hand, in order and for looking up.
    fresh: Vec<u8>,
    fresh_set: HashSet<Key>,
    /// The last committed row of `seen_lately`, and that of the group at hand.
    last_row: i64,
    new_row: Option<i64>,
    moving: Option<Move>,
}

/// Keys on their way to `seen`.
struct Move {
    /// In the order of the table.
    keys: Vec<Key>,
    /// So many are there.
    done: usize,
    /// So many more could be there by now.
    due: usize,
    /// So many will be there when the group at hand is committed.
    reached: usize,
    /// The last row of `seen_lately` that holds any of them.
    last_row: i64,
}

impl Seen {
    pub(super) fn load(connection: &Connection, lately: Lately) -> rusqlite::Result<Self> {
        let mut last_row = 0;
        let mut statement = connection.prepare("SELECT id, keys FROM seen_lately ORDER BY id")?;
        let mut rows = statement.query(())?;
        let mut set = lock(&lately);
        while let Some(row) = rows.next()? {
            last_row = row.get(0)?;
            set.extend(keys(row.get_ref(1)?.as_blob()?));
        }
        drop(set);
        Ok(Self { lately, fresh: Vec::new(), fresh_set: HashSet::new(), last_row, new_row: None, moving: None })
    }

    /// Notes the key in the group at hand; says whether it is new.
    pub(super) fn first_time(&mut self, connection: &Connection, key: &Key) -> rusqlite::Result<bool> {
        if self.fresh_set.contains(key) || lock(&self.lately).contains(key) || in_table(connection, key)? {
            return Ok(false);
        }
        self.fresh_set.insert(*key);
        self.fresh.extend_from_slice(key);
        Ok(true)
    }

    /// Writes the group's keys and moves some older ones; belongs right before the commit.
    pub(super) fn store(&mut self, connection: &Connection, idle: bool) -> rusqlite::Result<()> {
        if !self.fresh.is_empty() {
            connection.prepare_cached("INSERT INTO seen_lately (keys) VALUES (?1)")?.execute([&self.fresh])?;
            self.new_row = Some(connection.last_insert_rowid());
        }
        if self.moving.is_none() {
            let set = lock(&self.lately);
            if set.len() >= GATHERED || idle && !set.is_empty() {
                let mut keys: Vec<Key> = set.iter().copied().collect();
                drop(set);
                keys.sort_unstable();
                self.moving = Some(Move { keys, done: 0, due: 0, reached: 0, last_row: self.last_row });
            }
        }
        let Some(moving) = &mut self.moving else { return Ok(()) };
        // Twice as many as come, so that a move ends.
        let due = if idle { MOVED_WHEN_IDLE } else { moving.due.saturating_add(2 * self.fresh_set.len()) };
        if due < MOVED_TOGETHER {
            moving.due = due;
            return Ok(());
        }
        moving.due = 0;
        moving.reached = moving.keys.len().min(moving.done.saturating_add(due));
        let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO seen VALUES (?1)")?;
        for key in moving.keys.get(moving.done..moving.reached).unwrap_or_default() {
            insert.execute([key])?;
        }
        if moving.reached == moving.keys.len() {
            connection.prepare_cached("DELETE FROM seen_lately WHERE id <= ?1")?.execute([moving.last_row])?;
        }
        Ok(())
    }

    /// What `store` wrote is committed.
    pub(super) fn committed(&mut self) {
        let mut set = lock(&self.lately);
        set.extend(self.fresh_set.drain());
        self.fresh.clear();
        if let Some(row) = self.new_row.take() {
            self.last_row = row;
        }
        if let Some(moving) = &mut self.moving {
            for key in moving.keys.get(moving.done..moving.reached).unwrap_or_default() {
                set.remove(key);
            }
            moving.done = moving.reached;
            if moving.done == moving.keys.len() {
                self.moving = None;
            }
        }
    }

    /// What happened since the last commit is undone.
    pub(super) fn rolled_back(&mut self) {
        self.fresh.clear();
        self.fresh_set.clear();
        self.new_row = None;
        if let Some(moving) = &mut self.moving {
            moving.reached = moving.done;
        }
    }

    /// There are keys to be moved.
    pub(super) fn is_unsettled(&self) -> bool {
        !lock(&self.lately).is_empty()
    }
}

/// Was it committed? For a connection beside the writer; `lately` is the writer's, if it is in this process.
pub(super) fn was_seen(connection: &Connection, lately: Option<&Lately>, key: &Key) -> rusqlite::Result<bool> {
    // In this order: a key appears in the table before it leaves the other place.
    let lately = match lately {
        Some(lately) => lock(lately).contains(key),
        None => {
            let mut statement = connection.prepare_cached("SELECT keys FROM seen_lately")?;
            let mut rows = statement.query(())?;
            let mut found = false;
            while !found && let Some(row) = rows.next()? {
                found = keys(row.get_ref(0)?.as_blob()?).any(|seen| seen == *key);
            }
            found
        }
    };
    Ok(lately || in_table(connection, key)?)
}

fn in_table(connection: &Connection, key: &Key) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM seen WHERE key = ?1")?;
    statement.query_row([key], |_| Ok(())).optional().map(|found| found.is_some())
}

/// The keys that a row of `seen_lately` holds.
fn keys(row: &[u8]) -> impl Iterator<Item = Key> {
    row.as_chunks::<{ mem::size_of::<Key>() }>().0.iter().copied()
}
