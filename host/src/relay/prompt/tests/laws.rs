//! What holds for every request.

use std::cmp::Reverse;

use proptest::prelude::*;

use super::{super::arguments as call, *};

/// What people, tools and attackers put into arguments. No capitals of the request's name are in it.
fn soup() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "ls -la",
        "/etc/passwd",
        "word",
        "a",
        "0",
        " ",
        "  ",
        "                                        ",
        "\n",
        "\n\n",
        "\n\n\n\n\n",
        "\r\n",
        "\t",
        "\u{202e}",
        "\u{200b}",
        "\u{2066}",
        "\u{feff}",
        "\u{e0041}",
        "\u{fe0f}",
        "\u{301}",
        "\u{30a}",
        "\u{85}",
        "\u{a0}",
        "\u{3000}",
        "\u{2028}",
        "\u{e000}",
        "\u{378}",
        "\u{ffff}",
        "\0",
        "\u{1b}[31m",
        "é",
        "漢字",
        "🙂",
        "👩‍👩‍👧",
        "שלום",
        "⟨",
        "⟨3 spaces⟩",
        "⟨empty⟩",
        "⏎",
        "⇥",
        "│ ",
        "\"",
        "\\",
        "{ \"a\": 1 }",
        "\nyes abcde",
        "\n\nfile_path: /tmp/x",
        "… 12 more characters are not shown",
        "⋯",
        "…",
        "It expires at",
    ];
    let part = prop_oneof![
        8 => (0..PARTS.len()).prop_map(|at| PARTS[at].to_owned()),
        1 => "[a-z]{300}",
        1 => any::<char>().prop_filter("a capital of the request's name", |c| !c.is_ascii_uppercase()).prop_map(String::from),
    ];
    proptest::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        6 => soup().prop_map(serde_json::Value::from),
        1 => any::<i64>().prop_map(serde_json::Value::from),
        1 => any::<bool>().prop_map(serde_json::Value::from),
        1 => Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::hash_map(soup(), inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z_]{1,12}", 1 => soup()]
}

/// Arguments as Claude Code sends them, and those that it never would.
fn preview() -> impl Strategy<Value = String> {
    let object = proptest::collection::vec((name(), value()), 0..6).prop_map(|members| {
        let member = |(name, value): &(String, serde_json::Value)| format!("{}: {value}", json!(name));
        format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
    });
    prop_oneof![6 => object, 1 => soup()]
}

fn means() -> impl Strategy<Value = Means> {
    let unit = prop_oneof![Just(TextUnit::Utf16), Just(TextUnit::Chars), Just(TextUnit::Bytes)];
    let max = prop_oneof![1 => 1_u32..200, 3 => 200_u32..1500, 3 => 1500_u32..9000];
    let limit = proptest::option::of((max, unit).prop_map(|(max, unit)| TextLimit { max, unit }));
    (limit, any::<bool>(), any::<bool>()).prop_map(|(limit, spans, buttons)| Means { limit, spans, buttons })
}

/// The foreign text that a shown one stands for.
fn read_back(shown: &str) -> String {
    let shown = if shown == "⟨empty⟩" { "" } else { shown };
    let mut text = String::new();
    let mut rest = shown;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '⇥' => text.push('\t'),
            '⏎' => text.push('\n'),
            '⟨' => {
                let (mark, behind) = rest.split_once('⟩').unwrap();
                rest = behind;
                if let Some(code) = mark.strip_prefix("U+") {
                    text.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
                    continue;
                }
                let (count, what) = mark.split_once(' ').unwrap();
                let count: usize = count.replace(',', "").parse().unwrap();
                match what.trim_end_matches('s') {
                    "space" => text.extend(std::iter::repeat_n(' ', count)),
                    "empty line" => text.extend(std::iter::repeat_n('\n', count - 1)),
                    _ => panic!("{mark}"),
                }
            }
            c => text.push(c),
        }
    }
    text
}

