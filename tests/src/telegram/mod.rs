//! A strict fake of Telegram's Bot API: real HTTP/1.1 on a loopback port, Telegram's answers, errors and rules.
//!
//! ```no_run
//! use sluicegate_tests::telegram::{Content, Fault, Post, Telegram};
//!
//! let telegram = Telegram::start();                     // telegram.url() is `api`, telegram.token() the bot's token
//! let alice = telegram.add_user("Alice");               // ids of users and chats are plain i64
//! let forum = telegram.add_forum("Team", &[alice]);
//! let topic = telegram.add_topic(forum, "Deploys");
//!
//! let said = telegram.post(Post::text(alice, "hello")); // in her private chat
//! telegram.post(Post::text(alice, "yes").replying_to(said.message).quoting("hel"));
//! telegram.post(Post::text(alice, "here").in_chat(forum).in_topic(topic));
//! telegram.post(Post::document(alice, "big.bin", "application/octet-stream", Content::generated(50 << 20)));
//! telegram.album(vec![Post::photo(alice, Content::of("1")), Post::photo(alice, Content::of("2"))]);
//!
//! let answer = telegram.wait_for_text(alice, "hello back");            // a message of the bot, as JSON
//! let bytes = telegram.look(|view| view.file_of(&answer));             // what it sent, if it has a file
//! let data = telegram.look(|view| view.button(alice, answer["message_id"].as_i64().unwrap(), "Allow")).unwrap();
//! let query = telegram.press(alice, alice, answer["message_id"].as_i64().unwrap(), &data);
//! telegram.wait("the press is acknowledged", |view| view.answer_to(&query));
//! telegram.wait("the bot reacts", |view| view.reactions(alice, said.message).pop());
//! telegram.wait_until_confirmed(said.update);
//!
//! telegram.inject(Fault::Status(502), 3);               // the next three requests
//! telegram.inject_on("sendMessage", Fault::TooMany(1), 1);
//! telegram.stop();                                      // nobody listens; everything is kept
//! telegram.listen();
//! ```
//!
//! It answers as the Bot API server 10.0 does, whose sources and documentation were its model. Where Telegram repairs
//! silently what its documentation forbids, the fake refuses and says `(the fake is strict)`: spans that cross each
//! other, are empty, or stand in `pre` and `code`. Not imitated: rate limits of its own (see [`Fault::TooMany`]), the
//! pause of three seconds before a further 409, link previews, and everything that no method below touches.
//!
//! The same is a program, `fake-telegram`, with all of this under `/fake/…` (see [`remote`]).

mod chats;
mod control;
mod detect;
mod elsewhere;
mod entities;
mod faults;
mod files;
mod html;
mod markdown_v2;
mod markup;
mod media;
mod messages;
mod methods;
mod post;
mod presses;
mod refusal;
pub mod remote;
mod replies;
mod reply;
mod request;
mod server;
mod state;
mod updates;
mod view;

pub use elsewhere::Elsewhere;
pub use faults::Fault;
pub use files::Content;
pub use post::Post;
pub use presses::query;
pub use refusal::Refusal;
pub use request::Upload;
pub use view::{Action, Call, View};

use std::{
    fmt,
    sync::{Arc, MutexGuard},
    time::Instant,
};

use serde_json::Value;

use crate::{deadline::patience, port::Port};
use server::Shared;
use state::State;

/// What came of a post: where it is, and the update that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The chat.
    pub chat: i64,
    /// The message's id there.
    pub message: i64,
    /// The `update_id`; 0 if the bot's `allowed_updates` have no place for it.
    pub update: i64,
}

/// A running fake. It stops when it is dropped.
pub struct Telegram {
    shared: Arc<Shared>,
    port: u16,
    /// Keeps the port ours while nothing listens on it.
    reserved: Option<Port>,
    /// Whether the fake ends with this handle.
    owns: bool,
}

impl Telegram {
    /// Starts one on a port of its own, with a bot and nobody else.
    ///
    /// # Panics
    /// If no port is free.
    pub fn start() -> Self {
        let reserved = Port::reserve();
        let mut telegram = Self::start_on(reserved.number());
        telegram.reserved = Some(reserved);
        telegram
    }

    /// Starts one on that port; 0 lets the system choose.
    ///
    /// # Panics
    /// If the port is taken.
    pub fn start_on(port: u16) -> Self {
        let shared = Arc::new(Shared::new());
        let port = server::listen(&shared, port);
        Self { shared, port, reserved: None, owns: true }
    }

