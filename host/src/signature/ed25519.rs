//! Ed25519 (RFC 8032) as Discord signs interactions: `X-Signature-Ed25519: <hex>` over the timestamp in
//! `X-Signature-Timestamp` followed directly by the body.
//!
//! The body names the event. An interaction has its id in the body, and a retry of a webhook event has the
//! same body under a new timestamp. No mark stands between timestamp and body; but within the window every
//! timestamp has the same number of digits, so a digit that is moved from one to the other makes the
//! request stale.

use ed25519_dalek::{PUBLIC_KEY_LENGTH, SIGNATURE_LENGTH, Signature, VerifyingKey};

use super::{CredentialError, Scheme, Secret, SignatureError, Signed, Verified, covered, parse};

const SCHEME: Scheme = Scheme::Ed25519;
const SIGNATURE: &str = "X-Signature-Ed25519";
const TIMESTAMP: &str = "X-Signature-Timestamp";

/// Reads the public key. It is no secret, but kept like one: who can change it can speak for the platform.
pub(super) fn key(secret: &Secret) -> Result<VerifyingKey, CredentialError> {
    let mut bytes = [0; PUBLIC_KEY_LENGTH];
    hex::decode_to_slice(secret.expose(), &mut bytes).map_err(|_| CredentialError::Ed25519Form)?;
    VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak()).ok_or(CredentialError::Ed25519Key)
}

pub(super) fn verify(key: &VerifyingKey, signed: &Signed<'_>) -> Result<Verified, SignatureError> {
    let (text, seconds) = parse::required_timestamp(signed, SCHEME, TIMESTAMP)?;
    let signature = parse::lower_hex::<SIGNATURE_LENGTH>(parse::required(signed, SCHEME, SIGNATURE)?)
        .ok_or(SignatureError::Malformed { header: SIGNATURE, expected: "128 lower-case hexadecimal digits" })?;
    key.verify_strict(&[text, signed.body].concat(), &Signature::from_bytes(&signature))
        .map_err(|_| SignatureError::Mismatch { scheme: SCHEME, header: SIGNATURE })?;
    parse::within_window(seconds, signed.now, TIMESTAMP)?;
    Ok(Verified::covered(covered::digest(SCHEME, &[signed.body])))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Credential;
    use super::super::testing::{Headers, credential};
    use super::*;

    /// The key pair of RFC 8032, section 7.1, test 2; the signature was made with OpenSSL.
    const KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const SECONDS: u64 = 1_700_000_000;
    const BODY: &[u8] = br#"{"type":1}"#;
    const RIGHT: &str = "f469ecef789749220e905777fb1f6bc03b827ddd6097c3fc0a7924131c221ab1\
        4abed319656685a311beeb741a33ee88a5e14858e3aa0c3d1efc66804188b00e";

    fn ask(timestamp: &str, value: &str, body: &[u8], now: u64) -> Result<Verified, SignatureError> {
        let headers = Headers::new(&[(TIMESTAMP, timestamp), (SIGNATURE, value)]);
        credential(SCHEME, KEY).verify(&Signed { headers: &headers, body, now })
    }

    #[test]
    fn a_signature_of_another_implementation_is_accepted() {
        assert_eq!(ask("1700000000", RIGHT, BODY, SECONDS), Ok(Verified::covered(covered::digest(SCHEME, &[BODY]))));
    }

    #[test]
    fn a_digit_that_moves_between_timestamp_and_body_makes_the_request_stale() {
        assert_eq!(
            ask("170000000", RIGHT, br#"0{"type":1}"#, SECONDS),
            Err(SignatureError::Stale { header: TIMESTAMP, by: 1_530_000_000 })
        );
    }

    #[test]
    fn other_body_and_other_time_are_mismatches() {
        let mismatch = Err(SignatureError::Mismatch { scheme: SCHEME, header: SIGNATURE });
        assert_eq!(ask("1700000000", RIGHT, br#"{"type":2}"#, SECONDS), mismatch);
        assert_eq!(ask("1700000001", RIGHT, BODY, SECONDS), mismatch);
    }

    #[test]
    fn other_forms_are_malformed() {
        for value in ["", &RIGHT[2..], &format!("{RIGHT}00"), &RIGHT.to_uppercase(), &format!("0x{}", &RIGHT[2..])] {
            let refused = ask("1700000000", value, BODY, SECONDS);
            assert!(matches!(refused, Err(SignatureError::Malformed { .. })), "{value:?}");
        }
    }

    #[test]
    fn unusable_keys_are_refused_when_the_credential_is_made() {
        let zeros = "0".repeat(64);
        // The neutral element: a point of small order, for which signatures can be made up.
        let neutral = format!("01{}", "0".repeat(62));
        // No point of the curve has this coordinate.
        let no_point = format!("02{}", "0".repeat(62));
        for (key, error) in [
            ("abc", CredentialError::Ed25519Form),
            (&KEY[2..], CredentialError::Ed25519Form),
            (&format!("{KEY}00"), CredentialError::Ed25519Form),
            (&format!("0x{}", &KEY[2..]), CredentialError::Ed25519Form),
            (zeros.as_str(), CredentialError::Ed25519Key),
            (neutral.as_str(), CredentialError::Ed25519Key),
            (no_point.as_str(), CredentialError::Ed25519Key),
        ] {
            let refused = Credential::new(SCHEME, Secret::new(key.into()).unwrap());
            assert_eq!(refused.unwrap_err(), error, "{key}");
        }
        let upper = Secret::new(KEY.to_uppercase().into()).unwrap();
        assert!(Credential::new(SCHEME, upper).is_ok());
    }
}
