//! Foreign text as an approver reads it: everything shows, nothing hides, and nothing looks like words of the host's.
//!
//! What does not show is written out between `⟨` and `⟩`. These signs, and those that stand for a tab and for a line
//! break, are written out themselves where they are foreign: so every text can be told from what is shown of it, and
//! a mark is always the host's. What is left is what platforms repeat unchanged: no control characters but line
//! breaks, no white space but single spaces between words and indentation.

use std::borrow::Cow;

use crate::manifest::is_plain;

/// Stands for a tab.
const TAB: char = '⇥';
/// Stands for a line break where there is no other: in a text of one line, and at the end of a value.
const LINE_BREAK: char = '⏎';
/// Opens a mark.
const MARK: char = '⟨';
/// More spaces in a row than these are counted.
const MOST_SPACES: usize = 24;
/// More empty lines in a row than these are counted.
const MOST_EMPTY_LINES: usize = 2;
/// More combining marks on a letter than these are written out.
const MOST_MARKS: u8 = 2;

/// The smallest part of a shown text: it is there as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Atom<'t> {
    /// What is shown; a line break is one of its own.
    pub(super) shown: Cow<'t, str>,
    /// The characters of the foreign text that it stands for.
    pub(super) stands_for: usize,
}

impl<'t> Atom<'t> {
    /// A character that is shown already.
    pub(super) const fn of(shown: &'t str) -> Self {
        Self { shown: Cow::Borrowed(shown), stands_for: 1 }
    }

    fn is_space(&self) -> bool {
        self.shown.chars().all(|c| matches!(c, ' ' | '\n'))
    }
}

/// A value with its line breaks.
pub(super) fn lines(text: &str) -> Vec<Atom<'_>> {
    if text.is_empty() {
        return vec![mark("⟨empty⟩", 0)];
    }
    let (body, last_break) = text.strip_suffix('\n').map_or((text, false), |body| (body, true));
    let mut atoms = Vec::with_capacity(text.len());
    let lines: Vec<&str> = body.split('\n').collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        if at > 0 {
            atoms.push(mark("\n", 1));
        }
        let empty = lines[at..].iter().take_while(|line| line.is_empty()).count();
        let at_an_end = (at == 0 || at + empty == lines.len()) && !body.is_empty();
        if empty > MOST_EMPTY_LINES || (empty > 0 && at_an_end) {
            atoms.push(mark(counted(empty, "empty line"), empty - 1));
            at += empty;
        } else {
            line_of(line, &mut atoms);
            at += 1;
        }
    }
    if last_break {
        atoms.push(mark(String::from(LINE_BREAK), 1));
    }
    atoms
}

/// A text as a single line.
pub(super) fn line(text: &str) -> Vec<Atom<'_>> {
    let mut atoms = Vec::with_capacity(text.len());
    line_of(text, &mut atoms);
    atoms
}

/// All of it.
pub(super) fn whole(atoms: &[Atom<'_>]) -> String {
    atoms.iter().map(|atom| &*atom.shown).collect()
}

/// What fits of it, and how many characters of the foreign text do not.
pub(super) fn cut(atoms: &[Atom<'_>], most: u64, cost: impl Fn(&str) -> u64) -> (String, usize) {
    let mut left = Some(most);
    let fitting = atoms.iter().take_while(|atom| {
        left = left.and_then(|left| left.checked_sub(cost(&atom.shown)));
        left.is_some()
    });
    let mut end = fitting.count();
    if end < atoms.len() {
        while end > 0 && atoms[end - 1].is_space() {
            end -= 1;
        }
    }
    let (shown, missing) = atoms.split_at(end);
    (whole(shown), missing.iter().map(|atom| atom.stands_for).sum())
}

/// A text that was shown before, once more: marks stay what they are.
pub(super) fn again(text: &str) -> String {
    let shown: String = text.chars().map(|c| if is_shown(c) || is_host_sign(c) { c } else { ' ' }).collect();
    shown.trim().to_owned()
}

/// A number as people read it: `1,234`.
pub(super) fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn line_of<'t>(text: &'t str, atoms: &mut Vec<Atom<'t>>) {
    // How many combining marks may follow.
    let mut marks = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == ' ' {
            let behind = rest.trim_start_matches(' ');
            let count = rest.len() - behind.len();
            if count > MOST_SPACES || behind.is_empty() || behind.starts_with('\n') {
                atoms.push(mark(counted(count, "space"), count));
            } else {
                atoms.push(mark(&rest[..count], count));
            }
            (rest, marks) = (behind, 0);
            continue;
        }
        let (own, behind) = rest.split_at(c.len_utf8());
        rest = behind;
        if is_combining(c)
            && marks > 0
            && let Some(letter) = atoms.last_mut()
        {
            letter.shown.to_mut().push(c);
            letter.stands_for += 1;
            marks -= 1;
            continue;
        }
        marks = if c.is_alphanumeric() { MOST_MARKS } else { 0 };
        atoms.push(match c {
            '\t' => mark(String::from(TAB), 1),
            '\n' => mark(String::from(LINE_BREAK), 1),
            c if is_host_sign(c) || !is_shown(c) || is_combining(c) => mark(format!("⟨U+{:04X}⟩", u32::from(c)), 1),
            _ => mark(own, 1),
        });
    }
}

fn mark<'t>(shown: impl Into<Cow<'t, str>>, stands_for: usize) -> Atom<'t> {
    Atom { shown: shown.into(), stands_for }
}

