//! Reading what the bot did.

use std::time::Instant;

use serde_json::Value;

use super::{files::Content, request::Upload, state::State};

/// A request of the bot.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method in lower case, `file` for downloads, empty where there was none.
    pub method: String,
    /// `GET` or `POST`.
    pub http_method: String,
    /// The path and query as they were sent, with the token.
    pub target: String,
    /// The headers as they were sent.
    pub headers: Vec<(String, String)>,
    /// The first MiB of the body as it was sent.
    pub body: Vec<u8>,
    /// The arguments in their order: first the query's, then the body's. JSON members that are no strings are JSON.
    pub arguments: Vec<(String, String)>,
    /// The files of a multipart body.
    pub files: Vec<Upload>,
    /// The names of arguments and files that the method does not know. Telegram ignores them.
    pub ignored: Vec<String>,
    /// What was wrong with the body; Telegram ignores what follows that place.
    pub malformed: Option<String>,
    /// The status of the answer; 0 if there was none.
    pub status: u16,
    /// The `description` of an error.
    pub error: Option<String>,
    /// Whether an injected fault kept it from being carried out.
    pub faulty: bool,
}

impl Call {
    /// The first argument of that name.
    pub fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The call in one line.
    pub fn line(&self) -> String {
        let error = self.error.as_deref().unwrap_or_default();
        format!("{} {:?} -> {} {error}", self.method, self.arguments, self.status)
    }
}

/// A `sendChatAction`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The chat.
    pub chat: i64,
    /// The topic, if one was named.
    pub thread: Option<i64>,
    /// `typing`, …
    pub action: String,
}

/// Everything at one moment. See [`super::Telegram::look`] and [`super::Telegram::wait`].
#[derive(Debug)]
pub struct View<'a>(&'a State);

impl<'a> View<'a> {
    pub(super) fn of(state: &'a State) -> Self {
        Self(state)
    }

