//! All that the fake knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Instant, SystemTime},
};

use serde_json::{Value, json};

use super::{
    chats::{Chat, User},
    faults::Faults,
    files::Files,
    updates::Queue,
    view::{Action, Call},
};

/// The state behind the one lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) token: String,
    pub(super) bot: i64,
    pub(super) download_limit: u64,
    pub(super) users: BTreeMap<i64, User>,
    pub(super) chats: BTreeMap<i64, Chat>,
    pub(super) files: Files,
    pub(super) faults: Faults,
    pub(super) queue: Queue,
    pub(super) webhook: String,
    pub(super) commands: Value,
    /// Of every callback query its answer, or null.
    pub(super) queries: BTreeMap<String, Value>,
    /// Of every callback query the update that told it.
    pub(super) pressed: BTreeMap<String, i64>,
    pub(super) next_group: u64,
    pub(super) seen: Seen,
}

/// What the bot did.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) calls: Vec<Call>,
    pub(super) actions: Vec<Action>,
    /// Addresses that Telegram would have fetched for the bot.
    pub(super) fetched: Vec<String>,
    /// Chat of the reply, chat of the message it replies to.
    pub(super) replies_across: Vec<(i64, i64)>,
    pub(super) downloads: Vec<String>,
    pub(super) polls: u64,
    pub(super) conflicts: u64,
    pub(super) handed_out: BTreeMap<i64, Instant>,
    pub(super) connections: u64,
    pub(super) deleted: BTreeSet<(i64, i64)>,
    pub(super) edits: Vec<(i64, i64, Value)>,
}

impl State {
    pub(super) fn new() -> Self {
        let bot = User::bot(7_654_321_098, "Sluicegate", "sluicegate_test_bot");
        Self {
            token: "7654321098:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0".into(),
            bot: bot.id,
            download_limit: 20 * 1024 * 1024,
            users: BTreeMap::from([(bot.id, bot)]),
            chats: BTreeMap::new(),
            files: Files::default(),
            faults: Faults::default(),
            queue: Queue::default(),
            webhook: String::new(),
            commands: json!([]),
            queries: BTreeMap::new(),
            pressed: BTreeMap::new(),
            next_group: 13_700_000_000_000_001,
            seen: Seen::default(),
        }
    }
}

/// Now, in seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
