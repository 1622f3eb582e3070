//! Slack: `X-Slack-Signature: v0=<hex>`, HMAC-SHA256 over `v0:{timestamp}:{body}`, the timestamp in
//! `X-Slack-Request-Timestamp`.
//!
//! The body names the event. A retry is signed anew, with a new timestamp, but has the same body, which
//! has the `event_id` (or `trigger_id`) in it. The timestamp is digits alone, so the second colon is where
//! the body begins and nothing can move between the two.

use super::{Scheme, Secret, SignatureError, Signed, Verified, covered, mac, parse};

const SCHEME: Scheme = Scheme::Slack;
const SIGNATURE: &str = "X-Slack-Signature";
const TIMESTAMP: &str = "X-Slack-Request-Timestamp";

pub(super) fn verify(secret: &Secret, signed: &Signed<'_>) -> Result<Verified, SignatureError> {
    let (text, seconds) = parse::required_timestamp(signed, SCHEME, TIMESTAMP)?;
    let tag = parse::required(signed, SCHEME, SIGNATURE)?.strip_prefix(b"v0=").and_then(parse::lower_hex).ok_or(
        SignatureError::Malformed { header: SIGNATURE, expected: "`v0=` and 64 lower-case hexadecimal digits" },
    )?;
    if !mac::any_is_right(secret, &[b"v0:", text, b":", signed.body], &[tag]) {
        return Err(SignatureError::Mismatch { scheme: SCHEME, header: SIGNATURE });
    }
    parse::within_window(seconds, signed.now, TIMESTAMP)?;
    Ok(Verified::covered(covered::digest(SCHEME, &[signed.body])))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Headers, credential};
    use super::*;

    /// The example of Slack's documentation, "Verifying requests from Slack".
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const SECONDS: u64 = 1_531_420_618;
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
        &channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner\
        &command=%2Fwebhook-collect&text=\
        &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
        &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const VALUE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn ask(timestamp: &str, value: &str, now: u64) -> Result<Verified, SignatureError> {
        let headers = Headers::new(&[(TIMESTAMP, timestamp), (SIGNATURE, value)]);
        credential(SCHEME, SECRET).verify(&Signed { headers: &headers, body: BODY, now })
    }

    #[test]
    fn the_documented_example_is_accepted_for_five_minutes_around_its_time() {
        for now in [SECONDS - 300, SECONDS, SECONDS + 300] {
            assert!(ask("1531420618", VALUE, now).is_ok(), "{now}");
        }
        for now in [SECONDS - 301, SECONDS + 301] {
            assert_eq!(ask("1531420618", VALUE, now), Err(SignatureError::Stale { header: TIMESTAMP, by: 301 }));
        }
    }

    #[test]
    fn a_timestamp_that_was_not_signed_is_a_mismatch() {
        assert_eq!(
            ask("1531420619", VALUE, SECONDS),
            Err(SignatureError::Mismatch { scheme: SCHEME, header: SIGNATURE })
        );
    }

    #[test]
    fn other_forms_are_malformed() {
        for (timestamp, value) in [
            ("1531420618", "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
            ("1531420618", "v1=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
            ("1531420618", "v0=A2114D57B48EAC39B9AD189DD8316235A7B4A8D21A10BD27519666489C69B503"),
            ("1531420618", "v0=a2114d"),
            ("1531420618", ""),
            ("", VALUE),
            ("01531420618", VALUE),
            ("1531420618.0", VALUE),
            ("-1531420618", VALUE),
        ] {
            let refused = ask(timestamp, value, SECONDS);
            assert!(matches!(refused, Err(SignatureError::Malformed { .. })), "{timestamp:?} {value:?}");
        }
    }
}
