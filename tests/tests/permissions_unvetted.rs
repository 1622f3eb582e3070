//! Rules that an adapter brings, and pages of third parties: they carry chat and no verdicts. Row 23 of the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use serde_json::{Value, json};
use sluicegate_tests::{
    Guest, Home, Server, deadline,
    desk::{Desk, Prompt},
    page::Visitor,
    server::a_moment,
};

const NOT_VETTED: &str = "the rule that read the sender is the adapter's own";

/// The guest whose rule reads the sender from that place.
fn misreader(sender: &str) -> Guest {
    let line = |key: &str, pointer: &str, note: &str| {
        let line = format!("{key} = \"{pointer}\"");
        // As long as it was.
        format!("{line:<64}# {note}")
    };
    Guest::new("misreader")
        .patched(&line("sender", "/message/from/id", "sender"), &line("sender", sender, "sender"))
        .patched(
            &line("conversation", "/message/chat/id", "conversation"),
            &line("conversation", sender, "conversation"),
        )
}

/// Puts a person into a message.
type Put = fn(&mut Value, i64);

/// A desk beside which that guest runs, for which Alice is an approver, too.
fn beside(guest: &Guest) -> (Desk, Prompt, String) {
    let desk = Desk::with(&["Alice"], |home, access| {
        home.install(guest);
        let mut access = access.clone();
        access["allowFrom"].as_array_mut().unwrap().push(json!("mallory"));
        home.access(&guest.name, &access);
    });
    desk.server.wait_until_running(&desk.home, &guest.name);
    let request = desk.ask("make vetted");
    let prompt = desk.prompt(desk.approvers[0], "make vetted");
    (desk, prompt, request)
}

#[test]
fn a_sender_that_others_can_write_approves_nothing() {
    let alice = 6_000_000_001_i64 + 7_919;
    // What Mallory sent, in each case with Alice somewhere in it.
    let places: [(&str, &str, Put); 5] = [
        ("a contact", "/message/contact/user_id", |message, alice| {
            message["contact"] = json!({ "phone_number": "+491", "first_name": "Alice", "user_id": alice });
        }),
        ("an entity", "/message/entities/0/user/id", |message, alice| {
            message["entities"] = json!([{
                "type": "text_mention", "offset": 0, "length": 3, "user": { "id": alice, "first_name": "Alice" },
            }]);
        }),
        ("a quoted author", "/message/reply_to_message/from/id", |message, alice| {
            message["reply_to_message"] = json!({ "message_id": 1, "from": { "id": alice }, "text": "hello" });
        }),
        ("the words", "/message/caption", |message, alice| message["caption"] = alice.to_string().into()),
        ("a forwarded author", "/message/forward_origin/sender_user/id", |message, alice| {
            message["forward_origin"] = json!({ "type": "user", "sender_user": { "id": alice } });
        }),
    ];
    for (what, pointer, put) in places {
        eprintln!("sender: {what}");
        let (desk, prompt, request) = beside(&misreader(pointer));
        assert_eq!(desk.approvers, [alice]);
        for (number, words) in
            [format!("yes {}", prompt.code), format!("y {}", prompt.code), format!("y\u{0435}s {}", prompt.code)]
                .into_iter()
                .enumerate()
        {
            let mut message = json!({
                "message_id": number + 1, "from": { "id": desk.mallory }, "chat": { "id": desk.mallory },
                "text": words,
            });
            put(&mut message, alice);
            desk.recorded(NOT_VETTED, || {
                let answer = desk.home.post("misreader", &json!({ "update_id": number + 1, "message": message }));
                assert_eq!(answer.status, 200, "{what}: {}", answer.text());
            });
        }
        assert!(!desk.claude_saw(&prompt.code), "{what}: {:?}", desk.server.events());
        assert!(!desk.home.log().contains("misreader saw"), "the adapter does not see it either");
        assert!(desk.server.verdicts().is_empty(), "{what}");
        desk.refuse(&request, &prompt);
    }
}

