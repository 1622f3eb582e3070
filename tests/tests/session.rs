//! The MCP session, with Claude Code's handshake and with clients that break it: row 20 of the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::net::TcpStream;

use serde_json::{Value, json};
use sluicegate_tests::{Guest, Home, Server, node, says, server::a_moment};

fn chat() -> (Home, Server) {
    let home = Home::with(&Guest::new("chat"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    (home, server)
}

#[test]
fn nothing_starts_before_initialize() {
    let home = Home::with(&Guest::new("chat"));
    let mut server = Server::spawn(&home);
    server.write_raw(b"{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"server/discover\",\"params\":{}}\n").unwrap();
    assert!(server.answer(&json!("p")).is_err());
    a_moment();
    assert!(TcpStream::connect(("127.0.0.1", home.port())).is_err(), "no port is open");
    assert!(!home.path().join("journal.db").exists(), "no journal is made");
    server.shake_hands();
    server.wait_until_running(&home, "chat");
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
}

#[test]
fn the_surface_is_the_official_plugins() {
    let (_home, server) = chat();
    let capabilities = &server.initialized["capabilities"];
    assert_eq!(capabilities["experimental"]["claude/channel"], json!({}));
    assert!(capabilities["experimental"]["claude/channel/permission"] != json!(false), "false fails the handshake");
    let instructions = server.initialized["instructions"].as_str().unwrap_or_default();
    assert!(instructions.len() <= 2048, "{} bytes of instructions are cut", instructions.len());
    assert!(instructions.contains("Messages of a chat that exists in tests only."), "the hint: {instructions}");
    assert_eq!(server.initialized["serverInfo"]["name"], "sluicegate");

    let mut names = server.tool_names();
    names.sort_unstable();
    assert_eq!(names, ["chat_sent", "chat_shout", "edit_message", "react", "reply"], "what it can do, and no more");
    for tool in &server.tools {
        let description = tool["description"].as_str().unwrap();
        assert!(!description.is_empty() && description.len() <= 2048, "{tool}");
        let schema = &tool["inputSchema"];
        assert_eq!(schema["type"], "object", "{tool}");
        assert!(schema["properties"].get("channel").is_none(), "with one adapter there is no such argument: {tool}");
        assert_eq!(tool["_meta"]["anthropic/alwaysLoad"] == json!(true), tool["name"] == "reply", "{tool}");
    }
    let reply = server.tools.iter().find(|tool| tool["name"] == "reply").unwrap();
    for argument in ["chat_id", "text", "reply_to", "files"] {
        assert!(reply["inputSchema"]["properties"][argument].is_object(), "{argument}: {reply}");
    }
}

#[test]
fn tools_reach_the_adapter_and_only_within_their_schema() {
    let (home, server) = chat();
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
    let to = |tool: &str, arguments: Value| server.call(tool, &arguments);
    let reply = to("reply", json!({ "chat_id": "alice", "text": "**hi** there", "reply_to": "1" }));
    assert!(!reply.is_error && reply.text.contains("out-1"), "{}", reply.text);
    assert!(!to("react", json!({ "chat_id": "alice", "message_id": "1", "emoji": "👍" })).is_error);
    assert!(!to("edit_message", json!({ "chat_id": "alice", "message_id": "out-1", "text": "hi again" })).is_error);
    let sent = to("chat_sent", json!({}));
    for words in ["\"conversation\":\"alice\"", "hi", "\"reply_to\":\"1\"", "👍", "out-1", "hi again"] {
        assert!(sent.text.contains(words), "{words} is missing: {}", sent.text);
    }
    assert!(to("chat_shout", json!({ "words": "hey", "times": 2 })).text.contains("HEY HEY"));

    for (tool, arguments) in [
        ("reply", json!({ "chat_id": "alice" })),
        ("reply", json!({ "text": "hi" })),
        ("reply", json!({ "chat_id": "alice", "text": 7 })),
        ("reply", json!({ "chat_id": ["alice"], "text": "hi" })),
        ("reply", json!({ "chat_id": "alice", "text": "hi", "files": "/etc/passwd" })),
        ("reply", json!({ "chat_id": "alice", "text": "hi", "unknown": 1 })),
        ("reply", json!("alice")),
        ("chat_shout", json!({ "times": 2 })),
        ("chat_shout", json!({ "words": "x", "times": 4 })),
        ("chat_shout", json!({ "words": "x", "times": "2" })),
        ("chat_shout", json!({ "words": "x", "more": true })),
        ("download_attachment", json!({ "file_id": "x" })),
        ("no_such_tool", json!({})),
    ] {
        let failed = server.try_call(tool, &arguments).map_or(true, |result| result.is_error);
        assert!(failed, "{tool} {arguments}");
    }
    let after = to("chat_sent", json!({}));
    assert_eq!(after.text, sent.text, "nothing of that reached the adapter");
}

#[test]
fn a_tool_names_only_conversations_that_the_gate_would_deliver_from() {
    let (home, server) = chat();
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    let mut stranger = says("2", "hello");
    stranger["sender"] = "mallory".into();
    stranger["conversation"] = "mallory".into();
    assert_eq!(home.post("chat", &stranger).status, 200);
    server.event_of("1");
    for conversation in ["mallory", "bob", "", "alice ", "Alice", "*"] {
        let reply = server.try_call("reply", &json!({ "chat_id": conversation, "text": "psst" }));
        assert!(reply.map_or(true, |result| result.is_error), "{conversation:?}");
    }
    home.admit("chat", &[]);
    let reply = server.call("reply", &json!({ "chat_id": "alice", "text": "psst" }));
    assert!(reply.is_error, "who was removed is written to no more: {}", reply.text);
    assert!(!reply.text.contains("sluicegate access"), "a refusal is no instruction: {}", reply.text);
    assert!(!server.call("chat_sent", &json!({})).text.contains("psst"));
}

#[test]
fn junk_lines_are_answered_or_ignored() {
    let (home, server) = chat();
    for junk in [
        "junk",
        "",
        "   ",
        "{",
        "null",
        "7",
        "\"text\"",
        "[]",
        "[[[[[[",
        "{}",
        "{\"jsonrpc\":\"2.0\"}",
        "{\"jsonrpc\":\"1.0\",\"id\":8001,\"method\":\"tools/list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"tools/list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"tools/list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"tools/list\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":7}",
        "{\"jsonrpc\":\"2.0\",\"id\":9000,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":9001,\"error\":{\"code\":1,\"message\":\"x\"}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/unknown\",\"params\":{\"x\":1}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":77777}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/claude/channel/permission_request\",\"params\":{\"request_id\":1}}",
    ] {
        server.write_raw(format!("{junk}\n").as_bytes()).unwrap();
    }
    server.write_raw(b"\xff\xfe\x00\x80\n").unwrap();
    server.write_raw(format!("{}\n", "[".repeat(100_000)).as_bytes()).unwrap();
    assert!(server.request("no/such/method", &json!({})).is_err());
    assert!(server.request("tools/call", &json!({ "name": 7 })).is_err());
    assert!(server.request("ping", &json!({})).is_ok());
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
    assert!(!server.list_tools().is_empty());
}

#[test]
fn huge_lines_cost_bounded_memory_and_no_crash() {
    let (home, server) = chat();
    server.write_raw(br#"{"jsonrpc":"2.0","id":8002,"method":"ping","params":{"x":""#).unwrap();
    for _ in 0..256 {
        server.write_raw(&[b'x'; 1 << 20]).unwrap();
    }
    server.write_raw(b"\"}}\n").unwrap();
    assert!(server.request("ping", &json!({})).is_ok());
    let large = server.try_call("chat_shout", &json!({ "words": "x".repeat(2 << 20) }));
    assert!(large.is_err() || large.is_ok_and(|result| result.text.len() < 64 << 20));
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
    assert!(server.peak_memory_mib() < 150, "{} MiB", server.peak_memory_mib());
}

#[test]
fn requests_out_of_order_are_refused_and_the_handshake_still_works() {
    let home = Home::with(&Guest::new("chat"));
    let mut server = Server::spawn(&home);
    server.notify("notifications/initialized", &json!({}));
    server.notify("notifications/cancelled", &json!({ "requestId": 0 }));
    server.notify("notifications/claude/channel/permission_request", &json!({ "request_id": "abcde" }));
    let early = server.send_request("tools/list", &json!({}));
    drop(server.answer(&early));
    let early = server.send_request("tools/call", &json!({ "name": "reply", "arguments": {} }));
    assert!(server.answer(&early).is_err());
    server.shake_hands();
    let again = server.request(
        "initialize",
        &json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "x", "version": "1" },
        }),
    );
    drop(again);
    server.wait_until_running(&home, "chat");
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
}

