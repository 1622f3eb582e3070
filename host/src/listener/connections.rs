//! The WebSocket connections that are open, and how frames get to them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tokio::sync::{mpsc, watch};

use super::{
    intake::{Closure, Frame},
    table::{Mounted, RouteTable},
};
use crate::{clock::now_ms, manifest::is_plain, name::AdapterName};

/// Frames that may wait for one connection.
const FRAMES: usize = 256;
/// Bytes that may wait for one connection; one frame may always wait.
const BYTES: usize = 4 * 1024 * 1024;
/// Most bytes of a close reason (RFC 6455, section 5.5).
const REASON: usize = 123;

/// All open connections of all adapters.
#[derive(Debug)]
pub struct Connections {
    open: Mutex<HashMap<AdapterName, BTreeMap<u64, Peer>>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Peer {
    route: String,
    credential: String,
    mounted: Arc<Mounted>,
    queue: mpsc::Sender<Frame>,
    waiting: Arc<AtomicUsize>,
    closing: watch::Sender<Option<Closure>>,
}

impl Default for Connections {
    fn default() -> Self {
        // Numbers go up over restarts too, so that none that an adapter remembers comes again.
        let first = u64::try_from(now_ms()).unwrap_or_default().saturating_mul(1000);
        Self { open: Mutex::default(), next: AtomicU64::new(first) }
    }
}

impl Connections {
    /// Queues a frame for one connection of a socket, or for all of them, and says for how many.
    ///
    /// Nobody waits for a peer that reads too slowly: when its queue is full it is closed with 1008.
    pub fn send(&self, adapter: &AdapterName, socket: &str, to: Option<u64>, frame: Frame) -> usize {
        let open = self.open();
        let Some(peers) = open.get(adapter) else { return 0 };
        match to {
            Some(to) => {
                usize::from(peers.get(&to).filter(|peer| peer.route == socket).is_some_and(|peer| peer.queue(frame)))
            }
            None => peers.values().filter(|peer| peer.route == socket).filter(|peer| peer.queue(frame.clone())).count(),
        }
    }

    /// Closes one connection of a socket, or all of them. What is queued for it may be lost.
    pub fn close(&self, adapter: &AdapterName, socket: &str, to: Option<u64>, code: u16, reason: &str) {
        let open = self.open();
        for (number, peer) in open.get(adapter).into_iter().flatten() {
            if peer.route == socket && to.is_none_or(|to| to == *number) {
                peer.close(code, reason);
            }
        }
    }

    /// How many connections an adapter has.
    #[must_use]
    pub fn count(&self, adapter: &AdapterName) -> usize {
        self.open().get(adapter).map_or(0, BTreeMap::len)
    }

    /// Closes what could no longer be opened.
    pub(super) fn close_unrouted(&self, table: &RouteTable) {
        for peer in self.open().values().flat_map(BTreeMap::values) {
            if !table.still_opens(&peer.mounted, &peer.route, &peer.credential) {
                peer.close(1001, "the adapter is gone or has changed");
            }
        }
    }

    /// Takes one of the adapter's connections, if it has one left.
    pub(super) fn seat(self: &Arc<Self>, mounted: &Arc<Mounted>, route: &str, credential: &str) -> Option<Seat> {
        let mut open = self.open();
        let peers = open.entry(mounted.adapter.clone()).or_default();
        if peers.len() >= mounted.limits.connections {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (queue, frames) = mpsc::channel(FRAMES);
        let (closing, closed) = watch::channel(None);
        let waiting = Arc::new(AtomicUsize::new(0));
        let seat = Seat {
            connections: Arc::clone(self),
            adapter: mounted.adapter.clone(),
            number,
            frames,
            waiting: Arc::clone(&waiting),
            closed,
        };
        let (route, credential, mounted) = (route.to_owned(), credential.to_owned(), Arc::clone(mounted));
        peers.insert(number, Peer { route, credential, mounted, queue, waiting, closing });
        Some(seat)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<AdapterName, BTreeMap<u64, Peer>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer {
    fn queue(&self, frame: Frame) -> bool {
        let bytes = frame.len();
        if bytes > self.mounted.limits.frame_kib * 1024 {
            tracing::warn!(adapter = %self.mounted.adapter, bytes, "a frame is larger than `frame-kib` in config.toml");
            return false;
        }
        let before = self.waiting.fetch_add(bytes, Ordering::Relaxed);
        if (before == 0 || before + bytes <= BYTES) && self.queue.try_send(frame).is_ok() {
            return true;
        }
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        self.close(1008, "too slow");
        false
    }

    fn close(&self, code: u16, reason: &str) {
        self.closing.send_if_modified(|closing| {
            let first = closing.is_none();
            if first {
                *closing = Some(Closure::new(code, reason));
            }
            first
        });
    }
}

impl Closure {
    /// A closure whose reason fits into a close frame and shows all that it holds.
    #[must_use]
    pub fn new(code: u16, reason: &str) -> Self {
        let plain: String = reason.chars().filter(|c| is_plain(*c)).collect();
        let reason = plain[..plain.floor_char_boundary(REASON)].to_owned();
        Self { code, reason }
    }
}

/// A connection's place among the open ones; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    connections: Arc<Connections>,
    adapter: AdapterName,
    number: u64,
    frames: mpsc::Receiver<Frame>,
    waiting: Arc<AtomicUsize>,
    closed: watch::Receiver<Option<Closure>>,
}

impl Seat {
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// What is to be sent, and whether to close.
    pub(super) fn split(&mut self) -> (Outgoing<'_>, Closing<'_>) {
        (Outgoing { frames: &mut self.frames, waiting: &self.waiting }, Closing(&mut self.closed))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        if let Some(peers) = open.get_mut(&self.adapter) {
            peers.remove(&self.number);
            if peers.is_empty() {
                open.remove(&self.adapter);
            }
        }
    }
}

/// The frames that wait for a connection.
pub(super) struct Outgoing<'a> {
    frames: &'a mut mpsc::Receiver<Frame>,
    waiting: &'a AtomicUsize,
}

impl Outgoing<'_> {
    pub(super) async fn next(&mut self) -> Option<Frame> {
        self.frames.recv().await
    }

    /// The frame of so many bytes is on the wire.
    pub(super) fn sent(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Whether to close a connection.
pub(super) struct Closing<'a>(&'a mut watch::Receiver<Option<Closure>>);

impl Closing<'_> {
    /// Resolves when it is to be closed.
    pub(super) async fn next(&mut self) -> Closure {
        match self.0.wait_for(Option::is_some).await.map(|closure| closure.clone()) {
            Ok(Some(closure)) => closure,
            _ => Closure::new(1001, ""),
        }
    }
}
