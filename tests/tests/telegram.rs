//! A conversation over Telegram, from the first message of a stranger to a downloaded file, with the bundled adapter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate_tests::{
    bot::{Bot, PNG, event_saying},
    deadline,
    server::a_moment,
    telegram::{Content, Fault, Post},
};

fn id_of(text: &str) -> i64 {
    let digits: String = text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no id in {text:?}"))
}

#[test]
fn a_stranger_pairs_by_code_and_then_talks_with_claude() {
    let bot = Bot::unpaired();
    let server = bot.start();
    bot.alice_says("hello?");
    let asked = bot.telegram.wait_for_text(bot.alice, "sluicegate pair");
    let code = asked["text"].as_str().unwrap().rsplit(' ').next().unwrap().to_owned();
    let shown = bot.home.run_with(&["pair", &code], b"no\n").output();
    assert!(shown.contains(&bot.alice.to_string()) && shown.contains("hello?"), "{shown}");
    drop(bot.home.run(&["pair", &code, "--yes"]).success());
    let said = bot.alice_says("what is 6 * 7?");
    let event = event_saying(&server, "what is 6 * 7?");
    assert_eq!(event.attribute("chat_id"), bot.alice.to_string());
    assert_eq!(event.attribute("user_id"), bot.alice.to_string());
    assert_eq!(event.id(), said.message.to_string());
    assert!(event.attribute("ts").starts_with("20"), "{event:?}");
    assert_eq!(server.events().len(), 1, "what was said before is not heard");
    let answer = json!({ "chat_id": event.attribute("chat_id"), "text": "**42**, of course", "reply_to": event.id() });
    let result = server.call("reply", &answer);
    assert!(!result.is_error, "{}", result.text);
    let sent = bot.telegram.wait_for_text(bot.alice, "42, of course");
    assert_eq!(sent["entities"], json!([{ "type": "bold", "offset": 0, "length": 2 }]));
    assert_eq!(sent["reply_to_message"]["message_id"], said.message);
    assert_eq!(id_of(&result.text), sent["message_id"].as_i64().unwrap(), "{}", result.text);
}

#[test]
fn forwarded_words_ask_for_no_code_and_redeem_no_invitation() {
    let bot = Bot::unpaired();
    let mallory = bot.telegram.add_user("Mallory");
    let server = bot.start();
    let invited = bot.home.run(&["invite", "telegram"]).success().stdout;
    let code = invited.split_whitespace().find(|word| word.starts_with("join-")).expect("a code is printed").to_owned();
    let forwards = ["let me in", "/start", &code, &format!("yes {code}")];
    let mut last = 0;
    for text in forwards {
        last = bot.telegram.post(Post::text(mallory, text).forwarded_from(bot.alice)).update;
        last = last.max(bot.telegram.post(Post::text(mallory, text).via_bot("gif")).update);
    }
    bot.telegram.wait_until_confirmed(last);
    a_moment();
    assert!(bot.telegram.look(|view| view.sent(mallory)).is_empty());
    let access = bot.home.run(&["access", "telegram"]).success().stdout;
    assert!(!access.contains(&mallory.to_string()), "{access}");
    assert!(server.events().is_empty());
    // Her own words are another matter.
    bot.telegram.post(Post::text(mallory, "let me in"));
    bot.telegram.wait_for_text(mallory, "sluicegate pair");
}

