//! Manifest and profile: what an adapter asks for, in strict TOML.
//!
//! A **profile** is the host's own, vetted description of a platform. A **manifest** belongs to an adapter; it
//! names a profile and selects from it, or brings a platform of its own, whose identity rules are then
//! *unvetted*. Both use one vocabulary, and every key of it is enforced somewhere: what nothing enforces
//! yet is refused (see `document.rs`).
//!
//! [`Manifest::parse`] reads and checks a text, [`Manifest::resolve`] adds the profile, and the resulting
//! [`Contract`] says in plain words what the user would grant ([`Contract::asks`]).

mod asks;
mod buttons;
mod check;
mod document;
mod endpoint;
mod error;
mod field;
mod identity;
mod path;
mod plain;
mod pointer;
mod poll;
mod profiles;
mod route;
mod rule;
mod shapes;
mod template;
mod tool;
mod value;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub use asks::{Ask, Change, Severity};
pub use buttons::{Acknowledge, Buttons, Repeats};
pub use endpoint::{BodyShape, Endpoint, Sent, Use};
pub use error::{Malformed, ManifestError, Place};
pub use field::{Bound, FieldPattern, FieldToken};
pub use path::{PathMatch, PathPattern};
pub(crate) use plain::excerpt;
pub use plain::is_plain;
pub(crate) use pointer::array_index;
pub use pointer::{Pointer, PointerPattern};
pub use poll::{Burst, Cursor, ErrorShape, Poll, SecretItem, TextLimit, TextUnit};
pub use route::{Answer, BodyKind, Method, Route, RouteAuth};
pub use rule::{Direct, IdentityRule, Time, TimeUnit};
pub use shapes::Pattern;
pub use template::{Base, HeaderTemplate, Parameter, Piece, UrlTemplate};
pub(crate) use template::{is_hosts_header, is_private_name};
pub use tool::{Param, ParamType, Tool};
pub use value::{Scalar, Value};

use crate::name::AdapterName;

/// What an adapter says about itself and asks for; read once for a new file and pinned with the grant.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The adapter's name.
    pub name: AdapterName,
    /// The adapter's version: letters, digits and `.+-`, at most 32 characters.
    pub version: String,
    /// One line for people, at most 120 characters.
    pub summary: String,
    /// What the adapter wants to tell Claude, at most 300 characters on one line.
    pub hint: Option<String>,
    /// The profile that it selects from; `own` is then empty.
    pub profile: Option<String>,
    /// What it can do on the platform.
    pub actions: BTreeSet<Action>,
    /// Attributes that it may add to messages.
    pub meta: Vec<String>,
    /// It may put words of its own in place of the text.
    pub composes: bool,
    /// It shows the styles of texts; without it, it gets what Claude wrote.
    pub spans: bool,
    /// Tools of its own.
    pub tools: Vec<Tool>,
    /// The platform that it brings itself; its rules are unvetted.
    pub own: Platform,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] names the key, its line and column, and the mend.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        check::manifest(text)
    }

    /// Looks the profile up, so that all sources and rules of the adapter are known.
    ///
    /// # Errors
    /// [`ManifestError::UnknownProfile`] if this version has no such profile.
    pub fn resolve(self) -> Result<Contract, ManifestError> {
        let (platform, from_profile) = match &self.profile {
            Some(name) => (profiles::find(name)?, true),
            None => (Arc::new(self.own.clone()), false),
        };
        Ok(Contract { manifest: self, platform, from_profile, off: BTreeSet::new() })
    }
}

/// A manifest together with the platform that it works on: what a grant is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// What the adapter asks for.
    pub manifest: Manifest,
    /// Sources and identity rules: the profile's, or the adapter's own.
    pub platform: Arc<Platform>,
    /// The platform comes from a profile of the host, so its identity rules are vetted.
    pub from_profile: bool,
    /// Identity rules that the user's settings switch off; they are not in the platform then.
    pub off: BTreeSet<String>,
}

