//! The life of a grant, beside a running server: rows 15, 28 and 29 of the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::json;
use sluicegate_tests::{Guest, Home, Server, deadline, home::TOKEN, http::post, journal, says};

fn chat() -> Guest {
    Guest::new("chat")
}

/// The same code that wants more: words of its own, and another attribute.
fn wider_chat() -> Guest {
    chat().patched("meta = [\"mood\"]\ncomposes = false", "meta = [\"moon\"]\ncomposes = true ")
}

/// The same code and wishes, with other bytes.
fn rebuilt_chat() -> Guest {
    chat().patched("Chat of the tests", "Chat of the Tests")
}

/// A home with the settings of `chat` and nothing granted.
fn empty() -> Home {
    let mut home = Home::new();
    home.bearer("chat", "ci", TOKEN);
    home.admit("chat", &["alice"]);
    home
}

/// What an unsigned event is answered: 401 while the route is there; 0 while nothing listens.
fn answers(home: &Home) -> u16 {
    post("/chat/ci", &says("probe", "x")).try_send(home.port()).map_or(0, |answer| answer.status)
}

fn wait_until_gone(home: &Home) {
    deadline::until("its route is gone", || (answers(home) == 404).then_some(()));
}

#[test]
fn what_is_dropped_while_running_waits_until_it_is_allowed_and_then_runs() {
    let home = empty();
    let server = Server::start(&home);
    home.drop_adapter(&chat());
    deadline::until("the log says that it waits", || home.log().contains("allow chat").then_some(()));
    assert_eq!(answers(&home), 404, "it does not run");
    let inspected = home.run(&["inspect", "chat"]).success().stdout;
    for words in ["chat", "mood", "decides by itself who is speaking"] {
        assert!(inspected.contains(words), "{words} is missing: {inspected}");
    }
    home.allow("chat");
    server.wait_until_running(&home, "chat");
    server.notification("notifications/tools/list_changed");
    let tools = server.list_tools();
    assert!(tools.iter().any(|tool| tool["name"] == "reply"), "{tools:?}");
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    assert_eq!(server.event_of("1").content, "hello");
}

#[test]
fn allow_asks_before_it_grants() {
    let home = empty();
    home.drop_adapter(&chat());
    drop(home.run_with(&["allow", "chat"], b"no\n").failure());
    assert!(!std::fs::read_to_string(home.path().join("grants.toml")).unwrap_or_default().contains("chat"));
    // Nothing to read from is no consent.
    drop(home.run(&["allow", "chat"]).failure());
    assert!(!std::fs::read_to_string(home.path().join("grants.toml")).unwrap_or_default().contains("chat"));
    drop(home.run(&["allow", "no-such-adapter", "--yes"]).failure());
}

