//! Other conversations, quotes and texts, by a body of JSON.

use super::{super::platform::*, OTHER, UNLISTED, assert_denied, attack, to};
use crate::{
    egress::{Body, Permit},
    manifest::{Action, Bound, Endpoint, FieldPattern},
};

#[test]
fn no_other_conversation_is_reached_by_a_body_of_json() {
    let float = "-1001234567890123.0";
    assert_denied(vec![
        attack("another chat", send_message(), to("-1009"), OTHER),
        attack("another chat as a string", send_message(), to(r#""-1009""#), OTHER),
        attack("a public name", send_message(), to(r#""@channel""#), OTHER),
        attack("a float", send_message(), to(float), OTHER),
        attack("an exponent", send_message(), to("-1.001234567890123e15"), OTHER),
        attack("an exponent of an integer", send_message(), to("-1001234567890123e0"), OTHER),
        attack("above 64 bits", send_message(), to("100000000000000000000000"), OTHER),
        attack("another sign", send_message(), to("1001234567890123"), OTHER),
        attack("a neighbour above 2^53", send_message(), to("-1001234567890124"), OTHER),
        attack("a leading zero in a string", send_message(), to(r#""-01001234567890123""#), OTHER),
        attack("a leading plus in a string", send_message(), to(r#""+1001234567890123""#), OTHER),
        attack("a space in a string", send_message(), to(r#"" -1001234567890123""#), OTHER),
        attack("a newline in a string", send_message(), to(r#""-1001234567890123\n""#), OTHER),
        attack("a NUL in a string", send_message(), to(r#""-1001234567890123\u0000""#), OTHER),
        attack("digits of another script", send_message(), to(r#""-١001234567890123""#), OTHER),
        attack("a direction mark", send_message(), to(r#""\u202e-1001234567890123""#), OTHER),
        attack("a boolean", send_message(), to("true"), OTHER),
        attack("null", send_message(), to("null"), "/chat_id is missing"),
        attack("an array around it", send_message(), to("[-1001234567890123]"), UNLISTED),
        attack("an object around it", send_message(), to(r#"{"id":-1001234567890123}"#), UNLISTED),
        attack("an empty array", send_message(), to("[]"), UNLISTED),
        attack("a second member", send_message(), message(r#","chat_id":-1009"#), "twice"),
        attack("a second member, escaped", send_message(), message(r#","ch\u0061t_id":-1009"#), "twice"),
        attack("a second member, the same", send_message(), message(&format!(r#","chat_id":{CHAT}"#)), "twice"),
        attack("a member in capitals", send_message(), message(r#","Chat_Id":-1009"#), UNLISTED),
        attack("a member with a space", send_message(), message(r#","chat_id ":-1009"#), UNLISTED),
        attack("a member with a NUL", send_message(), message(r#","chat_id\u0000":-1009"#), UNLISTED),
        attack("a member with a zero-width space", send_message(), message(r#","chat\u200b_id":-1009"#), UNLISTED),
        attack("a name as forms nest it", send_message(), message(r#","chat_id[]":-1009"#), UNLISTED),
        attack("a prototype", send_message(), message(r#","__proto__":{"chat_id":-1009}"#), UNLISTED),
        attack("a document in a document", send_message(), json(format!("[{{\"chat_id\":{CHAT}}}]")), UNLISTED),
        attack(
            "a second document",
            send_message(),
            json(format!(r#"{{"chat_id":{CHAT}}}{{"chat_id":1}}"#)),
            "trailing",
        ),
        attack("a raw value", send_message(), json(r#"{"$serde_json::private::RawValue":"{}"}"#), UNLISTED),
        attack("no conversation", send_message(), json(format!(r#"{{"text":"{TEXT}"}}"#)), "/chat_id is missing"),
        attack("no body", send_message(), body(Body::Empty), "got none"),
        attack("an empty document", send_message(), json("{}"), "is missing"),
        attack("a text alone", send_message(), json("\"x\""), UNLISTED),
        attack("an unpaired surrogate", send_message(), message(r#","entities":[{"type":"\ud800"}]"#), "JSON"),
    ]);
}

#[test]
fn nothing_leaks_through_quotes_previews_and_fields_of_the_platform() {
    let quote = |inner: &str| message(&format!(r#","reply_parameters":{{{inner}}}"#));
    let entity = |inner: &str| message(&format!(r#","entities":{inner}"#));
    assert_denied(vec![
        attack("a quote of another chat", send_message(), quote(r#""message_id":80,"chat_id":-1009"#), OTHER),
        attack("a quote of a public chat", send_message(), quote(r#""message_id":80,"chat_id":"@c""#), OTHER),
        attack("a quote of another message", send_message(), quote(r#""message_id":79"#), "that is answered"),
        attack("a quote of a message as a float", send_message(), quote(r#""message_id":80.0"#), "that is answered"),
        attack("a quote of a message as a boolean", send_message(), quote(r#""message_id":true"#), "that is answered"),
        attack("a quote in an array", send_message(), message(r#","reply_parameters":[{"message_id":79}]"#), UNLISTED),
        attack("a quote by its older name", send_message(), message(r#","reply_to_message_id":79"#), UNLISTED),
        attack(
            "a thread where there is none",
            send_message(),
            message(r#","message_thread_id":8"#),
            "the action has none",
        ),
        attack(
            "null where there is none",
            send_message(),
            message(r#","message_thread_id":null"#),
            "the action has none",
        ),
        attack("an unlisted field", send_message(), message(r#","reply_markup":{}"#), UNLISTED),
        attack("a field below a leaf", send_message(), entity(r#"[{"type":{"x":1}}]"#), UNLISTED),
        attack("an unlisted field of an element", send_message(), entity(r#"[{"user":{"id":1}}]"#), UNLISTED),
        attack("elements as members", send_message(), entity(r#"{"0":{"type":"bold"}}"#), UNLISTED),
        attack("an array of arrays", send_message(), entity(r#"[[{"type":"bold"}]]"#), UNLISTED),
        attack("an array of empty arrays", send_message(), entity("[[[]]]"), UNLISTED),
        attack(
            "the host's leaf",
            send_message(),
            message(r#","link_preview_options":{"is_disabled":false}"#),
            UNLISTED,
        ),
        attack(
            "the host's leaf, equal",
            send_message(),
            message(r#","link_preview_options":{"is_disabled":true}"#),
            UNLISTED,
        ),
        attack("null on the way to it", send_message(), message(r#","link_preview_options":null"#), UNLISTED),
        attack("an empty object on the way to it", send_message(), message(r#","link_preview_options":{}"#), UNLISTED),
    ]);
    let mut endpoint = send_message();
    endpoint.fields.push(FieldPattern::parse("/link_preview_options/is_disabled").unwrap());
    endpoint.fields.push(FieldPattern::parse("/link_preview_options/url").unwrap());
    let preview = |inner: &str| message(&format!(r#","link_preview_options":{inner}"#));
    assert_denied(vec![
        attack("the host's leaf, listed", endpoint.clone(), preview(r#"{"is_disabled":false}"#), "written by the host"),
        attack("the same value", endpoint.clone(), preview(r#"{"is_disabled":true}"#), "written by the host"),
        attack("null for it", endpoint.clone(), preview(r#"{"is_disabled":null}"#), "written by the host"),
    ]);
    endpoint.fields.push(FieldPattern::parse("/link_preview_options").unwrap());
    assert_denied(vec![attack("a leaf on the way to it", endpoint, preview("true"), "in its way")]);
}

#[test]
fn the_thread_is_the_actions_and_is_not_left_out() {
    let by_text = Endpoint { thread: Some(Bound::parse("/text").unwrap()), ..send_message() };
    let (body, other) =
        (|thread: &str| message(&format!(r#","message_thread_id":{thread}"#)), "the thread of the action");
    for (name, endpoint, asked, why) in [
        ("another", send_message(), body("8"), other),
        ("null", send_message(), body("null"), other),
        ("a float", send_message(), body("7.0"), other),
        (
            "none",
            send_message(),
            message(""),
            "the action is in the thread \"7\"; give it as the field /message_thread_id",
        ),
        ("another field", by_text, body("7"), other),
    ] {
        let denied = build(&endpoint, &values(), &permit_in_thread(Action::Send), asked).unwrap_err();
        assert!(denied.0.contains(why), "{name}: {denied}");
    }
    for (topic, why) in [(None, "give it as the variable `topic`"), (Some("8"), other)] {
        let asked = vars(
            &[Some(("chat", CHAT)), topic.map(|topic| ("topic", topic))].into_iter().flatten().collect::<Vec<_>>(),
        );
        let denied = build(&typing(), &values(), &permit_in_thread(Action::Typing), asked).unwrap_err();
        assert!(denied.0.contains(why), "{denied}");
    }
    let elsewhere = Endpoint { thread: None, ..send_message() };
    assert!(build(&elsewhere, &values(), &permit_in_thread(Action::Send), message("")).is_ok());
}

#[test]
fn nothing_is_said_beside_the_text_but_what_the_text_says() {
    let entity = |inner: &str| message(&format!(r#","entities":[{{"type":"x",{inner}}}]"#));
    let photo = Endpoint { spoken: vec![FieldPattern::parse("/caption_entities/*/type").unwrap()], ..send_photo() };
    let why = "no link and no language of the action's text";
    assert_denied(vec![
        attack("another link", send_message(), entity(r#""url":"https://evil.example/?words""#), why),
        attack("a link and more", send_message(), entity(&format!(r#""url":"{LINK}?words""#)), why),
        attack("a link in capitals", send_message(), entity(&format!(r#""url":"{}""#, LINK.to_uppercase())), why),
        attack("the text itself", send_message(), entity(&format!(r#""url":"{TEXT}""#)), why),
        attack("words as a language", send_message(), entity(r#""language":"the words of somebody""#), why),
        attack("no words", send_message(), entity(r#""language":"""#), why),
        attack("null", send_message(), entity(r#""url":null"#), why),
        attack("a number", send_message(), entity(r#""url":1"#), why),
        attack("an address in an array", send_message(), entity(&format!(r#""url":["{LINK}"]"#)), UNLISTED),
        attack(
            "a second entity",
            send_message(),
            message(&format!(r#","entities":[{{"url":"{LINK}"}},{{"url":"tg://user?id=1"}}]"#)),
            why,
        ),
        attack(
            "a part that is JSON",
            photo,
            form_of(&[("chat_id", CHAT), ("caption_entities", r#"[{"type":"words"}]"#)]),
            why,
        ),
    ]);
    let silent = Permit { spoken: [].into(), ..permit(Action::Send) };
    let denied = build(&send_message(), &values(), &silent, entity(&format!(r#""url":"{LINK}""#))).unwrap_err();
    assert!(denied.0.contains(why), "{denied}");
}

#[test]
fn a_reaction_is_the_actions() {
    let with = |emoji: &str| json(format!(r#"{{"chat_id":{CHAT},"reaction":[{{"type":"emoji","emoji":{emoji}}}]}}"#));
    let (endpoint, why) = (react_with_json, "the emoji of the action is");
    let in_url = Endpoint { emoji: Some(Bound::Variable("emoji".into())), ..react() };
    assert_denied(vec![
        attack("another", endpoint(), with(r#""👎""#), why),
        attack("words", endpoint(), with(r#""the words of somebody""#), why),
        attack("more of it", endpoint(), with(&format!(r#""{EMOJI}{EMOJI}""#)), why),
        attack("none", endpoint(), with(r#""""#), why),
        attack("only a selector", endpoint(), with(r#""\ufe0f""#), why),
        attack("null", endpoint(), with("null"), why),
        attack("a number", endpoint(), with("1"), why),
        attack("a second one", endpoint(), with(&format!(r#""{EMOJI}"}},{{"emoji":"👎""#)), why),
        attack("in the URL", in_url, vars(&[("channel", CHAT), ("message", "81"), ("emoji", "👎")]), why),
    ]);
    for none in [None, Some(String::new()), Some("\u{fe0f}".to_owned())] {
        let permit = Permit { emoji: none, ..permit(Action::React) };
        for emoji in [r#""👎""#, r#""""#, "null"] {
            let denied = build(&endpoint(), &values(), &permit, with(emoji)).unwrap_err();
            assert!(denied.0.contains("the action has none"), "{denied}");
        }
    }
}

#[test]
fn the_text_is_the_actions() {
    let says = |text: &str| json(format!(r#"{{"chat_id":{CHAT},"text":{text}}}"#));
    let differs = "differs from the text of the action";
    assert_denied(vec![
        attack("another text", send_message(), says("\"rm -rf\""), differs),
        attack("more text", send_message(), says(&format!("\"{TEXT}!\"")), differs),
        attack("an empty text", send_message(), says("\"\""), differs),
        attack("a number", send_message(), says("1"), differs),
        attack("no text at all", send_message(), says("null"), "/text is missing"),
        attack("a text in an array", send_message(), says(&format!("[\"{TEXT}\"]")), UNLISTED),
        attack("another caption", send_photo(), form_of(&[("chat_id", CHAT), ("caption", "x")]), differs),
        attack("another text of a form", form(), form_of(&[("chat_id", CHAT), ("text", "x")]), differs),
    ]);
    let silent = Permit { text: None, ..permit(Action::Send) };
    let denied = build(&send_message(), &values(), &silent, message("")).unwrap_err();
    assert!(denied.0.contains("this one has none"), "{denied}");
}
