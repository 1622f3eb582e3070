//! Requests to the granted endpoints. The adapter names an endpoint and fills its variables; the host builds
//! the URL, writes the body anew and puts in the secrets.
//!
//! ```
//! use sluicegate_sdk::prelude::*;
//!
//! fn send(outgoing: Outgoing) -> Performed {
//!     let body = json!({
//!         "chat": outgoing.place.conversation,
//!         "text": outgoing.text.text,
//!         "answers": outgoing.reply_to, // left out when there is none
//!     });
//!     let answer: Value = Request::to("post").json(body).send()?.accepted()?.parse()?;
//!     Ok(Outcome::Sent(json::id(&answer, "/id").into_iter().collect()))
//! }
//!
//! let host = testing::Host::new();
//! host.answer("post", Response::json(200, &json!({ "id": 7 })));
//! assert_eq!(send(testing::outgoing("c1", "Hello")), Ok(Outcome::Sent(vec!["7".to_owned()])));
//! assert_eq!(host.requests(), [Request::to("post").json(json!({ "chat": "c1", "text": "Hello" }))]);
//! ```

pub use crate::bindings::sluicegate::channel::http::{Body, Part, Problem, Request, Response};
use crate::host;
use crate::types::{Content, Failure, FileId, KeptFile, PlatformFailure};
use serde::de::DeserializeOwned;
use serde_json::Value;

impl Request {
    /// A request to the endpoint of that name in the manifest or profile, with no body.
    pub fn to(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), vars: Vec::new(), headers: Vec::new(), body: Body::Empty }
    }

    /// Fills `{name}` of the endpoint's URL: one segment or one query value, encoded by the host.
    #[must_use]
    pub fn var(mut self, name: &str, value: impl ToString) -> Self {
        self.vars.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a header that the endpoint lists.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sends this JSON. Members that are `null` are left out first, so an `Option` can stand in `json!`.
    #[must_use]
    pub fn json(mut self, mut body: Value) -> Self {
        if let Value::Object(members) = &mut body {
            members.retain(|_, value| !value.is_null());
        }
        self.body = Body::Json(body.to_string());
        self
    }

    /// Sends a form of these fields.
    #[must_use]
    pub fn form<N: Into<String>, V: Into<String>>(mut self, fields: impl IntoIterator<Item = (N, V)>) -> Self {
        self.body = Body::Form(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// Sends a multipart form; see [`Part::text`] and [`Part::file`].
    #[must_use]
    pub fn multipart(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.body = Body::Multipart(parts.into_iter().collect());
        self
    }

    /// Sends these bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Bytes(bytes.into());
        self
    }

    /// Sends it. The response may have any status: see [`Response::accepted`].
    pub fn send(&self) -> Result<Response, Problem> {
        host::http::send(self)
    }

    /// Sends it and lets the host keep the answer's body as a file.
    pub fn download(&self, suggested_name: &str) -> Result<KeptFile, Problem> {
        host::http::download(self, suggested_name)
    }
}

impl Part {
    /// A field of a multipart form.
    pub fn text(name: &str, value: impl Into<String>) -> Self {
        let body = Content::Bytes(value.into().into_bytes());
        Self { name: name.to_owned(), file_name: None, media_type: None, body }
    }

    /// A file of a multipart form; the host streams its bytes.
    pub fn file(name: &str, file: &KeptFile) -> Self {
        Self {
            name: name.to_owned(),
            file_name: Some(file.name.clone()),
            media_type: Some(file.media_type.clone()),
            body: Content::File(FileId::clone(&file.file)),
        }
    }
}

impl Response {
    /// A response with this JSON as its body; for tests.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    /// The first header of that name, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        crate::item::first(&self.headers, name)
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body read as JSON.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// The response if its status is 200–299, else [`Failure::Platform`] with the first 500 characters of
    /// its body and the seconds of `Retry-After`.
    pub fn accepted(self) -> Result<Self, Failure> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let seconds = self.header("retry-after").and_then(|value| value.trim().parse::<u64>().ok());
        Err(Failure::Platform(PlatformFailure {
            status: self.status,
            message: self.text().chars().take(500).collect(),
            retry_after_ms: seconds.map(|seconds| seconds.saturating_mul(1000)),
        }))
    }
}
