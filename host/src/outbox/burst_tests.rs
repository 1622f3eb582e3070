#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::{
    manifest::Burst,
    message::{Attachment, TextBy},
    name::AdapterName,
};

const MOST: Most = Most { messages: 1024, bytes: 8 << 20 };

/// A message of `sender` in the conversation `c` that gathers for 300 ms, at most 1 s.
fn said(sender: &str) -> Message {
    Message {
        adapter: AdapterName::new("telegram").unwrap(),
        kind: Kind::Message,
        message_id: String::new(),
        time_ms: 0,
        sender: sender.into(),
        sender_name: None,
        conversation: "c".into(),
        thread: None,
        direct: false,
        reply_to: None,
        quoted: None,
        group: None,
        burst: Some(Burst { quiet_ms: 300, longest_ms: 1000 }),
        text: "t".into(),
        text_by: TextBy::Sender,
        attachments: Vec::new(),
        meta: Vec::new(),
    }
}

fn attachments(count: usize) -> Vec<Attachment> {
    let one = Attachment {
        reference: "r".into(),
        path: None,
        kind: "photo".into(),
        name: None,
        media_type: None,
        size: None,
    };
    vec![one; count]
}

/// One message that comes: when the wire sees it, and how old it is then if it is read from the journal.
#[derive(Debug)]
struct Step {
    at_ms: u64,
    age_ms: Option<i64>,
    message: Message,
}

fn at(at_ms: u64, message: Message) -> Step {
    Step { at_ms, age_ms: None, message }
}

fn read(at_ms: u64, age_ms: i64, message: Message) -> Step {
    Step { at_ms, age_ms: Some(age_ms), message }
}

/// What left, and when; `busy` looks for what is due only when all has come.
fn run(most: Most, steps: &[Step], busy: bool) -> Vec<(u64, Bundle)> {
    let start = Instant::now();
    let mut gathering = Gathering::new(most);
    let mut left: Vec<(u64, Bundle)> = Vec::new();
    let ends = |gathering: &mut Gathering, left: &mut Vec<(u64, Bundle)>, last_ms: u64, now_ms: u64| {
        while let Some(deadline) = gathering.next_deadline() {
            let deadline_ms = u64::try_from(deadline.saturating_duration_since(start).as_millis()).unwrap();
            if deadline_ms > now_ms {
                break;
            }
            assert_eq!(gathering.take_due(deadline - Duration::from_millis(1)), None);
            left.push((deadline_ms.max(last_ms), gathering.take_due(deadline).unwrap()));
        }
    };
    let mut last_ms = 0;
    for (seq, step) in (1..).zip(steps) {
        // What comes at the same time is taken in as a whole first.
        if !busy && step.at_ms > last_ms {
            ends(&mut gathering, &mut left, last_ms, step.at_ms);
        }
        last_ms = step.at_ms;
        let now = start + Duration::from_millis(step.at_ms);
        let arrival = step.age_ms.map_or(Arrival::exactly(now), |age| Arrival::ago(now, age));
        let stored = Stored { seq, message: step.message.clone(), offered_before: false, live: false };
        let mut leaving = Vec::new();
        gathering.push(Arc::new(stored), arrival, &mut leaving);
        left.extend(leaving.into_iter().map(|bundle| (step.at_ms, bundle)));
        let gone: Vec<i64> = left.iter().flat_map(|(_, bundle)| numbers(bundle)).collect();
        assert_eq!(gathering.oldest(), (1..=seq).find(|held| !gone.contains(held)));
        assert_eq!(gathering.is_empty(), gathering.next_deadline().is_none());
        assert!(usize::try_from(seq).unwrap() - gone.len() <= most.messages && gathering.bytes <= most.bytes);
    }
    ends(&mut gathering, &mut left, last_ms, u64::MAX);
    assert!(gathering.is_empty() && gathering.places.is_empty() && gathering.bytes == 0);
    left
}

fn numbers(bundle: &Bundle) -> Vec<i64> {
    bundle.parts().map(|stored| stored.seq).collect()
}

#[track_caller]
fn leaves(steps: &[Step], expected: &[(u64, &[i64])]) {
    let left = run(MOST, steps, false);
    let got: Vec<(u64, Vec<i64>)> = left.iter().map(|(at_ms, bundle)| (*at_ms, numbers(bundle))).collect();
    let expected: Vec<(u64, Vec<i64>)> = expected.iter().map(|(at_ms, seqs)| (*at_ms, seqs.to_vec())).collect();
    assert_eq!(got, expected);
}

