//! Each rule alone.

use super::*;

#[test]
fn a_good_answer_decides_and_ends_the_request() {
    for verdict in [Verdict::Allow, Verdict::Deny] {
        for how in [Scene::types, Scene::presses] {
            let mut scene = Scene::new(1, &[("telegram", "7"), ("telegram", "8")]);
            let judged = scene.judge_one(how(&scene, 1, verdict));
            let Judged::Decided { ticket, verdict: said, ask, ended } = judged else { panic!("{judged:?}") };
            assert_eq!((&ticket, said, ask), (&scene.ticket, verdict, scene.asked[1].1.ask));
            assert_eq!((&ended.ticket, &ended.request), (&scene.ticket, &request("first")));
            let open: Vec<_> = ended.asks.iter().map(|o| (o.ask, o.message.as_deref(), o.answered)).collect();
            assert_eq!(open, [(scene.asked[0].1.ask, Some("m7"), false), (scene.asked[1].1.ask, Some("m8"), true)]);
            assert!(scene.docket.waiting().is_empty() && scene.live.asks().is_empty());
            assert!(scene.docket.end(&scene.ticket).is_none());
        }
    }
}

/// Each changes one thing of an answer that would decide.
#[test]
fn each_rule_alone_makes_a_typed_answer_good_for_nothing() {
    type Change = fn(&mut Scene, &mut Attempt);
    fn code(attempt: &mut Attempt, with: Code) {
        let By::Typed { code, .. } = &mut attempt.by else { panic!() };
        *code = with;
    }
    let table: &[(Why, Change)] = &[
        (Why::NotVetted, |_, a| a.vetted = false),
        (Why::Revived, |_, a| a.revived = true),
        (Why::NotApprover, |_, a| a.approver = false),
        (Why::NotDirect, |_, a| a.direct = false),
        (Why::NotOwnWords, |_, a| {
            if let By::Typed { written, .. } = &mut a.by {
                *written = false
            }
        }),
        (Why::NotOwnWords, |_, a| {
            if let By::Typed { text_by, .. } = &mut a.by {
                *text_by = TextBy::Others
            }
        }),
        (Why::NotOwnWords, |_, a| {
            if let By::Typed { text_by, .. } = &mut a.by {
                *text_by = TextBy::Adapter
            }
        }),
        (Why::NotOwnWords, |_, a| {
            if let By::Typed { whole, .. } = &mut a.by {
                *whole = false
            }
        }),
        (Why::OtherReply, |_, a| {
            if let By::Typed { reply_to, .. } = &mut a.by {
                *reply_to = Some("another".into())
            }
        }),
        (Why::OtherReply, |_, a| {
            if let By::Typed { reply_to, .. } = &mut a.by {
                *reply_to = Some("m8".into())
            }
        }),
        (Why::OtherReply, |_, a| {
            if let By::Typed { reply_to, .. } = &mut a.by {
                *reply_to = Some(String::new())
            }
        }),
        (Why::ButtonsOnly, |_, a| {
            if let By::Typed { buttons_only, .. } = &mut a.by {
                *buttons_only = true
            }
        }),
        (Why::Lookalike, |_, a| a.by = By::Lookalike),
        (Why::Unknown, |s, a| code(a, unknown(s))),
        (Why::Unknown, |s, _| s.docket.unsent(s.asked[0].1.ask)),
        (Why::Unknown, |s, _| s.docket.withdraw(&adapter("telegram"), "7")),
        (Why::NotTheirs, |s, a| code(a, s.asked[1].1.codes.code.clone())),
        (Why::NotTheirs, |_, a| a.sender = "8".into()),
        (Why::NotTheirs, |_, a| a.sender = "9".into()),
        (Why::NotTheirs, |_, a| a.adapter = adapter("fakechat")),
        (Why::OtherConversation, |_, a| a.conversation = "chat-8".into()),
        (Why::TooEarly, |_, a| a.received_ms = SENT - 1),
        (Why::TooEarly, |s, a| {
            let ticket = s.ticket.clone();
            s.ask(&ticket, approver("telegram", "10"), false);
            *a = s.types(2, Verdict::Deny);
        }),
        (Why::Expired, |_, a| a.received_ms = EXPIRES),
        (Why::Expired, |s, _| drop(s.docket.due(EXPIRES))),
        (Why::Decided, |s, _| drop(s.docket.end(&s.ticket))),
        (Why::Decided, |s, _| drop(s.judge_one(s.types(1, Verdict::Deny)))),
        (Why::TooManyTries, |s, a| {
            let wrong = types(&s.asked[0].0, Verdict::Allow, &unknown(s));
            assert_eq!(s.judge(&vec![wrong; 5]).iter().filter(|j| why(j) == Some(&Why::Unknown)).count(), 5);
            a.received_ms = NOW;
        }),
    ];
    for verdict in [Verdict::Allow, Verdict::Deny] {
        for (at, (expected, change)) in table.iter().enumerate() {
            let mut scene = Scene::new(1, &[("telegram", "7"), ("telegram", "8")]);
            let mut attempt = scene.types(0, verdict);
            change(&mut scene, &mut attempt);
            let waiting = scene.docket.waiting();
            assert_eq!(why(&scene.judge_one(attempt)), Some(expected), "{verdict:?}, row {at}");
            assert_eq!(scene.docket.waiting(), waiting, "row {at}");
        }
    }
}

