#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::manifest::{IdentityRule, Manifest};

const NOW: i64 = 1_800_000_000_000;

/// The rule of a platform with one JSON route `in` and these lines.
pub(super) fn rule(lines: &str) -> Arc<IdentityRule> {
    rule_of("path = \"/{credential}/*\"\nauth = \"credential\"\nbody = \"json\"", lines)
}

fn rule_of(route: &str, lines: &str) -> Arc<IdentityRule> {
    let text = format!(
        "name = \"it\"\nversion = \"1\"\nsummary = \"It\"\n[[route]]\nname = \"in\"\nmethods = [\"POST\"]\n{route}\n\
         [[identity]]\nname = \"message\"\nsource = \"in\"\n{lines}"
    );
    Arc::clone(&Manifest::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}")).own.identities[0])
}

pub(super) fn evidence(body: impl AsRef<[u8]>) -> Evidence {
    let context = Context {
        credential: Some("office".into()),
        signed: Some("sha256:1".into()),
        headers: vec![
            ("X-Sender".into(), "ada".into()),
            ("X-Twice".into(), "a".into()),
            ("x-twice".into(), "a".into()),
            ("X-Time".into(), "1700000000".into()),
        ],
        path: "/office/room".into(),
        matches: vec!["room".into()],
        received_ms: NOW,
        ..Context::default()
    };
    Evidence::new("in".into(), Bytes::copy_from_slice(body.as_ref()), context)
}

pub(super) const LEAST: &str = "event = \"/id\"\nsender = \"/from\"\nconversation = \"/chat\"\n";

pub(super) fn read(lines: &str, body: &str) -> Result<Reading, NotEvidence> {
    rule(&format!("{LEAST}{lines}")).read(&evidence(body))
}

/// The body of an item with the least that a rule reads, and these members.
pub(super) fn body(members: &str) -> String {
    format!("{{\"id\": 1, \"from\": 2, \"chat\": 3{members}}}")
}

#[test]
fn a_rule_reads_everything_that_it_names() {
    let rule = rule(
        "kind = \"edit\"\nrequire = [\"/message/from/id\"]\nabsent = [\"/message/forward\"]\nequal = { \"/message/bot\" = false }\n\
         event = \"/update_id\"\nmessage = \"/message/message_id\"\ntime = { at = \"/message/date\", unit = \"s\" }\n\
         sender = \"/message/from/id\"\nsender-name = \"/message/from/username\"\nconversation = \"/message/chat/id\"\n\
         thread = \"/message/thread\"\ndirect = { at = \"/message/chat/type\", is = [\"private\"] }\n\
         reply-to = \"/message/reply/id\"\ntext = [\"/message/text\", \"/message/caption\"]",
    );
    let reading = rule
        .read(&evidence(
            r#"{"update_id": 900, "message": {"message_id": 7, "date": 1700000000, "bot": false, "forward": null,
                "from": {"id": 9007199254740993, "username": "ada"}, "chat": {"id": -100123, "type": "private"},
                "reply": {"id": "r\u002d1"}, "caption": "l\u00e4uft\n\"ja\""}}"#,
        ))
        .unwrap();
    assert_eq!(
        reading,
        Reading {
            rule: "message".into(),
            source: "in".into(),
            kind: crate::message::Kind::Edit,
            event: "900".into(),
            message_id: "7".into(),
            time_ms: 1_700_000_000_000,
            sender: "9007199254740993".into(),
            sender_name: Some("ada".into()),
            conversation: "-100123".into(),
            thread: None,
            direct: true,
            reply_to: Some("r-1".into()),
            quoted: None,
            group: None,
            text: Some("läuft\n\"ja\"".into()),
            text_at: 1,
            text_by: crate::message::TextBy::Sender,
            by_credential: false,
            token: None,
            repeated: None,
        }
    );
}

