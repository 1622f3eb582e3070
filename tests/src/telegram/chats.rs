//! Users and chats: how they look in messages, and where the bot may write.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    refusal::{Answer, Refusal, bad, forbidden},
    request::leading_integer,
    state::State,
};

/// A user or a bot.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: i64,
    pub(super) is_bot: bool,
    pub(super) first_name: String,
    pub(super) last_name: Option<String>,
    pub(super) username: Option<String>,
    pub(super) language: Option<String>,
}

impl User {
    pub(super) fn bot(id: i64, name: &str, username: &str) -> Self {
        Self {
            id,
            is_bot: true,
            first_name: name.to_owned(),
            last_name: None,
            username: Some(username.to_owned()),
            language: None,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut user = json!({ "id": self.id, "is_bot": self.is_bot, "first_name": self.first_name });
        put(&mut user, "last_name", self.last_name.as_deref());
        put(&mut user, "username", self.username.as_deref());
        put(&mut user, "language_code", self.language.as_deref());
        user
    }
}

fn put(object: &mut Value, member: &str, value: Option<&str>) {
    if let Some(value) = value {
        object[member] = value.into();
    }
}

/// The kinds of chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Private,
    Group,
    Supergroup,
    Channel,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Group => "group",
            Self::Supergroup => "supergroup",
            Self::Channel => "channel",
        }
    }
}

/// What the bot may do in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Open,
    /// A private chat in which the user never wrote.
    NotStarted,
    Blocked,
    Kicked,
}

/// A chat and its messages.
#[derive(Debug)]
pub(super) struct Chat {
    pub(super) id: i64,
    pub(super) kind: Kind,
    pub(super) title: String,
    pub(super) is_forum: bool,
    pub(super) topics: BTreeMap<i64, String>,
    pub(super) members: BTreeSet<i64>,
    pub(super) access: Access,
    pub(super) messages: BTreeMap<i64, Stored>,
    pub(super) next_message: i64,
}

/// A message.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) value: Value,
    pub(super) by_bot: bool,
    /// By user.
    pub(super) reactions: BTreeMap<i64, Vec<Value>>,
}

impl Chat {
    pub(super) fn new(id: i64, kind: Kind, title: &str, members: &[i64]) -> Self {
        Self {
            id,
            kind,
            title: title.to_owned(),
            is_forum: false,
            topics: BTreeMap::new(),
            members: members.iter().copied().collect(),
            access: if kind == Kind::Private { Access::NotStarted } else { Access::Open },
            messages: BTreeMap::new(),
            // Not the same in every chat, so that mistaken chats show.
            next_message: 101 + id.rem_euclid(89) * 10,
        }
    }
}

impl State {
    /// A chat as messages name it.
    pub(super) fn chat_json(&self, id: i64) -> Value {
        let Some(chat) = self.chats.get(&id) else { return json!({ "id": id }) };
        let mut json = json!({ "id": id, "type": chat.kind.name() });
        match (chat.kind, self.users.get(&id)) {
            (Kind::Private, Some(user)) => {
                json["first_name"] = user.first_name.as_str().into();
                put(&mut json, "last_name", user.last_name.as_deref());
                put(&mut json, "username", user.username.as_deref());
            }
            (Kind::Group, _) => {
                json["title"] = chat.title.as_str().into();
                json["all_members_are_administrators"] = true.into();
                json["accepted_gift_types"] = json!({
                    "unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false,
                    "premium_subscription": false, "gifts_from_channels": false,
                });
            }
            _ => json["title"] = chat.title.as_str().into(),
        }
        if chat.is_forum {
            json["is_forum"] = true.into();
        }
        json
    }

    pub(super) fn user_json(&self, id: i64) -> Value {
        self.users.get(&id).map_or_else(|| json!({ "id": id, "is_bot": false, "first_name": "" }), User::to_json)
    }

    /// The chat that a `chat_id` names, if the bot may write there.
    pub(super) fn writable_chat(&self, chat_id: &str) -> Answer<i64> {
        let id = self.known_chat(chat_id)?;
        let Some(chat) = self.chats.get(&id) else { return Err(bad("chat not found")) };
        match (chat.access, chat.kind) {
            (Access::Open, _) => Ok(id),
            (Access::NotStarted, _) => Err(forbidden("bot can't initiate conversation with a user")),
            (Access::Blocked, _) => Err(forbidden("bot was blocked by the user")),
            (Access::Kicked, kind) => Err(forbidden(&format!("bot was kicked from the {} chat", kind.name()))),
        }
    }

    /// The chat that a `chat_id` names. Telegram reads the digits at its beginning.
    pub(super) fn known_chat(&self, chat_id: &str) -> Answer<i64> {
        if chat_id.is_empty() {
            return Err(bad("chat_id is empty"));
        }
        let id = leading_integer(chat_id);
        if id == self.bot {
            return Err(forbidden("bot can't send messages to bots"));
        }
        self.chats.get(&id).map(|chat| chat.id).ok_or_else(|| bad("chat not found"))
    }

    /// The topic that a `message_thread_id` names, if it has to be one.
    pub(super) fn topic(&self, chat: i64, thread: i64) -> Result<Option<i64>, Refusal> {
        match self.chats.get(&chat) {
            // Outside of forums Telegram ignores it, but in private chats it looks for a topic too.
            _ if thread == 0 => Ok(None),
            Some(chat) if chat.is_forum || chat.kind == Kind::Private => {
                let exists = chat.topics.contains_key(&thread);
                exists.then_some(Some(thread)).ok_or_else(|| bad("message thread not found"))
            }
            _ => Ok(None),
        }
    }

    /// Stores a message under the next id of its chat.
    pub(super) fn store(&mut self, chat: i64, mut value: Value, by_bot: bool) -> Value {
        let Some(chat) = self.chats.get_mut(&chat) else { return value };
        let id = chat.next_message;
        chat.next_message += 1;
        value["message_id"] = id.into();
        let stored = Stored { value: value.clone(), by_bot, reactions: BTreeMap::new() };
        chat.messages.insert(id, stored);
        value
    }
}
