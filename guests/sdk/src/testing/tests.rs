use super::{Host, item, kept, outgoing, request};
use crate::prelude::*;

/// Does every kind of thing, and then what the body says.
struct Busy;

impl Adapter for Busy {
    const MANIFEST: &'static str = "";

    fn handle(event: Event) -> Handled {
        let Event::Received(item) = event else {
            return Ok(None);
        };
        let seen = state::get::<u32>("seen").unwrap_or(0);
        state::set("seen", &(seen + 1))?;
        timers::set("tick", 5);
        sockets::send_json("socket", item.connection, &json!({ "n": seen }))?;
        let attachment = Attachment::kept("document", &kept("f1", "a.txt", "text/plain", 3));
        Message::rule("message").meta("a", "b").meta("none", "").attachment(attachment).deliver()?;
        log::info("handled");
        match item.text()? {
            "fail" => Err(Failure::invalid("as asked")),
            _ => Ok(None),
        }
    }

    fn perform(action: Action) -> Performed {
        let Action::Send(outgoing) = action else {
            return Err(Failure::Unsupported);
        };
        let body = json!({ "text": outgoing.text.text, "reply": outgoing.reply_to });
        let answer = Request::to("post").var("chat", 7).json(body).send()?.accepted()?;
        let sent: Value = answer.parse()?;
        Ok(Outcome::Sent(json::id(&sent, "/id").into_iter().collect()))
    }
}

/// Has nothing of its own.
struct Idle;

impl Adapter for Idle {
    const MANIFEST: &'static str = "";
}

fn received(text: &str) -> Event {
    Event::Received(item("socket", Some(1), text))
}

#[test]
fn what_a_successful_call_did_is_kept() {
    let host = Host::new();
    host.handle::<Busy>(received("ok")).unwrap();
    assert_eq!(host.deliveries().len(), 1);
    assert_eq!(host.deliveries()[0].meta, [("a".to_owned(), "b".to_owned())]);
    assert_eq!(host.state()["seen"], b"1");
    assert_eq!(host.timers()["tick"], 5);
    assert_eq!(host.take_frames()[0].json(), json!({ "n": 0 }));
    assert!(host.take_frames().is_empty());
}

#[test]
fn nothing_is_kept_when_handle_fails() {
    let host = Host::new();
    host.handle::<Busy>(received("ok")).unwrap();
    host.take_frames();
    assert_eq!(host.handle::<Busy>(received("fail")), Err(Failure::invalid("as asked")));
    assert_eq!(host.deliveries().len(), 1);
    assert_eq!(host.state()["seen"], b"1");
    assert!(host.take_frames().is_empty());
    assert_eq!(host.logs().len(), 2, "log lines have left");
}

#[test]
fn a_refused_message_fails_the_call() {
    let host = Host::new();
    host.refuse("message", Refusal::DoesNotApply("a bot wrote it".to_owned()));
    assert!(
        matches!(host.handle::<Busy>(received("ok")), Err(Failure::Invalid(why)) if why.contains("a bot wrote it"))
    );
    assert!(host.state().is_empty());
}

#[test]
fn there_is_no_evidence_outside_an_event() {
    let _host = Host::new();
    assert!(matches!(Message::rule("message").deliver(), Err(Refusal::DoesNotApply(_))));
    assert_eq!(Message::rule("message").deliver_if_it_applies(), Ok(false));
}

#[test]
fn requests_are_recorded_and_answered_in_order() {
    let host = Host::new();
    host.answer("post", Response::json(200, &json!({ "id": 9 })));
    let slow_down =
        Response { headers: vec![("Retry-After".to_owned(), "3".to_owned())], ..Response::json(429, &json!("no")) };
    host.answer("post", slow_down);
    host.fail("post", Problem::TimedOut);
    let send = || host.perform::<Busy>(Action::Send(outgoing("7", "hi")));
    assert_eq!(send(), Ok(Outcome::Sent(vec!["9".to_owned()])));
    assert!(matches!(send(), Err(Failure::Platform(no)) if no.status == 429 && no.retry_after_ms == Some(3000)));
    assert!(matches!(send(), Err(Failure::Platform(no)) if no.status == 0));
    assert!(matches!(send(), Err(Failure::Invalid(why)) if why.contains("\"post\"")));
    assert_eq!(host.requests()[0].body, Body::Json(r#"{"text":"hi"}"#.to_owned()), "null members are left out");
}

#[test]
fn unreadable_state_counts_as_absent() {
    let host = Host::new();
    state::set_bytes("seen", b"not json");
    assert_eq!(state::get::<u32>("seen"), None);
    assert_eq!(host.logs()[0].0, log::Level::Warn);
}

#[test]
fn defaults_accept_what_informs_and_refuse_the_rest() {
    let host = Host::new();
    assert_eq!(host.handle::<Idle>(Event::Started), Ok(None));
    assert_eq!(host.handle::<Idle>(received("x")), Err(Failure::Unsupported));
    assert_eq!(host.perform::<Idle>(Action::Send(outgoing("1", "x"))), Err(Failure::Unsupported));
}

#[test]
fn headers_are_compared_without_case() {
    let mut request = request("hook", "POST", "/", "");
    request.headers.push(("X-GitHub-Event".to_owned(), "push".to_owned()));
    request.query.push(("v".to_owned(), "1".to_owned()));
    assert_eq!(request.header("x-github-event"), Some("push"));
    assert_eq!(request.parameter("v"), Some("1"));
}
