//! The host's own tools: what Claude can do on the platforms.
//!
//! Their surface is that of the official channel plugins. With several adapters each tool takes a `channel` too,
//! and offers only those that can do it. A description stands on its own: an event may be handled before Claude
//! has read the server's instructions.

mod arguments;

use serde_json::{Value, json};

pub use arguments::ArgumentError;
use arguments::Arguments;

use super::{JsonObject, ToolDefinition};
use crate::{name::AdapterName, text::Format};

/// An adapter, and which of the host's tools it can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The `channel` attribute of its events.
    pub name: AdapterName,
    /// It can send messages.
    pub send: bool,
    /// It can react to messages.
    pub react: bool,
    /// It can change messages that it sent.
    pub edit: bool,
    /// It can fetch attachments.
    pub fetch: bool,
}

/// A checked call of one of the host's tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `reply`
    Reply(Reply),
    /// `react`
    React(React),
    /// `edit_message`
    Edit(EditMessage),
    /// `download_attachment`
    Download(Download),
}

/// The arguments of `reply`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The adapter.
    pub channel: AdapterName,
    /// The conversation.
    pub chat_id: String,
    /// The thread within it.
    pub thread_id: Option<String>,
    /// What to say; not empty unless there are files.
    pub text: String,
    /// How the text is to be read.
    pub format: Format,
    /// The message to quote.
    pub reply_to: Option<String>,
    /// Files to send, as Claude named them: neither absolute nor allowed for certain.
    pub files: Vec<String>,
}

/// The arguments of `react`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct React {
    /// The adapter.
    pub channel: AdapterName,
    /// The conversation.
    pub chat_id: String,
    /// The message in it.
    pub message_id: String,
    /// The emoji.
    pub emoji: String,
}

/// The arguments of `edit_message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditMessage {
    /// The adapter.
    pub channel: AdapterName,
    /// The conversation.
    pub chat_id: String,
    /// The message in it.
    pub message_id: String,
    /// What it shall say.
    pub text: String,
    /// How the text is to be read.
    pub format: Format,
}

/// The arguments of `download_attachment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// The adapter.
    pub channel: AdapterName,
    /// The attachment's reference, from `attachment_file_id`.
    pub file_id: String,
}

const REPLY: &str = "Answer a message that came through a channel (a <channel> tag). The sender does not see this \
    session: only what you pass to this tool reaches them. Take chat_id from the tag of the message you answer, and \
    thread_id too if the tag has one. Leave reply_to out for a normal answer to the latest message; set it to a \
    message_id only to quote an earlier one. files takes absolute paths of files to send along.";
const REACT: &str = "Add an emoji reaction to a message that came through a channel. Take chat_id and message_id from \
    its <channel> tag. Platforms accept only some emoji: 👍 👎 ❤️ 🔥 👀 🎉 work nearly everywhere.";
const EDIT: &str = "Change the text of a message that you sent with reply before, for instance to show progress. \
    chat_id is that of the reply, message_id is what the reply returned. The sender gets no notification of an edit: \
    when something is done, send a new reply.";
const DOWNLOAD: &str = "Fetch an attachment of a message that came through a channel. Use it when the <channel> tag has \
    attachment_file_id (or attachment_2_file_id, and so on), and pass that value as file_id. Returns the path of the \
    downloaded file, ready to read. Attachments with an image_path or file_path in the tag are there already.";
const WHICH: &str = " Take channel from the tag, too.";

/// The host's tools for a set of adapters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostTools {
    channels: Vec<Channel>,
}

impl HostTools {
    /// The tools for these adapters.
    #[must_use]
    pub fn new(channels: Vec<Channel>) -> Self {
        Self { channels }
    }

