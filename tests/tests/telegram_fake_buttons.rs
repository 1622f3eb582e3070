//! Buttons of the fake: who can press which, and what the bot is told of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::{Value, json};
use sluicegate_tests::{
    http,
    telegram::{Post, Telegram},
};

fn ask(telegram: &Telegram, method: &str, body: &Value) -> Result<Value, String> {
    let request = http::post(&format!("/bot{}/{method}", telegram.token()), body);
    let answer: Value = serde_json::from_slice(&request.send(telegram.port()).body).expect("an answer is JSON");
    match answer["ok"].as_bool() {
        Some(true) => Ok(answer["result"].clone()),
        _ => Err(answer["description"].as_str().expect("an error has a description").to_owned()),
    }
}

#[test]
fn buttons_are_pressed_where_they_are_and_told_with_what_is_shown() {
    let telegram = Telegram::start();
    let alice = telegram.add_user("Alice");
    let hello = telegram.post(Post::text(alice, "hello")).message;
    let mallory = telegram.add_user("Mallory");
    let keyboard = json!({ "inline_keyboard": [[
        { "text": "✅ Allow", "callback_data": "a".repeat(64) }, { "text": "Why?", "url": "https://example.org" },
    ]] });
    let asked = json!({ "chat_id": alice, "text": "May I?", "reply_markup": keyboard });
    let message = ask(&telegram, "sendMessage", &asked).unwrap()["message_id"].as_i64().unwrap();
    let data = telegram.look(|view| view.button(alice, message, "Allow")).unwrap();
    assert_eq!(telegram.look(|view| view.buttons(alice, message).len()), 2);
    let query = telegram.press(alice, alice, message, &data);
    let told = |query: &str| -> Value {
        let update = telegram.look(|view| view.update_of(query));
        let pending = telegram.look(|view| view.pending());
        pending.into_iter().find(|it| it["update_id"] == update).unwrap()["callback_query"].take()
    };
    let shown = told(&query);
    assert_eq!((&shown["data"], &shown["from"]["id"]), (&json!(data), &json!(alice)));
    assert_eq!((&shown["message"]["text"], &shown["message"]["reply_markup"]), (&json!("May I?"), &keyboard));
    assert!(shown["chat_instance"].is_string() && shown["message"]["from"]["is_bot"] == true, "{shown}");
    assert_eq!(telegram.look(|view| view.unanswered()), std::slice::from_ref(&query));
    ask(&telegram, "answerCallbackQuery", &json!({ "callback_query_id": query })).unwrap();
    assert!(telegram.look(|view| view.unanswered()).is_empty());
    let refused = |act: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(act)).is_err();
    assert!(refused(&|| drop(telegram.press(mallory, alice, message, &data))), "she does not see the chat");
    assert!(refused(&|| drop(telegram.press(alice, alice, message, "b"))), "there is no such button");
    ask(&telegram, "editMessageText", &json!({ "chat_id": alice, "message_id": message, "text": "Allowed" })).unwrap();
    assert!(telegram.look(|view| view.buttons(alice, message)).is_empty());
    assert!(refused(&|| drop(telegram.press(alice, alice, message, &data))), "the buttons are gone");
    let forged = told(&telegram.press_forged(alice, alice, message, &data));
    assert_eq!((&forged["message"]["text"], &forged["message"]["reply_markup"]), (&json!("Allowed"), &Value::Null));
    ask(&telegram, "deleteMessage", &json!({ "chat_id": alice, "message_id": message })).unwrap();
    let gone = told(&telegram.press_forged(alice, alice, message, &data));
    assert_eq!((&gone["message"]["date"], &gone["message"]["text"]), (&json!(0), &Value::Null));
    let altered = telegram.press_altered(mallory, alice, hello, "x", &json!({ "message": null }));
    assert!(told(&altered).get("message").is_none());
    let long = json!({ "inline_keyboard": [[{ "text": "x", "callback_data": "é".repeat(33) }]] });
    let refusal = ask(&telegram, "sendMessage", &json!({ "chat_id": alice, "text": "x", "reply_markup": long }));
    assert!(refusal.unwrap_err().contains("BUTTON_DATA_INVALID"), "65 bytes and more");
}
