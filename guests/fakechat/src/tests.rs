use super::*;
use sluicegate_sdk::testing::{Host, SentFrame, item, kept, outgoing, prompt, request};

const ID: &str = "6f1f2a30-5c9e-4d0a-9a56-0a1b2c3d4e5f";

fn page_says(host: &Host, frame: Value) -> Handled {
    host.handle::<Fakechat>(Event::Received(item("socket", Some(7), frame.to_string())))
}

fn claude_says(host: &Host, text: &str) -> String {
    match host.perform::<Fakechat>(Action::Send(outgoing("web", text))).unwrap() {
        Outcome::Sent(ids) => ids[0].clone(),
        _ => unreachable!("send answers with the id"),
    }
}

fn place() -> Place {
    Place { conversation: "web".to_owned(), thread: None }
}

fn history_of(host: &Host) -> Vec<Value> {
    host.take_frames();
    host.handle::<Fakechat>(Event::Opened(("socket".to_owned(), 3))).unwrap();
    let frames: Vec<SentFrame> = host.take_frames();
    assert!(frames.iter().all(|frame| frame.to == Some(3) && frame.json()["type"] == "history"));
    assert_eq!(frames.last().unwrap().json()["more"], false);
    frames.iter().flat_map(|frame| json::array(&frame.json(), "/messages").to_vec()).collect()
}

#[test]
fn the_manifest_is_toml_and_its_hint_short_enough() {
    let manifest: toml::Table = Fakechat::MANIFEST.parse().unwrap();
    assert_eq!(manifest["name"].as_str(), Some("fakechat"));
    assert!(manifest["hint"].as_str().unwrap().chars().count() <= 300);
    let profile: toml::Table = include_str!("../../../host/profiles/fakechat.toml").parse().unwrap();
    let rules = profile["identity"].as_array().unwrap();
    assert!(["message", "upload"].iter().all(|name| rules.iter().any(|rule| rule["name"].as_str() == Some(name))));
}

#[test]
fn a_message_is_delivered_kept_shown_to_all_and_acknowledged_to_one() {
    let host = Host::new();
    page_says(&host, json!({ "type": "message", "id": ID, "text": "Hello", "reply_to": "c-1" })).unwrap();
    assert_eq!(host.deliveries(), [Message::rule("message")]);
    let frames = host.take_frames();
    assert_eq!(frames[0].to, None);
    assert_eq!(frames[0].json()["message"]["reply_to"], "c-1");
    assert_eq!(frames[1].to, Some(7));
    assert_eq!(frames[1].json(), json!({ "type": "ack", "id": ID }));
    assert_eq!(history_of(&host)[0]["text"], "Hello");
}

#[test]
fn a_repeated_message_is_only_acknowledged() {
    let host = Host::new();
    let frame = json!({ "type": "message", "id": ID, "text": "Hello" });
    page_says(&host, frame.clone()).unwrap();
    host.take_frames();
    page_says(&host, frame).unwrap();
    assert_eq!(host.deliveries().len(), 1);
    assert_eq!(
        host.take_frames().iter().map(SentFrame::json).collect::<Vec<_>>(),
        [json!({ "type": "ack", "id": ID })]
    );
    assert_eq!(history_of(&host).len(), 1);
}

#[test]
fn the_page_hears_of_a_refusal_and_nothing_is_kept() {
    let cases = [
        json!({ "type": "message", "id": ID, "text": " \n" }),
        json!({ "type": "message", "text": "no id" }),
        json!({ "type": "message", "id": "../x", "text": "bad id" }),
        json!({ "type": "message", "id": "x".repeat(65), "text": "long id" }),
    ];
    for case in cases {
        let host = Host::new();
        page_says(&host, case.clone()).unwrap();
        assert_eq!(host.take_frames()[0].json()["type"], "refused", "{case}");
        assert!(host.deliveries().is_empty() && host.state().is_empty());
    }
    let host = Host::new();
    host.refuse("message", Refusal::TooLarge);
    page_says(&host, json!({ "type": "message", "id": ID, "text": "huge" })).unwrap();
    assert_eq!(host.take_frames()[0].json()["reason"], "the message is too large");
    assert!(host.state().is_empty());
}

