//! What a hostile adapter cannot do, although it runs: rows 1, 2, 13, 23, 28 and 30 of the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::{Value, json};
use sluicegate_tests::{Guest, Home, Server, deadline, journal, raw, says};

/// A home where that guest and the well-behaved `chat` run.
fn beside_chat(guest: &Guest) -> (Home, Server) {
    let mut home = Home::with(guest);
    home.install(&Guest::new("chat"));
    started(home, guest)
}

fn started(home: Home, guest: &Guest) -> (Home, Server) {
    let server = Server::start(&home);
    server.wait_until_running(&home, &guest.name);
    (home, server)
}

/// What bad input does to an adapter ends with that input: it is answered with that status, and what comes next is
/// served, by this adapter and by others.
fn ends_alone(guest: &Guest, bad: &str, status: u16) {
    let (home, server) = beside_chat(guest);
    server.wait_until_running(&home, "chat");
    let name = &guest.name;
    assert_eq!(home.post(name, &says("before", "hello")).status, 200);
    let answer = home.post(name, &says("bad", bad));
    assert_eq!(answer.status, status, "{name}: {}", answer.text());
    assert_eq!(home.post(name, &says("after", "hello again")).status, 200, "{name} serves on");
    assert_eq!(home.post("chat", &says("other", "and me")).status, 200, "the others serve on");
    let after = server.event("the event after", |event| event.id() == "after");
    assert_eq!((after.attribute("channel"), &*after.content), (&**name, "hello again"));
    server.event_of("other");
    if status != 200 {
        assert!(!server.events().iter().any(|event| event.id() == "bad"), "what failed left nothing behind");
    }
}

/// The line of the log that says how a forgery went.
fn fate(home: &Home, what: &str) -> String {
    let mark = format!("forged {what}: ");
    deadline::until(&mark, || {
        let log = home.log();
        let at = log.find(&mark)?;
        Some(log[at + mark.len()..].lines().next()?.to_owned())
    })
}

#[test]
fn an_adapter_cannot_say_what_nobody_said() {
    let forger = Guest::new("forger");
    let (home, server) = started(Home::with(&forger), &forger);
    let forge = |id: &str, how: &str| {
        let mut body = says(id, "what alice wrote");
        body["forge"] = how.into();
        body["boss"] = "alice".into();
        let answer = home.post("forger", &body);
        assert_eq!(answer.status, 200, "{how}: {}", answer.text());
        assert!(!answer.text().contains("FORGED"), "{how}");
    };
    assert!(fate(&home, "no event").starts_with("does not apply"), "without an event there is no evidence");
    for (how, fates) in [
        ("rule", vec!["no such rule"]),
        ("other source", vec!["does not apply"]),
        ("composed", vec!["does not apply"]),
        ("undeclared", vec!["does not apply"]),
        ("source", vec!["does not apply"]),
        ("huge", vec!["too large"]),
        ("many", vec!["too large"]),
    ] {
        forge(how, how);
        let fate = fate(&home, how);
        assert!(fates.iter().any(|expected| fate.starts_with(expected)), "{how}: {fate}");
    }
    forge("file", "file");
    assert!(fate(&home, "file by path").starts_with("does not apply"));
    assert!(fate(&home, "file by guess").starts_with("does not apply"));

    // A placeholder stands for a text that is not there, and this one is.
    forge("placeholder", "placeholder");
    assert_eq!(server.event_of("placeholder").content, "what alice wrote");
    // One event says one thing once.
    forge("twice", "twice");
    assert!(fate(&home, "second").starts_with("too many"));
    // Conditions of the rule.
    let mut forwarded = says("condition", "FORGED");
    forwarded["forge"] = "condition".into();
    forwarded["forwarded"] = json!({ "from": "mallory" });
    assert_eq!(home.post("forger", &forwarded).status, 200);
    assert!(fate(&home, "condition").starts_with("does not apply"));

    // What the host asks it to do is no event either.
    let reply = server.call("reply", &json!({ "chat_id": "alice", "text": "hi" }));
    assert!(!reply.is_error, "{}", reply.text);
    assert!(fate(&home, "perform").starts_with("does not apply"));

    forge("end", "");
    server.event_of("end");
    let heard: Vec<_> = server.events().iter().map(|event| (event.id().to_owned(), event.content.clone())).collect();
    let honest = |id: &str| (id.to_owned(), "what alice wrote".to_owned());
    assert_eq!(heard, [honest("placeholder"), honest("twice"), honest("end")]);
}

