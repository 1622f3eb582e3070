//! That the fake of the Bot API is faithful: grammY holds a conversation with it, and it refuses what Telegram refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use sluicegate_tests::{
    http::{self, Connection, Request, Response},
    node,
    telegram::{Content, Fault, Post, Telegram},
};

/// A fake and a user who has written to the bot.
fn with_alice() -> (Telegram, i64) {
    let telegram = Telegram::start();
    let alice = telegram.add_user("Alice");
    let said = telegram.post(Post::text(alice, "hello"));
    assert!(said.update > 0 && alice > 1 << 32);
    (telegram, alice)
}

fn request(telegram: &Telegram, method: &str, body: &Value) -> Request {
    http::post(&format!("/bot{}/{method}", telegram.token()), body)
}

/// What a method gives, or its error.
fn ask(telegram: &Telegram, method: &str, body: &Value) -> Result<Value, String> {
    read(&request(telegram, method, body).send(telegram.port()))
}

fn read(response: &Response) -> Result<Value, String> {
    let answer: Value = serde_json::from_slice(&response.body).expect("an answer is JSON");
    if answer["ok"] == true {
        assert_eq!(response.status, 200);
        return Ok(answer["result"].clone());
    }
    assert_eq!((answer["ok"].clone(), answer["error_code"].as_u64()), (json!(false), Some(response.status.into())));
    Err(answer["description"].as_str().expect("an error has a description").to_owned())
}

/// The ids of the updates that `getUpdates` gives.
fn updates(telegram: &Telegram, body: &Value) -> Vec<i64> {
    let updates = ask(telegram, "getUpdates", body).unwrap();
    updates.as_array().unwrap().iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
}

