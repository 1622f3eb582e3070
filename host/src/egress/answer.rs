//! An answer: checked, within its bounds, and without secrets before anybody sees it.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING},
    response::Parts,
};
use http_body_util::BodyExt;
use jiff::{Timestamp, civil::DateTime, fmt::rfc2822, fmt::strtime, tz::TimeZone};

use super::{
    client::{Exchange, TransportError, broken},
    scrub::Scrubber,
};
use crate::files::{FileError, Writer};

/// Most headers that are handed on.
const MOST_HEADERS: usize = 64;
/// Most bytes of one header's value.
const MOST_VALUE: usize = 8 * 1024;
/// Most bytes of an answer that came in place of a file.
const INSTEAD: u64 = 1 << 20;

/// Headers that are for the connection or for browsers, and those that tell of the body as it came.
const NOT_HANDED_ON: [&str; 20] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-encoding",
    "content-md5",
    "content-digest",
    "repr-digest",
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
    "proxy-authenticate",
    "proxy-authorization",
    "authentication-info",
    "alt-svc",
    "strict-transport-security",
];

/// An answer as it comes from the wire.
pub(super) type Incoming = http::Response<hyper::body::Incoming>;

/// What a platform answered, without secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The status, any from 200 to 599 and beyond: redirects and errors too.
    pub status: u16,
    /// Names in lower case, and values. At most 64, of at most 8 KiB.
    pub headers: Vec<(String, String)>,
    /// The body; empty if it went into a file.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header, whose name is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// Shows only the status and how much there is: what people write is not for logs.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, headers, body } = self;
        write!(f, "Response({status}, {} headers, {} bytes)", headers.len(), body.len())
    }
}

/// The end of a download.
#[derive(Debug)]
pub enum Downloaded {
    /// The body is in the file, all of it; [`Writer::finish`] keeps it.
    Written(Response, Writer),
    /// The server answered with another status than 200.
    Answered(Response),
}

/// Takes the body whole.
pub(super) async fn collected(answer: Incoming, exchange: &Exchange<'_>) -> Result<Response, TransportError> {
    let (parts, body) = answer.into_parts();
    let mut response = head(&parts, exchange)?;
    response.body = whole(body, exchange).await?;
    Ok(response)
}

/// Writes the body of a 200 into a file, and takes any other whole, of at most 1 MiB.
pub(super) async fn kept(
    answer: Incoming,
    exchange: &Exchange<'_>,
    create: impl FnOnce(&Response) -> Result<Writer, FileError>,
) -> Result<Downloaded, TransportError> {
    let (parts, mut body) = answer.into_parts();
    if parts.status != StatusCode::OK {
        let exchange = Exchange { max_bytes: exchange.max_bytes.min(INSTEAD), ..*exchange };
        let mut response = head(&parts, &exchange)?;
        response.body = whole(body, &exchange).await?;
        return Ok(Downloaded::Answered(response));
    }
    let response = head(&parts, exchange)?;
    let mut writer = create(&response).map_err(TransportError::File)?;
    let mut read = Taken::new(exchange);
    while read.next(&mut body).await? {
        writer.write(&read.clean).await.map_err(TransportError::File)?;
        read.clean.clear();
    }
    writer.write(&read.end()?).await.map_err(TransportError::File)?;
    Ok(Downloaded::Written(response, writer))
}

async fn whole(mut body: hyper::body::Incoming, exchange: &Exchange<'_>) -> Result<Vec<u8>, TransportError> {
    let mut taken = Taken::new(exchange);
    while taken.next(&mut body).await? {}
    taken.end()
}

/// A body on its way in: counted before and after the secrets are taken out of it.
struct Taken {
    scrub: super::scrub::ScrubStream,
    /// What may be handed on.
    clean: Vec<u8>,
    read: u64,
    max: u64,
}

impl Taken {
    fn new(exchange: &Exchange<'_>) -> Self {
        Self { scrub: exchange.scrubber.stream(), clean: Vec::new(), read: 0, max: exchange.max_bytes }
    }

