//! The profiles that are built in: the host's own, vetted descriptions of platforms.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use super::{ManifestError, Platform, check};

/// The texts in `host/profiles/`, by the name that each gives itself.
const TEXTS: [(&str, &str); 3] = [
    ("fakechat", include_str!("../../profiles/fakechat.toml")),
    ("telegram", include_str!("../../profiles/telegram.toml")),
    ("webhook", include_str!("../../profiles/webhook.toml")),
];

type Read = Result<Arc<Platform>, ManifestError>;

static PROFILES: LazyLock<BTreeMap<&str, Read>> =
    LazyLock::new(|| TEXTS.iter().map(|(name, text)| (*name, check::profile(name, text).map(Arc::new))).collect());

/// The profile of that name.
pub(super) fn find(name: &str) -> Read {
    PROFILES.get(name).cloned().unwrap_or_else(|| {
        let known: Vec<&str> = PROFILES.keys().copied().collect();
        Err(ManifestError::UnknownProfile { name: super::plain::excerpt(name, 40), known: known.join(", ") })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn every_profile_loads_and_reads_identity() {
        for (name, _) in TEXTS {
            match find(name) {
                Ok(platform) => assert!(!platform.identities.is_empty(), "{name}"),
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }

    #[test]
    fn an_unknown_profile_names_the_known_ones() {
        let error = find("nothing").map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("fakechat, telegram, webhook"), "{error}");
    }
}
