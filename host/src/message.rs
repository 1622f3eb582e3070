//! The message: what evidence reads, the gate judges, the journal keeps and the outbox shows.

use serde::{Deserialize, Serialize};

use crate::{files::KeptFile, manifest::Burst, name::AdapterName};

/// What happened on the platform, as the identity rule declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Somebody wrote.
    #[default]
    Message,
    /// Somebody changed what they had written.
    Edit,
    /// Somebody pressed a button.
    Button,
    /// Somebody reacted to a message.
    Reaction,
}

impl Kind {
    /// The word that manifests and attributes use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Edit => "edit",
            Self::Button => "button",
            Self::Reaction => "reaction",
        }
    }
}

/// Whose words the text of a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextBy {
    /// The sender's, read by the host from the evidence.
    #[default]
    Sender,
    /// Somebody else's, whom the sender passes on: never a command, a code or a verdict.
    Others,
    /// The adapter's: never a command, a code or a verdict.
    Adapter,
}

/// Something that hangs on a message and that Claude may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What the platform calls it; goes back to the adapter in `action.fetch`.
    pub reference: String,
    /// Where the host keeps it already: an absolute path in the adapter's inbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// "photo", "document", "voice" …: the adapter's word.
    pub kind: String,
    /// The file's name, if the platform gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The media type, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Bytes, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl Attachment {
    /// Makes it that file. What the host keeps is called what it is, whatever the adapter says.
    pub fn is_kept_as(&mut self, file: KeptFile) {
        self.path = Some(file.path.to_string_lossy().into_owned());
        (self.name, self.media_type, self.size) = (Some(file.name), Some(file.media_type), Some(file.size));
    }
}

/// One inbound message, after evidence and gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The adapter that it came through.
    pub adapter: AdapterName,
    /// What happened.
    pub kind: Kind,
    /// The platform's id of the message (of the event, where a rule names no message).
    pub message_id: String,
    /// When it was sent, in milliseconds since the Unix epoch; the time of receipt where the platform gives none.
    pub time_ms: i64,
    /// The sender's immutable id.
    pub sender: String,
    /// The sender's display name: decoration, never identity.
    pub sender_name: Option<String>,
    /// Where it was said.
    pub conversation: String,
    /// The thread or topic within the conversation.
    pub thread: Option<String>,
    /// Said to the adapter alone, not in a group.
    pub direct: bool,
    /// The message that it answers.
    pub reply_to: Option<String>,
    /// What that message said; foreign text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted: Option<String>,
    /// The id that the parts of one album share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What else of this sender in this conversation is shown together with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<Burst>,
    /// What was said.
    pub text: String,
    /// Whose words `text` is.
    pub text_by: TextBy,
    /// What hangs on it.
    pub attachments: Vec<Attachment>,
    /// Attributes of the adapter's own, as its manifest declares them.
    pub meta: Vec<(String, String)>,
}
