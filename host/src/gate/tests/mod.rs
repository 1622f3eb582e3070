//! What the gate must hold, one file for each idea.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod approvers;
mod commands;
mod file;
mod invites;
mod judging;
mod pairing;
mod properties;
mod sending;

use std::{fs, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::*;

/// Some time in 2025.
const NOW: i64 = 1_760_000_000_000;
const MINUTE: i64 = 60_000;

/// A gate over a file of its own.
struct Bench {
    gate: Gate,
    path: PathBuf,
    home: TempDir,
}

impl Bench {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("access/telegram.json");
        Self { gate: Gate::open(path.clone()), path, home }
    }

    fn with(content: &str) -> Self {
        let bench = Self::new();
        bench.write(content);
        bench
    }

    fn write(&self, content: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path.parent().unwrap()).unwrap();
        fs::write(&self.path, content).unwrap();
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&fs::read(&self.path).unwrap()).unwrap()
    }

    /// The names of the files beside the access file, the lock left out.
    fn aside(&self) -> Vec<String> {
        let names = fs::read_dir(self.home.path().join("access")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != "telegram.json" && name != "telegram.json.lock").collect();
        names.sort();
        names
    }

    /// The code that this sender is given now.
    fn pair(&self, sender: &str, now_ms: i64) -> String {
        match self.gate.judge(&direct(sender), now_ms) {
            Ruling::Pair { code, .. } => code,
            other => panic!("{sender} got {other:?}"),
        }
    }

    fn cause(&self, speaker: &Speaker<'_>, now_ms: i64) -> Option<Cause> {
        match self.gate.judge(speaker, now_ms) {
            Ruling::Drop(reason) => Some(reason.cause().clone()),
            _ => None,
        }
    }
}

/// Somebody who writes "hello" directly, read by a vetted rule.
fn direct(sender: &str) -> Speaker<'_> {
    Speaker {
        sender,
        sender_name: None,
        conversation: sender,
        direct: true,
        mentions_me: false,
        reply_to_me: false,
        text: "hello",
        text_by: TextBy::Sender,
        kind: Kind::Message,
        vetted: true,
        by_credential: false,
    }
}

/// Somebody who writes "hello" in a group, read by a vetted rule.
fn grouped<'a>(sender: &'a str, conversation: &'a str) -> Speaker<'a> {
    Speaker { conversation, direct: false, ..direct(sender) }
}
