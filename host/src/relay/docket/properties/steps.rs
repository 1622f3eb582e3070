//! Sequences of everything that can happen to a docket.

use proptest::prelude::*;

pub(super) const MINUTE: i64 = 60_000;
/// The third is the first, through another adapter.
pub(super) const PEOPLE: [(&str, &str); 4] = [("telegram", "7"), ("telegram", "8"), ("second", "7"), ("second", "9")];

#[derive(Debug, Clone)]
pub(super) enum Step {
    Open { approvers: u8, minutes: i64 },
    Ask { ticket: usize, who: usize },
    Shown { ask: usize, view: usize },
    Unsent { ask: usize },
    Changing { ask: usize },
    Unchanged { ask: usize },
    Withdraw { who: usize },
    End { ticket: usize },
    Due,
    Pass { ms: i64 },
    Judge(Vec<Try>),
}

/// An attempt at a prompt, good but for its flaw.
#[derive(Debug, Clone)]
pub(super) struct Try {
    pub(super) ask: usize,
    /// Who, if not the one who was asked.
    pub(super) who: Option<usize>,
    pub(super) answer: Answer,
    /// Typed; else the view whose button is pressed.
    pub(super) view: Option<usize>,
    pub(super) ago_ms: i64,
    pub(super) flaw: Flaw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Allow,
    Deny,
    More,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    NotVetted,
    Revived,
    NotApprover,
    NotDirect,
    OtherConversation,
    NotWritten,
    OthersWords,
    NotWhole,
    OtherReply,
    ButtonsOnly,
    Lookalike,
    Unknown,
    OtherMessage,
    OtherText,
    OtherChoices,
}

impl Flaw {
    const ALL: [Self; 15] = [
        Self::NotVetted,
        Self::Revived,
        Self::NotApprover,
        Self::NotDirect,
        Self::OtherConversation,
        Self::NotWritten,
        Self::OthersWords,
        Self::NotWhole,
        Self::OtherReply,
        Self::ButtonsOnly,
        Self::Lookalike,
        Self::Unknown,
        Self::OtherMessage,
        Self::OtherText,
        Self::OtherChoices,
    ];
}

fn attempt() -> impl Strategy<Value = Try> {
    let answer = prop_oneof![4 => Just(Answer::Allow), 2 => Just(Answer::Deny), 1 => Just(Answer::More)];
    let flaw = prop_oneof![2 => Just(Flaw::None), 1 => prop::sample::select(Flaw::ALL.as_slice())];
    let ago = prop_oneof![3 => Just(0), 1 => 0..2 * MINUTE];
    (0..64_usize, prop::option::weighted(0.15, 0..PEOPLE.len()), answer, prop::option::of(0..3_usize), ago, flaw)
        .prop_map(|(ask, who, answer, view, ago_ms, flaw)| Try { ask, who, answer, view, ago_ms, flaw })
}

/// Often enough to silence a sender, if it counts.
fn guesses() -> impl Strategy<Value = Vec<Try>> {
    let flaw =
        prop::sample::select(vec![Flaw::None, Flaw::NotApprover, Flaw::NotVetted, Flaw::NotDirect, Flaw::Unknown]);
    (0..64_usize, 0..PEOPLE.len(), flaw).prop_map(|(ask, who, flaw)| {
        vec![Try { ask, who: Some(who), answer: Answer::Allow, view: None, ago_ms: 0, flaw }; 5]
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..=2_u8, 1..30_i64).prop_map(|(approvers, minutes)| Step::Open { approvers, minutes }),
        6 => (0..64_usize, 0..PEOPLE.len()).prop_map(|(ticket, who)| Step::Ask { ticket, who }),
        8 => (0..64_usize, 0..3_usize).prop_map(|(ask, view)| Step::Shown { ask, view }),
        1 => (0..64_usize).prop_map(|ask| Step::Unsent { ask }),
        1 => (0..64_usize).prop_map(|ask| Step::Changing { ask }),
        1 => (0..64_usize).prop_map(|ask| Step::Unchanged { ask }),
        1 => (0..PEOPLE.len()).prop_map(|who| Step::Withdraw { who }),
        1 => (0..64_usize).prop_map(|ticket| Step::End { ticket }),
        1 => Just(Step::Due),
        3 => prop_oneof![4 => 1..MINUTE, 1 => 1..12 * MINUTE].prop_map(|ms| Step::Pass { ms }),
        12 => prop::collection::vec(attempt(), 1..5).prop_map(Step::Judge),
        1 => guesses().prop_map(Step::Judge),
    ]
}

/// Two requests that everybody is asked about, whole and in short.
fn beginning() -> Vec<Step> {
    let mut steps = Vec::new();
    for ticket in 0..2 {
        steps.push(Step::Open { approvers: if ticket == 0 { 1 } else { 2 }, minutes: 20 });
        for who in 0..PEOPLE.len() {
            let ask = ticket * PEOPLE.len() + who;
            steps.extend([Step::Ask { ticket, who }, Step::Shown { ask, view: who / 3 }]);
        }
    }
    steps.push(Step::Pass { ms: 2 * MINUTE });
    steps
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let begun = prop_oneof![Just(Vec::new()), Just(beginning())];
    (begun, prop::collection::vec(step(), 1..60)).prop_map(|(begun, steps)| [begun, steps].concat())
}
