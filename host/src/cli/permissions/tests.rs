//! What people and scripts are shown of the record.
#![allow(clippy::unwrap_used, clippy::panic)]

use tempfile::TempDir;

use super::*;
use crate::{
    journal::{Journal, Options},
    name::AdapterName,
    relay::record::{Evidence, What},
};

/// 2026-07-01 12:00 UTC: in no time zone does a day end within the minute after it.
const NOON: i64 = 1_782_907_200_000;

fn at(seconds: i64, request: Option<&str>, what: What) -> Entry {
    Entry { time_ms: NOON + seconds * 1000, request: request.map(str::to_owned), what }
}

fn asks(tool: &str, description: &str, preview: &str) -> What {
    What::Requested {
        tool: tool.into(),
        description: description.into(),
        preview: preview.into(),
        preview_sha256: "00".repeat(32),
    }
}

fn adapter() -> AdapterName {
    AdapterName::new("telegram").unwrap()
}

fn by(sender: &str, how: &str, sender_name: Option<&str>) -> Evidence {
    Evidence {
        adapter: adapter(),
        sender: sender.into(),
        sender_name: sender_name.map(str::to_owned),
        conversation: sender.into(),
        how: how.into(),
        message: "51".into(),
        event: "900".into(),
        rule: "button".into(),
    }
}

fn asked(sender: &str) -> What {
    What::Asked { adapter: adapter(), sender: sender.into(), conversation: sender.into(), message: "51".into() }
}

fn decided(verdict: &str, how: &str) -> What {
    What::Decided { verdict: verdict.into(), by: by("42", how, None) }
}

/// A home whose journal has these entries.
fn home(entries: Vec<Entry>) -> (TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path()).unwrap();
    let journal = Journal::open(home.journal(), Options::default()).unwrap();
    journal.record(entries).wait().unwrap();
    journal.shutdown();
    (dir, home)
}

fn recorded(entries: Vec<Entry>) -> Vec<Recorded> {
    let (_dir, home) = home(entries);
    Reader::open(home.journal()).unwrap().permissions(0, usize::MAX).unwrap()
}

fn plain(lines: Vec<String>) -> Vec<String> {
    lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
}

/// The lines without their times.
fn untimed(lines: Vec<String>) -> Vec<String> {
    let time = regex::Regex::new(r"^( *)(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d +").unwrap();
    plain(lines).iter().map(|line| time.replace(line, "$1").into_owned()).collect()
}

#[test]
fn a_request_is_one_block_with_all_that_happened_to_it() {
    let one = Some("r1");
    let lines = recorded(vec![
        at(0, one, asks("Bash", "Run the tests", "{\"command\":\"cargo test\"}")),
        at(1, one, asked("42")),
        at(1, one, What::NotSent { adapter: adapter(), sender: "43".into(), why: "the platform\nsays no".into() }),
        at(2, one, What::Refused { why: "the sender is no approver".into(), by: by("66", "typed", Some("Ann")) }),
        at(3, one, What::Counted { by: by("41", "pressed", None) }),
        at(4, one, decided("allow", "pressed")),
        at(5, one, What::Ended { why: "Claude went on".into() }),
    ]);
    assert_eq!(
        untimed(block(&lines)),
        [
            "Bash  Run the tests  request r1",
            "    {\"command\":\"cargo test\"}",
            "    asked     42 through telegram, conversation 42, message 51",
            "    not sent  to 43 through telegram: the platform says no",
            "    refused   the sender is no approver; from 66 through telegram, typed, conversation 66, message 51, \
             event 900, rule button, called \"Ann\"",
            "    one allow by 41 through telegram, pressed, conversation 41, message 51, event 900, rule button",
            "    allowed   by 42 through telegram, pressed, conversation 42, message 51, event 900, rule button",
            "    ended     Claude went on",
        ]
    );
}

