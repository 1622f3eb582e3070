//! `sluicegate access`: who may speak through an adapter.

use serde::Serialize;

use super::{
    approvers::{self, Listed},
    arguments::{AccessChange, GroupChange},
    screen::{self, BOLD, DIM, Table, WAITS, note, paint, relative, say, visible},
};
use crate::{
    clock::now_ms,
    gate::{Access, DmPolicy, Gate, Settings},
    grants::Grants,
    home::Home,
    name::AdapterName,
};

/// The longest id that a line shows, in characters.
const ID: usize = 256;

/// What `access NAME show --json` prints. Pairing codes are left out: who asks has them.
#[derive(Debug, Serialize)]
struct Shown {
    /// `pairing`, `allowlist` or `disabled`.
    policy: &'static str,
    /// Senders that may speak directly.
    allowed: Vec<String>,
    /// Groups that may be heard, in the form of `access.json`.
    groups: serde_json::Value,
    /// Senders that may approve what Claude does.
    approvers: Vec<Listed>,
    /// Pairings that wait.
    pairings: Vec<Waiting>,
    /// Invitations that are open.
    open_invites: usize,
    /// The settings of delivery.
    settings: Delivery,
}

/// A pairing that waits.
#[derive(Debug, Serialize)]
struct Waiting {
    sender: String,
    sender_name: Option<String>,
    first_message: Option<String>,
    /// Milliseconds since the Unix epoch.
    since_ms: i64,
    /// Milliseconds since the Unix epoch.
    expires_ms: i64,
}

/// The settings of delivery, under their names in `access.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    ack_reaction: Option<String>,
    reply_to_mode: serde_json::Value,
    text_chunk_limit: Option<u32>,
    chunk_mode: serde_json::Value,
    mention_patterns: Vec<String>,
    verdicts: serde_json::Value,
}

/// Runs the command.
pub(super) fn run(home: &Home, name: &AdapterName, change: Option<&AccessChange>) -> anyhow::Result<i32> {
    let grants = Grants::load(home)?;
    if grants.get(name).is_none() {
        note!("No adapter {name} is allowed yet; this is for when one is.");
    }
    let gate = approvers::gate(home, &grants, name);
    let done = match change {
        None => show(&gate, &grants, name, false),
        Some(AccessChange::Show { json }) => show(&gate, &grants, name, *json),
        Some(AccessChange::Approver(change)) => approvers::run(&gate, &grants, name, change),
        Some(change) => alter(&gate, name, change),
    };
    warn(&gate);
    done.map(|()| 0)
}

/// Tells what the gate met in the file.
pub(super) fn warn(gate: &Gate) {
    for warning in gate.take_warnings() {
        note!("{warning}");
    }
}

fn alter(gate: &Gate, name: &AdapterName, change: &AccessChange) -> anyhow::Result<()> {
    match change {
        AccessChange::Show { .. } | AccessChange::Approver(_) => {}
        AccessChange::Allow { id } => {
            let shown = visible(id, ID);
            if gate.allow(id)? {
                say!("\"{shown}\" may speak through {name} now.")?;
            } else {
                say!("\"{shown}\" could speak through {name} already.")?;
            }
            if gate.is_approver(id) {
                say!("They are listed as an approver, too, and may approve what Claude does.")?;
            }
        }
        AccessChange::Remove { id } => {
            let shown = visible(id, ID);
            let removed = gate.remove(id)?;
            if removed.found {
                say!("\"{shown}\" may no longer speak directly through {name}.")?;
            } else {
                say!("\"{shown}\" was not among those who may speak directly through {name}.")?;
            }
            for group in &removed.groups {
                say!("The group \"{}\" still names them as a member that may speak.", visible(group, ID))?;
            }
            if removed.approver {
                say!("Nor may they approve what Claude does any more.")?;
            }
        }
        AccessChange::Policy { policy } => {
            let policy: DmPolicy = policy.parse()?;
            gate.set_policy(policy)?;
            say!("{name}: {}.", in_words(policy))?;
        }
        AccessChange::Group(GroupChange::Add { id, no_mention, allow }) => {
            let new = gate.group_add(id, !no_mention, allow)?;
            let what = if *no_mention { "everything" } else { "what mentions or answers the adapter" };
            let who = match allow.len() {
                0 => "every member".to_owned(),
                1 => "one member".to_owned(),
                count => format!("{count} members"),
            };
            let listed = if new { "is heard now" } else { "is listed anew" };
            say!("The group \"{}\" {listed}: {what}, from {who}.", visible(id, ID))?;
        }
        AccessChange::Group(GroupChange::Remove { id }) => {
            let found = gate.group_remove(id)?;
            let outcome = if found { "is no longer heard" } else { "was not listed" };
            say!("The group \"{}\" {outcome}.", visible(id, ID))?;
        }
        AccessChange::Set { key, value } => {
            gate.set(key, value)?;
            say!("{name}: {key} is set.")?;
        }
    }
    Ok(())
}

