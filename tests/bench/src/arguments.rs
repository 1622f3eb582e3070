//! The command line.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, ValueEnum};

use crate::adapters::MOST;
use crate::measure::{Plan, Target};
use crate::poll::PollSide;
use crate::server::ServerCommand;

/// The secret that events are signed with unless another is given. It protects nothing.
pub(crate) const SECRET: &str = "benchmark-secret";

/// Measures stdio channel servers that take POSTs.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Subcommand,
}

/// What to measure.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Measure one server, given as a command
    Run(RunArguments),
    /// Measure Sluicegate and the Bun baseline, interleaved, and print the medians side by side
    Compare(CompareArguments),
    /// Measure Sluicegate's memory at rest with so many idle adapters
    Adapters(AdaptersArguments),
    /// Measure the bundled Telegram adapter against a fake of the Bot API: latency and updates a second
    ///
    /// Each round gives every side a fresh home and a fake platform twice. First single messages: the time from
    /// handing the update out (right before the fake writes its answer to getUpdates) to the notification on the
    /// server's standard output; the next message is sent when the next poll waits. With the default burst this is
    /// the pause that ends a burst, 300 ms, by design. Then updates that gather while the platform cannot be
    /// reached, and come in answers of a hundred once it can: each must be notified exactly once and confirmed, or the
    /// command fails. They are counted from handing the first one out to the last one's notification (with the default
    /// burst its pause is in that). The fake runs in this process and on the same machine.
    Poll(PollArguments),
}

/// How much load to apply, and how to print the result.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlanArguments {
    /// Events of the throughput measurement
    #[arg(long, default_value_t = 20_000)]
    events: usize,
    /// Keep-alive connections of the throughput measurement
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// Events of the latency measurement, sent one after another
    #[arg(long, default_value_t = 2_000)]
    latency_events: usize,
    /// Events sent before the latency measurement
    #[arg(long, default_value_t = 200)]
    warm_up: usize,
    /// Seconds between the first served event and the reading of the memory at rest
    #[arg(long, default_value = "2", value_parser = seconds)]
    rest: Duration,
    /// Seconds without a new notification after which those that are missing are given up
    #[arg(long, default_value = "10", value_parser = seconds)]
    patience: Duration,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl PlanArguments {
    /// The plan that these arguments describe.
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            warm_up: self.warm_up,
            latency_events: self.latency_events,
            events: self.events,
            connections: usize::from(self.connections),
            rest: self.rest,
            patience: self.patience,
        }
    }
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Name of the server in the table
    #[arg(long, default_value = "server")]
    name: String,
    /// Variable added to the server's environment; `{port}` stands for the port
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = name_and_value)]
    environment: Vec<(String, String)>,
    /// The server's working directory
    #[arg(long)]
    cwd: Option<PathBuf>,
    /// The loopback port that the server will listen on; a free one by default
    #[arg(long)]
    port: Option<u16>,
    /// Path that the events are posted to
    #[arg(long, default_value = "/")]
    path: String,
    /// Secret of the `X-Hub-Signature-256` header
    #[arg(long, default_value = SECRET)]
    secret: String,
    #[command(flatten)]
    pub(crate) plan: PlanArguments,
    /// The server's command; `{port}` stands for the port
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

impl RunArguments {
    /// The server to start and where to send its events.
    pub(crate) fn server(&self) -> Result<(ServerCommand, Target)> {
        let port = self.port.map_or_else(free_port, Ok)?;
        let fill = |text: &String| text.replace("{port}", &port.to_string());
        let mut words = self.command.iter().map(fill);
        let command = ServerCommand {
            name: self.name.clone(),
            program: words.next().context("the server's command is empty")?.into(),
            arguments: words.collect(),
            environment: self.environment.iter().map(|(name, value)| (name.clone(), fill(value))).collect(),
            directory: self.cwd.clone(),
        };
        let target = Target { address: loopback(port), path: self.path.clone(), secret: self.secret.clone() };
        Ok((command, target))
    }
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// The sluicegate binary, built for release
    #[arg(long, default_value = "target/release/sluicegate")]
    pub(crate) sluicegate: PathBuf,
    /// Directory of the Bun baseline, where `npm install` has run
    #[arg(long, default_value = "tests/bench/baseline")]
    pub(crate) baseline: PathBuf,
    /// Rounds; each measures every side once
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    /// Sides to measure, in this order
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Side::Bun, Side::Sluicegate, Side::Power])]
    pub(crate) sides: Vec<Side>,
    #[command(flatten)]
    pub(crate) plan: PlanArguments,
}

/// Arguments of `adapters`.
#[derive(Debug, Args)]
pub(crate) struct AdaptersArguments {
    /// The sluicegate binary, built for release
    #[arg(long, default_value = "target/release/sluicegate")]
    pub(crate) sluicegate: PathBuf,
    /// Numbers of adapters; they are measured from the smallest to the largest
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100],
          value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST)))]
    pub(crate) counts: Vec<u16>,
    /// The bundled webhook component; by default the newest that a build has left below target/
    #[arg(long)]
    pub(crate) component: Option<PathBuf>,
    /// Seconds from when all adapters run to the reading of the memory. An adapter keeps the instance that it
    /// started with until it was idle for half a minute
    #[arg(long, default_value = "3", value_parser = seconds)]
    pub(crate) rest: Duration,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `poll`.
#[derive(Debug, Args)]
pub(crate) struct PollArguments {
    /// The sluicegate binary, built for release
    #[arg(long, default_value = "target/release/sluicegate")]
    pub(crate) sluicegate: PathBuf,
    /// Rounds; each measures every side once
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    /// Sides to measure, in this order
    #[arg(long, value_enum, value_delimiter = ',',
          default_values_t = [PollSide::Single, PollSide::Burst, PollSide::Power])]
    pub(crate) sides: Vec<PollSide>,
    /// Updates that gather
    #[arg(long, default_value = "20000", value_parser = at_least_one)]
    pub(crate) updates: usize,
    /// Messages of the latency measurement, sent one after another
    #[arg(long, default_value = "300", value_parser = at_least_one)]
    pub(crate) messages: usize,
    /// The same with the default burst, where each takes a third of a second
    #[arg(long, default_value = "40", value_parser = at_least_one)]
    pub(crate) burst_messages: usize,
    /// Messages sent before the latency measurement
    #[arg(long, default_value_t = 10)]
    pub(crate) warm_up: usize,
    /// Seconds without a new notification after which those that are missing are given up
    #[arg(long, default_value = "10", value_parser = seconds)]
    pub(crate) patience: Duration,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// One column of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    /// The hand-written channel on Bun
    Bun,
    /// Sluicegate as it is by default
    Sluicegate,
    /// Sluicegate with `durability = "power"`
    Power,
}

/// A loopback port that nothing listens on now. Another process could take it before the server does;
/// the server's start then fails and says so.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(loopback(0)).context("no free loopback port")?;
    Ok(listener.local_addr()?.port())
}

/// The loopback address with this port.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "must be a number of seconds")?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "must be a whole number from 1 on".to_owned())
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_port_is_filled_into_arguments_and_environment() {
        let line = "bench run --port 4242 --env PORT={port} -- serve --listen 127.0.0.1:{port}";
        let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
        let Subcommand::Run(run) = arguments.command else { unreachable!() };
        let (command, target) = run.server().unwrap();
        assert_eq!(command.arguments, ["--listen", "127.0.0.1:4242"]);
        assert_eq!(command.environment, [("PORT".to_owned(), "4242".to_owned())]);
        assert_eq!(target.address, loopback(4242));
    }
}
