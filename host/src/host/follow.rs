//! How what runs follows what the user drops, allows and sets.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock, Weak,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use super::Host;
use crate::{
    actions::{Pool, presence::Presence},
    adapters::{Adapter, Candidate, Entry, Origin, Standing, has_page, survey},
    clock::now_ms,
    config::{AdapterConfig, Config},
    egress::{Egress, Values},
    files::FileStore,
    gate::Gate,
    grants::{Grant, Grants},
    lane::{Handled, Happening, Lane, Occurrence},
    listener::{Mount, PAGE, RouteTable},
    manifest::Contract,
    name::AdapterName,
    poll::{self, Health},
    registry::{Running, StartedWith},
    relay::{foreign_page, silent},
    secrets,
};

/// Seconds between attempts to start an adapter that fails to; doubled each time up to the longest.
const START_AGAIN: Duration = Duration::from_secs(1);
const START_LONGEST: Duration = Duration::from_secs(300);

impl Host {
    /// Makes what runs what the user has granted and set.
    ///
    /// # Errors
    /// What keeps the grants from being read (then nothing runs), or the settings (then they stay as they were).
    pub async fn reconcile(self: &Arc<Self>) -> Result<(), String> {
        // What is taken back stops at once, whatever else is wrong or still going on.
        let grants = self.stop_revoked()?;
        let _one_at_a_time = self.reconciling.lock().await;
        let config = Config::load(&self.home).map_err(|error| {
            tracing::error!("{error}; the settings stay as they were");
            error.to_string()
        });
        let config = Arc::new(config?);
        let (entries, _) = survey(self.catalogue.look_at_known(&grants).await, &grants);
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&config);
        let mut wanted = BTreeMap::new();
        for entry in &entries {
            if let (Some(name), Standing::Granted(grant)) = (entry.name(), &entry.standing)
                && (self.options.only.is_empty() || self.options.only.contains(name))
            {
                wanted.insert(name.clone(), (entry.candidate.clone(), grant.clone()));
            }
        }
        let mut changed = false;
        for running in self.registry.all() {
            if !wanted.contains_key(running.adapter.name()) {
                changed |= self.stop_adapter(running.adapter.name());
            }
        }
        let mut failures = BTreeMap::new();
        for (name, (candidate, grant)) in wanted {
            match self.start(&name, &candidate, grant, &config).await {
                Ok(started) => changed |= started,
                Err(reason) => {
                    tracing::error!(adapter = %name, "it cannot run: {reason}");
                    changed |= self.stop_adapter(&name);
                    failures.insert(name, reason);
                }
            }
        }
        *self.failures.lock().unwrap_or_else(PoisonError::into_inner) = failures;
        changed |= !self.looked.swap(true, Ordering::SeqCst);
        if changed {
            self.publish();
        }
        tokio::spawn(Arc::clone(self).examine());
        Ok(())
    }

    /// Stops what the user no longer grants, or grants otherwise; all of it where the grants cannot be read.
    fn stop_revoked(&self) -> Result<Grants, String> {
        let grants = Grants::load(&self.home);
        let mut changed = false;
        for running in self.registry.all() {
            let name = running.adapter.name();
            let granted = grants.as_ref().ok().and_then(|grants| grants.get(name));
            if granted != Some(&running.started_with.grant) {
                changed |= self.stop_adapter(name);
            }
        }
        if changed {
            self.publish();
        }
        grants.map_err(|error| {
            tracing::error!("{error}; nothing runs until it is mended");
            error.to_string()
        })
    }

    /// Stops one: from here on nothing of it is kept, and nothing leaves.
    fn stop_adapter(&self, name: &AdapterName) -> bool {
        let Some(running) = self.registry.remove(name) else { return false };
        running.stop();
        tracing::info!(adapter = %name, "stopped");
        true
    }

    /// Makes routes and tools those of what runs.
    fn publish(&self) {
        let mounts = self.registry.all().into_iter().map(|running| Mount {
            adapter: running.adapter.name().clone(),
            platform: Arc::clone(&running.adapter.program.contract.platform),
            credentials: running.credentials.clone(),
            files: Some(running.adapter.files.clone()),
            limits: running.adapter.program.limits.clone(),
        });
        let routes = Arc::new(mounts.collect::<RouteTable>());
        // No page of another's is served before what it could do counts for nothing.
        let foreign = foreign_page(&self.registry);
        if let Some(foreign) = &foreign {
            self.warn_of(foreign);
            self.relay().share_origin(true);
        }
        self.listener.set_routes(routes);
        if foreign.is_none() {
            self.relay().share_origin(false);
        }
        self.tools_changed.notify_one();
    }

    /// Says once that the host's own page asks nobody beside that one.
    fn warn_of(&self, foreign: &AdapterName) {
        if let Some(page) = self.registry.all().iter().find(|running| running.adapter.is_own_page())
            && !self.relay().shares_origin()
        {
            tracing::warn!("{}", silent(page.adapter.name(), foreign));
        }
    }

    /// Looks at everything that is there, also at what nobody has granted. A hostile file may take the compiler its
    /// whole time, so nothing that runs waits for this.
    async fn examine(self: Arc<Self>) {
        self.unexamined.store(true, Ordering::SeqCst);
        let _one_at_a_time = self.examining.lock().await;
        if !self.unexamined.swap(false, Ordering::SeqCst) {
            return;
        }
        // What is wrong with them was said already.
        let Ok(grants) = Grants::load(&self.home) else { return };
        let (entries, gone) = survey(self.catalogue.look(&grants).await, &grants);
        self.explain(&entries, &gone);
        *self.survey.lock().unwrap_or_else(PoisonError::into_inner) = (entries, gone);
    }

    /// Starts one adapter; `false` if it runs like this already.
    async fn start(
        self: &Arc<Self>,
        name: &AdapterName,
        candidate: &Candidate,
        grant: Grant,
        config: &Config,
    ) -> Result<bool, String> {
        let said = candidate.said.as_ref().map_err(Clone::clone)?;
        let settings = config.adapter(name);
        let mut credentials = BTreeMap::new();
        let mut fingerprints = BTreeMap::new();
        let mut problems = Vec::new();
        for (credential, configured) in &settings.credentials {
            match secrets::credential(&self.home, name, configured) {
                Ok((checked, fingerprint)) => {
                    credentials.insert(credential.clone(), Arc::new(checked));
                    fingerprints.insert(format!("credential {credential}"), fingerprint);
                }
                Err(error) => problems.push(format!("the credential {credential:?} cannot be used: {error}")),
            }
        }
        let mut values = values(&said.contract, &settings)?;
        for (secret, found) in self.secrets(name, &said.contract, &settings).await? {
            match found {
                Ok(found) => {
                    fingerprints.insert(format!("secret {secret}"), found.fingerprint);
                    values.secrets.insert(secret, found.secret);
                }
                Err(error) => problems.push(format!("the secret {secret:?} cannot be used: {error}")),
            }
        }
        let limits = config.limits(name);
        let started_with = StartedWith {
            grant: grant.clone(),
            config: settings,
            limits: limits.clone(),
            secrets: fingerprints,
            problems,
        };
        if self.registry.get(name).is_some_and(|running| running.started_with == started_with) {
            return Ok(false);
        }
        for problem in &started_with.problems {
            tracing::error!(adapter = %name, "{problem}");
        }
        let loaded = self.catalogue.load(candidate, &grant).await?;
        if self.stop_adapter(name) {
            // What its predecessor left in the queue comes before anything of its own.
            self.journal.flush().await.map_err(|error| error.to_string())?;
        }
        let files =
            FileStore::open(&self.home.inbox().join(name.as_str()), limits.inbox_mib << 20, limits.file_mib << 20)
                .map_err(|error| error.to_string())?;
        let contract = Arc::new(said.contract.under(&values.config, started_with.config.burst));
        let platform = Arc::clone(&contract.platform);
        let live = Arc::clone(self.relay().live());
        let own = matches!(candidate.origin, Origin::Bundled(_));
        let own_page = own && has_page(&contract.platform);
        let egress = Egress::new(name.clone(), platform, values, files.clone(), &limits, live);
        let adapter = Arc::new(Adapter {
            vetted: contract.from_profile || grant.vetted,
            own,
            relay: Arc::clone(self.relay()),
            program: loaded.program(contract, limits),
            gate: Gate::open(self.home.access(name)).with_page(own_page.then_some(PAGE)),
            files,
            journal: self.journal.clone(),
            reader: Arc::clone(&self.reader),
            connections: Arc::clone(&self.connections),
            actions: Pool::default(),
            presence: Presence::new(),
            egress: Arc::new(egress),
            health: Health::default(),
            timers: Arc::clone(&self.timers),
            live: RwLock::new(true),
            used_ms: AtomicI64::new(now_ms()),
        });
        let lane = Lane::new(Arc::clone(&adapter));
        let running = Arc::new(Running { adapter, lane, credentials, tasks: Mutex::default(), started_with });
        self.registry.insert(Arc::clone(&running));
        tokio::spawn(begin(Arc::downgrade(&running)));
        Ok(true)
    }

    /// The secrets that an adapter's platform declares. The keychain may take a while.
    async fn secrets(
        &self,
        name: &AdapterName,
        contract: &Arc<Contract>,
        settings: &AdapterConfig,
    ) -> Result<BTreeMap<String, Result<secrets::Found, secrets::SecretError>>, String> {
        if contract.platform.secrets.is_empty() {
            return Ok(BTreeMap::new());
        }
        let (home, name, contract) = (self.home.clone(), name.clone(), Arc::clone(contract));
        let mapped = settings.secrets.clone();
        let find =
            move || secrets::of_platform(&home, &name, &contract.platform.secrets, contract.from_profile, &mapped);
        tokio::task::spawn_blocking(find).await.map_err(|_| "its secrets could not be looked for".to_owned())
    }

    /// Says in the log what waits for the user, and why; only what is new since the last time.
    fn explain(&self, entries: &[Entry], gone: &[AdapterName]) {
        let before = self.survey.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            let label = entry.candidate.origin.label();
            let known = before.0.iter().any(|earlier| {
                earlier.candidate.digest == entry.candidate.digest
                    && earlier.candidate.origin == entry.candidate.origin
                    && std::mem::discriminant(&earlier.standing) == std::mem::discriminant(&entry.standing)
            });
            let name = entry.name().map_or_else(|| label.clone(), ToString::to_string);
            let bundled = matches!(entry.candidate.origin, Origin::Bundled(_));
            match &entry.standing {
                _ if known => {}
                Standing::Granted(_) => {}
                Standing::New if bundled => {}
                Standing::New => tracing::warn!(adapter = name, "{label} waits for you: `sluicegate allow {name}`"),
                Standing::Changed(changes) => tracing::warn!(
                    adapter = name,
                    "{label} has changed and does not run until you allow it again: `sluicegate allow {name}` ({} changes in what it asks for)",
                    changes.len()
                ),
                Standing::Replacement(_) => tracing::warn!(
                    adapter = name,
                    "{label} bears the name of another component; `sluicegate inspect {name}` compares them"
                ),
                Standing::Broken(reason) => tracing::warn!(adapter = name, "{label} cannot be used: {reason}"),
            }
        }
        for name in gone.iter().filter(|name| !before.1.contains(name)) {
            tracing::warn!(adapter = %name, "its component is gone from the adapters' directory");
        }
    }
}

