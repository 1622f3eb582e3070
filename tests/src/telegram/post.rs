//! What a user posts.

use serde_json::{Map, Value, json};

use super::files::Content;

/// A message of a user, in the private chat with the bot unless it says otherwise. See [`super::Telegram::post`].
#[derive(Debug, Clone)]
pub struct Post {
    pub(super) from: i64,
    pub(super) chat: i64,
    pub(super) thread: Option<i64>,
    pub(super) members: Map<String, Value>,
    pub(super) media: Option<Media>,
    pub(super) reply_to: Option<i64>,
    pub(super) quote: Option<String>,
    pub(super) forwarded: Option<Origin>,
    pub(super) sender_chat: Option<i64>,
    pub(super) via_bot: Option<String>,
}

/// A file in a message: the member that has it, and what that says beside the file.
#[derive(Debug, Clone)]
pub(super) struct Media {
    pub(super) member: &'static str,
    pub(super) details: Map<String, Value>,
    pub(super) content: Content,
}

/// Whom a forwarded message is from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    User(i64),
    Hidden(String),
    Chat(i64),
    Channel(i64, i64),
}

impl Post {
    fn new(from: i64) -> Self {
        Self {
            from,
            chat: from,
            thread: None,
            members: Map::new(),
            media: None,
            reply_to: None,
            quote: None,
            forwarded: None,
            sender_chat: None,
            via_bot: None,
        }
    }

    fn media(from: i64, member: &'static str, content: Content, details: Value) -> Self {
        let Value::Object(details) = details else { return Self::new(from) };
        Self { media: Some(Media { member, details, content }), ..Self::new(from) }
    }

    /// A text. Commands, mentions and addresses get their entities, as Telegram's servers do it.
    pub fn text(from: i64, text: &str) -> Self {
        Self::new(from).with("text", json!(text))
    }

    /// A photo.
    pub fn photo(from: i64, content: Content) -> Self {
        Self::media(from, "photo", content, json!({}))
    }

    /// A document.
    pub fn document(from: i64, name: &str, mime: &str, content: Content) -> Self {
        Self::media(from, "document", content, json!({ "file_name": name, "mime_type": mime }))
    }

    /// A voice message.
    pub fn voice(from: i64, seconds: u32, content: Content) -> Self {
        Self::media(from, "voice", content, json!({ "duration": seconds, "mime_type": "audio/ogg" }))
    }

    /// A piece of music.
    pub fn audio(from: i64, performer: &str, title: &str, content: Content) -> Self {
        let details = json!({
            "duration": 183, "performer": performer, "title": title,
            "file_name": format!("{title}.mp3"), "mime_type": "audio/mpeg",
        });
        Self::media(from, "audio", content, details)
    }

    /// A video.
    pub fn video(from: i64, content: Content) -> Self {
        let details = json!({
            "duration": 12, "width": 1280, "height": 720, "file_name": "video.mp4", "mime_type": "video/mp4",
        });
        Self::media(from, "video", content, details)
    }

    /// A round video message.
    pub fn video_note(from: i64, content: Content) -> Self {
        Self::media(from, "video_note", content, json!({ "duration": 5, "length": 384 }))
    }

    /// An animation; it has the member `document` too.
    pub fn animation(from: i64, content: Content) -> Self {
        let details = json!({
            "duration": 3, "width": 320, "height": 240, "file_name": "funny.mp4", "mime_type": "video/mp4",
        });
        Self::media(from, "animation", content, details)
    }

    /// A sticker.
    pub fn sticker(from: i64, emoji: &str) -> Self {
        let details = json!({
            "width": 512, "height": 512, "emoji": emoji, "set_name": "HotCherry", "is_animated": true,
            "is_video": false, "type": "regular",
        });
        Self::media(from, "sticker", Content::generated(24_113), details)
    }

    /// A place.
    pub fn location(from: i64, latitude: f64, longitude: f64) -> Self {
        Self::new(from).with("location", json!({ "latitude": latitude, "longitude": longitude }))
    }

    /// A contact.
    pub fn contact(from: i64, phone: &str, first_name: &str) -> Self {
        Self::new(from).with("contact", json!({ "phone_number": phone, "first_name": first_name }))
    }

    /// A poll.
    pub fn poll(from: i64, question: &str, options: &[&str]) -> Self {
        let option = |(number, text): (usize, &&str)| json!({ "persistent_id": number.to_string(), "text": text, "voter_count": 0 });
        let poll = json!({
            "id": "5300966713421824000", "question": question, "total_voter_count": 0, "is_closed": false,
            "options": options.iter().enumerate().map(option).collect::<Vec<_>>(),
            "is_anonymous": true, "type": "regular", "allows_multiple_answers": false,
        });
        Self::new(from).with("poll", poll)
    }

    /// A message with these members and nothing of its own, as of the kinds that the fake does not know.
    pub fn other(from: i64, members: Value) -> Self {
        let Value::Object(members) = members else { return Self::new(from) };
        Self { members, ..Self::new(from) }
    }

    /// In that chat.
    #[must_use]
    pub fn in_chat(mut self, chat: i64) -> Self {
        self.chat = chat;
        self
    }

    /// In that topic of a forum.
    #[must_use]
    pub fn in_topic(mut self, topic: i64) -> Self {
        self.thread = Some(topic);
        self
    }

    /// With a caption.
    #[must_use]
    pub fn caption(self, caption: &str) -> Self {
        self.with("caption", json!(caption))
    }

    /// With these entities in place of those that Telegram finds.
    #[must_use]
    pub fn entities(self, entities: Value) -> Self {
        let member = if self.members.contains_key("caption") { "caption_entities" } else { "entities" };
        self.with(member, entities)
    }

    /// As a reply to that message of the same chat.
    #[must_use]
    pub fn replying_to(mut self, message: i64) -> Self {
        self.reply_to = Some(message);
        self
    }

    /// Quoting that part of the message that it replies to, as a user picks it.
    #[must_use]
    pub fn quoting(mut self, part: &str) -> Self {
        self.quote = Some(part.to_owned());
        self
    }

    /// Forwarded from that user.
    #[must_use]
    pub fn forwarded_from(mut self, user: i64) -> Self {
        self.forwarded = Some(Origin::User(user));
        self
    }

    /// Forwarded from somebody who hides their account.
    #[must_use]
    pub fn forwarded_from_hidden(mut self, name: &str) -> Self {
        self.forwarded = Some(Origin::Hidden(name.to_owned()));
        self
    }

    /// Forwarded from a chat that wrote as itself.
    #[must_use]
    pub fn forwarded_from_chat(mut self, chat: i64) -> Self {
        self.forwarded = Some(Origin::Chat(chat));
        self
    }

    /// Forwarded from that message of a channel.
    #[must_use]
    pub fn forwarded_from_channel(mut self, channel: i64, message: i64) -> Self {
        self.forwarded = Some(Origin::Channel(channel, message));
        self
    }

    /// In the name of that chat: an anonymous administrator (the same chat), or a channel in its group. Telegram puts
    /// a bot of its own into `from`.
    #[must_use]
    pub fn as_chat(mut self, chat: i64) -> Self {
        self.sender_chat = Some(chat);
        self
    }

    /// Through an inline bot of that user name.
    #[must_use]
    pub fn via_bot(mut self, username: &str) -> Self {
        self.via_bot = Some(username.to_owned());
        self
    }

    /// With this member set, whatever the fake would put there.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }
}
