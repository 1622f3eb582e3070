//! Envelopes of services that send no header of their own.

use crate::template::fill;
use crate::{LIMIT, flatten};
use sluicegate_sdk::prelude::*;

/// The summary, if the envelope is known.
pub fn summary(document: &Value) -> Option<String> {
    slack(document).or_else(|| stripe(document))
}

/// Slack's Events API: a message as who, where and what; other events by their values.
fn slack(document: &Value) -> Option<String> {
    if json::text(document, "/type")? != "event_callback" {
        return None;
    }
    let event = document.get("event")?;
    let text = fill("{user|bot_id} in {channel}[, thread {thread_ts}]:\n{text:body}", event, &[]);
    match json::text(event, "/text") {
        Some(_) => Some(text),
        None => Some(flatten::lines(event, LIMIT)),
    }
}

/// Stripe's event: its type and id, then the object by its values.
fn stripe(document: &Value) -> Option<String> {
    if json::text(document, "/object")? != "event" {
        return None;
    }
    let head = fill("{type} ({id})[, live mode {livemode}]", document, &[]);
    let object = document.pointer("/data/object")?;
    let changed = document.pointer("/data/previous_attributes").map(|before| flatten::lines(before, LIMIT / 4));
    let changed = changed.map_or(String::new(), |before| format!("\nbefore:\n{before}\nnow:"));
    Some(format!("{head}{changed}\n{}", flatten::lines(object, LIMIT * 2 / 3)))
}
