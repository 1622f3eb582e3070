//! `sluicegate doctor`: looks for what is wrong, and says how to mend it.

mod relay;

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use serde::Serialize;

use super::{
    adapters::{self, Workshop, advice},
    screen::{self, BAD, DIM, GOOD, WAITS, paint, say, visible},
    setup,
};
use crate::{
    adapters::{Entry, Standing},
    config::Config,
    control::Status,
    gate::Gate,
    grants::Grants,
    home::Home,
    journal::{JournalError, Reader},
    manifest::Contract,
    name::AdapterName,
    secrets,
};

/// Variables with which Claude Code does without the flags that switch channels on.
const SWITCHES: [&str; 4] =
    ["DISABLE_TELEMETRY", "DO_NOT_TRACK", "DISABLE_GROWTHBOOK", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"];

/// What `doctor --json` prints.
#[derive(Debug, Serialize)]
struct Diagnosis {
    /// Nothing is wrong.
    ok: bool,
    /// One for each thing that was looked at.
    findings: Vec<Finding>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// `ok`, `note` (works, but look at it) or `wrong`.
    level: Level,
    /// What it is about.
    about: String,
    /// What was found.
    text: String,
    /// What to do.
    mend: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Note,
    Wrong,
}

/// All that was found.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, about: &str, text: impl Into<String>) {
        self.add(Level::Ok, about, text.into(), None);
    }
    fn note(&mut self, about: &str, text: impl Into<String>, mend: impl Into<String>) {
        self.add(Level::Note, about, text.into(), Some(mend.into()));
    }
    fn wrong(&mut self, about: &str, text: impl Into<String>, mend: impl Into<String>) {
        self.add(Level::Wrong, about, text.into(), Some(mend.into()));
    }
    /// An error whose text says how to mend it.
    fn error(&mut self, about: &str, error: &dyn std::fmt::Display) {
        self.add(Level::Wrong, about, error.to_string(), None);
    }
    fn add(&mut self, level: Level, about: &str, text: String, mend: Option<String>) {
        self.0.push(Finding { level, about: about.into(), text, mend });
    }
}

/// Runs the command.
pub(super) fn run(home: &Home, json: bool) -> anyhow::Result<i32> {
    let mut findings = Findings::default();
    let status = adapters::status(home);
    permissions(home, &mut findings);
    let config = match Config::load(home) {
        Ok(config) => {
            findings.ok(
                "config.toml",
                if home.config().exists() { "is understood" } else { "not there: the defaults count" },
            );
            Some(config)
        }
        Err(error) => {
            findings.error("config.toml", &error);
            None
        }
    };
    journal(home, &mut findings);
    if let Some(config) = &config {
        listener(config.listen, status.as_ref(), &mut findings);
    }
    components(home, config.as_ref(), &mut findings);
    leader(status.as_ref(), &mut findings);
    claude(&|variable| std::env::var(variable).ok(), &mut findings);
    project(Path::new("."), &mut findings);
    let ok = findings.0.iter().all(|finding| finding.level != Level::Wrong);
    if json {
        screen::json(&Diagnosis { ok, findings: findings.0 })?;
    } else {
        show(&findings.0)?;
    }
    Ok(i32::from(!ok))
}

fn show(findings: &[Finding]) -> anyhow::Result<()> {
    for finding in findings {
        let (style, word) = match finding.level {
            Level::Ok => (GOOD, "ok   "),
            Level::Note => (WAITS, "note "),
            Level::Wrong => (BAD, "wrong"),
        };
        say!("{} {}: {}", paint(style, word), visible(&finding.about, 200), screen::reason(&finding.text, 600))?;
        for line in finding.mend.iter().flat_map(|mend| mend.lines()) {
            say!("      {}", visible(line, 900))?;
        }
    }
    let wrong = findings.iter().filter(|finding| finding.level == Level::Wrong).count();
    match wrong {
        0 => say!("\n{}", paint(GOOD, "Nothing is wrong."))?,
        1 => say!("\n{}", paint(BAD, "One thing is wrong."))?,
        count => say!("\n{}", paint(BAD, format!("{count} things are wrong.")))?,
    }
    say!("{}", paint(DIM, "`sluicegate log` shows what happened while it ran."))?;
    Ok(())
}

