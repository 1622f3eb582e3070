//! The reader of the server's standard output: notes which event's notification arrived when.
//!
//! A thread of its own reads whole chunks and looks for the marker bytes; nothing is parsed, so that
//! the reader is never what limits a server. Lines that carry no event go to the handshake.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::thread::Thread;
use std::time::{Duration, Instant};

use memchr::memchr;
use memchr::memmem::Finder;

/// What every line of a channel event carries, whatever the order of its members.
const METHOD: &[u8] = b"\"notifications/claude/channel\"";

/// When each event's notification was first seen, and how often.
#[derive(Debug)]
pub(crate) struct Arrivals {
    start: Instant,
    /// Nanoseconds after `start` of the first sight plus one; 0 while unseen.
    first: Box<[AtomicU64]>,
    times: Box<[AtomicU32]>,
    distinct: AtomicUsize,
    /// The thread to wake after each chunk.
    waiter: Thread,
}

impl Arrivals {
    /// Room for the events `0..events`. The calling thread is the one that may wait.
    pub(crate) fn new(events: usize) -> Self {
        Self {
            start: Instant::now(),
            first: (0..events).map(|_| AtomicU64::new(0)).collect(),
            times: (0..events).map(|_| AtomicU32::new(0)).collect(),
            distinct: AtomicUsize::new(0),
            waiter: std::thread::current(),
        }
    }

    /// When event `number` was first seen.
    pub(crate) fn first(&self, number: usize) -> Option<Instant> {
        let nanoseconds = self.first.get(number)?.load(Ordering::Acquire);
        (nanoseconds > 0).then(|| self.start + Duration::from_nanos(nanoseconds - 1))
    }

    /// How often event `number` was seen.
    pub(crate) fn times(&self, number: usize) -> u32 {
        self.times.get(number).map_or(0, |times| times.load(Ordering::Acquire))
    }

    /// How many different events were seen.
    pub(crate) fn distinct(&self) -> usize {
        self.distinct.load(Ordering::Acquire)
    }

    /// Waits until event `number` was seen; `None` if it was not within `limit`.
    pub(crate) fn wait_for(&self, number: usize, limit: Duration) -> Option<Instant> {
        let end = Instant::now() + limit;
        loop {
            if let Some(at) = self.first(number) {
                return Some(at);
            }
            std::thread::park_timeout(end.checked_duration_since(Instant::now())?);
        }
    }

    /// Waits until `events` different events were seen, or until none arrived for `patience`.
    pub(crate) fn wait_for_distinct(&self, events: usize, patience: Duration) {
        let mut last = (self.distinct(), Instant::now());
        while last.0 < events && last.1.elapsed() < patience {
            std::thread::park_timeout(Duration::from_millis(100));
            let now = self.distinct();
            if now != last.0 {
                last = (now, Instant::now());
            }
        }
    }

    fn note(&self, number: usize, at: Instant) {
        let (Some(times), Some(first)) = (self.times.get(number), self.first.get(number)) else {
            return;
        };
        let nanoseconds = u64::try_from((at - self.start).as_nanos()).unwrap_or(u64::MAX - 1);
        // The time stands before the count, so that who sees the count finds the time.
        if first.compare_exchange(0, nanoseconds + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            self.distinct.fetch_add(1, Ordering::AcqRel);
        }
        times.fetch_add(1, Ordering::AcqRel);
    }
}

