//! Secrets that the user keeps for an adapter: `secrets/<name>.env`, and the environment before it.

use std::{fs, io, path::Path};

use sha2::{Digest as _, Sha256};

use crate::{
    config::{CredentialConfig, SecretSource},
    home::{Home, write_private},
    name::AdapterName,
    signature::{Credential, Secret},
};

/// Why a secret is not there. Never carries a value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Neither the environment nor the file has it.
    #[error("{variable} is not set: run `sluicegate secret {adapter} set {variable}`, or put it into the environment")]
    Missing {
        /// The variable.
        variable: String,
        /// Whose secret it is.
        adapter: AdapterName,
    },
    /// The file cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// What happened.
        error: io::Error,
    },
    /// It is not what the scheme needs.
    #[error("{0}")]
    Unfit(String),
    /// A name that no variable can have.
    #[error("{0:?} is no name of a variable: use capital letters, digits and '_'")]
    Name(String),
    /// A value that a line cannot hold.
    #[error("a secret is one line and not empty")]
    Value,
}

/// Tells whether a secret has changed, and nothing else about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint(hidden)")
    }
}

/// The credential that a route's requests are checked with, and what tells whether its secret has changed.
///
/// # Errors
/// [`SecretError`]; the route then refuses everybody.
pub fn credential(
    home: &Home,
    adapter: &AdapterName,
    config: &CredentialConfig,
) -> Result<(Credential, Fingerprint), SecretError> {
    let bytes = match &config.secret {
        SecretSource::Env(variable) => match std::env::var(variable).ok().filter(|value| !value.is_empty()) {
            Some(value) => value.into_bytes(),
            None => stored(home, adapter, variable)?
                .ok_or_else(|| SecretError::Missing { variable: variable.clone(), adapter: adapter.clone() })?
                .into_bytes(),
        },
        SecretSource::File(path) => {
            let path = home.root().join(path);
            fs::read(&path).map_err(|error| SecretError::Io { path: path.display().to_string(), error })?
        }
    };
    let secret = Secret::from_file_contents(bytes).map_err(|error| SecretError::Unfit(error.to_string()))?;
    let fingerprint = Fingerprint(Sha256::digest(secret.expose()).into());
    let credential = Credential::new(config.scheme, secret).map_err(|error| SecretError::Unfit(error.to_string()))?;
    Ok((credential, fingerprint))
}

/// A variable of `secrets/<name>.env`. Lines are `NAME=value`, as the official plugins write them.
fn stored(home: &Home, adapter: &AdapterName, variable: &str) -> Result<Option<String>, SecretError> {
    let text = read(&home.secrets(adapter))?;
    Ok(lines(&text).find(|(name, _)| *name == variable).map(|(_, value)| value.to_owned()))
}

/// The names of the variables that are kept for an adapter.
///
/// # Errors
/// [`SecretError::Io`].
pub fn names(home: &Home, adapter: &AdapterName) -> Result<Vec<String>, SecretError> {
    let text = read(&home.secrets(adapter))?;
    Ok(lines(&text).map(|(name, _)| name.to_owned()).collect())
}

/// Keeps a secret, or forgets it (`None`).
///
/// # Errors
/// [`SecretError`].
pub fn set(home: &Home, adapter: &AdapterName, variable: &str, value: Option<&str>) -> Result<(), SecretError> {
    let shaped = variable.starts_with(|c: char| c.is_ascii_uppercase())
        && variable.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if !shaped {
        return Err(SecretError::Name(variable.chars().take(40).collect()));
    }
    if value.is_some_and(|value| value.is_empty() || value.chars().any(char::is_control)) {
        return Err(SecretError::Value);
    }
    let path = home.secrets(adapter);
    let before = read(&path)?;
    let kept = lines(&before).filter(|(name, _)| *name != variable);
    let mut text: String = kept.map(|(name, value)| format!("{name}={value}\n")).collect();
    if let Some(value) = value {
        text.push_str(&format!("{variable}={value}\n"));
    }
    write_private(&path, text.as_bytes()).map_err(|error| SecretError::Io { path: path.display().to_string(), error })
}

fn read(path: &Path) -> Result<String, SecretError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(SecretError::Io { path: path.display().to_string(), error }),
    }
}

fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .filter(|(name, value)| !name.starts_with('#') && !name.is_empty() && !value.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_kept_for_the_user_alone_and_replaced() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let name = AdapterName::new("webhook").unwrap();
        set(&home, &name, "A_KEY", Some("one = 1 # no comment")).unwrap();
        set(&home, &name, "B_KEY", Some("two")).unwrap();
        set(&home, &name, "A_KEY", Some("three")).unwrap();
        assert_eq!(stored(&home, &name, "A_KEY").unwrap().as_deref(), Some("three"));
        assert_eq!(names(&home, &name).unwrap(), ["B_KEY", "A_KEY"]);
        assert_eq!(fs::metadata(home.secrets(&name)).unwrap().mode() & 0o777, 0o600);
        set(&home, &name, "A_KEY", None).unwrap();
        assert_eq!(stored(&home, &name, "A_KEY").unwrap(), None);
        for bad in ["a", "A B", "", "A=B"] {
            assert!(set(&home, &name, bad, Some("x")).is_err(), "{bad}");
        }
        assert!(set(&home, &name, "A", Some("x\ny")).is_err());
    }
}
