//! What a person would take for a typed verdict: one word and five letters, whatever they are drawn with.
//!
//! The exact form is [`typed`](super::typed)'s; this is every text that a person could take for it. Such a text is
//! kept from Claude, so the rule stays narrow: nothing but the word and the code, in this order, may be in it.
//!
//! | in the text | reads as |
//! | --- | --- |
//! | letters of other alphabets, capitals, accents | the letter they are drawn like |
//! | marks on a letter | nothing |
//! | invisible characters, punctuation, symbols | nothing, but something stands between word and code |
//! | `l`, `1` and `0` | letters of a code, which has no `l` and no digits |
//! | an apostrophe | the end of a part: `that's` is no code |
//! | white space | the end of a part, but `a b c d e` is a code |
//! | any other letter or digit | something else than a verdict |

use crate::outbox::lookalike::{folded, is_blank, is_invisible, is_mark};

/// The words.
const WORDS: [&[u8]; 4] = [b"yes", b"y", b"no", b"n"];
/// How many letters a code has.
const CODE: usize = 5;
/// Letters of the longest word and a code.
const LONGEST: usize = 3 + CODE;

/// What stands between a letter and the one before it. A later one outweighs an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    Nothing,
    /// Something that is not read.
    Unread,
    Apostrophe,
    Blank,
}

/// Whether a person could take a text for a verdict. Whatever [`typed`](super::typed) reads is one of them.
#[must_use]
pub fn looks_like_verdict(text: &str) -> bool {
    let mut letters: Vec<(Gap, u8)> = Vec::with_capacity(LONGEST);
    let mut gap = Gap::Nothing;
    for c in text.chars() {
        match letter(c) {
            _ if is_mark(c) => {}
            Some(_) if letters.len() == LONGEST => return false,
            Some(letter) => {
                letters.push((gap, letter));
                gap = Gap::Nothing;
            }
            None if is_blank(c) => gap = Gap::Blank,
            None if is_apostrophe(c) => gap = gap.max(Gap::Apostrophe),
            None if c.is_alphanumeric() && !is_invisible(c) => return false,
            None => gap = gap.max(Gap::Unread),
        }
    }
    WORDS.into_iter().any(|word| is_word_and_code(&letters, word))
}

fn is_word_and_code(letters: &[(Gap, u8)], word: &[u8]) -> bool {
    if letters.len() != word.len() + CODE {
        return false;
    }
    let (said, code) = letters.split_at(word.len());
    let is_word = said.iter().map(|(_, letter)| if *letter == b'0' { b'o' } else { *letter }).eq(word.iter().copied());
    let is_code = code.iter().all(|(_, letter)| matches!(letter, b'a'..=b'z' | b'0' | b'1'))
        && code.iter().any(|(_, letter)| letter.is_ascii_lowercase());
    is_word && is_code && code[0].0 > Gap::Nothing && is_one_part(said) && is_one_part(code)
}

/// Whether letters are written together, or each for itself.
fn is_one_part(letters: &[(Gap, u8)]) -> bool {
    let mut gaps = letters.iter().skip(1).map(|(gap, _)| *gap);
    gaps.clone().all(|gap| gap <= Gap::Unread) || gaps.all(|gap| gap == Gap::Blank)
}

