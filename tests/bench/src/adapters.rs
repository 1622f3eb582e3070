//! Memory at rest by the number of idle adapters: copies of the bundled webhook adapter that differ
//! in their name only, all granted, with no event ever sent.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use memchr::memmem;
use serde::Serialize;
use serde_json::Value;

use crate::arguments::{AdaptersArguments, free_port, loopback};
use crate::arrivals::{Arrivals, watch};
use crate::figures::mebibytes;
use crate::handshake::shake_hands;
use crate::home::Home;
use crate::process_tree::{self, Memory};
use crate::server::Server;

/// The line of the bundled adapter's manifest that the copies differ in. That `version` follows
/// tells it from other texts.
const NAME_LINE: &[u8] = b"name = \"webhook\"\nversion";
/// The most adapters: so many names are `copy` and three digits.
pub(crate) const MOST: u16 = 1000;
/// How long all adapters may take until they run.
const PATIENCE: Duration = Duration::from_secs(120);

/// The memory with one number of adapters.
#[derive(Debug, Serialize)]
pub(crate) struct AtRest {
    pub(crate) adapters: u16,
    pub(crate) memory: Memory,
    /// Proportional set that each adapter beyond those of the first measurement adds, in MiB; none
    /// for the first.
    pub(crate) further_mib: Option<f64>,
}

/// Measures every number of adapters, the smallest first. Progress goes to standard error.
///
/// # Errors
/// If there is no component, if an adapter is not allowed to run, or if one does not run.
pub(crate) fn adapters(settings: &AdaptersArguments) -> Result<Vec<AtRest>> {
    let path = settings.component.clone().map_or_else(newest_component, Ok)?;
    let component = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let address = loopback(free_port()?);
    let home = Home::new(&settings.sluicegate, &format!("listen = \"{address}\"\n"), &[])?;
    let mut counts = settings.counts.clone();
    counts.sort_unstable();
    counts.dedup();
    let mut results: Vec<AtRest> = Vec::new();
    for count in counts {
        let present = results.last().map_or(0, |last| last.adapters);
        for number in present..count {
            eprintln!("allowing adapter {} of {count}", number + 1);
            let name = format!("copy{number:03}");
            home.drop_component(&name, &renamed(&component, &name)?)?;
            home.allow(&name)?;
        }
        eprintln!("measuring {count}");
        let memory = measure(&home, count, settings.rest)?;
        let further_mib = results.first().map(|first| {
            let more = mebibytes(memory.proportional) - mebibytes(first.memory.proportional);
            more / f64::from(count - first.adapters)
        });
        results.push(AtRest { adapters: count, memory, further_mib });
    }
    Ok(results)
}

/// Starts a session and reads its memory when all adapters have run for `rest`.
fn measure(home: &Home, count: u16, rest: Duration) -> Result<Memory> {
    let command = home.serve("sluicegate");
    let (others, lines) = channel();
    let (mut server, stdout) = Server::start(&command)?;
    // No event is sent; what matters is that somebody reads.
    watch(stdout, "no event", Arc::new(Arrivals::new(0)), others)?;
    let at_rest = |server: &mut Server| {
        shake_hands(server, &lines)?;
        wait_until_running(home, usize::from(count))?;
        std::thread::sleep(rest);
        process_tree::memory(server.process())
    };
    at_rest(&mut server).with_context(|| format!("{count} adapters: {}", server.complaints()))
}

fn wait_until_running(home: &Home, count: usize) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let status: Value = serde_json::from_slice(&home.run(&["status", "--json"])?)?;
        let adapters = status["leader"]["adapters"].as_array().map_or(&[][..], Vec::as_slice);
        if let Some(adapter) = adapters.iter().find(|adapter| adapter["reason"].is_string()) {
            bail!("{} does not run: {}", adapter["name"], adapter["reason"]);
        }
        let running = adapters.iter().filter(|adapter| adapter["state"] == "running").count();
        if running == count {
            return Ok(());
        }
        ensure!(Instant::now() < end, "after {PATIENCE:?} only {running} of {count} adapters run");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The component under another name of as many letters.
fn renamed(component: &[u8], name: &str) -> Result<Vec<u8>> {
    let line = format!("name = \"{name}\"\nversion");
    ensure!(line.len() == NAME_LINE.len(), "{name} has not as many letters as the component's own name");
    let mut places = memmem::find_iter(component, NAME_LINE);
    let (Some(place), None) = (places.next(), places.next()) else {
        bail!("the component is not the bundled webhook adapter: its manifest does not have the name once");
    };
    let mut copy = component.to_vec();
    copy[place..place + line.len()].copy_from_slice(line.as_bytes());
    Ok(copy)
}

/// The webhook component that a build in this directory has made last.
fn newest_component() -> Result<PathBuf> {
    let mut newest: Option<(SystemTime, PathBuf)> = None;
    for profile in ["release", "debug"] {
        let Ok(builds) = fs::read_dir(Path::new("target").join(profile).join("build")) else {
            continue;
        };
        for build in builds {
            let path = build?.path().join("out/guests/wasm32-wasip2/release/webhook.wasm");
            let made = fs::metadata(&path).and_then(|metadata| metadata.modified());
            if let Ok(made) = made
                && newest.as_ref().is_none_or(|(time, _)| made > *time)
            {
                newest = Some((made, path));
            }
        }
    }
    let (_, path) = newest.context("no built webhook.wasm below target/; build sluicegate, or give --component")?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_name_changes() {
        let component = b"\0name = \"webhook\"\nversion = \"1\"\nprofile = \"webhook\"\n\xff";
        let expected = b"\0name = \"copy007\"\nversion = \"1\"\nprofile = \"webhook\"\n\xff";
        assert_eq!(renamed(component, "copy007").unwrap(), expected);
    }

    #[test]
    fn a_component_without_that_name_is_refused() {
        let twice = [NAME_LINE, NAME_LINE].concat();
        for (component, name) in [(&b""[..], "copy000"), (&twice, "copy000"), (NAME_LINE, "longer-name")] {
            assert!(renamed(component, name).is_err());
        }
    }
}
