//! The checks of endpoints for prompts: what the host compares is in them, and nothing that it does not.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use toml::Spanned;

use super::{Checked, MANY, elements, endpoint::Bounds, limit, twice};
use crate::manifest::{
    Action, Bound, Buttons, Endpoint, FieldPattern, FieldToken, IdentityRule, Platform, RouteAuth, Sent, Use,
    document::List, error::Fault, is_plain,
};
use crate::message::Kind;

/// The longest text that a field may have by `values`, in bytes.
const VALUE_BYTES: usize = 200;

const ASK: Use = Use::Action(Action::Ask);

/// Checks that label and token are leaves of the body, and that a button has no others.
pub(super) fn buttons(given: Spanned<Buttons>, bounds: &mut Bounds<'_>) -> Checked<Buttons> {
    let (span, buttons) = (given.span(), given.into_inner());
    let leaves = buttons.leaves();
    for leaf in &leaves {
        bounds.check("buttons", Spanned::new(span.clone(), Bound::Field(leaf.clone())))?;
    }
    if let Some(other) = bounds.body.fields.iter().find(|field| buttons.at.leads_to(field) && !leaves.contains(field)) {
        let problem = format!("a button has a label and a token and nothing else; take {other} out of `fields`");
        return Err(Fault::wrong(span, problem));
    }
    Ok(buttons)
}

/// Reads which texts some of the fields may have.
pub(super) fn values(
    given: BTreeMap<Spanned<String>, Spanned<List>>,
    bounds: &mut Bounds<'_>,
) -> Checked<BTreeMap<FieldPattern, BTreeSet<String>>> {
    let mut values = BTreeMap::new();
    for (at, texts) in given {
        let (span, texts_span) = (at.span(), texts.span());
        limit(span.clone(), values.len() + 1, MANY)?;
        let field =
            FieldPattern::parse(at.get_ref()).map_err(|problem| Fault::wrong(span.clone(), problem.to_string()))?;
        let field = bounds.leaf("values", Spanned::new(span, field))?;
        let mut allowed = BTreeSet::new();
        for text in elements::<String>(Some(texts), MANY)? {
            let (span, text) = (text.span(), text.into_inner());
            if text.is_empty() || text.len() > VALUE_BYTES || !text.chars().all(is_plain) {
                let problem = format!("it has 1 to {VALUE_BYTES} bytes and no control or invisible characters");
                return Err(Fault::wrong(span, problem));
            }
            if !allowed.insert(text.clone()) {
                return Err(twice(span, &text));
            }
        }
        if allowed.is_empty() {
            return Err(Fault::wrong(texts_span, "name the texts that it may have, or take it out of `fields`"));
        }
        values.insert(field, allowed);
    }
    Ok(values)
}

/// Checks that an endpoint for prompts has the host's words in it, and that the host then knows the message.
pub(super) fn check(endpoint: &Endpoint, uses: Range<usize>) -> Checked<()> {
    if !endpoint.uses.contains(&ASK) {
        return Ok(());
    }
    let wrong = |problem: String| Err(Fault::wrong(uses.clone(), problem));
    let Some(text) = &endpoint.text else {
        return wrong("a prompt is in the host's words; say where they stand, such as text = \"/text\"".into());
    };
    if text.tokens.contains(&FieldToken::Each) {
        return wrong(format!("a prompt has one text, and {text} stands for many; name one field"));
    }
    if !endpoint.required.contains(text) {
        return wrong(format!("a prompt has its text always; add {text} to `required`"));
    }
    if endpoint.download {
        return wrong("a prompt is not answered with a file; take \"ask\" or `download` out".into());
    }
    match (&endpoint.sent, &endpoint.message) {
        (Some(Sent::One(_)), _) => Ok(()),
        (Some(Sent::Each { .. }), _) => {
            wrong("a prompt is one message; write where its id stands, such as sent = \"/result/message_id\"".into())
        }
        (None, None) => wrong(
            "the host must know which message the prompt is; say where the answer has its id, such as sent = \
             \"/result/message_id\", or where the message stands that is changed, such as message = \"/message_id\""
                .into(),
        ),
        (None, Some(Bound::Field(field))) if !endpoint.required.contains(field) => {
            wrong(format!("without `sent` a prompt takes the place of another message; add {field} to `required`"))
        }
        (None, Some(_)) => Ok(()),
    }
}

/// Checks that prompts can be sent at all: by an endpoint, or to a page of the adapter's own.
pub(super) fn can_ask(platform: &Platform, action: Range<usize>) -> Checked<()> {
    let page = platform.routes.iter().any(|route| route.websocket && route.auth == RouteAuth::Page);
    if page || platform.endpoints.iter().any(Endpoint::asks_anew) {
        return Ok(());
    }
    Err(Fault::wrong(
        action,
        "no prompt could be sent: it needs an endpoint for = [\"ask\"] that sends a new message (with `text` and `sent`), \
         or a WebSocket with auth = \"page\"; add one, or take \"ask\" out",
    ))
}

/// Checks what a manifest without a profile must have so that a prompt stays what it was: only a prompt's own endpoint and
/// edits of named messages can change it, and a pressed button says what it hung on.
pub(super) fn stays_as_it_is(own: &Platform, action: Range<usize>) -> Checked<()> {
    let wrong = |problem: String| Err(Fault::wrong(action.clone(), problem));
    let named = |endpoint: &&Endpoint| match &endpoint.message {
        Some(Bound::Field(field)) => endpoint.required.contains(field),
        Some(Bound::Variable(_)) => true,
        None => false,
    };
    let mut edits = own.endpoints.iter().filter(|endpoint| endpoint.uses.contains(&Use::Action(Action::Edit)));
    if let Some(Endpoint { name, .. }) = edits.find(|endpoint| !named(endpoint)) {
        return wrong(format!(
            "an edit could change a prompt; say where the endpoint `{name}` names its message, such as message = \
             \"/message_id\", and have it in `required`"
        ));
    }
    let repeats = |rule: &&Arc<IdentityRule>| rule.repeats.as_ref().is_some_and(|repeats| repeats.text.is_some());
    let mut buttons = own.identities.iter().filter(|rule| rule.kind == Kind::Button);
    if let Some(rule) = buttons.find(|rule| !repeats(rule)) {
        return wrong(format!(
            "a pressed button must say what it hung on; say in the rule `{}` where the platform repeats the text, such as \
             repeats = {{ text = \"/message/text\" }}",
            rule.name
        ));
    }
    Ok(())
}
