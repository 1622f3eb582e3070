//! The life of an invitation.

use super::*;

fn saying<'a>(sender: &'a str, text: &'a str) -> Speaker<'a> {
    Speaker { text, ..direct(sender) }
}

#[test]
fn a_code_lets_one_sender_in_once_and_is_stored_nowhere() {
    let bench = Bench::new();
    assert!(bench.gate.open_invites(NOW) == 0);
    let code = Gate::open(bench.path.clone()).create_invite(Role::Speaker, NOW).unwrap();
    assert!(looks_like_invite(&code) && code.len() == 14, "{code}");
    assert!(!fs::read_to_string(&bench.path).unwrap().contains(&code[5..]));
    assert!(bench.gate.open_invites(NOW) == 1 && bench.gate.is_open_invite(&code, NOW));
    let typed = format!(" {} ", code.replace('-', " ").to_uppercase());
    let redeemed = bench.gate.redeem(&saying("s", &typed), NOW + 1).unwrap();
    assert_eq!(redeemed, Redeemed { sender: "s".into(), conversation: "s".into(), new: true, approver: false });
    assert_eq!(bench.gate.redeem(&saying("t", &code), NOW + 1), None);
    assert!(bench.gate.open_invites(NOW) == 0 && !bench.gate.is_open_invite(&code, NOW));
    assert_eq!(bench.gate.judge(&direct("s"), NOW), Ruling::Deliver);
    assert_eq!(bench.json()["allowFrom"], serde_json::json!(["s"]));
}

#[test]
fn only_own_words_in_a_direct_message_by_a_vetted_rule_redeem() {
    let bench = Bench::new();
    let code = bench.gate.create_invite(Role::Speaker, NOW).unwrap();
    let good = saying("s", &code);
    let quoted = format!("the code is {code}");
    for bad in [
        Speaker { vetted: false, ..good },
        Speaker { direct: false, ..good },
        Speaker { kind: Kind::Edit, ..good },
        Speaker { kind: Kind::Button, ..good },
        Speaker { text_by: TextBy::Adapter, ..good },
        Speaker { text: &quoted, ..good },
        Speaker { sender: "", ..good },
        Speaker { sender: "a\u{202e}b", ..good },
        Speaker { conversation: "", ..good },
    ] {
        assert_eq!(bench.gate.redeem(&bad, NOW), None, "{bad:?}");
    }
    assert_eq!(bench.gate.redeem(&good, NOW + 10 * MINUTE), None, "its ten minutes are over");
    bench.gate.set_policy(DmPolicy::Disabled).unwrap();
    assert_eq!(bench.gate.redeem(&good, NOW), None);
    bench.gate.set_policy(DmPolicy::Allowlist).unwrap();
    assert!(bench.gate.redeem(&good, NOW).is_some());
}

#[test]
fn five_wrong_codes_silence_a_sender_for_ten_minutes_and_nobody_else() {
    let bench = Bench::new();
    let code = bench.gate.create_invite(Role::Speaker, NOW + 9 * MINUTE).unwrap();
    let wrong = if code == "join-0000-0000" { "join-1111-1111" } else { "join-0000-0000" };
    for _ in 0..5 {
        assert_eq!(bench.gate.redeem(&saying("s", wrong), NOW), None);
    }
    for _ in 0..5 {
        assert_eq!(bench.gate.redeem(&saying("s", "join us today"), NOW), None);
        assert_eq!(bench.gate.redeem(&saying("chatty", "join us today"), NOW), None);
    }
    assert_eq!(bench.gate.redeem(&saying("s", &code), NOW + 9 * MINUTE), None);
    assert!(bench.gate.is_open_invite(&code, NOW + 9 * MINUTE), "it is not used up, and not for the adapter");
    assert!(bench.gate.redeem(&saying("s", &code), NOW + 10 * MINUTE).is_some());

    let code = bench.gate.create_invite(Role::Speaker, NOW).unwrap();
    assert!(bench.gate.redeem(&saying("chatty", &code), NOW).is_some());
}

#[test]
fn at_most_eight_are_open_and_all_can_be_revoked() {
    let bench = Bench::new();
    let codes: Vec<_> = (0..8).map(|_| bench.gate.create_invite(Role::Speaker, NOW).unwrap()).collect();
    assert!(matches!(bench.gate.create_invite(Role::Speaker, NOW), Err(GateError::TooManyInvites { open: 8 })));
    bench.gate.create_invite(Role::Speaker, NOW + 10 * MINUTE).unwrap();
    assert_eq!(bench.gate.revoke_invites(NOW + 10 * MINUTE).unwrap(), 1);
    assert!(codes.iter().all(|code| bench.gate.redeem(&saying("s", code), NOW).is_none()));
}

#[test]
fn of_many_who_race_for_one_code_one_gets_in() {
    let bench = Bench::new();
    let code = bench.gate.create_invite(Role::Speaker, NOW).unwrap();
    let got_in = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|n| {
                let (gate, code) = (&bench.gate, &code);
                scope.spawn(move || gate.redeem(&saying(&format!("s{n}"), code), NOW).is_some())
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).filter(|&in_| in_).count()
    });
    assert_eq!(got_in, 1);
    assert_eq!(bench.gate.access().unwrap().allow_from.len(), 1);
}

#[test]
fn expired_invitations_are_not_open() {
    let bench = Bench::new();
    bench.gate.create_invite(Role::Speaker, NOW).unwrap();
    assert_eq!((bench.gate.open_invites(NOW + 10 * MINUTE - 1), bench.gate.open_invites(NOW + 10 * MINUTE)), (1, 0));
    assert!(!bench.gate.has_open_invites(), "that was long ago");
    bench.gate.create_invite(Role::Speaker, i64::MAX - 1).unwrap();
    assert!(bench.gate.has_open_invites());
}
