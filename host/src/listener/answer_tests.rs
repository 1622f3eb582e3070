#![allow(clippy::unwrap_used, reason = "tests")]

use http_body_util::BodyExt;

use super::*;

const HOST: &str = "127.0.0.1:8788";

fn adapter() -> AdapterName {
    AdapterName::new("fakechat").unwrap()
}

async fn bytes_page(status: u16, headers: &[(&str, &str)]) -> Response<Body> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = PageBody::Bytes(Bytes::from_static(b"<p>hi"));
    page(Page { status, headers, body }, &adapter(), HOST).await
}

async fn file_page(name: &str, media_type: &str) -> Response<Body> {
    let dir = tempfile::tempdir().unwrap();
    let store = crate::files::FileStore::open(dir.path(), 1 << 20, 1 << 20).unwrap();
    let mut writer = store.create(name, Some(media_type)).unwrap();
    writer.write(&[b'x'; 100_000]).await.unwrap();
    let kept = writer.finish(None).await.unwrap();
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    page(Page { status: 200, headers, body: PageBody::File(kept) }, &adapter(), HOST).await
}

fn text<'a>(answer: &'a Response<Body>, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_page_is_confined_to_its_adapter() {
    let answer = bytes_page(200, &[("Content-Type", "text/html")]).await;
    let policy = text(&answer, "content-security-policy");
    for part in [
        "default-src http://127.0.0.1:8788/fakechat/;",
        "connect-src http://127.0.0.1:8788/fakechat/ ws://127.0.0.1:8788/fakechat/;",
        "form-action http://127.0.0.1:8788/fakechat/;",
        "frame-ancestors 'none'",
        "frame-src 'none';",
        "child-src 'none';",
        "worker-src 'none';",
        "object-src 'none';",
        "base-uri 'none'",
        "sandbox allow-scripts allow-same-origin",
    ] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    // With "self" or windows of its own, one adapter's page could act on another's.
    for part in ["'self'", "unsafe", "allow-popups", "allow-top-navigation", "*"] {
        assert!(!policy.contains(part), "{part}: {policy}");
    }
    for (name, value) in [
        ("content-type", "text/html"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(text(&answer, name), value, "{name}");
    }
}

#[tokio::test]
async fn an_adapter_sets_harmless_headers_only() {
    let answer = bytes_page(
        200,
        &[
            ("ETag", "\"1\""),
            ("Set-Cookie", "a=b"),
            ("Location", "https://evil.example"),
            ("Content-Security-Policy", "default-src *"),
            ("Access-Control-Allow-Origin", "*"),
            ("Service-Worker-Allowed", "/"),
            ("Refresh", "0; url=https://evil.example"),
            ("Link", "<https://evil.example>; rel=preload"),
            ("Clear-Site-Data", "\"*\""),
            ("Cache-Control", "public"),
            ("Content-Length", "1"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Language", "a\r\nSet-Cookie: a=b"),
            ("Bad Name", "x"),
        ],
    )
    .await;
    let mut names: Vec<&str> = answer.headers().keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "cache-control",
            "content-security-policy",
            "content-type",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
            "etag",
            "referrer-policy",
            "x-content-type-options",
        ]
    );
    assert_eq!(text(&answer, "content-type"), "text/plain; charset=utf-8");
    assert_eq!(text(&answer, "cache-control"), "no-store");
}

#[tokio::test]
async fn a_page_has_no_parts_with_headers_of_their_own() {
    for media_type in ["multipart/x-mixed-replace; boundary=b", " Multipart/related", "MULTIPART/mixed"] {
        let answer = bytes_page(200, &[("Content-Type", media_type)]).await;
        assert_eq!(text(&answer, "content-type"), "text/plain; charset=utf-8", "{media_type}");
    }
}

#[test]
fn what_the_host_itself_answers_can_do_nothing() {
    let codes = [200, 303, 400, 401, 403, 404, 405, 408, 413, 415, 421, 422, 426, 500, 503];
    let denials = [
        Denial::NoRoute,
        Denial::Method { allowed: vec!["GET".into()] },
        Denial::PageToken { shown: false },
        Denial::PageKey,
        Denial::Embedded("iframe".into()),
        Denial::NotWebSocket("no"),
        Denial::Full,
    ];
    let plain = codes.map(|code| status(StatusCode::from_u16(code).unwrap())).into_iter();
    let refused = denials.iter().flat_map(|denial| [denied(denial, false), denied(denial, true)]);
    let moved = [redirect("/fakechat/", None), redirect("/fakechat/#key=0", Some("a=b")), redirect("\n", None)];
    for answer in plain.chain(refused).chain(moved) {
        let code = answer.status();
        for (name, value) in [
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(text(&answer, name), value, "{code} {name}");
        }
    }
}

#[tokio::test]
async fn a_page_neither_redirects_nor_switches() {
    for (status, answered) in [
        (200, 200),
        (204, 204),
        (304, 304),
        (404, 404),
        (599, 599),
        (301, 500),
        (303, 500),
        (101, 500),
        (100, 500),
        (0, 500),
        (700, 500),
    ] {
        assert_eq!(bytes_page(status, &[]).await.status().as_u16(), answered, "{status}");
    }
}

#[tokio::test]
async fn files_are_shown_only_if_nothing_in_them_can_act() {
    for (media_type, answered, disposition) in [
        ("image/png", "image/png", "inline"),
        ("video/mp4", "video/mp4", "inline"),
        ("text/plain", "text/plain; charset=utf-8", "inline"),
        ("text/html", "application/octet-stream", "attachment"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("text/javascript", "application/octet-stream", "attachment"),
        ("application/xhtml+xml", "application/octet-stream", "attachment"),
        ("text/xml", "application/octet-stream", "attachment"),
        ("application/pdf", "application/octet-stream", "attachment"),
        ("text/css", "application/octet-stream", "attachment"),
    ] {
        let answer = file_page("größe \"x\".dat", media_type).await;
        assert_eq!(text(&answer, "content-type"), answered, "{media_type}");
        let expected = format!("{disposition}; filename*=UTF-8''gr%C3%B6%C3%9Fe%20_x_.dat");
        assert_eq!(text(&answer, "content-disposition"), expected, "{media_type}");
        assert!(text(&answer, "content-security-policy").ends_with("sandbox"), "{media_type}");
    }
}

#[tokio::test]
async fn a_file_is_sent_whole() {
    let answer = file_page("a", "image/png").await;
    assert_eq!(hyper::body::Body::size_hint(answer.body()).exact(), Some(100_000));
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), vec![b'x'; 100_000]);
}

#[tokio::test]
async fn a_file_that_made_room_is_not_found() {
    let kept = KeptFile {
        id: "0".repeat(32),
        name: "a".into(),
        media_type: "image/png".into(),
        size: 1,
        path: "/nonexistent/a".into(),
        conversation: None,
    };
    let answer = page(Page { status: 200, headers: vec![], body: PageBody::File(kept) }, &adapter(), HOST).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[test]
fn nobody_learns_the_reason_of_a_refusal() {
    let unknown = denied(&Denial::UnknownCredential("ci".into()), false);
    let wrong = denied(&Denial::Unsigned("ci".into()), false);
    assert_eq!((unknown.status(), unknown.headers()), (wrong.status(), wrong.headers()));
    let allowed = denied(&Denial::Method { allowed: vec!["GET".into(), "POST".into()] }, false);
    assert_eq!(text(&allowed, "allow"), "GET, POST");
    assert_eq!(text(&denied(&Denial::Full, false), "retry-after"), "5");
}
