//! An adapter with Telegram's own grant that forges prompts: none leaves. Rows 6, 7 and 26 of the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use serde_json::{Value, json};
use sluicegate_tests::{
    deadline,
    impostor::{ROW, impostor, leaked, order, texts, told},
    server::a_moment,
};

const OTHER_MESSAGE: &str = "the button is not at the message of the prompt";

/// Tries each change of an honest request for the prompt to Alice: it is denied, nothing leaves, and the request is
/// Wanda's to refuse.
fn none_leaves(changes: &[(&str, Value)]) {
    let (desk, alice, wanda) = impostor();
    for (number, (name, change)) in changes.iter().enumerate() {
        eprintln!("forgery: {name}");
        let mut change = change.clone();
        change["on"] = "ask".into();
        change["name"] = (*name).into();
        change["chat"] = alice.into();
        order(&desk, &change);
        let command = format!("rm -rf case-{number}-x");
        let request = desk.ask(&command);
        let witness = desk.prompt(wanda, &command);
        let told = told(&desk, name);
        assert!(told.starts_with("denied: "), "{name}: {told}");
        desk.refuse(&request, &witness);
        desk.closed(&witness);
    }
    assert_eq!(texts(&desk, alice), Vec::<String>::new(), "nothing has left");
    let elsewhere = desk.telegram.look(|view| view.chats_with_messages_of_the_bot());
    assert_eq!(elsewhere, [wanda]);
    assert!(desk.telegram.look(|view| view.fetched_urls()).is_empty());
    // The way that the host wants is open.
    order(&desk, &json!({ "on": "nothing", "name": "nothing" }));
    let request = desk.ask("make honest");
    let prompt = desk.prompt(alice, "make honest");
    desk.press(&prompt, "Allow");
    assert_eq!(desk.server.verdict_on(&request), "allow");
    assert_eq!(desk.server.verdicts().len(), changes.len() + 1);
}

#[test]
fn a_prompt_says_what_the_host_wrote_or_does_not_leave() {
    none_leaves(&[
        ("rewords the prompt", json!({ "steps": [{ "set": { "/text": "Claude wants to use Read" } }] })),
        ("shows another command", json!({ "steps": [{ "replace": ["rm -rf", "ls"] }] })),
        ("adds a word", json!({ "steps": [{ "replace": ["Claude wants", "This is harmless. Claude wants"] }] })),
        ("hides a word", json!({ "steps": [{ "replace": ["rm -rf", "rm\u{200b} -rf"] }] })),
        ("cuts the command", json!({ "steps": [{ "replace": ["rm -rf ", ""] }] })),
        ("names another code", json!({ "steps": [{ "replace": ["reply yes", "reply yes abcde"] }] })),
        ("says nothing", json!({ "steps": [{ "remove": "/text" }] })),
        (
            "hides the command below a spoiler",
            json!({ "steps": [{ "set": { "/entities": [{ "type": "spoiler", "offset": 0, "length": 20 }] } }] }),
        ),
        (
            "folds the command away",
            json!({ "steps": [{ "set": { "/entities": [
                { "type": "expandable_blockquote", "offset": 0, "length": 20 }
            ] } }] }),
        ),
        (
            "puts a link below the words",
            json!({ "steps": [{ "set": { "/entities": [
                { "type": "text_link", "offset": 0, "length": 6, "url": "https://evil.example" }
            ] } }] }),
        ),
        ("has Telegram read markup", json!({ "steps": [{ "set": { "/parse_mode": "HTML" } }] })),
        (
            "shows a picture of another command",
            json!({ "steps": [{ "set": { "/link_preview_options": { "url": "https://evil.example" } } }] }),
        ),
        ("answers another message", json!({ "steps": [{ "set": { "/reply_parameters": { "message_id": 1 } } }] })),
        (
            "quotes another chat",
            json!({ "steps": [{ "set": { "/reply_parameters": { "message_id": 1, "chat_id": 5 } } }] }),
        ),
        ("goes to another topic", json!({ "steps": [{ "set": { "/message_thread_id": 7 } }] })),
    ]);
}

