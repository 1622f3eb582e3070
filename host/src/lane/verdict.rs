//! What of an event could be a verdict: read by the host, before the adapter sees it.
//!
//! The adapter never sees an event that is a verdict or looks like one (only the host's own page does, to say that it has
//! come), and Claude never sees it as chat. Whether it counts is decided by the relay, once the event is committed.

use std::{sync::Arc, time::Duration};

use super::{Lane, Occurrence};
use crate::{
    clock::now_ms,
    egress::{Asked, Body, Permit},
    evidence::{Evidence, Reading},
    gate::{Ruling, Verdicts},
    manifest::Use,
    message::Kind,
    relay::{Attempt, By, Repeated, Token, looks_like_verdict, typed},
    sandbox::Delivery,
};

/// How long the platform has to take note of a pressed button.
const ACKNOWLEDGED: Duration = Duration::from_secs(10);

impl Lane {
    /// What could be a verdict, with the platform's id of the event.
    pub(super) fn verdict(
        &self,
        occurrence: &Occurrence,
        evidence: &Evidence,
        readings: &[Reading],
    ) -> Option<(Attempt, String)> {
        let found = readings.iter().find_map(|reading| Some((reading, self.attempt_in(reading)?)));
        let (reading, by) = found?;
        let mut attempt = self.attempt_of(reading, by, evidence.context.keyed);
        match attempt.by {
            By::Pressed { .. } if attempt.admitted => self.acknowledge(evidence, reading),
            By::Pressed { .. } => {}
            By::Typed { .. } | By::Lookalike if attempt.approver => {}
            By::Typed { .. } | By::Lookalike => {
                let text = reading.text.as_deref().unwrap_or_default();
                let speaker = self.adapter.speaker(reading, text, reading.text_by, false);
                let ruling = self.adapter.gate.judge(&speaker, now_ms());
                attempt.admitted |= ruling == Ruling::Deliver;
                self.turn_away(ruling, reading);
            }
        }
        // Where several rules apply, another one may name another sender.
        attempt.vetted &= readings.len() == 1;
        attempt.revived = occurrence.revives.is_some();
        attempt.received_ms = evidence.context.received_ms;
        Some((attempt, reading.event.clone()))
    }

    /// What the adapter hands over as a message although it could be a verdict: never one, and never chat.
    pub(super) fn verdict_in(&self, delivery: &Delivery, occurrence: &Occurrence) -> Option<Attempt> {
        let Delivery { reading, text, text_by, .. } = delivery;
        if reading.token.is_none() && !looks_like_verdict(text) {
            return None;
        }
        let spoken = Reading { text: Some(text.clone()), text_by: *text_by, ..reading.clone() };
        let by = self.attempt_in(&spoken)?;
        let received_ms = occurrence.evidence.as_ref().map_or(0, |evidence| evidence.context.received_ms);
        Some(Attempt { vetted: false, received_ms, ..self.attempt_of(&spoken, by, false) })
    }

    fn attempt_in(&self, reading: &Reading) -> Option<By> {
        if let Some(token) = reading.token.as_deref().and_then(Token::read) {
            return Some(By::Pressed { token, repeated: self.repeated(reading) });
        }
        let text = reading.text.as_deref().filter(|text| looks_like_verdict(text))?;
        Some(match typed(text) {
            None => By::Lookalike,
            Some(typed) => By::Typed {
                verdict: typed.verdict,
                code: typed.code,
                written: reading.kind == Kind::Message,
                text_by: reading.text_by,
                whole: reading.text_at == 0,
                reply_to: reading.reply_to.clone(),
                buttons_only: self.adapter.gate.settings().verdicts == Verdicts::Buttons,
            },
        })
    }

    /// What the platform repeats of the pressed message. Where it could and does not, that is nothing like a prompt.
    fn repeated(&self, reading: &Reading) -> Repeated {
        let rule = self.adapter.program.contract.platform.identity(&reading.rule);
        let repeats = rule.and_then(|rule| rule.repeats.as_ref());
        let nothing = || Repeated {
            text: repeats.and_then(|repeats| repeats.text.as_ref()).map(|_| String::new()),
            choices: repeats.and_then(|repeats| repeats.buttons.as_ref()).map(|_| Vec::new()),
        };
        reading.repeated.clone().unwrap_or_else(nothing)
    }

    /// Who attempts it, by a rule that only an adapter of the host's trust can have.
    fn attempt_of(&self, reading: &Reading, by: By, keyed: bool) -> Attempt {
        let adapter = &self.adapter;
        // Others may have the page's cookie, and pages of one origin may do what they like in each other's name.
        let by_page = || adapter.is_own_page() && keyed && !adapter.relay.shares_origin();
        Attempt {
            adapter: adapter.name().clone(),
            rule: reading.rule.to_string(),
            event: reading.event.clone(),
            // Whoever writes a page or holds the key of a route can say what they like in its name.
            vetted: adapter.can_ask() && (!reading.by_credential || by_page()),
            revived: false,
            sender: reading.sender.clone(),
            admitted: adapter.gate.is_let_in(&reading.sender),
            sender_name: reading.sender_name.clone(),
            approver: adapter.gate.is_approver(&reading.sender),
            conversation: reading.conversation.clone(),
            direct: reading.direct,
            message: reading.message_id.clone(),
            received_ms: 0,
            by,
        }
    }

    /// Tells the platform that a pressed button was noticed.
    fn acknowledge(&self, evidence: &Evidence, reading: &Reading) {
        let platform = &self.adapter.program.contract.platform;
        let rule = platform.identity(&reading.rule);
        let acknowledgement = rule.and_then(|rule| rule.acknowledgement(evidence));
        let Some((endpoint, body)) = acknowledgement.map(|(endpoint, body)| (endpoint.to_owned(), body)) else {
            return;
        };
        let Ok(slot) = Arc::clone(&self.acknowledging).try_acquire_owned() else { return };
        let adapter = Arc::clone(&self.adapter);
        tokio::spawn(async move {
            let asked = Asked { body: Body::Json(body), ..Asked::default() };
            let permit = Permit::bare(Use::Handle);
            if let Err(problem) = adapter.egress.send(&permit, &endpoint, asked, ACKNOWLEDGED).await {
                tracing::debug!(adapter = %adapter.name(), "a pressed button was not acknowledged: {problem:?}");
            }
            drop(slot);
        });
    }
}
