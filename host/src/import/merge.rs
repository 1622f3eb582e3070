//! One access file into another: everything of ours stays, and what theirs has beside it is added.

use std::{collections::BTreeSet, num::NonZeroU32};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::Left;
use crate::gate::{Access, ChunkMode, DmPolicy, Group, Pending, ReplyToMode, Verdicts, visible};

/// How long a pairing may wait, in milliseconds.
const LIFETIME_MS: i64 = 60 * 60 * 1000;
/// The longest id, in characters.
const ID: usize = 256;
/// The settings of delivery.
const SETTINGS: [&str; 6] =
    ["ackReaction", "replyToMode", "textChunkLimit", "chunkMode", "mentionPatterns", "verdicts"];

/// What our access gains.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Gain {
    /// The policy, if ours changes.
    pub policy: Option<&'static str>,
    /// Senders that may speak directly.
    pub allowed: usize,
    /// Senders that may approve what Claude does; only if the user says so.
    pub approvers: usize,
    /// Groups that may be heard.
    pub groups: usize,
    /// Members of groups that we have already.
    pub members: usize,
    /// Pairings that wait.
    pub pairings: usize,
    /// Settings, by name.
    pub settings: Vec<String>,
    /// Members that Sluicegate does not know; kept, and not enforced.
    pub unknown: Vec<String>,
}

impl Gain {
    /// Whether there is nothing to gain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Both accesses in one.
pub(super) struct Merged {
    pub(super) access: Access,
    pub(super) gain: Gain,
    /// Where they differ and ours stays.
    pub(super) differs: Vec<Left>,
    /// What of theirs is not taken.
    pub(super) left: Vec<Left>,
    /// Who approves there, as every sender does who may speak directly, and not here: the user is asked about them.
    pub(super) would_approve: Vec<String>,
}

/// Adds theirs to ours. An access of ours that says nothing yet takes their policy as well.
pub(super) fn merge(ours: &Access, theirs: &Access, now_ms: i64) -> Merged {
    let mut merged = Merged {
        access: ours.clone(),
        gain: Gain::default(),
        differs: Vec::new(),
        left: Vec::new(),
        would_approve: Vec::new(),
    };
    merged.policy(theirs.dm_policy, *ours == Access::default());
    merged.allowed(&theirs.allow_from);
    for (id, group) in &theirs.groups {
        merged.group(id, group);
    }
    for (code, pending) in &theirs.pending {
        merged.pairing(code, pending, now_ms);
    }
    merged.rest(&theirs.rest);
    if !theirs.approvers.is_empty() {
        merged.left.push(Left::new(
            "approvers",
            "a list of those who may approve what Claude does is never taken over; name them yourself if you want any",
        ));
    }
    if !theirs.invites.is_empty() {
        merged.left.push(Left::new("invites", "open invitations are good only where they were made"));
    }
    merged
}

impl Merged {
    /// Makes those approvers here who are some there.
    pub(super) fn approve(&mut self) {
        self.gain.approvers = self.would_approve.len();
        self.access.approvers.append(&mut self.would_approve);
    }

    fn policy(&mut self, theirs: DmPolicy, is_new: bool) {
        let ours = &mut self.access.dm_policy;
        if *ours == theirs {
        } else if is_new {
            *ours = theirs;
            self.gain.policy = Some(theirs.as_str());
        } else {
            self.differs.push(Left::new("policy", format!("yours is {ours} and stays; theirs is {theirs}")));
        }
    }

    fn allowed(&mut self, theirs: &[String]) {
        let mut known: BTreeSet<String> = self.access.allow_from.iter().cloned().collect();
        let mut approve: BTreeSet<String> = self.access.approvers.iter().cloned().collect();
        for id in self.ids(theirs, "allowFrom") {
            if approve.insert(id.clone()) {
                self.would_approve.push(id.clone());
            }
            if known.insert(id.clone()) {
                // Who is let in has nothing to wait for.
                self.access.pending.retain(|_, pending| pending.sender_id != id);
                self.access.allow_from.push(id);
                self.gain.allowed += 1;
            }
        }
    }

