//! The gate's part of an event: what of it becomes a message.

use super::{Lane, Occurrence, commit::key};
use crate::{
    actions,
    adapters::Adapter,
    evidence::Reading,
    gate::{Ruling, visible},
    journal::NewMessage,
    manifest::Value,
    message::{Kind, Message},
    sandbox::Delivery,
};

/// Characters of an id that the log shows.
pub(super) const SHOWN: usize = 80;

impl Lane {
    /// Asks the gate, and makes the message of what it lets through.
    pub(super) fn judge(&self, delivery: Delivery, occurrence: &Occurrence, now: i64) -> Option<NewMessage> {
        let adapter = &self.adapter;
        let reading = &delivery.reading;
        let mut speaker = adapter.speaker_of(&delivery);
        speaker.reply_to_me =
            !reading.direct && reading.reply_to.as_deref().is_some_and(|id| self.is_ours(reading, id));
        if reading.kind == Kind::Reaction {
            // What people do to each other's messages is not addressed to Claude.
            if !self.is_ours(reading, &reading.message_id) {
                adapter.journal.count(adapter.name(), "reaction to another's message");
                return None;
            }
            speaker.reply_to_me |= !reading.direct;
        }
        let ruling = adapter.gate.judge(&speaker, now);
        if ruling != Ruling::Deliver {
            self.turn_away(ruling, reading);
            return None;
        }
        Some(NewMessage {
            key: (!self.is_by_once(occurrence, reading)).then(|| key(adapter, occurrence, &reading.event)),
            by_credential: reading.by_credential,
            message: message(adapter, delivery),
        })
    }

    /// Whether the occurrence's `once` says that the event is new: its id is what was signed, or what the poll counts.
    fn is_by_once(&self, occurrence: &Occurrence, reading: &Reading) -> bool {
        let (Some(_), Some(evidence)) = (&occurrence.once, &occurrence.evidence) else { return false };
        let platform = &self.adapter.program.contract.platform;
        match platform.poll(&evidence.source) {
            Some(poll) => platform
                .identity(&reading.rule)
                .is_some_and(|rule| matches!(&rule.event, Value::Pointer(event) if *event == poll.cursor.max)),
            None => evidence.context.signed.as_ref() == Some(&reading.event),
        }
    }

    /// Whether the platform has taken that message of the conversation from us.
    fn is_ours(&self, reading: &Reading, message: &str) -> bool {
        self.adapter.read(|reader| reader.sent(self.adapter.name(), &reading.conversation, message)).unwrap_or(false)
    }

    /// Tells somebody who may not speak what they are due: a code, or nothing.
    pub(super) fn turn_away(&self, ruling: Ruling, reading: &Reading) {
        let adapter = &self.adapter;
        let sender = visible(&reading.sender, SHOWN);
        match ruling {
            Ruling::Deliver => {}
            Ruling::Pair { code, .. } => {
                tracing::info!(adapter = %adapter.name(), %sender,
                    "an unknown sender got a pairing code: `sluicegate pair {code}` shows who it is");
                adapter.journal.count(adapter.name(), "asked to pair");
                let text = format!(
                    "This is somebody's assistant, and it does not know you yet. \
                     If you know its owner, ask them to run:\n\nsluicegate pair {code}"
                );
                actions::tell(adapter, reading, text);
            }
            Ruling::Drop(reason) => {
                tracing::info!(adapter = %adapter.name(), %sender, "dropped: {reason}");
                adapter.journal.count(adapter.name(), reason.name());
            }
        }
    }
}

fn message(adapter: &Adapter, delivery: Delivery) -> Message {
    let Delivery { reading, text, text_by, attachments, meta, .. } = delivery;
    Message {
        adapter: adapter.name().clone(),
        kind: reading.kind,
        message_id: reading.message_id,
        time_ms: reading.time_ms,
        sender: reading.sender,
        sender_name: reading.sender_name,
        conversation: reading.conversation,
        thread: reading.thread,
        direct: reading.direct,
        reply_to: reading.reply_to,
        quoted: reading.quoted,
        group: reading.group,
        burst: adapter.program.contract.platform.burst,
        text,
        text_by,
        attachments,
        meta,
    }
}
