//! Bodies on their way out: bytes and files one after another, with a length that is known beforehand.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use hyper::body::{Body, Frame, SizeHint};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt},
};

use crate::files::KeptFile;

/// Bytes of a file that are in memory at a time.
const CHUNK: usize = 64 * 1024;

/// Why a body cannot be sent, or not to its end. Names no path.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// The file is gone or cannot be read.
    #[error("a file to send cannot be read ({0}): it may have been removed to make room; send it again")]
    Unreadable(io::ErrorKind),
    /// It has more or fewer bytes than it had when it was kept.
    #[error("a file to send has changed since it was kept: send it again")]
    Changed,
    /// The system has no randomness for a boundary.
    #[error("the system gives no random bytes")]
    Random,
}

/// What a body is made of.
#[derive(Debug)]
pub(super) enum Piece {
    /// Bytes.
    Bytes(Bytes),
    /// A file, open and found to have as many bytes as this.
    File(File, u64),
}

impl Piece {
    /// Opens a kept file and checks that it is as large as it was.
    ///
    /// # Errors
    /// [`BodyError`].
    pub(super) async fn of_file(kept: &KeptFile) -> Result<Self, BodyError> {
        let unreadable = |error: io::Error| BodyError::Unreadable(error.kind());
        let file = kept.open().await.map_err(unreadable)?;
        let metadata = file.metadata().await.map_err(unreadable)?;
        if !metadata.is_file() || metadata.len() != kept.size {
            return Err(BodyError::Changed);
        }
        Ok(Self::File(file, kept.size))
    }

    const fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, size) => *size,
        }
    }
}

/// A request's body.
pub(super) struct Outgoing {
    pieces: BoxStream<'static, Result<Bytes, BodyError>>,
    left: u64,
    empty: bool,
}

impl Outgoing {
    /// The pieces one after another. Files are read while they are sent, and a file that turns out shorter or longer
    /// than it should be ends the body before it is whole.
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        let left = pieces.iter().map(Piece::length).sum();
        let empty = pieces.is_empty();
        let pieces = stream::try_unfold((pieces.into_iter(), None), |(mut pieces, mut open)| async move {
            loop {
                if let Some(reading) = open.take() {
                    let (bytes, rest) = next_of(reading).await?;
                    return Ok(Some((bytes, (pieces, rest))));
                }
                match pieces.next() {
                    None => return Ok(None),
                    Some(Piece::Bytes(bytes)) if bytes.is_empty() => {}
                    Some(Piece::Bytes(bytes)) => return Ok(Some((bytes, (pieces, None)))),
                    Some(Piece::File(mut file, 0)) => ends(&mut file).await?,
                    Some(Piece::File(file, size)) => open = Some(Reading { file, left: size }),
                }
            }
        });
        Self { pieces: Box::pin(pieces), left, empty }
    }

    /// Bytes that are still to come.
    pub(super) const fn length(&self) -> u64 {
        self.left
    }
}

/// A file that is being read; some of it is left.
struct Reading<F> {
    file: F,
    left: u64,
}

/// The next bytes of a file, and what is left of it. The last ones are only given when nothing comes after them.
async fn next_of<F: AsyncRead + Unpin>(mut reading: Reading<F>) -> Result<(Bytes, Option<Reading<F>>), BodyError> {
    let size = usize::try_from(reading.left).unwrap_or(CHUNK).min(CHUNK);
    let mut chunk = BytesMut::with_capacity(size);
    let mut limited = (&mut reading.file).take(size as u64);
    while chunk.len() < size {
        let read = limited.read_buf(&mut chunk).await.map_err(|error| BodyError::Unreadable(error.kind()))?;
        if read == 0 {
            return Err(BodyError::Changed);
        }
    }
    reading.left -= chunk.len() as u64;
    if reading.left > 0 {
        return Ok((chunk.freeze(), Some(reading)));
    }
    ends(&mut reading.file).await?;
    Ok((chunk.freeze(), None))
}

async fn ends(file: &mut (impl AsyncRead + Unpin)) -> Result<(), BodyError> {
    match file.read(&mut [0]).await {
        Ok(0) => Ok(()),
        Ok(_) => Err(BodyError::Changed),
        Err(error) => Err(BodyError::Unreadable(error.kind())),
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.pieces.as_mut().poll_next(cx).map_ok(|bytes| {
            self.left = self.left.saturating_sub(bytes.len() as u64);
            Frame::data(bytes)
        })
    }

    fn is_end_stream(&self) -> bool {
        // Not by what is left: a file must still be found to end.
        self.empty
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use futures_util::TryStreamExt;

    use super::*;

    async fn sent(content: &[u8], size: u64) -> Result<Vec<u8>, BodyError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let file = File::open(file.path()).await.unwrap();
        let body = Outgoing::new(vec![
            Piece::Bytes(Bytes::from_static(b"<")),
            Piece::File(file, size),
            Piece::Bytes(Bytes::new()),
            Piece::Bytes(Bytes::from_static(b">")),
        ]);
        assert_eq!(body.length(), size + 2);
        let chunks: Vec<Bytes> = body.pieces.try_collect().await?;
        assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK));
        Ok(chunks.concat())
    }

    #[tokio::test]
    async fn a_file_is_sent_in_chunks_and_whole() {
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let content: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let body = sent(&content, size as u64).await.unwrap();
            assert!(body == [b"<", &content[..], b">"].concat(), "{size}");
        }
    }

    #[tokio::test]
    async fn a_file_of_another_size_ends_the_body_before_it_is_whole() {
        for (real, said) in [(0, 1), (1, 0), (10, 11), (11, 10), (CHUNK + 1, CHUNK), (CHUNK, CHUNK + 1)] {
            let result = sent(&vec![7; real], said as u64).await;
            assert!(matches!(result, Err(BodyError::Changed)), "{real} {said}");
        }
    }

    #[tokio::test]
    async fn a_kept_file_that_is_gone_or_has_another_size_is_not_begun() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let kept = KeptFile {
            id: String::new(),
            name: "x".into(),
            media_type: "text/plain".into(),
            size: 3,
            path: path.clone(),
            conversation: None,
        };
        assert!(matches!(Piece::of_file(&kept).await, Err(BodyError::Unreadable(io::ErrorKind::NotFound))));
        std::fs::write(&path, "four").unwrap();
        assert!(matches!(Piece::of_file(&kept).await, Err(BodyError::Changed)));
        std::fs::write(&path, "one").unwrap();
        assert!(Piece::of_file(&kept).await.is_ok());
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(Piece::of_file(&kept).await.is_err(), "a directory");
    }
}
