//! Permission requests from Claude Code to a phone and back: what approvers see, what they answer with, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::json;
use sluicegate_tests::{
    bot::Bot,
    desk::{Desk, Prompt},
    server::a_moment,
    telegram::Fault,
};

/// The first approver.
fn alice(desk: &Desk) -> i64 {
    desk.approvers[0]
}

/// How a code is typed.
type Spelling = fn(&str) -> String;

/// Arguments that no short prompt shows whole, with an end to look for.
fn long(chars: usize) -> String {
    format!("{{\"command\":\"{} && rm the-end\"}}", "echo 0123456789 && ".repeat(chars / 19))
}

#[test]
fn the_relay_is_declared_when_an_adapter_can_ask_and_not_otherwise() {
    let desk = Desk::new(&["Alice"]);
    assert!(desk.server.relays());
    let home = sluicegate_tests::Home::with(&sluicegate_tests::Guest::new("chat"));
    assert!(!sluicegate_tests::Server::start(&home).relays(), "no adapter there can ask");
}

#[test]
fn a_button_allows_and_a_button_denies() {
    let desk = Desk::new(&["Alice"]);
    for (command, label, verdict, outcome) in
        [("make test", "Allow", "allow", "allowed"), ("rm -rf build", "Deny", "deny", "denied")]
    {
        let request = desk.ask(command);
        let prompt = desk.prompt(alice(&desk), command);
        assert!(prompt.text.contains("Bash"), "{}", prompt.text);
        assert!(!prompt.has("See more"), "all of it is shown: {:?}", prompt.buttons);
        let query = desk.press(&prompt, label);
        assert_eq!(desk.server.verdict_on(&request), verdict);
        let closed = desk.closed(&prompt);
        assert!(closed.text.to_lowercase().contains(outcome), "{}", closed.text);
        assert!(closed.text.contains("Bash") && closed.code.is_empty(), "{}", closed.text);
        desk.telegram.wait("the press is acknowledged", |view| view.answer_to(&query));
    }
    desk.telegram.wait("every press is acknowledged", |view| view.unanswered().is_empty().then_some(()));
    assert_eq!(desk.server.verdicts().len(), 2);
    assert!(desk.server.events().is_empty(), "presses are no messages");
}

#[test]
fn typed_answers_count_in_every_spelling_that_claude_code_has() {
    let desk = Desk::new(&["Alice"]);
    let spellings: [(Spelling, &str); 8] = [
        (|code| format!("yes {code}"), "allow"),
        (|code| format!("y {code}"), "allow"),
        (|code| format!("YES {}", code.to_uppercase()), "allow"),
        (|code| format!("  Yes\n\t{code}  "), "allow"),
        (|code| format!("no {code}"), "deny"),
        (|code| format!("n {code}"), "deny"),
        (|code| format!("No {code}"), "deny"),
        (|code| format!("N  {}", code.to_uppercase()), "deny"),
    ];
    for (number, (spell, verdict)) in spellings.into_iter().enumerate() {
        let command = format!("make target-{number}-of-eight");
        let request = desk.ask(&command);
        let prompt = desk.prompt(alice(&desk), &command);
        assert!(!prompt.code.is_empty(), "{}", prompt.text);
        desk.says(alice(&desk), &spell(&prompt.code));
        assert_eq!(desk.server.verdict_on(&request), verdict, "{}", spell(&prompt.code));
        desk.closed(&prompt);
    }
    assert!(desk.server.events().is_empty(), "verdicts are no messages");
}

#[test]
fn an_answer_to_the_prompt_itself_counts_and_claude_reads_what_is_none() {
    let desk = Desk::new(&["Alice"]);
    let request = desk.ask("make docs");
    let prompt = desk.prompt(alice(&desk), "make docs");
    desk.says(alice(&desk), "yes, but what does it do?");
    sluicegate_tests::bot::event_saying(&desk.server, "yes, but what does it do?");
    let post = sluicegate_tests::telegram::Post::text(alice(&desk), &format!("yes {}", prompt.code));
    desk.telegram.post(post.replying_to(prompt.message));
    assert_eq!(desk.server.verdict_on(&request), "allow");
    assert_eq!(desk.server.events().len(), 1);
}

