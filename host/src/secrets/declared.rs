//! The secrets that a platform declares: looked for where the user may keep them, and checked before any use.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{
    Fingerprint, Found, SecretError, Value, Where, environment, fault, kept, mapped_file, shape::is_whole_line,
};
use crate::{
    config::SecretSource, gate::visible, home::Home, manifest::SecretItem, name::AdapterName, signature::Secret,
};

/// All secrets that a platform declares, by the names that templates use: each where it is there and fit, or why not.
///
/// Each is looked for in this order: what `mapped` says (`[adapters.NAME.secrets]` of `config.toml`); the variable of
/// the environment, if it bears the adapter's name ([`bears_name`]); `secrets/<name>.env`; the system's keychain, if
/// `sluicegate secret NAME set VARIABLE --keychain` has put it there. The first that is there counts, also where it is
/// unfit. `from_profile` says whose words the summaries are: the host's, or the adapter's.
///
/// Blocks for small files, and for the keychain where it is needed: at most two seconds for all of it, because a
/// keychain that hangs is not asked twice. So async code calls it by `spawn_blocking` and needs no timeout of its own.
#[must_use]
pub fn of_platform(
    home: &Home,
    adapter: &AdapterName,
    items: &BTreeMap<String, SecretItem>,
    from_profile: bool,
    mapped: &BTreeMap<String, SecretSource>,
) -> BTreeMap<String, Result<Found, SecretError>> {
    let outside = Outside { environment: &environment, kept: &|variable| kept(home, adapter, variable) };
    let find = |(name, item): (&String, &SecretItem)| {
        let asked = Asked { name, item, from_profile, mapped: mapped.get(name) };
        (name.clone(), find(home, adapter, &asked, &outside))
    };
    items.iter().map(find).collect()
}

/// The variable that a declared secret is looked for under; none where `config.toml` names a file for it.
#[must_use]
pub fn variable<'a>(name: &str, item: &'a SecretItem, mapped: &'a BTreeMap<String, SecretSource>) -> Option<&'a str> {
    match mapped.get(name) {
        None => Some(&item.env),
        Some(SecretSource::Env(other)) => Some(other),
        Some(SecretSource::File(_)) => None,
    }
}

/// What the variables of Claude Code begin with, which this process inherits: they bear no adapter's name.
const CLAUDES: [&str; 2] = ["ANTHROPIC_", "CLAUDE_"];

/// Whether a variable bears the adapter's name: `MY_BOT_…` for `my-bot`. No other is taken from the environment,
/// unless the user maps it.
#[must_use]
pub fn bears_name(adapter: &AdapterName, variable: &str) -> bool {
    if CLAUDES.iter().any(|claudes| variable.starts_with(claudes)) {
        return false;
    }
    variable.strip_prefix(&adapter.variable_prefix()).is_some_and(|rest| !rest.is_empty())
}

/// What is looked for.
struct Asked<'a> {
    name: &'a str,
    item: &'a SecretItem,
    from_profile: bool,
    mapped: Option<&'a SecretSource>,
}

/// Where is looked.
struct Outside<'a> {
    environment: &'a dyn Fn(&str) -> Option<Zeroizing<Vec<u8>>>,
    kept: &'a dyn Fn(&str) -> Result<Option<Value>, SecretError>,
}

fn find(home: &Home, adapter: &AdapterName, asked: &Asked<'_>, outside: &Outside<'_>) -> Result<Found, SecretError> {
    let item = asked.item;
    let (variable, in_environment) = match asked.mapped {
        None => (item.env.as_str(), bears_name(adapter, &item.env)),
        Some(SecretSource::Env(other)) => (other.as_str(), true),
        Some(SecretSource::File(path)) => {
            let path = home.root().join(path);
            let mut bytes = mapped_file(&path)?;
            // Editors and `echo` leave a line ending.
            if let Some(line) = bytes.strip_suffix(b"\n") {
                let end = line.strip_suffix(b"\r").unwrap_or(line).len();
                bytes.truncate(end);
            }
            return fit(adapter, asked, asked.name, (bytes, Where::MappedFile(path)));
        }
    };
    let from_environment = (outside.environment)(variable);
    let passed_over = from_environment.is_some() && !in_environment;
    let found = match from_environment.filter(|_| in_environment) {
        Some(bytes) => Some((bytes, Where::Environment(variable.to_owned()))),
        None => (outside.kept)(variable)?,
    };
    match found {
        Some(value) => fit(adapter, asked, variable, value),
        None => Err(SecretError::Missing {
            variable: variable.to_owned(),
            adapter: adapter.clone(),
            about: about(adapter, asked),
            in_environment,
            passed_over,
        }),
    }
}

