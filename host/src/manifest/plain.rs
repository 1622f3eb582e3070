//! Text that shows all that it holds.

/// Whether a character shows in a line of text: no control, no direction-changing and no invisible character.
///
/// Variation selectors and joiners count as invisible, because they can carry hidden words.
#[must_use]
pub fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The beginning of a foreign text for an error: at most `most` characters, everything that does not show escaped.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == most {
            out.push('…');
            break;
        }
        if is_plain(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_is_not_plain() {
        for hidden in
            ['\0', '\n', '\u{1b}', '\u{85}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{e0041}', '\u{fe0f}']
        {
            assert!(!is_plain(hidden), "{hidden:?}");
        }
        for shown in ['a', ' ', 'ä', '漢', '🙂', '"', '~'] {
            assert!(is_plain(shown), "{shown:?}");
        }
    }

    #[test]
    fn an_excerpt_is_short_and_shows_everything() {
        assert_eq!(excerpt("ab\n\u{202e}", 10), "ab\\u{a}\\u{202e}");
        assert_eq!(excerpt("abcdef", 3), "abc…");
    }
}
