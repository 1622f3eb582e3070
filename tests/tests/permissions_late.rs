//! Answers that come too often, too late or twice, and ways of answering that the tables of forgeries rest on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::{Map, Value, json};
use sluicegate_tests::{desk::Desk, scene::all_count, telegram::Post};

const UNKNOWN: &str = "no request that waits has this code";
const TOO_MANY: &str = "five wrong tries within ten minutes";
const DECIDED: &str = "it was decided before";

/// What the tables change is what is refused: unchanged it counts.
#[test]
fn an_honest_answer_counts_by_every_way_that_forgeries_take() {
    all_count(&[
        ("typed", |scene| scene.says(scene.approver(), &scene.yes())),
        ("as the answer to the prompt", |scene| {
            scene.post(Post::text(scene.approver(), &scene.yes()).replying_to(scene.mine.message))
        }),
        ("in an update made by hand", |scene| {
            scene.raw(&format!("\"message\":{}", scene.message(scene.approver(), &scene.yes())))
        }),
        ("in an answer made by hand", |scene| {
            scene.feed(&format!("\"message\":{}", scene.message(scene.approver(), &scene.yes())))
        }),
        ("pressed", |scene| scene.press_by(scene.approver())),
        ("pressed, made by hand", |scene| scene.press_with(&json!({}))),
        ("pressed under the same message, made by hand", |scene| scene.press_under(|_| {})),
    ]);
}

#[test]
fn after_five_wrong_tries_nothing_of_the_sender_counts() {
    let desk = Desk::new(&["Alice", "Wanda"]);
    let request = desk.ask("make guesses");
    let (mine, witness) =
        (desk.prompt(desk.approvers[0], "make guesses"), desk.prompt(desk.approvers[1], "make guesses"));
    for guess in ["aaaaa", "bbbbb", "ccccc", "ddddd", "eeeee"] {
        desk.recorded(UNKNOWN, || desk.says(mine.chat, &format!("yes {guess}")));
    }
    desk.recorded(TOO_MANY, || desk.says(mine.chat, &format!("yes {}", mine.code)));
    let query = desk.press(&mine, "Allow");
    desk.telegram.wait_until_confirmed(desk.telegram.look(|view| view.update_of(&query)));
    desk.refuse(&request, &witness);
    assert_eq!(desk.server.verdicts().len(), 1);
    assert!(desk.server.events().is_empty());
}

#[test]
fn what_is_decided_stays_decided() {
    let desk = Desk::new(&["Alice", "Wanda"]);
    let request = desk.ask("make once");
    let (mine, witness) = (desk.prompt(desk.approvers[0], "make once"), desk.prompt(desk.approvers[1], "make once"));
    desk.says(mine.chat, &format!("no {}", mine.code));
    assert_eq!(desk.server.verdict_on(&request), "deny");
    desk.closed(&mine);
    desk.closed(&witness);
    for prompt in [&mine, &witness] {
        desk.recorded(DECIDED, || desk.says(prompt.chat, &format!("yes {}", prompt.code)));
        desk.recorded(DECIDED, || {
            desk.telegram.press_forged(prompt.chat, prompt.chat, prompt.message, prompt.token("Allow"))
        });
    }
    // The next request has other codes.
    let next = desk.ask("make twice");
    let anew = desk.prompt(mine.chat, "make twice");
    assert_ne!(anew.code, mine.code);
    desk.recorded(DECIDED, || desk.says(witness.chat, &format!("yes {}", witness.code)));
    desk.refuse(&next, &anew);
    assert_eq!(desk.server.verdicts().len(), 2);
    assert!(desk.server.events().is_empty());
}

#[test]
fn the_same_update_is_taken_once() {
    let desk = Desk::new(&["Alice"]);
    let alice = desk.approvers[0];
    let request = desk.ask("make replay");
    let prompt = desk.prompt(alice, "make replay");
    desk.known(&prompt);
    desk.telegram.stop();
    desk.says(alice, &format!("no {}", prompt.code));
    desk.press(&prompt, "Allow");
    let updates: Vec<String> = desk.telegram.look(|view| view.pending()).iter().map(ToString::to_string).collect();
    assert_eq!(updates.len(), 2);
    desk.telegram.listen();
    assert_eq!(desk.server.verdict_on(&request), "deny", "the allow came with it");
    desk.closed(&prompt);
    let record = desk.record();
    desk.feed(&updates);
    // The same again under new names.
    for update in &updates {
        let update: Map<String, Value> = serde_json::from_str(update).unwrap();
        let (kind, value) = update.iter().find(|(name, _)| *name != "update_id").unwrap();
        let update = desk.telegram.update(kind, value);
        desk.telegram.wait_until_confirmed(update);
    }
    assert_eq!(desk.server.verdicts().len(), 1);
    assert!(desk.server.events().is_empty());
    assert_eq!(desk.record().matches("deny").count(), record.matches("deny").count());
}
