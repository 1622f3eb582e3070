//! Telegram's way in: the bundled adapter polls a strict fake of the Bot API, which runs in this process.
//!
//! Each side is measured twice a round, with a home and a fake of its own each time: messages one after another (how
//! long after it was handed out is each notified?), and many that gather while the platform cannot be reached (how fast
//! do they come through the one source then, and does each come once?).

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use serde::Serialize;
use sluicegate_tests::telegram::{Post, Telegram, View};

use crate::arguments::{PollArguments, free_port, loopback};
use crate::arrivals::{Arrivals, watch};
use crate::event::fresh_marker;
use crate::figures::{Figure, SideResult, figure, mebibytes};
use crate::handshake::shake_hands;
use crate::home::Home;
use crate::measure::{GRACE, microseconds, rate, share};
use crate::process_tree::{self, Memory};
use crate::server::Server;
use crate::statistics::percentile;

/// How long one message, or the first poll, may take before the run fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// One column of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PollSide {
    /// Every message is an event of its own
    Single,
    /// As it is by default: what a sender says in quick succession is one event
    Burst,
    /// As `single`, with `durability = "power"`
    Power,
}

impl PollSide {
    /// What tables and messages call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Single => "burst off",
            Self::Burst => "default burst",
            Self::Power => "burst off, power",
        }
    }

    fn settings(self) -> (&'static str, &'static str) {
        const OFF: &str = "[adapters.telegram]\nburst = { quiet-ms = 0, longest-ms = 0 }\n";
        match self {
            Self::Single => ("", OFF),
            Self::Burst => ("", ""),
            Self::Power => ("durability = \"power\"\n", OFF),
        }
    }
}

/// The figures of one round of one side.
#[derive(Debug, Serialize)]
pub(crate) struct PollRun {
    /// From handing the update out to its notification, messages one after another, in microseconds. That the fake
    /// writes its answer and this program reads the notification is in it.
    pub(crate) latency_p50_us: f64,
    /// As above.
    pub(crate) latency_p95_us: f64,
    /// From handing the first of many updates out to the notification of the last.
    pub(crate) updates_per_second: f64,
    /// Processor time of the server's process tree for one of these updates, in microseconds.
    pub(crate) server_cpu_us: f64,
    /// That of this program, which is the platform and shares the machine with the server.
    pub(crate) client_cpu_us: f64,
    /// Right after the last of many.
    pub(crate) memory_after_load: Memory,
    /// `getUpdates` for them.
    pub(crate) polls: u64,
    /// `sendChatAction` meanwhile: the host shows that an answer is being written.
    pub(crate) typing: usize,
    /// What became of the many updates.
    pub(crate) account: PollAccount,
}

/// What became of the updates that gathered.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct PollAccount {
    pub(crate) updates: usize,
    /// Never notified.
    pub(crate) missing: usize,
    /// Notified more than once.
    pub(crate) duplicate: usize,
    /// Never confirmed: the platform would give them again.
    pub(crate) unconfirmed: usize,
}

impl PollAccount {
    /// Adds what another one counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.updates += other.updates;
        self.missing += other.missing;
        self.duplicate += other.duplicate;
        self.unconfirmed += other.unconfirmed;
    }

    /// Whether each update was notified exactly once and confirmed.
    pub(crate) fn is_faultless(&self) -> bool {
        self.missing == 0 && self.duplicate == 0 && self.unconfirmed == 0
    }
}

/// All figures, in the table's order.
pub(crate) const POLL_FIGURES: &[Figure<PollRun>] = &[
    figure("latency_p50_us", "handed out to notification p50, µs", 0, |run| run.latency_p50_us),
    figure("latency_p95_us", "handed out to notification p95, µs", 0, |run| run.latency_p95_us),
    figure("updates_per_second", "gathered updates notified a second", 0, |run| run.updates_per_second),
    figure("server_cpu_us", "server CPU an update, µs", 1, |run| run.server_cpu_us),
    figure("client_cpu_us", "(the fake platform's CPU an update, µs)", 1, |run| run.client_cpu_us),
    figure("rss_after_load_mib", "RSS after load, MiB", 1, |run| mebibytes(run.memory_after_load.resident)),
];

