//! The wire's thread: takes frames first, then events, lets messages gather, and writes.

use std::{
    io::{self, ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{
    burst::{Arrival, Bundle, Gathering, Most},
    render::Event,
    wire::{Backlog, Format, Shared, WireEnd, weight},
};
use crate::{clock, journal::Stored, message::Message};

/// A buffer that one large event has grown is not kept for the small ones.
const KEPT_BUFFER: usize = 1 << 20;

pub(super) struct Writer<W, B> {
    shared: Arc<Shared>,
    output: W,
    format: Format,
    backlog: B,
    /// The last message that was taken from the queue or the journal.
    taken: i64,
    /// Everything up to here was written, as the journal was told.
    written: i64,
    /// Messages that were taken and wait for others of their burst.
    gathering: Gathering,
    /// Events that are written next.
    pending: Vec<Bundle>,
    /// From here on, no earlier process can have sent an event.
    own_from: Option<i64>,
    /// When to ask the journal again, after it failed.
    retry: Option<Instant>,
    buffer: Vec<u8>,
}

enum Work {
    Frames(Vec<u8>),
    Take(Vec<(Arc<Stored>, Instant)>),
    Events,
    ReadBacklog,
    End(WireEnd),
}

impl<W: Write, B: Backlog> Writer<W, B> {
    pub(super) fn new(shared: Arc<Shared>, output: W, format: Format, backlog: B, written: i64) -> Self {
        let most = Most { messages: shared.limits.held_messages, bytes: shared.limits.held_bytes };
        Self {
            shared,
            output,
            format,
            backlog,
            taken: written,
            written,
            gathering: Gathering::new(most),
            pending: Vec::new(),
            own_from: None,
            retry: None,
            buffer: Vec::new(),
        }
    }

    pub(super) fn run(mut self) {
        let shared = self.shared.clone();
        let end = catch_unwind(AssertUnwindSafe(|| self.work())).unwrap_or(WireEnd::Failed);
        shared.end(shared.lock(), end);
    }

    fn work(&mut self) -> WireEnd {
        loop {
            let done = match self.next() {
                Work::Frames(bytes) => self.write(&bytes),
                Work::Take(messages) => {
                    for (stored, at) in messages {
                        self.take(stored, Arrival::exactly(at));
                    }
                    self.take_due();
                    self.write_pending()
                }
                Work::Events => {
                    self.take_due();
                    self.write_pending()
                }
                Work::ReadBacklog => {
                    self.read_backlog();
                    Ok(())
                }
                Work::End(end) => return end,
            };
            if let Err(error) = done {
                return WireEnd::Gone(Arc::new(error));
            }
        }
    }

    /// Waits for something to do. Events are only chosen when released, and never once the wire is closing.
    fn next(&mut self) -> Work {
        let shared = self.shared.clone();
        let mut state = shared.lock();
        loop {
            if state.ended {
                return Work::End(WireEnd::Closed);
            }
            if !state.frames.is_empty() {
                let frames = state.take_frames();
                drop(state);
                return Work::Frames(Vec::from(frames).concat());
            }
            if state.closing.is_some() {
                return Work::End(WireEnd::Closed);
            }
            if self.retry.is_some_and(|at| Instant::now() >= at) {
                self.retry = None;
            }
            if state.released && self.retry.is_none() {
                self.own_from = state.own_from;
                if !self.pending.is_empty() {
                    return Work::Events;
                }
                let taken = state.take_events(&shared.limits);
                if !taken.is_empty() {
                    return Work::Take(taken);
                }
                if self.gathering.next_deadline().is_some_and(|at| Instant::now() >= at) {
                    return Work::Events;
                }
                if !state.live {
                    return Work::ReadBacklog;
                }
            }
            // What is due cannot leave either while the journal fails.
            state = shared.wait(state, self.retry.or_else(|| self.gathering.next_deadline()));
        }
    }

    fn read_backlog(&mut self) {
        let limits = self.shared.limits;
        match self.backlog.after(self.taken, limits.batch_events, limits.batch_bytes) {
            Ok(read) => {
                let before = self.taken;
                let (now, now_ms) = (Instant::now(), clock::now_ms());
                for stored in read {
                    let age_ms = now_ms.saturating_sub(stored.message.time_ms);
                    self.take(stored, Arrival::ago(now, age_ms));
                }
                if self.taken == before && !self.shared.try_live(self.taken) {
                    // Handed over after the read: there on the next one. The pause keeps a faulty journal cheap.
                    self.retry = Some(Instant::now() + Duration::from_millis(1));
                }
            }
            Err(error) => self.wait_for_journal(&*error),
        }
    }

    fn take(&mut self, stored: Arc<Stored>, arrival: Arrival) {
        // Whatever the journal does, a message never goes twice in one process, nor out of order.
        if stored.seq > self.taken {
            self.taken = stored.seq;
            self.gathering.push(stored, arrival, &mut self.pending);
        }
    }

    /// Takes the bursts that are due, as many as one write may carry.
    fn take_due(&mut self) {
        if self.gathering.is_empty() {
            return;
        }
        let (limits, now) = (self.shared.limits, Instant::now());
        let mut bytes = 0;
        // Beside what is pending already: what is due must not wait for a queue that is never empty.
        for _ in 0..limits.batch_events {
            let Some(bundle) = self.gathering.take_due(now) else { break };
            bytes += bundle.parts().map(|stored| weight(stored)).sum::<usize>();
            self.pending.push(bundle);
            if bytes >= limits.batch_bytes {
                break;
            }
        }
    }

    fn write_pending(&mut self) -> io::Result<()> {
        let Some(last) = self.pending.iter().map(Bundle::last_seq).max() else { return Ok(()) };
        if let Err(error) = self.backlog.mark_offered(last) {
            self.wait_for_journal(&*error);
            return Ok(());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        for bundle in &self.pending {
            self.encode(bundle, &mut buffer)?;
        }
        self.write(&buffer)?;
        self.pending.clear();
        // What is held was not written, whatever has passed it.
        let written = self.gathering.oldest().map_or(self.taken, |oldest| oldest - 1);
        if written > self.written {
            self.written = written;
            self.backlog.written(written);
        }
        if buffer.capacity() <= KEPT_BUFFER {
            self.buffer = buffer;
        }
        Ok(())
    }

    fn encode(&self, bundle: &Bundle, buffer: &mut Vec<u8>) -> io::Result<()> {
        let own = |seq| self.own_from.is_some_and(|first| seq >= first);
        let redelivered = bundle.parts().any(|stored| stored.offered_before && !own(stored.seq));
        let rest: Vec<&Message> = bundle.rest.iter().map(|stored| &stored.message).collect();
        let event = Event::of_all(&bundle.first.message, &rest, redelivered);
        match &self.format {
            Format::Notifications => event.write_notification(buffer)?,
            Format::Tags { source } => {
                buffer.extend_from_slice(event.as_tag(source).as_bytes());
                buffer.push(b'\n');
            }
        }
        Ok(())
    }

    fn wait_for_journal(&mut self, error: &dyn std::error::Error) {
        let wait = self.shared.limits.retry;
        tracing::error!(%error, "messages wait: the journal cannot be read or written; trying again in {wait:?}");
        self.retry = Some(Instant::now() + wait);
    }

    /// Writes all of it. Standard output may have been made non-blocking by whoever shares it: then this waits,
    /// until the deadline once the wire is closing.
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let mut pause = Duration::from_micros(200);
        while !bytes.is_empty() {
            match self.output.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = &bytes[written..];
                    pause = Duration::from_micros(200);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let state = self.shared.lock();
                    if state.ended || state.closing.is_some_and(|deadline| Instant::now() >= deadline) {
                        return Err(error);
                    }
                    drop(state);
                    thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(20));
                }
                Err(error) => return Err(error),
            }
        }
        self.output.flush()
    }
}
