//! Makes text from outside harmless before Claude reads it.
//!
//! Claude Code puts an event's content raw between `<channel …>` and `</channel>`, so whoever writes a message
//! could close that tag, open another, or imitate the client's own notes. Three rules, for content:
//!
//! 1. **Reserved tags.** A `<` (also `＜`, `﹤`) that begins a tag with a reserved name becomes `‹`.
//!    Recognised are opening and closing forms, any case, white space and invisible characters in between,
//!    and letters that only look alike. `<channels>` or `<div>` are other names and stay.
//! 2. **Control characters** go: all of C0, DEL and C1 but newline and tab. Every other line ending
//!    (CR LF, CR, NEL, U+2028, U+2029) becomes a newline.
//! 3. **Invisible and direction-changing characters** go, save where writing needs them: one emoji or text
//!    selector after a visible character that is not a Latin letter, and one joiner (ZWJ, ZWNJ) between two
//!    characters beyond ASCII. So emoji families, Persian and Indic text stay as they are, while hidden
//!    text (tag characters, runs of selectors) does not pass.
//!
//! Attributes keep rules 2 and 3, but are one line (white space becomes a space) and bounded; their `<`
//! is escaped by Claude Code. All is linear in the text's length and idempotent.

use std::borrow::Cow;

use super::lookalike::{is_blank, is_invisible, is_mark, is_separator, is_slash, opens, reads_as};

/// Names of tags with which Claude Code and the model's own format speak, without hyphens and underscores.
/// The tag counts when the name ends there: `system` covers `<system>` and `<system-reminder>`, not `<systems>`.
const RESERVED: [&str; 22] = [
    "antml",
    "assistant",
    "bashinput",
    "bashstderr",
    "bashstdout",
    "channel",
    "commandargs",
    "commandmessage",
    "commandname",
    "functioncalls",
    "functionresults",
    "human",
    "localcommandcaveat",
    "localcommandstderr",
    "localcommandstdout",
    "system",
    "systemreminder",
    "tasknotification",
    "teammatemessage",
    "toolresult",
    "tooluse",
    "userpromptsubmithook",
];

/// No reserved name is longer.
const LONGEST: usize = 24;

/// What stands for a neutralised `<`.
const HARMLESS: char = '‹';

/// The text of an event, harmless and otherwise unchanged.
#[must_use]
pub fn content(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\t') && b != b'<') {
        return Cow::Borrowed(text);
    }
    clean(text, Place::Content, usize::MAX)
}

/// One line of at most `most` characters, for an attribute; what was cut ends in `…`.
#[must_use]
pub fn attribute(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most && text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    clean(text, Place::Attribute, most)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Content,
    Attribute,
}

enum Step {
    Keep,
    Drop,
    Put(char),
}

fn clean(text: &str, place: Place, most: usize) -> Cow<'_, str> {
    // While nothing changed, the output is a prefix of the input and no copy exists.
    let mut changed: Option<String> = None;
    let mut count = 0;
    let mut last: Option<char> = None;
    let mut last_begins = 0;
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let kept = match step(c, last, rest, place) {
            Step::Keep => c,
            Step::Put(other) => {
                changed.get_or_insert_with(|| text[..at].to_owned());
                other
            }
            Step::Drop => {
                changed.get_or_insert_with(|| text[..at].to_owned());
                continue;
            }
        };
        if count == most {
            let mut cut = changed.unwrap_or_else(|| text[..at].to_owned());
            cut.truncate(last_begins);
            cut.push('…');
            return Cow::Owned(cut);
        }
        last_begins = changed.as_ref().map_or(at, String::len);
        if let Some(out) = &mut changed {
            out.push(kept);
        }
        last = Some(kept);
        count += 1;
    }
    changed.map_or(Cow::Borrowed(text), Cow::Owned)
}

fn step(c: char, last: Option<char>, rest: &str, place: Place) -> Step {
    match c {
        ' '..=';' | '='..='~' => Step::Keep,
        '\n' | '\t' if place == Place::Content => Step::Keep,
        '\n' | '\t' => Step::Put(' '),
        '\r' if rest.starts_with('\n') => Step::Drop,
        '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Step::Put(if place == Place::Content { '\n' } else { ' ' }),
        _ if c.is_control() => Step::Drop,
        '\u{200C}' | '\u{200D}'
            if last.is_some_and(joinable) && rest.chars().next().is_some_and(visible_beyond_ascii) =>
        {
            Step::Keep
        }
        '\u{FE0E}' | '\u{FE0F}' if last.is_some_and(selectable) => Step::Keep,
        _ if is_invisible(c) => Step::Drop,
        _ if place == Place::Content && opens(c) && begins_reserved_tag(rest) => Step::Put(HARMLESS),
        _ => Step::Keep,
    }
}

fn visible_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !is_invisible(c)
}

/// May stand before a joiner: `last` was kept, so a selector here follows a visible character.
fn joinable(last: char) -> bool {
    visible_beyond_ascii(last) || matches!(last, '\u{FE0E}' | '\u{FE0F}')
}

/// May stand before a variation selector; the ASCII ones make keycaps.
fn selectable(last: char) -> bool {
    visible_beyond_ascii(last) || matches!(last, '0'..='9' | '#' | '*')
}

/// Whether what follows a `<` reads as a tag with a reserved name. Stops at the next `<`, so that all calls
/// together look at each character once.
fn begins_reserved_tag(rest: &str) -> bool {
    let mut name = [0_u8; LONGEST];
    let mut length = 0;
    for c in rest.chars() {
        if is_invisible(c) || is_mark(c) || (c.is_control() && !c.is_whitespace()) {
            continue;
        }
        if let Some(letter) = reads_as(c) {
            let Some(slot) = name.get_mut(length) else { return false };
            *slot = letter;
            length += 1;
            if !RESERVED.iter().any(|reserved| reserved.as_bytes().starts_with(&name[..length])) {
                return false;
            }
        } else if is_blank(c) || (length > 0 && is_separator(c)) {
            if is_reserved(&name[..length]) {
                return true;
            }
        } else if !(length == 0 && is_slash(c)) {
            return !c.is_alphanumeric() && is_reserved(&name[..length]);
        }
    }
    is_reserved(&name[..length])
}

fn is_reserved(name: &[u8]) -> bool {
    RESERVED.iter().any(|reserved| reserved.as_bytes() == name)
}

#[cfg(test)]
#[path = "sanitise_tests.rs"]
mod tests;
