//! Hostile requests to the local listener: rows 11, 16, 17 and 33 of the threat model, as far as they are requests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::Write;

use serde_json::json;
use sluicegate_tests::{
    Guest, Home, Server,
    home::TOKEN,
    http::{self, Request, Response, get, post, raw},
    says,
    sign::Headers,
    websocket,
};

/// The page, and a browser that the user has opened it in.
struct Page {
    home: Home,
    server: Server,
    cookie: String,
}

impl Page {
    fn open() -> Self {
        let home = Home::new();
        home.allow("fakechat");
        let server = Server::start(&home);
        server.wait_until_running(&home, "fakechat");
        let first = get(&format!("/fakechat/?token={}", home.page_token())).send(home.port());
        assert_eq!(first.status, 303, "the token leaves the address");
        let location = first.header("location").unwrap();
        assert!(!location.contains("token"), "{location}");
        let cookie = first.header("set-cookie").unwrap();
        for word in ["HttpOnly", "SameSite=Strict", "Path=/fakechat/"] {
            assert!(cookie.contains(word), "{cookie}");
        }
        assert!(!cookie.contains(&home.page_token()), "the cookie is not the token");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { home, server, cookie }
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.home.port())
    }

    fn headers(&self, origin: Option<&str>, cookie: bool) -> Headers {
        let mut headers = Headers::new();
        if let Some(origin) = origin {
            headers.push(("Origin".into(), origin.into()));
        }
        if cookie {
            headers.push(("Cookie".into(), self.cookie.clone()));
        }
        headers
    }

    fn upload(&self, id: &str, headers: Headers) -> Response {
        let form = format!(
            "--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n{id}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nlook at this\r\n\
             --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../../up.txt\"\r\n\
             Content-Type: text/plain\r\n\r\nuploaded\r\n--b--\r\n"
        );
        Request::new("POST", "/fakechat/upload")
            .header("Content-Type", "multipart/form-data; boundary=b")
            .headers(headers)
            .body(form)
            .send(self.home.port())
    }
}

