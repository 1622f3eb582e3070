//! What a transaction does to the tables.

use std::{
    collections::HashMap,
    mem,
    time::{SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, config::DbConfig, params};

use super::{
    Committed, DeadLetter, NewMessage, Place, Transaction,
    permissions::{self, Witness},
    prompts,
    seen::{Lately, Seen},
    shared::Counts,
    work::Maintenance,
};
use crate::name::AdapterName;

/// The one session of today.
pub(super) const SESSION: &str = "main";

/// At most so many messages are pruned at once, so that commits never wait long.
const PRUNED_AT_ONCE: i64 = 1000;

/// Pages that closing may move.
const MOVED_AT_CLOSE: i64 = 256;

/// Conversations whose place is remembered in memory.
const PLACES: usize = 4096;

/// Dead letters that are kept of one adapter, and bytes of their events and contexts: sources need no permission to
/// bring what an adapter fails on.
const DEAD_LETTERS: i64 = 1000;
const DEAD_BYTES: i64 = 64 << 20;

/// What counts the dead letters that made room.
const DROPPED: &str = "dead letter dropped";

/// The tables, and a cache of the places so that they are written only when they change.
pub(super) struct Tables {
    connection: Connection,
    seen: Seen,
    places: HashMap<AdapterName, HashMap<String, Place>>,
    cached: usize,
    /// What the log says of the group's permissions, once they are committed.
    witnesses: Vec<Witness>,
}

/// What holds for every transaction of a group.
#[derive(Clone, Copy)]
pub(super) struct Group {
    /// Messages are stored as offered.
    pub(super) offered: bool,
    /// Everything up to this number is on the wire.
    pub(super) written: i64,
    /// When the group is committed, in milliseconds since the Unix epoch.
    pub(super) now_ms: i64,
}

impl Tables {
    pub(super) fn new(connection: Connection, lately: Lately) -> rusqlite::Result<Self> {
        let seen = Seen::load(&connection, lately)?;
        Ok(Self { connection, seen, places: HashMap::new(), cached: 0, witnesses: Vec::new() })
    }

    /// The number of the last message, and the cursor.
    pub(super) fn positions(&self) -> rusqlite::Result<(i64, i64)> {
        self.connection.query_row(
            "SELECT coalesce((SELECT max(seq) FROM message), 0),
                    coalesce((SELECT written FROM cursor WHERE session = ?1), 0)",
            [SESSION],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Begins a group, as the only writer.
    pub(super) fn begin(&self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute(()).map(drop)
    }

    /// Commits the group. In an `idle` moment there is time to put things in order.
    pub(super) fn commit(&mut self, idle: bool) -> rusqlite::Result<()> {
        self.seen.store(&self.connection, idle)?;
        self.connection.prepare_cached("COMMIT")?.execute(())?;
        self.seen.committed();
        Ok(())
    }

    /// What the log says of permissions that were committed.
    pub(super) fn take_witnesses(&mut self) -> Vec<Witness> {
        mem::take(&mut self.witnesses)
    }

    /// There are things to put in order.
    pub(super) fn is_unsettled(&self) -> bool {
        self.seen.is_unsettled()
    }

    /// Undoes everything since `begin`; some failures have done so already.
    pub(super) fn roll_back(&mut self) {
        self.forget_places();
        self.witnesses.clear();
        self.seen.rolled_back();
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "the journal cannot undo what failed");
        }
    }

    /// Applies one transaction and adds the number of each of its messages to `kept` (`None`: seen before), unless
    /// the whole of it is a repetition.
    pub(super) fn apply(
        &mut self,
        transaction: &Transaction,
        group: Group,
        kept: &mut Vec<Option<i64>>,
    ) -> rusqlite::Result<Committed> {
        let adapter = &transaction.lane.adapter;
        if let Some((source, position)) = &transaction.polled {
            self.connection.prepare_cached("INSERT OR REPLACE INTO poll VALUES (?1, ?2, ?3)")?.execute(params![
                adapter.as_str(),
                source,
                position
            ])?;
        }
        if let Some(once) = &transaction.once
            && !self.seen.first_time(&self.connection, once)?
        {
            return Ok(Committed::Repeated);
        }
        let (mut messages, mut repeated) = (0, 0);
        for new in &transaction.messages {
            let new_to_us = match &new.key {
                Some(key) => self.seen.first_time(&self.connection, key)?,
                None => true,
            };
            if new_to_us {
                kept.push(Some(self.keep(adapter, new, group)?));
                messages += 1;
            } else {
                kept.push(None);
                repeated += 1;
            }
        }
        for (key, value) in &transaction.state {
            self.set_state(adapter, key, value.as_deref())?;
        }
        for (name, due_ms) in &transaction.timers {
            self.set_timer(adapter, name, *due_ms)?;
        }
        for (conversation, message_id) in &transaction.sent {
            self.connection.prepare_cached("INSERT OR REPLACE INTO sent VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                adapter.as_str(),
                conversation,
                message_id,
                group.now_ms
            ])?;
        }
        permissions::append(&self.connection, &transaction.permissions, &mut self.witnesses)?;
        for change in &transaction.prompts {
            prompts::apply(&self.connection, adapter, change, group.now_ms)?;
        }
        if let Some(dead) = &transaction.dead {
            self.bury(adapter, dead, group.now_ms)?;
        }
        if let Some(id) = transaction.revived {
            self.connection
                .prepare_cached("DELETE FROM dead WHERE id = ?1 AND adapter = ?2")?
                .execute(params![id, adapter.as_str()])?;
        }
        Ok(Committed::Stored { messages, repeated })
    }

    fn keep(&mut self, adapter: &AdapterName, new: &NewMessage, group: Group) -> rusqlite::Result<i64> {
        let message = &new.message;
        let body =
            serde_json::to_string(message).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO message (adapter, conversation, message_id, sender, time_ms, received_ms, offered, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        insert.execute(params![
            adapter.as_str(),
            message.conversation,
            message.message_id,
            message.sender,
            message.time_ms,
            group.now_ms,
            group.offered,
            body
        ])?;
        drop(insert);
        let seq = self.connection.last_insert_rowid();
        self.remember_place(adapter, new, group.now_ms)?;
        Ok(seq)
    }

    fn remember_place(&mut self, adapter: &AdapterName, new: &NewMessage, now_ms: i64) -> rusqlite::Result<()> {
        let message = &new.message;
        let sender = message.direct.then_some(message.sender.as_str());
        let known = self.places.get(adapter).and_then(|places| places.get(&message.conversation));
        if known.is_some_and(|place| {
            place.direct == message.direct
                && place.sender.as_deref() == sender
                && place.by_credential == new.by_credential
        }) {
            return Ok(());
        }
        self.connection.prepare_cached("INSERT OR REPLACE INTO place VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
            params![adapter.as_str(), message.conversation, message.direct, sender, new.by_credential, now_ms],
        )?;
        if self.cached >= PLACES {
            self.forget_places();
        }
        let place = Place {
            direct: message.direct,
            sender: sender.map(str::to_owned),
            by_credential: new.by_credential,
            last_ms: now_ms,
        };
        self.places.entry(adapter.clone()).or_default().insert(message.conversation.clone(), place);
        self.cached += 1;
        Ok(())
    }

    fn forget_places(&mut self) {
        self.places.clear();
        self.cached = 0;
    }

    fn set_state(&self, adapter: &AdapterName, key: &str, value: Option<&[u8]>) -> rusqlite::Result<()> {
        match value {
            Some(value) => self
                .connection
                .prepare_cached("INSERT OR REPLACE INTO state VALUES (?1, ?2, ?3)")?
                .execute(params![adapter.as_str(), key, value])?,
            None => self
                .connection
                .prepare_cached("DELETE FROM state WHERE adapter = ?1 AND key = ?2")?
                .execute(params![adapter.as_str(), key])?,
        };
        Ok(())
    }

    fn set_timer(&self, adapter: &AdapterName, name: &str, due_ms: Option<i64>) -> rusqlite::Result<()> {
        match due_ms {
            Some(due_ms) => self
                .connection
                .prepare_cached("INSERT OR REPLACE INTO timer VALUES (?1, ?2, ?3)")?
                .execute(params![adapter.as_str(), name, due_ms])?,
            None => self
                .connection
                .prepare_cached("DELETE FROM timer WHERE adapter = ?1 AND name = ?2")?
                .execute(params![adapter.as_str(), name])?,
        };
        Ok(())
    }

    fn bury(&self, adapter: &AdapterName, dead: &DeadLetter, now_ms: i64) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO dead (adapter, key, source, event, context, error, attempts, first_ms, last_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
                 ON CONFLICT (adapter, key) DO UPDATE SET
                 error = excluded.error, attempts = attempts + excluded.attempts, last_ms = excluded.last_ms",
            )?
            .execute(params![
                adapter.as_str(),
                dead.key,
                dead.source,
                &dead.event[..],
                dead.context,
                dead.error,
                dead.attempts,
                now_ms
            ])?;
        self.drop_oldest_dead(adapter)
    }

    /// Removes the dead letters that failed longest ago until the others are within their bounds. One that is larger
    /// than all of them may be goes without taking others with it.
    fn drop_oldest_dead(&self, adapter: &AdapterName) -> rusqlite::Result<()> {
        let dropped = self
            .connection
            .prepare_cached(
                "DELETE FROM dead WHERE id IN (
                     SELECT id FROM (
                         SELECT id, size, row_number() OVER latest AS place,
                             sum(size) FILTER (WHERE size <= ?3) OVER latest AS bytes
                         FROM (
                             SELECT id, last_ms, octet_length(event) + octet_length(context) AS size
                             FROM dead WHERE adapter = ?1
                         )
                         WINDOW latest AS (ORDER BY last_ms DESC, id DESC ROWS UNBOUNDED PRECEDING)
                     ) WHERE place > ?2 OR size > ?3 OR bytes > ?3
                 )",
            )?
            .execute(params![adapter.as_str(), DEAD_LETTERS, DEAD_BYTES])?;
        if dropped > 0 {
            tracing::warn!(%adapter, dropped, "too many events failed: the oldest dead letters are gone");
            self.add_count(adapter, DROPPED, dropped as u64)?;
        }
        Ok(())
    }

    /// Says how many rows it changed.
    pub(super) fn maintain(&mut self, what: &Maintenance, group: Group) -> rusqlite::Result<u64> {
        let changed = match what {
            Maintenance::Flush => 0,
            Maintenance::MarkOffered(up_to) => self
                .connection
                .prepare_cached("UPDATE message SET offered = 1 WHERE seq > ?1 AND seq <= ?2 AND offered = 0")?
                .execute([group.written, *up_to])?,
            Maintenance::Prune { before_ms } => {
                self.connection.prepare_cached("DELETE FROM sent WHERE sent_ms < ?1")?.execute([*before_ms])?;
                self.connection
                    .prepare_cached(
                        // The last message stays: the next number follows from it, so that none is used twice.
                        "DELETE FROM message WHERE received_ms < ?2 AND seq < (SELECT max(seq) FROM message)
                     AND seq IN (SELECT seq FROM message WHERE seq <= ?1 ORDER BY seq LIMIT ?3)",
                    )?
                    .execute([group.written, *before_ms, PRUNED_AT_ONCE])?
            }
            Maintenance::Forget(adapter) => {
                self.forget_places();
                let mut changed = 0;
                for table in ["state", "timer", "place", "dead", "poll", "sent", "prompt"] {
                    let delete = format!("DELETE FROM {table} WHERE adapter = ?1");
                    changed += self.connection.execute(&delete, [adapter.as_str()])?;
                }
                changed
            }
            Maintenance::Record(entries) => {
                permissions::append(&self.connection, entries, &mut self.witnesses)?;
                entries.len()
            }
            Maintenance::DeleteDead(id) => {
                self.connection.prepare_cached("DELETE FROM dead WHERE id = ?1")?.execute([id])?
            }
        };
        Ok(changed as u64)
    }

    pub(super) fn set_cursor(&self, written: i64) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO cursor VALUES (?1, ?2)
                 ON CONFLICT (session) DO UPDATE SET written = max(written, excluded.written)",
            )?
            .execute(params![SESSION, written])
            .map(drop)
    }

    pub(super) fn add_counts(&self, counts: &Counts) -> rusqlite::Result<()> {
        for (adapter, names) in counts {
            for (name, value) in names {
                self.add_count(adapter, name, *value)?;
            }
        }
        Ok(())
    }

    fn add_count(&self, adapter: &AdapterName, name: &str, value: u64) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO counter VALUES (?1, ?2, ?3)
                 ON CONFLICT (adapter, name) DO UPDATE SET value = value + excluded.value",
            )?
            .execute(params![adapter.as_str(), name, i64::try_from(value).unwrap_or(i64::MAX)])
            .map(drop)
    }

    /// Prepares a quick end: the last connection moves the log into the main file when it closes, but if that is
    /// much work, it is left to the next start.
    pub(super) fn close(self) -> rusqlite::Result<()> {
        let left: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(NOOP)", (), |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))?;
        if left > MOVED_AT_CLOSE {
            self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        }
        self.connection.close().map_err(|(_, error)| error)
    }
}

/// Now, in milliseconds since the Unix epoch.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