#[test]
fn a_burst_leaves_after_a_pause() {
    leaves(
        &[at(0, said("a")), at(299, said("a")), at(500, said("a")), at(800, said("a"))],
        &[(800, &[1, 2, 3]), (1100, &[4])],
    );
}

#[test]
fn a_burst_without_a_pause_leaves_in_time() {
    let steps: Vec<Step> = (0..8).map(|n| at(n * 250, said("a"))).collect();
    leaves(&steps, &[(1000, &[1, 2, 3, 4]), (2000, &[5, 6, 7, 8])]);
}

#[test]
fn what_does_not_gather_leaves_at_once() {
    let with = |burst| Message { burst, ..said("a") };
    let none = |quiet_ms, longest_ms| Some(Burst { quiet_ms, longest_ms });
    leaves(
        &[at(0, with(None)), at(0, with(None)), at(0, with(none(0, 1000))), at(0, with(none(300, 0)))],
        &[(0, &[1]), (0, &[2]), (0, &[3]), (0, &[4])],
    );
    for kind in [Kind::Edit, Kind::Button, Kind::Reaction] {
        leaves(&[at(0, Message { kind, ..said("a") })], &[(0, &[1])]);
    }
}

#[test]
fn what_cannot_join_follows_what_was_open() {
    let gathering: [(&str, Message); 7] = [
        ("another sender", said("b")),
        ("an answer to something", Message { reply_to: Some("9".into()), ..said("a") }),
        ("too much text", Message { text: "x".repeat(MAX_TEXT - 1), ..said("a") }),
        ("too many attachments", Message { attachments: attachments(MAX_ATTACHMENTS + 1), ..said("a") }),
        ("the adapter's words", Message { text_by: TextBy::Adapter, ..said("a") }),
        ("what the sender passes on", Message { text_by: TextBy::Others, ..said("a") }),
        (
            "composed words of an album",
            Message { text_by: TextBy::Adapter, attachments: attachments(1), group: Some("g".into()), ..said("a") },
        ),
    ];
    for (_, other) in gathering {
        let leaves_at = if other.group.is_some() { 2010 } else { 310 };
        leaves(&[at(0, said("a")), at(10, other)], &[(10, &[1]), (leaves_at, &[2])]);
    }
    let passing: [(&str, Message); 3] = [
        ("another kind", Message { kind: Kind::Edit, ..said("a") }),
        ("one that does not gather", Message { burst: None, ..said("a") }),
        ("more text than any burst has", Message { text: "x".repeat(MAX_TEXT), ..said("b") }),
    ];
    for (_, other) in passing {
        leaves(&[at(0, said("a")), at(10, other)], &[(10, &[1]), (10, &[2])]);
    }
}

#[test]
fn what_fits_joins() {
    let joining: [(&str, Message); 5] = [
        ("as much text as fits", Message { text: "x".repeat(MAX_TEXT - 2), ..said("a") }),
        ("as many attachments as fit", Message { attachments: attachments(MAX_ATTACHMENTS), ..said("a") }),
        ("no text", Message { text: String::new(), ..said("a") }),
        (
            "a placeholder",
            Message { text: "(photo)".into(), text_by: TextBy::Adapter, attachments: attachments(1), ..said("a") },
        ),
        ("other attributes", Message { meta: vec![("k".into(), "v".into())], ..said("a") }),
    ];
    for (what, other) in joining {
        let left = run(MOST, &[at(0, said("a")), at(10, other)], false);
        assert_eq!(left.len(), 1, "{what}");
    }
}

#[test]
fn answers_join_what_answers_the_same() {
    let answer = |to: &str| Message { reply_to: Some(to.into()), ..said("a") };
    leaves(
        &[at(0, answer("7")), at(10, said("a")), at(20, answer("7")), at(30, answer("8"))],
        &[(30, &[1, 2, 3]), (330, &[4])],
    );
}

