use super::super::arguments::{Argument, Arguments, Extent, quoted};

fn values(preview: &str) -> (Vec<(String, String)>, Extent) {
    let Arguments { list, extent } = Arguments::read(preview);
    (list.into_iter().map(|Argument { name, value, .. }| (name, value)).collect(), extent)
}

#[test]
fn members_keep_their_order_and_their_digits() {
    let (list, extent) = values(r#"{ "z": 1.50, "a": -0, "m": 1e300, "s": "a\n\"\u00e4\\", "b": true, "n": null }"#);
    let list: Vec<_> = list.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(list, [("z", "1.50"), ("a", "-0"), ("m", "1e300"), ("s", "a\n\"ä\\"), ("b", "true"), ("n", "null")]);
    assert_eq!(extent, Extent::Whole);
}

#[test]
fn json_within_is_indented_and_keeps_every_character_of_its_strings() {
    for (json, shown) in [
        (r#"{"a":[1,2],"b":{}}"#, r#"{"a": [1, 2], "b": {}}"#),
        (r#"[ [ ] , { } , " , : { \" \\" ]"#, r#"[[], {}, " , : { \" \\"]"#),
        (r#"["\u202e"]"#, r#"["\u202e"]"#),
        (
            r#"{"a":[],"text":"0123456789012345678901234567890123456789012345678901234567890","b":[1]}"#,
            "{\n  \"a\": [],\n  \"text\": \"0123456789012345678901234567890123456789012345678901234567890\",\n  \"b\": \
             [\n    1\n  ]\n}",
        ),
    ] {
        assert_eq!(values(&format!("{{ \"x\": {json} }}")).0[0].1, shown);
    }
}

#[test]
fn depth_costs_neither_stack_nor_space() {
    for depth in [100, 30_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let (list, _) = values(&format!("{{ \"x\": {open}{close} }}"));
        assert!(list[0].1.len() < 2 * depth + 500);
    }
}

#[test]
fn what_claude_code_left_out_is_noticed() {
    let long = "x".repeat(3_499);
    let dots = format!("{{ \"a\": \"{}...\" }}", "x".repeat(200));
    let cut = |characters, arguments| Extent::Cut { characters, arguments };
    for (preview, extent) in [
        ("{ \"a\": \"b\n⋯ 1 code point elided ⋯\nc\" }", cut(1, 0)),
        ("{ \"a\": \"b\n⋯ 2 code points elided ⋯\nc\", \"d\": [\"e\n⋯ 30 code points elided ⋯\nf\"] }", cut(32, 0)),
        // Cut between the values of a list, and within an escape: no JSON, but the count is there.
        ("{ \"a\": [1,\n⋯ 7 code points elided ⋯\n,2] }", cut(7, 0)),
        ("{ \"a\": \"b\\\n⋯ 7 code points elided ⋯\n\"\" }", cut(7, 0)),
        ("{ \"a\": 1 }\n⋯ 11 fields elided: \"b\", \"c\" ⋯\n", cut(0, 11)),
        ("{ \"a\": \"b\n⋯ 1 code point elided ⋯\nc\" }\n⋯ 1 field elided: \"d\" ⋯\n", cut(1, 1)),
        ("{ \"a\": \"b\n⋯ 99999999999999999999999999 code points elided ⋯\nc\" }", Extent::Broken),
        ("{ \"a\": \"b\n⋯ many code points elided ⋯\nc\" }", Extent::Broken),
        // Only in the words of a string: better refused than believed.
        ("{ \"a\": \"⋯ 7 code points elided ⋯\" }", cut(0, 0)),
        ("{ \"a\": \"and so on…\" }", cut(0, 0)),
        (&*dots, cut(0, 0)),
        (&*format!("{{ \"a\": \"{long}\" }}"), cut(0, 0)),
        (&*format!("{{ \"a\": \"{}\" }}", &long[1..]), Extent::Whole),
        ("{ \"a\": \"go test ./...\" }", Extent::Whole),
        ("{\"command\":\"ls /very/long…", Extent::Broken),
        ("{ \"a\": \"b\nc\" }", Extent::Broken),
        (" ", Extent::Absent),
        ("{}", Extent::Whole),
    ] {
        assert_eq!(values(preview).1, extent, "{preview}");
    }
}

#[test]
fn a_cut_value_is_laid_out_with_the_line_that_says_so() {
    let (list, _) = values("{ \"a\": \"b\\n\n⋯ 9 code points elided ⋯\nc\", \"d\": 1 }\n⋯ 1 field elided: \"e\" ⋯\n");
    assert_eq!(list, [("a".into(), "b\n\n⋯ 9 code points elided ⋯\nc".into()), ("d".into(), "1".into())]);
}

#[test]
fn what_two_readers_could_read_in_two_ways_is_shown_as_it_came() {
    let long = format!("{{ \"{}\": 1 }}", "n".repeat(81));
    for preview in [
        r#"{ "a": 1, "b": 2, "a": 3 }"#,
        r#"{ "a": 1, "\u0061": 3 }"#,
        r#"{ "a": { "b": 1, "b": 2 } }"#,
        r#"{ "a": "\udfff" }"#,
        r#"{ "a": 1 } { "b": 2 }"#,
        "[1]",
        &long,
    ] {
        let (list, extent) = values(preview);
        assert_eq!(list, [("Arguments as Claude Code sent them".into(), preview.into())]);
        assert_eq!(extent, Extent::Broken);
    }
}

#[test]
fn a_name_cannot_end_its_quotation_marks() {
    for (name, shown) in [
        ("file_path", "file_path"),
        ("a.b-c", "a.b-c"),
        ("", "\"\""),
        ("a b", "\"a b\""),
        ("a\": \"b", "\"a\\\": \\\"b\""),
        ("a\\", "\"a\\\\\""),
        ("а", "\"а\""),
        ("a\n ", "\"a⏎⟨1 space⟩\""),
    ] {
        assert_eq!(quoted(name), shown);
    }
}
