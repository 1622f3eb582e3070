//! What Telegram finds in texts by itself: commands, mentions, hashtags and addresses.

use serde_json::{Value, json};

/// The spans that are found outside of those that are there.
pub(super) fn detect(text: &str, taken: &[Value]) -> Vec<Value> {
    let mut found = Vec::new();
    let mut units = 0;
    let mut before = None;
    let mut skip_to = 0;
    for (at, character) in text.char_indices() {
        if at >= skip_to && !before.is_some_and(is_word) {
            let rest = &text[at..];
            if let Some((kind, length)) = at_beginning(rest, before) {
                let span = json!({ "type": kind, "offset": units, "length": rest[..length].encode_utf16().count() });
                if !taken.iter().any(|other| excludes(other, &span)) {
                    found.push(span);
                }
                skip_to = at + length;
            }
        }
        units += character.len_utf16();
        before = Some(character);
    }
    found
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// How long a word of these characters is, in bytes.
fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|character| !belongs(character)).unwrap_or(text.len())
}

fn at_beginning(text: &str, before: Option<char>) -> Option<(&'static str, usize)> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if let Some(rest) = text.strip_prefix('/') {
        if before.is_some_and(|before| matches!(before, '/' | '<' | '>')) {
            return None;
        }
        let mut length = run(rest, is_name);
        if !(1..=64).contains(&length) {
            return None;
        }
        if let Some(bot) = rest[length..].strip_prefix('@') {
            let name = run(bot, is_name);
            length += if (3..=32).contains(&name) { 1 + name } else { 0 };
        }
        let follows = rest[length..].chars().next();
        return (!follows.is_some_and(|follows| follows == '/' || is_word(follows)))
            .then_some(("bot_command", 1 + length));
    }
    if let Some(rest) = text.strip_prefix('@') {
        let length = run(rest, is_name);
        return (3..=32).contains(&length).then_some(("mention", 1 + length));
    }
    if let Some(rest) = text.strip_prefix('#') {
        let length = run(rest, is_word);
        let is_tag = (1..=256).contains(&length) && !rest[..length].chars().all(|character| character.is_ascii_digit());
        return is_tag.then_some(("hashtag", 1 + length));
    }
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let length = run(text, |character| !character.is_whitespace() && !matches!(character, '<' | '>' | '"'));
    let url = text[..length].trim_end_matches(['.', ',', ':', ';', '!', '?', '\'', ')']);
    (url.len() > scheme.len()).then_some(("url", url.len()))
}

/// In code and links nothing is found, elsewhere it must not cross.
fn excludes(taken: &Value, found: &Value) -> bool {
    let range = |span: &Value| {
        let from = span["offset"].as_u64().unwrap_or(0);
        from..from + span["length"].as_u64().unwrap_or(0)
    };
    let (taken_range, found) = (range(taken), range(found));
    if taken_range.end <= found.start || found.end <= taken_range.start {
        return false;
    }
    let holds_others = !matches!(taken["type"].as_str(), Some("code" | "pre" | "text_link" | "text_mention"));
    let is_within = taken_range.start <= found.start && found.end <= taken_range.end;
    let is_around = found.start <= taken_range.start && taken_range.end <= found.end;
    !(holds_others && (is_within || is_around))
}
