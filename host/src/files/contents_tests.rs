#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io::{Read, Write};

use proptest::prelude::*;

use super::*;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const BECH32: &[u8] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";

/// So many characters as if drawn, the same ones each time. No token stands in this file as a whole: other programs
/// look for them too.
fn drawn(alphabet: &[u8], length: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        alphabet[(state >> 33) as usize % alphabet.len()] as char
    };
    (0..length).map(|_| next()).collect()
}

fn token(length: usize) -> String {
    drawn(LETTERS, length)
}

/// The body of a key in lines of 64.
fn body(line_end: &str) -> String {
    let text = token(64 * 4);
    text.as_bytes().chunks(64).map(|line| format!("{}{line_end}", std::str::from_utf8(line).unwrap())).collect()
}

fn key_of(kind: &str) -> String {
    format!("-----BEGIN {kind}-----\n{}-----END {kind}-----\n", body("\n"))
}

fn looked_at(text: impl AsRef<[u8]>) -> Option<&'static str> {
    secret_of(text.as_ref(), b"")
}

#[test]
fn the_patterns_are_sound() {
    assert!(MATCHERS.is_some());
}

#[test]
fn keys_and_tokens_are_seen_wherever_they_stand() {
    let key = key_of("PRIVATE KEY");
    let armoured = format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{}\n\n{}", drawn(HEX, 32), body("\n"));
    let (id, secret) = (format!("AK{}{}", "IA", drawn(b"ABCDEFGHJKLMNPQ234567", 16)), token(40));
    let bot = format!("{}:AA{}", drawn(b"987654321", 10), token(33));
    let private = "PRIVATE KEY";
    for (what, text) in [
        ("a private key", key.clone()),
        ("a private key", key_of("RSA PRIVATE KEY")),
        ("a private key", key_of("EC PRIVATE KEY")),
        ("a private key", key_of("ENCRYPTED PRIVATE KEY")),
        ("a private key", key_of("OPENSSH PRIVATE KEY")),
        ("a private key", key_of("OpenVPN Static key V1")),
        ("a private key", format!("---- BEGIN SSH2 ENCRYPTED {private} ----\nComment: \"x\"\n{}", body("\n"))),
        ("a private key", format!("-----BEGIN RSA {private}-----\n{armoured}")),
        ("a private key", format!("-----BEGIN PGP {private} BLOCK-----\nVersion: GnuPG v2\n\n{}", body("\n"))),
        // Of 64 characters: Ed25519.
        ("a private key", format!("-----BEGIN {private}-----\r\n{}\r\n", token(64))),
        ("a private key", key.replace('\n', "\r\n")),
        ("a private key", format!("{{\"key\": \"{}\"}}", key.replace('\n', "\\n"))),
        ("a private key", format!("{{\"key\": \"{}\"}}", key.replace('\n', "\\\\n"))),
        ("a private key", key.lines().map(|line| format!("    \"{line}\\n\" +\n")).collect()),
        ("a private key", key.lines().map(|line| format!("> {line}\n")).collect()),
        ("a private key", key.lines().map(|line| format!("// {line}\n")).collect()),
        ("a private key", key.lines().map(|line| format!("+{line}\n")).collect()),
        ("a private key", format!("Look for -----BEGIN {private}----- in this:\n{key}")),
        (
            "a private key of PuTTY",
            format!("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\n{}\n", token(48)),
        ),
        ("a private key of age", format!("# public key: age1x\nAGE-SECRET-KEY-1{}\n", drawn(BECH32, 58))),
        ("a private key of GnuPG", format!("(21:protected-private-key({}1:n257:", "3:rsa(")),
        ("a private key of GnuPG", format!("Created: 20250101T000000\nKey: (protected-{}rsa (n #00", "private-key (")),
        ("a private key of WireGuard", format!("[Interface]\nPrivateKey = {}=\n", token(43))),
        ("a key of Kubernetes", format!("    client-key-data: {}\n", token(400))),
        (
            "a key of a service account",
            format!("{{\"type\": \"service_account\",\n \"private_key\": \"{}\"}}", "\\n".repeat(60)),
        ),
        (
            "a key of a service account",
            format!("{{\"private_key\":\"{}\",\"type\":\"service_account\"}}", "\\n".repeat(60)),
        ),
        ("a secret access key of AWS", format!("[default]\naws_secret_access_key = {secret}\n")),
        ("a secret access key of AWS", format!("export AWS_SECRET_ACCESS_KEY='{secret}'")),
        ("a secret access key of AWS", format!("{{\"SecretAccessKey\": \"{secret}\"}}")),
        ("an access key of AWS with its secret", format!("Access key ID,Secret access key\n{id},{secret}\n")),
        ("a token of a package registry", format!("//registry.example.org/:_authToken={}", drawn(HEX, 36))),
        ("a token of a package registry", format!("//r.example.org/:_password=\"{}\"", token(32))),
        ("a token of a package registry", format!("token: npm{}{}", "_", token(36))),
        ("a token of a package registry", format!("password = pypi-AgE{}", token(80))),
        ("a token of GitHub", format!("ghp{}{}", "_", token(36))),
        ("a token of GitHub", format!("https://x:gho{}{}@example.org/", "_", token(36))),
        ("a token of GitHub", format!("GITHUB_TOKEN=github{}{}_{}", "_pat_", token(22), token(59))),
        ("a token of GitLab", format!("PRIVATE-TOKEN: glpat{}{}", "-", token(20))),
        ("a token of Slack", format!("xox{}-{}-{}-{}", "b", drawn(b"9172", 12), drawn(b"8263", 12), token(24))),
        ("a token of Slack", format!("xapp{}1-A{}-{}-{}", "-", token(9).to_uppercase(), 917_283, drawn(HEX, 64))),
        ("a key of an API", format!("ANTHROPIC_API_KEY=sk{}api03-{}-{}AA", "-ant-", token(60), token(30))),
        ("a key of an API", format!("\"sk{}{}\"", "-proj-", token(80))),
        ("a key of an API", format!("sk{}{}", "_live_", token(24))),
        ("a token of a Telegram bot", bot.clone()),
        ("a token of a Telegram bot", format!("curl https://api.example.org/bot{bot}/getMe")),
    ] {
        assert_eq!(looked_at(&text), Some(what), "{text}");
        assert_eq!(looked_at(format!("some words before it\n{text}\nand after\n")), Some(what), "{text}");
        for (mark, bytes) in [(b"\xff\xfe", u16::to_le_bytes as fn(u16) -> [u8; 2]), (b"\xfe\xff", u16::to_be_bytes)] {
            let encoded: Vec<u8> = mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect();
            assert_eq!(looked_at(encoded), Some(what), "in UTF-16: {text}");
        }
    }
}

