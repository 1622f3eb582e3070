//! Notices what the user drops, changes and allows while the host runs.

use std::{path::PathBuf, sync::Arc, time::Duration};

use notify::{EventKind, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use crate::home::Home;

/// Changes within this time of each other are one.
const SETTLE: Duration = Duration::from_millis(150);

/// Watches the adapters' directory and the two files that decide what runs.
///
/// The home itself is not watched: the journal in it changes with every event.
pub struct Watch {
    watcher: notify::RecommendedWatcher,
    changed: Arc<Notify>,
    files: [PathBuf; 2],
}

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// What the system says; the host then notices changes only when it is told (`sluicegate allow` tells it).
    pub fn new(home: &Home) -> notify::Result<Self> {
        let changed = Arc::new(Notify::new());
        let wake = Arc::clone(&changed);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading is a change of nothing; without this the host would wake itself.
            if !matches!(event, Ok(notify::Event { kind: EventKind::Access(_), .. })) {
                wake.notify_one();
            }
        })?;
        watcher.watch(&home.adapters(), RecursiveMode::NonRecursive)?;
        let mut watch = Self { watcher, changed, files: [home.config(), home.grants()] };
        watch.files_again();
        Ok(watch)
    }

    /// Waits for a change, and for the changes that come with it.
    pub async fn changed(&mut self) {
        self.changed.notified().await;
        while tokio::time::timeout(SETTLE, self.changed.notified()).await.is_ok() {}
        self.files_again();
    }

    /// A file that was replaced is another file: it must be watched anew.
    fn files_again(&mut self) {
        for file in &self.files {
            // A file that was never watched, or that is not there, is no fault.
            drop(self.watcher.unwatch(file));
            drop(self.watcher.watch(file, RecursiveMode::NonRecursive));
        }
    }
}
