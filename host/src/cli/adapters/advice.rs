//! What an allowed adapter still needs from the user before it can work.

use crate::{
    config::{AdapterConfig, Config},
    home::Home,
    manifest::{Contract, RouteAuth},
    name::AdapterName,
    secrets,
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
    advice.extend(wrong_settings(home, name, &settings, contract));
    advice
}

fn no_credential(home: &Home, name: &AdapterName) -> Advice {
    let variable = format!("{}_SECRET", name.as_str().to_ascii_uppercase().replace('-', "_"));
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
    use super::*;
    use crate::adapters::Said;

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
}
