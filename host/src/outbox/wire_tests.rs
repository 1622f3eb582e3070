#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    io::ErrorKind,
    sync::mpsc::{Receiver, Sender, channel},
};

use super::*;
use crate::{
    message::{Kind, Message, TextBy},
    name::AdapterName,
};

#[path = "wire_burst_tests.rs"]
mod bursts;

/// Far longer than anything takes: a wait that ends here is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

fn outgoing(seq: i64, redelivered: bool) -> Arc<Stored> {
    let message = Message {
        adapter: AdapterName::new("web").unwrap(),
        kind: Kind::Message,
        message_id: seq.to_string(),
        time_ms: 0,
        sender: "s".into(),
        sender_name: None,
        conversation: "c".into(),
        thread: None,
        direct: true,
        reply_to: None,
        quoted: None,
        group: None,
        burst: None,
        text: "t".into(),
        text_by: TextBy::Sender,
        attachments: Vec::new(),
        meta: Vec::new(),
    };
    Arc::new(Stored { seq, message, offered_before: redelivered, live: false })
}

/// A journal in memory, with a failure that can be switched on.
#[derive(Default)]
struct Journal {
    rows: Vec<Arc<Stored>>,
    offering: bool,
    offered: i64,
    written: i64,
    reads: usize,
    fails: bool,
    /// Happens right after a read has found nothing, before the wire knows.
    when_dry: Option<Box<dyn FnOnce() + Send>>,
}

#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Journal>>);

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap()
    }

    /// Stores messages before any wire exists; those up to `offered` may have been sent by an earlier process.
    fn stored(&self, count: i64, offered: i64) {
        let mut journal = self.lock();
        journal.offered = offered;
        journal.rows = (1..=count).map(|seq| outgoing(seq, seq <= offered)).collect();
    }

    /// Commits `count` more messages, then hands them over, as the journal's thread does.
    fn commit(&self, wire: &Wire, count: usize) {
        self.commit_as(wire, (0..count).map(|_| outgoing(0, false).message.clone()));
    }

    /// Commits these messages, each with its number as its id, and hands them over.
    fn commit_as(&self, wire: &Wire, messages: impl IntoIterator<Item = Message>) {
        let mut journal = self.lock();
        let first = journal.rows.len();
        for (seq, message) in (1..).skip(first).zip(messages) {
            let message = Message { message_id: i64::to_string(&seq), ..message };
            journal.rows.push(Arc::new(Stored { seq, message, offered_before: false, live: false }));
        }
        if journal.offering {
            journal.offered = journal.rows.last().map_or(0, |row| row.seq);
        }
        let new = journal.rows[first..].to_vec();
        drop(journal);
        wire.deliver(&new);
    }
}

impl Backlog for Shelf {
    fn after(&mut self, seq: i64, max_count: usize, _: usize) -> Result<Vec<Arc<Stored>>, BacklogError> {
        let mut journal = self.lock();
        journal.reads += 1;
        if journal.fails {
            return Err("the disk is full".into());
        }
        // Like the real one: what is recorded as offered counts as sent before, whichever process offered it.
        let offered = journal.offered;
        let rows = journal.rows.iter().filter(|row| row.seq > seq).take(max_count);
        let again = |row: &Arc<Stored>| Stored { offered_before: row.seq <= offered, ..(**row).clone() };
        let rows: Vec<_> = rows.map(|row| Arc::new(again(row))).collect();
        let happens = if rows.is_empty() { journal.when_dry.take() } else { None };
        drop(journal);
        if let Some(happens) = happens {
            happens();
        }
        Ok(rows)
    }

    fn mark_offered(&mut self, seq: i64) -> Result<(), BacklogError> {
        let mut journal = self.lock();
        if journal.fails {
            return Err("the disk is full".into());
        }
        journal.offered = journal.offered.max(seq);
        Ok(())
    }

    fn written(&mut self, seq: i64) {
        let mut journal = self.lock();
        assert!(seq > journal.written);
        journal.written = seq;
    }
}

/// The client's end: lines as they come, a valve that stops reading, and an error to give.
#[derive(Clone, Default)]
struct Client(Arc<(Mutex<ClientState>, Condvar)>);

