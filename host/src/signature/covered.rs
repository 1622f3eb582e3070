//! The name of an event by what its signature covers.

use sha2::{Digest, Sha256};

use super::Scheme;

/// SHA-256 over the scheme and the parts, each after its length: two different lists of parts never run
/// together into the same input.
pub(super) fn digest(scheme: Scheme, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [b"sluicegate covered", scheme.name().as_bytes()].iter().chain(parts) {
        // A length of memory fits in 64 bits on every platform.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_number_and_borders_of_parts_all_count() {
        let digests = [
            digest(Scheme::Github, &[b"ab"]),
            digest(Scheme::Slack, &[b"ab"]),
            digest(Scheme::Github, &[b"a", b"b"]),
            digest(Scheme::Github, &[b"", b"ab"]),
            digest(Scheme::Github, &[]),
            digest(Scheme::Github, &[b""]),
        ];
        for (index, one) in digests.iter().enumerate() {
            assert!(digests.iter().skip(index + 1).all(|other| other != one), "{index}");
        }
    }

    #[test]
    fn the_digest_stays_what_earlier_versions_wrote_into_the_journal() {
        assert_eq!(
            hex::encode(digest(Scheme::Github, &[b"Hello, World!"])),
            "b5feebdeb264fb2255c30b87d1821ef25f7b47b0e62c870d0fad56b1cd96eda3"
        );
    }
}
