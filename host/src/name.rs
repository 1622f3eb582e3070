//! Names of adapters, as they appear in manifests, files, routes and attributes.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize};

/// The name of an adapter: `[a-z][a-z0-9-]*`, at most 32 characters. Cheap to clone.
///
/// Because of this shape a name is safe as a path segment, a URL segment and a TOML key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct AdapterName(Arc<str>);

/// Why a text is not an adapter's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an adapter's name: use a lower-case letter, then letters, digits and '-', at most 32")]
pub struct InvalidName(String);

impl AdapterName {
    /// Takes a name as the user or a manifest wrote it.
    ///
    /// # Errors
    /// [`InvalidName`] if it does not have the shape.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let shaped = name.len() <= 32
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if shaped { Ok(Self(name.into())) } else { Err(InvalidName(name.chars().take(40).collect())) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the names of the adapter's own variables begin with: `MY_BOT_` for `my-bot`.
    #[must_use]
    pub fn variable_prefix(&self) -> String {
        format!("{}_", self.0.to_ascii_uppercase().replace('-', "_"))
    }
}

impl fmt::Debug for AdapterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for AdapterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::str::FromStr for AdapterName {
    type Err = InvalidName;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl<'de> Deserialize<'de> for AdapterName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&name).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_safe_everywhere_are_taken() {
        for good in ["a", "fakechat", "my-bot-2", &"x".repeat(32)] {
            assert!(AdapterName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "2a", "A", "a_b", "a/b", "..", "ä", "a b", &"x".repeat(33)] {
            assert!(AdapterName::new(bad).is_err(), "{bad}");
        }
    }
}