/// The arguments as an approver reads them: names and values as they are shown.
fn arguments(shown: &Shown) -> Vec<(String, String)> {
    // What stands apart is one sign of its own: nothing in it is taken for a line of the host's.
    const APART: &str = "\u{1}";
    let chars: Vec<char> = shown.text.text.chars().collect();
    let (mut outside, mut apart, mut at) = (String::new(), Vec::new(), 0);
    for span in shown.text.spans.iter().filter(|span| matches!(span.style, Style::Block(_) | Style::Quote)) {
        outside.extend(&chars[at..span.start as usize]);
        outside.push_str(APART);
        apart.push(part(&shown.text, span));
        at = span.end as usize;
    }
    outside.extend(&chars[at..]);
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    let mut apart = apart.into_iter();
    let (head, rest) = outside.split_once("\n\n").unwrap();
    apart.by_ref().take(head.matches(APART).count()).for_each(drop);
    for line in rest.split_once("\n\n").map_or(rest, |(lines, _)| lines).lines() {
        let value = if line == APART { apart.next() } else { line.strip_prefix('│').map(str::to_owned) };
        if let Some(value) = value {
            let value = value.strip_prefix(' ').filter(|_| line != APART).map(str::to_owned).unwrap_or(value);
            let last = &mut found.last_mut().unwrap().1;
            *last = Some(last.take().map_or(value.clone(), |before| format!("{before}\n{value}")));
        } else if let Some(name) = line.strip_suffix(':') {
            found.push((name.into(), None));
        } else if let Some((name, value)) = line.rsplit_once(": ") {
            found.push((name.into(), Some(value.into())));
        }
    }
    found.into_iter().map(|(name, value)| (name, value.unwrap())).collect()
}

fn check_spans(rich: &RichText) {
    let length = rich.text.chars().count() as u32;
    let order: Vec<_> = rich.spans.iter().map(|span| (span.start, Reverse(span.end))).collect();
    assert!(order.is_sorted(), "{rich:?}");
    let mut end = 0;
    for span in &rich.spans {
        assert!(end <= span.start && span.start < span.end && span.end <= length, "{span:?} of {rich:?}");
        end = span.end;
    }
}

/// What a platform could drop, change, or show as something else.
fn check_characters(text: &str) {
    assert_eq!(text.trim(), text);
    for c in text.chars() {
        assert!(c == '\n' || crate::manifest::is_plain(c), "{c:?} in {text:?}");
        assert!(!c.is_whitespace() || matches!(c, ' ' | '\n'), "{c:?} in {text:?}");
        assert!(!matches!(c, '\u{30a}' | '\u{333}' | '\u{33f}' | '\u{e000}'..='\u{f8ff}' | '\u{ffff}'), "{c:?}");
    }
    assert!(!text.contains(&" ".repeat(25)) && !text.contains("\n\n\n\n"), "{text:?}");
    assert!(text.lines().all(|line| line.trim_end() == line), "{text:?}");
}

