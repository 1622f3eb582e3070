use super::{super::markdown as module, *};

/// A source, what it is shown as, and what of that is marked.
type Case<'c> = (&'c str, &'c str, &'c [(Style, &'c str)]);

fn table(cases: &[Case<'_>]) {
    for (source, text, spans) in cases {
        let rich = markdown(source);
        assert_eq!(rich.text, *text, "{source:?}");
        let spans: Vec<(Style, String)> =
            spans.iter().map(|(style, text)| (style.clone(), (*text).to_owned())).collect();
        assert_eq!(covered(&rich), spans, "{source:?}");
        check_spans(&rich);
    }
}

fn link(address: &str) -> Style {
    Style::Link(address.into())
}

fn block(language: &str) -> Style {
    Style::Block(Some(language.into()))
}

use Style::{Bold, Code, Italic, Quote, Strike};
const PLAIN: Style = Style::Block(None);

#[test]
fn emphasis_is_marked() {
    table(&[
        (
            "**a** *b* _c_ ~~d~~ `e`",
            "a b c d e",
            &[(Bold, "a"), (Italic, "b"), (Italic, "c"), (Strike, "d"), (Code, "e")],
        ),
        ("***a** b*", "a b", &[(Italic, "a b"), (Bold, "a")]),
        ("**a **b** c**", "a b c", &[(Bold, "a b c")]),
        ("**a\nb**", "a\nb", &[(Bold, "a\nb")]),
        ("`` a ` *b* ``", "a ` *b*", &[(Code, "a ` *b*")]),
        ("这是*重点*。", "这是重点。", &[(Italic, "重点")]),
        ("\\*a\\* &amp; &lt;b&gt;", "*a* & <b>", &[]),
        ("👩‍👩‍👧 **é**", "👩‍👩‍👧 é", &[(Bold, "é")]),
    ]);
}

#[test]
fn what_is_no_markup_stays_byte_for_byte() {
    for text in [
        "2 * 3 * 4",
        "5*3*2 = 30",
        "a*b + c*d",
        "2**3**4",
        "snake_case_name",
        "a < b > c",
        "x <y> z",
        "a & b && c",
        "C:\\path\\_to_",
        "C:\\\\path",
        "\\\\server\\share",
        "\\\\\\\\",
        "1. only one line",
        "3. a\n1. b",
        "07. a",
        "*",
        "**",
        "-",
        "+",
        "C:\\a\\.b\\_c_\\[d]",
        "~/a ~5 3~5, 7~8",
        "~a~",
        "#hashtag",
        "[a] b [c](",
        "a | b",
        "https://a.example/_b_/c__d__e?x=~~y~~",
        "  indented\n\n\n  twice  \nend",
        "`",
        "```\n```",
        "```rust\n```",
        "[Status]: done",
        "[^1]: note",
        "a[0][1]",
        "<div>\n**a**\n</div>",
        "<!-- a -->",
        "&nbsp",
        "¯\\\\_(ツ)_/¯",
        "&#32;",
    ] {
        assert_eq!(markdown(text), RichText::plain(text), "{text:?}");
    }
}

#[test]
fn blocks_are_as_far_apart_as_they_were() {
    table(&[
        ("a\n\n\n\nb\nc", "a\n\n\n\nb\nc", &[]),
        ("**a**\n\n\n\nb\nc", "a\n\nb\nc", &[(Bold, "a")]),
        ("# A **b**\nc\n## D\n\ne", "A b\nc\nD\n\ne", &[(Bold, "A b"), (Bold, "D")]),
        ("A\n===\nb", "A\nb", &[(Bold, "A")]),
        ("a\n***\nb\n\n---\n\nc", "a\n———\nb\n\n———\n\nc", &[]),
        ("*a*  \nb\\\nc", "a\nb\nc", &[(Italic, "a")]),
        ("*a*\r\n\r\nb\rc\r\n", "a\n\nb\nc", &[(Italic, "a")]),
        ("\n\n*a*\n\n", "a", &[(Italic, "a")]),
    ]);
}

#[test]
fn lists_have_signs_numbers_and_indentation() {
    table(&[
        ("- a\n- b", "• a\n• b", &[]),
        ("* a\n\n* b", "• a\n\n• b", &[]),
        ("- a\n  b\n  - c\n    1. d\n- e", "• a\n  b\n  • c\n    1. d\n• e", &[]),
        ("- a\n\n  b\n- c", "• a\n\n  b\n• c", &[]),
        ("1. *a*\n1. b\n1. c", "1. a\n2. b\n3. c", &[(Italic, "a")]),
        ("2) *a*\n5) b", "2) a\n5) b", &[(Italic, "a")]),
        ("- [x] a\n- [ ] b\n1. [ ] c", "☑ a\n☐ b\n1. ☐ c", &[]),
        ("- [x] a\n\n- [ ] b", "☑ a\n\n☐ b", &[]),
        ("- a\n-\n- b", "• a\n-\n• b", &[]),
        ("- - a", "• • a", &[]),
        ("a:\n- b", "a:\n• b", &[]),
        ("- **a**:\n  ```\n  b\n    c\n  ```\n- d", "• a:\nb\n  c\n• d", &[(Bold, "a"), (PLAIN, "b\n  c")]),
        ("- ```\n  b\n  ```", "•\nb", &[(PLAIN, "b")]),
        ("- > a\n  > b", "• a\n  b", &[(Quote, "a\n  b")]),
        ("- [Status]: done", "• [Status]: done", &[]),
    ]);
    let deep: String = (0..30).map(|level| format!("{}- a\n", "  ".repeat(level))).collect();
    assert!(markdown(&deep).text.lines().all(|line| line.len() < 30), "indentation is bounded");
}

#[test]
fn quotes_are_marked_once() {
    table(&[
        ("> a\n> b\n\nc", "a\nb\n\nc", &[(Quote, "a\nb")]),
        ("> a\n>\n> > b\n\nc", "a\n\nb\n\nc", &[(Quote, "a\n\nb")]),
        ("a\n> *b*", "a\nb", &[(Quote, "b"), (Italic, "b")]),
        ("> a\n\n> b", "a\n\nb", &[(Quote, "a"), (Quote, "b")]),
        ("> # a\n> - b\n> ```\n> c\n> ```", "a\n• b\nc", &[(Quote, "a\n• b\nc"), (Bold, "a"), (PLAIN, "c")]),
    ]);
}

#[test]
fn code_is_shown_as_it_is() {
    table(&[
        (
            "a\n```rust\nfn a() {\n\n    *b*\n}\n```\nc",
            "a\nfn a() {\n\n    *b*\n}\nc",
            &[(block("rust"), "fn a() {\n\n    *b*\n}")],
        ),
        ("    a\n      b", "a\n  b", &[(PLAIN, "a\n  b")]),
        ("```rust,ignore\na\n```", "a", &[(block("rust"), "a")]),
        ("```js title=\"a\"\nb\n```", "b", &[(block("js"), "b")]),
        ("```hello world\na\n```", "hello world\na", &[(PLAIN, "hello world\na")]),
        ("```{python}\na", "a", &[(block("python"), "a")]),
        ("```c++\na", "a", &[(block("c++"), "a")]),
        ("~~~\n```\n~~~", "```", &[(PLAIN, "```")]),
        ("*a*\n\n```rust\n```\n\nb", "a\n\n```rust\n```\n\nb", &[(Italic, "a")]),
    ]);
}

#[test]
fn tables_are_aligned() {
    const SHOWN: &str = "Name   | Size | *\n-------+------+----\nä      |    5 | x\n你好 e |   12 | y z";
    const BEYOND: &str = "a                     | b\n----------------------+---+--\nl (https://a.example) | 1 | 2";
    let source = "| Name | Size | \\* |\n|---|--:|---|\n| ä | 5 | **x** |\n| 你好 e | `12` | y z |\n\nend";
    table(&[
        (source, &format!("{SHOWN}\n\nend"), &[(PLAIN, SHOWN)]),
        ("|a|b|\n|-|-|\n|[l](https://a.example)|1|2|", BEYOND, &[(PLAIN, BEYOND)]),
    ]);
}

#[test]
fn links_are_of_known_schemes() {
    table(&[
        ("[a *b*](https://a.example)", "a b", &[(link("https://a.example"), "a b"), (Italic, "b")]),
        (
            "[a](HTTP://a.example) [b](mailto:b@a.example) [c](tg://user?id=1)",
            "a b c",
            &[(link("HTTP://a.example"), "a"), (link("mailto:b@a.example"), "b"), (link("tg://user?id=1"), "c")],
        ),
        (
            "*a* <https://a.example> [https://a.example](https://a.example) <b@a.example>",
            "a https://a.example https://a.example b@a.example",
            &[(Italic, "a")],
        ),
        (
            "[a](javascript:alert(1)) [b](file:///etc/passwd) [c](d.md) [e](data:text/html,x) [f](#g)",
            "a (javascript:alert(1)) b (file:///etc/passwd) c (d.md) e (data:text/html,x) f (#g)",
            &[],
        ),
        ("[a](<https://a.example/b c>) [d](https://)", "a (https://a.example/b c) d (https://)", &[]),
        (
            "![a](https://a.example/b.png) ![](https://a.example/c.png) ![d](e.png)",
            "a https://a.example/c.png d (e.png)",
            &[(link("https://a.example/b.png"), "a")],
        ),
        (
            "[![a](b.png) ![](c.png)](https://d.example)",
            "a (b.png) c.png",
            &[(link("https://d.example"), "a (b.png) c.png")],
        ),
        ("[![a](https://a.example/b.png)](https://c.example)", "a", &[(link("https://c.example"), "a")]),
        (
            "[a][1], [b], [c]\n\n[1]: https://a.example\n[b]: https://b.example \"t\"\n[d]: https://d.example\n[c]: c.md",
            "a, b, [c]\n\n[d]: https://d.example\n[c]: c.md",
            &[(link("https://a.example"), "a"), (link("https://b.example"), "b")],
        ),
        (
            "**https://a.example/_b_** https://a.example/_b_",
            "https://a.example/_b_ https://a.example/_b_",
            &[(Bold, "https://a.example/_b_")],
        ),
    ]);
    let long = format!("[a](https://a.example/{})", "b".repeat(3000));
    assert_eq!(markdown(&long).spans, []);
}

/// Most of the text is what an attacker would write to make a parser slow or deep.
#[test]
fn deep_nesting_takes_neither_stack_nor_time() {
    let prove = || {
        for unit in [
            ">",
            "> ",
            "- ",
            "1. ",
            "+ > ",
            "*",
            "**",
            "_a ",
            "**a ",
            "[",
            "![",
            "[a](",
            "~~a ",
            "`",
            "<",
            "<a ",
            "|",
            "a|",
            "> a\n",
            "- a\n\n",
            "[a]: b\n",
            "\\",
            "&",
            "# a\n",
            "***a***",
            "[a](http://b)",
            "|a|b|\n",
            "|a|\n|-|\n",
        ] {
            let source = unit.repeat(20_000 / unit.len());
            let (rich, events) = module::read(&source);
            check_spans(&rich);
            let work = events + rich.text.len() + rich.spans.len();
            assert!(work < 8 * source.len(), "{unit:?}: {work}");
        }
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(prove).unwrap().join().unwrap();
}

#[test]
fn a_short_source_does_not_become_a_long_text() {
    let wide = format!("|a|b|\n|-|-|\n|{}|c|\n{}", "w".repeat(20_000), "|x|y|\n".repeat(5_000));
    let columns = format!("{}\n{}\n{}", "|a".repeat(500), "|-".repeat(500), "|\n".repeat(5_000));
    let references = format!("[a]: http://{}\n\n{}", "b".repeat(1_900), "[a] ".repeat(5_000));
    for source in [wide, columns, references] {
        let rich = markdown(&source);
        assert!(rich.text.len() < 3 * source.len() + (16 << 10), "{} of {}", rich.text.len(), source.len());
    }
}

proptest! {
    #[test]
    fn whatever_comes_in_has_sound_spans(source in prop_oneof![soup(), any::<String>(), "[*_~`>\\-\\[\\]()!|#1. \n\\\\a<&:]{0,80}"]) {
        let rich = markdown(&source);
        check_spans(&rich);
        prop_assert!(!rich.text.ends_with('\n') && !rich.text.starts_with('\n'), "{:?}", rich);
        prop_assert_eq!(rich.is_blank(), source.trim().is_empty(), "{:?} is {:?}", source, rich);
    }

    #[test]
    fn no_word_is_lost_or_doubled(source in soup()) {
        let rich = markdown(&source);
        let shown = |word: &str| {
            let named = |span: &Span| match &span.style {
                Style::Link(address) => address.matches(word).count(),
                Style::Block(Some(language)) => language.matches(word).count(),
                _ => 0,
            };
            (rich.text.matches(word).count(), rich.spans.iter().map(named).sum::<usize>())
        };
        for word in WORDS {
            let (written, (text, spans)) = (source.matches(word).count(), shown(word));
            prop_assert!(text <= written && text + spans >= written, "{word}: {source:?} is {rich:?}");
        }
    }

    #[test]
    fn a_text_without_markup_comes_out_byte_for_byte(
        lines in proptest::collection::vec("([\\pL€¿(/%@$][\\pL\\pN ,.;?:'\"()/%$@^{}€-]{0,30}[\\pL\\pN.?)])?", 1..8)
    ) {
        let text = lines.join("\n").trim_matches('\n').to_owned();
        prop_assert_eq!(markdown(&text), RichText::plain(text));
    }
}
