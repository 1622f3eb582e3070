//! The checks of identity rules: a rule that loads can be read, and reads only what it may.

mod pressed;

use std::{collections::BTreeMap, ops::Range};

use toml::Spanned;

use super::{
    BodyKind, Direct, IdentityRule, Platform, Poll, Route, Scalar, Time, Value,
    check::{Checked, MANY, limit},
    document::{IdentityTable, List},
    error::Fault,
    is_plain,
    plain::excerpt,
    route::RouteAuth,
};
use crate::message::TextBy;

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
    Quoted,
    Token,
}

impl Use {
    fn allows(self, value: &Value) -> bool {
        match value {
            Value::Pointer(_) => true,
            _ if matches!(self, Self::Quoted | Self::Token) => false,
            Value::Match(_) => true,
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
            Self::Quoted => "what the answered message said is a pointer",
            Self::Token => "what came back with the button is a pointer",
        }
    }
}

/// Where the items come from that a rule reads.
#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Route(&'a Route),
    Poll(&'a Poll),
}

/// Checks a rule against the sources and settings of its platform.
pub(super) fn rule(table: IdentityTable, platform: &Platform) -> Checked<IdentityRule> {
    let source = source(&table.source.get_ref().0, table.source.span(), platform)?;
    let check = Check { source };
    limit(table.name.span(), table.require.len() + table.absent.len() + table.equal.len(), MANY)?;
    limit(table.name.span(), table.text.len().max(table.quoted.len()), TEXTS)?;
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
    let pressed = pressed::Pressed { token: table.token, repeats: table.repeats, acknowledge: table.acknowledge };
    let pressed = pressed.checked(table.kind, table.name.span(), &check, platform)?;
    let text_by = match &table.words {
        Some(words) if *words.get_ref() == TextBy::Adapter => {
            return Err(Fault::wrong(
                words.span(),
                "a rule reads the words of the platform's people: \"sender\" or \"others\"; the adapter's own are composed",
            ));
        }
        words => words.as_ref().map_or(TextBy::Sender, |words| *words.get_ref()),
    };
    Ok(IdentityRule {
        name: table.name.into_inner().0.into(),
        source: table.source.into_inner().0.into(),
        auth: match source {
            Source::Route(route) => Some(route.auth),
            Source::Poll(_) => None,
        },
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
        text_by,
        text: check.values(table.text, Use::Text)?,
        quoted: check.values(table.quoted, Use::Quoted)?,
        group: check.optional(table.group, Use::Reference)?,
        when: table.when.map(|when| condition(when, platform)).transpose()?,
        token: pressed.token,
        repeats: pressed.repeats,
        acknowledge: pressed.acknowledge,
    })
}

fn source<'a>(name: &str, span: Range<usize>, platform: &'a Platform) -> Checked<Source<'a>> {
    let poll = || platform.poll(name).map(Source::Poll);
    if let Some(source) = platform.route(name).map(Source::Route).or_else(poll) {
        return Ok(source);
    }
    let problem = if platform.timers.iter().any(|timer| timer.name == name) {
        format!("{name:?} is a timer, which brings nothing that a rule could read; name a route or a poll")
    } else {
        format!(
            "no route is named {name:?}, and no poll; add [[route]] or [[poll]] with that name, or name one that is there"
        )
    };
    Err(Fault::wrong(span, problem))
}

/// The setting that a rule depends on, and the value that it must have.
fn condition(
    table: Spanned<BTreeMap<Spanned<String>, Spanned<String>>>,
    platform: &Platform,
) -> Checked<(String, String)> {
    let span = table.span();
    let mut settings = table.into_inner().into_iter();
    let (Some((name, value)), None) = (settings.next(), settings.next()) else {
        return Err(Fault::wrong(span, "it names one setting and the value that it must have: { reactions = \"on\" }"));
    };
    let Some(item) = platform.config.get(name.get_ref()) else {
        let shown = excerpt(name.get_ref(), 40);
        let problem = format!("there is no setting {shown:?}; add [config.NAME] for it, or name one that is there");
        return Err(Fault::wrong(name.span(), problem));
    };
    if !item.takes(value.get_ref()) {
        let problem = "the user cannot set this value, so the rule would never apply; take one that its pattern takes";
        return Err(Fault::wrong(value.span(), problem));
    }
    Ok((name.into_inner(), value.into_inner()))
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
    source: Source<'a>,
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
        let (name, many, wildcards) = match self.source {
            Source::Route(route) => {
                let wildcards = route.path.wildcards() + usize::from(route.items.is_some());
                (format!("the route {:?}", route.name), route.websocket || route.items.is_some(), wildcards)
            }
            Source::Poll(poll) => (format!("the poll {:?}", poll.name), true, 1),
        };
        match (value, self.source) {
            (Value::Credential | Value::Header(_) | Value::Path | Value::Signed | Value::Body, Source::Poll(_)) => {
                Some(format!(
                    "{name} brings elements of an answer, and they have no {value}; take a pointer into the element"
                ))
            }
            _ if purpose == Use::Event && many && !matches!(value, Value::Pointer(_)) => {
                Some(format!("{name} brings many items with the same {value}; point at an id that each item has"))
            }
            (Value::Pointer(_), Source::Route(route)) if !route.websocket && !route.body.is_json() => {
                Some(format!("{name} does not bring JSON, so nothing can be pointed at; take another `body` there"))
            }
            (Value::Body, Source::Route(route)) if !route.websocket && route.body == BodyKind::None => {
                Some(format!("{name} has no body"))
            }
            (Value::Match(number), _) => (*number >= wildcards)
                .then(|| format!("{name} has {wildcards} wildcards in `path` and `items`, counted from 0")),
            (Value::Signed, Source::Route(route)) if route.auth != RouteAuth::Credential => {
                Some(format!("nothing is signed on {name}: it needs auth = \"credential\""))
            }
            _ => None,
        }
    }
}
