//! Who passes, as tables.

use super::*;

/// What a row of a table expects.
#[derive(Debug, PartialEq)]
enum Expect {
    Deliver,
    Pair,
    Drop,
}
use Expect::{Deliver, Drop, Pair};

fn seen(ruling: &Ruling) -> Expect {
    match ruling {
        Ruling::Deliver => Deliver,
        Ruling::Pair { .. } => Pair,
        Ruling::Drop(_) => Drop,
    }
}

#[test]
fn every_combination_of_policy_and_speaker_has_its_ruling() {
    let mut cases = 0;
    for policy in ["pairing", "allowlist", "disabled"] {
        for sender in ["owner", "stranger"] {
            for is_direct in [true, false] {
                for vetted in [true, false] {
                    for kind in [Kind::Message, Kind::Edit, Kind::Button, Kind::Reaction] {
                        for text_by in [TextBy::Sender, TextBy::Adapter] {
                            let bench = Bench::with(&format!(
                                r#"{{"dmPolicy":"{policy}","allowFrom":["owner"],
                                    "groups":{{"g":{{"requireMention":false,"allowFrom":["owner"]}}}}}}"#
                            ));
                            let conversation = if is_direct { sender } else { "g" };
                            let speaker =
                                Speaker { direct: is_direct, conversation, vetted, kind, text_by, ..direct(sender) };
                            let expected = match (policy, sender) {
                                ("disabled", _) => Drop,
                                (_, "owner") => Deliver,
                                ("pairing", _)
                                    if is_direct && vetted && kind == Kind::Message && text_by == TextBy::Sender =>
                                {
                                    Pair
                                }
                                _ => Drop,
                            };
                            let ruling = bench.gate.judge(&speaker, NOW);
                            assert_eq!(seen(&ruling), expected, "{policy} {speaker:?}: {ruling:?}");
                            cases += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(cases, 192);
}

#[test]
fn groups_are_listed_have_members_and_want_to_be_addressed() {
    let bench = Bench::with(
        r#"{"allowFrom":["owner","-2","g-open-by-sender"],"mentionPatterns":["^hey claude\\b"],"groups":{
            "mention":{}, "open":{"requireMention":false}, "members":{"requireMention":false,"allowFrom":["a"]},
            "both":{"requireMention":true,"allowFrom":["a"]}}}"#,
    );
    let base = grouped("a", "mention");
    let cases = [
        (base, Drop),
        (Speaker { mentions_me: true, ..base }, Deliver),
        (Speaker { reply_to_me: true, ..base }, Deliver),
        (Speaker { text: "Hey Claude, look", ..base }, Deliver),
        (Speaker { text: "they said hey claude", ..base }, Drop),
        (grouped("anybody", "open"), Deliver),
        (grouped("a", "members"), Deliver),
        (grouped("b", "members"), Drop),
        (grouped("owner", "members"), Drop),
        (Speaker { mentions_me: true, ..grouped("b", "both") }, Drop),
        (grouped("a", "both"), Drop),
        (Speaker { mentions_me: true, ..grouped("a", "both") }, Deliver),
        (Speaker { mentions_me: true, ..grouped("owner", "elsewhere") }, Drop),
        // The room is no credential: not as an entry in the list of senders, not as a listed group's direct chat.
        (Speaker { mentions_me: true, ..grouped("x", "-2") }, Drop),
        (Speaker { mentions_me: true, ..grouped("x", "owner") }, Drop),
        (Speaker { conversation: "open", mentions_me: true, kind: Kind::Edit, ..direct("x") }, Drop),
        (Speaker { conversation: "owner", kind: Kind::Edit, ..direct("x") }, Drop),
        // Ids are compared exactly.
        (grouped("a ", "members"), Drop),
        (grouped("A", "members"), Drop),
        (Speaker { kind: Kind::Edit, ..direct("OWNER") }, Drop),
        (grouped("", "open"), Drop),
        (Speaker { conversation: "", ..direct("owner") }, Drop),
    ];
    for (speaker, expected) in cases {
        let ruling = bench.gate.judge(&speaker, NOW);
        assert_eq!(seen(&ruling), expected, "{speaker:?}: {ruling:?}");
    }
}

#[test]
fn the_users_own_credentials_speak_unless_access_is_disabled() {
    let bench = Bench::new();
    for (policy, expected) in [(DmPolicy::Pairing, Deliver), (DmPolicy::Allowlist, Deliver), (DmPolicy::Disabled, Drop)]
    {
        bench.gate.set_policy(policy).unwrap();
        for is_direct in [true, false] {
            let speaker = Speaker { by_credential: true, vetted: false, direct: is_direct, ..direct("ci") };
            assert_eq!(seen(&bench.gate.judge(&speaker, NOW)), expected, "{policy}");
        }
    }
}

#[test]
fn strangers_whose_id_nobody_could_compare_do_not_pair() {
    let bench = Bench::new();
    for sender in ["a\n", "a\u{202e}b", " a", &"x".repeat(300)] {
        assert_eq!(bench.cause(&direct(sender), NOW), Some(Cause::Unidentified), "{sender:?}");
    }
    assert!(!bench.path.exists());
}

#[test]
fn judging_writes_nothing_but_pairings() {
    let bench = Bench::with(r#"{"allowFrom":["owner"],"groups":{"g":{}}}"#);
    let before = fs::read(&bench.path).unwrap();
    for speaker in [direct("owner"), grouped("x", "g"), grouped("x", "h"), Speaker { vetted: false, ..direct("x") }] {
        bench.gate.judge(&speaker, NOW);
    }
    assert_eq!(fs::read(&bench.path).unwrap(), before);
}

#[test]
fn a_reason_names_who_and_why_and_the_command_and_is_safe_to_paste() {
    let bench = Bench::with(r#"{"dmPolicy":"allowlist","groups":{"m":{},"-3":{"allowFrom":["a"]}}}"#);
    let evil = "$(touch x)\u{202e}`id`'";
    for (speaker, code, parts) in [
        (direct("42"), "unknown-sender", vec!["telegram", "\"42\"", "`sluicegate access telegram allow 42`"]),
        (grouped("42", "-100"), "unlisted-group", vec!["`sluicegate access telegram group add -100`"]),
        (grouped("42", "m"), "not-mentioned", vec!["group add --no-mention m`"]),
        (grouped("42", "-3"), "not-a-member", vec!["\"42\"", "\"-3\""]),
        (direct(evil), "unknown-sender", vec![r"allow '$(touch x)\u{202e}`id`'\'''`"]),
    ] {
        let Ruling::Drop(reason) = bench.gate.judge(&speaker, NOW) else { panic!("{speaker:?}") };
        assert_eq!(reason.name(), code);
        let text = reason.to_string();
        for part in parts {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains('\u{202e}'));
    }
}

#[test]
fn a_change_by_hand_counts_at_once() {
    let bench = Bench::with(r#"{"dmPolicy":"allowlist","allowFrom":["a"]}"#);
    for round in 0..50 {
        let (allowed, other) = if round % 2 == 0 { ("a", "b") } else { ("b", "a") };
        // The same length, often within the same tick of the file system's clock.
        bench.write(format!(r#"{{"dmPolicy":"allowlist","allowFrom":["{allowed}"]}}"#));
        assert_eq!(bench.gate.judge(&direct(allowed), NOW), Ruling::Deliver);
        assert_eq!(seen(&bench.gate.judge(&direct(other), NOW)), Drop);
    }
    fs::remove_file(&bench.path).unwrap();
    assert_eq!(seen(&bench.gate.judge(&direct("a"), NOW)), Pair);
}
