//! What the journal promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod commits;
mod crash;
mod files;
mod outbox;
mod permissions;
mod prompts;
mod tables;

use std::sync::mpsc::{self, Receiver, Sender};

use tempfile::TempDir;

use super::*;
use crate::message::{Kind, Message, TextBy};

/// A journal in a directory of its own.
struct Bench {
    dir: TempDir,
    journal: Journal,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path().join("journal.db"), Options::default()).unwrap();
        Self { dir, journal }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("journal.db")
    }

    fn reopen(self) -> Self {
        self.journal.shutdown();
        let journal = Journal::open(self.path(), Options::default()).unwrap();
        Self { dir: self.dir, journal }
    }

    fn ids_after(&self, seq: i64) -> Vec<String> {
        let stored = self.journal.reader().unwrap().messages_after(seq, usize::MAX, usize::MAX).unwrap();
        stored.into_iter().map(|stored| stored.message.message_id).collect()
    }

    /// Holds the writer in the commit hook, so that what is submitted meanwhile becomes one group.
    fn hold(&self) -> Hold {
        let (entered, in_hook) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(Some(released));
        self.journal.set_commit_hook(Box::new(move |_| {
            if let Some(released) = lock(&released).take() {
                entered.send(()).unwrap();
                let _ = released.recv();
            }
        }));
        let receipt = self.journal.submit(says("hold", 1, 0xdead));
        in_hook.recv().unwrap();
        Hold { _release: release, _receipt: receipt }
    }
}

/// The writer goes on when this is dropped.
struct Hold {
    _release: Sender<()>,
    _receipt: Receipt,
}

/// Records the numbers and `live` of what the hook is given.
fn record(journal: &Journal) -> Receiver<(i64, bool)> {
    let (sender, receiver) = mpsc::channel();
    journal.set_commit_hook(Box::new(move |messages| {
        for stored in messages {
            sender.send((stored.seq, stored.live)).unwrap();
        }
    }));
    receiver
}

fn name(text: &str) -> AdapterName {
    AdapterName::new(text).unwrap()
}

fn key(number: u64) -> Key {
    let mut key = [7; 16];
    // The varying bytes come first, scattered, as in a digest.
    key[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    key
}

fn message(adapter: &str, id: u64) -> Message {
    Message {
        adapter: name(adapter),
        kind: Kind::Message,
        message_id: id.to_string(),
        time_ms: 1,
        sender: "ann".into(),
        sender_name: None,
        conversation: "room".into(),
        thread: None,
        direct: true,
        reply_to: None,
        quoted: None,
        group: None,
        burst: None,
        text: "hello".into(),
        text_by: TextBy::Sender,
        attachments: vec![],
        meta: vec![],
    }
}

fn empty(adapter: &str, generation: u64) -> Transaction {
    Transaction::new(Lane::of(name(adapter), generation))
}

/// A transaction with one message, whose id and key are `id`.
fn says(adapter: &str, generation: u64, id: u64) -> Transaction {
    let mut transaction = empty(adapter, generation);
    transaction.messages.push(NewMessage { key: Some(key(id)), by_credential: false, message: message(adapter, id) });
    transaction
}

const ONE: Result<Committed, CommitError> = Ok(Committed::Stored { messages: 1, repeated: 0 });
