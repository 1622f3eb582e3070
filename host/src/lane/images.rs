//! Images of a message that passed the gate are fetched before it is kept, so that Claude can look at once.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Lane;
use crate::{
    actions,
    files::KeptFile,
    manifest::Action,
    message::{Attachment, Message},
};

/// What adapters call an attachment that is an image.
const IMAGES: [&str; 2] = ["photo", "image"];

/// How long a message waits for its images. Without one the message comes with the reference, and Claude can fetch it with
/// the tool.
const PATIENCE: Duration = Duration::from_secs(20);

impl Lane {
    /// Fetches the images that the platform still has.
    pub(super) async fn fetch_images(&self, message: &mut Message) {
        if !self.adapter.program.contract.manifest.actions.contains(&Action::Fetch) {
            return;
        }
        let until = Instant::now() + PATIENCE;
        for attachment in &mut message.attachments {
            if attachment.path.is_some() || !IMAGES.contains(&&*attachment.kind) {
                continue;
            }
            match self.fetch_image(attachment, until).await {
                Ok(file) => attachment.is_kept_as(file),
                Err(reason) => {
                    tracing::warn!(adapter = %self.adapter.name(), "an image could not be fetched: {reason}");
                    self.adapter.journal.count(self.adapter.name(), "image not fetched");
                }
            }
        }
    }

    /// The file belongs to no conversation, so the adapter can send it nowhere; Claude may, as a file of the user's.
    async fn fetch_image(&self, attachment: &Attachment, until: Instant) -> Result<KeptFile, String> {
        let fetched = timeout_at(until, actions::fetch(&self.adapter, attachment.reference.clone())).await;
        let fetched = fetched.map_err(|_| format!("it took longer than {} s", PATIENCE.as_secs()))?;
        fetched.map_err(|error| error.to_string())
    }
}