/// The result of `poll`.
#[derive(Debug, Serialize)]
pub(crate) struct Polled {
    pub(crate) sides: Vec<SideResult<PollSide, PollRun>>,
}

impl Polled {
    /// Whether every update of every run was notified once and confirmed.
    pub(crate) fn is_faultless(&self) -> bool {
        self.sides.iter().flat_map(|side| &side.runs).all(|run| run.account.is_faultless())
    }
}

/// Measures every side once a round. Progress goes to standard error.
///
/// # Errors
/// If the server cannot be started, if it does not poll, or if a message is lost that was sent alone.
pub(crate) fn poll(settings: &PollArguments) -> Result<Polled> {
    let mut sides: Vec<_> = settings.sides.iter().map(|side| SideResult::new(*side)).collect();
    for round in 1..=settings.rounds {
        for result in &mut sides {
            let side = result.side;
            eprintln!("round {round} of {}: {}", settings.rounds, side.name());
            let run = measure(side, settings).with_context(|| side.name())?;
            result.runs.push(run);
        }
    }
    for result in &mut sides {
        result.sum_up(POLL_FIGURES);
    }
    Ok(Polled { sides })
}

fn measure(side: PollSide, settings: &PollArguments) -> Result<PollRun> {
    // A burst waits for what might follow it: fewer messages, or it takes minutes.
    let messages = if side == PollSide::Burst { settings.burst_messages } else { settings.messages };
    let latencies = one_after_another(&Bot::new(side, &settings.sluicegate)?, settings.warm_up, messages)?;
    let mut run = many_at_once(&Bot::new(side, &settings.sluicegate)?, settings.updates, settings.patience)?;
    run.latency_p50_us = microseconds(percentile(&latencies, 50));
    run.latency_p95_us = microseconds(percentile(&latencies, 95));
    Ok(run)
}

/// Messages, each of which is sent when the one before has been notified and the next poll waits.
fn one_after_another(bot: &Bot, warm_up: usize, messages: usize) -> Result<Vec<Duration>> {
    let mut session = bot.serve(warm_up + messages)?;
    let each = (0..warm_up + messages).map(|number| {
        bot.wait_for_poll()?;
        let update = bot.post(number);
        let seen = session.arrivals.wait_for(number, PATIENCE);
        let seen = seen.with_context(|| format!("message {number} was never notified"))?;
        let handed_out = bot.telegram.look(|view| view.handed_out(update));
        let handed_out = handed_out.with_context(|| format!("message {number} was never handed out"))?;
        Ok(seen.saturating_duration_since(handed_out))
    });
    let latencies: Result<Vec<_>> = each.collect();
    let mut latencies = latencies.with_context(|| session.server.complaints())?;
    latencies.drain(..warm_up);
    Ok(latencies)
}

/// Messages that gather while the platform cannot be reached, up to a hundred of them in each answer once it can. The
/// session is under way by then: at its start the host holds back what waits until the client listens. The latencies
/// are left at zero.
fn many_at_once(bot: &Bot, updates: usize, patience: Duration) -> Result<PollRun> {
    let mut session = bot.serve(1 + updates)?;
    let run = gathered(bot, &session, updates, patience);
    run.with_context(|| session.server.complaints())
}