/// The value, if it is what it must be.
fn fit(adapter: &AdapterName, asked: &Asked<'_>, variable: &str, value: Value) -> Result<Found, SecretError> {
    let (mut bytes, from) = value;
    let shape = |why| SecretError::Shape {
        variable: variable.to_owned(),
        adapter: adapter.clone(),
        from: from.clone(),
        why,
        about: about(adapter, asked),
    };
    // A line that was pasted whole names the declared variable, whatever that is mapped to.
    let declared = asked.item.env.as_str();
    let name = if is_whole_line(&bytes, declared) { declared } else { variable };
    if let Some(why) = fault(&bytes, name, asked.item.pattern.as_ref()) {
        return Err(shape(why));
    }
    let secret = Secret::new(std::mem::take(&mut *bytes)).map_err(|error| shape(error.to_string()))?;
    Ok(Found { fingerprint: Fingerprint::of(&secret), secret, from })
}

/// What the secret is. The words of an adapter that brings its own platform are marked as its own: they might ask for
/// a secret of something else.
fn about(adapter: &AdapterName, asked: &Asked<'_>) -> Option<String> {
    let summary = visible(asked.item.summary.as_ref()?, 120);
    Some(if asked.from_profile { summary } else { format!("in {adapter}'s own words: \"{summary}\"") })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::manifest::Pattern;

    const GOOD: &str = "123456:ABCdefGHIjklMNOpqrSTUvwxYZ_0123456789";
    const OTHER: &str = "654321:ABCdefGHIjklMNOpqrSTUvwxYZ_0123456789";

    struct Bench {
        _dir: tempfile::TempDir,
        home: Home,
        adapter: AdapterName,
        item: SecretItem,
        environment: Vec<(&'static str, &'static str)>,
        keychain: Vec<(&'static str, &'static str)>,
        mapped: Option<SecretSource>,
        from_profile: bool,
    }

    impl Bench {
        fn new(adapter: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            Self {
                home: Home::at(dir.path()).unwrap(),
                _dir: dir,
                adapter: AdapterName::new(adapter).unwrap(),
                item: SecretItem {
                    env: "TELEGRAM_BOT_TOKEN".into(),
                    summary: Some("Bot token, from @BotFather".into()),
                    pattern: Some(Pattern::parse(r"\d+:[\w-]{30,}").unwrap()),
                },
                environment: vec![],
                keychain: vec![],
                mapped: None,
                from_profile: true,
            }
        }

        fn find(&self) -> Result<Found, SecretError> {
            let of = |from: &[(&str, &str)], variable: &str| {
                let found = from.iter().find(|(name, _)| *name == variable);
                found.map(|(_, value)| Zeroizing::new(value.as_bytes().to_vec()))
            };
            let asked = Asked {
                name: "token",
                item: &self.item,
                from_profile: self.from_profile,
                mapped: self.mapped.as_ref(),
            };
            let outside = Outside {
                environment: &|variable| of(&self.environment, variable),
                kept: &|variable| match kept(&self.home, &self.adapter, variable)? {
                    Some(value) => Ok(Some(value)),
                    None => Ok(of(&self.keychain, variable).map(|bytes| (bytes, Where::Keychain))),
                },
            };
            find(&self.home, &self.adapter, &asked, &outside)
        }

        fn store(&self, text: &str) {
            std::fs::write(self.home.secrets(&self.adapter), text).unwrap();
        }
    }

    #[test]
    fn the_first_place_that_has_it_counts() {
        let mut bench = Bench::new("telegram");
        assert!(matches!(bench.find(), Err(SecretError::Missing { in_environment: true, passed_over: false, .. })));
        bench.keychain = vec![("TELEGRAM_BOT_TOKEN", GOOD)];
        assert_eq!(bench.find().unwrap().from, Where::Keychain);
        bench.store(&format!("TELEGRAM_BOT_TOKEN={GOOD}\r\n"));
        assert_eq!(bench.find().unwrap().from, Where::File);
        bench.environment = vec![("TELEGRAM_BOT_TOKEN", OTHER)];
        let found = bench.find().unwrap();
        assert_eq!(found.from, Where::Environment("TELEGRAM_BOT_TOKEN".into()));
        assert_eq!(found.secret.expose(), OTHER.as_bytes());
        bench.environment.push(("OTHER", GOOD));
        bench.mapped = Some(SecretSource::Env("OTHER".into()));
        assert_eq!(bench.find().unwrap().from, Where::Environment("OTHER".into()));
        let path = bench.home.root().join("token");
        std::fs::write(&path, format!("{GOOD}\r\n")).unwrap();
        bench.mapped = Some(SecretSource::File("token".into()));
        let found = bench.find().unwrap();
        assert_eq!((found.secret.expose(), found.from), (GOOD.as_bytes(), Where::MappedFile(path)));
    }

    #[test]
    fn only_variables_that_bear_the_adapters_name_are_taken_from_the_environment() {
        for (adapter, variable, taken) in [
            ("telegram", "TELEGRAM_BOT_TOKEN", true),
            ("my-bot", "MY_BOT_TOKEN", true),
            ("bot", "TELEGRAM_BOT_TOKEN", false),
            ("evil", "ANTHROPIC_API_KEY", false),
            ("a", "ANTHROPIC_API_KEY", false),
            ("anthropic", "ANTHROPIC_API_KEY", false),
            ("claude", "CLAUDE_CODE_OAUTH_TOKEN", false),
            ("anthropic-api-key", "ANTHROPIC_API_KEY", false),
            ("telegram", "TELEGRAM_", false),
            ("telegram", "TELEGRAMTOKEN", false),
        ] {
            let mut bench = Bench::new(adapter);
            bench.item.env = variable.into();
            bench.environment = vec![(variable, GOOD)];
            match bench.find() {
                Ok(found) => {
                    assert!(taken && found.from == Where::Environment(variable.into()), "{adapter} {variable}")
                }
                Err(error) => {
                    assert!(!taken && matches!(error, SecretError::Missing { passed_over: true, .. }), "{error}");
                    assert!(error.to_string().contains("does not begin with"), "{error}");
                }
            }
            // What the user maps by hand is theirs to give.
            bench.mapped = Some(SecretSource::Env(variable.into()));
            assert!(bench.find().is_ok(), "{adapter} {variable}");
        }
    }

    #[test]
    fn what_is_unfit_is_used_nowhere_and_told_without_its_value() {
        let mut bench = Bench::new("telegram");
        bench.store(&format!("TELEGRAM_BOT_TOKEN={GOOD}\n"));
        for (value, words) in [
            ("hunter2", "does not look like one"),
            ("\"hunter2\"", "quotes"),
            ("TELEGRAM_BOT_TOKEN=hunter2", "leave out `TELEGRAM_BOT_TOKEN=`"),
            ("hunter2 ", "spaces"),
        ] {
            bench.environment = vec![("TELEGRAM_BOT_TOKEN", value)];
            // That the file has a fit one does not count: the user would not know which one is used.
            let error = bench.find().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(error.to_string().contains(words), "{shown}");
            assert!(shown.contains("TELEGRAM_BOT_TOKEN in the environment") && shown.contains("@BotFather"), "{shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        bench.environment.clear();
        std::fs::write(bench.home.root().join("token"), format!("TELEGRAM_BOT_TOKEN={GOOD}\n")).unwrap();
        bench.mapped = Some(SecretSource::File("token".into()));
        assert!(bench.find().unwrap_err().to_string().contains("the whole line"));
    }

    #[test]
    fn an_adapters_own_words_are_marked() {
        let mut bench = Bench::new("telegram");
        assert!(!bench.find().unwrap_err().to_string().contains("own words"));
        bench.from_profile = false;
        assert!(bench.find().unwrap_err().to_string().contains("in telegram's own words: \"Bot token"));
    }

    #[test]
    fn a_found_secret_shows_nothing_of_itself() {
        let bench = Bench::new("telegram");
        bench.store(&format!("TELEGRAM_BOT_TOKEN={GOOD}\n"));
        let found = bench.find().unwrap();
        assert!(!format!("{found:?}").contains("ABC"));
    }
}
