#![allow(clippy::unwrap_used, reason = "tests")]

use form_urlencoded::byte_serialize;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::prelude::*;

use super::*;

const TOKEN: &str = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw_-x";

fn scrubber(secrets: &[&str]) -> Scrubber {
    let secrets: Vec<Secret> = secrets.iter().map(|s| Secret::new((*s).into()).unwrap()).collect();
    Scrubber::new(&secrets)
}

fn every(secret: &str, each: impl Fn(u8) -> String) -> String {
    secret.bytes().map(each).collect()
}

/// Ways in which a server may echo a secret.
fn encodings(secret: &str) -> Vec<String> {
    let mut all = vec![secret.to_owned(), byte_serialize(secret.as_bytes()).collect()];
    let percent = percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string();
    let json = serde_json::to_string(secret).unwrap();
    all.extend([percent.clone(), percent.replace('%', "%25"), json.replace('/', "\\/"), json.clone()]);
    all.extend([serde_json::to_string(&json).unwrap(), percent_encode(json.as_bytes(), NON_ALPHANUMERIC).to_string()]);
    all.push(every(secret, |b| format!("%{b:02x}")));
    all.push(every(secret, |b| format!("%{b:02X}")));
    all.push(every(secret, |b| format!("\\x{b:02x}")));
    all.push(secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect());
    all.push(secret.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect());
    all.push(secret.encode_utf16().map(|unit| format!("\\\\u{unit:04x}")).collect());
    all.push(secret.chars().map(|c| format!("&#{};", u32::from(c))).collect());
    all.push(secret.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect());
    all.push(secret.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('\'', "&#39;"));
    // Some characters escaped in one way and some in another.
    all.push(secret.char_indices().fold(String::new(), |text, (at, c)| match (at % 3, c.is_ascii()) {
        (1, true) => format!("{text}%{:02x}", u32::from(c)),
        (2, true) => format!("{text}\\u{:04x}", u32::from(c)),
        _ => text + &percent_encode(c.to_string().as_bytes(), NON_ALPHANUMERIC).to_string(),
    }));
    all
}

fn long_encodings(secret: &str) -> Vec<String> {
    let mut all = vec![hex::encode(secret), hex::encode_upper(secret)];
    for before in ["", "u", "us", "user:"] {
        for after in ["", "!", "!!", "!!!"] {
            let text = format!("{before}{secret}{after}");
            all.extend([STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)]);
            all.push(base64::engine::general_purpose::STANDARD.encode(&text));
            all.push(STANDARD_NO_PAD.encode(&text).replace('/', "\\/"));
            all.push(byte_serialize(STANDARD_NO_PAD.encode(&text).as_bytes()).collect());
        }
    }
    all
}

/// What anybody could read out of a text: itself with its escapes undone twice.
fn readings(text: &[u8]) -> [Vec<u8>; 3] {
    let once = Unescaped::of(text, true).text;
    let twice = Unescaped::of(&once, true).text;
    [text.to_vec(), once, twice]
}

fn holds(text: &[u8], secret: &str) -> bool {
    let contains = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|window| window == part);
    readings(text).iter().any(|text| forms(secret.as_bytes()).iter().any(|form| contains(text, form)))
}

#[test]
fn a_token_is_found_in_every_encoding_and_the_rest_stays() {
    let scrubber = scrubber(&[TOKEN]);
    let quoted = |encoding: &String| readings(encoding.as_bytes()).iter().any(|reading| reading.contains(&b'"'));
    for encoding in encodings(TOKEN).into_iter().filter(|encoding| !quoted(encoding)) {
        let text = format!("<a href='/bot{encoding}/x'>{{\"ok\": \"ä\"}}");
        assert_eq!(scrubber.scrub_str(&text), "<a href='/bot[secret]/x'>{\"ok\": \"ä\"}", "{encoding}");
    }
    for secret in [TOKEN, "pass word/with \"all\" of\\it&<'ä😀>+%41", "12345678", "\u{e9}\u{e9}\u{e9}\u{e9}"] {
        let scrubber = self::scrubber(&[secret]);
        for encoding in encodings(secret).into_iter().chain(long_encodings(secret)) {
            for text in [encoding.clone(), format!("x {encoding} y"), format!("{encoding}{encoding}")] {
                let clean = scrubber.scrub(text.as_bytes());
                assert!(matches!(clean, Cow::Owned(_)) && !holds(&clean, secret), "{text}");
                assert!(clean.windows(8).any(|window| window == b"[secret]"), "{text}");
            }
        }
    }
}

#[test]
fn basic_authorization_gives_nothing_away() {
    let header = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("bot:{TOKEN}")));
    // What is left stands for the user's name and a few bits of the first character.
    assert_eq!(scrubber(&[TOKEN]).scrub_str(&header), "Basic Ym90Oj[secret]");
}

#[test]
fn short_secrets_are_removed_as_they_are_and_escaped() {
    let scrubber = scrubber(&["p/w"]);
    assert_eq!(scrubber.scrub_str("a p/w b p%2fw c p\\/w d %70%2F%77"), "a [secret] b [secret] c [secret] d [secret]");
    assert!(matches!(scrubber.scrub(b"702f77 cC93 P/W p/ w"), Cow::Borrowed(_)));
}

#[test]
fn without_secrets_nothing_changes() {
    for bytes in [&b""[..], b"[secret] %41 \xff\x00"] {
        assert!(matches!(scrubber(&[]).scrub(bytes), Cow::Borrowed(same) if same == bytes));
        assert!(matches!(scrubber(&[TOKEN]).scrub(bytes), Cow::Borrowed(same) if same == bytes));
    }
}

