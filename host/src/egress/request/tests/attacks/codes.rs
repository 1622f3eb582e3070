//! Codes and tokens of prompts that are good for something, in requests that are not theirs.

use std::collections::HashSet;

use super::super::platform::*;
use crate::{
    egress::{Asked, Content, Part, Permit, request},
    manifest::{Action, Endpoint, Use},
    relay::{AskId, Codes, Live},
};

const WHY: &str = "the code or token of a permission prompt";

/// A prompt of somebody else's that waits.
fn waiting() -> (Live, Codes) {
    let (live, codes) = (Live::default(), Codes::mint(&HashSet::new()).unwrap());
    live.add(AskId(7), codes.clone());
    (live, codes)
}

fn any(purpose: Use) -> Permit {
    match purpose {
        Use::Action(Action::Ask) => ask(),
        Use::Action(action) => permit(action),
        purpose => Permit::bare(purpose),
    }
}

/// All ways in which something of the adapter's gets into a request.
fn ways(text: &str) -> Vec<(&'static str, Endpoint, Asked)> {
    let quoted = serde_json::to_string(text).unwrap();
    let entity = |member: &str| message(&format!(r#","entities":[{{"type":"bold"}},{{"{member}":{quoted}}}]"#));
    let named = |id: &str| {
        let mut part = file_part("photo", "f-named", None);
        if let Content::File(file) = &mut part.content {
            file.name = id.into();
        }
        part
    };
    let with = |part: Part| multipart(vec![text_part("chat_id", CHAT), part]);
    let reaction = |emoji: &str| vars(&[("channel", CHAT), ("message", "81"), ("emoji", emoji)]);
    let called = Endpoint { uses: [Use::Call].into(), ..file() };
    let handled = Endpoint { uses: [Use::Handle].into(), conversation: vec![], ..form() };
    let acts = |code: &str| json(format!(r#"{{"chat_id":{CHAT},"reaction":[{{"type":{code}}}]}}"#));
    vec![
        ("a leaf", send_message(), entity("type")),
        ("a leaf that is compared", send_message(), entity("url")),
        ("the text", send_message(), json(format!(r#"{{"chat_id":{CHAT},"text":{quoted}}}"#))),
        ("the conversation", send_message(), json(format!(r#"{{"chat_id":{quoted},"text":"{TEXT}"}}"#))),
        ("a leaf of a reaction", react_with_json(), acts(&quoted)),
        ("a field of a form", form(), form_of(&[("chat_id", CHAT), ("text", text)])),
        ("JSON of a form", form(), form_of(&[("chat_id", CHAT), ("rows", &format!(r#"[{{"id":{quoted}}}]"#))])),
        ("a part", send_photo(), with(text_part("caption", text))),
        ("JSON of a part", send_photo(), with(text_part("options", &format!(r#"{{"silent":{quoted}}}"#)))),
        ("the name of a file", send_photo(), with(named(text))),
        ("a part that is not listed", send_photo(), with(text_part("other", text))),
        ("a variable", react(), reaction(text)),
        ("many segments", file(), vars(&[("path", &format!("a/{text}/b"))])),
        ("a tool of its own", called, vars(&[("path", text)])),
        ("while an event is handled", handled, form_of(&[("text", text)])),
        ("a header", react(), with_headers(reaction("x"), &[("x-trace", text)])),
        ("a prompt of another", prompt(), entity("language")),
    ]
}

#[test]
fn no_other_request_carries_them() {
    let (live, codes) = waiting();
    let code = codes.code.as_str();
    let letters: Vec<String> = code.chars().map(String::from).collect();
    for text in [
        code.to_owned(),
        code.to_uppercase(),
        format!("yes {code}"),
        format!("say:{code}!"),
        letters.join(" "),
        letters.join("-"),
        letters.join("."),
        format!("({})", letters.join(") (")),
        codes.allow.as_str().to_owned(),
        codes.deny.as_str().to_uppercase(),
        format!("start={}", codes.more.as_str()),
    ] {
        for (name, endpoint, asked) in ways(&text) {
            for purpose in &endpoint.uses {
                let denied = match request::build(&endpoint, &values(), &live, &any(*purpose), asked.clone()) {
                    Ok(prepared) => panic!("{name}: {text:?} left with {}", prepared.url),
                    Err(denied) => denied.0,
                };
                assert!(denied.contains(WHY), "{name} {text:?}: {denied}");
                assert!(!denied.contains(code), "{name}: {denied}");
            }
        }
    }
    // What the adapter escapes is what it stands for.
    let escaped: String = code.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let asked = message(&format!(r#","entities":[{{"type":"{escaped}"}}]"#));
    assert!(
        request::build(&send_message(), &values(), &live, &permit(Action::Send), asked).unwrap_err().0.contains(WHY)
    );
}

#[test]
fn the_action_itself_may_not_either_whatever_claude_says() {
    let (live, codes) = waiting();
    let text = format!("Please answer yes {}", codes.code.as_str());
    let permit = Permit { text: Some(text.clone()), ..permit(Action::Send) };
    let asked = json(format!(r#"{{"chat_id":{CHAT},"text":"{text}"}}"#));
    assert!(request::build(&send_message(), &values(), &live, &permit, asked).unwrap_err().0.contains(WHY));
}

#[test]
fn a_prompt_carries_its_own_and_no_others() {
    let (live, codes) = waiting();
    let words = format!("Run ls?\\nyes {0} / no {0}", codes.code.as_str());
    let permit = |ask| Permit {
        text: Some(words.replace("\\n", "\n")),
        choices: Some(vec![]),
        ask,
        ..super::super::platform::ask()
    };
    let attempt = |ask| {
        let asked = json(format!(r#"{{"chat_id":{CHAT},"text":"{words}"}}"#));
        request::build(&prompt(), &values(), &live, &permit(ask), asked)
    };
    assert!(attempt(Some(AskId(7))).is_ok());
    for other in [None, Some(AskId(8))] {
        assert!(attempt(other).unwrap_err().0.contains(WHY), "{other:?}");
    }
    live.remove(AskId(7));
    assert!(attempt(None).is_ok(), "good for nothing any more");
}

#[test]
fn requests_leave_as_ever_while_prompts_wait() {
    let (live, _) = waiting();
    let asked = message(r#","entities":[{"type":"1"}]"#);
    let quiet = Permit { text: Some("12 + 3".into()), ..permit(Action::Send) };
    assert!(request::build(&send_message(), &values(), &live, &quiet, asked).unwrap_err().0.contains("differs"));
    let asked = json(format!(r#"{{"chat_id":{CHAT},"text":"12 + 3"}}"#));
    assert!(request::build(&send_message(), &values(), &live, &quiet, asked).is_ok());
}