#[test]
fn grammy_holds_a_conversation() {
    let Some(clients) = node::clients() else { return };
    let mut fake = Command::new(env!("CARGO_BIN_EXE_fake-telegram"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the fake can be run");
    let mut line = String::new();
    BufReader::new(fake.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let about: Value = serde_json::from_str(&line).expect("the fake says where it is");
    let run = Command::new("node")
        .arg("telegram-grammy.mjs")
        .args([about["url"].as_str().unwrap(), about["token"].as_str().unwrap()])
        .current_dir(clients)
        .output()
        .expect("node can be run");
    drop(fake.stdin.take());
    assert!(fake.wait().unwrap().success(), "the fake ends with its standard input");
    let (steps, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && steps.ends_with("{\"step\":\"done\"}\n"), "{steps}{errors}");
}

#[test]
fn tokens_paths_and_methods_are_told_apart() {
    let (telegram, _) = with_alice();
    let token = telegram.token();
    for (target, expected) in [
        (format!("/bot{token}/getMe"), Ok(())),
        (format!("/bot{token}/GETME"), Ok(())),
        (format!("/bot{}/getMe", token.replace(':', "%3A")), Ok(())),
        (format!("/bot{token}/getThem"), Err("Not Found: method not found")),
        (format!("/bot{token}x/getMe"), Err("Unauthorized")),
        ("/bot123:abc/getMe".into(), Err("Unauthorized")),
        ("/botabc/getMe".into(), Err("Not Found")),
        ("/bot/getMe".into(), Err("Not Found")),
        (format!("/{token}/getMe"), Err("Not Found")),
        (format!("/bot{token}"), Err("Not Found")),
        (format!("/file/bot{token}/documents/none"), Err("Not Found")),
        (format!("/file/bot{token}x/documents/none"), Err("Unauthorized")),
    ] {
        let answer = read(&http::get(&target).send(telegram.port()));
        assert_eq!(answer.map(|_| ()).map_err(|error| error.to_string()), expected.map_err(str::to_owned), "{target}");
    }
    telegram.set_token("7654321098:another");
    let old = http::get(&format!("/bot{token}/getMe")).send(telegram.port());
    assert_eq!((old.status, read(&old)), (401, Err("Unauthorized".into())));
}

#[test]
fn arguments_come_in_every_encoding_and_the_first_of_a_name_counts() {
    let (telegram, alice) = with_alice();
    let path = format!("/bot{}/sendMessage", telegram.token());
    let multipart = format!(
        "--x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n{alice}\r\n--x\r\nContent-Disposition: \
         form-data; name=text\r\n\r\nö+\r\n--x--\r\n"
    );
    let json = format!("{{\"chat_id\":{alice},\"chat_id\":1,\"text\":\"ö+\",\"silly\":[1]}}");
    let chunked = format!("{:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", 5, &json[..5], json.len() - 5, &json[5..]);
    let form = format!("chat_id={alice}&text=%C3%B6%2B");
    let kind = |kind: &str| Request::new("POST", &path).header("Content-Type", kind);
    for request in [
        http::get(&format!("{path}?{form}")),
        Request::new("POST", &format!("{path}?{form}")),
        kind("application/x-www-form-urlencoded").body(form.clone()),
        kind("multipart/form-data; boundary=x").body(multipart),
        kind("application/json; charset=utf-8").body(json.clone()),
        kind("application/json").header("Transfer-Encoding", "chunked").body(chunked),
        Request::new("POST", &format!("{path}?chat_id={alice}"))
            .header("Content-Type", "application/json")
            .body(json!({ "chat_id": 1, "text": "ö+" }).to_string()),
    ] {
        let sent = read(&request.send(telegram.port())).unwrap_or_else(|error| panic!("{request:?}: {error}"));
        assert_eq!((sent["text"].as_str(), sent["chat"]["id"].as_i64()), (Some("ö+"), Some(alice)));
    }
    let calls = telegram.look(|view| view.calls("sendMessage"));
    assert_eq!(calls.iter().filter(|call| call.ignored == ["silly"]).count(), 2);
    let broken = kind("application/json").body(format!("{{\"chat_id\":{alice},")).send(telegram.port());
    assert_eq!(read(&broken), Err("Bad Request: message text is empty".into()));
    assert!(telegram.look(|view| view.calls("sendMessage").pop().unwrap().malformed.is_some()));
    let mut connection = Connection::open(telegram.port()).unwrap();
    for _ in 0..3 {
        assert_eq!(connection.send(&request(&telegram, "getMe", &json!({}))).unwrap().status, 200);
    }
}

#[test]
fn updates_are_confirmed_by_offsets_and_kept_until_then() {
    let (telegram, alice) = with_alice();
    let ids: Vec<i64> = (0..4).map(|number| telegram.post(Post::text(alice, &number.to_string())).update).collect();
    let first = ids[0] - 1;
    assert!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]));
    assert_eq!(updates(&telegram, &json!({})), [&[first], &ids[..]].concat());
    assert_eq!(updates(&telegram, &json!({ "limit": 2 })), [first, ids[0]]);
    assert_eq!(updates(&telegram, &json!({ "offset": ids[1].to_string(), "limit": 0 })), [ids[1]]);
    assert_eq!(telegram.look(|view| view.confirmed()), ids[1]);
    assert_eq!(updates(&telegram, &json!({ "offset": first })), ids[1..], "what is confirmed is forgotten");
    assert_eq!(updates(&telegram, &json!({ "offset": ids[3] + 1_000_000 })), ids[1..], "that is no offset");
    assert_eq!(updates(&telegram, &json!({ "offset": -1 })), [ids[3]], "all but the last are forgotten");
    assert_eq!(updates(&telegram, &json!({ "offset": ids[3] + 1 })), [0; 0]);
    // A poll that waits gets what comes.
    thread::scope(|scope| {
        let polled = scope.spawn(|| updates(&telegram, &json!({ "offset": ids[3] + 1, "timeout": 50 })));
        telegram.wait_for_poll();
        let said = telegram.post(Post::text(alice, "now"));
        assert_eq!(polled.join().unwrap(), [said.update]);
        assert!(telegram.look(|view| view.handed_out(said.update)).is_some());
    });
}

