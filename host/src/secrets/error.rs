//! Why a secret is not there.

use std::{io, path::Path};

use super::Where;
use crate::{gate::visible, name::AdapterName};

/// Why a secret is not there. Never carries a value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It is nowhere.
    #[error("{}", missing(variable, adapter, about.as_deref(), *in_environment, *passed_over))]
    Missing {
        /// The variable.
        variable: String,
        /// Whose secret it is.
        adapter: AdapterName,
        /// What it is, in visible characters.
        about: Option<String>,
        /// The environment was looked at too.
        in_environment: bool,
        /// The environment has the variable, but it does not bear the adapter's name.
        passed_over: bool,
    },
    /// It is there, and is not what it must be. It is used nowhere.
    #[error(
        "{variable} in {} is not fit: {why}.{}",
        from.words(adapter),
        about.as_ref().map_or_else(String::new, |about| format!(" What it is: {about}."))
    )]
    Shape {
        /// The variable, or the secret's name where a file is mapped.
        variable: String,
        /// Whose secret it is.
        adapter: AdapterName,
        /// Where it was found.
        from: Where,
        /// What is wrong with it.
        why: String,
        /// What it is, in visible characters.
        about: Option<String>,
    },
    /// The keychain does not answer, where the secret is kept or was to be kept.
    #[error(
        "the system's keychain does not answer for {variable} ({why}): unlock it, or keep the secret in a file that \
         only you can read: sluicegate secret {adapter} set {variable}"
    )]
    Keychain {
        /// The variable.
        variable: String,
        /// Whose secret it is.
        adapter: AdapterName,
        /// What the keychain said.
        why: String,
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
    /// A value that the file's format cannot hold.
    #[error(
        "a secret that begins with a quote or has spaces around it, and has both kinds of quotes, cannot stand in \
         secrets/NAME.env: keep it in a file of its own, and name that in config.toml with {{ file = \"PATH\" }}"
    )]
    Quotes,
}

impl SecretError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.display().to_string(), error }
    }
}

fn missing(
    variable: &str,
    adapter: &AdapterName,
    about: Option<&str>,
    in_environment: bool,
    passed_over: bool,
) -> String {
    let variable = visible(variable, 100);
    let mut text = format!("{variable} is not set");
    if let Some(about) = about {
        text += &format!(" ({about})");
    }
    text += &format!(": run `sluicegate secret {adapter} set {variable}`");
    if in_environment {
        text += ", or put it into the environment";
    }
    if passed_over {
        text += &format!(
            ". The environment has a variable of that name, but {adapter} is not given it, because it does not begin with \
             {}",
            adapter.variable_prefix()
        );
    }
    text
}
