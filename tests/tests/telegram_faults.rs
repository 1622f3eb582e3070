//! A thousand updates while everything fails that can fail: nothing of an allowed sender is lost, doubled or out of
//! order, and nothing of anybody else is kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use sluicegate_tests::{
    Event, Server,
    bot::Bot,
    deadline, journal,
    telegram::{Content, Fault, Post},
};

const WAVES: usize = 20;
const IN_A_WAVE: usize = 50;

/// What allowed senders wrote, by chat and in order.
type Written = BTreeMap<i64, Vec<String>>;

/// The ids of the messages that an event shows.
fn shown(event: &Event) -> Vec<(String, String)> {
    let ids = match event.attribute("message_ids") {
        "" => event.id(),
        ids => ids,
    };
    ids.split(',').map(|id| (event.attribute("chat_id").to_owned(), id.to_owned())).collect()
}

#[derive(Default)]
struct Seen(BTreeSet<(String, String)>);

impl Seen {
    /// Adds a session's events: what was there before must say so.
    fn add(&mut self, events: &[Event]) {
        for event in events {
            let ids = shown(event);
            let before = ids.iter().any(|id| self.0.contains(id));
            assert!(!before || event.is_redelivered(), "it comes again and does not say so: {event:?}");
            self.0.extend(ids);
        }
    }
}

#[test]
fn a_thousand_updates_survive_faults_and_kills() {
    let bot = Bot::new();
    let telegram = &bot.telegram;
    let (bob, mallory) = (telegram.add_user("Bob"), telegram.add_user("Mallory"));
    bot.home.admit("telegram", &[&bot.alice.to_string(), &bob.to_string()]);
    let group = telegram.add_group("Team", &[bot.alice, bob, mallory]);
    let members = format!("{},{bob}", bot.alice);
    let listed = ["access", "telegram", "group", "add", &group.to_string(), "--no-mention", "--allow", &members];
    drop(bot.home.run(&listed).success());
    let faults = [
        Fault::Status(500),
        Fault::TooMany(1),
        Fault::Html(502),
        Fault::HangUpUnread,
        Fault::HangUpRead,
        Fault::HangUpDone,
        Fault::Truncated,
        Fault::Garbage,
        Fault::Chunked,
        Fault::Slow(Duration::from_millis(50)),
    ];
    let (mut written, mut seen) = (Written::new(), Seen::default());
    let mut server = Server::start(&bot.home);
    let mut last = 0;
    for wave in 0..WAVES {
        telegram.inject_on("getUpdates", faults[wave % faults.len()].clone(), 1);
        for number in 0..IN_A_WAVE {
            let from = [bot.alice, bob, mallory][number % 3];
            let text = format!("wave {wave} number {number}");
            let mut post = match number % 10 {
                3 => Post::document(from, "a.bin", "application/octet-stream", Content::generated(9)).caption(&text),
                6 => Post::sticker(from, "😀"),
                _ => Post::text(from, &text),
            };
            if number % 4 == 0 {
                post = post.in_chat(group);
            }
            let said = telegram.post(post);
            last = said.update;
            if from != mallory {
                written.entry(said.chat).or_default().push(said.message.to_string());
            }
        }
        match wave % 5 {
            1 => {
                telegram.stop();
                telegram.listen();
            }
            2 => telegram.drop_connections(),
            3 => {
                // In the midst of it.
                let count = server.events().len();
                deadline::until("something comes", || (server.events().len() > count).then_some(()));
                seen.add(&server.kill().events);
                server = Server::start(&bot.home);
            }
            _ => {}
        }
    }
    telegram.clear_faults();
    telegram.wait_until_confirmed(last);
    let all: BTreeSet<_> =
        written.iter().flat_map(|(chat, ids)| ids.iter().map(move |id| (chat.to_string(), id.clone()))).collect();
    deadline::until("everything is on the wire", || {
        let now: BTreeSet<_> = server.events().iter().flat_map(shown).collect();
        all.iter().all(|id| seen.0.contains(id) || now.contains(id)).then_some(())
    });
    seen.add(&server.events());
    assert_eq!(seen.0, all, "nothing of anybody else");
    drop(server);
    assert!(journal::is_sound(&bot.home));
    let mut kept = Written::new();
    for (conversation, sender, id) in journal::order(&bot.home, "telegram") {
        assert_ne!(sender, mallory.to_string());
        kept.entry(conversation.parse().unwrap()).or_default().push(id);
    }
    assert_eq!(kept, written, "each exactly once, and in order");
}
