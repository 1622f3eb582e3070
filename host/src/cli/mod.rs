//! The command line: one file for each subject, and here the words that they share.

mod access;
mod adapters;
mod approvers;
mod arguments;
mod declared;
mod doctor;
mod import;
mod logs;
mod pairing;
mod permissions;
mod screen;
mod secret;
mod setup;
mod status;

use std::io::{self, Write as _};

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser as _};

use crate::{
    demo, gate,
    home::Home,
    logging::{self, Role},
    sandbox, serve,
};
use arguments::{Cli, Command};

/// Runs the command that the process was started with; gives its exit code.
///
/// # Errors
/// What went wrong, for the user: `main` prints it.
pub fn run() -> anyhow::Result<i32> {
    // The compiler's child knows nothing of homes and settings.
    if std::env::args_os().nth(1).is_some_and(|first| first == sandbox::COMPILE_COMMAND) {
        return sandbox::compile_child().context("the compiler's input or output failed");
    }
    match command(Cli::parse().command) {
        // Who reads the output has seen enough: `sluicegate log | head`.
        Err(error) if is_closed_output(&error) => Ok(0),
        ended => ended,
    }
}

fn command(command: Command) -> anyhow::Result<i32> {
    if let Command::Completions { shell } = command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "sluicegate", &mut script);
        io::stdout().lock().write_all(&script)?;
        return Ok(0);
    }
    if let Command::Demo(options) = command {
        return demo::run(&options);
    }
    let home = Home::open()?;
    // `serve` has a log of its own.
    let _logging = match command {
        Command::Serve { .. } => None,
        _ => Some(logging::init(&home, Role::Command)?),
    };
    match command {
        Command::Serve { only } => serve::run(home, only),
        Command::List { json } => adapters::list(&home, json),
        Command::Inspect { target, json } => adapters::inspect(&home, &target, json),
        Command::Allow(options) => adapters::allow(&home, &options),
        Command::Revoke { name, forget, yes } => adapters::revoke(&home, &name, forget, yes),
        Command::Pair { code, approver, yes } => pairing::pair(&home, &code, role(approver), yes),
        Command::Deny { code } => pairing::deny(&home, &code),
        Command::Invite { name, revoke: true, .. } => pairing::revoke(&home, &name),
        Command::Invite { name, approver, .. } => pairing::invite(&home, &name, role(approver)),
        Command::Access { name, change } => access::run(&home, &name, change.as_ref()),
        Command::Secret { name, json, change } => secret::run(&home, &name, change.as_ref(), json),
        Command::Import { name, from, approvers, yes, json } => {
            import::run(&home, name.as_ref(), from.as_deref(), import::Asking { yes, approvers, json })
        }
        Command::Status { json } => status::run(&home, json),
        Command::Retry { ids } => status::retry(&home, &ids),
        Command::Log { follow, lines, permissions: true, json, .. } => {
            permissions::run(&home, permissions::Showing { follow, json, requests: lines })
        }
        Command::Log { follow, adapter, lines, .. } => logs::run(&home, follow, adapter.as_ref(), lines),
        Command::Doctor { json } => doctor::run(&home, json),
        Command::Setup { name, write, only } => setup::run(&home, &name, write, &only),
        Command::Demo(_) | Command::Completions { .. } => Ok(0),
    }
}

fn role(approver: bool) -> gate::Role {
    if approver { gate::Role::Approver } else { gate::Role::Speaker }
}

fn is_closed_output(error: &anyhow::Error) -> bool {
    let closed = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref::<io::Error>().is_some_and(closed)
}