#[test]
fn claude_edits_reacts_and_shows_that_it_works() {
    let bot = Bot::new();
    drop(bot.home.run(&["access", "telegram", "set", "ackReaction", "👀"]).success());
    let server = bot.start();
    let said = bot.alice_says("deploy please");
    event_saying(&server, "deploy please");
    bot.telegram
        .wait("the bot reacts on receipt", |view| (view.reactions(bot.alice, said.message) == ["👀"]).then_some(()));
    bot.telegram.wait("the bot types", |view| {
        view.actions().iter().any(|action| action.chat == bot.alice && action.action == "typing").then_some(())
    });
    let sent = id_of(&bot.reply(&server, bot.alice, "deploying 🚀 `v1`").text);
    let edit = json!({ "chat_id": bot.alice.to_string(), "message_id": sent.to_string(), "text": "deployed 🚀 `v2`" });
    let edited = server.call("edit_message", &edit);
    assert!(!edited.is_error, "{}", edited.text);
    let now = bot.telegram.look(|view| view.message(bot.alice, sent)).unwrap();
    assert_eq!(now["text"], "deployed 🚀 v2");
    assert_eq!(now["entities"], json!([{ "type": "code", "offset": 12, "length": 2 }]));
    let again = server.call("edit_message", &edit);
    assert!(!again.is_error, "an edit that changes nothing is done: {}", again.text);
    let react = json!({ "chat_id": bot.alice.to_string(), "message_id": said.message.to_string(), "emoji": "👍" });
    assert!(!server.call("react", &react).is_error);
    assert_eq!(bot.telegram.look(|view| view.reactions(bot.alice, said.message)), ["👍"]);
    let unknown = json!({ "chat_id": bot.alice.to_string(), "message_id": said.message.to_string(), "emoji": "🧿" });
    let refused = server.call("react", &unknown);
    assert!(refused.is_error && refused.text.contains("REACTION_INVALID"), "{}", refused.text);
}

#[test]
fn files_go_both_ways() {
    let bot = Bot::new();
    let server = bot.start();
    let image = Content::generated(70_000);
    bot.telegram.post(Post::photo(bot.alice, image.clone()).caption("look"));
    let event = event_saying(&server, "look");
    let path = event.attribute("image_path");
    assert!(path.starts_with(bot.home.path().join("inbox/telegram").to_str().unwrap()), "{event:?}");
    assert_eq!(std::fs::read(path).unwrap(), image.bytes());
    let report = Content::of("%PDF-1.4 report");
    bot.telegram.post(Post::document(bot.alice, "report.pdf", "application/pdf", report.clone()));
    let event = server.event("the document", |event| event.attribute("attachment_kind") == "document");
    assert_eq!(event.attribute("attachment_name"), "report.pdf");
    assert_eq!(event.attribute("attachment_mime"), "application/pdf");
    let fetched = server.call("download_attachment", &json!({ "file_id": event.attribute("attachment_file_id") }));
    assert!(!fetched.is_error, "{}", fetched.text);
    assert_eq!(std::fs::read(fetched.text.trim()).unwrap(), report.bytes());
    let (picture, log) = (Content::of(PNG), Content::of("line one\n"));
    let files = [bot.project_file("chart.png", &picture), bot.project_file("build.log", &log)];
    let sent =
        server.call("reply", &json!({ "chat_id": bot.alice.to_string(), "text": "both attached", "files": files }));
    assert!(!sent.is_error, "{}", sent.text);
    let messages = bot.telegram.wait_for_sent(bot.alice, 3);
    assert_eq!(messages[0]["text"], "both attached");
    assert!(messages[1]["photo"].is_array(), "{}", messages[1]);
    assert_eq!(messages[2]["document"]["file_name"], "build.log");
    for (message, content) in [(&messages[1], &picture), (&messages[2], &log)] {
        let file = bot.telegram.look(|view| view.file_of(message)).unwrap();
        assert_eq!(file.bytes(), content.bytes());
    }
    let one = bot.project_file("notes.txt", &log);
    let chat = bot.alice.to_string();
    assert!(!server.call("reply", &json!({ "chat_id": chat, "text": "a *caption*", "files": [one] })).is_error);
    let message = &bot.telegram.wait_for_sent(bot.alice, 4)[3];
    assert_eq!(message["caption"], "a caption");
    assert_eq!(message["caption_entities"][0]["type"], "italic");
}

