//! Pairing: an unknown sender gets a code, and the user, who is shown who it is and what they wrote, approves it.

use super::{Access, Cause, GateError, Pending, Speaker, visible};

/// How long a code is good, in milliseconds.
pub(super) const LIFETIME_MS: i64 = 60 * 60 * 1000;
/// How many pairings wait at most.
pub(super) const MAX_PENDING: usize = 3;
/// How often a sender is answered while their code is good.
pub(super) const MAX_ANSWERS: u32 = 2;
/// How much of a first message is kept, in characters.
const FIRST_MESSAGE: usize = 200;
/// How much of a display name is kept, in characters.
const NAME: usize = 64;

/// A pairing that waits, as the user is shown it before deciding. All texts are in visible characters, except
/// `sender`, which is the exact id. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    /// The code that the sender was given.
    pub code: String,
    /// The sender's id, to be handed to [`Gate::approve`](super::Gate::approve); show it through [`visible`].
    pub sender: String,
    /// What they call themselves: decoration, never identity.
    pub sender_name: Option<String>,
    /// The beginning of what they wrote first.
    pub first_message: Option<String>,
    /// When they first wrote.
    pub created_ms: i64,
    /// From when on the code is void.
    pub expires_ms: i64,
}

/// A sender whose pairing the user approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// Who may speak now.
    pub sender: String,
    /// Where they asked, and where they can be told.
    pub conversation: String,
}

/// What an unknown sender is due.
pub(super) enum Due {
    /// A new code.
    Code,
    /// Their code once more.
    Reminder(String),
    /// Silence.
    Nothing(Cause),
}

/// What that sender is due now.
pub(super) fn due(access: &Access, sender: &str, now_ms: i64) -> Due {
    let mut waiting = access.pending.iter().filter(|(_, pending)| pending.expires_at > now_ms);
    if let Some((code, pending)) = waiting.clone().find(|(_, pending)| pending.sender_id == sender) {
        if pending.replies < MAX_ANSWERS {
            Due::Reminder(code.clone())
        } else {
            Due::Nothing(Cause::Answered(sender.to_owned()))
        }
    } else if waiting.nth(MAX_PENDING - 1).is_some() {
        Due::Nothing(Cause::PairingFull(sender.to_owned()))
    } else {
        Due::Code
    }
}

/// Keeps that a reminder is sent.
pub(super) fn remind(access: &mut Access, code: &str) {
    if let Some(pending) = access.pending.get_mut(code) {
        pending.replies = pending.replies.saturating_add(1);
    }
}

/// Makes a code for an unknown sender and keeps it: six hexadecimal digits, as in the official plugins.
pub(super) fn begin(access: &mut Access, speaker: &Speaker<'_>, now_ms: i64) -> Result<String, GateError> {
    access.prune(now_ms);
    let code = loop {
        let mut bytes = [0; 3];
        getrandom::fill(&mut bytes).map_err(GateError::Random)?;
        let code = hex::encode(bytes);
        if !access.pending.contains_key(&code) {
            break code;
        }
    };
    let pending = Pending {
        sender_id: speaker.sender.to_owned(),
        chat_id: speaker.conversation.to_owned(),
        created_at: now_ms,
        expires_at: now_ms.saturating_add(LIFETIME_MS),
        replies: 1,
        sender_name: speaker.sender_name.map(|name| visible(name, NAME)),
        first_message: Some(visible(speaker.text, FIRST_MESSAGE)),
        rest: serde_json::Map::new(),
    };
    access.pending.insert(code.clone(), pending);
    Ok(code)
}

/// The pairings that wait, the oldest first.
pub(super) fn list(access: &Access, now_ms: i64) -> Vec<Pairing> {
    let waiting = access.pending.iter().filter(|(_, pending)| pending.expires_at > now_ms);
    let mut list: Vec<_> = waiting
        .map(|(code, pending)| Pairing {
            code: visible(code, 16),
            sender: pending.sender_id.clone(),
            sender_name: pending.sender_name.as_deref().map(|name| visible(name, NAME)),
            first_message: pending.first_message.as_deref().map(|text| visible(text, FIRST_MESSAGE + 1)),
            created_ms: pending.created_at,
            expires_ms: pending.expires_at,
        })
        .collect();
    list.sort_by_key(|pairing| pairing.created_ms);
    list
}

/// Lets the sender in whom the user was shown under that code.
pub(super) fn approve(
    access: &mut Access,
    code: &str,
    expected_sender: &str,
    now_ms: i64,
) -> Result<Approved, GateError> {
    let pending = take(access, code, now_ms)?;
    if pending.sender_id != expected_sender {
        return Err(GateError::OtherSender { code: code.to_owned(), sender: pending.sender_id });
    }
    super::check_id(&pending.sender_id)?;
    access.admit(&pending.sender_id);
    Ok(Approved { sender: pending.sender_id, conversation: pending.chat_id })
}

/// Takes a pairing off the list.
pub(super) fn take(access: &mut Access, code: &str, now_ms: i64) -> Result<Pending, GateError> {
    access.prune(now_ms);
    let typed = code.trim().to_ascii_lowercase();
    access.pending.remove(&typed).ok_or_else(|| GateError::NoPairing { code: code.to_owned() })
}
