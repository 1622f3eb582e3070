//! What is asked and answered on the control socket, and what `status --json` prints of it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{
    manifest::{Contract, RouteAuth},
    name::AdapterName,
    poll::Source,
};

/// The longest request, in bytes.
pub(super) const MAX_REQUEST: usize = 64 * 1024;
/// The longest answer, in bytes.
pub(super) const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// What the command line may ask of the process that leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// How it stands.
    Status {},
    /// Look at the adapters, grants, settings and secrets again, and run what they say.
    Reload {},
    /// Try dead letters again.
    Retry {
        /// Their numbers; all, if there is none.
        ids: Vec<i64>,
    },
    /// Say something of the host's in a conversation.
    Tell {
        /// Through which adapter.
        adapter: AdapterName,
        /// Where.
        conversation: String,
        /// What.
        text: String,
    },
    /// Delete what the journal keeps for an adapter that does not run: state, timers, places, dead letters.
    Forget {
        /// Whose.
        adapter: AdapterName,
    },
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Request::Status`], and to [`Request::Reload`] how it stands afterwards.
    Status(Status),
    /// To [`Request::Retry`].
    Retried {
        /// One for each dead letter.
        outcomes: Vec<RetryOutcome>,
    },
    /// To [`Request::Tell`] and [`Request::Forget`].
    Done,
    /// It could not be done.
    Failed {
        /// Why, for the user.
        message: String,
    },
}

/// How the process that leads stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// Where its listener is bound; `null` while it is not.
    pub listen: Option<SocketAddr>,
    /// Since when it leads, in milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// Whether Claude Code has initialized the session.
    pub connected: bool,
    /// Messages that wait for Claude.
    pub unwritten: u64,
    /// So many wait that sources are told to come back later.
    pub full: bool,
    /// The adapters that run or should run, by name.
    pub adapters: Vec<AdapterStatus>,
}

/// How one adapter stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdapterStatus {
    /// Its name.
    pub name: AdapterName,
    /// Its version, by its manifest.
    pub version: String,
    /// What it does now.
    #[serde(flatten)]
    pub state: AdapterState,
    /// The address of its page, without the token that opens it; `null` if it has none.
    pub page: Option<String>,
    /// Its routes.
    pub routes: Vec<RouteStatus>,
    /// What the host polls for it, and how that fares.
    pub sources: Vec<Source>,
}

/// What an adapter does now: `"state": "running"`, and a `"reason"` where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum AdapterState {
    /// It takes events.
    Running,
    /// It is being prepared.
    Starting,
    /// It failed too often and rests.
    Quarantined {
        /// Why, and for how long.
        reason: String,
    },
    /// It does not run.
    Stopped {
        /// Why, and what to do.
        reason: String,
    },
}

/// One route of an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteStatus {
    /// Its name in the manifest.
    pub name: String,
    /// `"page"` or `"credential"`.
    pub auth: String,
    /// `"GET"`, `"POST"` …
    pub methods: Vec<String>,
    /// The path with the adapter's name: `/webhook/{credential}`.
    pub path: String,
    /// Whether it is upgraded to a WebSocket.
    pub websocket: bool,
}

/// How a dead letter fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryOutcome {
    /// Its number.
    pub id: i64,
    /// It succeeded, and is a dead letter no more.
    pub ok: bool,
    /// What happened, for the user.
    pub message: String,
}

impl AdapterStatus {
    /// The status of an adapter whose contract is known; `listen` is where the listener is, or would be, bound.
    #[must_use]
    pub fn new(contract: &Contract, state: AdapterState, listen: SocketAddr) -> Self {
        let name = &contract.manifest.name;
        let routes: Vec<RouteStatus> =
            contract.platform.routes.iter().map(|route| RouteStatus::new(name, route)).collect();
        let has_page = routes.iter().any(|route| route.is_page_of(name));
        Self {
            name: name.clone(),
            version: contract.manifest.version.clone(),
            state,
            page: has_page.then(|| format!("{}/{name}/", local_base(listen))),
            routes,
            sources: Vec::new(),
        }
    }
}

/// The address at which a browser on this machine finds the listener: pages answer to no other.
#[must_use]
pub(crate) fn local_base(listen: SocketAddr) -> String {
    match listen {
        SocketAddr::V4(listen) if listen.ip().is_unspecified() => format!("http://127.0.0.1:{}", listen.port()),
        SocketAddr::V6(listen) if listen.ip().is_unspecified() || listen.ip().is_loopback() => {
            format!("http://localhost:{}", listen.port())
        }
        other => format!("http://{other}"),
    }
}

impl AdapterState {
    /// One word, as in `"state"`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Quarantined { .. } => "quarantined",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// Why it does not run, if it does not.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Running | Self::Starting => None,
            Self::Quarantined { reason } | Self::Stopped { reason } => Some(reason),
        }
    }
}

impl RouteStatus {
    fn new(adapter: &AdapterName, route: &crate::manifest::Route) -> Self {
        let auth = match route.auth {
            RouteAuth::Page => "page",
            RouteAuth::Credential => "credential",
        };
        Self {
            name: route.name.clone(),
            auth: auth.into(),
            methods: route.methods.iter().map(|method| method.as_str().to_owned()).collect(),
            path: format!("/{adapter}{}", route.path.as_str()),
            websocket: route.websocket,
        }
    }

    fn is_page_of(&self, adapter: &AdapterName) -> bool {
        self.auth == "page"
            && !self.websocket
            && self.methods.iter().any(|method| method == "GET")
            && self.path == format!("/{adapter}/")
    }
}
