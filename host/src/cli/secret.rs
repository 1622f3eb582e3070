//! `sluicegate secret`: secrets come from standard input or a prompt, never from an argument.

use std::io::{self, IsTerminal as _, Read};

use anyhow::{Context as _, bail};
use zeroize::Zeroizing;

use super::{
    adapters::reload,
    arguments::SecretChange,
    screen::{note, say},
};
use crate::{
    config::{Config, SecretSource},
    home::Home,
    name::AdapterName,
    secrets,
};

/// The longest secret, in bytes.
const MAX: u64 = 64 * 1024;

/// Runs the command.
pub(super) fn run(home: &Home, name: &AdapterName, change: &SecretChange) -> anyhow::Result<i32> {
    match change {
        SecretChange::List => {
            for variable in secrets::names(home, name)? {
                say!("{variable}")?;
            }
        }
        SecretChange::Remove { key } => {
            if !secrets::names(home, name)?.contains(key) {
                bail!("no secret {key} is kept for {name}");
            }
            secrets::set(home, name, key, None)?;
            reload(home);
            say!("{key} is forgotten.")?;
        }
        SecretChange::Set { key } => {
            // A name that cannot be one is refused before the secret is asked for.
            if !secrets::names(home, name)?.contains(key) {
                secrets::set(home, name, key, None)?;
            }
            let value = if io::stdin().is_terminal() {
                let prompt = format!("{key} (it is not shown): ");
                Zeroizing::new(rpassword::prompt_password(prompt).context("the terminal cannot be read")?)
            } else {
                piped(io::stdin().lock())?
            };
            secrets::set(home, name, key, Some(&value))?;
            say!("{key} is kept for {name}.")?;
            if std::env::var_os(key).is_some_and(|value| !value.is_empty()) {
                note!("The environment has {key} too, and comes first where it is set.");
            }
            if !is_named(home, name, key) {
                note!(
                    "Nothing in config.toml names it yet: a credential of [adapters.{name}.credentials] does, with \
                     secret = {{ env = \"{key}\" }}."
                );
            }
            reload(home);
        }
    }
    Ok(0)
}

/// Whether a credential of that adapter is kept under that variable. Settings that cannot be read name nothing.
fn is_named(home: &Home, name: &AdapterName, key: &str) -> bool {
    Config::load(home).is_ok_and(|config| {
        config
            .adapter(name)
            .credentials
            .values()
            .any(|credential| credential.secret == SecretSource::Env(key.to_owned()))
    })
}

/// A secret from a pipe, without the newline that most programs put at the end.
fn piped(input: impl Read) -> anyhow::Result<Zeroizing<String>> {
    let mut value = Zeroizing::new(String::new());
    input.take(MAX + 1).read_to_string(&mut value).context("standard input is not text")?;
    if value.len() as u64 > MAX {
        bail!("a secret has at most {MAX} bytes");
    }
    let trimmed = value.strip_suffix('\n').map_or(value.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Zeroizing::new(trimmed.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn one_newline_at_the_end_is_not_part_of_a_piped_secret() {
        for (input, secret) in
            [("abc", "abc"), ("abc\n", "abc"), ("abc\r\n", "abc"), ("abc\n\n", "abc\n"), (" a b ", " a b "), ("", "")]
        {
            assert_eq!(*piped(input.as_bytes()).unwrap(), secret, "{input:?}");
        }
        assert!(piped(&[0xff][..]).is_err());
        assert!(piped(&vec![b'x'; MAX as usize + 1][..]).is_err());
    }
}
