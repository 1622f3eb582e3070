#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Node, Denial> {
    Node::parse(text, &Budget::new(), 0)
}

fn patterns(texts: &[&str]) -> Vec<FieldPattern> {
    texts.iter().map(|text| FieldPattern::parse(text).unwrap()).collect()
}

#[test]
fn what_two_parsers_could_read_in_two_ways_is_refused() {
    for (text, why) in [
        ("", "EOF"),
        (r#"{"a":1,"a":1}"#, "twice"),
        (r#"{"a":1,"\u0061":2}"#, "twice"),
        (r#"[{"x":{"a":1,"a":2}}]"#, "twice"),
        (r#"{"a":1} x"#, "trailing"),
        (r#"{"a":1}{"a":2}"#, "trailing"),
        (r#"{"a":1,}"#, "trailing comma"),
        (r#"{"a":"\ud800"}"#, "hex escape"),
        (r#"{"a":"\udc00\ud800"}"#, "surrogate"),
        (r#"{"\ud800":1}"#, "hex escape"),
        ("{\"a\":\"\n\"}", "control character"),
        (r#"{"a":01}"#, "number"),
        (r#"{"a":+1}"#, "expected value"),
        (r#"{"a":NaN}"#, "expected value"),
        (r#"{"a":1e400}"#, "out of range"),
        (r#"{a:1}"#, "string"),
        (r"{'a':1}", "string"),
        (r#"{"a":1/**/}"#, "expected"),
        ("\u{feff}{}", "expected value"),
    ] {
        let problem = format!("{:?}", parse(text).unwrap_err());
        assert!(problem.contains(why), "{text}: {problem}");
    }
}

#[test]
fn members_that_serde_json_unfolds_elsewhere_are_members_like_others() {
    let text = r#"{"$serde_json::private::RawValue":"{\"chat_id\":1}"}"#;
    let document = parse(text).unwrap();
    assert_eq!(document.to_json().unwrap(), text);
    assert!(document.check_listed(&patterns(&["/chat_id"])).is_err());
    let text = r#"{"$serde_json::private::Number":"1"}"#;
    assert_eq!(parse(text).unwrap().to_json().unwrap(), text);
}

#[test]
fn what_is_read_is_written_again_in_one_form() {
    for (text, written) in [
        (" { \"b\" : [ 1 , -2 ] ,\t\"a\" : null }\n", r#"{"b":[1,-2],"a":null}"#),
        (r#"{"\u0061":"\u00e4\ud83d\ude42\/"}"#, r#"{"a":"ä🙂/"}"#),
        ("[18446744073709551615,-9223372036854775808]", "[18446744073709551615,-9223372036854775808]"),
        ("[9007199254740993]", "[9007199254740993]"),
        ("[1.0,1e3,-0,1.5]", "[1.0,1000.0,-0.0,1.5]"),
        ("[18446744073709551616]", "[1.8446744073709552e+19]"),
        (r#"["\u0000\u2028\"\\"]"#, "[\"\\u0000\u{2028}\\\"\\\\\"]"),
        ("true", "true"),
    ] {
        assert_eq!(parse(text).unwrap().to_json().unwrap(), written, "{text}");
    }
}

#[test]
fn levels_and_leaves_are_bounded() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(&deep(LEVELS)).is_ok());
    assert!(parse(&deep(LEVELS + 1)).is_err());
    assert!(parse(&deep(100_000)).is_err());
    assert!(Node::parse("[[]]", &Budget::new(), LEVELS - 2).is_ok());
    assert!(Node::parse("[[]]", &Budget::new(), LEVELS - 1).is_err());
    let wide = |leaf: &str, count: usize| format!("[{}]", vec![leaf; count].join(","));
    for leaf in ["1", "\"\"", "null", "[]", "{}", "{\"a\":[[1]]}"] {
        assert!(parse(&wide(leaf, LEAVES)).is_ok(), "{leaf}");
        assert!(parse(&wide(leaf, LEAVES + 1)).is_err(), "{leaf}");
    }
    let budget = Budget::new();
    Node::parse(&wide("1", LEAVES), &budget, 0).unwrap();
    assert!(Node::parse("1", &budget, 0).is_err());
}

#[test]
fn only_listed_leaves_and_the_ways_to_them_are_taken() {
    let fields = patterns(&["/chat_id", "/entities/*/type", "/reply/message_id", "/rows/*/*"]);
    for good in [
        "{}",
        r#"{"chat_id":1}"#,
        r#"{"chat_id":null}"#,
        r#"{"entities":[]}"#,
        r#"{"entities":[{},{"type":"bold"}]}"#,
        r#"{"reply":{}}"#,
        r#"{"rows":[[],["a",1]]}"#,
    ] {
        assert_eq!(parse(good).unwrap().check_listed(&fields), Ok(()), "{good}");
    }
    for (bad, place) in [
        ("1", "/"),
        ("null", "/"),
        ("[]", "/"),
        ("[1]", "/0"),
        (r#"{"Chat_id":1}"#, "/Chat_id"),
        (r#"{"chat_id ":1}"#, "/chat_id "),
        (r#"{"":1}"#, "/"),
        (r#"{"chat_id":{}}"#, "/chat_id"),
        (r#"{"chat_id":[]}"#, "/chat_id"),
        (r#"{"chat_id":[1]}"#, "/chat_id/0"),
        (r#"{"chat_id":{"x":1}}"#, "/chat_id/x"),
        (r#"{"entities":{}}"#, "/entities"),
        (r#"{"entities":1}"#, "/entities"),
        (r#"{"entities":{"*":{"type":1}}}"#, "/entities/*"),
        (r#"{"entities":{"0":{"type":1}}}"#, "/entities/0"),
        (r#"{"entities":[[]]}"#, "/entities/0"),
        (r#"{"entities":[{"type":1},{"url":1}]}"#, "/entities/1/url"),
        (r#"{"entities":["type"]}"#, "/entities/0"),
        (r#"{"reply":[]}"#, "/reply"),
        (r#"{"reply":{"chat_id":1}}"#, "/reply/chat_id"),
        (r#"{"reply/message_id":1}"#, "/reply/message_id"),
        (r#"{"rows":[1]}"#, "/rows/0"),
        (r#"{"rows":[[{}]]}"#, "/rows/0/0"),
    ] {
        let problem = parse(bad).unwrap().check_listed(&fields).unwrap_err();
        assert!(format!("{problem:?}").contains(&format!("the field {place} is not")), "{bad}: {problem:?}");
    }
}

#[test]
fn the_hosts_leaves_are_written_where_nothing_of_the_adapters_stands() {
    let pointer = |text: &str| Pointer::parse(text).unwrap();
    let written = |text: &str, at: &str, value: &Scalar| {
        let mut document = parse(text).unwrap();
        document.write_fixed(&pointer(at), value).map(|()| document.to_json().unwrap())
    };
    let yes = Scalar::Bool(true);
    assert_eq!(written("{}", "/a/b", &yes).unwrap(), r#"{"a":{"b":true}}"#);
    assert_eq!(written(r#"{"a":{"c":1}}"#, "/a/b", &Scalar::Integer(-3)).unwrap(), r#"{"a":{"c":1,"b":-3}}"#);
    assert_eq!(written("{}", "/a", &Scalar::Text("x\"y".into())).unwrap(), r#"{"a":"x\"y"}"#);
    for bad in [r#"{"a":{"b":true}}"#, r#"{"a":{"b":null}}"#, r#"{"a":{"b":{}}}"#] {
        assert!(format!("{:?}", written(bad, "/a/b", &yes).unwrap_err()).contains("written by the host"), "{bad}");
    }
    for bad in [r#"{"a":1}"#, r#"{"a":null}"#, r#"{"a":[]}"#, "[]", "1"] {
        assert!(format!("{:?}", written(bad, "/a/b", &yes).unwrap_err()).contains("in its way"), "{bad}");
    }
}

#[test]
fn selection_finds_every_value_of_a_pattern() {
    let document = parse(r#"{"a":[{"b":1},{"c":2},{"b":3}],"d":{"b":4}}"#).unwrap();
    let select = |text: &str| document.select(&FieldPattern::parse(text).unwrap().tokens);
    assert_eq!(select("/a/*/b"), [&Node::Unsigned(1), &Node::Unsigned(3)]);
    assert_eq!(select("/d/b"), [&Node::Unsigned(4)]);
    assert_eq!(select("/d/*"), [&Node::Null; 0]);
    assert_eq!(select("/a").len(), 1);
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<i32>().prop_map(|value| (f64::from(value) / 64.0).into()),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("[a-c]{0,2}|.{0,3}", inner, 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_says_what_was_read(value in value()) {
        let document = parse(&value.to_string()).unwrap();
        let written = document.to_json().unwrap();
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), value);
        prop_assert_eq!(parse(&written).unwrap(), document);
    }

    #[test]
    fn any_text_is_read_without_panic(text in "[\\[\\]{}\":,0-9a-e.\\\\u-]{0,60}") {
        if let Ok(document) = parse(&text) {
            prop_assert!(parse(&document.to_json().unwrap()).is_ok());
        }
    }
}
