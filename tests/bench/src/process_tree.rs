//! Memory and processor time of a process and its descendants, from `/proc` (proc(5)).

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

/// Clock ticks per second in `/proc/PID/stat`: part of Linux's interface, 100 on every
/// architecture that Rust's standard library supports.
const TICKS_PER_SECOND: u64 = 100;

/// One process of a tree, told from a later one with the same number by its start time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    id: u32,
    started: u64,
}

impl Process {
    /// The process number.
    pub(crate) fn id(self) -> u32 {
        self.id
    }

    /// Whether this very process still runs.
    pub(crate) fn is_running(self) -> bool {
        Stat::read(self.id).is_some_and(|stat| stat.started == self.started && stat.state != "Z")
    }
}

/// Memory of a process tree.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Memory {
    /// Resident set, in KiB. Pages that several of its processes share count several times.
    pub(crate) resident: u64,
    /// Proportional set, in KiB: each page divided by the number of processes that map it.
    pub(crate) proportional: u64,
}

/// The memory of the tree below and with `root`.
pub(crate) fn memory(root: u32) -> Result<Memory> {
    let mut sum = Memory::default();
    for id in tree(root) {
        let path = format!("/proc/{id}/smaps_rollup");
        let Ok(rollup) = fs::read_to_string(&path) else {
            continue;
        };
        let field = |name: &str| {
            rollup.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        };
        sum.resident += field("Rss:").with_context(|| format!("{path} has no Rss"))?;
        sum.proportional += field("Pss:").with_context(|| format!("{path} has no Pss"))?;
    }
    anyhow::ensure!(sum.resident > 0, "the server's memory cannot be read; it may have ended");
    Ok(sum)
}

/// The processor time, user and system, that the tree below and with `root` has used, with that of
/// children that ended. In steps of 10 ms a process.
pub(crate) fn processor_time(root: u32) -> Duration {
    let ticks: u64 = tree(root).into_iter().filter_map(Stat::read).map(|stat| stat.ticks).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// The processor time that this process itself has used.
pub(crate) fn own_processor_time() -> Duration {
    let ticks = Stat::read(std::process::id()).map_or(0, |stat| stat.ticks);
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// All processes below `root`.
pub(crate) fn descendants(root: u32) -> Vec<Process> {
    let started = |id| Stat::read(id).map(|stat| Process { id, started: stat.started });
    tree(root).into_iter().filter(|id| *id != root).filter_map(started).collect()
}

fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some((id, stat)) = id.and_then(|id| Some((id, Stat::read(id)?))) {
            children.entry(stat.parent).or_default().push(id);
        }
    }
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(id) = tree.get(next) {
        tree.extend(children.remove(id).unwrap_or_default());
        next += 1;
    }
    tree
}

/// The fields of `/proc/PID/stat` that are needed here.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: String,
    parent: u32,
    /// `utime + stime + cutime + cstime`.
    ticks: u64,
    started: u64,
}

impl Stat {
    fn read(id: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
    }

    /// The name of the program is in parentheses and may itself contain spaces and parentheses.
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
        let number = |index: usize| fields.get(index)?.trim().parse::<u64>().ok();
        Some(Self {
            state: (*fields.first()?).to_owned(),
            parent: fields.get(1)?.parse().ok()?,
            ticks: number(11)? + number(12)? + number(13)? + number(14)?,
            started: number(19)?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_program_name_with_parentheses_does_not_shift_the_fields() {
        let text = "42 (a) S (b) S 7 1 1 0 -1 4194560 100 0 0 0 31 12 5 2 20 0 3 0 8812 1000 50";
        let stat = Stat::parse(text).unwrap();
        assert_eq!(stat, Stat { state: "S".to_owned(), parent: 7, ticks: 50, started: 8812 });
    }

    #[test]
    fn memory_and_descendants_of_this_process_are_found() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let found = descendants(std::process::id()).into_iter().find(|process| process.id() == child.id()).unwrap();
        assert!(found.is_running());
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.proportional > 0 && memory.proportional <= memory.resident);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!found.is_running());
    }
}