    /// Another handle of the same fake, which goes on without it.
    fn of(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), port: 0, reserved: None, owns: false }
    }

    /// Where it listens: what a user would set as the address of a self-hosted server, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The bot's token.
    pub fn token(&self) -> String {
        self.state().token.clone()
    }

    /// The bot's id.
    pub fn bot(&self) -> i64 {
        self.state().bot
    }

    /// The bot's user name, without `@`.
    pub fn username(&self) -> String {
        let state = self.state();
        state.users.get(&state.bot).and_then(|bot| bot.username.clone()).unwrap_or_default()
    }

    /// Replaces the bot's token, as @BotFather does on `/revoke`: the old one is answered with 401 from now on.
    pub fn set_token(&self, token: &str) {
        self.change(|state| token.clone_into(&mut state.token));
    }

    /// Up to which size `getFile` gives files: 20 MB, as Telegram's own servers do. A self-hosted server has no limit.
    pub fn set_download_limit(&self, bytes: u64) {
        self.change(|state| state.download_limit = bytes);
    }

    /// Stops listening and ends all connections. Users can go on writing.
    pub fn stop(&self) {
        server::stop(&self.shared);
    }

    /// Listens again on the same port, knowing all that it knew.
    ///
    /// # Panics
    /// If somebody took the port.
    pub fn listen(&self) {
        server::listen(&self.shared, self.port);
    }

    /// Ends all connections; new ones are taken.
    pub fn drop_connections(&self) {
        server::drop_connections(&self.shared);
    }

    /// The next so many requests of any kind, downloads too, get this fault. Faults are used up in their order.
    pub fn inject(&self, fault: Fault, times: usize) {
        self.change(|state| state.faults.add(None, &fault, times));
    }

    /// The next so many requests of that method get this fault; `file` means downloads.
    pub fn inject_on(&self, method: &str, fault: Fault, times: usize) {
        self.change(|state| state.faults.add(Some(method), &fault, times));
    }

    /// Takes back all faults that did not happen yet; says how many.
    pub fn clear_faults(&self) -> usize {
        self.change(|state| state.faults.clear())
    }

    /// Looks at everything that the bot did.
    pub fn look<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> T {
        look(&View::of(&self.state()))
    }

    /// Waits until this gives something; asks again whenever anything changed.
    ///
    /// # Panics
    /// When the tests' patience has run out; `what` says what was missing.
    pub fn wait<T>(&self, what: &str, look: impl FnMut(&View<'_>) -> Option<T>) -> T {
        let patience = patience();
        self.wait_until(Instant::now() + patience, look).unwrap_or_else(|| {
            let calls: Vec<String> = self.look(|view| view.all_calls().iter().rev().take(12).map(Call::line).collect());
            panic!("the bot did not do this within {} s: {what}; its last calls: {calls:#?}", patience.as_secs())
        })
    }

    /// Waits until this gives something, or that time has come.
    pub fn wait_until<T>(&self, end: Instant, mut look: impl FnMut(&View<'_>) -> Option<T>) -> Option<T> {
        let mut state = self.state();
        loop {
            if let Some(found) = look(&View::of(&state)) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            state = self.shared.wait(state, left);
        }
    }

    /// Waits for a message of the bot in that chat with that in its text or caption, as it is now.
    ///
    /// # Panics
    /// If none comes.
    pub fn wait_for_text(&self, chat: i64, part: &str) -> Value {
        self.wait(&format!("a message with {part:?} in {chat}"), |view| {
            let words = |message: &Value| {
                ["text", "caption"].iter().any(|at| message[at].as_str().is_some_and(|text| text.contains(part)))
            };
            view.sent(chat).into_iter().find(words)
        })
    }

    /// Waits until the bot has sent so many messages to that chat; gives all of them.
    ///
    /// # Panics
    /// If fewer come.
    pub fn wait_for_sent(&self, chat: i64, count: usize) -> Vec<Value> {
        self.wait(&format!("{count} messages in {chat}"), |view| {
            Some(view.sent(chat)).filter(|sent| sent.len() >= count)
        })
    }

    /// Waits until the bot has called a method so many times; gives all of these calls.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn wait_for_calls(&self, method: &str, count: usize) -> Vec<Call> {
        self.wait(&format!("{count} calls of {method}"), |view| {
            Some(view.calls(method)).filter(|calls| calls.len() >= count)
        })
    }

    /// Waits until the bot has confirmed that update.
    ///
    /// # Panics
    /// If it does not.
    pub fn wait_until_confirmed(&self, update: i64) {
        self.wait(&format!("update {update} is confirmed"), |view| (view.confirmed() > update).then_some(()));
    }

    /// Waits until a `getUpdates` waits for something to happen.
    ///
    /// # Panics
    /// If none does.
    pub fn wait_for_poll(&self) {
        self.wait("a getUpdates waits", |view| view.is_polled().then_some(()));
    }

    /// Somebody else begins to poll with the same token, and has ended whoever polled when this returns.
    ///
    /// # Panics
    /// If they cannot.
    pub fn poll_elsewhere(&self) -> Elsewhere {
        let before = self.look(|view| view.polls());
        let elsewhere = Elsewhere::start(self.port, self.token());
        self.wait("the other poller polls", |view| (view.polls() > before && view.is_polled()).then_some(()));
        elsewhere
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.shared.change(change)
    }
}

impl fmt::Debug for Telegram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Telegram({})", self.url())
    }
}

impl Drop for Telegram {
    fn drop(&mut self) {
        if self.owns {
            self.stop();
        }
    }
}
