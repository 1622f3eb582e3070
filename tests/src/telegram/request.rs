//! Requests as Telegram reads them: arguments from the query string, JSON, forms and multipart bodies, in that order,
//! the first of a name winning, every value a text.

use std::{
    fmt,
    io::{self, Read, Write},
    sync::Arc,
};

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The largest body that Telegram reads: an upload of 50 MB and what surrounds it.
pub(super) const LARGEST_BODY: usize = 50 * 1024 * 1024 + 1024 * 1024;

/// The head of a request.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) keep_alive: bool,
}

/// A file in a multipart body.
#[derive(Clone)]
pub struct Upload {
    /// The name of its part.
    pub field: String,
    /// Its file name.
    pub name: String,
    /// Its `Content-Type`, if the part had one.
    pub content_type: Option<String>,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={:?} ({:?}, {} bytes)", self.field, self.name, self.content_type, self.bytes.len())
    }
}

/// What a request asks with.
#[derive(Debug, Default, Clone)]
pub(super) struct Arguments {
    /// In the order of the request; Telegram takes the first of a name.
    pub(super) values: Vec<(String, String)>,
    pub(super) files: Vec<Upload>,
    /// What was wrong with the body. Telegram only ignores the rest of it.
    pub(super) malformed: Option<String>,
}

impl Arguments {
    /// The first argument of that name, empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    pub(super) fn file(&self, field: &str) -> Option<&Upload> {
        self.files.iter().find(|file| file.field == field)
    }

    /// A number as Telegram reads one: the digits at the beginning, and 0 if there are none.
    pub(super) fn integer(&self, name: &str) -> i64 {
        leading_integer(self.get(name))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name).to_ascii_lowercase().as_str(), "true" | "yes" | "1")
    }
}

/// The number at the beginning of a text, 0 if there is none or it does not fit.
pub(super) fn leading_integer(text: &str) -> i64 {
    let sign = usize::from(text.starts_with('-'));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    text[..sign + digits].parse().unwrap_or(0)
}

/// Reads from a connection; keeps what was read too far.
#[derive(Debug)]
pub(super) struct Reader<S> {
    stream: S,
    bytes: Vec<u8>,
}

impl<S: Read + Write> Reader<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, bytes: Vec::new() }
    }

    /// The next head; `None` at the end of the connection.
    pub(super) fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut parsed = httparse::Request::new(&mut headers);
            if let httparse::Status::Complete(end) = parsed.parse(&self.bytes).map_err(io::Error::other)? {
                let headers: Vec<(String, String)> = parsed
                    .headers
                    .iter()
                    .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
                    .collect();
                let connection = header(&headers, "connection").unwrap_or_default().to_ascii_lowercase();
                let keep_alive = match parsed.version {
                    Some(1) => !connection.contains("close"),
                    _ => connection.contains("keep-alive"),
                };
                let (method, target) = (parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default());
                let head = Head { method: method.into(), target: target.into(), headers, keep_alive };
                self.bytes.drain(..end);
                return Ok(Some(head));
            }
            if self.bytes.len() > 64 * 1024 {
                return Err(io::Error::other("the head is too long"));
            }
            match self.more() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && self.bytes.is_empty() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// The body that belongs to that head. `None` if it is too long for Telegram.
    pub(super) fn body(&mut self, head: &Head) -> io::Result<Option<Vec<u8>>> {
        if header(&head.headers, "expect").is_some_and(|expects| expects.eq_ignore_ascii_case("100-continue")) {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let coding = header(&head.headers, "transfer-encoding");
        if coding.is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.chunks();
        }
        let Some(length) = header(&head.headers, "content-length") else { return Ok(Some(Vec::new())) };
        let length: usize = length.trim().parse().map_err(io::Error::other)?;
        if length > LARGEST_BODY {
            return Ok(None);
        }
        while self.bytes.len() < length {
            self.more()?;
        }
        let rest = self.bytes.split_off(length);
        Ok(Some(std::mem::replace(&mut self.bytes, rest)))
    }

    fn chunks(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut body = Vec::new();
        loop {
            let parsed = httparse::parse_chunk_size(&self.bytes).map_err(|_| io::Error::other("no chunk size"))?;
            let httparse::Status::Complete((start, size)) = parsed else {
                self.more()?;
                continue;
            };
            let size = usize::try_from(size).map_err(io::Error::other)?;
            if body.len() + size > LARGEST_BODY {
                return Ok(None);
            }
            while self.bytes.len() < start + size + 2 {
                self.more()?;
            }
            body.extend_from_slice(&self.bytes[start..start + size]);
            self.bytes.drain(..start + size + 2);
            if size == 0 {
                return Ok(Some(body));
            }
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 64 * 1024];
        match self.stream.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.bytes.extend_from_slice(&buffer[..count]);
                Ok(())
            }
        }
    }
}

