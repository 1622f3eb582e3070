//! What of a request must agree with the action: where it goes, what it answers or changes, and what it says.

mod prompt;

use std::collections::BTreeSet;

use super::Denial;
use crate::{
    egress::{Permit, document::Node, fill::Variables},
    manifest::{Bound, Endpoint, FieldPattern, excerpt},
};

/// Asks for the colourful form of an emoji.
const VARIATION: char = '\u{fe0f}';

/// What the adapter gives at a bound place.
enum Given<'a> {
    Variable(&'a str),
    Field(&'a Node),
}

/// Compares the request with the action.
///
/// # Errors
/// [`Denial`] if the conversation is missing, if anything differs, or if something is there that must be.
pub(super) fn check(
    endpoint: &Endpoint,
    permit: &Permit,
    variables: &Variables,
    document: Option<&Node>,
) -> Result<(), Denial> {
    let request = Request { variables, document };
    for field in &endpoint.required {
        request.require(field)?;
    }
    request.conversation(&endpoint.conversation, permit.conversation.as_deref())?;
    if let (Some(bound), Some(thread)) = (&endpoint.thread, &permit.thread)
        && request.given(bound).is_empty()
    {
        let (place, thread) = (shown(bound), excerpt(thread, 40));
        return Err(Denial::new(format!("the action is in the thread \"{thread}\"; give it as {place}")));
    }
    let ids = [
        ("thread", &endpoint.thread, &permit.thread),
        ("message", &endpoint.message, &permit.message),
        ("message that is answered", &endpoint.reply_to, &permit.reply_to),
        ("attachment", &endpoint.reference, &permit.reference),
    ];
    for (what, bound, wanted) in ids {
        if let Some(bound) = bound {
            request.agrees(what, bound, wanted.as_deref())?;
        }
    }
    if let Some(reference) = &endpoint.reference
        && request.given(reference).is_empty()
    {
        return Err(Denial::new(format!("{} must name the attachment; give its reference", shown(reference))));
    }
    if let Some(bound) = &endpoint.emoji {
        request.emoji(bound, permit.emoji.as_deref())?;
    }
    for field in &endpoint.spoken {
        request.spoken(field, &permit.spoken)?;
    }
    for (field, texts) in &endpoint.values {
        request.value(field, texts)?;
    }
    if let Some(field) = &endpoint.text {
        request.text(field, permit.text.as_deref())?;
    }
    request.prompt(endpoint, permit)
}

/// What is compared: exactly what is then sent.
struct Request<'a> {
    variables: &'a Variables,
    document: Option<&'a Node>,
}

