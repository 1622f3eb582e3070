//! Secrets that a platform declares: kept, checked, listed, and shown nowhere. Rows 12, 21 and 29 of the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
};

use serde_json::{Value, json};
use sluicegate_tests::Home;

const TOKEN: &str = "123456789:AAE-sluicegate_tests_token_abcdefgh";
const VARIABLE: &str = "TELEGRAM_BOT_TOKEN";

/// How the token stands, as `secret telegram --json` has it.
fn token(home: &Home) -> Value {
    let shown = home.run(&["secret", "telegram", "--json"]).success();
    assert!(!shown.output().contains(TOKEN), "{}", shown.output());
    let shown = shown.json();
    let secrets = shown["secrets"].as_array().unwrap();
    secrets.iter().find(|secret| secret["secret"] == "token").unwrap_or_else(|| panic!("{shown}")).clone()
}

#[test]
fn a_declared_secret_is_listed_with_what_it_is_and_from_where_it_comes() {
    let mut home = Home::new();
    let missing = token(&home);
    assert_eq!((&missing["variable"], &missing["state"]), (&json!(VARIABLE), &json!("missing")));
    assert!(missing["what"].as_str().unwrap().contains("BotFather"), "{missing}");
    assert!(missing["problem"].as_str().unwrap().contains("sluicegate secret telegram set"), "{missing}");
    let kept = home.run_with(&["secret", "telegram", "set", VARIABLE], TOKEN.as_bytes()).success();
    assert!(!kept.output().contains(TOKEN));
    assert_eq!((&token(&home)["state"], &token(&home)["from"]), (&json!("set"), &json!("file")));
    assert_eq!(fs::metadata(home.path().join("secrets/telegram.env")).unwrap().mode() & 0o777, 0o600);
    home.variable(VARIABLE, TOKEN);
    assert_eq!(token(&home)["from"], "environment");
    let told = home.run_with(&["secret", "telegram", "set", VARIABLE], TOKEN.as_bytes()).success();
    assert!(told.stderr.contains("environment") && told.stderr.contains("first"), "{}", told.stderr);
    drop(home.run(&["secret", "telegram", "remove", VARIABLE]).success());
    home.variable(VARIABLE, "");
    assert_eq!(token(&home)["state"], "missing");
    drop(home.run(&["secret", "telegram", "remove", VARIABLE]).failure());
}

#[test]
fn what_is_no_token_is_refused_before_it_is_kept() {
    let home = Home::new();
    for (value, words) in [
        ("hunter2", "does not look like one"),
        (&*format!("{VARIABLE}={TOKEN}"), "leave out `TELEGRAM_BOT_TOKEN=`"),
        (&format!("\"{TOKEN}\""), "quotes"),
        (&format!(" {TOKEN}"), "spaces"),
        ("", "empty"),
    ] {
        let refused = home.run_with(&["secret", "telegram", "set", VARIABLE], value.as_bytes()).failure();
        assert!(refused.stderr.contains(words), "{value}: {}", refused.stderr);
        assert!(!refused.output().contains(TOKEN) && !refused.output().contains("hunter2"), "{}", refused.output());
        assert!(!home.path().join("secrets/telegram.env").exists(), "{value}");
    }
}

#[test]
fn an_unfit_secret_is_named_with_its_place_and_never_shown() {
    let mut home = Home::new();
    home.variable(VARIABLE, "hunter2");
    let unfit = token(&home);
    assert_eq!((&unfit["state"], &unfit["from"]), (&json!("unfit"), &json!("environment")));
    assert!(unfit["problem"].as_str().unwrap().contains("in the environment is not fit"), "{unfit}");
    assert!(!unfit.to_string().contains("hunter2"), "{unfit}");
}

