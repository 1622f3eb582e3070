//! What an adapter is, and how it becomes the component's exports.

use crate::bindings::exports::sluicegate::channel::adapter::Guest;
use crate::types::{Action, Event, Failure, Outcome, RouteResponse};
use std::marker::PhantomData;

/// The end of [`Adapter::handle`]: a page route's answer, or nothing.
pub type Handled = Result<Option<RouteResponse>, Failure>;

/// The end of [`Adapter::perform`].
pub type Performed = Result<Outcome, Failure>;

/// A channel adapter. It has no `self`: memory is a cache, and what must survive goes into
/// [`state`](crate::state).
pub trait Adapter {
    /// The manifest (TOML). `include_str!("../manifest.toml")` keeps it a file of its own.
    const MANIFEST: &'static str;

    /// Turns one event into messages. What it delivered, kept, timed and framed is committed together when
    /// it returns `Ok`, and dropped when it does not; it may run again for the same event.
    ///
    /// Without an implementation, what only informs the adapter is accepted and the rest is
    /// [`Failure::Unsupported`].
    fn handle(event: Event) -> Handled {
        match event {
            Event::Started | Event::Opened(_) | Event::Closed(_) => Ok(None),
            Event::Received(_) | Event::Requested(_) | Event::Elapsed(_) => Err(Failure::Unsupported),
        }
    }

    /// Does on the platform what the host asks for: one attempt, never repeated by itself.
    ///
    /// Without an implementation every action is [`Failure::Unsupported`].
    fn perform(action: Action) -> Performed {
        let _ = action;
        Err(Failure::Unsupported)
    }
}

/// The component's exports made from an [`Adapter`]; [`export_adapter!`](crate::export_adapter) uses it.
pub struct Exported<A>(PhantomData<A>);

impl<A: Adapter + 'static> Guest for Exported<A> {
    fn manifest() -> String {
        A::MANIFEST.to_owned()
    }

    fn handle(event: Event) -> Handled {
        A::handle(event)
    }

    fn perform(action: Action) -> Performed {
        A::perform(action)
    }
}

/// Exports the named [`Adapter`] from this component. Once per crate; on native targets it only checks
/// that the type is an adapter.
#[macro_export]
macro_rules! export_adapter {
    ($adapter:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            type Component = $crate::Exported<$adapter>;
    $crate::bindings::export_component!(Component with_types_in $crate::bindings);
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: &str = <$adapter as $crate::Adapter>::MANIFEST;
    };
}
