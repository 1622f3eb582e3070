//! The profiles that are built in: the host's own, vetted descriptions of platforms.

use std::sync::{Arc, OnceLock};

use super::{ManifestError, Platform, check};

type Read = Result<Arc<Platform>, ManifestError>;

/// A profile; it is read when it is first asked for, so that nobody waits for those that they do not use.
struct Profile {
    name: &'static str,
    text: &'static str,
    read: OnceLock<Read>,
}

impl Profile {
    const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text, read: OnceLock::new() }
    }
}

/// The texts in `host/profiles/`, by the name that each gives itself.
static PROFILES: [Profile; 3] = [
    Profile::new("fakechat", include_str!("../../profiles/fakechat.toml")),
    Profile::new("telegram", include_str!("../../profiles/telegram.toml")),
    Profile::new("webhook", include_str!("../../profiles/webhook.toml")),
];

/// The profile of that name.
pub(super) fn find(name: &str) -> Read {
    match PROFILES.iter().find(|profile| profile.name == name) {
        Some(profile) => profile.read.get_or_init(|| check::profile(profile.name, profile.text).map(Arc::new)).clone(),
        None => {
            let known: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
            Err(ManifestError::UnknownProfile { name: super::plain::excerpt(name, 40), known: known.join(", ") })
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn every_profile_loads_and_reads_identity() {
        for Profile { name, .. } in &PROFILES {
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
