//! `sluicegate status` and `retry`: what runs, what was delivered and refused, and what failed for good.

use std::collections::BTreeMap;

use anyhow::bail;
use serde::Serialize;

use super::{
    adapters,
    screen::{self, BAD, BOLD, Cell, DIM, GOOD, Table, WAITS, bytes, paint, relative, say, visible},
};
use crate::{
    clock::now_ms,
    control::{self, AdapterState, Answer, Request, Status},
    home::Home,
    journal::{DeadEntry, JournalError, Reader},
    poll::State,
};

/// Dead letters that are shown; the newest.
const SHOWN: usize = 100;

/// What `status --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    /// The process that runs the adapters; `null` if none does.
    leader: Option<Status>,
    /// How often what happened, since the journal began: `{"webhook": {"delivered": 3}}`.
    counters: BTreeMap<String, BTreeMap<String, u64>>,
    /// Events that failed for good, the newest first, at most 100.
    dead_letters: Vec<Dead>,
}

/// One event that failed for good.
#[derive(Debug, Serialize)]
struct Dead {
    /// Its number, for `sluicegate retry`.
    id: i64,
    adapter: String,
    /// The route or timer that it came from.
    source: String,
    /// Bytes.
    size: u64,
    attempts: u64,
    /// Milliseconds since the Unix epoch.
    first_ms: i64,
    /// Milliseconds since the Unix epoch.
    last_ms: i64,
    /// Why the last attempt failed.
    error: String,
}

impl From<DeadEntry> for Dead {
    fn from(entry: DeadEntry) -> Self {
        Self {
            id: entry.id,
            adapter: entry.adapter.to_string(),
            source: entry.source,
            size: entry.size,
            attempts: entry.attempts,
            first_ms: entry.first_ms,
            last_ms: entry.last_ms,
            error: entry.error,
        }
    }
}

