//! Pages, as a browser and as its attackers ask for them.

use super::*;

const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

fn html() -> Answer {
    let headers =
        vec![("content-type".to_owned(), "text/html".to_owned()), ("set-cookie".to_owned(), "a=b".to_owned())];
    Answer::Page(Page { status: 200, headers, body: PageBody::Bytes("<p>hello".into()) })
}

#[tokio::test]
async fn the_first_visit_leads_to_the_page() {
    let mut running = Running::new().await;
    running.answer(|_| html());
    let first = running.ask(format!("GET /chat/?token={TOKEN} HTTP/1.1\r\nhost: HOST\r\n\r\n")).await;
    let (path, key) = first.header("location").split_once("#key=").unwrap();
    assert_eq!((first.status, path, key.len()), (303, "/chat/", 32));
    let set = first.header("set-cookie");
    assert!(set.ends_with("; HttpOnly; SameSite=Strict; Path=/chat/") && !set.contains(TOKEN), "{set}");
    assert_eq!((first.header("cache-control"), first.header("referrer-policy")), ("no-store", "no-referrer"));

    let cookie = set.split(';').next().unwrap();
    let page = running.ask(format!("GET /chat/ HTTP/1.1\r\nhost: HOST\r\ncookie: {cookie}\r\n\r\n")).await;
    assert_eq!((page.status, page.text(), page.header("content-type")), (200, "<p>hello", "text/html"));
    assert!(page.header("content-security-policy").contains(&format!("http://{}/chat/", running.host())));
    assert_eq!(page.header("set-cookie"), "");
    let got = running.next_request().await;
    assert_eq!((&*got.caller.credential, &*got.caller.path, got.once), (PAGE, "/", None));
    assert!(!format!("{got:?}").contains(cookie), "the adapter does not see the cookie");
    assert!(!got.caller.keyed);

    let target = format!("/chat/?a=b&key={key}&c=d");
    let page = running.ask(format!("GET {target} HTTP/1.1\r\nhost: HOST\r\ncookie: {cookie}\r\n\r\n")).await;
    assert_eq!(page.status, 200);
    let got = running.next_request().await;
    assert_eq!(got.caller.query, [("a".to_owned(), "b".to_owned()), ("c".to_owned(), "d".to_owned())]);
    assert!(got.caller.keyed && !format!("{got:?}").contains(key), "the adapter does not see the key");
}

#[tokio::test]
async fn without_the_slash_the_address_is_mended() {
    let running = Running::new().await;
    let reply = running.ask("GET /chat?token=x HTTP/1.1\r\nhost: HOST\r\n\r\n").await;
    assert_eq!((reply.status, reply.header("location"), reply.header("set-cookie")), (303, "/chat/?token=x", ""));
}

#[tokio::test]
async fn who_has_no_token_is_told_which_command_prints_it() {
    let mut running = Running::new().await;
    for target in ["/chat/", "/chat/assets/app.js"] {
        let reply = running.ask(format!("GET {target} HTTP/1.1\r\nhost: HOST\r\n\r\n")).await;
        assert_eq!((reply.status, reply.header("content-type")), (401, "text/html; charset=utf-8"));
        assert!(reply.text().contains("sluicegate list"));
        assert!(reply.header("content-security-policy").starts_with("default-src 'none'"));
    }
    assert!(running.seen.try_recv().is_err());
}

#[tokio::test]
async fn guessing_the_token_leads_nowhere_and_locks_nobody_out() {
    let mut running = Running::new().await;
    let mut stream = running.connect().await;
    for n in 0..300 {
        let reply =
            running.ask_on(&mut stream, format!("GET /chat/?token={n:048x} HTTP/1.1\r\nhost: HOST\r\n\r\n")).await;
        assert_eq!((reply.status, reply.header("set-cookie")), (401, ""));
    }
    assert_eq!(running.reasons().len(), 100, "the log is not flooded");
    assert!(running.seen.try_recv().is_err());
    running.cookie().await;
}

#[tokio::test]
async fn a_page_of_another_origin_can_neither_post_nor_read() {
    let mut running = Running::new().await;
    let cookie = running.cookie().await;
    let post = |host: &str, headers: &str| {
        format!(
            "POST /chat/say HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\ncontent-type: application/json\r\n{headers}content-length: 2\r\n\r\n{{}}"
        )
    };
    for (host, headers, status) in [
        ("HOST", "origin: https://evil.example\r\n", 403),
        ("HOST", "origin: https://evil.example\r\nsec-fetch-site: cross-site\r\n", 403),
        ("HOST", "origin: null\r\n", 403),
        ("HOST", "", 403),
        ("HOST", "origin: http://HOST\r\nsec-fetch-site: same-site\r\n", 403),
        ("HOST", "origin: http://HOST\r\nx-forwarded-for: 192.0.2.1\r\n", 403),
        // DNS rebinding: the name resolves to this machine, and the browser believes it to be one origin.
        ("evil.example", "origin: http://evil.example\r\nsec-fetch-site: same-origin\r\n", 421),
        ("HOST", "origin: http://HOST\r\nsec-fetch-site: same-origin\r\n", 200),
    ] {
        assert_eq!(running.ask(post(host, headers)).await.status, status, "{host} {headers}");
    }
    assert_eq!(running.next_request().await.route.name, "say");
    assert!(running.seen.try_recv().is_err(), "only the last one arrived");
}

