//! Instances and the calls that run on them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use wasmtime::{Store, Trap, UpdateDeadline};

use super::{
    Exceeded, Loaded, Program,
    bindings::{Channel, types},
    call::{Call, Effects, Nowhere, Purpose, Surroundings},
    engine::TICK,
    http,
    store::HostState,
    wasi_http::Traces,
};
use crate::{egress::Permit, gate::visible, limits::Limits, manifest::Contract};

/// Characters of an adapter's reason for a failure.
const REASON: usize = 500;

/// Why a call ended otherwise than by returning. The instance is gone afterwards.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It ran into a bound.
    #[error(transparent)]
    Exceeded(Exceeded),
    /// It took longer than the call may take.
    #[error("it took longer than {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// It crashed, or the host ended it for what it asked.
    #[error("it crashed: {0}")]
    Trapped(String),
}

/// A call that ended by itself: what it returned, and what it leaves behind.
pub struct Ended<T> {
    /// What the export returned.
    pub returned: T,
    /// What counts now, if `returned` is a success.
    pub effects: Effects,
}

/// One instance of an adapter.
pub struct Instance {
    store: Store<HostState>,
    bindings: Channel,
    loaded: Loaded,
    /// What the requests of a call that did not end by itself left behind.
    traces: Traces,
}

impl Program {
    /// A new instance, with its memory as the component defines it.
    ///
    /// # Errors
    /// [`CallError`]: instantiating runs code of the guest's, within the limits of a call.
    pub async fn instantiate(&self) -> Result<Instance, CallError> {
        Instance::new(&self.loaded, Some(Arc::clone(&self.contract)), &self.limits).await
    }
}

impl Loaded {
    /// Runs `manifest()` on an instance of its own, with no import usable.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn manifest(&self, limits: &Limits) -> Result<String, CallError> {
        let mut instance = Instance::new(self, None, limits).await?;
        let wall = Duration::from_millis(limits.handle_ms);
        let ended = instance
            .run(Purpose::Manifest, Arc::new(Nowhere), wall, async |bindings, store| {
                bindings.sluicegate_channel_adapter().call_manifest(store).await
            })
            .await?;
        Ok(ended.returned)
    }
}

