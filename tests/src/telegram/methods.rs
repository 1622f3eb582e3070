//! Which methods there are, what they know, and the small ones.

use serde_json::{Value, json};

use super::{
    refusal::{Answer, Refusal, bad},
    request::Arguments,
    state::State,
};

/// What all methods that send know.
const SENDING: [&str; 13] = [
    "business_connection_id",
    "chat_id",
    "message_thread_id",
    "direct_messages_topic_id",
    "disable_notification",
    "protect_content",
    "allow_paid_broadcast",
    "message_effect_id",
    "suggested_post_parameters",
    "reply_parameters",
    "reply_markup",
    "reply_to_message_id",
    "allow_sending_without_reply",
];
const CAPTIONED: [&str; 6] =
    ["caption", "parse_mode", "caption_entities", "show_caption_above_media", "has_spoiler", "thumbnail"];

/// The arguments that a method knows beside those of its family. `None` if there is no such method.
fn known(method: &str) -> Option<(&'static [&'static str], bool, bool)> {
    Some(match method {
        "getme" | "getmycommands" | "getwebhookinfo" => (&["scope", "language_code"], false, false),
        "getupdates" => (&["offset", "limit", "timeout", "allowed_updates"], false, false),
        "setwebhook" => (
            &[
                "url",
                "certificate",
                "ip_address",
                "max_connections",
                "allowed_updates",
                "drop_pending_updates",
                "secret_token",
            ],
            false,
            false,
        ),
        "deletewebhook" => (&["drop_pending_updates"], false, false),
        "sendmessage" => {
            (&["text", "parse_mode", "entities", "link_preview_options", "disable_web_page_preview"], true, false)
        }
        "sendphoto" => (&["photo"], true, true),
        "senddocument" => (&["document", "disable_content_type_detection"], true, true),
        "sendvoice" => (&["voice", "duration"], true, true),
        "sendaudio" => (&["audio", "duration", "performer", "title"], true, true),
        "sendvideo" => {
            (&["video", "duration", "width", "height", "cover", "start_timestamp", "supports_streaming"], true, true)
        }
        "sendanimation" => (&["animation", "duration", "width", "height"], true, true),
        "sendmediagroup" => (&["media"], true, false),
        "sendchataction" => (&["business_connection_id", "chat_id", "message_thread_id", "action"], false, false),
        "editmessagetext" => (
            &[
                "business_connection_id",
                "chat_id",
                "message_id",
                "inline_message_id",
                "text",
                "parse_mode",
                "entities",
                "link_preview_options",
                "disable_web_page_preview",
                "reply_markup",
            ],
            false,
            false,
        ),
        "editmessagecaption" | "editmessagereplymarkup" => {
            (&["business_connection_id", "chat_id", "message_id", "inline_message_id", "reply_markup"], false, true)
        }
        "deletemessage" => (&["chat_id", "message_id"], false, false),
        "setmessagereaction" => (&["chat_id", "message_id", "reaction", "is_big"], false, false),
        "answercallbackquery" => (&["callback_query_id", "text", "show_alert", "url", "cache_time"], false, false),
        "getfile" => (&["file_id"], false, false),
        "getchat" => (&["chat_id"], false, false),
        "setmycommands" => (&["commands", "scope", "language_code"], false, false),
        _ => return None,
    })
}

/// The arguments and files that the method does not know. Telegram ignores them.
pub(super) fn ignored(method: &str, arguments: &Arguments) -> Vec<String> {
    let Some((own, sends, has_caption)) = known(method) else { return Vec::new() };
    let media = arguments.get("media");
    let is_known = |name: &str| {
        own.contains(&name) || (sends && SENDING.contains(&name)) || (has_caption && CAPTIONED.contains(&name))
    };
    let is_attached = |name: &str| {
        media.contains(&format!("attach://{name}\""))
            || arguments.values.iter().any(|(_, value)| value.strip_prefix("attach://") == Some(name))
    };
    let values = arguments.values.iter().map(|(name, _)| name).filter(|name| !is_known(name));
    let files = arguments.files.iter().map(|file| &file.field).filter(|name| !is_known(name) && !is_attached(name));
    values.chain(files).cloned().collect()
}

