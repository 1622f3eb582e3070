//! A table of forgeries: each has a request, an approver and an outsider of its own, and a witness who answers at the
//! end, so that none can hide another.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::{
    desk::{Desk, Prompt},
    telegram::Post,
};

/// One forgery.
#[derive(Debug, Clone, Copy)]
pub struct Forgery {
    /// What is forged.
    pub what: &'static str,
    /// Tries it; gives the update that told the host of it, or 0.
    pub attempt: fn(&Scene<'_>) -> i64,
    /// What the record says of it, any of these; none if the host finds nothing in it that looks like a verdict.
    pub why: &'static [&'static str],
}

/// Where a forgery is tried.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The desk.
    pub desk: &'a Desk,
    /// Which scene it is.
    pub number: usize,
    /// Claude Code's name of the request.
    pub request: String,
    /// The approver's prompt; the chat is the approver.
    pub mine: Prompt,
    /// The witness's prompt, for the same request.
    pub witness: Prompt,
    /// Somebody who may speak and is no approver.
    pub outsider: i64,
    /// A group in which everybody is heard.
    pub group: i64,
    /// A group of which nobody is heard.
    pub unlisted: i64,
}

impl Scene<'_> {
    /// The approver.
    pub fn approver(&self) -> i64 {
        self.mine.chat
    }

    /// What would allow it, if the approver wrote it.
    pub fn yes(&self) -> String {
        format!("yes {}", self.mine.code)
    }

    /// Somebody posts; gives the update.
    pub fn post(&self, post: Post) -> i64 {
        self.desk.telegram.post(post).update
    }

    /// Somebody writes to the bot; gives the update.
    pub fn says(&self, user: i64, text: &str) -> i64 {
        self.post(Post::text(user, text))
    }

    /// The update that told of a press.
    pub fn told(&self, query: &str) -> i64 {
        self.desk.telegram.look(|view| view.update_of(query))
    }

    /// A press on Allow by that user, with the approver's token, under the approver's prompt.
    pub fn press_by(&self, user: i64) -> i64 {
        self.told(&self.desk.telegram.press_forged(user, self.mine.chat, self.mine.message, self.mine.token("Allow")))
    }

    /// The approver's press on Allow, with these members of the callback query changed.
    pub fn press_with(&self, members: &Value) -> i64 {
        let token = self.mine.token("Allow");
        let telegram = &self.desk.telegram;
        self.told(&telegram.press_altered(self.approver(), self.mine.chat, self.mine.message, token, members))
    }

    /// The approver's press on Allow, whose message is changed.
    pub fn press_under(&self, change: impl FnOnce(&mut Value)) -> i64 {
        let mut message = self.prompt();
        change(&mut message);
        self.press_with(&json!({ "message": message }))
    }

    /// The approver's prompt as Telegram has it.
    ///
    /// # Panics
    /// If it is gone.
    pub fn prompt(&self) -> Value {
        let message = self.desk.telegram.look(|view| view.message(self.mine.chat, self.mine.message));
        message.expect("the prompt is there")
    }

    /// A message as an update has it, from that user in their own chat with the bot.
    pub fn message(&self, from: i64, text: &str) -> Value {
        json!({
            "message_id": 900_001, "date": self.prompt()["date"], "text": text,
            "from": { "id": from, "is_bot": false, "first_name": "X" }, "chat": { "id": from, "type": "private" },
        })
    }

    /// Gives the host an update with these members once, as they are: what it cannot read as JSON, it asks for again.
    pub fn feed(&self, members: &str) -> i64 {
        self.desk.feed(&[format!("{{\"update_id\":{},{members}}}", 731_900_000 + self.number)]);
        0
    }

    /// Queues an update with these members as they are.
    pub fn raw(&self, members: &str) -> i64 {
        self.desk.telegram.raw_update(members)
    }
}

/// A way to answer, and what it is called.
pub type Way = (&'static str, fn(&Scene<'_>) -> i64);

/// Tries all of them: none decides anything or reaches Claude, and each leaves in the record what it says.
///
/// # Panics
/// If one does.
pub fn none_counts(forgeries: &[Forgery]) {
    let stage = Stage::new();
    for forgery in forgeries {
        eprintln!("forgery: {}", forgery.what);
        let scene = stage.scene();
        let update = stage.desk.recorded_any(forgery.why, || (forgery.attempt)(&scene));
        if update > 0 {
            stage.desk.telegram.wait_until_confirmed(update);
        }
        stage.desk.refuse(&scene.request, &scene.witness);
        let closed = stage.desk.closed(&scene.mine);
        assert!(closed.text.contains("wanda"), "{}: {}", forgery.what, closed.text);
        assert!(!stage.desk.claude_saw(&scene.mine.code), "{}: {:?}", forgery.what, stage.desk.server.events());
    }
    let verdicts = stage.desk.server.verdicts();
    assert!(verdicts.iter().all(|(_, behavior)| behavior == "deny"), "{verdicts:?}");
    assert_eq!(verdicts.len(), forgeries.len());
}

/// Tries all of them: each allows its request, as the approver's.
///
/// # Panics
/// If one does not.
pub fn all_count(ways: &[Way]) {
    let stage = Stage::new();
    for (what, answer) in ways {
        eprintln!("answer: {what}");
        let scene = stage.scene();
        answer(&scene);
        assert_eq!(stage.desk.server.verdict_on(&scene.request), "allow", "{what}");
        let closed = stage.desk.closed(&scene.mine);
        assert!(closed.text.contains("You allowed"), "{what}: {}", closed.text);
        stage.desk.closed(&scene.witness);
    }
}

/// A desk with a witness and two groups, on which one scene follows another.
struct Stage {
    desk: Desk,
    group: i64,
    unlisted: i64,
    scenes: Cell<usize>,
}

impl Stage {
    fn new() -> Self {
        let desk = Desk::new(&["Wanda"]);
        let (group, unlisted) = (desk.telegram.add_group("Team", &[]), desk.telegram.add_group("Others", &[]));
        drop(desk.home.run(&["access", "telegram", "group", "add", &group.to_string(), "--no-mention"]).success());
        Self { desk, group, unlisted, scenes: Cell::new(0) }
    }

    fn scene(&self) -> Scene<'_> {
        let (desk, wanda, number) = (&self.desk, self.desk.approvers[0], self.scenes.replace(self.scenes.get() + 1));
        let approver = desk.newcomer(&format!("Approver{number}"));
        let outsider = desk.newcomer(&format!("Outsider{number}"));
        desk.appoint(&[wanda, approver], &[outsider]);
        let command = format!("make case-{number}-x");
        let request = desk.ask(&command);
        let (mine, witness) = (desk.prompt(approver, &command), desk.prompt(wanda, &command));
        Scene { desk, number, request, mine, witness, outsider, group: self.group, unlisted: self.unlisted }
    }
}
