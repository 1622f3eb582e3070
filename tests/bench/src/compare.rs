//! Sluicegate beside the baseline on Bun, in rounds, so that what else the machine does meets all
//! sides alike.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::arguments::{CompareArguments, SECRET, Side, free_port, loopback};
use crate::figures::{FIGURES, Run, SideResult};
use crate::home::{Home, absolute};
use crate::measure::{Target, measure};
use crate::server::ServerCommand;

/// The result of `compare`.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) sides: Vec<SideResult<Side, Run>>,
}

impl Comparison {
    /// Whether every event of every run was answered and notified once.
    pub(crate) fn is_faultless(&self) -> bool {
        self.sides.iter().flat_map(|side| &side.runs).all(|run| run.account.is_faultless())
    }
}

/// Measures every side once a round. Progress goes to standard error.
pub(crate) fn compare(settings: &CompareArguments) -> Result<Comparison> {
    let plan = settings.plan.plan();
    let mut sides: Vec<_> = settings.sides.iter().map(|side| SideResult::new(*side)).collect();
    for round in 1..=settings.rounds {
        for result in &mut sides {
            eprintln!("round {round} of {}: {}", settings.rounds, result.side.name());
            let subject = Subject::prepare(result.side, settings)?;
            result.runs.push(measure(&subject.command, &subject.target, &plan)?);
        }
    }
    for result in &mut sides {
        result.sum_up(FIGURES);
    }
    Ok(Comparison { sides })
}

impl Side {
    /// What tables and messages call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bun => "bun",
            Self::Sluicegate => "sluicegate",
            Self::Power => "sluicegate, power",
        }
    }
}

/// A server that is ready to be started.
struct Subject {
    command: ServerCommand,
    target: Target,
    /// Removed after the run.
    _home: Option<Home>,
}

impl Subject {
    fn prepare(side: Side, settings: &CompareArguments) -> Result<Self> {
        let address = loopback(free_port()?);
        match side {
            Side::Bun => Self::bun(&settings.baseline, address),
            Side::Sluicegate => Self::sluicegate(side, &settings.sluicegate, address, ""),
            Side::Power => Self::sluicegate(side, &settings.sluicegate, address, "durability = \"power\"\n"),
        }
    }

    fn bun(baseline: &Path, address: SocketAddr) -> Result<Self> {
        let program = absolute(&baseline.join("node_modules/.bin/bun"))
            .with_context(|| format!("Bun is not installed; run `npm install` in {}", baseline.display()))?;
        let script = absolute(&baseline.join("webhook.ts"))?;
        let command = ServerCommand {
            name: Side::Bun.name().to_owned(),
            program,
            arguments: vec![script.display().to_string()],
            environment: vec![("PORT".to_owned(), address.port().to_string())],
            directory: None,
        };
        let target = Target { address, path: "/ci".to_owned(), secret: SECRET.to_owned() };
        Ok(Self { command, target, _home: None })
    }

    /// A fresh home in which the bundled webhook adapter is granted and serves `/webhook/ci`.
    fn sluicegate(side: Side, program: &Path, address: SocketAddr, settings: &str) -> Result<Self> {
        let configuration = format!(
            "listen = \"{address}\"\n{settings}\n[adapters.webhook.credentials.ci]\n\
             scheme = \"github\"\nsecret = {{ env = \"WEBHOOK_SECRET\" }}\n"
        );
        let home = Home::new(program, &configuration, &[("WEBHOOK_SECRET", SECRET)])?;
        home.allow("webhook")?;
        let command = home.serve(side.name());
        let target = Target { address, path: "/webhook/ci".to_owned(), secret: SECRET.to_owned() };
        Ok(Self { command, target, _home: Some(home) })
    }
}
