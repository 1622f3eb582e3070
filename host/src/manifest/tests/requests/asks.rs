//! What requests are in plain words, and that every change of one shows.

use super::*;

#[test]
fn requests_are_asked_for_in_plain_words() {
    let contract = parse(BOT).unwrap().resolve().unwrap();
    let asks = contract.asks();
    for text in [
        "asks api.example.org (or where your setting `api` says) for `updates`, again and again, with your secret `token`",
        "may request POST {config:api}/bot<secret token>/send?silent={silent?} to send messages and to show that an answer \
         is being written; only to the conversation that is answered; it chooses `silent`",
        "may request POST https://up.example.org:8443/album to send messages; only to the conversation that is answered",
        "may request GET {config:api}/me while it reads what comes in",
        "may request GET {config:api}/bot<secret token>/file?id={id} to fetch attachments; only for the attachment that is \
         fetched",
        "may download with GET {config:api}/file/bot<secret token>/{path*} to fetch attachments; it chooses what it fetches \
         there (`path`)",
        "needs your secret `token` (IT_TOKEN): From the console",
    ] {
        let ask = asks.iter().find(|ask| ask.text == text).unwrap_or_else(|| panic!("{text}\n{asks:#?}"));
        assert_eq!(ask.severity, Severity::Notable, "{text}");
        assert!(ask.detail.is_some());
    }
    // Actions that it does not have, and tools, are out of its reach.
    assert!(!asks.iter().any(|ask| ask.text.contains("/channels/") || ask.text.contains("/look/")));
    let tool = format!("{BOT}\n[[tool]]\nname = \"look\"\nsummary = \"Looks\"");
    let asks = parse(&tool).unwrap().resolve().unwrap().asks();
    let expected = "may request POST {config:api}/look/{what} for its own tools; it chooses what it says there";
    assert!(asks.iter().any(|ask| ask.text == expected));

    let telegram = parse("profile = \"telegram\"\nactions = [\"send\"]").unwrap().resolve().unwrap();
    assert!(telegram.asks().iter().all(|ask| ask.severity == Severity::Normal));
}

#[test]
fn every_change_of_a_request_shows() {
    let contract = |text: &str| parse(text).unwrap().resolve().unwrap();
    let old = contract(BOT);
    for (line, with, expected) in [
        ("fixed = { \"/options/quiet\" = true }", "fixed = { \"/options/quiet\" = false }", ", in another way"),
        ("may-set = [\"X-Trace\"]", "", ", in another way"),
        ("spoken = [\"/entities/*/url\"]", "", ", in another way"),
        ("reference = \"$id\"", "reference = \"$id\"\ndownload = true", "changed: may download with GET"),
        ("max-bytes = 1048576", "max-bytes = 1048577", ", in another way"),
        ("Bot {secret:other}", "Bot {secret:token}", ", in another way"),
        ("timeout-s = 80", "timeout-s = 81", ", in another way"),
        ("/message_id\" }", "/id\" }", ", in another way"),
        ("url = \"{config:api}/me\"", "url = \"{config:api}/you\"", "changed: may request GET {config:api}/you"),
        ("name = \"me\"", "name = \"you\"", "new: may request GET {config:api}/me"),
        ("env = \"IT_TOKEN\"", "env = \"IT_TOKENS\"", "changed: needs your secret `token` (IT_TOKENS)"),
        ("pattern = '\\d+:[\\w-]{30,}'", "", ", in another way"),
    ] {
        let changes = contract(&bot_with(line, with)).changes_from(&old);
        assert!(changes.iter().any(|change| change.to_string().contains(expected)), "{with}\n{changes:#?}");
    }
}
