//! fakechat's page in real Chromium: the browser's side is `clients/page.mjs`, Claude Code's side is here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sluicegate_tests::{Home, Server, deadline, node, server::Signal};

/// A picture of 2 × 2 points.
const PICTURE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFElEQVR4nGP4z8DAAMIM/4EAiP8DAC3mBfv3rnZcAAAAAElFTkSuQmCC";

/// Chromium, which does one step after another.
struct Browser {
    node: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts it. `None`, with a note, where a machine has none and nobody insists.
    fn start() -> Option<Self> {
        let clients = node::browser()?;
        let mut command = Command::new("node");
        command.arg(clients.join("page.mjs")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut node = command.spawn().expect("node can be run");
        let (input, output) = (node.stdin.take(), BufReader::new(node.stdout.take().unwrap()));
        Some(Self { node, input, output })
    }

    fn step(&mut self, step: &Value) -> Value {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{step}").and_then(|()| input.flush()).expect("the browser runs");
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{step}: {error}: {line:?}"));
        assert!(answer.get("error").is_none(), "{step}: {}", answer["error"].as_str().unwrap_or_default());
        answer
    }

    /// Opens the page with its token, and waits until it is connected.
    fn open(&mut self, home: &Home) -> Value {
        let url = format!("http://127.0.0.1:{}/fakechat/?token={}", home.port(), home.page_token());
        let opened = self.step(&json!({ "do": "open", "url": url }));
        self.connected();
        opened
    }

    fn connected(&mut self) {
        self.step(&json!({ "do": "connection", "is": "open" }));
    }

    /// Writes and sends; gives the message's id.
    fn say(&mut self, text: &str) -> String {
        self.step(&json!({ "do": "say", "text": text }))["id"].as_str().unwrap().to_owned()
    }

    /// Waits until the user's message has its tick.
    fn stored(&mut self, id: &str) -> Value {
        let message = self.step(&json!({ "do": "message", "id": id, "state": "stored" }));
        assert_eq!((&message["tick"], &message["mine"]), (&json!("✓"), &json!(true)), "{message}");
        message
    }

    /// Waits for a message with that text.
    fn message(&mut self, text: &str) -> Value {
        self.step(&json!({ "do": "message", "text": text }))
    }

    fn complaints(&mut self) -> Vec<String> {
        let all = self.step(&json!({ "do": "complaints" }))["all"].take();
        let mut all: Vec<String> = serde_json::from_value(all).unwrap();
        // Chromium says so of every page with this sandbox, framed or not. The host keeps its pages out of frames, and
        // what the sandbox is for, no windows of its own, holds.
        all.retain(|complaint| !complaint.contains("both allow-scripts and allow-same-origin"));
        all
    }

    /// Nothing was wrong in the console, and no policy was violated.
    fn no_complaints(&mut self) {
        assert_eq!(self.complaints(), Vec::<String>::new());
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Then it stops Chromium and removes its profile.
        self.input = None;
        drop(self.node.wait());
    }
}

fn fakechat() -> (Home, Server) {
    let home = Home::new();
    home.allow("fakechat");
    let server = Server::start(&home);
    server.wait_until_running(&home, "fakechat");
    (home, server)
}

/// The same, where whoever has the page open approves.
fn approving() -> (Home, Server) {
    let home = Home::new();
    home.allow("fakechat");
    let page = json!(["page"]);
    let access = json!({ "dmPolicy": "allowlist", "allowFrom": page, "groups": {}, "pending": {}, "approvers": page });
    home.access("fakechat", &access);
    let server = Server::start(&home);
    server.wait_until_running(&home, "fakechat");
    (home, server)
}

fn reply(server: &Server, mut arguments: Value) -> String {
    arguments["chat_id"] = "web".into();
    let sent = server.call("reply", &arguments);
    assert!(!sent.is_error, "{}", sent.text);
    let id = sent.text.split("message_id: ").nth(1).and_then(|rest| rest.split([')', ',']).next());
    id.unwrap_or_else(|| panic!("no id in {}", sent.text)).to_owned()
}

fn call(server: &Server, tool: &str, arguments: &Value) {
    let done = server.call(tool, arguments);
    assert!(!done.is_error, "{tool}: {}", done.text);
}

#[test]
fn the_user_and_claude_talk_on_the_page() {
    let Some(mut browser) = Browser::start() else { return };
    let (home, server) = fakechat();
    let bare = format!("http://127.0.0.1:{}/fakechat/", home.port());

    let refused = browser.step(&json!({ "do": "open", "url": bare }));
    assert_eq!(refused["status"], 401);
    let words = refused["words"].as_str().unwrap();
    assert!(words.contains("needs its token") && words.contains("sluicegate list"), "{words}");
    assert_eq!(browser.complaints().len(), 1, "the console shows the status, and nothing else");

    let opened = browser.open(&home);
    assert_eq!((&opened["status"], &opened["url"]), (&json!(200), &json!(bare)), "the token is gone from the address");
    let cookie = &opened["cookies"][0];
    assert_eq!((&cookie["httpOnly"], &cookie["sameSite"]), (&json!(true), &json!("Strict")), "{cookie}");
    browser.step(&json!({ "do": "empty" }));

    let asked = browser.say("What does <b>main.rs</b> do?");
    assert_eq!(browser.stored(&asked)["text"], "What does <b>main.rs</b> do?");
    let event = server.event_of(&asked);
    assert_eq!(event.content, "What does <b>main.rs</b> do?");
    assert_eq!((event.attribute("chat_id"), event.attribute("user")), ("web", "page"));

    let answer =
        "It **starts** everything, see `fn main`:\n```rust\nfn main() {}\n```\nand https://example.org/book for more.";
    let answered = reply(&server, json!({ "text": answer, "reply_to": asked }));
    let shown = browser.message("It starts everything");
    assert_eq!((&shown["id"], &shown["mine"]), (&json!(answered), &json!(false)));
    assert_eq!(shown["quote"], "What does <b>main.rs</b> do?");
    let html = shown["html"].as_str().unwrap();
    for element in ["<strong>starts</strong>", "<code>fn main</code>", "<pre ", "href=\"https://example.org/book\""] {
        assert!(html.contains(element), "{element} is missing: {html}");
    }

    browser.step(&json!({ "do": "quote", "id": answered }));
    let second = browser.say("Thanks!\nOne more line.");
    assert_eq!(browser.stored(&second)["text"], "Thanks!\nOne more line.");
    assert_eq!(server.event_of(&second).attribute("reply_to"), answered);

    call(&server, "react", &json!({ "chat_id": "web", "message_id": second, "emoji": "🎉" }));
    browser.step(&json!({ "do": "message", "id": second, "reaction": "🎉" }));
    call(
        &server,
        "edit_message",
        &json!({ "chat_id": "web", "message_id": answered, "text": "It starts it all: https://example.org/book" }),
    );
    let edited = browser.step(&json!({ "do": "message", "id": answered, "text": "It starts it all", "edited": true }));
    assert!(!edited["html"].as_str().unwrap().contains("<pre"), "{edited}");

    browser.step(&json!({ "do": "reload" }));
    browser.connected();
    browser.step(&json!({ "do": "message", "id": answered, "text": "It starts it all", "edited": true }));
    let kept = browser.step(&json!({ "do": "message", "id": second, "reaction": "🎉", "state": "stored" }));
    assert_eq!(kept["quote"], "It starts it all: https://example.org/book");
    assert_eq!(browser.step(&json!({ "do": "count" }))["messages"], 3);
    assert_eq!(server.events().len(), 2, "a reload sends nothing again");

    let led = browser.step(&json!({ "do": "follow", "text": "example.org" }));
    assert_eq!(led["url"], "https://example.org/book");
    browser.connected();
    browser.message("It starts it all");
    browser.no_complaints();
}

#[test]
fn files_go_both_ways() {
    let Some(mut browser) = Browser::start() else { return };
    let (home, server) = fakechat();
    browser.open(&home);
    let picture = STANDARD.decode(PICTURE).unwrap();
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    let (data, shot) = (home.project().join("data 1.bin"), home.project().join("shot.png"));
    fs::write(&data, &bytes).unwrap();
    fs::write(&shot, &picture).unwrap();

    browser.step(&json!({ "do": "upload", "paths": [data, shot], "text": "two files" }));
    let shown = browser.step(&json!({ "do": "message", "text": "two files", "state": "stored" }));
    assert_eq!(shown["files"], json!(["data 1.bin", "shot.png"]));
    let event = server.event_of(shown["id"].as_str().unwrap());
    assert_eq!(event.content, "two files", "{event:?}");
    assert_eq!(fs::read(event.attribute("file_path")).unwrap(), bytes, "{event:?}");
    assert_eq!(fs::read(event.attribute("attachment_2_image_path")).unwrap(), picture, "{event:?}");

    browser.step(&json!({ "do": "drop", "path": data, "name": "dropped.csv", "type": "text/csv" }));
    let event = server.event("the dropped file", |event| event.attribute("attachment_name") == "dropped.csv");
    assert_eq!(fs::read(event.attribute("file_path")).unwrap(), bytes);
    assert_eq!(event.content, "(file)");
    browser.stored(event.id());

    let (report, diagram) = (home.project().join("report.html"), home.project().join("diagram.png"));
    fs::write(&report, "<script>document.title = 'ran'</script>").unwrap();
    fs::write(&diagram, &picture).unwrap();
    reply(&server, json!({ "text": "here they are", "files": [report, diagram] }));
    let shown = browser.message("here they are");
    assert_eq!(shown["files"], json!(["report.html", "diagram.png"]));
    let download = browser.step(&json!({ "do": "download", "name": "report.html" }));
    assert_eq!(download["name"], "report.html");
    assert_eq!(STANDARD.decode(download["bytes"].as_str().unwrap()).unwrap(), fs::read(&report).unwrap());
    assert_eq!(browser.step(&json!({ "do": "view", "name": "diagram.png" }))["width"], 2);

    browser.step(&json!({ "do": "reload" }));
    browser.connected();
    let download = browser.step(&json!({ "do": "download", "name": "data 1.bin" }));
    assert_eq!(STANDARD.decode(download["bytes"].as_str().unwrap()).unwrap(), bytes);
    browser.no_complaints();
}

#[test]
fn what_was_not_acknowledged_is_sent_again_and_arrives_once() {
    let Some(mut browser) = Browser::start() else { return };
    let (home, server) = fakechat();
    browser.open(&home);
    let first = browser.say("before");
    browser.stored(&first);

    // It stands still with a message under way, and is killed before it has read it.
    server.signal(Signal::STOP);
    let second = browser.say("under way");
    let third = browser.say("behind it");
    browser.step(&json!({ "do": "message", "id": second, "state": "pending" }));
    browser.step(&json!({ "do": "message", "id": third, "state": "pending" }));
    let before = server.kill().events;
    browser.step(&json!({ "do": "connection", "is": "waiting" }));
    let fourth = browser.say("while nobody listens");

    let server = Server::start(&home);
    browser.connected();
    for id in [&second, &third, &fourth] {
        browser.stored(id);
        server.event_of(id);
    }
    let ids = |events: &[sluicegate_tests::Event]| events.iter().map(|event| event.id().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&before), std::slice::from_ref(&first));

