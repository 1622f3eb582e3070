//! What one sandboxed call costs: an event handled by a fresh instance each, and by one that is kept.
//!
//! ```text
//! cargo build --release --workspace --bins --examples
//! target/release/examples/sandbox_cost target/release/sluicegate [FRESH [REUSED]]
//! ```
//!
//! The first argument is the program that compiles, in its child process. FRESH and REUSED are numbers of calls,
//! 2,000 and 20,000 by default. The adapter is the bundled webhook adapter, the event a `ping` as GitHub sends it;
//! every call must deliver one message. Evidence and event are made before the clock starts, the end of a fresh
//! instance counts.

use std::{
    io::Write as _,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail, ensure};
use bytes::Bytes;
use sluicegate::{
    adapters::{Catalogue, Origin},
    clock::now_ms,
    evidence::{Context, Evidence},
    grants::Grants,
    home::Home,
    limits::Limits,
    sandbox::{Compiler, Instance, Nowhere, Program, Purpose, Sandbox, types},
};

/// The program's own allocator.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const BODY: &[u8] =
    br#"{"zen":"Keep it logically awesome.","hook_id":1,"hook":{"type":"Repository","id":1,"name":"web",
"active":true,"events":["push"]},"repository":{"id":1,"full_name":"octo/hello"},"sender":{"login":"octocat","id":1}}"#;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let compiler = arguments.next().context("usage: sandbox_cost PATH_TO_SLUICEGATE [FRESH [REUSED]]")?;
    let compiler = PathBuf::from(compiler).canonicalize().context("the first argument is the sluicegate program")?;
    let mut calls = |default| match arguments.next() {
        Some(number) => number.to_string_lossy().parse().context("not a number of calls"),
        None => anyhow::Ok(default),
    };
    let (fresh, reused): (usize, usize) = (calls(2_000)?, calls(20_000)?);
    ensure!(fresh > 0 && reused > 0, "at least one call is needed");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let temporary = tempfile::tempdir()?;
        let program = webhook(Home::at(temporary.path())?, compiler).await?;
        let fresh = fresh_instances(&program, fresh).await?;
        let reused = one_instance(&program, reused).await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{:<16} {:>8} {:>12} {:>12}", "one call", "calls", "median, µs", "p99, µs")?;
        for (name, mut times) in [("fresh instance", fresh), ("reused instance", reused)] {
            times.sort_unstable();
            let (median, p99) = (percentile(&times, 50), percentile(&times, 99));
            writeln!(out, "{name:<16} {:>8} {median:>12.1} {p99:>12.1}", times.len())?;
        }
        Ok(())
    })
}

/// The bundled webhook adapter, compiled and loaded under its own contract.
async fn webhook(home: Home, compiler: PathBuf) -> anyhow::Result<Program> {
    let sandbox = Sandbox::new(true)?;
    let compiler = Compiler::new(home.cache(), compiler, sandbox.engine())?;
    let candidates = Catalogue::new(home, Arc::clone(&sandbox), compiler.clone()).look(&Grants::default()).await;
    let webhook = candidates.into_iter().find(|candidate| candidate.origin == Origin::Bundled("webhook"));
    let webhook = webhook.context("there is no bundled webhook adapter")?;
    let compiled = compiler.compile(&webhook.bytes()?).await?;
    let said = webhook.said.map_err(|reason| anyhow!("the webhook adapter cannot be used: {reason}"))?;
    Ok(sandbox.load(&compiled)?.program(said.contract, Limits::default()))
}

/// The times of calls that each have an instance of their own.
async fn fresh_instances(program: &Program, calls: usize) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(calls);
    for number in 0..calls {
        let (evidence, event) = ping(number);
        let start = Instant::now();
        let mut instance = program.instantiate().await?;
        handle(&mut instance, evidence, &event).await?;
        drop(instance);
        times.push(start.elapsed());
    }
    Ok(times)
}

/// The times of calls that share an instance.
async fn one_instance(program: &Program, calls: usize) -> anyhow::Result<Vec<Duration>> {
    let mut instance = program.instantiate().await?;
    let mut times = Vec::with_capacity(calls);
    for number in 0..calls {
        let (evidence, event) = ping(number);
        let start = Instant::now();
        handle(&mut instance, evidence, &event).await?;
        times.push(start.elapsed());
    }
    Ok(times)
}

async fn handle(instance: &mut Instance, evidence: Arc<Evidence>, event: &types::Event) -> anyhow::Result<()> {
    let ended = instance.handle(Purpose::Handle(Some(evidence)), Arc::new(Nowhere), event).await?;
    if let Err(failure) = ended.returned {
        bail!("the adapter failed: {failure:?}");
    }
    let effects = ended.effects;
    ensure!(effects.deliveries.len() == 1, "the event was not delivered once: {effects:?}");
    Ok(())
}

/// GitHub's ping with this number, as the listener hands it on.
fn ping(number: usize) -> (Arc<Evidence>, types::Event) {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let context = Context {
        credential: Some("ci".to_owned()),
        signed: Some(format!("ping-{number}")),
        headers: vec![header("content-type", "application/json"), header("x-github-event", "ping")],
        path: "/ci".to_owned(),
        matches: vec!["ci".to_owned()],
        received_ms: now_ms(),
        ..Context::default()
    };
    let event = types::Event::Requested(types::RouteRequest {
        item: types::Item { source: "hook".to_owned(), connection: None, body: BODY.to_vec() },
        method: "POST".to_owned(),
        path: context.path.clone(),
        query: Vec::new(),
        headers: context.headers.clone(),
        credential: "ci".to_owned(),
        files: Vec::new(),
    });
    (Arc::new(Evidence::new("hook".to_owned(), Bytes::from_static(BODY), context)), event)
}

/// Microseconds by nearest rank; `sorted` is not empty.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}
