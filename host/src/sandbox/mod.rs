//! The sandbox: adapters run here, with nothing but the six imports and an inert WASI.
//!
//! One [`Sandbox`] for the process holds the engine and the linker; one [`Program`] for each adapter holds what
//! can be prepared; an [`Instance`] runs calls. An instance's memory is a cache: it may be dropped after any
//! call, and it must be dropped after one that did not end by itself.

mod bindings;
mod call;
mod compile;
mod console;
mod engine;
mod guest_log;
mod http;
mod imports;
mod instance;
mod room;
mod store;
mod wasi_http;

use std::{path::Path, sync::Arc};

use wasmtime::{
    Engine,
    component::{Component, HasSelf, Linker},
};

pub use bindings::types;
pub use call::{Delivery, Effects, Frame, Nowhere, Purpose, Surroundings};
pub use compile::{COMPILE_COMMAND, CompileError, Compiler, Digest, MAX_COMPONENT, compile_child, read_component};
pub use instance::{CallError, Ended, Instance};
pub use store::Exceeded;
pub use wasi_http::Traces;

use bindings::ChannelPre;
use store::HostState;

use crate::{limits::Limits, manifest::Contract};

/// The engine and what every adapter is linked with.
pub struct Sandbox {
    engine: Engine,
    linker: Linker<HostState>,
    ticker: engine::Ticker,
    reuse: bool,
}

/// Why a compiled component could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The engine would not start.
    #[error("the sandbox could not start: {0}")]
    Engine(String),
    /// The cached file could not be loaded; deleting the cache mends it.
    #[error("its compiled form could not be loaded ({0}); `sluicegate doctor` clears the cache")]
    Cached(String),
    /// It imports something that does not exist here.
    #[error("it imports {name}, which Sluicegate does not offer{detail}")]
    UnknownImport {
        /// The import's name.
        name: String,
        /// What is known beyond that.
        detail: String,
    },
    /// It does not export the adapter's interface.
    #[error("it is not a channel adapter: {0}")]
    NotAnAdapter(String),
}

impl Sandbox {
    /// Starts the engine. With `reuse` off every call gets a fresh instance.
    ///
    /// # Errors
    /// [`LoadError::Engine`].
    pub fn new(reuse: bool) -> Result<Arc<Self>, LoadError> {
        let failed = |error: wasmtime::Error| LoadError::Engine(format!("{error:#}"));
        let engine = engine::engine(false).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(failed)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).map_err(failed)?;
        bindings::Channel::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map_err(failed)?;
        let ticker = engine::Ticker::start(&engine).map_err(|error| LoadError::Engine(error.to_string()))?;
        Ok(Arc::new(Self { engine, linker, ticker, reuse }))
    }

    /// The engine, for the compiler's cache.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Prepares a component that [`Compiler::compile`] has compiled.
    ///
    /// # Errors
    /// [`LoadError`]: unknown imports are named before anything of it runs.
    pub fn load(self: &Arc<Self>, compiled: &Path) -> Result<Loaded, LoadError> {
        // SAFETY: the path comes from `Compiler::compile`, whose directory only the user can write and whose
        // files are named after this engine; a file that a user supplied never comes here.
        #[expect(unsafe_code, reason = "the one place where native code is taken from a file")]
        let component = unsafe { Component::deserialize_file(&self.engine, compiled) };
        let component = component.map_err(|error| LoadError::Cached(format!("{error:#}")))?;
        self.known_imports(&component)?;
        let pre = self.linker.instantiate_pre(&component).map_err(|error| LoadError::UnknownImport {
            name: "an interface in another shape".into(),
            detail: format!(": {error:#}"),
        })?;
        let pre = ChannelPre::new(pre).map_err(|error| {
            let wanted = "it must export sluicegate:channel/adapter@0.1.0";
            LoadError::NotAnAdapter(format!("{wanted} ({error:#})"))
        })?;
        Ok(Loaded { sandbox: Arc::clone(self), pre })
    }

    fn known_imports(&self, component: &Component) -> Result<(), LoadError> {
        const OURS: [&str; 7] = ["types", "inbox", "http", "sockets", "timers", "state", "log"];
        const WASI: [&str; 7] = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];
        for (name, _) in component.component_type().imports(&self.engine) {
            let (interface, version) = name.split_once('@').unwrap_or((name, ""));
            let known = match interface.split_once('/') {
                Some(("sluicegate:channel", ours)) => OURS.contains(&ours) && version.starts_with("0.1."),
                Some((package, _)) => {
                    package.strip_prefix("wasi:").is_some_and(|wasi| WASI.contains(&wasi))
                        && version.starts_with("0.2.")
                }
                None => false,
            };
            if !known {
                let shown: String = name.chars().filter(|c| c.is_ascii_graphic()).take(120).collect();
                return Err(LoadError::UnknownImport { name: shown, detail: String::new() });
            }
        }
        Ok(())
    }
}

/// A component that fits the interface; its contract is not known yet.
#[derive(Clone)]
pub struct Loaded {
    sandbox: Arc<Sandbox>,
    pre: ChannelPre<HostState>,
}

impl Loaded {
    /// The names of everything that it imports, as the component has them: foreign text.
    #[must_use]
    pub fn imports(&self) -> Vec<String> {
        let component = self.pre.instance_pre().component().component_type();
        component.imports(&self.sandbox.engine).map(|(name, _)| name.to_owned()).collect()
    }

    /// The adapter under the contract that the user granted.
    #[must_use]
    pub fn program(self, contract: Arc<Contract>, limits: Limits) -> Program {
        Program { loaded: self, contract, limits }
    }
}

/// An adapter that can be run: its component, its contract and its limits.
#[derive(Clone)]
pub struct Program {
    loaded: Loaded,
    /// What the user granted.
    pub contract: Arc<Contract>,
    /// What it may use.
    pub limits: Limits,
}

impl Program {
    /// Whether an instance may serve more than one call.
    #[must_use]
    pub fn reuses_instances(&self) -> bool {
        self.loaded.sandbox.reuse
    }
}
