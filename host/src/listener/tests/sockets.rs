//! WebSockets.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        handshake::client::generate_key,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::*;

type Client = WebSocketStream<TcpStream>;

async fn open(running: &Running, path: &str, headers: &[(&str, &str)]) -> Result<Client, u16> {
    let host = running.host();
    let mut request = hyper::Request::get(format!("ws://{host}{path}"))
        .header("host", &host)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    match client_async(request.body(()).unwrap(), running.connect().await).await {
        Ok((client, _)) => Ok(client),
        Err(Error::Http(reply)) => Err(reply.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

async fn page(running: &Running) -> Client {
    let (cookie, origin) = (running.cookie().await, format!("http://{}", running.host()));
    open(running, "/chat/ws", &[("cookie", &cookie), ("origin", &origin)]).await.unwrap()
}

/// Reads until the close frame and answers it.
async fn closed(client: &mut Client) -> Option<u16> {
    loop {
        match client.next().await {
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map(|frame| frame.code.into());
                while client.next().await.is_some_and(|message| message.is_ok()) {}
                return code;
            }
            Some(Ok(_)) => {}
            _ => return None,
        }
    }
}

async fn opened(running: &mut Running) -> Socket {
    match running.seen.recv().await.unwrap() {
        Incoming::Opened(socket) => socket,
        other => panic!("{other:?}"),
    }
}

async fn closure(running: &mut Running) -> Closure {
    loop {
        if let Incoming::Closed(_, closure) = running.seen.recv().await.unwrap() {
            return closure;
        }
    }
}

#[tokio::test]
async fn frames_go_in_and_out() {
    let mut running = Running::with(Bounds::default(), true).await;
    let mut client = page(&running).await;
    let socket = opened(&mut running).await;
    assert_eq!((&*socket.route.name, &*socket.caller.credential, &*socket.caller.path), ("ws", PAGE, "/ws"));
    for message in [Message::text("größe"), Message::binary(vec![0, 255]), Message::text("")] {
        client.send(message.clone()).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), message);
        let Incoming::Frame(from, frame) = running.seen.recv().await.unwrap() else { panic!() };
        assert_eq!((from.connection, frame.signed.len()), (socket.connection, 32));
    }
    client.send(Message::Ping("x".into())).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Message::Pong("x".into()));

    let frame = CloseFrame { code: CloseCode::Library(4000), reason: "bye\u{202e}\n".into() };
    client.close(Some(frame)).await.unwrap();
    closed(&mut client).await;
    assert_eq!(closure(&mut running).await, Closure { code: 4000, reason: "bye".into() });
    assert_eq!(running.listener.connections().count(&adapter()), 0);
}

#[tokio::test]
async fn only_the_page_itself_opens_its_socket() {
    let mut running = Running::new().await;
    let (cookie, own) = (running.cookie().await, format!("http://{}", running.host()));
    for (what, headers, status) in [
        ("another origin", vec![("cookie", &*cookie), ("origin", "https://evil.example")], 403),
        ("no origin", vec![("cookie", &*cookie)], 403),
        ("a sandbox", vec![("cookie", &*cookie), ("origin", "null")], 403),
        ("no cookie", vec![("origin", &*own)], 401),
        ("a wrong cookie", vec![("cookie", "sluicegate-1=x"), ("origin", &*own)], 401),
        ("a proxy", vec![("cookie", &*cookie), ("origin", &*own), ("via", "1.1 x")], 403),
    ] {
        assert_eq!(open(&running, "/chat/ws", &headers).await.err(), Some(status), "{what}");
    }
    let token = format!("/chat/ws?token={TOKEN}");
    assert_eq!(open(&running, &token, &[("origin", &own)]).await.err(), Some(401));
    assert!(running.seen.try_recv().is_err());
}

#[tokio::test]
async fn what_came_over_a_socket_with_the_key_says_so() {
    let mut running = Running::new().await;
    let first = running.ask(format!("GET /chat/?token={TOKEN} HTTP/1.1\r\nhost: HOST\r\n\r\n")).await;
    let key = first.header("location").split_once("#key=").unwrap().1.to_owned();
    let (cookie, own) = (running.cookie().await, format!("http://{}", running.host()));
    let headers = [("cookie", &*cookie), ("origin", &*own)];
    for wrong in ["", "0", &key[1..], &"0".repeat(32)] {
        assert_eq!(open(&running, &format!("/chat/ws?key={wrong}"), &headers).await.err(), Some(401), "{wrong}");
    }
    for (target, keyed) in [(format!("/chat/ws?key={key}"), true), ("/chat/ws".to_owned(), false)] {
        let mut client = open(&running, &target, &headers).await.unwrap();
        let socket = opened(&mut running).await;
        client.send(Message::text("x")).await.unwrap();
        let Incoming::Frame(from, _) = running.seen.recv().await.unwrap() else { panic!() };
        assert_eq!((socket.caller.keyed, from.caller.keyed), (keyed, keyed), "{target}");
        assert!(!format!("{from:?}").contains(&key), "the adapter does not see it");
        drop(client);
        closure(&mut running).await;
    }
}

