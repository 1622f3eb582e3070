//! What the host answers itself, before the adapter sees it: verdicts, codes of invitations, and the commands `/start`,
//! `/help` and `/status` of people who write directly.

use super::{
    Lane, Occurrence, Turn,
    commit::{Queued, key},
    judge::SHOWN,
};
use crate::{
    actions,
    clock::now_ms,
    evidence::{Evidence, Reading},
    gate::{Role, Ruling, Speaker, visible},
    journal::Key,
    message::{Kind, TextBy},
    relay::Attempt,
};

/// What the host made of an event before the adapter.
pub(super) enum Answered {
    /// The adapter gets it.
    Nothing,
    /// The adapter does not see it.
    Whole(Queued),
    /// The host's own page gets it too, and what it makes of it is no message.
    Beside(Taken),
}

/// A verdict that the host's own page sees as well.
pub(super) struct Taken {
    /// What is judged; nothing if it was before. The page sends again what it does not know to have come.
    pub(super) attempt: Option<Attempt>,
    /// What makes it a repetition from now on.
    pub(super) once: Option<Key>,
}

/// A command that is the host's to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Start,
    Help,
    Status,
}

impl Command {
    /// Reads a message that is a command and nothing else: `/help`, `/help@bot`, and `/start` also with what a link
    /// handed over.
    fn of(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let first = words.next()?;
        let (name, to) = first.split_once('@').unwrap_or((first, "bot"));
        if to.is_empty() || !to.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return None;
        }
        match (name.to_ascii_lowercase().as_str(), words.count()) {
            ("/start", 0 | 1) => Some(Self::Start),
            ("/help", 0) => Some(Self::Help),
            ("/status", 0) => Some(Self::Status),
            _ => None,
        }
    }
}

impl Lane {
    /// Answers what is the host's to answer. The adapter never sees it then; only the host's own page does, because it
    /// waits to hear that what was typed there has come.
    pub(super) fn answer_itself(&self, turn: &Turn, occurrence: &Occurrence) -> Answered {
        // One event is one guess at a code and one command, whatever number of rules apply to it.
        let Some(evidence) = &occurrence.evidence else { return Answered::Nothing };
        let invites = self.adapter.gate.has_open_invites();
        let readings = self.readings(evidence, invites);
        if let Some((attempt, event)) = self.verdict(occurrence, evidence, &readings) {
            if self.adapter.is_own_page() {
                return Answered::Beside(self.taken_once(occurrence, attempt));
            }
            let mut queued = self.queue_answered(turn, occurrence, Some(&event));
            queued.attempts.push(attempt);
            return Answered::Whole(queued);
        }
        let Some(reading) = readings.iter().find(|reading| reading.text.is_some()) else { return Answered::Nothing };
        let text = reading.text.as_deref().unwrap_or_default();
        let speaker = self.adapter.speaker(reading, text, reading.text_by, false);
        let invitation = if invites { self.invitation(turn, occurrence, reading, &speaker) } else { None };
        let answered = invitation.or_else(|| self.command(turn, occurrence, reading, &speaker));
        answered.map_or(Answered::Nothing, Answered::Whole)
    }

    fn taken_once(&self, occurrence: &Occurrence, attempt: Attempt) -> Taken {
        let once = key(&self.adapter, occurrence, &attempt.event);
        let seen = self.overlay.is_queued(&once) || self.adapter.read(|reader| reader.seen(&once)).unwrap_or(true);
        if seen { Taken { attempt: None, once: None } } else { Taken { attempt: Some(attempt), once: Some(once) } }
    }

    /// The readings under which the host could have something to answer.
    fn readings(&self, evidence: &Evidence, invites: bool) -> Vec<Reading> {
        let rules = &self.adapter.program.contract.platform.identities;
        let page = self.adapter.is_own_page();
        rules
            .iter()
            .filter(|rule| *rule.source == *evidence.source && (invites || page || !rule.is_by_credential()))
            .filter_map(|rule| rule.read(evidence).ok())
            .collect()
    }

