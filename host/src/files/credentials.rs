//! Files that hold credentials, told by their names. They never leave, whatever Claude was talked into. What names
//! do not tell, the contents may.

use std::path::{Component, Path};

/// Directories of credentials, wherever they stand.
const DIRECTORIES: [&str; 13] = [
    ".ssh",
    ".aws",
    ".gnupg",
    ".kube",
    ".docker",
    ".azure",
    ".gcloud",
    "gcloud",
    ".password-store",
    ".1password",
    "keychains",
    "keyrings",
    ".terraform.d",
];

/// Whole names of files.
const NAMES: [&str; 46] = [
    ".envrc",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".pnpmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pypirc",
    ".git-credentials",
    ".gitconfig",
    ".htpasswd",
    ".pgpass",
    ".my.cnf",
    ".s3cfg",
    ".boto",
    ".dockercfg",
    ".vault-token",
    ".terraformrc",
    ".claude.json",
    ".credentials.json",
    ".authinfo",
    ".mcp.json",
    "credentials",
    "credentials.json",
    "credentials.toml",
    "credentials.yml",
    "credentials.yaml",
    "credentials.yml.enc",
    "secrets.json",
    "secrets.toml",
    "secrets.yml",
    "secrets.yaml",
    "token.json",
    "tokens.json",
    "application_default_credentials.json",
    "hosts.yml",
    "shadow",
    "gshadow",
    "wallet.dat",
    "cookies",
    "cookies.sqlite",
    "login data",
    "logins.json",
    "key4.db",
    "access_tokens.db",
    "terraform.tfstate",
];

/// What names of files begin with.
const BEGINNINGS: [&str; 9] = [
    ".env.",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "client_secret",
    "service-account",
    "service_account",
    "ssh_host_",
];

/// What names of files end with.
const ENDINGS: [&str; 21] = [
    ".env",
    ".pem",
    ".key",
    ".p8",
    ".p12",
    ".pfx",
    ".pkcs12",
    ".jks",
    ".keystore",
    ".keytab",
    ".kdb",
    ".kdbx",
    ".ppk",
    ".ovpn",
    ".agekey",
    ".keychain",
    ".keychain-db",
    ".tfvars",
    ".mobileprovision",
    ".secret",
    ".credentials",
];

/// Names that look like credentials and are made to be shared.
const SHARED: [&str; 4] = [".env.example", ".env.sample", ".env.template", ".env.dist"];

/// The part of the path by which the file must be taken for one that holds credentials.
pub(super) fn telltale(path: &Path) -> Option<String> {
    let parts: Vec<String> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().to_lowercase()),
            _ => None,
        })
        .collect();
    let (file, directories) = parts.split_last()?;
    if let Some(found) = parts.iter().find(|part| DIRECTORIES.contains(&part.as_str())) {
        return Some(found.clone());
    }
    let in_git = file == "config" && directories.last().is_some_and(|dir| dir == ".git" || dir.ends_with(".git"));
    (in_git || is_credential(file)).then(|| file.clone())
}

fn is_credential(name: &str) -> bool {
    // Copies that editors and people make hold the same.
    let name = name.trim_end_matches(['~', ' ']);
    let name = [".bak", ".old", ".orig", ".save", ".swp", ".copy", ".txt"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    if SHARED.contains(&name) {
        return false;
    }
    NAMES.contains(&name)
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_credentials_are_told_by_their_names_in_any_case() {
        for path in [
            ".env",
            "app/.env",
            ".env.local",
            ".ENV",
            "prod.env",
            ".env~",
            ".env.bak",
            "server.pem",
            "tls.KEY",
            "id_rsa",
            "id_rsa.pub",
            "id_ed25519_work",
            ".netrc",
            ".npmrc",
            "/home/me/.aws/config",
            ".aws",
            "/home/me/.ssh/known_hosts",
            ".SSH/config",
            ".git-credentials",
            "vault.kdbx",
            "credentials.json",
            "/home/me/.config/gcloud/x.db",
            "project/.git/config",
            "client_secret_1.json",
            "terraform.tfstate",
        ] {
            assert!(telltale(Path::new(path)).is_some(), "{path}");
        }
    }

    #[test]
    fn other_files_are_not_mistaken_for_them() {
        for path in [
            "notes.txt",
            "src/config",
            "environment.md",
            "key.rs",
            "keys/readme.md",
            ".env.example",
            "monkey.png",
            "token.rs",
            "a/.git/HEAD",
            "credentials.md",
        ] {
            assert_eq!(telltale(Path::new(path)), None, "{path}");
        }
    }
}
