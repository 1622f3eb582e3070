//! One message as it is kept and as the page gets it.

use serde::{Deserialize, Serialize};
use sluicegate_sdk::prelude::*;
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Author {
    You,
    Claude,
    /// Questions; their text and buttons are the host's own.
    Host,
}

#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub struct Record {
    pub id: String,
    pub from: Author,
    /// Milliseconds since 1970.
    pub time: u64,
    pub text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<PageSpan>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PageFile>,
    /// Put in when it is shown; kept apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<String>,
    #[serde(default)]
    pub edited: bool,
    /// The buttons of a question that waits for an answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<PageChoice>,
}

/// What the button shows, and what the page sends when it is pressed. Without `Debug`: whoever knows a token can press.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub struct PageChoice {
    pub label: String,
    pub token: String,
}

/// Offsets count Unicode scalar values.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PageSpan {
    pub start: u32,
    pub end: u32,
    pub style: String,
    /// A link's address, or a block's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct PageFile {
    pub file: String,
    pub name: String,
    pub media_type: String,
    pub size: u64,
}

impl Record {
    /// What the page sent: a frame, or the fields of an upload.
    pub fn from_page(fields: &Value, files: &[KeptFile]) -> Result<Self, Failure> {
        let id = json::text(fields, "/id").unwrap_or_default();
        if !is_id(id) {
            return Err(Failure::invalid("the message has no usable id"));
        }
        let text = json::text(fields, "/text").unwrap_or_default();
        if text.trim().is_empty() && files.is_empty() {
            return Err(Failure::invalid("the message is empty"));
        }
        Ok(Self {
            text: text.to_owned(),
            reply_to: json::text(fields, "/reply_to").map(str::to_owned),
            files: files.iter().cloned().map(PageFile::from).collect(),
            ..Self::empty(id.to_owned(), Author::You)
        })
    }

    /// What Claude says, under a new id.
    pub fn from_claude(outgoing: Outgoing) -> Self {
        Self {
            spans: spans(&outgoing.text),
            text: outgoing.text.text,
            reply_to: outgoing.reply_to,
            files: outgoing.files.into_iter().map(PageFile::from).collect(),
            ..Self::empty(new_id('c'), Author::Claude)
        }
    }

    /// What the host asks, under a new id.
    pub fn from_host(prompt: Prompt) -> Self {
        Self::empty(new_id('h'), Author::Host).with(prompt)
    }

    /// The question with the text and the buttons of another one.
    pub fn with(self, prompt: Prompt) -> Self {
        let choices = prompt.choices.into_iter().map(|choice| PageChoice { label: choice.label, token: choice.token });
        Self { spans: spans(&prompt.text), text: prompt.text.text, choices: choices.collect(), ..self }
    }

    fn empty(id: String, from: Author) -> Self {
        Self {
            id,
            from,
            time: now(),
            text: String::new(),
            spans: Vec::new(),
            reply_to: None,
            files: Vec::new(),
            reactions: Vec::new(),
            edited: false,
            choices: Vec::new(),
        }
    }

    pub fn replace_text(&mut self, text: RichText) {
        self.spans = spans(&text);
        self.text = text.text;
        self.edited = true;
    }
}

impl From<KeptFile> for PageFile {
    fn from(kept: KeptFile) -> Self {
        Self { file: kept.file, name: kept.name, media_type: kept.media_type, size: kept.size }
    }
}

impl From<PageFile> for KeptFile {
    fn from(page: PageFile) -> Self {
        Self { file: page.file, name: page.name, media_type: page.media_type, size: page.size }
    }
}

/// The kind of an attachment of that media type.
pub fn kind(media_type: &str) -> &'static str {
    match media_type.split('/').next() {
        Some("image") => "photo",
        Some("audio") => "audio",
        Some("video") => "video",
        _ => "document",
    }
}

fn new_id(letter: char) -> String {
    format!("{letter}-{:016x}", RandomState::new().hash_one(now()))
}

/// Ids become keys of the state: letters, digits and dashes, at most 64.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn spans(text: &RichText) -> Vec<PageSpan> {
    let page_span = |span: &Span| {
        let (style, value) = match &span.style {
            Style::Bold => ("bold", None),
            Style::Italic => ("italic", None),
            Style::Strike => ("strike", None),
            Style::Code => ("code", None),
            Style::Block(language) => ("block", language.clone()),
            Style::Quote => ("quote", None),
            Style::Link(address) => ("link", Some(address.clone())),
        };
        PageSpan { start: span.start, end: span.end, style: style.to_owned(), value }
    };
    text.spans.iter().map(page_span).collect()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_millis() as u64)
}