#[derive(Default)]
struct ClientState {
    received: Vec<u8>,
    writes: usize,
    stuck: usize,
    shut: bool,
    error: Option<ErrorKind>,
    /// Checked against what arrives: an event must have been offered before.
    shelf: Option<Shelf>,
}

impl io::Write for Client {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.stuck += 1;
        changed.notify_all();
        while state.shut {
            state = changed.wait(state).unwrap();
        }
        state.stuck -= 1;
        match state.error {
            Some(ErrorKind::WouldBlock) => state.error = None,
            other => {
                if let Some(kind) = other {
                    return Err(kind.into());
                }
                state.received.extend_from_slice(bytes);
                state.writes += 1;
                let offered = state.shelf.as_ref().map_or(i64::MAX, |shelf| shelf.lock().offered);
                let newest = numbers(&lines(bytes)).into_iter().max().unwrap_or(0);
                assert!(newest <= offered, "{newest} was written, but only {offered} offered");
                changed.notify_all();
                return Ok(bytes.len());
            }
        }
        Err(ErrorKind::WouldBlock.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Client {
    fn set(&self, change: impl FnOnce(&mut ClientState)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    fn wait(&self, until: impl Fn(&ClientState) -> bool) -> Vec<String> {
        let guard = self.0.0.lock().unwrap();
        let (state, timeout) = self.0.1.wait_timeout_while(guard, PATIENCE, |state| !until(state)).unwrap();
        assert!(!timeout.timed_out(), "waited in vain; received {:?}", lines(&state.received));
        lines(&state.received)
    }

    fn wait_lines(&self, count: usize) -> Vec<String> {
        self.wait(|state| state.received.iter().filter(|b| **b == b'\n').count() >= count)
    }

    fn wait_stuck(&self) {
        self.wait(|state| state.stuck > 0);
    }
}

fn lines(received: &[u8]) -> Vec<String> {
    received.split_inclusive(|b| *b == b'\n').map(|line| String::from_utf8(line.to_vec()).unwrap()).collect()
}

/// The numbers of the events among the lines.
fn numbers(lines: &[String]) -> Vec<i64> {
    lines
        .iter()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|line| line["params"]["meta"]["message_id"].as_str().map(|id| id.parse().unwrap()))
        .collect()
}

struct Setting {
    shelf: Shelf,
    client: Client,
    wire: Wire,
    offering: Receiver<bool>,
}

fn setting(stored: i64, offered: i64, limits: Limits) -> Setting {
    let (shelf, client) = (Shelf::default(), Client::default());
    shelf.stored(stored, offered);
    client.set(|state| state.shelf = Some(shelf.clone()));
    let (wire, offering) = start(&shelf, &client, Format::Notifications, limits);
    Setting { shelf, client, wire, offering }
}

fn start(shelf: &Shelf, client: &Client, format: Format, limits: Limits) -> (Wire, Receiver<bool>) {
    let (tell, offering): (Sender<bool>, _) = channel();
    let journal = shelf.clone();
    let set = move |on| {
        journal.lock().offering = on;
        let _ = tell.send(on);
    };
    (Wire::start(client.clone(), format, shelf.clone(), set, 0, limits).unwrap(), offering)
}

impl Setting {
    fn live(&self) {
        assert!(self.offering.recv_timeout(PATIENCE).unwrap());
    }
}

fn small() -> Limits {
    Limits {
        queued_events: 4,
        batch_events: 3,
        waiting_frames: 4,
        retry: Duration::from_millis(1),
        ..Limits::default()
    }
}

#[test]
fn only_frames_leave_before_the_release() {
    let s = setting(2, 0, Limits::default());
    s.shelf.commit(&s.wire, 2);
    s.wire.frame(b"answer 1".to_vec()).unwrap();
    s.wire.frame(b"answer 2".to_vec()).unwrap();
    assert_eq!(s.client.wait_lines(2), ["answer 1\n", "answer 2\n"]);
    assert_eq!(s.shelf.lock().reads, 0);
    s.wire.release();
    let lines = s.client.wait_lines(6);
    assert_eq!(numbers(&lines), [1, 2, 3, 4]);
    s.live();
    s.wire.release();
    s.shelf.commit(&s.wire, 1);
    assert_eq!(numbers(&s.client.wait_lines(7)), [1, 2, 3, 4, 5]);
}

#[test]
fn a_live_wire_does_not_read_the_journal() {
    let s = setting(0, 0, Limits::default());
    s.wire.release();
    s.live();
    let reads = s.shelf.lock().reads;
    for _ in 0..50 {
        s.shelf.commit(&s.wire, 2);
    }
    assert_eq!(numbers(&s.client.wait_lines(100)), (1..=100).collect::<Vec<_>>());
    assert_eq!(s.shelf.lock().reads, reads);
}

#[test]
fn overflow_goes_through_the_journal_and_back_without_loss_or_reorder() {
    let s = setting(0, 0, small());
    s.wire.release();
    s.live();
    for round in 1..=3_i64 {
        s.client.set(|state| state.shut = true);
        s.shelf.commit(&s.wire, 1);
        s.client.wait_stuck();
        s.shelf.commit(&s.wire, 99);
        assert!(!s.offering.recv_timeout(PATIENCE).unwrap(), "the journal must stop recording offers");
        s.client.set(|state| state.shut = false);
        let lines = s.client.wait_lines(usize::try_from(round * 100).unwrap());
        assert_eq!(numbers(&lines), (1..=round * 100).collect::<Vec<_>>());
        assert!(!lines.concat().contains("redelivered"), "no earlier process can have sent these");
        s.live();
    }
}

#[test]
fn what_is_committed_while_the_wire_becomes_live_is_not_lost() {
    let s = setting(2, 0, Limits::default());
    let (shelf, wire) = (s.shelf.clone(), s.wire.clone());
    s.shelf.lock().when_dry = Some(Box::new(move || shelf.commit(&wire, 3)));
    s.wire.release();
    s.live();
    s.shelf.commit(&s.wire, 1);
    assert_eq!(numbers(&s.client.wait_lines(6)), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn what_was_read_from_the_journal_is_not_sent_again_when_handed_over_late() {
    let s = setting(3, 0, Limits::default());
    s.wire.release();
    s.live();
    let late = s.shelf.lock().rows.clone();
    s.wire.deliver(&late);
    s.shelf.commit(&s.wire, 1);
    s.wire.frame(b"last".to_vec()).unwrap();
    s.shelf.commit(&s.wire, 1);
    assert_eq!(numbers(&s.client.wait_lines(6)), [1, 2, 3, 4, 5]);
}

#[test]
fn commits_that_race_with_the_writer_keep_their_order() {
    let s = setting(100, 0, small());
    let committer = std::thread::spawn({
        let (shelf, wire) = (s.shelf.clone(), s.wire.clone());
        move || (0..1500).for_each(|n| shelf.commit(&wire, n % 5))
    });
    s.wire.release();
    committer.join().unwrap();
    let got = numbers(&s.client.wait_lines(3100));
    assert_eq!(got, (1..=3100).collect::<Vec<_>>());
}

#[test]
fn what_an_earlier_process_may_have_sent_is_marked() {
    let s = setting(5, 3, Limits::default());
    s.wire.release();
    let lines = s.client.wait_lines(5);
    let marked: Vec<bool> = lines.iter().map(|line| line.contains("\"redelivered\":\"1\"")).collect();
    assert_eq!(marked, [true, true, true, false, false]);
}

#[test]
fn waiting_events_leave_in_batches_and_frames_overtake_them() {
    let s = setting(0, 0, Limits::default());
    s.wire.release();
    s.live();
    s.client.set(|state| state.shut = true);
    s.shelf.commit(&s.wire, 1);
    s.client.wait_stuck();
    s.shelf.commit(&s.wire, 100);
    s.wire.frame(b"1".to_vec()).unwrap();
    s.shelf.commit(&s.wire, 100);
    s.wire.frame(b"2".to_vec()).unwrap();
    s.client.set(|state| state.shut = false);
    let lines = s.client.wait_lines(203);
    assert_eq!(numbers(&lines), (1..=201).collect::<Vec<_>>());
    assert_eq!(lines[1..3], ["1\n", "2\n"]);
    assert_eq!(s.client.0.0.lock().unwrap().writes, 3);
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_the_connection_and_nobody_waits() {
    let s = setting(0, 0, small());
    s.wire.release();
    s.live();
    s.client.set(|state| state.shut = true);
    s.wire.frame(b"0".to_vec()).unwrap();
    s.client.wait_stuck();
    s.shelf.commit(&s.wire, 10_000);
    for _ in 0..4 {
        s.wire.frame(b"x".to_vec()).unwrap();
    }
    assert_eq!(s.wire.frame(b"x".to_vec()), Err(WireClosed));
    assert!(matches!(s.wire.ended().await, WireEnd::NotReading));
    assert!(s.wire.shared.lock().queue.len() <= 4);
    s.shelf.commit(&s.wire, 1);
    assert_eq!(s.wire.frame(b"x".to_vec()), Err(WireClosed));
    assert_eq!(s.shelf.lock().written, 0);
    s.client.set(|state| state.shut = false);
}

#[tokio::test]
async fn a_broken_pipe_ends_the_wire_and_leaves_the_cursor() {
    let s = setting(3, 0, Limits::default());
    s.client.set(|state| state.error = Some(ErrorKind::BrokenPipe));
    s.wire.release();
    let WireEnd::Gone(error) = s.wire.ended().await else { unreachable!() };
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    assert_eq!(s.shelf.lock().offered, 3);
    assert_eq!(s.shelf.lock().written, 0);
    assert_eq!(s.wire.frame(b"x".to_vec()), Err(WireClosed));
}

#[test]
fn an_output_that_would_block_is_tried_again() {
    let s = setting(3, 0, Limits::default());
    s.client.set(|state| state.error = Some(ErrorKind::WouldBlock));
    s.wire.release();
    assert_eq!(numbers(&s.client.wait_lines(3)), [1, 2, 3]);
}

#[test]
fn a_failing_journal_holds_events_back_but_not_answers() {
    let s = setting(3, 0, small());
    s.shelf.lock().fails = true;
    s.wire.release();
    while s.shelf.lock().reads < 3 {
        std::thread::yield_now();
    }
    s.wire.frame(b"answer".to_vec()).unwrap();
    assert_eq!(s.client.wait_lines(1), ["answer\n"]);
    s.shelf.lock().fails = false;
    assert_eq!(numbers(&s.client.wait_lines(4)), [1, 2, 3]);
    s.live();
    s.shelf.lock().fails = true;
    s.shelf.commit(&s.wire, 2);
    s.wire.frame(b"answer".to_vec()).unwrap();
    s.client.wait_lines(5);
    s.shelf.lock().fails = false;
    assert_eq!(numbers(&s.client.wait_lines(7)), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn closing_writes_the_answers_and_leaves_the_events_to_the_journal() {
    let s = setting(0, 0, Limits::default());
    s.wire.release();
    s.live();
    s.client.set(|state| state.shut = true);
    s.shelf.commit(&s.wire, 1);
    s.client.wait_stuck();
    s.shelf.commit(&s.wire, 5);
    s.wire.frame(b"answer".to_vec()).unwrap();
    let closing = tokio::spawn({
        let wire = s.wire.clone();
        async move { wire.close(PATIENCE).await }
    });
    while !matches!(s.wire.frame(b"late".to_vec()), Err(WireClosed)) {
        tokio::task::yield_now().await;
    }
    s.client.set(|state| state.shut = false);
    assert!(matches!(closing.await.unwrap(), Some(WireEnd::Closed)));
    let lines = s.client.wait_lines(2);
    assert_eq!(numbers(&lines), [1]);
    assert_eq!(lines[1], "answer\n");
    assert_eq!(s.shelf.lock().written, 1);
    assert!(!s.shelf.lock().offering);
}

#[tokio::test]
async fn closing_does_not_wait_for_a_client_that_does_not_read() {
    let s = setting(0, 0, Limits::default());
    s.client.set(|state| state.shut = true);
    s.wire.frame(b"answer".to_vec()).unwrap();
    s.client.wait_stuck();
    assert!(s.wire.close(Duration::from_millis(5)).await.is_none());
    s.client.set(|state| state.shut = false);
}

#[test]
fn a_person_sees_tags() {
    let (shelf, client) = (Shelf::default(), Client::default());
    shelf.stored(1, 0);
    let (wire, _offering) = start(&shelf, &client, Format::Tags { source: "demo".into() }, Limits::default());
    wire.release();
    let shown = client.wait_lines(3).concat();
    assert!(shown.starts_with("<channel source=\"demo\" channel=\"web\""), "{shown}");
    assert!(shown.ends_with(">\nt\n</channel>\n"), "{shown}");
}
