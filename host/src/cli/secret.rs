//! `sluicegate secret`: which secrets an adapter needs and has, and keeping them. They come from standard input or a
//! prompt, never from an argument, and are shown nowhere.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _, Read},
};

use anyhow::{Context as _, bail};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{
    adapters::{reload, settings},
    arguments::SecretChange,
    declared::declared,
    screen::{self, BAD, Cell, DIM, GOOD, Table, WAITS, note, say, visible},
};
use crate::{
    config::{AdapterConfig, SecretSource},
    grants::Grants,
    home::Home,
    manifest::SecretItem,
    name::AdapterName,
    secrets::{self, SecretError, Where},
};

/// The longest reason that a line shows, in characters.
const REASON: usize = 600;

/// Runs the command.
pub(super) fn run(home: &Home, name: &AdapterName, change: Option<&SecretChange>, json: bool) -> anyhow::Result<i32> {
    match change {
        None => show(home, name, json)?,
        Some(SecretChange::List { json: also }) => show(home, name, json || *also)?,
        Some(_) if json => bail!("--json shows secrets; it does not go with a change"),
        Some(SecretChange::Remove { key }) => remove(home, name, key)?,
        Some(SecretChange::Set { key, keychain }) => set(home, name, key, *keychain)?,
    }
    Ok(0)
}

/// What `secret NAME --json` prints.
#[derive(Debug, Serialize)]
struct Shown {
    adapter: AdapterName,
    /// Whether the adapter is allowed.
    allowed: bool,
    secrets: Vec<Row>,
}

/// One secret that an adapter needs or has. Never its value.
#[derive(Debug, Serialize)]
struct Row {
    /// The variable; none where `config.toml` names a file.
    variable: Option<String>,
    /// Its name in the manifest, if it is declared there.
    secret: Option<String>,
    /// What it is.
    what: Option<String>,
    state: State,
    /// `environment`, `file`, `keychain` or `mapped-file`.
    from: Option<&'static str>,
    /// What is wrong, and how to mend it.
    problem: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is there and fit.
    Set,
    /// It is needed and nowhere.
    Missing,
    /// It is there and cannot be used.
    Unfit,
    /// It is kept, and nothing takes it.
    Unused,
}

impl Row {
    fn of(variable: Option<&str>, what: Option<String>, found: Result<Where, SecretError>) -> Self {
        let (state, from, problem) = match found {
            Ok(from) => (State::Set, Some(from.word()), None),
            Err(error) => {
                let (state, from) = match &error {
                    SecretError::Missing { .. } => (State::Missing, None),
                    SecretError::Shape { from, .. } => (State::Unfit, Some(from.word())),
                    SecretError::Keychain { .. } => (State::Unfit, Some(Where::Keychain.word())),
                    _ => (State::Unfit, None),
                };
                (state, from, Some(error.to_string()))
            }
        };
        Self { variable: variable.map(str::to_owned), secret: None, what, state, from, problem }
    }
}

fn show(home: &Home, name: &AdapterName, json: bool) -> anyhow::Result<()> {
    let allowed = Grants::load(home)?.get(name).is_some();
    let secrets = rows(home, name, &settings(home)?.adapter(name))?;
    if json {
        return screen::json(&Shown { adapter: name.clone(), allowed, secrets });
    }
    if !allowed {
        note!("No adapter {name} is allowed yet; this is for when one is.");
    }
    if secrets.is_empty() {
        say!("{name} needs no secret that is known, and none is kept for it.")?;
        return Ok(());
    }
    let mut table = Table::new(&["SECRET", "STATE", "FROM", "WHAT"]);
    for row in &secrets {
        let (style, word) = match row.state {
            State::Set => (GOOD, "set"),
            State::Missing => (WAITS, "missing"),
            State::Unfit => (BAD, "unfit"),
            State::Unused => (DIM, "unused"),
        };
        table.row([
            visible(row.variable.as_ref().or(row.secret.as_ref()).map_or("", String::as_str), 100).into(),
            Cell::new(style, word),
            row.from.unwrap_or("-").into(),
            row.what.clone().unwrap_or_default().into(),
        ]);
    }
    say!("{table}")?;
    for problem in secrets.iter().filter_map(|row| row.problem.as_deref()) {
        say!("\n{}", screen::reason(problem, REASON))?;
    }
    Ok(())
}