#[test]
fn frames_of_another_type_are_ignored_and_junk_is_invalid() {
    let host = Host::new();
    assert_eq!(page_says(&host, json!({ "type": "hello" })), Ok(None));
    let junk = host.handle::<Fakechat>(Event::Received(item("socket", Some(7), "{")));
    assert!(matches!(junk, Err(Failure::Invalid(_))));
    assert!(host.take_frames().is_empty());
}

#[test]
fn an_upload_delivers_its_files_and_they_can_be_had_back() {
    let host = Host::new();
    let mut upload = request("upload", "POST", "/upload", json!({ "id": ID }).to_string());
    upload.files = vec![kept("f1", "cat.png", "image/png", 10), kept("f2", "page.html", "text/html", 20)];
    assert_eq!(host.handle::<Fakechat>(Event::Requested(upload)), Ok(None));
    let delivered = &host.deliveries()[0];
    assert_eq!((delivered.rule.as_str(), &delivered.wording), ("upload", &Wording::Placeholder("(files)".to_owned())));
    assert_eq!(delivered.attachments[0], Attachment::kept("photo", &kept("f1", "cat.png", "image/png", 10)));

    let get = |id: &str| {
        let request = request("file", "GET", &format!("/files/{id}"), "");
        host.handle::<Fakechat>(Event::Requested(request)).unwrap().unwrap()
    };
    let header = |answer: &RouteResponse, name: &str| {
        answer.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap()
    };
    assert_eq!(get("f1").body, Content::File("f1".to_owned()));
    assert_eq!(header(&get("f1"), "content-type"), "image/png");
    assert_eq!(header(&get("f2"), "content-type"), "application/octet-stream", "an uploaded page must not run");
    assert_eq!(header(&get("f2"), "content-disposition"), "attachment");
    assert_eq!(get("f3").status, 404);

    let fetched = host.perform::<Fakechat>(Action::Fetch("f2".to_owned()));
    assert_eq!(fetched, Ok(Outcome::Kept(kept("f2", "page.html", "text/html", 20))));
    assert!(host.perform::<Fakechat>(Action::Fetch("f3".to_owned())).is_err());
}

#[test]
fn a_refused_upload_fails_so_that_the_host_answers_it() {
    let host = Host::new();
    let empty = request("upload", "POST", "/upload", json!({ "id": ID, "text": "" }).to_string());
    assert!(matches!(host.handle::<Fakechat>(Event::Requested(empty)), Err(Failure::Invalid(_))));
}

#[test]
fn claudes_messages_are_shown_with_their_spans_and_files() {
    let host = Host::new();
    let mut message = outgoing("web", "see docs");
    message.reply_to = Some(ID.to_owned());
    message.text.spans = vec![Span { start: 4, end: 8, style: Style::Link("https://example.org".to_owned()) }];
    message.files = vec![kept("f9", "a.pdf", "application/pdf", 5)];
    host.perform::<Fakechat>(Action::Send(message)).unwrap();
    let shown = host.take_frames()[0].json()["message"].clone();
    assert_eq!(shown["from"], "claude");
    assert_eq!(shown["reply_to"], ID);
    assert_eq!(shown["spans"], json!([{ "start": 4, "end": 8, "style": "link", "value": "https://example.org" }]));
    assert_eq!(shown["files"][0]["name"], "a.pdf");
}

#[test]
fn edits_and_reactions_change_the_kept_message() {
    let host = Host::new();
    page_says(&host, json!({ "type": "message", "id": ID, "text": "Hello" })).unwrap();
    let answer = claude_says(&host, "first");
    let edit = |message: &str| {
        Action::Edit(Edit { place: place(), message: message.to_owned(), text: RichText::plain("second") })
    };
    let react =
        |emoji: &str| Action::React(Reaction { place: place(), message: ID.to_owned(), emoji: emoji.to_owned() });
    assert_eq!(host.perform::<Fakechat>(edit(&answer)), Ok(Outcome::Done));
    assert!(host.perform::<Fakechat>(edit(ID)).is_err(), "the user's words are not Claude's to change");
    assert!(host.perform::<Fakechat>(edit("c-unknown")).is_err());
    for emoji in ["👍", "🎉", "👍"] {
        host.perform::<Fakechat>(react(emoji)).unwrap();
    }
    let kept = history_of(&host);
    assert_eq!(kept[0]["reactions"], json!(["👍", "🎉"]));
    assert_eq!((&kept[1]["text"], &kept[1]["edited"]), (&json!("second"), &json!(true)));
    host.perform::<Fakechat>(react("")).unwrap();
    assert_eq!(history_of(&host)[0].get("reactions"), None);
}

