//! Bursts on the wire: what is held, what passes it, and what the journal is told.

use super::*;
use crate::manifest::Burst;

/// Never over while a test runs.
const AGES: u32 = 3_600_000;

/// A message of `sender` in a conversation that gathers for `quiet_ms`, sent now.
fn said(sender: &str, conversation: &str, quiet_ms: u32) -> Message {
    Message {
        sender: sender.into(),
        conversation: conversation.into(),
        burst: Some(Burst { quiet_ms, longest_ms: AGES }),
        time_ms: crate::clock::now_ms(),
        ..outgoing(0, false).message.clone()
    }
}

/// The numbers of the messages of each event among the lines.
fn events(lines: &[String]) -> Vec<String> {
    let read = |line: &String| serde_json::from_str::<serde_json::Value>(line).ok();
    let meta = lines.iter().filter_map(read).map(|line| line["params"]["meta"].clone());
    let ids = meta.map(|meta| meta.get("message_ids").unwrap_or(&meta["message_id"]).as_str().unwrap().to_owned());
    ids.collect()
}

fn live(limits: Limits) -> Setting {
    let s = setting(0, 0, limits);
    s.wire.release();
    s.live();
    s
}

impl Setting {
    /// Waits until the journal knows that everything up to `seq` was written.
    fn wait_written(&self, seq: i64) {
        while self.shelf.lock().written < seq {
            std::thread::yield_now();
        }
        assert_eq!(self.shelf.lock().written, seq);
    }
}

#[test]
fn a_burst_is_one_event_after_a_pause() {
    let s = live(Limits::default());
    s.shelf.commit_as(&s.wire, [said("a", "c", 20), said("a", "c", 20), said("a", "c", 20)]);
    let lines = s.client.wait_lines(1);
    assert_eq!(events(&lines), ["1,2,3"]);
    assert!(lines[0].contains("\"content\":\"t\\nt\\nt\"") && !lines[0].contains("redelivered"), "{lines:?}");
    s.wait_written(3);
}

#[test]
fn others_pass_a_burst_and_the_cursor_stays_before_it() {
    let s = live(Limits::default());
    s.shelf.commit(&s.wire, 1);
    s.shelf.commit_as(&s.wire, [said("a", "c", AGES), said("a", "d", AGES), said("a", "c", AGES)]);
    let passing = Message { burst: None, ..said("a", "e", 0) };
    s.shelf.commit_as(&s.wire, [passing.clone()]);
    assert_eq!(events(&s.client.wait_lines(2)), ["1", "5"]);
    s.wait_written(1);
    // Somebody else speaks: what was open there comes first.
    s.shelf.commit_as(&s.wire, [Message { burst: None, ..said("b", "c", 0) }]);
    assert_eq!(events(&s.client.wait_lines(4))[2..], ["2,4", "6"]);
    s.wait_written(2);
    s.shelf.commit_as(&s.wire, [Message { kind: Kind::Edit, ..said("a", "d", AGES) }]);
    assert_eq!(events(&s.client.wait_lines(6))[4..], ["3", "7"]);
    s.wait_written(7);
}

#[tokio::test]
async fn what_is_held_at_the_end_comes_from_the_journal_and_is_marked() {
    let s = live(Limits::default());
    s.shelf.commit_as(&s.wire, [said("a", "c", AGES), said("a", "c", AGES)]);
    s.shelf.commit_as(&s.wire, [Message { burst: None, ..said("b", "d", 0) }]);
    assert_eq!(events(&s.client.wait_lines(1)), ["3"]);
    assert!(matches!(s.wire.close(PATIENCE).await, Some(WireEnd::Closed)));
    assert_eq!(events(&s.client.wait_lines(1)), ["3"]);
    assert_eq!(s.shelf.lock().written, 0);
    // Long ago, by the time when it is read again.
    for row in &mut s.shelf.lock().rows {
        Arc::make_mut(row).message.time_ms = 0;
    }
    let client = Client::default();
    let (wire, _offering) = start(&s.shelf, &client, Format::Notifications, Limits::default());
    wire.release();
    let lines = client.wait_lines(2);
    // In whichever order: they are in different conversations.
    let mut again = events(&lines);
    again.sort();
    assert_eq!(again, ["1,2", "3"]);
    assert!(lines.iter().all(|line| line.contains("\"redelivered\":\"1\"")), "{lines:?}");
}

