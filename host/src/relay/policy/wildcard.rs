//! Names of tools in which `*` stands for anything, also for nothing.

/// A tool's name, or a pattern of names. Upper and lower case are one: who writes `bash` means `Bash`, and a rule that
/// holds for too much only asks the terminal, or a second approver, once too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wildcard {
    written: String,
    /// What stands before, between and after the stars, in lower case.
    pieces: Vec<String>,
}

impl Wildcard {
    /// The longest name, in bytes.
    const LONGEST: usize = 256;

    /// Takes what could match a tool's name; none for what never could, such as a rule about a tool's arguments.
    pub(super) fn parse(written: &str) -> Option<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-.:/*".contains(c);
        let shaped = !written.is_empty() && written.len() <= Self::LONGEST && written.chars().all(fits);
        shaped.then(|| Self {
            written: written.to_owned(),
            pieces: written.to_ascii_lowercase().split('*').map(str::to_owned).collect(),
        })
    }

    /// As the user wrote it.
    pub(super) fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether a tool has such a name. Takes time in proportion to both lengths: each piece is looked for once, from
    /// where the one before it ended, and the leftmost place is never worse than a later one.
    pub(super) fn matches(&self, tool: &str) -> bool {
        let tool = tool.to_ascii_lowercase();
        let [first, between @ .., last] = &self.pieces[..] else {
            // Without a star there is one piece, which is the name.
            return self.pieces.contains(&tool);
        };
        let Some(rest) = tool.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
            return false;
        };
        let left =
            between.iter().try_fold(rest, |rest, piece| rest.find(piece.as_str()).map(|at| &rest[at + piece.len()..]));
        left.is_some()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, tool: &str) -> bool {
        Wildcard::parse(pattern).unwrap().matches(tool)
    }

    #[test]
    fn a_star_stands_for_anything_and_nothing() {
        for (pattern, tool, expected) in [
            ("Bash", "Bash", true),
            ("Bash", "BashOutput", false),
            ("Bash", "xBash", false),
            ("bash", "Bash", true),
            ("Bash", "", false),
            ("Bash*", "Bash", true),
            ("Bash*", "BashOutput", true),
            ("*Output", "BashOutput", true),
            ("*Output", "OutputBash", false),
            ("mcp__bank__*", "mcp__bank__pay", true),
            ("mcp__bank__*", "mcp__banker__pay", false),
            ("mcp__*__delete*", "mcp__files__delete_all", true),
            ("mcp__*__delete*", "mcp__files__read", false),
            ("*", "", true),
            ("*", "anything at all", true),
            ("**", "x", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*a*a", "aa", false),
            ("ab*ba", "aba", false),
            ("*ab*", "aab", true),
            ("*aab*aab*", "aabab aab", true),
            ("mcp__Straße", "mcp__straße", false),
        ] {
            let parsed = Wildcard::parse(pattern).map(|pattern| pattern.matches(tool)).unwrap_or_default();
            assert_eq!(parsed, expected, "{pattern} {tool}");
        }
    }

    #[test]
    fn what_can_match_no_tool_is_refused() {
        let long = "x".repeat(257);
        for bad in ["", " Bash", "Bash ", "Bash(rm *)", "Bash,Write", "a?", "[ab]", "\u{200b}Bash", "Ва", &long] {
            assert_eq!(Wildcard::parse(bad), None, "{bad:?}");
        }
        for good in ["Bash", "mcp__a-b__c.d", "plugin:x/y", "*"] {
            assert_eq!(Wildcard::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn many_stars_against_a_long_name_are_no_work() {
        // A matcher that goes back would not end.
        assert!(!matches(&format!("{}b", "a*".repeat(120)), &"a".repeat(200_000)));
    }

    /// What a star means, said in the simplest way: here it stands for so many of the characters that are left.
    fn by_definition(pattern: &[u8], tool: &[u8]) -> bool {
        match pattern.split_first() {
            None => tool.is_empty(),
            Some((b'*', rest)) => (0..=tool.len()).any(|taken| by_definition(rest, &tool[taken..])),
            Some((byte, rest)) => tool
                .split_first()
                .is_some_and(|(first, left)| first.eq_ignore_ascii_case(byte) && by_definition(rest, left)),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_matches_exactly_what_the_star_means(pattern in "[abA*]{1,7}", tool in "[abB]{0,8}") {
            prop_assert_eq!(matches(&pattern, &tool), by_definition(pattern.as_bytes(), tool.as_bytes()));
        }

        #[test]
        fn a_name_matches_itself_and_any_of_its_pieces_may_be_a_star(
            name in "[A-Za-z_]{1,30}", from in 0..30usize, length in 0..30usize,
        ) {
            prop_assert!(matches(&name, &name));
            let from = from % name.len();
            let to = (from + length).min(name.len());
            let starred = format!("{}*{}", &name[..from], &name[to..]);
            prop_assert!(matches(&starred, &name), "{} {}", starred, name);
        }

        #[test]
        fn no_name_of_a_tool_makes_it_fail(pattern in "[a-zA-Z_*]{1,20}", tool in any::<String>()) {
            let _ = matches(&pattern, &tool);
        }
    }
}
