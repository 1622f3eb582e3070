//! The real Claude Code client, offline, where its rig stands beside the repository.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use sluicegate_tests::binary::binary;

/// Each script starts clients with time limits: not all at once.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn claude_code_registers_the_channels_hears_the_page_and_answers_it() {
    run_with_every_client("rig.sh", &[]);
}

#[test]
fn claude_code_holds_a_conversation_over_telegram() {
    run_with_every_client("rig_telegram.sh", &[Path::new(env!("CARGO_BIN_EXE_fake-telegram"))]);
}

#[test]
fn claude_code_runs_a_tool_if_an_approver_allows_it_and_not_otherwise() {
    run_with_every_client("rig_permissions.sh", &[Path::new(env!("CARGO_BIN_EXE_fake-telegram"))]);
}

/// Runs a script of `clients/`: with the rig, the binary, what else it needs, and the client.
fn run_with_every_client(script: &str, needs: &[&Path]) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(rig) = rig() else { return };
    let Some(clients) = clients(&rig) else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(script);
    for client in &clients {
        eprintln!("client: {}", client.display());
        let run = Command::new(&script).arg(&rig).arg(binary()).args(needs).arg(client).output();
        let run = run.expect("the script can be run");
        let (words, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        eprintln!("{words}{errors}");
        let summary = words.lines().last().unwrap_or_default();
        assert!(run.status.success() && summary.ends_with("passed, 0 failed"), "{}: {summary}", client.display());
    }
}

/// The rig, if this machine has all that it needs. Where CI is set and the rig is there, everything must be.
fn rig() -> Option<PathBuf> {
    let rig = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/claude-rig");
    let works = |command: &str, version: &str| {
        Command::new(command).arg(version).output().is_ok_and(|run| run.status.success())
    };
    let missing = if !rig.join("ccrig.py").is_file() {
        Some("the client's rig beside the repository")
    } else if !Command::new("id").arg("-u").output().is_ok_and(|run| run.stdout == b"0\n") {
        Some("root, for a network namespace")
    } else if !works("tmux", "-V") || !works("python3", "--version") || !works("curl", "--version") {
        Some("tmux, python3 and curl")
    } else {
        None
    };
    let Some(missing) = missing else { return Some(rig) };
    assert!(!(insists() && rig.is_dir()), "{missing}: required where CI is set and the rig is there");
    eprintln!("NOT TESTED HERE: the real client needs {missing}");
    None
}

fn insists() -> bool {
    env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false")
}

/// Every version of the client that the rig's setup has put on this machine. If there is none, one is installed
/// where CI is set; elsewhere a test fetches nothing that large.
fn clients(rig: &Path) -> Option<Vec<PathBuf>> {
    let found = installed();
    if !found.is_empty() {
        return Some(found);
    }
    if !insists() {
        eprintln!("NOT TESTED HERE: the real client is not installed; the rig's setup.sh does it");
        return None;
    }
    let setup = Command::new(rig.join("setup.sh")).status().expect("the rig's setup can be run");
    let found = installed();
    assert!(setup.success() && !found.is_empty(), "the rig's setup installs the client");
    Some(found)
}

fn installed() -> Vec<PathBuf> {
    let Some(home) = env::home_dir() else { return Vec::new() };
    let Ok(entries) = fs::read_dir(home.join(".cache")) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("claude-rig"))
        .map(|entry| entry.path().join("node_modules/@anthropic-ai/claude-code-linux-x64/claude"))
        .filter(|client| client.is_file())
        .collect();
    found.sort();
    found
}