/// Runs `status`.
pub(super) fn run(home: &Home, json: bool) -> anyhow::Result<i32> {
    let leader = adapters::status(home);
    let mut report = Report { leader, counters: BTreeMap::new(), dead_letters: Vec::new() };
    match Reader::open(home.journal()) {
        Ok(reader) => {
            for counter in reader.counters()? {
                report.counters.entry(counter.adapter.to_string()).or_default().insert(counter.name, counter.value);
            }
            report.dead_letters = reader.dead_letters(None, SHOWN)?.into_iter().map(Dead::from).collect();
        }
        Err(JournalError::Missing { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    if json {
        screen::json(&report)?;
    } else {
        show(&report, now_ms())?;
    }
    Ok(0)
}

fn show(report: &Report, now: i64) -> anyhow::Result<()> {
    match &report.leader {
        None => say!(
            "{} Claude Code starts Sluicegate by itself: `sluicegate setup` shows how.",
            paint(WAITS, "Nothing runs.")
        )?,
        Some(status) => show_leader(status, now)?,
    }
    if !report.counters.is_empty() {
        let mut table = Table::new(&["ADAPTER", "WHAT HAPPENED", "HOW OFTEN"]);
        for (adapter, counters) in &report.counters {
            for (name, value) in counters {
                table.row([adapter.into(), visible(&in_words(name), 80).into(), value.into()]);
            }
        }
        say!("\n{table}")?;
    }
    if !report.dead_letters.is_empty() {
        let mut table = Table::new(&["EVENT", "ADAPTER", "FROM", "WHEN", "TRIES", "SIZE", "ERROR"]);
        for dead in &report.dead_letters {
            table.row([
                Cell::new(BOLD, dead.id),
                Cell::from(&dead.adapter),
                visible(&dead.source, 40).into(),
                relative(dead.last_ms, now).into(),
                dead.attempts.into(),
                bytes(dead.size).into(),
                Cell::new(BAD, screen::reason(&dead.error, 200)),
            ]);
        }
        say!("\n{}\n{table}", paint(BAD, "Events that failed for good"))?;
        say!("\nThey are kept. `sluicegate retry` tries them all again, `sluicegate retry EVENT` one.")?;
    }
    Ok(())
}

fn show_leader(status: &Status, now: i64) -> anyhow::Result<()> {
    let session = if status.connected { paint(GOOD, "connected") } else { paint(WAITS, "not connected yet") };
    say!(
        "{} in process {}, version {}, since {}.",
        paint(GOOD, "Running"),
        status.pid,
        visible(&status.version, 40),
        relative(status.since_ms, now)
    )?;
    say!("  Claude    {session}")?;
    if let Some(listen) = status.listen {
        say!("  listens   {listen}")?;
    }
    let full = if status.full { paint(BAD, ", so many that sources wait") } else { String::new() };
    say!("  waiting   {} messages for Claude{full}", status.unwritten)?;
    if !status.adapters.is_empty() {
        let mut table = Table::new(&["ADAPTER", "VERSION", "STATE", ""]);
        for adapter in &status.adapters {
            let style = match adapter.state {
                AdapterState::Running => GOOD,
                AdapterState::Starting => WAITS,
                AdapterState::Quarantined { .. } | AdapterState::Stopped { .. } => BAD,
            };
            table.row([
                Cell::from(&adapter.name),
                visible(&adapter.version, 40).into(),
                Cell::new(style, adapter.state.as_str()),
                Cell::new(DIM, screen::reason(adapter.state.reason().unwrap_or(""), 300)),
            ]);
        }
        say!("\n{table}")?;
        show_sources(status, now)?;
    }
    Ok(())
}

/// What is polled, if anything is.
fn show_sources(status: &Status, now: i64) -> anyhow::Result<()> {
    let mut table = Table::new(&["ADAPTER", "SOURCE", "STATE", "SINCE", "EVENTS", ""]);
    let mut any = false;
    for adapter in &status.adapters {
        for source in &adapter.sources {
            any = true;
            let (style, state, why) = match &source.state {
                State::Listening => (GOOD, "listening", ""),
                State::Paused => (WAITS, "paused", "too many events wait for Claude"),
                State::Elsewhere => (BAD, "elsewhere", "somebody else polls with the same secret: stop the other one"),
                State::Slowed => (WAITS, "slowed", "the platform asks for fewer requests"),
                State::Refused(why) => (BAD, "refused", &**why),
                State::Failing(why) => (BAD, "failing", &**why),
            };
            let next = source.next_ms.map(|next| format!("; again {}", relative(next, now))).unwrap_or_default();
            table.row([
                Cell::from(&adapter.name),
                visible(&source.name, 40).into(),
                Cell::new(style, state),
                relative(source.since_ms, now).into(),
                source.items.into(),
                Cell::new(DIM, screen::reason(&format!("{why}{next}"), 300)),
            ]);
        }
    }
    if any {
        say!("\n{table}")?;
    }
    Ok(())
}

/// A counter's name as people read it.
fn in_words(counter: &str) -> String {
    counter.replace('-', " ")
}

/// Runs `retry`.
pub(super) fn retry(home: &Home, ids: &[i64]) -> anyhow::Result<i32> {
    let outcomes = match control::ask(home, &Request::Retry { ids: ids.to_vec() })? {
        Some(Answer::Retried { outcomes }) => outcomes,
        Some(Answer::Failed { message }) => bail!("{}", visible(&message, 400)),
        Some(_) => bail!("the running sluicegate gave a strange answer: restart the Claude session that runs it"),
        None => bail!(
            "nothing runs that could try them: start Claude Code with Sluicegate (`sluicegate setup` shows how), then \
             retry"
        ),
    };
    if outcomes.is_empty() {
        say!("No event has failed for good.")?;
    }
    for outcome in &outcomes {
        let (style, word) = if outcome.ok { (GOOD, "done") } else { (BAD, "failed") };
        say!("{} {}  {}", outcome.id, paint(style, word), visible(&outcome.message, 300))?;
    }
    Ok(i32::from(outcomes.iter().any(|outcome| !outcome.ok)))
}
