//! What is known of an adapter's platform before anything of it runs.

use std::sync::Arc;

use super::adapters::granted;
use crate::{adapters::Said, home::Home, manifest::Platform, name::AdapterName};

/// The platform of an adapter.
pub(super) struct Declared {
    /// What it declares.
    pub(super) platform: Arc<Platform>,
    /// Those are the host's own words.
    pub(super) from_profile: bool,
}

/// The platform that was granted under that name, else the host's own description of a platform of that name, so that
/// its secrets can be set before the adapter is allowed.
pub(super) fn declared(home: &Home, name: &AdapterName) -> Option<Declared> {
    let contract = match granted(home, name) {
        Ok(granted) => granted.said.contract,
        Err(_) => {
            let text = format!("name = \"{name}\"\nversion = \"0\"\nsummary = \"{name}\"\nprofile = \"{name}\"\n");
            Said::parse(text).ok()?.contract
        }
    };
    Some(Declared { platform: Arc::clone(&contract.platform), from_profile: contract.from_profile })
}
