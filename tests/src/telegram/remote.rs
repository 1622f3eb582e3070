//! The fake's controls over HTTP, for people and for other languages: `POST /fake/<verb>` with a JSON object, answered
//! with `{"ok":true,"result":…}` or `{"ok":false,"description":…}`.
//!
//! | verb | members | result |
//! | --- | --- | --- |
//! | `about` | | `token`, `bot` |
//! | `user` | `name`, perhaps `id` and `username` | its id |
//! | `group`, `supergroup`, `forum`, `channel` | `title`, perhaps `members` | its id |
//! | `topic` | `chat`, `name` | its `message_thread_id` |
//! | `post` | `from`, perhaps `chat`, `topic`, `reply_to`, `quote`, `forwarded_from`, `sender_chat`, `via_bot`, `media` (`photo`, `document`, `voice`, `audio`, `video`, `video_note`, `animation`, `sticker`) with `size` or `base64`, `name` and `mime`; and `message`, the members of the message | `chat`, `message`, `update` |
//! | `album` | `posts` | a list of these |
//! | `edit` | `chat`, `message`, `text` | the same |
//! | `react` | `user`, `chat`, `message`, `emoji` | the same |
//! | `press` | `user`, `chat`, `message`, `data` | the query's id |
//! | `update` | `kind`, `value` | its `update_id` |
//! | `block`, `unblock`, `kick`, `readmit` | `chat` | the `update_id` |
//! | `fault` | `status`, `too_many` (seconds), `html` (status), `slow_ms`, `redirect`, or `kind` (`hang_up_unread`, `hang_up_read`, `hang_up_done`, `truncated`, `garbage`, `chunked`); perhaps `method`, `times` | |
//! | `messages`, `sent` | `chat` | the chat's messages, the bot's messages there |
//! | `calls` | perhaps `method` | the calls |
//! | `wait` | `method`, `count`, `within_ms` | the calls, once there are so many |
//! | `wait` | `polled`: true | null, once a `getUpdates` waits |
//! | `seen` | | what the bot did beside messages, counts |

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::Engine as _;
use serde_json::{Value, json};

use super::{
    Call, Content, Fault, Post, Said, Telegram, View,
    post::{Media, Origin},
    server::Shared,
};

/// The status and answer of a control request.
pub(super) fn answer(shared: &Arc<Shared>, verb: &str, body: &[u8]) -> (u16, Value) {
    let asked = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(body) };
    let done = match asked {
        Ok(asked) => control(shared, verb, &asked),
        Err(error) => Err(format!("the body is no JSON: {error}")),
    };
    match done {
        Ok(result) => (200, json!({ "ok": true, "result": result })),
        Err(reason) => (400, json!({ "ok": false, "description": reason })),
    }
}

