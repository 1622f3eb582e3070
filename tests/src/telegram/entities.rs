//! Texts and their spans as Telegram checks them.

use serde_json::{Value, json};

use super::{
    detect::detect,
    html, markdown_v2,
    refusal::{Answer, Refusal, bad},
    request::Arguments,
};

/// What is said of a rule that Telegram's documentation states and its servers mend in silence.
const STRICT: &str = "(the fake is strict)";

/// A text as it will be in a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Formatted {
    pub(super) text: String,
    pub(super) entities: Vec<Value>,
}

impl Formatted {
    /// Its length as Telegram counts it.
    pub(super) fn utf16(&self) -> usize {
        self.text.encode_utf16().count()
    }

    pub(super) fn put(&self, message: &mut Value, text: &str, entities: &str) {
        message[text] = self.text.as_str().into();
        if !self.entities.is_empty() {
            message[entities] = self.entities.clone().into();
        }
    }
}

/// The text of an argument, with `parse_mode` and the spans beside it, trimmed, with what Telegram finds in it. Empty
/// if there is none.
pub(super) fn formatted(arguments: &Arguments, text: &str, entities: &str) -> Answer<Formatted> {
    let spans = match arguments.get(entities) {
        "" => Value::Null,
        list => serde_json::from_str(list)
            .map_err(|error| Refusal::new(400, format!("Bad Request: {entities} is no JSON: {error} {STRICT}")))?,
    };
    let source = arguments.get(text);
    if source.is_empty() {
        return Ok(Formatted { text: String::new(), entities: Vec::new() });
    }
    let checked = format(source, arguments.get("parse_mode"), &spans)?;
    let trimmed = trim(checked);
    if trimmed.text.is_empty() {
        return Err(bad("text must be non-empty"));
    }
    let found = detect(&trimmed.text, &trimmed.entities);
    Ok(Formatted { entities: combined(trimmed.entities, found), ..trimmed })
}

fn combined(mut entities: Vec<Value>, found: Vec<Value>) -> Vec<Value> {
    entities.extend(found);
    entities.sort_by_key(|span| (span["offset"].as_u64(), std::cmp::Reverse(span["length"].as_u64())));
    entities
}

/// A text with its mode and spans, before it is trimmed.
pub(super) fn format(source: &str, parse_mode: &str, spans: &Value) -> Answer<Formatted> {
    if source.len() > 1 << 15 {
        return Err(bad("Text is too long"));
    }
    let unparsable = |error: String| bad(format!("Can't parse entities: {error}"));
    let (text, entities) = match parse_mode.to_ascii_lowercase().as_str() {
        "" | "none" => (source.to_owned(), check(source, spans)?),
        "markdownv2" => markdown_v2::parse(source).map_err(unparsable)?,
        "html" => html::parse(source).map_err(unparsable)?,
        "markdown" => return Err(bad(format!("parse_mode Markdown is legacy; use MarkdownV2 {STRICT}"))),
        _ => return Err(bad("Unsupported parse_mode")),
    };
    Ok(Formatted { text, entities })
}

/// The spans that a bot sent, checked, in their order.
fn check(text: &str, spans: &Value) -> Answer<Vec<Value>> {
    let list = match spans {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list,
        _ => return Err(bad(format!("entities must be an Array {STRICT}"))),
    };
    let mut checked = Vec::new();
    for span in list {
        let kept = check_span(text, span)?;
        checked.extend(kept);
    }
    checked.sort_by_key(|span| (span["offset"].as_u64(), std::cmp::Reverse(span["length"].as_u64())));
    check_nesting(&checked)?;
    Ok(checked)
}

/// One span. `None` for what Telegram finds by itself.
fn check_span(text: &str, span: &Value) -> Answer<Option<Value>> {
    let wrong = |reason: String| bad(format!("Can't parse MessageEntity: {reason}"));
    let Value::Object(members) = span else { return Err(wrong("expected an Object".into())) };
    let number = |name: &str| -> Answer<i64> {
        match members.get(name) {
            None => Err(wrong(format!("Can't find field \"{name}\""))),
            Some(Value::String(digits)) if digits.parse::<i64>().is_ok() => Ok(digits.parse().unwrap_or_default()),
            Some(value) => value.as_i64().ok_or_else(|| wrong(format!("Field \"{name}\" must be a valid Number"))),
        }
    };
    let required = |name: &str| -> Answer<&str> {
        let text = members.get(name).ok_or_else(|| wrong(format!("Can't find field \"{name}\"")))?;
        text.as_str().ok_or_else(|| wrong(format!("Field \"{name}\" must be of type String")))
    };
    let (offset, length) = (number("offset")?, number("length")?);
    let kind = required("type")?;
    let mut kept = json!({ "type": kind, "offset": offset, "length": length });
    match kind {
        "bold"
        | "italic"
        | "underline"
        | "strikethrough"
        | "spoiler"
        | "code"
        | "blockquote"
        | "expandable_blockquote" => {}
        "pre" => match members.get("language") {
            None => {}
            Some(Value::String(language)) if language.is_empty() => {}
            Some(Value::String(language)) => kept["language"] = language.as_str().into(),
            Some(_) => return Err(wrong("Field \"language\" must be of type String".into())),
        },
        "text_link" => {
            let url = required("url")?;
            let is_address = url.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
            if !is_address {
                return Err(bad(format!("Entity URL '{url}' is invalid {STRICT}")));
            }
            kept["url"] = url.into();
        }
        "text_mention" => {
            let user = members.get("user").and_then(|user| user["id"].as_i64());
            let id = user.ok_or_else(|| wrong("Can't find field \"user\"".into()))?;
            kept["user"] = json!({ "id": id });
        }
        "custom_emoji" => kept["custom_emoji_id"] = required("custom_emoji_id")?.into(),
        "mention" | "hashtag" | "cashtag" | "bot_command" | "url" | "email" | "phone_number" | "bank_card_number" => {
            return Ok(None);
        }
        "" => return Err(wrong("Type is not specified".into())),
        _ => return Err(wrong("Unsupported type specified".into())),
    }
    if !(0..=1_000_000).contains(&offset) {
        return Err(bad(format!("Receive an entity with incorrect offset {offset}")));
    }
    if !(0..=1_000_000).contains(&length) {
        return Err(bad(format!("Receive an entity with incorrect length {length}")));
    }
    if length == 0 {
        return Err(bad(format!("Entity at UTF-16 offset {offset} is empty {STRICT}")));
    }
    check_place(text, offset.unsigned_abs(), length.unsigned_abs())?;
    Ok(Some(kept))
}