#[test]
fn the_kinds_of_updates_that_a_bot_allows_are_remembered() {
    let (telegram, alice) = with_alice();
    let said = telegram.post(Post::text(alice, "a"));
    assert_eq!(telegram.react(alice, alice, said.message, "👍").update, 0, "not by default");
    updates(&telegram, &json!({ "allowed_updates": ["message", "message_reaction"] }));
    updates(&telegram, &json!({}));
    assert!(telegram.react(alice, alice, said.message, "🔥").update > 0);
    assert_eq!(telegram.edit(alice, said.message, "b").update, 0);
    updates(&telegram, &json!({ "allowed_updates": [] }));
    assert!(telegram.edit(alice, said.message, "c").update > 0);
}

#[test]
fn a_second_poll_ends_the_first_and_a_webhook_both() {
    let (telegram, alice) = with_alice();
    let offset = json!({ "offset": telegram.look(|view| view.confirmed()) + 1, "timeout": 50 });
    thread::scope(|scope| {
        let first = scope.spawn(|| ask(&telegram, "getUpdates", &offset));
        telegram.wait_for_poll();
        let second = scope.spawn(|| ask(&telegram, "getUpdates", &offset));
        let ended = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
        assert_eq!(first.join().unwrap(), Err(ended.into()));
        telegram.post(Post::text(alice, "for the second"));
        assert_eq!(second.join().unwrap().unwrap().as_array().unwrap().len(), 1);
    });
    assert_eq!(telegram.look(|view| view.conflicts()), 1);
    let offset = json!({ "offset": telegram.look(|view| view.confirmed()) + 1, "timeout": 50 });
    thread::scope(|scope| {
        let first = scope.spawn(|| ask(&telegram, "getUpdates", &offset));
        telegram.wait_for_poll();
        drop(telegram.poll_elsewhere());
        assert!(first.join().unwrap().unwrap_err().starts_with("Conflict"));
    });
    telegram.wait("the other one is gone", |view| (!view.is_polled()).then_some(()));
    // A client that went away conflicts with nobody.
    let last = json!({ "offset": telegram.look(|view| view.confirmed()), "timeout": 50 });
    let poll = request(&telegram, "getUpdates", &last);
    let gone = thread::scope(|scope| {
        let gone = scope.spawn(|| poll.try_send(telegram.port()));
        telegram.wait_for_poll();
        telegram.drop_connections();
        gone.join().unwrap()
    });
    assert!(gone.is_err());
    telegram.wait("the poll is over", |view| (!view.is_polled()).then_some(()));
    assert_eq!(telegram.look(|view| view.conflicts()), 2);
    ask(&telegram, "setWebhook", &json!({ "url": "https://bot.example/" })).unwrap();
    let refused = ask(&telegram, "getUpdates", &json!({})).unwrap_err();
    assert!(refused.starts_with("Conflict: can't use getUpdates method while webhook is active"), "{refused}");
    ask(&telegram, "deleteWebhook", &json!({ "drop_pending_updates": true })).unwrap();
    assert_eq!(updates(&telegram, &json!({})), [0; 0]);
}

