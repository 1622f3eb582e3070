//! What users do: the side of Telegram that no bot sees.

use serde_json::{Value, json};

use super::{
    Post, Said, Telegram,
    chats::{Access, Chat, Kind, Stored, User},
    entities::found_in,
    post::Origin,
    state::{State, now},
};

/// Who Telegram puts into `from` for an anonymous administrator, and for a channel in a group.
const ANONYMOUS: (i64, &str, &str) = (1_087_968_824, "Group", "GroupAnonymousBot");
const CHANNEL: (i64, &str, &str) = (136_817_688, "Channel", "Channel_Bot");

impl Telegram {
    /// Adds a user who has not written to the bot yet, with an id above 2³² and the name in small letters as user
    /// name. Before the user's first post the bot gets 403.
    pub fn add_user(&self, first_name: &str) -> i64 {
        let id = self.change(|state| 6_000_000_001 + state.users.len() as i64 * 7_919);
        let username: String = first_name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        self.add_user_as(id, first_name, (!username.is_empty()).then_some(username.as_str()));
        id
    }

    /// Adds a user with that id, or gives the user of that id another name.
    pub fn add_user_as(&self, id: i64, first_name: &str, username: Option<&str>) {
        let user = User {
            id,
            is_bot: false,
            first_name: first_name.to_owned(),
            last_name: Some("Tester".to_owned()),
            username: username.map(str::to_owned),
            language: Some("en".to_owned()),
        };
        self.change(|state| {
            state.users.insert(id, user);
            state.chats.entry(id).or_insert_with(|| Chat::new(id, Kind::Private, "", &[id]));
        });
    }

    /// Adds another bot; it can be in groups.
    pub fn add_bot(&self, first_name: &str, username: &str) -> i64 {
        self.change(|state| {
            let id = 6_000_000_001 + state.users.len() as i64 * 7_919;
            state.users.insert(id, User::bot(id, first_name, username));
            id
        })
    }

    /// Adds a group.
    pub fn add_group(&self, title: &str, members: &[i64]) -> i64 {
        self.add_chat(Kind::Group, title, members, false)
    }

    /// Adds a supergroup.
    pub fn add_supergroup(&self, title: &str, members: &[i64]) -> i64 {
        self.add_chat(Kind::Supergroup, title, members, false)
    }

    /// Adds a supergroup with topics.
    pub fn add_forum(&self, title: &str, members: &[i64]) -> i64 {
        self.add_chat(Kind::Supergroup, title, members, true)
    }

    /// Adds a channel in which the bot is an administrator.
    pub fn add_channel(&self, title: &str) -> i64 {
        self.add_chat(Kind::Channel, title, &[], false)
    }

    fn add_chat(&self, kind: Kind, title: &str, members: &[i64], is_forum: bool) -> i64 {
        self.change(|state| {
            let number = state.chats.len() as i64 * 6_007;
            let id = if kind == Kind::Group { -4_100_000_000 - number } else { -1_002_200_000_000 - number };
            let chat = Chat { is_forum, ..Chat::new(id, kind, title, members) };
            state.chats.insert(id, chat);
            id
        })
    }

    /// Adds a topic to a forum; gives its `message_thread_id`: the id of the message that says that it was created.
    ///
    /// # Panics
    /// If the chat is no forum.
    pub fn add_topic(&self, forum: i64, name: &str) -> i64 {
        self.change(|state| {
            let creator = state.chats.get(&forum).and_then(|chat| chat.members.first().copied());
            let created = json!({
                "from": state.user_json(creator.unwrap_or(state.bot)), "chat": state.chat_json(forum), "date": now(),
                "is_topic_message": true, "forum_topic_created": { "name": name, "icon_color": 7_322_096 },
            });
            let message = state.store(forum, created, false);
            let id = message["message_id"].as_i64().unwrap_or(0);
            let chat = state.chats.get_mut(&forum).filter(|chat| chat.is_forum).expect("the chat is a forum");
            chat.topics.insert(id, name.to_owned());
            chat.messages.entry(id).and_modify(|stored| stored.value["message_thread_id"] = id.into());
            id
        })
    }

    /// The user blocks the bot.
    pub fn block(&self, user: i64) -> i64 {
        self.set_access(user, Access::Blocked, ("member", "kicked"))
    }