#[test]
fn what_belongs_together_is_one_event_and_what_does_not_is_not() {
    let bot = Bot::new();
    let bob = bot.telegram.add_user("Bob");
    bot.home.admit("telegram", &[&bot.alice.to_string(), &bob.to_string()]);
    let server = bot.start();
    let said: Vec<_> = ["one", "two"].iter().map(|text| bot.alice_says(text).message.to_string()).collect();
    bot.telegram.post(Post::text(bob, "mine"));
    let event = event_saying(&server, "one\ntwo");
    assert_eq!(event.attribute("message_ids"), said.join(","));
    assert_eq!(event.id(), said[1]);
    assert_eq!(event_saying(&server, "mine").attribute("user_id"), bob.to_string());
    let photos = (0..3).map(|number: u64| {
        let post = Post::photo(bot.alice, Content::generated(100 + number));
        if number == 0 { post.caption("the album") } else { post }
    });
    bot.telegram.album(photos.collect());
    let event = event_saying(&server, "the album");
    let images: Vec<_> = event.meta.iter().filter(|(key, _)| key.ends_with("image_path")).collect();
    assert_eq!(images.len(), 3, "{event:?}");
    assert_eq!(server.events().len(), 3);
}

#[test]
fn a_burst_can_be_switched_off() {
    let mut bot = Bot::new();
    bot.home.table("[adapters.telegram]\nburst = { quiet-ms = 0, longest-ms = 0 }");
    let server = bot.start();
    bot.alice_says("one");
    bot.alice_says("two");
    event_saying(&server, "one");
    event_saying(&server, "two");
}

#[test]
fn everything_that_people_send_can_be_read() {
    let bot = Bot::new();
    let server = bot.start();
    let alice = bot.alice;
    let file = || Content::of("x");
    let posts = [
        (Post::voice(alice, 3, file()), "voice", "voice"),
        (Post::audio(alice, "Ada", "Song", file()), "audio", "audio"),
        (Post::video(alice, file()), "video", "video"),
        (Post::video_note(alice, file()), "video", "video_note"),
        (Post::sticker(alice, "😀"), "😀", "sticker"),
        (Post::location(alice, 52.52, 13.4), "52.52", ""),
        (Post::contact(alice, "+491234", "Ada"), "Ada", ""),
        (Post::poll(alice, "Lunch?", &["Soup", "Salad"]), "Lunch?", ""),
    ];
    for (post, words, kind) in posts {
        let said = bot.telegram.post(post);
        let event = server.event_of(&said.message.to_string());
        assert!(event.content.contains(words), "{words}: {event:?}");
        assert_eq!(event.attribute("attachment_kind"), kind, "{event:?}");
        assert_eq!(event.attribute("text_by"), "adapter", "{event:?}");
    }
}

#[test]
fn replies_quote_edits_are_marked_and_forwards_are_somebody_elses_words() {
    let bot = Bot::new();
    let server = bot.start();
    let first = bot.alice_says("the first thing");
    event_saying(&server, "the first thing");
    bot.telegram.post(Post::text(bot.alice, "about that").replying_to(first.message).quoting("first thing"));
    let event = event_saying(&server, "about that");
    assert_eq!(event.attribute("reply_to"), first.message.to_string());
    assert_eq!(event.attribute("reply_to_text"), "first thing");
    bot.telegram.edit(bot.alice, first.message, "the best thing");
    assert_eq!(event_saying(&server, "the best thing").attribute("kind"), "edit");
    let bob = bot.telegram.add_user("Bob");
    bot.telegram.post(Post::text(bot.alice, "Bob's words").forwarded_from(bob));
    let event = event_saying(&server, "Bob's words");
    assert_eq!((event.attribute("user_id"), event.attribute("text_by")), (&*bot.alice.to_string(), "others"));
}

#[test]
fn groups_are_heard_when_they_are_listed_and_address_the_bot() {
    let bot = Bot::new();
    let group = bot.telegram.add_group("Team", &[bot.alice]);
    let server = bot.start();
    let username = bot.telegram.username();
    let in_group = |text: &str| bot.telegram.post(Post::text(bot.alice, text).in_chat(group));
    in_group(&format!("@{username} not listed yet"));
    drop(bot.home.run(&["access", "telegram", "group", "add", &group.to_string()]).success());
    in_group("among ourselves");
    in_group(&format!("@{username} are you there?"));
    let event = server.event("the mention", |event| event.content.ends_with("are you there?"));
    assert_eq!(event.attribute("chat_id"), group.to_string());
    assert!(!bot.reply(&server, group, "I am").is_error);
    let answer = bot.telegram.wait_for_text(group, "I am")["message_id"].as_i64().unwrap();
    bot.telegram.post(Post::text(bot.alice, "good").in_chat(group).replying_to(answer));
    event_saying(&server, "good");
    assert_eq!(server.events().len(), 2);
    let stranger = bot.telegram.add_user("Mallory");
    let refused = bot.reply(&server, stranger, "psst");
    assert!(refused.is_error, "{}", refused.text);
}

