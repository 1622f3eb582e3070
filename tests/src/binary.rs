//! Which binary is tested.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

/// The binary under test: `SLUICEGATE_BIN`, else the one that cargo makes of this workspace now.
///
/// It is built once in a process; cargo's own lock makes processes wait for each other. The whole workspace is
/// selected so that features are the same as in `cargo test --workspace`: else wasmtime would be compiled anew.
///
/// # Panics
/// If it is not there or cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let binary = match env::var_os("SLUICEGATE_BIN") {
            Some(given) => PathBuf::from(given).canonicalize().expect("SLUICEGATE_BIN names a file"),
            None => build(),
        };
        crate::note(&format!("sluicegate under test: {}", binary.display()));
        binary
    })
}

fn build() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--workspace", "--bin", "sluicegate"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stderr(Stdio::inherit());
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    // What cargo and rustup tell a test about its own package is not meant for another build: build scripts that look
    // at it would run again, and all that rests on them would be compiled anew.
    let ours =
        ["CARGO_PKG_", "CARGO_MANIFEST", "CARGO_BIN_EXE_", "CARGO_CRATE_", "CARGO_TARGET_TMPDIR", "CARGO_PRIMARY"];
    for (key, _) in env::vars_os() {
        let key = key.to_string_lossy();
        if ours.iter().any(|ours| key.starts_with(ours)) || ["OUT_DIR", "LD_LIBRARY_PATH"].contains(&&*key) {
            cargo.env_remove(&*key);
        }
    }
    let output = cargo.output().expect("cargo can be run");
    assert!(output.status.success(), "`cargo build --workspace --bin sluicegate` failed");
    let messages = String::from_utf8_lossy(&output.stdout);
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the executable")
}