#[tokio::test]
async fn a_handshake_that_is_none_is_refused() {
    let running = Running::new().await;
    let cookie = running.cookie().await;
    let good = [
        "upgrade: websocket",
        "connection: keep-alive, Upgrade",
        "sec-websocket-version: 13",
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
    ];
    let ask = |headers: &[&str]| {
        format!(
            "GET /chat/ws HTTP/1.1\r\nhost: HOST\r\norigin: http://HOST\r\ncookie: {cookie}\r\n{}\r\n\r\n",
            headers.join("\r\n")
        )
    };
    assert_eq!(running.ask(ask(&good)).await.status, 101);
    for missing in 0..good.len() {
        let mut headers = good.to_vec();
        headers.remove(missing);
        let reply = running.ask(ask(&headers)).await;
        assert_eq!((reply.status, reply.header("upgrade")), (426, "websocket"), "without {}", good[missing]);
    }
    for (at, wrong) in [
        (2, "sec-websocket-version: 12"),
        (3, "sec-websocket-key: AAAA"),
        (0, "upgrade: h2c"),
        (3, "content-length: 0"),
    ] {
        let mut headers = good.to_vec();
        headers[at] = wrong;
        assert_eq!(running.ask(ask(&headers)).await.status, 426, "{wrong}");
    }
}

#[tokio::test]
async fn who_holds_a_token_opens_a_credential_socket() {
    let mut running = Running::new().await;
    let token = format!("Bearer {BEARER}");
    assert!(open(&running, "/chat/ci/ws", &[("authorization", &token)]).await.is_ok());
    assert_eq!(opened(&mut running).await.caller.credential, "ci");
    assert_eq!(open(&running, "/chat/ci/ws", &[("authorization", "Bearer x")]).await.err(), Some(401));
    assert_eq!(open(&running, "/chat/nobody/ws", &[("authorization", &token)]).await.err(), Some(401));
}

#[tokio::test]
async fn the_next_frame_waits_for_the_commit_of_the_one_before() {
    let mut running = Running::new().await;
    let mut client = page(&running).await;
    opened(&mut running).await;
    let permits = running.intake.gate.forget_permits(usize::MAX);
    assert!(permits > 0);
    for n in 0..3 {
        client.send(Message::text(n.to_string())).await.unwrap();
    }
    for n in 0..3 {
        // The client is answered beside the waiting intake, so the listener has read on as far as it will.
        let connections = running.listener.connections();
        connections.send(&adapter(), "ws", None, Frame::Text("still here".into()));
        client.next().await.unwrap().unwrap();
        assert!(running.seen.try_recv().is_err());
        running.intake.gate.add_permits(1);
        let Incoming::Frame(_, frame) = running.seen.recv().await.unwrap() else { panic!() };
        assert_eq!(frame.frame, Frame::Text(n.to_string()));
    }
    running.intake.gate.add_permits(permits);
}

#[tokio::test]
async fn frames_are_not_read_while_the_intake_has_no_room() {
    let mut running = Running::new().await;
    running.intake.room.send_replace(false);
    let mut client = page(&running).await;
    opened(&mut running).await;
    client.send(Message::text("x")).await.unwrap();
    running.listener.connections().send(&adapter(), "ws", None, Frame::Text("still here".into()));
    client.next().await.unwrap().unwrap();
    assert!(running.seen.try_recv().is_err());
    running.intake.room.send_replace(true);
    assert!(matches!(running.seen.recv().await, Some(Incoming::Frame(..))));
}

#[tokio::test]
async fn what_becomes_of_a_frame_is_told_by_the_close_code() {
    let mut running = Running::new().await;
    for (answer, code) in [((|| Answer::Failed) as fn() -> Answer, 1013), (|| Answer::Busy, 1013)] {
        running.answer(|_| Answer::Stored);
        let mut client = page(&running).await;
        opened(&mut running).await;
        running.answer(move |incoming| if matches!(incoming, Incoming::Frame(..)) { answer() } else { Answer::Stored });
        client.send(Message::text("x")).await.unwrap();
        assert_eq!(closed(&mut client).await, Some(code));
        assert_eq!(closure(&mut running).await.code, code);
    }
    // What the adapter refuses it would refuse again.
    running.answer(|incoming| match incoming {
        Incoming::Frame(..) => Answer::Refused("no such command".into()),
        _ => Answer::Stored,
    });
    let mut client = page(&running).await;
    opened(&mut running).await;
    client.send(Message::text("x")).await.unwrap();
    running.seen.recv().await.unwrap();
    client.send(Message::Ping("x".into())).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Message::Pong("x".into()));
    assert!(running.reasons().iter().any(|reason| reason.contains("no such command")));
}

