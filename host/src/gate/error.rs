//! Why the user's own commands on the access file do not succeed, and what the gate has to tell the user.

use std::{io, path::PathBuf};

use super::visible::{visible, word};

/// Why a command on the access file did not succeed. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The file system refused.
    #[error("could not {doing} {}: {source}", path.display())]
    Io {
        /// What was attempted: "read", "write" …
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process keeps the file locked.
    #[error("{} stays locked by another sluicegate process: try again, or end that process", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// The file cannot be used and was left as it is.
    #[error("{} cannot be used: {why}. Mend or remove it", path.display())]
    Unusable {
        /// The access file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Not an id that anybody could have.
    #[error("\"{}\" is not an id: {why}. Copy the id from `sluicegate status` or from the platform", visible(id, 64))]
    Id {
        /// What was given.
        id: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Somebody who may not speak cannot be an approver.
    #[error(
        "\"{}\" may not speak through {adapter}, so they cannot approve either; let them in first: \
         sluicegate access {adapter} allow {}",
        visible(id, 64),
        word(id)
    )]
    MayNotSpeak {
        /// The adapter.
        adapter: String,
        /// Who.
        id: String,
    },
    /// No pairing waits under that code.
    #[error(
        "no pairing waits under the code \"{}\": it was mistyped, has been settled, or its hour is over; \
         ask the person to write again for a new one",
        visible(code, 16)
    )]
    NoPairing {
        /// What was given.
        code: String,
    },
    /// The code belongs to somebody else than the user was shown.
    #[error(
        "the code \"{}\" now belongs to \"{}\": look again before you approve it",
        visible(code, 16),
        visible(sender, 64)
    )]
    OtherSender {
        /// The code.
        code: String,
        /// Whose it is.
        sender: String,
    },
    /// As many invitations are open as may be.
    #[error(
        "{open} invitations are open, more may not be: wait until one is used or its ten minutes are over, \
         or revoke them"
    )]
    TooManyInvites {
        /// How many are open.
        open: usize,
    },
    /// Not one of the policies.
    #[error("\"{given}\" is not a policy: use pairing, allowlist or disabled")]
    Policy {
        /// What was given.
        given: String,
    },
    /// Not one of the settings.
    #[error(
        "\"{given}\" is not a setting: use ackReaction, replyToMode, textChunkLimit, chunkMode, mentionPatterns \
             or verdicts"
    )]
    Setting {
        /// What was given.
        given: String,
    },
    /// The setting cannot have that value.
    #[error("{key} cannot be \"{given}\": {why}")]
    Value {
        /// The setting.
        key: &'static str,
        /// What was given.
        given: String,
        /// What it must be.
        why: String,
    },
    /// The system gives no random bytes, so there can be no code.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// Something that the gate met and that the user should know; see [`Gate::take_warnings`](super::Gate::take_warnings).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The file was no access file. It was moved aside; until the user acts nobody is allowed.
    #[error(
        "{} was corrupt ({why}) and has been moved to {}. Access starts afresh: nobody is allowed, unknown \
         senders get pairing codes. Mend the moved file and put it back, or allow people anew",
        path.display(), aside.display()
    )]
    Corrupt {
        /// The access file.
        path: PathBuf,
        /// Where it is now.
        aside: PathBuf,
        /// What was wrong with it.
        why: String,
    },
    /// The file cannot be used and stays where it is. Until that is mended everything is refused.
    #[error("{} cannot be used ({why}). Everything is refused until it can", path.display())]
    Unusable {
        /// The access file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// One member of the file is ignored, the rest counts.
    #[error("{}: {at} is ignored: {why}", path.display())]
    Ignored {
        /// The access file.
        path: PathBuf,
        /// Which member.
        at: String,
        /// What is wrong with it.
        why: String,
    },
    /// A right invitation code could not be redeemed because the file could not be written.
    #[error("an invitation of \"{sender}\" could not be redeemed: {why}")]
    NotRedeemed {
        /// Whose, in visible characters.
        sender: String,
        /// What went wrong.
        why: String,
    },
}
