#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::{
    manifest::{IdentityRule, Manifest},
    message::Kind,
    relay::{Choice, Repeated},
};

fn profile(name: &str) -> Arc<IdentityRule> {
    let text = format!("name = \"it\"\nversion = \"1\"\nsummary = \"It\"\nprofile = \"{name}\"");
    let contract = Manifest::parse(&text).unwrap().resolve().unwrap();
    Arc::clone(contract.platform.identity("button").unwrap())
}

fn evidence(source: &str, body: &Json) -> Evidence {
    let context = Context { credential: Some("page".into()), received_ms: 1_800_000_000_000, ..Context::default() };
    Evidence::new(source.into(), Bytes::from(body.to_string()), context)
}

/// Reads an update of Telegram's.
fn read(body: &Json) -> Result<Reading, NotEvidence> {
    profile("telegram").read(&evidence("updates", body))
}

/// A press as Telegram brings it, under a message with these members.
fn press(message: &Json) -> Json {
    let mut message = message.clone();
    message["message_id"] = 81.into();
    message["chat"] = json!({ "id": 7, "type": "private" });
    json!({ "update_id": 900, "callback_query": {
        "id": "4382bfdwdsb323b2d9", "from": { "id": 7, "is_bot": false, "username": "ada" }, "message": message,
        "chat_instance": "1", "data": "sg.1"
    } })
}

fn prompt() -> Json {
    json!({ "date": 1_700_000_000, "text": "Run ls?", "reply_markup": { "inline_keyboard": [
        [{ "text": "Allow", "callback_data": "sg.1" }, { "text": "Deny", "callback_data": "sg.2" }]
    ] } })
}

fn choice(label: &str, token: &str) -> Choice {
    Choice { label: label.into(), token: token.into() }
}

#[test]
fn a_press_in_telegram_says_who_pressed_what_where() {
    let reading = read(&press(&prompt())).unwrap();
    assert_eq!((reading.kind, &*reading.event, &*reading.message_id), (Kind::Button, "900", "81"));
    assert_eq!((&*reading.sender, &*reading.conversation, reading.direct), ("7", "7", true));
    assert_eq!((reading.token.as_deref(), reading.text), (Some("sg.1"), None));
    let choices = Some(vec![choice("Allow", "sg.1"), choice("Deny", "sg.2")]);
    assert_eq!(reading.repeated, Some(Repeated { text: Some("Run ls?".into()), choices }));
    assert!(!format!("{:?}", reading.repeated).contains("sg."));
}

#[test]
fn a_press_on_the_page_says_which_message_it_hangs_on() {
    let body = json!({ "type": "button", "id": "e1", "message": "m1", "token": "sg.1" });
    let reading = profile("fakechat").read(&evidence("socket", &body)).unwrap();
    assert_eq!((&*reading.event, &*reading.message_id, &*reading.sender), ("e1", "m1", "page"));
    assert_eq!((reading.token.as_deref(), reading.repeated), (Some("sg.1"), None));
    assert!(reading.direct && reading.by_credential);
    for body in [
        json!({ "type": "message", "id": "e1", "message": "m1", "token": "sg.1" }),
        json!({ "type": "button", "id": "e1", "token": "sg.1" }),
        json!({ "type": "button", "id": "e1", "message": "m1" }),
    ] {
        assert!(profile("fakechat").read(&evidence("socket", &body)).is_err(), "{body}");
    }
}

