//! The server process: started with pipes as Claude Code does, and always stopped.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::process_tree;

/// How long a server may take to stop after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(3);

/// How to start a server.
#[derive(Debug, Clone)]
pub(crate) struct ServerCommand {
    /// What the table calls it.
    pub(crate) name: String,
    /// The program, by path or by name in `PATH`.
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Added to the inherited environment.
    pub(crate) environment: Vec<(String, String)>,
    /// The working directory; the inherited one if none.
    pub(crate) directory: Option<PathBuf>,
}

/// A running server. Dropping it stops the process and all its descendants.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: File,
}

impl Server {
    /// Starts the command and returns the server with its standard output.
    pub(crate) fn start(command: &ServerCommand) -> Result<(Self, ChildStdout)> {
        let stderr = tempfile::tempfile().context("no temporary file for standard error")?;
        let mut process = Command::new(&command.program);
        process
            .args(&command.arguments)
            .envs(command.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr.try_clone()?);
        if let Some(directory) = &command.directory {
            process.current_dir(directory);
        }
        let mut child =
            process.spawn().with_context(|| format!("cannot start {}: {}", command.name, command.program.display()))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("the server has no standard output")?;
        Ok((Self { child, stdin, stderr }, stdout))
    }

    /// The process at the root of the server's tree.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// The server's standard input.
    pub(crate) fn stdin(&mut self) -> Result<&mut ChildStdin> {
        self.stdin.as_mut().context("the server's standard input is closed")
    }

    /// The end of what the server wrote to standard error, for messages about a run that failed.
    pub(crate) fn complaints(&mut self) -> String {
        const LENGTH: u64 = 2_000;
        let mut tail = Vec::new();
        let end = self.stderr.seek(SeekFrom::End(0)).unwrap_or(0);
        let _ = self.stderr.seek(SeekFrom::Start(end.saturating_sub(LENGTH)));
        let _ = (&self.stderr).take(LENGTH).read_to_end(&mut tail);
        let tail = String::from_utf8_lossy(&tail);
        let tail = if tail.trim().is_empty() { "nothing" } else { tail.trim() };
        match self.child.try_wait() {
            Ok(Some(status)) => format!("the server ended ({status}) and wrote: {tail}"),
            _ => format!("the server wrote: {tail}"),
        }
    }

    /// Whether the process ended within `limit`.
    fn ended(&mut self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        loop {
            match self.child.try_wait() {
                Ok(Some(_)) => return true,
                _ if Instant::now() >= end => return false,
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let descendants = process_tree::descendants(self.child.id());
        drop(self.stdin.take());
        if !self.ended(Duration::from_millis(100)) {
            signal(self.child.id(), Signal::TERM);
            if !self.ended(PATIENCE) {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
        // Those that outlived their parent now hang below another process.
        for process in descendants.into_iter().filter(|process| process.is_running()) {
            signal(process.id(), Signal::KILL);
        }
    }
}

fn signal(process: u32, signal: Signal) {
    if let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        let _ = kill_process(process, signal);
    }
}
