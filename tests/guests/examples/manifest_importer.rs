//! Uses an import within `manifest()`, where none may be used.

use sluicegate_sdk::bindings::exports::sluicegate::channel::adapter::Guest;
use sluicegate_sdk::prelude::*;

struct ManifestImporter;

impl Guest for ManifestImporter {
    fn manifest() -> String {
        let before = state::get_bytes("asked").is_some();
        state::set_bytes("asked", b"yes");
        let name = if before { "manifest-importer-again" } else { "manifest-importer" };
        format!(
            "name = \"{name}\"\nversion = \"0.1.0\"\nsummary = \"Asks before it is allowed to\"\n\
             actions = []\nmeta = []\ncomposes = false\n"
        )
    }

    fn handle(_: Event) -> Handled {
        Ok(None)
    }

    fn perform(_: Action) -> Performed {
        Err(Failure::Unsupported)
    }
}

const _: () = {
    type Component = ManifestImporter;
    sluicegate_sdk::bindings::export_component!(Component with_types_in sluicegate_sdk::bindings);
};
