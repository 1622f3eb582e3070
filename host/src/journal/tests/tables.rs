//! State, timers, places, dead letters, counters, history, and what is removed.

use bytes::Bytes;

use super::*;

#[test]
fn state_and_timers_are_those_of_the_last_transaction() {
    let bench = Bench::new();
    let mut transaction = empty("chat", 1);
    transaction.state = vec![
        ("a".into(), Some(vec![1])),
        ("a".into(), Some(vec![2, 3])),
        ("b".into(), Some(vec![])),
        ("c".into(), Some(vec![9])),
        ("c".into(), None),
    ];
    transaction.timers =
        vec![("t".into(), Some(50)), ("u".into(), Some(20)), ("v".into(), Some(1)), ("v".into(), None)];
    bench.journal.submit(transaction).wait().unwrap();
    let mut other = empty("mail", 1);
    other.timers.push(("t".into(), Some(10)));
    bench.journal.submit(other).wait().unwrap();

    let bench = bench.reopen();
    let reader = bench.journal.reader().unwrap();
    let chat = name("chat");
    assert_eq!(reader.state_get(&chat, "a").unwrap(), Some(vec![2, 3]));
    assert_eq!(reader.state_get(&chat, "b").unwrap(), Some(vec![]));
    assert_eq!(reader.state_get(&chat, "c").unwrap(), None);
    assert_eq!(reader.state_get(&name("mail"), "a").unwrap(), None);
    assert_eq!(reader.state_size(&chat).unwrap(), 4);
    assert_eq!(reader.state_size(&name("mail")).unwrap(), 0);
    let names = |timers: Vec<TimerDue>| timers.into_iter().map(|timer| (timer.name, timer.due_ms)).collect::<Vec<_>>();
    assert_eq!(names(reader.timers(&chat).unwrap()), [("u".into(), 20), ("t".into(), 50)]);
    assert_eq!(names(reader.timers_due(20).unwrap()), [("t".into(), 10), ("u".into(), 20)]);
    assert_eq!(reader.next_timer_due().unwrap(), Some(10));
}

#[test]
fn a_place_is_the_last_delivery_that_changed_it() {
    let bench = Bench::new();
    let place = || bench.journal.reader().unwrap().place(&name("chat"), "room").unwrap();
    assert_eq!(place(), None);
    // (sender, direct, by credential) as delivered; sender as remembered.
    let cases = [
        ("ann", true, false, Some("ann")),
        ("ann", true, true, Some("ann")),
        ("bob", true, false, Some("bob")),
        ("bob", false, false, None),
        ("ann", false, false, None),
    ];
    for (id, (sender, direct, by_credential, remembered)) in (0..).zip(cases) {
        let mut transaction = says("chat", 1, id);
        let new = &mut transaction.messages[0];
        new.by_credential = by_credential;
        new.message.sender = sender.into();
        new.message.direct = direct;
        bench.journal.submit(transaction).wait().unwrap();
        let place = place().unwrap();
        assert_eq!((place.direct, place.sender.as_deref(), place.by_credential), (direct, remembered, by_credential));
    }
    assert_eq!(bench.journal.reader().unwrap().place(&name("mail"), "room").unwrap(), None);
}

fn dead(error: &str, event: u64) -> Transaction {
    let mut transaction = empty("chat", 1);
    transaction.dead = Some(DeadLetter {
        key: key(event),
        source: "updates".into(),
        event: Bytes::from_static(b"\x00event"),
        context: "{\"path\":\"/\"}".into(),
        error: error.into(),
        attempts: 3,
    });
    transaction
}

#[test]
fn a_dead_letter_is_updated_by_its_next_failure_and_gone_with_its_success() {
    let bench = Bench::new();
    for transaction in [dead("trap", 1), dead("trap", 2), dead("timeout", 1)] {
        bench.journal.submit(transaction).wait().unwrap();
    }
    let reader = bench.journal.reader().unwrap();
    let entries = reader.dead_letters(Some(&name("chat")), 10).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(reader.dead_letters(None, 1).unwrap().len(), 1);
    assert!(reader.dead_letters(Some(&name("mail")), 10).unwrap().is_empty());
    let entry = entries.into_iter().find(|entry| entry.id == 1).unwrap();
    assert_eq!((entry.error.as_str(), entry.attempts, entry.size), ("timeout", 6, 6));
    assert!(entry.first_ms <= entry.last_ms);
    let event = reader.dead_letter(1).unwrap().unwrap();
    assert_eq!(event.entry, entry);
    assert_eq!((event.key, &event.event[..], event.context.as_str()), (key(1), &b"\x00event"[..], "{\"path\":\"/\"}"));

    let mut theft = says("mail", 1, 8);
    theft.revived = Some(1);
    bench.journal.submit(theft).wait().unwrap();
    assert!(reader.dead_letter(1).unwrap().is_some(), "a dead letter belongs to its adapter");
    let mut success = says("chat", 1, 9);
    success.revived = Some(1);
    bench.journal.submit(success).wait().unwrap();
    assert_eq!(reader.dead_letter(1).unwrap(), None);
    assert_eq!(bench.journal.delete_dead(2).wait(), Ok(1));
    assert_eq!(bench.journal.delete_dead(2).wait(), Ok(0));
    bench.journal.submit(dead("trap", 3)).wait().unwrap();
    assert_eq!(reader.dead_letters(None, 10).unwrap()[0].id, 4, "numbers are not used twice");
}