/// The home and its directories are narrowed whenever it is opened; what stands in them is looked at here.
fn permissions(home: &Home, findings: &mut Findings) {
    let mut open = Vec::new();
    let files = [home.config(), home.grants(), home.journal()];
    let kept = ["secrets", "access"].map(|name| home.root().join(name));
    let kept = kept.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten().map(|entry| entry.path());
    for path in files.into_iter().chain(kept) {
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        // Settings may be read; nothing but the user may change them.
        let forbidden = if path == home.config() || path == home.grants() { 0o022 } else { 0o077 };
        if meta.uid() != rustix::process::geteuid().as_raw() {
            findings.wrong(
                "home",
                format!("{} belongs to another user", path.display()),
                "Remove it, or take it over with chown.",
            );
        } else if meta.is_file() && meta.mode() & forbidden != 0 {
            open.push(path);
        }
    }
    for path in &open {
        let text = format!("{} may be touched by others (behind the home's own 0700)", path.display());
        findings.wrong("home", text, format!("chmod 600 '{}'", path.display()));
    }
    if open.is_empty() {
        findings.ok("home", format!("{} is yours alone", home.root().display()));
    }
}

fn journal(home: &Home, findings: &mut Findings) {
    match Reader::open(home.journal()).and_then(|reader| reader.dead_letters(None, 1000)) {
        Ok(dead) if dead.is_empty() => findings.ok("journal", "can be read"),
        Ok(dead) => findings.note(
            "journal",
            format!("{} events failed for good and are kept", dead.len()),
            "`sluicegate status` shows them, `sluicegate retry` tries them again.",
        ),
        Err(JournalError::Missing { .. }) => findings.ok("journal", "not there yet: the first `serve` makes it"),
        Err(error) => findings.error("journal", &error),
    }
}

fn listener(configured: SocketAddr, status: Option<&Status>, findings: &mut Findings) {
    let about = format!("listener {configured}");
    match status.and_then(|status| status.listen) {
        Some(bound) if bound == configured => findings.ok(&about, "is ours"),
        Some(bound) => findings.note(
            &about,
            format!("the running sluicegate listens on {bound}"),
            "Restart the Claude session that runs it, so that it takes the new address.",
        ),
        None => match TcpListener::bind(configured) {
            Ok(_) => findings.ok(&about, "is free"),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => findings.wrong(
                &about,
                "another program listens there",
                "End it, or choose another address in config.toml: listen = \"127.0.0.1:8799\"",
            ),
            Err(error) => findings.wrong(
                &about,
                format!("cannot be used: {error}"),
                "Choose another address in config.toml: listen = \"127.0.0.1:8788\"",
            ),
        },
    }
    if !configured.ip().is_loopback() {
        findings.note(
            &about,
            "can be reached from other machines; routes are checked by their credentials, pages answer to this machine alone",
            "If that is not meant: listen = \"127.0.0.1:8788\"",
        );
    }
}

