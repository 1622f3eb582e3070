//! Every way to be refused, with its status, and the reason that the user reads.

use super::*;

const JSON: &str = "content-type: application/json\r\n";

#[tokio::test]
async fn what_is_wrong_is_refused_with_its_status_and_its_reason() {
    let running = Running::new().await;
    let auth = format!("authorization: Bearer {BEARER}\r\n");
    let mut cases = Vec::new();
    let mut case = |request: String, status: u16, reason: &'static str| cases.push((request, status, reason));
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nhost: HOST\r\n{auth}\r\n");

    // Targets that are not paths.
    case(get("http://HOST/chat/ci/ping"), 400, "not a path");
    case(get("http://169.254.169.254/latest"), 400, "not a path");
    case(get("*"), 400, "not a path");
    case("OPTIONS * HTTP/1.1\r\nhost: HOST\r\n\r\n".into(), 400, "not a path");
    case("CONNECT HOST HTTP/1.1\r\nhost: HOST\r\n\r\n".into(), 400, "not a path");
    // Names that are not this listener's.
    for host in ["evil.example", "evil.example:8788", "127.0.0.1", "127.0.0.1:1", "localhost", "0.0.0.0:8788"] {
        case(format!("GET /chat/ci/ping HTTP/1.1\r\nhost: {host}\r\n{auth}\r\n"), 421, "not a name of this listener");
    }
    case(format!("GET /chat/ci/ping HTTP/1.1\r\n{auth}\r\n"), 400, "Host");
    case(format!("GET /chat/ci/ping HTTP/1.1\r\nhost: HOST\r\nhost: HOST\r\n{auth}\r\n"), 400, "Host");
    // Routes and methods.
    for target in [
        "/",
        "/chat/ci/none",
        "/other/ci/ping",
        "//chat/ci/ping",
        "/chat/ci/ping/..",
        "/chat/ci/hook/a%2fb",
        "/chat//ci/ping",
        "/Chat/ci/ping",
    ] {
        case(get(target), 404, "no adapter has a route");
    }
    case(get("/chat/ci/hook/x"), 405, "POST, PUT");
    case("OPTIONS /chat/ci/hook/x HTTP/1.1\r\nhost: HOST\r\norigin: https://evil.example\r\n\r\n".into(), 405, "POST");
    case("HEAD /chat/ci/ping HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n".into(), 405, "GET");
    // Bodies that are too large: said before they are sent, and found while they arrive.
    case(
        format!("POST /chat/ci/small HTTP/1.1\r\nhost: HOST\r\n{auth}content-length: 11\r\n\r\n"),
        413,
        "larger than 10",
    );
    case(
        format!("POST /chat/ci/small HTTP/1.1\r\nhost: HOST\r\n{auth}content-length: 99999999999999\r\n\r\n"),
        413,
        "larger",
    );
    case(
        format!(
            "POST /chat/ci/small HTTP/1.1\r\nhost: HOST\r\n{auth}transfer-encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n"
        ),
        413,
        "larger than 10",
    );
    case(bearer("GET", "/chat/ci/ping", "", "x"), 413, "larger than 0");
    // Bodies of another form.
    case(bearer("POST", "/chat/ci/hook/x", &format!("{JSON}content-encoding: gzip\r\n"), "x"), 415, "compressed");
    case(
        bearer("POST", "/chat/ci/hook/x", &format!("{JSON}content-encoding: identity, br\r\n"), "x"),
        415,
        "compressed",
    );
    case(bearer("POST", "/chat/ci/hook/x", "content-type: text/plain\r\n", "{}"), 415, "application/json");
    case(bearer("POST", "/chat/ci/hook/x", "", "{}"), 415, "application/json");
    case(bearer("POST", "/chat/ci/form", JSON, "{}"), 415, "x-www-form-urlencoded");
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    case(bearer("POST", "/chat/ci/form", form, "payload=1&payload=2"), 422, "more than once");
    case(bearer("POST", "/chat/ci/form", form, "other=1"), 422, "the field with the JSON");
    case(bearer("POST", "/chat/ci/form", form, "payload=%ff"), 422, "UTF-8");
    case(bearer("POST", "/chat/ci/hook/x?a=%ff", JSON, "{}"), 400, "the query is not UTF-8");
    // Credentials.
    let post = |path: &str, headers: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: HOST\r\n{JSON}{headers}content-length: 2\r\n\r\n{{}}")
    };
    case(post("/chat/nobody/hook/x", &auth), 401, "no credential \"nobody\"");
    case(post("/chat/ci/hook/x", ""), 401, "does not vouch");
    case(post("/chat/ci/hook/x", "authorization: Bearer wrong\r\n"), 401, "does not vouch");
    case(post("/chat/gh/hook/x", &auth), 401, "does not vouch");
    case(
        post("/chat/gh/hook/x", &format!("x-hub-signature-256: sha256={}\r\n", "0".repeat(64))),
        401,
        "does not vouch",
    );
    // A public name leads to credential routes alone.
    case("GET /chat/ HTTP/1.1\r\nhost: hooks.example.com\r\n\r\n".into(), 403, "at this machine");
    case("GET /chat HTTP/1.1\r\nhost: hooks.example.com\r\n\r\n".into(), 403, "at this machine");

    for (request, status, reason) in cases {
        let reply = running.ask(&request).await;
        assert_eq!(reply.status, status, "{request}");
        let reasons = running.reasons().join("\n");
        assert!(reasons.contains(reason) && !reasons.contains(BEARER), "{request}: {reasons}");
        assert!(!reply.head.to_lowercase().contains("access-control"), "{request}");
    }
    drop(running.listener);
    let mut seen = running.seen;
    assert!(seen.try_recv().is_err(), "nothing of all this reaches the adapter");
}

