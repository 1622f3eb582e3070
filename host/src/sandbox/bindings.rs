//! The host's side of `wit/0.1`, generated.
#![allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated; documented in wit/")]

wasmtime::component::bindgen!({
    path: "../wit/0.1",
    world: "channel",
    imports: {
        "sluicegate:channel/http": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});

pub use self::sluicegate::channel::{http, inbox, log, sockets, state, timers, types};
