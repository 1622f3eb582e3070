//! What `access.json` holds: the official plugins' fields, Sluicegate's additions, and whatever else is there.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{GateError, visible};

/// The access file of one adapter. Who may speak is typed and strict; the settings of delivery and all members
/// that other versions wrote stay in [`rest`](Self::rest) as they are.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Access {
    /// How direct messages of unknown senders are treated.
    #[serde(deserialize_with = "or_default")]
    pub dm_policy: DmPolicy,
    /// Senders that may speak directly. Compared exactly.
    #[serde(deserialize_with = "ids")]
    pub allow_from: Vec<String>,
    /// Conversations other than direct ones that may speak, by id.
    #[serde(deserialize_with = "or_default")]
    pub groups: BTreeMap<String, Group>,
    /// Pairings that wait for the user, by code.
    #[serde(deserialize_with = "or_default")]
    pub pending: BTreeMap<String, Pending>,
    /// Senders that may answer permission requests, as long as they may speak directly.
    #[serde(deserialize_with = "ids", skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// Open invitations, by the SHA-256 of the code in hexadecimal. The code itself is stored nowhere.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub invites: BTreeMap<String, Invite>,
    /// All other members, settings included.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// How direct messages of unknown senders are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DmPolicy {
    /// They get a code, which the user may approve.
    #[default]
    Pairing,
    /// They are dropped in silence.
    Allowlist,
    /// Everything is dropped, from allowed senders and groups too, and nothing is sent.
    Disabled,
}

/// A conversation other than a direct one that may speak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Group {
    /// Whether only messages that address the adapter are taken.
    #[serde(deserialize_with = "or_true")]
    pub require_mention: bool,
    /// The members that may speak; empty means every member.
    #[serde(deserialize_with = "ids")]
    pub allow_from: Vec<String>,
    /// Members of the object that Sluicegate does not know. Kept, reported, not enforced.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Default for Group {
    fn default() -> Self {
        Self { require_mention: true, allow_from: Vec::new(), rest: Map::new() }
    }
}

/// A pairing that waits for the user. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// Who asks.
    #[serde(deserialize_with = "id")]
    pub sender_id: String,
    /// Where they wrote.
    #[serde(default, deserialize_with = "id")]
    pub chat_id: String,
    /// When they first wrote.
    pub created_at: i64,
    /// From when on the code is void.
    pub expires_at: i64,
    /// How often they have been answered.
    #[serde(default = "one")]
    pub replies: u32,
    /// Their display name, in visible characters: decoration, never identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// What they wrote first, shortened, in visible characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_message: Option<String>,
    /// Members of the object that Sluicegate does not know.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// An open invitation. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    /// From when on the code is void.
    pub expires_at: i64,
    /// When it was made.
    pub created_at: i64,
    /// Whoever redeems it may approve what Claude does as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approver: bool,
}

/// How replies are delivered, and which verdicts count. What the file does not say has its default, and what it says
/// wrongly too, but for [`verdicts`](Self::verdicts), which then are the fewer ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The reaction to a message on receipt, if any.
    pub ack_reaction: Option<String>,
    /// Which parts of a reply refer to the message that they answer.
    pub reply_to_mode: ReplyToMode,
    /// The longest part of a reply, in the platform's unit; never more than the platform's own limit.
    pub text_chunk_limit: Option<u32>,
    /// Where long replies are cut.
    pub chunk_mode: ChunkMode,
    /// Regular expressions that count as a mention, without regard to case.
    pub mention_patterns: Vec<String>,
    /// How approvers may answer permission requests.
    pub verdicts: Verdicts,
}

/// How approvers may answer permission requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdicts {
    /// With the prompt's buttons, or by typing.
    #[default]
    Any,
    /// With the prompt's buttons alone.
    Buttons,
}

/// Which parts of a reply refer to the message that they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplyToMode {
    /// None.
    Off,
    /// The first.
    #[default]
    First,
    /// Each.
    All,
}

/// Where long replies are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChunkMode {
    /// At the limit.
    Length,
    /// At the end of a paragraph, line, sentence or word, where there is one.
    #[default]
    Newline,
}

/// Something in the file that was ignored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    /// Which member.
    pub(super) at: String,
    /// What is wrong with it.
    pub(super) why: String,
}

impl Access {
    /// Whether a sender may speak directly.
    #[must_use]
    pub fn allows(&self, sender: &str) -> bool {
        self.allow_from.iter().any(|allowed| allowed == sender)
    }

    /// Lets a sender speak from now on; their pairing is settled with it. Whether they could not before.
    pub(super) fn admit(&mut self, sender: &str) -> bool {
        self.pending.retain(|_, pending| pending.sender_id != sender);
        let new = !self.allows(sender);
        if new {
            self.allow_from.push(sender.to_owned());
        }
        new
    }

