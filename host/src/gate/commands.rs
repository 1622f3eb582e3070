//! The user's own commands on the access file. No tool of Claude's and no message leads here.

use serde_json::{Value, json};

use super::{
    Access, Approved, DmPolicy, Gate, GateError, Pairing, Role, Settings, check_id, invite, mention, pairing,
    store::{PATIENT, Snapshot},
    visible,
};

/// The longest reaction, in bytes: one emoji, or a platform's name of its own.
const MAX_REACTION: usize = 100;

/// What taking somebody off the list did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Whether they were on it.
    pub found: bool,
    /// Groups that still name them as a member that may speak.
    pub groups: Vec<String>,
    /// Whether they were an approver, which they are no more.
    pub approver: bool,
}

impl Gate {
    /// The access as it is now.
    ///
    /// # Errors
    /// [`GateError::Unusable`] if the file can neither be read nor moved aside.
    pub fn access(&self) -> Result<Access, GateError> {
        Ok(self.usable()?.access.clone())
    }

    /// How replies are delivered. Defaults if the file cannot be used; nothing can be sent then.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.usable().map(|snapshot| snapshot.settings.clone()).unwrap_or_default()
    }

    /// Changes the access as it is at that moment, under the lock: no change of another process is lost. Nothing is
    /// written if `change` fails or changes nothing.
    ///
    /// # Errors
    /// Those of `change`; [`GateError::Busy`] after ten seconds without the lock; [`GateError::Io`].
    pub fn update<T>(&self, change: impl FnOnce(&mut Access) -> Result<T, GateError>) -> Result<T, GateError> {
        self.store.change(PATIENT, change)
    }

    /// The pairings that wait, the oldest first.
    ///
    /// # Errors
    /// As [`access`](Self::access).
    pub fn pending(&self, now_ms: i64) -> Result<Vec<Pairing>, GateError> {
        Ok(pairing::list(&self.usable()?.access, now_ms))
    }

    /// Approves a pairing: the sender may speak from now on, and approve what Claude does if their role says so.
    /// `expected_sender` is the id that the user was shown under that code, so that a code which has changed hands
    /// meanwhile lets nobody in.
    ///
    /// # Errors
    /// [`GateError::NoPairing`], [`GateError::OtherSender`], [`GateError::Id`], and as [`update`](Self::update).
    pub fn approve(&self, code: &str, expected_sender: &str, role: Role, now_ms: i64) -> Result<Approved, GateError> {
        self.update(|access| {
            let approved = pairing::approve(access, code, expected_sender, now_ms)?;
            if role == Role::Approver {
                access.add_approver(&approved.sender);
            }
            Ok(approved)
        })
    }

    /// Takes a pairing off the list; the sender is not told, and is no approver either. Gives the sender's id.
    ///
    /// # Errors
    /// [`GateError::NoPairing`], and as [`update`](Self::update).
    pub fn deny(&self, code: &str, now_ms: i64) -> Result<String, GateError> {
        self.update(|access| {
            let sender = pairing::take(access, code, now_ms)?.sender_id;
            if !access.allows(&sender) {
                access.remove_approver(&sender);
            }
            Ok(sender)
        })
    }

    /// Lets a sender speak directly. Whether they could not before.
    ///
    /// # Errors
    /// [`GateError::Id`] if nobody can have that id, and as [`update`](Self::update).
    pub fn allow(&self, id: &str) -> Result<bool, GateError> {
        check_id(id)?;
        self.update(|access| Ok(access.admit(id)))
    }

    /// Takes a sender off the list of those who may speak directly, and with that off the list of approvers.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn remove(&self, id: &str) -> Result<Removed, GateError> {
        self.update(|access| {
            let found = access.allows(id);
            access.allow_from.retain(|allowed| allowed != id);
            let named = |ids: &[String]| ids.iter().any(|named| named == id);
            let groups = access.groups.iter().filter(|(_, group)| named(&group.allow_from));
            let groups = groups.map(|(group, _)| group.clone()).collect();
            Ok(Removed { found, groups, approver: access.remove_approver(id) })
        })
    }

    /// Sets how unknown direct senders are treated. [`DmPolicy`] can be parsed from the user's word.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn set_policy(&self, policy: DmPolicy) -> Result<(), GateError> {
        self.update(|access| {
            access.dm_policy = policy;
            Ok(())
        })
    }

    /// Lists a group, or lists it anew: whether only messages that address the adapter are taken, and from which
    /// members (empty: from all). Whether it was not listed before.
    ///
    /// # Errors
    /// [`GateError::Id`] if one of the ids is none, and as [`update`](Self::update).
    pub fn group_add(&self, id: &str, require_mention: bool, allow_from: &[String]) -> Result<bool, GateError> {
        check_id(id)?;
        allow_from.iter().try_for_each(|member| check_id(member))?;
        self.update(|access| {
            let new = !access.groups.contains_key(id);
            let group = access.groups.entry(id.to_owned()).or_default();
            group.require_mention = require_mention;
            group.allow_from = allow_from.to_vec();
            Ok(new)
        })
    }

    /// Takes a group off the list. Whether it was on it.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn group_remove(&self, id: &str) -> Result<bool, GateError> {
        self.update(|access| Ok(access.groups.remove(id).is_some()))
    }

    /// Sets `ackReaction` (empty: none), `replyToMode`, `textChunkLimit`, `chunkMode`, `mentionPatterns` (a JSON list of
    /// regular expressions) or `verdicts`.
    ///
    /// # Errors
    /// [`GateError::Setting`], [`GateError::Value`], and as [`update`](Self::update).
    pub fn set(&self, key: &str, value: &str) -> Result<(), GateError> {
        let (key, value) = setting(key, value)?;
        self.update(|access| {
            access.rest.insert(key.to_owned(), value);
            Ok(())
        })
    }

    /// Makes an invitation: a code like `join-x4c9-0m2k`, good once within ten minutes, for somebody of that role. It is
    /// kept nowhere, so this is the only time that it can be shown.
    ///
    /// # Errors
    /// [`GateError::TooManyInvites`], [`GateError::Random`], and as [`update`](Self::update).
    pub fn create_invite(&self, role: Role, now_ms: i64) -> Result<String, GateError> {
        self.update(|access| invite::create(access, role, now_ms))
    }

    /// Revokes all invitations; gives how many were open.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn revoke_invites(&self, now_ms: i64) -> Result<usize, GateError> {
        self.update(|access| {
            let open = invite::open(access, now_ms);
            access.invites.clear();
            Ok(open)
        })
    }

    fn usable(&self) -> Result<std::sync::Arc<Snapshot>, GateError> {
        self.store.snapshot().map_err(|unusable| GateError::Unusable { path: self.store.path(), why: unusable.0 })
    }
}

