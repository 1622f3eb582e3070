//! What Telegram refuses, the fake refuses in the same words; what it accepts, it shows as Telegram does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::{Value, json};
use sluicegate_tests::{
    http::{self, Request},
    telegram::{Post, Telegram},
};

fn ask(telegram: &Telegram, method: &str, body: &Value) -> Result<Value, String> {
    read(telegram, &http::post(&format!("/bot{}/{method}", telegram.token()), body))
}

fn read(telegram: &Telegram, request: &Request) -> Result<Value, String> {
    let answer: Value = serde_json::from_slice(&request.send(telegram.port()).body).expect("an answer is JSON");
    match answer["ok"].as_bool() {
        Some(true) => Ok(answer["result"].clone()),
        _ => Err(answer["description"].as_str().expect("an error has a description").to_owned()),
    }
}

fn with_alice() -> (Telegram, i64) {
    let telegram = Telegram::start();
    let alice = telegram.add_user("Alice");
    telegram.post(Post::text(alice, "hello 👋 there"));
    (telegram, alice)
}

/// Every case is a body and the error without "Bad Request: ", or nothing where it is fine.
fn check(telegram: &Telegram, method: &str, common: &Value, cases: &[(Value, &str)]) {
    for (case, expected) in cases {
        let mut body = common.clone();
        for (member, value) in case.as_object().unwrap() {
            body[member] = value.clone();
        }
        let error = ask(telegram, method, &body).err().unwrap_or_default();
        let error = error.trim_start_matches("Bad Request: ");
        let fits = if expected.ends_with('…') {
            error.starts_with(expected.trim_end_matches('…'))
        } else {
            error == *expected
        };
        assert!(fits, "{method} {body}: {error:?} instead of {expected:?}");
    }
}

#[test]
fn texts_and_their_spans_are_checked() {
    let (telegram, alice) = with_alice();
    let span = |kind: &str, offset: i64, length: i64| json!({ "type": kind, "offset": offset, "length": length });
    let with = |text: &str, entities: Value| json!({ "text": text, "entities": entities });
    check(
        &telegram,
        "sendMessage",
        &json!({ "chat_id": alice }),
        &[
            (json!({}), "message text is empty"),
            (json!({ "text": " \n " }), "text must be non-empty"),
            (json!({ "text": "x".repeat(4096) }), ""),
            (json!({ "text": "x".repeat(4097) }), "message is too long"),
            (json!({ "text": "👋".repeat(2048) }), ""),
            (json!({ "text": "👋".repeat(2049) }), "message is too long"),
            (json!({ "text": "x", "parse_mode": "wiki" }), "unsupported parse_mode"),
            (json!({ "text": "x", "link_preview_options": [] }), "object expected as link preview options"),
            (with("a👋b", json!([span("bold", 1, 2), span("italic", 3, 1)])), ""),
            (
                with("a👋b", json!([span("bold", 2, 1)])),
                "entity begins in a middle of a UTF-16 symbol at byte offset 1",
            ),
            (with("a👋b", json!([span("bold", 0, 2)])), "entity beginning at UTF-16 offset 0 ends in a middle of a…"),
            (
                with("abc", json!([span("bold", 1, 3)])),
                "entity beginning at UTF-16 offset 1 ends after the end of the…",
            ),
            (with("abc", json!([span("bold", 4, 1)])), "entity begins after the end of the text at UTF-16 offset 4…"),
            (with("abc", json!([span("bold", -1, 1)])), "receive an entity with incorrect offset -1"),
            (with("abc", json!([span("bold", 0, 0)])), "entity at UTF-16 offset 0 is empty (the fake is strict)"),
            (with("abc", json!([span("shiny", 0, 1)])), "can't parse MessageEntity: Unsupported type specified"),
            (with("abc", json!([span("text_link", 0, 1)])), "can't parse MessageEntity: Can't find field \"url\""),
            (with("abc", json!([{ "type": "text_link", "offset": 0, "length": 1, "url": "https://a.example/" }])), ""),
            (with("abc", json!([{ "type": "pre", "offset": 0, "length": 1, "language": "rust" }])), ""),
            (
                with("abc", json!([{ "type": "bold", "offset": 0 }])),
                "can't parse MessageEntity: Can't find field \"length\"",
            ),
            (with("abc", json!([span("bold", 0, 2), span("italic", 1, 2)])), "entities bold at 0 and italic at 1…"),
            (with("abc", json!([span("bold", 0, 3), span("italic", 1, 1)])), ""),
            (with("abc", json!([span("code", 0, 3), span("bold", 1, 1)])), "entities code at 0 and bold at 1…"),
            (with("abc", json!([span("bold", 0, 3), span("code", 1, 1)])), "entities bold at 0 and code at 1…"),
            (with("abc", json!([span("blockquote", 0, 3), span("code", 1, 1)])), ""),
            (with("abc", json!([span("blockquote", 0, 3), span("blockquote", 1, 1)])), "entities blockquote at 0 and…"),
            (
                with("abc", json!([span("blockquote", 0, 3), span("text_link", 1, 1)])),
                "can't parse MessageEntity: Can't…",
            ),
            (with("abc", json!("bold")), "entities is no JSON…"),
        ],
    );
    let sent = ask(
        &telegram,
        "sendMessage",
        &json!({
            "chat_id": alice.to_string(), "text": "\n see https://a.example/x. \n", "entities": [span("bold", 2, 3)],
        }),
    );
    let sent = sent.unwrap();
    assert_eq!((&sent["text"], sent["from"]["is_bot"].as_bool()), (&json!("see https://a.example/x."), Some(true)));
    assert_eq!(sent["entities"], json!([span("bold", 0, 3), span("url", 4, 19)]));
    let fetched = telegram.look(|view| view.fetched_urls());
    assert_eq!(fetched.last().unwrap(), "https://a.example/x", "a preview would be fetched");
}

