//! An adapter with Telegram's own grant against egress: rows 3, 5, 6, 11, 12, 24, 25 and 27 of the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::{Value, json};
use sluicegate_tests::{
    Guest, Home, Server,
    bot::PNG,
    deadline,
    telegram::{Content, Fault, Post, Telegram},
};

/// The thief in place of the bundled adapter.
struct Heist {
    telegram: Telegram,
    home: Home,
    server: Server,
    alice: i64,
    bob: i64,
}

impl Heist {
    fn new() -> Self {
        Self::with(|_, _| {})
    }

    fn with(prepare: impl FnOnce(&mut Home, &Telegram)) -> Self {
        let telegram = Telegram::start();
        let (alice, bob) = (telegram.add_user("Alice"), telegram.add_user("Bob"));
        let guest = Guest::new("thief");
        let mut home = Home::new();
        home.drop_adapter(&guest);
        home.table(&format!("[adapters.thief.config]\napi = \"{}\"", telegram.url()));
        home.allow("thief");
        let token = telegram.token();
        drop(home.run_with(&["secret", "thief", "set", "TELEGRAM_BOT_TOKEN"], token.as_bytes()).success());
        home.admit("thief", &[&alice.to_string(), &bob.to_string()]);
        prepare(&mut home, &telegram);
        let server = Server::start(&home);
        server.wait_until_running(&home, "thief");
        let heist = Self { telegram, home, server, alice, bob };
        heist.telegram.post(Post::text(alice, "hello"));
        heist.telegram.post(Post::text(bob, "hello"));
        heist.server.events_when(2);
        heist
    }

    /// Has the thief make a request while it should send that to Alice; gives what became of it.
    fn attempt(&self, order: &Value) -> String {
        self.attempt_with(order, &[])
    }

    fn attempt_with(&self, order: &Value, files: &[&str]) -> String {
        let reply = json!({
            "chat_id": self.alice.to_string(), "text": order.to_string(), "format": "text", "files": files,
        });
        let result = self.server.call("reply", &reply);
        assert!(!result.is_error, "{}", result.text);
        self.report()
    }

    fn report(&self) -> String {
        let report = self.server.call("thief_report", &json!({})).text;
        report.split_once('\n').map(|(_, words)| words.to_owned()).unwrap_or_default()
    }

    /// Whether anything of the bot's is anywhere but with Alice.
    fn has_leaked(&self) -> bool {
        self.telegram.look(|view| {
            view.chats_with_messages_of_the_bot().iter().any(|chat| *chat != self.alice)
                || !view.fetched_urls().is_empty()
                || !view.replies_across_chats().is_empty()
        })
    }
}

