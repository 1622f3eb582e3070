//! Times of sending, and which of them can be true.

use crate::manifest::TimeUnit;

/// 2000-01-01T00:00:00Z in milliseconds: no platform's message is older.
const EARLIEST_MS: i64 = 946_684_800_000;
/// How far a platform's clock may be ahead of ours, in milliseconds: one day.
const AHEAD_MS: i64 = 24 * 3600 * 1000;

/// An integer in its unit as milliseconds since the Unix epoch.
pub(super) fn from_integer(value: i128, unit: TimeUnit, received_ms: i64) -> Result<i64, String> {
    let ms = match unit {
        TimeUnit::S => value.checked_mul(1000),
        TimeUnit::Ms => Some(value),
        TimeUnit::Us => Some(value.div_euclid(1000)),
        TimeUnit::Rfc3339 => return Err("is a number, but its unit is \"rfc3339\"".into()),
    };
    within(ms.and_then(|ms| i64::try_from(ms).ok()), received_ms)
}

/// A text of RFC 3339 as milliseconds since the Unix epoch; a leap second counts as the second before.
pub(super) fn from_text(text: &str, received_ms: i64) -> Result<i64, String> {
    // jiff also takes the wider forms of RFC 9557 and ISO 8601, so the shape is checked first.
    let shaped = (20..=40).contains(&text.len())
        && text.bytes().enumerate().all(|(at, b)| match at {
            4 | 7 => b == b'-',
            10 => matches!(b, b'T' | b't' | b' '),
            13 | 16 => b == b':',
            0..=18 => b.is_ascii_digit(),
            _ => b.is_ascii_digit() || b".:+-Zz".contains(&b),
        });
    let time = shaped.then(|| text.parse::<jiff::Timestamp>().ok()).flatten();
    match time {
        Some(time) => within(Some(time.as_millisecond()), received_ms),
        None => Err("is no time of RFC 3339".into()),
    }
}

fn within(ms: Option<i64>, received_ms: i64) -> Result<i64, String> {
    match ms {
        Some(ms) if ms >= EARLIEST_MS && ms <= received_ms.saturating_add(AHEAD_MS) => Ok(ms),
        _ => {
            Err("is before the year 2000 or more than a day ahead; check the rule's unit and this machine's clock"
                .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn integers_count_in_their_unit_alone() {
        for (value, unit, expected) in [
            (1_700_000_000, TimeUnit::S, Some(1_700_000_000_000)),
            (1_700_000_000_123, TimeUnit::Ms, Some(1_700_000_000_123)),
            (1_700_000_000_123_999, TimeUnit::Us, Some(1_700_000_000_123)),
            (1_700_000_000, TimeUnit::Ms, None),
            (1_700_000_000_000, TimeUnit::S, None),
            (946_684_800, TimeUnit::S, Some(EARLIEST_MS)),
            (946_684_799, TimeUnit::S, None),
            ((NOW + AHEAD_MS).into(), TimeUnit::Ms, Some(NOW + AHEAD_MS)),
            ((NOW + AHEAD_MS + 1).into(), TimeUnit::Ms, None),
            (0, TimeUnit::S, None),
            (-1, TimeUnit::Us, None),
            (i128::MAX, TimeUnit::S, None),
            (1_700_000_000, TimeUnit::Rfc3339, None),
        ] {
            assert_eq!(from_integer(value, unit, NOW).ok(), expected, "{value} {unit:?}");
        }
    }

    #[test]
    fn texts_follow_rfc_3339() {
        for (text, expected) in [
            ("2023-11-14T22:13:20Z", Some(1_700_000_000_000)),
            ("2023-11-14T22:13:20.123456Z", Some(1_700_000_000_123)),
            ("2023-11-14t22:13:20z", Some(1_700_000_000_000)),
            ("2023-11-14T23:13:20+01:00", Some(1_700_000_000_000)),
            ("2023-11-14T22:13:20", None),
            ("2023-11-14", None),
            ("2023-11-14T22:13Z", None),
            ("20231114T221320Z", None),
            ("2023-11-14T23:13:20+01:00[Europe/Paris]", None),
            ("2023-13-14T22:13:20Z", None),
            ("1999-12-31T23:59:59Z", None),
            ("9999-12-31T23:59:59Z", None),
            ("1700000000", None),
            ("", None),
        ] {
            assert_eq!(from_text(text, NOW).ok(), expected, "{text}");
        }
    }
}
