//! What must hold in every scheme.
#![allow(clippy::unwrap_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::testing::{Headers, Platform};
use super::{Credential, CredentialError, Scheme, Secret, SignatureError, Signed, TIME_WINDOW_SECONDS, Verified};

const NOW: u64 = 1_700_000_000;
const ID: &str = "msg_1";
const BODY: &[u8] = br#"{"id":"evt_1"}"#;

fn platform(scheme: Scheme) -> Platform {
    Platform::new(scheme, [7; 32])
}

fn ask(credential: &Credential, headers: &Headers, body: &[u8]) -> Result<Verified, SignatureError> {
    credential.verify(&Signed { headers, body, now: NOW })
}

/// Whether the scheme signs anything, or only shows a token.
fn signs(scheme: Scheme) -> bool {
    !matches!(scheme, Scheme::Gitlab | Scheme::Bearer)
}

/// `Bearer` itself may be written in any case; everything else counts to the bit.
fn case_is_free(scheme: Scheme, header: &str, position: usize) -> bool {
    scheme == Scheme::Bearer && header == "Authorization" && position < "Bearer".len()
}

#[test]
fn every_flipped_bit_of_every_header_is_refused() {
    for scheme in Scheme::ALL {
        let credential = platform(scheme).credential();
        let headers = platform(scheme).sign(ID, NOW, BODY);
        assert!(ask(&credential, &headers, BODY).is_ok(), "{scheme}");
        for index in 0..headers.0.len() {
            let name = headers.0[index].0.clone();
            for position in 0..headers.0[index].1.len() {
                for bit in 0..8 {
                    if bit == 5 && case_is_free(scheme, &name, position) {
                        continue;
                    }
                    let mut altered = headers.clone();
                    altered.0[index].1[position] ^= 1 << bit;
                    let refused = ask(&credential, &altered, BODY);
                    assert!(refused.is_err(), "{scheme} {name} byte {position} bit {bit}");
                }
            }
        }
    }
}

#[test]
fn every_flipped_bit_of_a_signed_body_is_refused() {
    for scheme in Scheme::ALL.into_iter().filter(|scheme| signs(*scheme)) {
        let credential = platform(scheme).credential();
        let headers = platform(scheme).sign(ID, NOW, BODY);
        for position in 0..BODY.len() {
            for bit in 0..8 {
                let mut altered = BODY.to_vec();
                altered[position] ^= 1 << bit;
                let refused = ask(&credential, &headers, &altered);
                assert!(refused.is_err(), "{scheme} byte {position} bit {bit}");
            }
        }
        for altered in [&BODY[1..], &BODY[..BODY.len() - 1], &[BODY, b"\n"].concat(), b""] {
            assert!(ask(&credential, &headers, altered).is_err(), "{scheme}");
        }
    }
}

#[test]
fn every_header_is_needed_once_and_exactly_once() {
    for scheme in Scheme::ALL {
        let credential = platform(scheme).credential();
        let headers = platform(scheme).sign(ID, NOW, BODY);
        for index in 0..headers.0.len() {
            let (name, value) = headers.0[index].clone();

            let mut without = headers.clone();
            without.0.remove(index);
            let refused = ask(&credential, &without, BODY);
            assert!(
                matches!(refused, Err(SignatureError::Missing { header, .. }) if header == name),
                "{scheme} {name}: {refused:?}"
            );

            let mut twice = headers.clone();
            twice.0.push((name.to_lowercase(), value));
            let refused = ask(&credential, &twice, BODY);
            assert!(
                matches!(refused, Err(SignatureError::Repeated { header }) if header == name),
                "{scheme} {name}: {refused:?}"
            );
        }
    }
}

#[test]
fn the_headers_of_one_scheme_do_not_open_a_route_of_another() {
    for scheme in Scheme::ALL {
        for other in Scheme::ALL.into_iter().filter(|other| *other != scheme) {
            let headers = platform(other).sign(ID, NOW, BODY);
            let refused = ask(&platform(scheme).credential(), &headers, BODY);
            assert!(matches!(refused, Err(SignatureError::Missing { .. })), "{other} on {scheme}");
        }
    }
}