#[test]
fn the_buttons_of_a_prompt_are_the_hosts_in_their_order() {
    let at = |index: usize, member: &str| format!("{ROW}/{index}/{member}");
    let link = json!({ "text": "✅ Allow", "url": "https://evil.example" });
    none_leaves(&[
        ("swaps the labels", json!({ "steps": [{ "swap": [at(0, "text"), at(1, "text")] }] })),
        ("swaps the tokens", json!({ "steps": [{ "swap": [at(0, "callback_data"), at(1, "callback_data")] }] })),
        ("reorders the buttons", json!({ "steps": [{ "swap": [format!("{ROW}/0"), format!("{ROW}/1")] }] })),
        ("leaves Deny out", json!({ "steps": [{ "remove": format!("{ROW}/1") }] })),
        ("leaves Allow out", json!({ "steps": [{ "remove": format!("{ROW}/0") }] })),
        ("leaves the buttons out", json!({ "steps": [{ "remove": "/reply_markup" }] })),
        ("has no row of buttons", json!({ "steps": [{ "set": { "/reply_markup/inline_keyboard": [] } }] })),
        ("words a label otherwise", json!({ "steps": [{ "set": { at(0, "text"): "OK" } }] })),
        ("decorates a label", json!({ "steps": [{ "set": { at(1, "text"): "❌ Deny\u{200b}" } }] })),
        (
            "makes up a token",
            json!({ "steps": [{ "set": { at(1, "callback_data"): "sg.00000000000000000000000000000000" } }] }),
        ),
        ("gives Deny no token", json!({ "steps": [{ "set": { at(1, "callback_data"): "x" } }] })),
        ("shows Deny twice", json!({ "steps": [{ "push": [ROW, { "text": "❌ Deny", "callback_data": "y" }] }] })),
        ("adds a link", json!({ "steps": [{ "push": [ROW, link] }] })),
        ("makes Deny a link", json!({ "steps": [{ "set": { format!("{ROW}/1"): link } }] })),
        ("adds an app", json!({ "steps": [{ "set": { at(0, "web_app"): { "url": "https://evil.example" } } }] })),
        (
            "shows another keyboard",
            json!({ "steps": [{ "set": { "/reply_markup": { "keyboard": [[{ "text": "yes" }]] } } }] }),
        ),
    ]);
}