#[test]
fn what_nobody_was_asked_and_what_belongs_to_no_request_is_shown_too() {
    let lines = recorded(vec![
        at(0, Some("r1"), asks("Bash", "", "")),
        at(0, Some("r1"), What::NotRelayed { why: "no adapter has approvers".into() }),
    ]);
    assert_eq!(
        untimed(block(&lines)),
        ["Bash  request r1", "    terminal  nobody was asked: no adapter has approvers"]
    );
    let lines = recorded(vec![at(0, None, What::Refused { why: "too late".into(), by: by("42", "typed", None) })]);
    let shown = untimed(block(&lines));
    assert_eq!(shown[0], "belongs to no request");
    assert!(shown[1].starts_with("    refused   too late; from 42"), "{shown:?}");
}

#[test]
fn foreign_text_cannot_write_on_the_terminal_or_imitate_a_line() {
    let evil = "\u{1b}[2J\n    12:00:00 allowed  by me\u{202e}\u{9b}A";
    let mut of = by(evil, evil, Some("x\" through telegram, pressed \""));
    (of.conversation, of.message, of.event, of.rule) = (evil.into(), evil.into(), evil.into(), evil.into());
    let one = Some("r1\u{1b}\n");
    let mut entries = vec![
        at(0, one, asks(evil, evil, evil)),
        at(1, one, What::NotRelayed { why: evil.into() }),
        at(1, one, asked(evil)),
        at(1, one, What::NotSent { adapter: adapter(), sender: evil.into(), why: evil.into() }),
        at(1, one, What::Counted { by: of.clone() }),
        at(1, one, What::Decided { verdict: evil.into(), by: of.clone() }),
        at(1, one, What::Ended { why: evil.into() }),
        at(1, one, What::Refused { why: evil.into(), by: of }),
    ];
    let lines = recorded(entries.clone());
    let shown = block(&lines);
    assert_eq!(shown.len(), 1 + 1 + 7, "each entry is one line, and the request two: {shown:#?}");
    for line in plain(shown) {
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
        if let Some((_, called)) = line.split_once("called ") {
            assert_eq!(called, "\"x' through telegram, pressed '\"");
        }
    }
    // For scripts, the same characters are escapes that mean the same.
    entries.reverse();
    for (line, entry) in lines.iter().rev().zip(entries) {
        let json = json(line).unwrap();
        assert!(!json.chars().any(|c| c.is_control() || c == '\u{202e}'), "{json:?}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::from_value::<Entry>(read["entry"].clone()).unwrap(), entry);
        assert_eq!((&read["id"], &read["hash"]), (&line.id.into(), &hex::encode(&line.hash).into()));
    }
}

#[test]
fn json_of_what_somebody_wrote_into_the_file_is_still_one_line() {
    let line = recorded(vec![at(0, Some("r1"), asked("42"))]).remove(0);
    for (text, entry) in [
        ("{\n\t\"a\":\r\n 1 }", serde_json::json!({"a": 1})),
        ("no json\n\u{1b}\u{7f}\u{e0041}", serde_json::json!("no json\n\u{1b}\u{7f}\u{e0041}")),
        ("", serde_json::json!("")),
    ] {
        let json = json(&Recorded { text: text.into(), ..line.clone() }).unwrap();
        assert!(!json.chars().any(char::is_control) && !json.contains('\u{e0041}'), "{json:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["entry"], entry);
    }
}

#[test]
fn a_line_that_cannot_be_read_is_shown_as_it_is() {
    let mut lines = recorded(vec![at(0, Some("r1"), asked("42")), at(1, Some("r1"), asked("43"))]);
    lines[0].text = "{\"what\":\"of a later version\u{1b}\"".into();
    let shown = untimed(block(&lines));
    assert_eq!(shown[0], "line 1 cannot be read: {\"what\":\"of a later version\\u{1b}\"");
    assert_eq!(shown[1], "request r1", "the others have a heading all the same");
    assert_eq!(shown.len(), 3);
}

#[test]
fn the_newest_requests_are_shown_whole_however_their_lines_are_mixed() {
    let lines = recorded(vec![
        at(0, Some("r1"), asks("A", "", "")),
        at(1, Some("r2"), asks("B", "", "")),
        at(2, None, What::Refused { why: "late".into(), by: by("42", "typed", None) }),
        at(3, Some("r1"), asked("42")),
        at(4, Some("r3"), asks("C", "", "")),
        at(5, Some("r2"), asked("42")),
        at(6, Some("r1"), decided("deny", "typed")),
    ]);
    for (most, blocks) in [
        (0, vec![]),
        (1, vec![vec![5]]),
        (2, vec![vec![3], vec![5]]),
        (3, vec![vec![2, 6], vec![3], vec![5]]),
        (4, vec![vec![1, 4, 7], vec![2, 6], vec![3], vec![5]]),
        (9, vec![vec![1, 4, 7], vec![2, 6], vec![3], vec![5]]),
    ] {
        let mut newest = Newest::new(most);
        lines.iter().cloned().for_each(|line| newest.add(line));
        let ids: Vec<Vec<i64>> = newest.blocks.iter().map(|block| block.iter().map(|line| line.id).collect()).collect();
        assert_eq!(ids, blocks, "{most}");
        assert!(newest.lines().is_sorted_by_key(|line| line.id));
        assert_eq!(newest.lines().len(), blocks.iter().map(Vec::len).sum::<usize>());
    }
}

#[test]
fn lines_that_come_one_by_one_say_which_request_goes_on() {
    let lines = recorded(vec![
        at(0, Some("r1"), asks("Bash", "", "")),
        at(1, Some("r1"), asked("42")),
        at(2, Some("r2"), asks("Write", "", "")),
        at(3, Some("r1"), decided("allow", "typed")),
        at(90_000, Some("r1"), What::Ended { why: "late".into() }),
    ]);
    let mut live = Live::default();
    let shown: Vec<_> = lines.iter().map(|line| untimed(live.lines(line))).collect();
    let firsts: Vec<_> = shown.iter().map(|lines| lines[0].split("  conv").next().unwrap().to_owned()).collect();
    assert_eq!(firsts[0], "Bash  request r1");
    assert!(firsts[1].starts_with("    asked "), "{firsts:?}");
    assert_eq!(firsts[2], "Write  request r2");
    assert_eq!(shown[3].len(), 2);
    assert_eq!(firsts[3], "request r1");
    assert!(firsts[4].starts_with("    ended "), "{firsts:?}");
    // Another day than the heading's is said.
    let late = plain(live.lines(&lines[4])).remove(0);
    assert!(late.starts_with("    20"), "{late}");
}

#[test]
fn the_words_of_the_command_go_together() {
    use clap::Parser as _;
    for (words, fits) in [
        ("--permissions", true),
        ("--permissions --json -n 3 -f", true),
        ("-n 3 -f --adapter telegram", true),
        ("--json", false),
        ("--permissions --adapter telegram", false),
    ] {
        let parsed =
            crate::cli::arguments::Cli::try_parse_from(["sluicegate", "log"].into_iter().chain(words.split(' ')));
        assert_eq!(parsed.is_ok(), fits, "{words}");
    }
}

#[test]
fn nothing_was_asked_yet_is_no_error_and_a_changed_record_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let empty = Home::at(dir.path()).unwrap();
    let showing = Showing { follow: false, json: true, requests: 1 };
    assert_eq!(run(&empty, showing).unwrap(), 0);
    assert!(!empty.journal().exists(), "looking makes no journal");

    let (_dir, home) = home(vec![at(0, Some("r1"), asks("Bash", "", "")), at(1, Some("r1"), asked("42"))]);
    // A writer that has the file open is no hindrance.
    let journal = Journal::open(home.journal(), Options::default()).unwrap();
    assert_eq!(run(&home, showing).unwrap(), 0);
    assert_eq!(run(&home, Showing { json: false, ..showing }).unwrap(), 0);
    journal.shutdown();

    let connection = rusqlite::Connection::open(home.journal()).unwrap();
    connection.execute_batch("DELETE FROM permission WHERE id = 2").unwrap();
    drop(connection);
    for requests in [0, 9] {
        let error = run(&home, Showing { requests, ..showing }).unwrap_err().to_string();
        assert!(error.contains("line 2 is missing") && error.contains("sluicegate log"), "{error}");
    }
}
