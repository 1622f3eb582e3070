//! Every bound of the sandbox and of the sources, with its default, in one place.

use serde::Deserialize;

/// What one adapter may use. Set for all in `[limits]`, for one in `[adapters.NAME.limits]` of `config.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// MiB of linear memory, summed over all memories of an instance.
    pub memory_mib: u64,
    /// Elements, summed over all tables of an instance.
    pub table_elements: usize,
    /// Milliseconds of computing for one call.
    pub cpu_ms: u64,
    /// Milliseconds from start to end of `handle`.
    pub handle_ms: u64,
    /// Milliseconds from start to end of `perform`.
    pub perform_ms: u64,
    /// KiB that may cross the border in one host call.
    pub host_call_kib: usize,
    /// Messages that one event may deliver.
    pub messages: usize,
    /// Frames that one call may send.
    pub frames: usize,
    /// KiB of one frame, in and out.
    pub frame_kib: usize,
    /// KiB of one value in `state`.
    pub state_value_kib: usize,
    /// KiB of all that an adapter keeps in `state`.
    pub state_kib: u64,
    /// Lines of log that one call may write.
    pub log_lines: usize,
    /// KiB of a request's body on a route that takes no uploads.
    pub body_kib: u64,
    /// MiB of one uploaded or outgoing file.
    pub file_mib: u64,
    /// MiB of all files kept for an adapter; the oldest go first.
    pub inbox_mib: u64,
    /// WebSocket connections of an adapter at a time.
    pub connections: usize,
    /// KiB of text in one message.
    pub text_kib: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_mib: 64,
            table_elements: 100_000,
            cpu_ms: 300,
            handle_ms: 10_000,
            perform_ms: 180_000,
            host_call_kib: 16 * 1024,
            messages: 32,
            frames: 1024,
            frame_kib: 1024,
            state_value_kib: 1024,
            state_kib: 16 * 1024,
            log_lines: 200,
            body_kib: 25 * 1024,
            file_mib: 50,
            inbox_mib: 1024,
            connections: 64,
            text_kib: 256,
        }
    }
}

/// The limits that a table of `config.toml` sets; what it does not name stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitOverrides {
    memory_mib: Option<u64>,
    table_elements: Option<usize>,
    cpu_ms: Option<u64>,
    handle_ms: Option<u64>,
    perform_ms: Option<u64>,
    host_call_kib: Option<usize>,
    messages: Option<usize>,
    frames: Option<usize>,
    frame_kib: Option<usize>,
    state_value_kib: Option<usize>,
    state_kib: Option<u64>,
    log_lines: Option<usize>,
    body_kib: Option<u64>,
    file_mib: Option<u64>,
    inbox_mib: Option<u64>,
    connections: Option<usize>,
    text_kib: Option<usize>,
}

impl LimitOverrides {
    /// `base` with what this table sets.
    #[must_use]
    pub fn over(&self, base: &Limits) -> Limits {
        Limits {
            memory_mib: self.memory_mib.unwrap_or(base.memory_mib),
            table_elements: self.table_elements.unwrap_or(base.table_elements),
            cpu_ms: self.cpu_ms.unwrap_or(base.cpu_ms),
            handle_ms: self.handle_ms.unwrap_or(base.handle_ms),
            perform_ms: self.perform_ms.unwrap_or(base.perform_ms),
            host_call_kib: self.host_call_kib.unwrap_or(base.host_call_kib),
            messages: self.messages.unwrap_or(base.messages),
            frames: self.frames.unwrap_or(base.frames),
            frame_kib: self.frame_kib.unwrap_or(base.frame_kib),
            state_value_kib: self.state_value_kib.unwrap_or(base.state_value_kib),
            state_kib: self.state_kib.unwrap_or(base.state_kib),
            log_lines: self.log_lines.unwrap_or(base.log_lines),
            body_kib: self.body_kib.unwrap_or(base.body_kib),
            file_mib: self.file_mib.unwrap_or(base.file_mib),
            inbox_mib: self.inbox_mib.unwrap_or(base.inbox_mib),
            connections: self.connections.unwrap_or(base.connections),
            text_kib: self.text_kib.unwrap_or(base.text_kib),
        }
    }
}
