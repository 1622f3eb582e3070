//! A run whose events are not each answered and notified exactly once fails and says why.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Cargo builds the examples beside the binary before it runs the tests.
fn fake_channel() -> PathBuf {
    let directory = Path::new(env!("CARGO_BIN_EXE_sluicegate-bench")).parent().unwrap();
    directory.join("examples/fake_channel")
}

fn run(fault: &str) -> Output {
    // Event 0, no warm-up and 20 events one after another: the fault first shows under load.
    Command::new(env!("CARGO_BIN_EXE_sluicegate-bench"))
        .args(["run", "--json", "--events", "979", "--connections", "7", "--latency-events", "20"])
        .args(["--warm-up", "0", "--rest", "0", "--patience", "2", "--"])
        .arg(fake_channel())
        .args(["{port}", fault])
        .output()
        .unwrap()
}

#[test]
fn the_account_is_exact() {
    // answered, refused, repeated, missing, duplicate
    let cases = [
        ("none", [979, 0, 0, 0, 0]),
        ("drop", [979, 0, 0, 10, 0]),
        ("double", [979, 0, 0, 0, 10]),
        ("refuse", [969, 10, 0, 10, 0]),
        ("busy", [979, 0, 10, 0, 0]),
    ];
    for (fault, expected) in cases {
        let output = run(fault);
        let result: Value = serde_json::from_slice(&output.stdout).unwrap();
        let account = &result["account"];
        let found = ["answered", "refused", "repeated", "missing", "duplicate"].map(|key| account[key].as_u64());
        assert_eq!(found, expected.map(Some), "{fault}: {account}");
        assert_eq!(output.status.success(), matches!(fault, "none" | "busy"), "{fault}");
    }
}

#[test]
fn a_server_that_is_no_channel_is_refused_by_name() {
    let output = run("undeclared");
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("does not declare the capability claude/channel"), "{message}");
}
