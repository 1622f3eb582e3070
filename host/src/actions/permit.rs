//! What an action may request: only what is about its own conversation, text, message and files.

use crate::{
    egress::Permit,
    manifest::{Action, Use},
    sandbox::types,
};

/// The manifest's word for an action; an adapter's own tools are declared as such.
pub(super) fn kind(action: &types::Action) -> Option<Action> {
    match action {
        types::Action::Send(_) => Some(Action::Send),
        types::Action::Edit(_) => Some(Action::Edit),
        types::Action::React(_) => Some(Action::React),
        types::Action::Typing(_) => Some(Action::Typing),
        types::Action::Ask(_) => Some(Action::Ask),
        types::Action::Fetch(_) => Some(Action::Fetch),
        types::Action::History(_) => Some(Action::History),
        types::Action::Call(_) => None,
    }
}

/// Where an action speaks.
fn place(action: &types::Action) -> Option<&types::Place> {
    match action {
        types::Action::Send(outgoing) => Some(&outgoing.place),
        types::Action::Edit(edit) => Some(&edit.place),
        types::Action::React(reaction) => Some(&reaction.place),
        types::Action::Typing(place) => Some(place),
        types::Action::Ask(prompt) => Some(&prompt.place),
        types::Action::History(query) => Some(&query.place),
        types::Action::Call(call) => call.place.as_ref(),
        types::Action::Fetch(_) => None,
    }
}

/// The conversation that an action is for.
pub(super) fn conversation(action: &types::Action) -> Option<&str> {
    place(action).map(|place| &*place.conversation)
}

/// What requests of an action must agree with.
pub(super) fn permit(action: &types::Action) -> Permit {
    let mut permit = Permit::bare(kind(action).map_or(Use::Call, Use::Action));
    if let Some(types::Place { conversation, thread }) = place(action) {
        (permit.conversation, permit.thread) = (Some(conversation.clone()), thread.clone());
    }
    match action {
        types::Action::Send(types::Outgoing { reply_to, text, files, .. }) => {
            permit.reply_to.clone_from(reply_to);
            permit.text = Some(text.text.clone());
            permit.files = files.iter().map(|file| file.file.clone()).collect();
        }
        types::Action::Edit(types::Edit { message, text, .. }) => {
            permit.message = Some(message.clone());
            permit.text = Some(text.text.clone());
        }
        types::Action::React(reaction) => permit.message = Some(reaction.message.clone()),
        types::Action::Ask(prompt) => permit.text = Some(prompt.text.text.clone()),
        types::Action::Fetch(reference) => permit.reference = Some(reference.clone()),
        types::Action::Typing(_) | types::Action::History(_) | types::Action::Call(_) => {}
    }
    permit
}
