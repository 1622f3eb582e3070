//! What comes together, and what takes two.

use super::*;

#[test]
fn a_deny_beats_an_allow_of_the_same_batch() {
    let (allow, deny) = (Verdict::Allow, Verdict::Deny);
    for (approvers, answers, expected) in [
        (1, &[(0, allow), (1, deny)][..], 1),
        (1, &[(0, deny), (1, allow)], 0),
        (1, &[(0, allow), (0, deny)], 1),
        (1, &[(0, allow), (1, allow), (0, deny), (1, deny)], 2),
        (2, &[(0, allow), (1, allow), (0, deny)], 2),
        (2, &[(0, allow), (1, deny)], 1),
    ] {
        for how in [Scene::types, Scene::presses] {
            let mut scene = Scene::new(approvers, &[("telegram", "7"), ("telegram", "8")]);
            let batch: Vec<_> = answers.iter().map(|(at, verdict)| how(&scene, *at, *verdict)).collect();
            for (at, judged) in scene.judge(&batch).iter().enumerate() {
                if at == expected {
                    assert_eq!(decided(judged), Some(deny), "{answers:?}");
                } else {
                    assert_eq!(why(judged), Some(&Why::Decided), "{answers:?}");
                }
            }
        }
    }
}

#[test]
fn a_deny_that_does_not_count_beats_nothing() {
    let mut scene = Scene::new(1, &[("telegram", "7"), ("telegram", "8")]);
    let stranger = Attempt { approver: false, ..scene.types(1, Verdict::Deny) };
    let edited = Attempt { by: By::Lookalike, ..scene.types(1, Verdict::Deny) };
    let judged = scene.judge(&[stranger, edited, scene.types(0, Verdict::Allow), scene.types(1, Verdict::Deny)][..3]);
    assert_eq!(why(&judged[0]), Some(&Why::NotApprover));
    assert_eq!(why(&judged[1]), Some(&Why::Lookalike));
    assert_eq!(decided(&judged[2]), Some(Verdict::Allow));
}

#[test]
fn a_deny_touches_no_other_request_of_the_batch() {
    let mut scene = Scene::one();
    let other = scene.docket.open(request("other"), Terms { approvers: 1, expires_ms: EXPIRES }, OPENED).unwrap();
    scene.ask(&other, approver("telegram", "7"), true);
    let judged = scene.judge(&[scene.types(1, Verdict::Allow), scene.types(0, Verdict::Deny)]);
    assert_eq!(judged.iter().map(decided).collect::<Vec<_>>(), [Some(Verdict::Allow), Some(Verdict::Deny)]);
    assert!(matches!(&judged[0], Judged::Decided { ticket, .. } if *ticket == other));
}

#[test]
fn two_different_approvers_are_two_ids() {
    let counted = |judged: &Judged| matches!(judged, Judged::Counted { .. });
    for together in [true, false] {
        // Two people; one of them twice; the same id through another adapter; the same through another adapter and
        // then somebody else.
        for (who, answers, expected) in [
            (&[("telegram", "7"), ("telegram", "8")][..], &[0, 1][..], &[None, Some(Verdict::Allow)][..]),
            (&[("telegram", "7"), ("telegram", "8")], &[0, 0, 1], &[None, None, Some(Verdict::Allow)]),
            (&[("telegram", "7"), ("second", "7")], &[0, 1], &[None, None]),
            (&[("telegram", "7"), ("second", "7"), ("third", "8")], &[1, 0, 2], &[None, None, Some(Verdict::Allow)]),
            (&[("telegram", "7"), ("second", "8")], &[1, 0], &[None, Some(Verdict::Allow)]),
        ] {
            let mut scene = Scene::new(2, who);
            let batch: Vec<_> = answers.iter().map(|at| scene.types(*at, Verdict::Allow)).collect();
            let judged: Vec<_> = if together {
                scene.judge(&batch)
            } else {
                batch.into_iter().map(|attempt| scene.judge_one(attempt)).collect()
            };
            assert_eq!(judged.iter().map(decided).collect::<Vec<_>>(), expected, "{who:?}");
            assert!(counted(&judged[0]));
            for again in &judged[1..] {
                assert!(decided(again).is_some() || why(again) == Some(&Why::Answered), "{again:?}");
            }
        }
    }
}

#[test]
fn whoever_has_allowed_may_still_deny_until_it_is_decided() {
    let mut scene = Scene::new(2, &[("telegram", "7"), ("telegram", "8")]);
    assert!(matches!(scene.judge_one(scene.types(0, Verdict::Allow)), Judged::Counted { .. }));
    assert!(scene.docket.asks(&scene.ticket)[0].answered && scene.is_live(0));
    // Its prompt is rewritten: it is counted, and offers nothing any more.
    let closed = Presented { text: "Counted".into(), choices: Vec::new(), allow: false };
    scene.docket.shown(scene.asked[0].1.ask, "m7".into(), closed, NOW);
    assert_eq!(why(&scene.judge_one(scene.types(0, Verdict::Allow))), Some(&Why::Answered));
    assert_eq!(why(&scene.judge_one(scene.presses(0, Verdict::Allow))), Some(&Why::Answered));
    assert_eq!(decided(&scene.judge_one(scene.types(0, Verdict::Deny))), Some(Verdict::Deny));
    assert_eq!(why(&scene.judge_one(scene.types(1, Verdict::Allow))), Some(&Why::Decided));
}

#[test]
fn what_somebody_allowed_who_is_no_approver_any_more_does_not_count() {
    let mut scene = Scene::new(2, &[("telegram", "7"), ("telegram", "8"), ("telegram", "9")]);
    assert!(matches!(scene.judge_one(scene.types(0, Verdict::Allow)), Judged::Counted { .. }));
    scene.docket.withdraw(&adapter("telegram"), "7");
    assert!(!scene.is_live(0));
    assert!(matches!(scene.judge_one(scene.types(1, Verdict::Allow)), Judged::Counted { .. }));
    assert_eq!(why(&scene.judge_one(scene.types(0, Verdict::Allow))), Some(&Why::Unknown));
    assert_eq!(decided(&scene.judge_one(scene.types(2, Verdict::Allow))), Some(Verdict::Allow));
}
