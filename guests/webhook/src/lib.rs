//! Webhooks of any service.
//!
//! The host has checked the request's signature and reads identity from it; this adapter only finds readable
//! words. Plain text is shown as it is. JSON and forms become words of the adapter's own: a summary for the
//! events that GitHub, GitLab, Slack and Stripe are known for, else every value on a line of its own.
//!
//! Routes answer with the status alone, so Slack's `url_verification` challenge is delivered like anything else
//! and not answered: set up a Slack app with its Socket Mode, or behind something that answers the challenge.

mod body;
mod flatten;
mod github;
mod gitlab;
mod services;
mod template;

use body::Body;
use sluicegate_sdk::prelude::*;

/// Characters of a text made from JSON; longer ones end with the exact count of what was left out.
const LIMIT: usize = 12_000;
/// Characters of plain text that is shown as it is.
const TEXT_LIMIT: usize = 32_000;
/// Characters of a text that the host found too large.
const SHORT_LIMIT: usize = 4000;

/// The adapter.
pub struct Webhook;

impl Adapter for Webhook {
    const MANIFEST: &'static str = include_str!("../manifest.toml");

    fn handle(event: Event) -> Handled {
        match event {
            Event::Requested(request) => requested(&request),
            _ => Ok(None),
        }
    }
}

sluicegate_sdk::export_adapter!(Webhook);

fn requested(request: &RouteRequest) -> Handled {
    let body = Body::read(&request.item.body, request.header("content-type"));
    let mut message = Message::rule("event").meta("path", &request.path).meta("method", &request.method);
    if let Body::Json(document) = &body {
        message = message
            .meta("event", event_name(request, document).unwrap_or_default())
            .meta("action", action(document).unwrap_or_default());
    } else {
        message = message.meta("event", header_event(request).unwrap_or_default());
    }
    message = match &body {
        Body::Empty => message.placeholder("(no body)"),
        Body::Text(text) if text.chars().count() <= TEXT_LIMIT => message,
        Body::Text(text) => message.composed(template::clip(text, TEXT_LIMIT)),
        Body::Binary(size) => message.composed(format!("({size} bytes that are no text)")),
        Body::Json(document) => message.composed(template::clip(&describe(request, document), LIMIT + 500)),
    };
    match message.deliver() {
        Err(Refusal::TooLarge) => {
            let text = match message.wording.clone() {
                Wording::Composed(text) | Wording::Placeholder(text) => text,
                Wording::Read => String::from_utf8_lossy(&request.item.body).into_owned(),
            };
            message.composed(template::clip(&text, SHORT_LIMIT)).deliver()?;
        }
        other => other?,
    }
    Ok(None)
}

/// A summary where the service is known, else every value.
fn describe(request: &RouteRequest, document: &Value) -> String {
    let summary = if let Some(event) = request.header("x-github-event") {
        Some(github::summary(event, document))
    } else if request.header("x-gitlab-event").is_some() {
        gitlab::summary(document)
    } else {
        services::summary(document)
    };
    summary.unwrap_or_else(|| flatten::lines(document, LIMIT))
}

/// The service's name of the event: from its header, or the member that its envelope has for it.
fn event_name(request: &RouteRequest, document: &Value) -> Option<String> {
    let member = || {
        ["/event/type", "/type", "/event_type", "/object_kind"].iter().find_map(|pointer| json::text(document, pointer))
    };
    Some(template::clip(header_event(request).or_else(member)?, 100))
}

fn header_event(request: &RouteRequest) -> Option<&str> {
    ["x-github-event", "x-gitlab-event", "x-gitea-event", "x-event-key"].iter().find_map(|name| request.header(name))
}

fn action(document: &Value) -> Option<String> {
    let found = ["/action", "/object_attributes/action"].iter().find_map(|pointer| json::text(document, pointer))?;
    Some(template::clip(found, 100))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
