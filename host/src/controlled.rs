//! The host, as the command line may ask of it over the control socket.

use std::sync::Arc;

use crate::{
    actions,
    adapters::Standing,
    control::{AdapterState, AdapterStatus, Controlled, RetryOutcome, Status},
    host::Host,
    name::AdapterName,
    sandbox::types,
};

/// The host and the session that it serves.
pub struct Controls(pub Arc<Host>);

impl Controlled for Controls {
    async fn status(&self) -> Status {
        let host = &self.0;
        let mut adapters = Vec::new();
        for running in host.registry.all() {
            let state = match running.lane.state().await {
                crate::lane::State::Running => AdapterState::Running,
                crate::lane::State::Starting => AdapterState::Starting,
                crate::lane::State::Quarantined(reason) => AdapterState::Quarantined { reason },
            };
            let mut status = AdapterStatus::new(&running.adapter.program.contract, state, host.address());
            status.sources = running.adapter.health.all();
            adapters.push(status);
        }
        for entry in host.survey() {
            let Ok(said) = &entry.candidate.said else { continue };
            let name = &said.contract.manifest.name;
            if let Standing::Granted(_) = entry.standing
                && host.registry.get(name).is_none()
            {
                let reason = host.failure(name).unwrap_or_else(|| "this session serves only others (`--only`)".into());
                adapters.push(AdapterStatus::new(&said.contract, AdapterState::Stopped { reason }, host.address()));
            }
        }
        adapters.sort_by(|left, right| left.name.cmp(&right.name));
        Status {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            listen: Some(host.address()),
            since_ms: host.since_ms,
            connected: true,
            unwritten: host.journal.unwritten(),
            full: host.journal.is_full(),
            adapters,
        }
    }

    async fn reload(&self) -> Result<(), String> {
        self.0.reconcile().await
    }

    async fn retry(&self, ids: Vec<i64>) -> Vec<RetryOutcome> {
        let results = self.0.retry(&ids).await;
        let outcome = |(id, result): (i64, Result<(), String>)| RetryOutcome {
            id,
            ok: result.is_ok(),
            message: result.err().unwrap_or_else(|| "succeeded".into()),
        };
        results.into_iter().map(outcome).collect()
    }

    async fn tell(&self, adapter: AdapterName, conversation: String, text: String) -> Result<(), String> {
        let running = self.0.registry.get(&adapter).ok_or_else(|| format!("{adapter} does not run"))?;
        let place = types::Place { conversation, thread: None };
        actions::say(&running.adapter, place, text).await.map_err(|error| error.to_string())
    }

    async fn forget(&self, adapter: AdapterName) -> Result<(), String> {
        if self.0.registry.get(&adapter).is_some() {
            return Err(format!("{adapter} still runs; revoke it first"));
        }
        self.0.journal.forget(adapter).await.map(drop).map_err(|error| error.to_string())
    }
}
