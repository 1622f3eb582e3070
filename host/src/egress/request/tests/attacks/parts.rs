//! Forms and parts, files of others, and bodies that are too much.

use super::{super::platform::*, OTHER, UNLISTED, assert_denied, attack, to};
use crate::{
    egress::{Asked, Body, Content, Part, Permit},
    manifest::{FieldPattern, Use},
};

#[test]
fn forms_and_parts_reach_nothing_else() {
    let chat = ("chat_id", CHAT);
    let parts = |more: Vec<Part>| multipart([vec![text_part("chat_id", CHAT)], more].concat());
    let named = |file_name: &str, part: Part| Part { file_name: Some(file_name.into()), ..part };
    let raw = |name: &str, bytes: &[u8]| Part { content: Content::Bytes(bytes.into()), ..text_part(name, "") };
    assert_denied(vec![
        attack("another chat in a form", form(), form_of(&[("chat_id", "-1009")]), OTHER),
        attack("a repeated field", form(), form_of(&[chat, ("chat_id", "-1009")]), "is there twice"),
        attack("a repeated field, the same", form(), form_of(&[chat, chat]), "is there twice"),
        attack("an unlisted field", form(), form_of(&[chat, ("parse_mode", "HTML")]), UNLISTED),
        attack("a name as forms nest it", form(), form_of(&[chat, ("chat_id[]", "-1009")]), UNLISTED),
        attack("a field in capitals", form(), form_of(&[chat, ("CHAT_ID", "-1009")]), UNLISTED),
        attack("a field with an end in it", form(), form_of(&[chat, ("x&chat_id", "-1009")]), UNLISTED),
        attack("an id with an end in it", form(), form_of(&[("chat_id", &format!("{CHAT}&chat_id=-1009"))]), OTHER),
        attack("the host's field", form(), form_of(&[chat, ("mode", "a & b")]), UNLISTED),
        attack("no conversation in a form", form(), form_of(&[]), "the conversation is missing"),
        attack("an unlisted leaf of a JSON field", form(), form_of(&[chat, ("rows", r#"[{"x":1}]"#)]), UNLISTED),
        attack("a repeated member of it", form(), form_of(&[chat, ("rows", r#"[{"id":1,"id":2}]"#)]), "twice"),
        attack("a JSON field that is none", form(), form_of(&[chat, ("rows", "[")]), "the part `rows`"),
        attack("JSON for a form", form(), to(CHAT), "got JSON"),
        attack("parts for a form", form(), parts(vec![]), "got a multipart body"),
        attack("a form for JSON", send_message(), form_of(&[chat]), "got a form"),
        attack("parts for JSON", send_message(), parts(vec![]), "got a multipart body"),
        attack(
            "a body for none",
            typing(),
            Asked { body: Body::Json("{}".into()), ..vars(&[("chat", CHAT)]) },
            "no body",
        ),
        attack("bytes", send_message(), body(Body::Bytes(b"{}".to_vec())), "a body of bytes"),
        attack("bytes for none", get_file(), body(Body::Bytes(vec![])), "a body of bytes"),
        attack("another chat in a part", send_photo(), multipart(vec![text_part("chat_id", "-1009")]), OTHER),
        attack("a repeated part", send_photo(), parts(vec![text_part("chat_id", "-1009")]), "is there twice"),
        attack("an unlisted part", send_photo(), parts(vec![text_part("video", "x")]), UNLISTED),
        attack("a part with a line in its name", send_photo(), parts(vec![text_part("a\"\r\nx: y", "x")]), UNLISTED),
        attack("a part that is no text", send_photo(), parts(vec![raw("caption", b"\xff")]), "not UTF-8"),
        attack(
            "a photo by URL",
            send_photo(),
            parts(vec![text_part("photo", "https://evil.example/?q=x")]),
            "is a file",
        ),
        attack("a photo by id", send_photo(), parts(vec![text_part("photo", "AgAC")]), "is a file"),
        attack(
            "a photo by URL in a form",
            send_photo(),
            form_of(&[chat, ("photo", "https://evil.example")]),
            "is a file",
        ),
        attack(
            "bytes of the adapter's as a photo",
            send_photo(),
            parts(vec![named("a.jpg", raw("photo", b"x"))]),
            "is a file",
        ),
        attack(
            "a text with a file's name",
            send_photo(),
            parts(vec![named("a.jpg", text_part("caption", TEXT))]),
            "file's name",
        ),
        attack(
            "a file as a text",
            send_photo(),
            parts(vec![file_part("caption", "f-named", None)]),
            "not among its `files`",
        ),
        attack("a file as the chat", send_photo(), multipart(vec![file_part("chat_id", "f-named", None)]), "`files`"),
        attack("a file as JSON", send_photo(), parts(vec![file_part("caption_entities", "f-named", None)]), "`files`"),
        attack(
            "a file of another chat",
            send_photo(),
            parts(vec![file_part("photo", "f", Some("-1009"))]),
            "another conversation",
        ),
        attack("a file of no chat", send_photo(), parts(vec![file_part("photo", "f", None)]), "another conversation"),
        attack(
            "a file twice in one name",
            send_photo(),
            parts(vec![file_part("photo", "f-named", None), file_part("photo", "f-named", None)]),
            "is there twice",
        ),
        attack("the host's part", send_photo(), parts(vec![text_part("protect", "false")]), UNLISTED),
        attack(
            "the host's leaf in a JSON part",
            send_photo(),
            parts(vec![text_part("options", r#"{"depth":1}"#)]),
            UNLISTED,
        ),
        attack("JSON in its way", send_photo(), parts(vec![text_part("options", "1")]), UNLISTED),
    ]);
}

#[test]
fn bodies_have_limits() {
    let deep = format!(r#"{{"entities":{}1{}}}"#, "[".repeat(16), "]".repeat(16));
    let many = format!(r#","entities":[{}]"#, vec![r#"{"type":"a"}"#; 4096].join(","));
    let long = "\u{1}".repeat(200_000);
    let long_url = serde_json::json!([{ "url": long }]);
    assert_denied(vec![
        attack("deep", send_message(), json(deep), "16 levels"),
        attack("very deep", send_message(), json("[".repeat(1_000_000)), "16 levels"),
        attack("many leaves", send_message(), message(&many), "4096 values"),
        attack("long", send_message(), message(&" ".repeat(1 << 20)), "1048576 bytes"),
        attack("long, escaped", send_message(), message(&format!(r#","entities":{long_url}"#)), "1048576 bytes"),
        attack("a long form", form(), form_of(&[("chat_id", CHAT), ("text", &"x".repeat(1 << 20))]), "1048576 bytes"),
        attack(
            "a form that is long when encoded",
            form(),
            form_of(&[("chat_id", CHAT), ("rows", &format!("[{{\"id\":\"{}\"}}]", "ä".repeat(200_000)))]),
            "1048576 bytes",
        ),
        attack("many parts", form(), form_of(&vec![("chat_id", CHAT); 4097]), "4096 parts"),
        attack(
            "long parts",
            send_photo(),
            multipart(vec![text_part("chat_id", &"x".repeat(1 << 20))]),
            "1048576 bytes",
        ),
    ]);
}

#[test]
fn a_file_of_no_conversation_does_not_leave_with_a_call_that_is_about_none() {
    let mut endpoint = send_photo();
    endpoint.uses = [Use::Call].into();
    endpoint.conversation = vec![];
    let call = Permit::bare(Use::Call);
    for conversation in [None, Some(CHAT)] {
        let parts = multipart(vec![file_part("photo", "f", conversation)]);
        let denied = build(&endpoint, &values(), &call, parts).unwrap_err();
        assert!(denied.0.contains("another conversation"), "{denied}");
    }
}

#[test]
fn the_parts_share_one_limit_of_leaves() {
    let many = |count: usize, leaf: &str| format!("[{}]", vec![leaf; count].join(","));
    let parts = |left: usize, right: usize| {
        let entities = many(left, r#"{"type":"a"}"#);
        let mut endpoint = send_photo();
        endpoint.json.push("rows".into());
        endpoint.fields.push(FieldPattern::parse("/rows/*").unwrap());
        let parts = [("caption_entities", entities), ("rows", many(right, "1"))];
        let parts = parts.iter().map(|(name, text)| text_part(name, text)).chain([text_part("chat_id", CHAT)]);
        attempt(&endpoint, multipart(parts.collect()))
    };
    assert!(parts(2000, 2095).is_ok());
    assert!(parts(2000, 2096).unwrap_err().0.contains("4096 values"));
}
