//! The adapters that come with Sluicegate, built from `guests/` and embedded.

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// The component of a bundled adapter.
#[must_use]
pub(super) fn component(name: &str) -> Option<&'static [u8]> {
    BUNDLED.iter().find(|(bundled, _)| *bundled == name).map(|(_, component)| *component)
}