#[test]
fn a_file_that_an_adapter_invents_is_not_handed_to_claude() {
    let forger = Guest::new("forger");
    let (home, server) = started(Home::with(&forger), &forger);
    assert_eq!(home.post("forger", &says("1", "hello")).status, 200);
    server.event_of("1");
    let fetched = server.call("download_attachment", &json!({ "file_id": "../../secrets/page.token" }));
    assert!(fetched.is_error, "{}", fetched.text);
    assert!(!fetched.text.contains("passwd"), "{}", fetched.text);
}

#[test]
fn strangers_senders_are_decided_by_the_bytes_and_the_users_list() {
    let forger = Guest::new("forger");
    let (home, server) = started(Home::with(&forger), &forger);
    let mut stranger = says("1", "let me in");
    stranger["sender"] = "mallory".into();
    assert_eq!(home.post("forger", &stranger).status, 200, "a refusal tells the sender nothing");
    for almost in ["Alice", "alice ", " alice", "alice\u{200b}", "al\u{0456}ce"] {
        stranger["sender"] = almost.into();
        stranger["id"] = format!("almost {almost}").into();
        assert_eq!(home.post("forger", &stranger).status, 200);
    }
    assert_eq!(home.post("forger", &says("2", "it is me")).status, 200);
    server.event_of("2");
    assert_eq!(server.events().len(), 1, "{:#?}", server.events());
}

#[test]
fn an_old_payload_cannot_be_delivered_with_another_event() {
    let replayer = Guest::new("replayer");
    let (home, server) = started(Home::with(&replayer), &replayer);
    for (id, text) in [("1", "first"), ("2", "second"), ("3", "third")] {
        assert_eq!(home.post("replayer", &says(id, text)).status, 200);
    }
    let events = server.events_when(3);
    let heard: Vec<_> = events.iter().map(|event| (event.id(), &*event.content)).collect();
    assert_eq!(heard, [("1", "first"), ("2", "second"), ("3", "third")]);
    // The platform's id of an event is taken once, whatever stands around it.
    assert_eq!(home.post("replayer", &says("2", "second, changed")).status, 200);
    deadline::until("the timer has fired", || home.log().contains("replay by timer refused").then_some(()));
    assert!(!home.log().contains("replay by timer taken"));
    assert_eq!(home.post("replayer", &says("4", "fourth")).status, 200);
    server.event_of("4");
    assert_eq!(server.events().len(), 4, "{:#?}", server.events());
    assert_eq!(journal::messages(&home, "replayer").values().sum::<u64>(), 4);
}

#[test]
fn an_endless_loop_ends_with_its_event() {
    ends_alone(&Guest::new("looper"), "loop", 500);
}

#[test]
fn an_endless_loop_in_an_action_ends_with_an_answer_to_claude() {
    let looper = Guest::new("looper");
    let (home, server) = started(Home::with(&looper), &looper);
    assert_eq!(home.post("looper", &says("1", "hello")).status, 200);
    server.event_of("1");
    let reply = server.call("reply", &json!({ "chat_id": "alice", "text": "hi" }));
    assert!(reply.is_error, "{}", reply.text);
    assert!(reply.text.contains("not known whether"), "Claude must not just try again: {}", reply.text);
    assert_eq!(home.post("looper", &says("2", "still here?")).status, 200);
    server.event_of("2");
}