#[test]
fn markdown_v2_and_html_are_read_or_refused() {
    let (telegram, alice) = with_alice();
    let reserved =
        |character: char| format!("Character '{character}' is reserved and must be escaped with the preceding '\\'");
    let read = |mode: &str, text: &str| {
        let sent = ask(&telegram, "sendMessage", &json!({ "chat_id": alice, "text": text, "parse_mode": mode }));
        sent.map(|sent| (sent["text"].as_str().unwrap().to_owned(), spans(&sent["entities"])))
            .map_err(|error| error.trim_start_matches("Bad Request: can't parse entities: ").to_owned())
    };
    for (text, plain, expected) in [
        ("plain", "plain", ""),
        ("\\*a\\* 1\\.5\\!", "*a* 1.5!", ""),
        ("*b* _i_ __u__ ~s~ ||p||", "b i u s p", "bold 0+1 italic 2+1 underline 4+1 strikethrough 6+1 spoiler 8+1"),
        ("*b _i_*", "b i", "bold 0+3 italic 2+1"),
        ("👋 `a.b` x", "👋 a.b x", "code 3+3"),
        ("```rust\nlet a = 1;\n```", "let a = 1;", "pre(rust) 0+10"),
        ("[a](https://x.example/\\))", "a", "text_link(https://x.example/)) 0+1"),
        (">q\n>r\nx", "q\nr\nx", "blockquote 0+4"),
        (">q\n>r||", "q\nr", "expandable_blockquote 0+3"),
    ] {
        assert_eq!(read("MarkdownV2", text), Ok((plain.to_owned(), expected.to_owned())), "{text}");
    }
    for character in ['.', '!', '-', '=', '(', ')', '{', '}', '#', '+', '|', '>', ']'] {
        assert_eq!(read("MarkdownV2", &format!("a{character}")), Err(reserved(character)), "{character}");
    }
    for (text, expected) in [
        ("a *b", "Can't find end of Bold entity at byte offset 2"),
        ("_a", "Can't find end of Italic entity at byte offset 0"),
        ("`a", "Can't find end of Code entity at byte offset 0"),
        ("```a", "Can't find end of Pre entity at byte offset 0"),
        ("[a](b", "Can't find end of a URL at byte offset 4"),
        ("*a _b* c_", "Can't find end of Italic entity at byte offset 8"),
    ] {
        assert_eq!(read("markdownv2", text), Err(expected.to_owned()), "{text}");
    }
    for (text, plain, expected) in [
        (
            "<b>a</b> &lt;&amp;&#33; <a href=\"https://x.example/\">l</a>",
            "a <&! l",
            "bold 0+1 text_link(https://x.example/) 6+1",
        ),
        ("<pre><code class=\"language-c\">x</code></pre>", "x", "pre(c) 0+1"),
        ("<span class='tg-spoiler'>x</span>", "x", "spoiler 0+1"),
    ] {
        assert_eq!(read("HTML", text), Ok((plain.to_owned(), expected.to_owned())), "{text}");
    }
    for (text, expected) in [
        ("<p>a</p>", "Unsupported start tag \"p\" at byte offset 0"),
        ("<b>a", "Can't find end tag corresponding to start tag \"b\" at byte offset 4"),
        ("<b>a</i>", "Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\""),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        ("a < b", "Unclosed start tag at byte offset 2"),
    ] {
        assert_eq!(read("HTML", text), Err(expected.to_owned()), "{text}");
    }
}