#[test]
fn a_right_signature_outside_the_window_is_stale_where_the_scheme_has_a_time() {
    for scheme in Scheme::ALL {
        let timed = signs(scheme) && scheme != Scheme::Github;
        for (seconds, by) in [(NOW - 301, 301), (NOW + 301, 301), (NOW - 86_400, 86_400)] {
            let headers = platform(scheme).sign(ID, seconds, BODY);
            let answer = ask(&platform(scheme).credential(), &headers, BODY);
            if timed {
                assert!(
                    matches!(answer, Err(SignatureError::Stale { by: told, .. }) if told == by),
                    "{scheme}: {answer:?}"
                );
            } else {
                assert!(answer.is_ok(), "{scheme}: {answer:?}");
            }
        }
    }
}

#[test]
fn a_redelivery_is_the_same_event_and_another_event_is_not() {
    for scheme in Scheme::ALL.into_iter().filter(|scheme| signs(*scheme)) {
        let credential = platform(scheme).credential();
        let name = |id: &str, seconds: u64, body: &[u8]| {
            let headers = platform(scheme).sign(id, seconds, body);
            ask(&credential, &headers, body).unwrap().covered.unwrap()
        };
        let first = name(ID, NOW, BODY);
        assert_eq!(first, name(ID, NOW + 60, BODY), "{scheme}: a retry has a later timestamp");
        assert_ne!(first, name("msg_2", NOW, br#"{"id":"evt_2"}"#), "{scheme}: another event");
        let same_body = name("msg_2", NOW, BODY);
        assert_eq!(first != same_body, scheme == Scheme::Standard, "{scheme}: the id where signed");
    }
}

#[test]
fn unsigned_headers_do_not_change_the_name_of_a_signed_event() {
    for scheme in Scheme::ALL.into_iter().filter(|scheme| signs(*scheme)) {
        let credential = platform(scheme).credential();
        let headers = platform(scheme).sign(ID, NOW, BODY);
        let mut decorated = headers.clone();
        for name in ["Idempotency-Key", "X-GitHub-Delivery", "X-Slack-Retry-Num", "X-Gitlab-Event-UUID"] {
            decorated.0.push((name.into(), b"fresh".to_vec()));
        }
        assert_eq!(ask(&credential, &headers, BODY), ask(&credential, &decorated, BODY), "{scheme}");
    }
}

#[test]
fn texts_tell_the_mend_and_no_debug_shows_the_secret() {
    for scheme in Scheme::ALL {
        let platform = platform(scheme);
        let shown = format!("{:?}", platform.credential());
        assert!(!shown.contains(&platform.secret()) && shown.contains("Credential"), "{shown}");
        for error in [
            SignatureError::Missing { scheme, header: "X-Some" },
            SignatureError::Repeated { header: "X-Some" },
            SignatureError::Malformed { header: "X-Some", expected: "some form" },
            SignatureError::Stale { header: "X-Some", by: 301 },
            SignatureError::Mismatch { scheme, header: "X-Some" },
        ] {
            let text = error.to_string();
            let (what, mend) = text.split_once(": ").unwrap();
            assert!(what.contains("X-Some") && !mend.is_empty(), "{text}");
        }
    }
    assert_eq!(
        SignatureError::Missing { scheme: Scheme::Github, header: "X-Hub-Signature-256" }.to_string(),
        "the header X-Hub-Signature-256 is missing: set the webhook's secret at GitHub"
    );
    for (error, mend) in [
        (CredentialError::TokenForm { scheme: Scheme::Bearer }, "without spaces:"),
        (CredentialError::TokenForm { scheme: Scheme::Gitlab }, "without spaces around it:"),
        (CredentialError::StandardForm, "copy it"),
        (CredentialError::StandardAsymmetric, "choose symmetric"),
        (CredentialError::Ed25519Form, "copy it"),
        (CredentialError::Ed25519Key, "copy it"),
    ] {
        assert!(error.to_string().contains(mend), "{error}");
    }
}

fn scheme() -> impl Strategy<Value = Scheme> {
    select(Scheme::ALL.to_vec())
}

/// A header value that is now and then close to a right one.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        "(sha256=|v0=|v1,|t=[0-9]{0,14},v1=|Bearer )?[0-9a-fA-F+/=, ]{0,140}".prop_map(String::into_bytes),
        "[0-9]{0,24}".prop_map(String::into_bytes),
    ]
}

