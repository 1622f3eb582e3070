//! Coming from the official plugins.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use sluicegate_tests::Home;

const TOKEN: &str = "123456789:AAE-sluicegate_tests_token_abcdefgh";

/// Where the user's plugins keep what they have: `~/.claude/channels`.
fn channels(home: &Home) -> PathBuf {
    home.project().parent().unwrap().join("user/.claude/channels")
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What the official plugin leaves behind after some weeks.
fn telegram(home: &Home) {
    let access = json!({
        "dmPolicy": "allowlist",
        "allowFrom": ["111", "222"],
        "groups": { "-1001": { "requireMention": false, "allowFrom": ["111"] } },
        "pending": {
            "a1b2c3": { "senderId": "333", "chatId": "333", "createdAt": 1, "expiresAt": 9_000_000_000_000_i64, "replies": 1 },
            "d4e5f6": { "senderId": "444", "chatId": "444", "createdAt": 1, "expiresAt": 2, "replies": 1 },
        },
        "ackReaction": "👀",
        "replyToMode": "all",
        "mentionPatterns": ["^claude\\b"],
        "approvers": ["111"],
        "somethingNew": true,
    });
    let dir = channels(home).join("telegram");
    put(&dir.join("access.json"), &access.to_string());
    put(&dir.join(".env"), &format!("TELEGRAM_BOT_TOKEN={TOKEN}\n"));
    put(&dir.join("inbox/photo.jpg"), "x");
    put(&dir.join("bot.pid"), "1");
}

fn discord(home: &Home) {
    let dir = channels(home).join("discord");
    put(&dir.join("access.json"), &json!({ "dmPolicy": "pairing", "allowFrom": ["d1"] }).to_string());
    put(&dir.join(".env"), "DISCORD_BOT_TOKEN=MTk4NjIyNDgzNDcx.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs\n");
}

/// Every file below a directory with what it holds and when it was changed.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, i64, i64)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let meta = fs::symlink_metadata(entry.path()).unwrap();
        if meta.is_dir() {
            found.extend(snapshot(&entry.path()));
        }
        let bytes = if meta.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
        found.insert(entry.path(), (bytes, meta.mode(), meta.mtime(), meta.mtime_nsec()));
    }
    found
}

/// What we keep: the access files and the secrets.
fn ours(home: &Home) -> BTreeMap<PathBuf, (Vec<u8>, u32, i64, i64)> {
    let mut ours = snapshot(&home.path().join("access"));
    ours.extend(snapshot(&home.path().join("secrets")));
    ours
}

