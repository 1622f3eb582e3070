//! WebSockets of routes (RFC 6455).
//!
//! A frame is read only after the one before it was committed, so a full journal becomes TCP back-pressure.
//! When a frame could not be taken the connection is closed with 1013: the page opens it again and repeats what
//! it has no answer for, under its own ids.

use std::{pin::pin, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use hyper::{
    HeaderMap, Method, Response, StatusCode, Version,
    header::{self, HeaderName, HeaderValue},
    http::request::Parts,
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};

use super::{
    answer,
    connections::{Outgoing, Seat},
    credential::fresh_id,
    denial::Denial,
    intake::{Answer, Closure, Frame, FrameIn, Incoming, Intake, Socket},
    serve::{Shared, stopped},
    stream::Body,
};
use crate::{clock::now_ms, name::AdapterName};

/// Between two pings.
const PING: Duration = Duration::from_secs(30);
/// A peer that shows no sign of life for so long is gone.
const SILENCE: Duration = Duration::from_secs(75);
/// For the closing handshake.
const FAREWELL: Duration = Duration::from_secs(5);
/// Bytes that are read at a time.
const BUFFER: usize = 16 * 1024;

/// Reads the opening handshake (RFC 6455, section 4.2.1) and gives the value of `Sec-WebSocket-Accept`.
pub(super) fn handshake(parts: &Parts) -> Result<String, Denial> {
    let headers = &parts.headers;
    if parts.method != Method::GET || parts.version != Version::HTTP_11 {
        return Err(Denial::NotWebSocket("it is opened with GET over HTTP/1.1"));
    }
    if !has_token(headers, &header::UPGRADE, "websocket") || !has_token(headers, &header::CONNECTION, "upgrade") {
        return Err(Denial::NotWebSocket("the request does not ask for an upgrade"));
    }
    if once(headers, &header::SEC_WEBSOCKET_VERSION) != Some(b"13") {
        return Err(Denial::NotWebSocket("the version must be 13"));
    }
    if headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(Denial::NotWebSocket("the request has a body"));
    }
    match once(headers, &header::SEC_WEBSOCKET_KEY) {
        Some(key) if STANDARD.decode(key).is_ok_and(|key| key.len() == 16) => Ok(derive_accept_key(key)),
        _ => Err(Denial::NotWebSocket("Sec-WebSocket-Key is not 16 bytes in base64")),
    }
}

fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.as_bytes()),
        _ => None,
    }
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let tokens =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    tokens.into_iter().any(|found| found.trim().eq_ignore_ascii_case(token))
}