const BUTTONS: [(&str, &str); 2] = [("Allow", "sg.1"), ("Deny", "sg.2")];

fn host_asks(host: &Host) -> String {
    match host.perform::<Fakechat>(Action::Ask(prompt("web", "Run **it**?", &BUTTONS))).unwrap() {
        Outcome::Sent(ids) => ids[0].clone(),
        _ => unreachable!("a new question answers with its id"),
    }
}

#[test]
fn a_question_is_shown_and_kept_with_its_buttons_until_it_is_over() {
    let host = Host::new();
    let asked = host_asks(&host);
    let shown = host.take_frames().remove(0).json()["message"].clone();
    let choices = json!([{ "label": "Allow", "token": "sg.1" }, { "label": "Deny", "token": "sg.2" }]);
    assert_eq!((&shown["id"], &shown["from"]), (&json!(asked), &json!("host")));
    assert_eq!((&shown["text"], &shown["choices"]), (&json!("Run **it**?"), &choices));
    assert_eq!(history_of(&host), std::slice::from_ref(&shown), "it is there after a reload");

    let mut over = Prompt { replaces: Some(asked.clone()), ..prompt("web", "Allowed by you.", &[]) };
    over.text.spans = vec![Span { start: 0, end: 7, style: Style::Bold }];
    assert_eq!(host.perform::<Fakechat>(Action::Ask(over)), Ok(Outcome::Done));
    let outcome = host.take_frames().remove(0).json()["message"].clone();
    assert_eq!(
        (&outcome["id"], &outcome["time"], &outcome["text"]),
        (&shown["id"], &shown["time"], &json!("Allowed by you."))
    );
    assert_eq!((outcome.get("choices"), &outcome["spans"][0]["style"]), (None, &json!("bold")));
    assert_eq!(history_of(&host), [outcome]);
}

#[test]
fn only_the_host_changes_a_question_and_it_changes_nothing_else() {
    let host = Host::new();
    page_says(&host, json!({ "type": "message", "id": ID, "text": "Hello" })).unwrap();
    let (answer, asked) = (claude_says(&host, "first"), host_asks(&host));
    let before = history_of(&host);
    let text = || RichText::plain("second");
    for action in [
        Action::Edit(Edit { place: place(), message: asked.clone(), text: text() }),
        Action::React(Reaction { place: place(), message: asked, emoji: "👍".to_owned() }),
        Action::Ask(Prompt { replaces: Some(ID.to_owned()), ..prompt("web", "?", &BUTTONS) }),
        Action::Ask(Prompt { replaces: Some(answer), ..prompt("web", "?", &BUTTONS) }),
        Action::Ask(Prompt { replaces: Some("h-unknown".to_owned()), ..prompt("web", "?", &BUTTONS) }),
    ] {
        assert!(matches!(host.perform::<Fakechat>(action), Err(Failure::Invalid(_))));
    }
    assert_eq!(history_of(&host), before);
}

/// The host reads it before; what it lets through says nothing.
#[test]
fn a_pressed_button_is_none_of_the_adapters_business() {
    let host = Host::new();
    let asked = host_asks(&host);
    let before = (host.state(), host.take_frames().len());
    let frame = json!({ "type": "button", "id": ID, "message": asked, "token": "sg.1" });
    assert_eq!(page_says(&host, frame), Ok(None));
    assert_eq!((host.state(), host.take_frames().len(), host.deliveries()), (before.0, 0, vec![]));
}

/// They run beside each other, each on a snapshot: of a key that both write, one's value would be lost.
#[test]
fn handle_and_perform_write_no_key_in_common() {
    let host = Host::new();
    let answer = claude_says(&host, "first");
    let before = host.state();
    page_says(&host, json!({ "type": "message", "id": ID, "text": "Hello", "reply_to": answer })).unwrap();
    let mut upload = request("upload", "POST", "/upload", json!({ "id": "with-file" }).to_string());
    upload.files = vec![kept("f1", "cat.png", "image/png", 10)];
    host.handle::<Fakechat>(Event::Requested(upload)).unwrap();
    let between = host.state();
    let text = RichText::plain("second");
    host.perform::<Fakechat>(Action::Edit(Edit { place: place(), message: answer.clone(), text })).unwrap();
    for message in [ID, &answer] {
        let reaction = Reaction { place: place(), message: message.to_owned(), emoji: "👍".to_owned() };
        host.perform::<Fakechat>(Action::React(reaction)).unwrap();
    }
    claude_says(&host, "third");
    host_asks(&host);
    let after = host.state();
    for (key, value) in &between {
        let by_handle = before.get(key) != Some(value);
        assert!(!by_handle || after.get(key) == Some(value), "{key} is written by both");
    }
}

