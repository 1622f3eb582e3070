//! One keep-alive HTTP/1.1 connection that sends prepared requests one after another.
//!
//! The requests are bytes that were built before the measurement, and an answer is read no further
//! than its status and framing need, so that the client costs little beside the server.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to the server.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let mut connection = Self { address, stream: None, buffer: Vec::with_capacity(4096) };
        connection.connected().await?;
        Ok(connection)
    }

    /// Sends a whole request and returns the status of its answer. After an error the request may
    /// have been served; it is not sent again.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<u16> {
        let stream = self.connected().await?;
        stream.write_all(request).await.context("the server closed the connection")?;
        self.buffer.clear();
        let answer = loop {
            if let Some(answer) = Answer::parse(&self.buffer)? {
                break answer;
            }
            self.read().await?;
        };
        match answer.body {
            Body::Length(length) => {
                while self.buffer.len() < answer.head + length {
                    self.read().await?;
                }
                ensure!(self.buffer.len() == answer.head + length, "the server sent more than its answer");
            }
            Body::Chunked => {
                while !chunks_end(&self.buffer[answer.head..])? {
                    self.read().await?;
                }
            }
        }
        if answer.closes {
            self.stream = None;
        }
        Ok(answer.status)
    }

    /// Gives the connection up; the next request opens another.
    pub(crate) fn reset(&mut self) {
        self.stream = None;
    }

    async fn connected(&mut self) -> Result<&mut TcpStream> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address).await.context("cannot connect")?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        self.stream.as_mut().context("not connected")
    }

    async fn read(&mut self) -> Result<()> {
        let stream = self.stream.as_mut().context("not connected")?;
        let read = stream.read_buf(&mut self.buffer).await.context("cannot read the answer")?;
        ensure!(read > 0, "the server closed the connection before the end of its answer");
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// Length of the head in bytes.
    head: usize,
    body: Body,
    closes: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Body {
    Length(usize),
    Chunked,
}

impl Answer {
    /// The answer whose head stands at the front of `bytes`; `None` while it is incomplete.
    fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(head) = response.parse(bytes).context("the answer is not HTTP/1.1")? else {
            return Ok(None);
        };
        let status = response.code.context("the answer has no status")?;
        let value = |name: &str| {
            let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            header.and_then(|header| std::str::from_utf8(header.value).ok())
        };
        let body = if matches!(status, 204 | 304) {
            Body::Length(0)
        } else if let Some(length) = value("content-length") {
            Body::Length(length.trim().parse().context("Content-Length is not a number")?)
        } else if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            Body::Chunked
        } else {
            bail!("the answer has neither Content-Length nor chunks; the connection cannot be kept");
        };
        let closes = value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        Ok(Some(Self { status, head, body, closes }))
    }
}

/// Whether the chunks in `bytes` (RFC 9112, section 7.1, without trailers) are complete.
fn chunks_end(mut bytes: &[u8]) -> Result<bool> {
    loop {
        let size = httparse::parse_chunk_size(bytes).map_err(|_| anyhow::anyhow!("invalid chunk size"))?;
        let httparse::Status::Complete((start, length)) = size else {
            return Ok(false);
        };
        let end = usize::try_from(length)?.checked_add(start + 2).context("a chunk is too long")?;
        let Some(rest) = bytes.get(end..) else {
            return Ok(false);
        };
        if length == 0 {
            return Ok(true);
        }
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn answers_are_framed_by_their_heads() {
        let parse = |text: &str| Answer::parse(text.as_bytes()).unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        assert_eq!(parse(&head[..head.len() - 1]), None);
        let answer = parse(&format!("{head}ok")).unwrap();
        assert_eq!(answer, Answer { status: 200, head: head.len(), body: Body::Length(2), closes: false });
        assert_eq!(parse("HTTP/1.1 204 No Content\r\n\r\n").unwrap().body, Body::Length(0));
        let chunked = parse("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n").unwrap();
        assert_eq!((chunked.status, chunked.body, chunked.closes), (503, Body::Chunked, true));
        assert!(Answer::parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(Answer::parse(b"\x16\x03\x01 TLS?\r\n").is_err());
    }

    #[test]
    fn chunks_end_with_the_empty_one() {
        let whole = b"2\r\nok\r\n1;x=y\r\n!\r\n0\r\n\r\n";
        for length in 0..whole.len() {
            assert!(!chunks_end(&whole[..length]).unwrap(), "cut at {length}");
        }
        assert!(chunks_end(whole).unwrap());
        assert!(chunks_end(b"zz\r\n").is_err());
    }
}
