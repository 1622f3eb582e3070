//! Identity rules: how the host reads who speaks, where and what, from the bytes of an item.

use std::{fmt, sync::Arc};

use super::{
    buttons::{Acknowledge, Repeats},
    route::RouteAuth,
    value::{Scalar, Value, line, list, pairs, quoted},
};
use crate::message::{Kind, TextBy};

/// How the host reads identity from an item of one source. [`fmt::Display`] gives its TOML form, in full.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityRule {
    /// Its name, by which the adapter delivers.
    pub name: Arc<str>,
    /// The source that it reads.
    pub source: Arc<str>,
    /// Who may use that source; `None` where the host opens it itself.
    pub auth: Option<RouteAuth>,
    /// What happened, when it applies.
    pub kind: Kind,
    /// What must be there and not be null.
    pub require: Vec<Value>,
    /// What must not be there, or be null.
    pub absent: Vec<Value>,
    /// What must have just this value.
    pub equal: Vec<(Value, Scalar)>,
    /// The platform's id of the event: delivered once, for ever.
    pub event: Value,
    /// The platform's id of the message; the event's where there is none.
    pub message: Option<Value>,
    /// When it was sent; the time of receipt where there is none.
    pub time: Option<Time>,
    /// The immutable id of the sender.
    pub sender: Value,
    /// What the sender is called: decoration.
    pub sender_name: Option<Value>,
    /// The id of the conversation.
    pub conversation: Value,
    /// The id of the thread within it.
    pub thread: Option<Value>,
    /// Whether it was said to the adapter alone.
    pub direct: Direct,
    /// The id of the message that it answers.
    pub reply_to: Option<Value>,
    /// What was said: the first that is there and is not empty.
    pub text: Vec<Value>,
    /// Whose words that is: the sender's, or somebody else's whom the sender passes on.
    pub text_by: TextBy,
    /// What the message that it answers said: the first that is there and is not empty.
    pub quoted: Vec<Value>,
    /// The id that the parts of one album share.
    pub group: Option<Value>,
    /// It applies only while the setting of that name has this value.
    pub when: Option<(String, String)>,
    /// What came back with a pressed button; there if the kind is `button`, and only then.
    pub token: Option<Value>,
    /// What the platform repeats of the message whose button was pressed.
    pub repeats: Option<Repeats>,
    /// How the host tells the platform that it took the press.
    pub acknowledge: Option<Acknowledge>,
}

impl IdentityRule {
    /// Whether the sender is a credential that the user configured, or the user's own page.
    #[must_use]
    pub fn is_by_credential(&self) -> bool {
        matches!((&self.sender, self.auth), (Value::Credential, Some(_)) | (Value::Const(_), Some(RouteAuth::Page)))
    }
}

/// Where the time of sending stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time {
    /// Where.
    pub at: Value,
    /// How it is written.
    pub unit: TimeUnit,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// Seconds since the Unix epoch.
    S,
    /// Milliseconds since the Unix epoch.
    Ms,
    /// Microseconds since the Unix epoch.
    Us,
    /// Text of RFC 3339.
    Rfc3339,
}

impl TimeUnit {
    /// The word that rules use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S => "s",
            Self::Ms => "ms",
            Self::Us => "us",
            Self::Rfc3339 => "rfc3339",
        }
    }
}

/// Whether something was said to the adapter alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Direct {
    /// Always, or never.
    Const(bool),
    /// If the value is one of these; not if it is missing.
    At {
        /// Where.
        at: Value,
        /// The values that mean yes.
        is: Vec<Scalar>,
    },
}

impl fmt::Display for IdentityRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[[identity]]")?;
        writeln!(f, "name = {}", quoted(&self.name))?;
        writeln!(f, "source = {}", quoted(&self.source))?;
        writeln!(f, "kind = {}", quoted(self.kind.as_str()))?;
        list(f, "require", &self.require)?;
        list(f, "absent", &self.absent)?;
        pairs(f, "equal", self.equal.iter().map(|(value, scalar)| (value, scalar)))?;
        writeln!(f, "event = {}", self.event)?;
        line(f, "message", self.message.as_ref())?;
        if let Some(Time { at, unit }) = &self.time {
            writeln!(f, "time = {{ at = {at}, unit = {} }}", quoted(unit.as_str()))?;
        }
        writeln!(f, "sender = {}", self.sender)?;
        line(f, "sender-name", self.sender_name.as_ref())?;
        writeln!(f, "conversation = {}", self.conversation)?;
        line(f, "thread", self.thread.as_ref())?;
        match &self.direct {
            Direct::Const(value) => writeln!(f, "direct = {{ const = {value} }}")?,
            Direct::At { at, is } => {
                let is = is.iter().map(Scalar::to_string).collect::<Vec<_>>().join(", ");
                writeln!(f, "direct = {{ at = {at}, is = [{is}] }}")?;
            }
        }
        line(f, "reply-to", self.reply_to.as_ref())?;
        if self.text_by == TextBy::Others {
            writeln!(f, "words = \"others\"")?;
        }
        list(f, "text", &self.text)?;
        list(f, "quoted", &self.quoted)?;
        line(f, "group", self.group.as_ref())?;
        pairs(f, "when", self.when.iter().map(|(setting, value)| (setting, quoted(value))))?;
        line(f, "token", self.token.as_ref())?;
        line(f, "repeats", self.repeats.as_ref())?;
        line(f, "acknowledge", self.acknowledge.as_ref())
    }
}