#[test]
fn topics_are_threads() {
    let bot = Bot::new();
    let forum = bot.telegram.add_forum("Team", &[bot.alice]);
    let topic = bot.telegram.add_topic(forum, "Deploys");
    drop(bot.home.run(&["access", "telegram", "group", "add", &forum.to_string(), "--no-mention"]).success());
    let server = bot.start();
    bot.telegram.post(Post::text(bot.alice, "in the topic").in_chat(forum).in_topic(topic));
    let event = event_saying(&server, "in the topic");
    assert_eq!(event.attribute("thread_id"), topic.to_string());
    let reply = json!({ "chat_id": forum.to_string(), "thread_id": topic.to_string(), "text": "here too" });
    assert!(!server.call("reply", &reply).is_error);
    assert_eq!(bot.telegram.wait_for_text(forum, "here too")["message_thread_id"], topic);
}

#[test]
fn long_answers_are_cut_where_a_reader_would_and_never_fail_on_markup() {
    let bot = Bot::new();
    let server = bot.start();
    bot.alice_says("tell me everything");
    event_saying(&server, "tell me everything");
    let paragraph = "Lorem *ipsum* dolor `sit_amet` 😀 [link](https://example.org) _x_. ".repeat(20);
    let text = format!("{}\n\n```rust\nfn main() {{}}\n```\n- a\n- b", [&*paragraph; 12].join("\n\n"));
    let result = bot.reply(&server, bot.alice, &text);
    assert!(!result.is_error, "{}", result.text);
    let sent = bot.telegram.look(|view| view.sent(bot.alice));
    assert!(sent.len() >= 3, "{}", sent.len());
    for message in &sent {
        let units = message["text"].as_str().unwrap().encode_utf16().count();
        assert!(units <= 4096, "{units}");
    }
    assert!(sent[..sent.len() - 1].iter().all(|message| message["text"].as_str().unwrap().ends_with("x.")));
    let last = sent.last().unwrap();
    let block = last["entities"].as_array().unwrap().iter().find(|entity| entity["type"] == "pre").unwrap();
    assert_eq!(block["language"], "rust");
    for odd in ["*unclosed", "_", "a_b*c`d[e](f", "\\", "1. ", "<b>&amp;</b>", "~~~", "| a |\n|---|"] {
        let result = bot.reply(&server, bot.alice, odd);
        assert!(!result.is_error, "{odd}: {}", result.text);
    }
    let plain = json!({ "chat_id": bot.alice.to_string(), "text": "**as it is**", "format": "text" });
    assert!(!server.call("reply", &plain).is_error);
    bot.telegram.wait_for_text(bot.alice, "**as it is**");
}

#[test]
fn the_host_answers_commands_and_neither_adapter_nor_claude_sees_them() {
    let bot = Bot::new();
    let server = bot.start();
    bot.alice_says("/start");
    bot.telegram.wait_for_text(bot.alice, "You are connected");
    bot.alice_says("/help");
    bot.telegram.wait_for_text(bot.alice, "Write to Claude here");
    bot.alice_says("/status");
    bot.telegram.wait_for_text(bot.alice, &bot.alice.to_string());
    bot.telegram.post(Post::photo(bot.alice, Content::of(PNG)).caption("/help"));
    let event = event_saying(&server, "/help");
    assert!(!event.attribute("image_path").is_empty(), "words below a photo are no command: {event:?}");
    let said = bot.alice_says("and now?");
    bot.telegram.wait_until_confirmed(said.update);
    event_saying(&server, "and now?");
    assert_eq!(server.events().len(), 2);
}

