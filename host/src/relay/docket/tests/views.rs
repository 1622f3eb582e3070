//! What a prompt shows, and when.

use super::*;

#[test]
fn nothing_is_allowed_that_was_not_shown_whole() {
    let (mut scene, short, full) = in_short();
    let ask = scene.asked[0].1.ask;
    let more = presses(&scene.asked[0].0, "m7", &scene.asked[0].1.codes.more, &short);
    assert_eq!(why(&scene.judge_one(scene.types(0, Verdict::Allow))), Some(&Why::Incomplete));
    // Its button was not there.
    assert_eq!(why(&scene.judge_one(scene.presses(0, Verdict::Allow))), Some(&Why::Altered));
    for _ in 0..2 {
        assert_eq!(scene.judge_one(more.clone()), Judged::More { ticket: scene.ticket.clone(), ask });
    }
    let allow = presses(&scene.asked[0].0, "m7", &scene.asked[0].1.codes.allow, &full);
    assert_eq!(why(&scene.judge_one(allow.clone())), Some(&Why::Altered));
    scene.docket.changing(ask);
    assert!(scene.docket.is_under_way(&allow));
    assert_eq!(why(&scene.judge_one(allow.clone())), Some(&Why::Altered));
    scene.docket.shown(ask, "m7".into(), full, NOW + 1);
    assert!(!scene.docket.is_under_way(&allow));
    // Typed before the whole was there; and the button of the whole under the text of the part.
    assert_eq!(why(&scene.judge_one(scene.types(0, Verdict::Allow))), Some(&Why::Incomplete));
    assert_eq!(why(&scene.judge_one(scene.presses(0, Verdict::Allow))), Some(&Why::Altered));
    // The press came before the platform's answer: its button was nowhere else.
    assert_eq!(decided(&scene.judge_one(allow)), Some(Verdict::Allow));
}

#[test]
fn a_press_may_cross_a_rewrite() {
    let (mut scene, _, full) = in_short();
    scene.docket.shown(scene.asked[0].1.ask, "m7".into(), full, NOW - 1);
    assert_eq!(decided(&scene.judge_one(scene.presses(0, Verdict::Deny))), Some(Verdict::Deny));
}

#[test]
fn an_allow_of_what_is_shown_no_more_does_not_count() {
    let (mut scene, short, full) = in_short();
    let (who, Asked { ask, codes }, _) = scene.asked[0].clone();
    let allow = presses(&who, "m7", &codes.allow, &full);
    scene.docket.shown(ask, "m7".into(), full.clone(), SENT + 1);
    scene.docket.changing(ask);
    assert_eq!(why(&scene.judge_one(allow.clone())), Some(&Why::Incomplete));
    assert_eq!(why(&scene.judge_one(scene.types(0, Verdict::Allow))), Some(&Why::Incomplete));
    scene.docket.shown(ask, "m7".into(), short, NOW + 1);
    assert_eq!(why(&scene.judge_one(allow.clone())), Some(&Why::Incomplete));
    assert_eq!(why(&scene.judge_one(scene.types(0, Verdict::Allow))), Some(&Why::Incomplete));
    scene.docket.shown(ask, "m7".into(), full, NOW + 2);
    scene.docket.changing(ask);
    scene.docket.unchanged(ask);
    assert_eq!(decided(&scene.judge_one(allow)), Some(Verdict::Allow));
}

#[test]
fn a_text_and_buttons_of_different_times_are_neither() {
    let (mut scene, short, full) = in_short();
    let (who, Asked { ask, codes }, _) = scene.asked[0].clone();
    scene.docket.shown(ask, "m7".into(), full.clone(), SENT + 1);
    let mixed = Presented { text: short.text, ..full };
    assert_eq!(why(&scene.judge_one(presses(&who, "m7", &codes.allow, &mixed))), Some(&Why::Altered));
    assert_eq!(why(&scene.judge_one(presses(&who, "m7", &codes.deny, &mixed))), Some(&Why::Altered));
}

#[test]
fn a_prompt_that_was_not_sent_stays_good_for_nothing() {
    let mut scene = Scene::one();
    let ask = scene.asked[0].1.ask;
    scene.docket.unsent(ask);
    assert!(!scene.is_live(0));
    scene.docket.shown(ask, "m7".into(), scene.asked[0].2.clone(), NOW);
    for verdict in [Verdict::Allow, Verdict::Deny] {
        assert_eq!(why(&scene.judge_one(scene.types(0, verdict))), Some(&Why::Unknown));
        assert_eq!(why(&scene.judge_one(scene.presses(0, verdict))), Some(&Why::Unknown));
    }
    // None of these were wrong tries.
    for _ in 0..3 {
        assert_eq!(why(&scene.judge_one(scene.types(0, Verdict::Allow))), Some(&Why::Unknown));
    }
    assert_eq!(scene.docket.ask(&scene.ticket, approver("telegram", "7")), Err(NotAsked::Twice));
}

#[test]
fn an_attempt_waits_for_its_own_prompt_alone() {
    let mut scene = Scene::new(1, &[("telegram", "8")]);
    scene.ask(&scene.ticket.clone(), approver("telegram", "7"), false);
    let (theirs, others) = (scene.types(1, Verdict::Allow), scene.types(0, Verdict::Allow));
    assert!(scene.docket.is_under_way(&theirs) && scene.docket.is_under_way(&scene.presses(1, Verdict::Allow)));
    assert!(!scene.docket.is_under_way(&others));
    assert!(!scene.docket.is_under_way(&Attempt { sender: "8".into(), ..theirs.clone() }));
    assert!(!scene.docket.is_under_way(&Attempt { by: By::Lookalike, ..theirs.clone() }));
    scene.docket.unsent(scene.asked[1].1.ask);
    assert!(!scene.docket.is_under_way(&theirs));
}
