//! Sends over `wasi:http`, as the HTTP clients of other languages do: to endpoints, and to where it must not.

use sluicegate_sdk::prelude::*;
use wasi::http::{
    outgoing_handler,
    types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme},
};

struct Fetcher;

impl Adapter for Fetcher {
    const MANIFEST: &'static str = r#"
name = "fetcher"
version = "0.1.0"
summary = "Adapter of the tests that speaks wasi:http"
profile = "telegram"
actions = ["send"]

[[tool]]
name = "fetch"
summary = "Requests an address outside of any action"
[tool.params.authority]
type = "string"
required = true
"#;

    fn handle(event: Event) -> Handled {
        if let Event::Received(_) = event {
            Message::rule("message").placeholder("(nothing)").deliver_if_it_applies()?;
        }
        Ok(None)
    }

    fn perform(action: Action) -> Performed {
        match action {
            Action::Send(outgoing) => {
                let body = json!({ "chat_id": outgoing.place.conversation, "text": outgoing.text.text });
                let sent = post("sendMessage.endpoint.invalid", &body.to_string());
                sent.map_err(Failure::Invalid)?;
                Ok(Outcome::Done)
            }
            Action::Call(call) => {
                let arguments: Value = sluicegate_sdk::serde_json::from_str(&call.arguments)?;
                let authority = arguments["authority"].as_str().unwrap_or_default();
                Ok(Outcome::Text(post(authority, "{}").unwrap_or_else(|error| format!("error: {error}"))))
            }
            _ => Err(Failure::Unsupported),
        }
    }
}

export_adapter!(Fetcher);

/// Posts JSON; gives the status, or what went wrong.
fn post(authority: &str, json: &str) -> Result<String, String> {
    let shown = |error: &dyn std::fmt::Debug| format!("{error:?}");
    let headers = Fields::from_list(&[
        ("content-type".to_owned(), b"application/json".to_vec()),
        ("user-agent".to_owned(), b"fetcher/1".to_vec()),
    ]);
    let request = OutgoingRequest::new(headers.map_err(|error| shown(&error))?);
    request.set_method(&Method::Post).map_err(|()| "method")?;
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| "scheme")?;
    request.set_authority(Some(authority)).map_err(|()| "authority")?;
    request.set_path_with_query(Some("/")).map_err(|()| "path")?;
    let body = request.body().map_err(|()| "body")?;
    let future = outgoing_handler::handle(request, None).map_err(|error| shown(&error))?;
    let stream = body.write().map_err(|()| "stream")?;
    let written = stream.blocking_write_and_flush(json.as_bytes());
    drop(stream);
    let finished = OutgoingBody::finish(body, None);
    loop {
        if let Some(answered) = future.get() {
            let response = answered.map_err(|()| "taken twice")?.map_err(|error| shown(&error))?;
            written.map_err(|error| shown(&error))?;
            finished.map_err(|error| shown(&error))?;
            return Ok(format!("status {}", response.status()));
        }
        future.subscribe().block();
    }
}
