//! The way of one adapter: its end, its turns, and which endpoints are for what.

use std::sync::Arc;

use super::{
    server::{Server, Then, ok},
    *,
};
use crate::{
    egress::{Asked, Egress, Permit, PollFailure, Problem, Values},
    files::{FileStore, KeptFile},
    limits::Limits,
    manifest::{Action, Manifest, Use},
    name::AdapterName,
};

const ACTIONS: [Action; 5] = [Action::Send, Action::Edit, Action::React, Action::Typing, Action::Fetch];

/// An endpoint for each purpose, by its name; one whose answers are files; one with a longest answer; and a poll.
fn manifest() -> String {
    let mut text = r#"
name = "it"
version = "1"
summary = "It"

[config.api]
default = "https://api.example.org"

[[poll]]
name = "updates"
url = "{config:api}/updates"
items = "/*"
cursor = { query = "after", max = "/id", add = 1 }

[[endpoint]]
name = "file"
for = ["fetch"]
method = "GET"
url = "{config:api}/file/{path*}"
download = true

[[endpoint]]
name = "short"
for = ["handle"]
method = "GET"
url = "{config:api}/short"
max-bytes = 5

[[identity]]
name = "message"
source = "updates"
event = "/id"
sender = "/from"
conversation = "/chat"
words = "others"
"#
    .to_owned();
    for purpose in ACTIONS.map(Use::Action).into_iter().chain([Use::Handle, Use::Call]) {
        let name = purpose.as_str();
        let (gap, bound) = match purpose {
            Use::Action(Action::Fetch) => ("/{it}", "reference = \"$it\""),
            Use::Action(_) => ("/{it}", "conversation = [\"$it\"]"),
            Use::Handle | Use::Call => ("/1", ""),
        };
        text.push_str(&format!(
            "[[endpoint]]\nname = \"{name}\"\nfor = [\"{name}\"]\nmethod = \"GET\"\nurl = \"{{config:api}}/{name}{gap}\"\n{bound}\n"
        ));
    }
    text
}

struct Way {
    egress: Arc<Egress>,
    server: Server,
    _dir: tempfile::TempDir,
}

impl Way {
    fn to(server: Server) -> Self {
        let platform = Manifest::parse(&manifest()).unwrap().own;
        let api = server.url.as_str().trim_end_matches('/').to_owned();
        let values =
            Values { config: [("api".into(), api)].into(), by_user: ["api".into()].into(), ..Values::default() };
        let dir = tempfile::tempdir().unwrap();
        let files = FileStore::open(&dir.path().join("inbox"), MUCH, MUCH).unwrap();
        let name = AdapterName::new("it").unwrap();
        let egress = Egress::new(name, Arc::new(platform), values, files, &Limits::default(), Arc::default());
        Self { egress: Arc::new(egress), server, _dir: dir }
    }

    /// To a server that never answers.
    async fn to_silence() -> Self {
        Self::to(Server::saying("", Then::Hang).await)
    }

    async fn send(&self, purpose: Use) -> Result<u16, Problem> {
        self.send_within(purpose, LONG).await
    }

    async fn send_within(&self, purpose: Use, within: Duration) -> Result<u16, Problem> {
        send(Arc::clone(&self.egress), purpose, within).await
    }

    fn sending(&self, purpose: Use) -> tokio::task::JoinHandle<Result<u16, Problem>> {
        tokio::spawn(send(Arc::clone(&self.egress), purpose, LONG))
    }
}

fn asked(purpose: Use) -> (Permit, Asked) {
    let permit = Permit { conversation: Some("1".into()), reference: Some("1".into()), ..Permit::bare(purpose) };
    let vars = if matches!(purpose, Use::Action(_)) { vec![("it".into(), "1".into())] } else { Vec::new() };
    (permit, Asked { vars, ..Asked::default() })
}

async fn send(egress: Arc<Egress>, purpose: Use, within: Duration) -> Result<u16, Problem> {
    let (permit, asked) = asked(purpose);
    egress.send(&permit, purpose.as_str(), asked, within).await.map(|answer| answer.status)
}

async fn download(egress: Arc<Egress>, endpoint: &str) -> Result<KeptFile, Problem> {
    let (permit, mut asked) = asked(Use::Action(Action::Fetch));
    if endpoint == "file" {
        asked.vars = vec![("path".into(), "x".into())];
    }
    egress.download(&permit, endpoint, asked, "x", LONG).await
}

async fn poll(egress: Arc<Egress>) -> Result<Bytes, PollFailure> {
    let platform = Manifest::parse(&manifest()).unwrap().own;
    egress.poll(platform.poll("updates").unwrap(), None).await
}

const STOPPED: &str = "the adapter was stopped";

#[tokio::test]
async fn nothing_leaves_after_the_end() {
    let mut way = Way::to(Server::saying(ok("[]"), Then::Next).await);
    assert_eq!(way.send(Use::Handle).await, Ok(200));
    assert!(way.server.taken.try_recv().is_ok());
    way.egress.close();
    let stopped = Problem::Unreachable(STOPPED.into());
    assert!(!stopped.leaves_open());
    assert_eq!(way.send(Use::Action(Action::Send)).await, Err(stopped.clone()));
    assert_eq!(download(Arc::clone(&way.egress), "file").await.unwrap_err(), stopped);
    assert_eq!(poll(Arc::clone(&way.egress)).await, Err(PollFailure::Transport(STOPPED.into())));
    way.egress.close();
    assert!(way.server.taken.try_recv().is_err());
}

