//! What waits, how it is asked, and how much of it.

use super::*;

#[test]
fn a_request_waits_only_on_terms_that_can_be_met() {
    let terms = Terms { approvers: 1, expires_ms: EXPIRES };
    let mut docket = Docket::new(Arc::default());
    for approvers in [0, 3, 255] {
        let refused = docket.open(request("a"), Terms { approvers, ..terms }, OPENED);
        assert_eq!(refused, Err(NotOpened::Approvers(approvers)));
    }
    let expired = docket.open(request("a"), Terms { expires_ms: OPENED, ..terms }, OPENED);
    assert_eq!(expired, Err(NotOpened::Expired));
    let first = docket.open(request("a"), terms, OPENED).unwrap();
    assert_eq!(docket.open(request("a"), terms, OPENED), Err(NotOpened::Twice));
    for at in 1..MOST_WAITING {
        docket.open(request(&format!("r{at}")), terms, OPENED).unwrap();
    }
    assert_eq!(docket.open(request("b"), terms, OPENED), Err(NotOpened::TooMany));
    assert_eq!(docket.waiting()[0], first);
    docket.end(&first).unwrap();
    let again = docket.open(request("a"), terms, OPENED).unwrap();
    assert_ne!(first, again);
    assert_eq!(docket.ask(&first, approver("telegram", "7")), Err(NotAsked::Ended));
}

#[test]
fn an_approver_is_asked_once_about_a_request() {
    let mut scene = Scene::one();
    let elsewhere = Approver { conversation: "elsewhere".into(), ..approver("telegram", "7") };
    assert_eq!(scene.docket.ask(&scene.ticket, elsewhere), Err(NotAsked::Twice));
    for at in 1..MOST_ASKS {
        scene.docket.ask(&scene.ticket, approver("telegram", &format!("n{at}"))).unwrap();
    }
    assert_eq!(scene.docket.ask(&scene.ticket, approver("second", "7")), Err(NotAsked::TooMany));
    assert_eq!(scene.live.asks().len(), MOST_ASKS);
}

#[test]
fn labels_say_nothing_and_differ() {
    let mut docket = Docket::new(Arc::default());
    let terms = Terms { approvers: 1, expires_ms: EXPIRES };
    let ticket = docket.open(request("a"), terms, OPENED).unwrap();
    for label in [ticket.label(), &Ticket::label_of_nothing()] {
        let digits = label.strip_prefix("p-").unwrap();
        assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{label}");
    }
    assert_ne!(ticket.label(), Ticket::label_of_nothing());
}

#[test]
fn a_code_is_not_in_the_request_that_it_answers() {
    let mut seed = 1_u32;
    let preview: String = (0..60_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + u8::try_from((seed >> 16) % 26).unwrap())
        })
        .collect();
    let mut scene = Scene::new(1, &[]);
    for request in 0..10 {
        let params = json!({ "request_id": request.to_string(), "tool_name": "Bash", "input_preview": preview });
        let request = Request::read(params.as_object().unwrap()).unwrap();
        let ticket = scene.docket.open(request, Terms { approvers: 1, expires_ms: EXPIRES }, OPENED).unwrap();
        for at in 0..MOST_ASKS {
            let asked = scene.docket.ask(&ticket, approver("telegram", &at.to_string())).unwrap();
            assert!(!preview.contains(asked.codes.code.as_str()));
        }
    }
}

#[test]
fn what_a_prompt_has_shown_and_what_ended_is_bounded() {
    let (mut scene, short, full) = in_short();
    let ask = scene.asked[0].1.ask;
    for at in 0..100 {
        let shown = if at % 2 == 0 { full.clone() } else { short.clone() };
        scene.docket.shown(ask, "m7".into(), shown, NOW);
    }
    assert_eq!(scene.docket.waiting[0].asks[0].views.len(), pending::MOST_VIEWS);
    for at in 0..past::MOST + 100 {
        let request = request(&format!("r{at}"));
        let ticket = scene.docket.open(request, Terms { approvers: 1, expires_ms: EXPIRES }, OPENED).unwrap();
        scene.docket.ask(&ticket, approver("telegram", "7")).unwrap();
        scene.docket.end(&ticket).unwrap();
    }
    assert_eq!(scene.docket.past.len(), past::MOST);
}

#[test]
fn the_messages_of_prompts_are_known_while_they_wait() {
    let mut scene = Scene::new(1, &[("telegram", "7"), ("second", "8")]);
    let telegram = adapter("telegram");
    assert_eq!(scene.docket.messages(&telegram), HashSet::from([("chat-7".into(), "m7".into())]));
    scene.docket.end(&scene.ticket).unwrap();
    assert!(scene.docket.messages(&telegram).is_empty());
}

#[test]
fn nothing_that_decides_is_shown_for_debugging() {
    let mut scene = Scene::one();
    let (_, asked, shown) = &scene.asked[0];
    let texts = [format!("{asked:?}"), format!("{shown:?}"), format!("{:?}", scene.docket.asks(&scene.ticket))];
    let codes = asked.codes.clone();
    let ended = format!("{:?}", scene.judge_one(scene.types(0, Verdict::Allow)));
    for text in texts.iter().chain([&ended]) {
        for word in [codes.code.as_str(), codes.allow.as_str(), codes.deny.as_str(), codes.more.as_str(), "\"first\""] {
            assert!(!text.contains(word), "{text}");
        }
    }
}
