//! Who may speak, from the first message of a stranger to the words that reach Claude.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;

use serde_json::{Value, json};
use sluicegate_tests::{Guest, Home, Server, deadline, says};

/// A vetted `chat` in pairing mode.
fn pairing() -> (Home, Server) {
    let home = Home::with(&Guest::new("chat"));
    drop(home.run(&["allow", "chat", "--yes", "--vet"]).success());
    home.access("chat", &json!({ "dmPolicy": "pairing", "allowFrom": [], "groups": {}, "pending": {} }));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    (home, server)
}

fn access(home: &Home) -> Value {
    serde_json::from_slice(&fs::read(home.path().join("access/chat.json")).unwrap()).unwrap()
}

fn post_by(home: &Home, sender: &str, id: &str, text: &str) {
    let mut body = says(id, text);
    body["sender"] = sender.into();
    body["conversation"] = sender.into();
    assert_eq!(home.post("chat", &body).status, 200);
}

/// What the adapter was asked to do so far.
fn sent(server: &Server) -> Value {
    let text = server.call("chat_sent", &json!({})).text;
    let start = text.find('{').unwrap_or_else(|| panic!("no JSON: {text}"));
    let value = serde_json::Deserializer::from_str(&text[start..]).into_iter().next();
    value.unwrap().unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The code that somebody got.
fn code(home: &Home) -> String {
    let pending = access(home)["pending"].as_object().unwrap().clone();
    assert_eq!(pending.len(), 1, "{pending:?}");
    pending.keys().next().unwrap().clone()
}

#[test]
fn a_stranger_pairs_with_the_users_consent_and_is_heard_from_then_on() {
    let (home, server) = pairing();
    post_by(&home, "bob", "1", "hi, it is Bob");
    let code = code(&home);
    assert_eq!(code.len(), 6);
    deadline::until("the code is sent to the stranger", || {
        server.call("chat_sent", &json!({})).text.contains(&code).then_some(())
    });
    let refused = home.run_with(&["pair", &code], b"no\n");
    assert!(refused.output().contains("bob") && refused.output().contains("hi, it is Bob"), "{}", refused.output());
    assert_eq!(access(&home)["allowFrom"], json!([]));
    drop(home.run(&["pair", "zzzzzz", "--yes"]).failure());
    drop(home.run(&["pair", &code, "--yes"]).success());
    assert_eq!(access(&home)["allowFrom"], json!(["bob"]));
    post_by(&home, "bob", "2", "now I am in");
    server.event_of("2");
    assert_eq!(server.events().len(), 1, "what was said before is not heard");
    drop(home.run(&["pair", &code, "--yes"]).failure());
}

#[test]
fn pairing_is_bounded_and_can_be_denied() {
    let (home, server) = pairing();
    for attempt in 0..5 {
        post_by(&home, "bob", &format!("b{attempt}"), "let me in");
    }
    let first = code(&home);
    for sender in ["carol", "dave", "erin", "frank"] {
        post_by(&home, sender, sender, "let me in");
    }
    assert_eq!(access(&home)["pending"].as_object().unwrap().len(), 3, "at most three wait");
    drop(home.run(&["deny", &first]).success());
    assert!(access(&home)["pending"].get(&first).is_none());
    drop(home.run(&["pair", &first, "--yes"]).failure());
    deadline::until("the answers are sent", || (sent(&server)["sent"].as_array()?.len() >= 4).then_some(()));
    let sent = sent(&server);
    let to_bob = sent["sent"].as_array().unwrap().iter().filter(|it| it["conversation"] == "bob").count();
    assert!(to_bob <= 2, "nobody is answered more than twice: {sent}");
    assert!(server.events().is_empty());
}

#[test]
fn an_invitation_admits_once_and_its_code_reaches_neither_adapter_nor_claude() {
    let (home, server) = pairing();
    let printed = home.run(&["invite", "chat"]).success().stdout;
    let code = printed
        .split(|c: char| c.is_whitespace() || "`'\".,:".contains(c))
        .find(|word| word.starts_with("join-"))
        .unwrap_or_else(|| panic!("a code: {printed}"))
        .to_owned();
    post_by(&home, "bob", "1", &code);
    deadline::until("bob is admitted", || (access(&home)["allowFrom"] == json!(["bob"])).then_some(()));
    post_by(&home, "mallory", "2", &code);
    post_by(&home, "bob", "3", "thanks");
    server.event_of("3");
    assert_eq!(access(&home)["allowFrom"], json!(["bob"]), "once");
    assert!(!server.events().iter().any(|event| event.content.contains(&code)));
    let sent = sent(&server);
    assert_eq!(sent["handled"], 2, "the adapter saw mallory's and the last message, not the code's redemption");
}

#[test]
fn groups_are_heard_when_they_are_listed() {
    let home = Home::with(&Guest::new("chat"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    let in_group = |id: &str, sender: &str| {
        let body = json!({ "id": id, "sender": sender, "conversation": "g1", "type": "group", "text": "hello all" });
        assert_eq!(home.post("chat", &body).status, 200);
    };
    in_group("1", "alice");
    drop(home.run(&["access", "chat", "group", "add", "g1", "--no-mention", "--allow", "bob"]).success());
    in_group("2", "carol");
    in_group("3", "bob");
    server.event_of("3");
    drop(home.run(&["access", "chat", "group", "remove", "g1"]).success());
    in_group("4", "bob");
    assert_eq!(home.post("chat", &says("5", "direct")).status, 200);
    server.event_of("5");
    let heard: Vec<_> = server.events().iter().map(|event| event.id().to_owned()).collect();
    assert_eq!(heard, ["3", "5"]);
}

#[test]
fn access_changes_by_command_and_by_hand_hold_at_once() {
    let home = Home::with(&Guest::new("chat"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    post_by(&home, "bob", "1", "hello");
    drop(home.run(&["access", "chat", "allow", "bob"]).success());
    post_by(&home, "bob", "2", "hello");
    drop(home.run(&["access", "chat", "remove", "bob"]).success());
    post_by(&home, "bob", "3", "hello");
    home.admit("chat", &["alice", "bob"]);
    post_by(&home, "bob", "4", "hello");
    drop(home.run(&["access", "chat", "policy", "disabled"]).success());
    post_by(&home, "alice", "5", "hello");
    drop(home.run(&["access", "chat", "policy", "allowlist"]).success());
    post_by(&home, "alice", "6", "hello");
    server.event_of("6");
    let heard: Vec<_> = server.events().iter().map(|event| event.id().to_owned()).collect();
    assert_eq!(heard, ["2", "4", "6"]);
    let shown = home.run(&["access", "chat", "show"]).success().stdout;
    assert!(shown.contains("alice") && shown.contains("allowlist"), "{shown}");
}

#[test]
fn a_broken_access_file_admits_nobody() {
    let home = Home::with(&Guest::new("chat"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    fs::write(home.path().join("access/chat.json"), "{ \"dmPolicy\": \"allowlist\", \"allowFrom\": [\"alice\"")
        .unwrap();
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    home.admit("chat", &["alice"]);
    assert_eq!(home.post("chat", &says("2", "hello")).status, 200);
    server.event_of("2");
    assert_eq!(server.events().len(), 1);
}
