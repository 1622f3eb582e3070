//! `Idempotency-Key`: the name that a sender gives to an event
//! (draft-ietf-httpapi-idempotency-key-header).

use super::{Occurrence, SignatureError, Signed};

/// The header's name.
pub(super) const HEADER: &str = "Idempotency-Key";

/// The longest name that is kept, in bytes.
const MAXIMUM_LENGTH: usize = 255;

/// The value of a header that names an event, if the request has the header. Only to be asked for a
/// request whose sender has shown the token: the value is believed, and kept.
pub(super) fn name<'a>(signed: &Signed<'a>, header: &'static str) -> Result<Option<&'a str>, SignatureError> {
    let value = match signed.headers.header(header) {
        Occurrence::Absent => return Ok(None),
        Occurrence::Repeated => return Err(SignatureError::Repeated { header }),
        Occurrence::Once(value) => value,
    };
    std::str::from_utf8(value)
        .ok()
        .filter(|text| (1..=MAXIMUM_LENGTH).contains(&text.len()))
        .filter(|text| text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()))
        .map(Some)
        .ok_or(SignatureError::Malformed { header, expected: "1 to 255 printable ASCII characters" })
}
