//! Stripe: `Stripe-Signature: t=<timestamp>,v1=<hex>[,v1=<hex>]`, HMAC-SHA256 over `{timestamp}.{body}`
//! with the whole `whsec_…` text as the key.
//!
//! The header lists one `v1` for each secret in force, while a secret is being replaced; one right `v1`
//! suffices. Elements of other names are other versions (`v0` marks test events) and prove nothing.
//!
//! The body names the event. A retry has a new timestamp and signature, but the same body with the event's
//! id in it. The timestamp is digits alone, so the first full stop is where the body begins.

use super::{Scheme, Secret, SignatureError, Signed, Verified, covered, mac, parse};

const SCHEME: Scheme = Scheme::Stripe;
const SIGNATURE: &str = "Stripe-Signature";

pub(super) fn verify(secret: &Secret, signed: &Signed<'_>) -> Result<Verified, SignatureError> {
    let value = parse::required(signed, SCHEME, SIGNATURE)?;
    let Elements { text, seconds, tags } = elements(value).ok_or(SignatureError::Malformed {
        header: SIGNATURE,
        expected: "`t=`, a whole number of seconds, and `,v1=` with 64 lower-case hexadecimal digits",
    })?;
    if !mac::any_is_right(secret, &[text, b".", signed.body], &tags) {
        return Err(SignatureError::Mismatch { scheme: SCHEME, header: SIGNATURE });
    }
    parse::within_window(seconds, signed.now, SIGNATURE)?;
    Ok(Verified::covered(covered::digest(SCHEME, &[signed.body])))
}

struct Elements<'a> {
    text: &'a [u8],
    seconds: u64,
    tags: Vec<[u8; 32]>,
}

/// Reads the list: exactly one `t`, at least one `v1`, every `v1` well-formed, no white space.
fn elements(value: &[u8]) -> Option<Elements<'_>> {
    let mut time = None;
    let mut tags = Vec::new();
    for element in value.split(|byte| *byte == b',') {
        let border = element.iter().position(|byte| *byte == b'=')?;
        let (name, content) = (&element[..border], &element[border + 1..]);
        match name {
            b"t" => {
                let previous = time.replace((content, parse::timestamp(content)?));
                if previous.is_some() {
                    return None;
                }
            }
            b"v1" => tags.push(parse::lower_hex(content)?),
            other => {
                let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
                if other.is_empty() || !other.iter().all(plain) {
                    return None;
                }
            }
        }
    }
    let (text, seconds) = time?;
    (1..=parse::MAXIMUM_SIGNATURES).contains(&tags.len()).then_some(Elements { text, seconds, tags })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Headers, credential};
    use super::*;

    /// Stripe publishes no vector; this one was made with another implementation of HMAC (Python's).
    const SECRET: &str = "whsec_test_secret";
    const SECONDS: u64 = 1_700_000_000;
    const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
    const RIGHT: &str = "0c8670ed117751cc551a20e35839447075c42800ea3cf3e8a2fbda99cd1e6edd";
    const WRONG: &str = "1111111111111111111111111111111111111111111111111111111111111111";

    fn ask(value: &str, now: u64) -> Result<Verified, SignatureError> {
        let headers = Headers::new(&[(SIGNATURE, value)]);
        credential(SCHEME, SECRET).verify(&Signed { headers: &headers, body: BODY, now })
    }

    #[test]
    fn one_right_signature_in_the_list_suffices() {
        for value in [
            format!("t=1700000000,v1={RIGHT}"),
            format!("t=1700000000,v1={RIGHT},v0={WRONG}"),
            format!("t=1700000000,v1={WRONG},v1={RIGHT}"),
            format!("t=1700000000,v1={RIGHT},v1={WRONG}"),
            format!("v1={RIGHT},t=1700000000"),
        ] {
            assert!(ask(&value, SECONDS).is_ok(), "{value}");
        }
    }

    #[test]
    fn a_right_signature_under_another_version_proves_nothing() {
        assert_eq!(
            ask(&format!("t=1700000000,v1={WRONG},v0={RIGHT}"), SECONDS),
            Err(SignatureError::Mismatch { scheme: SCHEME, header: SIGNATURE })
        );
    }

    #[test]
    fn an_old_signature_is_stale() {
        assert_eq!(
            ask(&format!("t=1700000000,v1={RIGHT}"), SECONDS + 301),
            Err(SignatureError::Stale { header: SIGNATURE, by: 301 })
        );
    }

    #[test]
    fn other_forms_are_malformed() {
        let many = format!("t=1700000000{}", format!(",v1={RIGHT}").repeat(17));
        for value in [
            String::new(),
            "t=1700000000".into(),
            format!("v1={RIGHT}"),
            format!("t=1700000000,v0={RIGHT}"),
            format!("t=1700000000,t=1700000000,v1={RIGHT}"),
            format!("t=1700000000, v1={RIGHT}"),
            format!("t=1700000000,v1={RIGHT}, t=1700000001,v1={RIGHT}"),
            format!("t=1700000000,v1={RIGHT},v1=zz"),
            format!("t=1700000000,v1={RIGHT},"),
            format!("t=1700000000,v1={RIGHT},=x"),
            format!("t=1700000000,v1={}", RIGHT.to_uppercase()),
            format!("t=,v1={RIGHT}"),
            format!("t=01700000000,v1={RIGHT}"),
            format!("T=1700000000,v1={RIGHT}"),
            many,
        ] {
            let refused = ask(&value, SECONDS);
            assert!(matches!(refused, Err(SignatureError::Malformed { .. })), "{value:?}");
        }
    }
}
