//! rmcp's way to the client: lines come from the input, frames leave through the wire.
//!
//! It is also the guard of the conversation. rmcp takes a notification before `initialize` for the end of the
//! connection, can be led past `initialize` by a request that describes itself, and handles what it receives in
//! no particular order. So before `initialize` nothing but `ping` gets through, `server/discover` is always
//! answered with an error, and what must keep its order is handed over from here.

use std::{
    future::{Future, ready},
    sync::Arc,
    time::Duration,
};

use rmcp::{
    RoleServer,
    model::{ClientNotification, ClientRequest, ErrorCode, JsonRpcMessage, RequestId, ServerResult},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde_json::{Value, json};
use tokio::{io::AsyncRead, sync::oneshot};

use super::{
    Quit, Surface,
    lines::{Line, Lines, MAX_LINE},
};
use crate::outbox::{Wire, WireClosed};

const PERMISSION_REQUEST: &str = "notifications/claude/channel/permission_request";

pub(super) struct Conversation<R, S> {
    lines: Lines<R>,
    wire: Wire,
    surface: Arc<S>,
    initialized: bool,
    /// How long events are held back after the first answer to `tools/list`; `None` once that was given.
    hold: Option<Duration>,
    /// Told once, when no more input will come.
    ended: Option<oneshot::Sender<Quit>>,
}

/// What a line turns out to be.
enum Received {
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    /// To be answered with this error.
    Refused(Value, ErrorCode, &'static str),
    Ignored,
}

impl<R: AsyncRead + Send + Unpin, S: Surface> Conversation<R, S> {
    pub(super) fn new(input: R, wire: Wire, surface: Arc<S>, hold: Duration, ended: oneshot::Sender<Quit>) -> Self {
        let lines = Lines::new(input, MAX_LINE);
        Self { lines, wire, surface, initialized: false, hold: Some(hold), ended: Some(ended) }
    }

    fn end(&mut self, why: Quit) {
        if let Some(ended) = self.ended.take() {
            // Without a listener the connection is being torn down already.
            let _ = ended.send(why);
        }
    }

    fn refuse(&self, id: &Value, code: ErrorCode, message: &str) -> Result<(), WireClosed> {
        let answer = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code.0, "message": message } });
        self.wire.frame(answer.to_string().into_bytes())
    }

    /// Decides what becomes of a message: rmcp gets it, it is answered here, or it is dropped.
    fn admit(&mut self, message: RxJsonRpcMessage<RoleServer>) -> Received {
        match message {
            JsonRpcMessage::Request(request) => {
                let refusal = match &request.request {
                    ClientRequest::DiscoverRequest(_) => {
                        Some((ErrorCode::METHOD_NOT_FOUND, "this server begins with initialize"))
                    }
                    ClientRequest::InitializeRequest(_) if self.initialized => {
                        Some((ErrorCode::INVALID_REQUEST, "this connection is initialized already"))
                    }
                    ClientRequest::InitializeRequest(_) => {
                        self.initialized = true;
                        self.surface.initialized();
                        None
                    }
                    ClientRequest::PingRequest(_) => None,
                    _ if !self.initialized => Some((ErrorCode::INVALID_REQUEST, "send initialize first")),
                    ClientRequest::CallToolRequest(_) => {
                        self.surface.tool_called();
                        None
                    }
                    _ => None,
                };
                match refusal {
                    Some((code, text)) => Received::Refused(id_as_json(&request.id), code, text),
                    None => Received::Message(Box::new(JsonRpcMessage::Request(request))),
                }
            }
            _ if !self.initialized => Received::Ignored,
            JsonRpcMessage::Notification(notification) => match notification.notification {
                ClientNotification::CustomNotification(custom) => {
                    if custom.method == PERMISSION_REQUEST
                        && let Some(Value::Object(request)) = custom.params
                    {
                        self.surface.permission_request(request);
                    }
                    Received::Ignored
                }
                _ => Received::Message(Box::new(JsonRpcMessage::Notification(notification))),
            },
            answer => Received::Message(Box::new(answer)),
        }
    }

    fn read(&mut self, line: &[u8]) -> Received {
        match serde_json::from_slice::<RxJsonRpcMessage<RoleServer>>(line) {
            Ok(message) => self.admit(message),
            Err(_) => misunderstood(line),
        }
    }
}

/// The answer to a line that is no message: with its id where it has one, and none where it awaits none.
fn misunderstood(line: &[u8]) -> Received {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return Received::Refused(Value::Null, ErrorCode::PARSE_ERROR, "a line was no JSON");
    };
    let id = value.get("id").filter(|id| id.is_string() || id.is_i64() || id.is_u64());
    match (id, value.get("method").is_some()) {
        (Some(id), true) => Received::Refused(id.clone(), ErrorCode::INVALID_REQUEST, "a request has the wrong shape"),
        (_, true) => Received::Ignored,
        // An answer to nothing, perhaps to an error of ours: answering it could go on for ever.
        _ if value.get("error").is_some() || value.get("result").is_some() => Received::Ignored,
        (id, false) => {
            let id = id.cloned().unwrap_or(Value::Null);
            Received::Refused(id, ErrorCode::INVALID_REQUEST, "a line was no JSON-RPC message")
        }
    }
}

fn id_as_json(id: &RequestId) -> Value {
    serde_json::to_value(id).unwrap_or(Value::Null)
}

impl<R: AsyncRead + Send + Unpin, S: Surface> Transport<RoleServer> for Conversation<R, S> {
    type Error = WireClosed;

    /// Queues at once, so the order of calls is the order on the wire whatever becomes of the futures.
    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), WireClosed>> + Send + 'static {
        let lists_tools =
            matches!(&item, JsonRpcMessage::Response(r) if matches!(r.result, ServerResult::ListToolsResult(_)));
        let sent = match serde_json::to_vec(&item) {
            Ok(line) => self.wire.frame(line),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                let id = match &item {
                    JsonRpcMessage::Response(response) => id_as_json(&response.id),
                    _ => Value::Null,
                };
                self.refuse(&id, ErrorCode::INTERNAL_ERROR, "the answer could not be written")
            }
        };
        if lists_tools && let Some(hold) = self.hold.take() {
            let wire = self.wire.clone();
            tokio::spawn(async move {
                tokio::time::sleep(hold).await;
                wire.release();
            });
        }
        ready(sent)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let received = match self.lines.next().await {
                Ok(Line::Text(line)) => self.read(&line),
                Ok(Line::TooLong) => Received::Refused(Value::Null, ErrorCode::PARSE_ERROR, "a line was too long"),
                Ok(Line::End) => {
                    self.end(Quit::EndOfInput);
                    return None;
                }
                Err(error) => {
                    self.end(Quit::InputFailed(error));
                    return None;
                }
            };
            match received {
                Received::Message(message) => return Some(*message),
                Received::Refused(id, code, message) => {
                    // A closed wire ends the connection by itself.
                    if self.refuse(&id, code, message).is_err() {
                        return None;
                    }
                }
                Received::Ignored => {}
            }
        }
    }

    async fn close(&mut self) -> Result<(), WireClosed> {
        Ok(())
    }
}