#[tokio::test]
async fn a_socket_that_the_adapter_cannot_take_is_closed_at_once() {
    let mut running = Running::new().await;
    running.answer(|_| Answer::Failed);
    let mut client = page(&running).await;
    assert_eq!(closed(&mut client).await, Some(1013));
    assert!(matches!(running.seen.recv().await, Some(Incoming::Opened(_))));
    assert!(running.seen.try_recv().is_err(), "what never was open is not closed");
}

#[tokio::test]
async fn frames_against_the_rules_end_the_connection() {
    let mut running = Running::new().await;
    let mut client = page(&running).await;
    client.send(Message::binary(vec![0; 64 * 1024 + 1])).await.unwrap();
    assert_eq!(closed(&mut client).await, Some(1009));
    assert_eq!(closure(&mut running).await.code, 1009);

    // A frame that is not masked.
    let client = page(&running).await;
    opened(&mut running).await;
    let mut stream = client.into_inner();
    stream.write_all(&[0x81, 0x01, b'x']).await.unwrap();
    assert_eq!(closure(&mut running).await.code, 1002);

    let client = page(&running).await;
    drop(client);
    assert_eq!(closure(&mut running).await.code, 1006);
}

#[tokio::test]
async fn an_adapter_has_so_many_connections_and_no_more() {
    let mut running = Running::new().await;
    let (one, _two) = (page(&running).await, page(&running).await);
    let (cookie, origin) = (running.cookie().await, format!("http://{}", running.host()));
    let headers = [("cookie", &*cookie), ("origin", &*origin)];
    assert_eq!(open(&running, "/chat/ws", &headers).await.err(), Some(503));
    drop(one);
    closure(&mut running).await;
    assert!(open(&running, "/chat/ws", &headers).await.is_ok());
}

#[tokio::test]
async fn who_does_not_read_is_closed_and_nobody_waits_for_it() {
    let mut running = Running::new().await;
    let mut slow = page(&running).await;
    let slow_number = opened(&mut running).await.connection;
    let mut quick = page(&running).await;
    opened(&mut running).await;
    let connections = running.listener.connections();
    let frame = Frame::Binary(vec![0; 60_000].into());
    // Sockets hold some megabytes, the queue some more; then it is full.
    let mut sent = 0;
    while connections.send(&adapter(), "ws", Some(slow_number), frame.clone()) == 1 {
        sent += 1;
        tokio::task::yield_now().await;
        assert!(sent < 10_000);
    }
    assert_eq!(connections.send(&adapter(), "ws", None, Frame::Text("to all".into())), 2);
    assert_eq!(quick.next().await.unwrap().unwrap(), Message::text("to all"));
    assert_eq!(closed(&mut slow).await, Some(1008));
    assert_eq!(closure(&mut running).await.code, 1008);
}

#[tokio::test]
async fn frames_go_only_where_they_are_addressed() {
    let mut running = Running::new().await;
    let mut client = page(&running).await;
    let number = opened(&mut running).await.connection;
    let connections = running.listener.connections();
    let other = AdapterName::new("other").unwrap();
    let text = |text: &str| Frame::Text(text.into());
    assert_eq!(connections.send(&other, "ws", Some(number), text("not mine")), 0);
    assert_eq!(connections.send(&adapter(), "machine", Some(number), text("other socket")), 0);
    assert_eq!(connections.send(&adapter(), "ws", Some(number + 1), text("nobody")), 0);
    assert_eq!(connections.send(&adapter(), "ws", Some(number), Frame::Binary(vec![0; 70_000].into())), 0);
    connections.close(&other, "ws", None, 4001, "not mine");
    assert_eq!(connections.send(&adapter(), "ws", Some(number), text("mine")), 1);
    assert_eq!(client.next().await.unwrap().unwrap(), Message::text("mine"));
    connections.close(&adapter(), "ws", Some(number), 4000, "bye");
    assert_eq!(closed(&mut client).await, Some(4000));
}

#[tokio::test]
async fn sockets_end_with_their_routes_and_stay_when_those_stay() {
    let mut running = Running::with(Bounds::default(), true).await;
    let mut client = page(&running).await;
    opened(&mut running).await;
    running.listener.set_routes(Arc::new(running.table(routes())));
    client.send(Message::text("still here")).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Message::text("still here"));
    running.listener.set_routes(Arc::default());
    assert_eq!(closed(&mut client).await, Some(1001));
}

#[tokio::test]
async fn sockets_end_with_the_listener() {
    let mut running = Running::new().await;
    let mut client = page(&running).await;
    opened(&mut running).await;
    let (code, ()) = tokio::join!(closed(&mut client), async {
        running.stop.take().unwrap().send(()).ok();
    });
    assert_eq!(code, Some(1001));
    assert_eq!(closure(&mut running).await.code, 1001);
    (&mut running.task).await.unwrap();
}
