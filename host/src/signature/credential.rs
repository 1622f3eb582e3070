//! A scheme and its secret, checked once and then asked for every request.

use std::fmt;

use ed25519_dalek::VerifyingKey;

use super::token::Token;
use super::{Scheme, Secret, SignatureError, Signed, Verified};
use super::{bearer, ed25519, github, gitlab, slack, standard, stripe};

/// What a route's requests are checked against. It exists only with a secret of the form that its scheme
/// needs.
pub struct Credential(Key);

/// The secret in the form in which its scheme computes.
enum Key {
    Github(Secret),
    Gitlab(Token),
    Slack(Secret),
    Stripe(Secret),
    Standard(Secret),
    Bearer(Token),
    Ed25519(Box<VerifyingKey>),
}

/// A secret that its scheme cannot use. The value is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// No header can carry the token.
    #[error(
        "a {scheme} token must be printable ASCII without {}: choose another token and set it at both ends",
        if *.scheme == Scheme::Bearer { "spaces" } else { "spaces around it" }
    )]
    TokenForm {
        /// The scheme that carries tokens in a header.
        scheme: Scheme,
    },
    /// Not base64, or nothing after the prefix.
    #[error(
        "a Standard Webhooks secret must be base64, with or without whsec_ before it: copy it from the platform again"
    )]
    StandardForm,
    /// A key of the asymmetric variant of Standard Webhooks.
    #[error(
        "this is a whpk_ or whsk_ key of asymmetric Standard Webhooks, which are not supported: \
         choose symmetric signing at the platform and copy its whsec_ secret"
    )]
    StandardAsymmetric,
    /// Not 64 hexadecimal digits.
    #[error("an Ed25519 public key must be 64 hexadecimal digits: copy it from the platform again")]
    Ed25519Form,
    /// 32 bytes that are no public key, or one for which signatures prove nothing.
    #[error("these 64 digits are not a usable Ed25519 public key: copy it from the platform again")]
    Ed25519Key,
}

impl Credential {
    /// Checks the secret's form and keeps it in the form that the scheme computes with.
    ///
    /// `standard` takes base64 with or without `whsec_`; `ed25519` takes the public key as 64 hexadecimal
    /// digits; the tokens of `gitlab` and `bearer` must fit into a header; the others take any bytes.
    ///
    /// # Errors
    /// [`CredentialError`] says what is wrong with the form, and never the value.
    pub fn new(scheme: Scheme, secret: Secret) -> Result<Self, CredentialError> {
        Ok(Self(match scheme {
            Scheme::Github => Key::Github(secret),
            Scheme::Gitlab => Key::Gitlab(gitlab::key(&secret)?),
            Scheme::Slack => Key::Slack(secret),
            Scheme::Stripe => Key::Stripe(secret),
            Scheme::Standard => Key::Standard(standard::key(&secret)?),
            Scheme::Bearer => Key::Bearer(bearer::key(&secret)?),
            Scheme::Ed25519 => Key::Ed25519(Box::new(ed25519::key(&secret)?)),
        }))
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        match self.0 {
            Key::Github(_) => Scheme::Github,
            Key::Gitlab(_) => Scheme::Gitlab,
            Key::Slack(_) => Scheme::Slack,
            Key::Stripe(_) => Scheme::Stripe,
            Key::Standard(_) => Scheme::Standard,
            Key::Bearer(_) => Scheme::Bearer,
            Key::Ed25519(_) => Scheme::Ed25519,
        }
    }

    /// Decides whether the request is from whoever holds the secret, and names its event.
    ///
    /// # Errors
    /// [`SignatureError`] for everything that is not exactly as the scheme prescribes; then nothing in the
    /// request may be used.
    pub fn verify(&self, signed: &Signed<'_>) -> Result<Verified, SignatureError> {
        match &self.0 {
            Key::Github(secret) => github::verify(secret, signed),
            Key::Gitlab(token) => gitlab::verify(token, signed),
            Key::Slack(secret) => slack::verify(secret, signed),
            Key::Stripe(secret) => stripe::verify(secret, signed),
            Key::Standard(secret) => standard::verify(secret, signed),
            Key::Bearer(token) => bearer::verify(token, signed),
            Key::Ed25519(key) => ed25519::verify(key, signed),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credential").field("scheme", &self.scheme()).finish_non_exhaustive()
    }
}
