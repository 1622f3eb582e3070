//! `sluicegate revoke`: the user takes a grant back.

use anyhow::bail;

use super::{leftovers, reload};
use crate::{
    cli::screen::{GOOD, confirm, paint, say},
    grants::Grants,
    home::Home,
    name::AdapterName,
};

/// Runs the command.
pub(in crate::cli) fn revoke(home: &Home, name: &AdapterName, forget: bool, yes: bool) -> anyhow::Result<i32> {
    let granted = Grants::load(home)?.get(name).is_some();
    if !granted && !forget {
        bail!("{name} is not allowed; `sluicegate list` shows what is. To delete what it left behind, add --forget");
    }
    let question = match (granted, forget) {
        (true, false) => format!("Stop {name}? What it keeps stays."),
        (true, true) => format!("Stop {name} and delete its state, senders, files and secrets?"),
        (false, _) => format!("Delete the state, senders, files and secrets that {name} left behind?"),
    };
    if !confirm(&question, yes)? {
        say!("Nothing was changed.")?;
        return Ok(1);
    }
    let removed = Grants::update(home, |grants| grants.remove(name))?;
    if let Some(grant) = &removed {
        leftovers::remember(home, name, grant)?;
    }
    let status = reload(home);
    if removed.is_some() {
        let stopped = if status.is_some() { ", and it has stopped" } else { "" };
        say!("{name} is {}{stopped}.", paint(GOOD, "no longer allowed"))?;
    }
    if forget {
        leftovers::delete(home, name)?;
        say!("What it kept is deleted.")?;
    }
    Ok(0)
}
