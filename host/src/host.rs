//! The host: what one leading process is made of, and how what runs follows what the user drops and allows.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Mutex as AsyncMutex, Notify};

use crate::{
    actions::Pool,
    adapters::{Adapter, Candidate, Catalogue, Entry, SharedReader, Standing, survey},
    clock::now_ms,
    config::{Config, ConfigError},
    files::{FileStore, Outgoing},
    gate::Gate,
    grants::{Grant, Grants},
    home::{Home, Lead},
    intake::Lanes,
    journal::{self, Journal, JournalError},
    lane::{Handled, Happening, Lane, Occurrence},
    listener::{Bounds, Connections, ListenError, Listener, Mount, PageToken, RouteTable, Settings},
    name::AdapterName,
    registry::{Registry, Running, StartedWith},
    resident,
    sandbox::{CompileError, Compiler, LoadError, Sandbox},
    secrets, timers,
    watch::Watch,
};

/// Seconds without an event after which an adapter's instances are dropped.
const REST: Duration = Duration::from_secs(30);

/// From the start until what starting touched is given back.
const SETTLED: Duration = Duration::from_secs(1);

/// Seconds between attempts to start an adapter that fails to; doubled each time up to the longest.
const START_AGAIN: Duration = Duration::from_secs(1);
const START_LONGEST: Duration = Duration::from_secs(300);

