//! The measurement of one server, from its start to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::arrivals::{Arrivals, watch};
use crate::event::Events;
use crate::figures::{Account, Run};
use crate::handshake::shake_hands;
use crate::server::{Server, ServerCommand};
use crate::statistics::percentile;
use crate::{load, process_tree};

/// How long duplicates are waited for after the last event was seen.
pub(crate) const GRACE: Duration = Duration::from_millis(500);

/// Where events go and what they are signed with.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) secret: String,
}

/// How much of what a run does.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Events before the latency measurement.
    pub(crate) warm_up: usize,
    /// Events of the latency measurement.
    pub(crate) latency_events: usize,
    /// Events of the throughput measurement.
    pub(crate) events: usize,
    /// Connections of the throughput measurement.
    pub(crate) connections: usize,
    /// From the first served event to the reading of the memory at rest.
    pub(crate) rest: Duration,
    /// Without a new notification for this long, those that are missing are given up.
    pub(crate) patience: Duration,
}

/// Starts the server, measures it by the plan and stops it.
///
/// # Errors
/// If the server cannot be started or is no channel, or if an event outside the throughput
/// measurement is refused or lost; the message ends with what the server wrote to standard error.
pub(crate) fn measure(command: &ServerCommand, target: &Target, plan: &Plan) -> Result<Run> {
    let events = Events::new(target)?;
    let one_by_one = plan.warm_up + plan.latency_events;
    // Event 0 is the first served; all are built and signed before the server starts.
    let first: Vec<u8> = events.request(0);
    let single: Vec<_> = (1..=one_by_one).map(|number| events.request(number)).collect();
    let all = one_by_one + 1 + plan.events;
    let bulk: Arc<Vec<_>> = Arc::new((one_by_one + 1..all).map(|number| events.request(number)).collect());

    let arrivals = Arc::new(Arrivals::new(all));
    let (others, lines) = channel();
    let spawned = Instant::now();
    let (server, stdout) = Server::start(command)?;
    watch(stdout, events.marker(), Arc::clone(&arrivals), others)?;
    let mut session = Session { server, lines, arrivals, spawned, address: target.address };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(session.run(plan, &first, &single, bulk));
    result.with_context(|| format!("{}: {}", command.name, session.server.complaints()))
}

/// One server that runs, and what is seen of it.
struct Session {
    server: Server,
    lines: Receiver<Vec<u8>>,
    arrivals: Arc<Arrivals>,
    spawned: Instant,
    address: SocketAddr,
}

impl Session {
    async fn run(&mut self, plan: &Plan, first: &[u8], single: &[Vec<u8>], bulk: Arc<Vec<Vec<u8>>>) -> Result<Run> {
        let root = self.server.process();
        let since_spawn = |at: Instant| milliseconds(at.saturating_duration_since(self.spawned));
        let initialize_ms = since_spawn(shake_hands(&mut self.server, &self.lines)?);
        let first_served_ms = since_spawn(load::first_served(self.address, first).await?);

        tokio::time::sleep(plan.rest).await;
        let memory_at_rest = process_tree::memory(root)?;
        let first_notified = self.arrivals.wait_for(0, plan.patience).context("the first event was never notified")?;

        let latencies = load::one_after_another(self.address, single, 1, &self.arrivals).await?;
        let latencies = latencies.get(plan.warm_up..).unwrap_or_default();

        let mut account = Account::default();
        let before = (process_tree::processor_time(root), process_tree::own_processor_time());
        let start = Instant::now();
        let answered = load::many_at_once(self.address, bulk, plan.connections, &mut account).await?;
        let all = 1 + single.len() + plan.events;
        self.arrivals.wait_for_distinct(all, plan.patience);
        let after = (process_tree::processor_time(root), process_tree::own_processor_time());
        let memory_after_load = process_tree::memory(root)?;
        tokio::time::sleep(GRACE).await;
        account.missing = (0..all).filter(|number| self.arrivals.times(*number) == 0).count();
        account.duplicate = (0..all).filter(|number| self.arrivals.times(*number) > 1).count();
        let notified = (1 + single.len()..all).filter_map(|number| self.arrivals.first(number)).max();

        Ok(Run {
            initialize_ms,
            first_served_ms,
            first_notified_ms: since_spawn(first_notified),
            memory_at_rest,
            memory_after_load,
            latency_p50_us: microseconds(percentile(latencies, 50)),
            latency_p99_us: microseconds(percentile(latencies, 99)),
            notified_per_second: rate(plan.events - account.missing.min(plan.events), start, notified.unwrap_or(start)),
            answered_per_second: rate(account.answered, start, answered),
            server_cpu_us: share(after.0.saturating_sub(before.0), plan.events),
            client_cpu_us: share(after.1.saturating_sub(before.1), plan.events),
            account,
        })
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// A duration in microseconds.
pub(crate) fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Events a second; zero for no events or no time.
#[allow(clippy::cast_precision_loss, reason = "numbers of events are far below 2^52")]
pub(crate) fn rate(events: usize, start: Instant, end: Instant) -> f64 {
    let seconds = end.saturating_duration_since(start).as_secs_f64();
    if seconds > 0.0 { events as f64 / seconds } else { 0.0 }
}

/// Microseconds for each event.
#[allow(clippy::cast_precision_loss, reason = "numbers of events are far below 2^52")]
pub(crate) fn share(time: Duration, events: usize) -> f64 {
    if events > 0 { microseconds(time) / events as f64 } else { 0.0 }
}
