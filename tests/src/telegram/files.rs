//! Files: of users, made when they are read, and of the bot.

use std::{collections::BTreeMap, fmt, sync::Arc};

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What is in a file. Cheap to clone, and generated content takes no memory.
#[derive(Clone)]
pub struct Content(Kind);

#[derive(Clone)]
enum Kind {
    Bytes(Arc<[u8]>),
    Generated(u64),
}

impl Content {
    /// These bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Kind::Bytes(bytes.as_ref().into()))
    }

    pub(super) fn shared(bytes: &Arc<[u8]>) -> Self {
        Self(Kind::Bytes(Arc::clone(bytes)))
    }

    /// So many bytes that look random and are the same every time.
    pub fn generated(length: u64) -> Self {
        Self(Kind::Generated(length))
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Kind::Bytes(bytes) => bytes.len() as u64,
            Kind::Generated(length) => *length,
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to 64 KiB from there on; empty at the end.
    pub fn piece(&self, offset: u64) -> Vec<u8> {
        let end = self.len().min(offset.saturating_add(64 * 1024));
        match &self.0 {
            _ if offset >= end => Vec::new(),
            Kind::Bytes(bytes) => {
                let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
                bytes[at(offset)..at(end)].to_vec()
            }
            Kind::Generated(_) => {
                let mut bytes = Vec::with_capacity(64 * 1024 + 16);
                for block in offset / 8..end.div_ceil(8) {
                    bytes.extend_from_slice(&generated_block(block));
                }
                bytes.drain(..(offset % 8) as usize);
                bytes.truncate((end - offset) as usize);
                bytes
            }
        }
    }

    /// All of it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.pieces().for_each(|piece| bytes.extend_from_slice(&piece));
        bytes
    }

    /// Its SHA-256, in hexadecimal.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        self.pieces().for_each(|piece| hash.update(piece));
        hex::encode(hash.finalize())
    }

    fn pieces(&self) -> impl Iterator<Item = Vec<u8>> {
        let mut offset = 0;
        std::iter::from_fn(move || {
            let piece = self.piece(offset);
            offset += piece.len() as u64;
            Some(piece).filter(|piece| !piece.is_empty())
        })
    }
}

/// Eight bytes: one step of a multiplicative hash, enough that no piece looks like another.
fn generated_block(number: u64) -> [u8; 8] {
    (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Content({} bytes)", self.len())
    }
}

/// A file that Telegram has.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) id: String,
    pub(super) unique: String,
    pub(super) path: String,
    pub(super) content: Content,
    /// The member it was sent as: `photo`, `document`, …
    pub(super) kind: String,
    pub(super) name: Option<String>,
    pub(super) mime: Option<String>,
}

impl File {
    /// The members that say which file it is.
    pub(super) fn members(&self) -> Value {
        json!({ "file_id": self.id, "file_unique_id": self.unique, "file_size": self.content.len() })
    }
}

/// All files, by their ids.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<String, File>);

impl Files {
    pub(super) fn add(&mut self, kind: &str, name: Option<&str>, mime: Option<&str>, content: Content) -> File {
        let number = self.0.len() as u64;
        let (folder, extension, prefix) = match kind {
            "photo" => ("photos", ".jpg", 0x02),
            "voice" => ("voice", ".oga", 0x03),
            "video" => ("videos", ".mp4", 0x04),
            "sticker" => ("stickers", ".tgs", 0x08),
            "audio" => ("music", ".mp3", 0x09),
            "animation" => ("animations", ".mp4", 0x0a),
            "video_note" => ("video_notes", ".mp4", 0x0d),
            "thumbnail" => ("thumbnails", ".jpg", 0x07),
            _ => ("documents", "", 0x05),
        };
        let given = name.and_then(|name| name.rsplit_once('.')).map(|(_, extension)| format!(".{extension}"));
        let extension = given.filter(|_| extension.is_empty()).unwrap_or_else(|| extension.to_owned());
        // Telegram's ids are opaque: a type, a data centre, and what only its servers know.
        let digest = Sha256::digest(number.to_be_bytes());
        let base64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let id = base64.encode([&[prefix, 0, 0x02, 0x02][..], &digest[..], &[0x01, 0, 0x07, 0x36, 0x04]].concat());
        let file = File {
            unique: format!("AgAD{}", base64.encode(&digest[..8])),
            path: format!("{folder}/file_{number}{extension}"),
            content,
            kind: kind.to_owned(),
            name: name.map(str::to_owned),
            mime: mime.map(str::to_owned),
            id,
        };
        self.0.insert(file.id.clone(), file.clone());
        file
    }

    pub(super) fn get(&self, id: &str) -> Option<&File> {
        self.0.get(id)
    }

    pub(super) fn at(&self, path: &str) -> Option<&File> {
        self.0.values().find(|file| file.path == path)
    }
}
