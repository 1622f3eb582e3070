//! `sluicegate access NAME approver`: who may approve what Claude does, and whether an adapter can ask them.

use serde::Serialize;

use super::{
    arguments::ApproverChange,
    screen::{self, note, say, visible},
};
use crate::{
    adapters::{Said, can_ask, has_buttons, has_page},
    gate::{Access, DmPolicy, Gate, Verdicts},
    grants::Grants,
    home::Home,
    listener::PAGE,
    manifest::{Action, Contract},
    name::AdapterName,
};

/// The longest id that a line shows, in characters.
const ID: usize = 256;

/// Somebody who is listed as an approver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Listed {
    /// The platform's id of the sender.
    pub(super) id: String,
    /// Whether they may answer now: not if they may not speak, or access is disabled.
    pub(super) counts: bool,
}

/// Something that keeps approvers from being asked, and the mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Obstacle {
    /// What it is: a sentence that begins with the adapter's name.
    pub(super) problem: String,
    /// What to do.
    pub(super) mend: String,
}

/// The gate of an adapter that may be allowed or not. That its page can approve is known of the host's own pages alone.
pub(super) fn gate(home: &Home, grants: &Grants, name: &AdapterName) -> Gate {
    let own_page = grants.get(name).is_some_and(|grant| {
        grant.bundled && Said::parse(grant.manifest.clone()).is_ok_and(|said| has_page(&said.contract.platform))
    });
    Gate::open(home.access(name)).with_page(own_page.then_some(PAGE))
}

/// Why an allowed adapter asks no approver, whoever they are. `own`: it is the host's own code.
pub(super) fn obstacle(contract: &Contract, own: bool, vetted: bool) -> Option<Obstacle> {
    if can_ask(contract, own, vetted) {
        return None;
    }
    let name = &contract.manifest.name;
    let (problem, mend) = if !contract.manifest.actions.contains(&Action::Ask) {
        (
            format!("{name} asks no approvers: it has not the action `ask`"),
            "Take another adapter for it, or one of its later versions.".to_owned(),
        )
    } else if !vetted {
        (
            format!(
                "{name} asks no approvers: it brings its own rules for who is speaking, and you have not vetted them"
            ),
            format!("Read and trust them: sluicegate allow {name} --vet"),
        )
    } else {
        (
            format!(
                "{name} asks no approvers: its page is not Sluicegate's own, and could press the buttons by itself"
            ),
            "Take another adapter for it.".to_owned(),
        )
    };
    Some(Obstacle { problem, mend })
}

/// Why no answer counts although approvers are asked.
pub(super) fn no_way_to_answer(contract: &Contract, own: bool, verdicts: Verdicts) -> Option<Obstacle> {
    let name = &contract.manifest.name;
    (verdicts == Verdicts::Buttons && !has_buttons(&contract.platform, own)).then(|| Obstacle {
        problem: format!("{name} takes verdicts by buttons alone, and its platform has none: nobody can answer"),
        mend: format!("sluicegate access {name} set verdicts any"),
    })
}

/// What keeps an adapter that was granted from asking.
pub(super) fn obstacle_of(grants: &Grants, name: &AdapterName) -> Option<Obstacle> {
    let grant = grants.get(name)?;
    let said = Said::parse(grant.manifest.clone()).ok()?;
    obstacle(&said.contract, grant.bundled, grant.vetted || said.contract.from_profile)
}

/// Tells the user, who has just named an approver, what still keeps them from being asked.
pub(super) fn warn(grants: &Grants, name: &AdapterName, access: &Access) {
    if let Some(Obstacle { problem, mend }) = obstacle_of(grants, name) {
        note!("But {problem}. {mend}");
    }
    if access.dm_policy == DmPolicy::Disabled {
        note!("But access is disabled, so nobody is asked: sluicegate access {name} policy pairing");
    }
}

/// Runs the command.
pub(super) fn run(gate: &Gate, grants: &Grants, name: &AdapterName, change: &ApproverChange) -> anyhow::Result<()> {
    match change {
        ApproverChange::Add { id } => {
            let has_page = gate.is_let_in(PAGE) && grants.get(name).is_some_and(|grant| grant.bundled);
            if has_page && !gate.is_let_in(id) {
                anyhow::bail!(
                    "whoever has the page of {name} open is called \"{PAGE}\": sluicegate access {name} approver add {PAGE}"
                );
            }
            let new = gate.approver_add(id)?;
            let shown = visible(id, ID);
            if new {
                say!(
                    "\"{shown}\" may approve what Claude does through {name} now: with their yes, tools run on this machine."
                )?;
            } else {
                say!("\"{shown}\" could approve what Claude does through {name} already.")?;
            }
            warn(grants, name, &gate.access()?);
        }
        ApproverChange::Remove { id } => {
            let shown = visible(id, ID);
            if gate.approver_remove(id)? {
                say!("\"{shown}\" may no longer approve what Claude does through {name}.")?;
            } else {
                say!("\"{shown}\" was not among the approvers of {name}.")?;
            }
            if gate.access()?.allows(id) {
                say!("They may still speak to Claude; `sluicegate access {name} remove ID` takes that back too.")?;
            }
        }
        ApproverChange::List { json } => {
            let approvers = listed(gate, &gate.access()?);
            if *json {
                return screen::json(&approvers);
            }
            show(gate, &approvers)?;
        }
    }
    Ok(())
}

/// Everybody who is listed, each once.
pub(super) fn listed(gate: &Gate, access: &Access) -> Vec<Listed> {
    let mut found: Vec<Listed> = Vec::new();
    for id in &access.approvers {
        if found.iter().all(|listed| listed.id != *id) {
            found.push(Listed { counts: gate.is_approver(id), id: id.clone() });
        }
    }
    found
}

/// Shows who is listed, or how to name somebody.
pub(super) fn show(gate: &Gate, approvers: &[Listed]) -> anyhow::Result<()> {
    if approvers.is_empty() {
        say!("Nobody may approve what Claude does. To change that: {}", gate.approver_command())?;
        return Ok(());
    }
    say!("May approve what Claude does:")?;
    for Listed { id, counts } in approvers {
        let shown = visible(id, ID);
        if *counts {
            say!("  {shown}")?;
        } else if gate.is_let_in(id) {
            say!("  {shown} (not now: access is disabled)")?;
        } else {
            say!("  {shown} (not now: they may not speak)")?;
        }
    }
    Ok(())
}