#[test]
fn parts_of_an_album_always_join() {
    let part = |reply_to: Option<&str>| Message {
        group: Some("g".into()),
        reply_to: reply_to.map(Into::into),
        attachments: attachments(1),
        ..said("a")
    };
    leaves(
        &[at(0, said("a")), at(10, part(None)), at(20, part(Some("7"))), at(30, said("a"))],
        &[(2030, &[1, 2, 3, 4])],
    );
    // Each comes when its image is fetched.
    leaves(&[at(0, part(None)), at(1500, part(None)), at(3000, part(None))], &[(5000, &[1, 2, 3])]);
    // The wire was busy for longer than the pause: others are apart by the time when they came.
    let late = [at(0, part(None)), at(900, part(None)), at(1900, part(None)), at(4900, said("a"))];
    let left: Vec<_> = run(MOST, &late, true).iter().map(|(_, bundle)| numbers(bundle)).collect();
    assert_eq!(left, [vec![1, 2, 3], vec![4]]);
}

#[test]
fn bursts_in_other_places_hold_up_nothing() {
    let other = Message { conversation: "d".into(), ..said("a") };
    let thread = Message { thread: Some("1".into()), ..said("a") };
    let adapter = Message { adapter: AdapterName::new("web").unwrap(), ..said("a") };
    let passing = Message { conversation: "e".into(), burst: None, ..said("a") };
    leaves(
        &[
            at(0, said("a")),
            at(10, other),
            at(20, thread),
            at(30, adapter),
            at(40, passing),
            at(250, said("a")),
            at(260, Message { thread: Some("1".into()), ..said("b") }),
        ],
        &[(40, &[5]), (260, &[3]), (310, &[2]), (330, &[4]), (550, &[1, 6]), (560, &[7])],
    );
}

#[test]
fn what_waited_in_the_journal_gathers_by_the_senders_time_and_need_not_wait_again() {
    leaves(
        // Whole seconds, an hour old.
        &[read(0, 3_602_000, said("a")), read(0, 3_601_000, said("a")), read(0, 3_600_000, said("a"))],
        &[(0, &[1, 2]), (0, &[3])],
    );
    leaves(&[read(500, 100, said("a")), at(600, said("a"))], &[(900, &[1, 2])]);
    leaves(&[read(500, 2000, said("a")), at(600, said("a"))], &[(500, &[1]), (900, &[2])]);
    // A clock that is ahead, and one that says nothing.
    leaves(&[read(500, -10_000, said("a")), read(500, i64::MIN, said("a"))], &[(800, &[1, 2])]);
    leaves(&[read(500, i64::MAX, said("a"))], &[(500, &[1])]);
}

#[test]
fn what_came_late_is_judged_by_when_it_came() {
    let left = run(MOST, &[at(0, said("a")), at(100, said("a")), at(5000, said("a")), at(5100, said("a"))], true);
    let left: Vec<_> = left.iter().map(|(_, bundle)| numbers(bundle)).collect();
    assert_eq!(left, [vec![1, 2], vec![3, 4]]);
}

#[test]
fn a_burst_has_at_most_so_many_messages() {
    let steps: Vec<Step> = (0..40).map(|_| at(5, said("a"))).collect();
    leaves(&steps, &[(5, &(1..=32).collect::<Vec<_>>()), (305, &(33..=40).collect::<Vec<_>>())]);
}

#[test]
fn the_oldest_leave_early_when_too_much_waits() {
    let apart = |n: u64| at(n, Message { conversation: n.to_string(), ..said("a") });
    let left = run(Most { messages: 4, ..MOST }, &(0..6).map(apart).collect::<Vec<_>>(), false);
    let times: Vec<u64> = left.iter().map(|(at_ms, _)| *at_ms).collect();
    assert_eq!(times, [4, 5, 302, 303, 304, 305]);
    let left = run(Most { bytes: 2100, ..MOST }, &(0..6).map(apart).collect::<Vec<_>>(), false);
    let times: Vec<u64> = left.iter().map(|(at_ms, _)| *at_ms).collect();
    assert_eq!(times, [4, 5, 302, 303, 304, 305]);
    // What passes counts too: it would all come again after a crash.
    let passing = (1..9).map(|n| at(n, Message { conversation: "d".into(), burst: None, ..said("a") }));
    let steps: Vec<Step> = std::iter::once(at(0, said("a"))).chain(passing).collect();
    let left = run(Most { messages: 4, ..MOST }, &steps, false);
    assert_eq!(left.iter().find(|(_, bundle)| bundle.first.seq == 1).unwrap().0, 4);
}

