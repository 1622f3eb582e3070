//! Applies an identity rule to an item.

mod pressed;

use std::sync::Arc;

use super::{Document, Evidence, Found, NotEvidence, time};
use crate::{
    manifest::{Direct, IdentityRule, Scalar, TimeUnit, Value, excerpt, is_plain},
    message::{Kind, TextBy},
    relay::Repeated,
};

/// The longest id, in bytes.
const ID_BYTES: usize = 256;
/// The longest display name, in characters; longer ones are cut.
const NAME_CHARS: usize = 128;
/// The longest quoted text, in characters; longer ones are cut.
const QUOTED_CHARS: usize = 1000;

/// What a rule read from an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The rule.
    pub rule: Arc<str>,
    /// The source of the item.
    pub source: Arc<str>,
    /// What happened.
    pub kind: Kind,
    /// The platform's id of the event, unique within the source.
    pub event: String,
    /// The platform's id of the message; the event's where the rule names none.
    pub message_id: String,
    /// When it was sent, in milliseconds since the Unix epoch; when it was received where the rule names no time.
    pub time_ms: i64,
    /// The sender's immutable id.
    pub sender: String,
    /// What the sender is called, at most 128 characters; foreign text.
    pub sender_name: Option<String>,
    /// The id of the conversation.
    pub conversation: String,
    /// The id of the thread.
    pub thread: Option<String>,
    /// It was said to the adapter alone.
    pub direct: bool,
    /// The id of the message that it answers.
    pub reply_to: Option<String>,
    /// What was said, if anything; foreign text.
    pub text: Option<String>,
    /// Which of the rule's places it stood at.
    pub text_at: usize,
    /// Whose words that is.
    pub text_by: TextBy,
    /// What the message that it answers said, if that is known; foreign text, at most 1000 characters.
    pub quoted: Option<String>,
    /// The id that the parts of one album share.
    pub group: Option<String>,
    /// The sender is a credential that the user configured, or the user's own page.
    pub by_credential: bool,
    /// What came back with a pressed button, 1 to 256 bytes; there if the kind is `button`.
    pub token: Option<String>,
    /// What the platform repeats of the message whose button was pressed; none if it repeats nothing of it, or the rule
    /// names no place for it. A text or a token that should be there and is not is an empty one.
    pub repeated: Option<Repeated>,
}

impl IdentityRule {
    /// Reads an item by this rule. Nothing is parsed if the rule points at nothing in the item.
    ///
    /// Optional ids may be missing or null, but if there they must be ids. The time of a rule that names one must be
    /// there, not before the year 2000, and at most a day after the receipt. Empty texts count as missing.
    ///
    /// # Errors
    /// [`NotEvidence`] says which condition does not hold, or which value cannot be used.
    pub fn read(&self, evidence: &Evidence) -> Result<Reading, NotEvidence> {
        if *self.source != *evidence.source {
            return Err(NotEvidence::OtherSource {
                rule: self.rule_name(),
                expected: Arc::clone(&self.source),
                actual: excerpt(&evidence.source, 40),
            });
        }
        let look = Look { rule: self, evidence };
        look.conditions()?;
        let event = look.id("event", &self.event)?;
        let message_id = match &self.message {
            Some(message) => look.id("message", message)?,
            None => event.clone(),
        };
        let (text_at, text) = look.text("text", &self.text)?.unzip();
        let quoted = look.text("quoted", &self.quoted)?;
        Ok(Reading {
            rule: self.rule_name(),
            source: Arc::clone(&self.source),
            kind: self.kind,
            event,
            message_id,
            time_ms: look.time()?,
            sender: look.id("sender", &self.sender)?,
            sender_name: look.name()?,
            conversation: look.id("conversation", &self.conversation)?,
            thread: look.optional_id("thread", self.thread.as_ref())?,
            direct: look.direct()?,
            reply_to: look.optional_id("reply-to", self.reply_to.as_ref())?,
            text,
            text_at: text_at.unwrap_or_default(),
            text_by: self.text_by,
            quoted: quoted.map(|(_, text)| text.chars().take(QUOTED_CHARS).collect()),
            group: look.optional_id("group", self.group.as_ref())?,
            by_credential: self.is_by_credential(),
            token: look.token()?,
            repeated: look.repeated()?,
        })
    }

    fn rule_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }
}

/// One rule looking at one item.
struct Look<'a> {
    rule: &'a IdentityRule,
    evidence: &'a Evidence,
}

impl<'a> Look<'a> {
    fn refuse(&self, key: &str, value: &Value, problem: impl Into<String>) -> NotEvidence {
        NotEvidence::DoesNotApply {
            rule: self.rule.rule_name(),
            what: format!("{key} ({value})"),
            problem: problem.into(),
        }
    }

