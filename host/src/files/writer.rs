//! A file on its way into the inbox.

use std::{io, mem, path::Path, sync::Arc};

use tempfile::TempPath;
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
};

use super::{
    FileError, FileStore, KeptFile,
    store::{Inner, UNFINISHED},
};

/// Bytes that are copied at a time.
const CHUNK: usize = 64 * 1024;

/// Writes one file. Dropped before [`Writer::finish`] it leaves nothing behind.
#[derive(Debug)]
pub struct Writer {
    file: File,
    unfinished: Unfinished,
    name: String,
    media_type: String,
}

/// The temporary file and the bytes that it counts for.
#[derive(Debug)]
struct Unfinished {
    inner: Arc<Inner>,
    path: Option<TempPath>,
    written: u64,
}

impl Unfinished {
    fn begin(inner: Arc<Inner>) -> io::Result<(File, Self)> {
        // Temporary files are made with mode 0600.
        let (file, path) = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&inner.dir)?.into_parts();
        Ok((File::from_std(file), Self { inner, path: Some(path), written: 0 }))
    }

    fn count(&mut self, bytes: usize) -> Result<(), FileError> {
        let bytes = bytes as u64;
        if self.written + bytes > self.inner.max_file {
            return Err(FileError::TooLarge { max: self.inner.max_file });
        }
        let mut index = self.inner.index();
        if index.unfinished + bytes > self.inner.quota {
            return Err(FileError::Full { quota: self.inner.quota });
        }
        index.unfinished += bytes;
        self.written += bytes;
        Ok(())
    }

    fn persist(&mut self, path: &Path) -> io::Result<()> {
        let temporary = self.path.take().ok_or_else(|| io::Error::other("written twice"))?;
        temporary.persist(path).map_err(|error| error.error)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.inner.index().unfinished -= mem::take(&mut self.written);
    }
}

impl Writer {
    pub(super) fn begin(inner: Arc<Inner>, name: String, media_type: String) -> Result<Self, FileError> {
        let (file, unfinished) = Unfinished::begin(inner)?;
        Ok(Self { file, unfinished, name, media_type })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`FileError`]; what was written so far is then of no use.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.unfinished.count(bytes.len())?;
        self.file.write_all(bytes).await?;
        Ok(())
    }

    pub(super) async fn copy(&mut self, mut from: impl AsyncRead + Unpin) -> Result<(), FileError> {
        let mut chunk = vec![0; CHUNK];
        loop {
            match from.read(&mut chunk).await? {
                0 => return Ok(()),
                read => self.write(&chunk[..read]).await?,
            }
        }
    }

    /// Keeps the file, and lets the oldest ones go if there is no room for all.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub async fn finish(self, conversation: Option<&str>) -> Result<KeptFile, FileError> {
        let Self { mut file, mut unfinished, name, media_type } = self;
        file.flush().await?;
        drop(file);
        let conversation = conversation.map(str::to_owned);
        let kept = tokio::task::spawn_blocking(move || {
            let inner = Arc::clone(&unfinished.inner);
            let (id, path) = inner.place(&name)?;
            let kept = KeptFile { id, name, media_type, size: unfinished.written, path, conversation };
            // The note comes first: a note without its file is removed at the next start, while a file
            // without its note would have lost what it says.
            let number = inner.index().number();
            inner.note(number, &kept)?;
            unfinished.persist(&kept.path)?;
            FileStore(inner).keep(number, kept.clone());
            Ok::<_, io::Error>(kept)
        });
        Ok(kept.await.map_err(io::Error::other)??)
    }
}