    /// The user lets the bot write again.
    pub fn unblock(&self, user: i64) -> i64 {
        self.set_access(user, Access::Open, ("kicked", "member"))
    }

    /// The bot is thrown out of a group or channel.
    pub fn kick(&self, chat: i64) -> i64 {
        self.set_access(chat, Access::Kicked, ("member", "kicked"))
    }

    /// The bot is taken in again.
    pub fn readmit(&self, chat: i64) -> i64 {
        self.set_access(chat, Access::Open, ("kicked", "member"))
    }

    fn set_access(&self, id: i64, access: Access, (old, new): (&str, &str)) -> i64 {
        self.change(|state| {
            let Some(chat) = state.chats.get_mut(&id) else { return 0 };
            chat.access = access;
            let actor = chat.members.first().copied().unwrap_or(id);
            let member = |status: &str| json!({ "user": state.user_json(state.bot), "status": status });
            let update = json!({
                "chat": state.chat_json(id), "from": state.user_json(actor), "date": now(),
                "old_chat_member": member(old), "new_chat_member": member(new),
            });
            state.queue.push("my_chat_member", &update)
        })
    }

    /// Somebody posts.
    ///
    /// # Panics
    /// If the chat or the message that is replied to is unknown.
    pub fn post(&self, post: Post) -> Said {
        self.change(|state| state.post(post))
    }

    /// Somebody posts an album: messages with the same `media_group_id`, one right after the other.
    ///
    /// # Panics
    /// As [`Self::post`].
    pub fn album(&self, posts: Vec<Post>) -> Vec<Said> {
        self.change(|state| {
            let group = state.next_group.to_string();
            state.next_group += 1;
            posts.into_iter().map(|post| state.post(post.with("media_group_id", json!(group)))).collect()
        })
    }

    /// The author edits a message: its text, or its caption if it has no text.
    ///
    /// # Panics
    /// If there is no such message.
    pub fn edit(&self, chat: i64, message: i64, text: &str) -> Said {
        self.change(|state| {
            let stored = state.stored(chat, message);
            let value = &mut stored.value;
            let (member, entities) =
                if value["text"].is_string() { ("text", "entities") } else { ("caption", "caption_entities") };
            value[member] = text.into();
            value.as_object_mut().map(|members| members.remove(entities));
            let found = found_in(text);
            if !found.is_empty() {
                value[entities] = found.into();
            }
            value["edit_date"] = now().into();
            let value = value.clone();
            let kind = if value["chat"]["type"] == "channel" { "edited_channel_post" } else { "edited_message" };
            Said { chat, message, update: state.queue.push(kind, &value) }
        })
    }

    /// The user's reaction to a message is now this emoji, or none if it is empty. The bot hears of it only if its
    /// `allowed_updates` say so.
    ///
    /// # Panics
    /// If there is no such message.
    pub fn react(&self, user: i64, chat: i64, message: i64, emoji: &str) -> Said {
        self.change(|state| {
            let emoji = Some(emoji).filter(|emoji| !emoji.is_empty());
            let new: Vec<Value> = emoji.iter().map(|emoji| json!({ "type": "emoji", "emoji": emoji })).collect();
            let old = state.stored(chat, message).reactions.insert(user, new.clone()).unwrap_or_default();
            let update = json!({
                "chat": state.chat_json(chat), "message_id": message, "user": state.user_json(user), "date": now(),
                "old_reaction": old, "new_reaction": new,
            });
            Said { chat, message, update: state.queue.push("message_reaction", &update) }
        })
    }

    /// Queues an update of any kind; gives its `update_id`.
    pub fn update(&self, kind: &str, value: &Value) -> i64 {
        self.change(|state| state.queue.push(kind, value))
    }

    /// Queues an update with these members as they are (`"message":{…}`), valid or not; gives its `update_id`.
    pub fn raw_update(&self, members: &str) -> i64 {
        self.change(|state| state.queue.push_text(members))
    }
}

