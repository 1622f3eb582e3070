//! Where permission requests are answered: a session, a fake Telegram, people who may answer, and one who may not.
//!
//! ```no_run
//! use sluicegate_tests::desk::Desk;
//!
//! let desk = Desk::new(&["Alice"]);
//! let request = desk.ask("make test");
//! let prompt = desk.prompt(desk.approvers[0], "make test");
//! desk.press(&prompt, "Allow");
//! assert_eq!(desk.server.verdict_on(&request), "allow");
//! ```

use serde_json::{Value, json};

use crate::{
    Guest, Home, Server, deadline,
    server::Signal,
    telegram::{Fault, Post, Said, Telegram},
};

/// The letters of a code: a to z without l.
const LETTERS: &str = "abcdefghijkmnopqrstuvwxyz";

/// A home on which an adapter with Telegram's grant asks.
#[derive(Debug)]
pub struct Desk {
    /// The platform.
    pub telegram: Telegram,
    /// The home.
    pub home: Home,
    /// The session.
    pub server: Server,
    /// The adapter's name.
    pub adapter: String,
    /// Those who may answer, in the order of their names; all have opened the chat with the bot, nobody has written.
    pub approvers: Vec<i64>,
    /// Mallory, who may speak and may not answer.
    pub mallory: i64,
    /// Somebody who may not even speak.
    pub stranger: i64,
}

/// A prompt as an approver sees it.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The chat.
    pub chat: i64,
    /// The message.
    pub message: i64,
    /// What it says.
    pub text: String,
    /// The code that it names; empty if it names none.
    pub code: String,
    /// Its buttons: label, and what a press sends.
    pub buttons: Vec<(String, String)>,
}

impl Prompt {
    fn of(message: &Value) -> Option<Self> {
        let text = message["text"].as_str()?.to_owned();
        let rows = message["reply_markup"]["inline_keyboard"].as_array();
        let buttons = rows.into_iter().flatten().filter_map(Value::as_array).flatten();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some(Self {
            chat: message["chat"]["id"].as_i64()?,
            message: message["message_id"].as_i64()?,
            code: code_in(&text).unwrap_or_default(),
            buttons: buttons.map(|button| (word(&button["text"]), word(&button["callback_data"]))).collect(),
            text,
        })
    }

    /// Whether there is a button with that in its label.
    pub fn has(&self, label: &str) -> bool {
        self.buttons.iter().any(|(other, _)| other.contains(label))
    }

    /// What a press on the button with that label sends.
    ///
    /// # Panics
    /// If there is none.
    pub fn token(&self, label: &str) -> &str {
        let found = self.buttons.iter().find(|(other, _)| other.contains(label));
        &found.unwrap_or_else(|| panic!("no button {label:?}: {:?}\n{}", self.buttons, self.text)).1
    }
}

/// The code of a prompt: what it says to reply.
pub fn code_in(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let shaped = |word: &str| word.len() == 5 && word.chars().all(|c| LETTERS.contains(c));
    let reply = words.windows(5).rev().find_map(|window| match window {
        ["reply" | "Reply", "no", code, "to", "deny"] if shaped(code) => Some(*code),
        _ => None,
    });
    reply.map(str::to_owned)
}

impl Desk {
    /// The bundled adapter asks these people.
    pub fn new(approvers: &[&str]) -> Self {
        Self::with(approvers, |_, _| {})
    }

    /// As [`Desk::new`], on a home that is prepared first; the second argument is the access file to be.
    pub fn with(approvers: &[&str], prepare: impl FnOnce(&mut Home, &mut Value)) -> Self {
        let mut home = Home::new();
        let telegram = Telegram::start();
        home.variable("TELEGRAM_BOT_TOKEN", &telegram.token());
        Self::open(home, telegram, "telegram", approvers, prepare)
    }

    /// A guest with Telegram's profile asks these people.
    pub fn of(guest: &Guest, approvers: &[&str]) -> Self {
        let (home, telegram) = (Home::new(), Telegram::start());
        home.drop_adapter(guest);
        Self::open(home, telegram, &guest.name, approvers, |_, _| {})
    }

