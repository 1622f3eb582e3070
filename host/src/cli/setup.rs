//! `sluicegate setup`: the entry in the project's `.mcp.json`, and the command that starts Claude Code with it.

use std::{
    fmt,
    fs::{self, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

use super::screen::{DIM, GOOD, note, paint, say};
use crate::{
    home::{HOME_VARIABLE, Home},
    name::AdapterName,
};

/// Where Claude Code looks for a project's servers.
pub(super) const FILE: &str = ".mcp.json";

/// Runs the command.
pub(super) fn run(home: &Home, name: &str, write: bool, only: &[AdapterName]) -> anyhow::Result<i32> {
    let shaped = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !shaped {
        bail!("{name:?} cannot be a server's name: use letters, digits, '-' and '_', at most 64");
    }
    let program = std::env::current_exe().context("this program's own path is not known")?;
    let program = program.to_str().context("this program's own path is not text, so .mcp.json cannot name it")?;
    let ours = Server {
        program,
        only,
        // Claude Code may be started where the variable is not set.
        home: std::env::var_os(HOME_VARIABLE).filter(|value| !value.is_empty()).map(|_| home.root().to_owned()),
    };
    if write {
        let path = Path::new(FILE);
        let before = match fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).context(FILE),
        };
        let after = merge(before.as_deref(), name, &ours)?;
        if before.as_deref() == Some(&*after) {
            say!("{FILE} has the server {name:?} already.")?;
        } else {
            replace(path, &after).context(FILE)?;
            say!("{} the server {name:?} to {FILE} in this directory.", paint(GOOD, "Added"))?;
        }
    } else {
        say!("{}", paint(DIM, format!("# {FILE} in the project's directory (sluicegate setup --write writes it):")))?;
        say!("{}", merge(None, name, &ours)?.trim_end())?;
    }
    say!("\n{}", paint(DIM, "# Start Claude Code with the channel:"))?;
    say!("claude --dangerously-load-development-channels server:{name}")?;
    if program.contains("/target/debug/") {
        note!("\nThis is a debug build; `cargo build --release` makes one that starts and runs much faster.");
    }
    Ok(0)
}

/// What the entry says.
struct Server<'a> {
    program: &'a str,
    only: &'a [AdapterName],
    home: Option<PathBuf>,
}

impl Server<'_> {
    /// The entry's members; those of an entry that is there stay, unless they are these.
    fn entry(&self, before: Option<&RawValue>) -> anyhow::Result<Members> {
        let mut entry = match before {
            Some(before) => serde_json::from_str::<Members>(before.get())
                .ok()
                .with_context(|| format!("the server's entry in {FILE} is not an object: mend or remove it"))?,
            None => Members::default(),
        };
        let mut args = vec!["serve"];
        for name in self.only {
            args.extend(["--only", name.as_str()]);
        }
        entry.set("command", to_raw_value(self.program)?);
        entry.set("args", to_raw_value(&args)?);
        if let Some(home) = &self.home {
            let home = home.to_str().context("the home's path is not text, so .mcp.json cannot name it")?;
            let mut env = match entry.get("env") {
                Some(env) => serde_json::from_str::<Members>(env.get())
                    .with_context(|| format!("env in {FILE} is not an object: mend or remove it"))?,
                None => Members::default(),
            };
            env.set(HOME_VARIABLE, to_raw_value(home)?);
            entry.set("env", RawValue::from_string(env.written(6))?);
        }
        Ok(entry)
    }
}

/// The text of `.mcp.json` with our server in it. Everything else stays as it is, in its order and its writing.
fn merge(before: Option<&str>, name: &str, ours: &Server<'_>) -> anyhow::Result<String> {
    let not_ours = "it is left as it is; mend it, or add the entry that `sluicegate setup` prints by hand";
    let before = before.filter(|text| !text.trim().is_empty()).unwrap_or("{}");
    let mut file: Members =
        serde_json::from_str(before).with_context(|| format!("{FILE} is not a JSON object; {not_ours}"))?;
    let mut servers = match file.get("mcpServers") {
        Some(servers) => serde_json::from_str::<Members>(servers.get())
            .with_context(|| format!("mcpServers in {FILE} is not an object; {not_ours}"))?,
        None => Members::default(),
    };
    let entry = ours.entry(servers.get(name))?;
    servers.set(name, RawValue::from_string(entry.written(4))?);
    file.set("mcpServers", RawValue::from_string(servers.written(2))?);
    Ok(file.written(0) + "\n")
}

