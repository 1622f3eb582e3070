//! The timers of all adapters: one task that sleeps until the next is due.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use crate::{
    adapters::SharedReader,
    clock::now_ms,
    journal::{JournalError, TimerDue},
    lane::{Happening, Occurrence},
    registry::Registry,
};

/// Milliseconds after which a timer whose adapter could not take it is tried again.
const AGAIN: i64 = 1000;

/// Milliseconds of the longest sleep, so that a changed wall clock is noticed.
const LONGEST: i64 = 60_000;

/// Fires timers for as long as it is polled. `set` is notified when timers may have changed.
pub async fn run(registry: Arc<Registry>, reader: SharedReader, set: Arc<Notify>) {
    let mut not_before = 0;
    loop {
        let changed = set.notified();
        let wait = match due(&reader, now_ms()) {
            Ok((due, next)) => {
                let mut all_taken = true;
                for timer in due {
                    all_taken &= fire(&registry, timer).await;
                }
                not_before = if all_taken { 0 } else { now_ms() + AGAIN };
                next.map_or(LONGEST, |next| next - now_ms())
            }
            Err(error) => {
                tracing::error!("timers cannot be read: {error}");
                LONGEST
            }
        };
        let wait = wait.max(not_before - now_ms()).clamp(1, LONGEST);
        // The notification was asked for before the journal was read, so that none is missed.
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())) => {}
        }
    }
}

/// The timers that have run out, and when the first of all is due.
fn due(reader: &SharedReader, now: i64) -> Result<(Vec<TimerDue>, Option<i64>), JournalError> {
    let reader = reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((reader.timers_due(now)?, reader.next_timer_due()?))
}

/// Gives a timer's adapter its event; `false` if it is due still.
async fn fire(registry: &Registry, timer: TimerDue) -> bool {
    let Some(running) = registry.get(&timer.adapter) else {
        // It stays until its adapter runs again.
        return false;
    };
    let handled = running.lane.handle(Occurrence::bare(Happening::Elapsed(timer.name))).await;
    matches!(handled, crate::lane::Handled::Stored(_) | crate::lane::Handled::Repeated)
}
