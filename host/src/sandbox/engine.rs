//! The engine's configuration, and the clock that lets it interrupt computing guests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use wasmtime::{Config, Engine, EngineWeak};

/// One step of the epoch clock. CPU budgets are counted in these.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Steps without any call after which the clock stops, so that an idle host has no wake-ups.
const IDLE_TICKS: u32 = 20;

/// The configuration that compiling and running share; a compiled component fits only this. Only the compiler's
/// process has a compiler.
pub(super) fn engine(compiler: bool) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .enable_compiler(compiler)
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(20));
    Engine::new(&config)
}

/// Advances the engine's epoch while calls are running, and rests while none are.
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

struct Shared {
    running: AtomicUsize,
    used: AtomicBool,
    resting: AtomicBool,
}

/// Keeps the clock going for as long as it lives.
pub(super) struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Ticker {
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            running: AtomicUsize::new(0),
            used: AtomicBool::new(false),
            resting: AtomicBool::new(false),
        });
        let (weak, seen) = (engine.weak(), Arc::clone(&shared));
        let handle =
            thread::Builder::new().name("epoch".into()).stack_size(64 * 1024).spawn(move || tick(&weak, &seen))?;
        Ok(Self { shared, thread: handle.thread().clone() })
    }

    pub(super) fn run(&self) -> Running<'_> {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        self.shared.used.store(true, Ordering::SeqCst);
        if self.shared.resting.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // The thread sees that the engine is gone.
        self.thread.unpark();
    }
}

fn tick(engine: &EngineWeak, shared: &Shared) {
    let mut idle = 0;
    loop {
        if idle < IDLE_TICKS {
            thread::sleep(TICK);
        } else {
            // `resting` is set before `running` is read, and `run` does it the other way round, so one of
            // the two always sees the other.
            shared.resting.store(true, Ordering::SeqCst);
            if shared.running.load(Ordering::SeqCst) == 0 {
                thread::park();
            }
            shared.resting.store(false, Ordering::SeqCst);
            idle = 0;
        }
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
        let busy = shared.running.load(Ordering::SeqCst) > 0 || shared.used.swap(false, Ordering::SeqCst);
        idle = if busy { 0 } else { idle + 1 };
    }
}
