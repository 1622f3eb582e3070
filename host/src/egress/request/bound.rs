//! What of a request must agree with the action: where it goes, what it answers or changes, and what it says.

use super::Denial;
use crate::{
    egress::{Permit, document::Node, fill::Variables},
    manifest::{Bound, Endpoint, FieldPattern, excerpt},
};

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
    endpoint.text.as_ref().map_or(Ok(()), |field| request.text(field, permit.text.as_deref()))
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
            Self::Field(_) => "no id, which is a string or an integer".into(),
        }
    }
}

fn shown(bound: &Bound) -> String {
    match bound {
        Bound::Field(pattern) => format!("the field {}", excerpt(&pattern.text, 80)),
        Bound::Variable(name) => format!("the variable `{}`", excerpt(name, 40)),
    }
}