    fn open(
        mut home: Home,
        telegram: Telegram,
        adapter: &str,
        approvers: &[&str],
        prepare: impl FnOnce(&mut Home, &mut Value),
    ) -> Self {
        let approvers: Vec<i64> = approvers.iter().map(|name| telegram.add_user(name)).collect();
        let (mallory, stranger) = (telegram.add_user("Mallory"), telegram.add_user("Stranger"));
        approvers.iter().chain([&mallory, &stranger]).for_each(|user| telegram.befriend(*user));
        home.table(&format!("[adapters.{adapter}.config]\napi = \"{}\"", telegram.url()));
        home.allow(adapter);
        if adapter != "telegram" {
            let set = home.run_with(&["secret", adapter, "set", "TELEGRAM_BOT_TOKEN"], telegram.token().as_bytes());
            drop(set.success());
        }
        let mut access = access(&approvers, mallory);
        prepare(&mut home, &mut access);
        home.access(adapter, &access);
        let server = Self::session(&home, &telegram, adapter);
        Self { telegram, home, server, adapter: adapter.to_owned(), approvers, mallory, stranger }
    }

    fn session(home: &Home, telegram: &Telegram, adapter: &str) -> Server {
        let server = Server::start(home);
        server.wait_until_running(home, adapter);
        telegram.wait_for_poll();
        server
    }

    /// Ends the session as a closed terminal does, and starts another one.
    pub fn restart(&mut self) {
        self.end_by(Signal::TERM);
        self.begin();
    }

    /// Ends the session, and waits for its end.
    pub fn end_by(&mut self, signal: Signal) {
        self.server.signal(signal);
        deadline::until("the server ends", || self.server.has_ended().then_some(()));
    }

    /// Starts a session; the one before must have ended.
    pub fn begin(&mut self) {
        self.server = Self::session(&self.home, &self.telegram, &self.adapter);
    }

    /// From now on these may answer, and beside them and Mallory these may speak. Groups stay as they are.
    ///
    /// # Panics
    /// If there is no access file.
    pub fn appoint(&self, approvers: &[i64], speakers: &[i64]) {
        let path = self.home.path().join(format!("access/{}.json", self.adapter));
        let now: Value = serde_json::from_slice(&std::fs::read(path).expect("there is an access file")).unwrap();
        let mut access = access(approvers, self.mallory);
        let may_speak = access["allowFrom"].as_array_mut().expect("a list");
        may_speak.extend(speakers.iter().map(|id| Value::from(id.to_string())));
        access["groups"] = now["groups"].clone();
        self.home.access(&self.adapter, &access);
    }

    /// Somebody new, who has opened the chat with the bot.
    pub fn newcomer(&self, name: &str) -> i64 {
        let user = self.telegram.add_user(name);
        self.telegram.befriend(user);
        user
    }

    /// Claude Code asks whether a command may run; gives its own name of the request.
    pub fn ask(&self, command: &str) -> String {
        self.server.ask_permission("Bash", "Runs a command", &json!({ "command": command }).to_string())
    }

    /// Waits for a prompt in that chat that can be answered and has that in its text; the last one, if there are many.
    pub fn prompt(&self, chat: i64, part: &str) -> Prompt {
        self.telegram.wait(&format!("a prompt with {part:?} in {chat}"), |view| {
            let prompts = view.sent(chat).into_iter().rev().filter_map(|message| Prompt::of(&message));
            let is_open = |prompt: &Prompt| !prompt.code.is_empty() || !prompt.buttons.is_empty();
            prompts.into_iter().find(|prompt| prompt.text.contains(part) && is_open(prompt))
        })
    }

    /// The prompt as it is now.
    ///
    /// # Panics
    /// If it is gone.
    pub fn again(&self, prompt: &Prompt) -> Prompt {
        let message = self.telegram.look(|view| view.message(prompt.chat, prompt.message));
        message.and_then(|message| Prompt::of(&message)).expect("the message is there")
    }

    /// Waits until the prompt says that, and gives it.
    pub fn changed(&self, prompt: &Prompt, part: &str) -> Prompt {
        self.telegram.wait(&format!("the prompt {} in {} says {part:?}", prompt.message, prompt.chat), |view| {
            let now = Prompt::of(&view.message(prompt.chat, prompt.message)?)?;
            now.text.to_lowercase().contains(&part.to_lowercase()).then_some(now)
        })
    }

    /// Waits until the prompt has lost its buttons, and gives it.
    pub fn closed(&self, prompt: &Prompt) -> Prompt {
        self.telegram.wait(&format!("the prompt {} in {} is closed", prompt.message, prompt.chat), |view| {
            let now = Prompt::of(&view.message(prompt.chat, prompt.message)?)?;
            (now.text != prompt.text && now.buttons.is_empty()).then_some(now)
        })
    }

    /// The approver presses that button of their prompt; gives the query.
    pub fn press(&self, prompt: &Prompt, label: &str) -> String {
        self.telegram.press(prompt.chat, prompt.chat, prompt.message, prompt.token(label))
    }

