//! A well-behaved adapter of a platform that posts JSON, with rules of its own (so they are unvetted).
//!
//! It keeps what the host asked it to do and gives it back through its tool `sent`.

use sluicegate_sdk::prelude::*;

struct Chat;

impl Adapter for Chat {
    const MANIFEST: &'static str = r#"
name = "chat"
version = "0.1.0"
summary = "Chat of the tests"
hint = "Messages of a chat that exists in tests only."
actions = ["send", "edit", "react", "typing"]
meta = ["mood"]
composes = false

[[route]]
name = "message"
path = "/{credential}"
methods = ["POST"]
auth = "credential"
body = "json"

[[timer]]
name = "tick"

[[identity]]
name = "message"
source = "message"
kind = "message"
absent = ["/forwarded", "/edited"]
event = "/id"
message = "/id"
sender = "/sender"
sender-name = "/name"
conversation = "/conversation"
direct = { at = "/type", is = ["private"] }
text = ["/text"]

[[identity]]
name = "edit"
source = "message"
kind = "edit"
require = ["/edited"]
event = "/id"
message = "/edited"
sender = "/sender"
conversation = "/conversation"
direct = { at = "/type", is = ["private"] }
text = ["/text"]

[[tool]]
name = "sent"
summary = "What this adapter was asked to do so far"

[[tool]]
name = "shout"
summary = "Gives the words back in capitals"

[tool.params.words]
type = "string"
summary = "What to shout"
required = true

[tool.params.times]
type = "integer"
summary = "How often"
max = 3
"#;

    fn handle(event: Event) -> Handled {
        match event {
            Event::Requested(request) => {
                let body: Value = request.item.json()?;
                if json::is_true(&body, "/refuse") {
                    return Err(Failure::invalid("the body asks to be refused"));
                }
                if let Some(after) = body["timer"].as_u64() {
                    timers::set("tick", after as u32);
                }
                let rule = if body["edited"].is_null() { "message" } else { "edit" };
                let mood = json::text(&body, "/mood").unwrap_or_default();
                Message::rule(rule).placeholder("(nothing)").meta("mood", mood).deliver_if_it_applies()?;
                count("handled")?;
                Ok(None)
            }
            Event::Started => count("started").map(|()| None),
            Event::Elapsed(_) => count("elapsed").map(|()| None),
            _ => Ok(None),
        }
    }

    fn perform(action: Action) -> Performed {
        match action {
            Action::Send(outgoing) => {
                let files: Vec<_> =
                    outgoing.files.iter().map(|file| json!([file.name, file.size, file.media_type])).collect();
                let number = note(json!({
                    "action": "send",
                    "conversation": outgoing.place.conversation,
                    "text": outgoing.text.text,
                    "reply_to": outgoing.reply_to,
                    "files": files,
                }))?;
                Ok(Outcome::Sent(vec![format!("out-{number}")]))
            }
            Action::Edit(edit) => {
                note(json!({ "action": "edit", "message": edit.message, "text": edit.text.text }))?;
                Ok(Outcome::Done)
            }
            Action::React(reaction) => {
                note(json!({ "action": "react", "message": reaction.message, "emoji": reaction.emoji }))?;
                Ok(Outcome::Done)
            }
            Action::Typing(_) => Ok(Outcome::Done),
            Action::Call(call) if call.tool == "sent" => Ok(Outcome::Text(
                json!({
                    "sent": state::get::<Value>("sent").unwrap_or_else(|| json!([])),
                    "handled": state::get::<u64>("handled").unwrap_or(0),
                    "started": state::get::<u64>("started").unwrap_or(0),
                    "elapsed": state::get::<u64>("elapsed").unwrap_or(0),
                })
                .to_string(),
            )),
            Action::Call(call) if call.tool == "shout" => {
                let arguments: Value = sluicegate_sdk::serde_json::from_str(&call.arguments)?;
                let words = arguments["words"].as_str().unwrap_or_default().to_uppercase();
                let times = arguments["times"].as_u64().unwrap_or(1) as usize;
                Ok(Outcome::Text(vec![words; times].join(" ")))
            }
            _ => Err(Failure::Unsupported),
        }
    }
}

fn count(key: &str) -> Result<(), Failure> {
    state::set(key, &(state::get::<u64>(key).unwrap_or(0) + 1))
}

fn note(what: Value) -> Result<usize, Failure> {
    let mut sent: Vec<Value> = state::get("sent").unwrap_or_default();
    sent.push(what);
    state::set("sent", &sent)?;
    Ok(sent.len())
}

export_adapter!(Chat);
