//! What a secret must look like, said before it is used anywhere.

use super::MAX_BYTES;
use crate::{gate::visible, manifest::Pattern};

/// What is wrong with a value for a variable; `None` if nothing is. The words tell the mistake and never the value or
/// its length.
///
/// A value is text, one line and not empty. With a pattern it matches as a whole; what does not is told by the mistakes
/// that people make when they copy.
#[must_use]
pub fn fault(value: &[u8], variable: &str, pattern: Option<&Pattern>) -> Option<String> {
    let Ok(text) = std::str::from_utf8(value) else { return Some("it is not text".into()) };
    if text.is_empty() {
        return Some("it is empty".into());
    }
    if value.len() as u64 > MAX_BYTES {
        return Some("it is too long for a secret".into());
    }
    if is_whole_line(value, variable) {
        return Some(format!("the whole line was pasted; leave out `{}=`", visible(variable, 100)));
    }
    if pattern.is_some_and(|pattern| !text.contains(char::is_control) && pattern.matches(text)) {
        return None;
    }
    let mistake = if text.trim() != text {
        "it has spaces or line breaks around it; leave them out"
    } else if text.contains(char::is_control) {
        "it has a line break or another control character in it; it must be one line"
    } else if pattern.is_none() {
        return None;
    } else if text.starts_with(['"', '\'', '`', '“', '”', '‘', '’'])
        || text.ends_with(['"', '\'', '`', '“', '”', '‘', '’'])
    {
        "it has quotes around it; leave them out"
    } else if text.contains(char::is_whitespace) {
        "it has a space in it; copy the secret alone"
    } else {
        "it does not look like one"
    };
    Some(match pattern {
        Some(pattern) => format!("{mistake} (it must match {})", visible(pattern.as_str(), 120)),
        None => mistake.into(),
    })
}

/// Whether a line of a file was taken for the value: `NAME=value`, perhaps with `export` before it.
pub(super) fn is_whole_line(value: &[u8], variable: &str) -> bool {
    let line = value.trim_ascii_start();
    let line = line.strip_prefix(b"export ").map_or(line, <[u8]>::trim_ascii_start);
    line.strip_prefix(variable.as_bytes()).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"="))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "123456:ABCdefGHIjklMNOpqrSTUvwxYZ_0123456789";

    static TELEGRAM: LazyLock<Pattern> = LazyLock::new(|| Pattern::parse(r"\d+:[\w-]{30,}").unwrap());

    #[test]
    fn common_mistakes_have_their_own_words() {
        let token = |around: &str| around.replace('_', TOKEN);
        for (value, words) in [
            (token(" _"), "spaces"),
            (token("_\r"), "spaces or line breaks"),
            (token("\"_\""), "quotes"),
            (token("'_'"), "quotes"),
            (token("“_”"), "quotes"),
            (format!("TELEGRAM_BOT_TOKEN={TOKEN}"), "leave out `TELEGRAM_BOT_TOKEN=`"),
            (format!("export TELEGRAM_BOT_TOKEN = {TOKEN}"), "leave out `TELEGRAM_BOT_TOKEN=`"),
            (format!("{TOKEN} # my bot"), "a space in it"),
            (format!("{TOKEN}\nX"), "control character"),
            (String::new(), "empty"),
            ("hunter2".into(), "does not look like one"),
        ] {
            let fault = fault(value.as_bytes(), "TELEGRAM_BOT_TOKEN", Some(&TELEGRAM)).unwrap();
            assert!(fault.contains(words), "{value:?}: {fault}");
        }
        assert_eq!(fault(TOKEN.as_bytes(), "TELEGRAM_BOT_TOKEN", Some(&TELEGRAM)), None);
        assert_eq!(fault(b"\xff", "X", None).as_deref(), Some("it is not text"));
    }

    #[test]
    fn without_a_pattern_any_line_will_do() {
        for value in ["x", "a b", "\"quoted\"", "a=b"] {
            assert_eq!(fault(value.as_bytes(), "X", None), None, "{value}");
        }
        for value in ["", " x", "x\n", "a\nb", "X=y"] {
            assert!(fault(value.as_bytes(), "X", None).is_some(), "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn a_fault_never_tells_the_value_or_its_length(value in "[^A-Za-z]{0,3}[QZ]{9,40}[^A-Za-z]{0,3}") {
            let Some(fault) = fault(value.as_bytes(), "TELEGRAM_BOT_TOKEN", Some(&TELEGRAM)) else { return Ok(()) };
            let core: String = value.chars().filter(char::is_ascii_uppercase).collect();
            prop_assert!(!fault.contains(&core));
            let other = value.replace(&core, "QZQZQZQZQ");
            let same = super::fault(other.as_bytes(), "TELEGRAM_BOT_TOKEN", Some(&TELEGRAM));
            prop_assert_eq!(Some(fault), same);
        }
    }
}
