//! Foreign text on the user's terminal: ids, names and messages that a stranger chose.
//!
//! Whatever a person reads before deciding about somebody goes through [`visible`], and whatever they may
//! copy into a shell goes through [`word`].

use std::fmt::Write as _;

/// The longest id, in bytes. Platforms' ids are far shorter.
const MAX_ID: usize = 256;

/// Whether a character has no shape of its own, or changes the direction or the place of others.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text as it may be shown to the user: one line, hidden characters written out (`\n`, `\u{202e}`), at most
/// `max` characters, an ellipsis where it was cut.
#[must_use]
pub fn visible(text: &str, max: usize) -> String {
    let mut shown = String::new();
    let mut length = 0;
    let mut piece = String::new();
    for c in text.chars() {
        piece.clear();
        match c {
            '\n' => piece.push_str("\\n"),
            '\t' => piece.push(' '),
            c if is_hidden(c) => {
                let _ = write!(piece, "{}", c.escape_unicode());
            }
            c => piece.push(c),
        }
        length += piece.chars().count();
        if length > max {
            shown.push('…');
            break;
        }
        shown.push_str(&piece);
    }
    shown
}

/// What is wrong with an id as the user would have to type, read and compare it; `None` if nothing is.
pub(super) fn id_fault(id: &str) -> Option<&'static str> {
    if id.is_empty() {
        Some("it is empty")
    } else if id.len() > MAX_ID {
        Some("it is longer than 256 bytes")
    } else if id.chars().any(is_hidden) {
        Some("it has control or invisible characters")
    } else if id.trim() != id {
        Some("it begins or ends with a space")
    } else {
        None
    }
}

/// An id as one word of a command line that the user may paste into a shell. Nothing in it is expanded, and it
/// is never taken for an option.
pub(super) fn word(id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@.:+-".contains(c);
    let quoted = if !id.is_empty() && id.chars().all(plain) {
        id.to_owned()
    } else {
        format!("'{}'", visible(id, MAX_ID).replace('\'', r"'\''"))
    };
    let number = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
    match id.strip_prefix('-') {
        Some(rest) if !number(rest) => format!("-- {quoted}"),
        _ => quoted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_written_out_and_long_texts_are_cut() {
        for (text, max, shown) in [
            ("hello", 10, "hello"),
            ("hello", 5, "hello"),
            ("hello!", 5, "hello…"),
            ("a\nb\tc", 10, "a\\nb c"),
            ("\u{1b}[31mred", 40, "\\u{1b}[31mred"),
            ("abc\u{202e}def", 40, "abc\\u{202e}def"),
            ("\u{200b}\u{e0041}", 40, "\\u{200b}\\u{e0041}"),
            ("grüße 👍", 40, "grüße 👍"),
        ] {
            assert_eq!(visible(text, max), shown);
        }
    }

    #[test]
    fn an_id_in_a_command_is_one_word_and_never_an_option_or_an_expansion() {
        for (id, shown) in [
            ("412587349", "412587349"),
            ("-1001654782309", "-1001654782309"),
            ("a@example.org", "a@example.org"),
            ("$(reboot)", "'$(reboot)'"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("--no-mention", "-- --no-mention"),
            ("-", "-- -"),
            ("a\nb", "'a\\nb'"),
        ] {
            assert_eq!(word(id), shown);
        }
    }

    #[test]
    fn ids_that_nobody_could_read_or_type_are_faulty() {
        for good in ["1", "-100", "U024BE7LH", "+4915112345678", "a b", "名前"] {
            assert_eq!(id_fault(good), None, "{good}");
        }
        for bad in ["", " 1", "1\n", "a\u{202e}b", "\u{200b}1", "a\0", &"x".repeat(257)] {
            assert!(id_fault(bad).is_some(), "{bad:?}");
        }
    }
}
