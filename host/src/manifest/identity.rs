//! The checks of identity rules: a rule that loads can be read, and reads only what it may.

use std::ops::Range;

use toml::Spanned;

use super::{
    BodyKind, Direct, IdentityRule, Route, Scalar, Time, Timer, Value,
    check::{Checked, MANY, limit},
    document::{IdentityTable, List},
    error::Fault,
    is_plain,
    route::RouteAuth,
};

/// The most places where a text may stand.
const TEXTS: usize = 8;

/// What a value is for; each use allows some words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Event,
    Message,
    Id,
    Name,
    Reference,
    Condition,
    Time,
    Text,
}

impl Use {
    fn allows(self, value: &Value) -> bool {
        match value {
            Value::Pointer(_) | Value::Match(_) => true,
            Value::Path => !matches!(self, Self::Name | Self::Time),
            Value::Header(_) => self != Self::Event,
            Value::Signed => matches!(self, Self::Event | Self::Message),
            Value::Credential => matches!(self, Self::Id | Self::Name | Self::Condition),
            Value::Const(_) => matches!(self, Self::Id | Self::Name),
            Value::Body => self == Self::Text,
        }
    }

    /// What to do about a word that is not allowed here.
    const fn mend(self) -> &'static str {
        match self {
            Self::Event => {
                "the event's id must be its own and authenticated: a pointer, \"$signed\", \"$match:N\" or \"$path\"; \
                 a header is not signed, and anything constant would be delivered once and never again"
            }
            Self::Message => "the message's id is a pointer, \"$signed\", \"$header:NAME\", \"$match:N\" or \"$path\"",
            Self::Id => {
                "an id here is a pointer, \"$credential\", \"$header:NAME\", \"$match:N\", \"$path\" or { const = \"…\" }"
            }
            Self::Name => "a name is a pointer, \"$credential\", \"$header:NAME\", \"$match:N\" or { const = \"…\" }",
            Self::Reference => "this is a pointer, \"$header:NAME\", \"$match:N\" or \"$path\"",
            Self::Condition => {
                "a condition is about a pointer, \"$credential\", \"$header:NAME\", \"$match:N\" or \"$path\""
            }
            Self::Time => "a time is a pointer, \"$header:NAME\" or \"$match:N\"",
            Self::Text => {
                "a text is a pointer, \"$body\", \"$header:NAME\", \"$match:N\" or \"$path\"; \
                 words of the adapter's own are composed, not read"
            }
        }
    }
}

/// Checks a rule against the routes and timers of its platform.
pub(super) fn rule(table: IdentityTable, routes: &[Route], timers: &[Timer]) -> Checked<IdentityRule> {
    let source = source(&table.source.get_ref().0, table.source.span(), routes, timers)?;
    let check = Check { route: source };
    limit(table.name.span(), table.require.len() + table.absent.len() + table.equal.len(), MANY)?;
    limit(table.name.span(), table.text.len(), TEXTS)?;
    let time = match table.time {
        None => None,
        Some(time) => Some(Time { at: check.value(time.at, Use::Time)?, unit: time.unit }),
    };
    let mut equal = Vec::with_capacity(table.equal.len());
    for (word, scalar) in table.equal {
        let span = word.span();
        let value = Value::parse(word.get_ref()).map_err(|error| Fault::wrong(span.clone(), error.to_string()))?;
        let value = check.spanned(span, value, Use::Condition)?;
        scalar_fits(&value, scalar.get_ref(), scalar.span())?;
        equal.push((value, scalar.into_inner()));
    }
    let direct = match table.direct {
        None => Direct::Const(false),
        Some(direct) => {
            let span = direct.span();
            match direct.into_inner() {
                Direct::Const(value) => Direct::Const(value),
                Direct::At { at, is } => {
                    limit(span.clone(), is.len(), MANY)?;
                    let at = check.spanned(span.clone(), at, Use::Condition)?;
                    is.iter().try_for_each(|scalar| scalar_fits(&at, scalar, span.clone()))?;
                    Direct::At { at, is }
                }
            }
        }
    };
    Ok(IdentityRule {
        name: table.name.into_inner().0.into(),
        source: table.source.into_inner().0.into(),
        auth: Some(source.auth),
        kind: table.kind,
        require: check.values(table.require, Use::Condition)?,
        absent: check.values(table.absent, Use::Condition)?,
        equal,
        event: check.value(table.event, Use::Event)?,
        message: check.optional(table.message, Use::Message)?,
        time,
        sender: check.value(table.sender, Use::Id)?,
        sender_name: check.optional(table.sender_name, Use::Name)?,
        conversation: check.value(table.conversation, Use::Id)?,
        thread: check.optional(table.thread, Use::Reference)?,
        direct,
        reply_to: check.optional(table.reply_to, Use::Reference)?,
        text: check.values(table.text, Use::Text)?,
        quoted: Vec::new(),
        group: None,
        when: None,
    })
}