/// The answer that turns the connection into a WebSocket.
pub(super) fn switching(accept: &str) -> Response<Body> {
    let mut answer = Response::new(Body::Bytes(http_body_util::Full::default()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let Ok(accept) = HeaderValue::from_str(accept) else { return answer::status(StatusCode::INTERNAL_SERVER_ERROR) };
    let headers = answer.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    answer
}

/// How a connection came to its end.
enum End {
    /// The peer closed it, or is gone.
    Theirs(Closure),
    /// This side closes it.
    Ours(Closure),
}

fn ours(code: u16, reason: &str) -> End {
    End::Ours(Closure::new(code, reason))
}

/// A connection that is about to become a WebSocket.
pub(super) struct Opening {
    pub(super) upgrade: OnUpgrade,
    pub(super) seat: Seat,
    pub(super) adapter: AdapterName,
    pub(super) socket: Socket,
    /// Most bytes of a frame, and of a message.
    pub(super) max_frame: usize,
    pub(super) stop: watch::Receiver<bool>,
}

/// Attends to one connection until its end.
pub(super) async fn attend<I: Intake>(shared: Arc<Shared>, intake: Arc<I>, opening: Opening) {
    let Opening { upgrade, mut seat, adapter, socket, max_frame, mut stop } = opening;
    let Ok(Ok(upgraded)) = timeout(FAREWELL, upgrade).await else { return };
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(max_frame))
        .max_frame_size(Some(max_frame));
    let stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let (mut sink, mut stream) = stream.split();

    let opened = intake.accept(&adapter, Incoming::Opened(socket.clone())).await;
    let is_open = matches!(opened, Answer::Stored | Answer::Repeated | Answer::Page(_));
    let end = if is_open {
        let (outgoing, mut closed) = seat.split();
        tokio::select! {
            end = take_frames(&shared, &*intake, &adapter, &socket, &mut stream) => end,
            end = send_frames(outgoing, &mut sink) => end,
            closure = closed.next() => End::Ours(closure),
            () = stopped(&mut stop) => ours(1001, "Sluicegate is stopping"),
        }
    } else {
        ours(1013, "try again later")
    };
    // Nothing is sent to it any more, and its place is free.
    drop(seat);
    let closure = say_farewell(end, &mut sink, &mut stream).await;
    if is_open {
        intake.accept(&adapter, Incoming::Closed(socket, closure)).await;
    }
}

async fn take_frames<I: Intake>(
    shared: &Shared,
    intake: &I,
    adapter: &AdapterName,
    socket: &Socket,
    stream: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
) -> End {
    loop {
        intake.room(adapter).await;
        let frame = match timeout(SILENCE, stream.next()).await {
            Err(_) => return ours(1008, "no sign of life"),
            Ok(None) => return End::Theirs(Closure::new(1006, "")),
            Ok(Some(Err(error))) => return broken(&error),
            Ok(Some(Ok(message))) => match message {
                Message::Text(text) => Frame::Text(text.as_str().to_owned()),
                Message::Binary(bytes) => Frame::Binary(bytes),
                Message::Close(frame) => return End::Theirs(theirs(frame)),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            },
        };
        let Ok(signed) = fresh_id() else { return ours(1011, "failed") };
        let frame = FrameIn { frame, signed, received_ms: now_ms() };
        match intake.accept(adapter, Incoming::Frame(socket.clone(), frame)).await {
            Answer::Stored | Answer::Repeated | Answer::Page(_) => {}
            // The same frame would be refused again, so there is nothing to come back for.
            Answer::Refused(reason) => {
                shared.report(None, Some(adapter), Some(&socket.route.name), &Denial::refused(&reason));
            }
            Answer::Failed | Answer::Busy => return ours(1013, "try again later"),
        }
    }
}

async fn send_frames(mut outgoing: Outgoing<'_>, sink: &mut (impl Sink<Message, Error = Error> + Unpin)) -> End {
    let gone = || End::Theirs(Closure::new(1006, ""));
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.reset();
    loop {
        let (message, bytes) = tokio::select! {
            frame = outgoing.next() => match frame {
                Some(frame) => {
                    let bytes = frame.len();
                    (message(frame), bytes)
                }
                None => return ours(1001, ""),
            },
            _ = ping.tick() => (Message::Ping(Bytes::new()), 0),
        };
        if sink.send(message).await.is_err() {
            return gone();
        }
        outgoing.sent(bytes);
    }
}

fn message(frame: Frame) -> Message {
    match frame {
        Frame::Text(text) => Message::text(text),
        Frame::Binary(bytes) => Message::Binary(bytes),
    }
}

fn broken(error: &Error) -> End {
    match error {
        Error::Capacity(_) => ours(1009, "the message is too large"),
        Error::Utf8(_) => ours(1007, "text is UTF-8"),
        Error::Protocol(tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            End::Theirs(Closure::new(1006, ""))
        }
        Error::Protocol(_) => ours(1002, "protocol error"),
        _ => End::Theirs(Closure::new(1006, "")),
    }
}

fn theirs(frame: Option<CloseFrame>) -> Closure {
    frame.map_or_else(|| Closure::new(1005, ""), |frame| Closure::new(frame.code.into(), frame.reason.as_str()))
}

/// Ends the connection in order, as far as the peer takes part in it.
async fn say_farewell(
    end: End,
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    stream: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
) -> Closure {
    let (closure, frame) = match end {
        End::Theirs(closure) => (closure, None),
        End::Ours(closure) => {
            let frame = CloseFrame { code: closure.code.into(), reason: closure.reason.clone().into() };
            (closure, Some(frame))
        }
    };
    let farewell = pin!(async {
        match frame {
            Some(frame) => {
                sink.send(Message::Close(Some(frame))).await?;
                while stream.next().await.is_some_and(|message| message.is_ok()) {}
                Ok(())
            }
            // The answer to the peer's close frame is queued already.
            None => sink.flush().await,
        }
    });
    // A peer that takes no part in it is left alone.
    let _: Result<Result<(), Error>, _> = timeout(FAREWELL, farewell).await;
    closure
}
