//! Turns a message, or several that belong together, into the event that Claude sees.

use std::{borrow::Cow, iter};

use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{sanitise, wording};
use crate::message::{Attachment, Kind, Message, TextBy};

/// Most characters of what people and adapters choose freely: names, kinds, media types, adapters' attributes.
const MAX_LABEL: usize = 1024;
/// Most characters of what Claude gives back unchanged: ids, references, paths (`PATH_MAX`).
const MAX_EXACT: usize = 4096;
/// Most characters of what an answered message said: enough to know which one it is.
const MAX_QUOTED: usize = 300;
/// Most attachments that are described; `attachments_left_out` counts the others.
pub(super) const MAX_ATTACHMENTS: usize = 32;
/// Most attributes of the adapter's own, of all messages of an event.
const MAX_META: usize = 32;

/// Attributes that are the host's to write, whether or not this message has them: an adapter's attribute of
/// that name is left out. So is `source`, which is Claude Code's, and all that begins with `attachment`.
const RESERVED: [&str; 17] = [
    "channel",
    "chat_id",
    "file_path",
    "image_path",
    "kind",
    "message_id",
    "message_ids",
    "redelivered",
    "reply_to",
    "reply_to_text",
    "source",
    "text",
    "text_by",
    "thread_id",
    "ts",
    "user",
    "user_id",
];

/// One event: the parameters of `notifications/claude/channel`, sanitised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event<'a> {
    /// What stands between the tags.
    pub content: Cow<'a, str>,
    /// The attributes, in order; keys match `[A-Za-z_][A-Za-z0-9_]*`, are unique and never `source`.
    #[serde(serialize_with = "as_object")]
    pub meta: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

fn as_object<S: Serializer>(meta: &[(Cow<'_, str>, Cow<'_, str>)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(Some(meta.len()))?;
    for (key, value) in meta {
        object.serialize_entry(key, value)?;
    }
    object.end()
}

#[derive(Serialize)]
struct Notification<'e> {
    jsonrpc: &'static str,
    method: &'static str,
    params: &'e Event<'e>,
}

impl<'a> Event<'a> {
    /// Describes a message; `redelivered` marks one that may have been on the wire before.
    #[must_use]
    pub fn of(message: &'a Message, redelivered: bool) -> Self {
        Self::of_all(message, &[], redelivered)
    }

    /// Describes messages of one sender in one conversation and thread as one event: `first` and those after it, in
    /// order. `redelivered` marks that one of them may have been on the wire before.
    ///
    /// The content is the texts, a line each, without placeholders such as "(photo)" where another one has a text.
    /// `message_id` is the last message's, the one to answer; `message_ids` lists all, with commas, if there are
    /// several. `ts` is the first one's, `reply_to` and `reply_to_text` those of the first one that answers something.
    /// Attachments are numbered through. Of an adapter's attribute that several messages have, the first counts.
    #[must_use]
    pub fn of_all(first: &'a Message, rest: &[&'a Message], redelivered: bool) -> Self {
        let all = || iter::once(first).chain(rest.iter().copied());
        let last = rest.last().copied().unwrap_or(first);
        let (content, text_by) = if rest.is_empty() {
            (sanitise::content(&first.text), first.text_by)
        } else {
            let (text, text_by) = wording::together(all());
            // As a whole: a tag must not come to be where two texts meet.
            (sanitise::content(&text).into_owned().into(), text_by)
        };
        let mut attributes = Attributes(Vec::with_capacity(12 + first.meta.len()));
        attributes.put("channel", last.adapter.as_str(), MAX_LABEL);
        attributes.put("chat_id", &last.conversation, MAX_EXACT);
        attributes.put("message_id", &last.message_id, MAX_EXACT);
        if !rest.is_empty() {
            let ids: Vec<&str> = all().map(|message| &*message.message_id).collect();
            attributes.put_owned("message_ids", sanitise::attribute(&ids.join(","), MAX_EXACT).into_owned());
        }
        attributes.put("user", last.sender_name.as_deref().unwrap_or(&last.sender), MAX_LABEL);
        attributes.put("user_id", &last.sender, MAX_EXACT);
        if let Ok(time) = Timestamp::from_millisecond(first.time_ms) {
            attributes.put_owned("ts", format!("{time:.3}"));
        }
        attributes.put_some("thread_id", last.thread.as_deref(), MAX_EXACT);
        if last.kind != Kind::Message {
            attributes.put("kind", last.kind.as_str(), MAX_LABEL);
        }
        // Both of one message: a quotation must not stand beside another message's id.
        if let Some(answer) = all().find(|message| message.reply_to.is_some() || message.quoted.is_some()) {
            attributes.put_some("reply_to", answer.reply_to.as_deref(), MAX_EXACT);
            attributes.put_some("reply_to_text", answer.quoted.as_deref(), MAX_QUOTED);
        }
        match text_by {
            TextBy::Sender => {}
            TextBy::Others => attributes.put("text_by", "others", MAX_LABEL),
            TextBy::Adapter => attributes.put("text_by", "adapter", MAX_LABEL),
        }
        let attachments = all().flat_map(|message| &message.attachments);
        for (index, attachment) in attachments.clone().take(MAX_ATTACHMENTS).enumerate() {
            attributes.put_attachment(index, attachment);
        }
        let left_out = attachments.skip(MAX_ATTACHMENTS).count();
        if left_out > 0 {
            attributes.put_owned("attachments_left_out", left_out.to_string());
        }
        if redelivered {
            attributes.put("redelivered", "1", MAX_LABEL);
        }
        attributes.put_adapters_own(all().flat_map(|message| &message.meta));
        Self { content, meta: attributes.0 }
    }

    /// The event as the model sees it, for a server of that name: what Claude Code 2.1 makes of the notification.
    #[must_use]
    pub fn as_tag(&self, source: &str) -> String {
        let mut tag = String::with_capacity(self.content.len() + 64 * (self.meta.len() + 1));
        tag.push_str("<channel source=\"");
        push_escaped(&mut tag, source);
        tag.push('"');
        for (key, value) in &self.meta {
            tag.push(' ');
            tag.push_str(key);
            tag.push_str("=\"");
            push_escaped(&mut tag, value);
            tag.push('"');
        }
        tag.push_str(">\n");
        tag.push_str(&self.content);
        tag.push_str("\n</channel>");
        tag
    }

    /// Appends the JSON-RPC notification, as one line.
    ///
    /// # Errors
    /// None in practice: strings and a map of strings always serialise.
    pub fn write_notification(&self, line: &mut Vec<u8>) -> serde_json::Result<()> {
        let notification = Notification { jsonrpc: "2.0", method: "notifications/claude/channel", params: self };
        serde_json::to_writer(&mut *line, &notification)?;
        line.push(b'\n');
        Ok(())
    }
}

