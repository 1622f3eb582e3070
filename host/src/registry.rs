//! The adapters that run now.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use tokio::task::JoinSet;

use crate::{
    adapters::Adapter, config::AdapterConfig, grants::Grant, lane::Lane, limits::Limits, name::AdapterName,
    secrets::Fingerprint, signature::Credential,
};

/// One adapter that runs.
pub struct Running {
    /// What its lane and its actions share.
    pub adapter: Arc<Adapter>,
    /// Its events.
    pub lane: Lane,
    /// Who may post to its routes.
    pub credentials: BTreeMap<String, Arc<Credential>>,
    /// Its polls, for as long as it runs.
    pub tasks: Mutex<JoinSet<()>>,
    /// What it was started with; when this changes it is started anew.
    pub started_with: StartedWith,
}

impl Running {
    /// Ends it: nothing of it is kept any more, nothing leaves, and nothing is asked.
    pub fn stop(&self) {
        self.adapter.retire();
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

/// Everything of the user's that an adapter is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedWith {
    /// The grant.
    pub grant: Grant,
    /// The settings.
    pub config: AdapterConfig,
    /// The limits.
    pub limits: Limits,
    /// Which secrets its credentials have.
    pub secrets: BTreeMap<String, Fingerprint>,
    /// The credentials that could not be had, with the reason.
    pub problems: Vec<String>,
}

/// All that run, by name.
#[derive(Default)]
pub struct Registry {
    running: RwLock<BTreeMap<AdapterName, Arc<Running>>>,
}

impl Registry {
    /// The one of that name.
    #[must_use]
    pub fn get(&self, name: &AdapterName) -> Option<Arc<Running>> {
        self.running.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Running>> {
        self.running.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Adds one, in place of the one of its name.
    pub fn insert(&self, running: Arc<Running>) {
        let name = running.adapter.name().clone();
        self.running.write().unwrap_or_else(PoisonError::into_inner).insert(name, running);
    }

    /// Takes one away.
    pub fn remove(&self, name: &AdapterName) -> Option<Arc<Running>> {
        self.running.write().unwrap_or_else(PoisonError::into_inner).remove(name)
    }
}
