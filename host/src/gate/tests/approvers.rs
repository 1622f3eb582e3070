//! Who may answer permission requests.

use serde_json::json;

use super::*;

#[test]
fn nobody_approves_whom_the_user_did_not_name() {
    let bench = Bench::with(r#"{"allowFrom":["a","b"],"groups":{"g":{"allowFrom":["b"]}}}"#);
    assert_eq!(bench.gate.approvers(), Vec::<String>::new());
    assert!(bench.gate.approver_add("a").unwrap());
    assert!(!bench.gate.approver_add("a").unwrap());
    assert_eq!(bench.gate.approvers(), ["a"]);
    assert!(bench.gate.is_approver("a"));
    for other in ["b", "g", "A", "a ", ""] {
        assert!(!bench.gate.is_approver(other), "{other:?}");
    }
    assert!(bench.gate.approver_remove("a").unwrap() && !bench.gate.approver_remove("a").unwrap());
    assert_eq!(
        bench.json(),
        json!({"dmPolicy":"pairing","allowFrom":["a","b"],"groups":{"g":{"requireMention":true,"allowFrom":["b"]}},"pending":{}})
    );
}

#[test]
fn who_may_not_speak_cannot_be_an_approver_and_the_command_that_lets_them_in_is_named() {
    let bench = Bench::with(r#"{"groups":{"-5":{"allowFrom":["member"]},"approver":{}}}"#);
    for (id, command) in [
        ("7", "sluicegate access telegram allow 7"),
        ("member", "sluicegate access telegram allow member"),
        ("-5", "sluicegate access telegram allow -5"),
        ("it's", r"sluicegate access telegram allow 'it'\''s'"),
    ] {
        let error = bench.gate.approver_add(id).unwrap_err();
        assert!(matches!(error, GateError::MayNotSpeak { .. }) && error.to_string().ends_with(command), "{error}");
    }
    for bad in ["", " a", "a\u{202e}b"] {
        assert!(matches!(bench.gate.approver_add(bad), Err(GateError::Id { .. })), "{bad:?}");
    }
    assert_eq!(bench.json().get("approvers"), None);
}

#[test]
fn an_approver_who_may_no_longer_speak_is_none() {
    let bench = Bench::with(r#"{"allowFrom":["a","b"],"approvers":["a","b","c","a",7]}"#);
    assert_eq!(bench.gate.approvers(), ["a", "b"], "each once, and only those who may speak");
    assert!(!bench.gate.is_approver("c"));
    assert!(bench.gate.remove("a").unwrap().approver);
    assert_eq!(bench.gate.approvers(), ["b"]);
    assert_eq!(bench.json()["approvers"], json!(["b", "c", "7"]));
    bench.gate.allow("a").unwrap();
    assert!(!bench.gate.is_approver("a"), "who is let in again approves nothing again");
    bench.gate.set_policy(DmPolicy::Disabled).unwrap();
    assert!(bench.gate.approvers().is_empty() && !bench.gate.is_approver("b"));
    bench.gate.set_policy(DmPolicy::Allowlist).unwrap();
    assert!(bench.gate.is_approver("b"));
    bench.write(r#"{"allowFrom":["b"],"approvers":["b"]"#);
    assert!(bench.gate.approvers().is_empty() && !bench.gate.is_approver("b"));
}

#[test]
fn the_hosts_own_page_can_approve_without_being_listed_as_a_sender() {
    let bench = Bench::with(r#"{"approvers":["page","other"]}"#);
    assert!(bench.gate.approvers().is_empty(), "elsewhere it is an id like any other");
    let gate = Gate::open(bench.path.clone()).with_page(Some("page"));
    assert_eq!(gate.approvers(), ["page"]);
    assert!(gate.is_approver("page") && !gate.is_approver("other") && gate.is_let_in("page"));
    assert!(gate.remove("page").unwrap().approver);
    assert!(!gate.is_approver("page"));
    assert!(gate.approver_add("page").unwrap() && gate.is_approver("page"));
    assert!(matches!(gate.approver_add("pages"), Err(GateError::MayNotSpeak { .. })));
    assert!(Gate::open(bench.path.clone()).with_page(None).approvers().is_empty());
}

#[test]
fn whoever_is_paired_approves_only_if_the_user_said_so() {
    let bench = Bench::new();
    let codes = ["s", "t"].map(|sender| bench.pair(sender, NOW));
    bench.gate.approve(&codes[0], "s", Role::Speaker, NOW).unwrap();
    assert!(matches!(bench.gate.approve(&codes[1], "s", Role::Approver, NOW), Err(GateError::OtherSender { .. })));
    assert!(bench.gate.approvers().is_empty());
    bench.gate.approve(&codes[1], "t", Role::Approver, NOW).unwrap();
    assert_eq!(bench.gate.approvers(), ["t"]);
}

#[test]
fn whoever_is_turned_away_is_no_approver_either() {
    let bench = Bench::with(r#"{"approvers":["s","t"]}"#);
    let code = bench.pair("s", NOW);
    assert_eq!(bench.gate.deny(&code, NOW).unwrap(), "s");
    assert_eq!(bench.json()["approvers"], json!(["t"]));
}

#[test]
fn an_invitation_makes_an_approver_only_if_it_is_one_for_approvers_and_once() {
    let bench = Bench::new();
    let plain = bench.gate.create_invite(Role::Speaker, NOW).unwrap();
    let code = bench.gate.create_invite(Role::Approver, NOW).unwrap();
    let saying = |sender, text| bench.gate.redeem(&Speaker { text, ..direct(sender) }, NOW);
    let redeemed = saying("s", &plain).unwrap();
    assert!(redeemed.new && !redeemed.approver && !bench.gate.is_approver("s"));
    let unvetted = Speaker { text: &code, vetted: false, ..direct("s") };
    assert_eq!(bench.gate.redeem(&unvetted, NOW), None);
    let in_group = Speaker { text: &code, ..grouped("s", "g") };
    assert_eq!(bench.gate.redeem(&in_group, NOW), None);
    let redeemed = saying("s", &code).unwrap();
    assert!(!redeemed.new && redeemed.approver && bench.gate.is_approver("s"));
    assert_eq!(saying("t", &code), None);
    assert_eq!(bench.gate.approvers(), ["s"]);
}

#[test]
fn the_command_that_lets_somebody_answer_is_the_one_that_helps() {
    for (access, command) in [
        ("{}", "sluicegate invite telegram --approver"),
        (r#"{"allowFrom":["7"]}"#, "sluicegate access telegram approver add 7"),
        (r#"{"allowFrom":["7","8"]}"#, "sluicegate access telegram approver add ID"),
        (r#"{"allowFrom":["7"],"approvers":["9"]}"#, "sluicegate access telegram approver add 7"),
        (r#"{"allowFrom":["7"],"approvers":["7"],"dmPolicy":"disabled"}"#, "sluicegate access telegram policy pairing"),
    ] {
        assert_eq!(Bench::with(access).gate.approver_command(), command, "{access}");
    }
    let page = Bench::with("{}").gate.with_page(Some("page"));
    assert_eq!(page.approver_command(), "sluicegate access telegram approver add page");
}

#[test]
fn verdicts_are_typed_or_pressed_unless_the_file_says_otherwise_and_a_wrong_word_narrows_them() {
    for (access, verdicts, warnings) in [
        ("{}", Verdicts::Any, 0),
        (r#"{"verdicts":null}"#, Verdicts::Any, 0),
        (r#"{"verdicts":"any"}"#, Verdicts::Any, 0),
        (r#"{"verdicts":"buttons"}"#, Verdicts::Buttons, 0),
        (r#"{"verdicts":"button"}"#, Verdicts::Buttons, 1),
        (r#"{"verdicts":["any"]}"#, Verdicts::Buttons, 1),
    ] {
        let bench = Bench::with(access);
        assert_eq!(bench.gate.settings().verdicts, verdicts, "{access}");
        assert_eq!(bench.gate.take_warnings().len(), warnings, "{access}");
    }
    let bench = Bench::new();
    bench.gate.set("verdicts", "buttons").unwrap();
    assert_eq!(bench.json()["verdicts"], "buttons");
    bench.gate.set("verdicts", "any").unwrap();
    assert_eq!(bench.gate.settings().verdicts, Verdicts::Any);
}
