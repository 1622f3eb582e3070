//! What the host asks for, and what Telegram is asked for then.

use super::*;
use proptest::prelude::*;
use sluicegate_sdk::testing::{kept, outgoing, prompt};

fn said(text: &str) -> Outgoing {
    outgoing("412587349", text)
}

fn place(thread: Option<&str>) -> Place {
    Place { conversation: "-1001234567890".to_owned(), thread: thread.map(str::to_owned) }
}

/// Performs a `send` to which Telegram answers in this order, and gives the endpoints and bodies of the requests.
fn send(outgoing: Outgoing, answers: &[(&str, Response)]) -> (Performed, Vec<(String, Value)>) {
    let host = started();
    answers.iter().for_each(|(endpoint, answer)| host.answer(endpoint, answer.clone()));
    let performed = host.perform::<Telegram>(Action::Send(outgoing));
    let requests = checked(&host, "send");
    (performed, requests.iter().map(|it| (it.endpoint.clone(), body(it))).collect())
}

fn sent() -> Response {
    ok(json!({ "message_id": 99 }))
}

#[test]
fn a_text_goes_with_its_entities_to_its_place() {
    let span = |start, end, style| Span { start, end, style };
    let text = RichText {
        text: "😀 bold it st co\nfn x\nsaid link".to_owned(),
        spans: vec![
            span(2, 6, Style::Bold),
            span(7, 9, Style::Italic),
            span(10, 12, Style::Strike),
            span(13, 15, Style::Code),
            span(16, 20, Style::Block(Some("rust".to_owned()))),
            span(16, 20, Style::Block(None)),
            span(21, 25, Style::Quote),
            span(26, 30, Style::Link("https://example.com/a?b=c".to_owned())),
            span(3, 3, Style::Bold),
        ],
    };
    let outgoing = Outgoing { place: place(Some("77")), reply_to: Some("12".to_owned()), text, files: vec![] };
    let (performed, requests) = send(outgoing, &[("sendMessage", sent())]);
    assert_eq!(performed, Ok(Outcome::Done));
    let entity = |kind: &str, offset: u32, length: u32| json!({ "type": kind, "offset": offset, "length": length });
    let mut block = entity("pre", 17, 4);
    block["language"] = "rust".into();
    let mut link = entity("text_link", 27, 4);
    link["url"] = "https://example.com/a?b=c".into();
    let expected = json!({
        "chat_id": -1001234567890_i64,
        "message_thread_id": 77,
        "text": "😀 bold it st co\nfn x\nsaid link",
        "entities": [
            entity("bold", 3, 4), entity("italic", 8, 2), entity("strikethrough", 11, 2), entity("code", 14, 2),
            block, entity("pre", 17, 4), entity("blockquote", 22, 4), link,
        ],
        "reply_parameters": { "message_id": 12, "allow_sending_without_reply": true },
    });
    assert_eq!(requests, [("sendMessage".to_owned(), expected)]);
    let (_, plain) = send(said("Hi *there* <b>"), &[("sendMessage", sent())]);
    assert_eq!(plain[0].1, json!({ "chat_id": 412587349, "text": "Hi *there* <b>" }));
}