#[tokio::test]
async fn unknown_and_unverified_look_the_same() {
    let running = Running::new().await;
    let mut replies = Vec::new();
    for path in ["/chat/nobody/hook/x", "/chat/gh/hook/x", "/chat/ci/hook/x"] {
        let reply = running
            .ask(format!("POST {path} HTTP/1.1\r\nhost: HOST\r\n{JSON}authorization: Bearer wrong\r\ncontent-length: 2\r\n\r\n{{}}"))
            .await;
        let head: Vec<_> = reply.head.lines().filter(|line| !line.starts_with("date")).map(str::to_owned).collect();
        replies.push((head, reply.body));
    }
    assert!(replies.iter().all(|reply| *reply == replies[0]), "{replies:?}");
}

#[tokio::test]
async fn back_pressure_is_told_before_anything_is_read() {
    let running = Running::new().await;
    running.intake.full.store(true, Ordering::SeqCst);
    // The body never comes.
    let reply = running.ask("POST /chat/ci/hook/x HTTP/1.1\r\nhost: HOST\r\ncontent-length: 100\r\n\r\n").await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "5"));
}

#[tokio::test]
async fn the_intakes_answer_becomes_a_status_without_its_words() {
    let running = Running::new().await;
    type Case = (fn() -> Answer, u16, &'static str);
    let cases: [Case; 6] = [
        (|| Answer::Stored, 200, "ok\n"),
        (|| Answer::Repeated, 200, "ok\n"),
        (|| Answer::Refused("secret words".into()), 422, "not acceptable input\n"),
        (|| Answer::Failed, 500, "failed\n"),
        (|| Answer::Busy, 503, "busy, try again later\n"),
        (
            || {
                let headers = vec![("x-leak".into(), "secret words".into())];
                Answer::Page(Page { status: 201, headers, body: PageBody::Bytes("secret words".into()) })
            },
            200,
            "ok\n",
        ),
    ];
    for (answer, status, body) in cases {
        running.answer(move |_| answer());
        let reply = running.ask(bearer("POST", "/chat/ci/hook/x", JSON, "{}")).await;
        assert_eq!((reply.status, reply.text()), (status, body));
        assert!(!reply.head.contains("secret words"));
    }
    assert!(running.reasons()[0].contains("secret words"), "the user reads the reason");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let bounds = Bounds { body_time: Duration::from_millis(20), ..Bounds::default() };
    let running = Running::with(bounds, false).await;
    let reply = running.ask("POST /chat/ci/small HTTP/1.1\r\nhost: HOST\r\ncontent-length: 5\r\n\r\nab").await;
    assert_eq!(reply.status, 408);
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let running = Running::with(Bounds { head_time: Duration::from_millis(20), ..Bounds::default() }, false).await;
    assert_eq!(running.ask("GET /chat/ci/ping HTTP/1.1\r\nhost: HO").await.status, 0);
}

#[tokio::test]
async fn heads_are_bounded() {
    let running = Running::new().await;
    let many: String = (0..100).map(|n| format!("x-{n}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(20_000));
    for headers in [many, long] {
        let reply = running.ask(format!("GET /chat/ci/ping HTTP/1.1\r\nhost: HOST\r\n{headers}\r\n")).await;
        assert_eq!(reply.status, 431);
    }
    let reply = running.ask(format!("GET /{} HTTP/1.1\r\nhost: HOST\r\n\r\n", "a".repeat(20_000))).await;
    assert!([414, 431].contains(&reply.status), "{}", reply.status);
}

#[tokio::test]
async fn connections_are_bounded_and_their_places_come_back() {
    let running = Running::with(Bounds { connections: 1, ..Bounds::default() }, false).await;
    let mut first = running.connect().await;
    let ping = bearer("GET", "/chat/ci/ping", "", "");
    assert_eq!(running.ask_on(&mut first, &ping).await.status, 200);
    let mut second = running.connect().await;
    let busy = Reply::read(&mut second).await;
    let policy = "default-src 'none'; frame-ancestors 'none'; sandbox";
    assert_eq!((busy.status, busy.header("content-security-policy")), (503, policy));
    assert!(running.reasons()[0].contains("so many connections"));
    assert_eq!(running.ask_on(&mut first, &ping).await.status, 200);
    drop(first);
    // The place is free once the listener has seen the end.
    while running.ask(&ping).await.status != 200 {}
}

#[tokio::test]
async fn bodies_share_a_budget() {
    let running = Running::with(Bounds { body_bytes: 8 * 1024, ..Bounds::default() }, false).await;
    let body = format!("\"{}\"", "x".repeat(90_000));
    let reply = running.ask(bearer("POST", "/chat/ci/hook/x", JSON, &body)).await;
    assert_eq!(reply.status, 503);
    let body = format!("\"{}\"", "x".repeat(60_000));
    assert_eq!(running.ask(bearer("POST", "/chat/ci/hook/x", JSON, &body)).await.status, 200);
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_let_go() {
    let bounds = Bounds { patience: Duration::from_millis(20), ..Bounds::default() };
    let mut running = Running::with(bounds, false).await;
    let cookie = running.cookie().await;
    let large = 50_000_000;
    running.answer(move |_| {
        Answer::Page(Page { status: 200, headers: vec![], body: PageBody::Bytes(vec![b'x'; large].into()) })
    });
    let mut stream = running.connect().await;
    let request = format!("GET /chat/ HTTP/1.1\r\nhost: {}\r\ncookie: {cookie}\r\n\r\n", running.host());
    stream.write_all(request.as_bytes()).await.unwrap();
    running.next_request().await;
    // Stopping waits for the connection, which ends although nothing was read.
    running.stop().await;
    let mut read = Vec::new();
    stream.read_to_end(&mut read).await.ok();
    assert!(read.len() < large, "{}", read.len());
}
