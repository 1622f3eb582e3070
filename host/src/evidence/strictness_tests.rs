#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use proptest::prelude::*;

use super::{
    tests::{LEAST, body, evidence, read, rule},
    *,
};
use crate::manifest::{Pointer, PointerPattern};

#[test]
fn what_two_parsers_could_read_in_two_ways_is_no_evidence() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    for good in ["1", "\"a\"", " {} ", "{\"a\": {\"a\": [{\"a\": 1}, {\"a\": 2}]}}", &deep(127)] {
        assert!(Document::parse(Bytes::copy_from_slice(good.as_bytes())).is_ok(), "{good}");
        assert!(json::check(good.as_bytes()).is_ok());
    }
    let many: String = (0..40).map(|n| format!("\"m{n}\": 1, ")).collect();
    let bad: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "{} {}",
        "{}x",
        "[1,]",
        "{\"a\": 1,}",
        "{a: 1}",
        "'a'",
        "01",
        "+1",
        ".5",
        "1.",
        "NaN",
        "// x\n1",
        "\u{feff}{}",
        "{\"a\": 1, \"a\": 1}",
        "{\"a\": 1, \"\\u0061\": 2}",
        "{\"x\": {\"a\": 1, \"b\": 2, \"a\": 3}}",
        "[[{\"a\": 1, \"a\": 1}]]",
        &format!("{{{many}\"m7\": 2}}"),
        &format!("{{{many}\"m\\u0037\": 2}}"),
        "\"\\ud800\"",
        "\"\\ud800x\"",
        "\"\\udc00\\ud800\"",
        "\"\\x\"",
        "\"a\nb\"",
        "\"\t\"",
        "{\"a\\ud800\": 1}",
        &deep(128),
        &deep(100_000),
        &format!("[{}1]", "1,".repeat(300_000)),
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([
        b"\"\xff\"".to_vec(),
        b"\"\xc0\x80\"".to_vec(),
        b"\"\xed\xa0\x80\"".to_vec(),
        b"{\"\xff\": 1}".to_vec(),
        b"{} \0".to_vec(),
    ])
    .collect();
    for bad in bad {
        let shown = String::from_utf8_lossy(&bad[..bad.len().min(60)]).into_owned();
        assert!(json::check(&bad).is_err(), "{shown}");
        assert!(Document::parse(Bytes::from(bad)).is_err(), "{shown}");
    }
    let twice = read("", "{\"id\": 1, \"from\": 2, \"chat\": 3, \"x\": {\"\\u202e\": 1, \"\\u202e\": 2}}")
        .unwrap_err()
        .to_string();
    assert!(twice.contains("the member \"\\u{202e}\" is there twice"), "{twice}");
}

#[test]
fn pointers_find_by_rfc_6901() {
    let text = r#"{"a/b": 1, "m~n": 2, "": {"": 3}, "e\u0066": 4, "list": [5, {"x": 6}], "0": 7, "-": 8, "~1": 9}"#;
    let document = Document::parse(Bytes::from_static(text.as_bytes())).unwrap();
    for (pointer, expected) in [
        ("/a~1b", Some(1)),
        ("/m~0n", Some(2)),
        ("//", Some(3)),
        ("/ef", Some(4)),
        ("/list/0", Some(5)),
        ("/list/1/x", Some(6)),
        ("/0", Some(7)),
        ("/-", Some(8)),
        ("/~01", Some(9)),
        ("/list/00", None),
        ("/list/-", None),
        ("/list/2", None),
        ("/list/x", None),
        ("/a", None),
        ("/0/0", None),
    ] {
        let found = document.at(&Pointer::parse(pointer).unwrap());
        assert_eq!(found, expected.map(Found::Integer), "{pointer}");
    }
}

fn split(pattern: &str, body: &str) -> Result<Vec<(String, String)>, String> {
    let items = split_items(&PointerPattern::parse(pattern).unwrap(), &Bytes::copy_from_slice(body.as_bytes()));
    let text = |item: &Item| (String::from_utf8(item.bytes.to_vec()).unwrap(), item.matches.join(","));
    items.map(|items| items.iter().map(text).collect()).map_err(|error| error.to_string())
}

#[test]
fn items_are_the_very_bytes_of_the_elements() {
    let body = "{ \"ok\" : true, \"r\\u0065sult\" : [ {\"a\" : 1.0} ,\n2,\"x\\u0079\" , [ ] ], \"z\": {} }";
    let expected = [("{\"a\" : 1.0}", "0"), ("2", "1"), ("\"x\\u0079\"", "2"), ("[ ]", "3")];
    let expected: Vec<_> = expected.iter().map(|(text, index)| ((*text).to_owned(), (*index).to_owned())).collect();
    assert_eq!(split("/result/*", body).unwrap(), expected);
    assert_eq!(split("/*", "[1, 2]").unwrap().len(), 2);
    assert_eq!(split("/a/1/b/*", "{\"a\": [0, {\"b\": [7]}, 0], \"c\": 1}").unwrap()[0].0, "7");
    assert_eq!(split("/a/*", "{\"a\": []}").unwrap(), []);
    let whole = Bytes::from_static(b"[ 10, 20 ]");
    let items = split_items(&PointerPattern::parse("/*").unwrap(), &whole).unwrap();
    assert_eq!(items[1].bytes.as_ptr(), whole[6..].as_ptr());
}

