//! `sluicegate serve`: one process for one Claude Code session, over standard input and output.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    home::Home,
    logging, mcp,
    name::AdapterName,
    outbox::{Format, Limits, Link, Wire},
    session::{Offered, Session},
};

/// For answers and the batch at hand to leave when the session ends. Claude Code waits 100 ms between signals.
const LAST_WORDS: Duration = Duration::from_millis(30);

/// For prompts that wait to say that they decide nothing any more. Claude Code kills 400 ms after its second signal.
const PROMPTS_CLOSED: Duration = Duration::from_millis(250);

/// Serves the session that this process was started for; gives the exit code.
///
/// # Errors
/// If the process itself cannot be set up; everything later is said to the session and to the log.
pub fn run(home: Home, only: Vec<AdapterName>) -> anyhow::Result<i32> {
    let _log = logging::init(&home, logging::Role::Serve)?;
    // An adapter that computes lets go every 10 ms. What has come in is looked at after so many turns, so that it
    // does not wait for the usual 61 of them.
    let runtime = tokio::runtime::Builder::new_multi_thread().event_interval(8).enable_all().build()?;
    let result = runtime.block_on(session(home, only));
    // A blocking read of standard input may never end; the process does.
    runtime.shutdown_background();
    result
}

async fn session(home: Home, only: Vec<AdapterName>) -> anyhow::Result<i32> {
    let directory = std::env::current_dir().context("the working directory is gone")?;
    let (link, output) = (Link::default(), own_stdout()?);
    let wire = Wire::start(output, Format::Notifications, link.backlog(), link.offering(), 0, Limits::default())?;
    let session = Session::new(home, only.into_iter().collect(), directory, wire.clone(), link);
    let offered = std::sync::Arc::new(Offered(std::sync::Arc::clone(&session)));
    let changed = session.tools_changed();
    let quit = mcp::serve(offered, tokio::io::stdin(), wire.clone(), mcp::Options::default(), changed, ended()?).await;
    tracing::info!("the session ended: {quit}");
    session.relay().ends(PROMPTS_CLOSED).await;
    wire.close(LAST_WORDS).await;
    if let Some(host) = session.host() {
        host.stop();
    }
    Ok(0)
}

/// Standard output for the wire alone. What anything else in the process prints goes to standard error.
fn own_stdout() -> io::Result<std::fs::File> {
    let wire: OwnedFd = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(std::fs::File::from(wire))
}

/// Resolves at the first signal that ends the process.
pub(crate) fn ended() -> io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate, mut hang_up) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}