#[test]
fn a_changed_file_stops_and_says_what_changed() {
    let mut home = Home::with(&chat());
    home.install(&Guest::new("replayer"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    home.drop_adapter(&wider_chat());
    wait_until_gone(&home);
    assert_eq!(home.post("chat", &says("1", "hello")).status, 404, "also for who may post");
    let inspected = home.run(&["inspect", "chat"]).success().stdout;
    for words in ["changed", "moon", "mood", "words of its own"] {
        assert!(inspected.contains(words), "{words:?} is missing: {inspected}");
    }
    server.wait_until_running(&home, "replayer");
    home.allow("chat");
    server.wait_until_running(&home, "chat");
    assert_eq!(home.post("chat", &says("2", "hello again")).status, 200);
    server.event_of("2");

    // The same wishes in other bytes stop as well.
    home.drop_adapter(&rebuilt_chat());
    wait_until_gone(&home);
    drop(server);
    // And a restart does not heal it.
    let server = Server::start(&home);
    server.wait_until_running(&home, "replayer");
    assert_eq!(answers(&home), 404);
    // What was granted is put back: it runs again.
    home.drop_adapter(&wider_chat());
    server.wait_until_running(&home, "chat");
}

#[test]
fn a_file_under_a_used_name_is_a_replacement_and_gets_nothing_of_the_other() {
    let home = Home::with(&chat());
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
    home.drop_file("better-chat.wasm", &wider_chat().component);
    deadline::until("the log says so", || home.log().contains("bears the name").then_some(()));
    assert_eq!(home.post("chat", &says("2", "the old one runs on")).status, 200);
    server.event_of("2");
    let listed = home.run(&["list"]).success().stdout;
    assert!(listed.to_lowercase().contains("replace"), "{listed}");
    assert!(!journal::state(&home, "chat").is_empty(), "the old one kept something");

    // Who allows it must say what becomes of the other's state and senders.
    drop(home.run(&["allow", "better-chat.wasm", "--yes"]).failure());
    drop(home.run(&["allow", "better-chat.wasm", "--yes", "--data", "delete"]).success());
    server.wait_until_running(&home, "chat");
    let sent = deadline::until("the new one runs", || {
        let sent = server.try_call("chat_sent", &json!({})).ok()?;
        sent.text.contains("\"handled\":0").then_some(sent)
    });
    assert!(!sent.is_error, "{}", sent.text);
    assert_eq!(home.post("chat", &says("3", "nobody is allowed now")).status, 200);
    home.admit("chat", &["alice"]);
    assert_eq!(home.post("chat", &says("4", "hello")).status, 200);
    server.event_of("4");
    assert!(!server.events().iter().any(|event| event.id() == "3"), "the old one's senders are gone");
}

#[test]
fn revoke_stops_it_at_once() {
    let home = Home::with(&chat());
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    drop(home.run(&["revoke", "chat", "--yes"]).success());
    wait_until_gone(&home);
    server.notification("notifications/tools/list_changed");
    assert!(!server.list_tools().iter().any(|tool| tool["name"] == "reply"));
    drop(server);
    let server = Server::start(&home);
    assert!(server.tools.iter().all(|tool| tool["name"] != "reply"), "{:?}", server.tools);
    wait_until_gone(&home);
    // What it kept is kept until the user says otherwise.
    drop(home.run(&["revoke", "chat", "--forget", "--yes"]));
    home.allow("chat");
    server.wait_until_running(&home, "chat");
}

#[test]
fn a_removed_file_stops_and_one_put_back_runs() {
    let home = Home::with(&chat());
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    std::fs::remove_file(home.path().join("adapters/chat.wasm")).unwrap();
    wait_until_gone(&home);
    home.drop_adapter(&chat());
    server.wait_until_running(&home, "chat");
}

#[test]
fn a_file_that_breaks_stops_nobody_else() {
    let mut home = Home::with(&chat());
    home.install(&Guest::new("replayer"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    server.wait_until_running(&home, "replayer");
    home.drop_file("replayer.wasm", b"broken now");
    deadline::until("it stops", || {
        (post("/replayer/ci", &says("x", "x")).send(home.port()).status == 404).then_some(())
    });
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
    let listed = home.run(&["list"]).success().stdout;
    assert!(listed.contains("replayer.wasm") && listed.contains("not a WebAssembly component"), "{listed}");
}

#[test]
fn broken_grants_grant_nothing_and_are_not_written_over() {
    let home = Home::with(&chat());
    std::fs::write(home.path().join("grants.toml"), "adapters = 3").unwrap();
    drop(home.run(&["allow", "chat", "--yes"]).failure());
    assert_eq!(std::fs::read_to_string(home.path().join("grants.toml")).unwrap(), "adapters = 3");
}

#[test]
fn several_adapters_share_the_tools_and_each_is_named() {
    let mut home = Home::with(&chat());
    home.install(&chat_named("chap"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    server.wait_until_running(&home, "chap");
    let reply = deadline::until("both are listed", || {
        let tools = server.list_tools();
        let reply = tools.iter().find(|tool| tool["name"] == "reply")?;
        let channels = &reply["inputSchema"]["properties"]["channel"]["enum"];
        (*channels == json!(["chap", "chat"])).then(|| reply.clone())
    });
    assert!(reply["inputSchema"]["required"].to_string().contains("channel"), "{reply}");
    for name in ["chat", "chap"] {
        assert_eq!(home.post(name, &says("1", "hello")).status, 200);
        server.event(name, |event| event.attribute("channel") == name);
    }
    let said = server.call("reply", &json!({ "channel": "chap", "chat_id": "alice", "text": "hi" }));
    assert!(!said.is_error, "{}", said.text);
    let unnamed = server.try_call("reply", &json!({ "chat_id": "alice", "text": "hi" }));
    assert!(unnamed.is_err() || unnamed.is_ok_and(|result| result.is_error));
}

/// `chat` under another name of the same length.
fn chat_named(name: &str) -> Guest {
    let mut guest = chat().patched("name = \"chat\"", &format!("name = \"{name}\""));
    guest.name = name.to_owned();
    guest
}

#[test]
fn only_serves_those_that_it_names() {
    let mut home = Home::with(&chat());
    home.install(&Guest::new("replayer"));
    let server = Server::start_with(&home, &["--only", "replayer"]);
    server.wait_until_running(&home, "replayer");
    assert_eq!(answers(&home), 404);
}
