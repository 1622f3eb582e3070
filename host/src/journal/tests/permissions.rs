//! The record of permissions: the chain, and what is noticed of those who change the file.

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::*;
use crate::{
    journal::permissions::{Witness, append},
    relay::record::{Evidence, What},
};

fn requested(time_ms: i64) -> Entry {
    let what = What::Requested {
        tool: "Bash".into(),
        description: "Räume auf \u{202e}\n".into(),
        preview: "{\"command\":\"rm -r build\"}".into(),
        preview_sha256: "00".repeat(32),
    };
    Entry { time_ms, request: Some(format!("request {time_ms}")), what }
}

fn decided(time_ms: i64) -> Entry {
    let by = Evidence {
        adapter: name("chat"),
        sender: "ann".into(),
        sender_name: None,
        conversation: "ann".into(),
        how: "typed".into(),
        message: "7".into(),
        event: "8".into(),
        rule: "message".into(),
    };
    Entry { time_ms, request: None, what: What::Decided { verdict: "allow".into(), by } }
}

fn with(lane: Lane, permissions: Vec<Entry>) -> Transaction {
    Transaction { permissions, ..Transaction::new(lane) }
}

fn apart(permissions: Vec<Entry>) -> Transaction {
    with(Lane::apart(name("chat")), permissions)
}

fn entries(bench: &Bench) -> Vec<(i64, i64)> {
    let lines = bench.journal.reader().unwrap().permissions(0, usize::MAX).unwrap();
    lines.iter().map(|line| (line.id, line.entry().unwrap().time_ms)).collect()
}

fn verify(path: &Path) -> Result<Verified, Broken> {
    Reader::open(path).unwrap().verify_permissions().unwrap()
}

/// A closed journal with lines 1 to 5, whose times are 10 to 50.
fn five() -> (TempDir, PathBuf) {
    let bench = Bench::new();
    bench.journal.submit(apart(vec![requested(10), decided(20), requested(30)])).wait().unwrap();
    bench.journal.record(vec![requested(40), decided(50)]).wait().unwrap();
    bench.journal.shutdown();
    let path = bench.path();
    (bench.dir, path)
}

#[test]
fn entries_are_numbered_and_chained_in_their_order_whoever_brings_them() {
    let bench = Bench::new();
    assert_eq!(verify(&bench.path()), Ok(Verified::default()));
    let hold = bench.hold();
    let lane = Lane::of(name("chat"), 1);
    let receipts = [
        bench.journal.submit(with(lane, vec![requested(10), decided(20)])),
        bench.journal.submit(apart(vec![requested(30)])),
    ];
    let recorded = bench.journal.record(vec![decided(40), decided(50)]);
    let nothing = bench.journal.record(vec![]);
    drop(hold);
    for receipt in receipts {
        assert_eq!(receipt.wait(), Ok(Committed::Stored { messages: 0, repeated: 0 }));
    }
    assert_eq!((recorded.wait(), nothing.wait()), (Ok(2), Ok(0)));

    let bench = bench.reopen();
    bench.journal.record(vec![requested(60)]).wait().unwrap();
    assert_eq!(entries(&bench), [(1, 10), (2, 20), (3, 30), (4, 40), (5, 50), (6, 60)]);
    let reader = bench.journal.reader().unwrap();
    let ids = |after, limit| reader.permissions(after, limit).unwrap().iter().map(|line| line.id).collect::<Vec<_>>();
    assert_eq!((ids(2, 2), ids(6, 9), ids(0, 0)), (vec![3, 4], vec![], vec![]));
    let verified = verify(&bench.path()).unwrap();
    assert_eq!(verified.count, 6);
    let lines = reader.permissions(0, 9).unwrap();
    assert_eq!(lines[5].hash, verified.head);
    assert_eq!(lines[0].entry(), Some(requested(10)), "an entry comes back as it went in");

    // Each line follows the one before it, and no other.
    let first = lines[0].follows(&Verified::default()).unwrap();
    assert_eq!(lines[1].follows(&first).unwrap().count, 2);
    assert_eq!(lines[2].follows(&first), Err(Broken { at: 2, what: Fault::Missing }));
    let mut other = lines[1].clone();
    other.text = other.text.replace("ann", "bob");
    assert_eq!(other.follows(&first), Err(Broken { at: 2, what: Fault::Changed }));
}

#[test]
fn the_hash_is_the_one_that_the_documentation_says() {
    let (_dir, path) = five();
    let lines = Reader::open(&path).unwrap().permissions(0, 2).unwrap();
    let mut before = vec![0; 32];
    for (id, line) in (1u64..).zip(lines) {
        let bytes = [&before[..], &id.to_le_bytes(), &(line.text.len() as u64).to_le_bytes(), line.text.as_bytes()];
        before = Sha256::digest(bytes.concat()).to_vec();
        assert_eq!(line.hash, before);
    }
}

