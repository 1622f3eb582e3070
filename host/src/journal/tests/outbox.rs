//! The cursor, what is offered, and back-pressure.

use super::*;

fn offered(journal: &Journal, after: i64) -> Vec<bool> {
    let stored = journal.reader().unwrap().messages_after(after, usize::MAX, usize::MAX).unwrap();
    stored.into_iter().map(|stored| stored.offered_before).collect()
}

#[test]
fn messages_are_offered_by_the_rule_that_holds_at_their_commit() {
    let bench = Bench::new();
    let hook = record(&bench.journal);
    bench.journal.submit(says("chat", 1, 1)).wait().unwrap();
    assert_eq!(bench.journal.offering(true).wait(), Ok(1));
    bench.journal.submit(says("chat", 1, 2)).wait().unwrap();
    assert_eq!(bench.journal.offering(false).wait(), Ok(2));
    bench.journal.submit(says("chat", 1, 3)).wait().unwrap();
    assert_eq!(hook.try_iter().collect::<Vec<_>>(), [(1, false), (2, true), (3, false)]);
    let bench = bench.reopen();
    assert_eq!(offered(&bench.journal, 0), [false, true, false]);
}

#[test]
fn a_switch_in_the_hook_holds_for_the_next_group_whatever_is_queued() {
    let bench = Bench::new();
    bench.journal.offering(true).wait().unwrap();
    let hold = bench.hold();
    let receipts: Vec<_> = (0..10).map(|id| bench.journal.submit(says("chat", 1, id))).collect();
    let switch = bench.journal.offering(false);
    drop(hold);
    assert_eq!(switch.wait(), Ok(1));
    for receipt in receipts {
        receipt.wait().unwrap();
    }
    assert_eq!(offered(&bench.journal, 0), [vec![true], vec![false; 10]].concat());
}

#[test]
fn what_was_offered_and_not_written_comes_back_marked() {
    let bench = Bench::new();
    for id in 1..=5 {
        bench.journal.submit(says("chat", 1, id)).wait().unwrap();
    }
    assert_eq!(bench.journal.mark_offered(3).wait(), Ok(3));
    assert_eq!(bench.journal.mark_offered(4).wait(), Ok(1), "only those that were not marked");
    bench.journal.written(2);
    let bench = bench.reopen();
    assert_eq!((bench.journal.cursor(), bench.journal.last_seq(), bench.journal.unwritten()), (2, 5, 3));
    assert_eq!(bench.ids_after(bench.journal.cursor()), ["3", "4", "5"]);
    assert_eq!(offered(&bench.journal, bench.journal.cursor()), [true, true, false]);
}

#[test]
fn the_cursor_never_falls_and_never_passes_the_last_message() {
    let bench = Bench::new();
    bench.journal.submit(says("chat", 1, 1)).wait().unwrap();
    bench.journal.submit(says("chat", 1, 2)).wait().unwrap();
    bench.journal.written(2);
    bench.journal.written(1);
    assert_eq!(bench.journal.cursor(), 2);
    bench.journal.written(99);
    assert_eq!(bench.journal.cursor(), 2);
    bench.journal.flush().wait().unwrap();
    assert_eq!(bench.reopen().journal.cursor(), 2);
}

#[test]
fn an_idle_journal_persists_the_cursor_by_itself() {
    let bench = Bench::new();
    bench.journal.submit(says("chat", 1, 1)).wait().unwrap();
    bench.journal.written(1);
    let connection = rusqlite::Connection::open(bench.path()).unwrap();
    let mut read = connection.prepare("SELECT coalesce(max(written), 0) FROM cursor").unwrap();
    // Ends by itself, or not at all.
    while read.query_row((), |row| row.get::<_, i64>(0)).unwrap() != 1 {
        std::thread::yield_now();
    }
}

#[test]
fn messages_are_read_within_limits_but_at_least_one() {
    let bench = Bench::new();
    for id in 1..=5 {
        bench.journal.submit(says("chat", 1, id)).wait().unwrap();
    }
    let reader = bench.journal.reader().unwrap();
    let numbers = |after, count, bytes| {
        let stored = reader.messages_after(after, count, bytes).unwrap();
        stored.iter().map(|stored| stored.seq).collect::<Vec<_>>()
    };
    let one = serde_json::to_string(&message("chat", 1)).unwrap().len();
    assert_eq!(numbers(0, 2, usize::MAX), [1, 2]);
    assert_eq!(numbers(1, 9, 2 * one), [2, 3]);
    assert_eq!(numbers(3, 9, 1), [4]);
    assert_eq!(numbers(5, 9, usize::MAX), [0; 0]);
}

#[test]
fn a_message_that_cannot_be_read_does_not_stop_the_others() {
    let bench = Bench::new();
    for id in 1..=3 {
        bench.journal.submit(says("chat", 1, id)).wait().unwrap();
    }
    let connection = rusqlite::Connection::open(bench.path()).unwrap();
    connection.execute("UPDATE message SET body = '{' WHERE seq = 1", ()).unwrap();
    let first = bench.journal.reader().unwrap().messages_after(0, 1, usize::MAX).unwrap();
    assert_eq!(first[0].seq, 2);
}

#[tokio::test]
async fn a_full_journal_has_room_again_once_messages_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { max_unwritten: 2, ..Options::default() };
    let journal = Journal::open(dir.path().join("journal.db"), options).unwrap();
    journal.room().await;
    journal.submit(says("chat", 1, 1)).await.unwrap();
    assert!(!journal.is_full());
    journal.submit(says("chat", 1, 2)).await.unwrap();
    assert!(journal.is_full());
    assert_eq!(journal.unwritten(), 2);
    let waiting = tokio::spawn({
        let journal = journal.clone();
        async move { journal.room().await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    journal.written(1);
    waiting.await.unwrap();
    journal.submit(says("chat", 1, 3)).await.unwrap();
    assert!(journal.is_full());
    journal.shutdown();
    journal.room().await;
}

#[test]
fn messages_that_are_queued_count_as_unwritten() {
    let bench = Bench::new();
    let hold = bench.hold();
    let receipts: Vec<_> = (0..3).map(|id| bench.journal.submit(says("chat", 1, id))).collect();
    let repeated = bench.journal.submit(says("chat", 1, 0));
    assert_eq!(bench.journal.unwritten(), 5);
    drop(hold);
    for receipt in receipts {
        receipt.wait().unwrap();
    }
    repeated.wait().unwrap();
    assert_eq!(bench.journal.unwritten(), 4);
}