fn gathered(bot: &Bot, session: &Session, updates: usize, patience: Duration) -> Result<PollRun> {
    let Session { server, arrivals } = session;
    bot.wait_for_poll()?;
    bot.post(0);
    arrivals.wait_for(0, PATIENCE).context("the first message was never notified")?;
    bot.wait_for_poll()?;
    bot.telegram.stop();
    let first = bot.post(1);
    let last = (2..=updates).fold(first, |_, number| bot.post(number));
    let seen = || bot.telegram.look(|view| (view.polls(), view.count("sendChatAction")));
    let used = || (process_tree::processor_time(server.process()), process_tree::own_processor_time());
    let (seen_before, used_before) = (seen(), used());
    bot.telegram.listen();
    let start = bot.telegram.wait_until(Instant::now() + PATIENCE, |view| view.handed_out(first));
    let start = start.with_context(|| format!("the adapter did not poll again within {PATIENCE:?}"))?;
    arrivals.wait_for_distinct(1 + updates, patience);
    let (seen_after, used_after) = (seen(), used());
    let memory_after_load = process_tree::memory(server.process())?;
    let confirmed = |view: &View<'_>| (view.confirmed() > last).then_some(());
    let confirmed = bot.telegram.wait_until(Instant::now() + patience, confirmed);
    let unconfirmed = if confirmed.is_some() { 0 } else { bot.telegram.look(|view| view.pending().len()) };
    std::thread::sleep(GRACE);
    let account = PollAccount {
        updates,
        missing: (1..=updates).filter(|number| arrivals.times(*number) == 0).count(),
        duplicate: (1..=updates).filter(|number| arrivals.times(*number) > 1).count(),
        unconfirmed,
    };
    let notified = (1..=updates).filter_map(|number| arrivals.first(number)).max();
    Ok(PollRun {
        latency_p50_us: 0.0,
        latency_p95_us: 0.0,
        updates_per_second: rate(updates - account.missing, start, notified.unwrap_or(start)),
        server_cpu_us: share(used_after.0.saturating_sub(used_before.0), updates),
        client_cpu_us: share(used_after.1.saturating_sub(used_before.1), updates),
        memory_after_load,
        polls: seen_after.0 - seen_before.0,
        typing: seen_after.1 - seen_before.1,
        account,
    })
}

/// A fake platform with a user who may speak, and a fresh home in which the adapter is allowed.
struct Bot {
    telegram: Telegram,
    alice: i64,
    marker: String,
    home: Home,
}

impl Bot {
    fn new(side: PollSide, program: &Path) -> Result<Self> {
        let telegram = Telegram::start();
        let alice = telegram.add_user("Alice");
        let address = loopback(free_port()?);
        let (top, table) = side.settings();
        let api = telegram.url();
        let configuration =
            format!("listen = \"{address}\"\n{top}\n{table}\n[adapters.telegram.config]\napi = \"{api}\"\n");
        let home = Home::new(program, &configuration, &[("TELEGRAM_BOT_TOKEN", &telegram.token())])?;
        home.allow("telegram")?;
        home.run(&["access", "telegram", "allow", &alice.to_string()])?;
        Ok(Self { telegram, alice, marker: fresh_marker()?, home })
    }

    /// Alice writes; gives the `update_id`.
    fn post(&self, number: usize) -> i64 {
        let text = format!("Is the deployment through? The log stops at trace {}{number:08}.", self.marker);
        self.telegram.post(Post::text(self.alice, &text)).update
    }

    fn wait_for_poll(&self) -> Result<()> {
        let polled = self.telegram.wait_until(Instant::now() + PATIENCE, |view| view.is_polled().then_some(()));
        polled.with_context(|| format!("the adapter did not poll within {PATIENCE:?}"))
    }

    /// Starts a session that is to notify of the messages `0..messages`.
    fn serve(&self, messages: usize) -> Result<Session> {
        ensure!(messages > 0, "there is no message to send");
        let arrivals = Arc::new(Arrivals::new(messages));
        let (others, lines) = channel();
        let (mut server, stdout) = Server::start(&self.home.serve("sluicegate"))?;
        watch(stdout, &self.marker, Arc::clone(&arrivals), others)?;
        shake_hands(&mut server, &lines).with_context(|| server.complaints())?;
        Ok(Session { server, arrivals })
    }
}

/// One server that runs, and what is seen of it.
struct Session {
    server: Server,
    arrivals: Arc<Arrivals>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_account_without_any_loss_is_faultless() {
        let good = PollAccount { updates: 3, ..PollAccount::default() };
        assert!(good.is_faultless());
        for bad in [
            PollAccount { missing: 1, ..good.clone() },
            PollAccount { duplicate: 1, ..good.clone() },
            PollAccount { unconfirmed: 1, ..good.clone() },
        ] {
            let mut sum = good.clone();
            sum.add(&bad);
            assert!(sum.updates == 6 && !sum.is_faultless(), "{sum:?}");
        }
    }
}