#[test]
fn a_memory_bomb_ends_with_its_event() {
    ends_alone(&Guest::new("memory_bomb"), "bomb", 500);
}

#[test]
fn deep_recursion_ends_with_its_event() {
    ends_alone(&Guest::new("recursion"), "dive", 500);
}

#[test]
fn a_flood_of_log_lines_is_cut() {
    let guest = Guest::new("log_flood");
    let (home, server) = beside_chat(&guest);
    // It may not even finish within its time; either way the host and its log stay small.
    home.post(&guest.name, &says("flood", "flood"));
    assert_eq!(home.post(&guest.name, &says("after", "hello")).status, 200);
    server.event_of("after");
    let log = home.log();
    let lines = log.lines().filter(|line| line.contains("flood ")).count();
    assert!((1..=3 * 250).contains(&lines), "{lines} lines of the flood are in the log");
    assert!(log.len() < 1 << 20, "{} bytes of log", log.len());
}

#[test]
fn lines_of_log_cannot_forge_others_nor_reach_the_wire() {
    let guest = Guest::new("log_flood");
    let (home, server) = started(Home::with(&guest), &guest);
    assert_eq!(home.post(&guest.name, &says("1", "forge")).status, 200);
    server.event_of("1");
    assert_eq!(server.events().len(), 1, "its standard output is not the wire");
    let log = deadline::until("the line is in the log", || Some(home.log()).filter(|log| log.contains("forged line")));
    for line in log.lines() {
        assert!(!line.starts_with("2026-11-21T00:00:00Z ERROR forged"), "a forged line: {line}");
        assert!(line.len() < 20_000, "a line of {} bytes", line.len());
    }
    assert!(!log.contains('\u{1b}') && !log.contains('\u{202e}'), "control characters pass into the log");
    let shown = home.run(&["log", "-n", "1000"]).success();
    assert!(!shown.stdout.contains("\u{1b}[31m red") && !shown.stdout.contains('\u{202e}'), "and onto the terminal");
}

#[test]
fn a_flood_of_messages_is_cut() {
    let guest = Guest::new("message_flood");
    let mut home = Home::with(&guest);
    home.table("[adapters.message-flood.limits]\nmessages = 8\ncpu-ms = 5000");
    let (home, server) = started(home, &guest);
    let ids: Vec<String> = (0..40).map(|number| format!("m{number}")).collect();
    let body = json!({ "ids": ids, "sender": "alice", "conversation": "alice", "text": "flood" });
    assert_eq!(home.post(&guest.name, &body).status, 200);
    let end: Vec<String> = (0..40).map(|number| format!("end{number}")).collect();
    let body = json!({ "ids": end, "sender": "alice", "conversation": "alice", "text": "end" });
    assert_eq!(home.post(&guest.name, &body).status, 200);
    server.event_of("end7");
    assert_eq!(server.events().len(), 16, "eight of each");
}

#[test]
fn huge_host_calls_are_refused() {
    for how in ["state", "key", "log", "meta", "words", "list", "timer"] {
        let guest = Guest::new("huge_host_call");
        let (home, server) = started(Home::with(&guest), &guest);
        let answer = home.post(&guest.name, &says("bad", how));
        assert!([422, 500].contains(&answer.status) || how == "log", "{how}: {}", answer.status);
        assert_eq!(home.post(&guest.name, &says("after", "hello")).status, 200, "{how}");
        server.event_of("after");
        assert!(server.events().iter().all(|event| event.content.len() < 1 << 20), "{how}");
        assert!(server.peak_memory_mib() < 200, "{how}: {} MiB", server.peak_memory_mib());
    }
}

#[test]
fn state_has_a_quota() {
    let guest = Guest::new("state_hog");
    let mut home = Home::with(&guest);
    home.table("[adapters.state-hog.limits]\nstate-kib = 4096");
    let (home, server) = started(home, &guest);
    let statuses: Vec<u16> =
        (0..6).map(|number| home.post(&guest.name, &says(&format!("h{number}"), "hog")).status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 500, 500]);
    assert_eq!(home.post(&guest.name, &says("after", "hello")).status, 200);
    server.event_of("after");
    assert_eq!(journal::state(&home, &guest.name), ["h0", "h1", "h2", "h3"]);
}