fn spans(entities: &Value) -> String {
    let line = |span: &Value| {
        let more = ["language", "url"].iter().find_map(|member| span[member].as_str());
        let more = more.map(|more| format!("({more})")).unwrap_or_default();
        format!("{}{more} {}+{}", span["type"].as_str().unwrap(), span["offset"], span["length"])
    };
    entities.as_array().into_iter().flatten().map(line).collect::<Vec<_>>().join(" ")
}

#[test]
fn chats_topics_replies_and_buttons_are_checked() {
    let (telegram, alice) = with_alice();
    let bob = telegram.add_user("Bob");
    let carol = telegram.add_user("Carol");
    telegram.post(Post::text(carol, "hi"));
    telegram.block(carol);
    let group = telegram.add_group("Family", &[alice]);
    let forum = telegram.add_forum("Team", &[alice, bob]);
    let topic = telegram.add_topic(forum, "Deploys");
    let lost = telegram.add_supergroup("Lost", &[alice]);
    telegram.kick(lost);
    let secret = telegram.post(Post::text(bob, "secret").in_chat(group));
    let hello = telegram.look(|view| view.messages(alice))[0]["message_id"].clone();
    let button = |button: Value| json!({ "reply_markup": { "inline_keyboard": [[button]] } });
    check(
        &telegram,
        "sendMessage",
        &json!({ "chat_id": alice, "text": "x" }),
        &[
            (json!({ "chat_id": "" }), "chat_id is empty"),
            (json!({ "chat_id": 123 }), "chat not found"),
            (json!({ "chat_id": true }), "chat not found"),
            (json!({ "chat_id": "@alice" }), "chat not found"),
            (json!({ "chat_id": format!("{alice} and more") }), ""),
            (json!({ "chat_id": bob }), "Forbidden: bot can't initiate conversation with a user"),
            (json!({ "chat_id": carol }), "Forbidden: bot was blocked by the user"),
            (json!({ "chat_id": lost }), "Forbidden: bot was kicked from the supergroup chat"),
            (json!({ "chat_id": telegram.bot() }), "Forbidden: bot can't send messages to bots"),
            (json!({ "chat_id": forum, "message_thread_id": topic }), ""),
            (json!({ "chat_id": forum, "message_thread_id": topic + 1 }), "message thread not found"),
            (json!({ "chat_id": group, "message_thread_id": 77 }), ""),
            (json!({ "message_thread_id": 77 }), "message thread not found"),
            (json!({ "reply_parameters": { "message_id": hello } }), ""),
            (json!({ "reply_parameters": { "message_id": hello, "quote": "👋" } }), ""),
            (json!({ "reply_parameters": { "message_id": hello, "quote": "nothing" } }), "QUOTE_TEXT_INVALID"),
            (json!({ "reply_parameters": { "message_id": 1 } }), "message to be replied not found"),
            (json!({ "reply_parameters": { "message_id": 1, "allow_sending_without_reply": true } }), ""),
            (json!({ "reply_parameters": "{" }), "can't parse reply parameters JSON object"),
            (json!({ "reply_parameters": { "message_id": secret.message, "chat_id": group } }), ""),
            (button(json!({ "text": "a", "callback_data": "x".repeat(64) })), ""),
            (button(json!({ "text": "a", "callback_data": "x".repeat(65) })), "BUTTON_DATA_INVALID"),
            (button(json!({ "text": "a", "callback_data": "" })), "BUTTON_DATA_INVALID"),
            (button(json!({ "text": "a" })), "can't parse inline keyboard button: Text buttons are unallowed in the…"),
            (button(json!({ "callback_data": "a" })), "can't parse inline keyboard button: Can't find field \"text\"…"),
            (button(json!({ "text": "a", "url": "file:///a" })), "inline keyboard button URL 'file:///a' is invalid…"),
            (json!({ "reply_markup": "[" }), "can't parse reply keyboard markup JSON object"),
        ],
    );
    // The reply to another chat's message tells what is in it: a leak that tests look for.
    assert_eq!(telegram.look(|view| view.replies_across_chats()), [(alice, group)]);
    let leak = telegram.look(|view| view.sent(alice).into_iter().find(|sent| sent["external_reply"].is_object()));
    assert_eq!(leak.unwrap()["quote"]["text"], "secret");
    let posted = telegram.post(Post::text(alice, "in the topic").in_chat(forum).in_topic(topic));
    let posted = telegram.look(|view| view.message(forum, posted.message)).unwrap();
    assert_eq!(posted["reply_to_message"]["forum_topic_created"]["name"], "Deploys");
}

