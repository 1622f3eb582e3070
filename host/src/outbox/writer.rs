//! The wire's thread: takes frames first, then events, and writes them.

use std::{
    io::{self, ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{
    render::Event,
    wire::{Backlog, Format, Shared, WireEnd},
};

use crate::journal::Stored;

/// A buffer that one large event has grown is not kept for the small ones.
const KEPT_BUFFER: usize = 1 << 20;

pub(super) struct Writer<W, B> {
    shared: Arc<Shared>,
    output: W,
    format: Format,
    backlog: B,
    /// The last event that was written.
    cursor: i64,
    /// Events that were taken and could not be offered yet; they come before all others.
    pending: Vec<Arc<Stored>>,
    /// From here on, no earlier process can have sent an event.
    own_from: Option<i64>,
    /// When to ask the journal again, after it failed.
    retry: Option<Instant>,
    buffer: Vec<u8>,
}

enum Work {
    Frames(Vec<u8>),
    Events,
    ReadBacklog,
    End(WireEnd),
}

impl<W: Write, B: Backlog> Writer<W, B> {
    pub(super) fn new(shared: Arc<Shared>, output: W, format: Format, backlog: B, written: i64) -> Self {
        Self {
            shared,
            output,
            format,
            backlog,
            cursor: written,
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
                Work::Events => self.write_pending(),
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
                if self.pending.is_empty() {
                    self.pending = state.take_events(&shared.limits);
                }
                if !self.pending.is_empty() {
                    self.own_from = state.own_from;
                    return Work::Events;
                }
                if !state.live {
                    return Work::ReadBacklog;
                }
            }
            state = shared.wait(state, self.retry);
        }
    }

    fn read_backlog(&mut self) {
        let limits = self.shared.limits;
        match self.backlog.after(self.cursor, limits.batch_events, limits.batch_bytes) {
            Ok(read) => {
                // Whatever the journal does, an event never goes twice in one process, nor out of order.
                let mut last = self.cursor;
                self.pending = read;
                self.pending.retain(|stored| {
                    let next = stored.seq > last;
                    last = last.max(stored.seq);
                    next
                });
                if self.pending.is_empty() && !self.shared.try_live(self.cursor) {
                    // Handed over after the read: there on the next one. The pause keeps a faulty journal cheap.
                    self.retry = Some(Instant::now() + Duration::from_millis(1));
                }
            }
            Err(error) => self.wait_for_journal(&*error),
        }
    }

    fn write_pending(&mut self) -> io::Result<()> {
        let Some(last) = self.pending.last().map(|stored| stored.seq) else { return Ok(()) };
        if let Err(error) = self.backlog.mark_offered(last) {
            self.wait_for_journal(&*error);
            return Ok(());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        for stored in &self.pending {
            self.encode(stored, &mut buffer)?;
        }
        self.write(&buffer)?;
        self.pending.clear();
        self.cursor = last;
        self.backlog.written(last);
        if buffer.capacity() <= KEPT_BUFFER {
            self.buffer = buffer;
        }
        Ok(())
    }

    fn encode(&self, stored: &Stored, buffer: &mut Vec<u8>) -> io::Result<()> {
        let own = self.own_from.is_some_and(|first| stored.seq >= first);
        let event = Event::of(&stored.message, stored.offered_before && !own);
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
