//! The file: what it may hold, who may read it, and that no change is lost.

use std::{os::unix::fs::PermissionsExt as _, process::Command};

use serde_json::json;

use super::*;

/// What the official plugin for Telegram documents, every member used.
const OFFICIAL: &str = r#"{
  "dmPolicy": "allowlist",
  "allowFrom": ["412587349", "628194073"],
  "groups": {"-1001654782309": {"requireMention": false, "allowFrom": ["412587349"]}},
  "pending": {"a4f91c": {"senderId": "7", "chatId": "7", "createdAt": 1760000000000, "expiresAt": 1760003600000, "replies": 2}},
  "mentionPatterns": ["^hey claude\\b", "\\bassistant\\b"],
  "ackReaction": "👀",
  "replyToMode": "first",
  "textChunkLimit": 4096,
  "chunkMode": "newline"
}"#;

#[test]
fn official_files_are_read_and_written_back_with_all_they_hold() {
    let others = r#"{"dmPolicy":"pairing","allowFrom":[],"groups":{"g":{"requireMention":true,"allowFrom":[],"later":{"x":[1]}}},
        "pending":{"abc123":{"senderId":"1","chatId":"2","createdAt":1,"expiresAt":9000000000000,"replies":1,"note":null}},
        "allowSms":true,"future":{"deep":[{"a":18446744073709551615}]}}"#;
    for written in [OFFICIAL, others, r#"{"dmPolicy":"disabled","allowFrom":[],"groups":{},"pending":{}}"#] {
        let bench = Bench::with(written);
        bench.gate.allow("new").unwrap();
        let mut expected: Value = serde_json::from_str(written).unwrap();
        expected["allowFrom"].as_array_mut().unwrap().push("new".into());
        assert_eq!(bench.json(), expected);
        assert_eq!(bench.aside(), Vec::<String>::new());
    }
    let bench = Bench::with(OFFICIAL);
    assert_eq!(bench.gate.judge(&direct("628194073"), NOW), Ruling::Deliver);
    assert_eq!(bench.gate.judge(&grouped("412587349", "-1001654782309"), NOW), Ruling::Deliver);
    assert_eq!(bench.gate.settings().text_chunk_limit, Some(4096));
    assert_eq!(bench.gate.pending(NOW).unwrap()[0].code, "a4f91c");
    assert_eq!(bench.gate.take_warnings(), []);
}

#[test]
fn members_that_are_missing_or_null_have_their_defaults_and_numbers_are_ids() {
    let bench = Bench::with(
        r#"{"dmPolicy":null,"allowFrom":[412587349,-5,"x"],"groups":{"g":{"requireMention":null}},"pending":
            {"abcdef":{"senderId":9,"createdAt":1760000000000,"expiresAt":1760003600000}},"ackReaction":null}"#,
    );
    let access = bench.gate.access().unwrap();
    assert_eq!(access.dm_policy, DmPolicy::Pairing);
    assert_eq!(access.allow_from, ["412587349", "-5", "x"]);
    assert!(access.groups["g"].require_mention);
    assert!(matches!(bench.gate.judge(&direct("9"), NOW), Ruling::Pair { remind: true, .. }));
    assert_eq!(bench.gate.judge(&direct("412587349"), NOW), Ruling::Deliver);
    assert_eq!(bench.gate.take_warnings(), []);
}

#[test]
fn a_wrong_setting_is_told_once_and_takes_nobodys_access() {
    let bench = Bench::with(
        r#"{"allowFrom":["a"],"textChunkLimit":"long","chunkMode":"word","replyToMode":7,"mentionPatterns":["(", "ok"]}"#,
    );
    for _ in 0..3 {
        assert_eq!(bench.gate.judge(&direct("a"), NOW), Ruling::Deliver);
    }
    let warnings = bench.gate.take_warnings();
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    bench.gate.allow("b").unwrap();
    assert_eq!(
        bench.gate.settings(),
        Settings { mention_patterns: vec!["(".into(), "ok".into()], ..Settings::default() }
    );
    assert_eq!(bench.gate.take_warnings(), []);
    assert_eq!(bench.json()["textChunkLimit"], "long");
}

#[test]
fn a_corrupt_file_is_moved_aside_and_nobody_is_allowed() {
    let wrong_types = [
        r#"{"allowFrom":["a"]"#,
        "",
        "null",
        r#"["a"]"#,
        r#"{"allowFrom":"a"}"#,
        r#"{"allowFrom":[1.5]}"#,
        r#"{"dmPolicy":"open","allowFrom":["a"]}"#,
        r#"{"allowFrom":["a"],"allowFrom":["b"]}"#,
        r#"{"groups":{"g":true}}"#,
        r#"{"pending":{"abcdef":{}}}"#,
        "{\"allowFrom\":[\"\u{feff}\"]} {}",
    ];
    for content in wrong_types {
        let bench = Bench::with(content);
        assert!(matches!(bench.gate.judge(&direct("a"), NOW), Ruling::Pair { .. }), "{content}");
        let warnings = bench.gate.take_warnings();
        let [Warning::Corrupt { aside, .. }] = &warnings[..] else { panic!("{content}: {warnings:?}") };
        assert_eq!(fs::read_to_string(aside).unwrap(), content);
        assert!(aside.file_name().unwrap().to_str().unwrap().starts_with("telegram.json.corrupt-"));
        assert_eq!(bench.gate.access().unwrap().allow_from, Vec::<String>::new());
        assert_eq!(bench.aside().len(), 1);
    }
}