#[test]
fn the_file_of_an_official_plugin_is_read_as_it_is_and_narrowed() {
    let home = Home::new();
    let file = home.path().join("secrets/telegram.env");
    fs::create_dir(home.path().join("secrets")).unwrap();
    fs::write(&file, format!("# from the plugin\r\nexport {VARIABLE}='{TOKEN}' # mine\r\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let shown = home.run(&["secret", "telegram"]).success();
    assert!(shown.stdout.contains("set") && shown.stderr.contains("0600"), "{}", shown.output());
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    assert_eq!(token(&home)["state"], "set");
}

#[test]
fn config_may_say_that_a_secret_is_elsewhere_but_not_what_it_is() {
    let mut home = Home::new();
    home.table("[adapters.telegram.secrets]\ntoken = { env = \"OTHER\" }");
    home.variable("OTHER", TOKEN);
    assert_eq!((&token(&home)["variable"], &token(&home)["from"]), (&json!("OTHER"), &json!("environment")));
    let mut home = Home::new();
    home.table(&format!("[adapters.telegram.secrets]\ntoken = \"{TOKEN}\""));
    let doctor = home.run(&["doctor"]).failure();
    assert!(doctor.output().contains("must not stand in config.toml"), "{}", doctor.output());
    assert!(!doctor.output().contains(TOKEN), "{}", doctor.output());
}

#[test]
fn a_keychain_that_cannot_be_reached_keeps_nothing_and_says_so() {
    let mut home = Home::new();
    home.variable("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    if cfg!(target_os = "linux") {
        let refused = home.run_with(&["secret", "telegram", "set", VARIABLE, "--keychain"], TOKEN.as_bytes()).failure();
        assert!(refused.stderr.contains("keychain") && !refused.output().contains(TOKEN), "{}", refused.output());
        assert_eq!(token(&home)["state"], "missing");
        // What is remembered to be there and is not given is said as that.
        fs::write(home.path().join("secrets/telegram.env"), format!("# in the keychain: {VARIABLE}\n")).unwrap();
        let unfit = token(&home);
        assert_eq!((&unfit["state"], &unfit["from"]), (&json!("unfit"), &json!("keychain")));
    }
}

#[test]
fn secrets_without_a_platform_that_is_known_are_kept_and_said_to_be_unused() {
    let home = Home::new();
    drop(home.run_with(&["secret", "chat", "set", "CHAT_KEY"], b"hunter2\n").success());
    let shown = home.run(&["secret", "chat"]).success();
    assert!(shown.stdout.contains("CHAT_KEY") && shown.stdout.contains("unused"), "{}", shown.stdout);
    assert!(!shown.output().contains("hunter2"));
    drop(home.run_with(&["secret", "chat", "set", "chat-key"], b"x").failure());
    drop(home.run_with(&["secret", "chat", "set", "CHAT_KEY"], b"a\nb").failure());
}

#[test]
fn doctor_says_what_is_missing_and_the_command_that_sets_it() {
    let home = Home::new();
    home.allow("telegram");
    let of_telegram = |home: &Home| -> Vec<Value> {
        let doctor = home.run(&["doctor", "--json"]);
        assert!(!doctor.output().contains(TOKEN));
        let findings = doctor.json()["findings"].take();
        findings.as_array().unwrap().iter().filter(|finding| finding["about"] == "telegram").cloned().collect()
    };
    let missing = of_telegram(&home);
    let finding = missing.iter().find(|finding| finding["level"] == "wrong").unwrap_or_else(|| panic!("{missing:?}"));
    assert_eq!(finding["mend"], "sluicegate secret telegram set TELEGRAM_BOT_TOKEN");
    assert!(finding["text"].as_str().unwrap().contains("BotFather"), "{finding}");
    drop(home.run_with(&["secret", "telegram", "set", VARIABLE], TOKEN.as_bytes()).success());
    let there = of_telegram(&home);
    assert!(there.iter().all(|finding| finding["level"] != "wrong"), "{there:?}");
    assert!(there.iter().any(|finding| finding["text"].as_str().unwrap().contains("from secrets/telegram.env")));
}
