//! The gate: who may speak through an adapter, and where Claude may answer.
//!
//! There is one [`Gate`] for each adapter, over its `access/<name>.json`, which is compatible with the official
//! plugins' `access.json`. The host judges every message by [`Gate::judge`], every outgoing action by
//! [`Gate::may_send`] and who may answer permission requests by [`Gate::is_approver`]; the user's commands change the
//! file through the same type in another process. Nothing that a message or the model says changes who is allowed, but
//! for an invitation code that the user handed out.
//!
//! The methods block for a file's status, and for a small write where they change something.

mod access;
mod approvers;
mod commands;
mod error;
mod file;
mod invite;
mod mention;
mod pairing;
mod reason;
mod rules;
mod store;
mod visible;

#[cfg(test)]
mod tests;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

pub use access::{Access, ChunkMode, DmPolicy, Group, Invite, Pending, ReplyToMode, Settings, Verdicts};
pub use approvers::Role;
pub use commands::Removed;
pub use error::{GateError, Warning};
pub use invite::{Redeemed, looks_like_invite};
pub use pairing::{Approved, Pairing};
pub use reason::{Cause, Reason};
pub use visible::visible;

use crate::{
    message::{Kind, TextBy},
    name::AdapterName,
};
use pairing::Due;
use rules::{Standing, weigh};
use store::{BRIEF, Snapshot, Store};

/// Who speaks, what and where, as the host read it from the evidence.
#[derive(Debug, Clone, Copy)]
pub struct Speaker<'a> {
    /// The sender's immutable id.
    pub sender: &'a str,
    /// The sender's display name: decoration, never identity.
    pub sender_name: Option<&'a str>,
    /// Where it was said.
    pub conversation: &'a str,
    /// Said to the adapter alone, not in a group.
    pub direct: bool,
    /// The adapter's claim that the message mentions it. Counts in groups only.
    pub mentions_me: bool,
    /// Whether it answers a message of the adapter's. Counts in groups only.
    pub reply_to_me: bool,
    /// What was said.
    pub text: &'a str,
    /// Whose words `text` is.
    pub text_by: TextBy,
    /// What happened.
    pub kind: Kind,
    /// Whether the rule that read all this is a profile's, or vetted by the user.
    pub vetted: bool,
    /// Whether the sender is a credential that the user configured, or the user's own page.
    pub by_credential: bool,
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// It goes on to the journal.
    Deliver,
    /// The host sends the sender this code, and nothing of the message goes on.
    Pair {
        /// What the user approves with `sluicegate pair CODE`.
        code: String,
        /// Whether the sender has been sent it before.
        remind: bool,
    },
    /// Nothing of it goes on, and the sender is told nothing.
    Drop(Reason),
}

/// Where an action would speak.
#[derive(Debug, Clone, Copy)]
pub struct Destination<'a> {
    /// The conversation.
    pub conversation: &'a str,
    /// The thread in it. A thread has the access of its conversation.
    pub thread: Option<&'a str>,
    /// Who was the last to speak there directly, if anybody was.
    pub last_direct_sender: Option<&'a str>,
    /// Whether it belongs to a credential that the user configured, or to the user's own page.
    pub by_credential: bool,
    /// Whether on this platform a direct conversation has the id of its sender, so that an allowed sender can be
    /// written to before they spoke.
    pub direct_is_sender: bool,
}

/// The gate of one adapter. One for each adapter in a process: wrong invitation codes are counted in it.
pub struct Gate {
    adapter: Arc<str>,
    store: Store,
    guesses: Mutex<invite::Guesses>,
    /// The credential of the host's own page, if the adapter serves it.
    page: Option<Arc<str>>,
}

impl Gate {
    /// The gate over an access file, `access/<name>.json`. The file is first read when it is needed; no file is
    /// the policy `pairing` with nobody allowed.
    #[must_use]
    pub fn open(path: PathBuf) -> Self {
        let name = path.file_stem().and_then(|stem| AdapterName::new(stem.to_str()?).ok());
        let adapter = name.as_ref().map_or("NAME", AdapterName::as_str).into();
        Self { adapter, store: Store::new(path), guesses: Mutex::default(), page: None }
    }

    /// Judges a message. Writes the access file if, and only if, an unknown sender gets a code or a reminder.
    pub fn judge(&self, speaker: &Speaker<'_>, now_ms: i64) -> Ruling {
        let ruling = match self.store.snapshot() {
            Err(unusable) => Err(Cause::Unusable(unusable.0)),
            Ok(snapshot) => match weigh(&snapshot.access, &snapshot.mentions, speaker) {
                Standing::Admitted => Ok(Ruling::Deliver),
                Standing::Refused(cause) => Err(cause),
                Standing::Stranger => self.answer(&snapshot, speaker, now_ms),
            },
        };
        ruling.unwrap_or_else(|cause| Ruling::Drop(self.reason(cause)))
    }

