//! Files of Telegram's: as large as they may be in both directions, and what becomes of those that cannot be kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use serde_json::json;
use sluicegate_tests::{
    Server, ToolResult,
    bot::Bot,
    telegram::{Content, Fault, Post},
};

const MIB: u64 = 1 << 20;
/// What `file-mib` is by default.
const LARGEST: u64 = 50 * MIB;
/// By how many MiB the server's memory may grow while such files pass: a few buffers, and far less than one file.
const GROWTH_MIB: u64 = 16;

/// Alice sends a document; gives the reference that Claude sees.
fn offered(bot: &Bot, server: &Server, name: &str, content: &Content) -> String {
    let said = bot.telegram.post(Post::document(bot.alice, name, "application/octet-stream", content.clone()));
    let event = server.event_of(&said.message.to_string());
    assert_eq!(event.attribute("attachment_name"), name, "{event:?}");
    event.attribute("attachment_file_id").to_owned()
}

fn download(server: &Server, reference: &str) -> ToolResult {
    server.call("download_attachment", &json!({ "file_id": reference }))
}

/// Alice sends a document and Claude fetches it; gives where it is.
fn fetched(bot: &Bot, server: &Server, name: &str, content: &Content) -> PathBuf {
    let fetched = download(server, &offered(bot, server, name, content));
    assert!(!fetched.is_error, "{name}: {}", fetched.text);
    let path = PathBuf::from(fetched.text.trim());
    assert!(path.starts_with(inbox(bot)), "{name}: {}", path.display());
    assert_eq!(sha256(&path), content.sha256(), "{name}");
    path
}

fn send(bot: &Bot, server: &Server, file: &str) -> ToolResult {
    server.call("reply", &json!({ "chat_id": bot.alice.to_string(), "text": "here", "files": [file] }))
}

/// Claude sends a file of the project, and Alice gets it.
fn sent(bot: &Bot, server: &Server, name: &str, content: &Content) {
    let file = bot.project_file(name, content);
    let before = bot.telegram.look(|view| view.sent(bot.alice)).len();
    let sent = send(bot, server, &file);
    assert!(!sent.is_error, "{name}: {}", sent.text);
    let messages = bot.telegram.look(|view| view.sent(bot.alice));
    assert_eq!(messages.len(), before + 1, "{name}");
    let message = messages.last().unwrap();
    assert_eq!((&message["document"]["file_name"], &message["caption"]), (&json!(name), &json!("here")));
    let arrived = bot.telegram.look(|view| view.file_of(message)).unwrap();
    assert_eq!(arrived.sha256(), content.sha256(), "{name}");
}

fn sha256(path: &Path) -> String {
    Content::of(fs::read(path).unwrap()).sha256()
}

fn inbox(bot: &Bot) -> PathBuf {
    bot.home.path().join("inbox/telegram")
}