/// What the adapter's platform declares, what its credentials name, and what else is kept.
fn rows(home: &Home, name: &AdapterName, settings: &AdapterConfig) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    if let Some(declared) = declared(home, name) {
        let items = &declared.platform.secrets;
        for (key, found) in secrets::of_platform(home, name, items, declared.from_profile, &settings.secrets) {
            let Some(item) = items.get(&key) else { continue };
            let what = item.summary.as_ref().map(|what| match declared.from_profile {
                true => visible(what, 120),
                false => format!("in its own words: {}", visible(what, 120)),
            });
            let variable = secrets::variable(&key, item, &settings.secrets);
            rows.push(Row { secret: Some(key.clone()), ..Row::of(variable, what, found.map(|found| found.from)) });
        }
    }
    for (credential, config) in &settings.credentials {
        let what = Some(format!("the secret of the credential {}", visible(credential, 60)));
        let (variable, from) = match &config.secret {
            SecretSource::Env(variable) => (Some(variable.as_str()), secrets::whence(home, name, variable)),
            SecretSource::File(path) => (None, Ok(Some(Where::MappedFile(home.root().join(path))))),
        };
        let found = secrets::credential(home, name, config)
            .and(from)
            .and_then(|from| from.ok_or_else(|| SecretError::Unfit("it has gone just now".into())));
        let name = variable.is_none().then(|| credential.clone());
        rows.push(Row { secret: name, ..Row::of(variable, what, found) });
    }
    for (variable, from) in secrets::names(home, name)? {
        if rows.iter().all(|row| row.variable.as_deref() != Some(&variable)) {
            let row = Row::of(Some(&variable), Some("nothing takes it".into()), Ok(from));
            rows.push(Row { state: State::Unused, ..row });
        }
    }
    Ok(rows)
}

fn remove(home: &Home, name: &AdapterName, key: &str) -> anyhow::Result<()> {
    if secrets::names(home, name)?.iter().all(|(kept, _)| kept != key) {
        bail!("no secret {} is kept for {name}", visible(key, 100));
    }
    secrets::set(home, name, key, None)?;
    reload(home);
    say!("{key} is forgotten.")?;
    if is_in_environment(key) {
        note!("The environment still has {key}.");
    }
    Ok(())
}

fn set(home: &Home, name: &AdapterName, key: &str, keychain: bool) -> anyhow::Result<()> {
    // A name that cannot be one is refused before the secret is asked for.
    secrets::check_name(key)?;
    let settings = settings(home)?.adapter(name);
    let declared = declared(home, name);
    let no_items = BTreeMap::new();
    let items = declared.as_ref().map_or(&no_items, |declared| &declared.platform.secrets);
    let item = items.iter().find(|(secret, item)| secrets::variable(secret, item, &settings.secrets) == Some(key));
    let value = ask(key)?;
    if let Some((_, item)) = item {
        check(&value, key, item)?;
    }
    if keychain {
        secrets::set_in_keychain(home, name, key, &value).with_context(|| format!("{key} was not kept"))?;
        say!("{key} is kept for {name}, in the system's keychain.")?;
    } else {
        secrets::set(home, name, key, Some(&value))?;
        say!("{key} is kept for {name}.")?;
    }
    let named = settings.credentials.values().any(|of| of.secret == SecretSource::Env(key.to_owned()))
        || settings.secrets.values().any(|source| *source == SecretSource::Env(key.to_owned()));
    if is_in_environment(key) && (named || (item.is_some() && secrets::bears_name(name, key))) {
        note!("The environment has {key} too, and comes first where it is set.");
    }
    if item.is_none() && !named {
        unused(name, key, items, &settings);
    }
    reload(home);
    Ok(())
}

