//! What clients get: a status with a line of the host's own words, or a page behind headers that confine it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    denial::Denial,
    intake::{Page, PageBody},
    stream::{Body, FileBody},
};
use crate::{files::KeptFile, name::AdapterName};

/// Seconds after which a sender may come back.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Headers that adapters may set on pages. None of them reaches beyond the answer itself.
const ALLOWED: [HeaderName; 5] =
    [header::CONTENT_TYPE, header::CONTENT_DISPOSITION, header::CONTENT_LANGUAGE, header::ETAG, header::LAST_MODIFIED];

/// What an answer of the host's own may do: nothing, in no frame, and in an origin of its own. Without it, a page of the
/// same origin could script the window that shows it, free of that page's policy.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

/// Characters that stand for themselves in `filename*` (RFC 8187).
const UNENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// What somebody without the token sees.
const NO_TOKEN: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sluicegate</title>\
<h1>This page needs its token</h1>\
<p>Run <code>sluicegate list</code> in a terminal and open the address that it prints for this page.</p>\
<p>The address opens the page for this browser; afterwards the address without the token does as well.</p></html>\n";

/// A status alone, with the host's own words for it.
pub(super) fn status(status: StatusCode) -> Response<Body> {
    let words: &'static [u8] = match status.as_u16() {
        200 => b"ok\n",
        400 => b"malformed request\n",
        401 => b"not authorized\n",
        403 => b"forbidden\n",
        404 => b"not found\n",
        405 => b"method not allowed\n",
        408 => b"too slow\n",
        413 => b"too large\n",
        415 => b"unsupported media type\n",
        421 => b"not a name of this listener\n",
        422 => b"not acceptable input\n",
        426 => b"a WebSocket is expected\n",
        503 => b"busy, try again later\n",
        _ => b"failed\n",
    };
    let mut answer = Response::new(Body::Bytes(Full::new(Bytes::from_static(words))));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, PLAIN);
    confine(headers, NOTHING);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    answer
}

/// What a refused client gets: the status, and never the reason.
pub(super) fn denied(denial: &Denial, wants_page: bool) -> Response<Body> {
    let mut answer = status(denial.status());
    match denial {
        Denial::Method { allowed } => {
            if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
                answer.headers_mut().insert(header::ALLOW, allowed);
            }
        }
        Denial::NotWebSocket(_) => {
            answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            answer.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        Denial::PageToken { .. } if wants_page => {
            *answer.body_mut() = Body::Bytes(Full::new(Bytes::from_static(NO_TOKEN.as_bytes())));
            answer.headers_mut().insert(header::CONTENT_TYPE, HTML);
        }
        _ => {}
    }
    answer
}

/// Sends a visitor to another path of the same page. Policies do not look at the path that a redirect leads to, so it
/// must lead nowhere else.
pub(super) fn redirect(location: &str, cookie: Option<&str>) -> Response<Body> {
    let mut answer = status(StatusCode::SEE_OTHER);
    *answer.body_mut() = Body::Bytes(Full::default());
    for (name, value) in [(header::LOCATION, Some(location)), (header::SET_COOKIE, cookie)] {
        let Some(value) = value else { continue };
        match HeaderValue::from_str(value) {
            Ok(value) => answer.headers_mut().insert(name, value),
            Err(_) => return status(StatusCode::BAD_REQUEST),
        };
    }
    answer
}

/// A page of an adapter's. `host` is the checked host that it was asked by.
pub(super) async fn page(page: Page, adapter: &AdapterName, host: &str) -> Response<Body> {
    let code = StatusCode::from_u16(page.status).ok().filter(|code| is_for_pages(*code));
    let Some(code) = code else {
        tracing::warn!(%adapter, status = page.status, "a page may answer 200, 201, 202, 204, 304 and 400 to 599");
        return status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut answer = match page.body {
        PageBody::Bytes(bytes) => {
            let mut answer = Response::new(Body::Bytes(Full::new(bytes)));
            allowed_headers(answer.headers_mut(), &page.headers);
            answer.headers_mut().entry(header::CONTENT_TYPE).or_insert(PLAIN);
            confine(answer.headers_mut(), policy(adapter, host));
            answer
        }
        PageBody::File(kept) => match FileBody::open(&kept).await {
            Ok(body) => {
                let mut answer = Response::new(Body::File(body));
                file_headers(answer.headers_mut(), &kept);
                answer
            }
            Err(error) => {
                tracing::warn!(%adapter, file = kept.id, %error, "a kept file cannot be read");
                return status(StatusCode::NOT_FOUND);
            }
        },
    };
    *answer.status_mut() = code;
    answer
}

fn is_for_pages(code: StatusCode) -> bool {
    matches!(code.as_u16(), 200 | 201 | 202 | 204 | 304 | 400..=599)
}

fn allowed_headers(headers: &mut HeaderMap, wanted: &[(String, String)]) {
    for (name, value) in wanted {
        let name = HeaderName::from_bytes(name.as_bytes()).ok().filter(|name| ALLOWED.contains(name));
        // The parts of such a body would be documents with headers of the adapter's own.
        let of_parts =
            name == Some(header::CONTENT_TYPE) && value.trim_start().to_ascii_lowercase().starts_with("multipart/");
        if let (Some(name), Ok(value), false) = (name, HeaderValue::from_str(value), of_parts) {
            headers.insert(name, value);
        }
    }
}

/// All adapters' pages share one origin, so "self" would let one adapter's page act on another's. The policy
/// therefore names the adapter's own path, and takes away what would have another policy or none and could still be
/// scripted: frames, windows of its own (the sandbox), and workers, which could also answer in the host's place.
fn policy(adapter: &AdapterName, host: &str) -> HeaderValue {
    let own = format!("http://{host}/{adapter}/");
    let policy = format!(
        "default-src {own}; connect-src {own} ws://{host}/{adapter}/; img-src {own} blob: data:; media-src {own} blob:; \
         frame-src 'none'; child-src 'none'; worker-src 'none'; object-src 'none'; base-uri 'none'; form-action {own}; \
         frame-ancestors 'none'; \
         sandbox allow-scripts allow-same-origin allow-forms allow-modals allow-downloads"
    );
    HeaderValue::from_str(&policy).unwrap_or(NOTHING)
}

fn confine(headers: &mut HeaderMap, policy: HeaderValue) {
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
}

/// A kept file came from elsewhere and is shown in the page's origin. What a browser only displays is shown;
/// everything else, which might be active there, is a download of unknown type.
fn file_headers(headers: &mut HeaderMap, file: &KeptFile) {
    let passive = is_passive(&file.media_type);
    let media_type = HeaderValue::from_str(&file.media_type).ok().filter(|_| passive);
    let utf8 = if file.media_type == "text/plain" { Some(PLAIN) } else { None };
    headers.insert(
        header::CONTENT_TYPE,
        utf8.or(media_type).unwrap_or(HeaderValue::from_static("application/octet-stream")),
    );
    let disposition = if passive { "inline" } else { "attachment" };
    let name = utf8_percent_encode(&file.name, UNENCODED);
    if let Ok(value) = HeaderValue::from_str(&format!("{disposition}; filename*=UTF-8''{name}")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    confine(
        headers,
        HeaderValue::from_static(
            "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
        ),
    );
}

fn is_passive(media_type: &str) -> bool {
    match media_type.split_once('/') {
        Some(("image", kind)) => matches!(kind, "png" | "jpeg" | "gif" | "webp" | "avif" | "bmp" | "x-icon"),
        Some(("audio" | "video", kind)) => !kind.contains("xml"),
        _ => media_type == "text/plain",
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
