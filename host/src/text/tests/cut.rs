use unicode_segmentation::UnicodeSegmentation as _;

use super::{super::cut as module, *};
use crate::manifest::TextUnit;

fn chars(max: u32, prefer: Prefer) -> Limit {
    Limit { max, unit: TextUnit::Chars, prefer }
}

fn texts(pieces: &[RichText]) -> Vec<&str> {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

fn units(text: &str, unit: TextUnit) -> usize {
    match unit {
        TextUnit::Utf16 => text.encode_utf16().count(),
        TextUnit::Chars => text.chars().count(),
        TextUnit::Bytes => text.len(),
    }
}

#[test]
fn a_reader_gets_the_best_place_that_leaves_half_of_the_limit() {
    for (text, max, pieces) in [
        ("short", 10, &["short"][..]),
        ("", 10, &[]),
        (" \n ", 10, &[]),
        ("one two. a\nb c\n\nd e f g", 16, &["one two. a\nb c", "d e f g"]),
        ("one two. a\nb c d e f g", 16, &["one two. a", "b c d e f g"]),
        ("one two. a b c d e f g", 16, &["one two.", "a b c d e f g"]),
        ("one two a b c d e f g", 16, &["one two a b c d", "e f g"]),
        ("a\n\nbcdefghijklmnop", 10, &["a\n\nbcdefgh", "ijklmnop"]),
        ("abcdefghij klm", 10, &["abcdefghij", "klm"]),
        ("abcdefghij\n\n\nklm", 10, &["abcdefghij", "klm"]),
        ("abcdefghij\n  klm", 10, &["abcdefghij", "  klm"]),
        ("版本。一二三四五六七八九", 5, &["版本。", "一二三四五", "六七八九"]),
        ("He said \"no.\" But then", 20, &["He said \"no.\"", "But then"]),
        ("version 1. 25 is it now", 15, &["version 1. 25", "is it now"]),
    ] {
        assert_eq!(texts(&cut(RichText::plain(text), chars(max, Prefer::Reader))), pieces, "{text:?}");
    }
}

#[test]
fn by_length_the_cut_is_at_the_limit() {
    for (text, max, pieces) in [
        ("one two\n\nthree", 8, &["one two", "three"][..]),
        ("one two three", 5, &["one t", "wo th", "ree"]),
        ("e\u{301}e\u{301}e\u{301}", 3, &["e\u{301}", "e\u{301}", "e\u{301}"]),
        ("🇩🇪🇫🇷", 3, &["🇩🇪", "🇫🇷"]),
        ("ab\r\ncd", 3, &["ab", "cd"]),
        ("a👩‍👩‍👧b", 5, &["a", "👩‍👩‍👧", "b"]),
        ("a👩‍👩‍👧b", 2, &["a", "👩\u{200d}", "👩\u{200d}", "👧b"]),
    ] {
        assert_eq!(texts(&cut(RichText::plain(text), chars(max, Prefer::Length))), pieces, "{text:?}");
    }
}

#[test]
fn the_limit_is_counted_in_the_platforms_unit() {
    for (unit, pieces) in [
        (TextUnit::Chars, &["ä😀ä😀", "ä😀"][..]),
        (TextUnit::Utf16, &["ä😀ä", "😀ä", "😀"]),
        (TextUnit::Bytes, &["ä", "😀", "ä", "😀", "ä", "😀"]),
    ] {
        let limit = Limit { max: 4, unit, prefer: Prefer::Length };
        assert_eq!(texts(&cut(RichText::plain("ä😀ä😀ä😀"), limit)), pieces, "{unit:?}");
    }
}

#[test]
fn code_is_cut_between_its_lines_and_goes_on_as_code() {
    let rich = markdown("Look:\n\n```rust\nfn a() {\n    b();\n\n    c();\n}\n```\n\n**Good** luck");
    let pieces = cut(rich, chars(24, Prefer::Reader));
    assert_eq!(texts(&pieces), ["Look:\n\nfn a() {\n    b();", "    c();\n}\n\nGood luck"]);
    let rust = Style::Block(Some("rust".into()));
    assert_eq!(covered(&pieces[0]), [(rust.clone(), "fn a() {\n    b();".to_owned())]);
    assert_eq!(covered(&pieces[1]), [(rust, "    c();\n}".to_owned()), (Style::Bold, "Good".to_owned())]);

    // A paragraph's end is better than a place in code, and within a line of code no space is lost.
    let rich = markdown("Some words\n\n```\na b c d e f\n```");
    assert_eq!(texts(&cut(rich.clone(), chars(16, Prefer::Reader))), ["Some words", "a b c d e f"]);
    let code = RichText {
        text: rich.text[12..].to_owned(),
        spans: vec![Span { start: 0, end: 11, style: Style::Block(None) }],
    };
    assert_eq!(texts(&cut(code, chars(4, Prefer::Reader))), ["a b ", "c d ", "e f"]);
}

#[test]
fn spans_go_on_in_the_next_piece() {
    let rich = markdown("> **one [two three](https://a.example) four** five");
    let pieces = cut(rich, chars(9, Prefer::Reader));
    assert_eq!(texts(&pieces), ["one two", "three", "four five"]);
    let link = Style::Link("https://a.example".into());
    assert_eq!(covered(&pieces[0])[2], (link.clone(), "two".to_owned()));
    assert_eq!(covered(&pieces[1])[2], (link, "three".to_owned()));
    let last = [(Style::Quote, "four five".to_owned()), (Style::Bold, "four".to_owned())];
    assert_eq!(covered(&pieces[2]), last);
}

#[test]
fn cutting_takes_work_in_proportion_to_the_text() {
    let units = [
        "a",
        " ",
        "\n",
        "a ",
        "a\n",
        "a\n\n",
        "a. ",
        "。",
        "\u{301}",
        "🇩",
        "👩\u{200d}",
        "a      ",
        "a\n            ",
        "\n\n\n\n\n\nabc",
    ];
    for unit in units {
        let text = format!("x{}x", unit.repeat((256 << 10) / unit.len()));
        let length = text.chars().count();
        let spans = vec![Span { start: 1, end: length as u32 / 2, style: Style::Block(None) }];
        let rich = RichText { text, spans };
        for max in [1, 2, 7, 4096, 100_000] {
            for prefer in [Prefer::Reader, Prefer::Length] {
                let limit = Limit { max, unit: TextUnit::Utf16, prefer };
                let (places, work) = module::places(&rich, limit);
                assert!(work <= 8 * length, "{unit:?}, {limit:?}: {work} for {length}");
                assert!(places.len() <= length);
            }
        }
    }
}

fn limit() -> impl Strategy<Value = Limit> {
    let unit = prop_oneof![Just(TextUnit::Utf16), Just(TextUnit::Chars), Just(TextUnit::Bytes)];
    let prefer = prop_oneof![Just(Prefer::Reader), Just(Prefer::Length)];
    (prop_oneof![0_u32..6, 6_u32..80], unit, prefer).prop_map(|(max, unit, prefer)| Limit { max, unit, prefer })
}

/// Spans as an adapter's worst enemy would write them.
fn wild() -> impl Strategy<Value = RichText> {
    let style = prop_oneof![Just(Style::Bold), Just(Style::Block(None)), Just(Style::Quote)];
    let span = (0..80_u32, 0..80_u32, style).prop_map(|(start, end, style)| Span { start, end, style });
    (any::<String>(), proptest::collection::vec(span, 0..6)).prop_map(|(text, spans)| RichText { text, spans })
}

/// Each visible character, and how many spans of each kind lie on it.
fn characters(rich: &RichText) -> Vec<(char, Vec<Style>)> {
    let styles = |at: u32| {
        let on = rich.spans.iter().filter(|span| span.start <= at && at < span.end);
        on.map(|span| span.style.clone()).collect()
    };
    let all = rich.text.chars().zip(0..).map(|(c, at)| (c, styles(at)));
    all.filter(|(c, _)| !c.is_whitespace()).collect()
}

proptest! {
    #[test]
    fn pieces_fit_and_lose_only_white_space(source in prop_oneof![soup(), any::<String>(), "[a. \n]{0,99}"], limit in limit()) {
        let rich = markdown(&source);
        let pieces = cut(rich.clone(), limit);
        for piece in &pieces {
            check_spans(piece);
            prop_assert!(!piece.is_blank());
            let fits = units(&piece.text, limit.unit) <= limit.max as usize;
            prop_assert!(fits || piece.text.chars().count() == 1, "{:?} in {:?}", piece, limit);
        }
        let whole: Vec<_> = pieces.iter().flat_map(characters).collect();
        prop_assert_eq!(whole, characters(&rich));
    }

    #[test]
    fn no_cluster_is_torn_that_fits(text in soup(), limit in limit()) {
        let mut rest = text.as_str();
        for piece in cut(RichText::plain(text.as_str()), limit) {
            let at = rest.find(&piece.text).expect("pieces are parts of the text, in order");
            let (start, end) = (text.len() - rest.len() + at, text.len() - rest.len() + at + piece.text.len());
            rest = &text[end..];
            for place in [start, end] {
                let torn = text.grapheme_indices(true).find(|(from, cluster)| *from < place && place < from + cluster.len());
                let fits = torn.filter(|(_, cluster)| units(cluster, limit.unit) <= limit.max as usize);
                prop_assert!(fits.is_none() , "{:?} at {place} in {:?}", fits, text);
            }
        }
    }

    #[test]
    fn spans_of_any_shape_do_no_harm(rich in wild(), limit in limit()) {
        let pieces = cut(rich.clone(), limit);
        for piece in pieces.iter().filter(|_| pieces.len() > 1) {
            let length = piece.text.chars().count() as u32;
            prop_assert!(piece.spans.iter().all(|span| span.start < span.end && span.end <= length));
        }
    }
}
