//! Which messages are permission prompts.

use super::*;

fn shown(conversation: &str, message: &str, subject: &str) -> PromptChange {
    PromptChange::Shown { conversation: conversation.into(), message: message.into(), subject: subject.into() }
}

fn closed(conversation: &str, message: &str) -> PromptChange {
    PromptChange::Closed { conversation: conversation.into(), message: message.into() }
}

fn submit(bench: &Bench, adapter: &str, prompts: Vec<PromptChange>) {
    let transaction = Transaction { prompts, ..Transaction::new(Lane::apart(name(adapter))) };
    bench.journal.submit(transaction).wait().unwrap();
}

fn open(bench: &Bench, adapter: &str) -> Vec<(String, String)> {
    let prompts = bench.journal.reader().unwrap().open_prompts(&name(adapter)).unwrap();
    assert!(prompts.iter().all(|prompt| prompt.time_ms > 0 && !prompt.conversation.is_empty()));
    prompts.into_iter().map(|prompt| (prompt.message, prompt.subject)).collect()
}

fn is_prompt(bench: &Bench, adapter: &str, conversation: &str, message: &str) -> bool {
    bench.journal.reader().unwrap().is_prompt(&name(adapter), conversation, message).unwrap()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(message, subject)| ((*message).into(), (*subject).into())).collect()
}

#[test]
fn a_prompt_is_open_until_it_is_closed_and_a_prompt_for_ever() {
    let bench = Bench::new();
    submit(&bench, "chat", vec![shown("ann", "7", "a"), shown("bob", "8", "a"), shown("ann", "9", "b")]);
    submit(&bench, "mail", vec![shown("ann", "7", "c")]);
    assert_eq!(open(&bench, "chat"), pairs(&[("7", "a"), ("8", "a"), ("9", "b")]));
    // Closing what is not there changes nothing; what is shown again is open again, and the newest.
    submit(&bench, "chat", vec![closed("ann", "7"), closed("ann", "8"), closed("eve", "9"), shown("bob", "8", "d")]);
    let bench = bench.reopen();
    assert_eq!(open(&bench, "chat"), pairs(&[("9", "b"), ("8", "d")]));
    assert_eq!(open(&bench, "mail"), pairs(&[("7", "c")]));
    for (adapter, conversation, message, expected) in [
        ("chat", "ann", "7", true),
        ("chat", "ann", "9", true),
        ("chat", "bob", "8", true),
        ("chat", "ann", "8", false),
        ("chat", "bob", "7", false),
        ("mail", "ann", "7", true),
        ("mail", "ann", "9", false),
    ] {
        assert_eq!(is_prompt(&bench, adapter, conversation, message), expected, "{adapter} {conversation} {message}");
    }
}

#[test]
fn a_prompt_is_known_however_its_ids_are_written() {
    let bench = Bench::new();
    submit(&bench, "chat", vec![shown("-100", "51", "a"), shown("room", "007", "b"), shown("room", "1.5", "c")]);
    for (conversation, message, expected) in [
        ("-100", "51", true),
        ("-100", " 51", true),
        ("-100", "51\n", true),
        ("-100", "+51", true),
        ("-100", "0051", true),
        (" -0100 ", "\t+051", true),
        ("100", "51", false),
        ("-100", "-51", false),
        ("-100", "510", false),
        ("-100", "5 1", false),
        ("-100", "5", false),
        ("room", "7", true),
        ("room", "7.0", false),
        ("room", " 1.5", true),
        ("Room", "7", false),
    ] {
        assert_eq!(is_prompt(&bench, "chat", conversation, message), expected, "{conversation:?} {message:?}");
    }
    // For the platform, an id stays as it was.
    assert_eq!(open(&bench, "chat"), pairs(&[("51", "a"), ("007", "b"), ("1.5", "c")]));
    submit(&bench, "chat", vec![shown("room", "7", "d"), closed("room", "007")]);
    assert_eq!(open(&bench, "chat"), pairs(&[("51", "a"), ("1.5", "c"), ("7", "d")]), "two ids of the platform's");
}

#[test]
fn prompts_go_with_the_grant_and_come_with_their_transaction_alone() {
    let bench = Bench::new();
    submit(&bench, "chat", vec![shown("ann", "7", "a")]);
    submit(&bench, "mail", vec![shown("ann", "7", "a")]);
    assert_eq!(bench.journal.forget(name("chat")).wait(), Ok(1));
    assert!(open(&bench, "chat").is_empty() && !is_prompt(&bench, "chat", "ann", "7"));
    assert_eq!(open(&bench, "mail").len(), 1);

    for (message, committed) in [("1", Committed::Stored { messages: 0, repeated: 0 }), ("2", Committed::Repeated)] {
        let mut transaction = empty("chat", 1);
        (transaction.once, transaction.prompts) = (Some(key(1)), vec![shown("ann", message, "a")]);
        assert_eq!(bench.journal.submit(transaction).wait(), Ok(committed));
    }
    assert_eq!(open(&bench, "chat"), pairs(&[("1", "a")]));
}

#[test]
fn the_newest_10000_of_each_adapter_are_known_and_open_ones_go_last() {
    let bench = Bench::new();
    submit(&bench, "mail", vec![shown("ann", "1", "a")]);
    submit(&bench, "chat", vec![shown("ann", "1", "a"), shown("ann", "2", "a"), closed("ann", "2")]);
    for first in [3, 5003] {
        let batch =
            (first..first + 5000).flat_map(|id| [shown("ann", &id.to_string(), "a"), closed("ann", &id.to_string())]);
        submit(&bench, "chat", batch.collect());
    }
    // 10,002 were shown: the two oldest closed ones made room.
    for (id, expected) in [("1", true), ("2", false), ("3", false), ("4", true), ("10002", true)] {
        assert_eq!(is_prompt(&bench, "chat", "ann", id), expected, "{id}");
    }
    assert_eq!(open(&bench, "chat"), pairs(&[("1", "a")]));
    assert!(is_prompt(&bench, "mail", "ann", "1"), "each adapter has its own");
}