#[test]
fn what_a_rule_does_not_name_has_its_default() {
    let reading = read("", &body("")).unwrap();
    assert_eq!((&*reading.message_id, reading.time_ms, reading.direct), ("1", NOW, false));
    assert_eq!((reading.sender_name, reading.thread, reading.reply_to, reading.text), (None, None, None, None));
}

#[test]
fn only_plain_integers_and_clean_strings_are_ids() {
    for (id, expected) in [
        ("1", Some("1")),
        ("-5", Some("-5")),
        ("0", Some("0")),
        ("9007199254740993", Some("9007199254740993")),
        ("18446744073709551615", Some("18446744073709551615")),
        ("-9223372036854775808", Some("-9223372036854775808")),
        ("\"a\"", Some("a")),
        ("\"\\u0061\"", Some("a")),
        ("\"1.0\"", Some("1.0")),
        ("18446744073709551616", None),
        ("-9223372036854775809", None),
        ("1.0", None),
        ("1e3", None),
        ("1E0", None),
        ("-0", None),
        ("0.0", None),
        ("\"\"", None),
        ("\" a\"", None),
        ("\"a\\n\"", None),
        ("\"a\\u0000\"", None),
        ("\"a\\u200b\"", None),
        ("\"a\\u202eb\"", None),
        ("true", None),
        ("null", None),
        ("[1]", None),
        ("{}", None),
    ] {
        for name in ["id", "from", "chat"] {
            let body = body("").replace(&format!("\"{name}\": "), &format!("\"{name}\": {id}, \"x\": "));
            let reading = read("", &body);
            let found = reading.as_ref().ok().map(|it| match name {
                "id" => &*it.event,
                "from" => &*it.sender,
                _ => &*it.conversation,
            });
            assert_eq!(found, expected, "{name} {id} {reading:?}");
        }
    }
    let long = |bytes| body("").replace("\"id\": 1", &format!("\"id\": \"{}\"", "x".repeat(bytes)));
    assert!(read("", &long(256)).is_ok());
    assert!(read("", &long(257)).is_err());
}