#[test]
fn what_is_long_can_be_allowed_once_all_of_it_is_shown() {
    let desk = Desk::new(&["Alice"]);
    let request = desk.server.ask_permission("Bash", "Runs a long command", &long(2_000));
    let short = desk.prompt(alice(&desk), "Bash");
    assert!(short.has("See more") && short.has("Deny") && !short.has("Allow"), "{:?}", short.buttons);
    assert!(!short.text.contains("the-end"), "{}", short.text);
    desk.recorded("the prompt did not show everything", || desk.says(alice(&desk), &format!("yes {}", short.code)));
    assert!(desk.server.verdicts().is_empty(), "what is not shown cannot be allowed");
    let query = desk.press(&short, "See more");
    let full = desk.changed(&short, "the-end");
    desk.telegram.wait("the press is acknowledged", |view| view.answer_to(&query));
    assert!(full.has("Allow") && full.has("Deny") && !full.has("See more"), "{:?}", full.buttons);
    assert_eq!(full.message, short.message, "it takes the place of the short one");
    assert_eq!(full.code, short.code);
    desk.press(&full, "Allow");
    assert_eq!(desk.server.verdict_on(&request), "allow");
    desk.closed(&full);
    desk.telegram.wait("every press is acknowledged", |view| view.unanswered().is_empty().then_some(()));
}

#[test]
fn what_does_not_fit_can_only_be_denied_and_says_how_much_is_missing() {
    let desk = Desk::new(&["Alice"]);
    // Each as long as Claude Code sends it; together they do not fit Telegram's 4,096.
    let preview = json!({ "first": "a b ".repeat(800), "second": format!("{}the-end", "c d ".repeat(800)) });
    let request = desk.server.ask_permission("Bash", "Runs a very long command", &preview.to_string());
    let short = desk.prompt(alice(&desk), "Bash");
    assert!(short.has("Deny") && !short.has("Allow"), "{:?}", short.buttons);
    desk.press(&short, "See more");
    let full = desk.changed(&short, "too long to be allowed here");
    assert!(full.has("Deny") && !full.has("Allow") && !full.has("See more"), "{:?}", full.buttons);
    let missing = full.text.lines().filter(|line| line.starts_with('…') && line.contains("not shown")).count();
    assert!(missing > 0, "it says how much is missing: {}", full.text);
    assert!(full.text.encode_utf16().count() <= 4096);
    desk.recorded("the prompt did not show everything", || desk.says(alice(&desk), &format!("yes {}", full.code)));
    assert!(desk.server.verdicts().is_empty());
    desk.says(alice(&desk), &format!("no {}", full.code));
    assert_eq!(desk.server.verdict_on(&request), "deny");
}

#[test]
fn what_claude_code_left_out_cannot_be_allowed() {
    let desk = Desk::new(&["Alice"]);
    for preview in ["{\"command\":\"begin\n⋯ 200 code points elided ⋯\nend\"}", "{\"command\":\"breaks o", ""] {
        let request = desk.server.ask_permission("Bash", "Runs something", preview);
        let prompt = desk.prompt(alice(&desk), "can only be allowed at the terminal");
        assert!(prompt.has("Deny") && !prompt.has("Allow"), "{preview}: {:?}", prompt.buttons);
        desk.recorded("the prompt did not show everything", || desk.says(alice(&desk), &format!("y {}", prompt.code)));
        desk.press(&prompt, "Deny");
        assert_eq!(desk.server.verdict_on(&request), "deny", "{preview}");
        desk.closed(&prompt);
    }
}

#[test]
fn characters_that_do_not_show_are_shown_and_nothing_hides_a_command() {
    let desk = Desk::new(&["Alice"]);
    let hidden = "ls \u{202e}txt.elif\u{2066} \u{200b}rm\u{0007} `x` *y* [z](https://evil.example) </channel>";
    let request = desk.ask(hidden);
    let prompt = desk.prompt(alice(&desk), "evil.example");
    let invisible = |c: char| matches!(c, '\u{202e}' | '\u{2066}' | '\u{200b}' | '\u{0007}');
    assert!(!prompt.text.chars().any(invisible), "{:?}", prompt.text);
    for part in ["`x`", "*y*", "[z](https://evil.example)"] {
        assert!(prompt.text.contains(part), "{part} is shown as it is: {}", prompt.text);
    }
    let message = desk.telegram.look(|view| view.message(prompt.chat, prompt.message)).unwrap();
    let links = message["entities"].as_array().into_iter().flatten().filter(|span| span["type"] == "text_link");
    assert_eq!(links.count(), 0, "{message}");
    assert!(desk.telegram.look(|view| view.fetched_urls()).is_empty(), "no preview");
    desk.press(&prompt, "Deny");
    assert_eq!(desk.server.verdict_on(&request), "deny");
}

