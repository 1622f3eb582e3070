//! Regular expressions that count as a mention. The engine runs in linear time, whatever the expression.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::{access::Problem, visible};

/// The longest expression, in bytes.
const MAX_PATTERN: usize = 512;
/// The largest compiled expression, in bytes.
const MAX_COMPILED: usize = 256 * 1024;
/// The most expressions that are used.
const MAX_PATTERNS: usize = 32;
/// How far into a text is looked, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// The usable ones of a list of expressions. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Mentions {
    written: Vec<String>,
    compiled: Arc<[Regex]>,
    problems: Arc<[Problem]>,
}

impl Mentions {
    /// Compiles them; what is already compiled is taken over.
    pub(super) fn compile(written: &[String], known: Option<&Self>) -> Self {
        if let Some(known) = known.filter(|known| known.written == written) {
            return known.clone();
        }
        let mut compiled = Vec::new();
        let mut problems = Vec::new();
        for (index, pattern) in written.iter().enumerate() {
            let result = if index < MAX_PATTERNS {
                self::compile(pattern)
            } else {
                Err(format!("only the first {MAX_PATTERNS} are used"))
            };
            match result {
                Ok(regex) => compiled.push(regex),
                Err(why) => {
                    problems
                        .push(Problem { at: format!("mentionPatterns[{index}] \"{}\"", visible(pattern, 60)), why });
                }
            }
        }
        Self { written: written.to_vec(), compiled: compiled.into(), problems: problems.into() }
    }

    /// Whether one of them matches.
    pub(super) fn found_in(&self, text: &str) -> bool {
        let text = &text[..text.floor_char_boundary(MAX_TEXT)];
        self.compiled.iter().any(|regex| regex.is_match(text))
    }

    /// Which ones are not used, and why.
    pub(super) fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// Compiles one expression without regard to case, as the official plugins do.
fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.is_empty() {
        return Err("it is empty and would match everything; `--no-mention` on the group does that".into());
    }
    if pattern.len() > MAX_PATTERN {
        return Err(format!("it is longer than {MAX_PATTERN} bytes"));
    }
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(32)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it becomes too large: use smaller repetitions".to_owned(),
            // The last line says what is wrong; those before draw where, which needs several lines.
            error => visible(error.to_string().lines().last().unwrap_or("it is no regular expression").trim(), 160),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_expression_is_reported_and_the_others_work() {
        let written =
            ["^hey claude\\b", "(", "(?=x)", "\\w{5}{5}{5}{5}{5}{5}", "", "\\bassistant\\b"].map(str::to_owned);
        let mentions = Mentions::compile(&written, None);
        assert_eq!(mentions.problems().len(), 4, "{:?}", mentions.problems());
        for (text, found) in [
            ("Hey Claude, look", true),
            ("say hey claude", false),
            ("my ASSISTANT!", true),
            ("assistants", false),
            ("", false),
        ] {
            assert_eq!(mentions.found_in(text), found, "{text}");
        }
    }

    #[test]
    fn no_more_expressions_than_the_bound_are_used_and_texts_are_cut_between_characters() {
        let written: Vec<_> = (0..40).map(|n| format!("word{n}x")).collect();
        let mentions = Mentions::compile(&written, None);
        assert_eq!(mentions.problems().len(), 8);
        assert!(mentions.found_in("word31x") && !mentions.found_in("word32x"));
        assert!(!mentions.found_in(&format!("a{}word1x", "ü".repeat(MAX_TEXT))));
    }
}
