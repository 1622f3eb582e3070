//! Which routes there are: made anew whenever adapters come and go, and swapped as a whole.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crate::{
    files::FileStore,
    limits::Limits,
    manifest::{PathMatch, Platform, Route, RouteAuth},
    name::AdapterName,
    signature::Credential,
};

/// The routes of one adapter.
#[derive(Debug)]
pub struct Mount {
    /// Its name: the first segment of the path.
    pub adapter: AdapterName,
    /// Its routes.
    pub platform: Arc<Platform>,
    /// Who may use its routes, by the name that stands for `{credential}` in the path.
    pub credentials: BTreeMap<String, Arc<Credential>>,
    /// Where uploads go; without it, routes that take uploads refuse them.
    pub files: Option<FileStore>,
    /// Its limits.
    pub limits: Limits,
}

/// All routes.
#[derive(Debug, Default)]
pub struct RouteTable {
    adapters: HashMap<String, Arc<Mounted>>,
}

#[derive(Debug)]
pub(super) struct Mounted {
    pub(super) adapter: AdapterName,
    routes: Vec<Arc<Route>>,
    pub(super) credentials: BTreeMap<String, Arc<Credential>>,
    pub(super) files: Option<FileStore>,
    pub(super) limits: Limits,
}

/// What a path and a method lead to.
pub(super) enum Found {
    Route {
        mounted: Arc<Mounted>,
        route: Arc<Route>,
        matched: PathMatch,
    },
    /// The adapter's pages begin at `/<adapter>/`, and the slash is missing.
    Unslashed,
    /// Something is there, for these methods.
    Methods(Vec<String>),
    Nothing,
}

impl FromIterator<Mount> for RouteTable {
    fn from_iter<I: IntoIterator<Item = Mount>>(mounts: I) -> Self {
        let mounted = |mount: Mount| {
            let routes = mount.platform.routes.iter().cloned().map(Arc::new).collect();
            let Mount { adapter, credentials, files, limits, .. } = mount;
            (adapter.to_string(), Arc::new(Mounted { adapter, routes, credentials, files, limits }))
        };
        Self { adapters: mounts.into_iter().map(mounted).collect() }
    }
}

impl RouteTable {
    pub(super) fn find(&self, method: &str, path: &str) -> Found {
        let below = path.strip_prefix('/').unwrap_or_default();
        let end = below.find('/').unwrap_or(below.len());
        let (name, rest) = below.split_at(end);
        let Some(mounted) = self.adapters.get(name) else { return Found::Nothing };
        let begins = |route: &Arc<Route>| route.auth == RouteAuth::Page && route.path.matches("").is_some();
        if rest.is_empty() && method == "GET" && mounted.routes.iter().any(begins) {
            return Found::Unslashed;
        }
        let mut methods = Vec::new();
        for route in &mounted.routes {
            if let Some(matched) = route.path.matches(rest) {
                if route.methods.iter().any(|allowed| allowed.as_str() == method) {
                    return Found::Route { mounted: Arc::clone(mounted), route: Arc::clone(route), matched };
                }
                methods.extend(route.methods.iter().map(|allowed| allowed.as_str().to_owned()));
            }
        }
        if methods.is_empty() { Found::Nothing } else { Found::Methods(methods) }
    }

    /// Whether a WebSocket that was opened under `mounted` might still be opened under this table.
    pub(super) fn still_opens(&self, mounted: &Mounted, route: &str, credential: &str) -> bool {
        let Some(now) = self.adapters.get(mounted.adapter.as_str()) else { return false };
        let Some(route) = now.routes.iter().find(|now| now.websocket && now.name == route) else { return false };
        match route.auth {
            RouteAuth::Page => credential == super::intake::PAGE,
            RouteAuth::Credential => match (mounted.credentials.get(credential), now.credentials.get(credential)) {
                (Some(then), Some(now)) => Arc::ptr_eq(then, now),
                _ => false,
            },
        }
    }
}
