//! The arguments of a call, read from what Claude Code shows of them.
//!
//! Claude Code sends `{ "name": value, … }` on one line (observed with 2.1.330). A value whose JSON has more than 3,500
//! code points is cut in its middle: the first 2,000, a line `⋯ N code points elided ⋯`, the last 1,500. Behind about
//! 15,000, whole arguments are left out, and a line `⋯ N fields elided: … ⋯` follows the object. Older versions cut
//! everything behind 200 characters. In each case the rest is no JSON any more, because these lines stand between line
//! breaks, which JSON has in no string; so only what is one object of strict JSON is complete.

use std::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::show;
use crate::evidence::Document;

/// Claude Code cuts a value whose JSON is longer, in characters.
const LONGEST_VALUE: usize = 3_500;
/// A value of this length that ends with three dots was probably cut.
const DOTS: usize = 200;
/// The longest name of an argument that is laid out, in characters as they are shown.
const LONGEST_NAME: usize = 80;
/// A number up to this length stands behind its name.
const LONGEST_NUMBER: usize = 40;
/// JSON up to this length stands on one line.
const LONGEST_LINE: usize = 60;
/// Deeper levels of JSON are not indented.
const DEEPEST: usize = 8;

/// What a tool is called with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    /// In the order in which Claude Code sent them.
    pub(super) list: Vec<Argument>,
    /// Whether that is all.
    pub(super) extent: Extent,
}

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Argument {
    /// Its name as it is shown: a plain word, or in quotation marks.
    pub(super) name: String,
    /// Its value, foreign text: what the string says, or JSON.
    pub(super) value: String,
    /// A number, `true`, `false` or `null`: nothing in it that could be taken for something else.
    pub(super) word: bool,
}

/// How much of the arguments Claude Code sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All.
    Whole,
    /// Not all; what is missing, as far as it says so.
    Cut {
        /// Of values.
        characters: usize,
        /// Whole ones.
        arguments: usize,
    },
    /// It breaks off somewhere, or two readers could read it in two ways.
    Broken,
    /// None at all, not even an empty object.
    Absent,
}

impl Extent {
    /// Something seems to be missing.
    const SOMEWHERE: Self = Self::Cut { characters: 0, arguments: 0 };
}

/// What all of the arguments are called where they cannot be told apart. No argument's own name has spaces in it.
const ALL: &str = "Arguments as Claude Code sent them";

impl Arguments {
    /// Reads `input_preview`. What is no object of strict JSON, for example because it has a member twice, is shown as
    /// it came.
    pub(super) fn read(preview: &str) -> Self {
        if preview.trim().is_empty() {
            return Self { list: Vec::new(), extent: Extent::Absent };
        }
        let (mended, left_out) = mend(preview);
        let Some(members) = members(&mended) else {
            let all = Argument { name: ALL.into(), value: preview.to_owned(), word: false };
            return Self { list: vec![all], extent: left_out.unwrap_or(Extent::Broken) };
        };
        let extent = left_out.unwrap_or_else(|| {
            let looks_cut = members.iter().any(|(_, raw, value)| looks_cut(raw, value));
            if looks_cut { Extent::SOMEWHERE } else { Extent::Whole }
        });
        let list = members.into_iter().map(|(name, raw, value)| Argument { word: is_word(raw), name, value }).collect();
        Self { list, extent }
    }

    /// The argument of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Argument> {
        self.list.iter().find(|argument| argument.name == name)
    }
}

/// A foreign name in a line of the host's: as it is if it is a plain word, else in quotation marks that it cannot end.
pub(super) fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", show::whole(&show::line(&escaped)))
}

/// Names as they are shown, JSON, and values; none if that is no object, or one that is better shown as it came.
fn members(text: &str) -> Option<Vec<(String, &str, String)>> {
    Document::parse(Bytes::copy_from_slice(text.as_bytes())).ok()?;
    serde_json::from_str::<Members<'_>>(text).ok()?.0.into_iter().map(member).collect()
}

/// None if its name is too long for a line of its own.
fn member((name, raw): (String, &RawValue)) -> Option<(String, &str, String)> {
    let (name, raw) = (quoted(&name), raw.get());
    let value = match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).ok()?,
        Some(b'{' | b'[') => pretty(raw),
        _ => raw.to_owned(),
    };
    (name.chars().count() <= LONGEST_NAME).then_some((name, raw, value))
}

/// The members of an object in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

fn is_word(raw: &str) -> bool {
    !raw.starts_with(['"', '{', '[']) && raw.len() <= LONGEST_NUMBER
}

/// Whether a value looks as if Claude Code had cut it in a way that is not known here.
fn looks_cut(raw: &str, value: &str) -> bool {
    let dots = value.ends_with('…') || (value.ends_with("...") && value.chars().count() >= DOTS);
    raw.chars().count() > LONGEST_VALUE || raw.contains("elided ⋯") || (raw.starts_with('"') && dots)
}

/// What Claude Code cut, so that it can be laid out: its lines about values become lines of the strings that they
/// stand in, and the one about arguments goes. And what these lines say is missing, if there are any.
fn mend(preview: &str) -> (String, Option<Extent>) {
    let (mut characters, mut arguments, mut cut) = (0_usize, 0_usize, false);
    let mut parts = preview.split("\n⋯ ");
    let mut mended = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (count, said) = part.split_at(part.bytes().take_while(u8::is_ascii_digit).count());
        let count = count.parse::<usize>().ok();
        let value =
            said.strip_prefix(" code point elided ⋯\n").or_else(|| said.strip_prefix(" code points elided ⋯\n"));
        let fields = said.starts_with(" field elided: ") || said.starts_with(" fields elided: ");
        match (count, value) {
            (Some(count), Some(behind)) => {
                (characters, cut) = (characters.saturating_add(count), true);
                mended.extend(["\\n⋯ ", part[..part.len() - behind.len()].trim_end(), "\\n", behind]);
            }
            (Some(count), None) if fields => (arguments, cut) = (arguments.saturating_add(count), true),
            _ => mended.extend(["\n⋯ ", part]),
        }
    }
    (mended, cut.then_some(Extent::Cut { characters, arguments }))
}

/// Valid JSON on one line if it is short, else indented; strings and numbers as they are.
fn pretty(raw: &str) -> String {
    let line = spaced(raw, 0);
    if line.chars().count() <= LONGEST_LINE { line } else { spaced(raw, DEEPEST) }
}

/// Valid JSON with each value down to that level on a line of its own.
fn spaced(raw: &str, levels: usize) -> String {
    let mut out = String::with_capacity(raw.len() * 2);
    let (mut depth, mut opened) = (0_usize, false);
    let mut chars = raw.chars();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = chars.next() {
        if c.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(c, '}' | ']');
        if opened && !closes && depth <= levels {
            line(&mut out, depth);
        }
        if closes {
            depth = depth.saturating_sub(1);
            if !opened && depth < levels {
                line(&mut out, depth);
            }
        }
        opened = false;
        out.push(c);
        match c {
            '{' | '[' => (depth, opened) = (depth + 1, true),
            ',' if depth <= levels => line(&mut out, depth),
            ',' | ':' => out.push(' '),
            '"' => string(&mut chars, &mut out),
            _ => {}
        }
    }
    out
}

/// The rest of a string.
fn string(chars: &mut std::str::Chars<'_>, out: &mut String) {
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '\\' => out.extend(chars.next()),
            '"' => break,
            _ => {}
        }
    }
}