#[test]
fn each_rule_alone_makes_a_press_good_for_nothing() {
    type Change = fn(&mut Scene, &mut Attempt);
    fn repeated(attempt: &mut Attempt) -> &mut Repeated {
        let By::Pressed { repeated, .. } = &mut attempt.by else { panic!() };
        repeated
    }
    fn token(attempt: &mut Attempt, with: Token) {
        let By::Pressed { token, .. } = &mut attempt.by else { panic!() };
        *token = with;
    }
    fn choices(attempt: &mut Attempt) -> &mut Vec<Choice> {
        repeated(attempt).choices.as_mut().unwrap()
    }
    let table: &[(Why, Change)] = &[
        (Why::NotVetted, |_, a| a.vetted = false),
        (Why::Revived, |_, a| a.revived = true),
        (Why::NotApprover, |_, a| a.approver = false),
        (Why::NotDirect, |_, a| a.direct = false),
        (Why::Unknown, |_, a| token(a, Token::read(&format!("sg.{}", "0".repeat(32))).unwrap())),
        (Why::Unknown, |s, _| s.docket.unsent(s.asked[0].1.ask)),
        (Why::NotTheirs, |s, a| token(a, s.asked[1].1.codes.allow.clone())),
        (Why::NotTheirs, |_, a| a.sender = "8".into()),
        (Why::NotTheirs, |_, a| a.adapter = adapter("fakechat")),
        (Why::OtherConversation, |_, a| a.conversation = "chat-8".into()),
        (Why::OtherMessage, |_, a| a.message = "another".into()),
        (Why::OtherMessage, |_, a| a.message = "m8".into()),
        (Why::Altered, |_, a| repeated(a).text = Some(String::new())),
        (Why::Altered, |_, a| repeated(a).text.as_mut().unwrap().push('x')),
        (Why::Altered, |_, a| repeated(a).text.as_mut().unwrap().push('\u{200B}')),
        (Why::Altered, |_, a| repeated(a).choices = Some(Vec::new())),
        (Why::Altered, |_, a| choices(a).reverse()),
        (Why::Altered, |_, a| choices(a).truncate(1)),
        (Why::Altered, |_, a| {
            let [one, other] = &mut choices(a)[..] else { panic!() };
            std::mem::swap(&mut one.label, &mut other.label);
        }),
        (Why::Altered, |_, a| {
            let [one, other] = &mut choices(a)[..] else { panic!() };
            std::mem::swap(&mut one.token, &mut other.token);
        }),
        (Why::Altered, |_, a| choices(a)[0].label.push(' ')),
        (Why::Altered, |_, a| {
            let extra = Choice { label: "Open".into(), token: String::new() };
            choices(a).push(extra);
        }),
        // See more was not offered.
        (Why::Altered, |s, a| token(a, s.asked[0].1.codes.more.clone())),
        (Why::TooEarly, |_, a| a.received_ms = SENT - 1),
        (Why::TooEarly, |s, a| {
            let ticket = s.ticket.clone();
            s.ask(&ticket, approver("telegram", "10"), false);
            *a = s.presses(2, Verdict::Deny);
        }),
        (Why::Expired, |_, a| a.received_ms = EXPIRES),
        (Why::Expired, |s, _| drop(s.docket.due(EXPIRES))),
        (Why::Decided, |s, _| drop(s.docket.end(&s.ticket))),
        (Why::Decided, |s, _| drop(s.judge_one(s.presses(1, Verdict::Allow)))),
        (Why::TooManyTries, |s, _| {
            let wrong = types(&s.asked[0].0, Verdict::Allow, &unknown(s));
            drop(s.judge(&vec![wrong; 5]));
        }),
    ];
    for verdict in [Verdict::Allow, Verdict::Deny] {
        for (at, (expected, change)) in table.iter().enumerate() {
            let mut scene = Scene::new(1, &[("telegram", "7"), ("telegram", "8")]);
            let mut attempt = scene.presses(0, verdict);
            change(&mut scene, &mut attempt);
            let waiting = scene.docket.waiting();
            assert_eq!(why(&scene.judge_one(attempt)), Some(expected), "{verdict:?}, row {at}");
            assert_eq!(scene.docket.waiting(), waiting, "row {at}");
        }
    }
}

