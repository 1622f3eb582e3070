//! Prompts as an approver sees them. Whoever changes a word of the host's sees here what becomes of it.

use super::*;

const BASH: (&str, &str, &str) = (
    "Bash",
    "Run the tests",
    r#"{ "command": "cargo fmt --check\ncargo test --workspace", "description": "Run the tests", "timeout": 120000 }"#,
);

fn sample((tool, description, preview): (&str, &str, &str), means: &Means, view: View) -> (String, Shown) {
    text(&request(tool, description, preview), means, view)
}

#[test]
fn a_command_on_a_phone() {
    let (text, shown) = sample(BASH, &PHONE, View::Short);
    assert_eq!(
        text,
        "\
Claude wants to use Bash

command:
cargo fmt --check
cargo test --workspace
description:
Run the tests
timeout: 120000

Or reply yes CODE to allow it.
Or reply no CODE to deny it.
It expires at 14:32."
    );
    let styles: Vec<(Style, String)> =
        shown.text.spans.iter().map(|span| (span.style.clone(), part(&shown.text, span))).collect();
    assert_eq!(
        styles[..3],
        [
            (Style::Bold, "Claude wants to use Bash".into()),
            (Style::Block(None), "cargo fmt --check\ncargo test --workspace".into()),
            (Style::Block(None), "Run the tests".into()),
        ]
    );
    assert!(styles[3].0 == Style::Code && styles[3].1.starts_with("yes "));
    assert!(styles[4].0 == Style::Code && styles[4].1.starts_with("no "));
    assert_eq!(labels(&shown), [ALLOW, DENY]);
    assert!(shown.allow && !shown.more);
}

#[test]
fn a_file_without_buttons_and_spans() {
    let write = (
        "Write",
        "Write a file to the local filesystem.",
        r#"{ "file_path": "/etc/motd", "content": "Welcome\n\nfile_path: /tmp/x\nyes abcde\n\tbye\n" }"#,
    );
    let (text, shown) = sample(write, &BARE, View::Short);
    assert_eq!(
        text,
        "\
Claude wants to use Write
│ Write a file to the local filesystem.

file_path:
│ /etc/motd
content:
│ Welcome
│
│ file_path: /tmp/x
│ yes abcde
│ ⇥bye⏎

Reply yes CODE to allow it.
Reply no CODE to deny it.
It expires at 14:32."
    );
    assert!(shown.allow && !shown.more && shown.choices.is_empty() && shown.text.spans.is_empty());
}

#[test]
fn an_edit_shows_what_is_replaced_by_what() {
    let edit = (
        "Edit",
        "",
        r#"{ "file_path": "/srv/app.py", "old_string": "if admin:\n    pass", "new_string": "if True:\n    pass", "replace_all": false }"#,
    );
    let (text, shown) = sample(edit, &BARE, View::Full);
    assert_eq!(
        text,
        "\
Claude wants to use Edit

file_path:
│ /srv/app.py
old_string:
│ if admin:
│     pass
new_string:
│ if True:
│     pass
replace_all: false

Reply yes CODE to allow it.
Reply no CODE to deny it.
It expires at 14:32."
    );
    assert!(shown.allow);
}

#[test]
fn a_tool_of_another_server_with_nested_arguments() {
    let lookup = (
        "mcp__other__lookup",
        "Looks something up.",
        r#"{ "q": "needle", "n": 3.10, "empty": "", "deep": {"a":[1,2,{"b":"cccccccccccccccccccccccccccccccccc"}],"t":true,"z":null}, "list": ["x","y"], "none": {} }"#,
    );
    let (text, shown) = sample(lookup, &PHONE, View::Short);
    assert_eq!(
        text,
        "\
Claude wants to use mcp__other__lookup
Looks something up.

q:
needle
n: 3.10
empty:
⟨empty⟩
deep:
{
  \"a\": [
    1,
    2,
    {
      \"b\": \"cccccccccccccccccccccccccccccccccc\"
    }
  ],
  \"t\": true,
  \"z\": null
}
list:
[\"x\", \"y\"]
none:
{}

Or reply yes CODE to allow it.
Or reply no CODE to deny it.
It expires at 14:32."
    );
    assert!(shown.allow && !shown.more);
    assert_eq!(shown.text.spans[1].style, Style::Quote);
}

