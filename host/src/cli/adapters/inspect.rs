//! `sluicegate inspect`, and the sheet that `allow` shows too: what an adapter asks for, in plain words.

use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use super::{Workshop, candidates};
use crate::{
    adapters::{Candidate, Entry, Origin, Said, Standing, survey},
    cli::screen::{self, BAD, BOLD, DIM, GOOD, WAITS, bytes, paint, say, visible},
    home::Home,
    manifest::{Action, Change, Severity},
};

/// What `inspect --json` prints.
#[derive(Debug, Serialize)]
struct Inspection {
    /// Its name; `null`, like all that the manifest says, if the component cannot be used.
    name: Option<String>,
    version: Option<String>,
    summary: Option<String>,
    /// The profile that it selects from; `null` if it brings its own rules.
    profile: Option<String>,
    /// `"bundled"`, or the file's path.
    origin: String,
    /// `sha256:` and 64 digits.
    digest: Option<String>,
    /// Bytes of the component.
    size: Option<u64>,
    /// The interfaces that it imports.
    imports: Vec<String>,
    /// `granted`, `new`, `changed`, `replacement` or `broken`.
    standing: &'static str,
    /// Why it cannot be used.
    reason: Option<String>,
    /// Its identity rules may admit and decide: they are a profile's, or the user has vetted them.
    vetted: bool,
    /// What it asks for.
    asks: Vec<AskRow>,
    /// How that differs from what was granted under its name.
    changes: Vec<String>,
    /// The manifest as it came.
    manifest: Option<String>,
}

/// One thing that it asks for.
#[derive(Debug, Serialize)]
struct AskRow {
    /// In plain words.
    text: String,
    /// It gives the adapter more trust than an adapter needs.
    notable: bool,
    /// The thing itself: the text of a rule, the parameters of a tool.
    detail: Option<String>,
}

/// Runs the command.
pub(in crate::cli) fn inspect(home: &Home, target: &str, json: bool) -> anyhow::Result<i32> {
    let workshop = Workshop::open(home)?;
    let entry = find(&workshop, target, home)?;
    let facts = Facts::gather(&workshop, &entry.candidate);
    if json {
        screen::json(&inspection(&entry, &facts))?;
    } else {
        show(&entry, &facts, true)?;
        if let Some(next) = next(&entry, home) {
            say!("\n{next}")?;
        }
    }
    Ok(i32::from(matches!(entry.standing, Standing::Broken(_))))
}

/// What `target` means here: a file anywhere, or what `allow` would take.
fn find(workshop: &Workshop, target: &str, home: &Home) -> anyhow::Result<Entry> {
    let file = workshop.dropped_file(target);
    if file.is_none() && (target.contains('/') || target.ends_with(".wasm")) {
        let path = Path::new(target).canonicalize().with_context(|| visible(target, 200))?;
        let candidate = workshop.examine(&path);
        let (mut entries, _) = survey(vec![candidate], &workshop.grants);
        return entries.pop().context("there is nothing to inspect");
    }
    let (entries, _) = workshop.survey();
    Ok(candidates::choose(&entries, target, file.as_deref(), home)?.clone())
}

/// What is known of a component beside its manifest.
pub(super) struct Facts {
    size: Option<u64>,
    imports: Vec<String>,
}

impl Facts {
    /// Reads and compiles it, as far as it can be; nothing of it runs.
    pub(super) fn gather(workshop: &Workshop, candidate: &Candidate) -> Self {
        let component = candidate.bytes().ok();
        let imports = component.as_ref().filter(|_| candidate.said.is_ok()).and_then(|bytes| workshop.load(bytes).ok());
        Self {
            size: component.map(|bytes| bytes.len() as u64),
            imports: imports.map(|loaded| loaded.imports()).unwrap_or_default(),
        }
    }

    /// The imports in a few words, or in full where the host does more than nothing for them.
    fn imports_in_words(&self) -> String {
        let (wasi, ours): (Vec<&str>, Vec<&str>) =
            self.imports.iter().map(String::as_str).partition(|name| name.starts_with("wasi:"));
        let mut words: Vec<String> = ours
            .iter()
            .map(|name| name.split('@').next().unwrap_or(name).trim_start_matches("sluicegate:channel/"))
            .map(|name| visible(name, 60))
            .collect();
        if !wasi.is_empty() {
            words.push(format!("{} of WASI (empty: no files, no network, no environment)", wasi.len()));
        }
        if words.is_empty() { "nothing".into() } else { words.join(", ") }
    }
}

fn inspection(entry: &Entry, facts: &Facts) -> Inspection {
    let said = entry.candidate.said.as_ref().ok();
    let manifest = said.map(|said| &said.contract.manifest);
    let (standing, reason, changes): (_, _, &[Change]) = match &entry.standing {
        Standing::Granted(_) => ("granted", None, &[]),
        Standing::New => ("new", None, &[]),
        Standing::Changed(changes) => ("changed", None, changes),
        Standing::Replacement(changes) => ("replacement", None, changes),
        Standing::Broken(reason) => ("broken", Some(reason.clone()), &[]),
    };
    Inspection {
        name: manifest.map(|manifest| manifest.name.to_string()),
        version: manifest.map(|manifest| manifest.version.clone()),
        summary: manifest.map(|manifest| manifest.summary.clone()),
        profile: manifest.and_then(|manifest| manifest.profile.clone()),
        origin: match &entry.candidate.origin {
            Origin::Bundled(_) => "bundled".into(),
            Origin::File(path) => path.display().to_string(),
        },
        digest: entry.candidate.digest.as_ref().map(ToString::to_string),
        size: facts.size,
        imports: facts.imports.clone(),
        standing,
        reason,
        vetted: said.is_some_and(|said| is_vetted(entry, said)),
        asks: said
            .map(|said| said.contract.asks())
            .unwrap_or_default()
            .into_iter()
            .map(|ask| AskRow { notable: ask.severity == Severity::Notable, text: ask.text, detail: ask.detail })
            .collect(),
        changes: changes.iter().map(ToString::to_string).collect(),
        manifest: said.map(|said| said.text.clone()),
    }
}

