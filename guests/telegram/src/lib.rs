//! A Telegram bot.
//!
//! The host polls, reads who speaks by the profile's rules, holds the token and checks every request against the
//! action; this adapter chooses the rule, names what hangs on a message, and writes the Bot API's requests.
//! <https://core.telegram.org/bots/api>

mod api;
mod content;
mod entities;
mod me;
mod send;
mod update;

use sluicegate_sdk::prelude::*;

/// The adapter.
pub struct Telegram;

impl Adapter for Telegram {
    const MANIFEST: &'static str = include_str!("../manifest.toml");

    fn handle(event: Event) -> Handled {
        match event {
            Event::Started => me::refresh(),
            Event::Received(item) => update::handle(&item.json()?)?,
            _ => {}
        }
        Ok(None)
    }

    fn perform(action: Action) -> Performed {
        match action {
            Action::Send(outgoing) => send::send(&outgoing),
            Action::Edit(edit) => send::edit(&edit),
            Action::React(reaction) => send::react(&reaction),
            Action::Typing(place) => send::typing(&place),
            Action::Ask(prompt) => send::ask(&prompt),
            Action::Fetch(reference) => fetch(&reference),
            Action::History(_) | Action::Call(_) => Err(Failure::Unsupported),
        }
    }
}

sluicegate_sdk::export_adapter!(Telegram);

/// Telegram gives files of at most 20 MB to bots, and says so itself.
fn fetch(reference: &str) -> Performed {
    let file = api::call("getFile", json!({ "file_id": reference }))?;
    let path = json::text(&file, "/file_path").ok_or_else(|| Failure::platform(200, "Telegram named no path"))?;
    let name = path.rsplit('/').next().unwrap_or(path);
    Ok(Outcome::Kept(Request::to("file").var("path", path).download(name)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
