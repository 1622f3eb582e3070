//! Messages: sent, edited, deleted, reacted to.

use serde_json::{Value, json};

use super::{
    chats::Kind,
    entities::{Formatted, formatted},
    markup::reply_markup,
    refusal::{Answer, Refusal, bad},
    request::Arguments,
    state::{State, now},
    view::Action,
};

/// The longest text and the longest caption, in UTF-16 units.
const LONGEST_TEXT: usize = 4096;
const LONGEST_CAPTION: usize = 1024;

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are exactly the \
                            same as a current content and reply markup of the message";

/// The reactions that every bot may use.
const REACTIONS: [&str; 73] = [
    "❤",
    "👍",
    "👎",
    "🔥",
    "🥰",
    "👏",
    "😁",
    "🤔",
    "🤯",
    "😱",
    "🤬",
    "😢",
    "🎉",
    "🤩",
    "🤮",
    "💩",
    "🙏",
    "👌",
    "🕊",
    "🤡",
    "🥱",
    "🥴",
    "😍",
    "🐳",
    "❤‍🔥",
    "🌚",
    "🌭",
    "💯",
    "🤣",
    "⚡",
    "🍌",
    "🏆",
    "💔",
    "🤨",
    "😐",
    "🍓",
    "🍾",
    "💋",
    "🖕",
    "😈",
    "😴",
    "😭",
    "🤓",
    "👻",
    "👨‍💻",
    "👀",
    "🎃",
    "🙈",
    "😇",
    "😨",
    "🤝",
    "✍",
    "🤗",
    "🫡",
    "🎅",
    "🎄",
    "☃",
    "💅",
    "🤪",
    "🗿",
    "🆒",
    "💘",
    "🙉",
    "🦄",
    "😘",
    "💊",
    "🙊",
    "😎",
    "👾",
    "🤷‍♂",
    "🤷",
    "🤷‍♀",
    "😡",
];

const ACTIONS: [&str; 15] = [
    "cancel",
    "typing",
    "record_video",
    "upload_video",
    "record_audio",
    "record_voice",
    "upload_audio",
    "upload_voice",
    "upload_photo",
    "upload_document",
    "choose_sticker",
    "pick_up_location",
    "find_location",
    "record_video_note",
    "upload_video_note",
];

impl State {
    pub(super) fn send_message(&mut self, arguments: &Arguments) -> Answer {
        let preview = link_preview(arguments)?;
        let text = formatted(arguments, "text", "entities")?;
        if text.text.is_empty() {
            return Err(bad("Message text is empty"));
        }
        let mut draft = self.draft(arguments)?;
        if text.utf16() > LONGEST_TEXT {
            return Err(bad("message is too long"));
        }
        text.put(&mut draft.value, "text", "entities");
        self.put_preview(&text, &preview, &mut draft.value);
        Ok(self.store(draft.chat, draft.value, true))
    }

    /// Telegram's servers fetch what they preview: the address of the options, else the first of the text.
    fn put_preview(&mut self, text: &Formatted, preview: &Value, message: &mut Value) {
        if preview.is_object() {
            message["link_preview_options"] = preview.clone();
        }
        if preview["is_disabled"] == true {
            return;
        }
        let units: Vec<u16> = text.text.encode_utf16().collect();
        let of_span = |span: &Value| match span["type"].as_str() {
            Some("text_link") => span["url"].as_str().map(str::to_owned),
            Some("url") => {
                let at = |member: &str| span[member].as_u64().and_then(|at| usize::try_from(at).ok());
                let from = at("offset")?;
                String::from_utf16(units.get(from..from + at("length")?)?).ok()
            }
            _ => None,
        };
        let url = preview["url"].as_str().filter(|url| !url.is_empty()).map(str::to_owned);
        self.seen.fetched.extend(url.or_else(|| text.entities.iter().find_map(of_span)));
    }