#[test]
fn what_waited_for_the_client_gathers_and_need_not_wait_again() {
    let s = setting(0, 0, Limits::default());
    let old = Message { time_ms: 0, ..said("a", "c", AGES) };
    s.shelf.commit_as(&s.wire, vec![old; 3]);
    s.wire.release();
    assert_eq!(events(&s.client.wait_lines(1)), ["1,2,3"]);
    s.wait_written(3);
    s.live();
}

#[test]
fn overflow_with_bursts_loses_nothing() {
    let s = live(small());
    let mut seen = Vec::new();
    for round in 1..=3_i64 {
        s.client.set(|state| state.shut = true);
        s.shelf.commit(&s.wire, 1);
        s.client.wait_stuck();
        s.shelf.commit_as(&s.wire, (0..99).map(|n| said(["a", "b"][n / 2 % 2], ["c", "d"][n % 2], 1)));
        assert!(!s.offering.recv_timeout(PATIENCE).unwrap(), "the journal must stop recording offers");
        s.client.set(|state| state.shut = false);
        s.wait_written(round * 100);
        s.live();
        let lines = s.client.wait_lines(1);
        assert!(!lines.concat().contains("redelivered"), "no earlier process can have sent these");
        seen = events(&lines).iter().flat_map(|ids| ids.split(',')).map(|id| id.parse::<i64>().unwrap()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (1..=round * 100).collect::<Vec<_>>());
    }
    assert_eq!(seen.len(), 300);
}

#[test]
fn a_burst_that_is_due_while_the_journal_fails_leaves_later() {
    let s = live(small());
    s.shelf.lock().fails = true;
    s.shelf.commit_as(&s.wire, [said("a", "c", 1), said("a", "c", 1)]);
    s.wire.frame(b"answer".to_vec()).unwrap();
    assert_eq!(s.client.wait_lines(1), ["answer\n"]);
    s.shelf.lock().fails = false;
    assert_eq!(events(&s.client.wait_lines(2)), ["1,2"]);
    s.wait_written(2);
}

#[test]
fn only_so_many_are_held() {
    let s = live(Limits { held_messages: 4, ..Limits::default() });
    s.shelf.commit_as(&s.wire, (0..10).map(|n| said("a", &n.to_string(), AGES)));
    assert_eq!(events(&s.client.wait_lines(6)), ["1", "2", "3", "4", "5", "6"]);
    s.wait_written(6);
}

#[test]
fn a_queue_that_is_never_empty_does_not_hold_up_what_is_due() {
    let s = live(Limits { batch_events: 1, ..Limits::default() });
    s.client.set(|state| state.shut = true);
    s.shelf.commit(&s.wire, 1);
    s.client.wait_stuck();
    // All is in the queue before any of it is taken, and the burst is due by then.
    s.shelf.commit_as(&s.wire, [said("a", "d", 1)]);
    let handed = Instant::now();
    s.shelf.commit(&s.wire, 50);
    while handed.elapsed() < Duration::from_millis(2) {
        std::thread::yield_now();
    }
    s.client.set(|state| state.shut = false);
    assert_eq!(events(&s.client.wait_lines(52))[..2], ["1", "2"]);
}

#[test]
fn what_is_held_is_not_read_again() {
    let s = setting(0, 0, small());
    let apart = (0..7).map(|n| said("a", &n.to_string(), AGES));
    s.shelf.commit_as(&s.wire, apart.chain([Message { burst: None, ..said("a", "d", 0) }]));
    s.wire.release();
    assert_eq!(events(&s.client.wait_lines(1)), ["8"]);
    s.live();
    assert_eq!(s.shelf.lock().written, 0);
    // By way of the wire's queue, since it is live: everything that was held follows.
    let edits = (0..7).map(|n| Message { kind: Kind::Edit, ..said("a", &n.to_string(), 0) });
    s.shelf.commit_as(&s.wire, edits.clone().take(4));
    s.client.wait_lines(9);
    s.shelf.commit_as(&s.wire, edits.skip(4));
    let order = events(&s.client.wait_lines(15));
    assert_eq!(order[1..], ["1", "9", "2", "10", "3", "11", "4", "12", "5", "13", "6", "14", "7", "15"]);
    s.wait_written(15);
}

#[test]
fn one_part_that_may_have_been_sent_marks_the_event() {
    let s = setting(0, 0, Limits::default());
    let old = Message { time_ms: 0, ..said("a", "c", AGES) };
    s.shelf.lock().rows =
        (1..=2).map(|seq| Arc::new(Stored { seq, message: old.clone(), offered_before: false, live: false })).collect();
    s.shelf.lock().offered = 1;
    s.wire.release();
    assert!(s.client.wait_lines(1)[0].contains("\"redelivered\":\"1\""));
}
