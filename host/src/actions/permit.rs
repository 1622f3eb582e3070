//! What an action may request: only what is about its own conversation, text, message, emoji and files.

use crate::{
    egress::Permit,
    manifest::{Action, Use},
    relay::Choice,
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
            says(&mut permit, text);
            permit.files = files.iter().map(|file| file.file.clone()).collect();
        }
        types::Action::Edit(types::Edit { message, text, .. }) => {
            permit.message = Some(message.clone());
            says(&mut permit, text);
        }
        types::Action::React(types::Reaction { message, emoji, .. }) => {
            permit.message = Some(message.clone());
            permit.emoji = Some(emoji.clone()).filter(|emoji| !emoji.is_empty());
        }
        types::Action::Ask(prompt) => {
            permit.message.clone_from(&prompt.replaces);
            permit.choices = Some(prompt.choices.iter().map(choice).collect());
            says(&mut permit, &prompt.text);
        }
        types::Action::Fetch(reference) => permit.reference = Some(reference.clone()),
        types::Action::Typing(_) | types::Action::History(_) | types::Action::Call(_) => {}
    }
    permit
}

fn choice(choice: &types::Choice) -> Choice {
    Choice { label: choice.label.clone(), token: choice.token.clone() }
}

/// All that a text says: its words, where its links lead, and the languages of its blocks.
fn says(permit: &mut Permit, text: &types::RichText) {
    permit.text = Some(text.text.clone());
    permit.spoken = text
        .spans
        .iter()
        .filter_map(|span| match &span.style {
            types::Style::Link(url) => Some(url.clone()),
            types::Style::Block(language) => language.clone(),
            _ => None,
        })
        .collect();
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn place() -> types::Place {
        types::Place { conversation: "42".into(), thread: Some("7".into()) }
    }

    fn text() -> types::RichText {
        let span = |style| types::Span { start: 0, end: 1, style };
        let styles = [
            types::Style::Bold,
            types::Style::Link("https://a.example/".into()),
            types::Style::Block(Some("rust".into())),
            types::Style::Block(None),
            types::Style::Code,
        ];
        types::RichText { text: "words".into(), spans: styles.into_iter().map(span).collect() }
    }

    #[test]
    fn whatever_a_text_says_may_be_said_and_nothing_else() {
        let (reply_to, files) = (Some("3".to_owned()), Vec::new());
        for action in [
            types::Action::Send(types::Outgoing { place: place(), reply_to, text: text(), files }),
            types::Action::Edit(types::Edit { place: place(), message: "5".into(), text: text() }),
            types::Action::Ask(types::Prompt { place: place(), replaces: None, text: text(), choices: Vec::new() }),
        ] {
            let permit = permit(&action);
            assert_eq!(permit.text.as_deref(), Some("words"));
            assert_eq!(permit.spoken.iter().collect::<Vec<_>>(), ["https://a.example/", "rust"]);
            assert_eq!((permit.thread.as_deref(), permit.emoji), (Some("7"), None));
        }
        let typing = permit(&types::Action::Typing(place()));
        assert!(typing.text.is_none() && typing.spoken.is_empty());
    }

    #[test]
    fn a_prompt_has_its_buttons_and_a_rewrite_its_message() {
        let choices = vec![types::Choice { label: "Deny".into(), token: "t".into() }];
        let prompt = types::Prompt { place: place(), replaces: Some("5".into()), text: text(), choices };
        let rewrite = permit(&types::Action::Ask(prompt));
        assert_eq!(rewrite.message.as_deref(), Some("5"));
        assert_eq!(rewrite.choices, Some(vec![Choice { label: "Deny".into(), token: "t".into() }]));
        let send = types::Outgoing { place: place(), reply_to: None, text: text(), files: Vec::new() };
        assert_eq!(permit(&types::Action::Send(send)).choices, None, "only a prompt has buttons");
    }

    #[test]
    fn a_reaction_has_its_emoji_or_takes_one_away() {
        for (emoji, expected) in [("❤\u{fe0f}", Some("❤\u{fe0f}")), ("", None)] {
            let reaction = types::Reaction { place: place(), message: "5".into(), emoji: emoji.into() };
            let permit = permit(&types::Action::React(reaction));
            assert_eq!((permit.emoji.as_deref(), permit.message.as_deref()), (expected, Some("5")));
        }
    }
}