#[test]
fn an_album_is_one_event_also_when_its_photos_come_slowly() {
    let bot = Bot::new();
    let server = bot.start();
    // The session listens: what came before is read from the journal, by the sender's time in whole seconds.
    bot.alice_says("hello");
    event_saying(&server, "hello");
    bot.telegram.inject_on("file", Fault::Slow(Duration::from_millis(700)), 3);
    let photos = (0..3).map(|_| Post::photo(bot.alice, Content::of(PNG)));
    let said = bot.telegram.album(photos.collect());
    bot.telegram.wait_until_confirmed(said.last().unwrap().update);
    let event = server.event("the album", |event| !event.attribute("message_ids").is_empty());
    assert_eq!(event.meta.keys().filter(|key| key.ends_with("image_path")).count(), 3, "{event:?}");
    assert_eq!(server.events().len(), 2);
}

#[test]
fn a_revoked_adapter_stops_polling_and_requests_nothing_any_more() {
    let bot = Bot::new();
    let server = bot.start();
    bot.alice_says("hello");
    event_saying(&server, "hello");
    drop(bot.home.run(&["revoke", "telegram", "--yes"]).success());
    bot.telegram.wait("nobody polls", |view| (!view.is_polled()).then_some(()));
    bot.alice_says("anybody there?");
    let before = bot.telegram.look(|view| view.all_calls().len());
    a_moment();
    assert_eq!(bot.telegram.look(|view| view.all_calls().len()), before);
    bot.home.allow("telegram");
    event_saying(&server, "anybody there?");
}

#[test]
fn reactions_to_claudes_messages_are_events_once_they_are_switched_on() {
    let mut bot = Bot::new();
    let server = bot.start();
    bot.alice_says("hello");
    event_saying(&server, "hello");
    let sent = id_of(&bot.reply(&server, bot.alice, "hi").text);
    bot.telegram.react(bot.alice, bot.alice, sent, "❤");
    let said = bot.alice_says("that was a heart");
    bot.telegram.wait_until_confirmed(said.update);
    event_saying(&server, "that was a heart");
    assert_eq!(server.events().len(), 2, "off unless the user wants them");
    drop(server);
    let url = bot.telegram.url();
    bot.home.replace_table(
        "[adapters.telegram.config]",
        &format!("[adapters.telegram.config]\napi = \"{url}\"\nreactions = \"on\""),
    );
    let server = bot.start();
    bot.telegram.react(bot.alice, bot.alice, sent, "👍");
    let event = server.event("the reaction", |event| event.attribute("kind") == "reaction");
    assert_eq!((event.content.as_str(), event.id()), ("👍", &*sent.to_string()));
    let group = bot.telegram.add_group("Team", &[bot.alice]);
    drop(bot.home.run(&["access", "telegram", "group", "add", &group.to_string()]).success());
    let in_group = id_of(&bot.reply(&server, group, "hello all").text);
    bot.telegram.react(bot.alice, group, in_group, "🎉");
    event_saying(&server, "🎉");
    let others = bot.alice_says("mine").message;
    bot.telegram.react(bot.alice, bot.alice, others, "🔥");
    let said = bot.alice_says("done");
    bot.telegram.wait_until_confirmed(said.update);
    a_moment();
    assert_eq!(server.events().iter().filter(|event| event.attribute("kind") == "reaction").count(), 2);
}

#[test]
fn a_platform_that_asks_to_wait_is_obeyed_and_the_answer_arrives_once() {
    let bot = Bot::new();
    let server = bot.start();
    bot.alice_says("hello");
    event_saying(&server, "hello");
    bot.telegram.inject_on("sendMessage", Fault::TooMany(1), 1);
    let result = bot.reply(&server, bot.alice, "patience");
    assert!(!result.is_error, "{}", result.text);
    let sent = bot.telegram.look(|view| view.sent(bot.alice));
    assert_eq!(sent.iter().filter(|message| message["text"] == "patience").count(), 1);
}