/// The first header of that name.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The arguments of a request.
pub(super) fn arguments(head: &Head, body: &[u8]) -> Arguments {
    let mut arguments = Arguments::default();
    if let Some((_, query)) = head.target.split_once('?') {
        arguments.values.extend(pairs(query.as_bytes()));
    }
    let content_type = header(&head.headers, "content-type").unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let read = match essence.as_str() {
        "application/x-www-form-urlencoded" => {
            arguments.values.extend(pairs(body));
            Ok(())
        }
        "application/json" if !body.is_empty() => read_json(body, &mut arguments.values),
        "multipart/form-data" => read_multipart(content_type, body, &mut arguments),
        _ if body.is_empty() => Ok(()),
        other => Err(format!("a body of the type {other:?} is not read")),
    };
    arguments.malformed = read.err();
    arguments
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// Members in their order, also those of the same name.
fn read_json(body: &[u8], values: &mut Vec<(String, String)>) -> Result<(), String> {
    struct Members<'a>(&'a mut Vec<(String, String)>);
    impl<'de> Visitor<'de> for Members<'_> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
            while let Some((name, value)) = members.next_entry::<String, Box<RawValue>>()? {
                let text = serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned());
                self.0.push((name, text));
            }
            Ok(())
        }
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    reader.deserialize_map(Members(values)).and_then(|()| reader.end()).map_err(|error| error.to_string())
}

fn read_multipart(content_type: &str, body: &[u8], arguments: &mut Arguments) -> Result<(), String> {
    let boundary = parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty());
    let delimiter = format!("\r\n--{}", boundary.ok_or("multipart without a boundary")?);
    // The first delimiter has no line before it.
    let mut rest = body.strip_prefix(&delimiter.as_bytes()[2..]).ok_or("the body begins without its boundary")?;
    loop {
        if rest.starts_with(b"--") {
            return Ok(());
        }
        rest = rest.strip_prefix(b"\r\n").ok_or("no line end after a boundary")?;
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let parsed = httparse::parse_headers(rest, &mut headers).map_err(|error| format!("a part's head: {error}"))?;
        let httparse::Status::Complete((start, headers)) = parsed else { return Err("a part's head is cut".into()) };
        let header = |name: &str| {
            let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| String::from_utf8_lossy(header.value).into_owned())
        };
        let disposition = header("content-disposition").ok_or("a part without Content-Disposition")?;
        let name = parameter(&disposition, "name").ok_or("a part without a name")?;
        rest = &rest[start..];
        let length = memchr::memmem::find(rest, delimiter.as_bytes()).ok_or("the last boundary is missing")?;
        let (content, after) = (&rest[..length], &rest[length + delimiter.len()..]);
        match parameter(&disposition, "filename") {
            Some(file_name) => arguments.files.push(Upload {
                field: name,
                name: file_name,
                content_type: header("content-type"),
                bytes: content.into(),
            }),
            None => arguments.values.push((name, String::from_utf8_lossy(content).into_owned())),
        }
        rest = after;
    }
}

/// A parameter of a header, quoted or not.
fn parameter(header: &str, name: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let (mut value, mut next) = (String::new(), "");
        if let Some(quoted) = after.strip_prefix('"') {
            let mut characters = quoted.char_indices();
            while let Some((at, character)) = characters.next() {
                match character {
                    '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                    '"' => {
                        next = &quoted[at + 1..];
                        break;
                    }
                    other => value.push(other),
                }
            }
            next = next.split_once(';').map_or("", |(_, next)| next);
        } else {
            let (plain, after) = after.split_once(';').unwrap_or((after, ""));
            value.push_str(plain.trim());
            next = after;
        }
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        if next.is_empty() {
            return None;
        }
        rest = next;
    }
}
