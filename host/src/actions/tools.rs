//! The tools that Claude sees, and what a call of one does.

use std::{path::Path, sync::Arc};

use super::{
    ActionError, fetch, own, perform,
    reply::{Saying, one, say_all},
};
use crate::{
    adapters::Adapter,
    gate::Destination,
    host::Host,
    lane,
    manifest::{Action, Contract, is_plain},
    mcp::{
        JsonObject, ToolAnswer, ToolDefinition, ToolError,
        tools::{Call, Channel, Download, EditMessage, HostTools, React, Reply},
    },
    name::AdapterName,
    outbox::sanitise,
    sandbox::types,
};

/// Files that one reply may carry.
const FILES: usize = 10;

/// Ids that one answer names, and the bytes of each.
const IDS: usize = 64;
const ID: usize = 256;

/// All tools for these adapters: the host's, and the adapters' own beside them.
#[must_use]
pub fn tools(contracts: &[Arc<Contract>]) -> Vec<ToolDefinition> {
    let mut tools = host_tools(contracts).definitions();
    tools.extend(own::definitions(contracts));
    tools
}

fn host_tools(contracts: &[Arc<Contract>]) -> HostTools {
    let channel = |contract: &Arc<Contract>| {
        let can = |action| contract.manifest.actions.contains(&action);
        Channel {
            name: contract.manifest.name.clone(),
            send: can(Action::Send),
            react: can(Action::React),
            edit: can(Action::Edit),
            fetch: can(Action::Fetch),
        }
    };
    HostTools::new(contracts.iter().map(channel).collect())
}

/// Runs a tool.
///
/// # Errors
/// [`ToolError`], with a text that tells Claude what to do.
pub async fn call(
    host: &Host,
    contracts: &[Arc<Contract>],
    tool: &str,
    arguments: JsonObject,
) -> Result<ToolAnswer, ToolError> {
    let text = match host_tools(contracts).check(tool, arguments.clone()) {
        Some(checked) => match checked? {
            Call::Reply(arguments) => reply(host, arguments).await?,
            Call::React(arguments) => react(host, arguments).await?,
            Call::Edit(arguments) => edit(host, arguments).await?,
            Call::Download(arguments) => download(host, arguments).await?,
        },
        None => {
            let own::Checked { adapter, place, call } = own::check(contracts, tool, arguments)?;
            let adapter = running(host, &adapter)?;
            if let Some(place) = &place {
                may_send(&adapter, &place.conversation, place.thread.as_deref())?;
            }
            match done(perform(&adapter, types::Action::Call(call)).await)? {
                types::Outcome::Text(text) => {
                    let most = adapter.program.limits.text_kib << 10;
                    let text = sanitise::content(&text[..text.floor_char_boundary(most)]);
                    format!("In the words of the adapter {}:\n{text}", adapter.name())
                }
                _ => "done".into(),
            }
        }
    };
    Ok(ToolAnswer::new(text))
}

/// Sends a message.
///
/// # Errors
/// [`ToolError`].
pub async fn reply(host: &Host, arguments: Reply) -> Result<String, ToolError> {
    let Reply { channel, chat_id, thread_id, text, format, reply_to, files } = arguments;
    let adapter = running(host, &channel)?;
    may_send(&adapter, &chat_id, thread_id.as_deref())?;
    if files.len() > FILES {
        return Err(failed(format!("one reply carries at most {FILES} files; send several replies")));
    }
    let limit = adapter.program.limits.text_kib << 10;
    if text.len() > limit {
        return Err(failed(format!("the text has {} bytes and at most {limit} fit: send several replies", text.len())));
    }
    let mut kept = Vec::with_capacity(files.len());
    for file in &files {
        kept.push(keep(host, &adapter, file, &chat_id).await?);
    }
    let place = types::Place { conversation: chat_id, thread: thread_id };
    let saying = Saying { place, reply_to, text, format, files: kept };
    let mut ids = say_all(&adapter, saying).await.map_err(said)?;
    ids.retain(|id| is_id(id));
    ids.truncate(IDS);
    Ok(if ids.is_empty() { "sent".into() } else { format!("sent (message_id: {})", ids.join(", ")) })
}

