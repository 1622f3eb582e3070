//! `multipart/form-data` (RFC 7578), as browsers write it.

use bytes::Bytes;
use http::HeaderValue;

use super::{
    PreparedPart,
    stream::{BodyError, Piece},
};
use crate::{files::KeptFile, home::random_hex};

/// Random bytes of a boundary. It is chosen after the parts are there, so none of them can hold it but by chance.
const BOUNDARY_BYTES: usize = 16;

/// A body in pieces, and its `Content-Type`.
pub(super) struct Multipart {
    /// `multipart/form-data` with the boundary.
    pub(super) content_type: String,
    /// The body.
    pub(super) pieces: Vec<Piece>,
}

/// Writes the parts in their order, and opens their files.
///
/// # Errors
/// [`BodyError`], when a file is gone or has changed.
pub(super) async fn multipart(parts: &[PreparedPart]) -> Result<Multipart, BodyError> {
    let boundary = boundary(parts)?;
    let mut pieces = Vec::new();
    let mut text = String::new();
    for part in parts {
        text.push_str(&format!("--{boundary}\r\n"));
        match part {
            PreparedPart::Field { name, text: value } => {
                text.push_str(&format!("content-disposition: form-data; name=\"{}\"\r\n\r\n{value}", quoted(name)));
            }
            PreparedPart::File { name, file } => {
                text.push_str(&file_head(name, file));
                pieces.push(Piece::Bytes(Bytes::from(std::mem::take(&mut text))));
                pieces.push(Piece::of_file(file).await?);
            }
        }
        text.push_str("\r\n");
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    pieces.push(Piece::Bytes(text.into()));
    Ok(Multipart { content_type: format!("multipart/form-data; boundary={boundary}"), pieces })
}

fn file_head(name: &str, file: &KeptFile) -> String {
    // A header ends at a line break; whatever could hold one is no media type.
    let media_type = Some(file.media_type.as_str())
        .filter(|media_type| HeaderValue::from_str(media_type).is_ok())
        .unwrap_or("application/octet-stream");
    format!(
        "content-disposition: form-data; name=\"{}\"; filename=\"{}\"\r\ncontent-type: {media_type}\r\n\r\n",
        quoted(name),
        quoted(&file.name),
    )
}

/// A name within double quotes: those, and line breaks, are percent-encoded, other characters stay as they are (HTML
/// standard, "multipart form data"). RFC 7578 leaves other control characters open; they are left out.
fn quoted(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '"' => quoted.push_str("%22"),
            '\r' => quoted.push_str("%0D"),
            '\n' => quoted.push_str("%0A"),
            c if c.is_control() => {}
            c => quoted.push(c),
        }
    }
    quoted
}

fn boundary(parts: &[PreparedPart]) -> Result<String, BodyError> {
    loop {
        let boundary = format!("sluicegate-{}", random_hex::<BOUNDARY_BYTES>().map_err(|_| BodyError::Random)?);
        let taken = parts.iter().any(|part| match part {
            PreparedPart::Field { name, text } => name.contains(&boundary) || text.contains(&boundary),
            PreparedPart::File { name, file } => name.contains(&boundary) || file.name.contains(&boundary),
        });
        if !taken {
            return Ok(boundary);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use std::convert::Infallible;

    use futures_util::stream;
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt;

    use super::*;

    fn kept(dir: &tempfile::TempDir, name: &str, media_type: &str, content: &[u8]) -> KeptFile {
        let path = dir.path().join("file");
        std::fs::write(&path, content).unwrap();
        KeptFile {
            id: "0".repeat(32),
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            size: content.len() as u64,
            path,
            conversation: None,
        }
    }

    async fn written(multipart: Multipart) -> Vec<u8> {
        let mut body = Vec::new();
        for piece in multipart.pieces {
            match piece {
                Piece::Bytes(bytes) => body.extend_from_slice(&bytes),
                Piece::File(mut file, _) => {
                    file.read_to_end(&mut body).await.unwrap();
                }
            }
        }
        body
    }

    type Read = Vec<(Option<String>, Option<String>, Option<String>, Vec<u8>)>;

    /// What another implementation reads.
    async fn read(content_type: &str, body: Vec<u8>) -> Read {
        let boundary = multer::parse_boundary(content_type).unwrap();
        let body = stream::iter([Ok::<_, Infallible>(Bytes::from(body))]);
        let mut read = multer::Multipart::new(body, boundary);
        let mut parts = Vec::new();
        while let Some(field) = read.next_field().await.unwrap() {
            let (name, file) = (field.name().map(str::to_owned), field.file_name().map(str::to_owned));
            let media_type = field.content_type().map(ToString::to_string);
            parts.push((name, file, media_type, field.bytes().await.unwrap().to_vec()));
        }
        parts
    }

    #[tokio::test]
    async fn parts_arrive_as_they_were_in_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let parts = [
            PreparedPart::Field { name: "chat_id".into(), text: "42".into() },
            PreparedPart::File {
                name: "photo".into(),
                file: kept(&dir, "größe 漢.png", "image/png", b"\0\r\n--x\xff"),
            },
            PreparedPart::Field { name: "caption".into(), text: "a\r\n\"b\" --sluicegate-\n".into() },
        ];
        let multipart = multipart(&parts).await.unwrap();
        let content_type = multipart.content_type.clone();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            read(&content_type, written(multipart).await).await,
            [
                (some("chat_id"), None, None, b"42".to_vec()),
                (some("photo"), some("größe 漢.png"), some("image/png"), b"\0\r\n--x\xff".to_vec()),
                (some("caption"), None, None, b"a\r\n\"b\" --sluicegate-\n".to_vec()),
            ]
        );
    }

    #[tokio::test]
    async fn names_and_media_types_cannot_break_out_of_their_headers() {
        let dir = tempfile::tempdir().unwrap();
        let file = kept(&dir, "a\"; x=\"\r\nx-evil: 1\r\n\r\n\0.txt", "text/plain\r\nx-evil: 1", b"content");
        let parts = [PreparedPart::File { name: "f\"\r\nx".into(), file }];
        let body = String::from_utf8(written(multipart(&parts).await.unwrap()).await).unwrap();
        let (head, rest) = body.split_once("\r\n\r\n").unwrap();
        let lines: Vec<&str> = head.split("\r\n").skip(1).collect();
        assert_eq!(
            lines,
            [
                "content-disposition: form-data; name=\"f%22%0D%0Ax\"; filename=\"a%22; x=%22%0D%0Ax-evil: 1%0D%0A%0D%0A.txt\"",
                "content-type: application/octet-stream",
            ]
        );
        assert!(rest.starts_with("content\r\n--"));
    }

    #[tokio::test]
    async fn no_parts_are_a_body_too_and_boundaries_differ() {
        let (one, two) = (multipart(&[]).await.unwrap(), multipart(&[]).await.unwrap());
        assert_ne!(one.content_type, two.content_type);
        assert!(written(one).await.ends_with(b"--\r\n"));
    }

    proptest! {
        #[test]
        fn whatever_a_field_says_it_is_one_field(text in any::<String>(), more in "[\r\n\"-]{0,20}") {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let text = format!("{more}{text}{more}");
                let parts = [PreparedPart::Field { name: "text".into(), text: text.clone() }];
                let multipart = multipart(&parts).await.unwrap();
                let content_type = multipart.content_type.clone();
                let read = read(&content_type, written(multipart).await).await;
                assert_eq!(read, [(Some("text".to_owned()), None, None, text.into_bytes())]);
            });
        }
    }
}
