//! From the first line to the first event, and what a broken client may send.

use proptest::prelude::*;

use super::*;

#[tokio::test]
async fn the_handshake_of_claude_code() {
    let mut talk = Talk::with(Options { hold: Duration::ZERO, call_limit: LONG });
    talk.say(DISCOVER).await;
    let refused = talk.hear().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!("d"), &json!(-32601)));
    assert_eq!(talk.surface.initialized.load(Ordering::SeqCst), 0);
    talk.say(INITIALIZE).await;
    assert_eq!(
        talk.hear().await,
        json!({"jsonrpc": "2.0", "id": 0, "result": {
            "protocolVersion": "2025-11-25",
            "capabilities": {"experimental": {"claude/channel": {}}, "tools": {"listChanged": true}},
            "serverInfo": {"name": "sluicegate", "version": "1.2.3"},
            "instructions": "read me",
        }})
    );
    assert_eq!(talk.surface.initialized.load(Ordering::SeqCst), 1);
    talk.say(INITIALIZED).await;
    talk.say(LIST).await;
    assert_eq!(
        talk.hear().await,
        json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": [{
            "name": "reply", "description": "does it", "inputSchema": {"type": "object"},
            "_meta": {"anthropic/alwaysLoad": true},
        }]}})
    );
    for id in ["1", "2"] {
        assert_eq!(talk.hear().await["params"]["meta"]["message_id"], id);
    }
    assert!(matches!(talk.hang_up().await, Quit::EndOfInput));
}

#[tokio::test]
async fn events_wait_for_the_hold_after_the_list() {
    let mut talk = Talk::ready().await;
    talk.still_answers().await;
    talk.say(LIST).await;
    assert_eq!(talk.hear().await["id"], 1);
    // The hold has begun and is far from over.
    talk.still_answers().await;
    talk.say(LIST).await;
    assert_eq!(talk.hear().await["id"], 1);
    talk.still_answers().await;
    talk.wire.release();
    assert_eq!(talk.hear().await["params"]["meta"]["message_id"], "1");
}

#[tokio::test]
async fn a_later_list_holds_nothing_back() {
    let mut talk = Talk::with(Options { hold: Duration::ZERO, call_limit: LONG });
    talk.say(INITIALIZE).await;
    talk.say(LIST).await;
    for _ in 0..4 {
        talk.hear().await;
    }
    talk.say(LIST).await;
    assert_eq!(talk.hear().await["id"], 1);
    talk.rows.0.lock().unwrap().push(event(3));
    talk.wire.deliver(&[event(3)]);
    assert_eq!(talk.hear().await["params"]["meta"]["message_id"], "3");
}

#[tokio::test]
async fn the_protocol_is_never_newer_than_what_registers() {
    for (asked, offered) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
        ("", "2025-11-25"),
    ] {
        let mut talk = Talk::new();
        talk.say(INITIALIZE.replace("2025-11-25", asked)).await;
        assert_eq!(talk.hear().await["result"]["protocolVersion"], offered, "{asked}");
    }
}

/// What a line leads to: the id and code of an error, or nothing at all.
type Case<'a> = (&'a str, Option<(Value, i64)>);

async fn run_cases(talk: &mut Talk, cases: Vec<Case<'_>>) {
    for (line, answer) in cases {
        let shown: String = line.chars().take(100).collect();
        talk.say(line).await;
        if let Some((id, code)) = answer {
            let heard = talk.hear().await;
            assert_eq!((&heard["id"], &heard["error"]["code"]), (&id, &json!(code)), "{shown}: {heard}");
            assert!(heard["error"]["message"].is_string());
        }
        talk.still_answers().await;
    }
}

#[tokio::test]
async fn nothing_happens_before_initialize() {
    let huge = format!(r#"{{"jsonrpc":"2.0","id":3,"method":"ping","params":"{}"}}"#, "x".repeat(5 << 20));
    let inline = DISCOVER.replace("server/discover", "tools/list").replace("2026-07-28", "2025-06-18");
    let inline_call = inline.replace("tools/list", "resources/list");
    let cases = vec![
        (INITIALIZED, None),
        (r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#, None),
        (r#"{"jsonrpc":"2.0","method":"notifications/whatever"}"#, None),
        (r#"{"jsonrpc":"2.0","id":9,"result":{}}"#, None),
        (r#"{"jsonrpc":"2.0","id":9,"error":{"code":1,"message":"x"}}"#, None),
        (LIST, Some((json!(1), -32600))),
        (inline.as_str(), Some((json!("d"), -32600))),
        (inline_call.as_str(), Some((json!("d"), -32600))),
        (DISCOVER, Some((json!("d"), -32601))),
        ("junk", Some((Value::Null, -32700))),
        (huge.as_str(), Some((Value::Null, -32700))),
        (r#"{"jsonrpc":"2.0","id":5,"method":"initialize"}"#, Some((json!(5), -32600))),
    ];
    let mut talk = Talk::new();
    run_cases(&mut talk, cases).await;
    assert_eq!(talk.surface.initialized.load(Ordering::SeqCst), 0);
    talk.say(INITIALIZE).await;
    assert_eq!(talk.hear().await["id"], 0);
    assert_eq!(talk.surface.initialized.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_broken_client_is_answered_or_ignored() {
    let huge = format!(r#"{{"jsonrpc":"2.0","id":3,"method":"ping","params":"{}"}}"#, "x".repeat(9 << 20));
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let cases = vec![
        (r#"{"jsonrpc":"2.0","id":2,"method":"no/such"}"#, Some((json!(2), -32601))),
        (INITIALIZE, Some((json!(0), -32600))),
        (DISCOVER, Some((json!("d"), -32601))),
        ("{", Some((Value::Null, -32700))),
        ("\u{feff}{}", Some((Value::Null, -32700))),
        ("[]", Some((Value::Null, -32600))),
        ("{}", Some((Value::Null, -32600))),
        ("17", Some((Value::Null, -32600))),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, Some((Value::Null, -32600))),
        (r#"{"jsonrpc":"1.0","id":4,"method":"ping"}"#, Some((json!(4), -32600))),
        (r#"{"jsonrpc":"2.0","id":4.5,"method":"ping"}"#, None),
        (r#"{"jsonrpc":"2.0","id":"x","method":5}"#, Some((json!("x"), -32600))),
        (r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":5}"#, None),
        (r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":404}}"#, None),
        (r#"{"jsonrpc":"2.0","id":404,"result":{}}"#, None),
        (r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"echo"}}"#, None),
        (deep.as_str(), Some((Value::Null, -32700))),
        (huge.as_str(), Some((Value::Null, -32700))),
        ("   ", None),
    ];
    let mut talk = Talk::ready().await;
    run_cases(&mut talk, cases).await;
    assert_eq!(talk.surface.initialized.load(Ordering::SeqCst), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_breaks_the_conversation(
        initialized in any::<bool>(),
        lines in proptest::collection::vec(prop_oneof![
            any::<Vec<u8>>(),
            any::<String>().prop_map(String::into_bytes),
            r#"\{"jsonrpc":"2.0"(,"id":[0-9a-f"]{1,3})?,"method":"[a-z/]{1,12}"(,"params":[\[\]{}0-9a-z"]{0,8})?\}"#
                .prop_map(String::into_bytes),
        ], 0..12),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let mut talk = if initialized { Talk::ready().await } else { Talk::new() };
            for line in lines {
                talk.say(line).await;
            }
            talk.say(r#"{"jsonrpc":"2.0","id":"last","method":"ping"}"#).await;
            while talk.hear().await["id"] != "last" {}
        });
    }
}
