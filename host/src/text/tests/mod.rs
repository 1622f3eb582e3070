#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cut;
mod markdown;
mod pieces;

use std::{cmp::Reverse, mem::discriminant};

use proptest::prelude::*;

use super::*;

/// The characters of a span, or of a part of a text.
fn part(rich: &RichText, span: &Span) -> String {
    rich.text.chars().skip(span.start as usize).take((span.end - span.start) as usize).collect()
}

/// The spans with what they cover.
fn covered(rich: &RichText) -> Vec<(Style, String)> {
    rich.spans.iter().map(|span| (span.style.clone(), part(rich, span))).collect()
}

/// What must hold of all spans, whoever made them.
fn check_spans(rich: &RichText) {
    let length = rich.text.chars().count() as u32;
    let order: Vec<_> = rich.spans.iter().map(|span| (span.start, Reverse(span.end))).collect();
    assert!(order.is_sorted(), "{rich:?}");
    let mut outer: Vec<&Span> = Vec::new();
    for span in &rich.spans {
        assert!(span.start < span.end && span.end <= length, "{span:?} of {rich:?}");
        outer.retain(|outer| outer.end > span.start);
        for outer in &outer {
            assert!(span.end <= outer.end, "{span:?} crosses {outer:?} in {rich:?}");
            assert_ne!(discriminant(&span.style), discriminant(&outer.style), "{span:?} in {outer:?}");
            assert!(!matches!(outer.style, Style::Block(_) | Style::Code), "{span:?} in {outer:?}");
        }
        outer.push(span);
    }
}

/// Markup and words in every order, with what people write beside it.
fn soup() -> impl Strategy<Value = String> {
    const MARKUP: &[&str] = &[
        "*",
        "**",
        "***",
        "_",
        "__",
        "~",
        "~~",
        "`",
        "``",
        "\n```\n",
        "\n```rust\n",
        "\n~~~\n",
        "> ",
        ">",
        "- ",
        "+ ",
        "1. ",
        "7) ",
        "- [ ] ",
        "- [x] ",
        "# ",
        "## ",
        "[",
        "]",
        "](",
        ")",
        "![",
        "](https://a.example/b_c_)",
        "<",
        ">",
        "<b>",
        "</b>",
        "<div>",
        "<!--",
        "-->",
        "<https://b.example>",
        "\\",
        "\\\\",
        "|",
        "\n|",
        "|\n|---|:-:|\n",
        "---",
        "\n---\n",
        "\n===\n",
        "&amp;",
        "&",
        "\n[ref]: https://ref.example\n",
        "[ref]",
        " ",
        "  ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "\n",
        "\n    ",
        "\n  - ",
        "https://c.example/_d_/",
        ".",
        "!",
        "é",
        "👩‍👩‍👧",
        "\u{301}",
        "🇩🇪",
        "\r\n",
        "\0",
        "\u{a0}",
    ];
    let word = (0..WORDS.len()).prop_map(|word| WORDS[word]);
    let markup = (0..MARKUP.len()).prop_map(|sign| MARKUP[sign]);
    proptest::collection::vec(prop_oneof![2 => word, 5 => markup], 0..60).prop_map(|parts| parts.concat())
}

/// Words that no other part of [`soup`] contains.
const WORDS: &[&str] = &["apple", "banjo", "clown", "delta", "eagle", "fudge", "grape", "hotel", "igloo", "jolly"];
