//! Who tries too often, and who is only late.

use super::*;

#[test]
fn five_wrong_tries_within_ten_minutes_silence_a_sender_and_nobody_else() {
    let mut scene = Scene::new(1, &[("telegram", "7"), ("telegram", "8"), ("second", "7")]);
    let wrong = types(&scene.asked[0].0, Verdict::Deny, &unknown(&scene));
    for at in 0..5 {
        assert_eq!(why(&scene.docket.judge(std::slice::from_ref(&wrong), NOW + at)[0]), Some(&Why::Unknown));
    }
    for attempt in [scene.types(0, Verdict::Allow), scene.presses(0, Verdict::Deny), wrong] {
        assert_eq!(why(&scene.judge_one(attempt)), Some(&Why::TooManyTries));
    }
    for at in [1, 2] {
        let copy = Attempt { received_ms: SENT - 1, ..scene.types(at, Verdict::Allow) };
        assert_eq!(why(&scene.judge_one(copy)), Some(&Why::TooEarly));
    }
    // The first of the five is ten minutes old, and the request must still wait.
    let mut later = Scene::one();
    let expires_ms = NOW + 3_600_000;
    later.docket.end(&later.ticket).unwrap();
    later.ticket = later.docket.open(request("later"), Terms { approvers: 1, expires_ms }, OPENED).unwrap();
    later.asked.clear();
    later.ask(&later.ticket.clone(), approver("telegram", "7"), true);
    let wrong = types(&later.asked[0].0, Verdict::Deny, &unknown(&later));
    later.judge(&vec![wrong; 5]);
    let good = [later.types(0, Verdict::Allow)];
    assert_eq!(why(&later.docket.judge(&good, NOW + tries::WINDOW_MS - 1)[0]), Some(&Why::TooManyTries));
    assert_eq!(decided(&later.docket.judge(&good, NOW + tries::WINDOW_MS)[0]), Some(Verdict::Allow));
}

