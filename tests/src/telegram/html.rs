//! Telegram's HTML: a few tags, all of them closed, everything else an error.

use serde_json::{Value, json};

const TAGS: [&str; 17] = [
    "a",
    "b",
    "strong",
    "i",
    "em",
    "s",
    "strike",
    "del",
    "u",
    "ins",
    "tg-spoiler",
    "tg-emoji",
    "span",
    "pre",
    "code",
    "blockquote",
    "tg-time",
];

struct Open {
    tag: String,
    argument: String,
    offset: usize,
    begins: usize,
}

/// The text and the spans of HTML.
///
/// # Errors
/// What Telegram says after "can't parse entities: ".
pub(super) fn parse(source: &str) -> Result<(String, Vec<Value>), String> {
    let mut text = String::new();
    let mut spans: Vec<Value> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut units = 0;
    let mut at = 0;
    while let Some(character) = source[at..].chars().next() {
        let (decoded, length) = match character {
            '&' => entity(&source[at..]).unwrap_or(('&', 1)),
            '<' => {
                let end = source[at..].find('>').map(|end| at + end);
                if let Some(name) = source[at..].strip_prefix("</") {
                    let innermost = open.pop().ok_or(format!("Unexpected end tag at byte offset {at}"))?;
                    let end = end.ok_or(format!("Unclosed end tag at byte offset {at}"))?;
                    let name = name[..end - at - 2].trim().to_ascii_lowercase();
                    let tag = &innermost.tag;
                    if !name.is_empty() && name != *tag {
                        return Err(format!(
                            "Unmatched end tag at byte offset {at}, expected \"</{tag}>\", found \"</{name}>\""
                        ));
                    }
                    close(&innermost, units, &text, &mut spans)?;
                    at = end + 1;
                } else {
                    let end = end.ok_or(format!("Unclosed start tag at byte offset {at}"))?;
                    let (tag, argument) = start(&source[at + 1..end], at)?;
                    open.push(Open { tag, argument, offset: units, begins: text.len() });
                    at = end + 1;
                }
                continue;
            }
            other => (other, other.len_utf8()),
        };
        text.push(decoded);
        units += decoded.len_utf16();
        at += length;
    }
    if let Some(innermost) = open.last() {
        let end = source.len();
        return Err(format!(
            "Can't find end tag corresponding to start tag \"{}\" at byte offset {end}",
            innermost.tag
        ));
    }
    spans.sort_by_key(|span| (span["offset"].as_u64(), std::cmp::Reverse(span["length"].as_u64())));
    Ok((text, spans))
}

fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.find(';').filter(|end| *end <= 10)?;
    let name = &text[1..end];
    let decoded = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|character| *character != '\0')?
        }
    };
    Some((decoded, end + 1))
}

/// The name of a start tag and the one attribute that matters.
fn start(inside: &str, at: usize) -> Result<(String, String), String> {
    let (name, mut rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
    let tag = name.to_ascii_lowercase();
    if !TAGS.contains(&tag.as_str()) {
        return Err(format!("Unsupported start tag \"{tag}\" at byte offset {at}"));
    }
    let mut argument = String::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let length = rest.find(|character: char| character.is_whitespace() || "=/\"'".contains(character));
        let (attribute, after) = rest.split_at(length.unwrap_or(rest.len()));
        if attribute.is_empty() {
            return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {at}"));
        }
        let Some(value) = after.trim_start().strip_prefix('=') else {
            if tag == "blockquote" && attribute == "expandable" {
                argument = "1".into();
            }
            rest = after;
            continue;
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
        let (value, after) = match quote {
            Some(quote) => value[1..].split_once(quote).ok_or(format!("Unclosed start tag at byte offset {at}"))?,
            None => value.split_once(char::is_whitespace).unwrap_or((value, "")),
        };
        let wanted = match tag.as_str() {
            "a" => attribute == "href",
            "tg-emoji" => attribute == "emoji-id",
            "code" => attribute == "class" && value.starts_with("language-"),
            "span" => attribute == "class" && value.starts_with("tg-"),
            _ => false,
        };
        if wanted {
            let value = value.trim_start_matches("language-");
            argument = value.strip_prefix("tg-").filter(|_| tag == "span").unwrap_or(value).to_owned();
        }
        rest = after;
    }
    if tag == "span" && argument != "spoiler" {
        return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {at}"));
    }
    Ok((tag, argument))
}

fn close(open: &Open, units: usize, text: &str, spans: &mut Vec<Value>) -> Result<(), String> {
    if units == open.offset {
        return Ok(());
    }
    let kind = match open.tag.as_str() {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "s" | "strike" | "del" => "strikethrough",
        "u" | "ins" => "underline",
        "tg-spoiler" | "span" => "spoiler",
        "a" => "text_link",
        "tg-emoji" => "custom_emoji",
        "blockquote" if open.argument.is_empty() => "blockquote",
        "blockquote" => "expandable_blockquote",
        "tg-time" => return Ok(()),
        other => other,
    };
    let mut span = json!({ "type": kind, "offset": open.offset, "length": units - open.offset });
    match kind {
        "text_link" => {
            let url = if open.argument.is_empty() { &text[open.begins..] } else { &open.argument };
            if !url.contains("://") && !url.contains('.') {
                return Ok(());
            }
            span["url"] = url.replace("&amp;", "&").into();
        }
        "custom_emoji" if open.argument.parse::<i64>().is_err() => {
            return Err("Invalid custom emoji identifier specified".into());
        }
        "custom_emoji" => span["custom_emoji_id"] = open.argument.as_str().into(),
        "code" if !open.argument.is_empty() => span["language"] = open.argument.as_str().into(),
        // `<pre><code class="language-…">` is one span.
        "pre" => {
            let same = |code: &Value| {
                code["type"] == "code" && code["offset"] == span["offset"] && code["length"] == span["length"]
            };
            if let Some(index) = spans.iter().position(same) {
                let code = spans.remove(index);
                if code["language"].is_string() {
                    span["language"] = code["language"].clone();
                }
            }
        }
        _ => {}
    }
    spans.push(span);
    Ok(())
}
