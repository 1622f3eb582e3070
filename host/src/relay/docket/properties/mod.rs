//! Sequences of everything that can happen, against a second reading of the rules.

#![allow(clippy::unwrap_used, clippy::panic)]

mod steps;
mod world;

use proptest::prelude::*;

use self::{
    steps::{Flaw, steps},
    world::World,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing that lacks a condition counts, and everything else does; each request is decided at most once; only
    /// what can be answered is live. [`World`] holds each step against its own reading of the rules.
    #[test]
    fn exactly_the_attempts_that_lack_nothing_count(steps in steps()) {
        World::run(&steps, &[]);
    }

    /// No sequence of attempts from senders who are not approvers changes the set of verdicts; nor of attempts by
    /// unvetted rules, of old events, or in groups.
    #[test]
    fn whoever_is_no_approver_changes_no_verdict(steps in steps()) {
        let strangers = [Flaw::NotApprover];
        let outsiders = [Flaw::NotApprover, Flaw::NotVetted, Flaw::Revived, Flaw::NotDirect, Flaw::Lookalike];
        let all = World::run(&steps, &[]);
        prop_assert_eq!(&all, &World::run(&steps, &strangers));
        prop_assert_eq!(&all, &World::run(&steps, &outsiders));
    }
}
