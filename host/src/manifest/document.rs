//! The vocabulary as TOML has it, before the checks that need more than one value.
//!
//! Every table refuses unknown keys. A word of the design that nothing enforces yet stands in [`NOT_YET`]: when
//! its enforcement is built, it moves from there into the tables below.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use toml::Spanned;

use super::{
    Action,
    error::Fault,
    path::PathPattern,
    pointer::PointerPattern,
    route::{Answer, BodyKind, RouteAuth},
    rule::{Direct, TimeUnit},
    shapes::{Advice, KeyName, Line, Named, PartName, Pattern, ToolName, Version},
    tool::ParamType,
    value::{Scalar, Value},
};
use crate::{message::Kind, name::AdapterName};

/// Words of the design that this version does not enforce, at the top level of manifests and profiles, and how
/// an error names them. Sources that the host opens itself, requests and secrets will be built here.
pub(super) const NOT_YET: [(&str, &str); 5] = [
    ("poll", "polls (`[[poll]]`)"),
    ("socket", "outgoing WebSockets (`[[socket]]`)"),
    ("endpoint", "endpoints (`[[endpoint]]`)"),
    ("secrets", "secrets (`[secrets.NAME]`)"),
    ("text-limit", "limits of the text (`text-limit`)"),
];

/// Actions that this version cannot ask an adapter for: both need endpoints that the host checks.
pub(super) const ACTIONS_NOT_YET: [Action; 2] = [Action::Ask, Action::History];

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

/// A manifest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManifestDocument {
    pub(super) name: AdapterName,
    pub(super) version: Named<Version>,
    pub(super) summary: Line<120>,
    pub(super) hint: Option<Advice<300>>,
    pub(super) profile: Option<Spanned<Named<KeyName>>>,
    pub(super) actions: Option<Spanned<List>>,
    pub(super) meta: Option<Spanned<List>>,
    #[serde(default)]
    pub(super) composes: bool,
    pub(super) tool: Option<Spanned<Vec<ToolTable>>>,
    pub(super) route: Option<Spanned<Vec<RouteTable>>>,
    pub(super) timer: Option<Spanned<Vec<TimerTable>>>,
    pub(super) identity: Option<Spanned<Vec<IdentityTable>>>,
    pub(super) config: Option<Spanned<BTreeMap<Spanned<Named<KeyName>>, ConfigTable>>>,
}

/// A profile.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileDocument {
    pub(super) name: Spanned<Named<KeyName>>,
    pub(super) route: Option<Spanned<Vec<RouteTable>>>,
    pub(super) timer: Option<Spanned<Vec<TimerTable>>>,
    pub(super) identity: Option<Spanned<Vec<IdentityTable>>>,
    pub(super) config: Option<Spanned<BTreeMap<Spanned<Named<KeyName>>, ConfigTable>>>,
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
    #[serde(default)]
    pub(super) text: List,
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
