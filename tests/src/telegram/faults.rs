//! What goes wrong when a test wants it to.

use std::{collections::VecDeque, time::Duration};

/// A fault of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status with Telegram's JSON; nothing is done.
    Status(u16),
    /// 429 with `retry_after` and `Retry-After` in seconds; nothing is done.
    TooMany(u32),
    /// This status with the HTML page of a proxy; nothing is done.
    Html(u16),
    /// This status, content type and body; nothing is done. Any answer that Telegram would never give.
    Answer(u16, String, Vec<u8>),
    /// 302 to this address; nothing is done.
    Redirect(String),
    /// The connection ends before the body is read; nothing is done.
    HangUpUnread,
    /// The connection ends after the body is read; nothing is done.
    HangUpRead,
    /// It is done, and the connection ends without an answer.
    HangUpDone,
    /// It is done, and the answer comes so much later, or when the fake stops.
    Slow(Duration),
    /// It is done, and the connection ends in the middle of the answer's body.
    Truncated,
    /// It is done, and the answer's body is no JSON: 200, and bytes that are no UTF-8.
    Garbage,
    /// It is done, and the answer comes in chunks, as from a proxy: no fault, but rare.
    Chunked,
}

impl Fault {
    /// Whether the request is carried out all the same.
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::HangUpDone | Self::Slow(_) | Self::Truncated | Self::Garbage | Self::Chunked)
    }
}

/// The faults that are still to happen, in their order.
#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<(Option<String>, Fault)>);

impl Faults {
    pub(super) fn add(&mut self, method: Option<&str>, fault: &Fault, times: usize) {
        let method = method.map(str::to_ascii_lowercase);
        self.0.extend(std::iter::repeat_n((method, fault.clone()), times));
    }

    pub(super) fn take(&mut self, method: &str) -> Option<Fault> {
        let at = self.0.iter().position(|(only, _)| only.as_deref().is_none_or(|only| only == method))?;
        self.0.remove(at).map(|(_, fault)| fault)
    }

    pub(super) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }
}
