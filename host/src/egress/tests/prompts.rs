//! A prompt leaves once, and nothing else carries what it can be answered with.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    server::{Server, Then, ok},
    *,
};
use crate::{
    egress::{Answer, Asked, Body, Egress, Permit, Problem, Values},
    files::FileStore,
    limits::Limits,
    manifest::{Action, Manifest, Use},
    name::AdapterName,
    relay::{AskId, Codes, Live},
};

const MANIFEST: &str = r#"
name = "it"
version = "1"
summary = "It"

[config.api]
default = "https://api.example.org"

[[endpoint]]
name = "say"
for = ["send", "ask"]
method = "POST"
url = "{config:api}/say"
body = "json"
fields = ["/chat", "/text", "/style"]
required = ["/text"]
conversation = ["/chat"]
text = "/text"
sent = "/id"

[[endpoint]]
name = "say-too"
for = ["ask"]
method = "POST"
url = "{config:api}/say-too"
body = "json"
fields = ["/chat", "/text"]
required = ["/text"]
conversation = ["/chat"]
text = "/text"
sent = "/id"

[[endpoint]]
name = "note"
for = ["handle"]
method = "POST"
url = "{config:api}/note"
body = "json"
fields = ["/note"]
"#;

struct Way {
    egress: Arc<Egress>,
    live: Arc<Live>,
    server: Server,
    _dir: tempfile::TempDir,
}

impl Way {
    fn to(server: Server) -> Self {
        let platform = Manifest::parse(MANIFEST).unwrap().own;
        let api = server.url.as_str().trim_end_matches('/').to_owned();
        let values =
            Values { config: [("api".into(), api)].into(), by_user: ["api".into()].into(), ..Values::default() };
        let dir = tempfile::tempdir().unwrap();
        let files = FileStore::open(&dir.path().join("inbox"), MUCH, MUCH).unwrap();
        let (name, live) = (AdapterName::new("it").unwrap(), Arc::<Live>::default());
        let egress = Egress::new(name, Arc::new(platform), values, files, &Limits::default(), Arc::clone(&live));
        Self { egress: Arc::new(egress), live, server, _dir: dir }
    }

    /// To a server that says these one after another, and the last again and again.
    async fn saying(answers: Vec<(Vec<u8>, Then)>) -> Self {
        let next = AtomicUsize::new(0);
        let answer = move |_: &server::Taken| {
            let next = next.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            answers[next].clone()
        };
        Self::to(Server::new(answer).await)
    }

    async fn send(&self, permit: &Permit) -> Result<Answer, Problem> {
        self.egress.send(permit, "say", says("Run ls?"), LONG).await
    }

    fn taken(&mut self) -> usize {
        std::iter::from_fn(|| self.server.taken.try_recv().ok()).count()
    }
}

fn ask() -> Permit {
    permit(Action::Ask)
}

fn permit(action: Action) -> Permit {
    Permit { conversation: Some("7".into()), text: Some("Run ls?".into()), ..Permit::bare(Use::Action(action)) }
}

