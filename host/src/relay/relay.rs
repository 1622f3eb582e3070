//! What the parts of the host share of the relay.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Map, Value};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::timeout,
};

use super::{Attempt, Docket, Judged, Live, record::Entry};
use crate::{clock::now_ms, journal::Journal, name::AdapterName};

/// How long an attempt waits for the prompt that it answers to be said to have been sent: a press may come before the
/// platform's answer does.
const UNDER_WAY: Duration = Duration::from_secs(15);

/// What waits for the desk; more is dropped. Claude Code asks for one tool at a time.
const WAITING: usize = 1024;

/// The docket, and the way to the desk. One for each session.
pub struct Relay {
    docket: Mutex<Docket>,
    live: Arc<Live>,
    /// Claude Code has asked at least once.
    asked: AtomicBool,
    /// A page that is not the host's own is served from the origin of the one that is.
    shares_origin: AtomicBool,
    /// Notified when a prompt was sent, or was not.
    sent: Notify,
    desk: mpsc::Sender<Task>,
    tasks: Mutex<Option<mpsc::Receiver<Task>>>,
    journal: OnceLock<Journal>,
}

/// What the desk does, one after another.
pub(super) enum Task {
    /// Claude Code asks.
    Requested(Map<String, Value>),
    /// Claude Code called a tool: whoever sits at the terminal has answered what it asked before.
    WentOn,
    /// An adapter has begun to run.
    Runs(AdapterName),
    /// Attempts were judged.
    Judged(Vec<(Attempt, Judged)>),
    /// The session ends; told when the prompts are closed.
    Ends(oneshot::Sender<()>),
}

impl Relay {
    /// A relay that nothing was asked of.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let live = Arc::<Live>::default();
        let (desk, tasks) = mpsc::channel(WAITING);
        Arc::new(Self {
            docket: Mutex::new(Docket::new(Arc::clone(&live))),
            live,
            asked: AtomicBool::new(false),
            shares_origin: AtomicBool::new(false),
            sent: Notify::new(),
            desk,
            tasks: Mutex::new(Some(tasks)),
            journal: OnceLock::new(),
        })
    }

    /// Keeps its record there.
    pub fn keep_in(&self, journal: &Journal) {
        // The first one counts: there is one host to a session.
        let _ = self.journal.set(journal.clone());
    }

    /// The codes and tokens that are good for something now.
    #[must_use]
    pub const fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Claude Code asks; handled in the order of these calls.
    pub fn requested(&self, params: Map<String, Value>) {
        self.asked.store(true, Ordering::SeqCst);
        self.hand_over(Task::Requested(params));
    }

    /// Claude Code called a tool, after everything that it asked before.
    pub fn went_on(&self) {
        if self.asked.load(Ordering::SeqCst) {
            self.hand_over(Task::WentOn);
        }
    }

    /// An adapter has begun to run: prompts that an earlier process left open are closed.
    pub fn runs(&self, adapter: &AdapterName) {
        self.hand_over(Task::Runs(adapter.clone()));
    }

    /// Whether a page that is not the host's own is served from the origin of the one that is: then nothing that the
    /// host's page says is a verdict.
    #[must_use]
    pub fn shares_origin(&self) -> bool {
        self.shares_origin.load(Ordering::SeqCst)
    }

    /// Says whether that is so: before such a page is served, and after none is any more.
    pub fn share_origin(&self, shared: bool) {
        self.shares_origin.store(shared, Ordering::SeqCst);
    }

    /// Judges what looks like verdicts and came together. Their events are committed, so none is judged twice.
    pub async fn attempted(&self, attempts: Vec<Attempt>) {
        if attempts.is_empty() {
            return;
        }
        let known = async {
            loop {
                let sent = self.sent.notified();
                if !attempts.iter().any(|attempt| self.docket().is_under_way(attempt)) {
                    return;
                }
                sent.await;
            }
        };
        // What is not known to be sent by then was not.
        let _ = timeout(UNDER_WAY, known).await;
        let judged = self.docket().judge(&attempts, now_ms());
        self.hand_over(Task::Judged(attempts.into_iter().zip(judged).collect()));
    }

    /// Closes the prompts that wait, as far as that is done within this time.
    pub async fn ends(&self, within: Duration) {
        if self.docket().waiting().is_empty() {
            return;
        }
        let (done, closed) = oneshot::channel();
        self.hand_over(Task::Ends(done));
        // What is left open is closed by the next process.
        let _ = timeout(within, closed).await;
    }

    /// The docket.
    pub(super) fn docket(&self) -> MutexGuard<'_, Docket> {
        self.docket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A prompt was sent, or was not: who waits for that looks again.
    pub(super) fn look_again(&self) {
        self.sent.notify_waiters();
    }

    /// What is handed over; for one desk.
    pub(super) fn tasks(&self) -> Option<mpsc::Receiver<Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Records lines in their order. Nobody waits for it: what must be recorded before something else happens goes to the
    /// journal itself.
    pub(super) fn note(&self, entries: Vec<Entry>) {
        if let Some(journal) = self.journal.get() {
            drop(journal.record(entries));
        }
    }

    fn hand_over(&self, task: Task) {
        if self.desk.try_send(task).is_err() {
            tracing::warn!("a permission request was not handled: too much waits, or nothing relays here");
        }
    }
}
