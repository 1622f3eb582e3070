//! Updates in the shapes that the Bot API has.

use super::*;
use sluicegate_sdk::testing::item;

fn ann() -> Value {
    json!({ "id": 412587349, "is_bot": false, "first_name": "Ann", "last_name": "Lee", "username": "ann", "language_code": "en" })
}

/// An update with a direct message that has these members too.
fn direct(members: Value) -> Value {
    in_chat(json!({ "id": 412587349, "first_name": "Ann", "username": "ann", "type": "private" }), members)
}

fn in_group(members: Value) -> Value {
    in_chat(json!({ "id": -1001234567890_i64, "title": "Ops", "type": "supergroup", "is_forum": true }), members)
}

fn in_chat(chat: Value, members: Value) -> Value {
    let mut message = json!({ "message_id": 11, "from": ann(), "chat": chat, "date": 1763700000 });
    message.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    json!({ "update_id": 900000001, "message": message })
}

fn edited(update: &Value) -> Value {
    let mut message = update["message"].clone();
    message["edit_date"] = 1763700060.into();
    json!({ "update_id": 900000002, "edited_message": message })
}

fn handle(host: &Host, update: &Value) {
    host.handle::<Telegram>(Event::Received(item("updates", None, update.to_string()))).unwrap();
}

/// What one update brings, checked against the profile.
fn delivered(update: &Value) -> Option<Message> {
    let host = started();
    handle(&host, update);
    let mut messages = host.deliveries();
    assert!(messages.len() <= 1);
    messages.iter().for_each(|message| contract::check_delivery(message, update));
    messages.pop()
}

fn words(update: &Value) -> Wording {
    delivered(update).unwrap().wording
}

#[test]
fn a_text_is_read_by_the_rule_of_its_kind() {
    let text = json!({ "text": "Hello" });
    let topic = json!({ "text": "Hello", "message_thread_id": 77, "is_topic_message": true });
    let forward =
        json!({ "text": "Hello", "forward_origin": { "type": "hidden_user", "sender_user_name": "Bob", "date": 1 } });
    let inline =
        json!({ "text": "Hello", "via_bot": { "id": 5, "is_bot": true, "first_name": "Wiki", "username": "wiki" } });
    let both = |a: &Value, b: &Value| {
        let members = a.as_object().unwrap().clone().into_iter().chain(b.as_object().unwrap().clone());
        Value::Object(members.collect())
    };
    for (update, rule) in [
        (direct(text.clone()), "message"),
        (in_group(text.clone()), "message"),
        (in_group(json!({ "text": "Hello", "message_thread_id": 9 })), "message"),
        (in_group(topic.clone()), "message-topic"),
        (direct(forward.clone()), "forwarded"),
        (in_group(both(&topic, &forward)), "forwarded-topic"),
        (direct(inline.clone()), "inline"),
        (in_group(both(&topic, &inline)), "inline-topic"),
        (direct(both(&forward, &inline)), "forwarded"),
        (edited(&direct(text)), "edited"),
        (edited(&in_group(topic)), "edited-topic"),
    ] {
        let message = delivered(&update).unwrap();
        assert_eq!((message.rule.as_str(), &message.wording), (rule, &Wording::Read), "{update}");
    }
}

#[test]
fn nobody_who_is_not_a_person_is_read_by_a_rule() {
    let channel = json!({ "id": -1009, "title": "News", "type": "channel" });
    let mut bot = direct(json!({ "text": "Hello" }));
    bot["message"]["from"]["is_bot"] = true.into();
    let mut nobody = direct(json!({ "text": "Hello" }));
    nobody["message"].as_object_mut().unwrap().remove("from");
    let unnoticed = json!({ "update_id": 1, "edited_message": direct(json!({ "text": "a" }))["message"] });
    let anonymous = in_group(json!({ "text": "Hello", "sender_chat": channel }));
    for update in [bot, nobody, unnoticed, edited(&anonymous), anonymous] {
        assert!(!contract::is_read_by_a_rule(&update), "{update}");
        let host = started();
        host.refuse("message", Refusal::DoesNotApply("so the profile says".to_owned()));
        host.refuse("edited", Refusal::DoesNotApply("so the profile says".to_owned()));
        handle(&host, &update);
        assert_eq!(host.deliveries(), []);
    }
}

