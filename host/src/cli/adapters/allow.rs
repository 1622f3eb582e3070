//! `sluicegate allow`: the user lets a component run, pinned to its digest.

use anyhow::{Context as _, bail};

use super::{Workshop, advice, candidates, inspect, leftovers, list, reload};
use crate::{
    adapters::{Entry, Origin, Said, Standing, has_page},
    cli::{
        arguments::{AllowOptions, Data},
        screen::{self, BAD, BOLD, GOOD, confirm, note, paint, say},
    },
    config::Config,
    control::AdapterState,
    grants::{Grant, Grants},
    home::Home,
    name::AdapterName,
};

/// Runs the command.
pub(in crate::cli) fn allow(home: &Home, options: &AllowOptions) -> anyhow::Result<i32> {
    let workshop = Workshop::open(home)?;
    let file = workshop.dropped_file(&options.target);
    let (entries, _) = workshop.survey();
    let entry = candidates::choose(&entries, &options.target, file.as_deref(), home)?;
    let facts = inspect::Facts::gather(&workshop, &entry.candidate);
    let Ok(said) = &entry.candidate.said else {
        inspect::show(entry, &facts, false)?;
        return Ok(1);
    };
    let name = &said.contract.manifest.name;
    let before = workshop.grants.get(name);
    if let Standing::Granted(grant) = &entry.standing
        && (!options.vet || grant.vetted || said.contract.from_profile)
    {
        say!("{name} is allowed already.")?;
        return report(home, entry, said);
    }
    inspect::show(entry, &facts, !said.contract.from_profile)?;
    let data = match decide_data(home, entry, name, options)? {
        Decided::Stop => return Ok(1),
        Decided::Nothing => None,
        Decided::Data(data) => Some(data),
    };
    if !matches!(entry.standing, Standing::Granted(_)) {
        say!("")?;
        if !confirm(&format!("Allow {}?", paint(BOLD, name)), options.yes)? {
            say!("Nothing was changed.")?;
            return Ok(1);
        }
    }
    let Some(vetted) = vet(said, before, options)? else { return Ok(1) };
    if data == Some(Data::Delete) {
        // The old component must be stopped before its state can go.
        Grants::update(home, |grants| grants.remove(name))?;
        reload(home);
        leftovers::delete(home, name)?;
    }
    let grant = grant(entry, said, vetted)?;
    Grants::update(home, |grants| grants.insert(name.clone(), grant))?;
    leftovers::settled(home, name)?;
    say!("{} {name}.", paint(GOOD, "Allowed"))?;
    if has_page(&said.contract.platform) && !matches!(entry.candidate.origin, Origin::Bundled(_)) {
        note!(
            "While its page runs, fakechat brings you no permission prompts: pages share an origin in your browser, and \
             one could press the other's buttons."
        );
    }
    report(home, entry, said)
}

/// What becomes of the data of another component of that name.
enum Decided {
    /// There are none.
    Nothing,
    /// The user has said.
    Data(Data),
    /// The user does not want to go on.
    Stop,
}

fn decide_data(home: &Home, entry: &Entry, name: &AdapterName, options: &AllowOptions) -> anyhow::Result<Decided> {
    let replaces = match entry.standing {
        Standing::Replacement(_) => true,
        Standing::New => leftovers::are_foreign(home, name, &entry.candidate)?,
        _ => false,
    };
    if !replaces {
        return Ok(Decided::Nothing);
    }
    if let Some(data) = options.data {
        return Ok(Decided::Data(data));
    }
    say!("\n{} State, senders, files and secrets of another {name} are there.", paint(BAD, "This is a replacement."))?;
    say!("keep: this component takes them over, and whoever could speak may go on. delete: they are deleted now.")?;
    let mend = format!("nobody can be asked here; say what becomes of {name}'s data with --data keep or --data delete");
    if options.yes {
        bail!(mend.replace("nobody can be asked here; ", ""));
    }
    Ok(match screen::choose("What shall become of them?", &["keep", "delete"]).context(mend)? {
        Some("keep") => Decided::Data(Data::Keep),
        Some(_) => Decided::Data(Data::Delete),
        None => {
            say!("Nothing was changed.")?;
            Decided::Stop
        }
    })
}

/// Whether the rules that it brings are trusted from now on. `None` if the user, asked about them, said no.
fn vet(said: &Said, before: Option<&Grant>, options: &AllowOptions) -> anyhow::Result<Option<bool>> {
    if said.contract.from_profile {
        if options.vet {
            note!("--vet is not needed: its identity rules are Sluicegate's own.");
        }
        return Ok(Some(false));
    }
    if options.vet {
        inspect::show_rules(said)?;
        say!("")?;
        if !confirm("Trust these rules?", options.yes)? {
            say!("Nothing was changed. Without --vet it may run, and its rules only carry what allowed senders say.")?;
            return Ok(None);
        }
        return Ok(Some(true));
    }
    let Some(before) = before.filter(|before| before.vetted) else { return Ok(Some(false)) };
    let same = Said::parse(before.manifest.clone()).is_ok_and(|old| old.contract.platform == said.contract.platform);
    if !same {
        note!("The rules that you trusted have changed: add --vet to read and trust the new ones.");
    }
    Ok(Some(same))
}

fn grant(entry: &Entry, said: &Said, vetted: bool) -> anyhow::Result<Grant> {
    let bundled = matches!(entry.candidate.origin, Origin::Bundled(_));
    Ok(Grant {
        digest: entry.candidate.digest.clone().context("the component could not be read")?,
        bundled,
        file: (!bundled).then(|| entry.candidate.origin.label()),
        granted: jiff::Timestamp::from_second(jiff::Timestamp::now().as_second())?.to_string(),
        vetted,
        manifest: said.text.clone(),
    })
}

/// Has a running process take it up, and says what happened and what is still to do.
fn report(home: &Home, entry: &Entry, said: &Said) -> anyhow::Result<i32> {
    let name = &said.contract.manifest.name;
    let status = reload(home);
    match (&status, super::reload::status_of(status.as_ref(), name).map(|adapter| &adapter.state)) {
        (None, _) => {
            say!("It runs as soon as Claude Code starts Sluicegate; `sluicegate setup` shows how.")?;
        }
        (Some(_), Some(AdapterState::Running | AdapterState::Starting)) => say!("It runs now.")?,
        (Some(_), Some(state)) => {
            say!("It does not run: {}", screen::reason(state.reason().unwrap_or(state.as_str()), 400))?;
        }
        (Some(status), None) => {
            say!("Process {} does not run it: it serves other adapters only (--only).", status.pid)?;
        }
    }
    let config = match Config::load(home) {
        Ok(config) => config,
        Err(error) => {
            say!("{} {error}", paint(BAD, "The settings cannot be used:"))?;
            return Ok(0);
        }
    };
    let token = screen::is_watched().then(|| home.page_token()).transpose()?;
    let granted = Grants::load(home)?.get(name).cloned();
    let entry = match granted {
        Some(grant) => Entry { candidate: entry.candidate.clone(), standing: Standing::Granted(grant) },
        None => entry.clone(),
    };
    list::show_addresses(&list::granted_row(&entry, &said.contract, &config, status.as_ref(), token.as_deref()))?;
    for advice in advice(home, &config, &said.contract) {
        say!("\n{}\n{}", advice.problem, advice.mend)?;
    }
    Ok(0)
}
