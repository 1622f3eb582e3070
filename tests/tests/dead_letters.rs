//! Payloads that an adapter fails on: row 32 of the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use sluicegate_tests::{
    Guest, Home, Server, deadline, journal, says,
    sign::{Scheme, Signer},
};

fn trapper() -> (Home, Server) {
    let home = Home::with(&Guest::new("trapper"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "trapper");
    (home, server)
}

#[test]
fn a_payload_that_always_traps_is_kept_and_shown_and_the_lane_goes_on() {
    let (home, server) = trapper();
    assert_eq!(home.post("trapper", &says("1", "hello")).status, 200);
    let begun = Instant::now();
    assert_eq!(home.post("trapper", &says("2", "poison")).status, 500);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}: the lane waits for it", begun.elapsed());
    assert_eq!(home.post("trapper", &says("3", "hello")).status, 200);
    server.event_of("3");
    assert_eq!(server.events().len(), 2);

    let letters = home.dead_letters();
    assert_eq!(letters.len(), 1, "{letters:?}");
    let letter = &letters[0];
    assert_eq!((&letter["adapter"], &letter["attempts"]), (&json!("trapper"), &json!(3)), "{letter}");
    assert!(
        letter.to_string().contains("poisoned") || letter["error"].as_str().is_some_and(|it| !it.is_empty()),
        "{letter}"
    );
    let shown = home.run(&["status"]).success().stdout;
    assert!(shown.contains("trapper") && shown.contains("retry"), "the mend stands beside it: {shown}");

    // The platform sends it again: it is the same letter still.
    assert_eq!(home.post("trapper", &says("2", "poison")).status, 500);
    assert_eq!(home.dead_letters().len(), 1);
}

#[test]
fn retry_fails_while_it_fails_and_delivers_once_it_does_not() {
    let (home, server) = trapper();
    assert_eq!(home.post("trapper", &says("bad", "poison")).status, 500);
    let retried = home.run(&["retry"]);
    assert!(!retried.status.success() || retried.output().contains("fail"), "{}", retried.output());
    assert_eq!(home.dead_letters().len(), 1);
    let mut antidote = says("antidote", "antidote");
    antidote["antidote"] = true.into();
    assert_eq!(home.post("trapper", &antidote).status, 200);
    drop(home.run(&["retry"]).success());
    assert_eq!(server.event_of("bad").content, "poison");
    assert_eq!(home.dead_letters().len(), 0);
    // And it stays the one event that it is.
    assert_eq!(home.post("trapper", &says("bad", "poison")).status, 200);
    assert_eq!(home.post("trapper", &says("last", "hello")).status, 200);
    server.event_of("last");
    assert_eq!(server.events().len(), 3, "{:#?}", server.events());
    drop(home.run(&["retry", "999"]).failure());
}

#[test]
fn dead_letters_survive_a_kill_and_can_be_retried_after() {
    let (home, server) = trapper();
    assert_eq!(home.post("trapper", &says("bad", "poison")).status, 500);
    server.kill();
    assert_eq!(home.dead_letters().len(), 1, "also without a server");
    let server = Server::start(&home);
    server.wait_until_running(&home, "trapper");
    let mut antidote = says("antidote", "antidote");
    antidote["antidote"] = true.into();
    assert_eq!(home.post("trapper", &antidote).status, 200);
    drop(home.run(&["retry"]).success());
    server.event_of("bad");
}

#[test]
fn the_others_of_a_batch_arrive_and_arrive_once() {
    let crowd = Guest::new("crowd");
    let mut home = Home::with(&crowd);
    let signer = Signer::new(Scheme::Github, 9);
    home.credential("crowd", "hub", &signer);
    let server = Server::start(&home);
    server.wait_until_running(&home, "crowd");
    let batch =
        json!([says("1", "one"), says("2", "poison"), says("3", "three"), "no message", says("4", "four")]).to_string();
    let request = sluicegate_tests::http::Request::new("POST", "/crowd/hub")
        .header("Content-Type", "application/json")
        .headers(signer.sign("", batch.as_bytes()))
        .body(batch);
    for _ in 0..2 {
        // The platform is told of the failure, and sends the batch again.
        let answer = request.send(home.port());
        assert!([422, 500].contains(&answer.status), "{}", answer.status);
    }
    assert_eq!(home.post("crowd", &json!([says("5", "five")])).status, 200);
    server.event_of("5");
    let heard: Vec<_> = server.events().iter().map(|event| event.id().to_owned()).collect();
    assert_eq!(heard, ["1", "3", "4", "5"]);
    assert_eq!(home.dead_letters().len(), 1);
    assert_eq!(journal::messages(&home, "crowd").len(), 4);
}

#[test]
fn an_adapter_that_always_fails_rests_and_the_others_do_not() {
    let mut home = Home::with(&Guest::new("trapper"));
    home.install(&Guest::new("chat"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "trapper");
    server.wait_until_running(&home, "chat");
    for number in 0..5 {
        assert_eq!(home.post("trapper", &says(&format!("p{number}"), "poison")).status, 500);
    }
    let status = server.wait_for_state(&home, "trapper", "quarantined");
    assert!(status["reason"].as_str().is_some_and(|reason| reason.contains("rests")), "{status}");
    assert_eq!(home.post("trapper", &says("6", "hello")).status, 503, "the platform keeps it until later");
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
    deadline::until("it has rested", || (home.post("trapper", &says("6", "hello")).status == 200).then_some(()));
    server.event_of("6");
}

#[test]
fn a_slow_adapter_delays_nobody_but_itself() {
    let looper = Guest::new("looper");
    let mut home = Home::with(&looper);
    home.install(&Guest::new("chat"));
    home.table("[adapters.looper.limits]\ncpu-ms = 3000");
    let server = Server::start(&home);
    server.wait_until_running(&home, "looper");
    server.wait_until_running(&home, "chat");
    let (request, port) = (home.request("looper", &says("1", "loop")), home.port());
    let slow = thread::spawn(move || request.send(port).status);
    for number in 0..20 {
        assert_eq!(home.post("chat", &says(&format!("c{number}"), "hello")).status, 200);
    }
    assert!(!slow.is_finished(), "twenty events of another adapter were served meanwhile");
    server.event_of("c19");
    assert_eq!(slow.join().unwrap(), 500);
}
