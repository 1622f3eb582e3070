//! The arguments of a call, read from what Claude Code shows of them.
//!
//! Claude Code sends `{ "name": value, … }` on one line. A value whose JSON has more than 3,500 code points is cut in its
//! middle: the first 2,000, a line `⋯ N code points elided ⋯`, the last 1,500 (observed with 2.1.330). Such a line
//! stands between raw line breaks, which JSON has in no string: so what is cut is never valid JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::show;

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
    /// Not all; how many characters are missing, where it says so.
    Cut(usize),
    /// It ends or breaks off somewhere.
    Broken,
    /// None at all, not even an empty object.
    Absent,
}

/// What all of the arguments are called where they cannot be told apart. No argument's own name has spaces in it.
const ALL: &str = "Arguments as Claude Code sent them";

impl Arguments {
    /// Reads `input_preview`. What is no object of JSON, or has a member twice, is shown as it came.
    pub(super) fn read(preview: &str) -> Self {
        if preview.trim().is_empty() {
            return Self { list: Vec::new(), extent: Extent::Absent };
        }
        let (mended, elided) = mend(preview);
        let extent = match elided {
            Some(missing) => Extent::Cut(missing),
            None if serde_json::from_str::<&RawValue>(preview).is_err() => Extent::Broken,
            None if preview.contains("elided ⋯") => Extent::Cut(0),
            None => Extent::Whole,
        };
        let Some(members) = members(&mended) else {
            let all = Argument { name: ALL.into(), value: preview.to_owned(), word: false };
            return Self { list: vec![all], extent };
        };
        let looks_cut = extent == Extent::Whole && members.iter().any(|(_, raw, value)| looks_cut(raw, value));
        let list = members.into_iter().map(|(name, raw, value)| Argument { word: is_word(raw), name, value }).collect();
        Self { list, extent: if looks_cut { Extent::Cut(0) } else { extent } }
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
    let mut members = serde_json::from_str::<Members<'_>>(text).ok()?.0;
    let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return None;
    }
    members.drain(..).map(member).collect()
}

/// None if it is better shown as it came: a name that is too long, or a string that is no text.
fn member((name, raw): (String, &RawValue)) -> Option<(String, &str, String)> {
    let (name, raw) = (quoted(&name), raw.get());
    let value = match raw.as_bytes().first() {
        // An unpaired surrogate is an error.
        Some(b'"') => serde_json::from_str(raw).ok()?,
        Some(b'{' | b'[') => pretty(raw),
        _ => raw.to_owned(),
    };
    (name.chars().count() <= LONGEST_NAME).then_some((name, raw, value))
}

/// The members of an object in their order, the same one twice if it is there twice.
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
    let text = raw.starts_with('"');
    raw.chars().count() > LONGEST_VALUE
        || (text && value.ends_with('…'))
        || (text && value.ends_with("...") && value.chars().count() >= DOTS)
}

/// Puts the line breaks around Claude Code's lines about cuts into the strings that they stand in; and how many
/// characters these lines say are missing.
fn mend(preview: &str) -> (String, Option<usize>) {
    let mut parts = preview.split("\n⋯ ");
    let mut mended = parts.next().unwrap_or_default().to_owned();
    let mut elided = None;
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (count, behind) = part.split_at(digits);
        let end = |end| Some((behind.strip_prefix(end)?, count.parse::<usize>().ok()?));
        if let Some((behind, count)) = end(" code points elided ⋯\n").or_else(|| end(" code point elided ⋯\n")) {
            elided = Some(elided.unwrap_or(0_usize).saturating_add(count));
            let said = &part[..part.len() - behind.len() - 1];
            mended.extend(["\\n⋯ ", said, "\\n", behind]);
        } else {
            mended.extend(["\n⋯ ", part]);
        }
    }
    (mended, elided)
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

