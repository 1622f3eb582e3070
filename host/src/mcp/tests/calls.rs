//! Tools, permission requests, and how a conversation ends.

use super::*;

#[tokio::test]
async fn tools_answer_fail_or_panic_and_the_conversation_goes_on() {
    let mut talk = Talk::ready().await;
    for (tool, text, is_error) in [
        ("echo", r#"{"a":1}"#, false),
        ("fails", "`chat_id` is missing", true),
        ("panics", "the tool failed inside Sluicegate; whether it took effect is not known", true),
        ("panics at once", "the tool failed inside Sluicegate; whether it took effect is not known", true),
    ] {
        talk.call(7, tool).await;
        let heard = talk.hear().await;
        assert_eq!(heard["result"]["content"], json!([{"type": "text", "text": text}]), "{tool}: {heard}");
        assert_eq!(heard["result"]["isError"].as_bool().unwrap_or(false), is_error, "{tool}");
    }
    talk.call(8, "gone").await;
    let heard = talk.hear().await;
    assert_eq!(heard["error"]["code"], -32602);
    assert!(heard["error"]["message"].as_str().unwrap().starts_with("gone: there is no such tool"));
    talk.still_answers().await;
}

#[tokio::test]
async fn a_cancelled_call_is_dropped_and_not_answered() {
    let mut talk = Talk::ready().await;
    talk.call(7, "never").await;
    talk.still_answers().await;
    talk.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7,"reason":"Esc"}}"#).await;
    while talk.surface.dropped.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    talk.still_answers().await;
}

#[tokio::test]
async fn a_call_ends_at_its_limit() {
    let mut talk = Talk::with(Options { hold: LONG, call_limit: Duration::from_millis(1) });
    talk.say(INITIALIZE).await;
    talk.hear().await;
    talk.call(7, "never").await;
    let heard = talk.hear().await;
    assert_eq!(heard["result"]["isError"], true);
    assert!(heard["result"]["content"][0]["text"].as_str().unwrap().starts_with("no answer within 1ms"));
    assert_eq!(talk.surface.dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn calls_at_once_are_bounded() {
    let mut talk = Talk::ready().await;
    for id in 100..170 {
        talk.call(id, "never").await;
    }
    for _ in 0..6 {
        let heard = talk.hear().await;
        assert!(heard["result"]["content"][0]["text"].as_str().unwrap().starts_with("too many"), "{heard}");
    }
    talk.still_answers().await;
    assert!(matches!(talk.hang_up().await, Quit::EndOfInput));
}

#[tokio::test]
async fn permission_requests_and_tool_calls_are_handed_over_in_order() {
    let mut talk = Talk::ready().await;
    let request = |id: u32| {
        json!({"jsonrpc": "2.0", "method": "notifications/claude/channel/permission_request", "params":
            {"request_id": id, "tool_name": "Bash", "description": "d", "input_preview": "{}"}})
        .to_string()
    };
    for id in 0..100 {
        talk.say(request(id)).await;
    }
    talk.say(json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "echo"}}).to_string()).await;
    assert_eq!(talk.hear().await["id"], 7);
    talk.say(request(100)).await;
    talk.say(r#"{"jsonrpc":"2.0","method":"notifications/claude/channel/permission_request","params":[1]}"#).await;
    talk.say(r#"{"jsonrpc":"2.0","method":"notifications/claude/channel/permission_request"}"#).await;
    talk.still_answers().await;
    let asked = talk.surface.asked.lock().unwrap().clone();
    let expected = (0..100).map(|id| json!(id)).chain([json!("a tool call"), json!(100)]);
    assert_eq!(asked, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_that_knows_the_tools_hears_of_changes() {
    let mut talk = Talk::ready().await;
    talk.changed.send_replace(1);
    talk.still_answers().await;
    talk.say(LIST).await;
    assert_eq!(talk.hear().await["result"]["tools"].as_array().unwrap().len(), 1);
    talk.surface.more_tools.store(true, Ordering::SeqCst);
    talk.changed.send_replace(2);
    assert_eq!(talk.hear().await, json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
    talk.say(LIST).await;
    let tools = talk.hear().await["result"]["tools"].clone();
    assert_eq!(tools[1]["name"], "web_more");
    assert!(tools[1].get("_meta").is_none());
}

#[tokio::test]
async fn each_end_has_its_reason() {
    assert!(matches!(Talk::new().hang_up().await, Quit::EndOfInput));
    assert!(matches!(Talk::ready().await.hang_up().await, Quit::EndOfInput));

    let mut busy = Talk::ready().await;
    busy.call(7, "never").await;
    busy.still_answers().await;
    let dropped = busy.surface.dropped.clone();
    assert!(matches!(busy.hang_up().await, Quit::EndOfInput));
    while dropped.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }

    let mut stopped = Talk::ready().await;
    stopped.stop.take().unwrap().send(()).unwrap();
    assert!(matches!(stopped.quit().await, Quit::Stopped));

    let mut gone = Talk::ready().await;
    gone.output.close();
    gone.say(LIST).await;
    assert!(matches!(gone.quit().await, Quit::Wire(WireEnd::Gone(_))));
}

#[tokio::test]
async fn what_was_asked_just_before_the_end_is_answered() {
    let mut talk = Talk::new();
    for line in [INITIALIZE, INITIALIZED, LIST] {
        talk.say(line).await;
    }
    talk.call(2, "echo").await;
    drop(talk.input.take());
    let (wire, mut output) = (talk.wire.clone(), std::mem::replace(&mut talk.output, mpsc::unbounded_channel().1));
    assert!(matches!(talk.quit().await, Quit::EndOfInput));
    assert!(matches!(wire.close(PATIENCE).await, Some(WireEnd::Closed)));
    let mut ids = Vec::new();
    while let Some(answer) = output.recv().await {
        ids.push(answer["id"].as_u64().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, [0, 1, 2]);
}
