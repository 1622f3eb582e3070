//! `wasi:http/outgoing-handler` through the same egress: the authority names the endpoint, the query its variables.
//!
//! ```text
//! POST http://sendMessage.endpoint.invalid/?topic=7     {"chat_id":1,"text":"hello"}
//! ```
//! So the HTTP clients of other languages work, and reach nothing else. Headers that every client sends by itself
//! (`accept`, `user-agent`, what describes the body) are the host's to write and are left out.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use wasmtime_wasi_http::{RequestOptions, WasiBody, WasiHttpHooks};

use crate::egress::{Answer, Asked, Body, Content, Egress, Part, Permit, Problem};

/// What follows the name of an endpoint in an authority. `.invalid` can never be a host (RFC 2606).
const SUFFIX: &str = ".endpoint.invalid";

/// The longest body, in bytes.
const BODY: usize = 1 << 20;

/// Headers that clients send by themselves.
const BY_THEMSELVES: [header::HeaderName; 14] = [
    header::HOST,
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::ORIGIN,
    header::PRAGMA,
    header::REFERER,
    header::TE,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
];

type Failure = wasmtime_wasi_http::Error;
type Ended = Box<dyn Future<Output = Result<(), Failure>> + Send>;

/// What the call under way may request.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) egress: Arc<Egress>,
    pub(super) permit: Permit,
    pub(super) within: Duration,
}

/// The way out of one instance: open during a call only.
#[derive(Default)]
pub(super) struct Outlet {
    way: Option<Way>,
    left: usize,
    traces: Arc<Mutex<Traces>>,
}

/// What requests leave behind.
#[derive(Debug, Default)]
pub struct Traces {
    /// Messages that the platform has taken: conversation and id.
    pub sent: Vec<(String, String)>,
    /// Why it is not known whether the platform did something.
    pub open: Option<String>,
}

impl Traces {
    /// Notes how a request ended.
    pub(super) fn note(&mut self, permit: &Permit, answered: &Result<Answer, Problem>) {
        match answered {
            Ok(answer) => {
                let conversation = permit.conversation.iter();
                self.sent.extend(conversation.flat_map(|it| answer.sent.iter().map(|id| (it.clone(), id.clone()))));
            }
            Err(problem) if problem.leaves_open() => self.open = Some(problem.to_string()),
            Err(_) => {}
        }
    }
}

impl Outlet {
    /// A call begins, which may make so many requests.
    pub(super) fn open(&mut self, way: Option<Way>, requests: usize) {
        *self = Self { way, left: requests, traces: Arc::default() };
    }

    /// The call has ended; gives what its requests left behind.
    pub(super) fn close(&mut self) -> Traces {
        self.way = None;
        std::mem::take(&mut *self.traces.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes how a request of the call ended.
    pub(super) fn note(&self, permit: &Permit, answered: &Result<Answer, Problem>) {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner).note(permit, answered);
    }
}

impl WasiHttpHooks for Outlet {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Ended,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Ended), Failure>> + Send> {
        let way = self.way.clone().filter(|_| self.left > 0);
        self.left = self.left.saturating_sub(1);
        let traces = Arc::clone(&self.traces);
        Box::new(async move {
            let Way { egress, permit, within } = way.ok_or(Failure::HttpRequestDenied)?;
            let answered = match asked(request).await {
                Ok((endpoint, method, asked)) => egress.send_as(&permit, &endpoint, &method, asked, within).await,
                Err(reason) => Err(Problem::Denied(reason)),
            };
            traces.lock().unwrap_or_else(PoisonError::into_inner).note(&permit, &answered);
            let answer = answered.map_err(|problem| {
                if let Problem::Denied(reason) = &problem {
                    tracing::warn!(adapter = %egress.adapter(), "a request was denied: {reason}");
                }
                failure(problem)
            })?;
            let Answer { status, headers, body, .. } = answer;
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync();
            let response = response.body(body).map_err(|error| Failure::InternalError(Some(error.to_string())))?;
            Ok((response, Box::new(std::future::ready(Ok(()))) as Ended))
        })
    }
}

fn failure(problem: Problem) -> Failure {
    match problem {
        Problem::Denied(_) => Failure::HttpRequestDenied,
        Problem::TooLarge => Failure::HttpResponseBodySize(None),
        Problem::TimedOut => Failure::HttpResponseTimeout,
        Problem::Unreachable(_) => Failure::DestinationUnavailable,
        Problem::Broken(_) => Failure::ConnectionTerminated,
    }
}