#[test]
fn every_approver_has_a_code_of_their_own_and_the_first_answer_wins() {
    let desk = Desk::new(&["Alice", "Carol"]);
    let [alice, carol] = [desk.approvers[0], desk.approvers[1]];
    let request = desk.ask("make install");
    let (hers, carols) = (desk.prompt(alice, "make install"), desk.prompt(carol, "make install"));
    assert_ne!(hers.code, carols.code);
    assert!(hers.buttons.iter().all(|(_, token)| carols.buttons.iter().all(|(_, other)| token != other)));
    for (_, token) in hers.buttons.iter().chain(&carols.buttons) {
        assert!(token.len() <= 64, "{token}");
    }
    desk.press(&carols, "Allow");
    assert_eq!(desk.server.verdict_on(&request), "allow");
    let told = desk.closed(&hers);
    assert!(told.text.to_lowercase().contains("carol"), "who decided: {}", told.text);
    desk.closed(&carols);
    let late = desk.recorded("it was decided before", || desk.says(alice, &format!("no {}", hers.code)));
    desk.telegram.wait_until_confirmed(late.update);
    assert_eq!(desk.server.verdicts(), [(request, "allow".to_owned())]);
}

#[test]
fn a_deny_beats_an_allow_that_arrives_with_it() {
    let desk = Desk::new(&["Alice", "Carol"]);
    for (number, first) in ["Allow", "Deny"].into_iter().enumerate() {
        let command = format!("make both-{number}-at-once");
        let request = desk.ask(&command);
        let prompts: Vec<Prompt> = desk.approvers.iter().map(|approver| desk.prompt(*approver, &command)).collect();
        prompts.iter().for_each(|prompt| desk.known(prompt));
        // Both are in one answer to one poll.
        desk.telegram.stop();
        desk.press(&prompts[0], first);
        desk.press(&prompts[1], if first == "Allow" { "Deny" } else { "Allow" });
        desk.telegram.listen();
        assert_eq!(desk.server.verdict_on(&request), "deny", "{first} first");
        prompts.iter().for_each(|prompt| drop(desk.closed(prompt)));
    }
}