#[tokio::test]
async fn no_answer_becomes_a_frame_or_a_worker() {
    let mut running = Running::new().await;
    running.answer(|_| html());
    let cookie = running.cookie().await;
    for target in ["/chat/", "/chat/assets/sw.js", "/chat/none", "/chat", "/none", "/chat/ci/ping"] {
        for header in [
            "sec-fetch-dest: iframe",
            "sec-fetch-dest: serviceworker",
            "sec-fetch-dest: worker",
            "sec-fetch-dest: script\r\nservice-worker: script",
        ] {
            let reply = running
                .ask(format!("GET {target} HTTP/1.1\r\nhost: HOST\r\ncookie: {cookie}\r\n{header}\r\n\r\n"))
                .await;
            let policy = reply.header("content-security-policy");
            assert_eq!((reply.status, policy), (403, NOTHING), "{target} {header}");
            assert!(running.reasons().join("").contains("in a tab of its own"), "{target} {header}");
        }
    }
    assert!(running.seen.try_recv().is_err());
}

#[tokio::test]
async fn every_answer_has_a_policy() {
    let running = Running::new().await;
    let cookie = running.cookie().await;
    running.answer(|_| html());
    for (request, status) in [
        ("GET / HTTP/1.1\r\nhost: HOST\r\n".to_owned(), 404),
        ("GET /chat/none HTTP/1.1\r\nhost: HOST\r\n".into(), 404),
        ("PUT /chat/ HTTP/1.1\r\nhost: HOST\r\n".into(), 405),
        ("GET /chat/ HTTP/1.1\r\nhost: HOST\r\n".into(), 401),
        ("GET /chat/?key=0 HTTP/1.1\r\nhost: HOST\r\n".into(), 401),
        (format!("GET /chat/?key=0 HTTP/1.1\r\nhost: HOST\r\ncookie: {cookie}\r\n"), 401),
        ("GET /chat HTTP/1.1\r\nhost: HOST\r\n".into(), 303),
        (format!("GET /chat/?token={TOKEN} HTTP/1.1\r\nhost: HOST\r\n"), 303),
        ("GET /chat/ HTTP/1.1\r\nhost: evil.example\r\n".into(), 421),
        ("GET /chat/ HTTP/1.1\r\nhost: HOST\r\nsec-fetch-site: cross-site\r\n".into(), 403),
        (format!("GET /chat/ws HTTP/1.1\r\nhost: HOST\r\norigin: http://HOST\r\ncookie: {cookie}\r\n"), 426),
        (format!("GET /chat/ci/ping HTTP/1.1\r\nhost: HOST\r\nauthorization: Bearer {BEARER}\r\n"), 200),
    ] {
        let reply = running.ask(format!("{request}\r\n")).await;
        assert_eq!((reply.status, reply.header("content-security-policy")), (status, NOTHING), "{request}");
    }
    let page = running.ask(format!("GET /chat/ HTTP/1.1\r\nhost: HOST\r\ncookie: {cookie}\r\n\r\n")).await;
    assert!(page.header("content-security-policy").contains("frame-src 'none'"));
}

#[tokio::test]
async fn the_post_of_a_page_needs_the_cookie() {
    let running = Running::new().await;
    let reply = running
        .ask("POST /chat/say HTTP/1.1\r\nhost: HOST\r\norigin: http://HOST\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
        .await;
    assert_eq!((reply.status, reply.text()), (401, "not authorized\n"));
}

#[tokio::test]
async fn a_kept_file_is_streamed() {
    let running = Running::new().await;
    let cookie = running.cookie().await;
    let mut writer = running.files.create("evil.html", Some("text/html")).unwrap();
    writer.write(&[b'x'; 200_000]).await.unwrap();
    let kept = writer.finish(None).await.unwrap();
    running.answer(move |_| Answer::Page(Page { status: 200, headers: vec![], body: PageBody::File(kept.clone()) }));
    let reply = running.ask(format!("GET /chat/assets/f HTTP/1.1\r\nhost: HOST\r\ncookie: {cookie}\r\n\r\n")).await;
    assert_eq!((reply.status, reply.body.len(), reply.header("content-length")), (200, 200_000, "200000"));
    assert!(reply.header("content-disposition").starts_with("attachment"));
}
