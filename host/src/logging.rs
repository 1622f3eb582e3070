//! The log: JSON lines in `log/sluicegate.log`, and short lines for people on standard error.
//!
//! Nothing is ever written to standard output, which is the MCP wire. Claude Code stops reading standard error
//! once the connection stands, so a thread of its own writes there and drops what nobody reads; the file gets
//! every line at once, so that nothing of it is lost when the process is killed.

mod human;
mod rotate;

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    time::Duration,
};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::home::Home;
use human::Human;
use rotate::LogFile;

/// The variable that says what is logged, in the words of [`EnvFilter`]: `debug`, `info,sluicegate::gate=debug`.
pub const FILTER_VARIABLE: &str = "SLUICEGATE_LOG";

const DEFAULT_FILTER: &str = "info,rmcp=warn";
/// Lines that may wait for standard error to be read.
const WAITING: usize = 256;
/// How long the end of the process waits for standard error to be read.
const PARTING: Duration = Duration::from_millis(20);

/// What the process is, as far as the log is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It serves a session: everything goes into the file, warnings to standard error too.
    Serve,
    /// It shows what Sluicegate does: what happens goes to standard error too.
    Demo,
    /// It is one of the user's commands: only warnings, to standard error, and no file.
    Command,
}

/// Keeps the log running; dropped last, it gives standard error a moment to be read.
#[must_use = "what waits for standard error is lost when this is dropped early"]
#[derive(Debug)]
pub struct Logging {
    errors: Option<SyncSender<Line>>,
}

/// The log file of a home.
#[must_use]
pub fn path(home: &Home) -> PathBuf {
    home.log_dir().join("sluicegate.log")
}

/// The log file and those before it, the newest first.
#[must_use]
pub fn paths(home: &Home) -> Vec<PathBuf> {
    let path = path(home);
    let older = (1..=rotate::KEPT).map(|number| rotate::older(&path, number));
    std::iter::once(path.clone()).chain(older).collect()
}

/// Starts the log of this process. A second call changes nothing.
///
/// # Errors
/// If the log file cannot be opened; then there is no log at all.
pub fn init(home: &Home, role: Role) -> io::Result<Logging> {
    let (filter, complaint) = filter(std::env::var(FILTER_VARIABLE).ok().as_deref());
    let file = match role {
        Role::Command => None,
        Role::Serve | Role::Demo => Some(json(Arc::new(LogFile::open(path(home))?))),
    };
    let (errors, writer) = standard_error()?;
    let people = fmt::layer()
        .event_format(Human { colored: anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never })
        .with_writer(writer)
        .log_internal_errors(false)
        .with_filter(if role == Role::Demo { LevelFilter::INFO } else { LevelFilter::WARN });
    let begun = tracing_subscriber::registry().with(filter).with(file).with(people).try_init();
    if let (Ok(()), Some(complaint)) = (begun, complaint) {
        tracing::warn!("{FILTER_VARIABLE} is not understood, the default is used: {complaint}");
    }
    Ok(Logging { errors: Some(errors) })
}

impl Drop for Logging {
    fn drop(&mut self) {
        let Some(errors) = self.errors.take() else { return };
        let (written, wait) = sync_channel(1);
        if errors.try_send(Line::Last(written)).is_ok() {
            let _ = wait.recv_timeout(PARTING);
        }
    }
}

type Filtered = tracing_subscriber::layer::Layered<EnvFilter, Registry>;

fn json(file: Arc<LogFile>) -> impl tracing_subscriber::Layer<Filtered> {
    fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        // A complaint would go to standard error, and panic where that is closed.
        .log_internal_errors(false)
        .with_writer(move || rotate::Handle(Arc::clone(&file)))
}

/// What is logged, and what is wrong with the user's wish.
fn filter(wish: Option<&str>) -> (EnvFilter, Option<String>) {
    match wish.filter(|wish| !wish.trim().is_empty()) {
        None => (EnvFilter::new(DEFAULT_FILTER), None),
        Some(wish) => match EnvFilter::try_new(wish) {
            Ok(filter) => (filter, None),
            Err(error) => (EnvFilter::new(DEFAULT_FILTER), Some(error.to_string())),
        },
    }
}

enum Line {
    Text(Vec<u8>),
    /// Everything before it has been written.
    Last(SyncSender<()>),
}

fn standard_error() -> io::Result<(SyncSender<Line>, impl Fn() -> ToStandardError)> {
    let (sender, receiver) = sync_channel(WAITING);
    std::thread::Builder::new().name("stderr".into()).spawn(move || {
        for line in receiver {
            match line {
                Line::Text(text) => drop(io::Write::write_all(&mut io::stderr(), &text)),
                Line::Last(written) => drop(written.try_send(())),
            }
        }
    })?;
    let writer = sender.clone();
    Ok((sender, move || ToStandardError(writer.clone())))
}

/// Hands lines to the thread that writes them, and drops them where it does not keep up.
struct ToStandardError(SyncSender<Line>);

impl io::Write for ToStandardError {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        drop(self.0.try_send(Line::Text(bytes.to_owned())));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_users_filter_counts_and_a_wrong_one_is_complained_about() {
        assert_eq!(filter(None).0.to_string(), EnvFilter::new(DEFAULT_FILTER).to_string());
        assert_eq!(filter(Some(" ")).1, None);
        assert_eq!(filter(Some("debug")).0.to_string(), "debug");
        let (fallback, complaint) = filter(Some("sluicegate=loud"));
        assert!(complaint.is_some());
        assert_eq!(fallback.to_string(), EnvFilter::new(DEFAULT_FILTER).to_string());
    }

    #[test]
    fn events_become_lines_of_flat_json_under_their_own_names() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test.log");
        let (filter, _) = filter(None);
        let subscriber =
            tracing_subscriber::registry().with(filter).with(json(Arc::new(LogFile::open(path.clone()).unwrap())));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(adapter = %"chat", count = 3, "dropped \"this\"");
            tracing::debug!("not this");
        });
        let text = std::fs::read_to_string(path).unwrap();
        let line: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "dropped \"this\"");
        assert_eq!(line["adapter"], "chat");
        assert_eq!(line["count"], 3);
        assert!(line["timestamp"].is_string());
    }
}
