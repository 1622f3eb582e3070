//! Frames to the adapter's sockets and to the WebSockets of its routes. They leave after the commit, so a
//! frame that acknowledges something tells the truth.

use crate::host;
use crate::types::{ConnectionId, Failure, Frame};
use serde_json::Value;

/// Sends text to one connection of that socket, or to all of them.
pub fn send_text(socket: &str, to: Option<ConnectionId>, text: impl Into<String>) -> Result<(), Failure> {
    send(socket, to, &Frame::Text(text.into()))
}

/// Sends JSON to one connection of that socket, or to all of them.
pub fn send_json(socket: &str, to: Option<ConnectionId>, value: &Value) -> Result<(), Failure> {
    send_text(socket, to, value.to_string())
}

/// Sends a frame to one connection of that socket, or to all of them.
pub fn send(socket: &str, to: Option<ConnectionId>, frame: &Frame) -> Result<(), Failure> {
    host::sockets::send(socket, to, frame).map_err(Failure::Invalid)
}

/// Closes the socket and opens it again after that many milliseconds.
pub fn reconnect(socket: &str, after_ms: u32) {
    host::sockets::reconnect(socket, after_ms);
}