#[test]
fn what_hangs_on_a_message_is_described() {
    let file = |name: Option<&str>, mime: Option<&str>| {
        let mut file = json!({ "file_id": "F", "file_unique_id": "U", "file_size": 1234 });
        name.into_iter().for_each(|name| file["file_name"] = name.into());
        mime.into_iter().for_each(|mime| file["mime_type"] = mime.into());
        file
    };
    let mut sticker = file(None, None);
    (sticker["emoji"], sticker["set_name"], sticker["is_video"]) = ("😀".into(), "Cats".into(), true.into());
    for (members, words, kind, name, media_type) in [
        (
            json!({ "document": file(Some("a.pdf"), Some("application/pdf")) }),
            "(file)",
            "document",
            Some("a.pdf"),
            Some("application/pdf"),
        ),
        (json!({ "document": file(None, None) }), "(file)", "document", None, None),
        (json!({ "voice": file(None, None) }), "(voice message)", "voice", None, Some("audio/ogg")),
        (
            json!({ "audio": file(Some("b.mp3"), Some("audio/mpeg")) }),
            "(audio)",
            "audio",
            Some("b.mp3"),
            Some("audio/mpeg"),
        ),
        (json!({ "video": file(None, Some("video/mp4")) }), "(video)", "video", None, Some("video/mp4")),
        (json!({ "video_note": file(None, None) }), "(video message)", "video_note", None, Some("video/mp4")),
        (
            json!({ "animation": file(Some("c.mp4"), Some("video/mp4")), "document": file(None, None) }),
            "(GIF)",
            "animation",
            Some("c.mp4"),
            Some("video/mp4"),
        ),
        (json!({ "sticker": sticker }), "(sticker 😀)", "sticker", None, Some("video/webm")),
    ] {
        let message = delivered(&direct(members.clone())).unwrap();
        assert_eq!(message.wording, Wording::Placeholder(words.to_owned()));
        let expected = Attachment {
            name: name.map(str::to_owned),
            media_type: media_type.map(str::to_owned),
            ..Attachment::remote(kind, "F").size(1234)
        };
        assert_eq!(message.attachments, [expected], "{members}");
    }
    let meta = delivered(&direct(json!({ "sticker": sticker }))).unwrap().meta;
    assert_eq!(meta, [("sticker_emoji".to_owned(), "😀".to_owned()), ("sticker_set".to_owned(), "Cats".to_owned())]);
}

#[test]
fn the_largest_size_of_a_photo_is_taken_and_its_caption_left_to_the_host() {
    let size = |id: &str, side: u32| json!({ "file_id": id, "file_unique_id": id, "width": side, "height": side, "file_size": side });
    let photo =
        json!({ "photo": [size("s", 90), size("l", 1280), size("m", 320)], "caption": "Look", "media_group_id": "1" });
    let message = delivered(&direct(photo)).unwrap();
    assert_eq!(message.attachments, [Attachment::remote("photo", "l").media_type("image/jpeg").size(1280)]);
    assert_eq!(message.wording, Wording::Placeholder("(photo)".to_owned()));
}

