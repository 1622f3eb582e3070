//! What is looked at, and what comes out of it.

use hyper::HeaderMap;
use hyper::header::HeaderValue;

/// How often a request has a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence<'a> {
    /// Not at all.
    Absent,
    /// Once, with this value.
    Once(&'a [u8]),
    /// More than once. The values are not given, since none can be preferred.
    Repeated,
}

impl<'a> Occurrence<'a> {
    /// Sums up all values that a request has for one header.
    pub fn of(values: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::Once(value),
            (Some(_), Some(_)) => Self::Repeated,
        }
    }
}

/// The headers of a request.
pub trait HeaderLookup {
    /// How often, and with which value, the request has the header of that name. Upper and lower case are
    /// the same. The value comes without surrounding white space.
    fn header(&self, name: &'static str) -> Occurrence<'_>;
}

impl HeaderLookup for HeaderMap {
    fn header(&self, name: &'static str) -> Occurrence<'_> {
        Occurrence::of(self.get_all(name).iter().map(HeaderValue::as_bytes))
    }
}

/// A request as far as it can be signed.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// Its headers.
    pub headers: &'a dyn HeaderLookup,
    /// Its body, exactly as received: neither decoded nor parsed and written anew.
    pub body: &'a [u8],
    /// This machine's clock, in seconds since 1970-01-01 UTC.
    pub now: u64,
}

/// What is known about an authenticated request: the name of its event. The module's documentation says
/// what makes the name in each scheme. At most one of the two is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// SHA-256 of the scheme and of the signed parts that name the event. `None` where nothing is signed.
    pub covered: Option<[u8; 32]>,
    /// Where nothing is signed: the event's name by the word of whoever holds the token, who vouches for
    /// the headers no less than for the body. `key:` and an `Idempotency-Key`, or `event:` and what GitLab
    /// says. `None` if the request has no name; then each request is an event of its own.
    pub idempotency: Option<String>,
}

impl Verified {
    /// The event is named by what the signature covers.
    pub(super) const fn covered(digest: [u8; 32]) -> Self {
        Self { covered: Some(digest), idempotency: None }
    }

    /// The event is named by the holder of the token, if at all.
    pub(super) const fn vouched(name: Option<String>) -> Self {
        Self { covered: None, idempotency: name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_map_is_searched_without_regard_to_case_and_counts_values() {
        let mut headers = HeaderMap::new();
        headers.append("x-once", HeaderValue::from_static("a"));
        headers.append("x-twice", HeaderValue::from_static("a"));
        headers.append("X-Twice", HeaderValue::from_static("a"));
        assert_eq!(headers.header("X-Once"), Occurrence::Once(b"a"));
        assert_eq!(headers.header("X-Twice"), Occurrence::Repeated);
        assert_eq!(headers.header("X-Other"), Occurrence::Absent);
    }
}