#[test]
fn what_is_repeated_is_read_as_it_is_and_never_guessed() {
    let with = |text: Json, rows: Json| {
        let message = json!({ "text": text, "reply_markup": { "inline_keyboard": rows } });
        read(&press(&message)).unwrap().repeated
    };
    let whole = |choices: Vec<Choice>| Some(Repeated { text: Some("x".into()), choices: Some(choices) });
    let one = json!({ "text": "Allow", "callback_data": "sg.1" });
    for (name, rows, choices) in [
        (
            "rows in their order",
            json!([[one], [], [{ "text": "b", "callback_data": "2" }]]),
            vec![choice("Allow", "sg.1"), choice("b", "2")],
        ),
        (
            "a button of an address",
            json!([[one, { "text": "b", "url": "https://x" }]]),
            vec![choice("Allow", "sg.1"), choice("b", "")],
        ),
        ("no label", json!([[{ "callback_data": "sg.1" }]]), vec![choice("", "sg.1")]),
        ("a label that is no text", json!([[{ "text": 1, "callback_data": ["sg.1"] }]]), vec![choice("", "")]),
        ("null", json!([[{ "text": null, "callback_data": "sg.1" }]]), vec![choice("", "sg.1")]),
        ("a button that is none", json!([[one, 5]]), vec![choice("Allow", "sg.1"), choice("", "")]),
        ("a row that is none", json!([[one], "x"]), vec![choice("Allow", "sg.1"), choice("", "")]),
        ("a row that is a button", json!([one]), vec![choice("", "")]),
        ("rows that are none", json!("x"), vec![choice("", "")]),
        ("no rows", json!([]), vec![]),
        ("null for rows", Json::Null, vec![]),
    ] {
        assert_eq!(with("x".into(), rows), whole(choices), "{name}");
    }
    let texts = with(Json::Null, json!([[one]])).unwrap();
    assert_eq!(texts.text.as_deref(), Some(""), "a message without a text is not the host's");
    assert_eq!(with("x".into(), Json::Null).unwrap().choices, Some(vec![]), "nor one without buttons");
    assert_eq!(with(Json::Null, Json::Null), None, "nothing is repeated");
    let error = read(&press(&json!({ "text": ["x"] }))).unwrap_err().to_string();
    assert!(error.contains("repeats (\"/callback_query/message/text\") is an array, and no text"), "{error}");
}

#[test]
fn a_message_that_telegram_has_no_more_is_named_and_not_repeated() {
    let reading = read(&press(&json!({ "date": 0 }))).unwrap();
    assert_eq!((&*reading.message_id, &*reading.conversation, reading.repeated), ("81", "7", None));
}

#[test]
fn what_is_no_press_of_somebody_on_a_message_is_no_evidence() {
    let without = |at: &str| {
        let mut body = press(&prompt());
        let (parent, name) = at.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        body
    };
    let with = |at: &str, value: Json| {
        let mut body = press(&prompt());
        *body.pointer_mut(at).unwrap() = value;
        body
    };
    let query = "/callback_query";
    for (body, expected) in [
        (without(&format!("{query}/data")), "token (\"/callback_query/data\") is not there"),
        (with(&format!("{query}/data"), "".into()), "has 0 bytes"),
        (with(&format!("{query}/data"), "x".repeat(257).into()), "has 257 bytes"),
        (with(&format!("{query}/data"), 5.into()), "is 5, and no token"),
        (with(&format!("{query}/data"), Json::Null), "is not there"),
        (without(&format!("{query}/message")), "is not there"),
        (
            without(&format!("{query}/message/message_id")),
            "message (\"/callback_query/message/message_id\") is not there",
        ),
        (without(&format!("{query}/message/chat")), "conversation"),
        (without(&format!("{query}/from")), "is not there"),
        (with(&format!("{query}/from/is_bot"), true.into()), "equal"),
        (without("/update_id"), "event"),
    ] {
        let error = read(&body).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\n{expected}");
    }
    assert!(!read(&with(&format!("{query}/message/chat/type"), "group".into())).unwrap().direct);
}

