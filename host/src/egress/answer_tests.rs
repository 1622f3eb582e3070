#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::signature::Secret;

fn scrubber() -> Scrubber {
    Scrubber::new(&[Secret::new(b"token-of-the-bot".to_vec()).unwrap()])
}

fn parts(status: u16, headers: &[(&str, &[u8])]) -> Parts {
    let mut builder = http::Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).unwrap().into_parts().0
}

fn handed_on(status: u16, headers: &[(&str, &[u8])]) -> Result<Response, TransportError> {
    let scrubber = scrubber();
    head(&parts(status, headers), &Exchange { deadline: Duration::MAX, max_bytes: 100, scrubber: &scrubber })
}

#[test]
fn headers_of_the_connection_and_of_browsers_are_not_handed_on() {
    let response = handed_on(
        200,
        &[
            ("content-type", b"application/json"),
            ("Connection", b"close, X-Private"),
            ("x-private", b"1"),
            ("keep-alive", b"timeout=5"),
            ("transfer-encoding", b"chunked"),
            ("content-encoding", b"identity"),
            ("content-length", b"5"),
            ("set-cookie", b"session=1"),
            ("www-authenticate", b"Basic"),
            ("retry-after", b"5"),
            ("x-binary", b"\xff"),
            ("x-long", &[b'x'; MOST_VALUE + 1]),
            ("location", b"https://example.org/bottoken-of-the-bot/x"),
            ("token-of-the-bot", b"1"),
        ],
    )
    .unwrap();
    let headers: Vec<(&str, &str)> = response.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(
        headers,
        [("content-type", "application/json"), ("retry-after", "5"), ("location", "https://example.org/bot[secret]/x")]
    );
    assert_eq!(response.header("retry-after"), Some("5"));
}

#[test]
fn at_most_64_headers_are_handed_on() {
    let names: Vec<String> = (0..90).map(|at| format!("x-{at}")).collect();
    let headers: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"1"[..])).collect();
    assert_eq!(handed_on(200, &headers).unwrap().headers.len(), MOST_HEADERS);
}

#[test]
fn an_answer_in_another_form_is_refused_before_its_body_is_read() {
    for headers in [
        &[("content-encoding", &b"gzip"[..])][..],
        &[("content-encoding", b"identity, br")],
        &[("content-encoding", b"identity"), ("content-encoding", b"zstd")],
        &[("transfer-encoding", b"gzip, chunked")],
    ] {
        assert!(matches!(handed_on(200, headers), Err(TransportError::Protocol(_))), "{headers:?}");
    }
    assert!(matches!(handed_on(101, &[]), Err(TransportError::Protocol(_))));
    assert!(matches!(handed_on(200, &[("content-length", b"101")]), Err(TransportError::TooLarge { max: 100 })));
    assert!(handed_on(404, &[("content-encoding", b"Identity"), ("content-length", b"100")]).is_ok());
}

#[test]
fn debug_shows_no_words_of_anybody() {
    let response = Response { status: 200, headers: vec![("a".into(), "words".into())], body: b"words".to_vec() };
    assert_eq!(format!("{response:?}"), "Response(200, 1 headers, 5 bytes)");
}

#[test]
fn retry_after_is_read_in_every_form() {
    // Sun, 06 Nov 1994 08:49:37 GMT
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let minute_before = date - Duration::from_secs(60);
    for (value, now, wait) in [
        ("120", date, Some(120)),
        (" 0 ", date, Some(0)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", minute_before, Some(60)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", minute_before, Some(60)),
        ("Sun Nov  6 08:49:37 1994", minute_before, Some(60)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", date + Duration::from_secs(5), Some(0)),
        ("", date, None),
        ("-1", date, None),
        ("1.5", date, None),
        ("soon", date, None),
        ("99999999999999999999999", date, None),
        ("Sun, 06 Nov 1994 08:49:37 +0100", date, None),
        ("Mon, 06 Nov 1994 08:49:37 GMT", date, None),
        ("Sun, 31 Feb 1994 08:49:37 GMT", date, None),
        ("Sün", date, None),
    ] {
        let headers = [("x".to_owned(), "9".to_owned()), ("Retry-After".to_owned(), value.to_owned())];
        assert_eq!(retry_after(&headers, now), wait.map(Duration::from_secs), "{value:?}");
    }
    assert_eq!(retry_after(&[], date), None);
}