#[test]
fn a_body_without_its_items_is_refused() {
    for (pattern, body, expected) in [
        ("/a/*", "{}", "the member \"a\" is missing"),
        ("/a/*", "{\"a\": {\"0\": 1}}", "an object where the array should be"),
        ("/a/*", "{\"a\": 1}", "expected an array"),
        ("/a/*", "{\"a\": null}", "expected an array"),
        ("/a/*", "[1]", "numbered elements only"),
        ("/0/*", "[]", "no such element"),
        ("/a/*", "{\"a\": [1], \"b\": {\"c\": 1, \"c\": 1}}", "\"c\" is there twice"),
        ("/a/*", "{\"a\": [{\"c\": 1, \"c\": 1}]}", "\"c\" is there twice"),
        ("/a/*", "{\"a\": [1], \"a\": [2]}", "\"a\" is there twice"),
        ("/a/*", "{\"a\": [1]} x", "trailing characters"),
    ] {
        let error = split(pattern, body).unwrap_err();
        assert!(error.contains(expected), "{pattern} {body}\n{error}");
    }
    let many = format!("[{}1]", "1,".repeat(MOST_ITEMS));
    assert!(split("/*", &many).unwrap_err().contains("more than 10000 items"));
}

/// JSON, once compact and once with white space wherever it may be.
fn json_with_space() -> impl Strategy<Value = (String, String)> {
    let same = |text: String| (text.clone(), text);
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|it| it.to_string()),
        any::<i64>().prop_map(|it| it.to_string()),
        any::<u64>().prop_map(|it| it.to_string()),
        any::<f64>().prop_filter("finite", |it| it.is_finite()).prop_map(|it| format!("{it:e}")),
        ".*".prop_map(|it| serde_json::to_string(&it).unwrap()),
    ]
    .prop_map(same);
    leaf.prop_recursive(4, 40, 5, |inner| {
        let list = prop::collection::vec((inner.clone(), "[ \t\r\n]{0,2}"), 0..5).prop_map(|parts| {
            let compact: Vec<&str> = parts.iter().map(|it| &*it.0.0).collect();
            let spaced: Vec<String> = parts.iter().map(|((_, text), space)| format!("{space}{text}{space}")).collect();
            (format!("[{}]", compact.join(",")), format!("[ {} ]", spaced.join(",")))
        });
        let object = prop::collection::btree_map("[a-c]{1,2}", (inner, "[ \t\r\n]{0,2}"), 0..5).prop_map(|parts| {
            let compact: Vec<String> = parts.iter().map(|(name, it)| format!("\"{name}\":{}", it.0.0)).collect();
            let spaced: Vec<String> = parts
                .iter()
                .map(|(name, (it, space))| format!("{space}\"{name}\"{space}:{space}{}{space}", it.1))
                .collect();
            (format!("{{{}}}", compact.join(",")), format!("{{ {} }}", spaced.join(",")))
        });
        prop_oneof![list, object]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = rule(LEAST).read(&evidence(&bytes));
        let _ = split_items(&PointerPattern::parse("/a/*").unwrap(), &Bytes::from(bytes));
    }

    #[test]
    fn nearly_json_is_read_without_panic(text in "[\\[\\]{}\",:0-9a-b.eE+\\\\ -]{0,60}") {
        let bytes = Bytes::from(text.clone());
        let strict = Document::parse(bytes.clone()).is_ok();
        prop_assert_eq!(strict, json::check(&bytes).is_ok());
        // What is strict is JSON for others too.
        prop_assert!(!strict || serde_json::from_str::<serde_json::Value>(&text).is_ok());
        let _ = split_items(&PointerPattern::parse("/*").unwrap(), &bytes);
    }

    #[test]
    fn white_space_changes_nothing((compact, spaced) in json_with_space()) {
        let lines = format!("{LEAST}text = [\"/x/a\", \"/x/0\", \"/x/b/a\", \"/x/0/a\"]\nthread = \"/x/c\"");
        let rule = rule(&lines);
        let read = |x: &str| rule.read(&evidence(body(&format!(", \"x\": {x}"))));
        prop_assert_eq!(read(&compact), read(&spaced));
        prop_assert!(Document::parse(Bytes::from(spaced.clone())).is_ok(), "{}", spaced);
    }

    #[test]
    fn an_item_alone_reads_as_it_does_in_its_array(parts in prop::collection::vec(json_with_space(), 0..6)) {
        let texts: Vec<&str> = parts.iter().map(|(_, spaced)| &**spaced).collect();
        let body = format!("{{\"n\": 1, \"r\": [ {} ]}}", texts.join(" , "));
        let found: Vec<String> = split("/r/*", &body).unwrap().into_iter().map(|(text, _)| text).collect();
        prop_assert_eq!(found, texts);
    }

    #[test]
    fn a_member_given_twice_is_refused_wherever_it_is((inner, _) in json_with_space(), depth in 0..5_usize, array in any::<bool>()) {
        let mut text = format!("{{\"k\": {inner}, \"l\": 1, \"k\": {inner}}}");
        for _ in 0..depth {
            text = if array { format!("[0, {text}]") } else { format!("{{\"o\": {text}}}") };
        }
        prop_assert!(Document::parse(Bytes::from(text.clone())).is_err());
        prop_assert!(json::check(text.as_bytes()).is_err());
    }

    #[test]
    fn integers_keep_their_digits(number in any::<u64>(), negative in i64::MIN..0) {
        for id in [number.to_string(), negative.to_string()] {
            let body = body("").replace("\"id\": 1", &format!("\"id\": {id}"));
            prop_assert_eq!(read("", &body).unwrap().event, id);
        }
    }
}
