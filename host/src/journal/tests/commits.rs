//! Groups, repetitions and lanes.

use super::*;

fn is_failed(result: Result<Committed, CommitError>) -> bool {
    matches!(result, Err(CommitError::Failed(_)))
}

#[test]
fn a_group_is_kept_in_the_order_of_its_submission() {
    let bench = Bench::new();
    let hold = bench.hold();
    let receipts: Vec<_> = (0..1500).map(|id| bench.journal.submit(says("chat", 1, id))).collect();
    drop(hold);
    for receipt in receipts {
        assert_eq!(receipt.wait(), ONE);
    }
    assert_eq!(bench.ids_after(1), (0..1500).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(bench.journal.last_seq(), 1501);
}

#[test]
fn the_hook_has_the_messages_in_order_before_the_receipts_resolve() {
    let bench = Bench::new();
    let seen = record(&bench.journal);
    for id in 1..=20 {
        bench.journal.submit(says("chat", 1, id)).wait().unwrap();
        assert_eq!(seen.try_recv(), Ok((i64::try_from(id).unwrap(), false)));
    }
}

#[test]
fn a_hook_that_panics_does_not_stop_the_journal() {
    let bench = Bench::new();
    bench.journal.set_commit_hook(Box::new(|_| panic!("a bug in the outbox")));
    assert_eq!(bench.journal.submit(says("chat", 1, 1)).wait(), ONE);
    assert_eq!(bench.journal.submit(says("chat", 1, 2)).wait(), ONE);
}

#[tokio::test]
async fn a_receipt_is_a_future() {
    let bench = Bench::new();
    assert_eq!(bench.journal.submit(says("chat", 1, 1)).await, ONE);
}

#[test]
fn of_a_repeated_transaction_nothing_is_kept() {
    let bench = Bench::new();
    let mut first = says("chat", 1, 1);
    first.once = Some(key(100));
    assert_eq!(bench.journal.submit(first).wait(), ONE);
    let mut again = says("chat", 1, 2);
    again.once = Some(key(100));
    again.state.push(("a".into(), Some(vec![1])));
    again.timers.push(("t".into(), Some(1)));
    assert_eq!(bench.journal.submit(again).wait(), Ok(Committed::Repeated));
    let reader = bench.journal.reader().unwrap();
    assert_eq!(bench.ids_after(0), ["1"]);
    assert_eq!(reader.state_get(&name("chat"), "a").unwrap(), None);
    assert!(reader.timers(&name("chat")).unwrap().is_empty());
    assert!(!reader.seen(&key(2)).unwrap(), "the message of a repetition may still come by another way");
    assert_eq!(bench.journal.submit(says("chat", 1, 2)).wait(), ONE);
}

#[test]
fn a_repeated_message_is_left_out_alone() {
    let bench = Bench::new();
    let mut first = says("chat", 1, 1);
    first.messages.extend(says("chat", 1, 1).messages);
    assert_eq!(bench.journal.submit(first).wait(), Ok(Committed::Stored { messages: 1, repeated: 1 }));
    let mut second = says("chat", 1, 1);
    second.messages.extend(says("chat", 1, 2).messages);
    second.state.push(("a".into(), Some(vec![1])));
    assert_eq!(bench.journal.submit(second).wait(), Ok(Committed::Stored { messages: 1, repeated: 1 }));
    assert_eq!(bench.ids_after(0), ["1", "2"]);
    assert_eq!(bench.journal.reader().unwrap().state_get(&name("chat"), "a").unwrap(), Some(vec![1]));
}

#[test]
fn repetitions_within_one_group_are_recognised() {
    let bench = Bench::new();
    let hold = bench.hold();
    let receipts: Vec<_> = (0..4)
        .map(|id| {
            let mut transaction = says("chat", 1, id);
            transaction.once = Some(key(100 + id / 2));
            bench.journal.submit(transaction)
        })
        .collect();
    drop(hold);
    let results: Vec<_> = receipts.into_iter().map(Receipt::wait).collect();
    assert_eq!(results, [ONE, Ok(Committed::Repeated), ONE, Ok(Committed::Repeated)]);
}

#[test]
fn every_key_is_remembered_wherever_it_is_kept_and_over_restarts() {
    let mut bench = Bench::new();
    for round in 0..3 {
        let hold = (round == 0).then(|| bench.hold());
        let receipts: Vec<_> = (0..800).map(|id| bench.journal.submit(says("chat", 1, round * 800 + id))).collect();
        drop(hold);
        for receipt in receipts {
            assert_eq!(receipt.wait(), ONE);
        }
        bench = bench.reopen();
        let (beside, apart) = (bench.journal.reader().unwrap(), Reader::open(bench.path()).unwrap());
        for id in 0..3 * 800 {
            let expected = id < (round + 1) * 800;
            assert_eq!(beside.seen(&key(id)).unwrap(), expected, "{id} in round {round}");
            assert_eq!(apart.seen(&key(id)).unwrap(), expected, "{id} in round {round}");
        }
    }
    let connection = rusqlite::Connection::open(bench.path()).unwrap();
    let moved: i64 = connection.query_row("SELECT count(*) FROM seen", (), |row| row.get(0)).unwrap();
    assert!(moved > 0, "the test has to reach both places");
    for id in 0..3 * 800 {
        let repeated = Ok(Committed::Stored { messages: 0, repeated: 1 });
        assert_eq!(bench.journal.submit(says("chat", 1, id)).wait(), repeated, "{id}");
    }
}

#[test]
fn one_bad_transaction_fails_alone_and_breaks_its_lane() {
    let bench = Bench::new();
    // The database itself refuses one sender.
    rusqlite::Connection::open(bench.path())
        .unwrap()
        .execute_batch(
            "CREATE TRIGGER fault BEFORE INSERT ON message WHEN new.sender = 'bad'
             BEGIN SELECT RAISE(ROLLBACK, 'injected'); END",
        )
        .unwrap();
    let hold = bench.hold();
    let mut bad = says("chat", 1, 2);
    bad.once = Some(key(100));
    bad.state.push(("a".into(), Some(vec![1])));
    bad.messages[0].message.sender = "bad".into();
    let good = bench.journal.submit(says("chat", 1, 1));
    let bad = bench.journal.submit(bad);
    let behind = bench.journal.submit(says("chat", 1, 3));
    let other = bench.journal.submit(says("mail", 1, 4));
    let behind_too = bench.journal.submit(says("chat", 1, 5));
    drop(hold);
    assert_eq!(good.wait(), ONE);
    assert!(is_failed(bad.wait()));
    assert_eq!(behind.wait(), Err(CommitError::Behind));
    assert_eq!(other.wait(), ONE);
    assert_eq!(behind_too.wait(), Err(CommitError::Behind));
    assert_eq!(bench.journal.submit(says("chat", 1, 6)).wait(), Err(CommitError::Behind));
    assert_eq!(bench.ids_after(1), ["1", "4"]);

    let generation = bench.journal.next_generation() + 1;
    assert_eq!(bench.journal.submit(says("chat", generation, 3)).wait(), ONE, "a higher generation begins anew");
    assert_eq!(bench.journal.submit(says("chat", 1, 7)).wait(), Err(CommitError::Behind), "a straggler");
    let reader = bench.journal.reader().unwrap();
    assert!(!reader.seen(&key(100)).unwrap(), "what failed may come again");
    assert!(!reader.seen(&key(5)).unwrap());
    assert_eq!(bench.journal.unwritten(), 4);
}

#[test]
fn when_a_commit_fails_what_can_be_committed_alone_is() {
    let bench = Bench::new();
    let hold = bench.hold();
    let receipts: Vec<_> = (1..=3).map(|id| bench.journal.submit(says("chat", 1, id))).collect();
    let mail: Vec<_> = (4..=5).map(|id| bench.journal.submit(says("mail", 1, id))).collect();
    // The group's commit fails, and then that of its first transaction alone.
    bench.journal.0.shared.faults.commits.store(2, SeqCst);
    drop(hold);
    let results: Vec<_> = receipts.into_iter().map(Receipt::wait).collect();
    assert!(is_failed(results[0].clone()));
    assert_eq!(results[1..], [Err(CommitError::Behind), Err(CommitError::Behind)]);
    for receipt in mail {
        assert_eq!(receipt.wait(), ONE);
    }
    assert_eq!(bench.ids_after(1), ["4", "5"]);
    assert_eq!(bench.journal.submit(says("chat", 2, 1)).wait(), ONE);
    assert_eq!(bench.journal.last_seq(), 4, "numbers have no gaps");
}

#[test]
fn a_fault_of_one_adapter_is_no_fault_of_another() {
    let bench = Bench::new();
    *lock(&bench.journal.0.shared.faults.adapter) = Some(name("chat"));
    assert!(is_failed(bench.journal.submit(says("chat", 1, 1)).wait()));
    assert_eq!(bench.journal.submit(says("mail", 1, 2)).wait(), ONE);
    *lock(&bench.journal.0.shared.faults.adapter) = None;
    assert_eq!(bench.journal.submit(says("chat", 1, 1)).wait(), Err(CommitError::Behind));
}

#[test]
fn what_stands_by_itself_neither_breaks_a_lane_nor_is_behind_one() {
    let bench = Bench::new();
    let apart = |id| {
        let mut transaction = says("chat", 1, id);
        transaction.lane = Lane::apart(name("chat"));
        transaction
    };
    bench.journal.0.shared.faults.commits.store(1, SeqCst);
    assert!(is_failed(bench.journal.submit(apart(1)).wait()));
    assert_eq!(bench.journal.submit(says("chat", 1, 2)).wait(), ONE);
    bench.journal.0.shared.faults.commits.store(1, SeqCst);
    assert!(is_failed(bench.journal.submit(says("chat", 1, 3)).wait()));
    assert_eq!(bench.journal.submit(apart(4)).wait(), ONE);
    assert_eq!(bench.journal.submit(says("chat", 1, 5)).wait(), Err(CommitError::Behind));
}

#[test]
fn what_follows_a_transaction_is_done_before_its_receipt_however_it_ended() {
    let bench = Bench::new();
    let (sender, ends) = mpsc::channel();
    let submit = |id| {
        let sender = sender.clone();
        let mut transaction = says("chat", 1, id);
        transaction.after = Some(After(Box::new(move |end| sender.send(end.map_err(Clone::clone)).unwrap())));
        bench.journal.submit(transaction)
    };
    assert_eq!(submit(1).wait(), ONE);
    assert_eq!(ends.try_recv(), Ok(ONE));
    bench.journal.0.shared.faults.commits.store(1, SeqCst);
    let _ = submit(2).wait();
    assert!(is_failed(ends.try_recv().unwrap()));
    let _ = submit(3).wait();
    assert_eq!(ends.try_recv(), Ok(Err(CommitError::Behind)));
}

#[test]
fn after_a_failure_counts_and_places_are_still_right() {
    let bench = Bench::new();
    bench.journal.count(&name("chat"), "unknown-sender");
    bench.journal.0.shared.faults.commits.store(1, SeqCst);
    let _ = bench.journal.submit(says("chat", 1, 1)).wait();
    bench.journal.submit(says("chat", 2, 1)).wait().unwrap();
    bench.journal.flush().wait().unwrap();
    let reader = bench.journal.reader().unwrap();
    assert!(reader.place(&name("chat"), "room").unwrap().is_some(), "the cache must not remember what was undone");
    assert_eq!(reader.counters().unwrap()[0].value, 1);
}

#[test]
fn after_shutdown_everything_is_closed_and_nothing_waits() {
    let bench = Bench::new();
    let queued: Vec<_> = (0..100).map(|id| bench.journal.submit(says("chat", 1, id))).collect();
    bench.journal.shutdown();
    for receipt in queued {
        assert_eq!(receipt.wait(), ONE, "what was submitted before is committed");
    }
    assert_eq!(bench.journal.submit(says("chat", 1, 1000)).wait(), Err(CommitError::Closed));
    assert_eq!(bench.journal.offering(true).wait(), Err(CommitError::Closed));
    assert_eq!(bench.journal.flush().wait(), Err(CommitError::Closed));
    bench.journal.shutdown();
}

#[test]
fn dropping_the_last_clone_commits_what_is_queued() {
    let Bench { dir, journal } = Bench::new();
    let receipts: Vec<_> = (0..100).map(|id| journal.submit(says("chat", 1, id))).collect();
    drop(journal);
    for receipt in receipts {
        assert_eq!(receipt.wait(), ONE);
    }
    drop(dir);
}
