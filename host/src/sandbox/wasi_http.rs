//! `wasi:http/outgoing-handler` through the same egress: the authority names the endpoint, the query its variables.
//!
//! ```text
//! POST http://sendMessage.endpoint.invalid/?topic=7     {"chat_id":1,"text":"hello"}
//! ```
//! So the HTTP clients of other languages work, and reach nothing else. Headers that every client sends by itself
//! (`accept`, `user-agent`, what describes the body) are the host's to write and are left out.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use wasmtime_wasi_http::{RequestOptions, WasiBody, WasiHttpHooks};

use super::{
    guest_log::GuestLog,
    room::{ANSWERS, Room},
};
use crate::{
    egress::{Answer, Asked, Body, Content, Egress, Part, Permit, Problem},
    manifest::{Action, Use},
};

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

/// The way out of one instance, for `http` and `wasi:http` together: open during a call only.
pub(super) struct Outlet {
    way: Option<Way>,
    /// When the requests of the call must have ended.
    end: Instant,
    /// Requests that the call may still make.
    left: usize,
    room: Room,
    traces: Arc<Mutex<Traces>>,
    log: Arc<GuestLog>,
}

/// What requests leave behind.
#[derive(Debug, Default)]
pub struct Traces {
    /// Messages that the platform has taken: conversation and id.
    pub sent: Vec<(String, String)>,
    /// Whether the platform has taken the prompt of an `ask`.
    pub asked: bool,
    /// Files that were kept of answers, by their ids.
    pub downloaded: Vec<String>,
    /// Why it is not known whether the platform did something.
    pub open: Option<String>,
}

impl Traces {
    /// Notes how a request ended.
    pub(super) fn note(&mut self, permit: &Permit, answered: &Result<Answer, Problem>) {
        match answered {
            Ok(answer) => {
                let is_taken = (200..300).contains(&answer.status);
                self.asked |= is_taken && permit.purpose == Use::Action(Action::Ask);
                let conversation = permit.conversation.iter();
                self.sent.extend(conversation.flat_map(|it| answer.sent.iter().map(|id| (it.clone(), id.clone()))));
            }
            Err(problem) if problem.leaves_open() => self.open = Some(problem.to_string()),
            Err(_) => {}
        }
    }
}

impl Outlet {
    /// Closed, for an instance with that log.
    pub(super) fn new(log: Arc<GuestLog>) -> Self {
        Self { way: None, end: Instant::now(), left: 0, room: Room::default(), traces: Arc::default(), log }
    }

    /// A call begins, which may make so many requests within the time that the way says.
    pub(super) fn open(&mut self, way: Option<Way>, requests: usize) {
        let end = Instant::now() + way.as_ref().map_or(Duration::ZERO, |way| way.within);
        let log = Arc::clone(&self.log);
        *self = Self { way, end, left: requests, room: Room::default(), traces: Arc::default(), log };
    }

