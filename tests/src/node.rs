//! The clients that need Node.js: `tests/clients`, with what npm installed there.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// `tests/clients` with its packages, installed if they are missing. `None`, with a note, where there is no npm and
/// nobody insists.
///
/// # Panics
/// If they cannot be had and `CI` is set.
pub fn clients() -> Option<&'static Path> {
    static CLIENTS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let clients = CLIENTS.get_or_init(|| {
        let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        let works =
            |command: &str| Command::new(command).arg("--version").output().is_ok_and(|run| run.status.success());
        let mut there = works("node");
        let needed = ["@modelcontextprotocol/sdk", "grammy", "@grammyjs/auto-retry"];
        if there && !needed.iter().all(|package| clients.join("node_modules").join(package).is_dir()) {
            there = Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund"])
                .current_dir(&clients)
                .status()
                .is_ok_and(|status| status.success());
        }
        there.then_some(clients)
    });
    if clients.is_none() {
        let insists = env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false");
        assert!(!insists, "Node.js and the packages of tests/clients are required where CI is set");
        crate::note("NOT TESTED HERE: this needs Node.js and npm (set CI=true to require them)");
    }
    clients.as_deref()
}

/// The same, where there is Chromium besides (the environment variable `CHROMIUM`, else `/usr/bin/chromium`).
///
/// # Panics
/// If it cannot be had and `CI` is set.
pub fn browser() -> Option<&'static Path> {
    let clients = clients()?;
    let chromium = env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
    if Path::new(&chromium).exists() {
        return Some(clients);
    }
    let insists = env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false");
    assert!(!insists, "Chromium is required where CI is set");
    crate::note("NOT TESTED HERE: this needs Chromium (set CI=true to require it)");
    None
}