fn check_place(text: &str, offset: u64, length: u64) -> Answer<()> {
    let (mut units, mut begins, mut ends) = (0, false, false);
    for (at, character) in text.char_indices() {
        begins |= units == offset;
        ends |= units == offset + length;
        let next = units + character.len_utf16() as u64;
        if units < offset && offset < next {
            return Err(bad(format!("Entity begins in a middle of a UTF-16 symbol at byte offset {at}")));
        }
        if units < offset + length && offset + length < next {
            return Err(bad(format!(
                "Entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol at byte offset {at}"
            )));
        }
        units = next;
    }
    ends |= units == offset + length;
    match (begins, ends) {
        (true, true) => Ok(()),
        (false, _) => Err(bad(format!(
            "Entity begins after the end of the text at UTF-16 offset {offset}, but the text has length {units}"
        ))),
        (true, false) => Err(bad(format!(
            "Entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {}",
            offset + length
        ))),
    }
}

/// "If two entities have common characters, then one is fully contained inside another", and what may contain what.
fn check_nesting(spans: &[Value]) -> Answer<()> {
    let range = |span: &Value| {
        let offset = span["offset"].as_u64().unwrap_or(0);
        (offset, offset + span["length"].as_u64().unwrap_or(0))
    };
    for (index, inner) in spans.iter().enumerate() {
        for outer in &spans[..index] {
            let ((outer_from, outer_to), (from, to)) = (range(outer), range(inner));
            if from >= outer_to {
                continue;
            }
            let (kind, outer_kind) = (inner["type"].as_str().unwrap_or(""), outer["type"].as_str().unwrap_or(""));
            let reason = if to > outer_to {
                "cross each other"
            } else if kind == outer_kind {
                "of one type contain each other"
            } else if !(may_nest(outer_kind, kind)
                || ((outer_from, outer_to) == (from, to) && may_nest(kind, outer_kind)))
            {
                "can't contain each other"
            } else {
                continue;
            };
            return Err(bad(format!(
                "entities {outer_kind} at {outer_from} and {kind} at {from} (UTF-16 offsets) {reason} {STRICT}"
            )));
        }
    }
    Ok(())
}

/// Whether a span may stand in another: "bold, italic, underline, strikethrough, and spoiler entities can contain and
/// can be part of any other entities, except pre and code. blockquote and expandable_blockquote entities can't be
/// nested. pre and code entities can't contain any other entities. All other entities can't contain each other."
fn may_nest(outer: &str, inner: &str) -> bool {
    let is_style = |kind: &str| matches!(kind, "bold" | "italic" | "underline" | "strikethrough" | "spoiler");
    let is_code = |kind: &str| matches!(kind, "pre" | "code");
    let is_quote = |kind: &str| matches!(kind, "blockquote" | "expandable_blockquote");
    if is_code(outer) {
        return false;
    }
    if is_code(inner) {
        return is_quote(outer);
    }
    if is_quote(inner) {
        return is_style(outer);
    }
    is_style(outer) || is_style(inner) || is_quote(outer)
}

/// Without spaces and line ends around it. As Telegram, none are taken from a span at the beginning.
fn trim(formatted: Formatted) -> Formatted {
    let Formatted { text, entities } = formatted;
    let first = entities.iter().filter_map(|span| span["offset"].as_u64()).min().unwrap_or(u64::MAX);
    let leading = text.bytes().take_while(|byte| matches!(byte, b' ' | b'\n')).count() as u64;
    let is_blank = text.trim().is_empty();
    let cut = if is_blank { text.len() as u64 } else { leading.min(first) };
    let rest = text[usize::try_from(cut).unwrap_or(0)..].trim_end();
    let length = rest.encode_utf16().count() as u64;
    let moved = |mut span: Value| {
        let from = span["offset"].as_u64()?.checked_sub(cut)?;
        let to = (from + span["length"].as_u64()?).min(length);
        (from < to).then(|| {
            span["offset"] = from.into();
            span["length"] = (to - from).into();
            span
        })
    };
    Formatted { text: rest.to_owned(), entities: entities.into_iter().filter_map(moved).collect() }
}

/// What Telegram finds in a text of a user.
pub(super) fn found_in(text: &str) -> Vec<Value> {
    detect(text, &[])
}