#[test]
fn the_page_opens_for_the_user_alone() {
    let page = Page::open();
    let port = page.home.port();
    let cookie = || Request::new("GET", "/fakechat/").header("Cookie", page.cookie.clone());
    let shown = cookie().send(port);
    assert_eq!(shown.status, 200);
    assert!(shown.header("content-security-policy").is_some_and(|policy| policy.contains("frame-ancestors 'none'")));
    assert_eq!(shown.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(shown.header("access-control-allow-origin"), None);

    assert_eq!(get("/fakechat/").send(port).status, 401, "without the token");
    assert_eq!(get("/fakechat/?token=wrong").send(port).status, 401);
    assert_eq!(get("/fakechat/?token=").send(port).status, 401);
    let token = page.home.page_token();
    assert_eq!(get(&format!("/fakechat/?token={token}&token={token}")).send(port).status, 401, "twice");
    assert_eq!(cookie().header("Host", "evil.example").send(port).status, 421, "DNS rebinding");
    assert_eq!(cookie().header("Host", format!("127.0.0.1:{port}.evil.example")).send(port).status, 421);
    assert_eq!(cookie().header("Sec-Fetch-Site", "cross-site").send(port).status, 403);
    assert_eq!(cookie().header("Origin", "http://evil.example").send(port).status, 403);
    assert_eq!(cookie().header("X-Forwarded-For", "203.0.113.7").send(port).status, 403, "through a proxy");
    assert_eq!(cookie().header("Host", format!("localhost:{port}")).send(port).status, 200);
}

#[test]
fn another_site_cannot_post_to_the_page() {
    let page = Page::open();
    let own = page.origin();
    for (what, headers, status) in [
        ("no origin", page.headers(None, true), 403),
        ("another origin", page.headers(Some("http://evil.example"), true), 403),
        ("another port", page.headers(Some("http://127.0.0.1:1"), true), 403),
        ("the null origin", page.headers(Some("null"), true), 403),
        ("https", page.headers(Some(&own.replace("http:", "https:")), true), 403),
        ("a longer host", page.headers(Some(&format!("{own}.evil.example")), true), 403),
        ("no cookie", page.headers(Some(&own), false), 401),
    ] {
        assert_eq!(page.upload("evil", headers).status, status, "{what}");
    }
    assert_eq!(page.upload("fine", page.headers(Some(&own), true)).status, 200);
    let event = page.server.event_of("fine");
    assert_eq!((&*event.content, event.attribute("user_id")), ("look at this", "page"));
    let path = std::path::PathBuf::from(event.attribute("file_path"));
    assert!(path.starts_with(page.home.path().join("inbox/fakechat").canonicalize().unwrap()), "{event:?}");
    assert_eq!(std::fs::read(path).unwrap(), b"uploaded");
    assert_eq!(page.server.events().len(), 1);
}

#[test]
fn another_site_cannot_open_the_socket() {
    let page = Page::open();
    let (port, own) = (page.home.port(), page.origin());
    for (what, headers, status) in [
        ("no origin", page.headers(None, true), 403),
        ("another origin", page.headers(Some("http://evil.example"), true), 403),
        ("the null origin", page.headers(Some("null"), true), 403),
        ("no cookie", page.headers(Some(&own), false), 401),
    ] {
        assert_eq!(websocket::open(port, "/fakechat/socket", headers).unwrap_err(), status, "{what}");
    }
    let mut rebound = page.headers(Some("http://evil.example:8788"), true);
    rebound.push(("Host".into(), "evil.example:8788".into()));
    assert_eq!(websocket::open(port, "/fakechat/socket", rebound).unwrap_err(), 421, "DNS rebinding");

    let mut socket = websocket::open(port, "/fakechat/socket", page.headers(Some(&own), true)).unwrap();
    socket.send(&json!({ "type": "message", "id": "m1", "text": "hello from the page" }));
    socket.receive("the acknowledgement", |frame| frame["type"] == "ack" && frame["id"] == "m1");
    let event = page.server.event_of("m1");
    assert_eq!(event.content, "hello from the page");
    assert_eq!(event.attribute("chat_id"), "web");

    let reply = page.server.call("reply", &json!({ "chat_id": "web", "text": "and hello back", "reply_to": "m1" }));
    assert!(!reply.is_error, "{}", reply.text);
    let shown = socket
        .receive("the answer", |frame| frame["type"] == "message" && frame.to_string().contains("and hello back"));
    assert!(shown.to_string().contains("m1"), "it answers a message: {shown}");
}

#[test]
fn frames_that_are_no_messages_end_at_most_their_socket() {
    let page = Page::open();
    let headers = || page.headers(Some(&page.origin()), true);
    let open = || websocket::open(page.home.port(), "/fakechat/socket", headers()).unwrap();
    let mut socket = open();
    for junk in [
        "",
        "null",
        "[]",
        "{\"type\":1}",
        "{\"type\":\"message\"}",
        "{\"type\":\"message\",\"id\":\"a\",\"id\":\"b\",\"text\":\"x\"}",
    ] {
        if socket.try_send(junk).is_err() {
            socket = open();
        }
    }
    let mut huge = open();
    // The server may close before it has all of it.
    drop(huge.try_send(&"x".repeat(3 << 20)));
    huge.closed();
    let mut socket = open();
    socket.send(&json!({ "type": "message", "id": "m1", "text": "still here" }));
    socket.receive("the acknowledgement", |frame| frame["id"] == "m1");
    page.server.event_of("m1");
    assert_eq!(page.server.events().len(), 1, "{:#?}", page.server.events());
}

#[test]
fn malformed_requests_are_refused_and_the_next_is_served() {
    let home = Home::with(&Guest::new("chat"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    let port = home.port();
    let body = says("evil", "x").to_string();
    let length = body.len();
    let head = format!("Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n");
    for (what, request, statuses) in [
        ("junk", "junk\r\n\r\n".to_owned(), &[400_u16][..]),
        (
            "absolute form",
            format!("POST http://127.0.0.1:{port}/chat/ci HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n{body}"),
            &[400],
        ),
        (
            "another host's absolute form",
            format!("POST http://evil.example/chat/ci HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n{body}"),
            &[400],
        ),
        ("CONNECT", format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n{head}\r\n"), &[400, 404, 405]),
        (
            "no host",
            format!(
                "POST /chat/ci HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {length}\r\n\r\n{body}"
            ),
            &[400, 421],
        ),
        (
            "two hosts",
            format!("POST /chat/ci HTTP/1.1\r\nHost: evil.example\r\n{head}Content-Length: {length}\r\n\r\n{body}"),
            &[400, 421],
        ),
        (
            "two lengths",
            format!("POST /chat/ci HTTP/1.1\r\n{head}Content-Length: {length}\r\nContent-Length: 1\r\n\r\n{body}"),
            &[400],
        ),
        (
            "length and chunks",
            format!(
                "POST /chat/ci HTTP/1.1\r\n{head}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
            ),
            &[400],
        ),
        ("a negative length", format!("POST /chat/ci HTTP/1.1\r\n{head}Content-Length: -1\r\n\r\n{body}"), &[400]),
        ("an enormous length", format!("POST /chat/ci HTTP/1.1\r\n{head}Content-Length: 99999999999\r\n\r\n"), &[413]),
        (
            "a thousand headers",
            format!("POST /chat/ci HTTP/1.1\r\n{head}{}\r\n", "X-A: b\r\n".repeat(1000)),
            &[400, 431],
        ),
        (
            "an endless header",
            format!("POST /chat/ci HTTP/1.1\r\n{head}X-A: {}\r\n\r\n", "a".repeat(2 << 20)),
            &[400, 431],
        ),
        ("an old version", format!("POST /chat/ci HTTP/0.9\r\n{head}\r\n"), &[400, 505]),
    ] {
        match raw(port, request.as_bytes()) {
            Ok(answer) => assert!(statuses.contains(&answer.status), "{what}: {}", answer.status),
            // Closing at once is an answer, too.
            Err(error) => assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "{what} is left hanging"),
        }
    }
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
    assert_eq!(server.events().len(), 1, "{:#?}", server.events());
}

#[test]
fn connections_that_say_nothing_do_not_keep_others_out() {
    let home = Home::with(&Guest::new("chat"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    let idle: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = http::connect(home.port()).unwrap();
            stream.write_all(b"POST /chat/ci HTTP/1.1\r\nHost:").unwrap();
            stream
        })
        .collect();
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
    drop(idle);
}

#[test]
fn ids_are_taken_as_they_stand_or_not_at_all() {
    let home = Home::with(&Guest::new("chat"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    let send = |body: &str| {
        let request = Request::new("POST", "/chat/ci").bearer(TOKEN).header("Content-Type", "application/json");
        request.body(body).send(home.port()).status
    };
    let with = |id: &str, text: &str| {
        format!(r#"{{"id":{id},"sender":"alice","conversation":"alice","type":"private","text":"{text}"}}"#)
    };
    // Two numbers that a double cannot tell apart are two events.
    for id in ["9007199254740992", "9007199254740993", "-7", "\"seven\""] {
        assert_eq!(send(&with(id, "taken")), 200, "{id}");
    }
    for id in
        ["123456789012345678901234567890", "1.0", "1e3", "-0", "null", "true", "[1]", "{\"a\":1}", "\"\"", "1,\"id\":2"]
    {
        let status = send(&with(id, "FORGED"));
        assert!([200, 422].contains(&status), "{id}: {status}");
    }
    for (what, body) in [
        (
            "a second sender",
            r#"{"id":"a","sender":"mallory","conversation":"alice","type":"private","text":"FORGED","sender":"alice"}"#,
        ),
        (
            "an escaped second sender",
            r#"{"id":"b","sender":"mallory","conversation":"alice","type":"private","text":"FORGED","\u0073ender":"alice"}"#,
        ),
        (
            "a duplicate far away",
            r#"{"id":"c","sender":"alice","conversation":"alice","type":"private","text":"FORGED","x":{"y":1,"y":2}}"#,
        ),
        (
            "text after the document",
            r#"{"id":"d","sender":"alice","conversation":"alice","type":"private","text":"FORGED"} {}"#,
        ),
        (
            "a lone surrogate",
            r#"{"id":"e","sender":"alice","conversation":"alice","type":"private","text":"FORGED \ud800"}"#,
        ),
    ] {
        let status = send(body);
        assert!([200, 422].contains(&status), "{what}: {status}");
    }
    let mut invalid = with("\"f\"", "FORGED ").into_bytes();
    let at = invalid.windows(7).position(|window| window == b"FORGED ").unwrap();
    invalid[at + 6] = 0xff;
    let request = Request::new("POST", "/chat/ci").bearer(TOKEN).header("Content-Type", "application/json");
    let status = request.body(invalid).send(home.port()).status;
    assert!([200, 422].contains(&status), "invalid UTF-8: {status}");

    assert_eq!(home.post("chat", &says("last", "last")).status, 200);
    server.event_of("last");
    let heard: Vec<_> = server.events().iter().map(|event| event.id().to_owned()).collect();
    assert_eq!(heard, ["9007199254740992", "9007199254740993", "-7", "seven", "last"]);
}

#[test]
fn a_number_and_a_string_of_the_same_digits_are_decided_the_same_way() {
    let home = Home::with(&Guest::new("chat"));
    home.admit("chat", &["42"]);
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    let mut body = says("1", "by number");
    body["sender"] = json!(42);
    assert_eq!(home.post("chat", &body).status, 200);
    assert_eq!(server.event_of("1").attribute("user_id"), "42");
    body["id"] = "2".into();
    body["sender"] = json!(42.0);
    assert_eq!(home.post("chat", &body).status, 200);
    body["id"] = "3".into();
    body["sender"] = json!("42");
    assert_eq!(home.post("chat", &body).status, 200);
    server.event_of("3");
    assert_eq!(server.events().len(), 2);
}

#[test]
fn public_hosts_reach_routes_and_never_pages() {
    let mut home = Home::with(&Guest::new("chat"));
    home.set("public-hosts = [\"hooks.example.org\"]");
    home.allow("fakechat");
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    server.wait_until_running(&home, "fakechat");
    let port = home.port();
    let hook = post("/chat/ci", &says("1", "from outside")).bearer(TOKEN).header("Host", "hooks.example.org");
    assert_eq!(hook.send(port).status, 200);
    server.event_of("1");
    let page = get(&format!("/fakechat/?token={}", home.page_token())).header("Host", "hooks.example.org");
    assert_eq!(page.send(port).status, 403);
}
