//! `sluicegate import`: takes over what the official plugins keep, after it has shown what that is.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::{
    access,
    adapters::reload,
    approvers,
    declared::declared,
    screen::{self, BOLD, DIM, GOOD, WAITS, confirm, note, paint, say, visible},
};
use crate::{
    clock::now_ms,
    gate::Gate,
    grants::Grants,
    home::Home,
    import::{Channel, Fate, Gain, Left, Plan, Survey, Wanted, take},
    name::AdapterName,
    secrets,
};

/// How many things that are left a channel lists.
const MAX_LEFT: usize = 20;
/// How many approvers a question names.
const MAX_APPROVERS: usize = 100;

/// How the user answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    /// Yes to everything that replaces nothing and makes nobody an approver.
    pub(super) yes: bool,
    /// Yes to the approvers.
    pub(super) approvers: bool,
    /// For a script: nobody is asked.
    pub(super) json: bool,
}

/// What `import --json` prints.
#[derive(Debug, Serialize)]
struct Report {
    from: PathBuf,
    channels: Vec<Offer>,
    /// What is no plugin's directory.
    left: Vec<Left>,
}

/// What is there for one channel, and what became of it.
#[derive(Debug, Serialize)]
struct Offer {
    name: AdapterName,
    adapter: Standing,
    #[serde(flatten)]
    plan: Plan,
    outcome: Outcome,
    /// Who has been made an approver.
    made_approvers: Vec<String>,
    /// The command that lets the adapter run, where it does not yet.
    next: Option<String>,
    #[serde(skip)]
    channel: Channel,
}

/// Whether there is an adapter for a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    /// It is allowed.
    Allowed,
    /// It is there, and not allowed yet.
    Waiting,
    /// There is none.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// It can be taken over.
    Offered,
    /// It has been taken over.
    Taken,
    /// There is nothing in it that is not here already.
    Nothing,
    /// It is left alone, because it was not asked for or not wanted.
    Left,
}

/// Runs the command.
pub(super) fn run(home: &Home, name: Option<&AdapterName>, from: Option<&Path>, asking: Asking) -> anyhow::Result<i32> {
    let directory = match from {
        Some(from) => from.to_owned(),
        None => etcetera::home_dir().context("your home directory is not known; use --from")?.join(".claude/channels"),
    };
    if from.is_none() && name.is_none() && !directory.exists() {
        if asking.json {
            screen::json(&Report { from: directory, channels: Vec::new(), left: Vec::new() })?;
        } else {
            say!("There is nothing to take over: {} is not there.", directory.display())?;
        }
        return Ok(0);
    }
    let mut survey = Survey::of(&directory)?;
    if let Some(name) = name {
        if survey.channels.iter().all(|channel| channel.name != *name) {
            bail!("{} has nothing of {name}", survey.from.display());
        }
        survey.channels.retain(|channel| channel.name == *name);
        survey.left.clear();
    }
    let grants = Grants::load(home)?;
    let mut report = Report { from: survey.from, channels: Vec::new(), left: survey.left };
    for channel in survey.channels {
        report.channels.push(offer(home, &grants, channel, name.is_some(), asking)?);
    }
    let refused = if asking.json { give(home, &mut report, asking)? } else { walk(home, &mut report, asking)? };
    if report.channels.iter().any(|offer| offer.outcome == Outcome::Taken) {
        reload(home);
    }
    if asking.json {
        screen::json(&report)?;
    }
    Ok(i32::from(refused))
}

/// What is there for a channel, compared with what we have.
fn offer(home: &Home, grants: &Grants, channel: Channel, is_named: bool, asking: Asking) -> anyhow::Result<Offer> {
    let name = channel.name.clone();
    let platform = declared(home, &name);
    let adapter = if grants.get(&name).is_some() {
        Standing::Allowed
    } else if platform.is_some() || home.adapters().join(format!("{name}.wasm")).is_file() {
        Standing::Waiting
    } else {
        Standing::None
    };
    let items = platform.as_ref().map(|declared| &declared.platform.secrets);
    let plan = Plan::of(home, &channel, items, now_ms())?;
    let outcome = if adapter == Standing::None && !is_named {
        Outcome::Left
    } else if plan.is_empty() && !plan.makes_approvers(asking.approvers) && plan.of_fate(Fate::Differs).next().is_none()
    {
        Outcome::Nothing
    } else {
        Outcome::Offered
    };
    let next = (adapter == Standing::Waiting).then(|| format!("sluicegate allow {name}"));
    Ok(Offer { name, adapter, plan, outcome, made_approvers: Vec::new(), next, channel })
}

