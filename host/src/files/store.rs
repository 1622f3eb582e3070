//! The kept files of one adapter.
//!
//! A file stands in the adapter's inbox as `<id>-<name>`; beside it `.<id>.json` says what a name cannot. The
//! index in memory is made anew from the directory, so nothing is lost when the process ends: a file that was
//! being written then is removed, and so is a note without its file.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::{Checked, Writer, name::safe_name};
use crate::home::{private_dir, random_hex, write_private};

/// What the name of a file that is being written begins with.
pub(super) const UNFINISHED: &str = ".part-";
/// What a file counts for at least: a block of the disk for it and one for its note. So empty files are not free,
/// and the quota bounds how many there are.
const LEAST: u64 = 8 * 1024;
/// Bytes of an id; its text has twice as many digits.
const ID_BYTES: usize = 16;

/// A file that the host keeps for one adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// Unguessable: 128 random bits as 32 hexadecimal digits.
    pub id: String,
    /// A safe name (see [`safe_name`]).
    pub name: String,
    /// `type/subtype`, in lower case, without parameters. By the word of whoever sent the file.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Where it stands.
    pub path: PathBuf,
    /// The conversation that it came from or was sent to, once that is known: the only one it may go out to.
    pub conversation: Option<String>,
}

impl KeptFile {
    /// Opens it for reading.
    ///
    /// # Errors
    /// What the file system says, for example that the file has since made room for others.
    pub async fn open(&self) -> io::Result<tokio::fs::File> {
        let mut options = tokio::fs::OpenOptions::new();
        let flags = i32::try_from(OFlags::NOFOLLOW.bits()).map_err(io::Error::other)?;
        options.read(true).custom_flags(flags).open(&self.path).await
    }
}

/// Why a file cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file is larger than one file may be.
    #[error("the file is larger than {max} bytes: send a smaller one, or raise `file-mib` in config.toml")]
    TooLarge {
        /// Most bytes of one file.
        max: u64,
    },
    /// The files being written would not fit into the inbox, even if it were empty.
    #[error("the inbox holds at most {quota} bytes: wait for other uploads, or raise `inbox-mib` in config.toml")]
    Full {
        /// Most bytes of all files together.
        quota: u64,
    },
    /// There is no such file; it may have made room for others.
    #[error("there is no file of that id: it may have been removed to make room; fetch it again")]
    Unknown,
    /// The disk or the directory is in the way.
    #[error("the inbox cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// The kept files of one adapter. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FileStore(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) dir: PathBuf,
    pub(super) quota: u64,
    pub(super) max_file: u64,
    index: Mutex<Index>,
}

/// What is kept, and in which order it came.
#[derive(Debug, Default)]
pub(super) struct Index {
    files: HashMap<String, (u64, KeptFile)>,
    order: BTreeMap<u64, String>,
    /// One more than the number of any file so far.
    next: u64,
    /// What the files count for together (see [`Inner::weight`]).
    total: u64,
    /// Bytes of files that are being written. They never exceed the quota, so the directory never holds more
    /// than twice as much.
    pub(super) unfinished: u64,
}

/// What stands beside a file.
#[derive(Serialize, Deserialize)]
struct Note {
    media_type: String,
    /// Which one it was of the files that came: times are too coarse to tell which is older.
    #[serde(default)]
    number: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation: Option<String>,
}

