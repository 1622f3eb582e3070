//! What `kill -9` leaves behind.

use std::{
    collections::{HashSet, VecDeque},
    env,
    io::{BufRead, BufReader, Write, stdout},
    process::{Command, Stdio},
};

use super::*;

const FILE: &str = "SLUICEGATE_TEST_JOURNAL";

/// Not a test by itself: what the killed process runs. Commits for ever and prints each receipt.
#[test]
fn child() {
    let Some(path) = env::var_os(FILE) else { return };
    let journal = Journal::open(path, Options::default()).unwrap();
    let first = u64::try_from(journal.last_seq()).unwrap();
    let mut open = VecDeque::new();
    for id in first.. {
        let mut transaction = says("chat", 1, id);
        transaction.once = Some(key(1 << 40 | id));
        transaction.state.push(("last".into(), Some(id.to_be_bytes().to_vec())));
        open.push_back((id, journal.submit(transaction)));
        if open.len() >= 16 {
            let (id, receipt) = open.pop_front().unwrap();
            assert_eq!(receipt.wait(), ONE);
            writeln!(stdout(), "receipt {id}").unwrap();
        }
    }
}

#[test]
fn after_kill_every_receipt_is_in_the_file_and_every_event_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let (_, test) = module_path!().split_once("::").unwrap();
    let mut receipts = HashSet::new();
    for round in 1..=4 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", &format!("{test}::child"), "--nocapture"])
            .env(FILE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let before = receipts.len();
        let mut killed = false;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            // The last line may be cut; what was printed whole is a promise.
            let line = line.unwrap();
            let Some((_, id)) = line.split_once("receipt ") else { continue };
            receipts.insert(id.parse::<u64>().unwrap());
            if !killed && receipts.len() - before >= 300 * round {
                child.kill().unwrap();
                killed = true;
            }
        }
        assert!(!child.wait().unwrap().success());
        assert!(killed, "it has to die by the signal");

        let journal = Journal::open(&path, Options::default()).unwrap();
        let reader = journal.reader().unwrap();
        let kept = reader.messages_after(0, usize::MAX, usize::MAX).unwrap();
        let ids: Vec<u64> = kept.iter().map(|stored| stored.message.message_id.parse().unwrap()).collect();
        assert_eq!(ids, (0..ids.len() as u64).collect::<Vec<_>>(), "each once, in order, without gaps");
        for id in &receipts {
            assert!(ids.contains(id), "{id} was promised");
        }
        for id in &ids {
            assert!(reader.seen(&key(*id)).unwrap() && reader.seen(&key(1 << 40 | id)).unwrap(), "{id}");
        }
        let last = reader.state_get(&name("chat"), "last").unwrap().unwrap();
        assert_eq!(last, ids.last().unwrap().to_be_bytes(), "the state is that of the last message");
        journal.shutdown();
    }
}