/// Why a host could not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// `config.toml` is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The sandbox would not start.
    #[error(transparent)]
    Sandbox(#[from] LoadError),
    /// The cache of compiled components cannot be used.
    #[error(transparent)]
    Compiler(#[from] CompileError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The listener could not be bound.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The home cannot be used.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What a host is started with.
pub struct Options {
    /// Only these adapters; all, if there are none.
    pub only: BTreeSet<AdapterName>,
    /// The directory against which the roots of outgoing files are resolved.
    pub directory: PathBuf,
    /// Take the next free port if the configured one is in use.
    pub any_port: bool,
}

/// One leading process.
pub struct Host {
    /// Its home.
    pub home: Home,
    /// What runs.
    pub registry: Arc<Registry>,
    /// Where everything is kept.
    pub journal: Journal,
    /// For reading single rows.
    pub reader: SharedReader,
    /// When it started, in milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// Notified when the tools may have changed.
    pub tools_changed: Notify,
    options: Options,
    catalogue: Catalogue,
    listener: Listener,
    connections: Arc<Connections>,
    config: Mutex<Arc<Config>>,
    survey: Mutex<(Vec<Entry>, Vec<AdapterName>)>,
    failures: Mutex<BTreeMap<AdapterName, String>>,
    reconciling: AsyncMutex<()>,
    examining: AsyncMutex<()>,
    unexamined: AtomicBool,
    timers: Arc<Notify>,
    stopping: Notify,
    looked: AtomicBool,
    _lead: Lead,
}

impl Host {
    /// Opens everything, under the lead of the home; adapters start with [`Host::run`].
    ///
    /// # Errors
    /// [`HostError`]; nothing is left behind then.
    pub async fn open(home: Home, lead: Lead, options: Options) -> Result<Arc<Self>, HostError> {
        let config = Arc::new(Config::load(&home)?);
        let journal = Journal::open(
            home.journal(),
            journal::Options {
                durability: match config.durability {
                    crate::config::Durability::Process => journal::Durability::Process,
                    crate::config::Durability::Power => journal::Durability::Power,
                },
                max_unwritten: config.max_unwritten,
            },
        )?;
        let reader = Arc::new(Mutex::new(journal.reader()?));
        let sandbox = Sandbox::new(config.reuse_instances)?;
        let compiler = Compiler::new(home.cache(), std::env::current_exe()?, sandbox.engine())?;
        let catalogue = Catalogue::new(home.clone(), sandbox, compiler);
        let registry = Arc::new(Registry::default());
        let listener = Self::listen(&home, &config, &options).await?;
        let connections = listener.connections();
        Ok(Arc::new(Self {
            home,
            registry,
            journal,
            reader,
            since_ms: now_ms(),
            tools_changed: Notify::new(),
            options,
            catalogue,
            listener,
            connections,
            config: Mutex::new(config),
            survey: Mutex::default(),
            failures: Mutex::default(),
            reconciling: AsyncMutex::default(),
            examining: AsyncMutex::default(),
            unexamined: AtomicBool::new(false),
            timers: Arc::default(),
            stopping: Notify::new(),
            looked: AtomicBool::new(false),
            _lead: lead,
        }))
    }

    async fn listen(home: &Home, config: &Config, options: &Options) -> Result<Listener, HostError> {
        let token = home.page_token()?;
        let settings = || Settings {
            public_hosts: config.public_hosts.clone(),
            page_token: PageToken::new(token.clone()),
            bounds: Bounds::default(),
            denied: None,
        };
        match Listener::bind(config.listen, settings()).await {
            Err(ListenError::InUse(taken)) if options.any_port => {
                Ok(Listener::bind(SocketAddr::new(taken.ip(), 0), settings()).await?)
            }
            bound => Ok(bound?),
        }
    }

    /// Starts what is granted, serves the routes, and goes on following what the user drops, allows and sets, until it is dropped.
    pub async fn run(self: Arc<Self>) {
        let watch = Watch::new(&self.home);
        let lanes = Arc::new(Lanes::new(Arc::clone(&self.registry), self.journal.clone()));
        let routes = self.listener.run(lanes, self.stopping.notified());
        let timers = timers::run(Arc::clone(&self.registry), Arc::clone(&self.reader), Arc::clone(&self.timers));
        let follow = async {
            // What is wrong is in the log, and is looked at again with the next change.
            let _ = self.reconcile().await;
            match watch {
                Ok(mut watch) => loop {
                    watch.changed().await;
                    let _ = self.reconcile().await;
                },
                Err(error) => tracing::warn!("changes are noticed only when a command makes them: {error}"),
            }
        };
        tokio::join!(routes, timers, follow, self.prune(), self.rest());
    }

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
        running.adapter.retire();
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
        self.listener.set_routes(Arc::new(mounts.collect::<RouteTable>()));
        self.tools_changed.notify_one();
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

    /// Everything that is there, granted or not.
    pub async fn candidates(&self) -> Vec<Candidate> {
        self.catalogue.look(&Grants::default()).await
    }

    /// What is there, as it was looked at last.
    #[must_use]
    pub fn survey(&self) -> Vec<Entry> {
        self.survey.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// Why a granted adapter does not run.
    #[must_use]
    pub fn failure(&self, name: &AdapterName) -> Option<String> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Starts one adapter; `false` if it runs like this already.
    async fn start(
        self: &Arc<Self>,
        name: &AdapterName,
        candidate: &Candidate,
        grant: Grant,
        config: &Config,
    ) -> Result<bool, String> {
        let settings = config.adapter(name);
        let mut credentials = BTreeMap::new();
        let mut fingerprints = BTreeMap::new();
        let mut problems = Vec::new();
        for (credential, configured) in &settings.credentials {
            match secrets::credential(&self.home, name, configured) {
                Ok((checked, fingerprint)) => {
                    credentials.insert(credential.clone(), Arc::new(checked));
                    fingerprints.insert(credential.clone(), fingerprint);
                }
                Err(error) => problems.push(format!("the credential {credential:?} cannot be used: {error}")),
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
        let said = candidate.said.as_ref().map_err(Clone::clone)?;
        for (key, value) in &started_with.config.config {
            match said.contract.platform.config.get(key) {
                None => return Err(format!("config.toml sets {key:?}, which its manifest does not know")),
                Some(item) if !item.takes(value) => return Err(format!("config.toml: {key:?} has an unfit value")),
                Some(_) => {}
            }
        }
        for (key, item) in &said.contract.platform.config {
            if item.default.is_none() && !started_with.config.config.contains_key(key) {
                return Err(format!("config.toml must set {key:?} under [adapters.{name}.config]"));
            }
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
        let adapter = Arc::new(Adapter {
            vetted: said.contract.from_profile || grant.vetted,
            program: loaded.program(Arc::clone(&said.contract), limits),
            gate: Gate::open(self.home.access(name)),
            files,
            journal: self.journal.clone(),
            reader: Arc::clone(&self.reader),
            connections: Arc::clone(&self.connections),
            actions: Pool::default(),
            timers: Arc::clone(&self.timers),
            live: RwLock::new(true),
            used_ms: AtomicI64::new(now_ms()),
        });
        let lane = Lane::new(Arc::clone(&adapter));
        let running = Arc::new(Running { adapter, lane, credentials, started_with });
        self.registry.insert(Arc::clone(&running));
        tokio::spawn(begin(Arc::downgrade(&running)));
        Ok(true)
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
            let bundled = matches!(entry.candidate.origin, crate::adapters::Origin::Bundled(_));
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

    /// Whether what is granted had its chance to start.
    #[must_use]
    pub fn has_looked(&self) -> bool {
        self.looked.load(Ordering::SeqCst)
    }

    /// Where the listener is bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// The settings as they are now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Which of the user's files an adapter may be handed.
    #[must_use]
    pub fn outgoing(&self, adapter: &Adapter) -> Outgoing {
        let roots = self.config().file_roots.iter().map(|root| self.options.directory.join(root)).collect();
        let inbox = self.home.inbox().join(adapter.name().as_str());
        Outgoing::new(roots, self.home.root().to_owned(), inbox, adapter.program.limits.file_mib << 20)
    }

    /// Tries dead letters again; all, if no number is given. Gives each number with what became of it.
    pub async fn retry(&self, ids: &[i64]) -> Vec<(i64, Result<(), String>)> {
        let found = {
            let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let ids = match ids {
                [] => reader.dead_letters(None, usize::MAX).map(|all| all.iter().map(|dead| dead.id).collect()),
                some => Ok(some.to_vec()),
            };
            let letters = |ids: Vec<i64>| ids.into_iter().map(|id| (id, reader.dead_letter(id))).collect::<Vec<_>>();
            ids.map(letters)
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => return vec![(0, Err(error.to_string()))],
        };
        let mut results = Vec::new();
        for (id, letter) in found {
            let result = match letter {
                Ok(Some(letter)) => self.revive(&letter).await,
                Ok(None) => Err("there is no such event; `sluicegate status` shows them".into()),
                Err(error) => Err(error.to_string()),
            };
            results.push((id, result));
        }
        results
    }

    async fn revive(&self, letter: &journal::DeadEvent) -> Result<(), String> {
        let name = &letter.entry.adapter;
        let running = self.registry.get(name).ok_or_else(|| format!("{name} does not run"))?;
        let occurrence = Occurrence::revived(letter).map_err(|error| format!("it cannot be read: {error}"))?;
        match running.lane.handle(occurrence).await {
            Handled::Stored(_) => Ok(()),
            // The platform sent it again meanwhile, and that succeeded.
            Handled::Repeated => {
                self.journal.delete_dead(letter.entry.id).await.map(drop).map_err(|error| error.to_string())
            }
            Handled::Refused(reason) | Handled::Failed(reason) | Handled::Busy(reason) => Err(reason),
        }
    }

    /// Stops taking events; what was taken is committed, and the cursor with it. Quick.
    pub fn stop(&self) {
        self.stopping.notify_one();
        self.journal.shutdown();
    }

    /// Now and then removes messages that were written long ago.
    async fn prune(&self) {
        loop {
            let before = now_ms() - i64::from(self.config().keep_days) * 86_400_000;
            while let Ok(1..) = self.journal.prune(before).await {}
            tokio::time::sleep(Duration::from_secs(6 * 3600)).await;
        }
    }

    /// Drops the instances of adapters that were not used for a while.
    async fn rest(&self) {
        // Once everything has started.
        tokio::time::sleep(SETTLED).await;
        resident::give_back_code();
        loop {
            tokio::time::sleep(REST).await;
            for running in self.registry.all() {
                if running.adapter.idle_for(REST) {
                    running.lane.rest();
                    running.adapter.actions.rest();
                }
            }
        }
    }
}

/// Gives an adapter its first event, until it has taken it.
async fn begin(running: std::sync::Weak<Running>) {
    let mut wait = START_AGAIN;
    loop {
        // An adapter that was stopped meanwhile is gone.
        let Some(running) = running.upgrade() else { return };
        match running.lane.handle(Occurrence::bare(Happening::Started)).await {
            Handled::Stored(_) | Handled::Repeated | Handled::Refused(_) => {
                running.lane.rest();
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
