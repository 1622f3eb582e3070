//! The user's commands.

use super::*;

#[test]
fn ids_that_nobody_has_are_refused() {
    let bench = Bench::new();
    for bad in ["", "a\n", "a\0b", " a", "\u{200b}", &"x".repeat(257)] {
        assert!(matches!(bench.gate.allow(bad), Err(GateError::Id { .. })), "{bad:?}");
        assert!(matches!(bench.gate.group_add(bad, true, &[]), Err(GateError::Id { .. })), "{bad:?}");
        assert!(matches!(bench.gate.group_add("g", true, &[bad.into()]), Err(GateError::Id { .. })), "{bad:?}");
    }
    assert!(!bench.path.exists());
}

#[test]
fn allowing_twice_is_allowing_once_and_removing_tells_what_remains() {
    let bench = Bench::with(r#"{"approvers":["a"],"groups":{"g":{"allowFrom":["a"]},"h":{}}}"#);
    assert!(bench.gate.allow("a").unwrap());
    assert!(!bench.gate.allow("a").unwrap());
    assert_eq!(bench.json()["allowFrom"], serde_json::json!(["a"]));
    let removed = bench.gate.remove("a").unwrap();
    assert_eq!(removed, Removed { found: true, groups: vec!["g".into()], approver: true });
    assert!(!bench.gate.remove("a").unwrap().found);
    assert_eq!(bench.json().get("approvers"), None, "who may no longer speak approves nothing");
}

#[test]
fn a_group_listed_anew_keeps_what_others_wrote_there() {
    let bench = Bench::with(r#"{"groups":{"-1":{"requireMention":true,"allowFrom":[],"threadId":12569}}}"#);
    assert!(!bench.gate.group_add("-1", false, &["a".into()]).unwrap());
    assert_eq!(
        bench.json()["groups"]["-1"],
        serde_json::json!({"requireMention":false,"allowFrom":["a"],"threadId":12569})
    );
    let warnings = bench.gate.settings();
    assert_eq!(warnings, Settings::default());
    assert!(matches!(&bench.gate.take_warnings()[..], [Warning::Ignored { at, .. }] if at == "groups.-1.threadId"));
    assert!(bench.gate.group_remove("-1").unwrap() && !bench.gate.group_remove("-1").unwrap());
}

#[test]
fn settings_are_checked_before_they_are_kept() {
    let bench = Bench::new();
    for (key, bad) in [
        ("ackReaction", "a\nb"),
        ("replyToMode", "both"),
        ("textChunkLimit", "0"),
        ("textChunkLimit", "-5"),
        ("textChunkLimit", "many"),
        ("chunkMode", ""),
        ("mentionPatterns", "hey"),
        ("mentionPatterns", r#"["("]"#),
        ("mentionPatterns", r#"["a", 1]"#),
        ("mentionPatterns", r#"["(a{90}){90}{90}"]"#),
        ("verdicts", "button"),
        ("verdicts", ""),
    ] {
        assert!(matches!(bench.gate.set(key, bad), Err(GateError::Value { .. })), "{key} {bad}");
    }
    for key in ["dmPolicy", "allowFrom", "", "AckReaction"] {
        assert!(matches!(bench.gate.set(key, "x"), Err(GateError::Setting { .. })), "{key}");
    }
    assert!(!bench.path.exists());
    for (key, good) in [
        ("ackReaction", "👀"),
        ("replyToMode", "all"),
        ("textChunkLimit", "2000"),
        ("chunkMode", "newline"),
        ("mentionPatterns", r#"["^hey claude\\b"]"#),
        ("verdicts", "buttons"),
    ] {
        bench.gate.set(key, good).unwrap();
    }
    assert_eq!(
        bench.gate.settings(),
        Settings {
            ack_reaction: Some("👀".into()),
            reply_to_mode: ReplyToMode::All,
            text_chunk_limit: Some(2000),
            chunk_mode: ChunkMode::Newline,
            mention_patterns: vec!["^hey claude\\b".into()],
            verdicts: Verdicts::Buttons,
        }
    );
    bench.gate.set("ackReaction", "").unwrap();
    assert_eq!(bench.gate.settings().ack_reaction, None);
}

#[test]
fn policies_are_parsed_from_the_users_word() {
    for policy in [DmPolicy::Pairing, DmPolicy::Allowlist, DmPolicy::Disabled] {
        assert_eq!(policy.as_str().parse::<DmPolicy>().unwrap(), policy);
    }
    assert!("open".parse::<DmPolicy>().unwrap_err().to_string().contains("use pairing, allowlist or disabled"));
}