#[test]
fn key_stores_and_binary_keys_are_told_by_their_beginnings() {
    let cases: [(&str, &[u8]); 16] = [
        ("a database of KeePass", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5\x01\x00\x04\x00"),
        ("a database of KeePass", b"\x03\xd9\xa2\x9a\x65\xfb\x4b\xb5"),
        ("a key store of Java", b"\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01"),
        ("a key store of Java", b"\xce\xce\xce\xce\x00\x00\x00\x02"),
        ("a key store (PKCS #12)", b"\x30\x82\x0a\x0a\x02\x01\x03\x30\x82"),
        ("a key store (PKCS #12)", b"\x30\x80\x02\x01\x03\x30\x80"),
        ("a private key", b"\x30\x82\x04\xbe\x02\x01\x00\x30\x0d\x06\x09"),
        ("a private key", b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70"),
        ("a private key", b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70"),
        ("a private key", b"\x30\x82\x04\xa4\x02\x01\x00\x02\x82\x01\x01\x00"),
        ("a private key", b"\x30\x77\x02\x01\x01\x04\x20"),
        ("a private key", b"\x30\x82\x05\x2d\x30\x57\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"),
        ("a keychain of macOS", b"kych\x00\x01\x00\x00\x00\x00\x00\x14"),
        ("a private key of OpenPGP", b"\x95\x03\xc6\x04\x65\x00\x00\x00\x01\x08"),
        ("a private key of OpenPGP", b"\x94\x58\x04\x65\x0a\x0a\x0a\x16\x09"),
        ("a private key of OpenPGP", b"\xc5\x58\x04\x65\x0a\x0a\x0a\x16\x09"),
    ];
    for (what, bytes) in cases {
        assert_eq!(looked_at(bytes), Some(what), "{bytes:x?}");
        let inside = [b"x", bytes].concat();
        assert_eq!(looked_at(&inside), None, "not at the beginning: {bytes:x?}");
        assert_eq!(secret_of(b"x", bytes), None, "at the beginning of the end: {bytes:x?}");
    }
    let others: [&[u8]; 7] = [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"PK\x03\x04\x14\x00",
        b"\xfe\xed\xfa\xcf\x07\x00\x00\x01",
        // A certificate, a signing request and a public key.
        b"\x30\x82\x03\x4d\x30\x82\x02\x35\xa0\x03\x02\x01\x02",
        b"\x30\x82\x02\x55\x30\x82\x01\x3d\x02\x01\x00\x30\x10",
        b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01",
    ];
    for bytes in others {
        assert_eq!(looked_at(bytes), None, "{bytes:x?}");
    }
}

#[test]
fn documentation_templates_and_placeholders_may_leave() {
    let private = "PRIVATE KEY";
    let secret = token(40);
    for text in [
        format!("A PEM file begins with `-----BEGIN {private}-----` and ends with `-----END {private}-----`."),
        format!("if text.contains(\"-----BEGIN {private}-----\") {{ return Err(PrivateKeyInsideTheConfiguration); }}"),
        format!("-----BEGIN {private}-----\n...\n-----END {private}-----"),
        format!("-----BEGIN RSA {private}-----\nMIIEpAIBAAKCAQEA...\n-----END RSA {private}-----"),
        format!("-----BEGIN {private}-----\n{}\n-----END {private}-----", "x".repeat(64)),
        format!("-----BEGIN {private}-----\nYOUR{}\n", token(60)),
        format!("-----BEGIN {private}-----\nNote: it is long\nas everybody knows who has seen one of them before\n"),
        format!("-----BEGIN {private}-----"),
        format!("-----BEGIN PGP {private} BLOCK-----\nVersion: 1"),
        key_of("PUBLIC KEY"),
        key_of("CERTIFICATE"),
        key_of("PGP PUBLIC KEY BLOCK"),
        key_of("PGP MESSAGE"),
        key_of("SSH SIGNATURE"),
        "PuTTY-User-Key-File-3: is how such files begin, and Private-Lines: follow later".into(),
        "AGE-SECRET-KEY-1...".into(),
        format!("AGE-SECRET-KEY-1{}", "Q".repeat(58)),
        "{\"type\": \"service_account\", \"private_key\": \"...\"}".into(),
        "{\"type\": \"service_account\"}".into(),
        format!("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}KEY", "EXAMPLE"),
        format!("AKIAIOSFODNN7{} wJalrXUtnFEMI/K7MDENG/bPxRfiCY{}KEY", "EXAMPLE", "EXAMPLE"),
        "aws_secret_access_key = ${AWS_SECRET_ACCESS_KEY}".into(),
        "aws_secret_access_key = os.environ[\"AWS_SECRET_ACCESS_KEY_OF_THE_BUILD\"]".into(),
        format!("AK{}{} alone names an account", "IA", drawn(b"ABCDEFGHJKLMNPQ234567", 16)),
        format!("AK{}{} in commit {}", "IA", drawn(b"ABCDEFGHJKLMNPQ234567", 16), drawn(HEX, 40)),
        format!("secret = {secret}"),
        "//registry.npmjs.org/:_authToken=${NPM_TOKEN}".into(),
        "_authToken=process.env.NPM_TOKEN_OF_THE_BUILD_2".into(),
        "_authToken = your-token-of-36-characters-goes-here".into(),
        format!("ghp_{}", "x".repeat(36)),
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789".into(),
        "ghp_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij".into(),
        "ghp_yourPersonalAccessTokenGoesHere12345".into(),
        "github_pat_...".into(),
        "glpat-your-access-token".into(),
        "glpat-a-token-with-words-and-hyphens".into(),
        "xoxb-your-token-goes-here-in-the-file".into(),
        "xoxb-not-a-real-token-for-the-tests-at-all".into(),
        "export ANTHROPIC_API_KEY=sk-ant-...".into(),
        "sk-ant-not-a-key".into(),
        "sk-ant-api03-put-the-key-of-the-console-here-and-nothing-else".into(),
        format!("sk-ant-api03-{}", "x".repeat(95)),
        "class=\"sk-folding-cube-with-a-very-long-name-that-goes-on-and-on\"".into(),
        format!("desk-{}", token(60)),
        "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11".into(),
        "1234567890:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi".into(),
        format!("{}:{}", 1_700_000_000, drawn(HEX, 40)),
        format!("{}:{}", 1_700_000_000, drawn(HEX, 35)),
        format!("12345{}:{}", 1_700_000_000, token(35)),
        format!("sha256:{} {}", drawn(HEX, 64), token(64)),
        "PrivateKey = <the key that `wg genkey` says>".into(),
        include_str!("contents.rs").into(),
        include_str!("credentials.rs").into(),
        include_str!("contents_tests.rs").into(),
    ] {
        assert_eq!(looked_at(&text), None, "{text}");
    }
}

#[test]
fn both_ends_of_a_large_file_are_looked_at_and_its_position_stays() {
    let secret = format!("ghp{}{}", "_", token(36));
    let of = |bytes: &[u8]| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut open = file;
        std::io::Seek::rewind(&mut open).unwrap();
        let found = secret_in(&open, bytes.len() as u64).unwrap();
        let mut read = Vec::new();
        open.read_to_end(&mut read).unwrap();
        assert!(read == bytes, "read from its beginning");
        found
    };
    for length in [100, END - 1, END, END + 1, 2 * END - 1, 2 * END, 2 * END + 1, 5 * END + 3] {
        let mut bytes = vec![b' '; length];
        assert_eq!(of(&bytes), None);
        let last = length - secret.len();
        for at in [0, last] {
            bytes[at..at + secret.len()].copy_from_slice(secret.as_bytes());
            assert_eq!(of(&bytes), Some("a token of GitHub"), "{at} of {length}");
            bytes[at..at + secret.len()].fill(b' ');
        }
        // The end is in the encoding that the beginning says, whatever the parity of its place.
        let units = format!("{}{secret}", " ".repeat(length));
        let mut encoded: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(units.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(of(&encoded), Some("a token of GitHub"), "{length} in UTF-16");
        encoded.push(b'\n');
        assert_eq!(of(&encoded), Some("a token of GitHub"), "{length} in UTF-16, and half a unit");
    }
    // What the doc says: between the ends nothing is seen.
    let mut bytes = vec![b' '; 4 * END];
    bytes[2 * END..2 * END + secret.len()].copy_from_slice(secret.as_bytes());
    assert_eq!(of(&bytes), None);
}

#[test]
fn what_is_made_to_be_slow_is_not() {
    // Each would take minutes if the time grew with the square of the length.
    let private = "PRIVATE KEY";
    for piece in [
        format!("-----BEGIN {private}-----"),
        format!("-----BEGIN {private}-----\nA: b\n"),
        "\"type\":\"service_account\"".into(),
        "PuTTY-User-Key-File-3: ".into(),
        "//a:_password=".into(),
        format!("AK{}ABCDEFGHIJKLMNOP ", "IA"),
        "1234567890:".into(),
        "sk-".into(),
        "\n".into(),
        "A".into(),
    ] {
        let text = piece.repeat(2 * END / piece.len());
        assert_eq!(looked_at(&text), None, "{piece}");
    }
}

proptest! {
    #[test]
    fn no_bytes_stop_the_check(head in prop::collection::vec(any::<u8>(), 0..600), tail in prop::collection::vec(any::<u8>(), 0..600)) {
        secret_of(&head, &tail);
    }

    #[test]
    fn no_pieces_of_secrets_stop_the_check(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "-----BEGIN ", "PRIVATE KEY", " BLOCK", "-----", "\n", "\\n", "\\", "Proc-Type: 4\n", "MIIEpAIBAAKCAQEAw9",
            "AKIA", "ABCDEFGH", "12345678", ":", "=", "_authToken", "ghp_", "sk-", "\u{feff}", "\u{fffe}", "é", "\"",
        ]), 0..40),
        mark in prop::sample::select(vec![&b""[..], b"\xff\xfe", b"\xfe\xff", b"\x30\x82"]),
    ) {
        let text = [mark, pieces.concat().as_bytes()].concat();
        secret_of(&text, b"");
        secret_of(mark, &text);
    }

    #[test]
    fn random_bytes_are_no_secret(bytes in prop::collection::vec(any::<u8>(), 64..4096)) {
        // But for what is taken for one by its first bytes.
        prop_assert_eq!(secret_of(b"\x89", &bytes), None);
    }
}