    /// All requests that were carried out or refused, in their order, `getUpdates` too once it ended.
    pub fn all_calls(&self) -> &'a [Call] {
        &self.0.seen.calls
    }

    /// The calls of a method, however its name is written.
    pub fn calls(&self, method: &str) -> Vec<Call> {
        self.0.seen.calls.iter().filter(|call| call.method.eq_ignore_ascii_case(method)).cloned().collect()
    }

    /// How often a method was called.
    pub fn count(&self, method: &str) -> usize {
        self.0.seen.calls.iter().filter(|call| call.method.eq_ignore_ascii_case(method)).count()
    }

    /// All messages of a chat as they are now, of everybody.
    pub fn messages(&self, chat: i64) -> Vec<Value> {
        let chat = self.0.chats.get(&chat);
        chat.map(|chat| chat.messages.values().map(|stored| stored.value.clone()).collect()).unwrap_or_default()
    }

    /// The bot's messages in a chat as they are now.
    pub fn sent(&self, chat: i64) -> Vec<Value> {
        let chat = self.0.chats.get(&chat);
        let own = |chat: &super::chats::Chat| {
            chat.messages.values().filter(|stored| stored.by_bot).map(|stored| stored.value.clone()).collect()
        };
        chat.map(own).unwrap_or_default()
    }

    /// The chats in which the bot has a message.
    pub fn chats_with_messages_of_the_bot(&self) -> Vec<i64> {
        let chats = self.0.chats.values();
        chats.filter(|chat| chat.messages.values().any(|stored| stored.by_bot)).map(|chat| chat.id).collect()
    }

    /// A message as it is now.
    pub fn message(&self, chat: i64, message: i64) -> Option<Value> {
        Some(self.0.chats.get(&chat)?.messages.get(&message)?.value.clone())
    }

    /// What the bot's edits made of messages: chat, message id and the new message, in their order.
    pub fn edits(&self) -> Vec<(i64, i64, Value)> {
        self.0.seen.edits.clone()
    }

    /// Whether the bot deleted that message.
    pub fn is_deleted(&self, chat: i64, message: i64) -> bool {
        self.0.seen.deleted.contains(&(chat, message))
    }

    /// The bot's reactions to a message.
    pub fn reactions(&self, chat: i64, message: i64) -> Vec<String> {
        let stored = self.0.chats.get(&chat).and_then(|chat| chat.messages.get(&message));
        let reactions = stored.and_then(|stored| stored.reactions.get(&self.0.bot)).cloned().unwrap_or_default();
        reactions.iter().filter_map(|reaction| reaction["emoji"].as_str().map(str::to_owned)).collect()
    }

    /// The chat actions (`typing`, …) so far.
    pub fn actions(&self) -> Vec<Action> {
        self.0.seen.actions.clone()
    }

    /// How a callback query was answered: the arguments of `answerCallbackQuery`.
    pub fn answer_to(&self, query: &str) -> Option<Value> {
        self.0.queries.get(query).filter(|answer| !answer.is_null()).cloned()
    }

    /// The callback queries that nobody answered: their buttons still show that they wait.
    pub fn unanswered(&self) -> Vec<String> {
        self.0.queries.iter().filter(|(_, answer)| answer.is_null()).map(|(query, _)| query.clone()).collect()
    }

    /// The update that told of a press; 0 if there was none.
    pub fn update_of(&self, query: &str) -> i64 {
        self.0.pressed.get(query).copied().unwrap_or(0)
    }

    /// The buttons of a message as they are now, row by row: label, and `callback_data` where it has that.
    pub fn buttons(&self, chat: i64, message: i64) -> Vec<(String, Option<String>)> {
        let Some(message) = self.message(chat, message) else { return Vec::new() };
        let rows = message["reply_markup"]["inline_keyboard"].as_array();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let buttons = rows.into_iter().flatten().filter_map(Value::as_array).flatten();
        buttons.map(|button| (text(&button["text"]).unwrap_or_default(), text(&button["callback_data"]))).collect()
    }

    /// The `callback_data` of the button whose label has that in it.
    pub fn button(&self, chat: i64, message: i64, label: &str) -> Option<String> {
        self.buttons(chat, message).into_iter().find(|(other, _)| other.contains(label))?.1
    }

    /// The text of a message as it is now; empty if it has none.
    pub fn text(&self, chat: i64, message: i64) -> String {
        let text = self.message(chat, message).and_then(|message| message["text"].as_str().map(str::to_owned));
        text.unwrap_or_default()
    }

    /// What is in a file.
    pub fn file(&self, file_id: &str) -> Option<Content> {
        self.0.files.get(file_id).map(|file| file.content.clone())
    }

    /// The file of a message (of a photo the largest size), whoever sent it.
    pub fn file_of(&self, message: &Value) -> Option<Content> {
        let single = ["document", "voice", "audio", "video", "video_note", "animation", "sticker"];
        let file = match message["photo"].as_array() {
            Some(sizes) => sizes.last()?,
            None => single.iter().map(|member| &message[member]).find(|file| file.is_object())?,
        };
        self.file(file["file_id"].as_str()?)
    }

    /// Every address that Telegram would have fetched for the bot: media by URL, link previews. Should stay empty.
    pub fn fetched_urls(&self) -> Vec<String> {
        self.0.seen.fetched.clone()
    }

    /// Replies to messages of other chats: the chat of the reply, the chat of what it replies to. Should stay empty.
    pub fn replies_across_chats(&self) -> Vec<(i64, i64)> {
        self.0.seen.replies_across.clone()
    }

    /// The paths of the files that were downloaded, in their order.
    pub fn downloads(&self) -> Vec<String> {
        self.0.seen.downloads.clone()
    }

    /// The commands that the bot announced.
    pub fn commands(&self) -> Value {
        self.0.commands.clone()
    }

    /// How many `getUpdates` there were.
    pub fn polls(&self) -> u64 {
        self.0.seen.polls
    }

    /// How many 409s were answered to somebody who was still there.
    pub fn conflicts(&self) -> u64 {
        self.0.seen.conflicts
    }

    /// Whether a `getUpdates` waits.
    pub fn is_polled(&self) -> bool {
        self.0.queue.waiting.is_some()
    }

    /// Updates below this id are confirmed and forgotten.
    pub fn confirmed(&self) -> i64 {
        self.0.queue.head()
    }

    /// The updates that are not confirmed yet.
    pub fn pending(&self) -> Vec<Value> {
        self.0.queue.pending().filter_map(|text| serde_json::from_str(text).ok()).collect()
    }

    /// When that update was first given out: right before its answer was written.
    pub fn handed_out(&self, update: i64) -> Option<Instant> {
        self.0.seen.handed_out.get(&update).copied()
    }

    /// How many connections were made.
    pub fn connections(&self) -> u64 {
        self.0.seen.connections
    }
}
