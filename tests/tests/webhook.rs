//! Webhooks from a signed request to the event that Claude sees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::{Value, json};
use sluicegate_tests::{
    Home, Server,
    http::{self, Request, post},
    journal, node, says,
    sign::{self, Scheme, Signer},
};

/// A home where `webhook` is allowed and `ci` signs in that way.
fn webhook(signer: &Signer) -> Home {
    let mut home = Home::new();
    home.allow("webhook");
    home.credential("webhook", "ci", signer);
    home
}

fn github() -> Signer {
    Signer::new(Scheme::Github, 1)
}

fn signed(signer: &Signer, id: &str, body: &str) -> Request {
    let request = Request::new("POST", "/webhook/ci").header("Content-Type", "application/json");
    request.headers(signer.sign(id, body.as_bytes())).body(body)
}

#[test]
fn a_signed_event_reaches_claude_with_its_attributes() {
    let home = webhook(&github());
    let server = Server::start(&home);
    server.wait_until_running(&home, "webhook");
    let body = json!({ "zen": "Keep it logically awesome.", "hook_id": 7 }).to_string();
    let request = signed(&github(), "1", &body).header("X-GitHub-Event", "ping");
    assert_eq!(request.send(home.port()).status, 200);

    let event = server.event("the ping", |event| event.attribute("event") == "ping");
    for (attribute, value) in [
        ("channel", "webhook"),
        ("chat_id", "ci"),
        ("user", "ci"),
        ("user_id", "ci"),
        ("path", "/ci"),
        ("method", "POST"),
    ] {
        assert_eq!(event.attribute(attribute), value, "{attribute}: {event:?}");
    }
    assert!(!event.id().is_empty(), "{event:?}");
    assert!(event.attribute("ts").starts_with("20") && event.attribute("ts").ends_with('Z'), "{event:?}");
    assert!(!event.is_redelivered(), "{event:?}");
    assert!(event.content.contains("Keep it logically awesome."), "{event:?}");
    assert_eq!(server.tool_names(), [""; 0], "nobody can be answered, so there is no tool");
}

#[test]
fn every_scheme_is_verified_and_each_event_is_taken_once() {
    let mut home = Home::new();
    home.allow("webhook");
    let signers = Scheme::ALL.map(|scheme| Signer::new(scheme, 3));
    for signer in &signers {
        home.credential("webhook", signer.scheme.word(), signer);
    }
    let server = Server::start(&home);
    server.wait_until_running(&home, "webhook");
    for signer in &signers {
        let scheme = signer.scheme;
        let word = scheme.word();
        let target = format!("/webhook/{word}");
        let body = format!("hello from {word}");
        let named = |id: &str, headers: sign::Headers, body: &str| {
            // Services that sign nothing name their events in this header.
            let request = Request::new("POST", &target).header("Content-Type", "text/plain").headers(headers);
            let request = if scheme.covers_body() { request } else { request.header("Idempotency-Key", id) };
            request.body(body).send(home.port()).status
        };
        let post = |id: &str, headers: sign::Headers| named(id, headers, &body);
        let id = format!("msg-{word}");

        assert_eq!(post(&id, vec![]), 401, "{word}: unsigned");
        let stranger = Signer::new(scheme, 4);
        assert_eq!(post(&id, stranger.sign(&id, body.as_bytes())), 401, "{word}: another key");
        if scheme.covers_body() {
            let headers = signer.sign(&id, b"another body");
            assert_eq!(post(&id, headers), 401, "{word}: another body");
        }
        if scheme.has_time() {
            for seconds in [sign::now() - 3600, sign::now() + 3600] {
                let headers = signer.sign_at(&id, seconds, body.as_bytes());
                assert_eq!(post(&id, headers), 401, "{word}: another hour");
            }
        }
        assert_eq!(post(&id, signer.sign(&id, body.as_bytes())), 200, "{word}");
        // A platform that saw no answer signs anew, a moment later.
        let again = signer.sign_at(&id, sign::now() - 1, body.as_bytes());
        let names_event = scheme != Scheme::Slack && scheme != Scheme::Ed25519;
        if names_event {
            assert_eq!(post(&id, again), 200, "{word}: again");
        }
        let event = server.event(word, |event| event.attribute("chat_id") == word);
        assert_eq!(event.content, body);
    }
    let kept = journal::messages(&home, "webhook");
    assert_eq!(kept.len(), signers.len(), "each event is kept once: {kept:?}");
    assert!(kept.values().all(|count| *count == 1), "{kept:?}");
}

