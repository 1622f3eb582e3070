//! `grants.toml`: what the user allowed, pinned to the digest of the component and to the text of its manifest.
//!
//! Only the command line writes it; no tool that the model can call changes a grant.

use std::{collections::BTreeMap, fs, io, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    home::{Home, write_private},
    name::AdapterName,
    sandbox::Digest,
};

/// One adapter that the user allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grant {
    /// The component; nothing else runs under this name.
    pub digest: Digest,
    /// It comes with Sluicegate itself: then a new version with the same manifest needs no new consent.
    #[serde(default)]
    pub bundled: bool,
    /// The file in `adapters/` that was granted; none for a bundled one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// When, in RFC 3339.
    pub granted: String,
    /// The user has read the identity rules that it brought and trusts them like a profile's.
    #[serde(default)]
    pub vetted: bool,
    /// The manifest, as it was when it was granted.
    pub manifest: String,
}

/// All grants of a home.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grants {
    #[serde(default)]
    adapters: BTreeMap<AdapterName, Grant>,
}

/// Why the grants cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum GrantsError {
    /// The file system failed.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// It is not what Sluicegate wrote. Nothing runs until it is mended.
    #[error("{}: {message}; mend it, or delete it and allow the adapters again", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl Grants {
    /// The grants of a home; none if there is no file.
    ///
    /// # Errors
    /// [`GrantsError`]: a broken file grants nothing.
    pub fn load(home: &Home) -> Result<Self, GrantsError> {
        let path = home.grants();
        match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .map_err(|error| GrantsError::Invalid { path, message: error.to_string().trim().to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(GrantsError::Io { path, error }),
        }
    }

    /// Changes the grants under a lock, so that two commands do not lose each other's change.
    ///
    /// # Errors
    /// [`GrantsError`].
    pub fn update<T>(home: &Home, change: impl FnOnce(&mut Self) -> T) -> Result<T, GrantsError> {
        let path = home.grants();
        let failed = |error| GrantsError::Io { path: path.clone(), error };
        let mut private = fs::OpenOptions::new();
        private.write(true).create(true).truncate(true).mode(0o600);
        let lock = private.open(home.root().join("grants.lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut grants = Self::load(home)?;
        let result = change(&mut grants);
        let text = toml::to_string(&grants)
            .map_err(|error| GrantsError::Invalid { path: path.clone(), message: error.to_string() })?;
        let head = "# What you allowed. Written by `sluicegate allow` and `sluicegate revoke`.\n\n";
        write_private(&path, format!("{head}{text}").as_bytes()).map_err(failed)?;
        Ok(result)
    }

    /// The grant of that name.
    #[must_use]
    pub fn get(&self, name: &AdapterName) -> Option<&Grant> {
        self.adapters.get(name)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&AdapterName, &Grant)> {
        self.adapters.iter()
    }

    /// Grants, in place of what was granted under that name.
    pub fn insert(&mut self, name: AdapterName, grant: Grant) -> Option<Grant> {
        self.adapters.insert(name, grant)
    }

    /// Takes a grant back.
    pub fn remove(&mut self, name: &AdapterName) -> Option<Grant> {
        self.adapters.remove(name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn grants_survive_writing_and_a_broken_file_grants_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let name = AdapterName::new("chat").unwrap();
        let grant = Grant {
            digest: Digest::of(b"x"),
            bundled: false,
            file: Some("chat.wasm".into()),
            granted: "2026-11-21T12:00:00Z".into(),
            vetted: true,
            manifest: "name = \"chat\"\nhint = '''a\nb'''\n".into(),
        };
        Grants::update(&home, |grants| grants.insert(name.clone(), grant.clone())).unwrap();
        assert_eq!(Grants::load(&home).unwrap().get(&name), Some(&grant));
        fs::write(home.grants(), "adapters = 3").unwrap();
        assert!(matches!(Grants::load(&home), Err(GrantsError::Invalid { .. })));
        assert!(Grants::update(&home, |_| ()).is_err(), "a broken file is never written over");
    }
}
