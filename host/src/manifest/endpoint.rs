//! Endpoints: all that an adapter may ever request, each a whole request with gaps.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Deserializer};

use super::{
    Action, Bound, Buttons, FieldPattern, HeaderTemplate, Method, Pointer, PointerPattern, Scalar, UrlTemplate,
    template::{header_pairs, secrets},
    value::{line, list, pairs, quoted},
};

/// One request that the adapter may have the host make. [`fmt::Display`] gives its TOML form, in full.
///
/// The body of a JSON endpoint is its document. Forms and multipart bodies are treated as the object of their parts:
/// `/chat_id` is the part of that name, a part listed in `json` is parsed and pointed into, a file part is a leaf.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its name, by which the adapter requests it.
    pub name: String,
    /// When it may be requested.
    pub uses: BTreeSet<Use>,
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub url: UrlTemplate,
    /// Headers that the host writes.
    pub headers: Vec<HeaderTemplate>,
    /// Headers that the adapter may set, in lower case; never one of `headers` or of the host's.
    pub may_set: Vec<String>,
    /// What its body is.
    pub body: BodyShape,
    /// The leaves (strings, numbers, booleans, nulls, files) that a body may have; what is not listed is refused.
    pub fields: Vec<FieldPattern>,
    /// Those that must be there.
    pub required: Vec<FieldPattern>,
    /// Names of parts, of a form or a multipart body, whose text is JSON.
    pub json: Vec<String>,
    /// Names of parts of a multipart body that are files. No other part may be one.
    pub files: Vec<String>,
    /// Leaves that the host writes; the adapter may not.
    pub fixed: BTreeMap<Pointer, Scalar>,
    /// The texts that a leaf may have where it is there, each a string.
    pub values: BTreeMap<FieldPattern, BTreeSet<String>>,
    /// What must equal the action's conversation; one of them at least must be there.
    pub conversation: Vec<Bound>,
    /// Must equal the action's thread, and be there where the action has one.
    pub thread: Option<Bound>,
    /// Must equal the message that the action is about where it is there (`edit`, `react`). For `ask`, the message whose
    /// place the prompt takes: there if there is one, and not there for a new message.
    pub message: Option<Bound>,
    /// Must equal the message that the action answers where it is there.
    pub reply_to: Option<Bound>,
    /// Must equal the action's text where it is there; for `ask` it is there.
    pub text: Option<FieldPattern>,
    /// Must each be an address of a link, or a language of a block, of the action's text.
    pub spoken: Vec<FieldPattern>,
    /// Where the buttons of a prompt stand: just those of the action, in their order, and none for other actions.
    pub buttons: Option<Buttons>,
    /// Must equal the emoji of the action `react` where it is there.
    pub emoji: Option<Bound>,
    /// Must equal the reference of the action `fetch`.
    pub reference: Option<Bound>,
    /// Where a successful answer names the new message, or each of the new messages.
    pub sent: Option<Sent>,
    /// Its answers are files, which the host keeps and the adapter does not see.
    pub download: bool,
    /// The longest answer, in bytes, where it differs from the host's default. Downloads have the limit of files.
    pub max_bytes: Option<u64>,
}

/// When an endpoint may be requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// While `handle` runs; it must be harmless when repeated.
    Handle,
    /// For that action.
    Action(Action),
    /// For tools of the adapter's own.
    Call,
}

impl Use {
    /// The word that manifests use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Handle => "handle",
            Self::Action(action) => action.as_str(),
            Self::Call => "call",
        }
    }

    /// Whether it is always about one conversation.
    #[must_use]
    pub const fn has_place(self) -> bool {
        match self {
            Self::Action(action) => !matches!(action, Action::Fetch),
            Self::Handle | Self::Call => false,
        }
    }
}

