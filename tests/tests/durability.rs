//! What was answered is never lost: crashes, clients that do not read, ends of a session and second servers.
//! Row 22 of the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use sluicegate_tests::{Event, Guest, Home, Server, deadline, http, journal, says, server::Signal};

/// A process must be gone long before Claude Code kills it (500 ms); debug builds on busy machines get more.
const END: Duration = Duration::from_secs(2);

fn chat() -> Home {
    Home::with(&Guest::new("chat"))
}

fn running(home: &Home) -> Server {
    let server = Server::start(home);
    server.wait_until_running(home, "chat");
    server
}

/// How often the server is killed.
fn kills() -> usize {
    let set = env::var("SLUICEGATE_TEST_KILLS").ok().and_then(|kills| kills.parse().ok());
    let ci = env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false");
    set.unwrap_or(if ci { 200 } else { 15 })
}

/// Posts events from several connections, and keeps what was answered 200.
struct Stream {
    stop: Arc<AtomicBool>,
    answered: Arc<Mutex<BTreeSet<String>>>,
    count: Arc<AtomicUsize>,
    senders: Vec<thread::JoinHandle<()>>,
}

impl Stream {
    fn start(home: &Home, round: usize) -> Self {
        let (stop, answered, count) = (Arc::default(), Arc::default(), Arc::<AtomicUsize>::default());
        let senders = (0..4).map(|sender| {
            let (stop, answered, count): (Arc<AtomicBool>, Arc<Mutex<BTreeSet<String>>>, _) =
                (Arc::clone(&stop), Arc::clone(&answered), Arc::clone(&count));
            let (port, template) = (home.port(), home.request("chat", &says("ID", "streaming")));
            thread::spawn(move || {
                let Ok(mut connection) = http::Connection::open(port) else { return };
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let id = format!("r{round}s{sender}n{number}");
                    let request = template.clone().body(says(&id, "streaming").to_string());
                    match connection.send(&request) {
                        Ok(answer) if answer.status == 200 => {
                            answered.lock().unwrap().insert(id);
                            count.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(_) => {}
                        Err(_) => return,
                    }
                }
            })
        });
        let senders = senders.collect();
        Self { stop, answered, count, senders }
    }

    fn wait_for(&self, count: usize) {
        deadline::until("events are answered", || (self.count.load(Ordering::Relaxed) >= count).then_some(()));
    }

    /// Stops; gives what was answered.
    fn end(self) -> BTreeSet<String> {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.join().unwrap();
        }
        Arc::into_inner(self.answered).unwrap().into_inner().unwrap()
    }
}

/// What all sessions of a home had on their wire.
#[derive(Default)]
struct Seen(BTreeMap<String, usize>);

impl Seen {
    /// Adds a session's events: what was there before must say so, and within a session nothing comes twice.
    fn add(&mut self, events: &[Event]) {
        let mut now = BTreeSet::new();
        for event in events {
            let id = event.id().to_owned();
            assert!(now.insert(id.clone()), "{id} came twice in one session");
            if self.0.contains_key(&id) {
                assert!(event.is_redelivered(), "{id} comes again and does not say so");
            }
            *self.0.entry(id).or_default() += 1;
        }
    }
}

/// Kills the server in the midst of a stream of events, again and again.
fn survives_kills(home: &Home, rounds: usize) {
    let mut answered = BTreeSet::new();
    let mut seen = Seen::default();
    for round in 0..rounds {
        let server = running(home);
        let stream = Stream::start(home, round);
        // Each round ends at another moment: at once, while the backlog flows, in the middle of the stream.
        stream.wait_for(1 + (round * 37) % 400);
        if round % 3 == 2 {
            server.event("an event of this round", |event| event.id().starts_with(&format!("r{round}s")));
        }
        let end = server.kill();
        answered.extend(stream.end());
        seen.add(&end.events);
    }
    assert!(journal::is_sound(home), "the journal is damaged");
    let server = running(home);
    assert_eq!(home.post("chat", &says("the end", "streaming")).status, 200);
    server.event_of("the end");
    let end = server.end_by(Signal::TERM);
    seen.add(&end.events);

    let kept = journal::messages(home, "chat");
    assert!(answered.len() >= rounds, "{} events were answered", answered.len());
    for id in &answered {
        assert_eq!(kept.get(id), Some(&1), "{id} was answered 200 and is not in the journal once");
        assert!(seen.0.contains_key(id), "{id} was answered 200 and never on the wire");
    }
    assert!(kept.values().all(|count| *count == 1), "something is in the journal twice");
    let unknown: Vec<_> = seen.0.keys().filter(|id| !kept.contains_key(*id)).collect();
    assert!(unknown.is_empty(), "on the wire and not in the journal: {unknown:?}");
}

