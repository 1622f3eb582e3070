//! What holds for everything that strangers and broken files can do.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Message), Just(Kind::Edit), Just(Kind::Button), Just(Kind::Reaction)]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![".{0,40}", "join-[0-9a-z]{4}-[0-9a-z]{4}", "[0-9a-f]{6}", Just("/start".to_owned())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_strangers_do_changes_who_is_allowed(
        acts in proptest::collection::vec(
            (0..6u8, text(), kind(), any::<[bool; 5]>(), 0..90i64, any::<bool>()), 0..24),
        policy in prop_oneof![Just("pairing"), Just("allowlist"), Just("disabled")],
    ) {
        let bench = Bench::with(&format!(
            r#"{{"dmPolicy":"{policy}","allowFrom":["owner"],"groups":{{"g":{{"allowFrom":["owner"]}}}},"approvers":["owner"]}}"#
        ));
        bench.gate.create_invite(Role::Speaker, NOW).unwrap();
        for (who, text, kind, [is_direct, mentions_me, vetted, own, reply_to_me], minute, redeems) in &acts {
            let sender = format!("s{who}");
            let speaker = Speaker {
                text,
                kind: *kind,
                direct: *is_direct,
                conversation: if *is_direct { "owner" } else { "g" },
                mentions_me: *mentions_me,
                reply_to_me: *reply_to_me,
                vetted: *vetted,
                text_by: if *own { TextBy::Sender } else { TextBy::Adapter },
                ..direct(&sender)
            };
            let now = NOW + minute * MINUTE;
            if *redeems {
                prop_assert_eq!(bench.gate.redeem(&speaker, now), None);
            }
            prop_assert_ne!(bench.gate.judge(&speaker, now), Ruling::Deliver);
            let access = bench.gate.access().unwrap();
            prop_assert_eq!(&access.allow_from, &["owner"]);
            prop_assert_eq!(&access.approvers, &["owner"]);
            prop_assert!(!bench.gate.is_approver(&sender));
            prop_assert_eq!(&access.groups["g"].allow_from, &["owner"]);
            prop_assert_eq!(access.dm_policy.as_str(), policy);
            prop_assert!(access.pending.len() <= 3);
        }
        prop_assert_eq!(bench.aside(), Vec::<String>::new());
    }

    #[test]
    fn random_bytes_as_a_file_admit_nobody(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let bench = Bench::new();
        bench.write(&bytes);
        prop_assert_ne!(bench.gate.judge(&direct("a"), NOW), Ruling::Deliver);
        prop_assert_ne!(bench.gate.judge(&grouped("a", "g"), NOW), Ruling::Deliver);
        prop_assert!(bench.gate.redeem(&direct("a"), NOW).is_none());
        prop_assert!(!bench.gate.is_approver("a") && bench.gate.approvers().is_empty());
    }

    #[test]
    fn whoever_approves_is_listed_for_it_and_may_speak(
        changes in proptest::collection::vec((0..7u8, "[a-d]"), 0..16),
        disabled in any::<bool>(),
    ) {
        let bench = Bench::new();
        let (mut speakers, mut approvers) = (BTreeSet::new(), BTreeSet::new());
        for (change, id) in changes {
            match change {
                0 | 1 => { bench.gate.allow(&id).unwrap(); speakers.insert(id); }
                2 => { bench.gate.remove(&id).unwrap(); speakers.remove(&id); approvers.remove(&id); }
                3 | 4 => {
                    prop_assert_eq!(bench.gate.approver_add(&id).is_ok(), speakers.contains(&id));
                    if speakers.contains(&id) { approvers.insert(id); }
                }
                5 => { bench.gate.approver_remove(&id).unwrap(); approvers.remove(&id); }
                _ => { bench.gate.group_add("g", false, &[id]).unwrap(); }
            }
        }
        if disabled {
            bench.gate.set_policy(DmPolicy::Disabled).unwrap();
            approvers.clear();
        }
        let mut found = bench.gate.approvers();
        found.sort();
        prop_assert_eq!(found, approvers.iter().cloned().collect::<Vec<_>>());
        for id in ["a", "b", "c", "d", "g", "page"] {
            prop_assert_eq!(bench.gate.is_approver(id), approvers.contains(id));
        }
    }

    #[test]
    fn a_damaged_file_admits_nobody_new(at in 0..1000usize, byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = br#"{"dmPolicy":"allowlist","allowFrom":["owner"],"groups":{"g":{"requireMention":false,"allowFrom":["owner"]}},"pending":{}}"#.to_vec();
        let at = at % bytes.len();
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let bench = Bench::new();
        bench.write(&bytes);
        prop_assert_ne!(bench.gate.judge(&direct("stranger"), NOW), Ruling::Deliver);
    }

    #[test]
    fn what_is_shown_has_no_hidden_characters_and_keeps_to_its_length(text in any::<String>(), max in 0..80usize) {
        let shown = visible(&text, max);
        prop_assert!(shown.chars().count() <= max + 1);
        prop_assert_eq!(visible(&shown, 1000), shown.clone());
        prop_assert!(!shown.contains(char::is_control));
    }

    #[test]
    fn no_text_is_taken_for_a_code_but_one_in_its_shape(text in any::<String>()) {
        if looks_like_invite(&text) {
            prop_assert!(text.to_lowercase().contains('j') && text.len() <= 64);
        }
    }
}
