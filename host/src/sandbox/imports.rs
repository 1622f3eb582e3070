//! The six imports, as the host answers them. Nothing here waits, and nothing leaves: each call's effects are
//! collected and count only when it succeeded.

use std::sync::Arc;

use wasmtime::Result;

use super::{
    bindings::{
        inbox, log, sockets, state, timers,
        types::{self, Frame as WitFrame},
    },
    call::{Call, Delivery, Frame, Purpose},
    store::HostState,
};
use crate::{manifest::Contract, message::TextBy};

/// Characters of a text that stands in for one that is not there.
const PLACEHOLDER: usize = 64;

/// Attributes, attachments and their texts that one message may have.
const META: usize = 32;
const ATTACHMENTS: usize = 32;
const META_TEXT: usize = 4096;

/// Why nothing can be imported by `manifest()`.
const ALONE: &str = "manifest() used an import; it must give its text alone";

/// The bytes of a key in `state` and of a timer's name.
const KEY: usize = 512;

/// Bytes of all frames of one call. A connection that is so far behind is closed long before.
const FRAME_BYTES: usize = 16 << 20;

/// Refusals of one call that the log explains.
const EXPLAINED: usize = 16;

impl HostState {
    /// The call under way, if imports may be used in it.
    pub(super) fn call(&mut self) -> Result<&mut Call> {
        match &mut self.call {
            Some(Call { purpose: Purpose::Manifest, .. }) => Err(wasmtime::Error::msg(ALONE)),
            Some(call) => Ok(call),
            None => Err(wasmtime::Error::msg("an import was used outside of handle and perform")),
        }
    }

    fn contract(&self) -> Result<Arc<Contract>> {
        self.contract.clone().ok_or_else(|| wasmtime::Error::msg(ALONE))
    }
}

impl types::Host for HostState {}

impl inbox::Host for HostState {
    fn deliver(&mut self, message: inbox::Message) -> Result<Result<(), inbox::Refusal>> {
        let contract = self.contract()?;
        let (most, text_bytes) = (self.limits.messages, self.limits.text_kib << 10);
        let call = self.call()?;
        let Purpose::Handle(Some(evidence)) = call.purpose.clone() else {
            return Ok(Err(refused(call, "there is no event whose bytes could be evidence".into())));
        };
        let Some(rule) = contract.platform.identities.iter().find(|rule| *rule.name == *message.rule) else {
            // What the user switched off is no news.
            if !contract.off.contains(&message.rule) {
                explain(call, format!("the identity rule {:?} does not exist", short(&message.rule)));
            }
            return Ok(Err(inbox::Refusal::NoSuchRule));
        };
        // One event says one thing under one rule; more would be the adapter's repetition.
        if call.effects.deliveries.len() >= most
            || call.effects.deliveries.iter().any(|earlier| *earlier.reading.rule == *message.rule)
        {
            return Ok(Err(inbox::Refusal::TooMany));
        }
        let reading = match rule.read(&evidence) {
            Ok(reading) => reading,
            Err(reason) => return Ok(Err(refused(call, reason.to_string()))),
        };
        // Two rules may read the same event, which is delivered once.
        if call.effects.deliveries.iter().any(|earlier| earlier.reading.event == reading.event) {
            return Ok(Err(refused(call, "another rule has delivered the event of that id".into())));
        }
        let (text, text_by) = match message.wording {
            inbox::Wording::Read => match &reading.text {
                Some(text) => (text.clone(), reading.text_by),
                None => return Ok(Err(refused(call, "the rule finds no text; give a placeholder".into()))),
            },
            inbox::Wording::Placeholder(words) => match &reading.text {
                Some(text) => (text.clone(), reading.text_by),
                None if words.chars().count() <= PLACEHOLDER => (words, TextBy::Adapter),
                None => return Ok(Err(inbox::Refusal::TooLarge)),
            },
            inbox::Wording::Composed(words) if contract.manifest.composes => (words, TextBy::Adapter),
            inbox::Wording::Composed(_) => {
                return Ok(Err(refused(call, "words of its own need `composes = true` in the manifest".into())));
            }
        };
        if text.len() > text_bytes || message.meta.len() > META || message.attachments.len() > ATTACHMENTS {
            return Ok(Err(inbox::Refusal::TooLarge));
        }
        for (key, value) in &message.meta {
            if !contract.manifest.meta.contains(key) {
                let reason = format!("the attribute {:?} is not in the manifest's `meta`", short(key));
                return Ok(Err(refused(call, reason)));
            }
            if value.len() > META_TEXT {
                return Ok(Err(inbox::Refusal::TooLarge));
            }
        }
        let mut attachments = Vec::with_capacity(message.attachments.len());
        for given in message.attachments {
            let texts = [Some(&given.reference), Some(&given.kind), given.name.as_ref(), given.media_type.as_ref()];
            if texts.into_iter().flatten().any(|text| text.len() > META_TEXT) {
                return Ok(Err(inbox::Refusal::TooLarge));
            }
            match call.attachment(given, &evidence, &reading.conversation) {
                Ok(attachment) => attachments.push(attachment),
                Err(reason) => return Ok(Err(refused(call, reason))),
            }
        }
        let (mentions_me, meta) = (message.mentions_me, message.meta);
        call.effects.deliveries.push(Delivery { reading, text, text_by, mentions_me, attachments, meta });
        Ok(Ok(()))
    }
}