    /// The value; `None` if it is not there or null.
    fn find(&self, key: &str, value: &'a Value) -> Result<Option<Found<'a>>, NotEvidence> {
        let context = &self.evidence.context;
        let text = match value {
            Value::Pointer(pointer) => {
                return Ok(self.document()?.at(pointer).filter(|found| *found != Found::Null));
            }
            Value::Credential => context.credential.as_deref(),
            Value::Signed => context.signed.as_deref(),
            Value::Path => Some(&*context.path),
            Value::Match(number) => context.matches.get(*number).map(|text| &**text),
            Value::Const(text) => Some(&**text),
            Value::Header(name) => {
                let mut of_name = context.headers.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name));
                let first = of_name.next().map(|(_, text)| &**text);
                if of_name.next().is_some() {
                    return Err(self.refuse(key, value, "is there twice, so it says nothing"));
                }
                first
            }
            Value::Body => match std::str::from_utf8(&self.evidence.bytes) {
                Ok(text) => Some(text),
                Err(_) => return Err(self.refuse(key, value, "is no UTF-8")),
            },
        };
        Ok(text.map(Found::Text))
    }

    fn document(&self) -> Result<&'a Document, NotEvidence> {
        let document = self.evidence.document();
        document.map_err(|why| NotEvidence::NotStrict { rule: self.rule.rule_name(), why: why.clone() })
    }

    fn conditions(&self) -> Result<(), NotEvidence> {
        for value in &self.rule.require {
            if self.find("require", value)?.is_none() {
                return Err(self.refuse("require", value, "is not there"));
            }
        }
        for value in &self.rule.absent {
            if self.find("absent", value)?.is_some() {
                return Err(self.refuse("absent", value, "is there"));
            }
        }
        for (value, expected) in &self.rule.equal {
            let found = self.find("equal", value)?;
            if !found.is_some_and(|found| equals(found, expected)) {
                let shown = found.map_or_else(|| "not there".to_owned(), show);
                return Err(self.refuse("equal", value, format!("is {shown} and not {expected}")));
            }
        }
        Ok(())
    }

    fn id(&self, key: &str, value: &'a Value) -> Result<String, NotEvidence> {
        match self.find(key, value)? {
            Some(found) => self.id_of(key, value, found),
            None => Err(self.refuse(key, value, "is not there")),
        }
    }

    fn optional_id(&self, key: &str, value: Option<&'a Value>) -> Result<Option<String>, NotEvidence> {
        let Some(value) = value else { return Ok(None) };
        self.find(key, value)?.map(|found| self.id_of(key, value, found)).transpose()
    }

    fn id_of(&self, key: &str, value: &Value, found: Found<'_>) -> Result<String, NotEvidence> {
        let problem = match found {
            Found::Integer(number) => return Ok(number.to_string()),
            Found::Text("") => "is empty".into(),
            Found::Text(text) if text.len() > ID_BYTES => format!("is longer than {ID_BYTES} bytes"),
            Found::Text(text) if !text.chars().all(is_plain) => {
                format!("is {} and has control or invisible characters", show(found))
            }
            Found::Text(text) if text.trim() != text => format!("is {} and has spaces around it", show(found)),
            Found::Text(text) => return Ok(text.to_owned()),
            other => format!("is {}, and no id: ids are strings or plain integers of 64 bits", show(other)),
        };
        Err(self.refuse(key, value, problem))
    }

    /// A display name is decoration: what is no text is no name.
    fn name(&self) -> Result<Option<String>, NotEvidence> {
        let Some(value) = &self.rule.sender_name else { return Ok(None) };
        Ok(match self.find("sender-name", value)? {
            Some(Found::Text(text)) if !text.is_empty() => Some(text.chars().take(NAME_CHARS).collect()),
            _ => None,
        })
    }

    fn direct(&self) -> Result<bool, NotEvidence> {
        match &self.rule.direct {
            Direct::Const(direct) => Ok(*direct),
            Direct::At { at, is } => {
                let found = self.find("direct", at)?;
                Ok(found.is_some_and(|found| is.iter().any(|expected| equals(found, expected))))
            }
        }
    }

    fn time(&self) -> Result<i64, NotEvidence> {
        let received = self.evidence.context.received_ms;
        let Some(rule) = &self.rule.time else { return Ok(received) };
        let time = match self.find("time", &rule.at)? {
            None => Err("is not there".into()),
            Some(Found::Integer(number)) => time::from_integer(number, rule.unit, received),
            Some(Found::Text(text)) if rule.unit == TimeUnit::Rfc3339 => time::from_text(text, received),
            // Headers and paths have no numbers of their own, only digits.
            Some(Found::Text(text)) if !matches!(rule.at, Value::Pointer(_)) => match digits(text) {
                Some(number) => time::from_integer(number, rule.unit, received),
                None => Err("is no integer".into()),
            },
            Some(other) => Err(format!("is {}, and no time", show(other))),
        };
        time.map_err(|problem| self.refuse("time", &rule.at, problem))
    }

    /// The first text, and at which of the places it stands.
    fn text(&self, key: &str, values: &'a [Value]) -> Result<Option<(usize, String)>, NotEvidence> {
        for (at, value) in values.iter().enumerate() {
            match self.find(key, value)? {
                None | Some(Found::Text("")) => {}
                Some(Found::Text(text)) => return Ok(Some((at, text.to_owned()))),
                Some(other) => return Err(self.refuse(key, value, format!("is {}, and no text", show(other)))),
            }
        }
        Ok(None)
    }
}

fn digits(text: &str) -> Option<i128> {
    let plain = text.len() <= 20 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn equals(found: Found<'_>, expected: &Scalar) -> bool {
    match (found, expected) {
        (Found::Bool(found), Scalar::Bool(expected)) => found == *expected,
        (Found::Integer(found), Scalar::Integer(expected)) => found == i128::from(*expected),
        (Found::Text(found), Scalar::Text(expected)) => found == expected,
        _ => false,
    }
}

/// A value as an error may show it.
fn show(found: Found<'_>) -> String {
    match found {
        Found::Null => "null".into(),
        Found::Bool(value) => value.to_string(),
        Found::Integer(value) => value.to_string(),
        Found::OtherNumber => "a number with a fraction, an exponent or too many digits".into(),
        Found::Text(text) => format!("\"{}\"", excerpt(text, 40)),
        Found::Array => "an array".into(),
        Found::Object => "an object".into(),
    }
}