#[test]
fn the_protocol_is_never_newer_than_channels_work_with() {
    for (offered, expected) in [
        ("2026-07-28", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
    ] {
        let home = Home::new();
        let server = Server::spawn(&home);
        let initialized = server.request(
            "initialize",
            &json!({
                "protocolVersion": offered, "capabilities": {}, "clientInfo": { "name": "x", "version": "1" },
            }),
        );
        assert_eq!(initialized.unwrap()["protocolVersion"], expected, "{offered}");
    }
}

#[test]
fn a_cancelled_call_is_not_waited_for() {
    let looper = Guest::new("looper");
    let mut home = Home::with(&looper);
    home.table("[adapters.looper.limits]\ncpu-ms = 600000\nperform-ms = 600000");
    let server = Server::start(&home);
    server.wait_until_running(&home, "looper");
    assert_eq!(home.post("looper", &says("1", "hello")).status, 200);
    server.event_of("1");
    let call = server.send_request(
        "tools/call",
        &json!({
            "name": "reply", "arguments": { "chat_id": "alice", "text": "hi" },
        }),
    );
    server.notify("notifications/cancelled", &json!({ "requestId": call, "reason": "Esc" }));
    assert!(server.request("ping", &json!({})).is_ok());
    assert_eq!(home.post("looper", &says("2", "hello")).status, 200, "and the lane is free");
    server.event_of("2");
}

#[test]
fn a_backlog_is_held_until_the_client_has_registered() {
    let home = Home::with(&Guest::new("chat"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    server.pause();
    for number in 0..20 {
        assert_eq!(home.post("chat", &says(&format!("b{number}"), "waiting")).status, 200);
    }
    server.kill();

    let server = Server::spawn(&home);
    let initialized = server.request(
        "initialize",
        &json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "x", "version": "1" },
        }),
    );
    initialized.unwrap();
    server.notify("notifications/initialized", &json!({}));
    server.wait_until_running(&home, "chat");
    a_moment();
    assert!(server.events().is_empty(), "the client drops what comes before it has registered");
    server.list_tools();
    let events = server.events_when(20);
    let ids: Vec<_> = events.iter().map(|event| event.id().to_owned()).collect();
    assert_eq!(ids, (0..20).map(|number| format!("b{number}")).collect::<Vec<_>>(), "in order");
}