/// The numbers of the letters that are kept, in order, and how many were dropped.
fn kept(bench: &Bench, adapter: &str) -> (Vec<i64>, u64) {
    let reader = bench.journal.reader().unwrap();
    let letters = reader.dead_letters(Some(&name(adapter)), usize::MAX).unwrap();
    let counters = reader.counters().unwrap();
    let dropped =
        counters.iter().find(|counter| counter.adapter == name(adapter) && counter.name == "dead letter dropped");
    let mut ids: Vec<_> = letters.iter().map(|letter| letter.id).collect();
    ids.sort_unstable();
    (ids, dropped.map_or(0, |counter| counter.value))
}

#[test]
fn the_oldest_dead_letters_make_room_for_the_thousandth_and_first() {
    let bench = Bench::new();
    let mut other = dead("trap", 1);
    other.lane = Lane::of(name("mail"), 1);
    bench.journal.submit(other).wait().unwrap();
    for event in 1..=1000 {
        drop(bench.journal.submit(dead("trap", event)));
    }
    bench.journal.flush().wait().unwrap();
    assert_eq!(kept(&bench, "chat"), ((2..=1001).collect(), 0));
    // Fails again, later than all others: the oldest but one goes.
    while Reader::open(bench.path()).unwrap().dead_letters(None, 1).unwrap()[0].last_ms >= apply::now_ms() {
        std::thread::yield_now();
    }
    for event in [1, 1001, 1002] {
        bench.journal.submit(dead("trap", event)).wait().unwrap();
    }
    let (ids, dropped) = kept(&bench, "chat");
    assert_eq!((ids.len(), dropped), (1000, 2));
    assert_eq!((ids[0], ids[1]), (2, 5), "what failed again is not the oldest");
    assert_eq!(kept(&bench, "mail").1, 0, "each adapter has its own");
    assert_eq!(kept(&bench, "mail").0.len(), 1);
}

#[test]
fn dead_letters_take_64_mib_of_each_adapter() {
    let bench = Bench::new();
    let of_size = |event: u64, mib: usize, context: usize| {
        let mut transaction = dead("trap", event);
        let letter = transaction.dead.as_mut().unwrap();
        (letter.event, letter.context) = (vec![0; mib << 20].into(), " ".repeat(context));
        bench.journal.submit(transaction).wait().unwrap();
    };
    (1..=4).for_each(|event| of_size(event, 16, 0));
    assert_eq!(kept(&bench, "chat"), (vec![1, 2, 3, 4], 0), "exactly as much as there may be");
    of_size(5, 0, 1);
    assert_eq!(kept(&bench, "chat"), (vec![2, 3, 4, 5], 1), "contexts count too");
    of_size(6, 40, 0);
    assert_eq!(kept(&bench, "chat"), (vec![4, 5, 6], 3));
    of_size(7, 65, 0);
    assert_eq!(kept(&bench, "chat"), (vec![4, 5, 6], 4), "what is larger than all of it takes none with it");
    // What is kept and what is counted is one transaction.
    let bench = bench.reopen();
    assert_eq!(kept(&bench, "chat"), (vec![4, 5, 6], 4));
}

#[test]
fn counters_add_up_over_restarts() {
    let bench = Bench::new();
    for reason in ["unknown-sender", "disabled", "unknown-sender"] {
        bench.journal.count(&name("chat"), reason);
    }
    let bench = bench.reopen();
    bench.journal.count(&name("chat"), "disabled");
    bench.journal.flush().wait().unwrap();
    let counters = bench.journal.reader().unwrap().counters().unwrap();
    let counters: Vec<_> = counters.iter().map(|counter| (counter.name.as_str(), counter.value)).collect();
    assert_eq!(counters, [("disabled", 2), ("unknown-sender", 2)]);
}

#[test]
fn history_is_that_of_one_conversation_oldest_first() {
    let bench = Bench::new();
    for id in 0..8 {
        let mut transaction = says(if id == 6 { "mail" } else { "chat" }, 1, id);
        transaction.messages[0].message.conversation = if id % 2 == 0 { "room".into() } else { "other".into() };
        bench.journal.submit(transaction).wait().unwrap();
    }
    let reader = bench.journal.reader().unwrap();
    let ids = |limit, before| {
        let history = reader.history(&name("chat"), "room", limit, before).unwrap();
        history.into_iter().map(|stored| stored.message.message_id).collect::<Vec<_>>()
    };
    assert_eq!(ids(10, None), ["0", "2", "4"]);
    assert_eq!(ids(2, None), ["2", "4"]);
    assert_eq!(ids(10, Some("4")), ["0", "2"]);
    assert_eq!(ids(10, Some("3")), [""; 0], "a message of another conversation");
}

