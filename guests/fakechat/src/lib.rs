//! A chat page on this machine.
//!
//! The page talks over a WebSocket, and uploads files with a form. Frames to the page:
//!
//! - `{"type":"history","messages":[…],"more":true}`: the kept messages, oldest first, in one frame or several;
//! - `{"type":"message","message":{…}}`: a message that is new, or is known by its id and has changed;
//! - `{"type":"ack","id":"…"}`: the page's message is stored (frames leave after the host's commit);
//! - `{"type":"refused","id":"…","reason":"…"}`: it is not, and sending it again will not help;
//! - `{"type":"typing"}`: Claude is at work.
//!
//! The page sends `{"type":"message","id":"…","text":"…","reply_to":"…"}`, and the same fields beside the files
//! of an upload. A pressed button is `{"type":"button","id":"…","message":"…","token":"…"}`: the host reads it, and
//! answers by rewriting the question.

mod history;
mod page;
mod record;

use record::{Author, Record};
use sluicegate_sdk::prelude::*;

const SOCKET: &str = "socket";

/// The adapter.
pub struct Fakechat;

impl Adapter for Fakechat {
    const MANIFEST: &'static str = include_str!("../manifest.toml");

    fn handle(event: Event) -> Handled {
        match event {
            Event::Opened((_, connection)) => {
                for frame in history::frames() {
                    sockets::send_text(SOCKET, Some(connection), frame)?;
                }
                Ok(None)
            }
            Event::Received(item) => received(&item),
            Event::Requested(request) => match request.item.source.as_str() {
                "page" => Ok(Some(page::index())),
                "asset" => Ok(Some(page::asset(last_segment(&request.path)))),
                "file" => Ok(Some(page::file(last_segment(&request.path)))),
                "upload" => uploaded(&request),
                _ => Err(Failure::Unsupported),
            },
            Event::Started | Event::Closed(_) | Event::Elapsed(_) => Ok(None),
        }
    }

    fn perform(action: Action) -> Performed {
        match action {
            Action::Send(outgoing) => {
                let record = Record::from_claude(outgoing);
                history::keep(&record)?;
                show(&record)?;
                Ok(Outcome::Sent(vec![record.id]))
            }
            Action::Edit(edit) => {
                let mut record = kept(&edit.message)?;
                if record.from != Author::Claude {
                    return Err(Failure::invalid("only Claude's own messages can be edited"));
                }
                record.replace_text(edit.text);
                history::update(&record)?;
                show(&record)?;
                Ok(Outcome::Done)
            }
            Action::React(reaction) => {
                if kept(&reaction.message)?.from == Author::Host {
                    return Err(Failure::invalid("nothing is put on the host's own questions"));
                }
                history::react(&reaction.message, &reaction.emoji)?;
                show(&kept(&reaction.message)?)?;
                Ok(Outcome::Done)
            }
            Action::Typing(_) => {
                sockets::send_json(SOCKET, None, &json!({ "type": "typing" }))?;
                Ok(Outcome::Done)
            }
            Action::Ask(prompt) => ask(prompt),
            Action::Fetch(reference) => {
                let missing = || Failure::invalid("no file of that reference is kept");
                Ok(Outcome::Kept(history::file(&reference).ok_or_else(missing)?.into()))
            }
            Action::History(_) | Action::Call(_) => Err(Failure::Unsupported),
        }
    }
}

sluicegate_sdk::export_adapter!(Fakechat);

/// Shows a question of the host's, or changes one; without buttons it is over.
fn ask(prompt: Prompt) -> Performed {
    let Some(earlier) = &prompt.replaces else {
        let record = Record::from_host(prompt);
        history::keep(&record)?;
        show(&record)?;
        return Ok(Outcome::Sent(vec![record.id]));
    };
    let record = kept(earlier)?;
    if record.from != Author::Host {
        return Err(Failure::invalid("that message is no question of the host's"));
    }
    let record = record.with(prompt);
    history::update(&record)?;
    show(&record)?;
    Ok(Outcome::Done)
}

/// A frame of the page's. It is answered even when it is refused, so the page knows what to show.
fn received(item: &Item) -> Handled {
    let frame: Value = item.json()?;
    if json::text(&frame, "/type") != Some("message") {
        // Pressed buttons among them: the host has read those.
        log::debug("a frame of another type is ignored");
        return Ok(None);
    }
    let answer = match accept("message", &frame, &[]) {
        Ok(id) => json!({ "type": "ack", "id": id }),
        Err(Failure::Invalid(reason)) => {
            json!({ "type": "refused", "id": json::text(&frame, "/id"), "reason": reason })
        }
        Err(failure) => return Err(failure),
    };
    sockets::send_json(SOCKET, item.connection, &answer)?;
    Ok(None)
}

/// A form of the page's; the host's status answers it.
fn uploaded(request: &RouteRequest) -> Handled {
    accept("upload", &request.item.json()?, &request.files)?;
    Ok(None)
}

/// Delivers, keeps and shows one message of the page's, and gives its id. One that is kept already was delivered
/// with it, and is only acknowledged again.
fn accept(rule: &str, fields: &Value, files: &[KeptFile]) -> Result<String, Failure> {
    let record = Record::from_page(fields, files)?;
    if history::holds(&record.id) {
        return Ok(record.id);
    }
    let mut message = Message::rule(rule);
    if record.text.trim().is_empty() {
        message = message.placeholder(if files.len() == 1 { "(file)" } else { "(files)" });
    }
    for file in files {
        message = message.attachment(Attachment::kept(record::kind(&file.media_type), file));
    }
    message.deliver()?;
    history::keep(&record)?;
    show(&record)?;
    Ok(record.id)
}

/// Shows the message on every open page.
fn show(record: &Record) -> Result<(), Failure> {
    sockets::send_json(SOCKET, None, &json!({ "type": "message", "message": record }))
}

fn kept(id: &str) -> Result<Record, Failure> {
    history::message(id).ok_or_else(|| Failure::invalid("no message of that id is kept; the page keeps the last 200"))
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