/// What the user set for an adapter, over what its platform has where the user set nothing.
fn values(contract: &Contract, settings: &AdapterConfig) -> Result<Values, String> {
    let known = &contract.platform.config;
    for (key, value) in &settings.config {
        match known.get(key) {
            None => return Err(format!("config.toml sets {key:?}, which its manifest does not know")),
            Some(item) if !item.takes(value) => return Err(format!("config.toml: {key:?} has an unfit value")),
            Some(_) => {}
        }
    }
    let mut values = Values { by_user: settings.config.keys().cloned().collect(), ..Values::default() };
    for (key, item) in known {
        let value = settings.config.get(key).or(item.default.as_ref());
        let value = value.ok_or_else(|| format!("config.toml must set {key:?} under [adapters.NAME.config]"))?;
        values.config.insert(key.clone(), value.clone());
    }
    Ok(values)
}

/// Gives an adapter its first event, until it has taken it.
async fn begin(running: Weak<Running>) {
    let mut wait = START_AGAIN;
    loop {
        // An adapter that was stopped meanwhile is gone.
        let Some(running) = running.upgrade() else { return };
        match running.lane.handle(Occurrence::bare(Happening::Started)).await {
            Handled::Stored(_) | Handled::Repeated | Handled::Refused(_) => {
                running.lane.rest();
                poll::start(&running);
                running.adapter.relay.runs(running.adapter.name());
                tracing::info!(adapter = %running.adapter.name(), "running");
                return;
            }
            Handled::Failed(reason) | Handled::Busy(reason) => {
                tracing::error!(adapter = %running.adapter.name(),
                    "it failed to start and is tried again in {} s: {reason}", wait.as_secs());
            }
        }
        drop(running);
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(START_LONGEST);
    }
}