/// Checks a setting as the user typed it.
fn setting(key: &str, given: &str) -> Result<(&'static str, Value), GateError> {
    let wrong = |key, why: String| GateError::Value { key, given: visible(given, 80), why };
    let one_of = |key, words: &[&str]| {
        let listed = words.contains(&given);
        listed.then(|| (key, json!(given))).ok_or_else(|| wrong(key, format!("use {}", words.join(" or "))))
    };
    match key {
        "ackReaction" => {
            let key = "ackReaction";
            let fits = given.len() <= MAX_REACTION && !given.contains(char::is_control);
            fits.then(|| (key, json!(given))).ok_or_else(|| {
                wrong(key, format!("use one emoji, at most {MAX_REACTION} bytes, or nothing for no reaction"))
            })
        }
        "replyToMode" => one_of("replyToMode", &["off", "first", "all"]),
        "chunkMode" => one_of("chunkMode", &["length", "newline"]),
        "verdicts" => one_of("verdicts", &["any", "buttons"]),
        "textChunkLimit" => {
            let key = "textChunkLimit";
            let limit = given.parse::<std::num::NonZeroU32>();
            limit.map(|limit| (key, json!(limit))).map_err(|_| wrong(key, "use a whole number from 1".into()))
        }
        "mentionPatterns" => {
            let key = "mentionPatterns";
            let patterns: Vec<String> = serde_json::from_str(given).map_err(|_| {
                wrong(key, r#"use a JSON list of regular expressions, like '["^hey claude\\b"]'"#.into())
            })?;
            let mentions = mention::Mentions::compile(&patterns, None);
            match mentions.problems().first() {
                Some(problem) => Err(wrong(key, format!("{}: {}", problem.at, problem.why))),
                None => Ok((key, json!(patterns))),
            }
        }
        other => Err(GateError::Setting { given: visible(other, 40) }),
    }
}