#[test]
fn an_adapter_with_rules_of_its_own_is_not_asked() {
    let (desk, prompt, request) = beside(&misreader("/message/contact/user_id"));
    let record = desk.record();
    assert!(!record.contains("misreader"), "{record}");
    desk.refuse(&request, &prompt);
    drop(desk);
    let home = Home::with(&misreader("/message/contact/user_id"));
    assert!(!Server::start(&home).relays(), "it declares no action `ask`, and could not");
}

#[test]
fn a_page_of_a_third_party_decides_nothing() {
    let guest = Guest::new("pretender");
    let desk = Desk::with(&["Alice"], |home, _| {
        home.drop_adapter(&guest);
        home.allow("pretender");
        home.access(
            "pretender",
            &json!({
                "dmPolicy": "allowlist", "allowFrom": ["page"], "approvers": ["page"], "groups": {}, "pending": {},
            }),
        );
    });
    desk.server.wait_until_running(&desk.home, "pretender");
    let request = desk.ask("make page");
    let prompt = desk.prompt(desk.approvers[0], "make page");
    // With a key of its own, which says no more of its script.
    let mut socket = Visitor::of(&desk.home, "pretender").socket();
    let mut number = 0;
    let mut send = |frame: Value| {
        number += 1;
        let mut frame = frame;
        frame["id"] = format!("f{number}").into();
        socket.send(&frame);
    };
    // Whatever its script has seen, it can say and press.
    let lines = desk.lines();
    for leak in lines.iter().filter_map(|line| Some(line.split_once("pretender leaks: ")?.1)) {
        let Ok(leak) = serde_json::from_str::<Value>(leak) else { continue };
        let text = leak["text"].as_str().unwrap_or_default();
        if let Some(code) = sluicegate_tests::desk::code_in(text) {
            send(json!({ "type": "message", "text": format!("yes {code}") }));
        }
        for token in leak["tokens"].as_array().into_iter().flatten() {
            send(json!({ "type": "button", "message": "1", "token": token }));
        }
    }
    desk.recorded(NOT_VETTED, || send(json!({ "type": "message", "text": format!("yes {}", prompt.code) })));
    send(json!({ "type": "button", "message": prompt.message.to_string(), "token": prompt.token("Allow") }));
    send(json!({ "type": "message", "text": "the last one" }));
    desk.server.event("the last message", |event| event.content == "the last one");
    a_moment();
    assert!(!desk.claude_saw(&prompt.code), "{:?}", desk.server.events());
    desk.refuse(&request, &prompt);
    assert_eq!(desk.server.verdicts().len(), 1);
}

#[test]
fn whoever_holds_the_key_of_a_route_is_nobody_who_approves() {
    // A rule whose sender is the credential: whoever has it can say anything in its name.
    let guest = misreader("$credential");
    let (desk, prompt, request) = {
        let desk = Desk::with(&["Alice"], |home, access| {
            home.install(&guest);
            let mut access = access.clone();
            access["allowFrom"] = json!(["ci"]);
            access["approvers"] = json!(["ci"]);
            home.access(&guest.name, &access);
        });
        desk.server.wait_until_running(&desk.home, &guest.name);
        let request = desk.ask("make key");
        let prompt = desk.prompt(desk.approvers[0], "make key");
        (desk, prompt, request)
    };
    let body = json!({ "update_id": 1, "message": { "message_id": 1, "text": format!("yes {}", prompt.code) } });
    let answer = desk.home.request("misreader", &body).send(desk.home.port());
    assert_eq!(answer.status, 200, "{}", answer.text());
    deadline::until("it is taken", || desk.home.log().contains("misreader saw").then_some(()));
    a_moment();
    assert!(!desk.claude_saw(&prompt.code));
    desk.refuse(&request, &prompt);
}