    /// Answers an unknown sender who may pair. Silence is decided without the lock, so that a flood costs no writes.
    fn answer(&self, snapshot: &Snapshot, speaker: &Speaker<'_>, now_ms: i64) -> Result<Ruling, Cause> {
        if let Due::Nothing(cause) = pairing::due(&snapshot.access, speaker.sender, now_ms) {
            return Err(cause);
        }
        let answer = self.store.change(BRIEF, |access| {
            // The file may have changed since the snapshot.
            Ok(match weigh(access, &snapshot.mentions, speaker) {
                Standing::Admitted => Ok(Ruling::Deliver),
                Standing::Refused(cause) => Err(cause),
                Standing::Stranger => match pairing::due(access, speaker.sender, now_ms) {
                    Due::Nothing(cause) => Err(cause),
                    Due::Code => Ok(Ruling::Pair { code: pairing::begin(access, speaker, now_ms)?, remind: false }),
                    Due::Reminder(code) => {
                        pairing::remind(access, &code);
                        Ok(Ruling::Pair { code, remind: true })
                    }
                },
            })
        });
        answer.unwrap_or_else(|error| Err(Cause::NotKept(speaker.sender.to_owned(), error.to_string())))
    }

    /// Whether any invitation is open now. Costs a file's status; what is not the shape of a code need not be asked
    /// about, see [`looks_like_invite`].
    #[must_use]
    pub fn has_open_invites(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.open_invites(i64::try_from(now.as_millis()).unwrap_or(i64::MAX)) > 0
    }

    /// How many invitations are open at that time; none if the file cannot be used.
    #[must_use]
    pub fn open_invites(&self, now_ms: i64) -> usize {
        self.store.snapshot().map_or(0, |snapshot| invite::open(&snapshot.access, now_ms))
    }

    /// Whether a text is the code of an open invitation, whoever wrote it wherever: nothing that the adapter should
    /// see, even where [`redeem`](Self::redeem) does not take it.
    #[must_use]
    pub fn is_open_invite(&self, text: &str, now_ms: i64) -> bool {
        invite::digest(text).is_some_and(|digest| {
            self.store.snapshot().is_ok_and(|snapshot| invite::is_open(&snapshot.access, &digest, now_ms))
        })
    }

    /// Lets the sender in if the whole text is the code of an open invitation, and makes them an approver if it is one for
    /// approvers; the code is used up with that. Taken
    /// only from a direct message in the sender's own words, read by a vetted rule, and from nobody who wrote five
    /// wrong codes within ten minutes.
    pub fn redeem(&self, speaker: &Speaker<'_>, now_ms: i64) -> Option<Redeemed> {
        let own_words = speaker.vetted
            && speaker.direct
            && speaker.kind == Kind::Message
            && speaker.text_by == TextBy::Sender
            && !speaker.conversation.is_empty()
            && visible::id_fault(speaker.sender).is_none();
        let digest = invite::digest(speaker.text).filter(|_| own_words)?;
        let snapshot = self.store.snapshot().ok()?;
        if snapshot.access.dm_policy == DmPolicy::Disabled || invite::open(&snapshot.access, now_ms) == 0 {
            return None;
        }
        if self.guesses().exhausted(speaker.sender, now_ms) {
            return None;
        }
        if !invite::is_open(&snapshot.access, &digest, now_ms) {
            self.guesses().wrong(speaker.sender, now_ms);
            return None;
        }
        let redeemed = self.store.change(BRIEF, |access| {
            access.prune(now_ms);
            if access.dm_policy == DmPolicy::Disabled {
                return Ok(None);
            }
            let Some(invite) = access.invites.remove(&digest) else { return Ok(None) };
            Ok(Some(Redeemed {
                sender: speaker.sender.to_owned(),
                conversation: speaker.conversation.to_owned(),
                new: access.admit(speaker.sender),
                approver: invite.approver && access.add_approver(speaker.sender),
            }))
        });
        redeemed.unwrap_or_else(|error| {
            let sender = visible(speaker.sender, 64);
            self.store.warn(Warning::NotRedeemed { sender, why: error.to_string() });
            None
        })
    }

    /// The outbound gate: an action may speak only where the inbound gate would deliver from.
    ///
    /// # Errors
    /// The [`Reason`] why not; hand [`Reason::for_claude`] to Claude and log the reason itself.
    pub fn may_send(&self, destination: &Destination<'_>) -> Result<(), Reason> {
        let refused = |cause| Err(self.reason(cause));
        let snapshot = match self.store.snapshot() {
            Ok(snapshot) => snapshot,
            Err(unusable) => return refused(Cause::Unusable(unusable.0)),
        };
        let access = &snapshot.access;
        if access.dm_policy == DmPolicy::Disabled {
            return refused(Cause::Disabled);
        }
        if destination.conversation.is_empty() {
            return refused(Cause::NotADestination(String::new()));
        }
        if destination.by_credential
            || access.groups.contains_key(destination.conversation)
            || destination.last_direct_sender.is_some_and(|sender| access.allows(sender))
            || (destination.direct_is_sender && access.allows(destination.conversation))
        {
            return Ok(());
        }
        let conversation = destination.conversation.to_owned();
        refused(match destination.last_direct_sender {
            Some(sender) => Cause::NoLongerAllowed { conversation, sender: sender.to_owned() },
            None => Cause::NotADestination(conversation),
        })
    }

    /// What the user should be told since the last call: the host logs it, a command shows it.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<Warning> {
        self.store.take_warnings()
    }

    fn reason(&self, cause: Cause) -> Reason {
        Reason::new(&self.adapter, cause)
    }

    fn guesses(&self) -> MutexGuard<'_, invite::Guesses> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_id(id: &str) -> Result<(), GateError> {
    visible::id_fault(id).map_or(Ok(()), |why| Err(GateError::Id { id: id.to_owned(), why }))
}
