//! Waiting for something to become true, without guessing how long it takes.

use std::{
    env,
    time::{Duration, Instant},
};

/// How long the tests wait for what must happen before they call it missing.
pub fn patience() -> Duration {
    let factor = env::var("SLUICEGATE_TEST_PATIENCE").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    Duration::from_secs(30) * factor
}

/// Asks again and again until there is an answer.
///
/// # Panics
/// When [`patience`] has run out; `what` says what was missing.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + patience();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "this did not happen within {} s: {what}", patience().as_secs());
        std::thread::sleep(Duration::from_millis(5));
    }
}
