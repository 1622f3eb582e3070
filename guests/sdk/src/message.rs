//! Messages for the host's inbox.

pub use crate::bindings::sluicegate::channel::inbox::{Attachment, Message, Refusal, Wording};
use crate::types::KeptFile;
use crate::{host, log};

impl Message {
    /// A message whose sender, conversation, ids and text the host reads by the identity rule of that name.
    pub fn rule(name: &str) -> Self {
        Self {
            rule: name.to_owned(),
            wording: Wording::Read,
            mentions_me: false,
            attachments: Vec::new(),
            meta: Vec::new(),
        }
    }

    /// Shows this where the rule finds no text: "(photo)", "(voice message)".
    #[must_use]
    pub fn placeholder(mut self, words: impl Into<String>) -> Self {
        self.wording = Wording::Placeholder(words.into());
        self
    }

    /// Shows the adapter's own words in place of the text. Needs `composes` in the manifest; the host marks
    /// them, and never takes them for a command, a code or a verdict.
    #[must_use]
    pub fn composed(mut self, words: impl Into<String>) -> Self {
        self.wording = Wording::Composed(words.into());
        self
    }

    /// Whether the message speaks to the bot by name, or answers it.
    #[must_use]
    pub fn mentions_me(mut self, yes: bool) -> Self {
        self.mentions_me = yes;
        self
    }

    /// Adds an attribute that the manifest lists under `meta`. An empty value adds nothing.
    #[must_use]
    pub fn meta(mut self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.meta.push((name.to_owned(), value));
        }
        self
    }

    /// Adds an attachment.
    #[must_use]
    pub fn attachment(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    /// Hands the message to the host. It leaves when `handle` has returned without a failure.
    pub fn deliver(&self) -> Result<(), Refusal> {
        host::inbox::deliver(self)
    }

    /// As [`deliver`](Self::deliver), but an event to which the rule does not apply (a forward, a post of a
    /// bot) is no error: it is noted in the log, and the answer is `false`.
    pub fn deliver_if_it_applies(&self) -> Result<bool, Refusal> {
        match self.deliver() {
            Ok(()) => Ok(true),
            Err(Refusal::DoesNotApply(why)) => {
                log::debug(format!("{}: not delivered: {why}", self.rule));
                Ok(false)
            }
            Err(refusal) => Err(refusal),
        }
    }
}

impl Attachment {
    /// An attachment that stays on the platform until Claude asks for it: `reference` comes back in
    /// `Action::Fetch`, `kind` is "photo", "voice", "document" …
    pub fn remote(kind: &str, reference: impl Into<String>) -> Self {
        Self {
            reference: reference.into(),
            kept: None,
            kind: kind.to_owned(),
            name: None,
            media_type: None,
            size: None,
        }
    }

    /// A file that the host keeps already.
    pub fn kept(kind: &str, file: &KeptFile) -> Self {
        Self {
            reference: file.file.clone(),
            kept: Some(file.file.clone()),
            kind: kind.to_owned(),
            name: Some(file.name.clone()),
            media_type: Some(file.media_type.clone()),
            size: Some(file.size),
        }
    }

    /// With the platform's name of the file.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With the platform's media type.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// With the platform's size in bytes.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }
}