#[test]
fn reactions_are_bounded_and_survive_an_edit() {
    let host = Host::new();
    let answer = claude_says(&host, "first");
    for number in 0..500 {
        let id = format!("id-{number}");
        page_says(&host, json!({ "type": "message", "id": id, "text": "x" })).unwrap();
        for message in [&id, &answer] {
            let emoji = format!("e{number}");
            let reaction = Reaction { place: place(), message: message.clone(), emoji };
            host.perform::<Fakechat>(Action::React(reaction)).unwrap();
        }
    }
    let edit = Edit { place: place(), message: answer.clone(), text: RichText::plain("second") };
    host.perform::<Fakechat>(Action::Edit(edit)).unwrap();
    let shown = host.take_frames().last().unwrap().json()["message"].clone();
    assert_eq!((&shown["text"], shown["reactions"].as_array().unwrap().len()), (&json!("second"), 8));
    let reactions: Vec<(String, Vec<String>)> = item("", None, host.state()["reactions"].clone()).json().unwrap();
    assert_eq!(reactions.len(), 400);
}

#[test]
fn typing_is_shown_and_the_rest_is_unsupported() {
    let host = Host::new();
    host.perform::<Fakechat>(Action::Typing(place())).unwrap();
    assert_eq!(host.take_frames()[0].json(), json!({ "type": "typing" }));
    let query = HistoryQuery { place: place(), limit: 1, before: None };
    assert_eq!(host.perform::<Fakechat>(Action::History(query)), Err(Failure::Unsupported));
}

#[test]
fn the_last_two_hundred_messages_are_shown_and_the_state_stays_bounded() {
    let host = Host::new();
    for number in 0..250 {
        page_says(&host, json!({ "type": "message", "id": format!("id-{number}"), "text": number.to_string() }))
            .unwrap();
        claude_says(&host, &format!("re {number}"));
    }
    let kept = history_of(&host);
    assert_eq!(kept.len(), 200);
    assert!(kept.iter().any(|message| message["text"] == "re 249"));
    assert_eq!(host.state().len(), 2 + 2 * 200);
}

#[test]
fn a_long_history_comes_in_several_frames() {
    let host = Host::new();
    for number in 0..10 {
        let text = "x".repeat(30_000);
        page_says(&host, json!({ "type": "message", "id": format!("id-{number}"), "text": text })).unwrap();
    }
    assert_eq!(history_of(&host).len(), 10);
    host.handle::<Fakechat>(Event::Opened(("socket".to_owned(), 3))).unwrap();
    assert!(host.take_frames().len() > 2);
}

#[test]
fn the_page_and_all_it_names_are_served_and_nothing_is_inline() {
    let host = Host::new();
    let get = |source: &str, path: &str| {
        host.handle::<Fakechat>(Event::Requested(request(source, "GET", path, ""))).unwrap().unwrap()
    };
    let text = |answer: RouteResponse| match answer.body {
        Content::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
        Content::File(_) => unreachable!("an asset is no file"),
    };
    let page = text(get("page", "/"));
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick="));
    let named = page.split('"').filter(|word| word.starts_with("assets/")).collect::<Vec<_>>();
    assert!(named.len() >= 3);
    for path in named {
        assert_eq!(get("asset", &format!("/{path}")).status, 200, "{path}");
    }
    for module in ["app.js", "card.js", "connection.js", "outbox.js", "presses.js", "text.js", "view.js"] {
        let script = text(get("asset", module));
        assert!(!script.contains("innerHTML") && !script.contains("eval("));
        for import in script.split("from \"./").skip(1) {
            let name = import.split('"').next().unwrap();
            assert_eq!(get("asset", name).status, 200, "{module} imports {name}");
        }
    }
    assert_eq!(get("asset", "nothing.js").status, 404);
}
