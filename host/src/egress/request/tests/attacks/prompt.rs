//! Prompts that are not as the host wrote them, and buttons where none may be.

use super::{super::platform::*, OTHER, UNLISTED};
use crate::{
    egress::{Asked, Permit, request::tests::platform::build},
    manifest::{Action, Endpoint, Use},
    relay::Choice,
};

/// The keyboard of the prompt, as rows.
const KEYBOARD: &str = r#"[[{"text":"✅ Allow","callback_data":"sg.0123456789abcdef0123456789abcdef"},{"text":"❌ Deny","callback_data":"sg.fedcba9876543210fedcba9876543210"}]]"#;

fn button(label: &str, token: &str) -> String {
    format!(r#"{{"text":"{label}","callback_data":"{token}"}}"#)
}

fn allow() -> String {
    button("✅ Allow", ALLOW)
}

fn deny() -> String {
    button("❌ Deny", DENY)
}

/// A message that says the right thing, with this keyboard and more members.
fn with(keyboard: &str, more: &str) -> Asked {
    message(&format!(r#","reply_markup":{{"inline_keyboard":{keyboard}}}{more}"#))
}

#[track_caller]
fn denied(name: &str, endpoint: &Endpoint, permit: &Permit, asked: Asked, why: &str) {
    let denied = match build(endpoint, &values(), permit, asked) {
        Ok(prepared) => panic!("{name}: {} was made", prepared.url),
        Err(denied) => denied.0,
    };
    assert!(denied.contains(why), "{name}: {denied}");
    assert!(!denied.contains(ALLOW) && !denied.contains(DENY), "{name}: {denied}");
}

#[test]
fn the_prompt_as_the_host_wrote_it_leaves() {
    for rows in [KEYBOARD.to_owned(), format!("[[{}],[],[{}]]", allow(), deny())] {
        let prepared = build(&prompt(), &values(), &ask(), with(&rows, "")).unwrap();
        assert!(sent_text(&prepared).contains(&format!(r#""inline_keyboard":{rows}"#)));
        assert!(build(&rewrite(), &values(), &ask_again(), with(&rows, r#","message_id":81"#)).is_ok());
    }
    let outcome = Permit { choices: Some(vec![]), ..ask_again() };
    for more in ["", r#","reply_markup":{"inline_keyboard":[]}"#, r#","reply_markup":{"inline_keyboard":[[]]}"#] {
        let asked = message(&format!(r#","message_id":"81"{more}"#));
        assert!(build(&rewrite(), &values(), &outcome, asked).is_ok(), "{more}");
    }
    let bare = Endpoint { buttons: None, ..prompt() };
    for choices in [None, Some(vec![])] {
        assert!(build(&bare, &values(), &Permit { choices, ..ask() }, message("")).is_ok(), "without buttons");
    }
}

#[test]
fn buttons_are_the_prompts_in_their_order() {
    let (allow, deny) = (allow(), deny());
    let swapped_tokens = format!("[[{},{}]]", button("✅ Allow", DENY), button("❌ Deny", ALLOW));
    let swapped_labels = format!("[[{},{}]]", button("❌ Deny", ALLOW), button("✅ Allow", DENY));
    let of_another = ALLOW.replace('0', "9");
    let (count, label, token) = ("buttons are given as", "the label of button", "the token of button");
    let without = |member: &str| allow.replace(&format!(r#""{member}":"#), r#""other":"#);
    for (name, rows, why) in [
        ("swapped tokens", &*swapped_tokens, token),
        ("swapped labels", &*swapped_labels, label),
        ("in another order", &format!("[[{deny},{allow}]]"), label),
        ("in another order of rows", &format!("[[{deny}],[{allow}]]"), label),
        ("an extra button", &format!("[[{allow},{deny},{deny}]]"), count),
        ("an extra button before", &format!("[[{allow}],[{allow},{deny}]]"), count),
        ("an extra button without members", &format!("[[{allow},{deny},{{}}]]"), count),
        ("only Allow", &format!("[[{allow}]]"), count),
        ("only Deny", &format!("[[{deny}]]"), count),
        ("twice Allow", &format!("[[{allow},{allow}]]"), label),
        ("none", "[]", count),
        ("an empty row", "[[]]", count),
        ("another label", &format!("[[{},{deny}]]", button("✅ OK", ALLOW)), label),
        ("a label with more", &format!("[[{},{deny}]]", button("✅ Allow ", ALLOW)), label),
        ("a label with what does not show", &format!("[[{},{deny}]]", button("✅ Allow\u{200b}", ALLOW)), label),
        ("the token of another prompt", &format!("[[{},{deny}]]", button("✅ Allow", &of_another)), token),
        ("a token in capitals", &format!("[[{},{deny}]]", button("✅ Allow", &ALLOW.to_uppercase())), token),
        ("no token", &format!("[[{{\"text\":\"✅ Allow\"}},{deny}]]"), token),
        ("no label", &format!("[[{{\"callback_data\":\"{ALLOW}\"}},{deny}]]"), label),
        ("nothing in a button", &format!("[[{{}},{deny}]]"), label),
        ("null for a token", &format!("[[{{\"text\":\"✅ Allow\",\"callback_data\":null}},{deny}]]"), token),
        ("a number for a label", &format!("[[{{\"text\":1,\"callback_data\":\"{ALLOW}\"}},{deny}]]"), label),
        ("a button of an address", &format!("[[{},{deny}]]", without("callback_data")), UNLISTED),
        ("a button of a web app", &format!("[[{allow},{deny},{{\"text\":\"x\",\"web_app\":{{}}}}]]"), UNLISTED),
        (
            "an address beside the token",
            &KEYBOARD.replace("\"text\":\"✅", "\"url\":\"https://x\",\"text\":\"✅"),
            UNLISTED,
        ),
        ("a button that is a text", &format!("[[\"✅ Allow\",{deny}]]"), UNLISTED),
        ("a button in no row", &format!("[{allow},{deny}]"), UNLISTED),
        ("a row in a row", &format!("[[[{allow}],{deny}]]"), UNLISTED),
        (
            "a label twice",
            &KEYBOARD.replace("{\"text\":\"✅ Allow\"", "{\"text\":\"x\",\"text\":\"✅ Allow\""),
            "is there twice",
        ),
        (
            "a token twice",
            &KEYBOARD.replace("\"callback_data\"", "\"callback_data\":\"x\",\"callback_data\""),
            "is there twice",
        ),
        (
            "a token twice, escaped",
            &KEYBOARD.replace("\"callback_data\"", "\"callback\\u005fdata\":\"x\",\"callback_data\""),
            "is there twice",
        ),
    ] {
        denied(name, &prompt(), &ask(), with(rows, ""), why);
        denied(name, &rewrite(), &ask_again(), with(rows, r#","message_id":81"#), why);
    }
    denied("no keyboard", &prompt(), &ask(), message(""), count);
    let keyboard = |member: &str| message(&format!(r#","reply_markup":{{{member}}}"#));
    denied("another keyboard", &prompt(), &ask(), keyboard(&format!(r#""keyboard":{KEYBOARD}"#)), UNLISTED);
    let twice = format!(r#""inline_keyboard":{KEYBOARD},"inline_keyboard":[]"#);
    denied("a keyboard twice", &prompt(), &ask(), keyboard(&twice), "is there twice");
    denied("another keyboard beside it", &prompt(), &ask(), with(KEYBOARD, r#","reply_markup2":{}"#), UNLISTED);
}

#[test]
fn what_the_prompt_says_and_where_is_the_hosts() {
    let says = |chat: &str, text: &str, more: &str| {
        json(format!(r#"{{"chat_id":{chat},"text":{text},"reply_markup":{{"inline_keyboard":{KEYBOARD}}}{more}}}"#))
    };
    let text = format!("\"{TEXT}\"");
    let differs = "differs from the text of the action";
    for (name, asked, why) in [
        ("another command", says(CHAT, "\"ls\"", ""), differs),
        ("more text", says(CHAT, &format!("\"{TEXT} \""), ""), differs),
        ("no text", says(CHAT, "\"\"", ""), differs),
        ("null", says(CHAT, "null", ""), "/text is missing"),
        ("text twice", says(CHAT, &text, ",\"text\":\"ls\""), "is there twice"),
        ("another chat", says("-1009", &text, ""), OTHER),
        ("a name of a chat", says("\"@channel\"", &text, ""), OTHER),
        ("no chat", says("null", &text, ""), "/chat_id is missing"),
        ("a topic", says(CHAT, &text, ",\"message_thread_id\":8"), "the action has none"),
        ("an answer", says(CHAT, &text, ",\"reply_parameters\":{\"message_id\":80}"), "the action has none"),
        ("a style that hides", says(CHAT, &text, ",\"entities\":[{\"type\":\"spoiler\"}]"), "not among its `values`"),
        ("a style that is none", says(CHAT, &text, ",\"entities\":[{\"type\":null}]"), "not among its `values`"),
        ("a link that it has not", says(CHAT, &text, ",\"entities\":[{\"url\":\"https://x\"}]"), "no link"),
    ] {
        denied(name, &prompt(), &ask(), asked, why);
    }
    let loose = Endpoint { required: vec![], ..prompt() };
    let asked = json(format!(r#"{{"chat_id":{CHAT},"reply_markup":{{"inline_keyboard":{KEYBOARD}}}}}"#));
    denied("no text where none is required", &loose, &ask(), asked, "a prompt has its text, once");
    denied("no words at all", &prompt(), &Permit { text: None, ..ask() }, with(KEYBOARD, ""), "this one has none");
    assert!(build(&prompt(), &values(), &ask(), with(KEYBOARD, r#","entities":[{"type":"bold"}]"#)).is_ok());
}

#[test]
fn a_prompt_takes_the_place_of_its_own_message_alone() {
    let missing = "the prompt takes the place of a message";
    for (name, endpoint, permit, more, why) in [
        ("of another", rewrite(), ask_again(), r#","message_id":82"#, "the message of the action is \"81\""),
        ("of null", rewrite(), ask_again(), r#","message_id":null"#, "the message of the action is \"81\""),
        ("of none", rewrite(), ask_again(), "", missing),
        ("of none, by a new message", prompt(), ask_again(), "", missing),
        ("a new one over another", rewrite(), ask(), r#","message_id":82"#, "the action has none"),
        ("a new one over null", rewrite(), ask(), r#","message_id":null"#, "the action has none"),
        ("of a message twice", rewrite(), ask_again(), r#","message_id":82,"message_id":81"#, "is there twice"),
    ] {
        denied(name, &endpoint, &permit, with(KEYBOARD, more), why);
    }
}

#[test]
fn no_other_request_has_buttons() {
    let count = "buttons are given as";
    let kept = Permit { choices: Some(choices()), ..permit(Action::Send) };
    for (name, endpoint, permit, more) in [
        ("a message", prompt(), permit(Action::Send), ""),
        ("a message whose permit names them", prompt(), kept, ""),
        ("an edit", rewrite(), permit(Action::Edit), r#","message_id":81"#),
        ("an outcome", rewrite(), Permit { choices: Some(vec![]), ..ask_again() }, r#","message_id":81"#),
        ("a prompt without", prompt(), Permit { choices: None, ..ask() }, ""),
    ] {
        denied(name, &endpoint, &permit, with(KEYBOARD, more), count);
        denied(name, &endpoint, &permit, with("[[{}]]", more), count);
    }
    denied("an endpoint without", &send_message(), &permit(Action::Send), with(KEYBOARD, ""), UNLISTED);
    let bare = Endpoint { buttons: None, ..prompt() };
    denied("a prompt on such", &bare, &ask(), message(""), "no place for the buttons");
}

#[test]
fn a_prompt_goes_only_where_prompts_may() {
    denied("by an endpoint for messages", &send_message(), &ask(), with(KEYBOARD, ""), "not for `ask`, only for send");
    let only = Endpoint { uses: [Use::Action(Action::Ask)].into(), ..prompt() };
    for permit in [permit(Action::Send), permit(Action::Edit), Permit::bare(Use::Handle), Permit::bare(Use::Call)] {
        denied("another action", &only, &permit, with(KEYBOARD, ""), "only for ask");
    }
}

#[test]
fn choices_show_no_token() {
    let shown = format!("{:?}", ask());
    assert!(shown.contains("Allow") && !shown.contains(ALLOW), "{shown}");
    assert!(!format!("{:?}", Choice { label: "x".into(), token: DENY.into() }).contains(DENY));
}
