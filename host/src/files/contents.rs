//! Files that hold keys or tokens, told by the shape of their contents, whatever they are called.
//!
//! Both ends of a file are looked at: text in every encoding that keeps ASCII as it is, and UTF-16 with a byte
//! order mark. A shape counts only with what is secret about it: the header of a key needs its body, and a token
//! must look random, so that documentation, templates and placeholders may leave.
//!
//! Archives, compressed documents and whatever else is encoded are not looked into, nor is what lies between the
//! ends of a large file. So this keeps what lies about from leaving by mistake or by simple persuasion. It does not
//! stop one who may rewrite the file first; that is what the roots are for.

use std::{borrow::Cow, fs::File, io, ops::Range, os::unix::fs::FileExt, sync::LazyLock};

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::randomness::{is_key, is_mixed, is_varied};

/// Bytes that are looked at from each end of a file.
const END: usize = 64 * 1024;
/// Bytes of memory that one matcher may take for its tables.
const TABLES: usize = 512 * 1024;
/// Bytes after the header of a key in which its body must begin and show itself.
const ARMOUR: usize = 2048;
/// Shortest line of a body; no word of prose is as long.
const LINE: usize = 16;
/// Characters of a body that tell it from an illustration; the shortest real one has 64.
const BODY: usize = 48;
/// The secret that belongs to an access key id stands at most so many bytes away from it.
const NEAR: usize = 300;

/// A shape of text: what it is, how it looks, and whether a match has what is secret about it.
///
/// The proof is given the text, and where the first group of the pattern stands (without one, the whole match).
type Shape = (&'static str, &'static str, fn(&[u8], Range<usize>) -> bool);

const SHAPES: [Shape; 16] = [
    (
        "a private key",
        "-{4,5} ?BEGIN (?:(?:[A-Z0-9 ]{1,40} )?PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V[0-9]) ?-{4,5}",
        has_body,
    ),
    ("a private key of PuTTY", r"(?s)PuTTY-User-Key-File-[0-9]:.*Private-Lines: [0-9]+\s+[A-Za-z0-9+/=]{32}", always),
    ("a private key of age", "AGE-SECRET-KEY-1([QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{50,})", varied),
    (
        "a private key of GnuPG",
        r"\((?:11:private-key|21:protected-private-key)\([0-9]:[a-z]{3,9}\(|Key: \((?:protected-)?private-key \([a-z]{3,9} \(",
        always,
    ),
    ("a private key of WireGuard", r"(?m)^\s*PrivateKey\s*=\s*([A-Za-z0-9+/]{43})=", mixed),
    ("a key of Kubernetes", r"client-key-data:\s*([A-Za-z0-9+/=]{64})", varied),
    (
        "a key of a service account",
        concat!(
            r#"(?s)"type"\s*:\s*"service_account".*"private_key"\s*:\s*"[^"]{100}"#,
            r#"|"private_key"\s*:\s*"[^"]{100}.*"type"\s*:\s*"service_account""#,
        ),
        always,
    ),
    (
        "a secret access key of AWS",
        r#"(?i:secret_?access_?key)\\?["']?\s*[:=]\s*\\?["']?([A-Za-z0-9/+]{40,})"#,
        is_of_forty,
    ),
    ("an access key of AWS with its secret", "A(?:KIA|SIA)[A-Z0-9]{16}", is_beside_its_secret),
    (
        "a token of a package registry",
        r#"(?:_authToken|//[^\s=]{1,200}:_(?:auth|password))\s*=\s*["']?([A-Za-z0-9_+/=-]{20,})"#,
        key,
    ),
    ("a token of a package registry", "(?:npm_|pypi-AgE)([A-Za-z0-9_-]{36,})", mixed),
    ("a token of GitHub", "(?:gh[oprsu]_([A-Za-z0-9]{36,})|github_pat_([A-Za-z0-9_]{60,}))", mixed),
    ("a token of GitLab", "glpat-([A-Za-z0-9_-]{20,})", mixed),
    (
        "a token of Slack",
        "xox[abcdeprs]-([0-9]{1,14}-[A-Za-z0-9-]{20,})|xapp-([0-9]-[A-Z0-9]+-[0-9]+-[a-f0-9]{30,})",
        key,
    ),
    (
        "a key of an API",
        r"sk-ant-([A-Za-z0-9_-]{40,})|(?:\A|[^A-Za-z0-9]|\\[nrt])sk-([A-Za-z0-9_-]{40,})|[rs]k_live_([A-Za-z0-9]{24,})",
        mixed,
    ),
    ("a token of a Telegram bot", "[0-9]{8,10}:[A-Za-z0-9_-]{35,}", is_bot_token),
];

