//! Presses that no approver made on a prompt as the host wrote it: none is a verdict. Rows 8 and 26 of the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::{Value, json};
use sluicegate_tests::{
    desk::Desk,
    scene::{Forgery, none_counts},
    server::a_moment,
    telegram::Fault,
};

const NOT_APPROVER: &str = "the sender is no approver";
const NOT_THEIRS: &str = "the code is another approver's";
const NOT_DIRECT: &str = "it was not said in a direct conversation";
const OTHER_CONVERSATION: &str = "it came from another conversation than the prompt was sent to";
const OTHER_MESSAGE: &str = "the button is not at the message of the prompt";
const ALTERED: &str = "does not read as the host wrote it";
const DECIDED: &str = "it was decided before";

/// The first row of buttons.
const ROW: &str = "/reply_markup/inline_keyboard/0";

fn row(message: &mut Value) -> &mut Vec<Value> {
    message.pointer_mut(ROW).and_then(Value::as_array_mut).expect("the prompt has buttons")
}

#[test]
fn only_the_approver_presses_and_only_under_the_prompt() {
    none_counts(&[
        Forgery {
            what: "somebody else in the approver's chat",
            attempt: |scene| scene.press_by(scene.outsider),
            why: &[NOT_APPROVER],
        },
        Forgery {
            what: "a stranger in the approver's chat",
            attempt: |scene| scene.press_by(scene.desk.stranger),
            why: &[NOT_APPROVER],
        },
        Forgery {
            what: "another approver in the approver's chat",
            attempt: |scene| scene.press_by(scene.witness.chat),
            why: &[NOT_THEIRS, OTHER_CONVERSATION],
        },
        Forgery {
            what: "another approver's token under one's own prompt",
            attempt: |scene| {
                let token = scene.witness.token("Allow");
                let (telegram, mine) = (&scene.desk.telegram, &scene.mine);
                scene.told(&telegram.press_forged(mine.chat, mine.chat, mine.message, token))
            },
            why: &[NOT_THEIRS, OTHER_MESSAGE, OTHER_CONVERSATION],
        },
        Forgery {
            what: "the token under another message",
            attempt: |scene| scene.press_under(|message| message["message_id"] = 1.into()),
            why: &[OTHER_MESSAGE],
        },
        Forgery {
            what: "the token under a message in a group",
            attempt: |scene| {
                let group = scene.group;
                scene.press_under(|message| message["chat"] = json!({ "id": group, "type": "group", "title": "Team" }))
            },
            why: &[NOT_DIRECT, OTHER_CONVERSATION],
        },
        Forgery {
            what: "the token in somebody else's chat",
            attempt: |scene| {
                let outsider = scene.outsider;
                scene.press_under(|message| message["chat"]["id"] = outsider.into())
            },
            why: &[OTHER_CONVERSATION, OTHER_MESSAGE, NOT_DIRECT],
        },
        Forgery {
            what: "a bot that has the approver's number",
            attempt: |scene| {
                let bot = json!({ "id": scene.approver(), "is_bot": true, "first_name": "A" });
                scene.press_with(&json!({ "from": bot }))
            },
            why: &[],
        },
        Forgery {
            what: "a message of an inline bot",
            attempt: |scene| scene.press_with(&json!({ "message": null, "inline_message_id": "AbC" })),
            why: &[],
        },
        Forgery {
            what: "a prompt that Telegram does not repeat",
            attempt: |scene| {
                let mine = &scene.mine;
                let chat = json!({ "id": mine.chat, "type": "private" });
                scene.press_with(&json!({ "message": { "chat": chat, "message_id": mine.message, "date": 0 } }))
            },
            why: &[],
        },
    ]);
}

#[test]
fn a_prompt_that_reads_otherwise_than_the_host_wrote_it_decides_nothing() {
    none_counts(&[
        Forgery {
            what: "another text",
            attempt: |scene| scene.press_under(|message| message["text"] = "Claude wants to use Read".into()),
            why: &[ALTERED],
        },
        Forgery {
            what: "another command",
            attempt: |scene| {
                scene.press_under(|message| {
                    message["text"] = message["text"].as_str().unwrap().replace("make case", "make nice").into();
                })
            },
            why: &[ALTERED],
        },
        Forgery {
            what: "no text",
            attempt: |scene| scene.press_under(|message| drop(message.as_object_mut().unwrap().remove("text"))),
            why: &[ALTERED],
        },
        Forgery {
            what: "labels that are swapped",
            attempt: |scene| {
                scene.press_under(|message| {
                    let row = row(message);
                    let first = row[0]["text"].clone();
                    row[0]["text"] = row[1]["text"].clone();
                    row[1]["text"] = first;
                })
            },
            why: &[ALTERED],
        },
        Forgery {
            what: "buttons in another order",
            attempt: |scene| scene.press_under(|message| row(message).reverse()),
            why: &[ALTERED],
        },
        Forgery {
            what: "a button less",
            attempt: |scene| scene.press_under(|message| drop(row(message).pop())),
            why: &[ALTERED],
        },
        Forgery {
            what: "a link among the buttons",
            attempt: |scene| {
                scene.press_under(|message| row(message).push(json!({ "text": "Why?", "url": "https://evil.example" })))
            },
            why: &[ALTERED],
        },
        Forgery {
            what: "no buttons",
            attempt: |scene| scene.press_under(|message| drop(message.as_object_mut().unwrap().remove("reply_markup"))),
            why: &[ALTERED],
        },
    ]);
}

