use super::*;
use sluicegate_sdk::testing::{Host, request};

/// The message that a request of this body and these headers becomes.
fn message(body: impl Into<Vec<u8>>, headers: &[(&str, &str)]) -> Message {
    let host = Host::new();
    let mut request = request("hook", "POST", "/ci", body);
    request.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(host.handle::<Webhook>(Event::Requested(request)), Ok(None));
    host.deliveries().remove(0)
}

fn composed(body: &Value, headers: &[(&str, &str)]) -> String {
    match message(body.to_string(), headers).wording {
        Wording::Composed(text) => text,
        other => unreachable!("JSON is told in the adapter's words, not {other:?}"),
    }
}

fn meta<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    message.meta.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[test]
fn the_manifest_is_toml_and_its_hint_short_enough() {
    let manifest: toml::Table = Webhook::MANIFEST.parse().unwrap();
    assert_eq!(manifest["name"].as_str(), Some("webhook"));
    assert!(manifest["hint"].as_str().unwrap().chars().count() <= 300);
    assert_eq!(manifest["composes"].as_bool(), Some(true));
    let profile: toml::Table = include_str!("../../../host/profiles/webhook.toml").parse().unwrap();
    assert_eq!(profile["identity"][0]["name"].as_str(), Some("event"));
}

#[test]
fn plain_text_is_read_by_the_host_whatever_it_is_labelled() {
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    for body in ["build failed", "deploy done: status=ok at 12:00", "größe=1", "{not json", "\"quoted\"", "42"] {
        assert_eq!(message(body, &form).wording, Wording::Read, "{body}");
    }
    let text = message("build failed", &[]);
    assert_eq!((meta(&text, "path"), meta(&text, "method"), meta(&text, "event")), (Some("/ci"), Some("POST"), None));
}

#[test]
fn bodies_that_are_no_text_are_named() {
    assert_eq!(message("", &[]).wording, Wording::Placeholder("(no body)".to_owned()));
    assert_eq!(message(" \n", &[]).wording, Wording::Placeholder("(no body)".to_owned()));
    assert_eq!(message(vec![0xff, 0xfe, 0], &[]).wording, Wording::Composed("(3 bytes that are no text)".to_owned()));
}

#[test]
fn long_text_is_cut_and_the_rest_counted() {
    let Wording::Composed(text) = message("x".repeat(TEXT_LIMIT + 9), &[]).wording else { unreachable!() };
    assert!(text.ends_with("… (9 more characters)"));
}

#[test]
fn what_the_host_finds_too_large_fails_only_when_a_short_form_is_too() {
    let host = Host::new();
    host.refuse("event", Refusal::TooLarge);
    let result = host.handle::<Webhook>(Event::Requested(request("hook", "POST", "/ci", "text")));
    assert!(matches!(result, Err(Failure::Invalid(_))));
}

#[test]
fn forms_are_told_by_their_fields_or_by_the_json_in_payload() {
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    assert_eq!(
        message("a=1&b=x+y&a=2", &form).wording,
        Wording::Composed("a[0]: \"1\"\na[1]: \"2\"\nb: x y".to_owned())
    );
    let payload = message("payload=%7B%22zen%22%3A%22Be%22%7D", &[form[0], ("x-github-event", "ping")]);
    assert_eq!(payload.wording, Wording::Composed("GitHub says hello: Be\nevents:".to_owned()));
}

#[test]
fn a_push_names_branch_commits_and_link() {
    let push = json!({
        "ref": "refs/heads/main", "created": false, "forced": false, "compare": "https://github.example/o/r/compare/a...b",
        "commits": [{ "id": "0123456789abcdef", "message": "Fix it\n\nLong story", "author": { "username": "kim" } }],
        "repository": { "full_name": "o/r" }, "sender": { "login": "kim" },
    });
    let headers = [("X-GitHub-Event", "push")];
    assert_eq!(
        composed(&push, &headers),
        "o/r: kim pushed to main (1 commit)\nhttps://github.example/o/r/compare/a...b\n- 0123456 Fix it (kim)"
    );
    assert_eq!(meta(&message(push.to_string(), &headers), "event"), Some("push"));
}

