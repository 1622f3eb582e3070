//! `sluicegate log --permissions`: what Claude Code asked, who was asked, and who decided by which evidence.

mod show;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    path::Path,
    time::Duration,
};

use anyhow::anyhow;
use serde::Serialize;
use serde_json::value::RawValue;

use self::show::{Live, block};
use super::screen::{GOOD, note, paint, say, visible};
use crate::{
    home::Home,
    journal::{Broken, JournalError, Reader, Recorded, Verified},
    relay::record::Entry,
};

/// How often it is looked for new lines.
const POLL: Duration = Duration::from_millis(200);
/// Lines that are read at once.
const AT_ONCE: usize = 500;
/// Where nobody has asked yet.
const NOTHING: &str = "Nothing was asked yet: Claude Code has not sent a permission request to Sluicegate.";

/// How the record is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Showing {
    /// Go on with what comes.
    pub(super) follow: bool,
    /// For a script: one object a line.
    pub(super) json: bool,
    /// The newest so many requests.
    pub(super) requests: usize,
}

/// Runs the command.
///
/// # Errors
/// Also if the record is not as it was written.
pub(super) fn run(home: &Home, showing: Showing) -> anyhow::Result<i32> {
    let path = home.journal();
    let mut newest = Newest::new(showing.requests);
    let (reader, verified) = match open(&path)? {
        Some(reader) => {
            let verified = reader.walk_permissions(|line| newest.add(line))?;
            (Some(reader), verified)
        }
        None => (None, Ok(Verified::default())),
    };
    if showing.json {
        for line in newest.lines() {
            say!("{}", json(line)?)?;
        }
    } else {
        for (number, lines) in newest.blocks.iter().enumerate() {
            if number > 0 {
                say!("")?;
            }
            for line in block(lines) {
                say!("{line}")?;
            }
        }
    }
    let verified = verified.map_err(explain)?;
    let whole = paint(GOOD, "The record is whole:");
    let lines = if verified.count == 1 { "line" } else { "lines" };
    let head = hex::encode(verified.head);
    match verified.count {
        0 => note!("{NOTHING}"),
        // What a script reads are entries alone.
        count if showing.json => note!("{whole} {count} {lines}, head {head}"),
        count if newest.blocks.is_empty() => say!("{whole} {count} {lines}, head {head}")?,
        count => say!("\n{whole} {count} {lines}, head {head}")?,
    }
    if showing.follow {
        go_on(&path, reader, verified, showing.json)?;
    }
    Ok(0)
}

/// The journal; none if there is none yet.
fn open(path: &Path) -> anyhow::Result<Option<Reader>> {
    match Reader::open(path) {
        Ok(reader) => Ok(Some(reader)),
        Err(JournalError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Shows what comes, until the process is ended, its output closed, or a line does not belong to the chain.
fn go_on(path: &Path, mut reader: Option<Reader>, mut chain: Verified, json_lines: bool) -> anyhow::Result<()> {
    let mut live = Live::default();
    loop {
        if reader.is_none() {
            reader = open(path)?;
        }
        let lines = match &reader {
            Some(reader) => reader.permissions(chain.count, AT_ONCE)?,
            None => Vec::new(),
        };
        for line in &lines {
            if json_lines {
                say!("{}", json(line)?)?;
            } else {
                for shown in live.lines(line) {
                    say!("{shown}")?;
                }
            }
            chain = line.follows(&chain).map_err(explain)?;
        }
        if lines.is_empty() {
            std::thread::sleep(POLL);
        }
    }
}

fn explain(broken: Broken) -> anyhow::Error {
    anyhow!(
        "the record of permissions is not as it was written: {broken}. Somebody, or another program, changed \
         journal.db. What each line's hash began with when it was written is in the log: \
         `sluicegate log -n 100000 | grep 'permission recorded'`"
    )
}

/// The newest requests, each with all of its lines in their order.
#[derive(Debug)]
struct Newest {
    most: usize,
    blocks: VecDeque<Vec<Recorded>>,
    /// Blocks that were older, and are not shown.
    left_out: usize,
    /// Which block a request has, counted from the first of the record.
    of_request: HashMap<String, usize>,
}

impl Newest {
    fn new(most: usize) -> Self {
        Self { most, blocks: VecDeque::new(), left_out: 0, of_request: HashMap::new() }
    }

    /// Takes the next line: to its request, or to a block of its own if it belongs to none.
    fn add(&mut self, line: Recorded) {
        let next = self.left_out + self.blocks.len();
        let number = match line.entry().and_then(|entry: Entry| entry.request) {
            Some(request) => *self.of_request.entry(request).or_insert(next),
            None => next,
        };
        if number == next {
            self.blocks.push_back(vec![line]);
            if self.blocks.len() > self.most {
                self.blocks.pop_front();
                self.left_out += 1;
            }
        } else if let Some(block) = number.checked_sub(self.left_out).and_then(|at| self.blocks.get_mut(at)) {
            block.push(line);
        }
    }

    /// All of their lines in the order of the record.
    fn lines(&self) -> Vec<&Recorded> {
        let mut lines: Vec<_> = self.blocks.iter().flatten().collect();
        lines.sort_by_key(|line| line.id);
        lines
    }
}

/// A line for a script.
#[derive(Debug, Serialize)]
struct Line<'a> {
    id: i64,
    /// In hexadecimal.
    hash: String,
    /// As it is in the record, member by member; the text of what is no JSON.
    entry: Written<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Json(&'a RawValue),
    Text(&'a str),
}

/// One object on one line. Characters that have no shape are escaped, so that it may be shown on a terminal.
fn json(line: &Recorded) -> anyhow::Result<String> {
    let entry = match serde_json::from_str(&line.text) {
        Ok(raw) => Written::Json(raw),
        Err(_) => Written::Text(&line.text),
    };
    let text = serde_json::to_string(&Line { id: line.id, hash: hex::encode(&line.hash), entry })?;
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Spaces between members: only somebody who changed the file can have put them there.
            '\n' | '\r' | '\t' => shown.push(' '),
            // Such a character can be only within a string, where an escape means the same.
            c if c == '\u{7f}' || (!c.is_ascii() && visible(c.encode_utf8(&mut [0; 4]), 1) != c.to_string()) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    shown.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => shown.push(c),
        }
    }
    Ok(shown)
}