/// What a file of another kind than text begins with.
const BEGINNINGS: [(&str, &str); 6] = [
    ("a database of KeePass", r"\A\x03\xd9\xa2\x9a[\x65-\x67]\xfb\x4b\xb5"),
    ("a key store of Java", r"\A(?:\xfe\xed\xfe\xed|\xce\xce\xce\xce)\x00\x00\x00[\x01\x02]"),
    // RFC 7292, section 4: a sequence that begins with version 3 and a content.
    ("a key store (PKCS #12)", r"(?s)\A\x30(?:\x80|\x81.|\x82..|\x83...|\x84....)\x02\x01\x03\x30"),
    // RFC 5958, RFC 8017 (A.1.2) and RFC 5915: a sequence of a version and an algorithm, a modulus or a scalar; or
    // of the algorithm that encrypts the rest (PKCS #5).
    (
        "a private key",
        concat!(
            r"(?s)\A\x30(?:[\x00-\x7f]|\x81.|\x82..)(?:\x02\x01[\x00\x01]\x30(?:[\x00-\x7f]|\x81.)\x06",
            r"|\x02\x01\x00\x02(?:[\x20-\x7f]|\x81.|\x82..)|\x02\x01\x01\x04[\x1c\x20\x30\x42]",
            r"|\x30(?:[\x00-\x7f]|\x81.)\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05)",
        ),
    ),
    ("a keychain of macOS", r"\Akych\x00\x01\x00\x00"),
    // RFC 9580, section 5.5.3: a packet with a secret key of version 4.
    (
        "a private key of OpenPGP",
        r"(?s)\A(?:\x94.|\x95..|\xc5(?:[\x00-\xbf]|[\xc0-\xdf].))\x04....[\x01\x11\x12\x13\x16]",
    ),
];

static MATCHERS: LazyLock<Option<Matchers>> = LazyLock::new(|| Matchers::new().ok());

struct Matchers {
    /// Whether a shape may be there at all: one pass for all of them.
    shapes: RegexSet,
    each: Vec<Regex>,
    beginnings: RegexSet,
}

impl Matchers {
    fn new() -> Result<Self, regex::Error> {
        let set = |patterns: Vec<&str>| RegexSetBuilder::new(patterns).unicode(false).dfa_size_limit(TABLES).build();
        let one = |pattern| RegexBuilder::new(pattern).unicode(false).dfa_size_limit(TABLES).build();
        Ok(Self {
            shapes: set(SHAPES.map(|(_, pattern, _)| pattern).to_vec())?,
            each: SHAPES.iter().map(|(_, pattern, _)| one(pattern)).collect::<Result<_, _>>()?,
            beginnings: set(BEGINNINGS.map(|(_, pattern)| pattern).to_vec())?,
        })
    }

    fn beginning(&self, head: &[u8]) -> Option<&'static str> {
        self.beginnings.matches(head).iter().next().map(|number| BEGINNINGS[number].0)
    }

    fn text(&self, text: &[u8]) -> Option<&'static str> {
        let number = self.shapes.matches(text).iter().find(|number| {
            let proof = SHAPES[*number].2;
            self.each[*number].captures_iter(text).any(|found| {
                let group = found.iter().skip(1).flatten().next().or_else(|| found.get(0));
                group.is_some_and(|group| proof(text, group.range()))
            })
        })?;
        Some(SHAPES[number].0)
    }
}

/// What secret the file holds, if it holds one. Where the open file is read next does not change.
///
/// # Errors
/// What the file system says.
pub(super) fn secret_in(file: &File, size: u64) -> io::Result<Option<&'static str>> {
    let ends = 2 * END as u64;
    let head = read(file, 0, if size <= ends { 2 * END } else { END })?;
    // Even, so that it begins with a whole unit of UTF-16.
    let tail = if size <= ends { Vec::new() } else { read(file, (size - END as u64) & !1, END + 1)? };
    Ok(secret_of(&head, &tail))
}