impl FileStore {
    /// Opens an adapter's inbox, makes it (mode 0700) if it is missing and finds what is in it.
    ///
    /// `quota` bounds all files together, each of which counts for at least 8 KiB; `max_file` bounds each of them.
    /// Both are in bytes.
    ///
    /// # Errors
    /// [`FileError::Io`], also if the path is a symbolic link or no directory.
    pub fn open(dir: &Path, quota: u64, max_file: u64) -> Result<Self, FileError> {
        if fs::symlink_metadata(dir).is_ok_and(|there| !there.is_dir()) {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "the inbox must be a directory itself").into());
        }
        private_dir(dir)?;
        let store = Self(Arc::new(Inner {
            dir: dir.canonicalize()?,
            quota,
            max_file: max_file.min(quota),
            index: Mutex::default(),
        }));
        store.find()?;
        store.make_room();
        Ok(store)
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// The file of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<KeptFile> {
        self.0.index().files.get(id).map(|(_, file)| file.clone())
    }

    /// Begins a file. Nothing is kept before [`Writer::finish`]. Without a usable media type the name decides.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn create(&self, name: &str, media_type: Option<&str>) -> Result<Writer, FileError> {
        let name = safe_name(name);
        let media_type = media_type.and_then(plain_media_type).unwrap_or_else(|| guessed(&name));
        Writer::begin(Arc::clone(&self.0), name, media_type)
    }

    /// Copies a file of the user's that was checked, so that what is sent is what was checked.
    ///
    /// # Errors
    /// [`FileError`].
    pub async fn import(&self, checked: Checked, conversation: Option<&str>) -> Result<KeptFile, FileError> {
        let mut writer = self.create(&checked.name, Some(&checked.media_type))?;
        writer.copy(tokio::fs::File::from_std(checked.file)).await?;
        writer.finish(conversation).await
    }

    /// Notes the conversation that a file belongs to. What is noted already stays.
    ///
    /// # Errors
    /// [`FileError::Unknown`], or [`FileError::Io`] when the note cannot be written.
    pub fn belongs_to(&self, id: &str, conversation: &str) -> Result<(), FileError> {
        let (number, noted) = {
            let mut index = self.0.index();
            let (number, file) = index.files.get_mut(id).ok_or(FileError::Unknown)?;
            if file.conversation.is_some() {
                return Ok(());
            }
            file.conversation = Some(conversation.to_owned());
            (*number, file.clone())
        };
        self.0.note(number, &noted).inspect_err(|_| {
            if let Some((_, file)) = self.0.index().files.get_mut(id) {
                file.conversation = None;
            }
        })?;
        Ok(())
    }

    /// Removes a file; one that is not there is as good as removed.
    pub fn remove(&self, id: &str) {
        let gone = self.0.index().take(id, &self.0);
        if let Some(file) = gone {
            self.0.unlink(&file);
        }
    }

    pub(super) fn keep(&self, number: u64, file: KeptFile) {
        self.0.index().add(number, file, &self.0);
        self.make_room();
    }

    /// Removes the oldest files until the others fit.
    fn make_room(&self) {
        loop {
            let oldest = {
                let mut index = self.0.index();
                if index.total <= self.0.quota {
                    return;
                }
                index.oldest(&self.0)
            };
            match oldest {
                Some(file) => self.0.unlink(&file),
                None => return,
            }
        }
    }

    fn find(&self) -> io::Result<()> {
        let (mut found, mut notes) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.0.dir)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let metadata = match entry.metadata() {
                Ok(metadata) if metadata.is_file() => metadata,
                _ => continue,
            };
            if name.starts_with(UNFINISHED) {
                fs::remove_file(entry.path())?;
            } else if let Some(id) = name.strip_prefix('.').and_then(|n| n.strip_suffix(".json")).filter(|n| is_id(n)) {
                notes.push(id.to_owned());
            } else if let Some((id, name)) = split_id(&name) {
                let note = self.0.noted(id);
                let file = KeptFile {
                    id: id.to_owned(),
                    name: name.to_owned(),
                    media_type: note
                        .as_ref()
                        .and_then(|note| plain_media_type(&note.media_type))
                        .unwrap_or_else(|| guessed(name)),
                    size: metadata.len(),
                    path: entry.path(),
                    conversation: note.as_ref().and_then(|note| note.conversation.clone()),
                };
                // No store ever counts so far; a note that says so was tampered with.
                let number = note.map_or(0, |note| note.number.min(u64::MAX / 2));
                found.push((number, metadata.modified()?, file));
            }
        }
        found.sort_by(|(a, earlier, x), (b, later, y)| (a, earlier, &x.id).cmp(&(b, later, &y.id)));
        let mut index = self.0.index();
        for (number, _, file) in found {
            // Files that lost their notes have no number; they get one here, before all that have.
            let number = number.max(index.next);
            index.next = number + 1;
            index.add(number, file, &self.0);
        }
        for id in notes.iter().filter(|id| !index.files.contains_key(*id)) {
            fs::remove_file(self.0.note_path(id))?;
        }
        Ok(())
    }
}

impl Inner {
    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        // Every change of the index is whole before anything that could panic.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a file counts for. One that is small always fits, however small the quota.
    fn weight(&self, file: &KeptFile) -> u64 {
        file.size.max(LEAST.min(self.quota))
    }

    fn note_path(&self, id: &str) -> PathBuf {
        self.dir.join(format!(".{id}.json"))
    }

    fn noted(&self, id: &str) -> Option<Note> {
        serde_json::from_slice(&fs::read(self.note_path(id)).ok()?).ok()
    }

    pub(super) fn note(&self, number: u64, file: &KeptFile) -> io::Result<()> {
        let note = Note { media_type: file.media_type.clone(), number, conversation: file.conversation.clone() };
        write_private(&self.note_path(&file.id), &serde_json::to_vec(&note)?)
    }

    fn unlink(&self, file: &KeptFile) {
        for path in [&file.path, &self.note_path(&file.id)] {
            if let Err(error) = fs::remove_file(path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(path = %path.display(), %error, "a kept file could not be removed");
            }
        }
    }

    /// A new id, and where a file of that id and name stands.
    pub(super) fn place(&self, name: &str) -> io::Result<(String, PathBuf)> {
        let id = random_hex::<ID_BYTES>()?;
        let path = self.dir.join(format!("{id}-{name}"));
        Ok((id, path))
    }
}

impl Index {
    /// The number of the next file.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn add(&mut self, number: u64, file: KeptFile, inner: &Inner) {
        self.total += inner.weight(&file);
        self.order.insert(number, file.id.clone());
        self.files.insert(file.id.clone(), (number, file));
    }

    fn take(&mut self, id: &str, inner: &Inner) -> Option<KeptFile> {
        let (at, file) = self.files.remove(id)?;
        self.order.remove(&at);
        self.total -= inner.weight(&file);
        Some(file)
    }

    fn oldest(&mut self, inner: &Inner) -> Option<KeptFile> {
        let id = self.order.first_key_value()?.1.clone();
        self.take(&id, inner)
    }
}

/// The id and the name in the name of a kept file.
pub(super) fn split_id(file_name: &str) -> Option<(&str, &str)> {
    file_name.split_once('-').filter(|(id, _)| is_id(id))
}

fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_BYTES && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// `type/subtype` in lower case, without parameters, if it has that shape (RFC 9110, section 8.3.1).
fn plain_media_type(text: &str) -> Option<String> {
    let plain = text.split(';').next()?.trim().to_ascii_lowercase();
    let token =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    let (kind, subtype) = plain.split_once('/')?;
    (plain.len() <= 100 && token(kind) && token(subtype)).then_some(plain)
}

fn guessed(name: &str) -> String {
    mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream").to_owned()
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
