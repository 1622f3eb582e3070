//! What the user's policy says of permission requests, how they end without an answer, and what is kept of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rusqlite::Connection;
use serde_json::json;
use sluicegate_tests::{
    bot::event_saying,
    deadline,
    desk::{Desk, Prompt},
    server::{Signal, a_moment},
};

fn alice(desk: &Desk) -> i64 {
    desk.approvers[0]
}

#[test]
fn tools_that_are_never_relayed_and_quiet_hours_ask_nobody() {
    let mut desk = Desk::with(&["Alice"], |home, _| home.table("[permissions]\nnever = [\"Write\", \"mcp__bank__*\"]"));
    for tool in ["Write", "mcp__bank__pay"] {
        desk.recorded("[permissions]", || desk.server.ask_permission(tool, "", r#"{"path":"/tmp/never"}"#));
    }
    let request = desk.ask("make allowed-to-ask");
    let prompt = desk.prompt(alice(&desk), "make allowed-to-ask");
    assert_eq!(desk.telegram.look(|view| view.sent(alice(&desk)).len()), 1, "only this was asked");
    desk.press(&prompt, "Deny");
    assert_eq!(desk.server.verdict_on(&request), "deny");
    desk.home.replace_table("[permissions]", "[permissions]\nquiet = [\"00:00-24:00\"]\ntime-zone = \"Europe/Berlin\"");
    desk.restart();
    desk.recorded("quiet", || desk.ask("make at-night"));
    a_moment();
    let sent = desk.telegram.look(|view| view.sent(alice(&desk)));
    assert!(!sent.iter().any(|message| message.to_string().contains("at-night")), "{sent:#?}");
    assert!(desk.server.verdicts().is_empty());
}

#[test]
fn a_policy_that_cannot_be_read_stops_the_relay_alone_and_doctor_shows_it() {
    let desk = Desk::with(&["Alice"], |home, _| home.table("[permissions]\nquiet = [\"25:00-26:00\"]"));
    desk.recorded("[permissions]", || desk.ask("make nothing"));
    let doctor = desk.home.run(&["doctor"]).output();
    assert!(doctor.contains("permissions") && doctor.contains("quiet"), "{doctor}");
    desk.says(alice(&desk), "are you there?");
    event_saying(&desk.server, "are you there?");
    let sent = desk.telegram.look(|view| view.sent(alice(&desk)));
    assert!(sent.is_empty(), "{sent:#?}");
    assert!(desk.server.verdicts().is_empty());
}

#[test]
fn two_approvers_must_both_allow_and_one_can_deny() {
    let desk = Desk::with(&["Alice", "Carol"], |home, _| home.table("[permissions]\ntwo-approvers = [\"Bash\"]"));
    let prompts = |command: &str| -> Vec<Prompt> {
        desk.approvers.iter().map(|approver| desk.prompt(*approver, command)).collect()
    };
    let request = desk.ask("make both");
    let asked = prompts("make both");
    desk.press(&asked[0], "Allow");
    let waits = desk.closed(&asked[0]);
    assert!(desk.server.verdicts().is_empty(), "one of two");
    // The same person is not two.
    desk.recorded("this approver has answered already", || {
        desk.says(asked[0].chat, &format!("yes {}", asked[0].code));
    });
    assert!(desk.server.verdicts().is_empty(), "{}", waits.text);
    desk.says(asked[1].chat, &format!("yes {}", asked[1].code));
    assert_eq!(desk.server.verdict_on(&request), "allow");
    desk.closed(&asked[1]);
    let request = desk.ask("make neither");
    let asked = prompts("make neither");
    desk.press(&asked[1], "Allow");
    desk.closed(&asked[1]);
    desk.press(&asked[0], "Deny");
    assert_eq!(desk.server.verdict_on(&request), "deny");
    // One alone cannot be two: nobody is asked.
    desk.appoint(&desk.approvers[..1], &[]);
    desk.recorded("approvers and 1 can be asked", || desk.ask("make alone"));
    assert_eq!(desk.server.verdicts().len(), 2);
}

#[test]
fn what_the_terminal_answers_first_can_no_longer_be_decided_on_the_phone() {
    let desk = Desk::new(&["Alice"]);
    desk.says(alice(&desk), "hello");
    event_saying(&desk.server, "hello");
    desk.ask("make at-the-terminal");
    let prompt = desk.prompt(alice(&desk), "make at-the-terminal");
    // Claude goes on: it calls a tool, so somebody answered.
    let reply = json!({ "chat_id": alice(&desk).to_string(), "text": "done" });
    assert!(!desk.server.call("reply", &reply).is_error);
    let closed = desk.closed(&prompt);
    assert!(closed.text.to_lowercase().contains("elsewhere"), "{}", closed.text);
    desk.telegram.press_forged(prompt.chat, prompt.chat, prompt.message, prompt.token("Allow"));
    let said = desk.says(alice(&desk), &format!("yes {}", prompt.code));
    desk.telegram.wait_until_confirmed(said.update);
    a_moment();
    assert!(desk.server.verdicts().is_empty());
    assert!(!desk.claude_saw(&prompt.code));
}

#[test]
fn a_call_that_may_answer_something_new_does_not_close_what_waits() {
    let desk = Desk::new(&["Alice"]);
    let request = desk.ask("make meanwhile");
    let prompt = desk.prompt(alice(&desk), "make meanwhile");
    desk.says(alice(&desk), "how far are you?");
    event_saying(&desk.server, "how far are you?");
    let reply = json!({ "chat_id": alice(&desk).to_string(), "text": "nearly there" });
    assert!(!desk.server.call("reply", &reply).is_error);
    desk.press(&prompt, "Allow");
    assert_eq!(desk.server.verdict_on(&request), "allow");
}

#[test]
fn prompts_of_a_session_that_ended_are_closed_by_it_or_by_the_next_one() {
    let mut desk = Desk::new(&["Alice"]);
    desk.ask("make before-the-end");
    let prompt = desk.prompt(alice(&desk), "make before-the-end");
    desk.restart();
    desk.closed(&prompt);
    desk.ask("make before-the-crash");
    let prompt = desk.prompt(alice(&desk), "make before-the-crash");
    // What is sent is noted after the platform's answer.
    desk.known(&prompt);
    desk.end_by(Signal::KILL);
    desk.begin();
    let closed = desk.closed(&prompt);
    assert!(closed.text.contains("Bash"), "{}", closed.text);
    // The old codes are good for nothing.
    desk.telegram.press_forged(prompt.chat, prompt.chat, prompt.message, prompt.token("Allow"));
    let said = desk.says(alice(&desk), &format!("yes {}", prompt.code));
    desk.telegram.wait_until_confirmed(said.update);
    let request = desk.ask("make anew");
    let prompt = desk.prompt(alice(&desk), "make anew");
    desk.refuse(&request, &prompt);
    assert_eq!(desk.server.verdicts().len(), 1);
}

#[test]
fn a_press_before_a_crash_is_not_taken_for_one_after_it() {
    let mut desk = Desk::new(&["Alice"]);
    desk.ask("make same-again");
    let prompt = desk.prompt(alice(&desk), "make same-again");
    desk.known(&prompt);
    desk.telegram.stop();
    desk.press(&prompt, "Allow");
    desk.end_by(Signal::KILL);
    desk.telegram.listen();
    desk.begin();
    let request = desk.ask("make same-again");
    desk.closed(&prompt);
    let anew = desk.prompt(alice(&desk), "make same-again");
    assert_ne!(anew.message, prompt.message);
    desk.refuse(&request, &anew);
}

#[test]
fn the_record_shows_who_was_asked_and_who_decided_and_a_line_that_is_gone_is_noticed() {
    let desk = Desk::new(&["Alice", "Carol"]);
    let [alice, carol] = [desk.approvers[0], desk.approvers[1]];
    let request = desk.ask("make history");
    let (hers, carols) = (desk.prompt(alice, "make history"), desk.prompt(carol, "make history"));
    desk.recorded("the sender is no approver", || desk.says(desk.mallory, &format!("yes {}", hers.code)));
    desk.press(&carols, "Allow");
    assert_eq!(desk.server.verdict_on(&request), "allow");
    desk.closed(&hers);
    desk.closed(&carols);
    let record = deadline::until("the verdict is recorded", || {
        let record = desk.record();
        record.contains("allow").then_some(record)
    });
    for part in ["Bash", "make history", &alice.to_string(), &carol.to_string(), &desk.mallory.to_string()] {
        assert!(record.contains(part), "{part} is missing: {record}");
    }
    for secret in [&request, &hers.code, &carols.code].into_iter().map(String::as_str).chain([hers.token("Allow")]) {
        assert!(!record.contains(secret), "{secret}: {record}");
    }
    drop(desk.home.run(&["log", "--permissions"]).success());
    // Somebody takes the refusal out.
    let journal = Connection::open(desk.home.path().join("journal.db")).unwrap();
    journal.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let lines: i64 = journal.query_row("SELECT count(*) FROM permission", [], |row| row.get(0)).unwrap();
    assert!(lines >= 5, "{lines}");
    let gone = journal
        .execute(
            "DELETE FROM permission WHERE rowid = (SELECT rowid FROM permission ORDER BY rowid LIMIT 1 OFFSET 2)",
            [],
        )
        .unwrap();
    assert_eq!(gone, 1);
    drop(journal);
    let shown = desk.home.run(&["log", "--permissions"]).failure().output();
    assert!(shown.contains("not as it was written"), "{shown}");
}

#[test]
fn a_changed_line_and_a_missing_end_are_noticed_too() {
    let desk = Desk::new(&["Alice"]);
    for (number, label) in ["Allow", "Deny"].into_iter().enumerate() {
        let command = format!("make line-{number}");
        let request = desk.ask(&command);
        let prompt = desk.prompt(alice(&desk), &command);
        desk.press(&prompt, label);
        desk.server.verdict_on(&request);
        desk.closed(&prompt);
    }
    let journal = Connection::open(desk.home.path().join("journal.db")).unwrap();
    journal.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let tampered = |statement: &str, back: &str| {
        drop(desk.home.run(&["log", "--permissions"]).success());
        assert!(journal.execute(statement, []).unwrap() > 0, "{statement}");
        let shown = desk.home.run(&["log", "--permissions"]).failure().output();
        assert!(shown.contains("not as it was written"), "{statement}: {shown}");
        journal.execute_batch(back).unwrap();
    };
    tampered(
        "UPDATE permission SET entry = replace(entry, 'line-1', 'line-2') WHERE instr(entry, 'line-1') > 0",
        "UPDATE permission SET entry = replace(entry, 'line-2', 'line-1')",
    );
    journal.execute_batch("CREATE TEMP TABLE kept AS SELECT * FROM permission").unwrap();
    let again = "DELETE FROM permission; INSERT INTO permission SELECT * FROM kept";
    tampered("DELETE FROM permission WHERE id = (SELECT max(id) FROM permission)", again);
    tampered("DELETE FROM permission WHERE id = (SELECT min(id) FROM permission)", again);
    tampered("DELETE FROM permission", again);
    drop(desk.home.run(&["log", "--permissions"]).success());
}
