//! Timers that outlive the call and the process.

use crate::host;

/// Brings `Event::Elapsed(name)` once, after that many milliseconds; setting it again replaces it.
pub fn set(name: &str, after_ms: u32) {
    host::timers::set(name, after_ms);
}

/// Forgets the timer of that name.
pub fn cancel(name: &str) {
    host::timers::cancel(name);
}