#[test]
fn several_corrupt_files_are_all_kept() {
    let bench = Bench::new();
    for n in 1..=3 {
        bench.write(format!("broken {n}"));
        bench.gate.allow("a").unwrap();
        assert_eq!(bench.aside().len(), n);
    }
}

#[test]
fn what_cannot_be_read_is_left_and_refuses_everything() {
    let bench = Bench::new();
    fs::create_dir_all(&bench.path).unwrap();
    for _ in 0..2 {
        let credential = Speaker { by_credential: true, ..direct("ci") };
        assert!(matches!(bench.cause(&credential, NOW), Some(Cause::Unusable(_))));
    }
    assert!(matches!(&bench.gate.take_warnings()[..], [Warning::Unusable { .. }]), "told once");
    let destination = Destination {
        conversation: "c",
        thread: None,
        last_direct_sender: None,
        by_credential: true,
        direct_is_sender: false,
    };
    assert_eq!(bench.gate.may_send(&destination).unwrap_err().name(), "access-file-unusable");
    assert!(bench.gate.access().is_err() && bench.gate.allow("a").is_err() && !bench.gate.has_open_invites());
    fs::remove_dir(&bench.path).unwrap();
    assert!(bench.gate.allow("a").unwrap());
    assert_eq!(bench.gate.judge(&direct("a"), NOW), Ruling::Deliver);
}

#[test]
fn a_file_that_is_too_large_is_none() {
    let bench = Bench::with(&format!(r#"{{"allowFrom":["a"],"x":"{}"}}"#, "x".repeat(5 << 20)));
    assert!(matches!(bench.gate.judge(&direct("a"), NOW), Ruling::Pair { .. }));
    assert!(matches!(&bench.gate.take_warnings()[..], [Warning::Corrupt { .. }]));
}

#[test]
fn only_the_user_can_read_what_is_written() {
    let bench = Bench::with(r#"{"allowFrom":["a"]}"#);
    let directory = bench.path.parent().unwrap();
    fs::set_permissions(&bench.path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    bench.gate.allow("b").unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&bench.path), 0o600);
    assert_eq!(mode(&bench.path.with_file_name("telegram.json.lock")), 0o600);
    assert_eq!(mode(directory), 0o700);
    bench.write("broken");
    fs::set_permissions(&bench.path, fs::Permissions::from_mode(0o644)).unwrap();
    bench.gate.allow("b").unwrap();
    assert_eq!(mode(&directory.join(&bench.aside()[0])), 0o600);
}

#[test]
fn a_change_that_fails_or_changes_nothing_writes_nothing() {
    let bench = Bench::with(r#"{ "allowFrom" : ["a"] }"#);
    bench.gate.allow("a").unwrap();
    let failed: Result<(), _> = bench.gate.update(|access| {
        access.allow_from.clear();
        Err(GateError::NoPairing { code: "x".into() })
    });
    assert!(failed.is_err());
    assert_eq!(fs::read_to_string(&bench.path).unwrap(), r#"{ "allowFrom" : ["a"] }"#);
    assert_eq!(bench.aside(), Vec::<String>::new());
}

#[test]
fn threads_and_processes_that_change_it_at_once_lose_nothing() {
    const EACH: usize = 15;
    let bench = Bench::new();
    let name = format!("{}::add_some", module_path!().split_once("::").unwrap().1);
    let children: Vec<_> = (0..3)
        .map(|n| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", &name, "--ignored"])
                .env("GATE_TEST_FILE", &bench.path)
                .env("GATE_TEST_WHO", format!("p{n}"))
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    std::thread::scope(|scope| {
        for n in 0..3 {
            let path = bench.path.clone();
            scope.spawn(move || add(&Gate::open(path), &format!("t{n}"), EACH));
        }
        let gate = &bench.gate;
        scope.spawn(move || {
            for n in 0..3 {
                assert!(matches!(gate.judge(&direct(&format!("s{n}")), NOW), Ruling::Pair { .. }));
            }
        });
    });
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let access = bench.gate.access().unwrap();
    for who in ["p0", "p1", "p2", "t0", "t1", "t2"] {
        for n in 0..EACH {
            assert!(access.allows(&format!("{who}-{n}")), "{who}-{n} is lost");
        }
    }
    assert_eq!((access.allow_from.len(), access.pending.len()), (6 * EACH, 3));
    assert_eq!(bench.aside(), Vec::<String>::new());
}

fn add(gate: &Gate, who: &str, times: usize) {
    for n in 0..times {
        gate.allow(&format!("{who}-{n}")).unwrap();
    }
}

/// One of the processes of the test above.
#[test]
#[ignore = "started by another test"]
fn add_some() {
    let (Some(path), Ok(who)) = (std::env::var_os("GATE_TEST_FILE"), std::env::var("GATE_TEST_WHO")) else { return };
    add(&Gate::open(path.into()), &who, 15);
}

#[test]
fn codes_do_not_appear_in_debug_output() {
    let bench = Bench::new();
    let code = bench.pair("s", NOW);
    bench.gate.create_invite(Role::Speaker, NOW).unwrap();
    let access = bench.gate.access().unwrap();
    let shown = format!("{access:?}");
    assert!(!shown.contains(&code) && !shown.contains(access.invites.keys().next().unwrap()), "{shown}");
    assert_eq!(json!(access)["pending"][&code]["senderId"], "s");
}