/// The endpoint's name, the method, and the request in the host's words.
async fn asked(request: Request<WasiBody>) -> Result<(String, Method, Asked), String> {
    let (parts, body) = request.into_parts();
    let authority = parts.uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let endpoint = authority.strip_suffix(SUFFIX).ok_or_else(|| {
        format!("only endpoints can be reached, as http://NAME{SUFFIX}/; this was for another host")
    })?;
    if !matches!(parts.uri.path(), "" | "/") {
        return Err(format!("the path of {endpoint}{SUFFIX} is /; its variables stand in the query"));
    }
    let query = parts.uri.query().unwrap_or_default();
    let vars = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut headers = Vec::new();
    for (name, value) in &parts.headers {
        if !BY_THEMSELVES.contains(name) {
            let value = value.to_str().map_err(|_| format!("the header {name} is no visible text"))?;
            headers.push((name.to_string(), value.to_owned()));
        }
    }
    let body = Limited::new(body, BODY).collect().await;
    let body = body.map_err(|_| format!("the body could not be read; it has at most {BODY} bytes"))?.to_bytes();
    let body = read(&parts.headers, body).await?;
    Ok((endpoint.to_owned(), parts.method, Asked { vars, headers, body }))
}

/// The body, by its media type.
async fn read(headers: &HeaderMap, body: Bytes) -> Result<Body, String> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => String::from_utf8(body.into()).map(Body::Json).map_err(|_| "JSON is UTF-8".into()),
        "application/x-www-form-urlencoded" => Ok(Body::Form(form_urlencoded::parse(&body).into_owned().collect())),
        "multipart/form-data" => {
            let unreadable = |error: multer::Error| format!("the multipart body cannot be read: {error}");
            let boundary = multer::parse_boundary(media_type).map_err(unreadable)?;
            let stream = futures_util::stream::once(std::future::ready(Ok::<_, std::convert::Infallible>(body)));
            let mut fields = multer::Multipart::new(stream, boundary);
            let mut parts = Vec::new();
            while let Some(field) = fields.next_field().await.map_err(unreadable)? {
                parts.push(Part {
                    name: field.name().unwrap_or_default().to_owned(),
                    file_name: field.file_name().map(str::to_owned),
                    media_type: field.content_type().map(ToString::to_string),
                    content: Content::Bytes(field.bytes().await.map_err(unreadable)?.into()),
                });
            }
            Ok(Body::Multipart(parts))
        }
        _ if body.is_empty() => Ok(Body::Empty),
        _ => Ok(Body::Bytes(body.into())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    async fn read(uri: &str, media_type: &str, body: &str) -> Result<(String, Method, Asked), String> {
        let body = Full::new(Bytes::from(body.to_owned())).map_err(|never| match never {}).boxed_unsync();
        let request = Request::post(uri).header("content-type", media_type).header("user-agent", "python").body(body);
        asked(request.unwrap()).await
    }

    #[tokio::test]
    async fn the_authority_is_the_endpoint_and_nothing_else_can_be_reached() {
        let (endpoint, method, asked) =
            read("http://send.endpoint.invalid/?a=1%202", "application/json; charset=utf-8", "{}").await.unwrap();
        assert_eq!((endpoint.as_str(), method), ("send", Method::POST));
        assert_eq!(asked.vars, [("a".to_owned(), "1 2".to_owned())]);
        assert!(asked.headers.is_empty());
        assert!(matches!(asked.body, Body::Json(text) if text == "{}"));
        for other in [
            "http://api.telegram.org/",
            "http://127.0.0.1/",
            "http://send.endpoint.invalid:80/",
            "http://user@send.endpoint.invalid.example/",
            "http://send.endpoint.invalid/path",
        ] {
            assert!(read(other, "application/json", "{}").await.is_err(), "{other}");
        }
    }

    #[tokio::test]
    async fn forms_and_parts_are_read_by_their_media_type() {
        let (.., asked) =
            read("http://x.endpoint.invalid/", "application/x-www-form-urlencoded", "a=1&b=%26").await.unwrap();
        assert!(matches!(asked.body, Body::Form(fields) if fields == [("a".into(), "1".into()), ("b".into(), "&".into())]));
        let parts = "--B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n--B--\r\n";
        let (.., asked) = read("http://x.endpoint.invalid/", "multipart/form-data; boundary=B", parts).await.unwrap();
        assert!(matches!(asked.body, Body::Multipart(parts) if parts[0].name == "chat_id"));
        assert!(matches!(read("http://x.endpoint.invalid/", "", "x").await.unwrap().2.body, Body::Bytes(_)));
    }
}