    fn group(&mut self, id: &str, theirs: &Group) {
        let shown = visible(id, ID);
        if !is_id(id) {
            self.left.push(Left::new(format!("group \"{shown}\""), "it is not an id"));
            return;
        }
        let members = self.ids(&theirs.allow_from, &format!("group \"{shown}\""));
        if members.is_empty() && !theirs.allow_from.is_empty() {
            // Without the members that it names, everybody in it would be heard.
            self.left.push(Left::new(format!("group \"{shown}\""), "none of the members that it names has an id"));
            return;
        }
        let Some(ours) = self.access.groups.get_mut(id) else {
            self.gain.groups += 1;
            self.access.groups.insert(id.to_owned(), Group { allow_from: members, ..theirs.clone() });
            return;
        };
        if ours.require_mention != theirs.require_mention {
            let stays = if ours.require_mention { "mentions and answers" } else { "everything" };
            self.differs.push(Left::new(format!("group \"{shown}\""), format!("yours hears {stays}, and that stays")));
        }
        // An empty list means everybody, so it is neither narrowed nor widened.
        match (ours.allow_from.is_empty(), members.is_empty()) {
            (true, true) => {}
            (false, false) => {
                for member in members {
                    if !ours.allow_from.contains(&member) {
                        ours.allow_from.push(member);
                        self.gain.members += 1;
                    }
                }
            }
            (everybody, _) => {
                let stays = if everybody { "hears every member" } else { "hears some members only" };
                self.differs.push(Left::new(format!("group \"{shown}\""), format!("yours {stays}, and that stays")));
            }
        }
    }

    fn pairing(&mut self, code: &str, theirs: &Pending, now_ms: i64) {
        let is_code = (4..=16).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let access = &mut self.access;
        let known = access.allows(&theirs.sender_id)
            || access.pending.contains_key(code)
            || access.pending.values().any(|pending| pending.sender_id == theirs.sender_id);
        if theirs.expires_at <= now_ms || known {
            return;
        }
        if !is_code || !is_id(&theirs.sender_id) {
            self.left.push(Left::new(
                format!("the pairing of \"{}\"", visible(&theirs.sender_id, ID)),
                "its code or its sender has a shape that none has",
            ));
            return;
        }
        let taken = Pending {
            created_at: theirs.created_at.min(now_ms),
            expires_at: theirs.expires_at.min(now_ms.saturating_add(LIFETIME_MS)),
            ..theirs.clone()
        };
        access.pending.insert(code.to_owned(), taken);
        self.gain.pairings += 1;
    }

    fn rest(&mut self, theirs: &Map<String, Value>) {
        for (key, value) in theirs.iter().filter(|(_, value)| !value.is_null()) {
            let shown = visible(key, 80);
            let is_setting = SETTINGS.contains(&key.as_str());
            if is_setting && !fits(key, value) {
                self.left.push(Left::new(shown, "it has a value that it cannot have"));
                continue;
            }
            let gained = match self.access.rest.get_mut(key).filter(|ours| !ours.is_null()) {
                None => {
                    self.access.rest.insert(key.clone(), value.clone());
                    true
                }
                Some(ours) if ours == value => false,
                Some(Value::Array(ours)) if key == "mentionPatterns" => {
                    let before = ours.len();
                    for pattern in value.as_array().into_iter().flatten() {
                        if !ours.contains(pattern) {
                            ours.push(pattern.clone());
                        }
                    }
                    ours.len() > before
                }
                Some(_) => {
                    self.differs.push(Left::new(shown.clone(), "yours differs, and stays"));
                    false
                }
            };
            if gained {
                let gains = if is_setting { &mut self.gain.settings } else { &mut self.gain.unknown };
                gains.push(shown);
            }
        }
    }

    /// Those that anybody could have; the others are left.
    fn ids(&mut self, ids: &[String], what: &str) -> Vec<String> {
        let (good, bad): (Vec<_>, Vec<_>) = ids.iter().cloned().partition(|id| is_id(id));
        for id in bad {
            self.left.push(Left::new(format!("\"{}\" in {what}", visible(&id, ID)), "it is not an id"));
        }
        good
    }
}

/// Whether an id can be read, typed and compared by the user.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID && id.trim() == id && visible(id, ID) == id
}