#[test]
fn a_pull_request_is_told_by_what_was_done_to_it() {
    let mut event = json!({
        "action": "opened", "repository": { "full_name": "o/r" }, "sender": { "login": "kim" },
        "pull_request": {
            "number": 7, "title": "Add a door", "state": "open", "draft": true, "html_url": "https://github.example/o/r/pull/7",
            "body": "It opens.", "head": { "label": "kim:door" }, "base": { "ref": "main" }, "user": { "login": "kim" },
            "commits": 1, "additions": 5, "deletions": 2, "labels": [{ "name": "feature" }],
        },
    });
    let headers = [("x-github-event", "pull_request")];
    assert_eq!(
        composed(&event, &headers),
        "o/r: kim opened pull request #7: Add a door\n\
         kim:door → main, open, draft, by kim, 1 commit, +5 −2, labels feature\n\
         https://github.example/o/r/pull/7\n\nIt opens."
    );
    assert_eq!(meta(&message(event.to_string(), &headers), "action"), Some("opened"));
    event["action"] = json!("closed");
    event["pull_request"]["merged"] = json!(true);
    let merged = composed(&event, &headers);
    assert!(merged.starts_with("o/r: kim merged pull request #7") && !merged.contains("It opens."), "{merged}");
    event["action"] = json!("labeled");
    event["label"] = json!({ "name": "bug" });
    assert!(composed(&event, &headers).starts_with("o/r: kim added label bug to pull request #7"));
}

#[test]
fn a_failed_job_names_its_failed_steps() {
    let job = json!({
        "action": "completed", "repository": { "full_name": "o/r" }, "sender": { "login": "kim" },
        "workflow_job": {
            "name": "test", "workflow_name": "CI", "head_branch": "main", "status": "completed", "conclusion": "failure",
            "html_url": "https://github.example/job", "steps": [
                { "number": 1, "name": "Checkout", "conclusion": "success" }, { "number": 2, "name": "Test", "conclusion": "failure" },
            ],
        },
    });
    assert_eq!(
        composed(&job, &[("x-github-event", "workflow_job")]),
        "o/r: job test of CI on main: failure\nhttps://github.example/job\nfailed step 2: Test"
    );
}

#[test]
fn unknown_events_of_github_are_told_by_their_values() {
    let event = json!({
        "action": "did_it", "sender": { "login": "kim" }, "repository": { "full_name": "o/r", "id": 1 },
        "thing": { "name": "x", "url": "https://api", "html_url": "https://page", "node_id": "n" },
    });
    assert_eq!(
        composed(&event, &[("x-github-event", "new_thing")]),
        "o/r: kim new thing did it\nthing.name: x\nthing.html_url: https://page"
    );
}

#[test]
fn gitlab_slack_and_stripe_are_told_shortly() {
    let merge = json!({
        "object_kind": "merge_request", "user": { "username": "kim" }, "project": { "path_with_namespace": "g/p" },
        "object_attributes": {
            "iid": 3, "title": "Add", "action": "open", "state": "opened", "source_branch": "a", "target_branch": "main",
            "url": "https://gitlab.example/3", "description": "Why",
        },
    });
    assert_eq!(
        composed(&merge, &[("X-Gitlab-Event", "Merge Request Hook")]),
        "g/p: kim: merge request !3 open: Add\na → main, opened\nhttps://gitlab.example/3\n\nWhy"
    );
    let merge = message(merge.to_string(), &[("X-Gitlab-Event", "Merge Request Hook")]);
    assert_eq!((meta(&merge, "event"), meta(&merge, "action")), (Some("Merge Request Hook"), Some("open")));

    let slack = json!({ "type": "event_callback", "event": { "type": "message", "user": "U1", "channel": "C1", "text": "a\nb" } });
    assert_eq!(composed(&slack, &[]), "U1 in C1:\na\nb");
    assert_eq!(meta(&message(slack.to_string(), &[]), "event"), Some("message"));

    let stripe = json!({ "object": "event", "id": "evt_1", "type": "invoice.paid", "livemode": false, "data": { "object": { "total": 5 } } });
    assert_eq!(composed(&stripe, &[]), "invoice.paid (evt_1), live mode false\ntotal: 5");
    assert_eq!(meta(&message(stripe.to_string(), &[]), "event"), Some("invoice.paid"));
}

#[test]
fn nothing_that_parses_fails() {
    let odd = [
        json!([]),
        json!({}),
        json!({ "action": 1, "sender": "x" }),
        json!({ "commits": {}, "type": [] }),
        json!([[[]]]),
    ];
    let services = [None, Some(("x-gitlab-event", "Push Hook"))];
    let github = github::events::EVENTS.iter().map(|(name, _, _)| Some(("x-github-event", *name)));
    for header in services.into_iter().chain(github) {
        for body in &odd {
            message(body.to_string(), header.as_slice());
        }
    }
    message("[".repeat(5000), &[]);
}
