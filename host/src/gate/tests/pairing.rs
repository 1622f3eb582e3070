//! The life of a pairing.

use super::*;

#[test]
fn a_stranger_gets_a_code_a_reminder_and_then_silence_until_the_hour_is_over() {
    let bench = Bench::new();
    let code = bench.pair("s", NOW);
    assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{code}");
    assert_eq!(bench.gate.judge(&direct("s"), NOW + 1), Ruling::Pair { code: code.clone(), remind: true });
    for minute in [0, 1, 30, 59] {
        assert_eq!(bench.cause(&direct("s"), NOW + minute * MINUTE), Some(Cause::Answered("s".into())));
    }
    assert_eq!(bench.gate.pending(NOW + 59 * MINUTE).unwrap().len(), 1);
    assert_eq!(bench.gate.pending(NOW + 60 * MINUTE).unwrap(), []);
    let again = bench.pair("s", NOW + 60 * MINUTE);
    assert_eq!(bench.json()["pending"].as_object().unwrap().keys().collect::<Vec<_>>(), [&again]);
}

#[test]
fn three_pairings_wait_and_no_more() {
    let bench = Bench::new();
    let codes: Vec<_> = ["a", "b", "c"].iter().map(|sender| bench.pair(sender, NOW)).collect();
    let written = fs::read(&bench.path).unwrap();
    assert_eq!(bench.cause(&direct("d"), NOW), Some(Cause::PairingFull("d".into())));
    assert_eq!(fs::read(&bench.path).unwrap(), written, "a refusal writes nothing");
    assert_eq!(bench.gate.deny(&codes[1], NOW).unwrap(), "b");
    bench.pair("d", NOW);
    assert_eq!(bench.cause(&direct("b"), NOW), Some(Cause::PairingFull("b".into())));
    assert!(matches!(bench.gate.judge(&direct("a"), NOW), Ruling::Pair { remind: true, .. }));
    bench.pair("e", NOW + 60 * MINUTE);
}

#[test]
fn the_user_is_shown_who_it_is_and_what_they_wrote() {
    let bench = Bench::new();
    let text = format!("hi\n\u{202e}drow\u{1b}[2J{}", "x".repeat(1000));
    let speaker = Speaker { sender_name: Some("A\u{200b}lice"), text: &text, conversation: "c7", ..direct("7") };
    bench.gate.judge(&speaker, NOW);
    let pairing = bench.gate.pending(NOW).unwrap().remove(0);
    assert_eq!((pairing.sender.as_str(), pairing.created_ms, pairing.expires_ms), ("7", NOW, NOW + 60 * MINUTE));
    assert_eq!(pairing.sender_name.unwrap(), "A\\u{200b}lice");
    let shown = pairing.first_message.unwrap();
    assert!(shown.starts_with("hi\\n\\u{202e}drow\\u{1b}[2Jxx") && shown.ends_with('…'), "{shown}");
    assert_eq!(shown.chars().count(), 201);
    let kept = &bench.json()["pending"][pairing.code];
    assert_eq!(kept["senderId"], "7");
    assert_eq!(kept["chatId"], "c7");
    assert_eq!(kept["replies"], 1);
}

#[test]
fn only_the_sender_that_was_shown_is_approved_and_only_once() {
    let bench = Bench::new();
    let code = bench.pair("s", NOW);
    assert!(matches!(bench.gate.approve("ffffff0", "s", Role::Speaker, NOW), Err(GateError::NoPairing { .. })));
    assert!(matches!(bench.gate.approve("", "s", Role::Speaker, NOW), Err(GateError::NoPairing { .. })));
    assert!(matches!(bench.gate.approve(&code, "t", Role::Speaker, NOW), Err(GateError::OtherSender { .. })));
    assert!(matches!(
        bench.gate.approve(&code, "s", Role::Speaker, NOW + 60 * MINUTE),
        Err(GateError::NoPairing { .. })
    ));
    assert!(matches!(bench.gate.judge(&direct("s"), NOW), Ruling::Pair { remind: true, .. }));
    let approved = bench.gate.approve(&format!(" {} ", code.to_uppercase()), "s", Role::Speaker, NOW).unwrap();
    assert_eq!(approved, Approved { sender: "s".into(), conversation: "s".into() });
    assert_eq!(bench.gate.judge(&direct("s"), NOW), Ruling::Deliver);
    assert!(matches!(bench.gate.approve(&code, "s", Role::Speaker, NOW), Err(GateError::NoPairing { .. })));
    assert_eq!(bench.json()["allowFrom"], serde_json::json!(["s"]));
    assert_eq!(bench.json()["pending"], serde_json::json!({}));
}

#[test]
fn an_id_that_nobody_could_compare_is_not_approved_from_a_file_either() {
    let bench = Bench::with(&format!(
        r#"{{"pending":{{"abcdef":{{"senderId":"a\u202eb","chatId":"c","createdAt":{NOW},"expiresAt":{}}}}}}}"#,
        NOW + MINUTE
    ));
    assert!(matches!(bench.gate.approve("abcdef", "a\u{202e}b", Role::Speaker, NOW), Err(GateError::Id { .. })));
    assert_eq!(bench.gate.access().unwrap().allow_from, Vec::<String>::new());
}

#[test]
fn a_code_that_cannot_be_kept_is_not_sent() {
    let bench = Bench::new();
    // A file where the directory should be.
    fs::write(bench.home.path().join("access"), "").unwrap();
    let ruling = bench.gate.judge(&direct("s"), NOW);
    let Ruling::Drop(reason) = ruling else { panic!("{ruling:?}") };
    assert_eq!(reason.name(), "access-file-unusable");

    let bench = Bench::new();
    fs::create_dir_all(bench.path.with_file_name("telegram.json.lock")).unwrap();
    assert!(matches!(bench.cause(&direct("s"), NOW), Some(Cause::NotKept(..))));
}

#[test]
fn a_judgement_does_not_wait_for_ever_for_somebody_who_keeps_the_lock() {
    let bench = Bench::with("{}");
    let lock = fs::File::create(bench.path.with_file_name("telegram.json.lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(bench.cause(&direct("s"), NOW), Some(Cause::NotKept(..))));
    drop(lock);
    bench.pair("s", NOW);
}

#[test]
fn a_sender_allowed_meanwhile_is_delivered_and_their_pairing_settled() {
    let bench = Bench::new();
    bench.pair("s", NOW);
    assert!(Gate::open(bench.path.clone()).allow("s").unwrap());
    assert_eq!(bench.gate.pending(NOW).unwrap(), []);
    assert_eq!(bench.gate.judge(&direct("s"), NOW), Ruling::Deliver);
}