fn control(shared: &Arc<Shared>, verb: &str, asked: &Value) -> Result<Value, String> {
    let telegram = Telegram::of(shared);
    let number = |member: &str| asked[member].as_i64().ok_or(format!("{member:?} must be a number"));
    let text = |member: &str| asked[member].as_str().ok_or(format!("{member:?} must be a text"));
    let members =
        || -> Vec<i64> { asked["members"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect() };
    let known = |chat: i64| telegram.state().chats.contains_key(&chat).then_some(chat).ok_or(format!("no chat {chat}"));
    let message = || {
        let (chat, message) = (number("chat")?, number("message")?);
        let there = telegram.look(|view| view.message(chat, message).is_some());
        there.then_some((chat, message)).ok_or(format!("no message {message} in {chat}"))
    };
    Ok(match verb {
        "about" => json!({ "token": telegram.token(), "bot": telegram.bot() }),
        "user" => match asked["id"].as_i64() {
            Some(id) => {
                telegram.add_user_as(id, text("name")?, asked["username"].as_str());
                json!(id)
            }
            None => json!(telegram.add_user(text("name")?)),
        },
        "group" => json!(telegram.add_group(text("title")?, &members())),
        "supergroup" => json!(telegram.add_supergroup(text("title")?, &members())),
        "forum" => json!(telegram.add_forum(text("title")?, &members())),
        "channel" => json!(telegram.add_channel(text("title")?)),
        "topic" => {
            let forum = known(number("chat")?)?;
            if !telegram.state().chats.get(&forum).is_some_and(|chat| chat.is_forum) {
                return Err(format!("{forum} is no forum"));
            }
            json!(telegram.add_topic(forum, text("name")?))
        }
        "post" => said(telegram.post(post(&telegram, asked)?)),
        "album" => {
            let posts = asked["posts"].as_array().ok_or("\"posts\" must be a list")?;
            let posts = posts.iter().map(|asked| post(&telegram, asked)).collect::<Result<Vec<_>, _>>()?;
            telegram.album(posts).into_iter().map(said).collect()
        }
        "edit" => {
            let (chat, message) = message()?;
            said(telegram.edit(chat, message, text("text")?))
        }
        "react" => {
            let (chat, message) = message()?;
            said(telegram.react(number("user")?, chat, message, text("emoji")?))
        }
        "press" => {
            let (chat, message) = message()?;
            json!(telegram.press_forged(number("user")?, chat, message, text("data")?))
        }
        "update" => json!(telegram.update(text("kind")?, &asked["value"])),
        "block" => json!(telegram.block(known(number("chat")?)?)),
        "unblock" => json!(telegram.unblock(known(number("chat")?)?)),
        "kick" => json!(telegram.kick(known(number("chat")?)?)),
        "readmit" => json!(telegram.readmit(known(number("chat")?)?)),
        "fault" => {
            let times = usize::try_from(asked["times"].as_u64().unwrap_or(1)).unwrap_or(1);
            match asked["method"].as_str() {
                Some(method) => telegram.inject_on(method, fault(asked)?, times),
                None => telegram.inject(fault(asked)?, times),
            }
            Value::Null
        }
        "messages" => telegram.look(|view| Ok::<_, String>(view.messages(number("chat")?)))?.into(),
        "sent" => telegram.look(|view| Ok::<_, String>(view.sent(number("chat")?)))?.into(),
        "calls" => telegram.look(|view| {
            let method = asked["method"].as_str();
            let calls = view.all_calls().iter();
            calls
                .filter(|call| method.is_none_or(|method| call.method.eq_ignore_ascii_case(method)))
                .map(of_call)
                .collect()
        }),
        "wait" if asked["polled"] == true => {
            telegram.wait_for_poll();
            Value::Null
        }
        "wait" => {
            let (method, count) = (text("method")?, asked["count"].as_u64().unwrap_or(1));
            let end = Instant::now() + Duration::from_millis(asked["within_ms"].as_u64().unwrap_or(10_000));
            let enough = |view: &View<'_>| (view.count(method) as u64 >= count).then(|| view.calls(method));
            let calls = telegram.wait_until(end, enough).ok_or(format!("{method} was not called {count} times"))?;
            calls.iter().map(of_call).collect()
        }
        "seen" => telegram.look(|view| {
            let actions = view.actions();
            let actions: Vec<Value> = actions
                .iter()
                .map(|action| json!({ "chat": action.chat, "thread": action.thread, "action": action.action }))
                .collect();
            json!({
                "polls": view.polls(), "conflicts": view.conflicts(), "confirmed": view.confirmed(),
                "is_polled": view.is_polled(), "fetched_urls": view.fetched_urls(), "downloads": view.downloads(),
                "replies_across_chats": view.replies_across_chats(), "actions": actions, "edits": view.edits(),
                "commands": view.commands(), "connections": view.connections(),
            })
        }),
        other => return Err(format!("there is no control {other:?}")),
    })
}

fn said(said: Said) -> Value {
    json!({ "chat": said.chat, "message": said.message, "update": said.update })
}

fn of_call(call: &Call) -> Value {
    json!({
        "method": call.method, "arguments": call.arguments, "status": call.status, "error": call.error,
        "ignored": call.ignored, "malformed": call.malformed,
        "files": call.files.iter().map(|file| json!({ "field": file.field, "name": file.name, "size": file.bytes.len() }))
            .collect::<Vec<_>>(),
    })
}

fn post(telegram: &Telegram, asked: &Value) -> Result<Post, String> {
    let from = asked["from"].as_i64().ok_or("\"from\" must be a number")?;
    let mut post = Post::other(from, asked["message"].clone());
    if let Some(chat) = asked["chat"].as_i64() {
        post = post.in_chat(chat);
    }
    post.thread = asked["topic"].as_i64();
    post.reply_to = asked["reply_to"].as_i64();
    post.quote = asked["quote"].as_str().map(str::to_owned);
    post.forwarded = asked["forwarded_from"].as_i64().map(Origin::User);
    post.sender_chat = asked["sender_chat"].as_i64();
    post.via_bot = asked["via_bot"].as_str().map(str::to_owned);
    if let Some(media) = asked["media"].as_str() {
        let kinds = ["photo", "document", "voice", "audio", "video", "video_note", "animation", "sticker"];
        let member = kinds.into_iter().find(|kind| *kind == media).ok_or(format!("no media {media:?}"))?;
        let content = match asked["base64"].as_str() {
            Some(text) => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(text);
                Content::of(bytes.map_err(|error| error.to_string())?)
            }
            None => Content::generated(asked["size"].as_u64().unwrap_or(1_000)),
        };
        let mut details = serde_json::Map::new();
        for (member, given) in [("file_name", &asked["name"]), ("mime_type", &asked["mime"])] {
            if given.is_string() {
                details.insert(member.to_owned(), given.clone());
            }
        }
        post.media = Some(Media { member, details, content });
    }
    let replied = post.reply_to.or(post.thread);
    if !telegram.state().chats.contains_key(&post.chat) {
        return Err(format!("no chat {}", post.chat));
    }
    if replied.is_some_and(|message| telegram.look(|view| view.message(post.chat, message).is_none())) {
        return Err("no message to reply to, or no topic".into());
    }
    Ok(post)
}

fn fault(asked: &Value) -> Result<Fault, String> {
    let status = |member: &str| asked[member].as_u64().and_then(|status| u16::try_from(status).ok());
    let seconds = asked["too_many"].as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    Ok(match asked["kind"].as_str() {
        Some("hang_up_unread") => Fault::HangUpUnread,
        Some("hang_up_read") => Fault::HangUpRead,
        Some("hang_up_done") => Fault::HangUpDone,
        Some("truncated") => Fault::Truncated,
        Some("garbage") => Fault::Garbage,
        Some("chunked") => Fault::Chunked,
        Some(other) => return Err(format!("there is no fault {other:?}")),
        None => status("status")
            .map(Fault::Status)
            .or(seconds.map(Fault::TooMany))
            .or(status("html").map(Fault::Html))
            .or(asked["slow_ms"].as_u64().map(|time| Fault::Slow(Duration::from_millis(time))))
            .or(asked["redirect"].as_str().map(|to| Fault::Redirect(to.to_owned())))
            .ok_or("which fault?")?,
    })
}
