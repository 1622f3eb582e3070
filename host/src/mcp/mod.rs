//! The MCP side of the connection to Claude Code, over standard input and the [wire](crate::outbox::Wire).
//!
//! Follows the Model Context Protocol 2025-11-25 and what was observed of Claude Code: events that are sent before
//! the client has registered the channel are lost without a word, so the wire is released a while after the first
//! answer to `tools/list`.

mod handler;
mod lines;
mod surface;
pub mod tools;
mod transport;

use std::{future::Future, io, pin::pin, sync::Arc, time::Duration};

use rmcp::service::ServerInitializeError;
use tokio::{
    io::AsyncRead,
    sync::{oneshot, watch},
};

pub use rmcp::model::JsonObject;
pub use surface::{Surface, ToolAnswer, ToolDefinition, ToolError};

use crate::outbox::{Wire, WireEnd};

/// Claude Code cuts instructions and the description of a tool at this many bytes.
pub const TEXT_LIMIT: usize = 2048;

/// How long calls may still answer after the end of the input.
const GRACE: Duration = Duration::from_millis(80);

/// How the conversation is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// From the first answer to `tools/list` to the first event.
    pub hold: Duration,
    /// The longest that a tool may run.
    pub call_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { hold: Duration::from_secs(1), call_limit: Duration::from_secs(120) }
    }
}

/// Why the conversation ended.
#[derive(Debug, thiserror::Error)]
pub enum Quit {
    /// The client closed its side.
    #[error("the client closed the connection")]
    EndOfInput,
    /// Reading from the client failed.
    #[error("reading from the client failed: {0}")]
    InputFailed(#[source] io::Error),
    /// Nothing can be written any more.
    #[error(transparent)]
    Wire(WireEnd),
    /// The caller's `stop` came true.
    #[error("stopped")]
    Stopped,
    /// The protocol's implementation gave up, and says why.
    #[error("the conversation broke down: {0}")]
    Broken(String),
}

/// Speaks with the client until one side ends it; returns at once then, with at most 80 ms for calls in progress to
/// answer. The wire stays open: close it afterwards, so that the last answers leave.
///
/// `changed` announces that [`Surface::tools`] gives other tools than before. `stop` ends the conversation.
pub async fn serve<S: Surface>(
    surface: Arc<S>,
    input: impl AsyncRead + Send + Unpin + 'static,
    wire: Wire,
    options: Options,
    changed: watch::Receiver<u64>,
    stop: impl Future<Output = ()>,
) -> Quit {
    let (ended, input_ended) = oneshot::channel();
    let listed = watch::Sender::new(false);
    let announce = announce_changes(changed, listed.subscribe(), wire.clone());
    let handler = handler::Handler::new(surface.clone(), options.call_limit, listed);
    let conversation = transport::Conversation::new(input, wire.clone(), surface, options.hold, ended);
    // Dropping the session cancels the calls that still run.
    let mut session = pin!(async {
        match rmcp::serve_server(handler, conversation).await {
            Ok(session) => match session.waiting().await {
                Ok(reason) => format!("{reason:?}"),
                Err(error) => error.to_string(),
            },
            Err(ServerInitializeError::ExpectedInitializeRequest(_)) => "expected initialize".to_owned(),
            Err(error) => error.to_string(),
        }
    });
    let mut input_ended = pin!(input_ended);
    tokio::select! {
        biased;
        () = stop => Quit::Stopped,
        end = wire.ended() => Quit::Wire(end),
        Ok(quit) = &mut input_ended => {
            // Calls that are nearly done may still answer; a client that has gone is not waited for.
            let _ = tokio::time::timeout(GRACE, &mut session).await;
            quit
        }
        why = &mut session => input_ended.try_recv().unwrap_or(Quit::Broken(why)),
        () = announce => Quit::Stopped,
    }
}

/// Tells a client that knows the tools when they change; never returns.
async fn announce_changes(mut changed: watch::Receiver<u64>, listed: watch::Receiver<bool>, wire: Wire) {
    const CHANGED: &[u8] = br#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    while changed.changed().await.is_ok() {
        // A closed wire ends the conversation by itself.
        if *listed.borrow() && wire.frame(CHANGED.to_vec()).is_err() {
            break;
        }
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests;