#[test]
fn a_replayed_request_is_answered_and_delivered_once() {
    let home = webhook(&github());
    let server = Server::start(&home);
    server.wait_until_running(&home, "webhook");
    let request = signed(&github(), "1", r#"{"once":"only"}"#);
    for attempt in 0..3 {
        // The delivery's number is not signed, so another one makes no other event.
        let request = request.clone().header("X-GitHub-Delivery", format!("d-{attempt}"));
        assert_eq!(request.send(home.port()).status, 200);
    }
    assert_eq!(signed(&github(), "2", r#"{"then":"last"}"#).send(home.port()).status, 200);
    server.event("the last one", |event| event.content.contains("last"));
    assert_eq!(server.events().len(), 2, "{:#?}", server.events());
    // Also after a restart.
    assert!(server.end_by(sluicegate_tests::server::Signal::TERM).status.success());
    let server = Server::start(&home);
    server.wait_until_running(&home, "webhook");
    assert_eq!(request.send(home.port()).status, 200);
    assert_eq!(signed(&github(), "3", r#"{"really":"last now"}"#).send(home.port()).status, 200);
    server.event("the last one", |event| event.content.contains("last now"));
    assert!(!server.events().iter().any(|event| event.content.contains("only")), "{:#?}", server.events());
}

#[test]
fn every_refusal_has_its_status() {
    let mut home = webhook(&github());
    home.install(&sluicegate_tests::Guest::new("chat"));
    home.table("[adapters.chat.limits]\nbody-kib = 64");
    let server = Server::start(&home);
    server.wait_until_running(&home, "webhook");
    server.wait_until_running(&home, "chat");
    let port = home.port();
    let chat = |body: &Value| home.request("chat", body);
    let large = "x".repeat(65 * 1024);
    let table: Vec<(&str, Request, u16)> = vec![
        ("as it must be", chat(&says("1", "hello")), 200),
        ("no signature", post("/chat/ci", &says("2", "x")), 401),
        ("another token", post("/chat/ci", &says("2", "x")).bearer("wrong"), 401),
        ("the token twice", chat(&says("2", "x")).bearer("wrong"), 401),
        ("the token in the query", post("/chat/ci?token=mF_9.B5f-4.1JqM", &says("2", "x")), 401),
        ("an unknown credential", post("/chat/cd", &says("2", "x")).bearer(sluicegate_tests::home::TOKEN), 401),
        ("no such adapter", post("/nobody/ci", &says("2", "x")), 404),
        ("no such path", post("/chat/ci/more", &says("2", "x")), 404),
        ("an encoded slash", post("/chat%2Fci", &says("2", "x")), 404),
        ("dots", post("/webhook/../chat/ci", &says("2", "x")), 404),
        ("the root", http::get("/"), 404),
        ("another method", Request::new("PUT", "/chat/ci"), 405),
        ("GET", http::get("/chat/ci"), 405),
        ("another host", chat(&says("2", "x")).header("Host", "evil.example"), 421),
        ("another port", chat(&says("2", "x")).header("Host", "127.0.0.1:1"), 421),
        ("too large", chat(&says("2", &large)), 413),
        ("compressed", chat(&says("2", "x")).header("Content-Encoding", "gzip"), 415),
        (
            "no JSON by its type",
            Request::new("POST", "/chat/ci")
                .bearer(sluicegate_tests::home::TOKEN)
                .header("Content-Type", "text/html")
                .body("{}"),
            415,
        ),
        (
            "no JSON at all",
            Request::new("POST", "/chat/ci")
                .bearer(sluicegate_tests::home::TOKEN)
                .header("Content-Type", "application/json")
                .body("{\"id\":"),
            422,
        ),
        ("refused by the adapter", chat(&json!({ "refuse": true })), 422),
    ];
    for (what, request, status) in table {
        let answer = request.send(port);
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        assert!(!answer.text().contains("mF_9"), "{what} repeats the token");
        if status == 405 {
            assert_eq!(answer.header("allow"), Some("POST"), "{what}");
        }
    }
    assert_eq!(chat(&says("last", "last")).send(port).status, 200);
    server.event_of("last");
    let heard: Vec<String> = server.events().iter().map(|event| event.id().to_owned()).collect();
    assert_eq!(heard, ["1", "last"]);
}

#[test]
fn a_chunked_body_is_capped_while_it_is_read() {
    let mut home = Home::with(&sluicegate_tests::Guest::new("chat"));
    home.table("[adapters.chat.limits]\nbody-kib = 64");
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    let mut request = format!(
        "POST /chat/ci HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        home.port(),
        sluicegate_tests::home::TOKEN
    )
    .into_bytes();
    for _ in 0..100 {
        request.extend_from_slice(b"400\r\n");
        request.extend_from_slice(&[b' '; 0x400]);
        request.extend_from_slice(b"\r\n");
    }
    // No end: the answer comes before it.
    assert_eq!(http::raw(home.port(), &request).unwrap().status, 413);
    assert_eq!(home.post("chat", &says("1", "still there")).status, 200);
    server.event_of("1");
}

#[test]
fn all_example_payloads_of_github_arrive() {
    let Some(clients) = node::clients() else { return };
    let index = clients.join("node_modules/@octokit/webhooks-examples/api.github.com/index.json");
    let index: Value = serde_json::from_slice(&std::fs::read(index).unwrap()).unwrap();
    let home = webhook(&github());
    let server = Server::start(&home);
    server.wait_until_running(&home, "webhook");
    let mut connection = http::Connection::open(home.port()).unwrap();
    let mut posted = Vec::new();
    for kind in index.as_array().unwrap() {
        let name = kind["name"].as_str().unwrap();
        for (number, example) in kind["examples"].as_array().unwrap().iter().enumerate() {
            // The package has some examples twice; a member that services may add makes each its own event.
            let mut example = example.clone();
            example["example"] = json!(format!("{name} {number}"));
            let body = example.to_string();
            let request = signed(&github(), name, &body).header("X-GitHub-Event", name);
            let answer = connection.send(&request).unwrap();
            assert_eq!(answer.status, 200, "{name} {number}: {}", answer.text());
            posted.push(name);
        }
    }
    assert!(posted.len() > 200, "the package has its examples");
    let events = server.events_when(posted.len());
    assert_eq!(events.len(), posted.len());
    for (event, name) in events.iter().zip(&posted) {
        assert_eq!(event.attribute("event"), *name);
        assert!(!event.content.trim().is_empty(), "{event:?}");
        assert!(event.content.chars().count() < 20_000, "{name} is too long");
    }
}

#[test]
fn forms_and_plain_text_arrive_as_well() {
    let home = webhook(&github());
    let server = Server::start(&home);
    server.wait_until_running(&home, "webhook");
    let form = "payload=%7B%22zen%22%3A%22form%22%7D";
    let request = |kind: &str, body: &str| {
        let request = Request::new("POST", "/webhook/ci").header("Content-Type", kind);
        request.headers(github().sign("", body.as_bytes())).body(body)
    };
    assert_eq!(request("application/x-www-form-urlencoded", form).send(home.port()).status, 200);
    assert_eq!(request("text/plain", "deploy finished: 3 hosts\n").send(home.port()).status, 200);
    let events = server.events_when(2);
    assert!(events[0].content.contains("form"), "{events:#?}");
    assert_eq!(events[1].content.trim_end(), "deploy finished: 3 hosts");
}