#[test]
fn members_that_are_there_twice_are_no_evidence_wherever_they_are() {
    let text = press(&prompt()).to_string();
    for (member, twice) in [
        (r#""data":"sg.1""#, r#""data":"sg.1","data":"sg.1""#),
        (r#""text":"Allow""#, r#""text":"x","text":"Allow""#),
        (r#""callback_data":"sg.2""#, r#""callback_data":"sg.2","callback\u005fdata":"x""#),
        (r#""text":"Run ls?""#, r#""text":"Run ls?","text":"Run rm?""#),
    ] {
        assert_eq!(text.matches(member).count(), 1);
        let item = Evidence::new("updates".into(), Bytes::from(text.replace(member, twice)), Context::default());
        assert!(matches!(profile("telegram").read(&item), Err(NotEvidence::NotStrict { .. })), "{twice}");
    }
}

#[test]
fn the_host_acknowledges_a_press_with_the_id_of_the_press() {
    let rule = profile("telegram");
    let acknowledged = |source: &str, body: &Json| {
        let evidence = evidence(source, body);
        rule.acknowledgement(&evidence).map(|(endpoint, body)| (endpoint.to_owned(), body))
    };
    let expected = ("answerCallbackQuery".to_owned(), r#"{"callback_query_id":"4382bfdwdsb323b2d9"}"#.to_owned());
    assert_eq!(acknowledged("updates", &press(&prompt())), Some(expected));
    assert_eq!(acknowledged("other", &press(&prompt())), None);
    for (name, value) in
        [("missing", Json::Null), ("empty", "".into()), ("an array", json!(["x"])), ("a float", 1.5.into())]
    {
        let mut body = press(&prompt());
        body["callback_query"]["id"] = value;
        assert_eq!(acknowledged("updates", &body), None, "{name}");
    }
    assert_eq!(acknowledged("updates", &json!({ "update_id": 1 })), None);
    assert_eq!(profile("fakechat").acknowledgement(&evidence("socket", &json!({}))), None);
}

#[test]
fn the_body_of_an_acknowledgement_is_built_by_its_pointers() {
    let text = r#"
name = "it"
version = "1"
summary = "It"
[[poll]]
name = "updates"
url = "https://a.example/"
items = "/*"
cursor = { query = "after", max = "/id" }
[[endpoint]]
name = "taken"
for = ["handle"]
method = "POST"
url = "https://a.example/taken"
body = "json"
fields = ["/press/id", "/press/kind", "/a~1b"]
[[identity]]
name = "button"
source = "updates"
kind = "button"
event = "/id"
sender = "/from"
conversation = "/chat"
token = "/data"
acknowledge = { endpoint = "taken", fields = { "/press/id" = "/id", "/press/kind" = "/kind", "/a~1b" = "$match:0" } }
"#;
    let rule = Manifest::parse(text).unwrap().own.identities.remove(0);
    for id in ["18446744073709551615", "-9223372036854775808", "\"\\\"\\u0000\""] {
        let body = format!(r#"{{"id":{id},"kind":"k","from":1,"chat":1,"data":"x"}}"#);
        let context = Context { matches: vec!["3".into()], ..Context::default() };
        let item = Evidence::new("updates".into(), Bytes::from(body), context);
        let (endpoint, sent) = rule.acknowledgement(&item).unwrap();
        let sent: Json = serde_json::from_str(&sent).unwrap();
        let id: Json = serde_json::from_str(id).unwrap();
        assert_eq!((endpoint, sent), ("taken", json!({ "press": { "id": id, "kind": "k" }, "a/b": "3" })));
    }
}

proptest! {
    #[test]
    fn buttons_are_read_in_their_order_and_nothing_is_left_out(
        rows in prop::collection::vec(prop::collection::vec(("[a-c]{0,2}", "[a-c]{0,2}", any::<bool>()), 0..4), 0..4)
    ) {
        let button = |(label, token, url): &(String, String, bool)| match url {
            false => json!({ "text": label, "callback_data": token }),
            true => json!({ "text": label, "url": token }),
        };
        let keyboard: Vec<Json> = rows.iter().map(|row| row.iter().map(button).collect()).collect();
        let message = json!({ "text": "x", "reply_markup": { "inline_keyboard": keyboard } });
        let repeated = read(&press(&message)).unwrap().repeated.unwrap();
        let expected: Vec<Choice> = rows.iter().flatten()
            .map(|(label, token, url)| choice(label, if *url { "" } else { token })).collect();
        prop_assert_eq!(repeated.choices, Some(expected));
    }

    #[test]
    fn any_press_is_read_without_panic(text in "(\\[|\\]|\\{|\\}|\"text\"|\"callback_data\"|:|,|1|null){0,24}") {
        let body = press(&json!({ "text": "x", "reply_markup": { "inline_keyboard": "HERE" } })).to_string();
        let body = Bytes::from(body.replace("\"HERE\"", &text));
        let item = Evidence::new("updates".into(), body.clone(), Context::default());
        let rule = profile("telegram");
        prop_assert_eq!(rule.read(&item).is_ok(), Document::parse(body).is_ok());
        let _ = rule.acknowledgement(&item);
    }
}
