//! The vocabulary as TOML has it, before the checks that need more than one value.
//!
//! Every table refuses unknown keys. A word of the design that nothing enforces yet stands in [`NOT_YET`]: when
//! its enforcement is built, it moves from there into the tables below.

use std::{collections::BTreeMap, ops::Range};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use toml::Spanned;

use super::{
    Action, BodyShape, Bound, Buttons, FieldPattern, Method, Pointer, Repeats, Sent, TextUnit, UrlTemplate,
    error::Fault,
    path::PathPattern,
    pointer::PointerPattern,
    route::{Answer, BodyKind, RouteAuth},
    rule::{Direct, TimeUnit},
    shapes::{Advice, EnvName, KeyName, Line, Named, PartName, Pattern, ToolName, Version},
    tool::ParamType,
    value::{Scalar, Value},
};
use crate::{
    message::{Kind, TextBy},
    name::AdapterName,
};

/// Words of the design that this version does not enforce, at the top level of manifests and profiles, and how
/// an error names them.
pub(super) const NOT_YET: [(&str, &str); 1] = [("socket", "outgoing WebSockets (`[[socket]]`)")];

/// Actions that this version cannot ask an adapter for.
pub(super) const ACTIONS_NOT_YET: [Action; 1] = [Action::History];

/// A list whose elements are read one by one later, because an error while a list is read only names the whole list.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct List(Vec<Spanned<toml::Value>>);

impl List {
    /// How many elements there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Reads the elements.
    pub(super) fn read<T: DeserializeOwned>(self) -> Result<Vec<Spanned<T>>, Fault> {
        let element = |value: Spanned<toml::Value>| {
            let span = value.span();
            match T::deserialize(value.into_inner()) {
                Ok(element) => Ok(Spanned::new(span, element)),
                Err(error) => Err(Fault::wrong(span, error.message())),
            }
        };
        self.0.into_iter().map(element).collect()
    }
}