impl Contract {
    /// The contract as these settings make it.
    #[must_use]
    pub fn under(&self, settings: &BTreeMap<String, String>, burst: Option<Burst>) -> Self {
        let mut platform = Platform::clone(&self.platform);
        let holds = |rule: &IdentityRule| {
            rule.when.as_ref().is_none_or(|(setting, value)| settings.get(setting).is_some_and(|set| set == value))
        };
        let off = platform.identities.iter().filter(|rule| !holds(rule)).map(|rule| rule.name.to_string()).collect();
        platform.identities.retain(|rule| holds(rule));
        // Who brings no bursts has none to set.
        platform.burst = platform.burst.map(|own| burst.unwrap_or(own));
        Self { platform: Arc::new(platform), off, ..self.clone() }
    }
}

/// The description of a platform: what brings events in, and how the host reads who speaks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Platform {
    /// HTTP routes below the adapter's own path. No two of them take the same request.
    pub routes: Vec<Route>,
    /// Timers that the adapter may set, or that run by themselves.
    pub timers: Vec<Timer>,
    /// How the host reads identity from the items of a source.
    pub identities: Vec<Arc<IdentityRule>>,
    /// What the user may set, by name.
    pub config: BTreeMap<String, ConfigItem>,
    /// Secrets that endpoints and polls need, by name.
    pub secrets: BTreeMap<String, SecretItem>,
    /// Sources that the host polls.
    pub polls: Vec<Poll>,
    /// All that the adapter may request.
    pub endpoints: Vec<Endpoint>,
    /// The longest text of one message, where the platform has a limit.
    pub text_limit: Option<TextLimit>,
    /// Which messages belong together.
    pub burst: Option<Burst>,
    /// What answers that say no look like.
    pub errors: ErrorShape,
    /// A direct conversation has the id of the one it is with (profiles only).
    pub direct_is_sender: bool,
}

impl Platform {
    /// The route of that name.
    #[must_use]
    pub fn route(&self, name: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.name == name)
    }

    /// The poll of that name.
    #[must_use]
    pub fn poll(&self, name: &str) -> Option<&Poll> {
        self.polls.iter().find(|poll| poll.name == name)
    }

    /// The endpoint of that name.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }

    /// The identity rule of that name.
    #[must_use]
    pub fn identity(&self, name: &str) -> Option<&Arc<IdentityRule>> {
        self.identities.iter().find(|rule| &*rule.name == name)
    }
}

/// What the host may want an adapter to do on its platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Send a message.
    Send,
    /// Change a message that it sent.
    Edit,
    /// React to a message.
    React,
    /// Show that an answer is being written.
    Typing,
    /// Show a permission prompt to an approver.
    Ask,
    /// Fetch an attachment.
    Fetch,
    /// Read earlier messages.
    History,
}

impl Action {
    /// The word that manifests use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Edit => "edit",
            Self::React => "react",
            Self::Typing => "typing",
            Self::Ask => "ask",
            Self::Fetch => "fetch",
            Self::History => "history",
        }
    }
}

/// A timer that the adapter may set by this name, or that runs by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// The name that `elapsed` carries.
    pub name: String,
    /// It runs by itself every so many milliseconds (at least 1000); otherwise only when the adapter sets it.
    pub every_ms: Option<u64>,
}

/// A setting that the user may make for the adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigItem {
    /// The value if the user sets none; without one the user must.
    pub default: Option<String>,
    /// What it is, for people; at most 120 characters.
    pub summary: Option<String>,
    /// What the whole value must match.
    pub pattern: Option<Pattern>,
}

impl ConfigItem {
    /// Whether the user may set this value: one line of plain text, at most 1000 bytes, that matches the pattern.
    #[must_use]
    pub fn takes(&self, value: &str) -> bool {
        value.len() <= shapes::CONFIG_BYTES
            && value.chars().all(is_plain)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.matches(value))
    }
}

#[cfg(test)]
mod tests;
