//! `config.toml`: what the user sets. Strict, and careful never to show a secret that stands there by mistake.

use std::{collections::BTreeMap, fs, io, net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Deserializer, de};

use crate::{
    home::Home,
    limits::{LimitOverrides, Limits},
    manifest::Burst,
    name::AdapterName,
    relay::Policy,
};

/// The settings of a home.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where the listener of all routes is bound.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Host names under which routes (never pages) may be reached from outside, for tunnels and proxies.
    #[serde(default)]
    pub public_hosts: Vec<String>,
    /// What an acknowledged event survives.
    #[serde(default)]
    pub durability: Durability,
    /// Messages that may wait for Claude before sources are told to come back later.
    #[serde(default = "default_max_unwritten")]
    pub max_unwritten: u64,
    /// Days that messages are kept after Claude got them.
    #[serde(default = "default_keep_days")]
    pub keep_days: u32,
    /// Directories that files may leave from; relative ones are under the session's directory.
    #[serde(default = "default_roots")]
    pub file_roots: Vec<PathBuf>,
    /// Whether an instance may serve more than one call; off, every call gets a fresh one.
    #[serde(default = "yes")]
    pub reuse_instances: bool,
    /// Which of Claude Code's permission requests are relayed; or what is wrong in `[permissions]`, with its place and the
    /// mend: then none is, and everything else counts.
    #[serde(default = "no_permissions", deserialize_with = "read_with_places")]
    pub permissions: Result<Policy, String>,
    /// Limits of all adapters.
    #[serde(default)]
    limits: LimitOverrides,
    /// Settings of each adapter.
    #[serde(default)]
    adapters: BTreeMap<AdapterName, AdapterConfig>,
}

/// The settings of one adapter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdapterConfig {
    /// Who may post to its routes, by name.
    #[serde(default)]
    pub credentials: BTreeMap<String, CredentialConfig>,
    /// Values for what its manifest lets the user set.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// What of one sender's messages is shown together, where its platform brings bursts; 0 ms: nothing.
    pub burst: Option<Burst>,
    /// Where secrets that its manifest declares are kept, by their names there, if not under their own variables.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
    /// Its own limits.
    #[serde(default)]
    limits: LimitOverrides,
}

/// One credential of an adapter's routes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialConfig {
    /// How requests are signed.
    pub scheme: crate::signature::Scheme,
    /// Where the secret (for `ed25519` the public key) is kept.
    pub secret: SecretSource,
}

/// Where a secret is kept: never in the configuration itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A variable of the environment, else of `secrets/<name>.env`.
    Env(String),
    /// A file.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const MEND: &str = "write { env = \"NAME\" } or { file = \"PATH\" }";
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = SecretSource;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(MEND)
            }
            fn visit_str<E: de::Error>(self, _: &str) -> Result<SecretSource, E> {
                Err(E::custom(format!("a secret must not stand in config.toml; {MEND}")))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
                let source = match map.next_entry::<String, String>()? {
                    Some((key, name)) if key == "env" => SecretSource::Env(name),
                    Some((key, path)) if key == "file" => SecretSource::File(path.into()),
                    _ => return Err(de::Error::custom(MEND)),
                };
                match map.next_key::<String>()? {
                    None => Ok(source),
                    Some(_) => Err(de::Error::custom(MEND)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What an acknowledged event survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The end of any process, also by `kill -9`.
    #[default]
    Process,
    /// The loss of power as well.
    Power,
}

/// Why `config.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// It says something that is not understood. The line itself is not shown: it might hold a secret.
    #[error("{}, line {line}, column {column}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong and how to mend it.
        message: String,
    },
}

impl Config {
    /// Reads the home's `config.toml`; a missing one gives the defaults.
    ///
    /// # Errors
    /// [`ConfigError`], naming the line.
    pub fn load(home: &Home) -> Result<Self, ConfigError> {
        let path = home.config();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ConfigError::Io { path, error }),
        };
        let invalid = |at: usize, message: &str| {
            let (line, column) = position(&text, at);
            ConfigError::Invalid { path: path.clone(), line, column, message: message.trim().to_owned() }
        };
        let misread = |error: toml::de::Error| invalid(error.span().map_or(0, |span| span.start), error.message());
        let mut document = toml::de::DeTable::parse(&text).map_err(misread)?;
        // Whatever stands there, the rest counts.
        document.get_mut().remove(Policy::TABLE);
        let config = Self::deserialize(toml::Deserializer::from(document)).map_err(misread)?;
        let permissions = Policy::read(&text).map_err(|fault| invalid(fault.at, &fault.message).to_string());
        Ok(Self { permissions, ..config })
    }

    /// The settings of one adapter.
    #[must_use]
    pub fn adapter(&self, name: &AdapterName) -> AdapterConfig {
        self.adapters.get(name).cloned().unwrap_or_default()
    }

    /// The adapters that have settings.
    pub fn adapters(&self) -> impl Iterator<Item = &AdapterName> {
        self.adapters.keys()
    }

    /// The limits of one adapter: its own over those for all over the defaults.
    #[must_use]
    pub fn limits(&self, name: &AdapterName) -> Limits {
        let all = self.limits.over(&Limits::default());
        self.adapters.get(name).map_or(all.clone(), |own| own.limits.over(&all))
    }
}