/// The members of a JSON object, each value in its own writing.
#[derive(Default)]
struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    fn get(&self, key: &str) -> Option<&RawValue> {
        // Of several members of one name readers take the last.
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| &**value)
    }

    fn set(&mut self, key: &str, value: Box<RawValue>) {
        let at = self.0.iter().position(|(name, _)| name == key);
        self.0.retain(|(name, _)| name != key);
        self.0.insert(at.unwrap_or(self.0.len()).min(self.0.len()), (key.to_owned(), value));
    }

    /// One member a line, two spaces deeper than `indent`.
    fn written(&self, indent: usize) -> String {
        if self.0.is_empty() {
            return "{}".into();
        }
        let members: Vec<String> = self
            .0
            .iter()
            .map(|(key, value)| format!("{:1$}{key}: {value}", "", indent + 2, key = json!(key), value = value.get()))
            .collect();
        format!("{{\n{}\n{:2$}}}", members.join(",\n"), "", indent)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some(member) = map.next_entry()? {
                    members.0.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// Writes the project's file whole or not at all; a link is followed, and permissions stay.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let before = fs::metadata(&path).ok();
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o644)).tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    if let Some(before) = before {
        file.as_file().set_permissions(before.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// Whether `.mcp.json` here has a server that runs a program of our name with `serve`; an error if it has no JSON.
pub(super) fn is_set_up(directory: &Path) -> Result<bool, String> {
    let text = match fs::read_to_string(directory.join(FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.to_string()),
    };
    let file: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let runs_us = |server: &Value| {
        let command = server["command"].as_str().map(Path::new).and_then(Path::file_name);
        command.is_some_and(|command| command == "sluicegate") && server["args"][0] == "serve"
    };
    Ok(file["mcpServers"].as_object().is_some_and(|servers| servers.values().any(runs_us)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const OURS: Server<'_> = Server { program: "/bin/sluicegate", only: &[], home: None };

    #[test]
    fn a_new_file_has_the_entry_alone() {
        let expected = "{\n  \"mcpServers\": {\n    \"sluicegate\": {\n      \"command\": \"/bin/sluicegate\",\n      \
                        \"args\": [\"serve\"]\n    }\n  }\n}\n";
        for before in [None, Some(""), Some(" \n"), Some("{}")] {
            assert_eq!(merge(before, "sluicegate", &OURS).unwrap(), expected, "{before:?}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_is_in_its_order_and_its_writing() {
        let before = "{ \"z\": [1,  2.50, 1e400],\n \"mcpServers\": {\n    \"other\": {\n      \"command\": \"x\"\n    },\n    \
                      \"sluicegate\": { \"env\": {\"A\": \"b\"}, \"args\": [\"old\"], \"command\": \"old\" },\n \"last\": {} },\n \
                      \"a\": {\"\\u0041\": null} }";
        let after = merge(Some(before), "sluicegate", &OURS).unwrap();
        for kept in [
            "\"z\": [1,  2.50, 1e400]",
            "\"other\": {\n      \"command\": \"x\"\n    }",
            "\"last\": {}",
            "{\"A\": \"b\"}",
            "{\"\\u0041\": null}",
        ] {
            assert!(after.contains(kept), "{kept}: {after}");
        }
        let order: Vec<_> = ["\"z\"", "\"mcpServers\"", "\"other\"", "\"sluicegate\"", "\"last\"", "\"a\""]
            .map(|key| after.find(key).unwrap())
            .into();
        assert!(order.is_sorted(), "{after}");
        assert!(!after.contains("old"), "{after}");
        assert_eq!(merge(Some(&after), "sluicegate", &OURS).unwrap(), after, "a second time changes nothing");
    }

    #[test]
    fn adapters_and_home_are_named_where_they_are_given() {
        let only = [AdapterName::new("chat").unwrap(), AdapterName::new("hook").unwrap()];
        let ours = Server { program: "/bin/sluicegate", only: &only, home: Some("/my/home".into()) };
        let before = r#"{"mcpServers": {"s": {"env": {"A": "b"}}}}"#;
        let after: Value = serde_json::from_str(&merge(Some(before), "s", &ours).unwrap()).unwrap();
        let entry = &after["mcpServers"]["s"];
        assert_eq!(entry["args"], json!(["serve", "--only", "chat", "--only", "hook"]));
        assert_eq!(entry["env"], json!({"A": "b", "SLUICEGATE_HOME": "/my/home"}));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for before in [
            "[]",
            "null",
            "x",
            "{",
            "{} {}",
            "{\"mcpServers\": []}",
            "{\"mcpServers\": null}",
            "{\"mcpServers\": {\"s\": 1}}",
        ] {
            let error = merge(Some(before), "s", &OURS).unwrap_err().to_string();
            assert!(error.contains(FILE), "{before}: {error}");
        }
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_permissions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        assert_eq!(is_set_up(dir.path()), Ok(false));
        replace(&path, &merge(None, "s", &OURS).unwrap()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(is_set_up(dir.path()), Ok(true));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        replace(&path, "{").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(is_set_up(dir.path()).is_err());
    }
}