#[test]
fn faults_happen_when_they_are_asked_for() {
    let (telegram, alice) = with_alice();
    let send = |text: &str| request(&telegram, "sendMessage", &json!({ "chat_id": alice, "text": text }));
    let try_send = |fault: Fault| {
        telegram.inject_on("sendmessage", fault, 1);
        assert_eq!(ask(&telegram, "getMe", &json!({})).unwrap()["is_bot"], true, "another method");
        send("a").try_send(telegram.port())
    };
    let sent = || telegram.look(|view| view.sent(alice).len());
    let limited = try_send(Fault::TooMany(3)).unwrap();
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("3")));
    let body: Value = serde_json::from_slice(&limited.body).unwrap();
    assert_eq!(body["parameters"], json!({ "retry_after": 3 }));
    assert_eq!(read(&limited), Err("Too Many Requests: retry after 3".into()));
    assert_eq!(read(&try_send(Fault::Status(500)).unwrap()), Err("Internal Server Error".into()));
    let page = try_send(Fault::Html(502)).unwrap();
    assert!(page.status == 502 && page.text().contains("<h1>502 Bad Gateway</h1>"), "{page:?}");
    let moved = try_send(Fault::Redirect("http://127.0.0.1:1/".into())).unwrap();
    assert_eq!((moved.status, moved.header("location")), (302, Some("http://127.0.0.1:1/")));
    assert!(try_send(Fault::HangUpUnread).is_err());
    assert!(try_send(Fault::HangUpRead).is_err());
    assert_eq!(sent(), 0, "nothing was done until here");
    assert!(try_send(Fault::HangUpDone).is_err());
    assert!(try_send(Fault::Truncated).is_err());
    assert!(serde_json::from_slice::<Value>(&try_send(Fault::Garbage).unwrap().body).is_err());
    assert_eq!(read(&try_send(Fault::Chunked).unwrap()).unwrap()["text"], "a");
    assert_eq!(read(&try_send(Fault::Slow(Duration::from_millis(20))).unwrap()).unwrap()["text"], "a");
    assert_eq!(sent(), 5, "all of these were done");
    telegram.inject(Fault::Status(500), 2);
    assert_eq!(telegram.clear_faults(), 2);
    assert_eq!(read(&send("b").send(telegram.port())).unwrap()["text"], "b");
}

#[test]
fn it_stops_and_listens_again_knowing_all_that_it_knew() {
    let (telegram, alice) = with_alice();
    let mut connection = Connection::open(telegram.port()).unwrap();
    connection.send(&request(&telegram, "getMe", &json!({}))).unwrap();
    let poll = json!({ "offset": telegram.look(|view| view.confirmed()) + 1, "timeout": 50 });
    thread::scope(|scope| {
        let poll = scope.spawn(|| request(&telegram, "getUpdates", &poll).try_send(telegram.port()));
        telegram.wait_for_poll();
        telegram.stop();
        drop(poll.join().unwrap());
    });
    assert!(connection.send(&request(&telegram, "getMe", &json!({}))).is_err());
    assert!(request(&telegram, "getMe", &json!({})).try_send(telegram.port()).is_err());
    let said = telegram.post(Post::text(alice, "while it was away"));
    telegram.listen();
    assert_eq!(updates(&telegram, &json!({})).last(), Some(&said.update));
}

#[test]
fn fifty_megabytes_go_down_and_up() {
    let (telegram, alice) = with_alice();
    let content = Content::generated(50 << 20);
    telegram.post(Post::document(alice, "big.bin", "application/octet-stream", content.clone()));
    let message = telegram.look(|view| view.messages(alice).pop()).unwrap();
    let file = json!({ "file_id": message["document"]["file_id"] });
    assert_eq!(ask(&telegram, "getFile", &file), Err("Bad Request: file is too big".into()));
    telegram.set_download_limit(u64::MAX);
    let path = ask(&telegram, "getFile", &file).unwrap()["file_path"].as_str().unwrap().to_owned();
    let down = http::get(&format!("/file/bot{}/{path}", telegram.token())).send(telegram.port());
    assert!(down.body == content.bytes(), "the bytes are the file's");
    let upload = |size: usize| {
        let head = format!(
            "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n{alice}\r\n--b\r\nContent-Disposition: \
             form-data; name=\"document\"; filename=\"a;\\\"b.bin\"\r\n\r\n"
        );
        let body = [head.as_bytes(), &down.body[..size], b"\r\n--b--"].concat();
        let request = Request::new("POST", &format!("/bot{}/sendDocument", telegram.token()));
        read(&request.header("Content-Type", "multipart/form-data; boundary=\"b\"").body(body).send(telegram.port()))
    };
    let sent = upload(50 << 20).unwrap();
    assert_eq!(sent["document"]["file_name"], "a;\"b.bin");
    assert!(telegram.look(|view| view.file_of(&sent)).unwrap().bytes() == down.body);
    assert_eq!(upload(0), Err("Bad Request: file must be non-empty".into()));
}

