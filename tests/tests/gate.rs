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

/// The code that `invite` printed.
fn invitation(printed: &str) -> String {
    let mut words = printed.split(|c: char| c.is_whitespace() || "`'\".,:".contains(c));
    words.find(|word| word.starts_with("join-")).unwrap_or_else(|| panic!("a code: {printed}")).to_owned()
}

#[test]
fn a_stranger_who_is_let_in_approves_only_if_the_user_said_so() {
    let (home, _server) = pairing();
    post_by(&home, "bob", "1", "hi");
    post_by(&home, "carol", "2", "hi");
    let pending = access(&home)["pending"].as_object().unwrap().clone();
    let code_of = |sender: &str| pending.iter().find(|(_, it)| it["senderId"] == sender).unwrap().0.clone();
    let asked = home.run(&["pair", &code_of("bob"), "--approver"]).failure();
    assert!(asked.output().contains("runs tools on this machine"), "{}", asked.output());
    assert_eq!(access(&home)["allowFrom"], json!([]));
    let paired = home.run(&["pair", &code_of("bob"), "--approver", "--yes"]).success();
    assert!(paired.stdout.contains("may approve what Claude does"), "{}", paired.output());
    assert!(paired.stderr.contains("asks no approvers"), "chat cannot ask: {}", paired.output());
    let paired = home.run(&["pair", &code_of("carol"), "--yes"]).success();
    assert!(!paired.output().contains("approve what"), "{}", paired.output());
    assert_eq!(access(&home)["allowFrom"], json!(["bob", "carol"]));
    assert_eq!(access(&home)["approvers"], json!(["bob"]));
}

#[test]
fn an_invitation_makes_an_approver_only_if_it_is_for_one() {
    let (home, server) = pairing();
    let plain = home.run(&["invite", "chat"]).success().stdout;
    assert!(!plain.contains("approve"), "{plain}");
    let special = home.run(&["invite", "chat", "--approver"]).success().stdout;
    assert!(special.contains("may approve what Claude does"), "{special}");
    drop(home.run(&["invite", "chat", "--approver", "--revoke"]).failure());
    let shown = home.run(&["access", "chat"]).success().stdout;
    assert!(shown.contains("Open invitations: 2, 1 of them for approvers"), "{shown}");
    for (id, sender, printed) in [("1", "bob", &plain), ("2", "carol", &special), ("3", "mallory", &special)] {
        post_by(&home, sender, id, &invitation(printed));
    }
    post_by(&home, "bob", "4", "thanks");
    server.event_of("4");
    assert_eq!(access(&home)["allowFrom"], json!(["bob", "carol"]));
    assert_eq!(access(&home)["approvers"], json!(["carol"]));
}

#[test]
fn approvers_are_named_and_taken_off_by_command() {
    let home = Home::with(&Guest::new("chat"));
    let approver = |arguments: &[&str]| home.run(&[&["access", "chat", "approver"], arguments].concat());
    let refused = approver(&["add", "bob"]).failure();
    assert!(refused.stderr.contains("sluicegate access chat allow bob"), "{}", refused.output());
    assert_eq!(access(&home).get("approvers"), None);
    let added = approver(&["add", "alice"]).success();
    assert!(added.stdout.contains("\"alice\" may approve"), "{}", added.output());
    assert!(approver(&["add", "alice"]).success().stdout.contains("already"));
    assert_eq!(access(&home)["approvers"], json!(["alice"]));
    let listed = approver(&["list", "--json"]).success().json();
    assert_eq!(listed, json!([{ "id": "alice", "counts": true }]));
    let shown = home.run(&["access", "chat", "show"]).success().stdout;
    assert!(shown.contains("May approve what Claude does:\n  alice\n"), "{shown}");
    assert_eq!(home.run(&["access", "chat", "show", "--json"]).success().json()["approvers"], listed);
    drop(home.run(&["access", "chat", "policy", "disabled"]).success());
    assert_eq!(approver(&["list", "--json"]).success().json()[0]["counts"], false);
    drop(home.run(&["access", "chat", "policy", "allowlist"]).success());
    let removed = approver(&["rm", "alice"]).success().stdout;
    assert!(removed.contains("no longer approve") && removed.contains("may still speak"), "{removed}");
    assert_eq!(access(&home)["allowFrom"], json!(["alice"]));
    // Who may no longer speak approves nothing, not even when they may speak again.
    drop(approver(&["add", "alice"]).success());
    let removed = home.run(&["access", "chat", "remove", "alice"]).success().stdout;
    assert!(removed.contains("approve"), "{removed}");
    drop(home.run(&["access", "chat", "allow", "alice"]).success());
    assert!(approver(&["list"]).success().stdout.contains("Nobody may approve"));
    let help = approver(&["--help"]).success().stdout;
    for words in ["runs on this machine", "Groups never approve", "[permissions]", "two-approvers"] {
        assert!(help.contains(words), "{words:?} is missing: {help}");
    }
}

#[test]
fn how_verdicts_are_given_is_a_setting() {
    let home = Home::with(&Guest::new("chat"));
    drop(home.run(&["access", "chat", "set", "verdicts", "button"]).failure());
    drop(home.run(&["access", "chat", "set", "verdicts", "buttons"]).success());
    assert_eq!(access(&home)["verdicts"], "buttons");
    assert_eq!(home.run(&["access", "chat", "show", "--json"]).success().json()["settings"]["verdicts"], "buttons");
}

/// What `doctor` finds about something: how bad it is, and the whole finding.
fn finding(home: &Home, about: &str) -> (String, String) {
    let found = home.run(&["doctor", "--json"]).json();
    let found = found["findings"].as_array().unwrap().iter().find(|it| it["about"] == about).cloned();
    let found = found.unwrap_or_else(|| panic!("nothing about {about}"));
    (found["level"].as_str().unwrap().to_owned(), found.to_string())
}

#[test]
fn doctor_says_what_keeps_permission_requests_from_being_answered() {
    let mut home = Home::new();
    home.allow("fakechat");
    let (level, nobody) = finding(&home, "approvers of fakechat");
    assert!(level == "note" && nobody.contains("sluicegate access fakechat approver add page"), "{nobody}");
    assert_eq!(finding(&home, "permissions").0, "ok");
    let wrong = home.run(&["access", "fakechat", "approver", "add", "me"]).failure();
    assert!(wrong.stderr.contains("sluicegate access fakechat approver add page"), "{}", wrong.output());
    drop(home.run(&["access", "fakechat", "approver", "add", "page"]).success());
    assert_eq!(finding(&home, "approvers of fakechat").0, "ok");
    drop(home.run(&["access", "fakechat", "set", "verdicts", "buttons"]).success());
    assert_eq!(finding(&home, "approvers of fakechat").0, "ok", "the page has buttons");
    home.table("[permissions]\ntwo-approvers = [\"Bash\"]");
    let (level, one) = finding(&home, "permissions");
    assert!(level == "wrong" && one.contains("only one approver"), "{one}");
    home.replace_table("[permissions]", "[permissions]\nexpiry-minutes = \"hunter2\"");
    let (level, broken) = finding(&home, "permissions");
    assert!(level == "wrong" && broken.contains("1 to 1440") && broken.contains("column 18"), "{broken}");
    assert!(!broken.contains("hunter2"), "{broken}");
    assert_eq!(finding(&home, "config.toml").0, "ok", "the rest of the settings counts");
}
