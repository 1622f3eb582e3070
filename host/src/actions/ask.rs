//! Permission prompts on their way to approvers: the platform's own word counts, never the adapter's.

use std::sync::Arc;

use super::{
    ActionError,
    perform::{Performed, keep_prompts, run, shown as is_shown},
    permit::permit,
};
use crate::{adapters::Adapter, relay::AskId, sandbox::types};

/// Has the adapter send a prompt; gives the platform's id of the new message. The `subject` is kept with it, so that a
/// later process can close it.
///
/// # Errors
/// [`ActionError`]; also where the platform has named no message, or more than one: then nobody knows what it shows.
pub async fn ask(
    adapter: &Arc<Adapter>,
    ask: AskId,
    prompt: types::Prompt,
    subject: &str,
) -> Result<String, ActionError> {
    let conversation = prompt.place.conversation.clone();
    let Performed { outcome, asked } = show(adapter, Some(ask), prompt, Some(subject)).await?;
    let mut ids = match outcome {
        // The page is the host's own code, and there is no platform between.
        types::Outcome::Sent(ids) if adapter.is_own_page() => {
            keep_prompts(adapter, ids.iter().map(|id| is_shown(&conversation, id, subject)).collect()).await?;
            ids
        }
        _ => asked.unwrap_or_default(),
    };
    match (ids.pop(), ids.is_empty()) {
        (Some(id), true) => Ok(id),
        (None, _) => Err(not_shown("the platform named no new message")),
        (Some(_), false) => Err(not_shown("the platform named several messages")),
    }
}

/// Has the adapter show another prompt in the message of an earlier one.
///
/// # Errors
/// [`ActionError`]; also where no request for it was made.
pub async fn ask_again(adapter: &Arc<Adapter>, ask: AskId, prompt: types::Prompt) -> Result<(), ActionError> {
    shown(adapter, &show(adapter, Some(ask), prompt, None).await?)
}

/// Has the adapter show how it ended in the message of an earlier prompt.
///
/// # Errors
/// As [`ask_again`].
pub async fn close(adapter: &Arc<Adapter>, prompt: types::Prompt) -> Result<(), ActionError> {
    shown(adapter, &show(adapter, None, prompt, None).await?)
}

async fn show(
    adapter: &Arc<Adapter>,
    ask: Option<AskId>,
    prompt: types::Prompt,
    subject: Option<&str>,
) -> Result<Performed, ActionError> {
    let action = types::Action::Ask(prompt);
    let mut permit = permit(&action);
    permit.ask = ask;
    // Styles are compared by no one, so only the host's own code may add them.
    permit.plain = !adapter.own;
    run(adapter, action, permit, subject).await
}

fn shown(adapter: &Adapter, performed: &Performed) -> Result<(), ActionError> {
    if performed.asked.is_some() || adapter.is_own_page() {
        return Ok(());
    }
    Err(not_shown("the adapter made no request for it"))
}

fn not_shown(why: &str) -> ActionError {
    ActionError::Invalid(format!("{why}, so it is not known what was shown"))
}