    /// Takes what comes next; false at the end. Trailers are dropped.
    async fn next(&mut self, body: &mut hyper::body::Incoming) -> Result<bool, TransportError> {
        let Some(frame) = body.frame().await else { return Ok(false) };
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { return Ok(true) };
        self.read = self.read.saturating_add(data.len() as u64);
        if self.read > self.max {
            return Err(TransportError::TooLarge { max: self.max });
        }
        self.scrub.push(&data, &mut self.clean);
        self.within()?;
        Ok(true)
    }

    fn end(self) -> Result<Vec<u8>, TransportError> {
        let Self { scrub, mut clean, max, .. } = self;
        scrub.end(&mut clean);
        if clean.len() as u64 > max {
            return Err(TransportError::TooLarge { max });
        }
        Ok(clean)
    }

    /// What stands in the place of a short secret is longer than the secret.
    fn within(&self) -> Result<(), TransportError> {
        if self.clean.len() as u64 > self.max { Err(TransportError::TooLarge { max: self.max }) } else { Ok(()) }
    }
}

/// Checks an answer's head, and makes of it what is handed on.
fn head(parts: &Parts, exchange: &Exchange<'_>) -> Result<Response, TransportError> {
    let protocol = |reason: &str| Err(TransportError::Protocol(reason.to_owned()));
    if parts.status.is_informational() {
        return protocol("the server wants to speak another protocol than HTTP/1.1");
    }
    if !only(&parts.headers, CONTENT_ENCODING, "identity") {
        return protocol("the server compresses its answer though it was asked not to");
    }
    if !only(&parts.headers, TRANSFER_ENCODING, "chunked") {
        return protocol("the server sends its answer in a form that is not known");
    }
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > exchange.max_bytes) {
        return Err(TransportError::TooLarge { max: exchange.max_bytes });
    }
    Ok(Response {
        status: parts.status.as_u16(),
        headers: headers(&parts.headers, exchange.scrubber),
        body: Vec::new(),
    })
}

/// The elements of all headers of a name (RFC 9110, section 5.6.1).
fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(name).into_iter();
    values.flat_map(|value| value.as_bytes().split(|b| *b == b',')).map(<[u8]>::trim_ascii).filter(|e| !e.is_empty())
}

fn only(headers: &HeaderMap, name: HeaderName, element: &str) -> bool {
    elements(headers, name).all(|found| found.eq_ignore_ascii_case(element.as_bytes()))
}

fn headers(headers: &HeaderMap, scrubber: &Scrubber) -> Vec<(String, String)> {
    let of_connection =
        |name: &str| elements(headers, CONNECTION).any(|element| element.eq_ignore_ascii_case(name.as_bytes()));
    headers
        .iter()
        .filter(|(name, value)| {
            !NOT_HANDED_ON.contains(&name.as_str()) && !of_connection(name.as_str()) && value.len() <= MOST_VALUE
        })
        // A name that holds a secret is none that anybody needs.
        .filter(|(name, _)| matches!(scrubber.scrub_str(name.as_str()), std::borrow::Cow::Borrowed(_)))
        .filter_map(|(name, value)| {
            let clean = String::from_utf8(scrubber.scrub(value.as_bytes()).into_owned()).ok()?;
            (clean.len() <= MOST_VALUE).then(|| (name.as_str().to_owned(), clean))
        })
        .take(MOST_HEADERS)
        .collect()
}

/// How long a server asks to wait (`Retry-After`, RFC 9110, section 10.2.3): seconds, or until a date in any of the
/// three forms of HTTP. A date that has passed is no time at all.
#[must_use]
pub fn retry_after(headers: &[(String, String)], now: SystemTime) -> Option<Duration> {
    let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let date = SystemTime::from(http_date(value)?);
    Some(date.duration_since(now).unwrap_or_default())
}

/// RFC 9110, section 5.6.7: the form of today, and the two that are obsolete.
fn http_date(text: &str) -> Option<Timestamp> {
    if !text.is_ascii() {
        return None;
    }
    let obsolete = || {
        ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"].iter().find_map(|form| {
            let date = strtime::parse(form, text).ok()?;
            let civil: DateTime = date.to_datetime().ok()?;
            civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })
    };
    let today = text.ends_with(" GMT").then(|| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())).flatten();
    today.or_else(obsolete)
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
