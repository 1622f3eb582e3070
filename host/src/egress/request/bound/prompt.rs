//! What holds for permission prompts: they are there, all of them, as the host wrote them, and no other request has
//! buttons.

use super::{Request, shown};
use crate::{
    egress::{Permit, document::Node, request::Denial},
    manifest::{Action, Buttons, Endpoint, FieldToken, Pointer, Use, excerpt},
    relay::Choice,
};

impl Request<'_> {
    /// Compares the buttons; for prompts, checks that the text is there once, and the message if there is one. That they
    /// are the action's is checked before.
    ///
    /// # Errors
    /// [`Denial`] says what is missing or differs. It shows no token.
    pub(super) fn prompt(&self, endpoint: &Endpoint, permit: &Permit) -> Result<(), Denial> {
        let asks = permit.purpose == Use::Action(Action::Ask);
        let choices = permit.choices.as_deref().filter(|_| asks).unwrap_or_default();
        match &endpoint.buttons {
            Some(buttons) => self.buttons(buttons, choices)?,
            None if choices.is_empty() => {}
            None => return Err(Denial::new("it has no place for the buttons of the prompt; ask for another endpoint")),
        }
        if !asks {
            return Ok(());
        }
        if endpoint.text.as_ref().map_or(0, |field| self.fields(field).len()) != 1 {
            return Err(Denial::new("a prompt has its text, once; give the text as the host gave it"));
        }
        let is_new = permit.message.is_none();
        match &endpoint.message {
            // One that is there and should not be was found before.
            _ if is_new => Ok(()),
            Some(bound) if self.given(bound).is_empty() => Err(Denial::new(format!(
                "the prompt takes the place of a message, which is missing; give it as {}",
                shown(bound)
            ))),
            Some(_) => Ok(()),
            None => Err(Denial::new(
                "the prompt takes the place of a message, and this sends a new one; ask for an endpoint that changes \
                 messages, or answer `unsupported`",
            )),
        }
    }

    /// The buttons are just these, in this order.
    fn buttons(&self, buttons: &Buttons, wanted: &[Choice]) -> Result<(), Denial> {
        let given = self.fields(&buttons.at);
        let place = excerpt(&buttons.at.text, 80);
        if given.len() != wanted.len() {
            let (count, all) = (given.len(), wanted.len());
            return Err(Denial::new(format!(
                "{count} buttons are given as {place}, and the action has {all}; give those of the action, as the host \
                 gave them"
            )));
        }
        for (number, (node, choice)) in given.into_iter().zip(wanted).enumerate() {
            let differs = |what: &str| {
                let number = number + 1;
                Err(Denial::new(format!(
                    "the {what} of button {number} at {place} is not that of the action; give the buttons as the host gave \
                     them, in their order"
                )))
            };
            if text(node, &buttons.label) != Some(&choice.label) {
                return differs("label");
            }
            if text(node, &buttons.token) != Some(&choice.token) {
                return differs("token");
            }
        }
        Ok(())
    }
}

/// The string that the pointer names below a node.
fn text<'n>(node: &'n Node, at: &Pointer) -> Option<&'n str> {
    let tokens: Vec<FieldToken> = at.tokens().iter().map(|token| FieldToken::Member(token.to_string())).collect();
    match node.select(&tokens).as_slice() {
        [Node::Text(text)] => Some(text),
        _ => None,
    }
}