#[test]
fn secrets_that_overlap_or_touch_leave_no_piece() {
    let scrubber = scrubber(&["abcdefgh-1", "abcdefgh-12345", "2345-xyz"]);
    assert_eq!(scrubber.scrub_str("<abcdefgh-12345>"), "<[secret]>");
    assert_eq!(scrubber.scrub_str("<abcdefgh-12345-xyz>"), "<[secret]>");
    assert_eq!(scrubber.scrub_str("<abcdefgh-1abcdefgh-1>"), "<[secret]>");
    let scrubber = self::scrubber(&["aaaaaaaa"]);
    assert_eq!(scrubber.scrub(&[b'a'; 3 * BLOCK + 5]).as_ref(), b"[secret]");
    assert_eq!(scrubber.scrub_str("aaaaaaa aaaaaaaaaaaa"), "aaaaaaa [secret]");
}

#[test]
fn the_replacement_never_completes_a_secret() {
    for (secret, text) in [
        ("secret", "a secret"),
        ("e", "hello"),
        ("]abcdefgh", "]abcdefghabcdefgh"),
        ("abcdefgh[", "abcdefgabcdefgh["),
        ("x[secret]y", "xx[secret]yy"),
    ] {
        let clean = scrubber(&[secret]).scrub_str(text).into_owned();
        assert!(!clean.contains(secret), "{clean}");
    }
    let (first, second) = ("x[secret]y", "abcdefghi");
    assert!(!scrubber(&[first, second]).scrub_str("xabcdefghiy").contains(first));
}

#[test]
fn debug_shows_nothing() {
    let scrubber = scrubber(&[TOKEN]);
    assert_eq!(format!("{scrubber:?} {:?}", scrubber.stream()), "Scrubber(hidden) ScrubStream(hidden)");
}

/// Cuts a text and gives the pieces to a stream.
fn streamed(scrubber: &Scrubber, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let (mut stream, mut clean, mut at) = (scrubber.stream(), Vec::new(), 0);
    for cut in cuts.iter().cycle().take(if cuts.is_empty() { 0 } else { 10_000 }) {
        let end = (at + cut).min(text.len());
        stream.push(&text[at..end], &mut clean);
        at = end;
    }
    stream.push(&text[at..], &mut clean);
    stream.end(&mut clean);
    clean
}

/// A slow scrubber of the whole, to compare with.
fn reference(scrubber: &Scrubber, text: &[u8]) -> Vec<u8> {
    let Search::Forms(automaton, longest) = &scrubber.0.search else { return text.to_vec() };
    let mut covered = vec![false; text.len()];
    let mut begins = vec![false; text.len()];
    for found in matches(automaton, *longest, text, true).0 {
        begins[found.start] |= !covered[found.start] && (found.start == 0 || !covered[found.start - 1]);
        covered[found].fill(true);
    }
    let mut clean = Vec::new();
    for at in 0..text.len() {
        if begins[at] {
            clean.extend_from_slice(&scrubber.0.replacement);
        }
        if !covered[at] {
            clean.push(text[at]);
        }
    }
    clean
}

/// Texts of several blocks, full of secrets, pieces of secrets and escapes.
fn long_texts(secrets: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<String> = secrets
        .iter()
        .flat_map(|secret| {
            let mut pieces: Vec<String> = encodings(secret).into_iter().chain(long_encodings(secret)).collect();
            pieces.extend([secret[..secret.len() / 2].to_owned(), secret[secret.len() / 2..].to_owned()]);
            pieces
        })
        .chain(["%", "\\", "\\\\", "&#", "%4", "\\u00", "a", "[secret]"].map(str::to_owned))
        .collect();
    let filler = prop_oneof![Just(b'x'), Just(b'\\'), Just(b'%'), Just(b'a'), Just(b'4')];
    let piece = (proptest::sample::select(pieces), filler, 0_usize..9000);
    proptest::collection::vec(piece, 1..40).prop_map(|pieces| {
        let mut text = Vec::new();
        for (piece, filler, length) in pieces {
            text.extend_from_slice(piece.as_bytes());
            text.resize(text.len() + length, filler);
        }
        text
    })
}

const SECRETS: [&str; 3] = [TOKEN, "aaaaaaaaaa", "p/\\ w%41"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn however_a_text_is_cut_its_scrubbing_is_that_of_the_whole(
        text in long_texts(&SECRETS),
        cuts in proptest::collection::vec(1_usize..70_000, 0..5),
    ) {
        let scrubber = scrubber(&SECRETS);
        let whole = scrubber.scrub(&text).into_owned();
        prop_assert!(whole == reference(&scrubber, &text));
        prop_assert!(whole == streamed(&scrubber, &text, &cuts));
        prop_assert!(SECRETS.iter().all(|secret| !holds(&whole, secret)));
    }
}

proptest! {
    #[test]
    fn no_secret_is_readable_afterwards(
        secret in "[!-~ äé😀]{1,24}",
        around in "[!-~ ]{0,6}",
        which in any::<proptest::sample::Index>(),
        cut in 1_usize..5,
    ) {
        let scrubber = scrubber(&[&secret]);
        let mut all = encodings(&secret);
        if secret.len() >= LONG {
            all.extend(long_encodings(&secret));
        }
        let text = format!("{around} {} {around}", which.get(&all));
        let clean = scrubber.scrub(text.as_bytes());
        prop_assert!(!holds(&clean, &secret), "{secret:?}: {text:?} became {clean:?}");
        prop_assert_eq!(streamed(&scrubber, text.as_bytes(), &[cut]), clean.into_owned());
    }
}
