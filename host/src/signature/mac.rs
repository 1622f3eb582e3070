//! HMAC-SHA256 (RFC 2104, FIPS 180-4).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::Secret;

/// Whether any of `tags` is the HMAC-SHA256 of the concatenated `parts`. All tags are compared, each in
/// constant time, so that time tells neither how much of a tag is right nor which one is.
pub(super) fn any_is_right(secret: &Secret, parts: &[&[u8]], tags: &[[u8; 32]]) -> bool {
    // HMAC takes keys of any length; were that to change, nothing would be believed.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose()) else {
        return false;
    };
    for part in parts {
        mac.update(part);
    }
    let expected = mac.finalize().into_bytes();
    let found = tags.iter().fold(Choice::from(0), |found, tag| found | expected.as_slice().ct_eq(tag.as_slice()));
    found.into()
}