    /// Whether a sender is listed as an approver. Whether they may answer is [`Gate::is_approver`](super::Gate::is_approver).
    #[must_use]
    pub fn lists_approver(&self, sender: &str) -> bool {
        self.approvers.iter().any(|approver| approver == sender)
    }

    /// Lists a sender as an approver. Whether they were none before.
    pub(super) fn add_approver(&mut self, sender: &str) -> bool {
        let new = !self.lists_approver(sender);
        if new {
            self.approvers.push(sender.to_owned());
        }
        new
    }

    /// Takes a sender off the list of approvers. Whether they were on it.
    pub(super) fn remove_approver(&mut self, sender: &str) -> bool {
        let found = self.lists_approver(sender);
        self.approvers.retain(|approver| approver != sender);
        found
    }

    /// Removes what is void at that time.
    pub(super) fn prune(&mut self, now_ms: i64) {
        self.pending.retain(|_, pending| pending.expires_at > now_ms);
        self.invites.retain(|_, invite| invite.expires_at > now_ms);
    }

    /// The settings, and what in them was ignored.
    pub(super) fn settings(&self) -> (Settings, Vec<Problem>) {
        let mut problems = Vec::new();
        let settings = Settings {
            ack_reaction: self.setting::<String>("ackReaction", "a text", &mut problems).filter(|a| !a.is_empty()),
            reply_to_mode: self.setting("replyToMode", "off, first or all", &mut problems).unwrap_or_default(),
            text_chunk_limit: self
                .setting::<std::num::NonZeroU32>("textChunkLimit", "a whole number from 1", &mut problems)
                .map(Into::into),
            chunk_mode: self.setting("chunkMode", "length or newline", &mut problems).unwrap_or_default(),
            mention_patterns: self
                .setting("mentionPatterns", "a list of regular expressions", &mut problems)
                .unwrap_or_default(),
            verdicts: self.verdicts(&mut problems),
        };
        for (id, group) in &self.groups {
            problems.extend(group.rest.keys().map(|key| Problem {
                at: format!("groups.{}.{}", visible(id, 64), visible(key, 64)),
                why: "Sluicegate does not know it and does not enforce it".into(),
            }));
        }
        (settings, problems)
    }

    /// Who wrote something there wanted to narrow what counts, so a word that is none narrows it.
    fn verdicts(&self, problems: &mut Vec<Problem>) -> Verdicts {
        let Some(value) = self.rest.get("verdicts").filter(|value| !value.is_null()) else { return Verdicts::Any };
        Verdicts::deserialize(value).unwrap_or_else(|_| {
            let why = "it must be any or buttons; until then only buttons count".into();
            problems.push(Problem { at: "verdicts".into(), why });
            Verdicts::Buttons
        })
    }

    fn setting<T: for<'de> Deserialize<'de>>(
        &self,
        key: &str,
        expected: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        let value = self.rest.get(key).filter(|value| !value.is_null())?;
        let parsed = T::deserialize(value).ok();
        if parsed.is_none() {
            problems.push(Problem { at: key.into(), why: format!("it must be {expected}; the default is used") });
        }
        parsed
    }
}

impl fmt::Debug for Access {
    /// Without codes and their digests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("dm_policy", &self.dm_policy)
            .field("allow_from", &self.allow_from)
            .field("groups", &self.groups)
            .field("pending", &self.pending.len())
            .field("approvers", &self.approvers)
            .field("invites", &self.invites.len())
            .finish_non_exhaustive()
    }
}

impl DmPolicy {
    /// The word that the file and the commands use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pairing => "pairing",
            Self::Allowlist => "allowlist",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for DmPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for DmPolicy {
    type Err = GateError;
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Pairing, Self::Allowlist, Self::Disabled]
            .into_iter()
            .find(|policy| policy.as_str() == word)
            .ok_or_else(|| GateError::Policy { given: visible(word, 40) })
    }
}

/// An id as the official plugins write it, a string, or as people write it by hand, a whole number.
struct Id(String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id: a text or a whole number")
            }
            fn visit_str<E>(self, id: &str) -> Result<Id, E> {
                Ok(Id(id.to_owned()))
            }
            fn visit_u64<E>(self, id: u64) -> Result<Id, E> {
                Ok(Id(id.to_string()))
            }
            fn visit_i64<E>(self, id: i64) -> Result<Id, E> {
                Ok(Id(id.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Id::deserialize(deserializer)?.0)
}

fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let ids = Option::<Vec<Id>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(ids.into_iter().map(|id| id.0).collect())
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn or_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(true))
}

const fn one() -> u32 {
    1
}
