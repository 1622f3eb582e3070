//! What the host wants said and done.

use crate::{api, api::number, entities};
use sluicegate_sdk::prelude::*;

/// UTF-16 code units of a text that fits below a file.
const CAPTION: usize = 1024;
/// Bytes of a file that Telegram takes as a photo.
const PHOTO: u64 = 10_000_000;
/// What Telegram shows as a photo. GIFs go as documents, which it shows moving.
const PHOTOS: &[&str] = &["image/jpeg", "image/png", "image/webp"];
/// Words of refusals of what is a picture, but none that Telegram shows as a photo.
const NO_PHOTO: &[&str] = &["PHOTO_", "IMAGE_PROCESS_FAILED"];

/// One file goes with the text below it, where that is short enough; else the text goes first.
pub fn send(outgoing: &Outgoing) -> Performed {
    let Outgoing { place, text, files, .. } = outgoing;
    let worded = !text.text.trim().is_empty();
    let captioned = files.len() == 1 && text.utf16_len() <= CAPTION;
    if !worded && files.is_empty() {
        return Err(Failure::invalid("there is neither a text nor a file to send"));
    }
    // Only the first message answers.
    let mut answers = outgoing.reply_to.as_deref().map(answering);
    let mut sent = 0;
    if worded && !captioned {
        let body = json!({
            "chat_id": number(&place.conversation),
            "message_thread_id": place.thread.as_deref().map(number),
            "text": text.text,
            "entities": entities::of(text),
            "reply_parameters": answers.take(),
        });
        api::call("sendMessage", body)?;
        sent += 1;
    }
    for file in files {
        let mut parts = vec![Part::text("chat_id", &place.conversation)];
        parts.extend(place.thread.as_ref().map(|thread| Part::text("message_thread_id", thread)));
        parts.extend(answers.take().map(|answers| Part::text("reply_parameters", answers.to_string())));
        if worded && captioned {
            parts.push(Part::text("caption", &text.text));
            let entities = entities::of(text);
            parts.extend(entities.is_array().then(|| Part::text("caption_entities", entities.to_string())));
        }
        upload(file, &parts).map_err(|failure| after(sent, file, failure))?;
        sent += 1;
    }
    // The host has read the ids of the new messages from the answers.
    Ok(Outcome::Done)
}

/// Sends one file, and pictures as photos where Telegram takes them as such.
fn upload(file: &KeptFile, parts: &[Part]) -> Result<Value, Failure> {
    let with = |method, name| {
        let parts = parts.iter().cloned().chain([Part::file(name, file)]);
        api::result(&Request::to(method).multipart(parts).send()?)
    };
    if PHOTOS.contains(&&*file.media_type) && file.size <= PHOTO {
        let sent = with("sendPhoto", "photo");
        if !api::refused_with(&sent, NO_PHOTO) {
            return sent;
        }
    }
    with("sendDocument", "document")
}

/// Says what has left already. Then it must not be tried again as a whole.
fn after(sent: usize, file: &KeptFile, failure: Failure) -> Failure {
    if sent == 0 {
        return failure;
    }
    let reason = format!("what comes before {:?} was sent, and then it failed: {}", file.name, failure.reason());
    match failure {
        Failure::Platform(failure) => Failure::platform(failure.status, reason),
        _ => Failure::Invalid(reason),
    }
}

/// A message that was deleted meanwhile keeps no answer back.
fn answering(message: &str) -> Value {
    json!({ "message_id": number(message), "allow_sending_without_reply": true })
}

/// Changes a text, or the words below a file.
pub fn edit(edit: &Edit) -> Performed {
    let change = |method: &str, text: &str, entities: &str| {
        let body = json!({
            "chat_id": number(&edit.place.conversation),
            "message_id": number(&edit.message),
            text: edit.text.text,
            entities: entities::of(&edit.text),
        });
        api::call(method, body)
    };
    let mut changed = change("editMessageText", "text", "entities");
    if api::refused_with(&changed, &["there is no text in the message to edit"]) {
        changed = change("editMessageCaption", "caption", "caption_entities");
    }
    unless_same(changed)
}

/// Asks with buttons, or changes an earlier question: without buttons those that it had disappear.
pub fn ask(prompt: &Prompt) -> Performed {
    let button = |choice: &Choice| json!({ "text": choice.label, "callback_data": choice.token });
    let rows: Vec<Value> = prompt.rows().map(|row| row.iter().map(button).collect()).collect();
    let mut body = json!({
        "chat_id": number(&prompt.place.conversation),
        "text": prompt.text.text,
        "entities": entities::of(&prompt.text),
        "reply_markup": if rows.is_empty() { Value::Null } else { json!({ "inline_keyboard": rows }) },
    });
    if let Some(message) = &prompt.replaces {
        body["message_id"] = number(message);
        return unless_same(api::call("editMessageText", body));
    }
    body["message_thread_id"] = prompt.place.thread.as_deref().map(number).into();
    api::call("sendMessage", body)?;
    Ok(Outcome::Done)
}

/// Telegram refuses a change that changes nothing; then all is as it should be.
fn unless_same(changed: Result<Value, Failure>) -> Performed {
    if !api::refused_with(&changed, &["message is not modified"]) {
        changed?;
    }
    Ok(Outcome::Done)
}

/// Puts an emoji on a message in place of the bot's earlier one; an empty one takes it away.
pub fn react(reaction: &Reaction) -> Performed {
    // Telegram's set has no variation selectors; keyboards and models add them.
    let emoji = reaction.emoji.replace('\u{fe0f}', "");
    let body = json!({
        "chat_id": number(&reaction.place.conversation),
        "message_id": number(&reaction.message),
        "reaction": if emoji.is_empty() { Value::Null } else { json!([{ "type": "emoji", "emoji": emoji }]) },
    });
    api::call("setMessageReaction", body)?;
    Ok(Outcome::Done)
}

/// Telegram shows it for five seconds.
pub fn typing(place: &Place) -> Performed {
    let body = json!({
        "chat_id": number(&place.conversation),
        "message_thread_id": place.thread.as_deref().map(number),
    });
    api::call("sendChatAction", body)?;
    Ok(Outcome::Done)
}
