//! How platforms sign their requests: the other side of every credential scheme.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A scheme of `[adapters.NAME.credentials.CRED]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `X-Hub-Signature-256`.
    Github,
    /// `X-Gitlab-Token`.
    Gitlab,
    /// `X-Slack-Signature`, with a time.
    Slack,
    /// `Stripe-Signature`, with a time.
    Stripe,
    /// Standard Webhooks: `webhook-signature`, with an id and a time.
    Standard,
    /// `Authorization: Bearer`.
    Bearer,
    /// `X-Signature-Ed25519`, with a time.
    Ed25519,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Github, Self::Gitlab, Self::Slack, Self::Stripe, Self::Standard, Self::Bearer, Self::Ed25519];

    /// The word in `config.toml`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Slack => "slack",
            Self::Stripe => "stripe",
            Self::Standard => "standard",
            Self::Bearer => "bearer",
            Self::Ed25519 => "ed25519",
        }
    }

    /// Whether a signature is good for a while only.
    pub fn has_time(self) -> bool {
        matches!(self, Self::Slack | Self::Stripe | Self::Standard | Self::Ed25519)
    }

    /// Whether the signature covers the body; the others show a token.
    pub fn covers_body(self) -> bool {
        !matches!(self, Self::Gitlab | Self::Bearer)
    }
}

/// Headers of a request.
pub type Headers = Vec<(String, String)>;

/// A platform that signs requests with a key of its own.
#[derive(Debug, Clone)]
pub struct Signer {
    /// How it signs.
    pub scheme: Scheme,
    seed: [u8; 32],
}

impl Signer {
    /// A platform; another `seed` is another key.
    pub fn new(scheme: Scheme, seed: u8) -> Self {
        Self { scheme, seed: [seed; 32] }
    }

    /// What the user copies from the platform into the secret.
    pub fn secret(&self) -> String {
        match self.scheme {
            Scheme::Standard => format!("whsec_{}", STANDARD.encode(self.seed)),
            Scheme::Ed25519 => hex::encode(SigningKey::from_bytes(&self.seed).verifying_key().as_bytes()),
            _ => hex::encode(self.seed),
        }
    }

    /// The headers of a request made now.
    pub fn sign(&self, id: &str, body: &[u8]) -> Headers {
        self.sign_at(id, now(), body)
    }

    /// The headers of a request made at that time, in seconds since the Unix epoch.
    pub fn sign_at(&self, id: &str, seconds: u64, body: &[u8]) -> Headers {
        let secret = self.secret();
        let time = seconds.to_string();
        let after = |prefix: &str| [prefix.as_bytes(), body].concat();
        let headers: Vec<(&str, String)> = match self.scheme {
            Scheme::Github => {
                let tag = hex::encode(tag(secret.as_bytes(), body));
                vec![("X-Hub-Signature-256", format!("sha256={tag}"))]
            }
            Scheme::Gitlab => vec![("X-Gitlab-Token", secret)],
            Scheme::Slack => {
                let tag = hex::encode(tag(secret.as_bytes(), &after(&format!("v0:{time}:"))));
                vec![("X-Slack-Request-Timestamp", time), ("X-Slack-Signature", format!("v0={tag}"))]
            }
            Scheme::Stripe => {
                let tag = hex::encode(tag(secret.as_bytes(), &after(&format!("{time}."))));
                vec![("Stripe-Signature", format!("t={time},v1={tag}"))]
            }
            Scheme::Standard => {
                let tag = STANDARD.encode(tag(&self.seed, &after(&format!("{id}.{time}."))));
                vec![
                    ("webhook-id", id.to_owned()),
                    ("webhook-timestamp", time),
                    ("webhook-signature", format!("v1,{tag}")),
                ]
            }
            Scheme::Bearer => vec![("Authorization", format!("Bearer {secret}"))],
            Scheme::Ed25519 => {
                let signature = SigningKey::from_bytes(&self.seed).sign(&after(&time));
                vec![("X-Signature-Timestamp", time), ("X-Signature-Ed25519", hex::encode(signature.to_bytes()))]
            }
        };
        headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Seconds since the Unix epoch.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right").as_secs()
}

fn tag(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