impl State {
    pub(super) fn stored(&mut self, chat: i64, message: i64) -> &mut Stored {
        let stored = self.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&message));
        stored.unwrap_or_else(|| panic!("there is no message {message} in {chat}"))
    }

    pub(super) fn post(&mut self, post: Post) -> Said {
        let chat = self.chats.get_mut(&post.chat).unwrap_or_else(|| panic!("there is no chat {}", post.chat));
        let (kind, is_forum) = (chat.kind, chat.is_forum);
        if chat.access == Access::NotStarted {
            chat.access = Access::Open;
        }
        if kind != Kind::Channel {
            chat.members.insert(post.from);
        }
        let mut value = json!({ "chat": self.chat_json(post.chat), "date": now() });
        match post.sender_chat.or((kind == Kind::Channel).then_some(post.chat)) {
            None => value["from"] = self.user_json(post.from),
            Some(sender) => {
                value["sender_chat"] = self.chat_json(sender);
                if kind != Kind::Channel {
                    let (id, name, username) = if sender == post.chat { ANONYMOUS } else { CHANNEL };
                    value["from"] = User::bot(id, name, username).to_json();
                }
            }
        }
        if let Some(thread) = post.thread {
            value["message_thread_id"] = thread.into();
            value["is_topic_message"] = true.into();
        }
        // In a topic, what replies to nothing replies to the topic's first message.
        if let Some(replied) = post.reply_to.or(post.thread.filter(|_| is_forum)) {
            let mut replied = self.stored(post.chat, replied).value.clone();
            for member in ["reply_to_message", "quote", "external_reply"] {
                replied.as_object_mut().map(|members| members.remove(member));
            }
            if let Some(quote) = &post.quote {
                let words = ["text", "caption"].iter().find_map(|member| replied[member].as_str()).unwrap_or("");
                let at = words.find(quote.as_str()).map_or(0, |at| words[..at].encode_utf16().count());
                value["quote"] = json!({ "text": quote, "position": at, "is_manual": true });
            }
            value["reply_to_message"] = replied;
        }
        if let Some(origin) = &post.forwarded {
            self.put_origin(origin, &mut value);
        }
        if let Some(username) = &post.via_bot {
            value["via_bot"] = User::bot(429_000_000, username, username).to_json();
        }
        if let Some(media) = post.media {
            let text = |member: &str| media.details.get(member).and_then(Value::as_str);
            let file = self.files.add(media.member, text("file_name"), text("mime_type"), media.content);
            self.put_file(&file, &mut value);
            let copies: &[&str] =
                if media.member == "animation" { &["animation", "document"] } else { &[media.member] };
            for (member, detail) in &media.details {
                copies.iter().for_each(|copy| value[*copy][member.as_str()] = detail.clone());
            }
        }
        for (member, given) in post.members {
            let entities = if member == "text" { "entities" } else { "caption_entities" };
            if let Some(words) = given.as_str().filter(|_| member == "text" || member == "caption") {
                let found = found_in(words);
                if !found.is_empty() && value[entities].is_null() {
                    value[entities] = found.into();
                }
            }
            value[member] = given;
        }
        // Members that tests ask for as null are not there.
        value.as_object_mut().into_iter().for_each(|members| members.retain(|_, value| !value.is_null()));
        let value = self.store(post.chat, value, false);
        let message = value["message_id"].as_i64().unwrap_or(0);
        let kind = if kind == Kind::Channel { "channel_post" } else { "message" };
        Said { chat: post.chat, message, update: self.queue.push(kind, &value) }
    }

    fn put_origin(&self, origin: &Origin, value: &mut Value) {
        let date = now() - 3_600;
        value["forward_date"] = date.into();
        value["forward_origin"] = match origin {
            Origin::User(user) => {
                value["forward_from"] = self.user_json(*user);
                json!({ "type": "user", "sender_user": self.user_json(*user), "date": date })
            }
            Origin::Hidden(name) => {
                value["forward_sender_name"] = name.as_str().into();
                json!({ "type": "hidden_user", "sender_user_name": name, "date": date })
            }
            Origin::Chat(chat) => {
                value["forward_from_chat"] = self.chat_json(*chat);
                json!({ "type": "chat", "sender_chat": self.chat_json(*chat), "date": date })
            }
            Origin::Channel(chat, message) => {
                value["forward_from_chat"] = self.chat_json(*chat);
                value["forward_from_message_id"] = (*message).into();
                json!({ "type": "channel", "chat": self.chat_json(*chat), "message_id": message, "date": date })
            }
        };
    }
}
