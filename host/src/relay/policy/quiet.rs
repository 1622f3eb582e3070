//! Quiet hours: spans of the clock on the wall.

use std::fmt;

use jiff::civil::Time;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// From one minute of the day up to another, which does not belong to it; over midnight if it ends before it begins.
/// What counts is what the clock shows: an hour that the clock skips is not there, and one that it shows twice is quiet
/// both times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Minutes after midnight, below [`DAY`].
    from: u16,
    /// Minutes after midnight, at most [`DAY`]; never `from`.
    to: u16,
}

impl Span {
    /// Reads `22:00-07:00`; the end may be `24:00`.
    ///
    /// # Errors
    /// What to write instead.
    pub(super) fn parse(written: &str) -> Result<Self, &'static str> {
        const FORM: &str = "a span of quiet hours has the form \"22:00-07:00\"";
        let (from, to) = written.split_once('-').ok_or(FORM)?;
        let (from, to) = minutes(from).zip(minutes(to)).ok_or(FORM)?;
        if from == to {
            return Err("a span of quiet hours must not end when it begins; the whole day is \"00:00-24:00\"");
        }
        if from == DAY { Err("a span of quiet hours begins at 23:59 at the latest") } else { Ok(Self { from, to }) }
    }

    /// Whether the clock shows a time within it.
    pub(super) fn covers(self, now: Time) -> bool {
        let now = u16::from(now.hour().unsigned_abs()) * 60 + u16::from(now.minute().unsigned_abs());
        if self.from < self.to { (self.from..self.to).contains(&now) } else { now >= self.from || now < self.to }
    }
}

/// As it is written.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// Minutes after midnight of `07:00`, up to `24:00`.
fn minutes(written: &str) -> Option<u16> {
    let [a, b, b':', c, d] = *written.as_bytes() else { return None };
    let digits = |tens: u8, ones: u8| {
        let shaped = tens.is_ascii_digit() && ones.is_ascii_digit();
        shaped.then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
    };
    let (hours, minutes) = digits(a, b).zip(digits(c, d))?;
    (minutes < 60 && hours * 60 + minutes <= DAY).then_some(hours * 60 + minutes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minute: u16) -> Time {
        Time::new(i8::try_from(minute / 60).unwrap(), i8::try_from(minute % 60).unwrap(), 59, 999_999_999).unwrap()
    }

    #[test]
    fn the_first_minute_belongs_to_a_span_and_the_last_does_not() {
        for (span, quiet, loud) in [
            ("22:00-07:00", &["22:00", "23:59", "00:00", "06:59"][..], &["07:00", "12:00", "21:59"][..]),
            ("12:30-13:15", &["12:30", "13:14"], &["12:29", "13:15", "00:00"]),
            ("22:00-24:00", &["22:00", "23:59"], &["00:00", "21:59"]),
            ("22:00-00:00", &["22:00", "23:59"], &["00:00", "21:59"]),
            ("00:00-24:00", &["00:00", "12:00", "23:59"], &[]),
            ("00:00-00:01", &["00:00"], &["00:01", "23:59"]),
            ("07:01-07:00", &["07:01", "00:00", "06:59"], &["07:00"]),
        ] {
            let parsed = Span::parse(span).unwrap();
            assert_eq!(parsed.to_string(), span);
            for (times, expected) in [(quiet, true), (loud, false)] {
                for time in times {
                    assert_eq!(parsed.covers(at(minutes(time).unwrap())), expected, "{span} {time}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for bad in [
            "",
            "22:00",
            "22:00-",
            "-07:00",
            "22-7",
            "22:00-7:00",
            "22.00-07.00",
            "22:60-07:00",
            "25:00-07:00",
            "22:00-24:01",
            "24:00-07:00",
            "22:00-22:00",
            "00:00-00:00",
            "22:00 - 07:00",
            " 22:00-07:00",
            "22:00–07:00",
            "22:00-07:00-",
            "+2:00-07:00",
            "٢٢:00-07:00",
        ] {
            assert!(Span::parse(bad).is_err(), "{bad}");
        }
        assert!(Span::parse("07:00-07:00").unwrap_err().contains("00:00-24:00"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_covers_the_minutes_that_the_clock_shows_on_its_way(from in 0..DAY, to in 0..=DAY, now in 0..DAY) {
            prop_assume!(from != to);
            let written = format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60);
            let span = Span::parse(&written).unwrap();
            let length = if from < to { to - from } else { DAY - from + to };
            let on_its_way = (0..length).any(|minute| (from + minute) % DAY == now);
            prop_assert_eq!(span.covers(at(now)), on_its_way, "{} {}", written, now);
        }

        #[test]
        fn no_text_makes_it_fail(text in "[0-9:–-]{0,13}|.{0,20}") {
            if let Ok(span) = Span::parse(&text) {
                prop_assert_eq!(span.to_string(), text);
            }
        }
    }
}
