//! Uploads: files of a multipart form go into the adapter's inbox while they arrive, text fields become the item.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::BodyStream;
use hyper::{HeaderMap, body::Incoming, header::CONTENT_TYPE};
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio::time::timeout;

use super::{
    body::{add_field, to_json},
    denial::Denial,
    intake::KeptUpload,
};
use crate::files::FileStore;

/// Files of one form.
pub(super) const FILES: u64 = 10;
/// Bytes of one text field.
const TEXT: usize = 64 * 1024;
/// Bytes of a field's name.
const NAME: usize = 100;
/// Fields and files of one form.
const PARTS: usize = 100;
/// Bytes that may arrive between two pieces of the form: more than that is a part whose headers do not end.
const BETWEEN: usize = 512 * 1024;

/// Files that are removed again if this is dropped.
#[derive(Debug)]
pub(super) struct Uploaded {
    store: FileStore,
    files: Vec<KeptUpload>,
}

impl Uploaded {
    /// The files, which now stay.
    pub(super) fn keep(mut self) -> Vec<KeptUpload> {
        std::mem::take(&mut self.files)
    }
}

impl Drop for Uploaded {
    fn drop(&mut self) {
        for upload in &self.files {
            self.store.remove(&upload.file.id);
        }
    }
}

/// Reads a form of at most `max` bytes. `pause` is the longest time between two pieces.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Incoming,
    max: u64,
    pause: Duration,
    store: &FileStore,
) -> Result<(Bytes, Uploaded), Denial> {
    let boundary = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| multer::parse_boundary(value).ok())
        .ok_or(Denial::Body("the form has no boundary"))?;
    let between = Arc::new(AtomicUsize::new(0));
    let arrived = Arc::clone(&between);
    let stream = BodyStream::new(body).filter_map(move |frame| {
        let data = match frame {
            Ok(frame) => frame.into_data().ok().map(Ok),
            Err(error) => Some(Err(std::io::Error::other(error))),
        };
        let more = data.as_ref().map_or(0, |data| data.as_ref().map_or(0, Bytes::len));
        let endless = arrived.fetch_add(more, Ordering::Relaxed) > BETWEEN;
        std::future::ready(if endless {
            Some(Err(std::io::Error::other("a part without end of headers")))
        } else {
            data
        })
    });
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(max));
    let mut form = Multipart::with_constraints(stream, boundary, limits);

    let mut uploaded = Uploaded { store: store.clone(), files: Vec::new() };
    let mut fields = BTreeMap::new();
    let mut parts = 0;
    while let Some(field) = timeout(pause, form.next_field()).await.map_err(|_| Denial::Slow)?.map_err(|e| bad(&e))? {
        between.store(0, Ordering::Relaxed);
        parts += 1;
        if parts > PARTS {
            return Err(Denial::Body("the form has too many parts"));
        }
        let name = field.name().filter(|name| name.len() <= NAME);
        let name = name.ok_or(Denial::Body("a part of the form has no name, or one that is too long"))?.to_owned();
        if field.file_name().is_some() {
            if let Some(upload) = keep(field, name, store, pause, &between).await? {
                uploaded.files.push(upload);
                if uploaded.files.len() as u64 > FILES {
                    return Err(Denial::Body("the form has too many files"));
                }
            }
        } else {
            let text = text(field, pause, &between).await?;
            add_field(&mut fields, name, text)?;
        }
    }
    Ok((to_json(&fields)?, uploaded))
}

/// Keeps one file; browsers send a file without name and content where the user chose none.
async fn keep(
    mut field: Field<'_>,
    name: String,
    store: &FileStore,
    pause: Duration,
    between: &AtomicUsize,
) -> Result<Option<KeptUpload>, Denial> {
    let file_name = field.file_name().unwrap_or_default().to_owned();
    let media_type = field.content_type().map(|media_type| media_type.essence_str().to_owned());
    let mut first = chunk(&mut field, pause, between).await?;
    if first.is_none() && file_name.is_empty() {
        return Ok(None);
    }
    let mut writer = store.create(&file_name, media_type.as_deref())?;
    while let Some(bytes) = first {
        writer.write(&bytes).await?;
        first = chunk(&mut field, pause, between).await?;
    }
    Ok(Some(KeptUpload { field: name, file: writer.finish(None).await? }))
}

async fn text(mut field: Field<'_>, pause: Duration, between: &AtomicUsize) -> Result<String, Denial> {
    let mut text = Vec::new();
    while let Some(bytes) = chunk(&mut field, pause, between).await? {
        if text.len() + bytes.len() > TEXT {
            return Err(Denial::TooLarge { max: TEXT as u64 });
        }
        text.extend_from_slice(&bytes);
    }
    String::from_utf8(text).map_err(|_| Denial::Body("a field of the form is not UTF-8"))
}

/// The next bytes of a part, which are never none at all.
async fn chunk(field: &mut Field<'_>, pause: Duration, between: &AtomicUsize) -> Result<Option<Bytes>, Denial> {
    loop {
        let chunk = timeout(pause, field.chunk()).await.map_err(|_| Denial::Slow)?.map_err(|error| bad(&error))?;
        between.store(0, Ordering::Relaxed);
        if chunk.as_ref().is_none_or(|bytes| !bytes.is_empty()) {
            return Ok(chunk);
        }
    }
}

fn bad(error: &multer::Error) -> Denial {
    match error {
        multer::Error::StreamSizeExceeded { limit } => Denial::TooLarge { max: *limit },
        _ => Denial::Body("the multipart form is malformed or ended early"),
    }
}