/// Starts the thread that reads `output` to its end. `marker` is what stands before each event's
/// eight-digit number; lines without it are sent to `others`.
pub(crate) fn watch(
    mut output: impl Read + Send + 'static,
    marker: &str,
    arrivals: Arc<Arrivals>,
    others: Sender<Vec<u8>>,
) -> std::io::Result<()> {
    let mut lines = Lines { marker: Finder::new(marker).into_owned(), method: Finder::new(METHOD), arrivals, others };
    std::thread::Builder::new().name("stdout".to_owned()).spawn(move || {
        let mut buffer = vec![0; 1 << 18];
        let mut filled = 0;
        // An error is what the end of a killed process may look like; the handshake and the account
        // notice what is missing.
        while let Ok(read) = output.read(&mut buffer[filled..]) {
            if read == 0 {
                break;
            }
            let at = Instant::now();
            filled += read;
            let used = lines.take(&buffer[..filled], at);
            buffer.copy_within(used..filled, 0);
            filled -= used;
            if filled == buffer.len() {
                buffer.resize(buffer.len() * 2, 0);
            }
            lines.arrivals.waiter.unpark();
        }
    })?;
    Ok(())
}

struct Lines {
    marker: Finder<'static>,
    method: Finder<'static>,
    arrivals: Arc<Arrivals>,
    others: Sender<Vec<u8>>,
}

impl Lines {
    /// Takes the whole lines at the front of `bytes` and returns their length.
    fn take(&mut self, bytes: &[u8], at: Instant) -> usize {
        let mut used = 0;
        while let Some(length) = memchr(b'\n', &bytes[used..]) {
            let line = &bytes[used..used + length];
            used += length + 1;
            if !self.note(line, at) {
                // After the handshake nobody receives any more, which is no fault.
                drop(self.others.send(line.to_vec()));
            }
        }
        used
    }

    /// Notes the events that this line notifies of; false if it notifies of none. One line may carry several events,
    /// and name one of them several times in a row: that is seen once.
    fn note(&self, line: &[u8], at: Instant) -> bool {
        let mut places = self.marker.find_iter(line).peekable();
        if places.peek().is_none() || self.method.find(line).is_none() {
            return false;
        }
        let mut last = None;
        for number in places.filter_map(|place| number_at(line, place + self.marker.needle().len())) {
            if last.replace(number) != Some(number) {
                self.arrivals.note(number, at);
            }
        }
        last.is_some()
    }
}

/// The eight-digit number that stands there.
fn number_at(line: &[u8], place: usize) -> Option<usize> {
    std::str::from_utf8(line.get(place..place + 8)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn every_event_is_counted_however_the_bytes_are_cut() {
        let event =
            |number: u32| format!("{{\"method\":\"notifications/claude/channel\",\"params\":\"x-{number:08}\"}}\n");
        let all = [event(0), event(2), "{\"id\":1}\n".to_owned(), event(2), "x-00000001\n".to_owned()].concat();
        for size in 1..all.len() {
            let arrivals = Arc::new(Arrivals::new(3));
            let (sender, others) = channel();
            watch(Pieces { bytes: all.clone().into_bytes(), size }, "x-", Arc::clone(&arrivals), sender).unwrap();
            let others: Vec<_> = others.iter().collect();
            assert_eq!(others, [b"{\"id\":1}".to_vec(), b"x-00000001".to_vec()], "in pieces of {size}");
            assert_eq!([0, 1, 2].map(|number| arrivals.times(number)), [1, 0, 2], "in pieces of {size}");
            assert_eq!(arrivals.distinct(), 2);
        }
    }

    #[test]
    fn a_line_may_carry_several_events_and_name_each_twice() {
        let line = "{\"method\":\"notifications/claude/channel\",\"params\":\"x-00000000 x-00000000\nx-00000001\"}";
        let arrivals = Arc::new(Arrivals::new(3));
        let (sender, others) = channel();
        let text = format!("{}\n", line.replace('\n', "\\n"));
        watch(std::io::Cursor::new(text), "x-", Arc::clone(&arrivals), sender).unwrap();
        assert_eq!(others.iter().count(), 0);
        assert_eq!([0, 1, 2].map(|number| arrivals.times(number)), [1, 1, 0]);
    }

    struct Pieces {
        bytes: Vec<u8>,
        size: usize,
    }

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.size.min(self.bytes.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.bytes[..length]);
            self.bytes.drain(..length);
            Ok(length)
        }
    }
}
