//! `sluicegate-bench` measures stdio channel servers that take POSTs: it plays Claude Code on their
//! standard input and output, and a platform that signs its webhooks on their port.
//!
//! `run` measures one server given as a command, `compare` measures Sluicegate beside a hand-written
//! channel on Bun (`baseline/`), interleaved. Every event is accounted for: a run in which one is
//! refused, missing or seen twice fails. `adapters` measures Sluicegate's memory with idle adapters, `poll`
//! its bundled Telegram adapter against a fake of the Bot API.

mod adapters;
mod arguments;
mod arrivals;
mod compare;
mod connection;
mod event;
mod figures;
mod handshake;
mod home;
mod load;
mod measure;
mod poll;
mod process_tree;
mod server;
mod statistics;
mod table;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::arguments::{Arguments, Subcommand};
use crate::measure::measure;

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let (text, faultless) = match arguments.command {
        Subcommand::Run(run) => {
            let (command, target) = run.server()?;
            let result = measure(&command, &target, &run.plan.plan())?;
            let text = if run.plan.json {
                serde_json::to_string_pretty(&result)?
            } else {
                table::single(&command.name, &result)
            };
            (text, result.account.is_faultless())
        }
        Subcommand::Compare(settings) => {
            let comparison = compare::compare(&settings)?;
            let text = if settings.plan.json {
                serde_json::to_string_pretty(&comparison)?
            } else {
                table::comparison(&comparison)
            };
            (text, comparison.is_faultless())
        }
        Subcommand::Adapters(settings) => {
            let results = adapters::adapters(&settings)?;
            let text = if settings.json { serde_json::to_string_pretty(&results)? } else { table::adapters(&results) };
            (text, true)
        }
        Subcommand::Poll(settings) => {
            let polled = poll::poll(&settings)?;
            let text = if settings.json { serde_json::to_string_pretty(&polled)? } else { table::polled(&polled) };
            (text, polled.is_faultless())
        }
    };
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(if faultless { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
