//! Images of a message that passed the gate are fetched before it is kept, so that Claude can look at once.

use std::time::Duration;

use super::Lane;
use crate::{
    actions::{self, ActionError},
    files::KeptFile,
    manifest::Action,
    message::{Attachment, Message},
    sandbox::types,
};

/// What adapters call an attachment that is an image.
const IMAGES: [&str; 2] = ["photo", "image"];

/// How long a message waits for one of its images. Without it the message comes with the reference, and Claude can fetch
/// it with the tool.
const PATIENCE: Duration = Duration::from_secs(20);

impl Lane {
    /// Fetches the images that the platform still has.
    pub(super) async fn fetch_images(&self, message: &mut Message) {
        if !self.adapter.program.contract.manifest.actions.contains(&Action::Fetch) {
            return;
        }
        for attachment in &mut message.attachments {
            if attachment.path.is_some() || !IMAGES.contains(&&*attachment.kind) {
                continue;
            }
            match self.fetch_image(attachment, &message.conversation).await {
                Ok(file) => {
                    attachment.path = Some(file.path.to_string_lossy().into_owned());
                    (attachment.name, attachment.media_type) = (Some(file.name), Some(file.media_type));
                    attachment.size = Some(file.size);
                }
                Err(reason) => {
                    tracing::warn!(adapter = %self.adapter.name(), "an image could not be fetched: {reason}");
                    self.adapter.journal.count(self.adapter.name(), "image not fetched");
                }
            }
        }
    }

    async fn fetch_image(&self, attachment: &Attachment, conversation: &str) -> Result<KeptFile, String> {
        let fetch = types::Action::Fetch(attachment.reference.clone());
        let fetched = tokio::time::timeout(PATIENCE, actions::perform(&self.adapter, fetch)).await;
        let fetched = fetched.map_err(|_| format!("it took longer than {} s", PATIENCE.as_secs()))?;
        match fetched.map_err(|error: ActionError| error.to_string())? {
            types::Outcome::Kept(kept) => {
                let files = &self.adapter.files;
                let file = files.get(&kept.file).ok_or("the adapter named a file that is not kept for it")?;
                files.belongs_to(&file.id, conversation).map_err(|error| error.to_string())?;
                // A file of another conversation is not shown here.
                let file = files.get(&file.id).filter(|file| file.conversation.as_deref() == Some(conversation));
                file.ok_or_else(|| "the adapter named a file of another conversation".into())
            }
            _ => Err("the adapter fetched nothing".into()),
        }
    }
}
