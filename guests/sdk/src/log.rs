//! Lines for the adapter's own log. Never write there what a person sent or a secret.

pub use crate::bindings::sluicegate::channel::log::Level;
use crate::host;

/// Details for whoever works on the adapter.
pub fn debug(message: impl AsRef<str>) {
    host::log::write(Level::Debug, message.as_ref());
}

/// Something worth knowing happened.
pub fn info(message: impl AsRef<str>) {
    host::log::write(Level::Info, message.as_ref());
}

/// Something went wrong that the adapter worked around.
pub fn warn(message: impl AsRef<str>) {
    host::log::write(Level::Warn, message.as_ref());
}

/// Something went wrong that the user should look at.
pub fn error(message: impl AsRef<str>) {
    host::log::write(Level::Error, message.as_ref());
}