#[test]
fn kill_9_at_any_moment_loses_nothing_that_was_answered() {
    survives_kills(&chat(), kills());
}

#[test]
fn kill_9_loses_nothing_with_the_stronger_durability_either() {
    let mut home = chat();
    home.set("durability = \"power\"");
    survives_kills(&home, kills().div_ceil(5));
}

#[test]
fn a_client_that_never_reads_stops_sources_with_503_and_gets_everything_once_it_reads() {
    let mut home = chat();
    home.set("max-unwritten = 300");
    let server = running(&home);
    assert_eq!(home.post("chat", &says("first", "hello")).status, 200);
    server.event_of("first");
    server.pause();
    let mut connection = http::Connection::open(home.port()).unwrap();
    let text = "x".repeat(2000);
    let mut answered = vec!["first".to_owned()];
    let refused = (0..5000).find_map(|number| {
        let id = format!("n{number}");
        let answer = connection.send(&home.request("chat", &says(&id, &text))).unwrap();
        match answer.status {
            200 => {
                answered.push(id);
                None
            }
            status => Some((status, answer)),
        }
    });
    let (status, answer) = refused.expect("at some point it is too much");
    assert_eq!(status, 503);
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    assert!((300..1000).contains(&answered.len()), "{} were taken", answered.len());
    assert!(server.peak_memory_mib() < 150, "{} MiB", server.peak_memory_mib());
    server.resume();
    let events = server.events_when(answered.len());
    let heard: Vec<_> = events.iter().map(|event| event.id().to_owned()).collect();
    assert_eq!(heard, answered, "in order, and each once");
    deadline::until("there is room again", || (home.post("chat", &says("after", "hello")).status == 200).then_some(()));
    server.event_of("after");
    assert_eq!(home.leader()["full"], false);
}

#[test]
fn what_waits_when_the_session_ends_comes_in_the_next() {
    let home = chat();
    let server = running(&home);
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
    server.pause();
    let mut answered = Vec::new();
    for number in 0..200 {
        let id = format!("n{number}");
        assert_eq!(home.post("chat", &says(&id, &"x".repeat(2000))).status, 200);
        answered.push(id);
    }
    let end = server.end_by(Signal::TERM);
    assert!(end.took < END, "{:?}", end.took);
    let mut seen = Seen::default();
    seen.add(&end.events);
    let server = running(&home);
    server.event_of("n199");
    seen.add(&server.events());
    for id in answered {
        assert!(seen.0.contains_key(&id), "{id}");
    }
    assert!(!server.events().iter().any(|event| event.id() == "1"), "what was certainly written is not repeated");
}

#[test]
fn every_way_to_end_a_session_is_quick_and_loses_nothing() {
    for way in ["SIGINT", "SIGTERM", "SIGHUP", "end of input"] {
        let home = chat();
        let server = running(&home);
        let stream = Stream::start(&home, 0);
        stream.wait_for(50);
        let end = match way {
            "SIGINT" => server.end_by(Signal::INT),
            "SIGTERM" => server.end_by(Signal::TERM),
            "SIGHUP" => server.end_by(Signal::HUP),
            _ => server.end_by_closing(),
        };
        let answered = stream.end();
        assert!(end.took < END, "{way}: {:?}", end.took);
        assert!(end.status.success(), "{way}: {}", end.status);
        let mut seen = Seen::default();
        seen.add(&end.events);
        let server = running(&home);
        assert_eq!(home.post("chat", &says("the end", "streaming")).status, 200);
        server.event_of("the end");
        seen.add(&server.events());
        let kept = journal::messages(&home, "chat");
        for id in &answered {
            assert_eq!(kept.get(id), Some(&1), "{way}: {id}");
            assert!(seen.0.contains_key(id), "{way}: {id} was never on the wire");
        }
    }
}

