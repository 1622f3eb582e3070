//! Summaries of GitHub's events.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads>

pub mod events;

use crate::template::{self, at, fill};
use crate::{LIMIT, flatten};
use events::{EVENTS, VERBS};
use sluicegate_sdk::prelude::*;

/// Commits, pages or steps that are listed.
const LISTED: usize = 20;

/// Actions that bring what somebody wrote; with others the text is already known.
const WORDY: &[&str] = &[
    "",
    "opened",
    "created",
    "edited",
    "reopened",
    "submitted",
    "published",
    "prereleased",
    "released",
    "answered",
    "dismissed",
    "reported",
    "ready_for_review",
    "closed_by_user",
];

/// Members that say nothing about what happened.
const SURROUNDINGS: &[&str] = &["action", "repository", "organization", "enterprise", "installation", "sender"];

/// The summary of an event of that name: who did what, its state, its link, and what somebody wrote. Events that
/// this adapter does not know are shown by their values, without their surroundings.
pub fn summary(event: &str, document: &Value) -> String {
    let actor = template::value(document, "sender.login|pusher.name").unwrap_or_default();
    let action = json::text(document, "/action").unwrap_or_default();
    let place = template::value(document, "repository.full_name|organization.login|enterprise.slug");
    let place = place.map_or(String::new(), |place| format!("{place}: "));
    let Some((_, template, words)) = EVENTS.iter().find(|(known, _, _)| *known == event) else {
        let head = format!("{place}{} {} {}", actor, event.replace('_', " "), action.replace('_', " "));
        return format!("{}\n{}", head.trim_end(), rest(document)).trim_end().to_owned();
    };
    let verb = verb(event, action, document);
    let subject = if document.pointer("/issue/pull_request").is_some() { "pull request" } else { "issue" };
    let names = [("actor", actor.as_str()), ("verb", verb.as_str()), ("subject", subject)];
    let mut summary = format!("{place}{}", fill(template, document, &names));
    for line in details(event, document) {
        summary.push('\n');
        summary.push_str(&line);
    }
    if WORDY.contains(&action)
        && let Some(words) = template::value(document, &format!("{words}:body"))
    {
        summary = format!("{summary}\n\n{words}");
    }
    summary
}

/// The words for what was done: of this event, of any event, or the action's own name.
fn verb(event: &str, action: &str, document: &Value) -> String {
    let fits = |(of, name, when, _): &&(&str, &str, &str, &str)| {
        (of.is_empty() || *of == event)
            && *name == action
            && (when.is_empty() || at(document, when).is_some_and(|value| value == &Value::Bool(true)))
    };
    match VERBS.iter().find(fits) {
        Some((_, _, _, words)) => fill(words, document, &[]),
        None => action.replace('_', " "),
    }
}

/// Lines for each element of the lists that some events are about.
fn details(event: &str, document: &Value) -> Vec<String> {
    let (list, template) = match event {
        "push" => ("commits", "- {id:sha} {message}[ ({author.username|author.name})]"),
        "gollum" => ("pages", "- {action} {title}\n{html_url}"),
        "workflow_job" => {
            let steps = json::array(document, "/workflow_job/steps").iter();
            let failed = steps.filter(|step| json::text(step, "/conclusion") == Some("failure"));
            return failed.take(LISTED).map(|step| fill("failed step {number}: {name}", step, &[])).collect();
        }
        _ => return Vec::new(),
    };
    let all = json::array(document, &format!("/{list}"));
    let mut lines: Vec<String> = all.iter().take(LISTED).map(|one| fill(template, one, &[])).collect();
    if all.len() > LISTED {
        lines.push(format!("… and {} more {list}", all.len() - LISTED));
    }
    lines
}

/// The document by its values, without its surroundings and the addresses of the API.
fn rest(document: &Value) -> String {
    let mut document = document.clone();
    if let Value::Object(members) = &mut document {
        members.retain(|name, _| !SURROUNDINGS.contains(&name.as_str()));
    }
    strip(&mut document);
    match &document {
        Value::Object(members) if members.is_empty() => String::new(),
        other => flatten::lines(other, LIMIT / 2),
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| {
                let address = name == "url" || name.ends_with("_url");
                name != "node_id" && name != "gravatar_id" && (!address || name == "html_url" || name == "target_url")
            });
            members.values_mut().for_each(strip);
        }
        Value::Array(elements) => elements.iter_mut().for_each(strip),
        _ => {}
    }
}