fn source<'a>(name: &str, span: Range<usize>, routes: &'a [Route], timers: &[Timer]) -> Checked<&'a Route> {
    if let Some(route) = routes.iter().find(|route| route.name == name) {
        return Ok(route);
    }
    let problem = if timers.iter().any(|timer| timer.name == name) {
        format!("{name:?} is a timer, which brings nothing that a rule could read; name a route")
    } else {
        format!("no route is named {name:?}; add [[route]] with that name, or name one that is there")
    };
    Err(Fault::wrong(span, problem))
}

/// A text is compared with strings only: nothing in a header or a path is an integer or a boolean.
fn scalar_fits(value: &Value, scalar: &Scalar, span: Range<usize>) -> Checked<()> {
    match scalar {
        Scalar::Text(text) if text.len() > 256 || !text.chars().all(is_plain) => {
            Err(Fault::wrong(span, "what is compared has at most 256 bytes and no control or invisible characters"))
        }
        Scalar::Text(_) => Ok(()),
        _ if matches!(value, Value::Pointer(_)) => Ok(()),
        _ => Err(Fault::wrong(span, format!("{value} is text; compare it with a string"))),
    }
}

struct Check<'a> {
    route: &'a Route,
}

impl Check<'_> {
    fn value(&self, value: Spanned<Value>, purpose: Use) -> Checked<Value> {
        let span = value.span();
        self.spanned(span, value.into_inner(), purpose)
    }

    fn optional(&self, value: Option<Spanned<Value>>, purpose: Use) -> Checked<Option<Value>> {
        value.map(|value| self.value(value, purpose)).transpose()
    }

    fn values(&self, values: List, purpose: Use) -> Checked<Vec<Value>> {
        values.read()?.into_iter().map(|value| self.value(value, purpose)).collect()
    }

    fn spanned(&self, span: Range<usize>, value: Value, purpose: Use) -> Checked<Value> {
        if !purpose.allows(&value) {
            return Err(Fault::wrong(span, format!("{value} cannot stand here: {}", purpose.mend())));
        }
        match self.unreadable(&value, purpose) {
            Some(problem) => Err(Fault::wrong(span, problem)),
            None => Ok(value),
        }
    }

    /// Why the source of the rule does not have such a value.
    fn unreadable(&self, value: &Value, purpose: Use) -> Option<String> {
        let route = self.route;
        let name = &route.name;
        let many = route.websocket || route.items.is_some();
        match value {
            value if purpose == Use::Event && many && !matches!(value, Value::Pointer(_)) => Some(format!(
                "the route {name:?} brings many items with the same {value}; point at an id that each item has"
            )),
            Value::Pointer(_) if !route.websocket && !route.body.is_json() => Some(format!(
                "the route {name:?} does not bring JSON, so nothing can be pointed at; take another `body` there"
            )),
            Value::Body if !route.websocket && route.body == BodyKind::None => {
                Some(format!("the route {name:?} has no body"))
            }
            Value::Match(number) => {
                let wildcards = route.path.wildcards() + usize::from(route.items.is_some());
                (*number >= wildcards).then(|| {
                    format!("the route {name:?} has {wildcards} wildcards in `path` and `items`, counted from 0")
                })
            }
            Value::Signed if route.auth != RouteAuth::Credential => {
                Some(format!("nothing is signed on the route {name:?}: it needs auth = \"credential\""))
            }
            _ => None,
        }
    }
}
