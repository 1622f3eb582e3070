//! Names of files that came from elsewhere, made safe for a directory, a header and an attribute.

use crate::manifest::is_plain;

/// Most characters of a safe name.
const MOST_CHARS: usize = 120;
/// Most bytes of a safe name: with the id before it, it fits into the 255 bytes that file systems allow.
const MOST_BYTES: usize = 200;
/// Most characters of what counts as an extension.
const MOST_EXTENSION: usize = 16;
/// Names that Windows takes for devices, with any extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Makes a name from elsewhere safe: no directories, no leading dot, nothing that does not show, nothing with a
/// meaning to shells, markup or Windows, at most 120 characters (200 bytes). The extension is kept.
///
/// The result is never empty, and a safe name stays as it is.
#[must_use]
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let shown: String = last.chars().filter(|c| is_plain(*c)).map(replaced).collect();
    let trimmed = shown.trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    if trimmed.is_empty() {
        return "file".to_owned();
    }
    let named = if is_device(trimmed) { format!("_{trimmed}") } else { trimmed.to_owned() };
    shortened(&named)
}

fn replaced(c: char) -> char {
    match c {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' | '&' | '`' | '$' | ';' | '\'' => '_',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = |port: &str| {
        stem.strip_prefix(port).is_some_and(|n| n.chars().count() == 1 && n.contains(|c: char| c.is_numeric()))
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

fn shortened(name: &str) -> String {
    if fits(name) {
        return name.to_owned();
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.chars().count() <= MOST_EXTENSION => {
            (stem, format!(".{extension}"))
        }
        _ => (name, String::new()),
    };
    let chars = MOST_CHARS - extension.chars().count();
    let bytes = MOST_BYTES - extension.len();
    let end = stem
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take(chars)
        .take_while(|end| *end <= bytes)
        .last()
        .unwrap_or_default();
    format!("{}{extension}", stem[..end].trim_end_matches(['.', ' ']))
}

fn fits(name: &str) -> bool {
    name.len() <= MOST_BYTES && name.chars().count() <= MOST_CHARS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_made_safe_and_stay_recognisable() {
        for (name, safe) in [
            ("photo.jpg", "photo.jpg"),
            ("", "file"),
            ("..", "file"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\cat.png", "cat.png"),
            ("dir/", "dir"),
            (".env", "env"),
            ("...", "file"),
            ("a\0b\n.txt", "ab.txt"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("com1 .txt", "_com1 .txt"),
            ("lpt\u{b9}", "_lpt\u{b9}"),
            ("common.txt", "common.txt"),
            ("<b>&\"x\".html", "_b___x_.html"),
            ("größe 漢字.pdf", "größe 漢字.pdf"),
            ("trailing. . ", "trailing"),
            ("a\u{a0}b", "a b"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        assert_eq!(safe_name(&format!("{}.jpeg", "x".repeat(300))), format!("{}.jpeg", "x".repeat(115)));
        assert_eq!(safe_name(&"漢".repeat(300)).len(), 198);
    }

    proptest! {
        #[test]
        fn whatever_comes_a_safe_name_is_one_plain_segment(name in any::<String>()) {
            let safe = safe_name(&name);
            prop_assert!(!safe.is_empty() && fits(&safe));
            prop_assert!(!safe.starts_with(['.', ' ']) && !safe.ends_with(['.', ' ']));
            prop_assert!(!safe.contains(['/', '\\', ':', '"', '<', '>']) && safe.chars().all(is_plain));
            prop_assert!(!is_device(&safe));
            prop_assert_eq!(safe_name(&safe), safe.clone());
        }

        #[test]
        fn hard_characters_change_nothing_about_that(name in "[./\\\\ :a\u{202e}\u{e9}\u{6f22}conCOM1\u{b9}\\x00-\\x20]{0,260}") {
            let safe = safe_name(&name);
            prop_assert!(!safe.starts_with(['.', ' ']) && !is_device(&safe) && fits(&safe));
            prop_assert_eq!(safe_name(&safe), safe.clone());
        }
    }
}