#[test]
fn only_what_is_old_and_written_is_pruned() {
    let bench = Bench::new();
    for id in 1..=5 {
        bench.journal.submit(says("chat", 1, id)).wait().unwrap();
    }
    assert_eq!(bench.journal.prune(i64::MAX).wait(), Ok(0), "nothing is written");
    bench.journal.written(3);
    assert_eq!(bench.journal.prune(0).wait(), Ok(0), "nothing is so old");
    assert_eq!(bench.journal.prune(i64::MAX).wait(), Ok(3));
    assert_eq!(bench.ids_after(0), ["4", "5"]);
    bench.journal.written(5);
    assert_eq!(bench.journal.prune(i64::MAX).wait(), Ok(1), "the last one stays");

    let bench = bench.reopen();
    assert_eq!((bench.journal.last_seq(), bench.journal.unwritten()), (5, 0));
    assert_eq!(bench.journal.submit(says("chat", 1, 6)).wait(), ONE);
    assert_eq!(bench.journal.last_seq(), 6, "numbers are not used twice");
    let repeated = Ok(Committed::Stored { messages: 0, repeated: 1 });
    assert_eq!(bench.journal.submit(says("chat", 1, 1)).wait(), repeated, "a pruned message is not delivered again");
}

#[test]
fn what_belongs_to_a_grant_is_forgotten_and_does_not_come_back() {
    let bench = Bench::new();
    for adapter in ["chat", "mail"] {
        let mut transaction = says(adapter, 1, u64::from(adapter == "mail"));
        transaction.state.push(("a".into(), Some(vec![1])));
        transaction.timers.push(("t".into(), Some(1)));
        transaction.dead = dead("trap", 1).dead;
        bench.journal.submit(transaction).wait().unwrap();
    }
    let hold = bench.hold();
    let mut straggler = says("chat", 1, 7);
    straggler.state.push(("a".into(), Some(vec![2])));
    let forgotten = bench.journal.forget(name("chat"));
    let straggler = bench.journal.submit(straggler);
    let anew = bench.journal.submit(says("chat", 2, 8));
    drop(hold);
    assert_eq!(forgotten.wait(), Ok(4));
    assert_eq!(straggler.wait(), Err(CommitError::Behind));
    assert_eq!(anew.wait(), ONE);
    let reader = bench.journal.reader().unwrap();
    let (chat, mail) = (name("chat"), name("mail"));
    assert_eq!(reader.state_get(&chat, "a").unwrap(), None);
    assert!(reader.timers(&chat).unwrap().is_empty());
    assert!(reader.dead_letters(Some(&chat), 9).unwrap().is_empty());
    assert!(reader.place(&chat, "room").unwrap().is_some(), "known again by the new grant's message");
    assert_eq!(reader.state_get(&mail, "a").unwrap(), Some(vec![1]));
    assert_eq!(reader.timers(&mail).unwrap().len(), 1);
    assert_eq!(reader.dead_letters(Some(&mail), 9).unwrap().len(), 1);
}

#[test]
fn a_polls_position_is_kept_with_the_transaction_and_with_its_repetition() {
    let bench = Bench::new();
    let polled = |source: &str| bench.journal.reader().unwrap().polled(&name("chat"), source).unwrap();
    assert_eq!(polled("updates"), None);
    for (once, position) in [([1; 16], 8), ([2; 16], 9), ([2; 16], 10)] {
        let mut transaction = empty("chat", 1);
        (transaction.once, transaction.polled) = (Some(once), Some(("updates".into(), position)));
        bench.journal.submit(transaction).wait().unwrap();
        assert_eq!(polled("updates"), Some(position));
    }
    assert_eq!(polled("other"), None);
    bench.journal.forget(name("chat")).wait().unwrap();
    assert_eq!(polled("updates"), None);
}

#[test]
fn what_the_platform_took_from_us_is_known_by_conversation() {
    let bench = Bench::new();
    let mut transaction = empty("chat", 1);
    transaction.sent = vec![("room".into(), "7".into()), ("room".into(), "7".into()), ("room".into(), "8".into())];
    bench.journal.submit(transaction).wait().unwrap();
    let reader = bench.journal.reader().unwrap();
    let sent = |adapter: &str, conversation: &str, id: &str| reader.sent(&name(adapter), conversation, id).unwrap();
    assert!(sent("chat", "room", "7") && sent("chat", "room", "8"));
    assert!(!sent("chat", "hall", "7") && !sent("mail", "room", "7") && !sent("chat", "room", "9"));
}