impl State {
    /// Carries out any method but `getUpdates`.
    pub(super) fn call(&mut self, method: &str, arguments: &Arguments) -> Answer {
        match method {
            "getme" => Ok(self.me()),
            "setwebhook" => self.set_webhook(arguments),
            "deletewebhook" => self.drop_webhook(arguments),
            "getwebhookinfo" => {
                let pending = self.queue.pending().count();
                Ok(json!({ "url": self.webhook, "has_custom_certificate": false, "pending_update_count": pending }))
            }
            "sendmessage" => self.send_message(arguments),
            "sendphoto" | "senddocument" | "sendvoice" | "sendaudio" | "sendvideo" | "sendanimation" => {
                self.send_media(&method[4..], arguments)
            }
            "sendmediagroup" => self.send_media_group(arguments),
            "sendchataction" => self.chat_action(arguments),
            "editmessagetext" | "editmessagecaption" | "editmessagereplymarkup" => self.edit_message(method, arguments),
            "deletemessage" => self.delete_message(arguments),
            "setmessagereaction" => self.react(arguments),
            "answercallbackquery" => self.answer_callback_query(arguments),
            "getfile" => self.get_file(arguments),
            "getchat" => Ok(self.chat_json(self.known_chat(arguments.get("chat_id"))?)),
            "setmycommands" => self.set_commands(arguments),
            "getmycommands" => Ok(self.commands.clone()),
            _ => Err(Refusal::new(404, "Not Found: method not found")),
        }
    }

    fn me(&self) -> Value {
        let mut me = self.user_json(self.bot);
        for (member, value) in [
            ("can_join_groups", true),
            ("can_read_all_group_messages", true),
            ("supports_inline_queries", false),
            ("can_connect_to_business", false),
            ("has_main_web_app", false),
            ("has_topics_enabled", false),
        ] {
            me[member] = value.into();
        }
        me
    }

    fn set_webhook(&mut self, arguments: &Arguments) -> Answer {
        let url = arguments.get("url");
        if url.is_empty() {
            return self.drop_webhook(arguments);
        }
        if !url.starts_with("https://") {
            return Err(bad("bad webhook: An HTTPS URL must be provided for webhook"));
        }
        self.remember_allowed(arguments);
        self.queue.set_webhook();
        url.clone_into(&mut self.webhook);
        if arguments.flag("drop_pending_updates") {
            self.queue.forget_all();
        }
        Ok(true.into())
    }

    fn drop_webhook(&mut self, arguments: &Arguments) -> Answer {
        self.webhook.clear();
        if arguments.flag("drop_pending_updates") {
            self.queue.forget_all();
        }
        Ok(true.into())
    }

    fn get_file(&self, arguments: &Arguments) -> Answer {
        let id = arguments.get("file_id");
        if id.is_empty() {
            return Err(bad("file_id not specified"));
        }
        let file = self.files.get(id);
        let file = file.ok_or_else(|| bad("wrong file_id or the file is temporarily unavailable"))?;
        if file.content.len() > self.download_limit {
            return Err(bad("file is too big"));
        }
        let mut answer = file.members();
        answer["file_path"] = file.path.as_str().into();
        Ok(answer)
    }

    fn set_commands(&mut self, arguments: &Arguments) -> Answer {
        let Ok(commands) = serde_json::from_str::<Value>(arguments.get("commands")) else {
            return Err(bad("Can't parse commands JSON object"));
        };
        let Value::Array(list) = &commands else { return Err(bad("Expected an Array of BotCommand")) };
        if list.len() > 100 {
            return Err(bad("BOT_COMMANDS_TOO_MUCH"));
        }
        for command in list {
            let name = command["command"].as_str().unwrap_or("");
            let name = name.strip_prefix('/').unwrap_or(name);
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if !(1..=32).contains(&name.len()) || !name.bytes().all(is_plain) {
                return Err(bad("BOT_COMMAND_INVALID"));
            }
            let description = command["description"].as_str().unwrap_or("").chars().count();
            if !(1..=256).contains(&description) {
                return Err(bad("BOT_COMMAND_DESCRIPTION_INVALID"));
            }
        }
        self.commands = commands;
        Ok(true.into())
    }
}