impl<'de> Deserialize<'de> for Use {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        match &*word {
            "handle" => return Ok(Self::Handle),
            "call" => return Ok(Self::Call),
            _ => {}
        }
        let action = Action::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(&word));
        action.map(Self::Action).map_err(|_| {
            serde::de::Error::custom(format!(
                "{:?} is nothing that an endpoint can be for; take \"handle\", \"call\", or an action: \"send\", \
                 \"edit\", \"react\", \"typing\", \"ask\", \"fetch\"",
                super::plain::excerpt(&word, 40)
            ))
        })
    }
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyShape {
    /// There is none.
    #[default]
    None,
    /// `application/json`
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/form-data` (RFC 7578)
    Multipart,
}

impl BodyShape {
    /// The word that manifests use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Json => "json",
            Self::Form => "form",
            Self::Multipart => "multipart",
        }
    }

    /// Whether it has named parts.
    #[must_use]
    pub const fn has_parts(self) -> bool {
        matches!(self, Self::Form | Self::Multipart)
    }
}

/// Where an answer names new messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// One id at this place.
    One(Pointer),
    /// An id at `id` in each element of the array.
    Each {
        /// The array.
        items: PointerPattern,
        /// Within each element.
        id: Pointer,
    },
}

impl<'de> Deserialize<'de> for Sent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Each {
            items: String,
            id: String,
        }
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "write \"/result/message_id\", or { items = \"/result/*\", id = \"/message_id\" }"
        )]
        enum Form {
            One(String),
            Each(Each),
        }
        let sent = match Form::deserialize(deserializer)? {
            Form::One(id) => Pointer::parse(&id).map(Self::One),
            Form::Each(Each { items, id }) => {
                PointerPattern::parse(&items).and_then(|items| Pointer::parse(&id).map(|id| Self::Each { items, id }))
            }
        };
        sent.map_err(serde::de::Error::custom)
    }
}

/// The TOML form.
impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(id) => quoted(id.as_str()).fmt(f),
            Self::Each { items, id } => {
                write!(f, "{{ items = {}, id = {} }}", quoted(items.as_str()), quoted(id.as_str()))
            }
        }
    }
}

impl Endpoint {
    /// Whether it belongs to one action on one conversation: only then can a request name a conversation.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        !self.conversation.is_empty()
    }

    /// Whether a prompt can be sent with it as a new message, whose id the host then reads.
    #[must_use]
    pub fn asks_anew(&self) -> bool {
        let rewrites = match &self.message {
            Some(Bound::Field(field)) => self.required.contains(field),
            Some(Bound::Variable(_)) => true,
            None => false,
        };
        self.uses.contains(&Use::Action(Action::Ask)) && matches!(self.sent, Some(Sent::One(_))) && !rewrites
    }

    /// The fields of its body that are compared whole with a prompt: all that a prompt needs.
    #[must_use]
    pub fn compared(&self) -> Vec<FieldPattern> {
        let bounds = self.bounds().filter_map(|(_, bound)| match bound {
            Bound::Field(field) => Some(field.clone()),
            Bound::Variable(_) => None,
        });
        let buttons = self.buttons.iter().flat_map(Buttons::leaves);
        bounds.chain(self.text.clone()).chain(buttons).collect()
    }

    /// The names of the secrets that it needs.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<&str> {
        secrets(&self.url, &self.headers)
    }

    /// All that is compared with the action, with the keys that say so.
    pub fn bounds(&self) -> impl Iterator<Item = (&'static str, &Bound)> {
        let single = [
            self.thread.as_ref().map(|bound| ("thread", bound)),
            self.message.as_ref().map(|bound| ("message", bound)),
            self.reply_to.as_ref().map(|bound| ("reply-to", bound)),
            self.emoji.as_ref().map(|bound| ("emoji", bound)),
            self.reference.as_ref().map(|bound| ("reference", bound)),
        ];
        self.conversation.iter().map(|bound| ("conversation", bound)).chain(single.into_iter().flatten())
    }

    /// The variables of the URL that the adapter fills as it likes.
    #[must_use]
    pub fn free_variables(&self) -> BTreeSet<&str> {
        let mut free = self.url.variables();
        for (_, bound) in self.bounds() {
            if let Bound::Variable(name) = bound {
                free.remove(&**name);
            }
        }
        free
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[[endpoint]]")?;
        writeln!(f, "name = {}", quoted(&self.name))?;
        list(f, "for", self.uses.iter().map(|purpose| quoted(purpose.as_str())))?;
        writeln!(f, "method = {}", quoted(self.method.as_str()))?;
        writeln!(f, "url = {}", quoted(&self.url.text))?;
        pairs(f, "headers", header_pairs(&self.headers))?;
        list(f, "may-set", self.may_set.iter().map(|name| quoted(name)))?;
        writeln!(f, "body = {}", quoted(self.body.as_str()))?;
        list(f, "fields", &self.fields)?;
        list(f, "required", &self.required)?;
        list(f, "json", self.json.iter().map(|part| quoted(part)))?;
        list(f, "files", self.files.iter().map(|part| quoted(part)))?;
        pairs(f, "fixed", self.fixed.iter().map(|(at, scalar)| (quoted(at.as_str()), scalar)))?;
        let texts = |texts: &BTreeSet<String>| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
        pairs(f, "values", self.values.iter().map(|(field, allowed)| (field, format!("[{}]", texts(allowed)))))?;
        list(f, "conversation", &self.conversation)?;
        line(f, "thread", self.thread.as_ref())?;
        line(f, "message", self.message.as_ref())?;
        line(f, "reply-to", self.reply_to.as_ref())?;
        line(f, "text", self.text.as_ref())?;
        list(f, "spoken", &self.spoken)?;
        line(f, "buttons", self.buttons.as_ref())?;
        line(f, "emoji", self.emoji.as_ref())?;
        line(f, "reference", self.reference.as_ref())?;
        line(f, "sent", self.sent.as_ref())?;
        line(f, "download", self.download.then_some(true))?;
        line(f, "max-bytes", self.max_bytes)
    }
}
