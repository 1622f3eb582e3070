//! Adapters: what is there, what was granted, and what runs.

mod adapter;
mod asking;
mod bundled;
mod catalogue;
mod survey;

pub use adapter::{Adapter, SharedReader};
pub use asking::{can_ask, can_rewrite, has_buttons, has_page};
pub use catalogue::{Candidate, Catalogue, Origin, Said};
pub use survey::{Entry, Standing, survey};