fn is_vetted(entry: &Entry, said: &Said) -> bool {
    said.contract.from_profile || matches!(&entry.standing, Standing::Granted(grant) if grant.vetted)
}

/// The sheet. With `in_full`, with the details of what it asks for.
pub(super) fn show(entry: &Entry, facts: &Facts, in_full: bool) -> anyhow::Result<()> {
    let candidate = &entry.candidate;
    if let Ok(said) = &candidate.said {
        let manifest = &said.contract.manifest;
        let name = paint(BOLD, format!("{} {}", manifest.name, visible(&manifest.version, 40)));
        say!("{name}  {}", visible(&manifest.summary, 200))?;
    } else {
        say!("{}", paint(BOLD, visible(&candidate.origin.label(), 200)))?;
    }
    let origin = match &candidate.origin {
        Origin::Bundled(_) => "comes with Sluicegate".into(),
        Origin::File(path) => visible(&path.display().to_string(), 400),
    };
    say!("  {}  {origin}", paint(DIM, "from    "))?;
    if let Some(digest) = &candidate.digest {
        say!("  {}  {digest}", paint(DIM, "digest  "))?;
    }
    if let Some(size) = facts.size {
        say!("  {}  {}", paint(DIM, "size    "), bytes(size))?;
    }
    match &candidate.said {
        Err(reason) => say!("\n{} {}", paint(BAD, "It cannot be used:"), screen::reason(reason, 600))?,
        Ok(said) => {
            say!("  {}  {}", paint(DIM, "imports "), facts.imports_in_words())?;
            show_asks(said, in_full)?;
        }
    }
    show_standing(entry)
}

fn show_asks(said: &Said, in_full: bool) -> anyhow::Result<()> {
    let asks = said.contract.asks();
    if asks.is_empty() {
        say!("\nIt asks for nothing.")?;
        return Ok(());
    }
    say!("\nIt")?;
    for ask in asks {
        let mark = if ask.severity == Severity::Notable { paint(WAITS, "!") } else { "-".into() };
        say!("  {mark} {}", visible(&ask.text, 600))?;
        if let Some(detail) = ask.detail.filter(|_| in_full) {
            for line in detail.lines() {
                say!("      {}", paint(DIM, visible(line, 400)))?;
            }
        }
    }
    say!("\nIt reaches nothing else: no files, no network, no environment, and of Claude only what passes the gate.")?;
    Ok(())
}

fn show_standing(entry: &Entry) -> anyhow::Result<()> {
    match &entry.standing {
        Standing::Granted(grant) => {
            say!("\n{} on {}.", paint(GOOD, "You allowed it"), visible(&grant.granted, 40))?;
        }
        Standing::New => say!("\n{}", paint(WAITS, "It waits for you to allow it."))?,
        Standing::Changed(changes) => {
            say!("\n{}", paint(WAITS, "It has changed since you allowed it, and does not run."))?;
            show_changes(changes)?;
        }
        Standing::Replacement(changes) => {
            say!("\n{}", paint(BAD, "It bears the name of another component, which you allowed."))?;
            show_changes(changes)?;
        }
        Standing::Broken(_) => {}
    }
    Ok(())
}

fn show_changes(changes: &[Change]) -> anyhow::Result<()> {
    if changes.is_empty() {
        say!("What it asks for is the same.")?;
    }
    for change in changes {
        let mark = if change.severity() == Severity::Notable { paint(WAITS, "!") } else { "-".into() };
        say!("  {mark} {}", visible(&change.to_string(), 900))?;
    }
    Ok(())
}

/// The identity rules that a component brings, in full.
pub(super) fn show_rules(said: &Said) -> anyhow::Result<()> {
    say!("\nBy these rules the host would read who is speaking:")?;
    for rule in &said.contract.platform.identities {
        say!("")?;
        for line in rule.to_string().lines() {
            say!("  {}", visible(line, 400))?;
        }
    }
    say!(
        "\nRules that are trusted may admit strangers by pairing and invitation, and decide. Check that `sender` is an\n\
         immutable id which the platform itself vouches for, and that nobody else can choose it."
    )?;
    if said.contract.manifest.actions.contains(&Action::Ask) {
        say!(
            "\nIt carries permission prompts. Whoever runs the servers that it asks, and whoever can change a message there,\n\
             could then approve any tool: trust these rules only if you trust both."
        )?;
    }
    Ok(())
}

fn next(entry: &Entry, home: &Home) -> Option<String> {
    let inside = match &entry.candidate.origin {
        Origin::Bundled(_) => true,
        Origin::File(path) => path.parent() == Some(&*home.adapters()),
    };
    let target = visible(&candidates::target_of(&entry.candidate), 200);
    match &entry.standing {
        Standing::Granted(_) | Standing::Broken(_) => None,
        _ if !inside => {
            Some(format!("To use it, copy it into {}, then `sluicegate allow {target}`.", home.adapters().display()))
        }
        Standing::Replacement(_) => Some(format!("To put it in the other's place: `sluicegate allow {target}`.")),
        Standing::New | Standing::Changed(_) => {
            entry.name().map(|name| format!("To let it run: `sluicegate allow {name}`."))
        }
    }
}
