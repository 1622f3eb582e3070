//! Whatever an adapter asks for, what leaves is of the template's shape, goes to the action's conversation and has no leaf
//! that is not listed.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::platform::*;
use crate::{
    egress::{Prepared, PreparedBody, PreparedPart},
    manifest::{Action, Endpoint, FieldToken},
};

/// Ids and texts: the right ones, and what is near them.
fn near(right: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(right.to_owned()),
        1 => Just("-1009".to_owned()),
        1 => Just(format!("{right} ")),
        1 => Just(format!("{right}/../x?y=z#w&chat_id=1")),
        1 => Just("..".to_owned()),
        2 => "\\PC{0,12}",
        1 => any::<String>(),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "chat_id",
            "text",
            "entities",
            "type",
            "url",
            "reply_parameters",
            "message_id",
            "message_thread_id",
            "caption",
            "photo",
            "rows",
            "id",
            "options",
            "silent",
            "depth",
            "protect",
            "mode",
            "link_preview_options",
            "is_disabled",
        ])
        .prop_map(Into::into),
        "[a-z_]{0,4}",
        any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        Just(CHAT.parse::<i64>().unwrap().into()),
        (-9..9_i32).prop_map(|value| f64::from(value).into()),
        near(CHAT).prop_map(Into::into),
        near(TEXT).prop_map(Into::into),
        near(LINK).prop_map(Into::into),
        near(LANGUAGE).prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(name(), inner, 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

/// A message that is right but for what is put over it.
fn document() -> impl Strategy<Value = Json> {
    let entity = prop::collection::btree_map(
        prop::sample::select(vec!["type", "url", "language", "offset", "user"]),
        value(),
        0..3,
    );
    let part = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec((name(), value()), 1..3),
        3 => prop::collection::vec(entity, 0..3).prop_map(|entities| vec![("entities".into(), serde_json::json!(entities))]),
        1 => near("80").prop_map(|id| vec![("reply_parameters".into(), serde_json::json!({ "message_id": id }))]),
        1 => near(CHAT).prop_map(|id| vec![("reply_parameters".into(), serde_json::json!({ "chat_id": id }))]),
        1 => near("7").prop_map(|id| vec![("message_thread_id".into(), id.into())]),
    ];
    (near(CHAT), near(TEXT), part).prop_map(|(chat, text, part)| {
        let mut members = serde_json::Map::from_iter([("chat_id".into(), chat.into()), ("text".into(), text.into())]);
        members.extend(part);
        Json::Object(members)
    })
}

/// All leaves with the tokens that lead to them; empty arrays and objects are none.
fn leaves(value: &Json, way: &mut Vec<FieldToken>, found: &mut Vec<(Vec<FieldToken>, Json)>) {
    match value {
        Json::Array(elements) => {
            for element in elements {
                way.push(FieldToken::Each);
                leaves(element, way, found);
                way.pop();
            }
        }
        Json::Object(members) => {
            for (name, member) in members {
                way.push(FieldToken::Member(name.clone()));
                leaves(member, way, found);
                way.pop();
            }
        }
        leaf => found.push((way.clone(), leaf.clone())),
    }
}

fn pointer_tokens(pointer: &crate::manifest::Pointer) -> Vec<FieldToken> {
    pointer.tokens().iter().map(|token| FieldToken::Member(token.to_string())).collect()
}

fn tokens(pointer: &str) -> Vec<FieldToken> {
    crate::manifest::FieldPattern::parse(pointer).unwrap().tokens
}

/// Every leaf is listed or the host's; those of the host are as it wrote them; ids and texts are the action's.
fn assert_within(endpoint: &Endpoint, sent: &Json) {
    let mut found = Vec::new();
    leaves(sent, &mut Vec::new(), &mut found);
    for (pointer, value) in &endpoint.fixed {
        let here: Vec<&Json> =
            found.iter().filter(|(way, _)| *way == pointer_tokens(pointer)).map(|(_, leaf)| leaf).collect();
        let shown: Vec<String> = here.iter().map(|leaf| leaf.to_string().trim_matches('"').to_owned()).collect();
        assert_eq!(shown, [value.to_string().trim_matches('"')]);
    }
    for (way, leaf) in &found {
        let is_fixed = endpoint.fixed.keys().any(|pointer| pointer_tokens(pointer) == *way);
        assert!(is_fixed || endpoint.fields.iter().any(|field| field.tokens == *way), "{way:?} is not listed");
        for (place, wanted) in [
            ("/chat_id", CHAT),
            ("/reply_parameters/chat_id", CHAT),
            ("/reply_parameters/message_id", "80"),
            ("/message_thread_id", "7"),
            ("/text", TEXT),
            ("/caption", TEXT),
        ] {
            if *way == tokens(place) {
                let given = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
                assert_eq!(given, wanted, "{place}");
            }
        }
    }
    for (way, leaf) in found.iter().filter(|(way, _)| endpoint.spoken.iter().any(|field| field.tokens == *way)) {
        assert!(*leaf == LINK || *leaf == LANGUAGE, "{way:?} {leaf}");
    }
    assert!(found.iter().any(|(way, _)| *way == tokens("/chat_id")), "the conversation is there");
}