/// The same for the beginning of a file and its end, if that is not in the beginning.
fn secret_of(head: &[u8], tail: &[u8]) -> Option<&'static str> {
    let Some(matchers) = MATCHERS.as_ref() else { return Some("what cannot be checked") };
    let decode: for<'a> fn(&'a [u8]) -> Cow<'a, [u8]> = match head {
        [0xff, 0xfe, ..] => |bytes| utf16(bytes, u16::from_le_bytes),
        [0xfe, 0xff, ..] => |bytes| utf16(bytes, u16::from_be_bytes),
        _ => |bytes| Cow::Borrowed(bytes),
    };
    matchers
        .beginning(head)
        .or_else(|| matchers.text(&decode(head)))
        .or_else(|| if tail.is_empty() { None } else { matchers.text(&decode(tail)) })
}

/// Reads up to so many bytes from there, fewer only at the end of the file.
fn read(file: &File, from: u64, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; most];
    let mut filled = 0;
    while filled < most {
        match file.read_at(&mut bytes[filled..], from + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'_, [u8]> {
    let units = bytes.as_chunks().0.iter().map(|pair| unit(*pair));
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Cow::Owned(text.into_bytes())
}

fn always(_: &[u8], _: Range<usize>) -> bool {
    true
}

fn varied(text: &[u8], at: Range<usize>) -> bool {
    is_varied(&text[at])
}

fn mixed(text: &[u8], at: Range<usize>) -> bool {
    is_mixed(&text[at])
}

fn key(text: &[u8], at: Range<usize>) -> bool {
    is_key(&text[at])
}

fn is_of_forty(text: &[u8], at: Range<usize>) -> bool {
    at.len() == 40 && is_mixed(&text[at])
}

fn is_bot_token(text: &[u8], at: Range<usize>) -> bool {
    let alone = !at.start.checked_sub(1).is_some_and(|before| text[before].is_ascii_digit());
    let secret = text[at].splitn(2, |byte| *byte == b':').nth(1).unwrap_or_default();
    alone && secret.len() == 35 && is_mixed(secret)
}

fn is_beside_its_secret(text: &[u8], at: Range<usize>) -> bool {
    let near = at.start.saturating_sub(NEAR)..text.len().min(at.end + NEAR);
    !is_illustration(&text[at])
        && text[near].split(|byte| !is_base64(*byte) || *byte == b'=').any(|run| run.len() == 40 && is_mixed(run))
}

/// AWS's own documentation marks its keys so.
fn is_illustration(id: &[u8]) -> bool {
    id.ends_with(b"EXAMPLE")
}

/// After the header of a key stands a body, in a file of its own or quoted in another.
fn has_body(text: &[u8], at: Range<usize>) -> bool {
    let mut rest = &text[at.end..text.len().min(at.end + ARMOUR)];
    let mut body = Vec::with_capacity(2 * BODY);
    loop {
        rest = after_separators(rest);
        let run = rest.iter().take_while(|byte| is_base64(**byte)).count();
        if run >= LINE {
            body.extend_from_slice(&rest[..run]);
            rest = &rest[run..];
            if body.len() >= BODY {
                return is_varied(&body);
            }
        } else if run > 0 && rest[..run].iter().all(|byte| b"+/".contains(byte)) {
            // Joins strings, or begins a comment.
            rest = &rest[run..];
        } else if body.is_empty()
            && let Some(after) = after_armour_header(rest)
        {
            rest = after;
        } else {
            return false;
        }
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

/// Line ends, also escaped ones, and what quotes, indents and comments put around lines.
fn after_separators(mut text: &[u8]) -> &[u8] {
    loop {
        text = match text {
            [b'\\', b'n' | b'r' | b't', rest @ ..] => rest,
            [byte, rest @ ..] if byte.is_ascii_whitespace() || b"\\\"'`,;>|#*-".contains(byte) => rest,
            _ => return text,
        };
    }
}

/// Behind a line such as `Proc-Type: 4,ENCRYPTED` (RFC 1421, section 4.6) or `Version: x` (RFC 9580, section 6.2.2).
fn after_armour_header(text: &[u8]) -> Option<&[u8]> {
    let name = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    if name == 0 || !text[name..].starts_with(b":") {
        return None;
    }
    let end = text.windows(2).position(|pair| pair[0] == b'\n' || pair == b"\\n")?;
    Some(&text[end..])
}

#[cfg(test)]
#[path = "contents_tests.rs"]
mod tests;
