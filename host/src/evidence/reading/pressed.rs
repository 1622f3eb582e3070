//! What a pressed button brings: its token, what the platform repeats of its message, and how the host takes it.

use serde_json::{Map, Number, Value as Json};

use super::{Look, show};
use crate::{
    evidence::{Document, Evidence, Found, NotEvidence},
    manifest::{Buttons, IdentityRule, Pointer, Value},
    relay::{Choice, Repeated},
};

/// The longest token, in bytes. The host's own are shorter.
const TOKEN_BYTES: usize = 256;

impl IdentityRule {
    /// The request by which the host tells the platform that it took the press: the endpoint, which is for `handle`, and
    /// its body of JSON. None if the rule has no such request, does not apply, or finds a value missing or unusable.
    #[must_use]
    pub fn acknowledgement(&self, evidence: &Evidence) -> Option<(&str, String)> {
        let acknowledge = self.acknowledge.as_ref().filter(|_| *self.source == *evidence.source)?;
        let look = Look { rule: self, evidence };
        look.conditions().ok()?;
        let mut body = Map::new();
        for (at, value) in &acknowledge.fields {
            let value = match look.find("acknowledge", value).ok()?? {
                Found::Text(text) if !text.is_empty() => Json::from(text),
                Found::Integer(number) => Json::Number(Number::from_i128(number)?),
                _ => return None,
            };
            put(&mut body, at, value)?;
        }
        Some((&acknowledge.endpoint, Json::Object(body).to_string()))
    }
}

/// Puts a leaf into the body, with the objects on the way to it; none if something else is in its way.
fn put(body: &mut Map<String, Json>, at: &Pointer, value: Json) -> Option<()> {
    let (last, way) = at.tokens().split_last()?;
    let mut object = body;
    for token in way {
        let next = object.entry(&**token).or_insert_with(|| Json::Object(Map::new()));
        object = next.as_object_mut()?;
    }
    object.insert(last.to_string(), value).is_none().then_some(())
}

impl Look<'_> {
    /// What came back; a rule that names a place for it does not apply without.
    pub(super) fn token(&self) -> Result<Option<String>, NotEvidence> {
        let Some(value) = &self.rule.token else { return Ok(None) };
        let problem = match self.find("token", value)? {
            Some(Found::Text(text)) if (1..=TOKEN_BYTES).contains(&text.len()) => return Ok(Some(text.to_owned())),
            Some(Found::Text(text)) => format!("has {} bytes; a token has 1 to {TOKEN_BYTES}", text.len()),
            Some(other) => format!("is {}, and no token", show(other)),
            None => "is not there".into(),
        };
        Err(self.refuse("token", value, problem))
    }

    /// What the platform repeats of the message; none if there is nothing of it at all.
    ///
    /// What is named by the rule and is missing beside other things is an empty text, which no prompt has.
    pub(super) fn repeated(&self) -> Result<Option<Repeated>, NotEvidence> {
        let Some(repeats) = &self.rule.repeats else { return Ok(None) };
        let document = self.document()?;
        let said = match &repeats.text {
            None => None,
            Some(at) => match document.at(at) {
                None | Some(Found::Null) => None,
                Some(Found::Text(text)) => Some(text.to_owned()),
                Some(other) => {
                    let at = Value::Pointer(at.clone());
                    return Err(self.refuse("repeats", &at, format!("is {}, and no text", show(other))));
                }
            },
        };
        let choices = repeats.buttons.as_ref().map(|buttons| choices(document, buttons));
        if said.is_none() && choices.as_ref().is_none_or(Vec::is_empty) {
            return Ok(None);
        }
        let text = repeats.text.as_ref().map(|_| said.unwrap_or_default());
        Ok(Some(Repeated { text, choices }))
    }
}

/// The buttons in their order. A label or token that is missing or no text is an empty one, which no button of the host's
/// has.
fn choices(document: &Document, buttons: &Buttons) -> Vec<Choice> {
    let text = |found: Option<Found<'_>>| match found {
        Some(Found::Text(text)) => text.to_owned(),
        _ => String::new(),
    };
    let elements = document.elements(&buttons.at, [&buttons.label, &buttons.token]);
    elements.into_iter().map(|[label, token]| Choice { label: text(label), token: text(token) }).collect()
}
