//! The host: what one leading process is made of.
//!
//! How what runs follows what the user drops, allows and sets is in `follow`.

mod follow;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Mutex as AsyncMutex, Notify};

use crate::{
    adapters::{Adapter, Candidate, Catalogue, Entry, SharedReader},
    clock::now_ms,
    config::{Config, ConfigError},
    files::Outgoing,
    grants::Grants,
    home::{Home, Lead},
    intake::Lanes,
    journal::{self, Journal, JournalError},
    lane::{Handled, Occurrence},
    listener::{Bounds, Connections, ListenError, Listener, PageToken, Settings},
    name::AdapterName,
    registry::Registry,
    relay::Relay,
    resident,
    sandbox::{CompileError, Compiler, LoadError, Sandbox},
    timers,
    watch::Watch,
};

/// Seconds without an event after which an adapter's instances are dropped.
const REST: Duration = Duration::from_secs(30);

/// From the start until what starting touched is given back.
const SETTLED: Duration = Duration::from_secs(1);

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
    /// The permission relay of the session.
    pub relay: Arc<Relay>,
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
        options.relay.keep_in(&journal);
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

    /// The permission relay.
    #[must_use]
    pub const fn relay(&self) -> &Arc<Relay> {
        &self.options.relay
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
