//! What a message holds: its words, or words for what has none, and what hangs on it.
//! <https://core.telegram.org/bots/api#message>

use sluicegate_sdk::prelude::*;

/// Characters of a file's name that are worth keeping.
const NAME: usize = 200;

/// Member of the message, which is also the attachment's kind; what stands in for a text; and the media type where
/// Telegram names none. Telegram adds a `document` to every `animation`, so that comes first.
const FILES: &[(&str, &str, Option<&str>)] = &[
    ("animation", "(GIF)", None),
    ("document", "(file)", None),
    ("voice", "(voice message)", Some("audio/ogg")),
    ("audio", "(audio)", None),
    ("video", "(video)", None),
    ("video_note", "(video message)", Some("video/mp4")),
];

/// Adds words and attachments; `None` where there is nothing that somebody said.
pub fn describe(mut message: Message, content: &Value) -> Option<Message> {
    if let Some(largest) = json::array(content, "/photo").iter().max_by_key(|size| pixels(size)) {
        return Some(message.placeholder("(photo)").attachment(attachment("photo", largest, Some("image/jpeg"))));
    }
    if let Some(sticker) = content.get("sticker") {
        let emoji = json::text(sticker, "/emoji").unwrap_or_default();
        let words = if emoji.is_empty() { "(sticker)".to_owned() } else { format!("(sticker {emoji})") };
        message = message.placeholder(words).attachment(attachment("sticker", sticker, Some(sticker_type(sticker))));
        let set = json::text(sticker, "/set_name").unwrap_or_default();
        return Some(message.meta("sticker_emoji", emoji).meta("sticker_set", set));
    }
    for (kind, words, media_type) in FILES {
        if let Some(file) = content.get(kind) {
            return Some(message.placeholder(*words).attachment(attachment(kind, file, *media_type)));
        }
    }
    if json::text(content, "/text").or_else(|| json::text(content, "/caption")).is_some() {
        return Some(message);
    }
    compose(content).map(|words| message.composed(words))
}

/// First and last name.
pub fn full_name(user: &Value) -> String {
    let names = ["/first_name", "/last_name"].iter().filter_map(|name| json::text(user, name));
    names.collect::<Vec<_>>().join(" ")
}

fn attachment(kind: &str, file: &Value, media_type: Option<&str>) -> Attachment {
    let name = json::text(file, "/file_name").map(|name| name.chars().take(NAME).collect());
    let media_type = json::text(file, "/mime_type").or(media_type).map(str::to_owned);
    let reference = json::text(file, "/file_id").unwrap_or_default();
    Attachment { name, media_type, size: json::integer(file, "/file_size"), ..Attachment::remote(kind, reference) }
}

fn pixels(size: &Value) -> u64 {
    let side = |name| json::integer(size, name).unwrap_or_default();
    side("/width").saturating_mul(side("/height"))
}

fn sticker_type(sticker: &Value) -> &'static str {
    match (json::is_true(sticker, "/is_animated"), json::is_true(sticker, "/is_video")) {
        (true, _) => "application/x-tgsticker",
        (_, true) => "video/webm",
        _ => "image/webp",
    }
}

/// Words for what is neither text nor file.
fn compose(content: &Value) -> Option<String> {
    let text = |pointer| json::text(content, pointer).unwrap_or_default();
    let list = |pointer| json::array(content, pointer).iter();
    // A venue has a location too.
    let words = if content.get("venue").is_some() {
        format!("(venue: {}, {}, {})", text("/venue/title"), text("/venue/address"), position(content))
    } else if content.get("location").is_some() {
        let live = if content.pointer("/location/live_period").is_some() { "live location" } else { "location" };
        format!("({live} {})", position(content))
    } else if let Some(contact) = content.get("contact") {
        format!("(contact {} {})", full_name(contact), text("/contact/phone_number"))
    } else if content.get("poll").is_some() {
        let options = list("/poll/options").filter_map(|option| json::text(option, "/text"));
        format!("(poll: {})", [text("/poll/question")].into_iter().chain(options).collect::<Vec<_>>().join(" · "))
    } else if content.get("checklist").is_some() {
        let tasks = list("/checklist/tasks").map(|task| {
            let done = task.get("completion_date").is_some();
            format!(" · {} {}", if done { "☑" } else { "☐" }, json::text(task, "/text").unwrap_or_default())
        });
        format!("(checklist: {}{})", text("/checklist/title"), tasks.collect::<String>())
    } else if content.get("dice").is_some() {
        let value = json::integer(content, "/dice/value").unwrap_or_default();
        format!("(dice {} {value})", text("/dice/emoji"))
    } else if content.get("game").is_some() {
        format!("(game: {})", text("/game/title"))
    } else if content.get("invoice").is_some() {
        format!("(invoice: {})", text("/invoice/title"))
    } else if content.get("story").is_some() {
        "(a story, which bots cannot see)".to_owned()
    } else if content.get("paid_media").is_some() {
        "(paid media, which bots cannot see)".to_owned()
    } else {
        return None;
    };
    Some(words)
}

/// Latitude and longitude in degrees.
fn position(content: &Value) -> String {
    let degrees = |pointer| content.pointer(pointer).filter(|value| value.is_number()).map(Value::to_string);
    let (latitude, longitude) = (degrees("/location/latitude"), degrees("/location/longitude"));
    format!("{}, {}", latitude.unwrap_or_default(), longitude.unwrap_or_default())
}
