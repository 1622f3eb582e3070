//! Secrets that the user keeps for an adapter: in the environment, in `secrets/<name>.env`, in the system's keychain.
//!
//! ```text
//! config.toml  credentials.C.secret ── credential ───┐
//! manifest     [secrets.token]      ── of_platform ──┴─ environment, file, keychain ── Secret, Fingerprint
//! ```
//!
//! A variable of the environment is read only where the user named it in `config.toml`, or where it bears the adapter's
//! name: a file that asks for `ANTHROPIC_API_KEY` gets nothing. The keychain is asked only for what
//! `sluicegate secret --keychain` has put there, which the file remembers, so that nothing waits for it without need.
//! No error, log line or `Debug` text carries a value or its length.

mod declared;
mod error;
mod file;
mod keychain;
mod shape;

use std::{fmt, fs, io, io::Read as _, path::Path, path::PathBuf};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub use declared::{bears_name, of_platform, variable};
pub use error::SecretError;
pub use file::EnvFile;
pub use shape::fault;

use crate::{
    config::{CredentialConfig, SecretSource},
    home::Home,
    name::AdapterName,
    signature::{Credential, Secret},
};

/// The longest secret, in bytes.
pub const MAX_BYTES: u64 = 64 * 1024;

/// Tells whether a secret has changed, and nothing else about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// That of a secret.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        Self(Sha256::digest(secret.expose()).into())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(hidden)")
    }
}

/// A secret that is there and fit.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its value.
    pub secret: Secret,
    /// Tells whether it has changed.
    pub fingerprint: Fingerprint,
    /// Where it was found.
    pub from: Where,
}

/// Where a secret was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// This variable of the environment.
    Environment(String),
    /// `secrets/<name>.env`.
    File,
    /// The system's keychain.
    Keychain,
    /// A file that `config.toml` names.
    MappedFile(PathBuf),
}

impl Where {
    /// One word for it, for tables and scripts.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Environment(_) => "environment",
            Self::File => "file",
            Self::Keychain => "keychain",
            Self::MappedFile(_) => "mapped-file",
        }
    }

    /// The place in words: "the environment", "secrets/telegram.env".
    #[must_use]
    pub fn words(&self, adapter: &AdapterName) -> String {
        match self {
            Self::Environment(_) => "the environment".into(),
            Self::File => format!("secrets/{adapter}.env"),
            Self::Keychain => "the keychain".into(),
            Self::MappedFile(path) => path.display().to_string(),
        }
    }
}

/// A value, and where it was found.
pub(crate) type Value = (Zeroizing<Vec<u8>>, Where);

/// The credential that a route's requests are checked with, and what tells whether its secret has changed.
///
/// Blocks for the files, and at most two seconds for the keychain where the secret is kept there.
///
/// # Errors
/// [`SecretError`]; the route then refuses everybody.
pub fn credential(
    home: &Home,
    adapter: &AdapterName,
    config: &CredentialConfig,
) -> Result<(Credential, Fingerprint), SecretError> {
    let mut bytes = match &config.secret {
        SecretSource::Env(variable) => match look(home, adapter, variable)? {
            Some((bytes, _)) => bytes,
            None => {
                return Err(SecretError::Missing {
                    variable: variable.clone(),
                    adapter: adapter.clone(),
                    about: None,
                    in_environment: true,
                    passed_over: false,
                });
            }
        },
        SecretSource::File(path) => mapped_file(&home.root().join(path))?,
    };
    let secret = Secret::from_file_contents(std::mem::take(&mut *bytes))
        .map_err(|error| SecretError::Unfit(error.to_string()))?;
    let fingerprint = Fingerprint::of(&secret);
    let credential = Credential::new(config.scheme, secret).map_err(|error| SecretError::Unfit(error.to_string()))?;
    Ok((credential, fingerprint))
}

/// Where a variable that the user named in `config.toml` would come from now.
///
/// # Errors
/// [`SecretError::Io`] and [`SecretError::Keychain`].
pub fn whence(home: &Home, adapter: &AdapterName, variable: &str) -> Result<Option<Where>, SecretError> {
    Ok(look(home, adapter, variable)?.map(|(_, from)| from))
}

/// A variable that the user named: of the environment, else kept.
fn look(home: &Home, adapter: &AdapterName, variable: &str) -> Result<Option<Value>, SecretError> {
    match environment(variable) {
        Some(bytes) => Ok(Some((bytes, Where::Environment(variable.to_owned())))),
        None => kept(home, adapter, variable),
    }
}

