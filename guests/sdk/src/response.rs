//! What a page route answers. Other routes answer with the status alone, which the host gives.

use crate::types::{Content, FileId, RouteResponse};
use serde_json::Value;

impl RouteResponse {
    /// An empty answer.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Content::Bytes(Vec::new()) }
    }

    /// 200, with a page.
    pub fn html(page: impl Into<String>) -> Self {
        Self::text("text/html; charset=utf-8", page)
    }

    /// 200, with text of that media type.
    pub fn text(media_type: &str, text: impl Into<String>) -> Self {
        let answer = Self { body: Content::Bytes(text.into().into_bytes()), ..Self::status(200) };
        answer.header("content-type", media_type)
    }

    /// 200, with JSON.
    pub fn json(value: &Value) -> Self {
        Self::text("application/json", value.to_string())
    }

    /// 200, with the bytes of a file that the host keeps.
    pub fn file(file: impl Into<FileId>, media_type: &str) -> Self {
        let answer = Self { body: Content::File(file.into()), ..Self::status(200) };
        answer.header("content-type", media_type)
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