/// The line and the column, both from 1 and the column in characters, of a byte of the file.
pub(crate) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at)];
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
    (before.matches('\n').count() + 1, column + 1)
}

fn no_permissions() -> Result<Policy, String> {
    Ok(Policy::default())
}

/// Places are known to [`Config::load`] alone, which puts what it reads in the place of this.
fn read_with_places<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Result<Policy, String>, D::Error> {
    de::IgnoredAny::deserialize(deserializer)?;
    Ok(Err("it has not been read".into()))
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8788))
}
fn default_max_unwritten() -> u64 {
    100_000
}
fn default_keep_days() -> u32 {
    30
}
fn default_roots() -> Vec<PathBuf> {
    vec![".".into()]
}
fn yes() -> bool {
    true
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        fs::write(home.config(), text).unwrap();
        Config::load(&home)
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let config = load("").unwrap();
        assert_eq!(config.listen, default_listen());
        assert_eq!(config.durability, Durability::Process);
        assert_eq!(config.limits(&AdapterName::new("x").unwrap()), Limits::default());
    }

    #[test]
    fn an_adapters_limits_stand_over_those_for_all() {
        let config = load("[limits]\ncpu-ms = 7\nframes = 9\n[adapters.x.limits]\ncpu-ms = 8\n").unwrap();
        let limits = config.limits(&AdapterName::new("x").unwrap());
        assert_eq!((limits.cpu_ms, limits.frames), (8, 9));
    }

    #[test]
    fn a_literal_secret_is_refused_with_the_mend_and_not_repeated() {
        let text = "[adapters.webhook.credentials.ci]\nscheme = \"github\"\nsecret = \"hunter2\"\n";
        let error = load(text).unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
        assert!(error.contains("{ env = \"NAME\" }"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_declared_secret_can_be_kept_elsewhere_but_not_here() {
        let config = load("[adapters.telegram.secrets]\ntoken = { env = \"OTHER\" }\n").unwrap();
        let settings = config.adapter(&AdapterName::new("telegram").unwrap());
        assert_eq!(settings.secrets["token"], SecretSource::Env("OTHER".into()));
        let error = load("[adapters.telegram.secrets]\ntoken = \"1:hunter2\"\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("{ file = \"PATH\" }"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn permissions_that_are_wrong_stop_the_relay_alone_and_are_told_with_their_place() {
        let config = load("keep-days = 7\n[permissions]\nnever = [\"Bash(hunter2)\"]\n[limits]\nframes = 9\n").unwrap();
        assert_eq!(config.keep_days, 7);
        let why = config.permissions.clone().unwrap_err();
        assert!(why.contains("config.toml, line 3, column 10: ") && !why.contains("hunter2"), "{why}");
        for wrong in [
            "permissions = 1",
            "permissions = []",
            "permissions = 99999999999999999999",
            "[[permissions]]",
            "[permissions]\nx = 1",
            "[permissions]\nexpiry-minutes = 99999999999999999999",
            "[permissions]\nquiet = 1e999",
            "permissions.x = 1",
        ] {
            assert!(load(wrong).unwrap().permissions.is_err(), "{wrong}");
        }
        for broken in [
            "[permissions]\nnever = [",
            "[permissions]\n[permissions]",
            "[permission]",
            "[permissions]\nquiet = 1\n[x]",
        ] {
            assert!(load(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn permissions_that_are_right_say_what_is_relayed() {
        assert_eq!(load("").unwrap().permissions, Ok(Policy::default()));
        let config = load("[permissions]\nnever = [\"Write\"]\ntwo-approvers = [\"Bash\"]\n").unwrap();
        assert_eq!(config.permissions.unwrap().two_approvers().collect::<Vec<_>>(), ["Bash"]);
        let unread: Config = toml::from_str("[permissions]\n").unwrap();
        assert!(unread.permissions.is_err(), "what has not been read allows nothing");
    }

    #[test]
    fn unknown_keys_are_errors_that_name_the_line() {
        for (text, line) in
            [("lisen = 1", "line 1"), ("\n[limits]\nmemory = 1", "line 3"), ("[adapters.x]\ny=1", "line 2")]
        {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains(line), "{text}: {error}");
        }
    }
}