#[test]
fn what_has_not_the_shape_of_a_token_is_none() {
    none_counts(&[
        Forgery {
            what: "a token in capitals",
            attempt: |scene| scene.press_with(&json!({ "data": scene.mine.token("Allow").to_uppercase() })),
            why: &[],
        },
        Forgery {
            what: "a token and something more",
            attempt: |scene| scene.press_with(&json!({ "data": format!("{} ", scene.mine.token("Allow")) })),
            why: &[],
        },
        Forgery { what: "the label", attempt: |scene| scene.press_with(&json!({ "data": "✅ Allow" })), why: &[] },
        Forgery {
            what: "what one would type",
            attempt: |scene| scene.press_with(&json!({ "data": scene.yes() })),
            why: &[],
        },
    ]);
}

#[test]
fn the_short_prompt_cannot_be_allowed_with_the_token_of_the_full_one() {
    let desk = Desk::new(&["Alice", "Wanda"]);
    let alice = desk.approvers[0];
    let long = json!({ "command": format!("{}the-end", "echo 0123456789 && ".repeat(100)) }).to_string();
    let request = desk.server.ask_permission("Bash", "Runs a long command", &long);
    let (short, witness) = (desk.prompt(alice, "Bash"), desk.prompt(desk.approvers[1], "Bash"));
    let before = desk.telegram.look(|view| view.message(alice, short.message)).unwrap();
    // Somebody else cannot even have it shown.
    desk.recorded(NOT_APPROVER, || {
        desk.telegram.press_forged(desk.mallory, alice, short.message, short.token("See more"))
    });
    assert_eq!(desk.again(&short).text, short.text);
    desk.press(&short, "See more");
    let full = desk.changed(&short, "the-end");
    desk.recorded(ALTERED, || {
        let members = json!({ "message": before });
        desk.telegram.press_altered(alice, alice, short.message, full.token("Allow"), &members)
    });
    // See more was pressed: its token does nothing else, and nothing again.
    let again = desk.telegram.press_forged(alice, alice, short.message, short.token("See more"));
    desk.telegram.wait_until_confirmed(desk.telegram.look(|view| view.update_of(&again)));
    desk.refuse(&request, &witness);
    assert_eq!(desk.server.verdicts().len(), 1);
}

#[test]
fn buttons_that_a_client_still_shows_decide_nothing_any_more() {
    let desk = Desk::new(&["Alice", "Wanda"]);
    let alice = desk.approvers[0];
    let request = desk.ask("make stale");
    let (mine, witness) = (desk.prompt(alice, "make stale"), desk.prompt(desk.approvers[1], "make stale"));
    let before = desk.telegram.look(|view| view.message(alice, mine.message)).unwrap();
    desk.refuse(&request, &witness);
    desk.closed(&mine);
    let members = json!({ "message": before });
    let query = desk
        .recorded(DECIDED, || desk.telegram.press_altered(alice, alice, mine.message, mine.token("Allow"), &members));
    desk.telegram.wait("even that press is acknowledged", |view| view.answer_to(&query));
    assert_eq!(desk.server.verdicts().len(), 1);
}

#[test]
fn a_prompt_whose_message_was_never_named_cannot_be_answered() {
    let desk = Desk::new(&["Alice"]);
    let alice = desk.approvers[0];
    desk.telegram.inject_on("sendMessage", Fault::HangUpDone, 1);
    desk.ask("make unnamed");
    // It is in the chat, and the host does not know as which message.
    let prompt = desk.prompt(alice, "make unnamed");
    let query = desk.press(&prompt, "Allow");
    desk.telegram.wait_until_confirmed(desk.telegram.look(|view| view.update_of(&query)));
    a_moment();
    assert!(desk.server.verdicts().is_empty());
    let request = desk.ask("make named");
    let prompt = desk.prompt(alice, "make named");
    desk.refuse(&request, &prompt);
    assert_eq!(desk.server.verdicts().len(), 1);
}
