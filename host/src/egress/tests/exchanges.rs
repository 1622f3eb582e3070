use super::{
    server::{Server, Then, ok},
    *,
};

#[tokio::test]
async fn the_host_writes_what_describes_the_request_and_names_itself() {
    let mut server = Server::saying(ok("{}"), Then::Next).await;
    let url = server.url.join(&format!("/bot{TOKEN}/sendMessage?a=b%20c#fragment")).unwrap();
    let client = client(&url);
    let response = send(&client, post(&url, "{\"a\":1}")).await.unwrap();
    assert_eq!((response.status, response.body), (200, b"{}".to_vec()));
    let taken = server.taken.recv().await.unwrap();
    assert!(taken.head.starts_with(&format!("POST /bot{TOKEN}/sendMessage?a=b%20c HTTP/1.1\r\n")), "{}", taken.head);
    let authority = url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
    for (name, value) in [
        ("host", authority.as_str()),
        ("content-type", "application/json"),
        ("content-length", "7"),
        ("accept-encoding", "identity"),
        ("user-agent", concat!("sluicegate/", env!("CARGO_PKG_VERSION"))),
    ] {
        assert_eq!(taken.header(name), [value], "{name}");
    }
    assert_eq!(taken.body, b"{\"a\":1}");

    // Without a body: its length is told only where a body could be expected.
    for (method, length) in [(Method::Get, vec![]), (Method::Post, vec!["0"]), (Method::Delete, vec![])] {
        send(&client, request(method, &url, PreparedBody::Empty)).await.unwrap();
        let taken = server.taken.recv().await.unwrap();
        assert_eq!((taken.header("content-length"), taken.header("content-type").len()), (length, 0), "{method:?}");
        assert!(taken.head.starts_with(method.as_str()));
    }
}

#[tokio::test]
async fn a_header_can_be_neither_injected_nor_overridden() {
    let mut server = Server::saying(ok(""), Then::Next).await;
    let client = client(&server.url);
    let with = |headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Prepared { headers, ..get(&server.url) }
    };
    for headers in [
        &[("x-a", "1\r\nx-evil: 1")][..],
        &[("x-a", "1\nx-evil: 1")],
        &[("x-a", "1\rx-evil: 1")],
        &[("x-a", "1\0")],
        &[("x-a\r\nx-evil", "1")],
        &[("x-a: 1\r\nx-evil", "1")],
        &[("", "1")],
        &[("x a", "1")],
        &[("Host", "evil.example")],
        &[("content-length", "0")],
        &[("Content-Type", "text/plain")],
        &[("content-encoding", "gzip")],
        &[("transfer-encoding", "chunked")],
        &[("connection", "upgrade")],
        &[("upgrade", "websocket")],
        &[("expect", "100-continue")],
        &[("proxy-authorization", "x")],
        &[("accept-encoding", "gzip")],
        &[("x-a", "1"), ("X-A", "2")],
    ] {
        let error = send(&client, with(headers)).await.unwrap_err();
        assert!(matches!(error, TransportError::Refused(_)) && error.is_unsent(), "{headers:?}: {error}");
        assert!(!error.to_string().contains("evil"), "{error}");
    }
    let headers = [("Authorization", "Bot x"), ("X-A", "a\tb"), ("user-agent", "DiscordBot (x, 1)")];
    send(&client, with(&headers)).await.unwrap();
    // Nothing of the refused ones arrived.
    let taken = server.taken.recv().await.unwrap();
    for (name, value) in headers {
        assert_eq!(taken.header(name), [value]);
    }
}

