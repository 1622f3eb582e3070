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
/// alphabet; case and space around it do not count (`^\s*(y|yes|n|no)\s+([a-km-z]{5})\s*$`, in ASCII alone).
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

/// Whether a person could take a text for a verdict.
#[must_use]
pub fn looks_like_verdict(text: &str) -> bool {
    typed(text).is_some()
}
