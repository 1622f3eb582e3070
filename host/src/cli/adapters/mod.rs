//! The commands about adapters: what there is, what it asks for, and what the user allows.

mod advice;
mod allow;
mod candidates;
mod inspect;
mod leftovers;
mod list;
mod reload;
mod revoke;

pub(super) use advice::advice;
pub(super) use allow::allow;
pub(super) use candidates::Workshop;
pub(super) use inspect::inspect;
pub(super) use list::list;
pub(super) use reload::{reload, status};
pub(super) use revoke::revoke;

use anyhow::Context as _;

use crate::{adapters::Said, config::Config, grants::Grants, home::Home, name::AdapterName};

/// A grant that the user has given, with what its manifest says.
pub(super) struct Granted {
    /// What it says of itself.
    pub(super) said: Said,
    /// Its identity rules may admit and decide.
    pub(super) vetted: bool,
}

/// What was granted under that name.
///
/// # Errors
/// If nothing was.
pub(super) fn granted(home: &Home, name: &AdapterName) -> anyhow::Result<Granted> {
    let grants = Grants::load(home)?;
    let grant = grants
        .get(name)
        .with_context(|| format!("no adapter {name} is allowed: `sluicegate list` shows what there is"))?;
    let said = Said::parse(grant.manifest.clone()).map_err(anyhow::Error::msg).context(format!(
        "what was granted for {name} is not understood by this version; `sluicegate allow {name}` looks at it again"
    ))?;
    Ok(Granted { vetted: grant.vetted || said.contract.from_profile, said })
}

/// The settings, or, after a word about what is wrong with them, the defaults: for commands that only show.
pub(super) fn settings(home: &Home) -> anyhow::Result<Config> {
    Config::load(home).or_else(|error| {
        super::screen::note!("{error}; what follows is by the default settings");
        Ok(toml::from_str("")?)
    })
}