/// The lower-case letter or digit that a character reads as.
fn letter(c: char) -> Option<u8> {
    if is_apostrophe(c) || is_invisible(c) { None } else { folded(c) }
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2BC}' | '\u{2032}' | '\u{FF07}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::relay::typed;

    #[test]
    fn what_a_person_would_take_for_a_verdict_looks_like_one() {
        for text in [
            "yes abcde",
            "  N\tabcde\n",
            "YES ABCDE",
            "Yes: abcde",
            "yes, abcde.",
            "“yes abcde”",
            "'no abcde'",
            "‘no’ ‘abcde’",
            "«no» «abcde»",
            "`yes abcde`",
            "**yes** `abcde`",
            "yes (abcde)",
            "yes <abcde>",
            "> yes abcde",
            "/yes abcde",
            "yes-abcde",
            "yes_abcde",
            "no/abcde",
            "yes‑abcde!!!",
            "yes abc-de",
            "y.e.s a.b.c.d.e",
            "yes a b c d e",
            "y e s a b c d e",
            "✅ yes abcde 👍🏽",
            "yes\u{200B}abcde",
            "y\u{200D}es ab\u{AD}cde\u{FEFF}",
            "ye\u{2060}s\u{2060}ab\u{2060}cde",
            "yes\u{3164}abcde",
            "yes\u{A0}abcde",
            "yes\u{2800}abcde",
            "\u{202E}yes abcde",
            "yes\u{0}abcde",
            "yes abcde\u{E0041}",
            "уеѕ abcde",
            "yes аbсdе",
            "ｙｅｓ　ａｂｃｄｅ",
            "\u{1D432}\u{1D41E}\u{1D42C} \u{1D41A}\u{1D41B}\u{1D41C}\u{1D41D}\u{1D41E}",
            "🇾🇪🇸 🅰🅱🅲🅳🅴",
            "ⓨⓔⓢ ⓐⓑⓒⓓⓔ",
            "yés àbçdë",
            "ye\u{301}s abcde\u{300}",
            "ño ạbcdẽ",
            "no κνωхž",
            "no jkqvw",
            "yes ablde",
            "yes ab1de",
            "yes abIde",
            "yes ab0de",
            "n0 abcde",
            "yes \u{1D7CF}bcde",
            // Ordinary words: the exact form takes them too.
            "yes maybe",
            "No, sorry.",
        ] {
            assert!(looks_like_verdict(text), "{text:?}");
        }
    }

    #[test]
    fn ordinary_chat_passes() {
        for text in [
            "",
            " ",
            "y",
            "no",
            "yes",
            "Yes!",
            "yes please",
            "no thanks",
            "yes that works",
            "yes that's",
            "no it isn't",
            "no, wasn’t",
            "yes we can",
            "no she is",
            "yes it is so",
            "no never mind",
            "nothing",
            "nobody",
            "number",
            "yellow",
            "y'all come",
            "yes abcd",
            "yes abcdef",
            "yes abcde now",
            "ok yes abcde",
            "abcde yes",
            "maybe no",
            "yep abcde",
            "abcde",
            "yes 23456",
            "no 10:30",
            "no 10,101",
            "n\u{303}oquis",
            "no ab2de",
            "yes 2 of them",
            "yes 日本語日本",
            "нет спасибо",
            "да конечно",
            "у меня всё хорошо",
            "όχι ευχαριστώ",
            "n/a",
            "y/n?",
            "no 👍",
        ] {
            assert!(!looks_like_verdict(text), "{text:?}");
        }
    }

    #[test]
    fn much_that_is_not_read_changes_nothing() {
        let hidden = "\u{200B}".repeat(100_000);
        assert!(looks_like_verdict(&format!("{hidden}yes {hidden}ab{hidden}cde")));
        assert!(!looks_like_verdict(&format!("yes{hidden}please")));
    }

    proptest! {
        /// The shape is wider than the exact one.
        #[test]
        fn whatever_is_a_verdict_looks_like_one(text in r"(?i-u)\s{0,3}(y|yes|n|no|yep)\s{1,3}[a-z]{4,6}\s{0,3}") {
            prop_assert!(typed(&text).is_none() || looks_like_verdict(&text), "{text:?}");
        }

        /// Nothing between, around or above the letters hides a verdict.
        #[test]
        fn decoration_hides_nothing(
            word in "(y|yes|n|no)", code in "[a-km-z]{5}", capitals: bool,
            decoration in prop::collection::vec("[\u{200B}\u{AD}\u{301}\u{FEFF}\u{E0061}.,:;*_~\"“”()-]{0,3}", 9),
        ) {
            let mut text = decoration[8].clone();
            for (c, after) in word.chars().zip(&decoration) {
                text.extend([c.to_string(), after.clone()]);
            }
            text.push(' ');
            for (c, after) in code.chars().zip(&decoration[3..]) {
                text.extend([c.to_string(), after.clone()]);
            }
            if capitals {
                text = text.to_uppercase();
            }
            prop_assert!(looks_like_verdict(&text), "{text:?}");
        }

        /// Any text is judged without a failure.
        #[test]
        fn no_text_is_too_strange(text: String) {
            let _ = looks_like_verdict(&text);
        }
    }
}
