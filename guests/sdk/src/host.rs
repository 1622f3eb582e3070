//! The imports: the host's in a component, the fake's ([`crate::testing`]) on every other target.

#[cfg(target_arch = "wasm32")]
pub(crate) use crate::bindings::sluicegate::channel::{http, inbox, log, sockets, state, timers};

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::imports::{http, inbox, log, sockets, state, timers};