/// The parts of a form or a multipart body as one document.
fn of_parts(endpoint: &Endpoint, parts: impl Iterator<Item = (String, String)>) -> Json {
    let mut document = serde_json::Map::new();
    for (name, text) in parts {
        let value = if endpoint.json.contains(&name) { serde_json::from_str(&text).unwrap() } else { text.into() };
        assert!(document.insert(name, value).is_none(), "a part is there twice");
    }
    Json::Object(document)
}

fn assert_url(prepared: &Prepared, path: &str) {
    assert_eq!(prepared.url.as_str(), format!("https://api.telegram.org/bot{TOKEN}/{path}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_document_leads_elsewhere(document in prop_oneof![4 => document(), 1 => value()]) {
        for permit in [permit(Action::Send), permit_in_thread(Action::Send)] {
            if let Ok(prepared) = build(&send_message(), &values(), &permit, json(document.to_string())) {
                assert_url(&prepared, "sendMessage");
                let sent: Json = serde_json::from_str(&sent_text(&prepared)).unwrap();
                assert_within(&send_message(), &sent);
                prop_assert_eq!(sent.get("message_thread_id").is_some(), permit.thread.is_some());
            }
        }
    }

    #[test]
    fn no_text_in_place_of_json_leads_elsewhere(
        members in prop::collection::vec(prop_oneof![
            4 => Just(format!(r#""chat_id":{CHAT}"#)),
            4 => Just(format!(r#""text":"{TEXT}""#)),
            2 => "(\\[|\\]|[{}\":, 0-9a-e.\\\\-]){0,6}".prop_map(|text| format!(r#""entities":[{text}]"#)),
            2 => prop::sample::select(vec![
                "\"entities\" : [ ]", r#""ent\u0069ties":[{"type":1e3}]"#, r#""chat\u005fid":-1009"#, r#""chat_id":-1009"#,
                r#""text":"x"#, r#""reply_parameters":{"message_id":8e1}"#, r#""reply_parameters":{"message_id":80}}"#,
            ]).prop_map(str::to_owned),
        ], 2..4)
    ) {
        if let Ok(prepared) = attempt(&send_message(), json(format!("{{{}}}", members.join(",")))) {
            assert_within(&send_message(), &serde_json::from_str(&sent_text(&prepared)).unwrap());
        }
    }

    #[test]
    fn no_form_leads_elsewhere(
        chat in near(CHAT), text in near(TEXT), rows in prop::option::of(value()),
        more in prop::collection::vec((name(), near(CHAT)), 0..2),
    ) {
        let mut fields = vec![("chat_id".to_owned(), chat), ("text".to_owned(), text)];
        fields.extend(rows.map(|rows| ("rows".to_owned(), serde_json::json!([{ "id": rows }]).to_string())));
        fields.extend(more);
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, text)| (&**name, &**text)).collect();
        if let Ok(prepared) = attempt(&form(), form_of(&pairs)) {
            assert_url(&prepared, "form");
            let body = sent_text(&prepared);
            let parsed = form_urlencoded::parse(body.as_bytes()).into_owned();
            assert_within(&form(), &of_parts(&form(), parsed));
        }
    }

    #[test]
    fn no_parts_lead_elsewhere(
        chat in near(CHAT), caption in near(TEXT), silent in prop::option::of(value()),
        file in prop::option::of((prop_oneof![4 => Just("photo".to_owned()), 1 => name()], prop::sample::select(vec!["f-named", "f-other"]),
            prop::sample::select(vec![None, Some(CHAT), Some("-1009")]))),
        more in prop::collection::vec((name(), near(CHAT)), 0..2),
    ) {
        let mut parts = vec![text_part("chat_id", &chat), text_part("caption", &caption)];
        parts.extend(silent.map(|it| text_part("options", &serde_json::json!({ "silent": it }).to_string())));
        parts.extend(file.map(|(name, id, conversation)| file_part(&name, id, conversation)));
        parts.extend(more.iter().map(|(name, text)| text_part(name, text)));
        if let Ok(prepared) = attempt(&send_photo(), multipart(parts)) {
            assert_url(&prepared, "sendPhoto");
            let PreparedBody::Multipart(parts) = prepared.body else { panic!("no parts") };
            let texts = parts.into_iter().filter_map(|part| match part {
                PreparedPart::Field { name, text } => Some((name, text)),
                PreparedPart::File { name, file } => {
                    assert!(send_photo().files.contains(&name));
                    assert!(file.id == "f-named" || file.conversation.as_deref() == Some(CHAT));
                    None
                }
            });
            assert_within(&send_photo(), &of_parts(&send_photo(), texts));
        }
    }

    #[test]
    fn no_variables_lead_elsewhere(chat in near(CHAT), message in near("81"), emoji in near("x"), more in name()) {
        for vars in [vec![], vec![(&*more, "x")]] {
            let vars = [vec![("channel", &*chat), ("message", &*message), ("emoji", &*emoji)], vars].concat();
            if let Ok(prepared) = build(&react(), &values(), &permit(Action::React), super::platform::vars(&vars)) {
                let url = prepared.url;
                prop_assert_eq!(url.origin().ascii_serialization(), "https://api.example.org:8443");
                prop_assert!(url.query().is_none() && url.fragment().is_none());
                let segments: Vec<&str> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 5);
                prop_assert_eq!(&segments[..4], ["channels", CHAT, "messages", "81"]);
                let last = segments[4].strip_prefix("e-").and_then(|it| it.strip_suffix(".x")).unwrap();
                prop_assert!(last.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
                let decoded = percent_encoding::percent_decode_str(last).decode_utf8().unwrap();
                prop_assert_eq!(decoded, emoji.as_str());
            }
        }
    }

    #[test]
    fn no_query_leads_elsewhere(chat in near(CHAT), topic in prop::option::of(near("7"))) {
        let mut given = vec![("chat", &*chat)];
        given.extend(topic.as_deref().map(|topic| ("topic", topic)));
        for permit in [permit(Action::Typing), permit_in_thread(Action::Typing)] {
            if let Ok(prepared) = build(&typing(), &values(), &permit, vars(&given)) {
                prop_assert_eq!(prepared.url.path(), format!("/bot{TOKEN}/sendChatAction"));
                let query: Vec<(String, String)> = prepared.url.query_pairs().into_owned().collect();
                let mut expected = vec![("chat_id".to_owned(), CHAT.to_owned())];
                expected.extend(permit.thread.map(|thread| ("topic".to_owned(), thread)));
                prop_assert_eq!(query, expected);
            }
        }
    }

    #[test]
    fn no_path_leads_elsewhere(path in prop_oneof![
        "([a-z]{1,3}|\\.{1,3}|%2e|%2f|[?#&;@:\\\\]|\\PC){0,3}(/([a-z]{0,3}|\\.{1,3}|%2e%2e|[?#&;@:\\\\])){0,6}",
        any::<String>(),
    ]) {
        if let Ok(prepared) = attempt(&file(), vars(&[("path", &path)])) {
            let segments: Vec<String> = prepared.url.path_segments().unwrap()
                .map(|it| percent_encoding::percent_decode_str(it).decode_utf8().unwrap().into_owned()).collect();
            let mut expected = vec!["file".to_owned(), format!("bot{TOKEN}")];
            expected.extend(path.split('/').map(str::to_owned));
            prop_assert_eq!(segments, expected);
            prop_assert_eq!(prepared.url.host_str(), Some("api.telegram.org"));
            prop_assert!(prepared.url.query().is_none() && prepared.url.fragment().is_none());
        } else {
            let fine = |it: &str| !matches!(it, "" | "." | "..");
            let must = path.split('/').all(fine) && path.split('/').count() <= 32 && path.len() <= 1024;
            prop_assert!(!must || path.chars().any(char::is_control), "{} is denied for nothing", path);
        }
    }

    #[test]
    fn headers_are_plain_and_few(name in prop_oneof![Just("x-trace".to_owned()), any::<String>()], value in any::<String>()) {
        let asked = vars(&[("channel", CHAT), ("message", "81"), ("emoji", "x")]);
        if let Ok(prepared) = attempt(&react(), with_headers(asked, &[(&name, &value)])) {
            prop_assert_eq!(prepared.headers.len(), 2);
            prop_assert_eq!(&prepared.headers[1], &("x-trace".to_owned(), value.clone()));
            prop_assert!(value.bytes().all(|b| (0x20..0x7f).contains(&b)));
        }
    }

    #[test]
    fn a_denial_is_short_and_shows_everything(name in any::<String>(), text in any::<String>()) {
        let long = format!("{name}{}", "x".repeat(500));
        for asked in [
            vars(&[(&name, &text)]),
            form_of(&[("chat_id", &text), (&name, &text)]),
            form_of(&[("chat_id", CHAT), (&long, &text)]),
            with_headers(vars(&[]), &[(&name, &text)]),
        ] {
            if let Err(denied) = attempt(&form(), asked) {
                prop_assert!(denied.0.len() < 1000 && denied.0.chars().all(crate::manifest::is_plain), "{}", denied);
            }
        }
    }
}
