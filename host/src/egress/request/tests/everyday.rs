//! What adapters do all day must work.

use super::platform::*;
use crate::{
    egress::{
        Body, Permit, PreparedBody, PreparedPart, Values,
        request::{build_poll, sent},
    },
    manifest::{Action, Base, Bound, Endpoint, Method, Parameter, Piece, Use},
    signature::Secret,
};

const BOT: &str = "https://api.telegram.org/bot123456:AAH_secret-of-the-bot";

#[test]
fn a_message_is_sent_with_what_the_host_adds() {
    let more = r#","message_thread_id":7,"reply_parameters":{"message_id":"80"},"entities":[{"type":"bold","offset":0,"length":5}]"#;
    let prepared = build(&send_message(), &values(), &permit_in_thread(Action::Send), message(more)).unwrap();
    assert_eq!(prepared.method, Method::Post);
    assert_eq!(prepared.url.as_str(), format!("{BOT}/sendMessage"));
    assert!(!prepared.by_user);
    assert_eq!(prepared.headers, []);
    let expected =
        format!(r#"{{"chat_id":{CHAT},"text":"{TEXT}"{more},"link_preview_options":{{"is_disabled":true}}}}"#);
    assert_eq!(sent_text(&prepared), expected);
    assert!(matches!(prepared.body, PreparedBody::Bytes { content_type: "application/json", .. }));
}

#[test]
fn an_id_may_be_a_string_or_an_integer() {
    for id in [CHAT.to_owned(), format!("\"{CHAT}\"")] {
        let asked = json(format!(r#"{{"text":"{TEXT}","chat_id":{id},"entities":[]}}"#));
        assert!(attempt(&send_message(), asked).is_ok(), "{id}");
    }
    let large = Permit { conversation: Some(u64::MAX.to_string()), ..permit(Action::Send) };
    let asked = json(format!(r#"{{"text":"{TEXT}","chat_id":18446744073709551615}}"#));
    assert!(build(&send_message(), &values(), &large, asked).is_ok());
}

#[test]
fn a_placeholder_in_a_message_is_text() {
    let prepared = attempt(&send_message(), message("")).unwrap();
    assert!(sent_text(&prepared).contains("{secret:token}"));
    assert!(!sent_text(&prepared).contains(TOKEN));
    let asked = vars(&[("channel", CHAT), ("message", "81"), ("emoji", "{secret:token}{config:api}")]);
    let prepared = attempt(&react(), asked).unwrap();
    assert!(prepared.url.path().ends_with("/e-%7Bsecret%3Atoken%7D%7Bconfig%3Aapi%7D.x"));
}

#[test]
fn links_and_languages_of_the_text_go_out_with_it() {
    let link = format!(r#"{{"type":"text_link","offset":0,"length":5,"url":"{LINK}"}}"#);
    let block = format!(r#"{{"type":"pre","offset":7,"length":1,"language":"{LANGUAGE}"}}"#);
    for entities in [format!("[{link},{block},{link}]"), format!("[{block}]"), "[]".into()] {
        let prepared = attempt(&send_message(), message(&format!(r#","entities":{entities}"#))).unwrap();
        assert!(sent_text(&prepared).contains(&entities), "{entities}");
    }
}

#[test]
fn an_emoji_is_the_same_with_and_without_its_variation_selector() {
    let in_url = Endpoint { emoji: Some(Bound::Variable("emoji".into())), ..react() };
    for emoji in ["❤\u{fe0f}", "❤"] {
        for wanted in ["❤\u{fe0f}", "❤"] {
            let permit = Permit { emoji: Some(wanted.into()), ..permit(Action::React) };
            let asked = json(format!(r#"{{"chat_id":{CHAT},"reaction":[{{"type":"emoji","emoji":"{emoji}"}}]}}"#));
            assert!(build(&react_with_json(), &values(), &permit, asked).is_ok());
            let asked = vars(&[("channel", CHAT), ("message", "81"), ("emoji", emoji)]);
            assert!(build(&in_url, &values(), &permit, asked).is_ok());
        }
    }
    let taken_away = Permit { emoji: None, ..permit(Action::React) };
    for asked in [json(format!(r#"{{"chat_id":{CHAT}}}"#)), json(format!(r#"{{"chat_id":{CHAT},"reaction":[]}}"#))] {
        assert!(build(&react_with_json(), &values(), &taken_away, asked).is_ok());
    }
}

#[test]
fn files_go_out_with_the_action_that_names_them_or_to_where_they_came_from() {
    for file in [
        file_part("photo", "f-named", None),
        file_part("photo", "f-named", Some("another")),
        file_part("photo", "f-other", Some(CHAT)),
    ] {
        let mut entities = text_part("caption_entities", r#" [ {"type":"bold"} ] "#);
        entities.media_type = Some("application/json".into());
        let parts = vec![text_part("chat_id", CHAT), text_part("caption", TEXT), entities, file];
        let prepared = attempt(&send_photo(), multipart(parts)).unwrap();
        let PreparedBody::Multipart(parts) = prepared.body else { panic!("no parts") };
        let shown: Vec<String> = parts
            .iter()
            .map(|part| match part {
                PreparedPart::Field { name, text } => format!("{name}={text}"),
                PreparedPart::File { name, file } => format!("{name}:{}", file.name),
            })
            .collect();
        let expected = [
            format!("chat_id={CHAT}"),
            format!("caption={TEXT}"),
            r#"caption_entities=[{"type":"bold"}]"#.into(),
            "photo:cat.jpg".into(),
            r#"options={"depth":3}"#.into(),
            "protect=true".into(),
        ];
        assert_eq!(shown, expected);
    }
}

#[test]
fn a_multipart_endpoint_takes_a_form_too() {
    let prepared = attempt(&send_photo(), form_of(&[("chat_id", CHAT), ("options", r#"{"silent":true}"#)])).unwrap();
    let PreparedBody::Multipart(parts) = prepared.body else { panic!("no parts") };
    assert!(matches!(parts.get(1), Some(PreparedPart::Field { text, .. }) if text == r#"{"silent":true,"depth":3}"#));
}

#[test]
fn a_form_is_encoded_anew() {
    let asked = form_of(&[("chat_id", CHAT), ("text", TEXT), ("rows", "[{\"id\": 1.5}]")]);
    let prepared = attempt(&form(), asked).unwrap();
    let body = sent_text(&prepared);
    let fields: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let expected = [("chat_id", CHAT), ("text", TEXT), ("rows", r#"[{"id":1.5}]"#), ("mode", "a & b")];
    assert_eq!(fields, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
}

#[test]
fn variables_fill_the_query_and_optional_ones_may_be_missing() {
    let prepared = attempt(&typing(), vars(&[("chat", CHAT)])).unwrap();
    assert_eq!(prepared.url.as_str(), format!("{BOT}/sendChatAction?chat_id={CHAT}"));
    let asked = vars(&[("topic", "7"), ("chat", CHAT)]);
    let prepared = build(&typing(), &values(), &permit_in_thread(Action::Typing), asked).unwrap();
    assert_eq!(prepared.url.as_str(), format!("{BOT}/sendChatAction?chat_id={CHAT}&topic=7"));
}

#[test]
fn variables_fill_the_path_and_nothing_in_them_acts() {
    let asked = vars(&[("channel", CHAT), ("message", "81"), ("emoji", "👍/..?#%2f&=+;\\ä")]);
    let prepared = attempt(&react(), with_headers(asked, &[("X-Trace", "a b~")])).unwrap();
    assert_eq!(
        prepared.url.as_str(),
        format!(
            "https://api.example.org:8443/channels/{CHAT}/messages/81/\
             e-%F0%9F%91%8D%2F..%3F%23%252f%26%3D%2B%3B%5C%C3%A4.x"
        )
    );
    let expected = [("authorization".to_owned(), format!("Bot {TOKEN}")), ("x-trace".into(), "a b~".into())];
    assert_eq!(prepared.headers, expected);
    assert!(matches!(prepared.body, PreparedBody::Empty));
}

#[test]
fn attachments_are_fetched_by_their_reference() {
    let prepared = attempt(&get_file(), vars(&[("file", "AgAC-ref")])).unwrap();
    assert_eq!(prepared.url.as_str(), format!("{BOT}/getFile?file_id=AgAC-ref"));
    let prepared = attempt(&file(), vars(&[("path", "photos/file 0.jpg")])).unwrap();
    let expected = format!("https://api.telegram.org/file/bot{TOKEN}/photos/file%200.jpg");
    assert_eq!(prepared.url.as_str(), expected);
}

#[test]
fn what_names_no_conversation_may_be_asked_while_an_event_is_handled() {
    for purpose in [Use::Handle, Use::Call] {
        let prepared = build(&get_me(), &values(), &Permit::bare(purpose), vars(&[])).unwrap();
        assert_eq!(prepared.url.as_str(), format!("{BOT}/getMe"));
    }
}

#[test]
fn the_users_own_server_may_be_plain_and_private_and_have_a_path() {
    for (api, expected) in [
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081/"),
        ("http://[::1]:8081/", "http://[::1]:8081/"),
        ("https://Bots.Example.org:443/telegram//", "https://bots.example.org/telegram/"),
        ("https://10.0.0.1/a%20b/c", "https://10.0.0.1/a%20b/c/"),
    ] {
        let prepared = build(&get_me(), &user_set(api), &Permit::bare(Use::Handle), vars(&[])).unwrap();
        assert!(prepared.by_user, "{api}");
        assert_eq!(prepared.url.as_str(), format!("{expected}bot{TOKEN}/getMe"));
    }
}

#[test]
fn a_setting_of_the_users_does_not_make_a_fixed_host_theirs() {
    let asked = vars(&[("channel", CHAT), ("message", "81"), ("emoji", "x")]);
    let values = user_set("http://127.0.0.1");
    assert!(!build(&react(), &values, &permit(Action::React), asked).unwrap().by_user);
}

#[test]
fn secrets_are_encoded_in_urls_and_verbatim_in_headers() {
    let secret = Secret::new(b"a:b/c?d#e f%".to_vec()).unwrap();
    let values = Values { secrets: [("token".to_owned(), secret)].into(), ..values() };
    let prepared = build(&get_me(), &values, &Permit::bare(Use::Call), vars(&[])).unwrap();
    assert_eq!(prepared.url.path(), "/bota:b%2Fc%3Fd%23e%20f%25/getMe");
    let asked = vars(&[("channel", CHAT), ("message", "81"), ("emoji", "x")]);
    let prepared = build(&react(), &values, &permit(Action::React), asked).unwrap();
    assert_eq!(prepared.headers, [("authorization".to_owned(), "Bot a:b/c?d#e f%".to_owned())]);
}

#[test]
fn literals_of_templates_go_out_as_they_were_written() {
    let mut endpoint = get_me();
    endpoint.url.path.push(vec![Piece::Literal("!$&()*,=:@-._~%7b%C3%A4".into())]);
    let value = vec![Piece::Literal("%5B%22a%22%5D!$()*,:@/?".into())];
    endpoint.url.query.push(Parameter { name: "a%5B%5D".into(), value, optional: false });
    let prepared = build(&endpoint, &values(), &Permit::bare(Use::Call), vars(&[])).unwrap();
    let expected = format!("{BOT}/getMe/!$&()*,=:@-._~%7b%C3%A4?a%5B%5D=%5B%22a%22%5D!$()*,:@/?");
    assert_eq!(prepared.url.as_str(), expected);
}

#[test]
fn a_poll_says_what_was_taken() {
    let url = |cursor| build_poll(&updates(), &values(), cursor).unwrap().url.to_string();
    assert_eq!(url(None), format!("{BOT}/getUpdates?timeout=50"));
    assert_eq!(url(Some(-1)), format!("{BOT}/getUpdates?timeout=50&offset=-1"));
    assert_eq!(url(Some(i64::MAX)), format!("{BOT}/getUpdates?timeout=50&offset=9223372036854775807"));
}

#[test]
fn a_poll_that_cannot_be_made_says_why() {
    let mut poll = updates();
    let bare = Values { secrets: Default::default(), ..values() };
    let denied = build_poll(&poll, &bare, None).unwrap_err().to_string();
    assert!(denied.starts_with("the poll `updates`: the secret `token` is not set: "), "{denied}");
    assert!(denied.contains("sluicegate doctor"), "{denied}");
    poll.cursor.query = "timeout".into();
    assert!(build_poll(&poll, &values(), Some(1)).is_err());
    let mut poll = updates();
    poll.url.path.push(vec![Piece::Variable("x".into())]);
    assert!(build_poll(&poll, &values(), None).is_err());
}

#[test]
fn an_answer_names_new_messages_strictly() {
    for (answer, ids) in [
        (r#"{"ok":true,"result":{"message_id":12}}"#, vec!["12"]),
        (r#"{"result":{"message_id":-9007199254740993}}"#, vec!["-9007199254740993"]),
        (r#"{"result":{"message_id":"1700.5"}}"#, vec!["1700.5"]),
        (r#"{"result":{"message_id":12},"result":{"message_id":13}}"#, vec![]),
        (r#"{"result":{"message_id":12}} 1"#, vec![]),
        (r#"{"result":{"message_id":12.0}}"#, vec![]),
        (r#"{"result":{"message_id":true}}"#, vec![]),
        (r#"{"result":{"message_id":null}}"#, vec![]),
        (r#"{"result":{"message_id":""}}"#, vec![]),
        (r#"{"result":{"message_id":" 1"}}"#, vec![]),
        (r#"{"result":{"message_id":"1\u202e"}}"#, vec![]),
        (r#"{"result":{"message_id":[12]}}"#, vec![]),
        (r#"{"result":true}"#, vec![]),
        ("", vec![]),
    ] {
        assert_eq!(sent(&send_message(), answer.as_bytes()), ids, "{answer}");
    }
    for (answer, ids) in [
        (r#"{"result":[{"message_id":1},{"message_id":"b"}]}"#, vec!["1", "b"]),
        (r#"{"result":[{"message_id":1},{"id":2},3,{"message_id":4}]}"#, vec!["1", "4"]),
        (r#"{"result":[{"message_id":1,"message_id":2}]}"#, vec![]),
        (r#"{"result":{"message_id":1}}"#, vec![]),
        (r#"{"result":[]}"#, vec![]),
    ] {
        assert_eq!(sent(&send_photo(), answer.as_bytes()), ids, "{answer}");
    }
    let many: Vec<String> = (0..1000).map(|id| format!(r#"{{"message_id":{id}}}"#)).collect();
    let ids = sent(&send_photo(), format!(r#"{{"result":[{}]}}"#, many.join(",")).as_bytes());
    assert_eq!(ids, (0..100).map(|id| id.to_string()).collect::<Vec<_>>(), "of many the first hundred");
    assert_eq!(sent(&form(), br#"{"result":{"message_id":12}}"#), Vec::<String>::new());
}

#[test]
fn nothing_that_is_made_or_denied_shows_a_secret() {
    let prepared = attempt(&send_message(), message("")).unwrap();
    assert!(!format!("{prepared:?}").contains(TOKEN));
    let shown = format!("{:?}", user_set("https://hidden.example/password"));
    assert!(shown.contains("api") && shown.contains("token"), "{shown}");
    assert!(!shown.contains("hidden") && !shown.contains(TOKEN), "{shown}");
    let mut endpoint = get_me();
    endpoint.url.base = Base::Config("none".into());
    for token in ["a\nb-hidden", "\u{7f}-hidden"] {
        let secret = Secret::new(token.into()).unwrap();
        let values = Values { secrets: [("token".to_owned(), secret)].into(), ..values() };
        for endpoint in [&get_me(), &endpoint] {
            let denied = build(endpoint, &values, &Permit::bare(Use::Call), body(Body::Empty)).unwrap_err();
            assert!(!denied.0.contains("hidden"), "{denied}");
        }
    }
}