/// An adapter made by hand whose `handle` is hostile from the first event on.
fn handmade(name: &str, fields: &str, hostile: &str) -> Guest {
    let handle = format!("{hostile} (global.get $done)");
    raw::component(name, &raw::Parts { fields, handle: Some(&handle), ..Default::default() })
}

/// An adapter that is hostile from its first event on is stopped, for the reason in these words; the others serve on.
fn is_stopped_alone(guest: &Guest, words: &str) {
    let mut home = Home::with(&Guest::new("chat"));
    home.install(guest);
    let (home, server) = started(home, &Guest::new("chat"));
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
    // It never gets over its start.
    let answer = home.post(&guest.name, &says("2", "hello"));
    assert!([500, 503].contains(&answer.status), "{}", answer.status);
    deadline::until("the log says why", || {
        let log = home.log();
        log.lines().any(|line| line.contains(&guest.name) && line.contains(words)).then_some(())
    });
    assert_eq!(home.post("chat", &says("3", "hello")).status, 200);
    server.event_of("3");
    assert!(server.peak_memory_mib() < 200, "{} MiB", server.peak_memory_mib());
}

#[test]
fn a_table_bomb_is_stopped() {
    let guest = handmade(
        "table-bomb",
        "(table $t 1 funcref)",
        "(loop $more (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 50000)) (i32.const -1)))) (unreachable)",
    );
    is_stopped_alone(&guest, "table-elements");
}

#[test]
fn memory_in_many_small_memories_is_summed() {
    // Sixteen memories that each stay far below the limit.
    let memories: String = (0..16).map(|number| format!("(memory $m{number} 1)")).collect();
    let grow: String = (0..16)
        .map(|number| {
            format!("(if (i32.eq (memory.grow $m{number} (i32.const 160)) (i32.const -1)) (then (unreachable)))")
        })
        .collect();
    is_stopped_alone(&handmade("many-memories", &memories, &grow), "memory-mib");
}

#[test]
fn pointers_into_nowhere_are_stopped() {
    is_stopped_alone(&handmade("wild-result", "", "(return (i32.const -8))"), "crashed");
    let parts = raw::Parts { realloc: Some("(i32.const 0x7ffffff0)"), ..Default::default() };
    is_stopped_alone(&raw::component("wild-realloc", &parts), "crashed");
}

#[test]
fn nothing_lies_beyond_the_imports() {
    let spy = Guest::new("spy");
    let mut home = Home::with(&spy);
    home.variable("ANTHROPIC_API_KEY", "sk-ant-not-a-key");
    home.variable("SPY_TOKEN", "not-a-token");
    let (home, server) = started(home, &spy);
    assert_eq!(home.post("spy", &says("1", "look")).status, 200);
    let event = server.event_of("1");
    assert_eq!(event.attribute("got"), "nothing", "{event:?}");
    let clock: u64 = event.attribute("clock").parse().unwrap();
    assert!(clock.abs_diff(sluicegate_tests::sign::now()) < 3600, "the clock works: {clock}");
    for (what, text) in [("the log", home.log()), ("standard error", server.errors())] {
        assert!(!text.contains("sk-ant-not-a-key") && !text.contains("not-a-token"), "a secret is in {what}");
    }
}

