//! Reading header values strictly. Whatever is not exactly of the form is nothing.

use super::{Occurrence, Scheme, SignatureError, Signed, TIME_WINDOW_SECONDS};

/// How many signatures one header may list. Platforms list two while a secret is being replaced.
pub(super) const MAXIMUM_SIGNATURES: usize = 16;

/// What a timestamp must look like, for [`SignatureError::Malformed`].
pub(super) const TIMESTAMP_FORM: &str = "a whole number of seconds since 1970";

/// The value of a header that must be there exactly once.
pub(super) fn required<'a>(
    signed: &Signed<'a>,
    scheme: Scheme,
    header: &'static str,
) -> Result<&'a [u8], SignatureError> {
    match signed.headers.header(header) {
        Occurrence::Once(value) => Ok(value),
        Occurrence::Absent => Err(SignatureError::Missing { scheme, header }),
        Occurrence::Repeated => Err(SignatureError::Repeated { header }),
    }
}

/// `N` bytes written as `2 * N` lower-case hexadecimal digits. Every platform here writes lower case, and
/// with one spelling for each signature no altered signature is a valid one.
pub(super) fn lower_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Seconds since 1970: decimal digits alone, without sign or leading zero, at most twelve of them.
pub(super) fn timestamp(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 12 || text[0] == b'0' {
        return None;
    }
    text.iter().try_fold(0_u64, |seconds, digit| digit.is_ascii_digit().then(|| seconds * 10 + u64::from(digit - b'0')))
}

/// The header's value as a timestamp, with the bytes that were signed.
pub(super) fn required_timestamp<'a>(
    signed: &Signed<'a>,
    scheme: Scheme,
    header: &'static str,
) -> Result<(&'a [u8], u64), SignatureError> {
    let text = required(signed, scheme, header)?;
    let seconds = timestamp(text).ok_or(SignatureError::Malformed { header, expected: TIMESTAMP_FORM })?;
    Ok((text, seconds))
}

/// Refuses a timestamp that is outside the window. Ask only once the signature is known to be right: then
/// the refusal tells the truth.
pub(super) fn within_window(seconds: u64, now: u64, header: &'static str) -> Result<(), SignatureError> {
    let by = seconds.abs_diff(now);
    if by > TIME_WINDOW_SECONDS {
        return Err(SignatureError::Stale { header, by });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_plain_bounded_integers() {
        for (text, expected) in [
            ("1", Some(1)),
            ("1700000000", Some(1_700_000_000)),
            ("999999999999", Some(999_999_999_999)),
            ("1000000000000", None),
            ("99999999999999999999999999", None),
            ("", None),
            ("0", None),
            ("01700000000", None),
            ("+1700000000", None),
            ("-1700000000", None),
            ("1700000000.0", None),
            ("1e9", None),
            (" 1700000000", None),
            ("1700000000 ", None),
            ("17000_0000", None),
            ("１７", None),
        ] {
            assert_eq!(timestamp(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn hex_has_one_spelling_and_one_length() {
        for (text, expected) in [
            ("00ff", Some([0x00, 0xff])),
            ("00FF", None),
            ("00fF", None),
            ("00f", None),
            ("00ff0", None),
            ("00ff00", None),
            ("0x00ff", None),
            ("00fg", None),
            ("", None),
            ("é00", None),
        ] {
            assert_eq!(lower_hex::<2>(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn the_window_is_five_minutes_both_ways() {
        const HEADER: &str = "X";
        for (seconds, by) in [
            (1000, None),
            (700, None),
            (1300, None),
            (699, Some(301)),
            (1301, Some(301)),
            (u64::MAX, Some(u64::MAX - 1000)),
        ] {
            let expected = by.map_or(Ok(()), |by| Err(SignatureError::Stale { header: HEADER, by }));
            assert_eq!(within_window(seconds, 1000, HEADER), expected, "{seconds}");
        }
    }
}
