//! HTTP as platforms, browsers and attackers speak it: every byte of a request is the test's.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream},
};

use serde_json::Value;

use crate::{deadline::patience, sign::Headers};

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    target: String,
    headers: Headers,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, as they came.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// A POST of JSON.
pub fn post(target: &str, body: &Value) -> Request {
    Request::new("POST", target).header("Content-Type", "application/json").body(body.to_string())
}

/// A GET.
pub fn get(target: &str) -> Request {
    Request::new("GET", target)
}

impl Request {
    /// A request without body and headers.
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.into(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// With one more header. A `Host` replaces the usual one.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With more headers.
    #[must_use]
    pub fn headers(mut self, headers: Headers) -> Self {
        self.headers.extend(headers);
        self
    }

    /// With a bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it on a connection of its own.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn send(&self, port: u16) -> Response {
        self.try_send(port).unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.target))
    }

    /// Sends it on a connection of its own.
    ///
    /// # Errors
    /// If nobody listens, or the connection ends before the answer.
    pub fn try_send(&self, port: u16) -> io::Result<Response> {
        raw(port, &self.to_bytes(port, "close"))
    }

    fn to_bytes(&self, port: u16, connection: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let given = |name: &str| self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if !given("host") {
            head.push_str(&format!("Host: 127.0.0.1:{port}\r\n"));
        }
        if !given("connection") {
            head.push_str(&format!("Connection: {connection}\r\n"));
        }
        let has_length = given("content-length") || given("transfer-encoding");
        if !has_length && (!self.body.is_empty() || self.method == "POST") {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}

impl Response {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends these bytes as they are, and reads one answer.
///
/// # Errors
/// If nobody listens, or the connection ends before the answer.
pub fn raw(port: u16, request: &[u8]) -> io::Result<Response> {
    let mut stream = connect(port)?;
    // A server that refuses early may close its end while the body is still under way; its answer counts.
    let sent = stream.write_all(request).and_then(|()| stream.flush());
    match read_response(&mut stream) {
        Ok(response) => Ok(response),
        Err(error) => Err(sent.err().unwrap_or(error)),
    }
}

/// A connection that is used again and again.
#[derive(Debug)]
pub struct Connection {
    port: u16,
    stream: TcpStream,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens.
    pub fn open(port: u16) -> io::Result<Self> {
        Ok(Self { port, stream: connect(port)? })
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// If the connection ends before the answer.
    pub fn send(&mut self, request: &Request) -> io::Result<Response> {
        self.stream.write_all(&request.to_bytes(self.port, "keep-alive"))?;
        read_response(&mut self.stream)
    }
}

/// A connection to that port.
///
/// # Errors
/// If nobody listens.
pub fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(patience()))?;
    stream.set_write_timeout(Some(patience()))?;
    Ok(stream)
}

/// Reads one answer.
///
/// # Errors
/// If the connection ends before it, or it is no HTTP.
pub fn read_response(stream: &mut impl Read) -> io::Result<Response> {
    let mut bytes = Vec::new();
    let (status, headers, head) = loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut headers);
        if let httparse::Status::Complete(head) = parsed.parse(&bytes).map_err(io::Error::other)? {
            let headers: Headers = parsed
                .headers
                .iter()
                .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
                .collect();
            break (parsed.code.unwrap_or(0), headers, head);
        }
        more(stream, &mut bytes)?;
    };
    let mut body = bytes.split_off(head);
    let mut response = Response { status, headers, body: Vec::new() };
    let chunked = response.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    if chunked {
        response.body = read_chunks(stream, &mut body)?;
    } else if let Some(length) = response.header("content-length").and_then(|length| length.parse().ok()) {
        while body.len() < length {
            more(stream, &mut body)?;
        }
        body.truncate(length);
        response.body = body;
    } else if status != 101 && status != 204 && status != 304 {
        stream.read_to_end(&mut body)?;
        response.body = body;
    }
    Ok(response)
}

fn read_chunks(stream: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let parsed = httparse::parse_chunk_size(bytes).map_err(|_| io::Error::other("no chunk size"))?;
        let httparse::Status::Complete((start, size)) = parsed else {
            more(stream, bytes)?;
            continue;
        };
        let size = usize::try_from(size).map_err(io::Error::other)?;
        while bytes.len() < start + size + 2 {
            more(stream, bytes)?;
        }
        body.extend_from_slice(&bytes[start..start + size]);
        bytes.drain(..start + size + 2);
        if size == 0 {
            return Ok(body);
        }
    }
}

fn more(stream: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    match stream.read(&mut buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            bytes.extend_from_slice(&buffer[..count]);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_with_a_length_in_chunks_and_to_the_end() {
        for (answer, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more", "hello"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"),
            ("HTTP/1.1 200 OK\r\n\r\nhello", "hello"),
            ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        ] {
            let response = read_response(&mut answer.as_bytes()).unwrap();
            assert_eq!(response.text(), body, "{answer:?}");
        }
        assert!(read_response(&mut b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe".as_slice()).is_err());
    }
}