/// A table, and the words of platforms beside its own.
macro_rules! with_platform {
    ($(#[$about:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub(super) struct $name {
            $($(#[$attribute])* pub(super) $field: $type,)*
            pub(super) route: Tables<RouteTable>,
            pub(super) timer: Tables<TimerTable>,
            pub(super) poll: Tables<PollTable>,
            pub(super) endpoint: Tables<EndpointTable>,
            pub(super) identity: Tables<IdentityTable>,
            pub(super) config: NamedTables<ConfigTable>,
            pub(super) secrets: NamedTables<SecretTable>,
            pub(super) text_limit: Option<Spanned<TextLimitTable>>,
            pub(super) burst: Option<Spanned<BurstTable>>,
            pub(super) errors: Option<Spanned<ErrorsTable>>,
            pub(super) direct_is_sender: Option<Spanned<bool>>,
        }
    };
}

/// How the words of platforms are taken out of such tables.
macro_rules! takes_platform {
    ($($name:ident),*) => {$(
        impl $name {
            /// Takes the words of platforms out.
            pub(super) fn take_platform(&mut self) -> PlatformDocument {
                PlatformDocument {
                    route: self.route.take(),
                    timer: self.timer.take(),
                    poll: self.poll.take(),
                    endpoint: self.endpoint.take(),
                    identity: self.identity.take(),
                    config: self.config.take(),
                    secrets: self.secrets.take(),
                    text_limit: self.text_limit.take(),
                    burst: self.burst.take(),
                    errors: self.errors.take(),
                    direct_is_sender: self.direct_is_sender.take(),
                }
            }
        }
    )*};
}
takes_platform!(ManifestDocument, ProfileDocument);

/// `[[NAME]]`
pub(super) type Tables<T> = Option<Spanned<Vec<T>>>;
/// `[WORD.NAME]`
pub(super) type NamedTables<T> = Option<Spanned<BTreeMap<Spanned<Named<KeyName>>, T>>>;

with_platform! {
    /// The words of platforms, which profiles and manifests share.
    PlatformDocument {}
}

with_platform! {
    /// A manifest.
    ManifestDocument {
        name: AdapterName,
        version: Named<Version>,
        summary: Line<120>,
        hint: Option<Advice<300>>,
        profile: Option<Spanned<Named<KeyName>>>,
        actions: Option<Spanned<List>>,
        meta: Option<Spanned<List>>,
        #[serde(default)]
        composes: bool,
        #[serde(default)]
        spans: bool,
        tool: Tables<ToolTable>,
    }
}

with_platform! {
    /// A profile.
    ProfileDocument {
        name: Spanned<Named<KeyName>>,
    }
}

impl PlatformDocument {
    /// A word that is there, and where.
    pub(super) fn any_word(&self) -> Option<(&'static str, Range<usize>)> {
        fn at<T>(word: &'static str, value: &Option<Spanned<T>>) -> Option<(&'static str, Range<usize>)> {
            value.as_ref().map(|value| (word, value.span()))
        }
        let words = [
            at("route", &self.route),
            at("timer", &self.timer),
            at("poll", &self.poll),
            at("endpoint", &self.endpoint),
            at("identity", &self.identity),
            at("config", &self.config),
            at("secrets", &self.secrets),
            at("text-limit", &self.text_limit),
            at("burst", &self.burst),
            at("errors", &self.errors),
            at("direct-is-sender", &self.direct_is_sender),
        ];
        words.into_iter().flatten().min_by_key(|(_, span)| span.start)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RouteTable {
    pub(super) name: Spanned<Named<PartName>>,
    pub(super) path: Spanned<PathPattern>,
    pub(super) methods: Option<Spanned<List>>,
    pub(super) auth: Spanned<RouteAuth>,
    pub(super) body: Option<Spanned<BodyKind>>,
    pub(super) answer: Option<Spanned<Answer>>,
    #[serde(default)]
    pub(super) websocket: bool,
    pub(super) items: Option<Spanned<PointerPattern>>,
    pub(super) max_bytes: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TimerTable {
    pub(super) name: Spanned<Named<PartName>>,
    pub(super) every_ms: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct IdentityTable {
    pub(super) name: Spanned<Named<PartName>>,
    pub(super) source: Spanned<Named<PartName>>,
    #[serde(default)]
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) require: List,
    #[serde(default)]
    pub(super) absent: List,
    #[serde(default)]
    pub(super) equal: BTreeMap<Spanned<String>, Spanned<Scalar>>,
    pub(super) event: Spanned<Value>,
    pub(super) message: Option<Spanned<Value>>,
    pub(super) time: Option<TimeTable>,
    pub(super) sender: Spanned<Value>,
    pub(super) sender_name: Option<Spanned<Value>>,
    pub(super) conversation: Spanned<Value>,
    pub(super) thread: Option<Spanned<Value>>,
    pub(super) direct: Option<Spanned<Direct>>,
    pub(super) reply_to: Option<Spanned<Value>>,
    pub(super) words: Option<Spanned<TextBy>>,
    #[serde(default)]
    pub(super) text: List,
    #[serde(default)]
    pub(super) quoted: List,
    pub(super) group: Option<Spanned<Value>>,
    pub(super) when: Option<Spanned<BTreeMap<Spanned<String>, Spanned<String>>>>,
    pub(super) token: Option<Spanned<Value>>,
    pub(super) repeats: Option<Spanned<Repeats>>,
    pub(super) acknowledge: Option<Spanned<AcknowledgeTable>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AcknowledgeTable {
    pub(super) endpoint: Spanned<String>,
    pub(super) fields: BTreeMap<Spanned<String>, Spanned<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PollTable {
    pub(super) name: Spanned<Named<PartName>>,
    pub(super) url: Spanned<UrlTemplate>,
    #[serde(default)]
    pub(super) headers: HeaderTable,
    pub(super) items: PointerPattern,
    pub(super) cursor: CursorTable,
    pub(super) timeout_s: Option<Spanned<u64>>,
    pub(super) pause_ms: Option<Spanned<u64>>,
}

/// Names and values of headers.
pub(super) type HeaderTable = BTreeMap<Spanned<String>, Spanned<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CursorTable {
    pub(super) query: Spanned<String>,
    pub(super) max: Pointer,
    pub(super) add: Option<Spanned<i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct EndpointTable {
    pub(super) name: Spanned<Named<PartName>>,
    #[serde(rename = "for")]
    pub(super) uses: Spanned<List>,
    pub(super) method: Spanned<Method>,
    pub(super) url: Spanned<UrlTemplate>,
    #[serde(default)]
    pub(super) headers: HeaderTable,
    pub(super) may_set: Option<Spanned<List>>,
    pub(super) body: Option<Spanned<BodyShape>>,
    pub(super) fields: Option<Spanned<List>>,
    pub(super) required: Option<Spanned<List>>,
    pub(super) json: Option<Spanned<List>>,
    pub(super) files: Option<Spanned<List>>,
    #[serde(default)]
    pub(super) fixed: BTreeMap<Spanned<String>, Spanned<Scalar>>,
    #[serde(default)]
    pub(super) values: BTreeMap<Spanned<String>, Spanned<List>>,
    pub(super) conversation: Option<Spanned<List>>,
    pub(super) thread: Option<Spanned<Bound>>,
    pub(super) message: Option<Spanned<Bound>>,
    pub(super) reply_to: Option<Spanned<Bound>>,
    pub(super) text: Option<Spanned<FieldPattern>>,
    pub(super) spoken: Option<Spanned<List>>,
    pub(super) buttons: Option<Spanned<Buttons>>,
    pub(super) emoji: Option<Spanned<Bound>>,
    pub(super) reference: Option<Spanned<Bound>>,
    pub(super) sent: Option<Spanned<Sent>>,
    pub(super) download: Option<Spanned<bool>>,
    pub(super) max_bytes: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretTable {
    pub(super) env: Spanned<Named<EnvName>>,
    pub(super) summary: Option<Line<120>>,
    pub(super) pattern: Option<Pattern>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextLimitTable {
    pub(super) max: Spanned<u32>,
    pub(super) unit: TextUnit,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct BurstTable {
    pub(super) quiet_ms: Spanned<u32>,
    pub(super) longest_ms: Spanned<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ErrorsTable {
    pub(super) retry_after: Option<Pointer>,
    pub(super) description: Option<Pointer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeTable {
    pub(super) at: Spanned<Value>,
    pub(super) unit: TimeUnit,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigTable {
    pub(super) default: Option<Spanned<String>>,
    pub(super) summary: Option<Line<120>>,
    pub(super) pattern: Option<Pattern>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolTable {
    pub(super) name: Spanned<Named<ToolName>>,
    pub(super) summary: Advice<120>,
    #[serde(default)]
    pub(super) place: bool,
    #[serde(default)]
    pub(super) params: BTreeMap<Spanned<Named<ToolName>>, Spanned<ParamTable>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ParamTable {
    #[serde(rename = "type")]
    pub(super) kind: ParamType,
    pub(super) summary: Option<Advice<120>>,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) one_of: Option<Spanned<List>>,
    pub(super) max: Option<Spanned<u64>>,
}

/// `{ const = bool }`, or `{ at = …, is = […] }`.
impl<'de> Deserialize<'de> for Direct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            r#const: Option<bool>,
            at: Option<Value>,
            is: Option<Vec<Scalar>>,
        }
        match Table::deserialize(deserializer)? {
            Table { r#const: Some(value), at: None, is: None } => Ok(Self::Const(value)),
            Table { r#const: None, at: Some(at), is: Some(is) } if !is.is_empty() => Ok(Self::At { at, is }),
            _ => Err(serde::de::Error::custom(
                "write { const = true }, { const = false } or { at = \"/chat/type\", is = [\"private\"] }",
            )),
        }
    }
}
