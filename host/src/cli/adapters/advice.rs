//! What an allowed adapter still needs from the user before it can work.

use crate::{
    config::{AdapterConfig, Config},
    gate::visible,
    home::Home,
    manifest::{Contract, RouteAuth},
    name::AdapterName,
    secrets::{self, SecretError, Where},
};

/// Something that is missing, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Advice {
    /// What is missing.
    pub(in crate::cli) problem: String,
    /// What to do; may have several lines.
    pub(in crate::cli) mend: String,
    /// Nothing of the adapter works without it.
    pub(in crate::cli) serious: bool,
}

/// What an allowed adapter still needs.
pub(in crate::cli) fn advice(home: &Home, config: &Config, contract: &Contract) -> Vec<Advice> {
    let name = &contract.manifest.name;
    let settings = config.adapter(name);
    let mut advice = Vec::new();
    let takes_credentials = contract.platform.routes.iter().any(|route| route.auth == RouteAuth::Credential);
    if takes_credentials && settings.credentials.is_empty() {
        advice.push(no_credential(home, name));
    }
    if !takes_credentials && !settings.credentials.is_empty() {
        advice.push(Advice {
            problem: format!("{name} has credentials in config.toml, but none of its routes takes one."),
            mend: format!("Take [adapters.{name}.credentials] out of {}.", home.config().display()),
            serious: false,
        });
    }
    for (credential, source) in &settings.credentials {
        if let Err(error) = secrets::credential(home, name, source) {
            advice.push(Advice {
                problem: format!(
                    "The credential {credential:?} of {name} cannot be used, and its requests are refused."
                ),
                mend: error.to_string(),
                serious: true,
            });
        }
    }
    advice.extend(declared_secrets(home, name, &settings, contract));
    advice.extend(wrong_settings(home, name, &settings, contract));
    advice
}

/// Secrets that its platform needs and that are missing or unfit: each with the one command that sets it.
fn declared_secrets(home: &Home, name: &AdapterName, settings: &AdapterConfig, contract: &Contract) -> Vec<Advice> {
    let items = &contract.platform.secrets;
    let set = |variable: &str| format!("sluicegate secret {name} set {}", visible(variable, 100));
    let mut advice = Vec::new();
    for (key, found) in secrets::of_platform(home, name, items, contract.from_profile, &settings.secrets) {
        let Err(error) = found else { continue };
        let (problem, mend) = match &error {
            SecretError::Missing { variable, about, passed_over, .. } => {
                let about = about.as_ref().map_or_else(String::new, |about| format!(" ({about})"));
                let passed_over = if *passed_over {
                    ". The environment has one, which it is not given, because it does not bear the adapter's name"
                } else {
                    ""
                };
                (format!("{name} has no {}{about}{passed_over}.", visible(variable, 100)), set(variable))
            }
            SecretError::Shape { from, variable, .. } => {
                let mend = match from {
                    Where::File | Where::Keychain => set(variable),
                    // What is set elsewhere comes first, so that setting it here would not help.
                    Where::Environment(variable) => format!("Correct {variable} where it is set, or unset it there."),
                    Where::MappedFile(path) => format!("Write the right one into {}.", path.display()),
                };
                (error.to_string(), mend)
            }
            SecretError::Keychain { variable, why, .. } => (
                format!("{variable} of {name} is in the system's keychain, which does not answer ({why})."),
                format!("Unlock it, or keep the secret in a file that only you can read:\n{}", set(variable)),
            ),
            error => (
                format!("The secret {key:?} of {name} cannot be read: {error}"),
                format!("Make it readable, or change [adapters.{name}.secrets] in {}.", home.config().display()),
            ),
        };
        advice.push(Advice { problem, mend, serious: true });
    }
    for key in settings.secrets.keys().filter(|key| !items.contains_key(*key)) {
        advice.push(Advice {
            problem: format!(
                "config.toml says where the secret {key:?} of {name} is, but {name} takes none of that name."
            ),
            mend: format!("Take {key:?} out of [adapters.{name}.secrets] in {}.", home.config().display()),
            serious: false,
        });
    }
    advice
}

fn no_credential(home: &Home, name: &AdapterName) -> Advice {
    let variable = format!("{}SECRET", name.variable_prefix());
    Advice {
        problem: format!("Nobody can post to {name} yet: it has no credential."),
        mend: format!(
            "Name one in {}, for example for GitHub:\n\n  \
             [adapters.{name}.credentials.ci]\n  \
             scheme = \"github\"    # or gitlab, slack, stripe, standard, bearer, ed25519\n  \
             secret = {{ env = \"{variable}\" }}\n\n\
             then keep its secret: sluicegate secret {name} set {variable}",
            home.config().display()
        ),
        serious: false,
    }
}