#[test]
fn a_condition_that_does_not_hold_is_a_refusal_that_names_it() {
    for (lines, members, refusal) in [
        ("require = [\"/a\"]", ", \"a\": 1", None),
        ("require = [\"/a\"]", ", \"a\": false", None),
        ("require = [\"/a\"]", ", \"a\": \"\"", None),
        ("require = [\"/a\"]", ", \"a\": {}", None),
        ("require = [\"/a\"]", ", \"a\": null", Some("require (\"/a\") is not there")),
        ("require = [\"/a\"]", "", Some("require (\"/a\") is not there")),
        ("require = [\"/a/b\"]", ", \"a\": [1]", Some("require (\"/a/b\") is not there")),
        ("require = [\"$header:x-sender\"]", "", None),
        ("require = [\"$header:x-none\"]", "", Some("is not there")),
        ("require = [\"$header:x-twice\"]", "", Some("is there twice")),
        ("absent = [\"/a\"]", "", None),
        ("absent = [\"/a\"]", ", \"a\": null", None),
        ("absent = [\"/a\"]", ", \"a\": false", Some("absent (\"/a\") is there")),
        ("absent = [\"/a\"]", ", \"a\": []", Some("absent (\"/a\") is there")),
        ("equal = { \"/a\" = \"x\" }", ", \"a\": \"x\"", None),
        ("equal = { \"/a\" = \"x\" }", ", \"a\": \"\\u0078\"", None),
        ("equal = { \"/a\" = \"x\" }", ", \"a\": \"X\"", Some("equal (\"/a\") is \"X\" and not \"x\"")),
        ("equal = { \"/a\" = \"1\" }", ", \"a\": 1", Some("is 1 and not \"1\"")),
        ("equal = { \"/a\" = 1 }", ", \"a\": 1", None),
        ("equal = { \"/a\" = 1 }", ", \"a\": 1.0", Some("a number with a fraction")),
        ("equal = { \"/a\" = 1 }", ", \"a\": \"1\"", Some("is \"1\" and not 1")),
        ("equal = { \"/a\" = 1 }", ", \"a\": true", Some("is true and not 1")),
        ("equal = { \"/a\" = false }", ", \"a\": false", None),
        ("equal = { \"/a\" = false }", ", \"a\": null", Some("is not there and not false")),
        ("equal = { \"/a\" = false }", "", Some("is not there and not false")),
        ("equal = { \"$match:0\" = \"room\" }", "", None),
        ("equal = { \"$match:0\" = \"rooms\" }", "", Some("equal (\"$match:0\") is \"room\" and not \"rooms\"")),
        ("equal = { \"/a\" = \"x\" }", ", \"a\": \"\\u001b[31m\\u202e\"", Some("\\u{1b}[31m\\u{202e}")),
        ("thread = \"/a\"", ", \"a\": true", Some("thread (\"/a\") is true, and no id")),
        ("reply-to = \"/a\"", ", \"a\": 1.5", Some("reply-to")),
        ("text = [\"/a\"]", ", \"a\": 1", Some("text (\"/a\") is 1, and no text")),
        ("time = { at = \"/a\", unit = \"s\" }", "", Some("time (\"/a\") is not there")),
        ("time = { at = \"/a\", unit = \"s\" }", ", \"a\": \"1700000000\"", Some("and no time")),
        ("time = { at = \"/a\", unit = \"s\" }", ", \"a\": 1700000000.5", Some("and no time")),
        ("time = { at = \"/a\", unit = \"s\" }", ", \"a\": 1700000000000", Some("check the rule's unit")),
        ("time = { at = \"/a\", unit = \"rfc3339\" }", ", \"a\": \"yesterday\"", Some("no time of RFC 3339")),
    ] {
        match (read(lines, &body(members)), refusal) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => {
                let error = error.to_string();
                assert!(error.contains("`message`") && error.contains(expected), "{lines} {members}\n{error}");
                assert!(error.chars().all(crate::manifest::is_plain), "{error}");
            }
            (other, _) => panic!("{lines} {members} {other:?}"),
        }
    }
}

#[test]
fn a_refusal_shows_little_of_the_payload() {
    let secret = "s".repeat(500);
    let error = read("equal = { \"/a\" = \"x\" }", &body(&format!(", \"a\": \"{secret}\""))).unwrap_err().to_string();
    assert!(error.len() < 200, "{error}");
}

#[test]
fn the_first_text_that_says_something_is_read() {
    for (members, expected) in [
        (", \"a\": \"one\", \"b\": \"two\"", Some("one")),
        (", \"a\": null, \"b\": \"two\"", Some("two")),
        (", \"a\": \"\", \"b\": \"two\"", Some("two")),
        (", \"b\": \"two\"", Some("two")),
        (", \"a\": \"\"", None),
        ("", None),
    ] {
        let reading = read("text = [\"/a\", \"/b\"]", &body(members)).unwrap();
        assert_eq!(reading.text.as_deref(), expected, "{members}");
    }
}

