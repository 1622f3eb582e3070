//! A prompt stays what the host wrote: Claude, who may be talked into anything, cannot change it by its own tool.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use serde_json::json;
use sluicegate_tests::{
    ToolResult,
    bot::event_saying,
    desk::{Desk, Prompt},
    telegram::Fault,
};

/// What an approver should see in place of the request.
const HARMLESS: &str = "Claude wants to use Bash\n\ncommand:\n  npm test";

/// Somebody writes, so that Claude's calls do not say that its own dialog was answered.
fn news(desk: &Desk) {
    desk.says(desk.mallory, "news");
    event_saying(&desk.server, "news");
}

fn edit(desk: &Desk, chat: i64, message: &str) -> ToolResult {
    let arguments = json!({ "chat_id": chat.to_string(), "message_id": message, "text": HARMLESS });
    desk.server.call("edit_message", &arguments)
}

fn stands(desk: &Desk, prompt: &Prompt) {
    assert_eq!(desk.again(prompt).text, prompt.text);
    let edits = desk.telegram.look(|view| view.edits());
    assert!(edits.iter().all(|(_, message, _)| *message != prompt.message), "{edits:#?}");
}

#[test]
fn claude_cannot_change_a_prompt_however_it_spells_its_id() {
    let desk = Desk::new(&["Alice"]);
    let alice = desk.approvers[0];
    desk.says(alice, "hello");
    event_saying(&desk.server, "hello");
    let request = desk.ask("make everything");
    let prompt = desk.prompt(alice, "make everything");
    news(&desk);
    let id = prompt.message;
    let wrapped = id + (1 << 32);
    for spelling in [
        id.to_string(),
        format!("{id}x"),
        format!("{id} "),
        format!(" {id}"),
        format!("+{id}"),
        format!("0{id}"),
        format!("{id}.0"),
        format!("{id}e0"),
        format!("{wrapped}"),
        format!("{id}\u{200b}"),
        format!("٠{id}"),
    ] {
        let answer = edit(&desk, alice, &spelling);
        assert!(answer.is_error, "{spelling:?}: {}", answer.text);
        stands(&desk, &prompt);
    }
    desk.press(&prompt, "Deny");
    assert_eq!(desk.server.verdict_on(&request), "deny");
    desk.closed(&prompt);
    assert!(edit(&desk, alice, &id.to_string()).is_error, "nor one that is over");
}

#[test]
fn claude_cannot_change_a_prompt_that_is_on_its_way() {
    let desk = Desk::new(&["Alice"]);
    let alice = desk.approvers[0];
    desk.says(alice, "hello");
    event_saying(&desk.server, "hello");
    // Telegram has taken the prompt, and the host does not know it yet.
    desk.telegram.inject_on("sendMessage", Fault::Slow(Duration::from_secs(2)), 1);
    let request = desk.ask("make everything");
    let prompt = desk.prompt(alice, "make everything");
    news(&desk);
    let answer = edit(&desk, alice, &prompt.message.to_string());
    assert!(answer.is_error, "{}", answer.text);
    stands(&desk, &prompt);
    desk.press(&prompt, "Deny");
    assert_eq!(desk.server.verdict_on(&request), "deny");
}

#[test]
fn claude_changes_its_own_messages_as_before() {
    let desk = Desk::new(&["Alice"]);
    let alice = desk.approvers[0];
    desk.says(alice, "hello");
    event_saying(&desk.server, "hello");
    let sent = desk.server.call("reply", &json!({ "chat_id": alice.to_string(), "text": "hi there" }));
    assert!(!sent.is_error, "{}", sent.text);
    let mine = desk.telegram.wait_for_text(alice, "hi there")["message_id"].as_i64().unwrap();
    let answer = edit(&desk, alice, &mine.to_string());
    assert!(!answer.is_error, "{}", answer.text);
}