fn in_words(policy: DmPolicy) -> &'static str {
    match policy {
        DmPolicy::Pairing => "strangers who write directly get a code, and wait for you",
        DmPolicy::Allowlist => "strangers get no answer",
        DmPolicy::Disabled => "nobody is heard, and nothing is sent",
    }
}

fn show(gate: &Gate, grants: &Grants, name: &AdapterName, json: bool) -> anyhow::Result<()> {
    let now = now_ms();
    let access = gate.access()?;
    let settings = gate.settings();
    let pairings = gate.pending(now)?;
    let pairings: Vec<Waiting> = pairings
        .into_iter()
        .map(|pairing| Waiting {
            sender: pairing.sender,
            sender_name: pairing.sender_name,
            first_message: pairing.first_message,
            since_ms: pairing.created_ms,
            expires_ms: pairing.expires_ms,
        })
        .collect();
    let open_invites = gate.open_invites(now);
    let approvers = approvers::listed(gate, &access);
    if json {
        return screen::json(&Shown {
            policy: access.dm_policy.as_str(),
            allowed: access.allow_from.clone(),
            groups: serde_json::to_value(&access.groups)?,
            approvers,
            pairings,
            open_invites,
            settings: delivery(settings)?,
        });
    }
    say!("{}: {} ({})", paint(BOLD, name), access.dm_policy, in_words(access.dm_policy))?;
    show_allowed(&access, name)?;
    // Of an adapter that asks nobody, only what was named is worth a line.
    if !approvers.is_empty() || (grants.get(name).is_some() && approvers::obstacle_of(grants, name).is_none()) {
        say!("")?;
        approvers::show(gate, &approvers)?;
    }
    if !pairings.is_empty() {
        say!("\n{}", paint(WAITS, "Ask to be let in:"))?;
        for waiting in &pairings {
            let called = waiting.sender_name.as_ref().map(|called| format!(", calls themselves \"{called}\""));
            let when = relative(waiting.since_ms, now);
            say!("  \"{}\"{}, {when}", visible(&waiting.sender, ID), called.unwrap_or_default())?;
            if let Some(first) = &waiting.first_message {
                say!("    {}", paint(DIM, first))?;
            }
        }
        say!("They were sent a code; `sluicegate pair CODE` lets in who gives you theirs.")?;
    }
    if open_invites > 0 {
        let for_approvers = access.invites.values().filter(|invite| invite.approver && invite.expires_at > now).count();
        let whose = if for_approvers > 0 { format!(", {for_approvers} of them for approvers") } else { String::new() };
        say!("\nOpen invitations: {open_invites}{whose}")?;
    }
    show_settings(&settings)
}

fn show_allowed(access: &Access, name: &AdapterName) -> anyhow::Result<()> {
    if access.allow_from.is_empty() {
        say!("\nNobody is allowed to speak directly. `sluicegate invite {name}` lets somebody in.")?;
    } else {
        say!("\nMay speak directly:")?;
        for id in &access.allow_from {
            say!("  {}", visible(id, ID))?;
        }
    }
    if !access.groups.is_empty() {
        let mut table = Table::new(&["GROUP", "HEARS", "FROM"]);
        for (id, group) in &access.groups {
            let members: Vec<String> = group.allow_from.iter().map(|id| visible(id, 60)).collect();
            table.row([
                visible(id, ID).into(),
                if group.require_mention { "mentions and answers" } else { "everything" }.into(),
                if members.is_empty() { "every member".to_owned() } else { members.join(", ") }.into(),
            ]);
        }
        say!("\n{table}")?;
    }
    Ok(())
}

fn show_settings(settings: &Settings) -> anyhow::Result<()> {
    if *settings == Settings::default() {
        return Ok(());
    }
    say!("\nSettings:")?;
    let serde_json::Value::Object(settings) = serde_json::to_value(delivery(settings.clone())?)? else { return Ok(()) };
    for (key, value) in settings.iter().filter(|(_, value)| !value.is_null()) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        say!("  {key} = {}", visible(&value, 300))?;
    }
    Ok(())
}

fn delivery(settings: Settings) -> serde_json::Result<Delivery> {
    Ok(Delivery {
        ack_reaction: settings.ack_reaction,
        reply_to_mode: serde_json::to_value(settings.reply_to_mode)?,
        text_chunk_limit: settings.text_chunk_limit,
        chunk_mode: serde_json::to_value(settings.chunk_mode)?,
        mention_patterns: settings.mention_patterns,
        verdicts: serde_json::to_value(settings.verdicts)?,
    })
}
