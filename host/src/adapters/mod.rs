//! Adapters: what is there, what was granted, and what runs.

mod adapter;
mod bundled;
mod catalogue;
mod survey;

pub use adapter::{Adapter, SharedReader, can_ask, has_page};
pub use catalogue::{Candidate, Catalogue, Origin, Said};
pub use survey::{Entry, Standing, survey};
