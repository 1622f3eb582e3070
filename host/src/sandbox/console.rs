//! A guest's standard output and error: line by line into the log, never to the host's own.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

use super::guest_log::GuestLog;

/// Bytes of one line; longer ones are cut into several.
const LINE: usize = 2048;

/// One of the two streams of one instance.
#[derive(Clone)]
pub(super) struct Console {
    log: Arc<GuestLog>,
    line: Arc<Mutex<Vec<u8>>>,
    level: tracing::Level,
}

impl Console {
    pub(super) fn new(log: Arc<GuestLog>, level: tracing::Level) -> Self {
        Self { log, line: Arc::default(), level }
    }

    fn push(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for &byte in bytes {
            if byte != b'\n' {
                line.push(byte);
            }
            if byte == b'\n' || line.len() >= LINE {
                if !line.is_empty() {
                    self.log.write(self.level, &String::from_utf8_lossy(&line));
                }
                line.clear();
            }
        }
    }
}

impl IsTerminal for Console {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Console {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Console {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