    pub(super) fn edit_message(&mut self, method: &str, arguments: &Arguments) -> Answer {
        let markup = reply_markup(arguments)?;
        let preview = link_preview(arguments)?;
        let mut text = None;
        match method {
            "editmessagetext" => {
                let words = formatted(arguments, "text", "entities")?;
                if words.text.is_empty() {
                    return Err(bad("Message text is empty"));
                }
                text = Some(("text", "entities", words));
            }
            "editmessagecaption" => {
                text = Some(("caption", "caption_entities", formatted(arguments, "caption", "caption_entities")?));
            }
            _ => {}
        }
        if !arguments.get("inline_message_id").is_empty() {
            return Err(bad("MESSAGE_ID_INVALID"));
        }
        let chat = self.writable_chat(arguments.get("chat_id"))?;
        let id = arguments.integer("message_id");
        let stored = self.chats.get(&chat).and_then(|chat| chat.messages.get(&id));
        let stored = stored.ok_or_else(|| bad("message to edit not found"))?;
        if !stored.by_bot {
            return Err(bad("message can't be edited"));
        }
        let mut value = stored.value.clone();
        match &text {
            Some(("text", ..)) if value["text"].is_null() => {
                return Err(bad("there is no text in the message to edit"));
            }
            Some(("caption", ..)) if !value["text"].is_null() => {
                return Err(bad("there is no caption in the message to edit"));
            }
            // Of edits Telegram's servers tell it in their own words.
            Some(("text", _, words)) if words.utf16() > LONGEST_TEXT => return Err(bad("MESSAGE_TOO_LONG")),
            Some(("caption", _, words)) if words.utf16() > LONGEST_CAPTION => {
                return Err(bad("MEDIA_CAPTION_TOO_LONG"));
            }
            _ => {}
        }
        let before = value.clone();
        if let Some(members) = value.as_object_mut() {
            // What is not given again is taken away.
            members.remove("reply_markup");
            if let Some((text, entities, _)) = text {
                members.remove(text);
                members.remove(entities);
            }
        }
        if !markup.is_null() {
            value["reply_markup"] = markup;
        }
        if let Some((member, entities, words)) = &text
            && !words.text.is_empty()
        {
            words.put(&mut value, member, entities);
        }
        if value == before {
            return Err(bad(NOT_MODIFIED));
        }
        if let Some(("text", _, words)) = &text {
            self.put_preview(words, &preview, &mut value);
        }
        value["edit_date"] = now().into();
        if let Some(stored) = self.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&id)) {
            stored.value = value.clone();
        }
        self.seen.edits.push((chat, id, value.clone()));
        Ok(value)
    }

    pub(super) fn delete_message(&mut self, arguments: &Arguments) -> Answer {
        if arguments.get("chat_id").is_empty() {
            return Err(bad("Chat identifier is not specified"));
        }
        let id = arguments.integer("message_id");
        if id == 0 {
            return Err(bad("Message identifier is not specified"));
        }
        let chat = self.writable_chat(arguments.get("chat_id"))?;
        let Some(chat) = self.chats.get_mut(&chat) else { return Err(bad("chat not found")) };
        let stored = chat.messages.get(&id).ok_or_else(|| bad("message to delete not found"))?;
        if !stored.by_bot && chat.kind != Kind::Private {
            return Err(bad("message can't be deleted for everyone"));
        }
        chat.messages.remove(&id);
        self.seen.deleted.insert((chat.id, id));
        Ok(true.into())
    }

    pub(super) fn react(&mut self, arguments: &Arguments) -> Answer {
        let reactions = reactions(arguments.get("reaction"))?;
        let chat = self.known_chat(arguments.get("chat_id"))?;
        self.writable_chat(arguments.get("chat_id"))?;
        let bot = self.bot;
        let stored = self.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&arguments.integer("message_id")));
        let stored = stored.ok_or_else(|| bad("message to react not found"))?;
        if reactions.len() > 1 {
            return Err(bad("REACTIONS_TOO_MANY"));
        }
        let usable = |reaction: &Value| {
            let emoji = reaction["emoji"].as_str().map(|emoji| emoji.replace('\u{fe0f}', ""));
            reaction["type"] == "emoji" && emoji.is_some_and(|emoji| REACTIONS.contains(&emoji.as_str()))
        };
        if !reactions.iter().all(usable) {
            return Err(bad("REACTION_INVALID"));
        }
        stored.reactions.insert(bot, reactions);
        Ok(true.into())
    }

    pub(super) fn chat_action(&mut self, arguments: &Arguments) -> Answer {
        let action = arguments.get("action").to_ascii_lowercase();
        if !ACTIONS.contains(&action.as_str()) {
            return Err(bad("Wrong parameter action in request"));
        }
        let chat = self.writable_chat(arguments.get("chat_id"))?;
        let thread = self.topic(chat, arguments.integer("message_thread_id"))?;
        self.seen.actions.push(Action { chat, thread, action });
        Ok(true.into())
    }

    pub(super) fn answer_callback_query(&mut self, arguments: &Arguments) -> Answer {
        let answer = self.queries.get_mut(arguments.get("callback_query_id"));
        let answer =
            answer.ok_or_else(|| bad("query is too old and response timeout expired or query ID is invalid"))?;
        if arguments.get("text").encode_utf16().count() > 200 {
            return Err(bad("MESSAGE_TOO_LONG"));
        }
        let members = arguments.values.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        *answer = members.collect();
        Ok(true.into())
    }
}

/// The caption of a media message.
pub(super) fn caption(arguments: &Arguments) -> Answer<Formatted> {
    let caption = formatted(arguments, "caption", "caption_entities")?;
    if caption.utf16() > LONGEST_CAPTION {
        return Err(bad("message caption is too long"));
    }
    Ok(caption)
}

fn link_preview(arguments: &Arguments) -> Answer {
    match arguments.get("link_preview_options") {
        "" if arguments.flag("disable_web_page_preview") => Ok(json!({ "is_disabled": true })),
        "" => Ok(Value::Null),
        text => match serde_json::from_str(text) {
            Ok(options @ Value::Object(_)) => Ok(options),
            Ok(_) => Err(bad("Object expected as link preview options")),
            Err(_) => Err(bad("Can't parse link preview options JSON object")),
        },
    }
}

fn reactions(text: &str) -> Answer<Vec<Value>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return Err(bad("Can't parse reaction types JSON object"));
    };
    let Value::Array(list) = value else { return Err(bad("Expected an Array of ReactionType")) };
    for reaction in &list {
        let wrong = |reason: &str| -> Refusal { bad(format!("Can't parse ReactionType: {reason}")) };
        match reaction["type"].as_str() {
            _ if !reaction.is_object() => return Err(wrong("expected an Object")),
            None => return Err(wrong("Can't find field \"type\"")),
            Some("emoji") if reaction["emoji"].is_string() => {}
            Some("emoji") => return Err(wrong("Can't find field \"emoji\"")),
            Some("custom_emoji" | "paid") => {}
            Some(_) => return Err(wrong("invalid reaction type specified")),
        }
    }
    Ok(list)
}