    // It has the message, and only the page does not know.
    browser.step(&json!({ "do": "loseNextAnswer" }));
    browser.connected();
    let fifth = browser.say("the answer to this is lost");
    browser.stored(&fifth);
    let sixth = browser.say("last");
    browser.stored(&sixth);
    server.event_of(&sixth);
    let after: Vec<String> = ids(&server.events()).into_iter().filter(|id| *id != first).collect();
    assert_eq!(after, [second, third, fourth, fifth, sixth], "each once, in order");
    assert_eq!(browser.step(&json!({ "do": "count" }))["messages"], 6);
    let other = |complaint: &String| {
        !complaint.contains("WebSocket connection to") && !complaint.contains("ERR_CONNECTION_REFUSED")
    };
    assert_eq!(browser.complaints().into_iter().filter(other).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_page_of_another_site_neither_posts_nor_opens_the_socket() {
    let Some(mut browser) = Browser::start() else { return };
    let (home, server) = fakechat();
    browser.open(&home);
    browser.no_complaints();
    for from in ["port", "localhost", "rebound"] {
        let tried = browser.step(&json!({ "do": "attack", "port": home.port(), "from": from }));
        assert_eq!(tried["socket"], "refused", "{from}: {tried}");
        assert!(tried["form"] == 403 || tried["page"] == 421, "{from}: {tried}");
        for request in ["post", "blind", "read"] {
            let answer = &tried[request];
            // An opaque answer is what a page gets of a request that it was allowed to make blindly.
            let learned_nothing = answer["type"] == "error" || answer["type"] == "opaque";
            assert!(learned_nothing || answer["status"] == 421, "{from} {request}: {tried}");
        }
    }
    let id = browser.say("and the user still can");
    browser.stored(&id);
    server.event_of(&id);
    assert_eq!(server.events().len(), 1, "{:?}", server.events());
    assert_eq!(browser.step(&json!({ "do": "count" }))["messages"], 1);
    deadline::until("the log says why", || home.log().contains("Origin").then_some(()));
}

#[test]
fn a_prompt_is_answered_on_the_page() {
    const ALLOW: &str = "✅ Allow";
    const DENY: &str = "❌ Deny";
    const SEE_MORE: &str = "See more";
    let Some(mut browser) = Browser::start() else { return };
    let (home, server) = approving();
    browser.open(&home);
    let hello = browser.say("Clean up, please.");
    server.event_of(&hello);

    // Pressed twice in a row, it is one answer.
    let asked = server.ask_permission("Bash", "List the files", r#"{"command":"ls **/*.tmp"}"#);
    let prompt = browser.message("ls **/*.tmp");
    assert_eq!((&prompt["prompt"], &prompt["buttons"]), (&json!(true), &json!([ALLOW, DENY])), "{prompt}");
    browser.step(&json!({ "do": "press", "label": ALLOW, "id": prompt["id"], "twice": true }));
    assert_eq!(server.verdict_on(&asked), "allow");
    let over = browser.step(&json!({ "do": "message", "id": prompt["id"], "state": "settled" }));
    assert_eq!((&over["buttons"], &over["sending"]), (&json!([]), &Value::Null), "{over}");

    // Neither a reload nor a server that stands still while it is pressed loses it.
    let asked = server.ask_permission("Bash", "Remove the files", r#"{"command":"rm -rf target"}"#);
    let prompt = browser.message("rm -rf target");
    browser.step(&json!({ "do": "reload" }));
    browser.connected();
    server.signal(Signal::STOP);
    browser.step(&json!({ "do": "press", "label": DENY, "id": prompt["id"] }));
    let sending = browser.step(&json!({ "do": "message", "id": prompt["id"], "state": "sending" }));
    assert_eq!((&sending["sending"], server.verdicts().len()), (&json!("sending…"), 1), "{sending}");
    server.signal(Signal::CONT);
    assert_eq!(server.verdict_on(&asked), "deny");
    browser.step(&json!({ "do": "message", "id": prompt["id"], "state": "settled" }));

    // What is long is allowed only by who has seen all of it.
    let command = format!("{}; echo end-of-it", "true && ".repeat(300));
    let asked = server.ask_permission("Bash", "Do a lot", &json!({ "command": command }).to_string());
    let prompt = browser.message("Do a lot");
    assert_eq!(prompt["buttons"], json!([SEE_MORE, DENY]), "{prompt}");
    browser.step(&json!({ "do": "press", "label": SEE_MORE, "id": prompt["id"] }));
    let full = browser.step(&json!({ "do": "message", "id": prompt["id"], "text": "end-of-it", "state": "waiting" }));
    assert_eq!(full["buttons"], json!([ALLOW, DENY]), "{full}");
    browser.step(&json!({ "do": "press", "label": ALLOW, "id": prompt["id"] }));
    assert_eq!(server.verdict_on(&asked), "allow");

    // A browser that came here before there were keys, or with one of another home, talks and does not decide.
    let asked = server.ask_permission("Bash", "Do it here", r#"{"command":"make here"}"#);
    let key = browser.step(&json!({ "do": "key" }))["key"].take();
    let other = "0".repeat(32);
    for without in [None, Some(&other)] {
        browser.step(&json!({ "do": "setKey", "key": without }));
        browser.connected();
        let locked = browser.step(&json!({ "do": "message", "text": "make here", "state": "locked" }));
        assert_eq!(locked["buttons"], json!([]), "{locked}");
        let words = "Open this page with the address from sluicegate list to answer here.";
        assert_eq!(locked["locked"], words, "{locked}");
        assert_eq!(browser.step(&json!({ "do": "key" }))["key"], Value::Null, "{without:?}");
    }
    let refused = |complaint: &String| !(complaint.contains("401") || complaint.contains("WebSocket connection to"));
    assert_eq!(browser.complaints().into_iter().filter(refused).collect::<Vec<_>>(), Vec::<String>::new());
    let opened = browser.open(&home);
    assert!(!opened["url"].as_str().unwrap().contains('#'), "the key is gone from the address: {opened}");
    assert_eq!(browser.step(&json!({ "do": "key" }))["key"], key);
    browser.step(&json!({ "do": "press", "label": ALLOW }));
    assert_eq!(server.verdict_on(&asked), "allow");

    // Typed, it counts too; and what only reads like a verdict is taken, so that the page goes on.
    let asked = server.ask_permission("Bash", "Say it", r#"{"command":"echo typed"}"#);
    let prompt = browser.message("echo typed");
    let text = prompt["text"].as_str().unwrap();
    let code = &text[text.find("reply yes ").unwrap() + 10..][..5];
    let odd = browser.say("yes great");
    browser.stored(&odd);
    let typed = browser.say(&format!("yes {code}"));
    browser.stored(&typed);
    assert_eq!(server.verdict_on(&asked), "allow");

    // What Claude says looks like none.
    reply(&server, json!({ "text": "**Permission request**\nPress Allow or Deny." }));
    let said = browser.message("Press Allow or Deny");
    assert_eq!((&said["prompt"], &said["buttons"]), (&json!(false), &json!([])));
    assert_eq!(server.events().len(), 1, "no press is chat: {:?}", server.events());
    browser.no_complaints();
}

/// Makes the README's picture again: `cargo test -p sluicegate-tests --test page -- --ignored`.
#[test]
#[ignore = "writes .github/fakechat.png"]
fn the_picture_in_the_readme() {
    let Some(mut browser) = Browser::start() else { return };
    let (home, server) = approving();
    browser.open(&home);
    let conversation = home.project();
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/fakechat.png");
    fs::create_dir_all(picture.parent().unwrap()).unwrap();

    let asked = browser.say("The nightly build is red since yesterday. Can you see why?");
    server.event_of(&asked);
    reply(
        &server,
        json!({ "text": "Found it: `parse_date` takes the day before the month since the last change, and the test data has a 13th month. One line mends it:\n```rust\nlet date = Date::parse(text, \"%Y-%m-%d\")?;\n```\nAll **214 tests** pass with it. Shall I commit?" , "reply_to": asked }),
    );
    browser.message("Found it");
    let agreed = browser.say("Yes please. And send me the report of the test run.");
    server.event_of(&agreed);
    call(&server, "react", &json!({ "chat_id": "web", "message_id": agreed, "emoji": "👍" }));
    let report = conversation.join("test-report.html");
    fs::write(&report, "<p>214 passed</p>".repeat(1200)).unwrap();
    reply(
        &server,
        json!({ "text": "Committed as `4be1c09` on branch `fix-dates`. Here is the report.", "files": [report] }),
    );
    browser.message("Committed as");
    browser.stored(&agreed);
    server.ask_permission("Bash", "Push the branch", r#"{"command":"git push --set-upstream origin fix-dates"}"#);
    browser.message("Push the branch");
    browser.step(&json!({ "do": "screenshot", "path": picture, "width": 1200, "height": 760 }));
    if let Some(dir) = env::var_os("PAGE_SCREENSHOTS") {
        for (name, width, scheme) in [("light", 1200, "light"), ("dark", 1200, "dark"), ("narrow", 380, "light")] {
            let path = Path::new(&dir).join(format!("{name}.png"));
            browser.step(&json!({ "do": "screenshot", "path": path, "width": width, "height": 760, "scheme": scheme }));
        }
    }
}