const NAMES: [&str; 11] = [
    "X-Hub-Signature-256",
    "X-Gitlab-Token",
    "X-Slack-Request-Timestamp",
    "X-Slack-Signature",
    "Stripe-Signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "Authorization",
    "X-Signature-Timestamp",
    "X-Signature-Ed25519",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_a_platform_signs_is_accepted(
        scheme in scheme(),
        seed in any::<[u8; 32]>(),
        id in "[a-zA-Z0-9_-]{1,64}",
        offset in 0..=2 * TIME_WINDOW_SECONDS,
        body in vec(any::<u8>(), 0..512),
    ) {
        let platform = Platform::new(scheme, seed);
        let headers = platform.sign(&id, NOW - TIME_WINDOW_SECONDS + offset, &body);
        let verified = ask(&platform.credential(), &headers, &body).unwrap();
        prop_assert_eq!(verified.covered.is_some(), signs(scheme));
        prop_assert_eq!(verified.idempotency, None);
    }

    #[test]
    fn any_changed_byte_is_refused(
        scheme in scheme(),
        seed in any::<[u8; 32]>(),
        body in vec(any::<u8>(), 1..64),
        place in any::<prop::sample::Index>(),
        change in 1..=u8::MAX,
    ) {
        let platform = Platform::new(scheme, seed);
        let mut headers = platform.sign(ID, NOW, &body);
        let mut body = body;
        let mut bytes: Vec<&mut u8> = headers
            .0
            .iter_mut()
            .flat_map(|(name, value)| {
                let free = value.iter().enumerate().map(|(at, _)| case_is_free(scheme, name, at));
                let free: Vec<bool> = free.collect();
                value.iter_mut().zip(free).filter(|(_, free)| !free).map(|(byte, _)| byte)
            })
            .chain(body.iter_mut().filter(|_| signs(scheme)))
            .collect();
        let chosen = place.index(bytes.len());
        *bytes[chosen] ^= change;
        prop_assert!(ask(&platform.credential(), &headers, &body).is_err());
    }

    #[test]
    fn another_secret_is_refused(
        scheme in scheme(),
        one in any::<[u8; 32]>(),
        other in any::<[u8; 32]>(),
        body in vec(any::<u8>(), 0..64),
    ) {
        prop_assume!(one != other);
        let headers = Platform::new(scheme, one).sign(ID, NOW, &body);
        let refused = ask(&Platform::new(scheme, other).credential(), &headers, &body);
        let mismatch = matches!(refused, Err(SignatureError::Mismatch { .. }));
        prop_assert!(mismatch);
    }

    #[test]
    fn arbitrary_headers_neither_panic_nor_pass(
        scheme in scheme(),
        values in vec((select(NAMES.to_vec()), value()), 0..12),
        body in vec(any::<u8>(), 0..64),
        now in any::<u64>(),
    ) {
        let headers = Headers(values.into_iter().map(|(name, value)| (name.into(), value)).collect());
        let signed = Signed { headers: &headers, body: &body, now };
        prop_assert!(platform(scheme).credential().verify(&signed).is_err());
    }

    #[test]
    fn one_arbitrary_value_among_right_headers_neither_panics_nor_passes(
        scheme in scheme(),
        place in any::<prop::sample::Index>(),
        value in value(),
    ) {
        let mut headers = platform(scheme).sign(ID, NOW, BODY);
        let chosen = place.index(headers.0.len());
        prop_assume!(headers.0[chosen].1 != value);
        headers.0[chosen].1 = value;
        prop_assert!(ask(&platform(scheme).credential(), &headers, BODY).is_err());
    }

    #[test]
    fn arbitrary_secrets_never_panic(scheme in scheme(), bytes in vec(any::<u8>(), 1..200)) {
        let _ = Credential::new(scheme, Secret::new(bytes).unwrap());
    }
}