impl<'a> Request<'a> {
    fn fields(&self, pattern: &FieldPattern) -> Vec<&'a Node> {
        self.document.map_or_else(Vec::new, |document| document.select(&pattern.tokens))
    }

    fn given(&self, bound: &Bound) -> Vec<Given<'a>> {
        match bound {
            Bound::Field(pattern) => self.fields(pattern).into_iter().map(Given::Field).collect(),
            Bound::Variable(name) => self.variables.get(name).map(|text| Given::Variable(text)).into_iter().collect(),
        }
    }

    /// A field is there if it is in the body and not `null`.
    fn require(&self, field: &FieldPattern) -> Result<(), Denial> {
        if self.fields(field).into_iter().all(|node| *node == Node::Null) {
            return Err(Denial::new(format!("the field {} is missing; give it", excerpt(&field.text, 80))));
        }
        Ok(())
    }

    fn conversation(&self, bounds: &[Bound], wanted: Option<&str>) -> Result<(), Denial> {
        if bounds.is_empty() {
            return Ok(());
        }
        let Some(wanted) = wanted.filter(|id| !id.is_empty()) else {
            return Err(Denial::new("it is for one conversation, and this call is about none; ask during an action"));
        };
        let mut is_there = false;
        for bound in bounds {
            is_there |= !self.given(bound).is_empty();
            self.agrees("conversation", bound, Some(wanted))?;
        }
        if is_there {
            return Ok(());
        }
        let places: Vec<String> = bounds.iter().map(shown).collect();
        Err(Denial::new(format!("the conversation is missing; give it as {}", places.join(" or "))))
    }

    /// Everything that is there equals what the action is about.
    fn agrees(&self, what: &str, bound: &Bound, wanted: Option<&str>) -> Result<(), Denial> {
        for given in self.given(bound) {
            let Some(wanted) = wanted else {
                let place = shown(bound);
                return Err(Denial::new(format!("{place} names a {what}, and the action has none; leave it out")));
            };
            if !given.is(wanted) {
                return Err(Denial::new(format!(
                    "{} is {}, and the {what} of the action is \"{}\"; give that one",
                    shown(bound),
                    given.shown(),
                    excerpt(wanted, 40)
                )));
            }
        }
        Ok(())
    }

    /// What is said beside the text is the action's too.
    fn spoken(&self, field: &FieldPattern, spoken: &BTreeSet<String>) -> Result<(), Denial> {
        let is_it = |node: &&Node| matches!(node, Node::Text(text) if spoken.contains(text));
        match self.fields(field).into_iter().find(|node| !is_it(node)) {
            None => Ok(()),
            Some(node) => Err(Denial::new(format!(
                "the field {} is {}, which is no link and no language of the action's text; give one of those, or leave \
                 it out",
                excerpt(&field.text, 80),
                Given::Field(node).shown()
            ))),
        }
    }

    /// An emoji is the same with and without its variation selector: keyboards add it, platforms take it out.
    fn emoji(&self, bound: &Bound, wanted: Option<&str>) -> Result<(), Denial> {
        let plain = |emoji: &str| emoji.replace(VARIATION, "");
        let wanted = wanted.map(plain).filter(|emoji| !emoji.is_empty());
        let is_it = |given: &Given<'_>| given.text().map(plain).is_some_and(|emoji| Some(emoji) == wanted);
        match (self.given(bound).into_iter().find(|given| !is_it(given)), &wanted) {
            (None, _) => Ok(()),
            (Some(_), None) => {
                Err(Denial::new(format!("{} is an emoji, and the action has none; leave it out", shown(bound))))
            }
            (Some(given), Some(wanted)) => Err(Denial::new(format!(
                "{} is {}, and the emoji of the action is \"{}\"; give that one",
                shown(bound),
                given.shown(),
                excerpt(wanted, 40)
            ))),
        }
    }

    /// What the endpoint leaves to the adapter is one of the texts that it names.
    fn value(&self, field: &FieldPattern, texts: &BTreeSet<String>) -> Result<(), Denial> {
        let is_one = |node: &&Node| matches!(node, Node::Text(text) if texts.contains(text));
        match self.fields(field).into_iter().find(|node| !is_one(node)) {
            None => Ok(()),
            Some(node) => Err(Denial::new(format!(
                "the field {} is {}, which is not among its `values`; give one of those, or leave it out",
                excerpt(&field.text, 80),
                Given::Field(node).shown()
            ))),
        }
    }

    fn text(&self, field: &FieldPattern, wanted: Option<&str>) -> Result<(), Denial> {
        let is_it = |node: &&Node| matches!(node, Node::Text(text) if Some(&**text) == wanted);
        if self.fields(field).iter().all(is_it) {
            return Ok(());
        }
        let mend = match wanted {
            Some(_) => "differs from the text of the action; send the text as the host gave it",
            None => "is the text of an action, and this one has none; leave it out",
        };
        Err(Denial::new(format!("the field {} {mend}", excerpt(&field.text, 80))))
    }
}

impl Given<'_> {
    /// The text of a variable or of a string.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Variable(text) => Some(text),
            Self::Field(Node::Text(text)) => Some(text),
            Self::Field(_) => None,
        }
    }

    /// An id is a string, or an integer by its digits, and nothing else.
    fn is(&self, id: &str) -> bool {
        match self {
            Self::Variable(text) => *text == id,
            Self::Field(Node::Text(text)) => text == id,
            Self::Field(Node::Unsigned(number)) => number.to_string() == id,
            Self::Field(Node::Negative(number)) => number.to_string() == id,
            Self::Field(_) => false,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Variable(text) => format!("\"{}\"", excerpt(text, 40)),
            Self::Field(Node::Text(text)) => format!("\"{}\"", excerpt(text, 40)),
            Self::Field(Node::Unsigned(number)) => number.to_string(),
            Self::Field(Node::Negative(number)) => number.to_string(),
            Self::Field(Node::Float(_)) => "a number that is no integer of 64 bits".into(),
            Self::Field(_) => "neither a string nor an integer".into(),
        }
    }
}

fn shown(bound: &Bound) -> String {
    match bound {
        Bound::Field(pattern) => format!("the field {}", excerpt(&pattern.text, 80)),
        Bound::Variable(name) => format!("the variable `{}`", excerpt(name, 40)),
    }
}
