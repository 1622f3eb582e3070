//! Standard Webhooks 1.0, symmetric: `webhook-signature: v1,<base64>[ v1,<base64>]`, HMAC-SHA256 over
//! `{webhook-id}.{webhook-timestamp}.{body}` with the base64-decoded secret as the key.
//!
//! The header lists one `v1` for each secret in force; one right `v1` suffices. Entries of other versions
//! (`v1a` is the asymmetric one) prove nothing.
//!
//! The id names the event. It is signed, and the specification says that it stays the same however often
//! an event is retried, while the timestamp is that of the attempt; it is meant as the idempotency key. An
//! id with a full stop is refused, as it must not have one: without it the first two full stops are where
//! timestamp and body begin, and nothing can move between the parts.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use zeroize::Zeroizing;

use super::{CredentialError, Scheme, Secret, SignatureError, Signed, Verified, covered, mac, parse};

const SCHEME: Scheme = Scheme::Standard;
const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// The longest id, in bytes.
const MAXIMUM_ID: usize = 255;

/// Secrets are copied by hand, and some platforms leave out the padding.
const SECRET_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes the secret.
pub(super) fn key(secret: &Secret) -> Result<Secret, CredentialError> {
    let text = secret.expose();
    if text.starts_with(b"whpk_") || text.starts_with(b"whsk_") {
        return Err(CredentialError::StandardAsymmetric);
    }
    let text = text.strip_prefix(b"whsec_").unwrap_or(text);
    // As long as the text, so that decoding never moves the bytes and leaves a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    SECRET_BASE64.decode_vec(text, &mut bytes).map_err(|_| CredentialError::StandardForm)?;
    Secret::new(std::mem::take(&mut *bytes)).map_err(|_| CredentialError::StandardForm)
}

pub(super) fn verify(secret: &Secret, signed: &Signed<'_>) -> Result<Verified, SignatureError> {
    let id = parse::required(signed, SCHEME, ID)?;
    if !(1..=MAXIMUM_ID).contains(&id.len()) || !id.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'.') {
        return Err(SignatureError::Malformed {
            header: ID,
            expected: "1 to 255 printable ASCII characters without space and full stop",
        });
    }
    let (text, seconds) = parse::required_timestamp(signed, SCHEME, TIMESTAMP)?;
    let tags = tags(parse::required(signed, SCHEME, SIGNATURE)?).ok_or(SignatureError::Malformed {
        header: SIGNATURE,
        expected: "`v1,` and the base64 of 32 bytes, or several of these with one space between them",
    })?;
    if !mac::any_is_right(secret, &[id, b".", text, b".", signed.body], &tags) {
        return Err(SignatureError::Mismatch { scheme: SCHEME, header: SIGNATURE });
    }
    parse::within_window(seconds, signed.now, TIMESTAMP)?;
    Ok(Verified::covered(covered::digest(SCHEME, &[id])))
}

/// Reads the list: at least one `v1`, every `v1` well-formed, single spaces.
fn tags(value: &[u8]) -> Option<Vec<[u8; 32]>> {
    let mut tags = Vec::new();
    for entry in value.split(|byte| *byte == b' ') {
        let border = entry.iter().position(|byte| *byte == b',')?;
        let (version, content) = (&entry[..border], &entry[border + 1..]);
        if version == b"v1" {
            tags.push(STANDARD.decode(content).ok()?.try_into().ok()?);
        } else if version.is_empty() || !version.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
    }
    (1..=parse::MAXIMUM_SIGNATURES).contains(&tags.len()).then_some(tags)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Credential;
    use super::super::testing::{Headers, credential};
    use super::*;

    /// The example that the Standard Webhooks libraries are tested with.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SECONDS: u64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const RIGHT: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const WRONG: &str = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    fn ask(secret: &str, id: &str, value: &str, now: u64) -> Result<Verified, SignatureError> {
        let headers = Headers::new(&[(ID, id), (TIMESTAMP, "1614265330"), (SIGNATURE, value)]);
        credential(SCHEME, secret).verify(&Signed { headers: &headers, body: BODY, now })
    }

    #[test]
    fn the_published_example_is_accepted_with_and_without_the_prefix() {
        let named = Ok(Verified::covered(covered::digest(SCHEME, &[MESSAGE.as_bytes()])));
        assert_eq!(ask(SECRET, MESSAGE, RIGHT, SECONDS), named);
        assert_eq!(ask(&SECRET["whsec_".len()..], MESSAGE, RIGHT, SECONDS), named);
    }

    #[test]
    fn one_right_signature_in_the_list_suffices() {
        for value in [
            format!("{WRONG} {RIGHT}"),
            format!("{RIGHT} {WRONG}"),
            format!("v1a,anything {RIGHT}"),
            format!("{RIGHT} v2,"),
        ] {
            assert!(ask(SECRET, MESSAGE, &value, SECONDS).is_ok(), "{value}");
        }
    }

    #[test]
    fn wrong_signature_other_id_and_old_request_are_told_apart() {
        let mismatch = Err(SignatureError::Mismatch { scheme: SCHEME, header: SIGNATURE });
        assert_eq!(ask(SECRET, MESSAGE, WRONG, SECONDS), mismatch);
        assert_eq!(ask(SECRET, "msg_other", RIGHT, SECONDS), mismatch);
        assert_eq!(
            ask(SECRET, MESSAGE, RIGHT, SECONDS - 301),
            Err(SignatureError::Stale { header: TIMESTAMP, by: 301 })
        );
    }

    #[test]
    fn other_forms_are_malformed() {
        let long = "x".repeat(256);
        let many = vec![RIGHT; 17].join(" ");
        for (id, value) in [
            ("", RIGHT),
            ("msg.1", RIGHT),
            ("msg 1", RIGHT),
            ("msgé", RIGHT),
            (long.as_str(), RIGHT),
            (MESSAGE, ""),
            (MESSAGE, "v1"),
            (MESSAGE, "v1,"),
            (MESSAGE, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            (MESSAGE, "v1=g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            (MESSAGE, "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            // Without padding, with other final bits, in the alphabet for URLs, too long.
            (MESSAGE, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE"),
            (MESSAGE, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF="),
            (MESSAGE, "v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            (MESSAGE, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OEA"),
            (MESSAGE, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=  v1a,x"),
            (MESSAGE, many.as_str()),
        ] {
            let refused = ask(SECRET, id, value, SECONDS);
            assert!(matches!(refused, Err(SignatureError::Malformed { .. })), "{id:?} {value:?}");
        }
    }

    #[test]
    fn a_secret_of_another_form_is_refused() {
        for (secret, error) in [
            ("whsec_", CredentialError::StandardForm),
            ("whsec_!!!!", CredentialError::StandardForm),
            ("not base64", CredentialError::StandardForm),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", CredentialError::StandardForm),
            ("whsec_whsec_MfKQ", CredentialError::StandardForm),
            ("whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", CredentialError::StandardAsymmetric),
            ("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", CredentialError::StandardAsymmetric),
        ] {
            let refused = Credential::new(SCHEME, Secret::new(secret.into()).unwrap());
            assert_eq!(refused.unwrap_err(), error, "{secret:?}");
        }
    }

    #[test]
    fn padding_of_the_secret_may_be_left_out() {
        for secret in ["whsec_aGVsbG8=", "whsec_aGVsbG8"] {
            let secret = Secret::new(secret.into()).unwrap();
            assert_eq!(key(&secret).unwrap().expose(), b"hello");
        }
    }
}