impl Instance {
    async fn new(loaded: &Loaded, contract: Option<Arc<Contract>>, limits: &Limits) -> Result<Self, CallError> {
        let mut store = Store::new(&loaded.sandbox.engine, HostState::new(contract, limits.clone()));
        store.limiter(|state| &mut state.budget);
        store.set_hostcall_fuel(limits.host_call_kib << 10);
        store.set_max_component_handles(4096);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| {
            let budget = &mut context.data_mut().budget;
            match budget.ticks_left.checked_sub(1) {
                Some(left) => {
                    budget.ticks_left = left;
                    Ok(UpdateDeadline::Yield(1))
                }
                None => {
                    budget.exceeded = Some(Exceeded::Cpu);
                    Ok(UpdateDeadline::Interrupt)
                }
            }
        });
        store.data_mut().budget.ticks_left = ticks(limits);
        let running = loaded.sandbox.ticker.run();
        let wall = Duration::from_millis(limits.handle_ms);
        let instantiated = tokio::time::timeout(wall, loaded.pre.instantiate_async(&mut store)).await;
        drop(running);
        match instantiated {
            Ok(Ok(bindings)) => Ok(Self { store, bindings, loaded: loaded.clone(), traces: Traces::default() }),
            Ok(Err(error)) => Err(failure(&store, &error)),
            Err(_) => Err(CallError::TimedOut(wall)),
        }
    }

    /// Calls `handle` with one event. On an error the instance must be dropped.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn handle(
        &mut self,
        purpose: Purpose,
        surroundings: Arc<dyn Surroundings>,
        event: &types::Event,
    ) -> Result<Ended<Result<Option<types::RouteResponse>, types::Failure>>, CallError> {
        let wall = Duration::from_millis(self.store.data().limits.handle_ms);
        self.run(purpose, surroundings, wall, async |bindings, store| {
            Ok(bindings.sluicegate_channel_adapter().call_handle(store, event).await?.map_err(readable))
        })
        .await
    }

    /// Calls `perform` with one action, which requests what `permit` allows. On an error the instance must be dropped.
    ///
    /// # Errors
    /// [`CallError`]; whether the platform saw a request is then unknown.
    pub async fn perform(
        &mut self,
        permit: Permit,
        surroundings: Arc<dyn Surroundings>,
        action: &types::Action,
    ) -> Result<Ended<Result<types::Outcome, types::Failure>>, CallError> {
        let wall = Duration::from_millis(self.store.data().limits.perform_ms);
        self.run(Purpose::Perform(Box::new(permit)), surroundings, wall, async |bindings, store| {
            Ok(bindings.sluicegate_channel_adapter().call_perform(store, action).await?.map_err(readable))
        })
        .await
    }

    /// What the requests of a call left behind that did not end by itself: the platform has it all the same.
    pub fn take_traces(&mut self) -> Traces {
        std::mem::take(&mut self.traces)
    }

    /// Linear memory in use, in bytes.
    #[must_use]
    pub fn memory_used(&self) -> usize {
        self.store.data().budget.memory_used()
    }

    async fn run<T>(
        &mut self,
        purpose: Purpose,
        surroundings: Arc<dyn Surroundings>,
        wall: Duration,
        export: impl AsyncFnOnce(&Channel, &mut Store<HostState>) -> wasmtime::Result<T>,
    ) -> Result<Ended<T>, CallError> {
        let state = self.store.data_mut();
        let call = Call {
            purpose,
            surroundings,
            effects: Effects::default(),
            state_bytes: 0,
            frame_bytes: 0,
            begun: Instant::now(),
        };
        state.outlet.open(call.way(&state.limits), http::REQUESTS);
        state.call = Some(call);
        state.budget.ticks_left = ticks(&state.limits);
        state.budget.exceeded = None;
        state.log.refill();
        self.store.set_epoch_deadline(1);
        let running = self.loaded.sandbox.ticker.run();
        let ended = tokio::time::timeout(wall, export(&self.bindings, &mut self.store)).await;
        drop(running);
        let call = self.store.data_mut().call.take();
        let traces = self.store.data_mut().outlet.close();
        match (ended, call) {
            (Ok(Ok(returned)), Some(mut call)) => {
                call.effects.traces = traces;
                Ok(Ended { returned, effects: call.effects })
            }
            (ended, _) => {
                self.traces = traces;
                Err(match ended {
                    Ok(Ok(_)) => CallError::Trapped("the call was lost".into()),
                    Ok(Err(error)) => failure(&self.store, &error),
                    Err(_) => CallError::TimedOut(wall),
                })
            }
        }
    }
}

fn ticks(limits: &Limits) -> u64 {
    limits.cpu_ms.div_ceil(TICK.as_millis() as u64)
}

/// The adapter's own words for a failure: short and visible, because logs, the journal and Claude get them.
fn readable(failure: types::Failure) -> types::Failure {
    match failure {
        types::Failure::Unsupported => failure,
        types::Failure::Invalid(reason) => types::Failure::Invalid(visible(&reason, REASON)),
        types::Failure::Platform(failure) => {
            types::Failure::Platform(types::PlatformFailure { message: visible(&failure.message, REASON), ..failure })
        }
    }
}

/// The reason for people: the bound that was hit, else what went wrong and where.
fn failure(store: &Store<HostState>, error: &wasmtime::Error) -> CallError {
    // A guest that could not grow may crash of it later and elsewhere; the bound is still what it should be told.
    if let Some(exceeded) = store.data().budget.exceeded {
        return CallError::Exceeded(exceeded);
    }
    let text = match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    CallError::Trapped(text.chars().filter(|c| !c.is_control()).take(400).collect())
}
