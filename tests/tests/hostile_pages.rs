//! Pages of third parties, which share an origin with fakechat's, and servers on other ports, which its cookie is sent
//! to: neither presses a button of a permission prompt. Rows 11 and 23 of the threat model, in real Chromium.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sluicegate_tests::{Guest, Home, Server, deadline, node, page::Visitor, server::a_moment, websocket::Socket};

const NOT_VETTED: &str = "the rule that read the sender is the adapter's own";

/// fakechat, where whoever has the page open approves.
fn approving(others: &[&Guest]) -> (Home, Server) {
    let home = Home::new();
    home.allow("fakechat");
    let page = json!(["page"]);
    let access = json!({ "dmPolicy": "allowlist", "allowFrom": page, "approvers": page, "groups": {}, "pending": {} });
    home.access("fakechat", &access);
    for guest in others {
        home.drop_adapter(guest);
        home.allow(&guest.name);
    }
    let server = Server::start(&home);
    server.wait_until_running(&home, "fakechat");
    for guest in others {
        server.wait_until_running(&home, &guest.name);
    }
    (home, server)
}

/// Has the browser try that; `None` where there is none.
fn attack(home: &Home, name: &str) -> Option<Value> {
    let clients = node::browser()?;
    let mut command = Command::new("node");
    command.arg(clients.join("hostile_page.mjs")).arg(name);
    command.env("PORT", home.port().to_string()).env("TOKEN", home.page_token());
    let run = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().expect("node can be run");
    let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{stdout}{stderr}");
    Some(serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}")))
}

/// Waits for the prompt with these words and gives the frame of a press on its Allow.
fn press(socket: &mut Socket, words: &str) -> Value {
    let is_it = |message: &Value| message["text"].as_str().is_some_and(|text| text.contains(words));
    let messages =
        |frame: &Value| frame["messages"].as_array().cloned().unwrap_or_else(|| vec![frame["message"].clone()]);
    let frame = socket.receive("the prompt", |frame| messages(frame).iter().any(is_it));
    let prompt = messages(&frame).into_iter().find(is_it).unwrap();
    let choices = prompt["choices"].as_array().expect("the prompt has buttons");
    let allow = choices.iter().find(|choice| choice["label"].as_str().is_some_and(|label| label.contains("Allow")));
    json!({ "type": "button", "id": "p1", "message": prompt["id"], "token": allow.expect("Allow")["token"] })
}

/// The same press once more, which is another event.
fn again(press: &Value) -> Value {
    let mut press = press.clone();
    press["id"] = "p2".into();
    press
}

fn ask(server: &Server, command: &str) -> String {
    server.ask_permission("Bash", "Runs a command", &json!({ "command": command }).to_string())
}

/// What `sluicegate log --permissions` shows, in one line.
fn record(home: &Home) -> String {
    let shown = home.run(&["log", "--permissions", "-n", "1000"]).success();
    shown.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Presses, waits until the record says that it counts for nothing, and checks that it does not.
fn counts_for_nothing(home: &Home, server: &Server, socket: &mut Socket, press: &Value) {
    let (refused, before) = (|| record(home).matches(NOT_VETTED).count(), server.verdicts());
    let earlier = refused();
    socket.send(press);
    deadline::until("the press is recorded", || (refused() > earlier).then_some(()));
    a_moment();
    assert_eq!(server.verdicts(), before);
}

#[test]
fn a_page_of_a_third_party_reaches_no_window_of_the_origin_but_its_own() {
    let (home, server) = approving(&[&Guest::new("pretender")]);
    ask(&server, "rm -rf ~");
    let Some(tried) = attack(&home, "frames") else { return };
    let tried = tried.as_object().unwrap();
    let reached: Vec<_> = tried.iter().filter(|(_, reached)| **reached != json!("")).collect();
    assert!(tried.len() > 10 && reached.is_empty(), "{reached:#?}");
    assert!(server.verdicts().is_empty(), "{:?}", server.verdicts());
}

#[test]
fn a_page_of_a_third_party_puts_no_worker_in_the_hosts_place() {
    let (home, server) = approving(&[&Guest::new("pretender")]);
    ask(&server, "rm -rf ~");
    let Some(tried) = attack(&home, "workers") else { return };
    let nothing = json!({ "service": "", "worker": "", "shared": "", "title": "pretender", "afterwards": "" });
    assert_eq!(tried, nothing);
    assert!(server.verdicts().is_empty(), "{:?}", server.verdicts());
}

#[test]
fn the_cookie_that_another_port_is_sent_answers_no_prompt() {
    let (home, server) = approving(&[]);
    let asked = ask(&server, "make cookie");
    let Some(stolen) = attack(&home, "cookie") else { return };
    let mut visitor = Visitor::of(&home, "fakechat");
    assert_eq!(stolen["kept"], json!({}), "the key is not the other port's");
    let cookie = stolen["cookie"].as_str().expect("cookies know no ports").to_owned();
    assert_eq!(cookie, visitor.cookie);
    visitor.cookie = cookie;
    let mut thief = visitor.socket_without();
    let allow = press(&mut thief, "make cookie");
    counts_for_nothing(&home, &server, &mut thief, &allow);
    visitor.socket().send(&again(&allow));
    assert_eq!(server.verdict_on(&asked), "allow", "with the key it does");
}

#[test]
fn a_page_says_yes_with_its_key_alone() {
    let (home, server) = approving(&[]);
    let visitor = Visitor::of(&home, "fakechat");
    assert_eq!(visitor.key.len(), 32, "{}", visitor.key);
    for wrong in ["", "0", &"0".repeat(32), &visitor.key[..31], &visitor.key.to_uppercase(), &home.page_token()] {
        assert_eq!(visitor.socket_with(wrong).unwrap_err(), 401, "{wrong}");
    }
    let twice = format!("{}&key={}", visitor.key, visitor.key);
    assert_eq!(visitor.socket_with(&twice).unwrap_err(), 401, "twice");

    let asked = ask(&server, "make key");
    let (mut bare, mut keyed) = (visitor.socket_without(), visitor.socket());
    let allow = press(&mut bare, "make key");
    counts_for_nothing(&home, &server, &mut bare, &allow);
    bare.send(&json!({ "type": "message", "id": "m1", "text": "and chat goes on" }));
    server.event_of("m1");
    keyed.send(&again(&allow));
    assert_eq!(server.verdict_on(&asked), "allow");
}

#[test]
fn while_a_page_of_a_third_party_runs_fakechat_neither_asks_nor_decides() {
    let guest = Guest::new("pretender");
    let (home, server) = approving(&[]);
    let mut socket = Visitor::of(&home, "fakechat").socket();
    let asked = ask(&server, "make first");
    let allow = press(&mut socket, "make first");

    home.drop_adapter(&guest);
    home.allow("pretender");
    server.wait_until_running(&home, "pretender");
    counts_for_nothing(&home, &server, &mut socket, &allow);
    ask(&server, "make second");
    let why = deadline::until("it says why nobody is asked", || {
        let record = record(&home);
        record.contains("`sluicegate revoke pretender`").then_some(record)
    });
    assert!(why.contains("fakechat asks nobody while the page of pretender"), "{why}");

    drop(home.run(&["revoke", "pretender", "--yes"]).success());
    deadline::until("it has stopped", || (!home.run(&["status"]).stdout.contains("pretender")).then_some(()));
    socket.send(&again(&allow));
    assert_eq!(server.verdict_on(&asked), "allow");
    ask(&server, "make third");
    press(&mut socket, "make third");
}
