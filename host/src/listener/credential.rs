//! Who vouches for a request, and how its event is called.

use std::io;

use hyper::HeaderMap;
use sha2::{Digest, Sha256};

use super::{denial::Denial, intake::PAGE, table::Mounted};
use crate::{
    clock::now_ms,
    home::random_hex,
    manifest::{self, PathMatch, Route},
    name::AdapterName,
    signature::{Credential, Signed, Verified},
};

/// Finds who vouches for the request. An unknown credential and a wrong signature get the same answer.
pub(super) fn authenticate(
    mounted: &Mounted,
    matched: &PathMatch,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Verified, String), Denial> {
    let name = matched.credential.as_deref().unwrap_or_default();
    let shown = || name.chars().filter(|c| manifest::is_plain(*c)).take(64).collect();
    let credential: &Credential = mounted.credentials.get(name).ok_or_else(|| Denial::UnknownCredential(shown()))?;
    let now = u64::try_from(now_ms() / 1000).unwrap_or_default();
    let verified = credential
        .verify(&Signed { headers, body, now })
        .map_err(|error| Denial::Signature { credential: name.to_owned(), error })?;
    Ok((verified, name.to_owned()))
}

/// The same where the body is not there yet. A scheme that signs bodies proves nothing about such a request.
pub(super) fn unsigned(
    mounted: &Mounted,
    matched: &PathMatch,
    is_page: bool,
    headers: &HeaderMap,
) -> Result<(Option<Verified>, String), Denial> {
    if is_page {
        return Ok((None, PAGE.to_owned()));
    }
    let (verified, credential) = authenticate(mounted, matched, headers, b"")?;
    if verified.covered.is_some() {
        return Err(Denial::Unsigned(credential));
    }
    Ok((Some(verified), credential))
}

/// The event's id for `$signed`. Names that holders of credentials give are kept apart by credential, so that none
/// can use up another's.
pub(super) fn event_id(verified: Option<&Verified>, credential: &str) -> Result<String, Denial> {
    match verified {
        Some(Verified { covered: Some(covered), .. }) => Ok(hex::encode(covered)),
        Some(Verified { idempotency: Some(name), .. }) => Ok(format!("{credential}/{name}")),
        _ => fresh_id().map_err(|_| Denial::Failed),
    }
}

/// An id that no event has had.
pub(super) fn fresh_id() -> io::Result<String> {
    random_hex::<16>()
}

/// What is the same for a delivery and its repetition.
pub(super) fn once(adapter: &AdapterName, route: &Route, covered: &[u8; 32]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in [b"sluicegate once", adapter.as_str().as_bytes(), route.name.as_bytes(), covered] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut once = [0; 16];
    once.copy_from_slice(&digest[..16]);
    once
}