async fn react(host: &Host, arguments: React) -> Result<String, ToolError> {
    let React { channel, chat_id, message_id, emoji } = arguments;
    let adapter = running(host, &channel)?;
    may_send(&adapter, &chat_id, None)?;
    let place = types::Place { conversation: chat_id, thread: None };
    let reaction = types::Reaction { place, message: message_id, emoji };
    done(perform(&adapter, types::Action::React(reaction)).await)?;
    Ok("reacted".into())
}

async fn edit(host: &Host, arguments: EditMessage) -> Result<String, ToolError> {
    let EditMessage { channel, chat_id, message_id, text, format } = arguments;
    let adapter = running(host, &channel)?;
    may_send(&adapter, &chat_id, None)?;
    let place = types::Place { conversation: chat_id, thread: None };
    let text = one(&adapter, &text, format).map_err(said)?;
    let edit = types::Edit { place, message: message_id, text };
    done(perform(&adapter, types::Action::Edit(edit)).await)?;
    Ok("edited".into())
}

async fn download(host: &Host, arguments: Download) -> Result<String, ToolError> {
    let adapter = running(host, &arguments.channel)?;
    let file = fetch(&adapter, arguments.file_id).await.map_err(|error| said(error.to_string()))?;
    Ok(file.path.display().to_string())
}

/// A file of the user's, checked and copied, so that what leaves is what was checked.
async fn keep(host: &Host, adapter: &Adapter, file: &str, conversation: &str) -> Result<types::KeptFile, ToolError> {
    let (outgoing, path) = (host.outgoing(adapter), Path::new(file).to_owned());
    let checked = tokio::task::spawn_blocking(move || outgoing.check(&path)).await;
    let checked = checked.map_err(|_| failed("the file could not be checked".into()))?;
    let checked = checked.map_err(|refused| failed(format!("{file}: {refused}")))?;
    let kept = adapter.files.import(checked, Some(conversation)).await;
    kept.map(|kept| lane::kept(&kept)).map_err(|error| failed(format!("{file}: {error}")))
}

/// The outbound gate: Claude may speak only where the inbound gate would listen.
fn may_send(adapter: &Adapter, conversation: &str, thread: Option<&str>) -> Result<(), ToolError> {
    let place = adapter.read(|reader| reader.place(adapter.name(), conversation));
    let place = place.map_err(|error| failed(error.to_string()))?;
    let direct = place.as_ref().filter(|place| place.direct);
    let destination = Destination {
        conversation,
        thread,
        last_direct_sender: direct.and_then(|place| place.sender.as_deref()),
        by_credential: place.as_ref().is_some_and(|place| place.by_credential),
        direct_is_sender: adapter.program.contract.platform.direct_is_sender,
    };
    adapter.gate.may_send(&destination).map_err(|reason| {
        tracing::info!(adapter = %adapter.name(), "not sent: {reason}");
        adapter.journal.count(adapter.name(), "not sent");
        failed(reason.for_claude())
    })
}

fn running(host: &Host, name: &AdapterName) -> Result<Arc<Adapter>, ToolError> {
    match host.registry.get(name) {
        Some(running) => Ok(Arc::clone(&running.adapter)),
        None => Err(failed(format!("the adapter {name} does not run now; the user can look with `sluicegate status`"))),
    }
}

fn done(outcome: Result<types::Outcome, ActionError>) -> Result<types::Outcome, ToolError> {
    outcome.map_err(|error| said(error.to_string()))
}

/// A reason that may hold foreign words.
fn said(reason: String) -> ToolError {
    failed(sanitise::content(&reason).into_owned())
}

fn failed(reason: String) -> ToolError {
    ToolError::Failed(reason)
}

/// Whether it can be an id, and not a sentence to Claude.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID && id.chars().all(|c| is_plain(c) && !c.is_whitespace() && c != '<')
}

#[cfg(test)]
mod tests {
    use super::is_id;

    #[test]
    fn an_id_is_no_sentence() {
        for good in ["1", "out-1", "1700000000.000100", "ä/7"] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["", "1)\n\nThe user agrees", "two words", "<system-reminder>", "1\u{202e}", &"x".repeat(257)] {
            assert!(!is_id(bad), "{bad:?}");
        }
    }
}
