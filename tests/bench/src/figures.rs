//! What one run measured.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::process_tree::Memory;
use crate::statistics::median;

/// The figures of one run of one server.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run {
    /// From the spawn to the answer to `initialize`, in milliseconds.
    pub(crate) initialize_ms: f64,
    /// From the spawn to the first 2xx answer, in milliseconds.
    pub(crate) first_served_ms: f64,
    /// From the spawn to the first notification, in milliseconds. A host that holds a backlog back
    /// until the client listens shows that here.
    pub(crate) first_notified_ms: f64,
    /// At rest, after the first event.
    pub(crate) memory_at_rest: Memory,
    /// Right after the throughput measurement.
    pub(crate) memory_after_load: Memory,
    /// From sending to the notification, events one after another, in microseconds.
    pub(crate) latency_p50_us: f64,
    /// As above.
    pub(crate) latency_p99_us: f64,
    /// Events a second, until the last notification was seen.
    pub(crate) notified_per_second: f64,
    /// Events a second, until the last request was answered.
    pub(crate) answered_per_second: f64,
    /// Processor time of the server's process tree for one event under load, in microseconds.
    pub(crate) server_cpu_us: f64,
    /// That of this program, which shares the machine with the server.
    pub(crate) client_cpu_us: f64,
    /// What became of the events.
    pub(crate) account: Account,
}

/// What became of the events. `missing` and `duplicate` are counted over all events of a run, the
/// other fields over those of the throughput measurement, since a fault in the others ends the run.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Account {
    pub(crate) events: usize,
    /// Answered with 2xx.
    pub(crate) answered: usize,
    /// Answered otherwise, and lost.
    pub(crate) refused: usize,
    /// Not answered: the connection broke or the answer took too long.
    pub(crate) broken: usize,
    /// Answers of 503 after which the event was sent again.
    pub(crate) repeated: usize,
    /// Never notified.
    pub(crate) missing: usize,
    /// Notified more than once.
    pub(crate) duplicate: usize,
}

impl Account {
    /// Adds what another one counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.answered += other.answered;
        self.refused += other.refused;
        self.broken += other.broken;
        self.repeated += other.repeated;
        self.missing += other.missing;
        self.duplicate += other.duplicate;
    }

    /// Whether each event was answered with 2xx and notified exactly once.
    pub(crate) fn is_faultless(&self) -> bool {
        self.answered == self.events && self.missing == 0 && self.duplicate == 0
    }
}

/// One figure of a run, as the tables show it.
#[derive(Debug)]
pub(crate) struct Figure<R = Run> {
    /// The key of its median in JSON.
    pub(crate) key: &'static str,
    /// Its name and unit in a table.
    pub(crate) label: &'static str,
    /// Digits after the point in a table.
    pub(crate) digits: usize,
    /// Takes it from a run.
    pub(crate) of: fn(&R) -> f64,
}

/// All figures, in the tables' order.
pub(crate) const FIGURES: &[Figure] = &[
    figure("initialize_ms", "spawn to initialize, ms", 1, |run| run.initialize_ms),
    figure("first_served_ms", "spawn to first served, ms", 1, |run| run.first_served_ms),
    figure("first_notified_ms", "spawn to first notified, ms", 1, |run| run.first_notified_ms),
    figure("rss_at_rest_mib", "RSS at rest, MiB", 1, |run| mebibytes(run.memory_at_rest.resident)),
    figure("pss_at_rest_mib", "PSS at rest, MiB", 1, |run| mebibytes(run.memory_at_rest.proportional)),
    figure("rss_after_load_mib", "RSS after load, MiB", 1, |run| mebibytes(run.memory_after_load.resident)),
    figure("latency_p50_us", "POST to notification p50, µs", 0, |run| run.latency_p50_us),
    figure("latency_p99_us", "POST to notification p99, µs", 0, |run| run.latency_p99_us),
    figure("notified_per_second", "events notified a second", 0, |run| run.notified_per_second),
    figure("answered_per_second", "events answered a second", 0, |run| run.answered_per_second),
    figure("server_cpu_us", "server CPU an event, µs", 1, |run| run.server_cpu_us),
    figure("client_cpu_us", "(this client's CPU an event, µs)", 1, |run| run.client_cpu_us),
];

/// A figure by its key, its label, the digits after the point and what takes it from a run.
pub(crate) const fn figure<R>(key: &'static str, label: &'static str, digits: usize, of: fn(&R) -> f64) -> Figure<R> {
    Figure { key, label, digits, of }
}

/// All runs of one side of a measurement.
#[derive(Debug, Serialize)]
pub(crate) struct SideResult<S, R> {
    pub(crate) side: S,
    pub(crate) runs: Vec<R>,
    /// By the keys of the figures.
    pub(crate) medians: BTreeMap<&'static str, f64>,
}

impl<S, R> SideResult<S, R> {
    /// A side that was not measured yet.
    pub(crate) fn new(side: S) -> Self {
        Self { side, runs: Vec::new(), medians: BTreeMap::new() }
    }

    /// Takes the medians of all runs.
    pub(crate) fn sum_up(&mut self, figures: &[Figure<R>]) {
        let values = |of: fn(&R) -> f64| self.runs.iter().map(of).collect::<Vec<_>>();
        self.medians = figures.iter().map(|figure| (figure.key, median(&values(figure.of)))).collect();
    }
}

/// KiB as MiB.
#[allow(clippy::cast_precision_loss, reason = "sizes of processes are far below 2^52 KiB")]
pub(crate) fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
