//! Codes and tokens: what an approver answers with.

use std::{collections::HashSet, fmt};

use super::Verdict;

/// Letters of a code: a to z without l, as Claude Code's own, so that phones need no switch of the keyboard and no
/// letter is taken for a digit.
const LETTERS: &[u8; 25] = b"abcdefghijkmnopqrstuvwxyz";
/// How many letters a code has.
const LENGTH: usize = 5;
/// What every token begins with: no other button has it.
const PREFIX: &str = "sg.";
/// Bytes of chance in a token.
const TOKEN_BYTES: usize = 16;

/// Five letters, for one approver and one request.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Code(String);

impl Code {
    /// The letters, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows nothing: whoever knows a code could answer with it.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// What comes back when a button is pressed: 128 bits of chance behind a prefix, at most 64 bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    /// Takes what came back, if it has the shape of a token.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let shaped = digits.len() == 2 * TOKEN_BYTES && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        shaped.then(|| Self(text.to_owned()))
    }

    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is chance in it.
    pub(super) fn digits(&self) -> &str {
        self.0.strip_prefix(PREFIX).unwrap_or(&self.0)
    }
}

/// Shows nothing, like a code.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What one approver can answer one request with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codes {
    /// To be typed.
    pub code: Code,
    /// Of the button Allow.
    pub allow: Token,
    /// Of the button Deny.
    pub deny: Token,
    /// Of the button See more.
    pub more: Token,
}

impl Codes {
    /// Makes new ones; the code is none of those taken.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn mint(taken: &HashSet<Code>) -> Result<Self, getrandom::Error> {
        loop {
            let code = code()?;
            if !taken.contains(&code) {
                return Ok(Self { code, allow: token()?, deny: token()?, more: token()? });
            }
        }
    }
}

fn code() -> Result<Code, getrandom::Error> {
    let mut letters = String::with_capacity(LENGTH);
    while letters.len() < LENGTH {
        let mut byte = [0];
        getrandom::fill(&mut byte)?;
        // 250 is the largest multiple of 25 below 256: every letter is as likely as any other.
        if byte[0] < 250 {
            letters.push(char::from(LETTERS[usize::from(byte[0] % 25)]));
        }
    }
    Ok(Code(letters))
}

fn token() -> Result<Token, getrandom::Error> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(Token(format!("{PREFIX}{}", hex::encode(bytes))))
}

/// A typed verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// What it says.
    pub verdict: Verdict,
    /// The code.
    pub code: Code,
}

/// Reads a text that is a verdict and nothing else: `y`, `yes`, `n` or `no`, space, and five letters of the
/// alphabet; case and space around it do not count (`^\s*(y|yes|n|no)\s+([a-km-z]{5})\s*$`, where `\s` is space, tab, newline, form feed and carriage return).
#[must_use]
pub fn typed(text: &str) -> Option<Typed> {
    if !text.is_ascii() {
        return None;
    }
    let mut words = text.split_ascii_whitespace();
    let (word, code, None) = (words.next()?, words.next()?, words.next()) else { return None };
    let verdict = match &*word.to_ascii_lowercase() {
        "y" | "yes" => Verdict::Allow,
        "n" | "no" => Verdict::Deny,
        _ => return None,
    };
    let code = code.to_ascii_lowercase();
    let shaped = code.len() == LENGTH && code.bytes().all(|b| LETTERS.contains(&b));
    shaped.then_some(Typed { verdict, code: Code(code) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn exactly_the_form_that_is_documented_is_a_verdict() {
        for (text, verdict, code) in [
            ("yes abcde", Verdict::Allow, "abcde"),
            ("y abcde", Verdict::Allow, "abcde"),
            ("no abcde", Verdict::Deny, "abcde"),
            ("n abcde", Verdict::Deny, "abcde"),
            ("YES AbCdE", Verdict::Allow, "abcde"),
            ("  no \t\r\n abcde\n", Verdict::Deny, "abcde"),
            ("yes zzzzz", Verdict::Allow, "zzzzz"),
        ] {
            assert_eq!(typed(text), Some(Typed { verdict, code: Code(code.into()) }), "{text:?}");
        }
        for text in [
            "",
            "yes",
            "abcde",
            "yesabcde",
            "yes abcd",
            "yes abcdef",
            "yes ablde",
            "yes abcd1",
            "yes abcde x",
            "x yes abcde",
            "yes abc de",
            "ok abcde",
            "yes: abcde",
            "yes-abcde",
            "/yes abcde",
            "\"yes abcde\"",
            "yes abcde.",
            "yes аbcde",
            "yes\u{A0}abcde",
            "yes\u{200B} abcde",
            "yes abcde\u{FE0F}",
            "ｙｅｓ abcde",
            "ye\u{17F} abcde",
            "yes abcde\0",
            "yes\u{B}abcde",
        ] {
            assert_eq!(typed(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_what_the_host_makes_has_the_shape_of_a_token() {
        let token = token().unwrap();
        assert_eq!(Token::read(token.as_str()), Some(token.clone()));
        assert!(token.as_str().len() <= 64);
        let digits = &token.as_str()[PREFIX.len()..];
        for text in [
            digits.to_owned(),
            format!("sg.{digits}0"),
            format!("sg.{}", &digits[1..]),
            format!("SG.{digits}"),
            format!(" sg.{digits}"),
            format!("sg.{}g", &digits[1..]),
            format!("sg.{}A", &digits[1..]),
            "sg.".into(),
            String::new(),
        ] {
            assert_eq!(Token::read(&text), None, "{text:?}");
        }
    }

    #[test]
    fn minted_codes_are_new_and_of_the_alphabet() {
        let mut taken = HashSet::new();
        let mut tokens = HashSet::new();
        let mut letters = HashSet::new();
        for _ in 0..500 {
            let codes = Codes::mint(&taken).unwrap();
            assert_eq!(codes.code.as_str().len(), LENGTH);
            letters.extend(codes.code.as_str().bytes());
            assert!(taken.insert(codes.code));
            for token in [codes.allow, codes.deny, codes.more] {
                assert!(Token::read(token.as_str()).is_some());
                assert!(tokens.insert(token));
            }
        }
        assert_eq!(letters, LETTERS.iter().copied().collect());
    }

    #[test]
    fn nothing_that_is_good_for_a_verdict_is_shown_for_debugging() {
        let codes = Codes::mint(&HashSet::new()).unwrap();
        let shown = format!("{codes:?} {:?}", Typed { verdict: Verdict::Allow, code: codes.code.clone() });
        for word in [codes.code.as_str(), codes.allow.as_str(), codes.deny.as_str(), codes.more.as_str()] {
            assert!(!shown.contains(word), "{shown}");
        }
    }

    proptest! {
        /// The rule of the documentation, as a regular expression: another reading of it.
        #[test]
        fn a_verdict_is_what_the_expression_of_the_documentation_matches(
            text in prop_oneof![
                any::<String>(),
                r"(?i-u)\s{0,2}(y|yes|n|no|ye|nope)\s{0,2}[a-z01]{4,6}\s{0,2}x{0,1}",
                "[yesno \t\u{A0}\u{212A}\u{17F}abк]{0,12}",
            ],
        ) {
            let rule = regex::Regex::new(r"^[ \t\n\f\r]*(?i-u:y|yes|n|no)[ \t\n\f\r]+(?i-u:[a-km-z]{5})[ \t\n\f\r]*$").unwrap();
            prop_assert_eq!(typed(&text).is_some(), rule.is_match(&text), "{:?}", text);
        }
    }
}