#[test]
fn claude_codes_own_name_of_a_request_is_nowhere_but_on_its_wire() {
    let mut desk = Desk::with(&["Alice"], |home, _| home.variable("SLUICEGATE_LOG", "debug"));
    let id = "qzvxk";
    desk.server.ask_permission_as(id, "Bash", "Runs a command", r#"{"command":"make secretly"}"#);
    let prompt = desk.prompt(alice(&desk), "make secretly");
    assert_ne!(prompt.code, id);
    desk.recorded("no request that waits has this code", || desk.says(alice(&desk), &format!("yes {id}")));
    assert!(desk.server.verdicts().is_empty(), "in a channel of another make this allows the tool");
    desk.press(&prompt, "Allow");
    assert_eq!(desk.server.verdict_on(id), "allow");
    desk.closed(&prompt);
    let errors = desk.server.errors();
    let record = desk.record();
    desk.restart();
    assert!(!errors.contains(id) && !record.contains(id), "{errors}\n{record}");
    let calls = desk.telegram.look(|view| view.all_calls().to_vec());
    for call in calls.iter().filter(|call| call.method != "getupdates") {
        let body = String::from_utf8_lossy(&call.body);
        assert!(!call.target.contains(id) && !body.contains(id), "{}", call.line());
    }
    for path in desk.home.tree().into_iter().filter(|path| path.is_file()) {
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(id.len()).filter(|window| *window == id.as_bytes()).count();
        // What Alice wrote is in the journal nowhere either: it looked like a verdict.
        assert_eq!(found, 0, "{}", path.display());
    }
}

#[test]
fn requests_are_handled_in_the_order_of_the_wire() {
    let desk = Desk::new(&["Alice"]);
    let requests: Vec<String> = (0..5).map(|number| desk.ask(&format!("make step-{number}"))).collect();
    let prompts: Vec<Prompt> = (0..5).map(|number| desk.prompt(alice(&desk), &format!("make step-{number}"))).collect();
    let messages: Vec<i64> = prompts.iter().map(|prompt| prompt.message).collect();
    assert!(messages.is_sorted(), "{messages:?}");
    // Each has a verdict of its own.
    for (number, (request, prompt)) in requests.iter().zip(&prompts).enumerate().rev() {
        let label = if number % 2 == 0 { "Allow" } else { "Deny" };
        desk.press(prompt, label);
        assert_eq!(desk.server.verdict_on(request), if number % 2 == 0 { "allow" } else { "deny" });
    }
    let wire: Vec<String> = desk.server.verdicts().into_iter().map(|(request, _)| request).collect();
    assert_eq!(wire, requests.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn a_prompt_that_telegram_takes_late_or_not_at_all_does_not_hold_up_the_others() {
    let desk = Desk::new(&["Alice", "Carol"]);
    desk.telegram.block(desk.approvers[1]);
    let request = desk.ask("make half");
    let prompt = desk.prompt(alice(&desk), "make half");
    desk.press(&prompt, "Allow");
    assert_eq!(desk.server.verdict_on(&request), "allow");
    desk.telegram.inject_on("sendMessage", Fault::Slow(std::time::Duration::from_millis(400)), 2);
    let request = desk.ask("make slowly");
    // The button is there before the host knows where.
    let prompt = desk.prompt(alice(&desk), "make slowly");
    desk.press(&prompt, "Deny");
    assert_eq!(desk.server.verdict_on(&request), "deny");
}

#[test]
fn without_an_approver_nobody_is_asked_and_the_log_says_what_to_do() {
    let bot = Bot::new();
    let server = bot.start();
    server.ask_permission("Bash", "Runs a command", r#"{"command":"ls"}"#);
    let log = sluicegate_tests::deadline::until("the log says how to appoint approvers", || {
        let log = bot.home.log();
        log.contains("approver add").then_some(log)
    });
    assert!(log.contains("sluicegate access telegram approver add"), "{log}");
    a_moment();
    assert!(bot.telegram.look(|view| view.sent(bot.alice)).is_empty(), "who may speak may not answer");
    assert!(server.verdicts().is_empty());
    let doctor = bot.home.run(&["doctor"]).output();
    assert!(doctor.contains("approver add"), "{doctor}");
    let record = bot.home.run(&["log", "--permissions"]).success().stdout;
    assert!(record.contains("Bash"), "{record}");
    // The command does what it says, while the session runs.
    drop(bot.home.run(&["access", "telegram", "approver", "add", &bot.alice.to_string()]).success());
    bot.alice_says("hello");
    let request = server.ask_permission("Bash", "Runs a command", r#"{"command":"ls -l now"}"#);
    let prompt = bot.telegram.wait_for_text(bot.alice, "ls -l now");
    let message = prompt["message_id"].as_i64().unwrap();
    let token = bot.telegram.look(|view| view.button(bot.alice, message, "Allow")).unwrap();
    bot.telegram.press(bot.alice, bot.alice, message, &token);
    assert_eq!(server.verdict_on(&request), "allow");
    drop(bot.home.run(&["access", "telegram", "approver", "remove", &bot.alice.to_string()]).success());
    server.ask_permission("Bash", "Runs a command", r#"{"command":"ls -l again"}"#);
    a_moment();
    let asked = bot.telegram.look(|view| view.sent(bot.alice).into_iter().any(|it| it.to_string().contains("again")));
    assert!(!asked, "nobody is asked any more");
}

#[test]
fn somebody_who_is_no_approver_any_more_decides_nothing() {
    let desk = Desk::new(&["Alice", "Carol"]);
    let request = desk.ask("make later");
    let (hers, carols) = (desk.prompt(alice(&desk), "make later"), desk.prompt(desk.approvers[1], "make later"));
    drop(desk.home.run(&["access", "telegram", "approver", "remove", &alice(&desk).to_string()]).success());
    desk.recorded("the sender is no approver", || desk.press(&hers, "Allow"));
    desk.recorded("the sender is no approver", || desk.says(alice(&desk), &format!("yes {}", hers.code)));
    desk.refuse(&request, &carols);
}

#[test]
fn where_only_buttons_count_no_code_is_shown_and_none_is_taken() {
    let desk = Desk::with(&["Alice", "Carol"], |_, access| access["verdicts"] = json!("buttons"));
    let request = desk.ask("make careful");
    let prompt = desk.prompt(alice(&desk), "make careful");
    assert!(prompt.code.is_empty(), "{}", prompt.text);
    // Whatever is typed is refused, whether there is such a code or not.
    desk.recorded("verdicts = \"buttons\"", || desk.says(alice(&desk), "yes abcde"));
    assert!(!desk.claude_saw("abcde"));
    desk.press(&prompt, "Allow");
    assert_eq!(desk.server.verdict_on(&request), "allow");
}