fn access(home: &Home, name: &str) -> Value {
    let file = home.path().join(format!("access/{name}.json"));
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn secrets(home: &Home, name: &str) -> String {
    let file = home.path().join(format!("secrets/{name}.env"));
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    fs::read_to_string(file).unwrap()
}

#[test]
fn what_the_telegram_plugin_keeps_is_taken_over_and_the_original_stays() {
    let home = Home::new();
    telegram(&home);
    let original = snapshot(&channels(&home));
    let run = home.run(&["import", "--yes"]).success();
    assert_eq!(snapshot(&channels(&home)), original, "the original is only read");
    for words in [
        "2 allowed senders",
        "1 group",
        "1 pairing",
        "ackReaction",
        "TELEGRAM_BOT_TOKEN",
        "inbox: one file",
        "approvers",
        "somethingNew",
        "sluicegate allow telegram",
    ] {
        assert!(run.stdout.contains(words), "{words:?} is missing: {}", run.stdout);
    }
    assert!(!run.output().contains(TOKEN), "{}", run.output());
    let access = access(&home, "telegram");
    assert_eq!(access["dmPolicy"], "allowlist");
    assert_eq!(access["allowFrom"], json!(["111", "222"]));
    assert_eq!(access["groups"]["-1001"], json!({ "requireMention": false, "allowFrom": ["111"] }));
    assert_eq!(access["pending"].as_object().unwrap().keys().collect::<Vec<_>>(), ["a1b2c3"]);
    assert_eq!((&access["replyToMode"], &access["somethingNew"]), (&json!("all"), &json!(true)));
    assert_eq!(access.get("approvers"), None, "a yes to everything makes nobody an approver");
    assert!(run.stdout.contains("sluicegate access telegram approver add ID"), "{}", run.stdout);
    assert_eq!(secrets(&home, "telegram"), format!("TELEGRAM_BOT_TOKEN={TOKEN}\n"));
    let shown = home.run(&["access", "telegram"]).success();
    assert!(shown.stdout.contains("111") && shown.stdout.contains("-1001"), "{}", shown.stdout);
}

#[test]
fn every_allowed_sender_approves_as_before_only_if_the_user_says_so() {
    let home = Home::new();
    telegram(&home);
    let offered = home.run(&["import", "--json"]).success().json();
    assert_eq!(offered["channels"][0]["would_approve"], json!(["111", "222"]), "{offered}");
    let taken = home.run(&["import", "--yes", "--json"]).success().json();
    assert_eq!(taken["channels"][0]["made_approvers"], json!([]), "{taken}");
    assert_eq!(access(&home, "telegram").get("approvers"), None);
    // It can be said later, too; nothing else is left to take then.
    let later = home.run(&["import", "--yes", "--approvers", "--json"]).success().json();
    assert_eq!(later["channels"][0]["made_approvers"], json!(["111", "222"]), "{later}");
    assert_eq!(access(&home, "telegram")["approvers"], json!(["111", "222"]));
    let again = home.run(&["import", "--yes", "--approvers"]).success();
    assert!(again.stdout.contains("Nothing was changed"), "{}", again.output());

    let home = Home::new();
    telegram(&home);
    home.access("telegram", &json!({ "allowFrom": ["999"], "approvers": ["999"] }));
    let taken = home.run(&["import", "--yes", "--approvers"]).success();
    assert!(taken.stdout.contains("2 approvers"), "{}", taken.stdout);
    let access = access(&home, "telegram");
    assert_eq!(
        (&access["allowFrom"], &access["approvers"]),
        (&json!(["999", "111", "222"]), &json!(["999", "111", "222"]))
    );
}

#[test]
fn a_second_time_changes_nothing_and_says_so() {
    let home = Home::new();
    telegram(&home);
    drop(home.run(&["import", "--yes"]).success());
    let before = ours(&home);
    // No question is asked either, so nobody has to answer one.
    for arguments in [&["import"][..], &["import", "--yes"], &["import", "telegram"]] {
        let again = home.run(arguments).success();
        assert!(again.stdout.contains("Nothing was changed"), "{arguments:?}: {}", again.output());
        assert_eq!(ours(&home), before, "{arguments:?}");
    }
    let again = home.run(&["import", "--yes", "--json"]).success().json();
    assert_eq!(again["channels"][0]["outcome"], "nothing", "{again}");
    assert_eq!(ours(&home), before);
}

#[test]
fn nothing_is_taken_without_a_yes() {
    let home = Home::new();
    telegram(&home);
    let before = ours(&home);
    let asked = home.run(&["import"]).failure();
    assert!(asked.stdout.contains("2 allowed senders") && asked.stderr.contains("--yes"), "{}", asked.output());
    let shown = home.run(&["import", "--json"]).success();
    assert!(!shown.stdout.contains(TOKEN));
    let channel = &shown.json()["channels"][0];
    assert_eq!((&channel["name"], &channel["outcome"]), (&json!("telegram"), &json!("offered")));
    assert_eq!(channel["access"]["allowed"], 2, "{channel}");
    assert_eq!(channel["secrets"]["TELEGRAM_BOT_TOKEN"], "new", "{channel}");
    assert_eq!(ours(&home), before);
}

#[test]
fn what_is_here_already_stays_and_is_joined() {
    let home = Home::new();
    telegram(&home);
    home.access(
        "telegram",
        &json!({ "dmPolicy": "pairing", "allowFrom": ["999"], "groups": {}, "pending": {}, "approvers": ["999"], "ackReaction": "x" }),
    );
    let other = TOKEN.replace("123", "321");
    drop(home.run_with(&["secret", "telegram", "set", "TELEGRAM_BOT_TOKEN"], other.as_bytes()).success());
    let run = home.run(&["import", "--yes"]).success();
    for words in ["policy: yours is pairing and stays", "ackReaction: yours differs", "TELEGRAM_BOT_TOKEN stays"] {
        assert!(run.stdout.contains(words), "{words:?} is missing: {}", run.stdout);
    }
    let access = access(&home, "telegram");
    assert_eq!(access["allowFrom"], json!(["999", "111", "222"]));
    assert_eq!((&access["dmPolicy"], &access["approvers"]), (&json!("pairing"), &json!(["999"])));
    assert!(secrets(&home, "telegram").contains(&other), "a secret that differs is kept");
    assert!(!run.output().contains(TOKEN) && !run.output().contains(&other));
}

#[test]
fn a_channel_without_an_adapter_is_shown_and_kept_only_by_name() {
    let home = Home::new();
    discord(&home);
    let shown = home.run(&["import", "--yes"]).success();
    assert!(shown.stdout.contains("DISCORD_BOT_TOKEN"), "{}", shown.stdout);
    assert!(shown.stdout.contains("sluicegate import discord"), "{}", shown.stdout);
    assert!(!home.path().join("access/discord.json").exists() && !home.path().join("secrets/discord.env").exists());
    let taken = home.run(&["import", "discord", "--yes"]).success();
    assert_eq!(access(&home, "discord")["allowFrom"], json!(["d1"]));
    assert!(secrets(&home, "discord").starts_with("DISCORD_BOT_TOKEN="));
    assert!(!taken.output().contains("MTk4"), "{}", taken.output());
    let error = home.run(&["import", "imessage", "--yes"]).failure().stderr;
    assert!(error.contains("nothing of imessage"), "{error}");
}

#[test]
fn what_is_corrupt_or_leads_elsewhere_is_left_and_the_rest_is_taken() {
    let home = Home::new();
    let dir = channels(&home).join("telegram");
    put(&dir.join("access.json"), "{ \"allowFrom\": [\"evil-word\"");
    put(&dir.join(".env"), &format!("TELEGRAM_BOT_TOKEN={TOKEN}\nANTHROPIC_API_KEY=hunter2\n"));
    let elsewhere = channels(&home).parent().unwrap().join("elsewhere");
    put(&elsewhere.join("access.json"), &json!({ "allowFrom": ["666"] }).to_string());
    symlink(&elsewhere, channels(&home).join("webhook")).unwrap();
    let fakechat = channels(&home).join("fakechat");
    fs::create_dir_all(&fakechat).unwrap();
    symlink(elsewhere.join("access.json"), fakechat.join("access.json")).unwrap();
    let run = home.run(&["import", "--yes"]).success();
    for words in ["access.json: it is corrupt", "leads out of the directory", "ANTHROPIC_API_KEY"] {
        assert!(run.stdout.contains(words), "{words:?} is missing: {}", run.stdout);
    }
    assert!(!run.output().contains("evil-word") && !run.output().contains("hunter2"), "{}", run.output());
    assert_eq!(secrets(&home, "telegram"), format!("TELEGRAM_BOT_TOKEN={TOKEN}\n"));
    assert_eq!(fs::read_dir(home.path().join("access")).unwrap().count(), 0);
    assert_eq!(fs::read_to_string(dir.join("access.json")).unwrap(), "{ \"allowFrom\": [\"evil-word\"");
}

#[test]
fn other_directories_can_be_named_and_one_that_is_not_there_is_said() {
    let home = Home::new();
    let run = home.run(&["import"]).success();
    assert!(run.stdout.contains("nothing to take over"), "{}", run.stdout);
    telegram(&home);
    let moved = home.project().join("old-channels");
    fs::rename(channels(&home), &moved).unwrap();
    fs::set_permissions(&moved, fs::Permissions::from_mode(0o500)).unwrap();
    let one = home.run(&["import", "--from", "old-channels/telegram"]).failure().stderr;
    assert!(one.contains("one channel") && one.contains("sluicegate import --from"), "{one}");
    let taken = home.run(&["import", "--from", "old-channels", "--yes", "--json"]).success().json();
    assert_eq!(taken["channels"][0]["outcome"], "taken", "{taken}");
    assert_eq!(taken["channels"][0]["next"], "sluicegate allow telegram", "{taken}");
    assert_eq!(access(&home, "telegram")["allowFrom"], json!(["111", "222"]));
    drop(home.run(&["import", "--from", "nowhere"]).failure());
    fs::set_permissions(&moved, fs::Permissions::from_mode(0o700)).unwrap();
}
