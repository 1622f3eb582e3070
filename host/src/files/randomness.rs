//! Whether a token looks as if a machine had drawn it, or like what people write in its place.

/// Different characters that a drawn token of twenty or more has.
const DIFFERENT: usize = 10;
/// What stands in templates and documentation, in lower case.
const WORDS: [&[u8]; 8] =
    [b"example", b"placeholder", b"redacted", b"xxxx", b"your", b"dummy", b"changeme", b"replace"];

/// Many different characters, and neither a run of them in order nor a word of templates.
pub(super) fn is_varied(token: &[u8]) -> bool {
    let mut seen = [false; 256];
    token.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    let different = seen.into_iter().filter(|seen| *seen).count();
    // `abcdef`, `123456`, `aaaa`.
    let in_order = token.windows(2).filter(|pair| pair[1].wrapping_sub(pair[0]) <= 1).count();
    let lower = token.to_ascii_lowercase();
    different >= DIFFERENT
        && 2 * in_order < token.len()
        && !WORDS.iter().any(|word| lower.windows(word.len()).any(|part| part == *word))
}

/// Besides, letters of both cases: of a token over all letters and digits.
pub(super) fn is_mixed(token: &[u8]) -> bool {
    token.iter().any(u8::is_ascii_uppercase) && token.iter().any(u8::is_ascii_lowercase) && is_varied(token)
}

/// Besides, digits and letters: of a token that may be hexadecimal.
pub(super) fn is_key(token: &[u8]) -> bool {
    token.iter().any(u8::is_ascii_digit) && token.iter().any(u8::is_ascii_alphabetic) && is_varied(token)
}
