//! The outbound gate.

use super::*;

fn to(conversation: &str) -> Destination<'_> {
    Destination { conversation, thread: None, last_direct_sender: None, by_credential: false, direct_is_sender: false }
}

#[test]
fn claude_may_write_only_where_the_gate_would_deliver_from() {
    let bench = Bench::with(r#"{"allowFrom":["a"],"groups":{"g":{"allowFrom":["b"]}}}"#);
    let may = |destination: Destination<'_>| bench.gate.may_send(&destination).is_ok();
    assert!(may(to("g")));
    assert!(may(Destination { thread: Some("t"), ..to("g") }));
    assert!(may(Destination { last_direct_sender: Some("a"), ..to("c1") }));
    assert!(may(Destination { by_credential: true, ..to("c1") }));
    assert!(may(Destination { direct_is_sender: true, ..to("a") }));
    assert!(!may(to("a")), "the id of a sender is not the id of a conversation");
    assert!(!may(to("c1")));
    assert!(!may(to("")));
    assert!(!may(Destination { direct_is_sender: true, ..to("b") }));
    assert!(
        !may(Destination { last_direct_sender: Some("b"), ..to("c2") }),
        "a member of a group, not allowed directly"
    );
}

#[test]
fn who_is_removed_is_written_to_no_more() {
    let bench = Bench::with(r#"{"allowFrom":["a"]}"#);
    let destination = Destination { last_direct_sender: Some("a"), ..to("c1") };
    bench.gate.may_send(&destination).unwrap();
    bench.gate.remove("a").unwrap();
    let reason = bench.gate.may_send(&destination).unwrap_err();
    assert_eq!(reason.name(), "no-longer-allowed");
    assert!(reason.to_string().contains("`sluicegate access telegram allow a`"), "{reason}");
}

#[test]
fn disabled_sends_nothing_anywhere() {
    let bench = Bench::with(r#"{"dmPolicy":"disabled","allowFrom":["a"],"groups":{"g":{}}}"#);
    for destination in [
        to("g"),
        Destination { last_direct_sender: Some("a"), ..to("c") },
        Destination { by_credential: true, ..to("c") },
        Destination { direct_is_sender: true, ..to("a") },
    ] {
        assert_eq!(bench.gate.may_send(&destination).unwrap_err().name(), "disabled");
    }
}

#[test]
fn a_refusal_gives_claude_no_command_to_run() {
    let bench = Bench::new();
    for destination in [to("g"), Destination { last_direct_sender: Some("x"), ..to("c") }] {
        let reason = bench.gate.may_send(&destination).unwrap_err();
        assert!(reason.to_string().contains("sluicegate access telegram"), "{reason}");
        assert!(!reason.for_claude().contains("sluicegate"), "{}", reason.for_claude());
    }
}
