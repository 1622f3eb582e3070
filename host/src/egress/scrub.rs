//! Removes the values of secrets from whatever comes back, in every encoding that a server may echo them in.
//!
//! Values are looked for as they are, in hexadecimal and in base64, and all of these again in the text with its
//! escapes undone once and twice (see [`super::unescape`]). All matches count, those that overlap too, so that no
//! piece of a value stays because another match hid it.

use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use super::unescape::{MOST_PER_BYTE, Unescaped};
use crate::signature::Secret;

/// Fewest bytes of a secret that is also looked for in hexadecimal and base64: shorter ones occur there by chance.
const LONG: usize = 8;
/// Bytes that are looked through at a time.
const BLOCK: usize = 64 * 1024;
/// What stands in the place of a secret: the first that no secret can be mistaken for.
const REPLACEMENTS: [&str; 6] = ["[secret]", "[hidden]", "<removed>", "(***)", "{---}", "\u{fffd}"];

/// Removes the secrets of one adapter. Cheap to clone.
#[derive(Clone)]
pub struct Scrubber(Arc<Inner>);

struct Inner {
    search: Search,
    replacement: Vec<u8>,
}

enum Search {
    /// There are no secrets.
    Nothing,
    /// For these forms of them; a match has at most so many bytes.
    Forms(AhoCorasick, usize),
    /// The forms are too many to look for, so nothing may pass.
    Everything,
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber(hidden)")
    }
}

impl Scrubber {
    /// Removes these secrets and no others.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut forms: Vec<Vec<u8>> = secrets.into_iter().flat_map(|secret| forms(secret.expose())).collect();
        forms.sort_unstable();
        forms.dedup();
        let replacement = replacement(&forms);
        let longest = forms.iter().map(Vec::len).max().unwrap_or_default();
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&forms);
        let search = match built {
            _ if forms.is_empty() => Search::Nothing,
            Ok(automaton) => Search::Forms(automaton, longest * MOST_PER_BYTE * MOST_PER_BYTE),
            Err(_) => Search::Everything,
        };
        Self(Arc::new(Inner { search, replacement }))
    }

    /// The bytes without secrets; each stretch of them became `[secret]`.
    #[must_use]
    pub fn scrub<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut stream = self.stream();
        let mut clean = Vec::new();
        stream.push(bytes, &mut clean);
        if stream.end(&mut clean) { Cow::Owned(clean) } else { Cow::Borrowed(bytes) }
    }

    /// The text without secrets. Should a secret have ended within a character, its rest is replaced too.
    #[must_use]
    pub fn scrub_str<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.scrub(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(clean) => Cow::Owned(String::from_utf8_lossy(&clean).into_owned()),
        }
    }

    /// Scrubs what comes in chunks.
    #[must_use]
    pub fn stream(&self) -> ScrubStream {
        ScrubStream { scrubber: self.clone(), held: Vec::new(), covered: None, found: false }
    }
}

/// Scrubs a stream: wherever it is cut into chunks, what comes out is what [`Scrubber::scrub`] makes of the whole.
pub struct ScrubStream {
    scrubber: Scrubber,
    /// What came in and may still begin a secret.
    held: Vec<u8>,
    /// The end, in `held`, of the stretch that was replaced last, if it reaches into it.
    covered: Option<usize>,
    found: bool,
}

impl fmt::Debug for ScrubStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScrubStream(hidden)")
    }
}

impl ScrubStream {
    /// Takes the next bytes, and appends those to `clean` that are certain by now.
    pub fn push(&mut self, bytes: &[u8], clean: &mut Vec<u8>) {
        let enough = match &self.scrubber.0.search {
            Search::Nothing => return clean.extend_from_slice(bytes),
            Search::Everything => return self.found = true,
            Search::Forms(_, longest) => longest + BLOCK,
        };
        for block in bytes.chunks(BLOCK) {
            self.held.extend_from_slice(block);
            if self.held.len() >= enough {
                self.settle(false, clean);
            }
        }
    }

    /// Appends the rest, and tells whether there was any secret.
    pub fn end(mut self, clean: &mut Vec<u8>) -> bool {
        if let (Search::Everything, true) = (&self.scrubber.0.search, self.found) {
            clean.extend_from_slice(&self.scrubber.0.replacement);
        }
        self.settle(true, clean);
        self.found
    }