#[test]
fn the_official_sdks_client_makes_the_round_trip() {
    let Some(clients) = node::clients() else { return };
    let home = Home::with(&Guest::new("chat"));
    let steps = json!([
        { "wait": "hello from the test", "timeout": 60 },
        { "call": "reply", "arguments": { "chat_id": "alice", "text": "hello from the SDK" } },
        { "call": "chat_sent", "arguments": {} },
        { "list": true },
        { "exit": true },
    ]);
    let mut client = home.command("node");
    client.arg(clients.join("mcp-sdk-client.mjs")).arg(steps.to_string());
    client.arg(sluicegate_tests::binary::binary()).arg("serve");
    let client = client.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let done = std::thread::spawn(move || client.wait_with_output().unwrap());
    sluicegate_tests::deadline::until("the event is taken", || {
        let request = home.request("chat", &says("1", "hello from the test"));
        request.try_send(home.port()).is_ok_and(|answer| answer.status == 200).then_some(())
    });
    let output = done.join().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    let steps: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |step: &str| steps.iter().filter(|it| it["step"] == step).collect::<Vec<_>>();
    assert_eq!(of("event")[0]["params"]["meta"]["message_id"], "1", "{printed}");
    assert_eq!(of("tools").len(), 2, "{printed}");
    assert!(of("called")[1].to_string().contains("hello from the SDK"), "{printed}");
    assert!(of("client-error").is_empty(), "{printed}");
    assert_eq!(of("closed").len(), 1, "{printed}");
}
