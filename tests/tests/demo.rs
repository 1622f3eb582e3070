//! The demo: a page, a terminal in Claude's place, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
};

use serde_json::json;
use sluicegate_tests::{binary::binary, deadline::patience, http::get, page::Visitor, port::Port};

/// The lines of one of the demo's outputs.
struct Lines(Receiver<String>);

impl Lines {
    fn of(output: impl Read + Send + 'static) -> Self {
        let (lines, received) = channel();
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
        });
        Self(received)
    }

    /// Waits for a line that has these words.
    fn wait(&self, words: &str) -> String {
        loop {
            let line = self.0.recv_timeout(patience()).unwrap_or_else(|error| panic!("no line has {words:?}: {error}"));
            if line.contains(words) {
                return line;
            }
        }
    }
}

struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn what_is_written_on_the_page_appears_as_claude_would_see_it_and_what_is_typed_goes_back() {
    let port = Port::reserve();
    let user = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary());
    command.args(["demo", "--listen", &format!("127.0.0.1:{}", port.number())]).current_dir(user.path());
    command.env_clear().env("HOME", user.path()).env("PATH", "/usr/bin:/bin");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut demo = Demo(child);
    let events = Lines::of(demo.0.stdout.take().unwrap());
    let words = Lines::of(demo.0.stderr.take().unwrap());

    let base = format!("http://127.0.0.1:{}", port.number());
    let address = words.wait("/fakechat/?token=");
    let target = address.trim().strip_prefix(&base).unwrap_or_else(|| panic!("{address} is not at {base}"));
    sluicegate_tests::deadline::until("the page opens", || {
        get(target).try_send(port.number()).ok().filter(|answer| answer.status == 303)
    });
    let mut socket = Visitor::open(port.number(), target).socket();

    socket.send(&json!({ "type": "message", "id": "m1", "text": "hello, demo" }));
    let tag = events.wait("<channel ");
    for attribute in [r#"channel="fakechat""#, r#"chat_id="web""#, r#"message_id="m1""#] {
        assert!(tag.contains(attribute), "{attribute} is missing: {tag}");
    }
    events.wait("hello, demo");
    events.wait("</channel>");

    demo.0.stdin.as_mut().unwrap().write_all(b"hello, page\n").unwrap();
    socket.receive("the reply", |frame| frame["type"] == "message" && frame.to_string().contains("hello, page"));

    demo.0.stdin.as_mut().unwrap().write_all(b"!npm test\n").unwrap();
    let shown =
        socket.receive("the prompt", |frame| frame["type"] == "message" && frame.to_string().contains("npm test"));
    let prompt = &shown["message"];
    let allow = prompt["choices"].as_array().unwrap().iter().find(|it| it["label"] == "✅ Allow").unwrap();
    socket.send(&json!({ "type": "button", "id": "b1", "message": prompt["id"], "token": allow["token"] }));
    let verdict = events.wait("notifications/claude/channel/permission");
    assert!(verdict.contains("\"allow\"") && verdict.contains("demo-1"), "{verdict}");
    assert!(!user.path().join(".config").exists(), "the demo leaves nothing in the user's home");
}
