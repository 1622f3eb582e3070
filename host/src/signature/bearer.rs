//! Bearer token (RFC 6750): `Authorization: Bearer <token>`. Nothing is signed.
//!
//! Whoever shows the token vouches for the headers as much as for the body, so `Idempotency-Key` may name
//! the event. Without it the event has no name: two requests with equal bodies may well be two events, and
//! an event that is delivered twice is better than one that is lost.

use super::token::Token;
use super::{CredentialError, Scheme, Secret, SignatureError, Signed, Verified, idempotency, parse};

const SCHEME: Scheme = Scheme::Bearer;
const AUTHORIZATION: &str = "Authorization";

pub(super) fn key(secret: &Secret) -> Result<Token, CredentialError> {
    Token::new(SCHEME, secret, false)
}

pub(super) fn verify(token: &Token, signed: &Signed<'_>) -> Result<Verified, SignatureError> {
    let shown = bearer_token(parse::required(signed, SCHEME, AUTHORIZATION)?)
        .ok_or(SignatureError::Malformed { header: AUTHORIZATION, expected: "`Bearer`, a space and the token" })?;
    if !token.is(shown) {
        return Err(SignatureError::Mismatch { scheme: SCHEME, header: AUTHORIZATION });
    }
    let name = idempotency::name(signed, idempotency::HEADER)?;
    Ok(Verified::vouched(name.map(|key| format!("key:{key}"))))
}

/// The token after the word `Bearer`, which may be in any case (RFC 9110, section 11.1), and a space.
fn bearer_token(value: &[u8]) -> Option<&[u8]> {
    const WORD: &[u8] = b"Bearer ";
    let (word, token) = value.split_at_checked(WORD.len())?;
    let plain = !token.is_empty() && token.iter().all(u8::is_ascii_graphic);
    (plain && word.eq_ignore_ascii_case(WORD)).then_some(token)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::Credential;
    use super::super::testing::{Headers, credential};
    use super::*;

    const SECRET: &str = "mF_9.B5f-4.1JqM";

    fn ask(headers: &[(&str, &str)]) -> Result<Verified, SignatureError> {
        let headers = Headers::new(headers);
        credential(SCHEME, SECRET).verify(&Signed { headers: &headers, body: b"", now: 0 })
    }

    #[test]
    fn the_word_may_be_in_any_case_and_the_token_only_in_its_own() {
        for word in ["Bearer", "bearer", "BEARER"] {
            let value = format!("{word} {SECRET}");
            assert_eq!(ask(&[("authorization", &value)]), Ok(Verified::vouched(None)));
        }
        for token in ["mF_9.B5f-4.1Jq", "mF_9.B5f-4.1JqMM", "mf_9.b5f-4.1jqm", "x"] {
            assert_eq!(
                ask(&[(AUTHORIZATION, &format!("Bearer {token}"))]),
                Err(SignatureError::Mismatch { scheme: SCHEME, header: AUTHORIZATION }),
                "{token:?}"
            );
        }
    }

    #[test]
    fn other_forms_are_malformed() {
        for value in [
            "",
            "Bearer",
            "Bearer ",
            SECRET,
            "Basic mF_9.B5f-4.1JqM",
            "BearermF_9.B5f-4.1JqM",
            "Bearer  mF_9.B5f-4.1JqM",
            "Bearer mF_9.B5f-4.1JqM, Bearer x",
            "Bearer\tmF_9.B5f-4.1JqM",
            "Bearer é",
        ] {
            let refused = ask(&[(AUTHORIZATION, value)]);
            assert!(matches!(refused, Err(SignatureError::Malformed { .. })), "{value:?}");
        }
    }

    #[test]
    fn the_sender_may_name_the_event() {
        let value = format!("Bearer {SECRET}");
        let headers = [(AUTHORIZATION, value.as_str()), (idempotency::HEADER, "\"order 7\"")];
        assert_eq!(ask(&headers), Ok(Verified::vouched(Some("key:\"order 7\"".into()))));
    }

    #[test]
    fn tokens_that_no_header_carries_are_refused_when_the_credential_is_made() {
        for (scheme, token) in [
            (Scheme::Bearer, "two words"),
            (Scheme::Bearer, "line\n"),
            (Scheme::Bearer, "é"),
            (Scheme::Gitlab, " before"),
            (Scheme::Gitlab, "after "),
            (Scheme::Gitlab, " "),
            (Scheme::Gitlab, "line\n"),
            (Scheme::Gitlab, "é"),
        ] {
            let refused = Credential::new(scheme, Secret::new(token.into()).unwrap());
            assert_eq!(refused.unwrap_err(), CredentialError::TokenForm { scheme }, "{token:?}");
        }
    }
}
