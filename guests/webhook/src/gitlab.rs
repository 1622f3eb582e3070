//! Summaries of GitLab's events.

use crate::template::{self, fill};
use sluicegate_sdk::prelude::*;

/// The kind of object, the summary, and where the words of a person are.
const EVENTS: &[(&str, &str, &str)] = &[
    (
        "push",
        "{actor} pushed {total_commits_count:count=commit} to {ref:ref}[ ({checkout_sha:sha})]\n{project.web_url}",
        "",
    ),
    ("tag_push", "{actor} pushed tag {ref:ref}[ ({checkout_sha:sha})]\n{project.web_url}", "message"),
    (
        "merge_request",
        "{actor}: merge request !{object_attributes.iid} {action}: {object_attributes.title}\n\
         {object_attributes.source_branch} → {object_attributes.target_branch}, {object_attributes.state}\
         [, {object_attributes.draft:is=draft}][, changed {changes:keys}]\n{object_attributes.url}",
        "object_attributes.description",
    ),
    (
        "issue",
        "{actor}: issue #{object_attributes.iid} {action}: {object_attributes.title}\n\
         {object_attributes.state}[, labels {labels:names}][, changed {changes:keys}]\n{object_attributes.url}",
        "object_attributes.description",
    ),
    (
        "note",
        "{actor} commented on {object_attributes.noteable_type}[ !{merge_request.iid}: {merge_request.title}]\
         [ #{issue.iid}: {issue.title}][ {commit.id:sha}: {commit.message}]\n{object_attributes.url}",
        "object_attributes.note",
    ),
    (
        "pipeline",
        "pipeline {object_attributes.id} on {object_attributes.ref}: {object_attributes.status}\
         [ ({object_attributes.duration} s)][, started by {actor}]\n[{commit.id:sha} ]{commit.title|commit.message}\n\
         {object_attributes.url|project.web_url}",
        "",
    ),
    (
        "build",
        "job {build_name} ({build_stage}) on {ref}: {build_status}[, {build_failure_reason:not=unknown_failure}]\
         [, started by {actor}]\n[{sha:sha} ]{commit.message}\n[{project.web_url|repository.homepage}/-/jobs/{build_id}]",
        "",
    ),
    ("release", "release {tag} {action}[: {name}]\n{url}", "description"),
    (
        "deployment",
        "deployment to {environment}: {status}[, {user.name}]\n[{short_sha} ]{commit_title}\n{deployable_url}",
        "",
    ),
];

/// The summary, if the kind of event is known.
pub fn summary(document: &Value) -> Option<String> {
    let kind = json::text(document, "/object_kind")?;
    let (_, template, body) = EVENTS.iter().find(|(known, _, _)| *known == kind)?;
    let actor = template::value(document, "user.username|user_username|user.name|user_name").unwrap_or_default();
    let action = template::value(document, "object_attributes.action:words|action:words").unwrap_or_default();
    let text = fill(template, document, &[("actor", &actor), ("action", &action)]);
    let project = template::value(document, "project.path_with_namespace|project_name|project.name");
    let mut summary = project.map_or(text.clone(), |project| format!("{project}: {text}"));
    for commit in json::array(document, "/commits").iter().take(20) {
        summary.push('\n');
        summary.push_str(&fill("- {id:sha} {title|message}[ ({author.name})]", commit, &[]));
    }
    if let Some(words) = template::value(document, &format!("{body}:body")) {
        summary = format!("{summary}\n\n{words}");
    }
    Some(summary)
}
