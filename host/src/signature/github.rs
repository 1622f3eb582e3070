//! GitHub: `X-Hub-Signature-256: sha256=<hex>`, HMAC-SHA256 over the body.
//!
//! Only the body is signed, so only the body names the event. A redelivery has the same bytes. The header
//! `X-GitHub-Delivery` would name it too, but anybody who replays a request can write another one there.

use super::{Scheme, Secret, SignatureError, Signed, Verified, covered, mac, parse};

const SCHEME: Scheme = Scheme::Github;
const SIGNATURE: &str = "X-Hub-Signature-256";

pub(super) fn verify(secret: &Secret, signed: &Signed<'_>) -> Result<Verified, SignatureError> {
    let tag = parse::required(signed, SCHEME, SIGNATURE)?.strip_prefix(b"sha256=").and_then(parse::lower_hex).ok_or(
        SignatureError::Malformed { header: SIGNATURE, expected: "`sha256=` and 64 lower-case hexadecimal digits" },
    )?;
    if !mac::any_is_right(secret, &[signed.body], &[tag]) {
        return Err(SignatureError::Mismatch { scheme: SCHEME, header: SIGNATURE });
    }
    Ok(Verified::covered(covered::digest(SCHEME, &[signed.body])))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Headers, credential};
    use super::*;

    /// The example of GitHub's documentation, "Validating webhook deliveries".
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const DIGITS: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn ask(value: &str, body: &[u8]) -> Result<Verified, SignatureError> {
        let headers = Headers::new(&[("x-hub-signature-256", value)]);
        credential(SCHEME, SECRET).verify(&Signed { headers: &headers, body, now: 0 })
    }

    #[test]
    fn the_documented_example_is_accepted() {
        assert_eq!(ask(&format!("sha256={DIGITS}"), BODY), Ok(Verified::covered(covered::digest(SCHEME, &[BODY]))));
    }

    #[test]
    fn another_body_is_a_mismatch() {
        let mismatch = SignatureError::Mismatch { scheme: SCHEME, header: SIGNATURE };
        assert_eq!(ask(&format!("sha256={DIGITS}"), b"Hello, World?"), Err(mismatch));
        assert_eq!(ask(&format!("sha256={DIGITS}"), b""), Err(mismatch));
    }

    #[test]
    fn other_forms_are_malformed() {
        let upper = DIGITS.to_uppercase();
        for value in [
            String::new(),
            DIGITS.into(),
            format!("sha1={DIGITS}"),
            format!("SHA256={DIGITS}"),
            format!("sha256={upper}"),
            format!("sha256={}", &DIGITS[1..]),
            format!("sha256={DIGITS}00"),
            format!("sha256= {DIGITS}"),
            format!("sha256={DIGITS}, sha256={DIGITS}"),
            "sha256=".into(),
            "sha256=é".into(),
        ] {
            let refused = ask(&value, BODY);
            assert!(matches!(refused, Err(SignatureError::Malformed { .. })), "{value:?}");
        }
    }
}
