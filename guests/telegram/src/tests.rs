mod actions;
mod contract;
mod updates;

use super::*;
use sluicegate_sdk::serde_json;
use sluicegate_sdk::testing::Host;

/// A host to which Telegram has said who the bot is.
fn started() -> Host {
    let host = Host::new();
    let me = json!({ "id": 7000000001_u64, "is_bot": true, "first_name": "Claude", "username": "Claude_Bot" });
    host.answer("getMe", ok(me));
    host.handle::<Telegram>(Event::Started).unwrap();
    host
}

fn ok(result: Value) -> Response {
    Response::json(200, &json!({ "ok": true, "result": result }))
}

fn no(status: u16, description: &str) -> Response {
    Response::json(status, &json!({ "ok": false, "error_code": status, "description": description }))
}

/// What the host records, with what the profile says about every request and every delivery checked.
fn checked(host: &Host, purpose: &str) -> Vec<Request> {
    let requests = host.requests();
    requests.iter().filter(|request| request.endpoint != "getMe").for_each(|it| contract::check_request(it, purpose));
    requests.into_iter().filter(|request| request.endpoint != "getMe").collect()
}

/// The JSON of a request, or the parts of a multipart body as an object, with files by their handles.
fn body(request: &Request) -> Value {
    match &request.body {
        Body::Json(text) => serde_json::from_str(text).unwrap(),
        Body::Multipart(parts) => parts.iter().map(|part| (part.name.clone(), part_value(part))).collect(),
        _ => Value::Null,
    }
}

fn part_value(part: &Part) -> Value {
    match &part.body {
        Content::File(file) => json!({ "file": file }),
        Content::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap().into(),
    }
}

#[test]
fn the_bot_is_asked_for_at_the_start_and_again_when_it_is_needed() {
    let host = started();
    host.answer("getMe", no(401, "Unauthorized"));
    host.handle::<Telegram>(Event::Started).unwrap();
    assert!(host.state().is_empty(), "what was known may be another bot");
    host.answer("getMe", Response { status: 502, headers: vec![], body: b"<html>Bad Gateway".to_vec() });
    host.handle::<Telegram>(Event::Started).unwrap();
    assert!(host.logs().iter().any(|(_, line)| line.contains("no answer of Telegram's: <html>Bad Gateway")));
    host.answer("getMe", ok(json!({ "id": 5, "username": "new_bot" })));
    let mentioned =
        json!({ "message_id": 1, "text": "@new_bot", "entities": [{ "type": "mention", "offset": 0, "length": 8 }] });
    let update = json!({ "update_id": 1, "message": mentioned });
    host.handle::<Telegram>(Event::Received(testing::item("updates", None, update.to_string()))).unwrap();
    assert!(host.deliveries()[0].mentions_me);
    assert_eq!(host.state().len(), 1);
}