/// Whether a setting has a value that it can have.
fn fits(key: &str, value: &Value) -> bool {
    fn is<T: DeserializeOwned>(value: &Value) -> bool {
        T::deserialize(value).is_ok()
    }
    match key {
        "ackReaction" => is::<String>(value),
        "replyToMode" => is::<ReplyToMode>(value),
        "textChunkLimit" => is::<NonZeroU32>(value),
        "chunkMode" => is::<ChunkMode>(value),
        "verdicts" => is::<Verdicts>(value),
        _ => is::<Vec<String>>(value),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_000_000_000;

    fn access(value: Value) -> Access {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn into_nothing_everything_is_taken_but_approvers_and_invitations() {
        let theirs = access(json!({
            "dmPolicy": "allowlist", "allowFrom": ["1", 2],
            "groups": { "-100": { "requireMention": false, "allowFrom": ["1"], "odd": 1 } },
            "pending": { "a1b2c3": { "senderId": "3", "chatId": "3", "createdAt": 1, "expiresAt": NOW + 5, "replies": 1 },
                         "ffffff": { "senderId": "4", "chatId": "4", "createdAt": 1, "expiresAt": NOW, "replies": 1 } },
            "approvers": ["1"], "invites": { "00": { "createdAt": 1, "expiresAt": NOW + 5 } },
            "ackReaction": "👀", "chunkMode": "sideways", "mentionPatterns": ["a"], "later": { "x": 1 },
        }));
        let merged = merge(&Access::default(), &theirs, NOW);
        let expected = Gain {
            policy: Some("allowlist"),
            allowed: 2,
            approvers: 0,
            groups: 1,
            members: 0,
            pairings: 1,
            settings: vec!["ackReaction".into(), "mentionPatterns".into()],
            unknown: vec!["later".into()],
        };
        assert_eq!(merged.gain, expected);
        assert_eq!(merged.access.groups, theirs.groups);
        assert!(merged.access.approvers.is_empty() && merged.access.invites.is_empty());
        let left: Vec<_> = merged.left.iter().map(|left| left.what.as_str()).collect();
        assert_eq!(left, ["chunkMode", "approvers", "invites"]);
    }

    #[test]
    fn who_may_speak_directly_there_approves_here_only_if_the_user_says_so() {
        let ours = access(json!({ "allowFrom": ["1", "9"], "approvers": ["1", "9"] }));
        let theirs = access(json!({
            "allowFrom": ["1", "2", " bad", "2"], "approvers": ["4"], "verdicts": "buttons",
            "groups": { "g": { "allowFrom": ["3"] } },
            "pending": { "a1b2c3": { "senderId": "5", "createdAt": 1, "expiresAt": NOW + 5 } },
        }));
        let mut merged = merge(&ours, &theirs, NOW);
        assert_eq!(merged.would_approve, ["2"]);
        assert_eq!(merged.access.approvers, ["1", "9"]);
        assert_eq!(merged.gain.settings, ["verdicts"]);
        merged.approve();
        assert_eq!((merged.access.approvers, merged.gain.approvers), (vec!["1".into(), "9".into(), "2".into()], 1));
        let again = merge(&access(json!({ "allowFrom": ["1", "2"], "approvers": ["2", "1"] })), &theirs, NOW);
        assert!(again.would_approve.is_empty());
    }

    #[test]
    fn what_is_ours_stays_and_what_differs_is_said() {
        let ours = access(json!({
            "dmPolicy": "pairing", "allowFrom": ["1"], "approvers": ["1"],
            "groups": { "all": {}, "some": { "allowFrom": ["1"] }, "both": { "allowFrom": ["1"] } },
            "pending": { "a1b2c3": { "senderId": "3", "createdAt": 1, "expiresAt": NOW + 5 } },
            "ackReaction": "x", "mentionPatterns": ["a"],
        }));
        let theirs = access(json!({
            "dmPolicy": "disabled", "allowFrom": ["2"],
            "groups": { "all": { "allowFrom": ["2"] }, "some": {}, "both": { "allowFrom": ["2"], "requireMention": false } },
            "pending": { "a1b2c3": { "senderId": "9", "createdAt": 1, "expiresAt": NOW + 5 },
                         "b1b2c3": { "senderId": "3", "createdAt": 1, "expiresAt": NOW + 5 } },
            "ackReaction": "y", "mentionPatterns": ["b", "a"],
        }));
        let Merged { access, gain, differs, .. } = merge(&ours, &theirs, NOW);
        assert_eq!(access.dm_policy, DmPolicy::Pairing);
        assert_eq!(access.allow_from, ["1", "2"]);
        assert_eq!(access.approvers, ["1"]);
        assert!(access.groups["all"].allow_from.is_empty());
        assert_eq!(access.groups["some"].allow_from, ["1"]);
        assert_eq!(access.groups["both"].allow_from, ["1", "2"]);
        assert!(access.groups["both"].require_mention);
        assert_eq!(access.pending, ours.pending);
        assert_eq!(access.rest["mentionPatterns"], json!(["a", "b"]));
        let expected = Gain { allowed: 1, members: 1, settings: vec!["mentionPatterns".into()], ..Gain::default() };
        assert_eq!(gain, expected);
        let differs: Vec<_> = differs.iter().map(|left| left.what.as_str()).collect();
        assert_eq!(differs, ["policy", "group \"all\"", "group \"both\"", "group \"some\"", "ackReaction"]);
    }

    #[test]
    fn ids_that_nobody_can_have_let_nobody_in() {
        let theirs = access(json!({
            "allowFrom": ["", " 1", "a\u{202e}b", "x".repeat(257)],
            "groups": { "": {}, "g": { "allowFrom": [" 1"] } },
            "pending": { "A1B2C3": { "senderId": "3", "createdAt": 1, "expiresAt": NOW + 5 },
                         "a1b2c3": { "senderId": "", "createdAt": 1, "expiresAt": NOW + 5 } },
        }));
        let merged = merge(&Access::default(), &theirs, NOW);
        assert!(merged.gain.is_empty(), "{:?}", merged.gain);
        assert_eq!(merged.left.len(), 9, "{:?}", merged.left);
        assert!(!format!("{:?}", merged.left).contains('\u{202e}'));
    }

    fn any_access() -> impl Strategy<Value = Access> {
        let id = || "[1-4]";
        let ids = || prop::collection::vec(id(), 0..4);
        let groups = prop::collection::btree_map("[gh]", (any::<bool>(), ids()), 0..3);
        let pending = prop::collection::btree_map("[ab]{4}", (id(), 0..2 * NOW), 0..3);
        let policy = prop::sample::select(vec!["pairing", "allowlist", "disabled"]);
        (policy, ids(), groups, pending, prop::option::of("[xy]"), ids()).prop_map(
            |(policy, allowed, groups, pending, reaction, patterns)| {
                let groups: Map<_, _> = groups
                    .into_iter()
                    .map(|(id, (mention, members))| (id, json!({ "requireMention": mention, "allowFrom": members })))
                    .collect();
                let pending: Map<_, _> = pending
                    .into_iter()
                    .map(|(code, (id, until))| (code, json!({ "senderId": id, "createdAt": 1, "expiresAt": until })))
                    .collect();
                access(json!({ "dmPolicy": policy, "allowFrom": allowed, "groups": groups, "pending": pending,
                    "ackReaction": reaction, "mentionPatterns": patterns, "approvers": ["1"] }))
            },
        )
    }

    proptest! {
        #[test]
        fn nothing_of_ours_is_lost_and_a_second_time_changes_nothing(ours in any_access(), theirs in any_access()) {
            let once = merge(&ours, &theirs, NOW);
            for id in &ours.allow_from {
                prop_assert!(once.access.allows(id));
            }
            for id in &theirs.allow_from {
                prop_assert!(once.access.allows(id));
            }
            for (id, group) in &ours.groups {
                let after = &once.access.groups[id];
                prop_assert_eq!(after.require_mention, group.require_mention);
                prop_assert_eq!(after.allow_from.is_empty(), group.allow_from.is_empty());
                prop_assert!(group.allow_from.iter().all(|member| after.allow_from.contains(member)));
            }
            prop_assert_eq!(&once.access.approvers, &ours.approvers);
            prop_assert!(once.would_approve.iter().all(|id| theirs.allows(id) && !ours.lists_approver(id)));
            let unchanged = once.access == ours;
            prop_assert_eq!(once.gain.is_empty(), unchanged);
            let twice = merge(&once.access, &theirs, NOW);
            prop_assert!(twice.gain.is_empty(), "{:?}", twice.gain);
            prop_assert!(twice.access == once.access);
        }
    }
}
