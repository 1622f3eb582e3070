//! Answers, as Telegram writes them and as faults spoil them.

use std::{
    io::{self, Write as _},
    net::TcpStream,
};

use serde_json::{Value, json};

use super::{
    faults::Fault,
    files::Content,
    refusal::{Answer, Refusal},
};

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Content,
    /// Further headers, each with its line end.
    pub(super) headers: String,
    /// The `description` of an error.
    pub(super) error: Option<String>,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value, retry_after: Option<u32>) -> Self {
        Self {
            status,
            content_type: "application/json".into(),
            body: Content::of(body.to_string()),
            headers: retry_after.map(|seconds| format!("Retry-After: {seconds}\r\n")).unwrap_or_default(),
            error: None,
        }
    }

    pub(super) fn of(answer: Answer<String>) -> Self {
        match answer {
            Ok(result) => {
                let body = Content::of(format!("{{\"ok\":true,\"result\":{result}}}"));
                Self { body, ..Self::json(200, &Value::Null, None) }
            }
            Err(refusal) => {
                let reply = Self::json(refusal.code, &refusal.to_json(), refusal.retry_after);
                Self { error: Some(refusal.description), ..reply }
            }
        }
    }

    /// The answer that a fault gives in place of Telegram's.
    pub(super) fn of_fault(fault: &Fault) -> Option<Self> {
        let page = |status: u16, content_type: &str, body: &[u8]| Self {
            content_type: content_type.to_owned(),
            body: Content::of(body),
            ..Self::json(status, &json!(null), None)
        };
        Some(match fault {
            Fault::Status(status) => Self::of(Err(Refusal::new(*status, reason(*status)))),
            Fault::TooMany(seconds) => Self::of(Err(Refusal::too_many(*seconds))),
            Fault::Html(status) => {
                let title = format!("{status} {}", reason(*status));
                let html = format!(
                    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>\
                                    </center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
                );
                page(*status, "text/html", html.as_bytes())
            }
            Fault::Answer(status, content_type, body) => page(*status, content_type, body),
            Fault::Redirect(to) => Self { headers: format!("Location: {to}\r\n"), ..page(302, "text/html", b"") },
            _ => return None,
        })
    }

    pub(super) fn write(&self, mut stream: &TcpStream, fault: Option<&Fault>, keep_alive: bool) -> io::Result<()> {
        let garbage = Content::of([0xFF, 0xFE, b'{', 0x00, 0x80, b'"', b'o', b'k', 0xC3]);
        let body = if fault == Some(&Fault::Garbage) { &garbage } else { &self.body };
        let is_chunked = fault == Some(&Fault::Chunked);
        let length = body.len();
        let framing =
            if is_chunked { "Transfer-Encoding: chunked".to_owned() } else { format!("Content-Length: {length}") };
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        head.push_str(&format!("Server: nginx/1.18.0\r\nContent-Type: {}\r\n{framing}\r\n", self.content_type));
        let connection = if keep_alive { "keep-alive" } else { "close" };
        head.push_str(&format!("Connection: {connection}\r\n{}\r\n", self.headers));
        let mut bytes = head.into_bytes();
        let end = if fault == Some(&Fault::Truncated) { length / 2 } else { length };
        let mut at = 0;
        // A small body leaves with the head.
        loop {
            let mut piece = body.piece(at);
            at += piece.len() as u64;
            let is_last = piece.is_empty() || at >= end;
            piece.truncate(piece.len().saturating_sub(usize::try_from(at.saturating_sub(end)).unwrap_or(0)));
            if is_chunked && !piece.is_empty() {
                // Two chunks, so that a reader has to put them together.
                let (first, second) = piece.split_at(piece.len() / 2);
                for chunk in [first, second].into_iter().filter(|chunk| !chunk.is_empty()) {
                    bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
            } else {
                bytes.extend_from_slice(&piece);
            }
            if is_last && is_chunked {
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
            stream.write_all(&bytes)?;
            bytes.clear();
            if is_last {
                return stream.flush();
            }
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Request Entity Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unknown",
    }
}