#[test]
fn a_long_command_is_cut_until_more_is_asked_for() {
    let command = format!("echo {}; rm -rf build", "word ".repeat(200).trim_end());
    let preview = json!({ "command": command, "timeout": 5 }).to_string();
    let long = ("Bash", "Says a lot", &*preview);
    let (short, shown) = sample(long, &PHONE, View::Short);
    let end = "
… 464 more characters are not shown
timeout: 5

To allow it, press See more first: not all of it is shown.
Or reply no CODE to deny it.
It expires at 14:32.";
    assert!(short.ends_with(end), "{short}");
    assert_eq!(labels(&shown), [SEE_MORE, DENY]);
    assert!(!shown.allow && shown.more);
    let (full, shown) = sample(long, &PHONE, View::Full);
    assert!(full.contains(&command));
    assert_eq!(labels(&shown), [ALLOW, DENY]);
    assert!(shown.allow && !shown.more);
}

#[test]
fn what_no_message_holds_is_decided_at_the_terminal() {
    let (x, y) = ("x".repeat(3400), "y".repeat(3400));
    let preview = format!(r#"{{ "file_path": "/tmp/x", "content": "{x}", "note": "{y}" }}"#);
    let (text, shown) = sample(("Write", "Writes", &preview), &PHONE, View::Full);
    let end = " more characters are not shown

This is too long to be allowed here: decide at the terminal.
Or reply no CODE to deny it.
It expires at 14:32.";
    assert!(text.ends_with(end), "{text}");
    assert!(text.contains("file_path:\n/tmp/x\ncontent:\nxxx") && text.contains("\nnote:\nyyy"), "{text}");
    assert_eq!(labels(&shown), [DENY]);
    assert!(!shown.allow && !shown.more);
}

#[test]
fn what_claude_code_cut_is_decided_at_the_terminal() {
    let cut = "⋯ 2821 code points elided ⋯";
    let preview = format!("{{ \"command\": \"touch a\n{cut}\n; touch z\", \"description\": \"Touch\" }}");
    for (means, view) in [(PHONE, View::Short), (PHONE, View::Full), (BARE, View::Full)] {
        let (text, shown) = sample(("Bash", "Touch", &preview), &means, view);
        assert!(!shown.allow && !shown.more, "{text}");
        assert!(text.contains("Claude Code left out 2,821 characters, so it can only be allowed at the terminal.\n"));
        assert!(text.contains(cut) && text.contains("; touch z") && text.contains("no CODE"), "{text}");
        assert!(!text.contains("yes"), "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_shown_as_it_came() {
    for preview in [
        r#"{ "command": "ls", "command": "rm" }"#,
        r#"["a", "b"]"#,
        r#""ls""#,
        r#"{ "text": "\ud800" }"#,
        r#"{ "command": "ls"#,
        r#"{ "command": "ls" } and more"#,
        "ls",
    ] {
        let (text, shown) = sample(("Bash", "", preview), &PHONE, View::Short);
        assert!(text.contains(&format!("\nArguments as Claude Code sent them:\n{preview}\n\n")), "{text}");
        assert!(text.contains("These arguments are incomplete or unclear, so it can only be allowed at the terminal."));
        assert_eq!(labels(&shown), [DENY]);
        assert!(!shown.allow);
    }
}

#[test]
fn a_call_without_arguments_is_whole_and_one_whose_arguments_are_unknown_is_not() {
    let (text, shown) = sample(("ExitPlanMode", "", "{ }"), &PHONE, View::Short);
    assert!(text.starts_with("Claude wants to use ExitPlanMode\n\nIt has no arguments.\n\n") && shown.allow, "{text}");
    let (text, shown) = sample(("Bash", "Run it", ""), &PHONE, View::Short);
    assert!(text.contains("did not say with which arguments") && !shown.allow, "{text}");
}

#[test]
fn a_long_description_gives_way_and_can_be_read_in_full() {
    let description = "Looks something up. ".repeat(40);
    let call = ("mcp__other__lookup", &*description, r#"{ "q": "needle" }"#);
    let (text, shown) = sample(call, &PHONE, View::Short);
    assert!(text.contains("\n… 500 characters of the description are not shown\n\nq:\nneedle\n"), "{text}");
    assert_eq!(labels(&shown), [SEE_MORE, ALLOW, DENY]);
    assert!(shown.allow && shown.more);
    let (text, shown) = sample(call, &PHONE, View::Full);
    assert!(text.contains(description.trim()) && shown.allow && !shown.more);
}

#[test]
fn the_description_gives_way_before_the_arguments_do() {
    let preview = json!({ "q": "q".repeat(1500) }).to_string();
    let (text, shown) = sample(("lookup", &"d".repeat(1500), &preview), &BARE, View::Full);
    assert!(text.contains(&"q".repeat(1500)) && shown.allow, "{text}");
    assert!(text.contains("… 1,400 characters of the description are not shown"), "{text}");
}

#[test]
fn who_else_must_allow_it_is_said() {
    let request = request("Bash", "", r#"{ "command": "ls" }"#);
    for (needed, allowed, said) in [
        (2, 0, "Two approvers must allow it.\n"),
        (2, 1, "Two approvers must allow it; one has.\n"),
        (4, 2, "4 approvers must allow it; 2 have.\n"),
    ] {
        let codes = codes();
        let asking = Asking { needed, allowed, ..asking(&request, &codes) };
        let shown = prompt(&asking, &PHONE, View::Short);
        assert!(shown.text.text.contains(said), "{}", shown.text.text);
    }
}

#[test]
fn typed_verdicts_are_named_only_where_they_are_taken() {
    let request = request("Bash", "", r#"{ "command": "ls" }"#);
    let codes = codes();
    let asking = Asking { typed: false, ..asking(&request, &codes) };
    let shown = prompt(&asking, &PHONE, View::Short);
    assert!(!shown.text.text.contains(codes.code.as_str()) && !shown.text.text.contains("eply"));
    let shown = prompt(&asking, &BARE, View::Short);
    assert!(shown.text.text.contains("It cannot be answered here: decide at the terminal."));
}

#[test]
fn names_are_no_words_of_the_hosts() {
    let preview = r#"{ "It is safe. Reply": 1, "a\nyes abcde": "x", "q\": \"1": true, "": null, "\u202e": 2 }"#;
    let (text, _) = sample(("Bash\nIt is safe", "", preview), &BARE, View::Full);
    let shown = "\
Claude wants to use \"Bash⏎It is safe\"

\"It is safe. Reply\": 1
\"a⏎yes abcde\":
│ x
\"q\\\": \\\"1\": true
\"\": null
\"⟨U+202E⟩\": 2
";
    assert!(text.starts_with(shown), "{text}");
}

#[test]
fn many_arguments_are_counted() {
    let members: serde_json::Map<_, _> = (0..200).map(|at| (format!("name-{at:03}"), json!("value"))).collect();
    let preview = serde_json::Value::Object(members).to_string();
    let (text, shown) = sample(("lookup", "", &preview), &BARE, View::Full);
    assert!(text.contains("name-000:\n│ value\nname-001:"), "{text}");
    assert!(text.contains(" more arguments with ") && !shown.allow, "{text}");
}

#[test]
fn the_platforms_own_unit_counts() {
    let preview = format!(r#"{{ "text": "{}" }}"#, "🙂".repeat(2500));
    for (unit, allow) in [(TextUnit::Utf16, false), (TextUnit::Chars, true), (TextUnit::Bytes, false)] {
        let means = Means { limit: Some(TextLimit { max: 4096, unit }), ..PHONE };
        let (text, shown) = sample(("say", "", &preview), &means, View::Full);
        let units = match unit {
            TextUnit::Utf16 => text.encode_utf16().count(),
            TextUnit::Chars => text.chars().count(),
            TextUnit::Bytes => text.len(),
        };
        // CODE has a letter less than a code.
        assert!(units < 4096 && shown.allow == allow, "{unit:?} {units}");
        assert!(allow || units > 3900, "{unit:?} {units}");
    }
}
