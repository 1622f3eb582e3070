//! Whatever an adapter makes of a prompt: what leaves is the host's, and what is not a prompt carries nothing of one.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json as value};

use super::platform::*;
use crate::{
    egress::{Permit, request},
    manifest::{Action, Endpoint},
    relay::{AskId, Choice, Codes, Live},
};

/// The buttons of the prompt and what is near them, in rows.
fn keyboard() -> impl Strategy<Value = Json> {
    let label = prop_oneof![6 => Just("✅ Allow"), 6 => Just("❌ Deny"), 1 => Just("Allow"), 1 => Just("")];
    let token = prop_oneof![6 => Just(ALLOW), 6 => Just(DENY), 1 => Just("sg."), 1 => Just("")];
    let button = prop_oneof![
        6 => Just(value!({ "text": "✅ Allow", "callback_data": ALLOW })),
        6 => Just(value!({ "text": "❌ Deny", "callback_data": DENY })),
        4 => (label.clone(), token).prop_map(|(text, token)| value!({ "text": text, "callback_data": token })),
        1 => label.prop_map(|text| value!({ "text": text, "url": "https://a.example" })),
        1 => Just(value!({})),
        1 => Just(Json::Null),
    ];
    let row = prop::collection::vec(button, 0..3).prop_map(Json::from);
    prop_oneof![8 => prop::collection::vec(row, 0..3).prop_map(Json::from), 1 => Just(Json::Null), 1 => Just(value!({}))]
}

fn document() -> impl Strategy<Value = Json> {
    let chat = prop_oneof![8 => Just(CHAT.to_owned()), 1 => Just("-1009".to_owned())];
    let text = prop_oneof![8 => Just(TEXT.to_owned()), 1 => Just("ls".to_owned())];
    let keyboard = prop_oneof![
        3 => keyboard().prop_map(|rows| value!({ "inline_keyboard": rows })),
        2 => Just(value!({ "inline_keyboard": [
            [{ "text": "✅ Allow", "callback_data": ALLOW }], [{ "text": "❌ Deny", "callback_data": DENY }]
        ] })),
        1 => Just(Json::Null),
    ];
    let message = prop_oneof![4 => Just(None), 4 => Just(Some("81")), 1 => Just(Some("82"))];
    (chat, text, keyboard, message).prop_map(|(chat, text, keyboard, message)| {
        let mut document = value!({ "chat_id": chat, "text": text });
        if !keyboard.is_null() {
            document["reply_markup"] = keyboard;
        }
        if let Some(message) = message {
            document["message_id"] = message.into();
        }
        document
    })
}

/// The buttons as a platform would show them.
fn shown(sent: &Json) -> Vec<Choice> {
    let rows = sent["reply_markup"]["inline_keyboard"].as_array().cloned().unwrap_or_default();
    let buttons = rows.iter().flat_map(|row| row.as_array().unwrap());
    buttons
        .map(|button| {
            assert_eq!(button.as_object().unwrap().len(), 2, "{button}");
            let text = |name: &str| button[name].as_str().unwrap().to_owned();
            Choice { label: text("text"), token: text("callback_data") }
        })
        .collect()
}

/// A code as it is, or drawn out, or a part of it: what stands before each letter, whether it is a capital, whether it is
/// there.
fn drawn(code: &str, ways: &[(String, bool, bool)]) -> String {
    let letters = code.chars().zip(ways).filter(|(_, (.., is_there))| *is_there);
    letters
        .map(|(letter, (before, upper, _))| {
            format!("{before}{}", if *upper { letter.to_ascii_uppercase() } else { letter })
        })
        .collect()
}

fn assert_prompt(endpoint: &Endpoint, permit: &Permit, document: &Json) {
    let Ok(prepared) = build(endpoint, &values(), permit, json(document.to_string())) else { return };
    let sent: Json = serde_json::from_str(&sent_text(&prepared)).unwrap();
    assert_eq!(shown(&sent), permit.choices.clone().unwrap_or_default());
    assert_eq!((sent["text"].as_str(), sent["chat_id"].as_str()), (Some(TEXT), Some(CHAT)));
    assert_eq!(sent.get("message_id").and_then(Json::as_str), permit.message.as_deref());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_prompt_leaves_but_the_hosts(document in document()) {
        for choices in [Some(choices()), Some(vec![]), None] {
            for permit in [ask(), ask_again()] {
                let permit = Permit { choices: choices.clone(), ..permit };
                for endpoint in [prompt(), rewrite()] {
                    assert_prompt(&endpoint, &permit, &document);
                }
            }
        }
    }

    #[test]
    fn no_message_leaves_with_buttons(document in document()) {
        let permit = Permit { choices: Some(choices()), ..permit(Action::Send) };
        if let Ok(prepared) = build(&prompt(), &values(), &permit, json(document.to_string())) {
            let sent: Json = serde_json::from_str(&sent_text(&prepared)).unwrap();
            prop_assert!(shown(&sent).is_empty());
        }
    }

    #[test]
    fn no_leaf_carries_a_code(
        ways in prop::collection::vec(("[ .,:;!?()/_-]{0,2}", any::<bool>(), prop::bool::weighted(0.9)), 5),
        other in "[0-9 .]{0,6}",
        first in any::<bool>(),
    ) {
        let (live, codes) = (Live::default(), Codes::mint(&HashSet::new()).unwrap());
        let near = drawn(codes.code.as_str(), &ways);
        live.add(AskId(1), codes.clone());
        let kinds = if first { [&near, &other] } else { [&other, &near] };
        let asked = value!({ "chat_id": CHAT, "text": "1", "entities": kinds.map(|kind| value!({ "type": kind })) });
        let quiet = Permit { text: Some("1".into()), ..permit(Action::Send) };
        let made = request::build(&send_message(), &values(), &live, &quiet, json(asked.to_string()));
        let letters: String = near.chars().filter(char::is_ascii_alphabetic).collect();
        prop_assert_eq!(made.is_err(), letters.eq_ignore_ascii_case(codes.code.as_str()), "{}", near);
    }
}