#[test]
fn direct_and_time_and_name_are_read_strictly() {
    for (kind, expected) in [
        ("\"private\"", true),
        ("\"group\"", false),
        ("7", true),
        ("7.0", false),
        ("true", true),
        ("null", false),
        ("{}", false),
    ] {
        let reading = read("direct = { at = \"/a\", is = [\"private\", 7, true] }", &body(&format!(", \"a\": {kind}")));
        assert_eq!(reading.unwrap().direct, expected, "{kind}");
    }
    let time = |unit: &str, at: &str| {
        read(&format!("time = {{ at = \"/a\", unit = \"{unit}\" }}"), &body(&format!(", \"a\": {at}"))).unwrap().time_ms
    };
    assert_eq!(time("s", "1700000000"), 1_700_000_000_000);
    assert_eq!(time("ms", "1700000000123"), 1_700_000_000_123);
    assert_eq!(time("rfc3339", "\"2023-11-14T22:13:20Z\""), 1_700_000_000_000);
    let header = read("time = { at = \"$header:X-Time\", unit = \"s\" }", &body("")).unwrap();
    assert_eq!(header.time_ms, 1_700_000_000_000);
    for (name, expected) in [("\"ada\"", Some("ada")), ("1", None), ("\"\"", None), ("null", None)] {
        let reading = read("sender-name = \"/a\"", &body(&format!(", \"a\": {name}"))).unwrap();
        assert_eq!(reading.sender_name.as_deref(), expected);
    }
    let long = read("sender-name = \"/a\"", &body(&format!(", \"a\": \"{}\"", "ä".repeat(500)))).unwrap();
    assert_eq!(long.sender_name.unwrap().chars().count(), 128);
}

#[test]
fn words_around_the_item_are_read_without_parsing_it() {
    let rule = rule_of(
        "path = \"/{credential}/*\"\nauth = \"credential\"\nbody = \"text\"",
        "event = \"$signed\"\nmessage = \"$path\"\nsender = \"$credential\"\nsender-name = \"$header:X-SENDER\"\n\
         conversation = { const = \"here\" }\nthread = \"$match:0\"\ndirect = { const = true }\ntext = [\"$body\"]",
    );
    let item = evidence("{ not JSON");
    let reading = rule.read(&item).unwrap();
    assert!(item.document.get().is_none());
    assert_eq!((&*reading.event, &*reading.message_id, &*reading.sender), ("sha256:1", "/office/room", "office"));
    assert_eq!((&*reading.conversation, reading.thread.as_deref()), ("here", Some("room")));
    assert_eq!((reading.sender_name.as_deref(), reading.text.as_deref()), (Some("ada"), Some("{ not JSON")));
    assert!(reading.by_credential && reading.direct);
    assert!(rule.read(&evidence([b'a', 0xff])).unwrap_err().to_string().contains("is no UTF-8"));
    assert_eq!(rule.read(&evidence("")).unwrap().text, None);
    let mut unsigned = evidence("x");
    unsigned.context.signed = None;
    assert!(rule.read(&unsigned).unwrap_err().to_string().contains("event (\"$signed\") is not there"));
}

#[test]
fn a_sender_is_by_credential_only_where_the_host_knows_who_it_is() {
    let page = "path = \"/\"\nauth = \"page\"\nbody = \"json\"";
    let hook = "path = \"/{credential}\"\nauth = \"credential\"\nbody = \"json\"";
    for (route, sender, expected) in [
        (page, "\"$credential\"", true),
        (hook, "\"$credential\"", true),
        (page, "{ const = \"me\" }", true),
        (hook, "{ const = \"me\" }", false),
        (page, "\"/from\"", false),
        (hook, "\"/from\"", false),
        (hook, "\"$header:X-Sender\"", false),
    ] {
        let rule = rule_of(route, &format!("event = \"/id\"\nsender = {sender}\nconversation = \"/chat\""));
        assert_eq!(rule.read(&evidence(body(""))).unwrap().by_credential, expected, "{sender}");
    }
}

#[test]
fn a_rule_reads_its_own_source_alone() {
    let mut other = evidence(body(""));
    other.source = "download".into();
    assert!(matches!(rule(LEAST).read(&other), Err(NotEvidence::OtherSource { .. })));
}

#[test]
fn debug_shows_neither_payload_nor_headers() {
    let shown = format!("{:?} {:?}", evidence("\"geheim\""), evidence("").context);
    assert!(!shown.contains("geheim") && !shown.contains("ada") && shown.contains("X-Sender"));
}

#[test]
fn a_context_survives_a_dead_letter() {
    let context = evidence("").context;
    let again: Context = serde_json::from_str(&serde_json::to_string(&context).unwrap()).unwrap();
    assert_eq!(again, context);
}
