//! The checks of what a rule says of pressed buttons.

use std::{collections::BTreeMap, ops::Range};

use toml::Spanned;

use super::{Check, Use};
use crate::{
    manifest::{
        Acknowledge, BodyShape, Endpoint, FieldPattern, Platform, Pointer, Repeats, Value, check::Checked,
        document::AcknowledgeTable, endpoint, error::Fault, plain::excerpt,
    },
    message::Kind,
};

/// The words of a rule that are about pressed buttons: before, and after their checks.
pub(super) struct Pressed<T, R, A> {
    pub(super) token: Option<T>,
    pub(super) repeats: Option<R>,
    pub(super) acknowledge: Option<A>,
}

impl Pressed<Spanned<Value>, Spanned<Repeats>, Spanned<AcknowledgeTable>> {
    /// Checks that a rule of kind `button` has a token, that no other rule has any of it, and that the host can make the
    /// request that acknowledges.
    pub(super) fn checked(
        self,
        kind: Kind,
        rule: Range<usize>,
        check: &Check<'_>,
        platform: &Platform,
    ) -> Checked<Pressed<Value, Repeats, Acknowledge>> {
        let Self { token, repeats, acknowledge } = self;
        if kind != Kind::Button {
            let words = [
                ("token", token.as_ref().map(Spanned::span)),
                ("repeats", repeats.as_ref().map(Spanned::span)),
                ("acknowledge", acknowledge.as_ref().map(Spanned::span)),
            ];
            return match words.into_iter().find_map(|(word, span)| span.map(|span| (word, span))) {
                None => Ok(Pressed { token: None, repeats: None, acknowledge: None }),
                Some((word, span)) => {
                    Err(Fault::wrong(span, format!("`{word}` is for rules of the kind \"button\"; take it out")))
                }
            };
        }
        let Some(token) = token else {
            let problem = "a pressed button brings back what the host gave it; say where that stands, such as token = \
                           \"/callback_query/data\"";
            return Err(Fault::wrong(rule, problem));
        };
        if let Some(repeats) =
            repeats.as_ref().filter(|it| it.get_ref().text.is_none() && it.get_ref().buttons.is_none())
        {
            return Err(Fault::wrong(repeats.span(), "it says nothing; name `text` or `buttons`, or take it out"));
        }
        Ok(Pressed {
            token: Some(check.value(token, Use::Token)?),
            repeats: repeats.map(Spanned::into_inner),
            acknowledge: acknowledge.map(|it| acknowledgement(it.into_inner(), check, platform)).transpose()?,
        })
    }
}

fn acknowledgement(table: AcknowledgeTable, check: &Check<'_>, platform: &Platform) -> Checked<Acknowledge> {
    let span = table.endpoint.span();
    let wrong = |problem: String| Err(Fault::wrong(span.clone(), problem));
    let name = table.endpoint.into_inner();
    let shown = excerpt(&name, 40);
    let Some(endpoint) = platform.endpoint(&name) else {
        return wrong(format!(
            "no endpoint is named {shown:?}; add [[endpoint]] with that name, or name one that is there"
        ));
    };
    if !endpoint.uses.contains(&endpoint::Use::Handle) || endpoint.download {
        return wrong(format!(
            "the host acknowledges while an event is handled, and {shown:?} is not for that; have it for \"handle\", \
             without `download`"
        ));
    }
    if endpoint.body != BodyShape::Json || !endpoint.url.variables().is_empty() {
        return wrong(format!(
            "the host acknowledges with a body of JSON and no variables; let {shown:?} have body = \"json\" and a URL \
             without variables"
        ));
    }
    let fields = fields(table.fields, check, endpoint)?;
    let is_given = |field: &&FieldPattern| fields.keys().any(|at| at.as_str() == field.text);
    if let Some(missing) = endpoint.required.iter().find(|field| !is_given(field)) {
        return wrong(format!("{shown:?} requires {missing}; say in `fields` where the item has it"));
    }
    Ok(Acknowledge { endpoint: name, fields })
}

fn fields(
    given: BTreeMap<Spanned<String>, Spanned<Value>>,
    check: &Check<'_>,
    endpoint: &Endpoint,
) -> Checked<BTreeMap<Pointer, Value>> {
    let mut fields = BTreeMap::new();
    for (at, value) in given {
        let wrong = |problem: String| Fault::wrong(at.span(), problem);
        let pointer = Pointer::parse(at.get_ref()).map_err(|problem| wrong(problem.to_string()))?;
        if !endpoint.fields.iter().any(|field| field.text == *at.get_ref()) {
            let (at, name) = (excerpt(at.get_ref(), 80), &endpoint.name);
            return Err(wrong(format!("{at:?} is not in the `fields` of {name:?}; add it there")));
        }
        fields.insert(pointer, check.value(value, Use::Reference)?);
    }
    Ok(fields)
}