    /// Somebody writes to the bot, in their own chat with it.
    pub fn says(&self, user: i64, text: &str) -> Said {
        self.telegram.post(Post::text(user, text))
    }

    /// Gives the host these updates as the answer to its next poll, byte for byte; done when this returns.
    pub fn feed(&self, updates: &[String]) {
        let body = format!("{{\"ok\":true,\"result\":[{}]}}", updates.join(","));
        self.telegram.inject_on("getUpdates", Fault::Answer(200, "application/json".into(), body.into_bytes()), 1);
        // The poll that waits ends with this; nobody hears the stranger.
        let poke = self.says(self.stranger, "poke");
        self.telegram.wait_until_confirmed(poke.update);
        let spent = self.telegram.clear_faults();
        assert_eq!(spent, 0, "the updates were given out");
    }

    /// What `sluicegate log --permissions` shows, in one line, whatever its layout.
    pub fn record(&self) -> String {
        let shown = self.home.run(&["log", "--permissions", "-n", "100000"]).success();
        shown.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The lines of the record, each with its `what`.
    ///
    /// # Panics
    /// If a line is no JSON, or the record is not as it was written.
    pub fn entries(&self) -> Vec<Value> {
        let shown = self.home.run(&["log", "--permissions", "--json", "-n", "100000"]).success().stdout;
        shown.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["entry"].take()).collect()
    }

    /// Waits until the host knows that the prompt was sent, and as which message.
    pub fn known(&self, prompt: &Prompt) {
        let (chat, message) = (prompt.chat.to_string(), prompt.message.to_string());
        deadline::until(&format!("the prompt {message} in {chat} is known"), || {
            let is_it = |entry: &Value| {
                entry["what"] == "asked" && entry["conversation"] == *chat && entry["message"] == *message
            };
            self.entries().iter().any(is_it).then_some(())
        });
    }

    /// Does that, and waits until the record says this once more.
    pub fn recorded<T>(&self, says: &str, act: impl FnOnce() -> T) -> T {
        self.recorded_any(&[says], act)
    }

    /// Does that, and waits until the record says any of these once more; of none, it waits for nothing.
    pub fn recorded_any<T>(&self, says: &[&str], act: impl FnOnce() -> T) -> T {
        if says.is_empty() {
            return act();
        }
        let count = || -> usize {
            let record = self.record();
            says.iter().map(|says| record.matches(says).count()).sum()
        };
        let before = count();
        let done = act();
        deadline::until(&format!("the record says {says:?} once more"), || (count() > before).then_some(()));
        done
    }

    /// What the log says, line by line.
    pub fn lines(&self) -> Vec<String> {
        let log = self.home.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter_map(|line| line["message"].as_str().map(str::to_owned)).collect()
    }

    /// Waits until a line of the log has that, and gives what follows in the last such line.
    pub fn logged(&self, mark: &str) -> String {
        deadline::until(&format!("the log has {mark:?}"), || {
            let lines = self.lines();
            lines.iter().rev().find_map(|line| Some(line.split_once(mark)?.1.to_owned()))
        })
    }

    /// Has a witness refuse the request, and checks that nobody's verdict came before.
    ///
    /// # Panics
    /// If the request was decided by anybody else.
    pub fn refuse(&self, request: &str, witness: &Prompt) {
        let before = self.server.verdicts();
        assert!(before.iter().all(|(other, _)| other != request), "nobody has decided it: {before:?}");
        self.press(witness, "Deny");
        assert_eq!(self.server.verdict_on(request), "deny");
    }

    /// Whether that text is in any event that Claude got.
    pub fn claude_saw(&self, text: &str) -> bool {
        self.server.events().iter().any(|event| event.content.to_lowercase().contains(&text.to_lowercase()))
    }
}

fn access(approvers: &[i64], mallory: i64) -> Value {
    let ids: Vec<String> = approvers.iter().map(i64::to_string).collect();
    let may_speak: Vec<String> = ids.iter().cloned().chain([mallory.to_string()]).collect();
    json!({
        "dmPolicy": "allowlist", "allowFrom": may_speak, "approvers": ids, "groups": {}, "pending": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_what_the_prompt_says_to_reply() {
        let text = "no other words\n\nOr reply yes kmnop to allow it.\nOr reply no kmnop to deny it.";
        assert_eq!(code_in(text), Some("kmnop".into()));
        assert_eq!(code_in("Reply `no abcde` to deny it"), Some("abcde".into()));
        assert_eq!(code_in("Reply no hello to deny it"), None, "there is no l in a code");
        assert_eq!(code_in("say no other to it"), None);
    }
}
