//! The last messages, kept in the state.
//!
//! `handle` and `perform` run beside each other, so no key is written by both: the user's messages and their order
//! are `handle`'s; Claude's messages, the host's questions, their orders and all reactions are `perform`'s.

use crate::record::{Author, PageFile, Record};
use sluicegate_sdk::prelude::*;
use std::collections::HashMap;

/// Messages that a page gets to see when it opens, and that are kept of each side.
const KEPT: usize = 200;
/// Bytes after which a frame of the history ends.
const FRAME: usize = 64 * 1024;
/// Different emoji on one message; the next ones replace the oldest.
const EMOJI: usize = 8;
const REACTIONS: &str = "reactions";

/// When, and which message.
type Entry = (u64, String);

/// The kept message of that id.
pub fn message(id: &str) -> Option<Record> {
    let mut record = stored(id)?;
    record.reactions = reactions().into_iter().find(|(of, _)| of == id).map(|(_, emoji)| emoji).unwrap_or_default();
    Some(record)
}

/// Whether a message of that id is kept.
pub fn holds(id: &str) -> bool {
    stored(id).is_some()
}

/// The kept file of that id.
pub fn file(id: &str) -> Option<PageFile> {
    state::get(&file_key(id))
}

/// Keeps a new message with its files, and forgets the oldest of its side beyond the last 200. For `handle` if it
/// is the user's, for `perform` if it is not.
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

/// Keeps a message of Claude's or the host's that has changed. For `perform` alone.
pub fn update(record: &Record) -> Result<(), Failure> {
    state::set(&message_key(&record.id), &Record { reactions: Vec::new(), ..record.clone() })
}

/// Adds an emoji to a kept message; an empty one takes all away. For `perform` alone.
pub fn react(id: &str, emoji: &str) -> Result<(), Failure> {
    let mut all = reactions();
    let mut on = match all.iter().position(|(of, _)| of == id) {
        Some(at) => all.remove(at).1,
        None => Vec::new(),
    };
    if emoji.is_empty() {
        on.clear();
    } else if !on.iter().any(|known| known == emoji) {
        on.push(emoji.to_owned());
        on.drain(..on.len().saturating_sub(EMOJI));
    }
    if !on.is_empty() {
        all.push((id.to_owned(), on));
    }
    // As many as there are messages: what is dropped stood on the message that was left alone the longest.
    all.drain(..all.len().saturating_sub(2 * KEPT));
    state::set(REACTIONS, &all)
}

/// The frames that show the last 200 messages, oldest first; one that shows none when there are none.
pub fn frames() -> Vec<String> {
    let mut all: Vec<Entry> = [Author::You, Author::Claude, Author::Host].into_iter().flat_map(order).collect();
    all.sort_by_key(|(time, _)| *time);
    let skipped = all.len().saturating_sub(KEPT);
    let mut groups: Vec<Vec<Record>> = vec![Vec::new()];
    let mut size = 0;
    let mut reactions: HashMap<String, Vec<String>> = reactions().into_iter().collect();
    for mut record in all.iter().skip(skipped).filter_map(|(_, id)| stored(id)) {
        record.reactions = reactions.remove(&record.id).unwrap_or_default();
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

fn stored(id: &str) -> Option<Record> {
    state::get(&message_key(id))
}

/// Ids and their emoji, the last to change last.
fn reactions() -> Vec<(String, Vec<String>)> {
    state::get(REACTIONS).unwrap_or_default()
}

fn forget(id: &str) {
    for file in stored(id).iter().flat_map(|record| &record.files) {
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
        Author::Host => "order/host",
    }
}

fn message_key(id: &str) -> String {
    format!("message/{id}")
}

fn file_key(id: &str) -> String {
    format!("file/{id}")
}