#[test]
fn a_signal_before_the_handshake_ends_it_too() {
    let home = chat();
    let server = Server::spawn(&home);
    server.write_raw(b"{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"server/discover\",\"params\":{}}\n").unwrap();
    assert!(server.answer(&serde_json::json!("p")).is_err());
    let end = server.end_by(Signal::INT);
    assert!(end.took < END, "{:?}", end.took);
    let server = Server::spawn(&home);
    let end = server.end_by_closing();
    assert!(end.took < END, "{:?}", end.took);
}

#[test]
fn an_adapter_that_computes_does_not_delay_the_end() {
    let looper = Guest::new("looper");
    let mut home = Home::with(&looper);
    home.table("[adapters.looper.limits]\ncpu-ms = 600000\nhandle-ms = 600000");
    let server = Server::start(&home);
    server.wait_until_running(&home, "looper");
    let (request, port) = (home.request("looper", &says("1", "loop")), home.port());
    let poster = thread::spawn(move || request.try_send(port));
    // It is under way once another event has to wait for its turn; there is nothing to see of that from outside,
    // so the test is good even where the end comes first.
    thread::sleep(Duration::from_millis(200));
    let end = server.end_by(Signal::TERM);
    assert!(end.took < END, "{:?}", end.took);
    assert!(!poster.join().unwrap().is_ok_and(|answer| answer.status == 200));
}

#[test]
fn a_second_server_on_the_home_takes_nothing_and_says_who_leads() {
    let home = chat();
    let first = running(&home);
    let second = Server::start(&home);
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    first.event_of("1");
    assert!(
        second.tools.is_empty()
            || second
                .try_call("reply", &serde_json::json!({ "chat_id": "alice", "text": "x" }))
                .map_or(true, |result| result.is_error)
    );
    let said = format!("{}{}{}", second.initialized, second.errors(), home.log());
    assert!(said.contains(&first.id().to_string()), "who leads? {said}");
    assert!(second.events().is_empty());

    // It does not disturb the first by its end, either.
    assert!(second.end_by(Signal::TERM).took < END);
    assert_eq!(home.post("chat", &says("2", "hello")).status, 200);
    first.event_of("2");
    first.kill();
    let third = running(&home);
    assert_eq!(home.post("chat", &says("3", "hello")).status, 200);
    third.event_of("3");
    let kept = journal::messages(&home, "chat");
    assert!(kept.len() == 3 && kept.values().all(|count| *count == 1), "{kept:?}");
}

#[test]
fn of_servers_that_start_at_once_one_leads() {
    let home = chat();
    let servers: Vec<Server> = thread::scope(|scope| {
        let starting: Vec<_> = (0..4).map(|_| scope.spawn(|| Server::start(&home))).collect();
        starting.into_iter().map(|server| server.join().unwrap()).collect()
    });
    servers[0].wait_until_running(&home, "chat");
    for number in 0..20 {
        assert_eq!(home.post("chat", &says(&format!("n{number}"), "hello")).status, 200);
    }
    let leader = home.leader()["pid"].as_u64().unwrap();
    for server in &servers {
        if u64::from(server.id()) == leader {
            assert_eq!(server.events_when(20).len(), 20);
        } else {
            assert!(server.events().is_empty(), "{} does not lead", server.id());
        }
    }
    assert!(journal::is_sound(&home));
}

#[test]
fn timers_and_state_survive_a_kill() {
    let home = chat();
    let server = running(&home);
    let mut body = says("1", "wake me");
    body["timer"] = 60_000.into();
    assert_eq!(home.post("chat", &body).status, 200);
    server.kill();
    let server = running(&home);
    let mut body = says("2", "wake me now");
    body["timer"] = 1.into();
    assert_eq!(home.post("chat", &body).status, 200);
    deadline::until("the timer fires once", || {
        server.call("chat_sent", &serde_json::json!({})).text.contains("\"elapsed\":1").then_some(())
    });
    let sent = server.call("chat_sent", &serde_json::json!({})).text;
    assert!(sent.contains("\"handled\":2") && sent.contains("\"started\":2"), "{sent}");
}