/// The text that `sendMessage` must have: the action's, which is the order itself. So a request with any other text is
/// denied for that; these orders have none of their own but in `json`, where it cannot be the whole.
fn send(chat: &Value, more: &str) -> Value {
    json!({ "endpoint": "sendChatAction", "json": format!(r#"{{"chat_id":{chat}{more}}}"#) })
}

#[test]
fn no_other_chat_can_be_reached_by_any_way_of_writing_it() {
    let heist = Heist::new();
    let (alice, bob) = (heist.alice, heist.bob);
    let body = |text: String| json!({ "endpoint": "sendMessage", "json": text });
    let photo = heist.home.project().join("p.png");
    std::fs::write(&photo, PNG).unwrap();
    let parts = |parts: Value| json!({ "endpoint": "sendPhoto", "parts": parts });
    let orders = [
        body(format!(r#"{{"chat_id":{bob},"text":"x"}}"#)),
        body(format!(r#"{{"chat_id":"{bob}","text":"x"}}"#)),
        body(format!(r#"{{"chat_id":{alice},"chat_id":{bob},"text":"x"}}"#)),
        body(format!(r#"{{"chat_id":{bob},"chat_id":{alice},"text":"x"}}"#)),
        body(format!(r#"{{"chat_id":{alice},"chat\u005fid":{bob},"text":"x"}}"#)),
        body(format!(r#"{{"chat_id":{alice}.0,"text":"x"}}"#)),
        body(format!(r#"{{"chat_id":{alice}e0,"text":"x"}}"#)),
        body(format!(r#"{{"chat_id":[{bob}],"text":"x"}}"#)),
        body(format!(r#"{{"chat_id":" {alice}","text":"x"}}"#)),
        body(r#"{"chat_id":"@channel","text":"x"}"#.into()),
        body(r#"{"text":"x"}"#.into()),
        body(format!(r#"{{"chat_id":{alice},"text":"x","reply_parameters":{{"message_id":1,"chat_id":{bob}}}}}"#)),
        body(format!(r#"{{"chat_id":{alice},"text":"x","reply_parameters":{{"message_id":1}}}}"#)),
        body(format!(r#"{{"chat_id":{alice},"text":"x","business_connection_id":"7"}}"#)),
        body(format!(r#"{{"chat_id":{alice},"text":"x","message_thread_id":7}}"#)),
        body(format!(r#"{{"chat_id":{alice},"text":"not the action's text"}}"#)),
        body(format!(r#"{{"chat_id":{alice},"text":"x"}} {{"chat_id":{bob}}}"#)),
        json!({ "endpoint": "sendMessage", "form": [["chat_id", bob], ["text", "x"]] }),
        json!({ "endpoint": "sendMessage", "vars": [["chat_id", bob]], "json": format!(r#"{{"chat_id":{alice}}}"#) }),
        json!({ "endpoint": "sendMessage", "bytes": format!("chat_id={bob}") }),
        json!({ "endpoint": "sendMessage", "headers": [["x-chat", bob]], "json": format!(r#"{{"chat_id":{alice}}}"#) }),
        parts(json!([["chat_id", bob], ["photo", "@0"]])),
        parts(json!([["chat_id", alice], ["chat_id", bob], ["photo", "@0"]])),
        parts(json!([
            ["chat_id", alice],
            ["photo", "@0"],
            ["reply_parameters", format!(r#"{{"message_id":1,"chat_id":{bob}}}"#)]
        ])),
        parts(json!([["chat_id", alice], ["photo", "https://evil.example/x.png"]])),
        parts(json!([["chat_id", alice], ["photo", "@0"], ["caption", "other words"]])),
        parts(json!([["chat_id\r\nX: y", bob], ["chat_id", alice], ["photo", "@0"]])),
        json!({ "endpoint": "editMessageText", "json": format!(r#"{{"chat_id":{alice},"message_id":1,"text":"x"}}"#) }),
        send(&json!(alice), ""),
        json!({ "endpoint": "getUpdates" }),
        json!({ "endpoint": "updates" }),
        json!({ "endpoint": "getFile", "json": r#"{"file_id":"x"}"# }),
    ];
    let before = heist.telegram.look(|view| view.all_calls().iter().filter(|call| call.method != "getupdates").count());
    for order in orders {
        let result = heist.attempt_with(&order, &[photo.to_str().unwrap()]);
        assert!(result.starts_with("denied: "), "{order}\n{result}");
    }
    let calls = heist.telegram.look(|view| {
        view.all_calls()
            .iter()
            .filter(|call| call.method != "getupdates")
            .map(|call| call.method.clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(calls.len(), before, "nothing has left: {calls:?}");
    assert!(!heist.has_leaked());
    // The way that the grant has is open.
    let right = heist.attempt_with(&parts(json!([["chat_id", alice], ["photo", "@0"]])), &[photo.to_str().unwrap()]);
    assert!(right.starts_with("answered: 200"), "{right}");
}

#[test]
fn a_file_leaves_only_to_the_conversation_that_it_belongs_to() {
    let heist = Heist::new();
    let picture = heist.home.project().join("p.png");
    std::fs::write(&picture, PNG).unwrap();
    let parts = |file: &str| json!({ "endpoint": "sendPhoto", "parts": [["chat_id", heist.alice], ["photo", file]] });
    assert!(heist.attempt_with(&parts("@0"), &[picture.to_str().unwrap()]).starts_with("answered: 200"));
    // What goes to Bob is kept for Bob.
    let reply = json!({
        "chat_id": heist.bob.to_string(), "text": "{}", "format": "text", "files": [picture.to_str().unwrap()],
    });
    assert!(!heist.server.call("reply", &reply).is_error);
    let inbox = heist.home.path().join("inbox/thief");
    let notes = std::fs::read_dir(inbox).unwrap().flatten().map(|entry| entry.path());
    let of_bob = notes.filter(|path| path.extension().is_some_and(|it| it == "json")).find_map(|path| {
        let note: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let id = path.file_name()?.to_str()?.trim_start_matches('.').trim_end_matches(".json").to_owned();
        (note["conversation"].as_str()? == heist.bob.to_string()).then_some(id)
    });
    let result = heist.attempt(&parts(&format!("@{}", of_bob.expect("a file was kept for Bob"))));
    assert!(result.starts_with("denied: "), "{result}");
    let guessed = heist.attempt(&parts("@0123456789abcdef0123456789abcdef"));
    assert!(guessed.starts_with("denied: "), "{guessed}");
    assert!(!heist.has_leaked());
}

#[test]
fn a_photo_of_one_chat_cannot_be_hung_on_a_message_of_another() {
    let heist = Heist::new();
    let photo = heist.telegram.post(Post::photo(heist.alice, Content::of(PNG)));
    heist.telegram.wait_until_confirmed(photo.update);
    let sent = heist.telegram.look(|view| view.message(heist.alice, photo.message)).unwrap();
    let file_id = sent["photo"].as_array().unwrap().last().unwrap()["file_id"].as_str().unwrap().to_owned();
    let said = heist.telegram.post(Post::text(heist.bob, &format!("hang on it: {file_id}")));
    heist.telegram.wait_until_confirmed(said.update);
    assert!(heist.report().contains("reference of an attachment"), "{}", heist.report());
    assert!(heist.server.events().iter().all(|event| event.attribute("image_path").is_empty()));
    assert!(heist.telegram.look(|view| view.downloads()).is_empty());
}

#[test]
fn an_event_can_request_only_what_is_granted_for_events() {
    let heist = Heist::new();
    let order = |endpoint: &str, body: String| json!({ "handle": true, "endpoint": endpoint, "json": body });
    let orders = [
        order("sendMessage", format!(r#"{{"chat_id":{},"text":"x"}}"#, heist.bob)),
        order("sendMessage", format!(r#"{{"chat_id":{},"text":"x"}}"#, heist.alice)),
        order("getFile", r#"{"file_id":"x"}"#.into()),
    ];
    for order in orders {
        let said = heist.telegram.post(Post::text(heist.alice, &order.to_string()));
        heist.telegram.wait_until_confirmed(said.update);
        let result = heist.report();
        assert!(result.starts_with("denied: "), "{order}\n{result}");
    }
    let said = heist.telegram.post(Post::text(heist.alice, r#"{"handle":true,"endpoint":"getMe"}"#));
    heist.telegram.wait_until_confirmed(said.update);
    assert!(heist.report().starts_with("answered: 200"), "{}", heist.report());
    assert!(!heist.has_leaked());
}

#[test]
fn the_path_of_a_download_cannot_leave_its_place() {
    let heist = Heist::new();
    let token = heist.telegram.token();
    let paths =
        ["../getMe", "a/../../getMe", "..%2fgetMe", "./x", "a//b", "", "%2e%2e/x", "a\\..\\b", "x?y=1#z", "/etc"];
    for path in paths {
        let order = json!({ "endpoint": "file", "download": true, "vars": [["path", path]] });
        let fetched = heist.server.call("download_attachment", &json!({ "file_id": order.to_string() }));
        assert!(fetched.is_error);
        let result = heist.report();
        assert!(result.starts_with("denied: ") || result.contains("404"), "{path}: {result}");
    }
    for call in heist.telegram.look(|view| view.all_calls().iter().map(|call| call.target.clone()).collect::<Vec<_>>())
    {
        let file = call.starts_with(&format!("/file/bot{token}/"));
        assert!(file || call.starts_with(&format!("/bot{token}/")), "{call}");
        assert!(!call.contains("..") || file, "{call}");
    }
}

#[test]
fn a_secret_that_a_server_echoes_reaches_neither_adapter_nor_anybody() {
    let heist = Heist::new();
    let token = heist.telegram.token();
    let secret = token.split_once(':').unwrap().1.to_owned();
    let escaped: String = token.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let encoded: String = token.bytes().map(|b| format!("%{b:02X}")).collect();
    let echoes = [
        token.clone(),
        token.replace(':', "%3A"),
        token.replace(':', "%3a"),
        encoded,
        escaped,
        hex::encode(&token),
        base64_of(token.as_bytes()),
        base64_of(format!("x{token}").as_bytes()),
        base64_of(format!("xy{token}yx").as_bytes()),
    ];
    let parts = json!({ "endpoint": "sendPhoto", "parts": [["chat_id", heist.alice], ["photo", "@0"]] });
    let picture = heist.home.project().join("p.png");
    std::fs::write(&picture, PNG).unwrap();
    for echo in &echoes {
        let body = format!(r#"{{"ok":false,"description":"{echo}"}}"#);
        let fault = Fault::Answer(400, "application/json".into(), body.into_bytes());
        heist.telegram.inject_on("sendPhoto", fault, 1);
        let result = heist.attempt_with(&parts, &[picture.to_str().unwrap()]);
        assert!(result.contains("answered: 400"), "{result}");
        assert!(!result.contains(echo.as_str()) && !result.contains(&secret), "{result}");
    }
    let scanned = heist.server.call("thief_scan", &json!({})).text;
    assert!(scanned.ends_with("\n0"), "{scanned}");
    let redirect = Fault::Redirect(format!("{}/bot{token}/getMe", heist.telegram.url()));
    heist.telegram.inject_on("sendPhoto", redirect, 1);
    let calls = heist.telegram.look(|view| view.count("getMe"));
    let result = heist.attempt_with(&parts, &[picture.to_str().unwrap()]);
    assert!(result.starts_with("answered: 302") && !result.contains(&secret), "{result}");
    assert_eq!(heist.telegram.look(|view| view.count("getMe")), calls, "redirects are not followed");
}

#[test]
fn the_token_is_never_in_the_memory_of_an_adapter() {
    let heist = Heist::new();
    let picture = heist.home.project().join("p.png");
    std::fs::write(&picture, PNG).unwrap();
    let parts = json!({ "endpoint": "sendPhoto", "parts": [["chat_id", heist.alice], ["photo", "@0"]] });
    for _ in 0..3 {
        assert!(heist.attempt_with(&parts, &[picture.to_str().unwrap()]).starts_with("answered: 200"));
    }
    let order = json!({ "endpoint": "sendPhoto", "json": "{secret:token}", "vars": [["token", "{secret:token}"]] });
    assert!(heist.attempt(&order).starts_with("denied: "));
    let scanned = heist.server.call("thief_scan", &json!({})).text;
    assert!(scanned.ends_with("\n0"), "{scanned}");
    // The scan finds what is there.
    let planted = json!({ "planted": format!("123456:{}", "A".repeat(35)) });
    let scanned = heist.server.call("thief_scan", &planted).text;
    assert!(!scanned.ends_with("\n0"), "{scanned}");
}

#[test]
fn an_address_in_a_private_range_works_only_when_the_users_own_setting_names_it() {
    let guest = Guest::new("reacher");
    let mut home = Home::new();
    home.install(&guest);
    let telegram = Telegram::start();
    let server = Server::start(&home);
    server.wait_until_running(&home, "reacher");
    let reach = |server: &Server, endpoint: &str| {
        let told = server.call("reacher_reach", &json!({ "endpoint": endpoint })).text;
        told.split_once('\n').map(|(_, words)| words.to_owned()).unwrap_or_default()
    };
    for endpoint in ["rebind", "default"] {
        let result = reach(&server, endpoint);
        assert!(!result.starts_with("answered"), "{endpoint}: {result}");
    }
    home.table(&format!("[adapters.reacher.config]\nbase = \"{}\"", telegram.url()));
    // While the adapter starts anew, its tool is not there.
    let default = json!({ "endpoint": "default" });
    deadline::until("the setting is taken up", || {
        let told = server.try_call("reacher_reach", &default).ok()?.text;
        told.contains("\nanswered").then_some(())
    });
    assert!(!reach(&server, "rebind").starts_with("answered"));
}

#[test]
fn wasi_http_reaches_the_endpoints_of_the_grant_and_nothing_else() {
    let telegram = Telegram::start();
    let alice = telegram.add_user("Alice");
    let mut home = Home::new();
    home.drop_adapter(&Guest::new("fetcher"));
    home.table(&format!("[adapters.fetcher.config]\napi = \"{}\"", telegram.url()));
    home.allow("fetcher");
    let token = telegram.token();
    drop(home.run_with(&["secret", "fetcher", "set", "TELEGRAM_BOT_TOKEN"], token.as_bytes()).success());
    home.admit("fetcher", &[&alice.to_string()]);
    let server = Server::start(&home);
    server.wait_until_running(&home, "fetcher");
    telegram.post(Post::text(alice, "hello"));
    server.events_when(1);
    let reply = server.call("reply", &json!({ "chat_id": alice.to_string(), "text": "over wasi:http" }));
    assert!(!reply.is_error, "{}", reply.text);
    let sent = telegram.wait_for_text(alice, "over wasi:http")["message_id"].to_string();
    assert!(reply.text.contains(&sent), "the host reads the id itself: {}", reply.text);
    let authority = telegram.url().replace("http://", "");
    for authority in
        [authority.as_str(), "api.telegram.org", "sendMessage.endpoint.invalid", "x.endpoint.invalid", "localhost"]
    {
        let told = server.call("fetcher_fetch", &json!({ "authority": authority })).text;
        assert!(told.contains("HttpRequestDenied"), "{authority}: {told}");
    }
    assert_eq!(telegram.look(|view| view.sent(alice).len()), 1);
}

#[test]
fn a_downloaded_file_shaped_like_an_update_is_no_evidence() {
    let heist = Heist::new();
    let forged = json!({ "update_id": 99_999_999, "message": {
        "message_id": 1, "date": 1_700_000_000, "text": "forged",
        "from": { "id": heist.alice, "is_bot": false }, "chat": { "id": heist.alice, "type": "private" },
    }});
    heist.telegram.post(Post::document(heist.bob, "u.json", "application/json", Content::of(forged.to_string())));
    let said = heist.telegram.post(Post::text(heist.bob, "done"));
    heist.telegram.wait_until_confirmed(said.update);
    assert!(heist.server.events().iter().all(|event| event.content != "forged"));
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes)
}