#[test]
fn an_answer_whose_end_is_unknown_is_not_sent_again() {
    let bot = Bot::new();
    let server = bot.start();
    bot.alice_says("hello");
    event_saying(&server, "hello");
    bot.telegram.inject_on("sendMessage", Fault::HangUpDone, 1);
    let result = bot.reply(&server, bot.alice, "once");
    assert!(result.is_error, "{}", result.text);
    let sent: Vec<Value> = bot.telegram.look(|view| view.sent(bot.alice));
    assert_eq!(sent.iter().filter(|message| message["text"] == "once").count(), 1);
}

#[test]
fn a_poller_elsewhere_is_seen_and_not_fought() {
    let bot = Bot::new();
    let server = bot.start();
    let other = bot.telegram.poll_elsewhere();
    let source = bot.wait_for_source("elsewhere");
    assert!(source["next_ms"].is_i64(), "{source}");
    let before = bot.telegram.look(|view| view.polls());
    a_moment();
    assert_eq!(bot.telegram.look(|view| view.polls()), before, "the other one is left alone");
    drop(other);
    drop(server);
}

#[test]
fn a_wrong_token_is_said_before_and_after_the_first_request_and_mended_while_it_runs() {
    let mut bot = Bot::new();
    let token = bot.telegram.token();
    bot.home.variable("TELEGRAM_BOT_TOKEN", "not-a-token");
    let doctor = bot.home.run(&["doctor"]).output();
    assert!(doctor.contains("TELEGRAM_BOT_TOKEN") && !doctor.contains("not-a-token"), "{doctor}");
    bot.home.variable("TELEGRAM_BOT_TOKEN", "");
    let wrong = format!("{}x", &token[..token.len() - 1]);
    drop(bot.home.run_with(&["secret", "telegram", "set", "TELEGRAM_BOT_TOKEN"], wrong.as_bytes()).success());
    let server = sluicegate_tests::Server::start(&bot.home);
    server.wait_until_running(&bot.home, "telegram");
    let source = bot.wait_for_source("refused");
    assert!(source["why"].as_str().unwrap().contains("token"), "{source}");
    drop(bot.home.run_with(&["secret", "telegram", "set", "TELEGRAM_BOT_TOKEN"], token.as_bytes()).success());
    bot.wait_for_source("listening");
    bot.alice_says("now it works");
    event_saying(&server, "now it works");
}

#[test]
fn the_token_is_in_no_file_no_log_no_answer_and_no_command_line() {
    let mut bot = Bot::new();
    bot.home.variable("SLUICEGATE_LOG", "debug");
    let token = bot.telegram.token();
    let server = bot.start();
    bot.alice_says("hello");
    event_saying(&server, "hello");
    bot.telegram.inject_on(
        "sendMessage",
        Fault::Answer(
            400,
            "application/json".into(),
            format!(r#"{{"ok":false,"error_code":400,"description":"bad token {token} in bot{token}"}}"#).into_bytes(),
        ),
        1,
    );
    let refused = bot.reply(&server, bot.alice, "hi");
    assert!(refused.is_error && refused.text.contains("bad token"), "{}", refused.text);
    bot.telegram.stop();
    let failed = bot.reply(&server, bot.alice, "hi");
    assert!(failed.is_error, "{}", failed.text);
    bot.telegram.listen();
    deadline::until("it listens again", || bot.telegram.look(|view| view.is_polled()).then_some(()));
    let status = bot.home.run(&["status", "--json"]).output() + &bot.home.run(&["doctor"]).output();
    let command = std::fs::read(format!("/proc/{}/cmdline", server.id())).unwrap();
    let mut seen = vec![refused.text, failed.text, status, server.errors(), String::from_utf8_lossy(&command).into()];
    drop(server);
    for path in bot.home.tree().into_iter().filter(|path| path.is_file()) {
        seen.push(String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned());
    }
    let secret = token.split_once(':').unwrap().1;
    for text in seen {
        assert!(!text.contains(secret), "{}", &text[..text.len().min(2000)]);
    }
}