    /// The tools that at least one adapter can serve.
    #[must_use]
    pub fn definitions(&self) -> Vec<ToolDefinition> {
        let text = |summary: &str| json!({ "type": "string", "description": summary });
        let chat = text("chat_id of the <channel> tag");
        let format = json!({
            "type": "string",
            "enum": ["markdown", "text"],
            "description": "markdown (the default) shows Markdown as formatting; text shows the text exactly as written",
        });
        let reply = json!({
            "chat_id": chat,
            "text": text("What to say"),
            "format": format,
            "thread_id": text("thread_id of the <channel> tag, if it has one"),
            "reply_to": text("message_id of an earlier message to quote; leave out for a normal answer"),
            "files": { "type": "array", "items": { "type": "string" },
                       "description": "Absolute paths of files to send along" },
        });
        let react = json!({ "chat_id": chat, "message_id": text("message_id of the <channel> tag"), "emoji": text("One emoji") });
        let edit = json!({
            "chat_id": chat,
            "message_id": text("The message_id that reply returned"),
            "text": text("The new text"),
            "format": format,
        });
        let download = json!({ "file_id": text("attachment_file_id of the <channel> tag") });
        [
            self.definition("reply", REPLY, reply, &["chat_id", "text"], |channel| channel.send),
            self.definition("react", REACT, react, &["chat_id", "message_id", "emoji"], |channel| channel.react),
            self.definition("edit_message", EDIT, edit, &["chat_id", "message_id", "text"], |channel| channel.edit),
            self.definition("download_attachment", DOWNLOAD, download, &["file_id"], |channel| channel.fetch),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn definition(
        &self,
        name: &str,
        description: &str,
        mut properties: Value,
        required: &[&str],
        can: fn(&Channel) -> bool,
    ) -> Option<ToolDefinition> {
        let able: Vec<&str> = self.able(can).map(AdapterName::as_str).collect();
        if able.is_empty() {
            return None;
        }
        let (mut required, mut description) = (required.to_vec(), description.to_owned());
        if self.channels.len() > 1 {
            properties["channel"] =
                json!({ "type": "string", "enum": able, "description": "channel of the <channel> tag" });
            required.insert(0, "channel");
            description.push_str(WHICH);
        }
        let mut input_schema = JsonObject::new();
        input_schema.insert("type".into(), "object".into());
        input_schema.insert("properties".into(), properties);
        input_schema.insert("required".into(), required.into());
        input_schema.insert("additionalProperties".into(), false.into());
        Some(ToolDefinition { name: name.into(), description, input_schema, always_load: name == "reply" })
    }

    fn able(&self, can: fn(&Channel) -> bool) -> impl Iterator<Item = &AdapterName> {
        self.channels.iter().filter(move |channel| can(channel)).map(|channel| &channel.name)
    }

    /// Checks a call against the tool's shape; `None` if it is not one of the host's tools (for these adapters).
    ///
    /// # Errors
    /// [`ArgumentError`] names the argument and says what to do.
    pub fn check(&self, tool: &str, arguments: JsonObject) -> Option<Result<Call, ArgumentError>> {
        let can: fn(&Channel) -> bool = match tool {
            "reply" => |channel| channel.send,
            "react" => |channel| channel.react,
            "edit_message" => |channel| channel.edit,
            "download_attachment" => |channel| channel.fetch,
            _ => return None,
        };
        self.able(can).next()?;
        Some(self.read(tool, Arguments::new(arguments), can))
    }

    fn read(&self, tool: &str, mut given: Arguments, can: fn(&Channel) -> bool) -> Result<Call, ArgumentError> {
        let channel = self.channel(&mut given, can)?;
        let call = match tool {
            "reply" => {
                let (chat_id, thread_id) = (given.id("chat_id")?, given.optional_id("thread_id")?);
                let (reply_to, files) = (given.optional_id("reply_to")?, given.texts("files")?);
                let text = if files.is_empty() { given.text("text")? } else { given.optional_text("text")? };
                let format = given.format()?;
                Call::Reply(Reply { channel, chat_id, thread_id, text, format, reply_to, files })
            }
            "react" => Call::React(React {
                channel,
                chat_id: given.id("chat_id")?,
                message_id: given.id("message_id")?,
                emoji: given.text("emoji")?,
            }),
            "edit_message" => Call::Edit(EditMessage {
                channel,
                chat_id: given.id("chat_id")?,
                message_id: given.id("message_id")?,
                text: given.text("text")?,
                format: given.format()?,
            }),
            _ => Call::Download(Download { channel, file_id: given.id("file_id")? }),
        };
        given.finish()?;
        Ok(call)
    }

    /// The adapter that is meant. With one there is no such argument, but its name does no harm.
    fn channel(&self, given: &mut Arguments, can: fn(&Channel) -> bool) -> Result<AdapterName, ArgumentError> {
        let name = given.optional_id("channel")?;
        let choices = || self.able(can).map(AdapterName::as_str).collect::<Vec<_>>().join(", ");
        match (name, &self.channels[..]) {
            (None, [only]) => Ok(only.name.clone()),
            (None, _) => Err(ArgumentError::Channel { given: "nothing".into(), choices: choices() }),
            (Some(name), _) => match self.able(can).find(|able| able.as_str() == name) {
                Some(able) => Ok(able.clone()),
                None => Err(ArgumentError::Channel { given: arguments::excerpt(&name), choices: choices() }),
            },
        }
    }
}

#[cfg(test)]
#[path = "tools_tests.rs"]
mod tests;
