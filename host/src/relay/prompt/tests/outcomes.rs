use super::*;
use crate::relay::Verdict;

#[test]
fn the_subject_is_one_visible_line() {
    for (tool, preview, shown) in [
        ("Bash", r#"{ "command": "npm test" }"#, "Bash: npm test"),
        ("Bash", r#"{ "description": "Tests", "command": "npm test" }"#, "Bash: npm test …"),
        ("Write", r#"{ "file_path": "/etc/motd", "content": "x" }"#, "Write: /etc/motd …"),
        ("mcp__obs__reply", r#"{ "chat_id": "c1", "text": "hello" }"#, "mcp__obs__reply: c1 …"),
        ("Bash", r#"{ "command": "a\nb\u202e\t " }"#, "Bash: a⏎b⟨U+202E⟩⇥⟨1 space⟩"),
        ("Bash", r#"{ "command": "a"#, r#"Bash: { "command": "a"#),
        ("ExitPlanMode", "{}", "ExitPlanMode"),
        ("Bash", "", "Bash"),
        ("a b", "{}", "\"a b\""),
    ] {
        assert_eq!(subject(&request(tool, "", preview)), shown);
    }
    let long = json!({ "command": "word ".repeat(500) }).to_string();
    let subject = subject(&request("Bash", "", &long));
    assert!(subject.chars().count() <= 300 && subject.ends_with('…'), "{subject}");
}

#[test]
fn an_outcome_says_who_decided_what() {
    let by = |verdict, you| Ending::Decided { verdict, by: "Ada".into(), you: false }.to(you);
    for (ending, head) in [
        (by(Verdict::Allow, true), "✅ You allowed it at 14:31"),
        (by(Verdict::Deny, true), "❌ You denied it at 14:31"),
        (by(Verdict::Allow, false), "✅ Allowed at 14:31 by Ada"),
        (by(Verdict::Deny, false), "❌ Denied at 14:31 by Ada"),
        (Ending::Expired, "⌛ Expired at 14:31: decide at the terminal"),
        (Ending::Elsewhere, "Answered elsewhere by 14:31: nothing can be decided here any more"),
        (Ending::SessionEnded, "The session ended: nothing can be decided here any more"),
        (Ending::Withdrawn("it broke".into()), "Withdrawn at 14:31: it broke"),
        (Ending::Expired.to(true), "⌛ Expired at 14:31: decide at the terminal"),
    ] {
        let rich = outcome("Bash: npm test", &ending, "14:31", &PHONE);
        assert_eq!(rich.text, format!("{head}\nBash: npm test"));
        let styles: Vec<_> = rich.spans.iter().map(|span| (span.style.clone(), part(&rich, span))).collect();
        assert_eq!(styles, [(Style::Bold, head.into()), (Style::Quote, "Bash: npm test".into())]);
        let bare = outcome("Bash: npm test", &ending, "14:31", &BARE);
        assert_eq!(bare, RichText::plain(format!("{head}\n│ Bash: npm test")));
    }
}

#[test]
fn a_counted_yes_says_who_must_follow() {
    for (allowed, needed, head) in [
        (1, 2, "✅ You allowed it; one more approver must"),
        (1, 3, "✅ You allowed it; 2 more approvers must"),
        (2, 2, "✅ You allowed it"),
    ] {
        assert_eq!(counted("Bash: ls", allowed, needed, &PHONE).text, format!("{head}\nBash: ls"));
    }
}

#[test]
fn neither_a_name_nor_a_subject_breaks_out_of_its_place() {
    let ending = Ending::Decided { verdict: Verdict::Deny, by: "\u{202e}Ada\n✅ Allowed".into(), you: false };
    let rich = outcome("Bash: a\n✅ Allowed\u{200b}", &ending, "14:31", &BARE);
    assert_eq!(rich.text, "❌ Denied at 14:31 by ⟨U+202E⟩Ada⏎✅ Allowed\n│ Bash: a ✅ Allowed");
}

#[test]
fn an_outcome_fits_whatever_the_limit_is() {
    let subject = "漢".repeat(300);
    let ending = Ending::Decided { verdict: Verdict::Deny, by: "n".repeat(500), you: false };
    for max in 1..400 {
        for unit in [TextUnit::Utf16, TextUnit::Chars, TextUnit::Bytes] {
            for spans in [false, true] {
                let means = Means { limit: Some(TextLimit { max, unit }), spans, buttons: true };
                for rich in [outcome(&subject, &ending, "14:31", &means), counted(&subject, 1, 2, &means)] {
                    assert!(page::units(&rich.text, means.limit) <= max.into() && !rich.is_blank(), "{rich:?}");
                }
            }
        }
    }
}
