//! The access as the gate sees it: re-read when the file changed, changed only under the lock, and told about
//! when something is wrong with it.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    Access, GateError, Settings, Warning,
    access::Problem,
    file::{AccessFile, Found, Lock, Stamp},
    mention::Mentions,
};

/// How long a command of the user waits for the lock.
pub(super) const PATIENT: Duration = Duration::from_secs(10);
/// How long a judgement waits for the lock: others hold it for milliseconds only.
pub(super) const BRIEF: Duration = Duration::from_secs(1);
/// So many warnings wait to be taken at most.
const MAX_WARNINGS: usize = 64;

/// One state of the file, ready to judge by.
pub(super) struct Snapshot {
    pub(super) access: Access,
    pub(super) settings: Settings,
    pub(super) mentions: Mentions,
}

/// Why there is no snapshot.
pub(super) struct Unusable(pub(super) String);

pub(super) struct Store {
    file: AccessFile,
    // Never held while waiting for the file's lock.
    view: Mutex<View>,
}

#[derive(Default)]
struct View {
    loaded: Option<Loaded>,
    warnings: Vec<Warning>,
    /// What is wrong now and has been told.
    told: BTreeSet<Problem>,
}

struct Loaded {
    stamp: Option<Stamp>,
    settled: bool,
    snapshot: Arc<Snapshot>,
}

/// What a look at the file gives.
enum Look {
    Usable(Arc<Snapshot>),
    Corrupt(String),
    Unreadable(String),
}

impl Store {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { file: AccessFile::new(path), view: Mutex::default() }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.file.path().to_owned()
    }

    /// The access as it is now. A corrupt file is moved aside first.
    pub(super) fn snapshot(&self) -> Result<Arc<Snapshot>, Unusable> {
        let why = match self.look() {
            Look::Usable(snapshot) => return Ok(snapshot),
            Look::Unreadable(why) => why,
            // Read again under the lock, where nobody is writing, and only then moved aside.
            Look::Corrupt(_) => match self.change(BRIEF, |_| Ok(())) {
                Err(error) => error.to_string(),
                Ok(()) => match self.look() {
                    Look::Usable(snapshot) => return Ok(snapshot),
                    Look::Corrupt(why) | Look::Unreadable(why) => why,
                },
            },
        };
        let path = self.path();
        let mut view = self.view();
        view.loaded = None;
        let problem = Problem { at: String::new(), why: why.clone() };
        if !view.told.contains(&problem) {
            view.told = BTreeSet::from([problem]);
            view.warn(Warning::Unusable { path, why: why.clone() });
        }
        Err(Unusable(why))
    }

    /// Changes the access as it is at that moment, so that no other process's change is lost. Nothing is written
    /// if the change fails or changes nothing.
    pub(super) fn change<T>(
        &self,
        patience: Duration,
        change: impl FnOnce(&mut Access) -> Result<T, GateError>,
    ) -> Result<T, GateError> {
        let lock = self.file.lock(patience)?;
        let before = self.read_locked(&lock)?;
        let mut after = before.clone();
        let value = change(&mut after)?;
        if after != before {
            let written = self.file.write(&lock, &after);
            self.view().loaded = None;
            written?;
        }
        Ok(value)
    }

    pub(super) fn warn(&self, warning: Warning) {
        self.view().warn(warning);
    }

    pub(super) fn take_warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut self.view().warnings)
    }

    /// The access under the lock. What is no access is moved aside, and access starts afresh.
    fn read_locked(&self, lock: &Lock) -> Result<Access, GateError> {
        let found = self.file.read().map_err(|source| self.file.failed("read", source))?;
        let why = match found.access {
            Ok(access) => return Ok(access),
            Err(why) => why,
        };
        let aside = self.file.move_aside(lock).map_err(|source| self.file.failed("move aside the corrupt", source))?;
        let mut view = self.view();
        view.loaded = None;
        view.warn(Warning::Corrupt { path: self.path(), aside, why });
        Ok(Access::default())
    }

    /// Looks whether the file changed and reads it if so.
    fn look(&self) -> Look {
        let mut view = self.view();
        let stamp = match self.file.stamp() {
            Ok(stamp) => stamp,
            Err(error) => return Look::Unreadable(error.to_string()),
        };
        if let Some(loaded) = view.loaded.as_ref().filter(|loaded| loaded.settled && loaded.stamp == stamp) {
            return Look::Usable(Arc::clone(&loaded.snapshot));
        }
        let Found { stamp, settled, access } = match self.file.read() {
            Ok(found) => found,
            Err(error) => return Look::Unreadable(error.to_string()),
        };
        let access = match access {
            Ok(access) => access,
            Err(why) => return Look::Corrupt(why),
        };
        let (settings, mut problems) = access.settings();
        let known = view.loaded.as_ref().map(|loaded| &loaded.snapshot.mentions);
        let mentions = Mentions::compile(&settings.mention_patterns, known);
        problems.extend(mentions.problems().iter().cloned());
        view.tell(problems, self.file.path().to_owned());
        let snapshot = Arc::new(Snapshot { access, settings, mentions });
        view.loaded = Some(Loaded { stamp, settled, snapshot: Arc::clone(&snapshot) });
        Look::Usable(snapshot)
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View {
    fn warn(&mut self, warning: Warning) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(warning);
        }
    }

    /// Each problem is told once for as long as it lasts.
    fn tell(&mut self, problems: Vec<Problem>, path: PathBuf) {
        let problems: BTreeSet<_> = problems.into_iter().collect();
        for Problem { at, why } in problems.difference(&self.told).cloned().collect::<Vec<_>>() {
            self.warn(Warning::Ignored { path: path.clone(), at, why });
        }
        self.told = problems;
    }
}