#[test]
fn what_is_neither_text_nor_file_gets_words() {
    let place = json!({ "latitude": 52.52, "longitude": 13.405 });
    for (members, expected) in [
        (json!({ "location": place }), "(location 52.52, 13.405)"),
        (json!({ "location": { "latitude": -1, "longitude": 0, "live_period": 60 } }), "(live location -1, 0)"),
        (
            json!({ "location": place, "venue": { "location": place, "title": "Café", "address": "Main St 1" } }),
            "(venue: Café, Main St 1, 52.52, 13.405)",
        ),
        (
            json!({ "contact": { "phone_number": "+491234", "first_name": "Ada", "last_name": "Lovelace" } }),
            "(contact Ada Lovelace +491234)",
        ),
        (
            json!({ "poll": { "id": "1", "question": "Tea?", "options": [{ "text": "Yes" }, { "text": "No" }] } }),
            "(poll: Tea? · Yes · No)",
        ),
        (
            json!({ "checklist": { "title": "Buy", "tasks": [{ "id": 1, "text": "Milk", "completion_date": 1 }, { "id": 2, "text": "Tea" }] } }),
            "(checklist: Buy · ☑ Milk · ☐ Tea)",
        ),
        (json!({ "dice": { "emoji": "🎲", "value": 5 } }), "(dice 🎲 5)"),
        (json!({ "story": { "id": 1, "chat": { "id": 1 } } }), "(a story, which bots cannot see)"),
    ] {
        assert_eq!(words(&direct(members)), Wording::Composed(expected.to_owned()));
    }
}

#[test]
fn what_says_nothing_is_taken_and_dropped() {
    let location = json!({ "location": { "latitude": 1, "longitude": 2, "live_period": 60 } });
    for update in [
        in_group(json!({ "new_chat_members": [ann()] })),
        in_group(json!({ "pinned_message": { "message_id": 3, "text": "Hello" } })),
        in_group(json!({ "forum_topic_created": { "name": "Deploys" } })),
        edited(&direct(location)),
        json!({ "update_id": 1, "my_chat_member": { "chat": { "id": 1 } } }),
        json!({ "update_id": 2 }),
        json!({ "update_id": 3, "message": null }),
    ] {
        assert_eq!(delivered(&update), None, "{update}");
    }
    let host = started();
    handle(&host, &in_group(json!({ "migrate_to_chat_id": -100777 })));
    assert!(host.logs().iter().any(|(_, line)| line.contains("-1001234567890 has become -100777")));
}

#[test]
fn the_bot_knows_when_it_is_spoken_to() {
    let entity = |kind: &str, offset: u32, length: u32| json!({ "type": kind, "offset": offset, "length": length });
    let by_name = json!({ "type": "text_mention", "offset": 0, "length": 3, "user": { "id": 7000000001_u64 } });
    let other = json!({ "type": "text_mention", "offset": 0, "length": 3, "user": { "id": 7 } });
    let mine = json!({ "message_id": 5, "from": { "id": 7000000001_u64 }, "text": "Yes?" });
    let theirs = json!({ "message_id": 5, "from": { "id": 7 }, "text": "Yes?" });
    let topic =
        json!({ "message_id": 5, "from": { "id": 7000000001_u64 }, "forum_topic_created": { "name": "Deploys" } });
    for (members, expected) in [
        (json!({ "text": "Hello" }), false),
        (json!({ "text": "@claude_bot hi" }), false),
        (json!({ "text": "@claude_bot hi", "entities": [entity("mention", 0, 11)] }), true),
        (json!({ "text": "😀 @CLAUDE_BOT", "entities": [entity("mention", 3, 11)] }), true),
        (json!({ "text": "@claude_bots hi", "entities": [entity("mention", 0, 12)] }), false),
        (json!({ "text": "@claude_bot hi", "entities": [entity("code", 0, 11)] }), false),
        (json!({ "text": "@claude_bot hi", "entities": [entity("mention", 0, 99)] }), false),
        (json!({ "text": "😀", "entities": [entity("mention", 1, 1)] }), false),
        (json!({ "text": "/run@Claude_bot now", "entities": [entity("bot_command", 0, 15)] }), true),
        (json!({ "text": "/run@other_bot now", "entities": [entity("bot_command", 0, 14)] }), false),
        (json!({ "text": "/run now", "entities": [entity("bot_command", 0, 4)] }), false),
        (json!({ "photo": [], "caption": "@claude_bot", "caption_entities": [entity("mention", 0, 11)] }), true),
        (json!({ "text": "Bot", "entities": [by_name] }), true),
        (json!({ "text": "Bot", "entities": [other] }), false),
        (json!({ "text": "No", "reply_to_message": mine }), true),
        (json!({ "text": "No", "reply_to_message": theirs }), false),
        (json!({ "text": "No", "reply_to_message": topic }), false),
    ] {
        assert_eq!(delivered(&in_group(members.clone())).unwrap().mentions_me, expected, "{members}");
    }
    let host = Host::new();
    handle(&host, &in_group(json!({ "text": "Hello", "reply_to_message": mine })));
    assert!(!host.deliveries()[0].mentions_me, "nobody says who it is");
}