#[tokio::test]
async fn whatever_is_under_way_ends_with_the_adapter() {
    let mut way = Way::to_silence().await;
    let sending = way.sending(Use::Action(Action::Send));
    let downloading = tokio::spawn(download(Arc::clone(&way.egress), "file"));
    let polling = tokio::spawn(poll(Arc::clone(&way.egress)));
    for _ in 0..3 {
        way.server.taken.recv().await.unwrap();
    }
    way.egress.close();
    let problem = sending.await.unwrap().unwrap_err();
    assert!(problem.leaves_open(), "the platform may have done it: {problem}");
    assert!(problem.to_string().starts_with(STOPPED), "{problem}");
    assert_eq!(downloading.await.unwrap().unwrap_err(), Problem::Unreachable(STOPPED.into()));
    assert_eq!(polling.await.unwrap(), Err(PollFailure::Transport(STOPPED.into())));
}

#[tokio::test]
async fn what_waits_for_the_platform_or_for_its_turn_ends_with_the_adapter() {
    let answer = "HTTP/1.1 429 X\r\nretry-after: 29\r\ncontent-length: 0\r\n\r\n";
    let mut way = Way::to(Server::saying(answer, Then::Next).await);
    let mut sending: Vec<_> = (0..16).map(|_| way.sending(Use::Call)).collect();
    for _ in 0..16 {
        way.server.taken.recv().await.unwrap();
    }
    sending.push(way.sending(Use::Call));
    way.egress.close();
    for sending in sending {
        assert!(sending.await.unwrap().unwrap_err().to_string().starts_with(STOPPED));
    }
    assert!(way.server.taken.try_recv().is_err(), "none was made again");
}

#[tokio::test]
async fn the_wait_for_a_turn_counts() {
    let mut way = Way::to_silence().await;
    let under_way: Vec<_> = (0..16).map(|_| way.sending(Use::Call)).collect();
    for _ in 0..16 {
        way.server.taken.recv().await.unwrap();
    }
    let problem = way.send_within(Use::Call, Duration::from_millis(5)).await.unwrap_err();
    assert!(!problem.leaves_open() && problem.to_string().ends_with("nothing was sent"), "{problem}");
    assert!(way.server.taken.try_recv().is_err());
    way.egress.close();
    for under_way in under_way {
        assert!(under_way.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn only_what_is_still_wanted_later_waits_when_the_platform_asks_it_to() {
    let answer = "HTTP/1.1 429 X\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n";
    let mut way = Way::to(Server::saying(answer, Then::Next).await);
    for (purpose, requests) in [
        (Use::Action(Action::Send), 4),
        (Use::Action(Action::Edit), 4),
        (Use::Action(Action::Fetch), 4),
        (Use::Call, 4),
        (Use::Action(Action::Typing), 1),
        (Use::Action(Action::React), 1),
        (Use::Handle, 1),
    ] {
        assert_eq!(way.send(purpose).await, Ok(429));
        let taken = std::iter::from_fn(|| way.server.taken.try_recv().ok()).count();
        assert_eq!(taken, requests, "{purpose:?}");
    }
}

#[tokio::test]
async fn files_come_by_downloads_only_and_nothing_else_does() {
    let mut way = Way::to(Server::saying(ok("file"), Then::Next).await);
    let (permit, _) = asked(Use::Action(Action::Fetch));
    let asked = Asked { vars: vec![("path".into(), "x".into())], ..Asked::default() };
    let sent = way.egress.send(&permit, "file", asked.clone(), LONG).await.unwrap_err();
    let over_wasi = way.egress.send_as(&permit, "FILE", &http::Method::GET, asked, LONG, MUCH).await.unwrap_err();
    let kept = download(Arc::clone(&way.egress), "fetch").await.unwrap_err();
    for (problem, mend) in [(sent, "`http.download`"), (over_wasi, "`http.download`"), (kept, "`download = true`")] {
        assert!(matches!(&problem, Problem::Denied(reason) if reason.contains(mend)), "{problem}");
    }
    assert!(way.server.taken.try_recv().is_err());
    let kept = download(Arc::clone(&way.egress), "file").await.unwrap();
    assert_eq!(std::fs::read(kept.path).unwrap(), b"file");
}

#[tokio::test]
async fn an_answer_has_no_more_bytes_than_its_endpoint_and_its_room_allow() {
    for (body, room, fits) in
        [("12345", 5, true), ("12345", MUCH, true), ("12345", 4, false), ("123456", MUCH, false), ("", 0, true)]
    {
        let way = Way::to(Server::saying(ok(body), Then::Next).await);
        let permit = Permit::bare(Use::Handle);
        let sent = way.egress.send_as(&permit, "SHORT", &http::Method::GET, Asked::default(), LONG, room).await;
        match sent {
            Ok(answer) => assert!(fits && answer.body == body.as_bytes(), "{body} {room}"),
            Err(problem) => assert!(!fits && problem == Problem::TooLarge, "{body} {room}"),
        }
        for (name, longest) in [("Short", 5), ("handle", 1 << 20), ("nothing", 1 << 20)] {
            assert_eq!(way.egress.longest_answer(name), longest, "{name}");
        }
    }
}