#[test]
fn edits_reactions_actions_and_answers_are_checked() {
    let (telegram, alice) = with_alice();
    let own = ask(
        &telegram,
        "sendMessage",
        &json!({
            "chat_id": alice, "text": "mine",
            "reply_markup": { "inline_keyboard": [[{ "text": "Allow", "callback_data": "allow" }]] },
        }),
    );
    let own = own.unwrap()["message_id"].clone();
    let hello = telegram.look(|view| view.messages(alice))[0]["message_id"].clone();
    let query = telegram.press(alice, alice, own.as_i64().unwrap(), "allow");
    let at = json!({ "chat_id": alice, "message_id": own });
    check(
        &telegram,
        "editMessageText",
        &at,
        &[
            (json!({ "text": "" }), "message text is empty"),
            (json!({ "text": "x".repeat(4097) }), "MESSAGE_TOO_LONG"),
            (json!({ "text": "x", "message_id": hello }), "message can't be edited"),
            (json!({ "text": "x", "message_id": 1 }), "message to edit not found"),
            (json!({ "text": "yours" }), ""),
            (json!({ "text": "yours" }), "message is not modified…"),
        ],
    );
    let edited = telegram.look(|view| view.message(alice, own.as_i64().unwrap())).unwrap();
    assert!(edited["reply_markup"].is_null() && edited["edit_date"].is_u64(), "{edited}");
    let emoji = |emoji: &str| json!({ "reaction": [{ "type": "emoji", "emoji": emoji }] });
    check(
        &telegram,
        "setMessageReaction",
        &json!({ "chat_id": alice, "message_id": hello }),
        &[
            (emoji("👍"), ""),
            (emoji("❤️"), ""),
            (emoji("✅"), "REACTION_INVALID"),
            (emoji("x"), "REACTION_INVALID"),
            (
                json!({ "reaction": [{ "type": "emoji", "emoji": "👍" }, { "type": "emoji", "emoji": "👎" }] }),
                "REACTIONS_TOO_MANY",
            ),
            (json!({ "reaction": [{ "type": "smile" }] }), "can't parse ReactionType: invalid reaction type specified"),
            (json!({ "reaction": "👍" }), "can't parse reaction types JSON object"),
            (json!({ "message_id": 1, "reaction": [] }), "message to react not found"),
        ],
    );
    assert_eq!(telegram.look(|view| view.reactions(alice, hello.as_i64().unwrap())), ["❤️"]);
    check(
        &telegram,
        "sendChatAction",
        &json!({ "chat_id": alice }),
        &[(json!({ "action": "typing" }), ""), (json!({ "action": "dancing" }), "wrong parameter action in request")],
    );
    assert_eq!(telegram.look(|view| view.actions().len()), 1);
    check(
        &telegram,
        "answerCallbackQuery",
        &json!({ "callback_query_id": query }),
        &[
            (json!({ "text": "x".repeat(201) }), "MESSAGE_TOO_LONG"),
            (json!({ "text": "done" }), ""),
            (
                json!({ "callback_query_id": "1" }),
                "query is too old and response timeout expired or query ID is invalid",
            ),
        ],
    );
    assert_eq!(telegram.look(|view| view.answer_to(&query)).unwrap()["text"], "done");
    check(&telegram, "deleteMessage", &at, &[(json!({}), ""), (json!({}), "message to delete not found")]);
    check(
        &telegram,
        "setMyCommands",
        &json!({}),
        &[
            (json!({ "commands": [{ "command": "start", "description": "Begin" }] }), ""),
            (json!({ "commands": [{ "command": "Start!", "description": "Begin" }] }), "BOT_COMMAND_INVALID"),
            (json!({ "commands": [{ "command": "start", "description": "" }] }), "BOT_COMMAND_DESCRIPTION_INVALID"),
        ],
    );
}