fn says(text: &str) -> Asked {
    Asked { body: Body::Json(format!(r#"{{"chat":7,"text":"{text}"}}"#)), ..Asked::default() }
}

fn status(status: u16) -> (Vec<u8>, Then) {
    (format!("HTTP/1.1 {status} X\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n").into_bytes(), Then::Next)
}

fn done() -> (Vec<u8>, Then) {
    (ok(r#"{"id":81}"#), Then::Next)
}

fn is_sent_already(answered: &Result<Answer, Problem>) -> bool {
    matches!(answered, Err(Problem::Denied(reason)) if reason.contains("it is sent once"))
}

#[tokio::test]
async fn a_prompt_is_sent_once_whichever_way_is_taken() {
    let mut way = Way::saying(vec![done()]).await;
    let permit = ask();
    assert_eq!(way.send(&permit).await.unwrap().sent, ["81"]);
    let again = permit.clone();
    assert!(is_sent_already(&way.send(&permit).await) && is_sent_already(&way.send(&again).await));
    let too = way.egress.send(&again, "say-too", says("Run ls?"), LONG).await;
    let post = http::Method::POST;
    let over_wasi = way.egress.send_as(&again, "SAY", &post, says("Run ls?"), LONG, MUCH).await;
    assert!(is_sent_already(&too) && is_sent_already(&over_wasi));
    assert_eq!(way.taken(), 1);
    // The next prompt has a permit of its own.
    assert!(way.send(&ask()).await.is_ok());
}

#[tokio::test]
async fn a_prompt_that_surely_was_not_sent_may_be_sent_again() {
    let mut way = Way::saying(vec![status(400), status(403), done()]).await;
    let permit = ask();
    let other_words = way.egress.send(&permit, "say", says("Run rm?"), LONG).await;
    assert!(matches!(&other_words, Err(Problem::Denied(reason)) if reason.contains("differs from the text")));
    assert_eq!(way.taken(), 0);
    for expected in [400, 403, 200] {
        assert_eq!(way.send(&permit).await.unwrap().status, expected);
    }
    assert!(is_sent_already(&way.send(&permit).await));
    assert_eq!(way.taken(), 3);
}

#[tokio::test]
async fn a_prompt_that_may_have_been_sent_is_not_sent_again() {
    for answer in [status(500), status(302), (Vec::new(), Then::Close), (b"HTTP/1.1 what".to_vec(), Then::Close)] {
        let mut way = Way::saying(vec![answer.clone(), done()]).await;
        let permit = ask();
        let first = way.send(&permit).await;
        assert!(first.as_ref().map_or_else(Problem::leaves_open, |answer| answer.status >= 300), "{first:?}");
        assert!(is_sent_already(&way.send(&permit).await), "{:?}", String::from_utf8_lossy(&answer.0));
        assert_eq!(way.taken(), 1);
    }
}

#[tokio::test]
async fn a_prompt_is_not_sent_beside_itself() {
    let mut way = Way::to(Server::saying("", Then::Hang).await);
    let permit = ask();
    let (egress, clone) = (Arc::clone(&way.egress), permit.clone());
    let sending = tokio::spawn(async move { egress.send(&clone, "say", says("Run ls?"), LONG).await });
    way.server.taken.recv().await.unwrap();
    assert!(is_sent_already(&way.send(&permit).await));
    // A request that the guest gives up on has left all the same.
    sending.abort();
    assert!(sending.await.unwrap_err().is_cancelled());
    assert!(is_sent_already(&way.send(&permit).await));
    assert_eq!(way.taken(), 0);
}

#[tokio::test]
async fn a_prompt_waits_when_the_platform_asks_it_to() {
    let mut way = Way::saying(vec![status(429), status(429), done()]).await;
    assert_eq!(way.send(&ask()).await.unwrap().sent, ["81"]);
    assert_eq!(way.taken(), 3);
}

#[tokio::test]
async fn other_actions_request_as_often_as_they_like() {
    let mut way = Way::saying(vec![done()]).await;
    let permit = permit(Action::Send);
    for _ in 0..3 {
        assert!(way.send(&permit).await.is_ok());
    }
    assert_eq!(way.taken(), 3);
}

#[tokio::test]
async fn what_waits_for_an_answer_leaves_with_its_own_prompt_alone() {
    let mut way = Way::saying(vec![done()]).await;
    let codes = Codes::mint(&HashSet::new()).unwrap();
    way.live.add(AskId(3), codes.clone());
    let words = format!("Run ls? yes {}", codes.code.as_str());
    let with = |action, ask| Permit { text: Some(words.clone()), ask, ..permit(action) };
    let note = Asked { body: Body::Json(format!(r#"{{"note":"{}"}}"#, codes.allow.as_str())), ..Asked::default() };
    let noted = way.egress.send(&Permit::bare(Use::Handle), "note", note.clone(), LONG).await;
    let sent = way.egress.send(&with(Action::Send, None), "say", says(&words), LONG).await;
    let of_another = way.egress.send(&with(Action::Ask, Some(AskId(4))), "say", says(&words), LONG).await;
    for answered in [noted, sent, of_another] {
        assert!(matches!(&answered, Err(Problem::Denied(reason)) if reason.contains("code or token")), "{answered:?}");
    }
    assert_eq!(way.taken(), 0);
    assert!(way.egress.send(&with(Action::Ask, Some(AskId(3))), "say", says(&words), LONG).await.is_ok());
    way.live.remove(AskId(3));
    assert!(way.egress.send(&Permit::bare(Use::Handle), "note", note, LONG).await.is_ok());
}
