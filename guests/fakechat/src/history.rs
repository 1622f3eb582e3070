//! The last messages, kept in the state.
//!
//! Each message has a key of its own, and each side an order of ids. The page's order is written by `handle`
//! alone and Claude's by `perform` alone, which run beside each other: neither overwrites the other's.

use crate::record::{Author, PageFile, Record};
use sluicegate_sdk::prelude::*;

/// Messages that a page gets to see when it opens, and that are kept of each side.
const KEPT: usize = 200;
/// Bytes after which a frame of the history ends.
const FRAME: usize = 64 * 1024;

/// When, and which message.
type Entry = (u64, String);

/// The kept message of that id.
pub fn message(id: &str) -> Option<Record> {
    state::get(&message_key(id))
}

/// The kept file of that id.
pub fn file(id: &str) -> Option<PageFile> {
    state::get(&file_key(id))
}

/// Keeps a new message with its files, and forgets the oldest of its side beyond the last 200.
pub fn keep(record: &Record) -> Result<(), Failure> {
    state::set(&message_key(&record.id), record)?;
    for file in &record.files {
        state::set(&file_key(&file.file), file)?;
    }
    let key = order_key(record.from);
    let mut order = order(record.from);
    order.push((record.time, record.id.clone()));
    let surplus = order.len().saturating_sub(KEPT);
    for (_, id) in order.drain(..surplus) {
        forget(&id);
    }
    state::set(key, &order)
}

/// Keeps a message that has changed.
pub fn update(record: &Record) -> Result<(), Failure> {
    state::set(&message_key(&record.id), record)
}

/// The frames that show the last 200 messages, oldest first; one that shows none when there are none.
pub fn frames() -> Vec<String> {
    let mut all = order(Author::You);
    all.extend(order(Author::Claude));
    all.sort_by_key(|(time, _)| *time);
    let skipped = all.len().saturating_sub(KEPT);
    let mut groups: Vec<Vec<Record>> = vec![Vec::new()];
    let mut size = 0;
    for record in all.iter().skip(skipped).filter_map(|(_, id)| message(id)) {
        if size > FRAME {
            groups.push(Vec::new());
            size = 0;
        }
        size += record.text.len() + 200;
        if let Some(group) = groups.last_mut() {
            group.push(record);
        }
    }
    let last = groups.len() - 1;
    let frame = |(index, group)| json!({ "type": "history", "messages": group, "more": index < last }).to_string();
    groups.into_iter().enumerate().map(frame).collect()
}

fn forget(id: &str) {
    for file in message(id).iter().flat_map(|record| &record.files) {
        state::remove(&file_key(&file.file));
    }
    state::remove(&message_key(id));
}

fn order(author: Author) -> Vec<Entry> {
    state::get(order_key(author)).unwrap_or_default()
}

fn order_key(author: Author) -> &'static str {
    match author {
        Author::You => "order/you",
        Author::Claude => "order/claude",
    }
}

fn message_key(id: &str) -> String {
    format!("message/{id}")
}

fn file_key(id: &str) -> String {
    format!("file/{id}")
}