/// Takes what can be taken without a question, for a script.
fn give(home: &Home, report: &mut Report, asking: Asking) -> anyhow::Result<bool> {
    for offer in report.channels.iter_mut().filter(|offer| asking.yes && offer.outcome == Outcome::Offered) {
        let wanted = Wanted { approvers: asking.approvers, ..Wanted::default() };
        if offer.plan.is_empty() && !offer.plan.makes_approvers(asking.approvers) {
            offer.outcome = Outcome::Nothing;
            continue;
        }
        take_over(home, offer, &wanted)?;
    }
    Ok(false)
}

/// Shows each channel and asks about it. Whether anything was refused.
fn walk(home: &Home, report: &mut Report, asking: Asking) -> anyhow::Result<bool> {
    say!("{}", paint(DIM, report.from.display()))?;
    let mut refused = false;
    for offer in &mut report.channels {
        show(offer)?;
        match offer.outcome {
            Outcome::Offered => refused |= !decide(home, offer, asking)?,
            Outcome::Left => {
                say!(
                    "  It is left alone. `sluicegate import {0}` keeps it for when there is an adapter: whatever you allow \
                     under the name {0} then gets it.",
                    offer.name
                )?;
            }
            Outcome::Nothing | Outcome::Taken => {
                say!("  Nothing was changed: whatever can be taken over is here already.")?;
            }
        }
        if let Some(next) = offer.next.as_ref().filter(|_| offer.outcome != Outcome::Offered) {
            say!("  Next: {next}")?;
        }
    }
    if report.channels.is_empty() {
        say!("There is nothing to take over.")?;
    }
    for left in report.left.iter().take(MAX_LEFT) {
        say!("{}", paint(DIM, format!("{}: {}", left.what, left.why)))?;
    }
    Ok(refused)
}

/// Asks, and takes. Whether it was wanted.
fn decide(home: &Home, offer: &mut Offer, asking: Asking) -> anyhow::Result<bool> {
    let (name, yes) = (offer.name.clone(), asking.yes);
    let differing: Vec<String> = offer.plan.of_fate(Fate::Differs).map(str::to_owned).collect();
    let accepted = !offer.plan.is_empty() && confirm(&format!("  Take this over into {name}?"), yes)?;
    let mut wanted = Wanted::default();
    for variable in differing {
        // A yes to everything replaces nothing; nor does it where nobody can be asked.
        let question = format!("  Your {} differs from theirs. Replace yours?", visible(&variable, 100));
        if !yes && (accepted || offer.plan.is_empty()) && confirm(&question, false).unwrap_or(false) {
            wanted.replace.insert(variable);
        } else {
            say!("  Your {0} stays. To replace it: sluicegate secret {name} set {0}", visible(&variable, 100))?;
        }
    }
    if accepted || (asking.approvers && offer.plan.is_empty()) {
        wanted.approvers = shall_approve(offer, asking)?;
    }
    if !accepted && wanted == Wanted::default() {
        say!("  Nothing was changed.")?;
        let asked = !offer.plan.is_empty();
        offer.outcome = if asked { Outcome::Left } else { Outcome::Nothing };
        return Ok(!asked);
    }
    let gain = take_over(home, offer, &wanted)?;
    let replace = &wanted.replace;
    say!("  {} {}", paint(GOOD, "Taken over:"), gained(&gain, &offer.plan, replace))?;
    let gate = Gate::open(home.access(&name));
    access::warn(&gate);
    if gain.approvers > 0 {
        approvers::warn(&Grants::load(home)?, &name, &gate.access()?);
    }
    let tokens: Vec<&str> = offer.plan.of_fate(Fate::New).chain(replace.iter().map(String::as_str)).collect();
    if !tokens.is_empty() {
        note!(
            "  End the Claude sessions that run the official plugin: most platforms let one program use a token at a time."
        );
    }
    for variable in tokens {
        if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) && secrets::bears_name(&name, variable) {
            note!("  The environment has {variable} too, and comes first where it is set.");
        }
    }
    Ok(true)
}

