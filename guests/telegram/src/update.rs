//! Updates: which rule reads them, and what stands beside the text.
//! <https://core.telegram.org/bots/api#update>

use crate::{content, me};
use sluicegate_sdk::prelude::*;

/// Handles one update; those that say nothing to Claude are taken and dropped.
pub fn handle(update: &Value) -> Result<(), Failure> {
    if let Some(message) = update.get("message") {
        let rule = match (message.get("forward_origin"), message.get("via_bot")) {
            (Some(_), _) => "forwarded",
            (None, Some(_)) => "inline",
            (None, None) => "message",
        };
        return said(rule, message);
    }
    if let Some(message) = update.get("edited_message") {
        // A live location is edited every few seconds.
        return if message.get("location").is_some() { Ok(()) } else { said("edited", message) };
    }
    match update.get("message_reaction") {
        Some(reaction) => reacted(reaction),
        // Buttons are the host's: it reads who pressed which, and tells Telegram so.
        None => Ok(()),
    }
}

fn said(rule: &str, content: &Value) -> Result<(), Failure> {
    if let Some(new) = json::id(content, "/migrate_to_chat_id") {
        let old = json::id(content, "/chat/id").unwrap_or_default();
        log::warn(format!("the group {old} has become {new}: list it anew under that id"));
    }
    let in_topic = if json::is_true(content, "/is_topic_message") { "-topic" } else { "" };
    let message = Message::rule(&format!("{rule}{in_topic}")).mentions_me(me::is_mentioned(content));
    let Some(message) = content::describe(message, content) else {
        log::debug("a message without content, such as a notice about the group, is ignored");
        return Ok(());
    };
    let via = json::text(content, "/via_bot/username").map(|name| format!("@{name}"));
    message
        .meta("chat_title", json::text(content, "/chat/title").unwrap_or_default())
        .meta("topic", json::text(content, "/reply_to_message/forum_topic_created/name").unwrap_or_default())
        .meta("forwarded_from", content.get("forward_origin").map(origin).unwrap_or_default())
        .meta("via_bot", via.unwrap_or_default())
        .deliver_if_it_applies()?;
    Ok(())
}

/// Who wrote what is forwarded: decoration, for hidden users as Telegram shows it.
/// <https://core.telegram.org/bots/api#messageorigin>
fn origin(origin: &Value) -> String {
    let names = ["/sender_user_name", "/sender_chat/title", "/sender_chat/username", "/chat/title", "/chat/username"];
    match origin.get("sender_user") {
        Some(user) => content::full_name(user),
        None => names.iter().find_map(|name| json::text(origin, name)).unwrap_or("unknown").to_owned(),
    }
}

fn reacted(reaction: &Value) -> Result<(), Failure> {
    let emoji = |list| json::array(reaction, list).iter().find_map(|one| json::text(one, "/emoji"));
    let words = match (json::array(reaction, "/new_reaction"), emoji("/old_reaction")) {
        ([], Some(old)) => format!("(took back {old})"),
        ([], None) => "(took back a reaction)".to_owned(),
        _ => "(a custom emoji)".to_owned(),
    };
    Message::rule("reaction").placeholder(words).deliver_if_it_applies()?;
    Ok(())
}
