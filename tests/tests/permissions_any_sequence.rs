//! Whatever people who are no approvers send, in whatever order: the verdicts are the approvers'.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use sluicegate_tests::{
    bot::PNG,
    desk::{Desk, Prompt},
    telegram::{Content, Post},
};

/// What somebody does with a prompt that is not theirs.
#[derive(Debug, Clone, Copy)]
enum Does {
    Types,
    TypesInGroup,
    Guesses,
    Forwards,
    Captions,
    Edits,
    Answers,
    Disguises,
    Presses,
    PressesElsewhere,
    PressesAltered,
    Names,
}

const ALL: [Does; 12] = [
    Does::Types,
    Does::TypesInGroup,
    Does::Guesses,
    Does::Forwards,
    Does::Captions,
    Does::Edits,
    Does::Answers,
    Does::Disguises,
    Does::Presses,
    Does::PressesElsewhere,
    Does::PressesAltered,
    Does::Names,
];

/// One payload: who, what, and whether it would allow or deny.
type Step = (usize, Does, bool);

fn step() -> impl Strategy<Value = Step> {
    (0..3_usize, proptest::sample::select(ALL.to_vec()), any::<bool>())
}

struct Crowd {
    desk: Desk,
    group: i64,
    people: [i64; 3],
}

impl Crowd {
    fn new() -> Self {
        let desk = Desk::new(&["Alice"]);
        let group = desk.telegram.add_group("Team", &[]);
        drop(desk.home.run(&["access", "telegram", "group", "add", &group.to_string(), "--no-mention"]).success());
        let eve = desk.newcomer("Eve");
        // The same words before her name as the approver has.
        desk.telegram.add_user_as(eve, "Alice", Some("alice"));
        let people = [desk.mallory, desk.stranger, eve];
        Self { desk, group, people }
    }

    fn does(&self, (who, what, allow): Step, request: &str, prompt: &Prompt) {
        let (telegram, user) = (&self.desk.telegram, self.people[who]);
        let word = if allow { "yes" } else { "no" };
        let token = prompt.token(if allow { "Allow" } else { "Deny" });
        let verdict = format!("{word} {}", prompt.code);
        match what {
            Does::Types => drop(telegram.post(Post::text(user, &verdict))),
            Does::TypesInGroup => drop(telegram.post(Post::text(user, &verdict).in_chat(self.group))),
            Does::Guesses => drop(telegram.post(Post::text(user, &format!("{word} abcde")))),
            Does::Forwards => drop(telegram.post(Post::text(user, &verdict).forwarded_from(prompt.chat))),
            Does::Captions => drop(telegram.post(Post::photo(user, Content::of(PNG)).caption(&verdict))),
            Does::Edits => {
                let said = telegram.post(Post::text(user, "hello"));
                telegram.edit(said.chat, said.message, &verdict);
            }
            Does::Answers => {
                let said = json!({ "message_id": prompt.message, "from": { "id": prompt.chat }, "text": prompt.text });
                telegram.post(Post::text(user, &verdict).with("reply_to_message", said));
            }
            Does::Disguises => drop(telegram.post(Post::text(user, &verdict.replace('e', "\u{0435}")))),
            Does::Presses => drop(telegram.press_forged(user, prompt.chat, prompt.message, token)),
            Does::PressesElsewhere => {
                let message = json!({
                    "message_id": prompt.message, "date": 1_800_000_000, "text": prompt.text,
                    "chat": { "id": user, "type": "private" },
                });
                telegram.press_altered(user, prompt.chat, prompt.message, token, &json!({ "message": message }));
            }
            Does::PressesAltered => {
                let members: Value =
                    json!({ "sender": { "id": prompt.chat }, "via": { "from": { "id": prompt.chat } } });
                telegram.press_altered(user, prompt.chat, prompt.message, token, &members);
            }
            Does::Names => drop(telegram.post(Post::text(user, &format!("{word} {request}")))),
        }
    }
}

#[test]
fn no_sequence_of_payloads_of_others_changes_the_verdicts() {
    let crowd = Crowd::new();
    let alice = crowd.desk.approvers[0];
    let mut runner = TestRunner::new(Config { cases: 6, failure_persistence: None, ..Config::default() });
    let number = std::cell::Cell::new(0);
    let ran = runner.run(&(vec(step(), 1..25), any::<bool>()), |(steps, allow)| {
        number.set(number.get() + 1);
        let command = format!("make sequence-{}-x", number.get());
        let request = crowd.desk.ask(&command);
        let prompt = crowd.desk.prompt(alice, &command);
        let before = crowd.desk.server.verdicts();
        for step in &steps {
            crowd.does(*step, &request, &prompt);
        }
        // What Alice says comes after all of it.
        let (label, behavior) = if allow { ("Allow", "allow") } else { ("Deny", "deny") };
        crowd.desk.press(&prompt, label);
        prop_assert_eq!(crowd.desk.server.verdict_on(&request), behavior);
        prop_assert_eq!(crowd.desk.server.verdicts().len(), before.len() + 1);
        prop_assert!(!crowd.desk.claude_saw(&prompt.code));
        crowd.desk.closed(&prompt);
        Ok(())
    });
    ran.unwrap();
    assert_eq!(crowd.desk.server.verdicts().len(), 6);
}
