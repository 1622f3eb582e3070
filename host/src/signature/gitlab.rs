//! GitLab: the webhook's secret token itself in `X-Gitlab-Token`. Nothing is signed.
//!
//! Whoever shows the token vouches for the headers as much as for the body, so headers may name the event.
//! `Idempotency-Key` stays the same over retries. GitLab before 17.4 does not send it; then
//! `X-Gitlab-Event-UUID` together with the body does. The UUID alone would not: all events that one cause
//! sets off share it.

use sha2::{Digest, Sha256};

use super::token::Token;
use super::{CredentialError, Scheme, Secret, SignatureError, Signed, Verified, idempotency, parse};

const SCHEME: Scheme = Scheme::Gitlab;
const TOKEN: &str = "X-Gitlab-Token";
const EVENT: &str = "X-Gitlab-Event-UUID";

pub(super) fn key(secret: &Secret) -> Result<Token, CredentialError> {
    Token::new(SCHEME, secret, true)
}

pub(super) fn verify(token: &Token, signed: &Signed<'_>) -> Result<Verified, SignatureError> {
    if !token.is(parse::required(signed, SCHEME, TOKEN)?) {
        return Err(SignatureError::Mismatch { scheme: SCHEME, header: TOKEN });
    }
    if let Some(key) = idempotency::name(signed, idempotency::HEADER)? {
        return Ok(Verified::vouched(Some(format!("key:{key}"))));
    }
    let name = idempotency::name(signed, EVENT)?
        .map(|event| format!("event:{event}:{}", hex::encode(Sha256::digest(signed.body))));
    Ok(Verified::vouched(name))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Headers, credential};
    use super::*;

    const SECRET: &str = "a token, with spaces";

    fn ask(headers: &[(&str, &str)], body: &[u8]) -> Result<Verified, SignatureError> {
        let headers = Headers::new(headers);
        credential(SCHEME, SECRET).verify(&Signed { headers: &headers, body, now: 0 })
    }

    #[test]
    fn only_the_very_token_is_accepted() {
        assert_eq!(ask(&[(TOKEN, SECRET)], b""), Ok(Verified::vouched(None)));
        for token in ["", "a", "a token, with space", "a token, with spacesX", "A token, with spaces"] {
            assert_eq!(
                ask(&[(TOKEN, token)], b""),
                Err(SignatureError::Mismatch { scheme: SCHEME, header: TOKEN }),
                "{token:?}"
            );
        }
    }

    #[test]
    fn the_event_is_named_by_its_key_else_by_its_uuid_and_body() {
        let name = |headers: &[(&str, &str)], body: &[u8]| {
            let headers = [&[(TOKEN, SECRET)], headers].concat();
            ask(&headers, body).map(|verified| verified.idempotency)
        };
        let (key, event) = ((idempotency::HEADER, "k1"), (EVENT, "u1"));
        assert_eq!(name(&[key], b"a"), Ok(Some("key:k1".into())));
        assert_eq!(name(&[key, event], b"b"), Ok(Some("key:k1".into())));
        assert_eq!(name(&[event], b"a"), name(&[event], b"a"));
        assert_ne!(name(&[event], b"a"), name(&[event], b"b"));
        assert_ne!(name(&[event], b"a"), name(&[(EVENT, "u2")], b"a"));
        assert_ne!(name(&[(idempotency::HEADER, "u1")], b"a"), name(&[event], b"a"));
    }

    #[test]
    fn a_name_that_cannot_be_kept_is_a_refusal_rather_than_no_name() {
        let long = "x".repeat(256);
        for header in [idempotency::HEADER, EVENT] {
            for value in ["", "a\tb", "é", long.as_str()] {
                let refused = ask(&[(TOKEN, SECRET), (header, value)], b"");
                assert!(matches!(refused, Err(SignatureError::Malformed { .. })), "{header} {value:?}");
            }
            assert_eq!(
                ask(&[(TOKEN, SECRET), (header, "a"), (header, "a")], b""),
                Err(SignatureError::Repeated { header })
            );
        }
    }

    #[test]
    fn nothing_is_said_about_names_to_a_sender_without_the_token() {
        assert_eq!(
            ask(&[(TOKEN, "wrong"), (idempotency::HEADER, "")], b""),
            Err(SignatureError::Mismatch { scheme: SCHEME, header: TOKEN })
        );
    }
}
