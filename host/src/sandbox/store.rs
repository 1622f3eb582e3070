//! What an instance's store holds: nothing of the host's, and a budget for everything.

use std::sync::Arc;

use wasmtime::{ResourceLimiter, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{call::Call, console::Console, guest_log::GuestLog, wasi_http::Outlet};
use crate::{limits::Limits, manifest::Contract};

/// Random bytes that a guest may ask for at once.
const RANDOM: u64 = 64 * 1024;

/// Entries in the table of WASI resources.
const RESOURCES: usize = 4096;

/// Bytes of all headers of one request, as they are kept in memory.
const FIELDS: usize = 32 * 1024;

/// Core instances, memories and tables of one component. Python's components have the most.
const INSTANCES: usize = 200;

/// The store's data.
pub(super) struct HostState {
    /// What the user granted; nothing yet while `manifest()` runs.
    pub(super) contract: Option<Arc<Contract>>,
    pub(super) limits: Limits,
    /// The call under way; imports outside of one end the instance.
    pub(super) call: Option<Call>,
    pub(super) budget: Budget,
    pub(super) log: Arc<GuestLog>,
    pub(super) outlet: Outlet,
    wasi: WasiCtx,
    wasi_http: WasiHttpCtx,
    table: ResourceTable,
}

impl HostState {
    pub(super) fn new(contract: Option<Arc<Contract>>, limits: Limits) -> Self {
        let name = contract.as_ref().map_or("(new)", |contract| contract.manifest.name.as_str());
        let log = Arc::new(GuestLog::new(name.to_owned(), limits.log_lines));
        // A new context has no environment, no arguments, no preopened directory and no socket.
        let wasi = WasiCtxBuilder::new()
            .stdout(Console::new(Arc::clone(&log), tracing::Level::INFO))
            .stderr(Console::new(Arc::clone(&log), tracing::Level::WARN))
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(RANDOM)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES);
        let mut wasi_http = WasiHttpCtx::new();
        wasi_http.set_field_size_limit(FIELDS);
        Self {
            contract,
            budget: Budget::new(&limits),
            limits,
            call: None,
            outlet: Outlet::new(Arc::clone(&log)),
            log,
            wasi,
            wasi_http,
            table,
        }
    }
}

impl WasiView for HostState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for HostState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outlet, table: &mut self.table, ctx: &mut self.wasi_http }
    }
}

/// Memory, tables and computing time of one instance.
pub(super) struct Budget {
    memory: usize,
    memory_left: usize,
    elements_left: usize,
    /// Steps of the epoch clock left to the call under way.
    pub(super) ticks_left: u64,
    /// Why the instance was stopped, if it was this budget.
    pub(super) exceeded: Option<Exceeded>,
}

/// Which bound a guest ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// It computed for longer than `cpu-ms`.
    #[error("it computed for longer than its limit `cpu-ms` allows")]
    Cpu,
    /// It wanted more memory than `memory-mib`.
    #[error("it wanted more memory than its limit `memory-mib` allows")]
    Memory,
    /// It wanted more table elements than `table-elements`.
    #[error("it wanted more table elements than its limit `table-elements` allows")]
    Table,
}

impl Budget {
    fn new(limits: &Limits) -> Self {
        let memory = usize::try_from(limits.memory_mib << 20).unwrap_or(usize::MAX);
        Self { memory, memory_left: memory, elements_left: limits.table_elements, ticks_left: 0, exceeded: None }
    }

    /// Linear memory in use, in bytes.
    pub(super) fn memory_used(&self) -> usize {
        self.memory - self.memory_left
    }
}

impl ResourceLimiter for Budget {
    // Growth is summed over all memories, because a component may have many.
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        match self.memory_left.checked_sub(desired.saturating_sub(current)) {
            Some(left) => {
                self.memory_left = left;
                Ok(true)
            }
            None => {
                self.exceeded = Some(Exceeded::Memory);
                Ok(false)
            }
        }
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        match self.elements_left.checked_sub(desired.saturating_sub(current)) {
            Some(left) => {
                self.elements_left = left;
                Ok(true)
            }
            None => {
                self.exceeded = Some(Exceeded::Table);
                Ok(false)
            }
        }
    }

    fn instances(&self) -> usize {
        INSTANCES
    }
    fn tables(&self) -> usize {
        INSTANCES
    }
    fn memories(&self) -> usize {
        INSTANCES
    }
}