#[test]
fn messages_of_users_look_as_telegram_shows_them() {
    let (telegram, alice) = with_alice();
    let bob = telegram.add_user("Bob");
    let group = telegram.add_supergroup("Team", &[alice, bob]);
    let channel = telegram.add_channel("News");
    let shown = |post: Post| {
        let said = telegram.post(post);
        let pending = telegram.look(|view| view.pending());
        let update = pending.into_iter().find(|update| update["update_id"] == said.update).unwrap();
        update[if update["message"].is_object() { "message" } else { "channel_post" }].clone()
    };
    let text = shown(Post::text(alice, "/start@some_bot a@b https://x.example/, #tag"));
    let found = text["entities"].as_array().unwrap().iter();
    let found: Vec<String> =
        found.map(|span| format!("{} {}+{}", span["type"], span["offset"], span["length"])).collect();
    assert_eq!(found, ["\"bot_command\" 0+15", "\"url\" 20+18", "\"hashtag\" 40+4"]);
    assert_eq!(
        text["from"],
        json!({
            "id": alice, "is_bot": false, "first_name": "Alice", "last_name": "Tester", "username": "alice",
            "language_code": "en",
        })
    );
    assert_eq!(text["chat"]["type"], "private");
    let forwarded = shown(Post::text(alice, "x").forwarded_from(bob));
    assert_eq!(forwarded["forward_origin"]["sender_user"]["id"], bob);
    assert_eq!(shown(Post::text(alice, "x").forwarded_from_hidden("Eve"))["forward_origin"]["type"], "hidden_user");
    let anonymous = shown(Post::text(alice, "x").in_chat(group).as_chat(group));
    assert_eq!(
        (&anonymous["from"]["username"], &anonymous["sender_chat"]["id"]),
        (&json!("GroupAnonymousBot"), &json!(group))
    );
    let through = shown(Post::text(alice, "x").in_chat(group).as_chat(channel));
    assert_eq!(through["from"]["username"], "Channel_Bot");
    assert_eq!(shown(Post::text(alice, "x").via_bot("gif"))["via_bot"]["is_bot"], true);
    let post = shown(Post::text(alice, "news").in_chat(channel));
    assert!(post["from"].is_null() && post["sender_chat"]["type"] == "channel", "{post}");
    let sticker = shown(Post::sticker(alice, "🔥"));
    assert!(sticker["sticker"]["emoji"] == "🔥" && sticker["sticker"]["file_id"].is_string(), "{sticker}");
    let document = shown(Post::document(alice, "a.pdf", "application/pdf", Content::generated(5)).caption("see"));
    assert_eq!((&document["document"]["file_size"], &document["caption"]), (&json!(5), &json!("see")));
    assert_eq!(shown(Post::voice(alice, 3, Content::generated(5)))["voice"]["duration"], 3);
    assert_eq!(shown(Post::audio(alice, "P", "T", Content::generated(5)))["audio"]["performer"], "P");
    assert!(shown(Post::animation(alice, Content::generated(5)))["document"].is_object());
    assert_eq!(shown(Post::location(alice, 1.5, 2.5))["location"]["latitude"], 1.5);
    assert_eq!(shown(Post::poll(alice, "?", &["a", "b"]))["poll"]["options"][1]["text"], "b");
    let raw = telegram.raw_update(r#""message":{"message_id":1,"message_id":2}"#);
    let body = http::get(&format!("/bot{}/getUpdates?offset={raw}", telegram.token())).send(telegram.port()).text();
    assert!(body.contains(r#"{"message_id":1,"message_id":2}"#), "{body}");
}