/// The names of everything in the inbox, hidden files and unfinished ones too.
fn kept(bot: &Bot) -> Vec<String> {
    let entries = fs::read_dir(inbox(bot)).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// From now on the peak of the server's memory is counted from what it holds now (proc(5), `clear_refs`): what it
/// held at its start must not hide what it holds later.
fn forget_peak(server: &Server) {
    fs::write(format!("/proc/{}/clear_refs", server.id()), "5").expect("Linux lets the owner reset the peak");
}

/// A refusal that says what is wrong and what the user can do about it.
#[track_caller]
fn assert_too_large(refused: &ToolResult) {
    assert!(refused.is_error, "{}", refused.text);
    assert!(refused.text.contains("larg") && refused.text.contains("file-mib"), "{}", refused.text);
}

#[test]
fn fifty_mib_go_both_ways_and_the_memory_stays_flat() {
    let bot = Bot::new();
    bot.telegram.set_download_limit(u64::MAX);
    let server = bot.start();
    // Whatever files need at all is there before the large ones come.
    fetched(&bot, &server, "small.bin", &Content::generated(100_000));
    sent(&bot, &server, "small.bin", &Content::generated(100_000));
    let content = Content::generated(LARGEST);
    forget_peak(&server);
    let before = server.peak_memory_mib();
    fetched(&bot, &server, "down.bin", &content);
    let down = server.peak_memory_mib();
    sent(&bot, &server, "up.bin", &content);
    let up = server.peak_memory_mib();
    eprintln!("peak memory of the server: {before} MiB, {down} MiB after 50 MiB down, {up} MiB after 50 MiB up");
    assert!(up - before <= GROWTH_MIB, "from {before} MiB to {down} MiB (down) and {up} MiB (up)");
}

#[test]
fn fifty_mib_and_one_byte_go_neither_way() {
    let bot = Bot::new();
    bot.telegram.set_download_limit(u64::MAX);
    let server = bot.start();
    let reference = offered(&bot, &server, "large.bin", &Content::generated(LARGEST + 1));
    assert_too_large(&download(&server, &reference));
    let file = bot.project_file("large.bin", &Content::of(""));
    File::options().write(true).open(&file).unwrap().set_len(LARGEST + 1).unwrap();
    assert_too_large(&send(&bot, &server, &file));
    assert!(kept(&bot).is_empty(), "{:?}", kept(&bot));
    assert!(bot.telegram.look(|view| view.sent(bot.alice)).is_empty());
}

#[test]
fn a_limit_of_the_users_holds_to_the_byte_even_where_no_length_is_told() {
    let mut bot = Bot::new();
    bot.home.table("[adapters.telegram.limits]\nfile-mib = 1");
    let server = bot.start();
    fetched(&bot, &server, "fits.bin", &Content::generated(MIB));
    sent(&bot, &server, "fits.bin", &Content::generated(MIB));
    let before = kept(&bot);
    let reference = offered(&bot, &server, "large.bin", &Content::generated(MIB + 1));
    assert_too_large(&download(&server, &reference));
    bot.telegram.inject_on("file", Fault::Chunked, 1);
    assert_too_large(&download(&server, &reference));
    let file = bot.project_file("large.bin", &Content::generated(MIB + 1));
    assert_too_large(&send(&bot, &server, &file));
    assert_eq!(kept(&bot), before);
    bot.telegram.inject_on("file", Fault::Chunked, 1);
    fetched(&bot, &server, "again.bin", &Content::generated(MIB));
}

#[test]
fn what_telegram_does_not_give_is_refused_in_its_own_words() {
    let bot = Bot::new();
    let server = bot.start();
    let reference = offered(&bot, &server, "large.bin", &Content::generated(20 * MIB + 1));
    let refused = download(&server, &reference);
    assert!(refused.is_error && refused.text.contains("file is too big"), "{}", refused.text);
    assert!(kept(&bot).is_empty(), "{:?}", kept(&bot));
}

#[test]
fn a_download_that_breaks_leaves_nothing_behind() {
    let bot = Bot::new();
    let server = bot.start();
    let content = Content::generated(300_000);
    let reference = offered(&bot, &server, "report.bin", &content);
    let elsewhere = format!("{}/file/elsewhere", bot.telegram.url());
    for fault in [
        Fault::Truncated,
        Fault::HangUpRead,
        Fault::HangUpDone,
        Fault::Status(404),
        Fault::Html(502),
        Fault::Redirect(elsewhere),
    ] {
        bot.telegram.inject_on("file", fault.clone(), 1);
        let broken = download(&server, &reference);
        assert!(broken.is_error, "{fault:?}: {}", broken.text);
        assert!(kept(&bot).is_empty(), "{fault:?}: {:?}", kept(&bot));
    }
    assert_eq!(bot.telegram.clear_faults(), 0, "each fault met one download");
    let fetched = download(&server, &reference);
    assert!(!fetched.is_error, "{}", fetched.text);
    assert_eq!(sha256(Path::new(fetched.text.trim())), content.sha256());
}

#[test]
fn a_photo_that_breaks_off_comes_as_a_reference() {
    let bot = Bot::new();
    let server = bot.start();
    let image = Content::generated(300_000);
    bot.telegram.inject_on("file", Fault::Truncated, 1);
    let said = bot.telegram.post(Post::photo(bot.alice, image.clone()).caption("look"));
    let event = server.event_of(&said.message.to_string());
    assert_eq!((event.content.as_str(), event.attribute("image_path")), ("look", ""), "{event:?}");
    assert!(kept(&bot).is_empty(), "{:?}", kept(&bot));
    let fetched = download(&server, event.attribute("attachment_file_id"));
    assert!(!fetched.is_error, "{}", fetched.text);
    assert_eq!(sha256(Path::new(fetched.text.trim())), image.sha256());
}

#[test]
fn the_oldest_files_make_room() {
    let mut bot = Bot::new();
    // Two files of this size fit, and three do not.
    const SIZE: u64 = 400_000;
    // Without bursts: what comes again after the restart stays apart from what is new.
    bot.home.table("[adapters.telegram]\nburst = { quiet-ms = 0, longest-ms = 0 }\nlimits = { inbox-mib = 1 }");
    let server = bot.start();
    let is_there = |files: &[&PathBuf]| files.iter().map(|file| file.exists()).collect::<Vec<_>>();
    let first = fetched(&bot, &server, "first.bin", &Content::generated(SIZE));
    let second = fetched(&bot, &server, "second.bin", &Content::generated(SIZE + 1));
    assert_eq!(is_there(&[&first, &second]), [true, true]);
    let third = fetched(&bot, &server, "third.bin", &Content::generated(SIZE + 2));
    assert_eq!(is_there(&[&first, &second, &third]), [false, true, true]);
    // What Claude sends is copied there too.
    sent(&bot, &server, "report.bin", &Content::generated(SIZE + 3));
    assert_eq!(is_there(&[&second, &third]), [false, true]);
    // A file that has no room even alone takes none from the others.
    let reference = offered(&bot, &server, "large.bin", &Content::generated(MIB + 1));
    let refused = download(&server, &reference);
    assert!(refused.is_error && refused.text.contains("larg"), "{}", refused.text);
    assert!(third.exists());
    // The order outlives the session.
    drop(server);
    let server = bot.start();
    let fourth = fetched(&bot, &server, "fourth.bin", &Content::generated(SIZE + 4));
    assert_eq!(is_there(&[&third, &fourth]), [false, true]);
    let files: u64 = fs::read_dir(inbox(&bot)).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!((2 * SIZE..MIB).contains(&files), "{files} bytes: {:?}", kept(&bot));
}
