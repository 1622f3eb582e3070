//! A browser's WebSocket, with any headers.

use std::net::TcpStream;

use serde_json::Value;
use tungstenite::{
    Error, Message, WebSocket,
    client::IntoClientRequest,
    handshake::HandshakeError,
    http::{HeaderName, HeaderValue},
};

use crate::{http, sign::Headers};

/// An open WebSocket.
#[derive(Debug)]
pub struct Socket(WebSocket<TcpStream>);

/// Opens the WebSocket at that target. A refusal gives the status of the answer.
///
/// # Errors
/// The status with which the server refused; 0 when it closed the connection.
///
/// # Panics
/// If nobody listens.
pub fn open(port: u16, target: &str, headers: Headers) -> Result<Socket, u16> {
    let mut request = format!("ws://127.0.0.1:{port}{target}").into_client_request().expect("a target");
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        request.headers_mut().insert(name, HeaderValue::from_str(&value).expect("a header's value"));
    }
    let stream = http::connect(port).expect("the server listens");
    match tungstenite::client(request, stream) {
        Ok((socket, _)) => Ok(Socket(socket)),
        Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
        Err(_) => Err(0),
    }
}

impl Socket {
    /// Sends JSON as text.
    ///
    /// # Panics
    /// If the server has closed it.
    pub fn send(&mut self, value: &Value) {
        self.0.send(Message::text(value.to_string())).expect("the socket is open");
    }

    /// Sends text.
    ///
    /// # Errors
    /// If the server has closed it.
    pub fn try_send(&mut self, text: &str) -> Result<(), Error> {
        self.0.send(Message::text(text))
    }

    /// Waits for a frame that is JSON and fits.
    ///
    /// # Panics
    /// If none comes before the server closes the socket or the deadline passes.
    pub fn receive(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => {
                    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                    if fits(&value) {
                        return value;
                    }
                }
                Ok(_) => {}
                Err(error) => panic!("this frame did not come: {what}: {error}"),
            }
        }
    }

    /// Waits until the server closes it; gives the close code, if it said one.
    pub fn closed(&mut self) -> Option<u16> {
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}