fn any_message() -> impl Strategy<Value = Message> {
    let place = (0..2_u8, 0..2_u8, proptest::option::weighted(0.3, 0..2_u8), 0..3_u8);
    let kind = prop_oneof![9 => Just(Kind::Message), 1 => Just(Kind::Edit)];
    let burst = prop_oneof![
        6 => Just(Some((300, 1000))),
        1 => Just(Some((50, 2000))),
        1 => Just(Some((500, 200))),
        1 => Just(Some((0, 1000))),
        1 => Just(None),
    ];
    let text = prop_oneof![8 => 0..20_usize, 1 => 20_000..40_000_usize, 1 => Just(MAX_TEXT + 1)];
    let hung = prop_oneof![6 => Just(0), 3 => Just(1), 1 => 10..40_usize];
    let refers = (proptest::option::weighted(0.2, 0..2_u8), proptest::option::weighted(0.2, 0..2_u8));
    let by = prop_oneof![8 => Just(TextBy::Sender), 1 => Just(TextBy::Others), 1 => Just(TextBy::Adapter)];
    (place, kind, burst, text, hung, refers, by).prop_map(
        |((adapter, conversation, thread, sender), kind, burst, text, hung, (reply_to, group), text_by)| Message {
            adapter: AdapterName::new(["telegram", "web"][usize::from(adapter)]).unwrap(),
            kind,
            conversation: conversation.to_string(),
            thread: thread.map(|thread| thread.to_string()),
            reply_to: reply_to.map(|id| id.to_string()),
            group: group.map(|id| id.to_string()),
            burst: burst.map(|(quiet_ms, longest_ms)| Burst { quiet_ms, longest_ms }),
            text: "x".repeat(text),
            text_by,
            attachments: attachments(hung),
            ..said(&sender.to_string())
        },
    )
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let age = proptest::option::weighted(0.2, -100..5000_i64);
    proptest::collection::vec((0..250_u64, age, any_message()), 0..80).prop_map(|steps| {
        let mut at_ms = 10_000;
        let step = |(gap, age_ms, message)| {
            at_ms += gap;
            Step { at_ms, age_ms, message }
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #[test]
    fn nothing_is_lost_mixed_up_or_late(
        steps in any_steps(),
        busy: bool,
        messages in 1..60_usize,
        bytes in prop_oneof![Just(1000_usize), Just(20_000), Just(1 << 20)],
    ) {
        let left = run(Most { messages, bytes }, &steps, busy);
        let mut order: HashMap<_, Vec<i64>> = HashMap::new();
        let mut all: Vec<i64> = Vec::new();
        for (at_ms, bundle) in &left {
            let first = &bundle.first.message;
            let windows = bundle.parts().filter_map(|part| Windows::of(&part.message));
            let longest = windows.map(|windows| windows.longest.as_millis()).max().unwrap_or(0);
            for part in bundle.parts() {
                let message = &part.message;
                let step = &steps[usize::try_from(part.seq).unwrap() - 1];
                prop_assert_eq!(message, &step.message);
                prop_assert_eq!(&message.sender, &first.sender);
                prop_assert!(Place(part.clone()) == Place(bundle.first.clone()));
                let place = (message.adapter.clone(), message.conversation.clone(), message.thread.clone());
                order.entry(place).or_default().push(part.seq);
                all.push(part.seq);
                prop_assert!(busy || u128::from(*at_ms) <= u128::from(step.at_ms) + longest);
                prop_assert!(*at_ms >= step.at_ms);
            }
            if !bundle.rest.is_empty() {
                let texts: usize = bundle.parts().map(|part| part.message.text.len() + 1).sum();
                let hung: usize = bundle.parts().map(|part| part.message.attachments.len()).sum();
                prop_assert!(bundle.rest.len() < MAX_MESSAGES && texts - 1 <= MAX_TEXT && hung <= MAX_ATTACHMENTS);
                let mut texts = bundle.parts().map(|part| &part.message).filter(|message| !message.text.is_empty());
                let by = texts.next().map(|message| message.text_by);
                prop_assert!(texts.all(|message| Some(message.text_by) == by), "words of different authors");
                prop_assert!(bundle.parts().all(|part| Windows::of(&part.message).is_some()));
                let from = steps[usize::try_from(bundle.first.seq).unwrap() - 1].at_ms;
                prop_assert!(busy || u128::from(*at_ms - from) <= longest);
            }
        }
        for seqs in order.values() {
            prop_assert!(seqs.is_sorted(), "{seqs:?}");
        }
        all.sort_unstable();
        prop_assert_eq!(all, (1..=i64::try_from(steps.len()).unwrap()).collect::<Vec<_>>());
    }
}
