//! What tests need: headers that can be anything, and the platforms' side of each scheme.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Credential, HeaderLookup, Occurrence, Scheme, Secret};

/// Headers with any bytes as their values, also such as no HTTP library lets pass.
#[derive(Debug, Clone)]
pub(super) struct Headers(pub(super) Vec<(String, Vec<u8>)>);

impl Headers {
    pub(super) fn new(headers: &[(&str, &str)]) -> Self {
        let owned = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Self(owned.collect())
    }
}

impl HeaderLookup for Headers {
    fn header(&self, name: &'static str) -> Occurrence<'_> {
        let of_name = self.0.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        Occurrence::of(of_name.map(|(_, value)| value.as_slice()))
    }
}

pub(super) fn credential(scheme: Scheme, secret: &str) -> Credential {
    Credential::new(scheme, Secret::new(secret.into()).unwrap()).unwrap()
}

/// A platform that signs requests.
pub(super) struct Platform {
    scheme: Scheme,
    seed: [u8; 32],
}

impl Platform {
    pub(super) const fn new(scheme: Scheme, seed: [u8; 32]) -> Self {
        Self { scheme, seed }
    }

    /// What the user copies from the platform.
    pub(super) fn secret(&self) -> String {
        match self.scheme {
            Scheme::Standard => format!("whsec_{}", STANDARD.encode(self.seed)),
            Scheme::Ed25519 => hex::encode(SigningKey::from_bytes(&self.seed).verifying_key().as_bytes()),
            _ => hex::encode(self.seed),
        }
    }

    pub(super) fn credential(&self) -> Credential {
        credential(self.scheme, &self.secret())
    }

    /// The headers of a request, and only those on which its acceptance depends.
    pub(super) fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> Headers {
        let secret = self.secret();
        let time = seconds.to_string();
        let after = |prefix: &str| [prefix.as_bytes(), body].concat();
        match self.scheme {
            Scheme::Github => {
                let value = format!("sha256={}", hex::encode(tag(secret.as_bytes(), body)));
                Headers::new(&[("X-Hub-Signature-256", &value)])
            }
            Scheme::Gitlab => Headers::new(&[("X-Gitlab-Token", &secret)]),
            Scheme::Slack => {
                let tag = tag(secret.as_bytes(), &after(&format!("v0:{time}:")));
                let value = format!("v0={}", hex::encode(tag));
                Headers::new(&[("X-Slack-Request-Timestamp", &time), ("X-Slack-Signature", &value)])
            }
            Scheme::Stripe => {
                let tag = tag(secret.as_bytes(), &after(&format!("{time}.")));
                let value = format!("t={time},v1={}", hex::encode(tag));
                Headers::new(&[("Stripe-Signature", &value)])
            }
            Scheme::Standard => {
                let tag = tag(&self.seed, &after(&format!("{id}.{time}.")));
                let value = format!("v1,{}", STANDARD.encode(tag));
                Headers::new(&[("webhook-id", id), ("webhook-timestamp", &time), ("webhook-signature", &value)])
            }
            Scheme::Bearer => Headers::new(&[("Authorization", &format!("Bearer {secret}"))]),
            Scheme::Ed25519 => {
                let signature = SigningKey::from_bytes(&self.seed).sign(&after(&time));
                let value = hex::encode(signature.to_bytes());
                Headers::new(&[("X-Signature-Timestamp", &time), ("X-Signature-Ed25519", &value)])
            }
        }
    }
}

fn tag(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