fn push_escaped(tag: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '&' => tag.push_str("&amp;"),
            '<' => tag.push_str("&lt;"),
            '>' => tag.push_str("&gt;"),
            '"' => tag.push_str("&quot;"),
            '\'' => tag.push_str("&apos;"),
            _ => tag.push(c),
        }
    }
}

struct Attributes<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Attributes<'a> {
    fn put(&mut self, key: impl Into<Cow<'a, str>>, value: &'a str, most: usize) {
        self.0.push((key.into(), sanitise::attribute(value, most)));
    }

    fn put_some(&mut self, key: impl Into<Cow<'a, str>>, value: Option<&'a str>, most: usize) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.put(key, value, most);
        }
    }

    fn put_owned(&mut self, key: &'static str, value: String) {
        self.0.push((key.into(), value.into()));
    }

    /// The first attachment has plain names (`attachment_kind`, `image_path`), as in the official plugins; the
    /// second's begin with `attachment_2_`, and so on.
    fn put_attachment(&mut self, index: usize, attachment: &'a Attachment) {
        let key = |field: &'static str, plain: &'static str| -> Cow<'a, str> {
            if index == 0 { plain.into() } else { format!("attachment_{}_{field}", index + 1).into() }
        };
        self.put_some(key("kind", "attachment_kind"), Some(&attachment.kind), MAX_LABEL);
        self.put_some(key("name", "attachment_name"), attachment.name.as_deref(), MAX_LABEL);
        self.put_some(key("mime", "attachment_mime"), attachment.media_type.as_deref(), MAX_LABEL);
        if let Some(size) = attachment.size {
            self.0.push((key("size", "attachment_size"), size.to_string().into()));
        }
        self.put_some(key("file_id", "attachment_file_id"), Some(&attachment.reference), MAX_EXACT);
        let is_image = attachment
            .media_type
            .as_deref()
            .is_some_and(|media_type| media_type.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("image/")));
        let path = if is_image { key("image_path", "image_path") } else { key("file_path", "file_path") };
        self.put_some(path, attachment.path.as_deref(), MAX_EXACT);
    }

    fn put_adapters_own(&mut self, meta: impl Iterator<Item = &'a (String, String)>) {
        let most = self.0.len() + MAX_META;
        for (key, value) in meta {
            if self.0.len() >= most {
                break;
            }
            let free = is_key(key) && !is_reserved(key) && !self.0.iter().any(|(taken, _)| taken == key);
            if free {
                self.put(key.as_str(), value, MAX_LABEL);
            }
        }
    }
}

/// Whether Claude Code keeps an attribute of that name (and it is not absurdly long).
fn is_key(key: &str) -> bool {
    key.len() <= 64
        && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether an adapter's attribute of that name could be taken for the host's; case does not matter.
fn is_reserved(key: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(key))
        || key.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("attachment"))
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