#[test]
fn entities_are_nested_as_telegram_takes_them() {
    let span = |start, end, style| Span { start, end, style };
    let link = |start, end| span(start, end, Style::Link("https://e.org".to_owned()));
    let mail = Style::Link("mailto:a@e.org".to_owned());
    for (spans, expected) in [
        (vec![span(0, 9, Style::Bold), span(3, 5, Style::Code)], vec![("bold", 0, 3), ("bold", 5, 4), ("code", 3, 2)]),
        (vec![span(0, 9, Style::Bold), span(0, 9, Style::Code)], vec![("code", 0, 9)]),
        (
            vec![
                span(0, 9, Style::Strike),
                span(0, 2, Style::Code),
                span(3, 9, Style::Italic),
                span(7, 9, Style::Code),
            ],
            vec![("strikethrough", 2, 5), ("code", 0, 2), ("italic", 3, 4), ("code", 7, 2)],
        ),
        (vec![link(0, 9), span(0, 9, Style::Code)], vec![("text_link", 0, 9)]),
        (vec![link(0, 9), span(2, 4, Style::Bold)], vec![("text_link", 0, 9), ("bold", 2, 2)]),
        (
            vec![span(0, 9, Style::Quote), span(2, 4, Style::Block(None)), span(5, 6, Style::Bold)],
            vec![("blockquote", 0, 9), ("pre", 2, 2), ("bold", 5, 1)],
        ),
        (vec![span(0, 9, mail), span(3, 5, Style::Code)], vec![("code", 3, 2)]),
    ] {
        let entities = entities::of(&RichText { text: "123456789".to_owned(), spans });
        let found = json::array(&entities, "").iter().map(|entity| {
            let number = |name| json::integer(entity, name).unwrap();
            (json::text(entity, "/type").unwrap(), number("/offset"), number("/length"))
        });
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}

proptest! {
    #[test]
    fn entities_cover_the_same_characters_in_telegrams_units(
        text in "[a-z é😀👨\\u{200d}💻]{1,20}",
        ends in proptest::collection::vec((0..22_u32, 0..22_u32), 0..5),
    ) {
        let spans: Vec<Span> =
            ends.iter().map(|(a, b)| Span { start: *a.min(b), end: *a.max(b), style: Style::Bold }).collect();
        let entities = entities::of(&RichText { text: text.clone(), spans: spans.clone() });
        let units: Vec<u16> = text.encode_utf16().collect();
        let covered: Vec<String> = json::array(&entities, "")
            .iter()
            .map(|entity| {
                let [offset, length] = ["/offset", "/length"].map(|it| json::integer(entity, it).unwrap() as usize);
                String::from_utf16(&units[offset..offset + length]).unwrap()
            })
            .collect();
        let expected: Vec<String> = spans
            .iter()
            .map(|span| text.chars().skip(span.start as usize).take((span.end - span.start) as usize).collect())
            .filter(|part: &String| !part.is_empty())
            .collect();
        prop_assert_eq!(covered, expected);
    }
}

#[test]
fn one_file_carries_a_short_text_and_the_answer() {
    let text = RichText { text: "Look".to_owned(), spans: vec![Span { start: 0, end: 4, style: Style::Bold }] };
    for (file, endpoint, part) in [
        (kept("f1", "a.jpg", "image/jpeg", 5000), "sendPhoto", "photo"),
        (kept("f1", "a.png", "image/png", 10_000_000), "sendPhoto", "photo"),
        (kept("f1", "a.webp", "image/webp", 1), "sendPhoto", "photo"),
        (kept("f1", "a.png", "image/png", 10_000_001), "sendDocument", "document"),
        (kept("f1", "a.gif", "image/gif", 5000), "sendDocument", "document"),
        (kept("f1", "a.svg", "image/svg+xml", 5000), "sendDocument", "document"),
        (kept("f1", "a.pdf", "application/pdf", 5000), "sendDocument", "document"),
    ] {
        let outgoing = Outgoing { reply_to: Some("12".to_owned()), text: text.clone(), files: vec![file], ..said("") };
        let (performed, mut requests) = send(outgoing, &[(endpoint, sent())]);
        assert_eq!(performed, Ok(Outcome::Done));
        for json in ["reply_parameters", "caption_entities"] {
            let part = &mut requests[0].1[json];
            *part = serde_json::from_str(part.as_str().unwrap()).unwrap();
        }
        let expected = json!({
            "chat_id": "412587349",
            "reply_parameters": { "message_id": 12, "allow_sending_without_reply": true },
            "caption": "Look",
            "caption_entities": [{ "type": "bold", "offset": 0, "length": 4 }],
            part: { "file": "f1" },
        });
        assert_eq!(requests, [(endpoint.to_owned(), expected)]);
    }
}

#[test]
fn a_longer_text_or_more_files_go_one_after_the_other() {
    let photo = || kept("f1", "a.jpg", "image/jpeg", 5000);
    let file = || kept("f2", "a.pdf", "application/pdf", 5000);
    for (text, files, expected) in [
        ("😀".repeat(512), vec![photo()], vec!["sendPhoto"]),
        ("😀".repeat(512) + "a", vec![photo()], vec!["sendMessage", "sendPhoto"]),
        ("a".to_owned(), vec![photo(), file()], vec!["sendMessage", "sendPhoto", "sendDocument"]),
        (String::new(), vec![file(), photo()], vec!["sendDocument", "sendPhoto"]),
        (" \n".to_owned(), vec![photo()], vec!["sendPhoto"]),
    ] {
        let captioned = expected[0] != "sendMessage" && !text.trim().is_empty();
        let outgoing = Outgoing {
            place: place(Some("77")),
            reply_to: Some("12".to_owned()),
            text: RichText::plain(text.clone()),
            files,
        };
        let answers: Vec<_> = expected.iter().map(|endpoint| (*endpoint, sent())).collect();
        let (performed, requests) = send(outgoing, &answers);
        assert_eq!(performed, Ok(Outcome::Done));
        assert_eq!(requests.iter().map(|(endpoint, _)| endpoint.as_str()).collect::<Vec<_>>(), expected);
        for (index, (_, body)) in requests.iter().enumerate() {
            assert_eq!(body.get("reply_parameters").is_some(), index == 0);
            assert_eq!(body.get("caption").is_some(), captioned);
            assert_eq!(body["message_thread_id"].to_string().trim_matches('"'), "77");
        }
    }
    let (performed, requests) = send(said(" "), &[]);
    assert!(matches!(performed, Err(Failure::Invalid(_))));
    assert!(requests.is_empty());
}

#[test]
fn a_picture_that_is_no_photo_to_telegram_goes_as_a_document() {
    for (why, again) in [
        ("Bad Request: PHOTO_INVALID_DIMENSIONS", true),
        ("Bad Request: IMAGE_PROCESS_FAILED", true),
        ("Bad Request: chat not found", false),
    ] {
        let files = vec![kept("f1", "a.png", "image/png", 5000)];
        let answers = [("sendPhoto", no(400, why)), ("sendDocument", sent())];
        let (performed, requests) = send(Outgoing { files, ..said("Look") }, &answers);
        assert_eq!(performed, if again { Ok(Outcome::Done) } else { Err(Failure::platform(400, why)) });
        assert_eq!(requests.len(), if again { 2 } else { 1 });
        assert!(requests.iter().all(|(_, body)| body["caption"] == "Look"));
    }
}

#[test]
fn telegrams_refusals_are_told_in_its_own_words() {
    let slow = json!({
        "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 5", "parameters": { "retry_after": 5 },
    });
    let moved = json!({
        "ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": { "migrate_to_chat_id": -1007 },
    });
    for (answer, status, message, retry_after_ms) in [
        (Response::json(429, &slow), 429, "Too Many Requests: retry after 5", Some(5000)),
        (
            Response::json(400, &moved),
            400,
            "Bad Request: group chat was upgraded to a supergroup chat; the group has the id -1007 now",
            None,
        ),
        (no(403, "Forbidden: bot was blocked by the user"), 403, "Forbidden: bot was blocked by the user", None),
        (Response::json(200, &json!([])), 200, "no answer of Telegram's: []", None),
    ] {
        let (performed, _) = send(said("Hi"), &[("sendMessage", answer)]);
        let failure = PlatformFailure { status, message: message.to_owned(), retry_after_ms };
        assert_eq!(performed, Err(Failure::Platform(failure)));
    }
}

#[test]
fn a_failure_half_way_says_what_was_sent() {
    let files = vec![kept("f1", "a.pdf", "application/pdf", 1), kept("f2", "b.pdf", "application/pdf", 1)];
    let answers =
        [("sendMessage", sent()), ("sendDocument", sent()), ("sendDocument", no(413, "Request Entity Too Large"))];
    let (performed, _) = send(Outgoing { files, ..said("Look") }, &answers);
    let why = "what comes before \"b.pdf\" was sent, and then it failed: Request Entity Too Large";
    assert_eq!(performed, Err(Failure::platform(413, why)));
}

fn perform(action: Action, purpose: &str, answers: &[(&str, Response)]) -> (Performed, Vec<(String, Value)>) {
    let host = started();
    answers.iter().for_each(|(endpoint, answer)| host.answer(endpoint, answer.clone()));
    let performed = host.perform::<Telegram>(action);
    let requests = checked(&host, purpose);
    (performed, requests.iter().map(|it| (it.endpoint.clone(), body(it))).collect())
}

#[test]
fn a_text_is_edited_or_what_stands_below_a_file() {
    let edit = || {
        let text = RichText { text: "New".to_owned(), spans: vec![Span { start: 0, end: 3, style: Style::Code }] };
        Action::Edit(Edit { place: place(None), message: "12".to_owned(), text })
    };
    let code = json!([{ "type": "code", "offset": 0, "length": 3 }]);
    let text = json!({ "chat_id": -1001234567890_i64, "message_id": 12, "text": "New", "entities": code });
    let caption =
        json!({ "chat_id": -1001234567890_i64, "message_id": 12, "caption": "New", "caption_entities": code });
    let same =
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same";
    let no_text = "Bad Request: there is no text in the message to edit";
    let gone = "Bad Request: message to edit not found";
    for (answers, expected, requests) in [
        (vec![("editMessageText", sent())], Ok(Outcome::Done), vec![&text]),
        (vec![("editMessageText", no(400, same))], Ok(Outcome::Done), vec![&text]),
        (vec![("editMessageText", no(400, gone))], Err(Failure::platform(400, gone)), vec![&text]),
        (
            vec![("editMessageText", no(400, no_text)), ("editMessageCaption", sent())],
            Ok(Outcome::Done),
            vec![&text, &caption],
        ),
        (
            vec![("editMessageText", no(400, no_text)), ("editMessageCaption", no(400, same))],
            Ok(Outcome::Done),
            vec![&text, &caption],
        ),
        (
            vec![("editMessageText", no(400, no_text)), ("editMessageCaption", no(400, gone))],
            Err(Failure::platform(400, gone)),
            vec![&text, &caption],
        ),
    ] {
        let (performed, made) = perform(edit(), "edit", &answers);
        assert_eq!(performed, expected);
        assert_eq!(made.iter().map(|(_, body)| body).collect::<Vec<_>>(), requests);
    }
}

const BUTTONS: [(&str, &str); 3] = [("See more", "sg.3"), ("Allow", "sg.1"), ("Deny", "sg.2")];

fn question(buttons: &[(&str, &str)]) -> Prompt {
    let prompt = prompt("412587349", "😀 Run `ls`?", buttons);
    let spans = vec![Span { start: 6, end: 10, style: Style::Code }];
    Prompt { text: RichText { spans, ..prompt.text }, ..prompt }
}

#[test]
fn a_question_goes_with_its_buttons_in_their_order() {
    let button = |(label, token): (&str, &str)| json!({ "text": label, "callback_data": token });
    let [more, allow, deny] = BUTTONS.map(button);
    for (buttons, rows) in [
        (&BUTTONS[1..], json!([[allow, deny]])),
        (&BUTTONS[..], json!([[more], [allow, deny]])),
        (&BUTTONS[2..], json!([[deny]])),
        (&[], Value::Null),
    ] {
        let (performed, made) = perform(Action::Ask(question(buttons)), "ask", &[("sendMessage", sent())]);
        assert_eq!(performed, Ok(Outcome::Done), "the host reads the id itself");
        let mut expected = json!({
            "chat_id": 412587349,
            "text": "😀 Run `ls`?",
            "entities": [{ "type": "code", "offset": 7, "length": 4 }],
        });
        if !rows.is_null() {
            expected["reply_markup"] = json!({ "inline_keyboard": rows });
        }
        assert_eq!(made, [("sendMessage".to_owned(), expected)], "no empty keyboard either");
    }
    let prompt = Prompt { place: place(Some("77")), ..question(&BUTTONS) };
    let (_, made) = perform(Action::Ask(prompt), "ask", &[("sendMessage", sent())]);
    assert_eq!((&made[0].1["chat_id"], &made[0].1["message_thread_id"]), (&json!(-1001234567890_i64), &json!(77)));
}

#[test]
fn a_question_takes_the_place_of_an_earlier_one() {
    let same =
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same";
    let gone = "Bad Request: message to edit not found";
    let no_text = "Bad Request: there is no text in the message to edit";
    for (answer, expected) in [
        (sent(), Ok(Outcome::Done)),
        (no(400, same), Ok(Outcome::Done)),
        (no(400, gone), Err(Failure::platform(400, gone))),
        (no(400, no_text), Err(Failure::platform(400, no_text))),
    ] {
        for buttons in [&BUTTONS[1..], &[]] {
            let prompt = Prompt { replaces: Some("12".to_owned()), ..question(buttons) };
            let (performed, made) = perform(Action::Ask(prompt), "ask", &[("editMessageText", answer.clone())]);
            assert_eq!(performed, expected);
            let [(endpoint, body)] = &made[..] else { unreachable!("one request") };
            assert_eq!((endpoint.as_str(), &body["message_id"]), ("editMessageText", &json!(12)));
            assert_eq!((&body["text"], &body["entities"][0]["type"]), (&json!("😀 Run `ls`?"), &json!("code")));
            assert_eq!(body.get("reply_markup").is_some(), !buttons.is_empty(), "without it the buttons disappear");
        }
    }
}

proptest! {
    #[test]
    fn buttons_read_row_by_row_are_those_of_the_question(labels in proptest::collection::vec("[A-Za-z 😀]{1,6}", 0..7)) {
        let buttons: Vec<(&str, &str)> = labels.iter().map(|label| (label.as_str(), label.as_str())).collect();
        let (_, made) = perform(Action::Ask(question(&buttons)), "ask", &[("sendMessage", sent())]);
        let rows = json::array(&made[0].1, "/reply_markup/inline_keyboard").iter();
        let shown: Vec<&str> = rows.flat_map(|row| json::array(row, "")).filter_map(|it| json::text(it, "/text")).collect();
        prop_assert_eq!(shown, labels);
    }
}

#[test]
fn a_reaction_is_one_of_telegrams_emoji_or_none() {
    for (emoji, expected) in [
        ("👍", json!([{ "type": "emoji", "emoji": "👍" }])),
        ("❤\u{fe0f}", json!([{ "type": "emoji", "emoji": "❤" }])),
        ("❤\u{fe0f}\u{200d}🔥", json!([{ "type": "emoji", "emoji": "❤\u{200d}🔥" }])),
        ("", Value::Null),
    ] {
        let reaction = Reaction { place: place(None), message: "12".to_owned(), emoji: emoji.to_owned() };
        let (performed, made) = perform(Action::React(reaction), "react", &[("setMessageReaction", ok(true.into()))]);
        assert_eq!(performed, Ok(Outcome::Done));
        assert_eq!(made[0].1.get("reaction").cloned().unwrap_or_default(), expected);
        assert_eq!(made[0].1["message_id"], 12);
    }
}

#[test]
fn typing_shows_in_the_thread() {
    let (performed, made) =
        perform(Action::Typing(place(Some("77"))), "typing", &[("sendChatAction", ok(true.into()))]);
    assert_eq!(performed, Ok(Outcome::Done));
    let expected = json!({ "chat_id": -1001234567890_i64, "message_thread_id": 77 });
    assert_eq!(made, [("sendChatAction".to_owned(), expected)]);
}

#[test]
fn a_file_is_fetched_by_the_path_that_telegram_names() {
    let host = started();
    let found = json!({ "file_id": "F", "file_unique_id": "U", "file_size": 3, "file_path": "photos/file_12.jpg" });
    host.answer("getFile", ok(found));
    let headers = vec![("content-type".to_owned(), "image/jpeg".to_owned())];
    host.answer("file", Response { status: 200, headers, body: b"jpg".to_vec() });
    let performed = host.perform::<Telegram>(Action::Fetch("F".to_owned()));
    assert_eq!(performed, Ok(Outcome::Kept(kept("download-1", "file_12.jpg", "image/jpeg", 3))));
    let requests = checked(&host, "fetch");
    assert_eq!(body(&requests[0]), json!({ "file_id": "F" }));
    assert_eq!(requests[1].vars, [("path".to_owned(), "photos/file_12.jpg".to_owned())]);

    let big = "Bad Request: file is too big";
    let (performed, _) = perform(Action::Fetch("F".to_owned()), "fetch", &[("getFile", no(400, big))]);
    assert_eq!(performed, Err(Failure::platform(400, big)));
}

#[test]
fn ids_are_numbers_as_they_were_read() {
    for (id, expected) in [
        ("-1001234567890", json!(-1001234567890_i64)),
        ("0", json!(0)),
        ("+1", json!("+1")),
        ("01", json!("01")),
        ("-0", json!("-0")),
        ("99999999999999999999", json!("99999999999999999999")),
        ("@channel", json!("@channel")),
    ] {
        assert_eq!(api::number(id), expected);
    }
}
