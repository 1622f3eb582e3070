//! What must outlive the call, as JSON or as bytes. A call sees one snapshot and its own writes; they are
//! kept when it returns without a failure.
//!
//! Events are handled one after another, but actions run beside them and beside each other: give what an
//! action writes keys of its own, or the later commit wins.

use crate::types::Failure;
use crate::{host, log};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The value under that key. One that is not a `T` (written by an older version, say) counts as absent,
/// with a warning in the log: state that cannot be read must not stop the adapter for ever.
pub fn get<T: DeserializeOwned>(key: &str) -> Option<T> {
    let bytes = get_bytes(key)?;
    serde_json::from_slice(&bytes).inspect_err(|error| log::warn(format!("state {key:?} is ignored: {error}"))).ok()
}

/// Keeps the value under that key.
pub fn set<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<(), Failure> {
    set_bytes(key, &serde_json::to_vec(value)?);
    Ok(())
}

/// The bytes under that key.
pub fn get_bytes(key: &str) -> Option<Vec<u8>> {
    host::state::get(key)
}

/// Keeps the bytes under that key.
pub fn set_bytes(key: &str, value: &[u8]) {
    host::state::set(key, value);
}

/// Forgets that key.
pub fn remove(key: &str) {
    host::state::remove(key);
}
