//! Invitations: the user makes a one-time code, hands it to somebody, and who writes it directly is let in.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::{Access, GateError, Invite, Role};

/// How long a code is good, in milliseconds.
pub(super) const LIFETIME_MS: i64 = 10 * 60 * 1000;
/// How many codes are open at most.
pub(super) const MAX_OPEN: usize = 8;
/// How many wrong codes a sender may write within [`WINDOW_MS`].
pub(super) const MAX_WRONG: u8 = 5;
/// In milliseconds.
const WINDOW_MS: i64 = 10 * 60 * 1000;
/// How many senders' wrong codes are remembered.
const MAX_SENDERS: usize = 1024;

/// Crockford's digits, in lower case: none is easily taken for another. Five bits each.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// How many follow the word: 40 bits.
const LENGTH: usize = 8;
const WORD: &str = "join";
/// The longest text that may be a code, in bytes; spaces and dashes included.
const MAX_TEXT: usize = 64;

/// Somebody who came in by an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// Who may speak now.
    pub sender: String,
    /// Where they wrote, and where they can be told.
    pub conversation: String,
    /// Whether they could not speak before.
    pub new: bool,
    /// Whether the invitation has made them an approver.
    pub approver: bool,
}

/// Whether a text has the shape of an invitation code. Costs no file access.
#[must_use]
pub fn looks_like_invite(text: &str) -> bool {
    digest(text).is_some()
}

/// The digest under which a code is kept; `None` if the text has not the shape of one. Case, spaces and dashes do
/// not count, and letters that are not digits of the code stand for those they look like.
pub(super) fn digest(text: &str) -> Option<String> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let filler = |c: char| c.is_whitespace() || c == '-' || ('\u{2010}'..='\u{2015}').contains(&c);
    let folded: String = text.chars().filter(|&c| !filler(c)).map(|c| c.to_ascii_lowercase()).collect();
    let digits: String = folded
        .strip_prefix(WORD)?
        .chars()
        .map(|c| match c {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        })
        .collect();
    let shaped = digits.len() == LENGTH && digits.bytes().all(|b| DIGITS.contains(&b));
    shaped.then(|| hex::encode(Sha256::digest(written(&digits))))
}

/// Makes a code. Only its digest is kept.
pub(super) fn create(access: &mut Access, role: Role, now_ms: i64) -> Result<String, GateError> {
    access.prune(now_ms);
    if access.invites.len() >= MAX_OPEN {
        return Err(GateError::TooManyInvites { open: access.invites.len() });
    }
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(GateError::Random)?;
    let digits: String = bytes.iter().map(|byte| char::from(DIGITS[usize::from(byte % 32)])).collect();
    let code = written(&digits);
    let expires_at = now_ms.saturating_add(LIFETIME_MS);
    let invite = Invite { expires_at, created_at: now_ms, approver: role == Role::Approver };
    access.invites.insert(hex::encode(Sha256::digest(&code)), invite);
    Ok(code)
}

/// How many codes are open.
pub(super) fn open(access: &Access, now_ms: i64) -> usize {
    access.invites.values().filter(|invite| invite.expires_at > now_ms).count()
}

/// Whether the code of that digest is open.
pub(super) fn is_open(access: &Access, digest: &str, now_ms: i64) -> bool {
    access.invites.get(digest).is_some_and(|invite| invite.expires_at > now_ms)
}

fn written(digits: &str) -> String {
    let (first, second) = digits.split_at(LENGTH / 2);
    format!("{WORD}-{first}-{second}")
}

/// Wrong codes by sender. In memory: a restart forgets them, which gains a guesser nothing against 40 bits.
#[derive(Default)]
pub(super) struct Guesses {
    by_sender: HashMap<String, Wrong>,
}

struct Wrong {
    count: u8,
    since_ms: i64,
}

impl Guesses {
    /// Whether that sender has guessed wrong too often to be heard.
    pub(super) fn exhausted(&self, sender: &str, now_ms: i64) -> bool {
        self.by_sender.get(sender).is_some_and(|wrong| wrong.counts(now_ms) && wrong.count >= MAX_WRONG)
    }

    /// Remembers a wrong code.
    pub(super) fn wrong(&mut self, sender: &str, now_ms: i64) {
        if let Some(wrong) = self.by_sender.get_mut(sender).filter(|wrong| wrong.counts(now_ms)) {
            wrong.count = wrong.count.saturating_add(1);
            return;
        }
        if self.by_sender.len() >= MAX_SENDERS {
            self.by_sender.retain(|_, wrong| wrong.counts(now_ms));
        }
        if self.by_sender.len() >= MAX_SENDERS {
            let oldest = self.by_sender.iter().min_by_key(|(_, wrong)| wrong.since_ms);
            if let Some(oldest) = oldest.map(|(sender, _)| sender.clone()) {
                self.by_sender.remove(&oldest);
            }
        }
        self.by_sender.insert(sender.to_owned(), Wrong { count: 1, since_ms: now_ms });
    }
}

impl Wrong {
    fn counts(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.since_ms) < WINDOW_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_texts_in_the_shape_of_a_code_look_like_one() {
        for text in ["join-0123-abcd", "JOIN 0123 ABCD", " join0123abcd\n", "Join–0123–abcd", "join-oil3-abcd"] {
            assert!(looks_like_invite(text), "{text}");
        }
        let long = format!("join-0123-abcd{}", " ".repeat(60));
        for text in
            ["", "join", "join-0123-abc", "join-0123-abcde", "join-0123-abcu", "see join-0123-abcd", "0123abcd", &long]
        {
            assert!(!looks_like_invite(text), "{text}");
        }
    }

    #[test]
    fn letters_that_look_alike_are_the_same_code() {
        assert_eq!(digest("join-O1iL-abcd"), digest("join-0111-abcd"));
        assert_ne!(digest("join-0111-abcd"), digest("join-0111-abce"));
    }

    #[test]
    fn wrong_codes_are_remembered_for_a_bounded_number_of_senders() {
        let mut guesses = Guesses::default();
        for n in 0..5000 {
            guesses.wrong(&n.to_string(), n);
        }
        assert_eq!(guesses.by_sender.len(), MAX_SENDERS);
        for _ in 0..MAX_WRONG {
            assert!(!guesses.exhausted("me", 9000));
            guesses.wrong("me", 9000);
        }
        assert!(guesses.exhausted("me", 9000) && guesses.exhausted("me", 9000 + WINDOW_MS - 1));
        assert!(!guesses.exhausted("me", 9000 + WINDOW_MS));
    }
}