#[test]
fn attributes_say_where_words_come_from() {
    let user = json!({ "type": "user", "sender_user": { "id": 1, "first_name": "Bob", "last_name": "Roe" } });
    let channel = json!({ "type": "channel", "chat": { "id": -1, "title": "News" }, "message_id": 1 });
    let group = json!({ "type": "chat", "sender_chat": { "id": -1, "title": "Ops" } });
    for (origin, expected) in [
        (user, "Bob Roe"),
        (json!({ "type": "hidden_user", "sender_user_name": "Eve" }), "Eve"),
        (channel, "News"),
        (group, "Ops"),
        (json!({ "type": "new" }), "unknown"),
    ] {
        let message = delivered(&direct(json!({ "text": "a", "forward_origin": origin }))).unwrap();
        assert_eq!(message.meta, [("forwarded_from".to_owned(), expected.to_owned())]);
    }
    let opened = json!({ "message_id": 77, "forum_topic_created": { "name": "Deploys" } });
    let update = in_group(json!({
        "text": "a", "is_topic_message": true, "message_thread_id": 77, "reply_to_message": opened,
        "via_bot": { "id": 5, "is_bot": true, "username": "wiki" },
    }));
    let meta = [("chat_title", "Ops"), ("topic", "Deploys"), ("via_bot", "@wiki")];
    assert_eq!(delivered(&update).unwrap().meta, meta.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn reactions_are_read_or_described() {
    let emoji = |emoji: &str| json!([{ "type": "emoji", "emoji": emoji }]);
    let update = |old: Value, new: Value| {
        json!({ "update_id": 5, "message_reaction": {
            "chat": { "id": 412587349, "type": "private" }, "message_id": 12, "user": ann(), "date": 1763700000,
            "old_reaction": old, "new_reaction": new,
        } })
    };
    for (update, expected) in [
        (update(json!([]), emoji("👍")), "(a custom emoji)"),
        (update(json!([]), json!([{ "type": "custom_emoji", "custom_emoji_id": "1" }])), "(a custom emoji)"),
        (update(emoji("👍"), json!([])), "(took back 👍)"),
        (update(json!([{ "type": "paid" }]), json!([])), "(took back a reaction)"),
    ] {
        assert_eq!(words(&update), Wording::Placeholder(expected.to_owned()));
    }
    let host = started();
    host.refuse("reaction", Refusal::DoesNotApply("reactions are off".to_owned()));
    handle(&host, &update(json!([]), emoji("👍")));
    assert_eq!(host.deliveries(), []);
}

/// The host takes it before: it reads who pressed what, and tells Telegram so.
#[test]
fn a_pressed_button_is_none_of_the_adapters_business() {
    let update = json!({ "update_id": 6, "callback_query": {
        "id": "4382bfdwdsb323b2d9", "from": ann(), "data": "sg.00", "message": direct(json!({ "text": "?" }))["message"],
    } });
    let host = started();
    handle(&host, &update);
    assert_eq!((checked(&host, "handle"), host.deliveries()), (vec![], vec![]));
}