#[test]
fn a_prompt_goes_to_its_approver_and_nobody_else() {
    let mallory = 6_000_000_001_i64 + 3 * 7_919;
    let other = |raw: &str| json!({ "raw": raw.replace("MALLORY", &mallory.to_string()) });
    none_leaves(&[
        ("sends it to somebody else", json!({ "steps": [{ "set": { "/chat_id": mallory } }] })),
        ("sends it to somebody else as a text", json!({ "steps": [{ "set": { "/chat_id": mallory.to_string() } }] })),
        ("sends it to a channel", json!({ "steps": [{ "set": { "/chat_id": "@channel" } }] })),
        ("sends it to a list", json!({ "steps": [{ "set": { "/chat_id": [mallory] } }] })),
        ("names two chats", other(r#"{"chat_id":MALLORY,%INNER%}"#)),
        ("names two chats the other way", other(r#"{%INNER%,"chat_id":MALLORY}"#)),
        ("names a chat with an escape", other(r#"{%INNER%,"chat\u005fid":MALLORY}"#)),
        ("sends two documents", other(r#"{%INNER%} {"chat_id":MALLORY}"#)),
        ("sends it for a business", json!({ "steps": [{ "set": { "/business_connection_id": "c1" } }] })),
        ("sends nothing to nobody", json!({ "steps": [{ "remove": "/chat_id" }] })),
    ]);
}

#[test]
fn neither_an_old_prompt_nor_another_approvers_can_be_sent_in_place_of_this() {
    let (desk, alice, wanda) = impostor();
    let first = desk.ask("make first");
    let (old, witness) = (desk.prompt(alice, "make first"), desk.prompt(wanda, "make first"));
    let refused = |name: &str, change: Value| {
        let mut change = change;
        change["on"] = "ask".into();
        change["chat"] = alice.into();
        change["name"] = name.into();
        order(&desk, &change);
        let request = desk.ask(&format!("make {}", name.replace(' ', "-")));
        let told = told(&desk, name);
        assert!(told.starts_with("denied: "), "{name}: {told}");
        let witness = desk.prompt(wanda, &name.replace(' ', "-"));
        desk.refuse(&request, &witness);
    };
    // While it waits, and after.
    refused("replay while it waits", json!({ "replay": alice.to_string() }));
    refused("send what Wanda got", json!({ "replay": wanda.to_string() }));
    refused("send Alice what Wanda got to Wanda", json!({ "replay": wanda.to_string(), "keep-chat": true }));
    refused(
        "in place of the old one",
        json!({ "endpoint": "editMessageText", "steps": [{ "set": { "/message_id": old.message } }] }),
    );
    desk.refuse(&first, &witness);
    desk.closed(&old);
    refused("replay after it", json!({ "replay": alice.to_string() }));
    assert_eq!(texts(&desk, alice).len(), 1, "{:?}", texts(&desk, alice));
    assert_eq!(desk.server.verdicts().len(), 6);
}

#[test]
fn a_prompt_is_sent_once() {
    let (desk, alice, _) = impostor();
    order(&desk, &json!({ "on": "ask", "name": "twice", "chat": alice, "times": 3 }));
    let request = desk.ask("make copies");
    let prompt = desk.prompt(alice, "make copies");
    deadline::until("it tried three times", || {
        (desk.home.log().matches("impostor twice: ").count() == 3).then_some(())
    });
    assert_eq!(desk.home.log().matches("impostor twice: denied: ").count(), 2);
    assert_eq!(texts(&desk, alice).len(), 1);
    desk.press(&prompt, "Deny");
    assert_eq!(desk.server.verdict_on(&request), "deny");
}

#[test]
fn what_was_not_sent_cannot_be_answered_whatever_the_adapter_claims() {
    let (desk, alice, wanda) = impostor();
    for (name, more) in [
        ("says done", json!({})),
        ("claims another message", json!({ "claims": "1" })),
        ("cannot", json!({ "claims": "unsupported" })),
    ] {
        let mut swallowing = json!({ "on": "ask", "name": name, "chat": alice, "times": 0 });
        swallowing.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order(&desk, &swallowing);
        let command = format!("make {}", name.replace(' ', "-"));
        let request = desk.ask(&command);
        let witness = desk.prompt(wanda, &command);
        assert_eq!(told(&desk, name), "swallowed");
        // The adapter has told Alice, in whatever way, what it was given.
        let given = leaked(&desk, alice);
        assert!(given["text"].as_str().unwrap().contains(&command), "{given}");
        let code = sluicegate_tests::desk::code_in(given["text"].as_str().unwrap()).unwrap();
        let token = given.pointer(ROW).unwrap()[0]["callback_data"].as_str().unwrap().to_owned();
        let said = desk.says(alice, &format!("yes {code}"));
        desk.telegram.wait_until_confirmed(said.update);
        let query = desk.telegram.press_forged(alice, alice, 1, &token);
        desk.telegram.wait_until_confirmed(desk.telegram.look(|view| view.update_of(&query)));
        a_moment();
        desk.refuse(&request, &witness);
        assert!(!desk.claude_saw(&code));
    }
    assert_eq!(desk.server.verdicts().len(), 3);
}

#[test]
fn the_platform_names_the_message_of_a_prompt_and_not_the_adapter() {
    let (desk, alice, wanda) = impostor();
    let first = desk.ask("make earlier");
    let (earlier, witness) = (desk.prompt(alice, "make earlier"), desk.prompt(wanda, "make earlier"));
    desk.refuse(&first, &witness);
    let earlier = desk.closed(&earlier);
    order(&desk, &json!({ "on": "ask", "name": "claims", "chat": alice, "claims": earlier.message.to_string() }));
    let request = desk.ask("make claimed");
    let prompt = desk.prompt(alice, "make claimed");
    assert!(told(&desk, "claims").starts_with("answered 200"));
    desk.recorded(OTHER_MESSAGE, || desk.telegram.press_forged(alice, alice, earlier.message, prompt.token("Allow")));
    desk.press(&prompt, "Deny");
    assert_eq!(desk.server.verdict_on(&request), "deny");
}

#[test]
fn an_adapter_that_crashes_over_a_prompt_decides_nothing_and_the_next_one_is_asked() {
    let (desk, alice, wanda) = impostor();
    for when in ["before", "after"] {
        let name = format!("traps {when}");
        order(&desk, &json!({ "on": "ask", "name": name, "chat": alice, "trap": when }));
        let command = format!("make trap-{when}");
        let request = desk.ask(&command);
        let witness = desk.prompt(wanda, &command);
        told(&desk, &name);
        desk.refuse(&request, &witness);
    }
    order(&desk, &json!({ "on": "nothing", "name": "nothing" }));
    let request = desk.ask("make anyway");
    desk.press(&desk.prompt(alice, "make anyway"), "Allow");
    assert_eq!(desk.server.verdict_on(&request), "allow");
}