#[test]
fn an_unvetted_rule_never_pairs_redeems_or_commands() {
    let reader = Guest::new("contact_reader");
    let home = Home::with(&reader);
    // What the user is told before: the text must say who decides.
    let shown = home.run(&["inspect", &reader.name]).success().stdout;
    assert!(shown.contains("decides by itself who is speaking"), "{shown}");
    home.access(&reader.name, &json!({ "dmPolicy": "pairing", "allowFrom": ["alice"], "groups": {}, "pending": {} }));
    let server = Server::start(&home);
    server.wait_until_running(&home, &reader.name);
    let contact = |id: &str, contact: &str, text: &str| {
        let mut body = says(id, text);
        body["sender"] = "mallory".into();
        body["contact"] = contact.into();
        assert_eq!(home.post(&reader.name, &body).status, 200);
    };
    let invited = home.run(&["invite", &reader.name]);
    let code: String = invited.stdout.split_whitespace().find(|word| looks_like_a_code(word)).unwrap_or("none").into();
    contact("1", "bob", "let me in");
    contact("2", "bob", &code);
    contact("3", "bob", "/start");
    contact("4", "alice", "/help");
    contact("5", "alice", "last");
    server.event_of("5");
    let access: Value =
        serde_json::from_slice(&std::fs::read(home.path().join("access/contact-reader.json")).unwrap()).unwrap();
    assert_eq!(access["pending"], json!({}), "nobody pairs");
    assert_eq!(access["allowFrom"], json!(["alice"]), "nobody is admitted");
    // For chat from somebody the user allowed, the rule is good; a command of the host's it is not.
    let heard: Vec<_> = server.events().iter().map(|event| event.id().to_owned()).collect();
    assert_eq!(heard, ["4", "5"]);
}

fn looks_like_a_code(word: &str) -> bool {
    word.len() >= 6
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && word.chars().any(|c| c.is_ascii_digit())
}

#[test]
fn a_route_never_answers_with_the_adapters_words() {
    let forger = Guest::new("forger");
    let (home, _server) = started(Home::with(&forger), &forger);
    let mut body = says("1", "hello");
    body["forge"] = "answer".into();
    let answer = home.post("forger", &body);
    assert_eq!(answer.status, 200);
    assert!(!answer.text().contains("FORGED") && !answer.text().contains("sendMessage"), "{}", answer.text());
    assert_eq!(answer.header("x-forged"), None);
}

#[test]
fn a_manifest_is_read_once_and_pinned() {
    let guest = Guest::new("two_faced");
    let home = Home::cold();
    home.drop_adapter(&guest);
    let first = home.run(&["inspect", "two-faced", "--json"]).success().stdout;
    for _ in 0..3 {
        assert_eq!(home.run(&["inspect", "two-faced", "--json"]).success().stdout, first, "it is asked once");
    }
    home.allow("two-faced");
    let granted = std::fs::read_to_string(home.path().join("grants.toml")).unwrap();
    let version = serde_json::from_str::<Value>(&first).unwrap().to_string();
    let pinned = granted.lines().find(|line| line.contains("version = ")).unwrap();
    let number = pinned.split('"').nth(1).unwrap();
    assert!(version.contains(number), "what was shown is what is granted: {number} in {version}");
    // Not even a cleared cache makes the host ask again.
    std::fs::remove_dir_all(home.path().join("cache")).unwrap();
    let server = Server::start(&home);
    let status = server.wait_for_state(&home, "two-faced", "running");
    assert_eq!(status["version"], number);
}

#[test]
fn a_manifest_that_uses_an_import_is_refused() {
    let home = Home::cold();
    home.drop_adapter(&Guest::new("manifest_importer"));
    let shown = home.run(&["list", "--json"]).success().stdout;
    assert!(shown.contains("import"), "{shown}");
    drop(home.run(&["allow", "manifest-importer", "--yes"]).failure());
    assert!(!home.path().join("grants.toml").exists());
}

#[test]
fn a_call_has_a_limit_on_time_beside_the_one_on_computing() {
    let looper = Guest::new("looper");
    let mut home = Home::with(&looper);
    home.table("[adapters.looper.limits]\ncpu-ms = 60000\nhandle-ms = 300");
    let (home, server) = started(home, &looper);
    assert_eq!(home.post("looper", &says("1", "loop")).status, 500);
    assert_eq!(home.post("looper", &says("2", "hello")).status, 200);
    server.event_of("2");
}
