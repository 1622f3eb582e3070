//! Variables, headers, and calls that are about something else.

use super::{super::platform::*, OTHER, assert_denied, attack};
use crate::{
    egress::Permit,
    manifest::{Action, Endpoint, Use},
};

#[test]
fn variables_lead_to_no_other_path_host_or_parameter() {
    let react_with = |channel: &str, message: &str, emoji: &str| {
        vars(&[("channel", channel), ("message", message), ("emoji", emoji)])
    };
    let path = |path: &str| vars(&[("path", path)]);
    let elsewhere = "leads to another path";
    assert_denied(vec![
        attack("another chat in the query", typing(), vars(&[("chat", "-1009")]), OTHER),
        attack("the chat and more", typing(), vars(&[("chat", &format!("{CHAT}&chat_id=-1009"))]), OTHER),
        attack("the chat, encoded", typing(), vars(&[("chat", "%2D1001234567890123")]), OTHER),
        attack("a repeated variable", typing(), vars(&[("chat", CHAT), ("chat", "-1009")]), "given twice"),
        attack(
            "a variable by the parameter's name",
            typing(),
            vars(&[("chat", CHAT), ("chat_id", "-1009")]),
            "not in its URL",
        ),
        attack(
            "a variable that is a secret",
            typing(),
            vars(&[("chat", CHAT), ("secret:token", "x")]),
            "not in its URL",
        ),
        attack("no variable", typing(), vars(&[]), "`chat` is missing"),
        attack("an empty variable", typing(), vars(&[("chat", "")]), "0 bytes"),
        attack("a thread in the query", typing(), vars(&[("chat", CHAT), ("topic", "8")]), "the action has none"),
        attack("another chat in the path", react(), react_with("-1009", "81", "x"), OTHER),
        attack("another message in the path", react(), react_with(CHAT, "82", "x"), "the message of the action"),
        attack("a chat that goes up", react(), react_with("..", "81", "x"), OTHER),
        attack("a line end", react(), react_with(CHAT, "81", "x\r\nHost: evil"), "control characters"),
        attack("a NUL", react(), react_with(CHAT, "81", "\0"), "control characters"),
        attack("a control of C1", react(), react_with(CHAT, "81", "\u{85}"), "control characters"),
        attack("too long a variable", react(), react_with(CHAT, "81", &"x".repeat(1025)), "1025 bytes"),
        attack("up", file(), path(".."), elsewhere),
        attack("up and away", file(), path("../../bot1:x/getMe"), elsewhere),
        attack("up in the middle", file(), path("a/../../b"), elsewhere),
        attack("here", file(), path("a/./b"), elsewhere),
        attack("from the root", file(), path("/etc/passwd"), elsewhere),
        attack("another authority", file(), path("//evil.example/x"), elsewhere),
        attack("an absolute form", file(), path("https://evil.example/x"), elsewhere),
        attack("an empty segment", file(), path("a//b"), elsewhere),
        attack("a slash at the end", file(), path("a/"), elsewhere),
        attack("a tab in a path", file(), path(".\t./x"), "control characters"),
        attack("many segments", file(), path(&vec!["a"; 33].join("/")), "more than 32 segments"),
        attack("another attachment", get_file(), vars(&[("file", "AgAC-other")]), "the attachment of the action"),
        attack("no attachment", get_file(), vars(&[]), "must name the attachment"),
    ]);
}

#[test]
fn encoded_ways_stay_in_their_segment() {
    for (given, expected) in [
        ("..%2f", "..%252f"),
        ("%2e%2e", "%252e%252e"),
        ("..%2fx%5c", "..%252fx%255c"),
        ("..\\x", "..%5Cx"),
        ("\u{ff0e}\u{ff0e}", "%EF%BC%8E%EF%BC%8E"),
        ("...", "..."),
        (";x=1", "%3Bx%3D1"),
        ("?x#y", "%3Fx%23y"),
        ("user@evil.example:80", "user%40evil.example%3A80"),
    ] {
        let prepared = attempt(&file(), vars(&[("path", given)])).unwrap();
        assert_eq!(prepared.url.as_str(), format!("https://api.telegram.org/file/bot{TOKEN}/{expected}"), "{given}");
    }
}

#[test]
fn headers_are_the_few_that_it_may_set() {
    let asked =
        |headers: &[(&str, &str)]| with_headers(vars(&[("channel", CHAT), ("message", "81"), ("emoji", "x")]), headers);
    let long = "x".repeat(1025);
    let value = "not printable ASCII";
    let hosts = "is the host's to write";
    let mut wide = react();
    wide.may_set.extend(["host".into(), "content-length".into(), "authorization".into()]);
    assert_denied(vec![
        attack("an unlisted header", react(), asked(&[("x-other", "1")]), "`may-set`"),
        attack("the host's authorization", react(), asked(&[("Authorization", "Bot x")]), hosts),
        attack("the authority", react(), asked(&[("Host", "evil.example")]), hosts),
        attack("a length", react(), asked(&[("content-length", "0")]), hosts),
        attack("an encoding", react(), asked(&[("Transfer-Encoding", "chunked")]), hosts),
        attack("the authority, granted", wide.clone(), asked(&[("HOST", "evil.example")]), hosts),
        attack("a length, granted", wide.clone(), asked(&[("Content-Length", "0")]), hosts),
        attack("what the template writes, granted", wide, asked(&[("authorization", "x")]), hosts),
        attack("a repeated header", react(), asked(&[("x-trace", "1"), ("X-Trace", "2")]), "given twice"),
        attack("a line end", react(), asked(&[("x-trace", "1\r\nhost: evil")]), value),
        attack("a bare line feed", react(), asked(&[("x-trace", "1\n")]), value),
        attack("a line end in the name", react(), asked(&[("x-trace\r\nhost", "1")]), "`may-set`"),
        attack("a space at the end", react(), asked(&[("x-trace", "1 ")]), value),
        attack("a tab", react(), asked(&[("x-trace", "1\t2")]), value),
        attack("other letters", react(), asked(&[("x-trace", "ä")]), value),
        attack("nothing", react(), asked(&[("x-trace", "")]), value),
        attack("too much", react(), asked(&[("x-trace", &long)]), "1025 bytes"),
    ]);
}

#[test]
fn a_call_asks_only_for_what_it_is_about() {
    let fetch = Permit { purpose: Use::Action(Action::Fetch), ..permit(Action::Send) };
    for (name, endpoint, permit, why) in [
        ("another action", send_message(), fetch, "not for `fetch`, only for send"),
        ("while an event is handled", send_message(), Permit::bare(Use::Handle), "not for `handle`"),
        ("a tool", send_message(), Permit::bare(Use::Call), "not for `call`"),
        ("an action without a conversation", send_message(), Permit::bare(Use::Action(Action::Send)), "about none"),
        (
            "an action with an empty conversation",
            send_message(),
            Permit { conversation: Some(String::new()), ..permit(Action::Send) },
            "about none",
        ),
        ("for nothing", Endpoint { uses: [].into(), ..send_message() }, permit(Action::Send), "not for `send`"),
        (
            "an answer to no message",
            send_message(),
            Permit { reply_to: None, ..permit(Action::Send) },
            "the action has none",
        ),
    ] {
        let asked = message(r#","reply_parameters":{"message_id":80}"#);
        let denied = build(&endpoint, &values(), &permit, asked).unwrap_err();
        assert!(denied.0.contains(why), "{name}: {denied}");
    }
}