    fn settle(&mut self, whole: bool, clean: &mut Vec<u8>) {
        let Search::Forms(automaton, longest) = &self.scrubber.0.search else { return };
        let (matches, certain) = matches(automaton, *longest, &self.held, whole);
        let mut last = self.covered;
        let mut at = last.unwrap_or_default();
        for found in matches.into_iter().take_while(|found| found.start < certain) {
            // Matches that overlap or touch are one stretch.
            if last.is_none_or(|end| found.start > end) {
                clean.extend_from_slice(&self.held[at..found.start]);
                clean.extend_from_slice(&self.scrubber.0.replacement);
                self.found = true;
            }
            at = at.max(found.end);
            last = Some(at);
        }
        if at < certain {
            clean.extend_from_slice(&self.held[at..certain]);
        }
        self.covered = last.and_then(|end| end.checked_sub(certain));
        self.held.drain(..certain);
    }
}

/// All matches in the order of their beginnings, and the place before which all that begin are found. A text may be
/// cut there: the rest alone has the same matches as within the whole.
fn matches(automaton: &AhoCorasick, longest: usize, source: &[u8], whole: bool) -> (Vec<Range<usize>>, usize) {
    let once = Unescaped::of(source, whole);
    let twice = Unescaped::of(&once.text, whole);
    let within = |text: &[u8]| -> Vec<Range<usize>> {
        automaton.find_overlapping_iter(text).map(|found| found.range()).collect()
    };
    let mut found = within(source);
    if !once.is_plain() {
        found.extend(within(&once.text).into_iter().map(|text| once.source(text)));
    }
    if !twice.is_plain() {
        found.extend(within(&twice.text).into_iter().map(|text| once.source(twice.source(text))));
    }
    found.sort_unstable_by_key(|found| found.start);
    if whole {
        return (found, source.len());
    }
    let read = if twice.read == once.text.len() { once.read } else { once.start(twice.read) };
    let certain = read.saturating_sub(longest);
    // Where no escape is cut, of neither kind.
    (found, once.start(twice.start(twice.floor(once.floor(certain)))))
}

/// What a secret looks like where no escapes are.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.to_vec()];
    if secret.len() >= LONG {
        // What looks like an escape in the secret itself is undone along with those around it.
        let once = Unescaped::of(secret, true).text;
        let twice = Unescaped::of(&once, true).text;
        forms.extend([once, twice].into_iter().filter(|text| text.len() >= LONG));
    }
    if secret.contains(&b' ') {
        // In forms and queries `+` stands for it.
        let plus: Vec<_> = forms.iter().map(|text| replaced(text, b' ', b'+')).collect();
        forms.extend(plus);
    }
    if secret.len() >= LONG {
        forms.push(hex::encode(secret).into_bytes());
        forms.push(hex::encode_upper(secret).into_bytes());
        forms.extend((0..3).flat_map(|before| base64_forms(secret, before)));
    }
    forms
}

fn replaced(text: &[u8], old: u8, new: u8) -> Vec<u8> {
    text.iter().map(|b| if *b == old { new } else { *b }).collect()
}

/// The secret within the base64 of a longer text, `before` bytes (modulo 3) from its beginning: those characters
/// that stand for bits of the secret alone.
fn base64_forms(secret: &[u8], before: usize) -> [Vec<u8>; 2] {
    let mut text = vec![0; before];
    text.extend_from_slice(secret);
    let own = (before * 8).div_ceil(6)..text.len() * 8 / 6;
    [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)].map(|encoded| encoded[own.clone()].into())
}

/// The first replacement that holds no secret, is in none, and cannot be completed to one by what stands beside it.
fn replacement(forms: &[Vec<u8>]) -> Vec<u8> {
    let contains = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|window| window == part);
    let continues =
        |first: &[u8], second: &[u8]| (1..=first.len().min(second.len())).any(|n| first.ends_with(&second[..n]));
    let fits = |candidate: &Vec<u8>| {
        !forms.iter().any(|form| {
            contains(form, candidate)
                || contains(candidate, form)
                || continues(form, candidate)
                || continues(candidate, form)
        })
    };
    let given = REPLACEMENTS.iter().map(|text| text.as_bytes().to_vec());
    given.chain((1..=u8::MAX).map(|byte| vec![byte])).find(fits).unwrap_or_default()
}

#[cfg(test)]
#[path = "scrub_tests.rs"]
mod tests;
