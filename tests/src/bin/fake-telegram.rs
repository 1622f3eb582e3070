//! The fake of Telegram's Bot API as a program: `fake-telegram [PORT]`.
//!
//! Writes one line of JSON, `{"url":…,"token":…,"bot":…}`, and serves until its standard input ends. Its controls are
//! under `/fake/…`; `sluicegate_tests::telegram::remote` says which.
#![allow(clippy::expect_used, reason = "a test's program reports by ending")]

use std::io::{self, Write as _};

use serde_json::json;
use sluicegate_tests::telegram::Telegram;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).map_or(0, |port| port.parse().expect("usage: fake-telegram [PORT]"));
    let telegram = Telegram::start_on(port);
    let about = json!({ "url": telegram.url(), "token": telegram.token(), "bot": telegram.bot() });
    let mut out = io::stdout().lock();
    writeln!(out, "{about}")?;
    out.flush()?;
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(())
}
