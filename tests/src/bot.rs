//! The bundled `telegram` adapter on a home of its own, with a fake Telegram behind it.

use serde_json::{Value, json};

use crate::{
    Event, Home, Server, ToolResult, deadline,
    telegram::{Content, Post, Said, Telegram},
};

/// The beginning of a small picture: all that a platform looks at.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10";

/// A home, a fake Telegram and a user who may speak.
#[derive(Debug)]
pub struct Bot {
    /// The platform.
    pub telegram: Telegram,
    /// The home.
    pub home: Home,
    /// Alice, who may speak directly.
    pub alice: i64,
}

impl Default for Bot {
    fn default() -> Self {
        Self::new()
    }
}

impl Bot {
    /// Alice may speak, nobody may pair.
    pub fn new() -> Self {
        let bot = Self::unpaired();
        bot.home.admit("telegram", &[&bot.alice.to_string()]);
        bot
    }

    /// Nobody may speak; whoever writes directly gets a code.
    pub fn unpaired() -> Self {
        let telegram = Telegram::start();
        let alice = telegram.add_user("Alice");
        let mut home = Home::new();
        home.table(&format!("[adapters.telegram.config]\napi = \"{}\"", telegram.url()));
        home.variable("TELEGRAM_BOT_TOKEN", &telegram.token());
        home.allow("telegram");
        Self { telegram, home, alice }
    }

    /// Starts a session; the bot is polling when this returns.
    pub fn start(&self) -> Server {
        let server = Server::start(&self.home);
        server.wait_until_running(&self.home, "telegram");
        self.telegram.wait_for_poll();
        server
    }

    /// Alice writes to the bot.
    pub fn alice_says(&self, text: &str) -> Said {
        self.telegram.post(Post::text(self.alice, text))
    }

    /// Claude answers in a chat.
    pub fn reply(&self, server: &Server, chat: i64, text: &str) -> ToolResult {
        server.call("reply", &json!({ "chat_id": chat.to_string(), "text": text }))
    }

    /// A file in the project's directory; gives its path.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn project_file(&self, name: &str, content: &Content) -> String {
        let path = self.home.project().join(name);
        let mut offset = 0;
        let mut file = std::fs::File::create(&path).expect("the project can be written");
        loop {
            let piece = content.piece(offset);
            if piece.is_empty() {
                return path.to_str().expect("the path is UTF-8").to_owned();
            }
            offset += piece.len() as u64;
            std::io::Write::write_all(&mut file, &piece).expect("the project can be written");
        }
    }

    /// How the poll fares, as `status --json` has it; waits until it is so.
    pub fn wait_for_source(&self, state: &str) -> Value {
        deadline::until(&format!("the poll is {state}"), || {
            let leader = self.home.leader();
            let adapters = leader["adapters"].as_array()?;
            let adapter = adapters.iter().find(|adapter| adapter["name"] == "telegram")?;
            adapter["sources"].as_array()?.iter().find(|source| source["state"] == state).cloned()
        })
    }
}

/// Waits for an event with that content.
pub fn event_saying(server: &Server, content: &str) -> Event {
    server.event(&format!("an event that says {content:?}"), |event| event.content == content)
}