fn components(home: &Home, config: Option<&Config>, findings: &mut Findings) {
    let workshop = match Workshop::open(home) {
        Ok(workshop) => workshop,
        // Grants, cache or sandbox; their errors say what to do.
        Err(error) => {
            findings.error("adapters", &format!("{error:#}"));
            return;
        }
    };
    findings.ok("grants.toml", "is understood");
    findings.ok("cache", format!("{} is yours alone; it may be deleted at any time", home.cache().display()));
    let (entries, gone) = workshop.survey();
    for entry in &entries {
        component(&workshop, entry, findings);
        if let (Ok(said), Standing::Granted(_), Some(config)) = (&entry.candidate.said, &entry.standing, config) {
            for advice in advice(home, config, &said.contract) {
                let add = if advice.serious { Findings::wrong } else { Findings::note };
                add(findings, said.contract.manifest.name.as_str(), advice.problem, advice.mend);
            }
            secrets_that_are_set(home, config, &said.contract, findings);
        }
    }
    for name in gone {
        findings.wrong(
            name.as_str(),
            format!("is allowed, but its component is not in {}", home.adapters().display()),
            format!("Put the file back, or `sluicegate revoke {name}`."),
        );
    }
    access(home, &workshop.grants, findings);
    if let Some(config) = config {
        relay::look(home, config, &workshop.grants, &entries, findings);
        for name in config.adapters().filter(|name| workshop.grants.get(name).is_none()) {
            findings.note(
                name.as_str(),
                "has settings in config.toml, but is not allowed",
                format!("`sluicegate allow {name}`, or take [adapters.{name}] out."),
            );
        }
    }
}

/// What is missing or unfit is [`advice`]; here is where the others come from.
fn secrets_that_are_set(home: &Home, config: &Config, contract: &Contract, findings: &mut Findings) {
    let name = &contract.manifest.name;
    let items = &contract.platform.secrets;
    let mapped = config.adapter(name).secrets;
    for (key, found) in secrets::of_platform(home, name, items, contract.from_profile, &mapped) {
        let Ok(found) = found else { continue };
        let variable = items.get(&key).and_then(|item| secrets::variable(&key, item, &mapped)).unwrap_or(&key);
        findings.ok(name.as_str(), format!("its {variable} is there, from {}", found.from.words(name)));
    }
}

fn component(workshop: &Workshop, entry: &Entry, findings: &mut Findings) {
    let label = entry.candidate.origin.label();
    let about = entry.name().map_or(label.as_str(), AdapterName::as_str).to_owned();
    match &entry.standing {
        Standing::Granted(_) => match workshop.check(&entry.candidate) {
            Ok(false) => findings.ok(&about, "is allowed, and its component can be run"),
            Ok(true) => findings.ok(&about, "its compiled form was damaged, and has been made anew"),
            Err(error) => {
                findings.wrong(
                    &about,
                    format!("is allowed, but cannot be run: {error:#}"),
                    "Put a working file in its place.",
                );
            }
        },
        Standing::Changed(_) => findings.note(
            &about,
            format!("{label} has changed since you allowed it, and does not run"),
            format!("`sluicegate allow {about}` shows what changed, and asks."),
        ),
        Standing::Replacement(_) => findings.note(
            &about,
            format!("{label} bears the name of another component that you allowed, and does not run"),
            format!("`sluicegate inspect {about}` compares them; remove the one that you do not want."),
        ),
        Standing::Broken(reason) => findings.wrong(
            &about,
            format!("cannot be used: {reason}"),
            "Put a working file in its place, or remove it. It does not disturb the others.",
        ),
        // That something waits is nothing wrong.
        Standing::New => {}
    }
}

fn access(home: &Home, grants: &Grants, findings: &mut Findings) {
    for (name, _) in grants.iter() {
        let gate = Gate::open(home.access(name));
        let about = format!("access of {name}");
        if let Err(error) = gate.access() {
            findings.error(&about, &error);
        }
        for warning in gate.take_warnings() {
            findings.note(&about, warning.to_string(), format!("`sluicegate access {name}` shows what counts."));
        }
    }
}