    /// Counts a request; gives its way, with the time that is left.
    ///
    /// # Errors
    /// Why it is not made.
    pub(super) fn request(&mut self) -> Result<Way, &'static str> {
        let Some(way) = &self.way else { return Err("there is no way to the network here") };
        let within = self.end.saturating_duration_since(Instant::now());
        self.left = self.left.checked_sub(1).ok_or("one call makes at most 64 requests")?;
        Ok(Way { within, ..way.clone() })
    }

    /// The call has ended; gives what its requests left behind.
    pub(super) fn close(&mut self) -> Traces {
        self.way = None;
        std::mem::take(&mut *self.traces.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a file that was kept of an answer.
    pub(super) fn note_download(&self, id: &str) {
        self.traces.lock().unwrap_or_else(PoisonError::into_inner).downloaded.push(id.to_owned());
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
        let way = self.request();
        let (room, traces, log) = (self.room.clone(), Arc::clone(&self.traces), Arc::clone(&self.log));
        Box::new(async move {
            let answered = match way {
                Ok(way) => answer(way, &room, request, &traces).await,
                Err(reason) => Err(Problem::Denied(reason.to_owned())),
            };
            let answer = answered.map_err(|problem| {
                log_denial(&log, &problem);
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

/// Makes the request, with the room that its answer may take.
async fn answer(way: Way, room: &Room, request: Request<WasiBody>, traces: &Mutex<Traces>) -> Result<Answer, Problem> {
    let Way { egress, permit, within } = way;
    let (endpoint, method, asked) = asked(request).await.map_err(Problem::Denied)?;
    let reserved = room.reserve(egress.longest_answer(&endpoint)).ok_or_else(|| {
        Problem::Denied(format!("the answers of one call have at most {ANSWERS} bytes together; make fewer requests"))
    })?;
    let answered = egress.send_as(&permit, &endpoint, &method, asked, within, reserved.bytes()).await;
    traces.lock().unwrap_or_else(PoisonError::into_inner).note(&permit, &answered);
    drop(reserved.filled(answered.as_ref().map_or(0, |answer| answer.body.len())));
    answered
}

/// What is not within the grant is in the adapter's log, for the user as for the adapter's author.
pub(super) fn log_denial(log: &GuestLog, problem: &Problem) {
    if let Problem::Denied(reason) = problem {
        log.write(tracing::Level::WARN, &format!("a request was denied: {reason}"));
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
    let endpoint = authority
        .strip_suffix(SUFFIX)
        .ok_or_else(|| format!("only endpoints can be reached, as http://NAME{SUFFIX}/; this was for another host"))?;
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
    use crate::{egress::Values, files::FileStore, limits::Limits, manifest::Platform, name::AdapterName};

    fn outlet(log_lines: usize) -> Outlet {
        Outlet::new(Arc::new(GuestLog::new("it".into(), log_lines)))
    }

    fn way(dir: &tempfile::TempDir, within: Duration) -> Way {
        let platform = Arc::new(Platform::default());
        let files = FileStore::open(&dir.path().join("inbox"), 1, 1).unwrap();
        let name = AdapterName::new("it").unwrap();
        let egress = Egress::new(name, platform, Values::default(), files, &Limits::default(), Arc::default());
        Way { egress: Arc::new(egress), permit: Permit::bare(Use::Handle), within }
    }

    #[test]
    fn the_requests_of_a_call_are_counted_together_and_those_of_the_next_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut outlet = outlet(1);
        assert!(outlet.request().is_err(), "outside of calls");
        for _ in 0..2 {
            outlet.open(Some(way(&dir, Duration::from_secs(9))), 2);
            for _ in 0..2 {
                assert!(outlet.request().unwrap().within <= Duration::from_secs(9));
            }
            assert_eq!(outlet.request().err(), Some("one call makes at most 64 requests"));
            outlet.close();
            assert!(outlet.request().is_err(), "after it");
        }
        outlet.open(None, 2);
        assert_eq!(outlet.request().err(), Some("there is no way to the network here"));
    }

    #[test]
    fn requests_have_the_time_that_is_left_to_the_call() {
        let dir = tempfile::tempdir().unwrap();
        let mut outlet = outlet(1);
        outlet.open(Some(way(&dir, Duration::ZERO)), 1);
        assert_eq!(outlet.request().unwrap().within, Duration::ZERO);
    }

    #[test]
    fn a_prompt_is_taken_when_the_platform_says_so() {
        let answered = |status| Ok(Answer { status, headers: Vec::new(), body: Vec::new(), sent: Vec::new() });
        for (action, answered, expected) in [
            (Action::Ask, answered(200), true),
            (Action::Ask, answered(400), false),
            (Action::Ask, answered(302), false),
            (Action::Ask, Err(Problem::Denied("x".into())), false),
            (Action::Ask, Err(Problem::TimedOut), false),
            (Action::Send, answered(200), false),
        ] {
            let mut traces = Traces::default();
            traces.note(&Permit::bare(Use::Action(action)), &answered);
            assert_eq!(traces.asked, expected, "{action:?} {answered:?}");
        }
    }

    #[tokio::test]
    async fn a_denied_request_is_a_line_of_the_adapters_own_log() {
        let dir = tempfile::tempdir().unwrap();
        let mut outlet = outlet(1);
        outlet.open(Some(way(&dir, Duration::from_secs(9))), 64);
        outlet.log.refill();
        for _ in 0..3 {
            let body = Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync();
            let request = Request::post("http://127.0.0.1/").body(body).unwrap();
            let ended: Ended = Box::new(std::future::ready(Ok(())));
            let denied = Box::into_pin(outlet.send_request(request, None, ended)).await;
            assert!(matches!(denied, Err(Failure::HttpRequestDenied)));
        }
        assert_eq!(outlet.log.dropped(), 2);
    }

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
        assert!(
            matches!(asked.body, Body::Form(fields) if fields == [("a".into(), "1".into()), ("b".into(), "&".into())])
        );
        let parts = "--B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n--B--\r\n";
        let (.., asked) = read("http://x.endpoint.invalid/", "multipart/form-data; boundary=B", parts).await.unwrap();
        assert!(matches!(asked.body, Body::Multipart(parts) if parts[0].name == "chat_id"));
        assert!(matches!(read("http://x.endpoint.invalid/", "", "x").await.unwrap().2.body, Body::Bytes(_)));
    }
}