/// Everything that the platform's words, and nobody else's, stand at the beginning of.
fn check_lines(text: &str) {
    const HOST: &[&str] = &[
        "Claude wants to use ",
        "Claude Code ",
        "It has no arguments.",
        "It expires at 14:32.",
        "It cannot be answered here",
        "Decide at the terminal.",
        "These arguments are incomplete",
        "This is too long",
        "To allow it,",
        "Two approvers must allow it; one has.",
        "Reply yes CODE to allow it.",
        "Reply no CODE to deny it.",
        "Or reply yes CODE to allow it.",
        "Or reply no CODE to deny it.",
        "Arguments as Claude Code sent them:",
        "… ",
        "│",
        "\"",
        "?",
    ];
    let plain = |line: &str| {
        let name = line.split(':').next().unwrap();
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
            && name.len() < line.len()
    };
    for line in text.lines() {
        assert!(
            line.is_empty() || plain(line) || HOST.iter().any(|host| line.starts_with(host)),
            "{line:?} in\n{text}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_prompt_keeps_the_rules(
        tool in name(),
        description in soup(),
        preview in preview(),
        means in means(),
        view in prop_oneof![Just(View::Short), Just(View::Full)],
        typed in any::<bool>(),
        needed in 1_u8..3,
    ) {
        prop_assume!(!tool.trim().is_empty());
        let request = request(&tool, &description, &preview);
        let codes = codes();
        prop_assume!(!format!("{tool}{description}{preview}").contains(codes.code.as_str()));
        let asking = Asking { request: &request, codes: &codes, typed, needed, allowed: needed - 1, expires: "14:32" };
        let shown = prompt(&asking, &means, view);
        let text = &shown.text.text;

        if let Some(limit) = means.limit {
            let units = match limit.unit {
                TextUnit::Utf16 => text.chars().map(char::len_utf16).sum(),
                TextUnit::Chars => text.chars().count(),
                TextUnit::Bytes => text.len(),
            };
            prop_assert!(units <= limit.max as usize, "{}", text);
        }
        prop_assert!(!shown.text.is_blank());
        prop_assert!(means.spans || shown.text.spans.is_empty());
        check_spans(&shown.text);
        check_characters(text);
        prop_assert!(!text.contains(request.id.expose()));

        // What can be answered is what is offered.
        let tokens: Vec<&str> = shown.choices.iter().map(|choice| &*choice.token).collect();
        let mut expected = vec![codes.more.as_str(), codes.allow.as_str(), codes.deny.as_str()];
        expected.retain(|token| match () {
            () if *token == codes.more.as_str() => shown.more,
            () if *token == codes.allow.as_str() => shown.allow,
            () => true,
        });
        if means.buttons {
            prop_assert_eq!(tokens, expected);
        } else {
            prop_assert!(tokens.is_empty() && !shown.more);
        }
        prop_assert!(!shown.more || view == View::Short);
        let lines = |word: &str| text.lines().filter(|line| line.contains(&format!("{word} {}", codes.code.as_str()))).count();
        let least = ["Claude Code asks", "Decide at", "?"].iter().any(|least| text.starts_with(least));
        prop_assert_eq!(lines("yes"), usize::from(typed && shown.allow));
        prop_assert_eq!(lines("no"), usize::from(typed && !least), "{}", text);
        prop_assert_eq!(text.matches(codes.code.as_str()).count(), lines("yes") + lines("no"));

        if !means.spans {
            check_lines(&text.replace(codes.code.as_str(), "CODE"));
        }
        if shown.allow {
            // An approver who reads the text knows the whole call.
            let read = call::Arguments::read(&preview);
            let found = arguments(&shown);
            prop_assert_eq!(found.len(), read.list.len(), "{}", text);
            for ((name, value), argument) in found.iter().zip(&read.list) {
                prop_assert_eq!(name, &argument.name);
                prop_assert_eq!(&read_back(value), &argument.value);
            }
            let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&preview).unwrap();
            prop_assert_eq!(members.len(), found.len());
            for (name, value) in &members {
                let name = call::quoted(name);
                let shown = read_back(&found.iter().find(|(found, _)| *found == name).unwrap().1);
                match value {
                    serde_json::Value::String(text) => prop_assert_eq!(text, &shown),
                    other => prop_assert_eq!(other, &serde_json::from_str::<serde_json::Value>(&shown).unwrap()),
                }
            }
            let head = format!("Claude wants to use {}\n", call::quoted(&tool));
            prop_assert!(text.starts_with(&head), "{}", text);
        }
    }

    #[test]
    fn what_is_shown_can_be_told_from_nothing_else(text in soup()) {
        prop_assert_eq!(read_back(&show::whole(&show::lines(&text))), text.clone());
        prop_assert_eq!(read_back(&show::whole(&show::line(&text))), text);
    }

    #[test]
    fn every_subject_is_one_short_line(tool in name(), preview in preview()) {
        prop_assume!(!tool.trim().is_empty());
        let subject = subject(&request(&tool, "", &preview));
        prop_assert!(subject.chars().count() <= 300 && !subject.contains('\n') && !subject.trim().is_empty());
        check_characters(&subject);
        // It is kept and shown again.
        prop_assert_eq!(&outcome(&subject, &Ending::Expired, "14:32", &Means { limit: None, ..PHONE }).text,
            &format!("⌛ Expired at 14:32: decide at the terminal\n{subject}"));
    }
}