/// Whether those shall be approvers here who approve there: a question of its own, which a yes to the rest does not answer.
fn shall_approve(offer: &Offer, asking: Asking) -> anyhow::Result<bool> {
    let (name, who) = (&offer.name, &offer.plan.would_approve);
    if who.is_empty() || asking.approvers {
        return Ok(!who.is_empty());
    }
    let shown: Vec<String> = who.iter().take(MAX_APPROVERS).map(|id| visible(id, 60)).collect();
    let more = who.len().checked_sub(MAX_APPROVERS).filter(|more| *more > 0);
    let more = more.map_or_else(String::new, |more| format!(" and {more} more"));
    let shown = format!("{}{more}", shown.join(", "));
    let question = format!(
        "  The plugin lets every allowed sender approve what Claude does on this machine: {shown}.\n  Let them approve it \
         here, too?"
    );
    // A yes to everything gives nobody that power; nor does it where nobody can be asked.
    if !asking.yes && confirm(&question, false).unwrap_or(false) {
        return Ok(true);
    }
    say!(
        "  Nobody of them approves what Claude does here ({shown}). To change that: sluicegate access {name} approver add ID"
    )?;
    Ok(false)
}

fn take_over(home: &Home, offer: &mut Offer, wanted: &Wanted) -> anyhow::Result<Gain> {
    let gain = take(home, &offer.channel, &offer.plan, wanted, now_ms())?;
    if wanted.approvers {
        offer.made_approvers.clone_from(&offer.plan.would_approve);
    }
    offer.outcome = Outcome::Taken;
    Ok(gain)
}

fn show(offer: &Offer) -> anyhow::Result<()> {
    let standing = match offer.adapter {
        Standing::Allowed => "allowed here",
        Standing::Waiting => "not allowed here yet",
        Standing::None => "no adapter of that name is here",
    };
    say!("\n{} ({standing})", paint(BOLD, &offer.name))?;
    say!("  it has       {}", has(&offer.channel))?;
    if !offer.plan.is_empty() {
        say!("  {}  {}", paint(WAITS, "to take over"), gained(&offer.plan.access, &offer.plan, &BTreeSet::new()))?;
    }
    for differs in &offer.plan.differs {
        say!("  stays        {}: {}", differs.what, differs.why)?;
    }
    for left in offer.plan.left.iter().take(MAX_LEFT) {
        say!("  not taken    {}: {}", left.what, screen::reason(&left.why, 300))?;
    }
    if let Some(more) = offer.plan.left.len().checked_sub(MAX_LEFT).filter(|more| *more > 0) {
        say!("  not taken    {more} more")?;
    }
    if !offer.plan.access.unknown.is_empty() {
        say!(
            "  kept         {}: Sluicegate does not know it, and nothing enforces it",
            offer.plan.access.unknown.join(", ")
        )?;
    }
    Ok(())
}

/// What a plugin keeps, in words.
fn has(channel: &Channel) -> String {
    let mut parts = Vec::new();
    if let Some(access) = &channel.access {
        parts.push(format!("the policy {}", access.dm_policy));
        parts.extend(count(access.allow_from.len(), "allowed sender", "allowed senders"));
        parts.extend(count(access.groups.len(), "group", "groups"));
        parts.extend(count(access.pending.len(), "pairing", "pairings"));
    }
    let mut names: Vec<&str> = channel.env.iter().flat_map(|env| env.names()).collect();
    names.dedup();
    parts.extend(names.iter().map(|name| visible(name, 100)));
    if parts.is_empty() { "nothing that can be taken over".into() } else { parts.join(", ") }
}

/// What we gain, in words.
fn gained(gain: &Gain, plan: &Plan, replace: &BTreeSet<String>) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(gain.policy.map(|policy| format!("the policy {policy}")));
    parts.extend(count(gain.allowed, "allowed sender", "allowed senders"));
    parts.extend(count(gain.approvers, "approver", "approvers"));
    parts.extend(count(gain.groups, "group", "groups"));
    parts.extend(count(gain.members, "member of a group", "members of groups"));
    parts.extend(count(gain.pairings, "pairing that waits", "pairings that wait"));
    parts.extend(gain.settings.iter().cloned());
    parts.extend(gain.unknown.iter().cloned());
    parts.extend(plan.of_fate(Fate::New).map(|variable| visible(variable, 100)));
    parts.extend(replace.iter().map(|variable| visible(variable, 100)));
    parts.join(", ")
}

/// A number of things; none if there are none.
fn count(count: usize, one: &str, many: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
}