fn leader(status: Option<&Status>, findings: &mut Findings) {
    match status {
        None => findings.ok("process", "none runs now: Claude Code starts Sluicegate by itself"),
        Some(status) if status.version != env!("CARGO_PKG_VERSION") => findings.note(
            "process",
            format!("process {} is version {}, this is {}", status.pid, status.version, env!("CARGO_PKG_VERSION")),
            "Restart the Claude session that runs it.",
        ),
        Some(status) if status.full => findings.note(
            "process",
            format!("{} messages wait for Claude, and sources are told to come back later", status.unwritten),
            "Let the Claude session read them, or raise max-unwritten in config.toml.",
        ),
        Some(status) => findings.ok("process", format!("process {} runs", status.pid)),
    }
}

fn claude(variable: &dyn Fn(&str) -> Option<String>, findings: &mut Findings) {
    let set: Vec<&str> =
        SWITCHES.into_iter().filter(|name| variable(name).is_some_and(|value| !value.is_empty())).collect();
    if set.is_empty() {
        findings.ok("Claude Code", "no variable here switches its channels off");
    }
    for name in set {
        findings.wrong(
            "Claude Code",
            format!("{name} is set: with it Claude Code switches channels off, and drops every event without a word"),
            format!("Start it without: env -u {name} claude …"),
        );
    }
}

fn project(directory: &Path, findings: &mut Findings) {
    match setup::is_set_up(directory) {
        Ok(true) => findings.ok(setup::FILE, "starts Sluicegate in this directory"),
        Ok(false) => findings.note(
            setup::FILE,
            "does not start Sluicegate in this directory",
            "If this is the project: sluicegate setup --write",
        ),
        Err(error) => {
            findings.wrong(setup::FILE, format!("cannot be read: {error}"), "Mend it; Claude Code needs it too.")
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn found(look: impl FnOnce(&mut Findings)) -> Vec<Finding> {
        let mut findings = Findings::default();
        look(&mut findings);
        findings.0
    }

    #[test]
    fn variables_that_switch_channels_off_are_wrong() {
        let clean = found(|findings| claude(&|_| None, findings));
        assert!(clean.iter().all(|finding| finding.level == Level::Ok));
        let one = found(|findings| claude(&|name| (name == "DO_NOT_TRACK").then(|| "1".into()), findings));
        assert_eq!(one.len(), 1);
        assert!(one[0].level == Level::Wrong && one[0].text.contains("DO_NOT_TRACK"));
        let empty = found(|findings| claude(&|_| Some(String::new()), findings));
        assert_eq!(empty, clean);
    }

    #[test]
    fn files_that_others_may_read_are_wrong_and_named_with_the_mend() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let name = AdapterName::new("chat").unwrap();
        crate::secrets::set(&home, &name, "KEY", Some("value")).unwrap();
        fs::write(home.config(), "").unwrap();
        fs::set_permissions(home.config(), Permissions::from_mode(0o644)).unwrap();
        let clean = found(|findings| permissions(&home, findings));
        assert!(clean.iter().all(|finding| finding.level == Level::Ok), "{clean:?}");
        fs::set_permissions(home.secrets(&name), Permissions::from_mode(0o640)).unwrap();
        let open = found(|findings| permissions(&home, findings));
        assert_eq!(open.len(), 1);
        assert!(open[0].mend.as_ref().unwrap().starts_with("chmod 600") && open[0].text.contains("chat.env"));
    }

    #[test]
    fn an_address_is_free_or_ours_or_taken() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert_eq!(found(|findings| listener(address, None, findings))[0].level, Level::Wrong);
        let status = |listen| Status {
            pid: 1,
            version: String::new(),
            listen: Some(listen),
            since_ms: 0,
            connected: false,
            unwritten: 0,
            full: false,
            adapters: vec![],
        };
        assert_eq!(found(|findings| listener(address, Some(&status(address)), findings))[0].level, Level::Ok);
        let other = SocketAddr::from(([127, 0, 0, 1], 1));
        assert_eq!(found(|findings| listener(address, Some(&status(other)), findings))[0].level, Level::Note);
        drop(taken);
        assert_eq!(found(|findings| listener(address, None, findings))[0].level, Level::Ok);
    }
}