fn counted(count: usize, what: &str) -> String {
    format!("⟨{} {what}{}⟩", number(count), if count == 1 { "" } else { "s" })
}

fn is_host_sign(c: char) -> bool {
    matches!(c, TAB | LINE_BREAK | MARK)
}

/// Whether a character has a shape of its own, takes no other's place and passes through platforms unchanged.
fn is_shown(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    // Telegram drops the first three; the others are drawn over a letter, or around it.
    let covers = matches!(c,
        '\u{30a}' | '\u{333}' | '\u{33f}' | '\u{334}'..='\u{338}' | '\u{488}'..='\u{489}' | '\u{20d0}'..='\u{20ff}');
    is_plain(c) && !c.is_whitespace() && !covers && is_assigned(c)
}

/// Whether Unicode says how a character looks: none that is unassigned, for private use or a control.
///
/// The standard library writes such a character out, and behind a letter none but such.
fn is_assigned(c: char) -> bool {
    let mut text = [b'a', 0, 0, 0, 0];
    let length = c.encode_utf8(&mut text[1..]).len();
    str::from_utf8(&text[..=length]).is_ok_and(|text| text.escape_debug().count() == 2)
}

/// Whether a character that shows is drawn onto the one before it.
fn is_combining(c: char) -> bool {
    !c.is_ascii() && is_shown(c) && c.escape_debug().count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_is_written_out() {
        for (text, shown) in [
            ("npm test", "npm test"),
            ("grüße 漢 🙂 שלום", "grüße 漢 🙂 שלום"),
            ("a\u{202e}b", "a⟨U+202E⟩b"),
            ("a\u{200b}\u{e0041}b", "a⟨U+200B⟩⟨U+E0041⟩b"),
            ("\u{1b}[31m\0\r\u{7f}\u{85}", "⟨U+001B⟩[31m⟨U+0000⟩⟨U+000D⟩⟨U+007F⟩⟨U+0085⟩"),
            ("\u{a0}\u{3000}\u{2003}\u{2028}", "⟨U+00A0⟩⟨U+3000⟩⟨U+2003⟩⟨U+2028⟩"),
            ("❤\u{fe0f} 1\u{fe0f}\u{20e3}", "❤⟨U+FE0F⟩ 1⟨U+FE0F⟩⟨U+20E3⟩"),
            // Unassigned, private use, no character.
            ("\u{378}\u{e000}\u{fdd0}\u{ffff}\u{10ffff}", "⟨U+0378⟩⟨U+E000⟩⟨U+FDD0⟩⟨U+FFFF⟩⟨U+10FFFF⟩"),
            ("e\u{301}\u{302}\u{303}", "e\u{301}\u{302}⟨U+0303⟩"),
            ("\u{301}a /\u{301}", "⟨U+0301⟩a /⟨U+0301⟩"),
            ("a\u{30a}a\u{333}a\u{338}", "a⟨U+030A⟩a⟨U+0333⟩a⟨U+0338⟩"),
            ("⟨3 spaces⟩", "⟨U+27E8⟩3 spaces⟩"),
            ("⇥⏎", "⟨U+21E5⟩⟨U+23CE⟩"),
            ("a\tb\nc", "a⇥b⏎c"),
            (" a ", " a⟨1 space⟩"),
        ] {
            assert_eq!(whole(&line(text)), shown, "{text:?}");
        }
    }

    #[test]
    fn a_value_keeps_its_lines_and_hides_nothing_behind_emptiness() {
        let pushed = format!("a{}b\n{}c", " ".repeat(200), "\n".repeat(40));
        for (text, shown) in [
            ("", "⟨empty⟩"),
            ("\n", "⏎"),
            ("\n\n", "⟨2 empty lines⟩⏎"),
            ("a\n", "a⏎"),
            ("a\n\n\nb", "a\n\n\nb"),
            ("a\n\n\n\nb", "a\n⟨3 empty lines⟩\nb"),
            ("\na\n\n", "⟨1 empty line⟩\na\n⟨1 empty line⟩⏎"),
            ("a  \n  b", "a⟨2 spaces⟩\n  b"),
            ("if x {\n\treturn\n}", "if x {\n⇥return\n}"),
            (&*pushed, "a⟨200 spaces⟩b\n⟨40 empty lines⟩\nc"),
            (" ", "⟨1 space⟩"),
        ] {
            let atoms = lines(text);
            assert_eq!(whole(&atoms), shown, "{text:?}");
            assert_eq!(atoms.iter().map(|atom| atom.stands_for).sum::<usize>(), text.chars().count(), "{text:?}");
        }
    }

    #[test]
    fn what_is_missing_is_counted_in_the_foreign_texts_own_characters() {
        let cost = |shown: &str| shown.chars().count() as u64;
        for (text, most, shown, missing) in [
            ("abcdef", 6, "abcdef", 0),
            ("abcdef", 5, "abcde", 1),
            ("abc def", 4, "abc", 4),
            ("ab\u{202e}cd", 9, "ab", 3),
            ("ab\u{202e}cd", 10, "ab⟨U+202E⟩", 2),
            ("ab\n\n\n\n\ncd", 4, "ab", 7),
            ("ae\u{301}", 2, "a", 2),
            ("abc", 0, "", 3),
        ] {
            assert_eq!(cut(&lines(text), most, cost), (shown.to_owned(), missing), "{text:?} {most}");
        }
    }

    #[test]
    fn numbers_are_grouped() {
        for (of, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(of), shown);
        }
    }
}