/// A variable that is kept for an adapter, in the file or in the keychain.
///
/// # Errors
/// [`SecretError::Io`] and [`SecretError::Keychain`].
pub(crate) fn kept(home: &Home, adapter: &AdapterName, variable: &str) -> Result<Option<Value>, SecretError> {
    let file = EnvFile::of(home, adapter)?;
    if let Some(value) = file.get(variable) {
        return Ok(Some((Zeroizing::new(value.as_bytes().to_vec()), Where::File)));
    }
    if !file.is_in_keychain(variable) {
        return Ok(None);
    }
    let found = keychain::get(adapter, variable).map_err(|why| unreachable(adapter, variable, why))?;
    Ok(found.filter(|bytes| !bytes.is_empty()).map(|bytes| (bytes, Where::Keychain)))
}

fn unreachable(adapter: &AdapterName, variable: &str, why: String) -> SecretError {
    tracing::debug!(%adapter, variable, "the keychain does not give it: {why}");
    SecretError::Keychain { variable: variable.to_owned(), adapter: adapter.clone(), why }
}

/// A variable of the environment, unless it is empty.
fn environment(variable: &str) -> Option<Zeroizing<Vec<u8>>> {
    let value = std::env::var_os(variable).filter(|value| !value.is_empty())?;
    Some(Zeroizing::new(value.into_encoded_bytes()))
}

/// What a file holds that `config.toml` names.
fn mapped_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let read = || -> io::Result<Zeroizing<Vec<u8>>> {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut bytes = Zeroizing::new(Vec::new());
        fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(io::Error::other("it is too large to be a secret"));
        }
        Ok(bytes)
    };
    read().map_err(|error| SecretError::io(path, error))
}

/// The names of the variables that are kept for an adapter, with their places: [`Where::File`] or [`Where::Keychain`].
///
/// # Errors
/// [`SecretError::Io`].
pub fn names(home: &Home, adapter: &AdapterName) -> Result<Vec<(String, Where)>, SecretError> {
    let file = EnvFile::of(home, adapter)?;
    let mut names: Vec<(String, Where)> = Vec::new();
    for (name, from) in
        file.names().map(|name| (name, Where::File)).chain(file.in_keychain().map(|name| (name, Where::Keychain)))
    {
        if names.iter().all(|(known, _)| known != name) {
            names.push((name.to_owned(), from));
        }
    }
    Ok(names)
}

/// Whether a variable can have that name: capital letters, digits and `_`.
///
/// # Errors
/// [`SecretError::Name`].
pub fn check_name(variable: &str) -> Result<(), SecretError> {
    let shaped = variable.starts_with(|c: char| c.is_ascii_uppercase())
        && variable.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if shaped { Ok(()) } else { Err(SecretError::Name(variable.chars().take(40).collect())) }
}

/// Keeps a secret in `secrets/<name>.env`, or forgets it wherever it is kept (`None`). What was kept in the keychain
/// under that name is taken out of it.
///
/// # Errors
/// [`SecretError`]; where the keychain does not answer, a secret in it cannot be forgotten.
pub fn set(home: &Home, adapter: &AdapterName, variable: &str, value: Option<&str>) -> Result<(), SecretError> {
    check_name(variable)?;
    let mut file = EnvFile::of(home, adapter)?;
    if file.is_in_keychain(variable) {
        let removed = keychain::remove(adapter, variable).map_err(|why| unreachable(adapter, variable, why));
        // A new value stands in the file and comes first; that an old one stays behind it is no reason to fail.
        if value.is_none() {
            removed?;
        } else if let Err(error) = removed {
            tracing::warn!("{error}; what it keeps is not used any more");
        }
        file.mark(variable, false);
    }
    file.set(variable, value)?;
    file.write(home, adapter)
}

/// Keeps a secret in the system's keychain, and takes it out of the file. May ask the user to unlock the keychain.
///
/// # Errors
/// [`SecretError`]; nothing has changed then.
pub fn set_in_keychain(home: &Home, adapter: &AdapterName, variable: &str, value: &str) -> Result<(), SecretError> {
    check_name(variable)?;
    file::check_value(value)?;
    let mut file = EnvFile::of(home, adapter)?;
    keychain::set(adapter, variable, value).map_err(|why| unreachable(adapter, variable, why))?;
    file.set(variable, None)?;
    file.mark(variable, true);
    file.write(home, adapter)
}

/// Forgets all that is kept for an adapter, in the keychain too.
///
/// # Errors
/// [`SecretError`]; the file is then still there.
pub fn forget_all(home: &Home, adapter: &AdapterName) -> Result<(), SecretError> {
    let path = home.secrets(adapter);
    // A file that cannot be read names nothing in the keychain; it goes all the same.
    if let Ok(file) = EnvFile::of(home, adapter) {
        for variable in file.in_keychain() {
            keychain::remove(adapter, variable).map_err(|why| unreachable(adapter, variable, why))?;
        }
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(SecretError::io(&path, error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