#[test]
fn whatever_is_done_to_the_file_is_noticed_and_the_line_is_named() {
    let recalculated = "
        UPDATE permission SET entry = replace(entry, 'ann', 'eve'), hash = :forged WHERE id = 5";
    for (change, at, what) in [
        ("UPDATE permission SET entry = replace(entry, 'allow', 'deny') WHERE id = 2", 2, Fault::Changed),
        ("UPDATE permission SET entry = '' WHERE id = 1", 1, Fault::Changed),
        ("UPDATE permission SET entry = entry || ' ' WHERE id = 5", 5, Fault::Changed),
        ("UPDATE permission SET entry = CAST(x'ff' AS TEXT) WHERE id = 3", 3, Fault::Changed),
        ("UPDATE permission SET time_ms = time_ms + 1 WHERE id = 4", 4, Fault::Changed),
        ("UPDATE permission SET hash = zeroblob(32) WHERE id = 3", 3, Fault::Changed),
        ("UPDATE permission SET hash = zeroblob(0) WHERE id = 5", 5, Fault::Changed),
        ("DELETE FROM permission WHERE id = 3", 3, Fault::Missing),
        ("DELETE FROM permission WHERE id = 1", 1, Fault::Missing),
        ("DELETE FROM permission WHERE id IN (2, 3)", 2, Fault::Missing),
        ("DELETE FROM permission WHERE id = 5", 5, Fault::End),
        ("DELETE FROM permission WHERE id > 2", 3, Fault::End),
        ("DELETE FROM permission", 1, Fault::End),
        ("DELETE FROM permission WHERE id = 3; UPDATE permission SET id = id - 1 WHERE id > 3", 3, Fault::Changed),
        (
            "UPDATE permission SET id = 9 WHERE id = 2; UPDATE permission SET id = 2 WHERE id = 3;
             UPDATE permission SET id = 3 WHERE id = 9",
            2,
            Fault::Changed,
        ),
        ("INSERT INTO permission SELECT 6, time_ms, entry, hash FROM permission WHERE id = 5", 6, Fault::Changed),
        ("INSERT INTO permission SELECT 0, time_ms, entry, hash FROM permission WHERE id = 5", 0, Fault::Stray),
        ("INSERT INTO permission SELECT 8, time_ms, entry, hash FROM permission WHERE id = 5", 6, Fault::Missing),
        ("DELETE FROM permission_head", 5, Fault::NoHead),
        ("DELETE FROM permission; DELETE FROM permission_head", 0, Fault::NoHead),
        ("UPDATE permission_head SET hash = zeroblob(32)", 5, Fault::OtherHead),
        ("UPDATE permission_head SET count = 4", 5, Fault::Added),
        ("DELETE FROM permission WHERE id = 5; UPDATE permission_head SET count = 4", 4, Fault::OtherHead),
        (recalculated, 5, Fault::OtherHead),
    ] {
        let (_dir, path) = five();
        assert_eq!(verify(&path).map(|verified| verified.count), Ok(5));
        let connection = Connection::open(&path).unwrap();
        if change.contains(":forged") {
            let (before, text): (Vec<u8>, String) = connection
                .query_row(
                    "SELECT (SELECT hash FROM permission WHERE id = 4), replace(entry, 'ann', 'eve')
                     FROM permission WHERE id = 5",
                    (),
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .unwrap();
            let bytes = [&before[..], &5u64.to_le_bytes(), &(text.len() as u64).to_le_bytes(), text.as_bytes()];
            let forged = Sha256::digest(bytes.concat()).to_vec();
            connection.execute(change, &[(":forged", &forged)]).unwrap();
        } else {
            connection.execute_batch(change).unwrap();
        }
        drop(connection);
        assert_eq!(verify(&path), Err(Broken { at, what }), "{change}");

        // What comes later does not cover it up.
        let journal = Journal::open(&path, Options::default()).unwrap();
        for time in [60, 70] {
            assert_eq!(journal.record(vec![requested(time)]).wait(), Ok(1), "{change}");
        }
        let last = journal.reader().unwrap().permissions(0, usize::MAX).unwrap().pop().unwrap();
        assert_eq!(last.entry(), Some(requested(70)), "it is recorded all the same: {change}");
        journal.shutdown();
        // The one exception changed nothing but the count, and that is right again.
        let covered = change == "UPDATE permission_head SET count = 4";
        assert_eq!(verify(&path).is_ok(), covered, "{change}");
    }
}

#[test]
fn all_lines_are_shown_also_those_behind_a_broken_one() {
    let (_dir, path) = five();
    let change = "UPDATE permission SET entry = CAST(x'7bff' AS TEXT) WHERE id = 2";
    Connection::open(&path).unwrap().execute_batch(change).unwrap();
    let mut shown = Vec::new();
    let verified = Reader::open(&path).unwrap().walk_permissions(|line| shown.push(line)).unwrap();
    assert_eq!(verified, Err(Broken { at: 2, what: Fault::Changed }));
    let readable: Vec<_> = shown.iter().map(|line| (line.id, line.entry().is_some())).collect();
    assert_eq!(readable, [(1, true), (2, false), (3, true), (4, true), (5, true)]);
    assert_eq!(shown[1].text, "{\u{fffd}");
}

#[test]
fn of_a_repetition_and_of_what_failed_nothing_is_recorded() {
    let bench = Bench::new();
    let once = |time_ms| Transaction { once: Some(key(1)), ..apart(vec![requested(time_ms)]) };
    bench.journal.submit(once(10)).wait().unwrap();
    assert_eq!(bench.journal.submit(once(20)).wait(), Ok(Committed::Repeated));

    *lock(&bench.journal.0.shared.faults.adapter) = Some(name("bad"));
    let hold = bench.hold();
    let before = bench.journal.record(vec![requested(30)]);
    let failed = bench.journal.submit(with(Lane::of(name("bad"), 1), vec![requested(40)]));
    let after = bench.journal.submit(apart(vec![requested(50)]));
    drop(hold);
    assert_eq!(before.wait(), Ok(1));
    assert!(failed.wait().is_err());
    assert!(after.wait().is_ok());
    assert_eq!(entries(&bench), [(1, 10), (2, 30), (3, 50)], "no gap where something failed");
    assert!(verify(&bench.path()).is_ok());
}

#[test]
fn the_record_outlives_the_grant_and_every_pruning() {
    let bench = Bench::new();
    bench.journal.submit(apart(vec![requested(10), decided(20)])).wait().unwrap();
    bench.journal.forget(name("chat")).wait().unwrap();
    bench.journal.prune(i64::MAX).wait().unwrap();
    assert_eq!(entries(&bench), [(1, 10), (2, 20)]);
    assert_eq!(verify(&bench.path()).map(|verified| verified.count), Ok(2));
}

#[test]
fn a_chain_can_be_verified_while_it_grows() {
    let bench = Bench::new();
    let path = bench.path();
    let verifier = thread::spawn(move || {
        let reader = Reader::open(path).unwrap();
        loop {
            let verified = reader.verify_permissions().unwrap().unwrap();
            if verified.count >= 200 {
                return verified.count;
            }
        }
    });
    for time_ms in 1..=200 {
        bench.journal.record(vec![requested(time_ms)]).wait().unwrap();
    }
    assert_eq!(verifier.join().unwrap(), 200);
}

#[test]
fn a_journal_of_schema_2_is_read_as_one_without_requests_and_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let old = Connection::open(&path).unwrap();
    for migration in &file::MIGRATIONS[..2] {
        old.execute_batch(migration).unwrap();
    }
    old.execute_batch("PRAGMA user_version = 2; INSERT INTO poll VALUES ('chat', 'updates', 7)").unwrap();
    drop(old);

    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.permissions(0, 9).unwrap(), []);
    assert_eq!(reader.verify_permissions().unwrap(), Ok(Verified::default()));

    let journal = Journal::open(&path, Options::default()).unwrap();
    assert_eq!(journal.reader().unwrap().polled(&name("chat"), "updates").unwrap(), Some(7));
    assert!(journal.reader().unwrap().open_prompts(&name("chat")).unwrap().is_empty());
    journal.record(vec![requested(10)]).wait().unwrap();
    // The reader that was there before sees it as well.
    assert_eq!(reader.permissions(0, 9).unwrap().len(), 1);
    assert_eq!(reader.verify_permissions().unwrap().map(|verified| verified.count), Ok(1));
}

#[test]
fn the_log_is_a_second_witness_of_each_line() {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            lock(&self.0).extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let connection = file::open_writer(&path, Durability::Process).unwrap();
    let mut witnesses = Vec::new();
    append(&connection, &[requested(10), decided(20)], &mut witnesses).unwrap();
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || witnesses.iter().for_each(Witness::log));
    let text = String::from_utf8(lock(&lines.0).clone()).unwrap();
    let recorded = Reader::open(&path).unwrap().permissions(0, 9).unwrap();
    let logged: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(logged.len(), 2);
    for (line, logged) in recorded.iter().zip(&logged) {
        assert_eq!(logged["fields"]["line"], line.id);
        assert_eq!(logged["fields"]["hash"], hex::encode(&line.hash)[..16]);
    }
    assert_eq!(logged[0]["fields"]["request"], "request 10");
    assert_eq!((&logged[1]["fields"]["what"], &logged[1]["fields"]["adapter"]), (&"decided".into(), &"chat".into()));
    assert!(logged[1]["fields"].get("request").is_none());
    assert!(!text.contains("Bash") && !text.contains("ann"), "nothing that anybody chose: {text}");
}