/// Says that nothing takes that variable, and what would.
fn unused(name: &AdapterName, key: &str, items: &BTreeMap<String, SecretItem>, settings: &AdapterConfig) {
    if let Some((secret, _)) = items.iter().find(|(_, item)| item.env == key) {
        note!("It is not used: config.toml says under [adapters.{name}.secrets] that {secret} is elsewhere.");
        return;
    }
    let needed: Vec<&str> =
        items.iter().filter_map(|(secret, item)| secrets::variable(secret, item, &settings.secrets)).collect();
    if needed.is_empty() {
        note!(
            "Nothing in config.toml names it yet: a credential of [adapters.{name}.credentials] does, with secret = \
             {{ env = \"{key}\" }}."
        );
    } else {
        note!("It is not used: {name} needs {}.", visible(&needed.join(", "), 300));
    }
}

/// A value that is not what its platform gives out is refused before it is kept.
fn check(value: &str, key: &str, item: &SecretItem) -> anyhow::Result<()> {
    if let Some(why) = secrets::fault(value.as_bytes(), key, item.pattern.as_ref()) {
        let what =
            item.summary.as_ref().map_or_else(String::new, |what| format!(" What it is: {}.", visible(what, 120)));
        bail!("{key} was not kept: {why}.{what}");
    }
    Ok(())
}

fn is_in_environment(key: &str) -> bool {
    std::env::var_os(key).is_some_and(|value| !value.is_empty())
}

fn ask(key: &str) -> anyhow::Result<Zeroizing<String>> {
    if !io::stdin().is_terminal() {
        return piped(io::stdin().lock());
    }
    let prompt = format!("{key} (it is not shown): ");
    Ok(Zeroizing::new(rpassword::prompt_password(prompt).context("the terminal cannot be read")?))
}

/// A secret from a pipe, without the newline that most programs put at the end.
fn piped(input: impl Read) -> anyhow::Result<Zeroizing<String>> {
    let max = secrets::MAX_BYTES;
    let mut value = Zeroizing::new(String::new());
    input.take(max + 1).read_to_string(&mut value).context("standard input is not text")?;
    if value.len() as u64 > max {
        bail!("a secret has at most {max} bytes");
    }
    let trimmed = value.strip_suffix('\n').map_or(value.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Zeroizing::new(trimmed.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::manifest::Pattern;

    #[test]
    fn one_newline_at_the_end_is_not_part_of_a_piped_secret() {
        for (input, secret) in
            [("abc", "abc"), ("abc\n", "abc"), ("abc\r\n", "abc"), ("abc\n\n", "abc\n"), (" a b ", " a b "), ("", "")]
        {
            assert_eq!(*piped(input.as_bytes()).unwrap(), secret, "{input:?}");
        }
        assert!(piped(&[0xff][..]).is_err());
        assert!(piped(&vec![b'x'; 64 * 1024 + 1][..]).is_err());
    }

    #[test]
    fn a_secret_of_the_wrong_shape_is_refused_with_what_it_is_and_not_repeated() {
        let item = SecretItem {
            env: "CHAT_TOKEN".into(),
            summary: Some("Token, from the office".into()),
            pattern: Some(Pattern::parse("[a-z]{8}").unwrap()),
        };
        assert!(check("abcdefgh", "CHAT_TOKEN", &item).is_ok());
        let error = check("HUNTER22", "CHAT_TOKEN", &item).unwrap_err().to_string();
        assert!(error.contains("was not kept") && error.contains("Token, from the office"), "{error}");
        assert!(!error.contains("HUNTER22"), "{error}");
    }

    #[test]
    fn what_is_needed_and_what_is_kept_is_listed() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let name = AdapterName::new("sg-test").unwrap();
        secrets::set(&home, &name, "SG_TEST_KEPT", Some("x")).unwrap();
        let settings = toml::from_str(
            "[credentials.ci]\nscheme = \"bearer\"\nsecret = { env = \"SG_TEST_CI\" }\n\
             [credentials.filed]\nscheme = \"bearer\"\nsecret = { file = \"nowhere\" }",
        );
        let rows = rows(&home, &name, &settings.unwrap()).unwrap();
        let shown: Vec<_> = rows.iter().map(|row| (row.variable.as_deref(), row.state, row.from)).collect();
        assert_eq!(
            shown,
            [
                (Some("SG_TEST_CI"), State::Missing, None),
                (None, State::Unfit, None),
                (Some("SG_TEST_KEPT"), State::Unused, Some("file")),
            ]
        );
    }
}