fn refused(call: &mut Call, reason: String) -> inbox::Refusal {
    explain(call, reason.clone());
    inbox::Refusal::DoesNotApply(reason)
}

fn explain(call: &mut Call, reason: String) {
    if call.effects.refusals.len() < EXPLAINED {
        call.effects.refusals.push(reason);
    }
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

impl sockets::Host for HostState {
    fn send(&mut self, socket: String, to: Option<u64>, frame: WitFrame) -> Result<Result<(), String>> {
        let (frames, bytes) = (self.limits.frames, self.limits.frame_kib << 10);
        let known = self.contract()?.platform.routes.iter().any(|route| route.websocket && route.name == socket);
        let call = self.call()?;
        if !known {
            return Ok(Err(format!("the socket {:?} is not granted", short(&socket))));
        }
        let size = match &frame {
            WitFrame::Text(text) => text.len(),
            WitFrame::Binary(binary) => binary.len(),
        };
        if size > bytes {
            return Ok(Err(format!("the frame has {size} bytes; at most {bytes} are taken")));
        }
        if call.effects.frames.len() >= frames {
            return Ok(Err(format!("at most {frames} frames may leave in one call")));
        }
        call.frame_bytes += size;
        if call.frame_bytes > FRAME_BYTES {
            return Ok(Err(format!("the frames of one call have at most {FRAME_BYTES} bytes")));
        }
        call.effects.frames.push(Frame { socket, to, frame });
        Ok(Ok(()))
    }

    fn reconnect(&mut self, socket: String, _: u32) -> Result<()> {
        self.call()?;
        // Only outgoing sockets can be opened again, and none can be granted yet.
        let reason = format!("the socket {:?} was opened from outside; it cannot be reconnected", short(&socket));
        self.log.write(tracing::Level::WARN, &reason);
        Ok(())
    }
}

impl timers::Host for HostState {
    fn set(&mut self, name: String, after_ms: u32) -> Result<()> {
        self.timer(name, Some(after_ms))
    }

    fn cancel(&mut self, name: String) -> Result<()> {
        self.timer(name, None)
    }
}

impl HostState {
    fn timer(&mut self, name: String, after_ms: Option<u32>) -> Result<()> {
        if !self.contract()?.platform.timers.iter().any(|timer| timer.name == name) {
            let reason = format!("the timer {:?} is not in the manifest; add a [[timer]] of that name", short(&name));
            return Err(wasmtime::Error::msg(reason));
        }
        self.call()?.effects.timers.insert(name, after_ms);
        Ok(())
    }
}

impl state::Host for HostState {
    fn get(&mut self, key: String) -> Result<Option<Vec<u8>>> {
        let call = self.call()?;
        match call.effects.state.get(&key) {
            Some(own) => Ok(own.clone()),
            None => call.surroundings.state(&key).map_err(wasmtime::Error::msg),
        }
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Result<()> {
        let most = self.limits.state_value_kib << 10;
        if value.len() > most {
            let reason = format!("state takes values of {most} bytes; this one had {}", value.len());
            return Err(wasmtime::Error::msg(reason));
        }
        self.write(key, Some(value))
    }

    fn remove(&mut self, key: String) -> Result<()> {
        self.write(key, None)
    }
}

impl HostState {
    fn write(&mut self, key: String, value: Option<Vec<u8>>) -> Result<()> {
        let most = usize::try_from(self.limits.state_kib << 10).unwrap_or(usize::MAX);
        let call = self.call()?;
        if key.len() > KEY {
            return Err(wasmtime::Error::msg(format!("state takes keys of {KEY} bytes; this one had {}", key.len())));
        }
        let bytes = key.len() + value.as_ref().map_or(0, Vec::len);
        call.state_bytes += bytes;
        if let Some(earlier) = call.effects.state.get(&key) {
            call.state_bytes -= key.len() + earlier.as_ref().map_or(0, Vec::len);
        }
        if call.state_bytes > most {
            let reason = format!("one call wrote more than {most} bytes of state (the limit `state-kib`)");
            return Err(wasmtime::Error::msg(reason));
        }
        call.effects.state.insert(key, value);
        Ok(())
    }
}

impl log::Host for HostState {
    fn write(&mut self, level: log::Level, message: String) -> Result<()> {
        self.call()?;
        let level = match level {
            log::Level::Debug => tracing::Level::DEBUG,
            log::Level::Info => tracing::Level::INFO,
            log::Level::Warn => tracing::Level::WARN,
            log::Level::Error => tracing::Level::ERROR,
        };
        self.log.write(level, &message);
        Ok(())
    }
}
