//! One call into an adapter: what it may see, and what it leaves behind.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    bindings::{inbox, types},
    wasi_http::{Traces, Way},
};
use crate::{
    egress::{Egress, Permit},
    evidence::{Evidence, Reading},
    files::KeptFile,
    limits::Limits,
    manifest::Use,
    message::TextBy,
};

/// Characters of an attachment's name that the adapter gives it.
const NAME: usize = 128;

/// The committed state of an adapter, as one call sees it, and the files that the host keeps for it.
pub trait Surroundings: Send + Sync {
    /// The value under that key.
    ///
    /// # Errors
    /// A text for the log, when the journal cannot be read; the call then ends.
    fn state(&self, key: &str) -> Result<Option<Vec<u8>>, String>;

    /// The file of that name, if this adapter has it.
    fn file(&self, id: &str) -> Option<KeptFile>;

    /// The way to the network, if there is one.
    fn egress(&self) -> Option<Arc<Egress>>;
}

/// Nothing to see: what `manifest()` gets.
pub struct Nowhere;

impl Surroundings for Nowhere {
    fn state(&self, _: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
    fn file(&self, _: &str) -> Option<KeptFile> {
        None
    }
    fn egress(&self) -> Option<Arc<Egress>> {
        None
    }
}

/// What the call is for; it decides which imports may be used.
#[derive(Clone)]
pub enum Purpose {
    /// `manifest()`: none.
    Manifest,
    /// `handle`: all; `inbox.deliver` only with the evidence of the event.
    Handle(Option<Arc<Evidence>>),
    /// `perform`: all but `inbox.deliver`; requests only as the action permits.
    Perform(Box<Permit>),
}

impl Purpose {
    /// What may be requested.
    pub(super) fn permit(&self) -> Permit {
        match self {
            Self::Perform(permit) => Permit::clone(permit),
            Self::Manifest | Self::Handle(_) => Permit::bare(Use::Handle),
        }
    }
}

/// A message that `handle` delivered, read by the host.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What the rule read from the evidence.
    pub reading: Reading,
    /// What is shown as the text.
    pub text: String,
    /// Whose words that is.
    pub text_by: TextBy,
    /// The adapter's claim that the message addresses it.
    pub mentions_me: bool,
    /// As the adapter describes them, with the path of those that the host keeps.
    pub attachments: Vec<crate::message::Attachment>,
    /// Attributes that the manifest declares.
    pub meta: Vec<(String, String)>,
}

/// A frame that leaves after the commit.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The socket's name.
    pub socket: String,
    /// One connection, or all of that name.
    pub to: Option<u64>,
    /// What is sent.
    pub frame: types::Frame,
}

/// What a call leaves behind; it counts only when the call succeeded.
#[derive(Debug, Default)]
pub struct Effects {
    /// Messages, in the order of delivery.
    pub deliveries: Vec<Delivery>,
    /// Writes to `state`; `None` removes.
    pub state: BTreeMap<String, Option<Vec<u8>>>,
    /// Timers: milliseconds from now, or `None` to cancel.
    pub timers: BTreeMap<String, Option<u32>>,
    /// Frames, in order.
    pub frames: Vec<Frame>,
    /// What its requests left behind: true whether or not the call succeeded.
    pub traces: Traces,
    /// Refusals of `inbox.deliver`, for the log.
    pub refusals: Vec<String>,
}

/// A call that is under way.
pub(super) struct Call {
    pub(super) purpose: Purpose,
    pub(super) surroundings: Arc<dyn Surroundings>,
    pub(super) effects: Effects,
    /// Bytes of state and of frames among the effects.
    pub(super) state_bytes: usize,
    pub(super) frame_bytes: usize,
    /// When it began.
    pub(super) begun: Instant,
}

impl Call {
    /// What may be requested in it; nothing where there is no way to the network.
    pub(super) fn way(&self, limits: &Limits) -> Option<Way> {
        let wall = match self.purpose {
            Purpose::Manifest => return None,
            Purpose::Handle(_) => limits.handle_ms,
            Purpose::Perform(_) => limits.perform_ms,
        };
        let egress = self.surroundings.egress()?;
        // A request that hangs is an error to the adapter, and not the end of its call.
        let within = Duration::from_millis(wall).mul_f64(0.8).saturating_sub(self.begun.elapsed());
        Some(Way { egress, permit: self.purpose.permit(), within })
    }

    /// The attachment as the message keeps it. What the host has not kept yet is named by the item itself, and what it
    /// keeps belongs to no other conversation: else an adapter could show one chat what hangs on another.
    pub(super) fn attachment(
        &self,
        given: inbox::Attachment,
        evidence: &Evidence,
        conversation: &str,
    ) -> Result<crate::message::Attachment, String> {
        let named = || evidence.document().is_ok_and(|document| document.names(&given.reference));
        if given.kept.is_none() && !named() {
            return Err(
                "the reference of an attachment is a text of the item, or the attachment is kept already".into()
            );
        }
        let word =
            |text: &str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b));
        if given.kind.is_empty() || !word(&given.kind) {
            return Err("the kind of an attachment is one word, such as \"photo\"".into());
        }
        let mut attachment = crate::message::Attachment {
            reference: given.reference,
            path: None,
            kind: given.kind,
            name: given.name.map(|name| name.chars().take(NAME).collect()),
            media_type: given.media_type.filter(|it| it.split_once('/').is_some_and(|(a, b)| word(a) && word(b))),
            size: given.size,
        };
        if let Some(id) = given.kept {
            let file = self.surroundings.file(&id);
            let file = file.ok_or("an attachment names a file that the host does not keep for this adapter")?;
            if file.conversation.as_deref().is_some_and(|other| other != conversation) {
                return Err("an attachment names a file of another conversation".into());
            }
            attachment.is_kept_as(file);
        }
        Ok(attachment)
    }
}