/// Settings that the manifest does not know or does not take, and those that it needs.
fn wrong_settings(home: &Home, name: &AdapterName, settings: &AdapterConfig, contract: &Contract) -> Vec<Advice> {
    let file = home.config();
    let file = file.display();
    let mut advice = Vec::new();
    for (key, value) in &settings.config {
        let (problem, mend) = match contract.platform.config.get(key) {
            None => (
                format!("config.toml sets {key:?} for {name}, which it does not know; it does not run."),
                format!("Take {key:?} out of [adapters.{name}.config] in {file}."),
            ),
            Some(item) if !item.takes(value) => (
                format!("The setting {key:?} of {name} has a value that it does not take; it does not run."),
                format!(
                    "Correct it in [adapters.{name}.config] in {file}; `sluicegate inspect {name}` says what it is."
                ),
            ),
            Some(_) => continue,
        };
        advice.push(Advice { problem, mend, serious: true });
    }
    for (key, item) in &contract.platform.config {
        if item.default.is_none() && !settings.config.contains_key(key) {
            advice.push(Advice {
                problem: format!("{name} needs the setting {key:?}."),
                mend: format!("Write it into {file}:\n\n  [adapters.{name}.config]\n  {key} = \"…\""),
                serious: true,
            });
        }
    }
    advice
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        adapters::Said,
        manifest::{Pattern, Platform, SecretItem},
    };

    const MANIFEST: &str = "name = \"my-hook\"\nversion = \"1\"\nsummary = \"Takes posts\"\n\
        [config.room]\n[config.tone]\ndefault = \"calm\"\npattern = \"calm|loud\"\n\
        [[route]]\nname = \"post\"\npath = \"/{credential}\"\nmethods = [\"POST\"]\nauth = \"credential\"\nbody = \"json\"\n\
        [[identity]]\nname = \"post\"\nsource = \"post\"\nkind = \"message\"\nevent = \"/id\"\nsender = \"$credential\"\n\
        conversation = \"$credential\"\ndirect = { const = true }\n";

    #[test]
    fn what_is_missing_is_named_with_its_mend() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let said = Said::parse(MANIFEST.into()).unwrap();
        let credential = "[adapters.my-hook.credentials.ci]\nscheme = \"bearer\"\nsecret = { env = \"SG_NOT_SET\" }\n";
        let settings = |text: &str| format!("[adapters.my-hook.config]\n{text}\n{credential}");
        for (config, expected) in [
            (String::new(), vec!["MY_HOOK_SECRET", "room = "]),
            (settings("room = \"x\""), vec!["sluicegate secret my-hook set SG_NOT_SET"]),
            (settings("room = \"x\"\ntone = \"shrill\""), vec!["SG_NOT_SET", "Correct it"]),
            (settings("room = \"x\"\nrom = \"y\""), vec!["SG_NOT_SET", "Take \"rom\" out"]),
        ] {
            let advice = advice(&home, &toml::from_str(&config).unwrap(), &said.contract);
            assert_eq!(advice.len(), expected.len(), "{config}: {advice:?}");
            for (advice, words) in advice.iter().zip(expected) {
                assert!(advice.mend.contains(words), "{config}: {advice:?}");
            }
        }
        secrets::set(&home, &said.contract.manifest.name, "SG_NOT_SET", Some(&"x".repeat(40))).unwrap();
        let config = toml::from_str(&settings("room = \"x\"")).unwrap();
        assert_eq!(advice(&home, &config, &said.contract), []);
    }

    #[test]
    fn secrets_that_are_missing_or_unfit_are_named_with_the_command_that_sets_them() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let name = AdapterName::new("sg-test").unwrap();
        let said = Said::parse("name = \"sg-test\"\nversion = \"1\"\nsummary = \"x\"\n".into()).unwrap();
        let mut contract = (*said.contract).clone();
        let item = SecretItem {
            env: "SG_TEST_TOKEN".into(),
            summary: Some("Token, from the office".into()),
            pattern: Some(Pattern::parse("[a-z]{8}").unwrap()),
        };
        contract.from_profile = true;
        contract.platform = Arc::new(Platform {
            secrets: std::iter::once(("token".to_owned(), item)).collect(),
            ..Platform::default()
        });
        let advised = |config: &str| {
            let advice = declared_secrets(&home, &name, &toml::from_str(config).unwrap(), &contract);
            advice.into_iter().map(|advice| (advice.problem, advice.mend)).collect::<Vec<_>>()
        };
        let set = "sluicegate secret sg-test set SG_TEST_TOKEN";
        let missing = advised("");
        assert!(
            missing[0].0.contains("no SG_TEST_TOKEN (Token, from the office)") && missing[0].1 == set,
            "{missing:?}"
        );
        secrets::set(&home, &name, "SG_TEST_TOKEN", Some("HUNTER22")).unwrap();
        let unfit = advised("");
        assert!(
            unfit[0].0.contains("SG_TEST_TOKEN in secrets/sg-test.env is not fit") && unfit[0].1 == set,
            "{unfit:?}"
        );
        assert!(!format!("{unfit:?}").contains("HUNTER22"));
        secrets::set(&home, &name, "SG_TEST_TOKEN", Some("abcdefgh")).unwrap();
        assert_eq!(advised(""), []);
        let mapped = advised("[secrets]\ntoken = { file = \"nowhere\" }\nother = { env = \"X\" }");
        assert!(mapped[0].0.contains("cannot be read") && mapped[1].0.contains("takes none"), "{mapped:?}");
    }
}
