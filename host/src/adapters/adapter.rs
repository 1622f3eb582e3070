//! One running adapter: what its lane and its actions share.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::asking;
use crate::{
    actions::{Pool, presence::Presence},
    clock::now_ms,
    egress::Egress,
    evidence::Reading,
    files::{FileStore, KeptFile},
    gate::{Gate, Speaker},
    journal::{Journal, JournalError, Reader, Receipt, Transaction},
    listener::{self, Connections},
    message::TextBy,
    name::AdapterName,
    poll::Health,
    relay::Relay,
    sandbox::{Delivery, Frame, Program, Surroundings, types},
};

/// One read-only connection to the journal, for all who read a row at a time.
pub type SharedReader = Arc<Mutex<Reader>>;

/// What one adapter is made of.
pub struct Adapter {
    /// Its component under its contract.
    pub program: Program,
    /// Its identity rules may admit and decide: they are a profile's, or the user has vetted them.
    pub vetted: bool,
    /// It is the host's own code: its component came with Sluicegate.
    pub own: bool,
    /// The permission relay, which its events may hold verdicts for.
    pub relay: Arc<Relay>,
    /// Who may speak.
    pub gate: Gate,
    /// Its files.
    pub files: FileStore,
    /// Where everything is kept.
    pub journal: Journal,
    /// For reading single rows.
    pub reader: SharedReader,
    /// Its WebSocket connections, among everybody's.
    pub connections: Arc<Connections>,
    /// What its actions share.
    pub actions: Pool,
    /// What people see while Claude works.
    pub presence: Presence,
    /// Its way to the network.
    pub egress: Arc<Egress>,
    /// How its sources fare.
    pub health: Health,
    /// Notified when timers may have changed.
    pub timers: Arc<Notify>,
    /// Whether it may still change anything: off once it was revoked or replaced.
    pub live: RwLock<bool>,
    /// When it was last called, in milliseconds since the Unix epoch.
    pub used_ms: AtomicI64,
}

impl Adapter {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &AdapterName {
        &self.program.contract.manifest.name
    }

    /// Reads from the journal.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn read<T>(&self, read: impl FnOnce(&Reader) -> Result<T, JournalError>) -> Result<T, JournalError> {
        read(&self.reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it serves a page to the local user and is the host's own code: then what the page does is the user's doing.
    /// The script of any other page could press its buttons by itself.
    #[must_use]
    pub fn is_own_page(&self) -> bool {
        self.own && asking::has_page(&self.program.contract.platform)
    }

    /// Whether it can bring permission prompts to approvers, whose verdicts the host reads by rules that it trusts.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        asking::can_ask(&self.program.contract, self.own, self.vetted)
    }

    /// What the gate needs to know of a message.
    #[must_use]
    pub fn speaker<'a>(&self, reading: &'a Reading, text: &'a str, text_by: TextBy, mentions_me: bool) -> Speaker<'a> {
        Speaker {
            sender: &reading.sender,
            sender_name: reading.sender_name.as_deref(),
            conversation: &reading.conversation,
            direct: reading.direct,
            mentions_me,
            reply_to_me: false,
            text,
            text_by,
            kind: reading.kind,
            vetted: self.vetted,
            by_credential: reading.by_credential,
        }
    }

    /// The same for a message that the adapter delivered.
    #[must_use]
    pub fn speaker_of<'a>(&self, delivery: &'a Delivery) -> Speaker<'a> {
        self.speaker(&delivery.reading, &delivery.text, delivery.text_by, delivery.mentions_me)
    }

    /// Notes that it is called now.
    pub fn used(&self) {
        self.used_ms.store(now_ms(), Ordering::Relaxed);
    }

    /// Whether it was not called for so long.
    #[must_use]
    pub fn idle_for(&self, while_: Duration) -> bool {
        let idle = now_ms().saturating_sub(self.used_ms.load(Ordering::Relaxed));
        u128::try_from(idle).is_ok_and(|idle| idle >= while_.as_millis())
    }

    /// Bytes that its `state` would have with these writes.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn state_size_with(&self, writes: &BTreeMap<String, Option<Vec<u8>>>) -> Result<u64, JournalError> {
        let bytes = |key: &String, value: Option<&Vec<u8>>| value.map_or(0, |value| (key.len() + value.len()) as u64);
        self.read(|reader| {
            let (mut added, mut replaced) = (0, 0);
            for (key, value) in writes {
                added += bytes(key, value.as_ref());
                replaced += bytes(key, reader.state_get(self.name(), key)?.as_ref());
            }
            Ok((reader.state_size(self.name())? + added).saturating_sub(replaced))
        })
    }

    /// Whether it was neither revoked nor replaced.
    #[must_use]
    pub fn is_live(&self) -> bool {
        *self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it: what still runs of it changes nothing any more, and nothing of it leaves.
    pub fn retire(&self) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = false;
        self.egress.close();
    }

    /// Hands a transaction to the journal, unless it was retired; under one lock, so that nothing follows its end.
    #[must_use]
    pub fn submit(&self, transaction: Transaction) -> Option<Receipt> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.then(|| self.journal.submit(transaction))
    }

    /// Sends frames on their way; what cannot take them is closed by the listener.
    pub fn send_frames(&self, frames: Vec<Frame>) {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        if !*live {
            return;
        }
        for Frame { socket, to, frame } in frames {
            // The host's own page shows prompts; other connections have no part in them.
            let carries = match &frame {
                types::Frame::Text(text) => self.relay.live().carries(text, None),
                types::Frame::Binary(bytes) => self.relay.live().carries(&String::from_utf8_lossy(bytes), None),
            };
            if carries && !self.is_own_page() {
                tracing::warn!(adapter = %self.name(), "a frame was not sent: it carries the code of a permission prompt");
                continue;
            }
            let frame = match frame {
                types::Frame::Text(text) => listener::Frame::Text(text),
                types::Frame::Binary(bytes) => listener::Frame::Binary(bytes.into()),
            };
            self.connections.send(self.name(), &socket, to, frame);
        }
    }
}

/// The committed state and the files, as calls that run beside the lane see them.
impl Surroundings for Adapter {
    fn state(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.read(|reader| reader.state_get(self.name(), key)).map_err(|error| error.to_string())
    }

    fn file(&self, id: &str) -> Option<KeptFile> {
        self.files.get(id)
    }

    fn egress(&self) -> Option<Arc<Egress>> {
        Some(Arc::clone(&self.egress))
    }
}