#[tokio::test]
async fn a_connection_is_used_again_and_broken_ones_are_not() {
    let mut server = Server::new(|taken| match taken.head.contains("/close") {
        true => (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(), Then::Close),
        false => (ok("x"), Then::Next),
    })
    .await;
    let client = client(&server.url);
    for (path, connection) in [("/", 0), ("/", 0), ("/close", 0), ("/", 1), ("/", 1)] {
        send(&client, get(&server.url.join(path).unwrap())).await.unwrap();
        assert_eq!(server.taken.recv().await.unwrap().connection, connection, "{path}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let mut other = Server::saying(ok("stolen"), Then::Next).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}bot{TOKEN}", other.url);
        let answer = format!("HTTP/1.1 {status} Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let server = Server::saying(answer, Then::Next).await;
        let response = answered(&server.url).await.unwrap();
        assert_eq!((response.status, response.body.len()), (status, 0));
        assert_eq!(response.header("location"), Some(format!("{}bot[secret]", other.url).as_str()));
    }
    assert!(other.taken.try_recv().is_err());
}

#[tokio::test]
async fn an_echoing_server_does_not_give_the_secret_away() {
    let server = Server::new(|taken| {
        let path = taken.head.split(' ').nth(1).unwrap().to_owned();
        let body = format!("{{\"description\":\"not found: {path}\"}}");
        let (first, second) = body.split_at(body.find("AAH").unwrap());
        let mut answer = format!("HTTP/1.1 404 Not Found\r\nx-path: {path}\r\ntransfer-encoding: chunked\r\n\r\n");
        for chunk in [first, second, ""] {
            answer.push_str(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
        }
        (answer.into_bytes(), Then::Next)
    })
    .await;
    let url = server.url.join(&format!("/bot{}/x", TOKEN.replace(':', "%3A"))).unwrap();
    let response = answered(&url).await.unwrap();
    assert_eq!(response.header("x-path"), Some("/bot[secret]/x"));
    assert_eq!(response.body, b"{\"description\":\"not found: /bot[secret]/x\"}");
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_none() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n123456789",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n123",
    ] {
        let server = Server::saying(answer, Then::Close).await;
        let error = answered(&server.url).await.unwrap_err();
        assert!(matches!(error, TransportError::Protocol(_)) && !error.is_unsent(), "{answer:?}: {error:?}");
    }
    // Without a length the end of the connection is the end of the body (RFC 9112, section 6.3).
    let server = Server::saying("HTTP/1.1 200 OK\r\n\r\nwhole", Then::Close).await;
    assert_eq!(answered(&server.url).await.unwrap().body, b"whole");
}

#[tokio::test]
async fn junk_is_no_answer_and_is_not_quoted() {
    for answer in [
        format!("SSH-2.0-x {TOKEN}\r\n\r\n"),
        format!("HTTP/1.1 2x0 {TOKEN}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n{TOKEN} \x01: x\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1_000_000)),
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n".to_owned(),
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx".to_owned(),
    ] {
        let server = Server::saying(answer.clone(), Then::Close).await;
        let result = answered(&server.url).await;
        let Err(error) = result else { panic!("{answer:.60}: {result:?}") };
        assert!(matches!(error, TransportError::Protocol(_)), "{answer:.60}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("AAH"));
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read_to_its_end() {
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    for answer in [
        // Said beforehand, and never sent.
        "HTTP/1.1 200 OK\r\ncontent-length: 10241\r\n\r\n".to_owned(),
        // Found while it comes, without an end.
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}", chunk.repeat(11)),
        format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(10_241)),
    ] {
        let server = Server::saying(answer.clone(), Then::Hang).await;
        let (client, scrubber) = (client(&server.url), scrubber());
        let exchange = Exchange { deadline: LONG, max_bytes: 10_240, scrubber: &scrubber };
        let error = client.send(get(&server.url), &exchange).await.unwrap_err();
        assert!(matches!(error, TransportError::TooLarge { max: 10_240 }), "{:.60}: {error:?}", answer);
    }
    let server = Server::saying(ok("x".repeat(10_240)), Then::Next).await;
    let (client, scrubber) = (client(&server.url), scrubber());
    let exchange = Exchange { deadline: LONG, max_bytes: 10_240, scrubber: &scrubber };
    assert_eq!(client.send(get(&server.url), &exchange).await.unwrap().body.len(), 10_240);
}

#[tokio::test]
async fn what_stands_for_secrets_does_not_make_an_answer_larger_than_it_may_be() {
    let server = Server::saying(ok("x".repeat(1000)), Then::Next).await;
    let scrubber = Scrubber::new(&[Secret::new(b"xy".to_vec()).unwrap(), Secret::new(b"x".to_vec()).unwrap()]);
    let exchange = Exchange { deadline: LONG, max_bytes: 1000, scrubber: &scrubber };
    // One stretch of secrets is replaced once.
    assert_eq!(client(&server.url).send(get(&server.url), &exchange).await.unwrap().body, b"[secret]");
    let server = Server::saying(ok("x ".repeat(500)), Then::Next).await;
    let error = client(&server.url).send(get(&server.url), &exchange).await.unwrap_err();
    assert!(matches!(error, TransportError::TooLarge { .. }));
}

#[tokio::test]
async fn an_answer_has_until_the_deadline_from_its_first_to_its_last_byte() {
    for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n1234"] {
        let server = Server::saying(answer, Then::Hang).await;
        let (client, scrubber) = (client(&server.url), scrubber());
        let exchange = Exchange { deadline: Duration::from_millis(50), max_bytes: 10, scrubber: &scrubber };
        let error = client.send(get(&server.url), &exchange).await.unwrap_err();
        assert!(matches!(error, TransportError::TimedOut), "{answer:?}: {error:?}");
    }
}
