//! Tokens that are shown, not signed with.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{CredentialError, Scheme, Secret};

/// The SHA-256 of the expected token. Digests have one length, so that comparing them tells nothing about
/// the token's.
pub(super) struct Token(Zeroizing<[u8; 32]>);

impl Token {
    /// Keeps the secret's digest, once it is clear that a header can carry the secret: printable ASCII,
    /// with spaces only inside and only if the scheme has them.
    pub(super) fn new(scheme: Scheme, secret: &Secret, spaces: bool) -> Result<Self, CredentialError> {
        let token = secret.expose();
        let printable = token.iter().all(|byte| byte.is_ascii_graphic() || (spaces && *byte == b' '));
        if !printable || token.first() == Some(&b' ') || token.last() == Some(&b' ') {
            return Err(CredentialError::TokenForm { scheme });
        }
        Ok(Self(Zeroizing::new(Sha256::digest(token).into())))
    }

    /// Whether this is the token, in a time that depends only on the length of `shown`.
    pub(super) fn is(&self, shown: &[u8]) -> bool {
        Sha256::digest(shown).as_slice().ct_eq(self.0.as_slice()).into()
    }
}