#[test]
fn files_are_uploaded_named_by_id_or_would_be_fetched() {
    let (telegram, alice) = with_alice();
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[0, 0, 1, 0, 0, 0, 0, 200], &[0; 40]].concat();
    let upload = |method: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]| {
        let mut body = Vec::new();
        let common = ("chat_id", alice.to_string());
        let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).chain([common]);
        for (name, value) in fields {
            body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        for (name, bytes) in files {
            body.extend(
                format!(
                    "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}.png\"\r\nContent-Type: \
                 image/png\r\n\r\n"
                )
                .bytes(),
            );
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--b--\r\n");
        let request = Request::new("POST", &format!("/bot{}/{method}", telegram.token()));
        read(&telegram, &request.header("Content-Type", "multipart/form-data; boundary=b").body(body))
    };
    let error = |answer: Result<Value, String>| answer.unwrap_err().trim_start_matches("Bad Request: ").to_owned();
    let photo = upload("sendPhoto", &[("caption", "a *b*"), ("parse_mode", "MarkdownV2")], &[("photo", &png)]).unwrap();
    assert_eq!(photo["caption_entities"], json!([{ "type": "bold", "offset": 2, "length": 1 }]));
    let largest = photo["photo"].as_array().unwrap().last().unwrap();
    assert_eq!((largest["width"].as_u64(), largest["height"].as_u64()), (Some(256), Some(200)));
    assert_eq!(telegram.look(|view| view.file_of(&photo)).unwrap().bytes(), png);
    let long = "x".repeat(1025);
    assert_eq!(error(upload("sendPhoto", &[("caption", &long)], &[("photo", &png)])), "message caption is too long");
    assert_eq!(error(upload("sendPhoto", &[], &[("photo", b"no picture")])), "IMAGE_PROCESS_FAILED");
    assert_eq!(error(upload("sendPhoto", &[], &[("document", &png)])), "there is no photo in the request");
    let large = [png.clone(), vec![0; 10 << 20]].concat();
    let large = error(upload("sendPhoto", &[], &[("photo", &large)]));
    assert!(large.ends_with("bytes is too big for a photo; the maximum size is 10485760 bytes"), "{large}");
    // An address in place of a file: Telegram would fetch it, and the part of that name is not looked at.
    let url = "https://attacker.example/?all=1";
    assert!(upload("sendPhoto", &[("photo", url)], &[("photo", &png)]).is_ok());
    assert_eq!(telegram.look(|view| view.fetched_urls()), [url]);
    let id = largest["file_id"].as_str().unwrap();
    assert!(upload("sendPhoto", &[("photo", id)], &[]).is_ok());
    assert_eq!(error(upload("sendVoice", &[("voice", id)], &[])), "can't use file of type Photo as Voice");
    assert_eq!(error(upload("sendPhoto", &[("photo", "AgAC")], &[])), "wrong file identifier/HTTP URL specified");
    let item = |name: &str| json!({ "type": "photo", "media": format!("attach://{name}") });
    let album = |items: Vec<Value>| {
        upload("sendMediaGroup", &[("media", &json!(items).to_string())], &[("a", &png), ("b", &png)])
    };
    let sent = album(vec![item("a"), item("b")]).unwrap();
    assert!(sent[0]["media_group_id"].is_string() && sent[0]["media_group_id"] == sent[1]["media_group_id"]);
    assert_eq!(error(album(vec![item("a"); 11])), "too many messages to send as an album");
    assert_eq!(error(album(vec![item("a")])), "an album has 2-10 items (the fake is strict)");
    assert_eq!(error(album(vec![item("a"), item("c")])), "can't parse InputMedia: there is no photo in the request");
    assert!(telegram.look(|view| view.all_calls().iter().all(|call| call.ignored.is_empty() || call.status == 400)));
}