#[test]
fn only_typed_codes_that_are_not_theirs_are_wrong_tries() {
    let other = |scene: &Scene| types(&scene.asked[0].0, Verdict::Allow, &scene.asked[1].1.codes.code);
    type Row = (&'static str, bool, fn(&Scene) -> Attempt);
    let table: &[Row] = &[
        ("an unknown code", true, |s| types(&s.asked[0].0, Verdict::Allow, &unknown(s))),
        ("another's code", true, other),
        ("a lookalike", false, |s| Attempt { by: By::Lookalike, ..s.types(0, Verdict::Allow) }),
        ("another's token", false, |s| presses(&s.asked[0].0, "m8", &s.asked[1].1.codes.allow, &s.asked[1].2)),
        ("an unknown token", false, |s| {
            let none = Token::read(&format!("sg.{}", "0".repeat(32))).unwrap();
            presses(&s.asked[0].0, "m7", &none, &s.asked[0].2)
        }),
        ("too early", false, |s| Attempt { received_ms: 0, ..s.types(0, Verdict::Allow) }),
        ("from elsewhere", false, |s| Attempt { conversation: "x".into(), ..s.types(0, Verdict::Allow) }),
        ("in a group", false, |s| Attempt { direct: false, ..types(&s.asked[0].0, Verdict::Allow, &unknown(s)) }),
        ("by an unvetted rule", false, |s| Attempt {
            vetted: false,
            ..types(&s.asked[0].0, Verdict::Allow, &unknown(s))
        }),
        ("by no approver", false, |s| Attempt { approver: false, ..types(&s.asked[0].0, Verdict::Allow, &unknown(s)) }),
    ];
    for (what, wrong, attempt) in table {
        let mut scene = Scene::new(1, &[("telegram", "7"), ("telegram", "8")]);
        let attempt = attempt(&scene);
        scene.judge(&vec![attempt; 5]);
        let silenced = why(&scene.judge_one(scene.types(0, Verdict::Allow))) == Some(&Why::TooManyTries);
        assert_eq!(silenced, *wrong, "{what}");
    }
}

#[test]
fn a_late_answer_is_honest_for_ten_minutes() {
    type Ends = fn(&mut Scene);
    let table: &[(Why, Ends)] = &[
        (Why::Decided, |s| drop(s.docket.end(&s.ticket))),
        (Why::Expired, |s| drop(s.docket.due(EXPIRES))),
        (Why::Decided, |s| drop(s.judge_one(s.types(1, Verdict::Allow)))),
    ];
    for (expected, ends) in table {
        let mut scene = Scene::new(1, &[("telegram", "7"), ("telegram", "8")]);
        ends(&mut scene);
        let late = [scene.types(0, Verdict::Allow)];
        for _ in 0..10 {
            assert_eq!(why(&scene.docket.judge(&late, EXPIRES)[0]), Some(expected));
        }
        let judged = &scene.docket.judge(&late, EXPIRES)[0];
        assert!(matches!(judged, Judged::Refused { ticket: Some(ticket), .. } if *ticket == scene.ticket));
        // Another's is no honest answer.
        let others = types(&scene.asked[0].0, Verdict::Allow, &scene.asked[1].1.codes.code);
        assert_eq!(why(&scene.docket.judge(&[others], EXPIRES)[0]), Some(&Why::NotTheirs));
        assert_eq!(why(&scene.docket.judge(&late, EXPIRES + 600_000)[0]), Some(&Why::Unknown));
        assert_eq!(scene.docket.past.len(), 0);
    }
}

#[test]
fn what_is_recorded_of_one_sender_is_bounded_and_so_are_senders() {
    let mut scene = Scene::one();
    let noted = |judged: &[Judged]| judged.iter().filter(|j| matches!(j, Judged::Refused { noted: true, .. })).count();
    let lookalike = Attempt { by: By::Lookalike, ..scene.types(0, Verdict::Allow) };
    let stranger = |at: usize| Attempt { approver: false, sender: format!("s{at}"), ..lookalike.clone() };
    let judged = scene.judge(&vec![stranger(0); 100]);
    assert_eq!(noted(&judged), tries::NOTED);
    let many: Vec<_> = (0..3 * tries::SENDERS).map(stranger).collect();
    // The first was noted often enough.
    assert_eq!(noted(&scene.judge(&many)), tries::SENDERS - 1);
    // No stranger takes an approver's place.
    assert_eq!(noted(&scene.judge(&vec![lookalike.clone(); 100])), tries::NOTED);
    // All who may not even speak share what is noted of them.
    let unknown_to_the_gate: Vec<_> = (0..100).map(|at| Attempt { admitted: false, ..stranger(90_000 + at) }).collect();
    let later = NOW + tries::WINDOW_MS;
    assert_eq!(noted(&scene.docket.judge(&unknown_to_the_gate, later)), tries::NOTED);
    // Only of those who were asked tries are counted.
    let wrong: Vec<_> = (0..2 * tries::SENDERS)
        .map(|at| Attempt { sender: format!("a{at}"), ..types(&scene.asked[0].0, Verdict::Allow, &unknown(&scene)) })
        .collect();
    scene.judge(&wrong);
    assert_eq!(scene.docket.tries.wrong.size(), (0, 0));
    let wrong = types(&scene.asked[0].0, Verdict::Allow, &unknown(&scene));
    scene.judge(&vec![wrong; 100]);
    assert_eq!(scene.docket.tries.wrong.size(), (1, tries::WRONG));
}

#[test]
fn where_nothing_waits_ordinary_words_silence_nobody() {
    let mut scene = Scene::one();
    let sorry = types(&scene.asked[0].0, Verdict::Deny, &unknown(&scene));
    drop(scene.docket.end(&scene.ticket));
    assert!(scene.judge(&vec![sorry; 50]).iter().all(|judged| why(judged) == Some(&Why::Unknown)));
    let ticket = scene.docket.open(request("second"), Terms { approvers: 1, expires_ms: EXPIRES }, OPENED).unwrap();
    let who = scene.asked[0].0.clone();
    scene.ask(&ticket, who, true);
    assert_eq!(decided(&scene.judge_one(scene.types(1, Verdict::Allow))), Some(Verdict::Allow));
}
