//! What `handle` sees of the adapter: the committed state under what is queued.

use std::sync::Arc;

use super::overlay::Overlay;
use crate::{adapters::Adapter, egress::Egress, files::KeptFile, sandbox::Surroundings};

/// The view of the lane's own calls.
pub(super) struct Queueing {
    adapter: Arc<Adapter>,
    overlay: Arc<Overlay>,
}

impl Queueing {
    pub(super) fn new(adapter: Arc<Adapter>, overlay: Arc<Overlay>) -> Self {
        Self { adapter, overlay }
    }
}

impl Surroundings for Queueing {
    fn state(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        match self.overlay.get(key) {
            Some(queued) => Ok(queued),
            None => self.adapter.state(key),
        }
    }

    fn file(&self, id: &str) -> Option<KeptFile> {
        self.adapter.file(id)
    }

    fn egress(&self) -> Option<Arc<Egress>> {
        self.adapter.egress()
    }
}
