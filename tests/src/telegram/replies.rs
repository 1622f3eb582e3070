//! What a new message of the bot has beside its content: its place, what it replies to, its buttons.

use serde_json::{Value, json};

use super::{
    entities::format,
    markup::reply_markup,
    refusal::{Answer, bad},
    request::{Arguments, leading_integer},
    state::{State, now},
};

/// A message of the bot that is about to be sent: everything but its content.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) chat: i64,
    pub(super) value: Value,
}

impl State {
    /// The message that the arguments ask for. Nothing is stored yet.
    pub(super) fn draft(&mut self, arguments: &Arguments) -> Answer<Draft> {
        let markup = reply_markup(arguments)?;
        let reply = reply_parameters(arguments)?;
        let chat = self.writable_chat(arguments.get("chat_id"))?;
        let topic = self.topic(chat, arguments.integer("message_thread_id"))?;
        let mut value = json!({ "chat": self.chat_json(chat), "date": now() });
        match self.chats.get(&chat).map(|chat| chat.kind) {
            Some(super::chats::Kind::Channel) => value["sender_chat"] = self.chat_json(chat),
            _ => value["from"] = self.user_json(self.bot),
        }
        if let Some(topic) = topic {
            value["message_thread_id"] = topic.into();
            value["is_topic_message"] = true.into();
        }
        if !markup.is_null() {
            value["reply_markup"] = markup;
        }
        if arguments.flag("protect_content") {
            value["has_protected_content"] = true.into();
        }
        if let Some(reply) = reply {
            self.put_reply(chat, &reply, &mut value)?;
        }
        Ok(Draft { chat, value })
    }

    fn put_reply(&mut self, chat: i64, reply: &Value, value: &mut Value) -> Answer<()> {
        let id = integer(&reply["message_id"]);
        let other = match &reply["chat_id"] {
            Value::Null => chat,
            Value::String(text) if text.is_empty() => chat,
            Value::String(text) => self.known_chat(text)?,
            other => self.known_chat(&other.to_string())?,
        };
        let replied = self.chats.get(&other).and_then(|chat| chat.messages.get(&id)).map(|stored| stored.value.clone());
        let Some(mut replied) = replied else {
            let goes_without = truth(&reply["allow_sending_without_reply"]);
            return if goes_without { Ok(()) } else { Err(bad("message to be replied not found")) };
        };
        let words = ["text", "caption"].iter().find_map(|member| replied[member].as_str()).unwrap_or("");
        if let Some(quote) = reply["quote"].as_str().filter(|quote| !quote.is_empty()) {
            let mode = reply["quote_parse_mode"].as_str().unwrap_or("");
            let quote = format(quote, mode, &reply["quote_entities"])?;
            if quote.utf16() > 1024 {
                return Err(bad("QUOTE_TEXT_TOO_LONG (the fake is strict)"));
            }
            let Some(at) = words.find(&quote.text) else { return Err(bad("QUOTE_TEXT_INVALID")) };
            let position = words[..at].encode_utf16().count();
            value["quote"] = json!({ "text": quote.text, "position": position, "is_manual": true });
        }
        if other == chat {
            // A reply of a reply has none itself.
            for member in ["reply_to_message", "external_reply", "quote"] {
                replied.as_object_mut().map(|members| members.remove(member));
            }
            value["reply_to_message"] = replied;
        } else {
            let origin = json!({ "type": "user", "sender_user": replied["from"], "date": replied["date"] });
            value["external_reply"] = json!({ "origin": origin, "chat": replied["chat"], "message_id": id });
            if value["quote"].is_null() && !words.is_empty() {
                value["quote"] = json!({ "text": words, "position": 0 });
            }
            self.seen.replies_across.push((chat, other));
        }
        Ok(())
    }
}

/// `reply_parameters`, or what was there before it.
fn reply_parameters(arguments: &Arguments) -> Answer<Option<Value>> {
    let text = arguments.get("reply_parameters");
    if text.is_empty() {
        let id = arguments.integer("reply_to_message_id");
        let goes_without = arguments.flag("allow_sending_without_reply");
        return Ok((id > 0).then(|| json!({ "message_id": id, "allow_sending_without_reply": goes_without })));
    }
    let Ok(reply) = serde_json::from_str::<Value>(text) else {
        return Err(bad("Can't parse reply parameters JSON object"));
    };
    let Value::Object(members) = &reply else { return Err(bad("Object expected as reply parameters")) };
    if members.is_empty() {
        return Ok(None);
    }
    if !members.contains_key("message_id") {
        return Err(bad("Can't find field \"message_id\""));
    }
    // Telegram takes an id that is none as no reply.
    Ok((integer(&reply["message_id"]) > 0).then_some(reply))
}

/// Telegram takes numbers as texts too.
pub(super) fn integer(value: &Value) -> i64 {
    value.as_str().map_or_else(|| value.as_i64().unwrap_or(0), leading_integer)
}

fn truth(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| matches!(value.as_str(), Some("true" | "True" | "1" | "yes")))
}