#[test]
fn the_platform_may_repeat_less_and_change_white_space() {
    for text in [
        None,
        Some("Bash, in full: ls -l yes CODE or no CODE"),
        Some(" Bash,\r\nin full:\tls  -l\nyes CODE or no CODE\n"),
    ] {
        for choices in [true, false] {
            let mut scene = Scene::one();
            let code = scene.asked[0].1.codes.code.clone();
            let mut attempt = scene.presses(0, Verdict::Allow);
            let By::Pressed { repeated, .. } = &mut attempt.by else { panic!() };
            repeated.text = text.map(|text| text.replace("CODE", code.as_str()));
            repeated.choices = repeated.choices.take().filter(|_| choices);
            assert_eq!(decided(&scene.judge_one(attempt)), Some(Verdict::Allow), "{text:?}");
        }
    }
}

#[test]
fn a_typed_answer_may_be_a_reply_to_the_prompt() {
    let mut scene = Scene::one();
    let mut attempt = scene.types(0, Verdict::Allow);
    let By::Typed { reply_to, .. } = &mut attempt.by else { panic!() };
    *reply_to = Some("m7".into());
    assert_eq!(decided(&scene.judge_one(attempt)), Some(Verdict::Allow));
}

#[test]
fn time_counts_to_the_millisecond() {
    for (received_ms, now_ms, expected) in [
        (SENT, NOW, None),
        (SENT - 1, NOW, Some(Why::TooEarly)),
        (EXPIRES - 1, EXPIRES - 1, None),
        (EXPIRES - 1, EXPIRES, Some(Why::Expired)),
        (EXPIRES, EXPIRES - 1, Some(Why::Expired)),
        (i64::MIN, NOW, Some(Why::TooEarly)),
        (i64::MAX, NOW, Some(Why::Expired)),
        (NOW, i64::MAX, Some(Why::Expired)),
    ] {
        for how in [Scene::types, Scene::presses] {
            let mut scene = Scene::one();
            let attempt = Attempt { received_ms, ..how(&scene, 0, Verdict::Allow) };
            let judged = scene.docket.judge(&[attempt], now_ms).remove(0);
            assert_eq!(why(&judged), expected.as_ref(), "{received_ms} {now_ms}");
        }
    }
    let mut scene = Scene::one();
    assert_eq!(scene.docket.next_due(), Some(EXPIRES));
    assert!(scene.docket.due(EXPIRES - 1).is_empty());
    assert_eq!(scene.docket.due(EXPIRES).len(), 1);
    assert!(scene.docket.due(EXPIRES).is_empty() && scene.live.asks().is_empty());
    assert_eq!(scene.docket.next_due(), None);
}