    /// Takes an invitation's code out, whether or not it admits whoever sent it.
    fn invitation(
        &self,
        turn: &Turn,
        occurrence: &Occurrence,
        reading: &Reading,
        speaker: &Speaker<'_>,
    ) -> Option<Queued> {
        let adapter = &self.adapter;
        if let Some(redeemed) = adapter.gate.redeem(speaker, now_ms()) {
            let as_approver = if redeemed.approver { ", as an approver" } else { "" };
            let sender = visible(&redeemed.sender, SHOWN);
            tracing::info!(adapter = %adapter.name(), %sender, "admitted by invitation{as_approver}");
            adapter.journal.count(adapter.name(), "admitted by invitation");
            let role = if redeemed.approver { Role::Approver } else { Role::Speaker };
            actions::tell(adapter, reading, role.welcome().into());
            return Some(self.queue_answered(turn, occurrence, Some(&reading.event)));
        }
        if !adapter.gate.is_open_invite(speaker.text, now_ms()) {
            return None;
        }
        tracing::warn!(adapter = %adapter.name(), "withheld a message that bears the code of an open invitation");
        adapter.journal.count(adapter.name(), "invitation withheld");
        Some(self.queue_answered(turn, occurrence, None))
    }

    fn command(
        &self,
        turn: &Turn,
        occurrence: &Occurrence,
        reading: &Reading,
        speaker: &Speaker<'_>,
    ) -> Option<Queued> {
        // Words below a photo are no command: the photo would be lost.
        let personal = speaker.vetted
            && speaker.direct
            && !speaker.by_credential
            && speaker.kind == Kind::Message
            && speaker.text_by == TextBy::Sender
            && reading.text_at == 0;
        let command = Command::of(speaker.text).filter(|_| personal)?;
        let adapter = &self.adapter;
        match adapter.gate.judge(speaker, now_ms()) {
            Ruling::Deliver => {
                actions::tell(adapter, reading, self.answer(command, reading));
                adapter.journal.count(adapter.name(), "answered by the host");
            }
            ruling => self.turn_away(ruling, reading),
        }
        Some(self.queue_answered(turn, occurrence, Some(&reading.event)))
    }

    fn answer(&self, command: Command, reading: &Reading) -> String {
        match command {
            Command::Start => "You are connected: what you write here reaches Claude Code on its owner's machine.\n\n\
                               /help says what you can do, /status whether Claude listens."
                .into(),
            Command::Help => {
                let mut text = String::from(
                    "Write to Claude here, and it answers here. Photos and files work too; several messages in a row \
                     are read as one.",
                );
                text.push_str("\n\n/status says whether Claude listens.");
                text
            }
            Command::Status => {
                let name = reading.sender_name.as_deref().map(|name| format!(" ({})", visible(name, 64)));
                let waiting = match self.adapter.journal.unwritten() {
                    0 => "Nothing waits for it.".into(),
                    1 => "One message waits for it.".into(),
                    count => format!("{count} messages wait for it."),
                };
                format!(
                    "A Claude Code session is open. {waiting}\nYou are {}{}.",
                    visible(&reading.sender, SHOWN),
                    name.unwrap_or_default()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_the_whole_message() {
        for (text, command) in [
            ("/start", Some(Command::Start)),
            (" /START@my_bot  ", Some(Command::Start)),
            ("/start invited-by-ann", Some(Command::Start)),
            ("/help", Some(Command::Help)),
            ("/status@bot", Some(Command::Status)),
            ("/help me with this", None),
            ("/status of the build?", None),
            ("please /start", None),
            ("/started", None),
            ("/start@", None),
            ("/start@a.b", None),
            ("start", None),
            ("", None),
        ] {
            assert_eq!(Command::of(text), command, "{text:?}");
        }
    }
}
