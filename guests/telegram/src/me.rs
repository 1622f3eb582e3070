//! The bot itself, and whether a message in a group speaks to it.

use crate::api;
use serde::{Deserialize, Serialize};
use sluicegate_sdk::prelude::*;
use sluicegate_sdk::rich_text::utf16_slice;
use std::time::{SystemTime, UNIX_EPOCH};

const KEY: &str = "me";
/// When Telegram did not say it, in seconds since the Unix epoch.
const UNKNOWN: &str = "me-unknown";
/// Seconds until it is asked again: every message of a group would wait for the answer.
const AGAIN: u64 = 60;

#[derive(Deserialize, Serialize)]
struct Me {
    id: String,
    username: String,
}

/// Asks Telegram anew who the bot is: its owner may have renamed it, or changed the token. What is not answered now is
/// asked again when it is needed.
pub fn refresh() {
    if let Err(failure) = learn() {
        state::remove(KEY);
        log::warn(format!("Telegram does not say who the bot is: {}", failure.reason()));
    }
}

fn learn() -> Result<Me, Failure> {
    let user = api::result(&Request::to("getMe").send()?)?;
    let id = json::id(&user, "/id").ok_or_else(|| Failure::platform(200, "getMe names no id"))?;
    let me = Me { id, username: json::text(&user, "/username").unwrap_or_default().to_owned() };
    state::set(KEY, &me)?;
    Ok(me)
}

fn learn_now_and_then() -> Option<Me> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if state::get::<u64>(UNKNOWN).is_some_and(|asked| now.saturating_sub(asked) < AGAIN) {
        return None;
    }
    let learnt = learn().ok();
    if learnt.is_none() {
        drop(state::set(UNKNOWN, &now));
    }
    learnt
}

/// Whether a message in a group names the bot, addresses a command to it, or answers it.
pub fn is_mentioned(message: &Value) -> bool {
    if json::text(message, "/chat/type") == Some("private") {
        return false;
    }
    let Some(me) = state::get(KEY).or_else(learn_now_and_then) else { return false };
    let (text, entities) = match json::text(message, "/text") {
        Some(text) => (text, json::array(message, "/entities")),
        None => (json::text(message, "/caption").unwrap_or_default(), json::array(message, "/caption_entities")),
    };
    me.is_answered(message) || entities.iter().any(|entity| me.is_named(text, entity))
}

impl Me {
    /// In a topic, what answers nothing answers the message that opened the topic.
    fn is_answered(&self, message: &Value) -> bool {
        json::id(message, "/reply_to_message/from/id").as_ref() == Some(&self.id)
            && message.pointer("/reply_to_message/forum_topic_created").is_none()
    }

    fn is_named(&self, text: &str, entity: &Value) -> bool {
        let words = || {
            let start = json::integer(entity, "/offset")?.try_into().ok()?;
            utf16_slice(text, start, json::integer(entity, "/length")?.try_into().ok()?)
        };
        // `@name`, or `/command@name`
        let name = || words()?.split_once('@').map(|(_, name)| name);
        match json::text(entity, "/type") {
            Some("mention" | "bot_command") => {
                name().is_some_and(|name| !name.is_empty() && name.eq_ignore_ascii_case(&self.username))
            }
            Some("text_mention") => json::id(entity, "/user/id").as_ref() == Some(&self.id),
            _ => false,
        }
    }
}
