//! Paths of routes: patterns, and how a request's path is read without doubt.

use std::fmt;

use percent_encoding::percent_decode_str;

use super::error::Malformed;

/// The longest path of a request, in bytes.
const PATH_BYTES: usize = 2048;
/// The longest pattern, in bytes.
const PATTERN_BYTES: usize = 256;
/// The most segments of a pattern.
const SEGMENTS: usize = 16;

/// Which paths a route takes. Segments are names, `*` for any one segment, `{credential}` for the name of a
/// credential, and at the end `**` for any number of segments. `/` is the adapter's own path.
#[derive(Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: Box<str>,
    segments: Box<[Segment]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Name(Box<str>),
    Any,
    Credential,
    Rest,
}

/// What the variable parts of a path were.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathMatch {
    /// The segment in the place of `{credential}`, decoded.
    pub credential: Option<String>,
    /// What each `*` and the `**` matched, in order, decoded; the segments of `**` are joined with `/`.
    pub wildcards: Vec<String>,
}

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > PATTERN_BYTES {
            return Err(Malformed::new(format!("a path has at most {} bytes", PATTERN_BYTES)));
        }
        let rest = text.strip_prefix('/').ok_or_else(|| Malformed::new(format!("{text:?} must begin with `/`")))?;
        if rest.is_empty() {
            return Ok(Self { text: text.into(), segments: Box::default() });
        }
        let segments = rest.split('/').map(Segment::parse).collect::<Result<Vec<_>, _>>()?;
        if segments.len() > SEGMENTS {
            return Err(Malformed::new(format!("a path has at most {SEGMENTS} segments")));
        }
        if segments.iter().rev().skip(1).any(|segment| *segment == Segment::Rest) {
            return Err(Malformed::new(format!("{text:?} has `**` in the middle; it may only stand at the end")));
        }
        Ok(Self { text: text.into(), segments: segments.into() })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Matches a request's path below the adapter's own, still percent-encoded and without the query.
    ///
    /// `""` and `"/"` are the adapter's own path, and one `/` at the end is ignored. A path with an empty, `.` or
    /// `..` segment, an encoded `/`, a backslash, a control character or broken encoding matches nothing.
    #[must_use]
    pub fn matches(&self, path_below_adapter: &str) -> Option<PathMatch> {
        let decoded = decode(path_below_adapter)?;
        let mut rest = decoded.into_iter();
        let mut found = PathMatch::default();
        for segment in &self.segments {
            match segment {
                Segment::Name(name) => {
                    if *rest.next()? != **name {
                        return None;
                    }
                }
                Segment::Any => found.wildcards.push(rest.next()?),
                Segment::Credential => found.credential = Some(rest.next()?),
                Segment::Rest => found.wildcards.push(rest.by_ref().collect::<Vec<_>>().join("/")),
            }
        }
        rest.next().is_none().then_some(found)
    }

    /// How many wildcards a match has.
    #[must_use]
    pub fn wildcards(&self) -> usize {
        self.segments.iter().filter(|segment| matches!(segment, Segment::Any | Segment::Rest)).count()
    }

    /// How often `{credential}` stands in it.
    #[must_use]
    pub fn credentials(&self) -> usize {
        self.segments.iter().filter(|segment| **segment == Segment::Credential).count()
    }

    /// Whether some path matches both patterns.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        overlap(&self.segments, &other.segments)
    }
}

impl fmt::Debug for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, Malformed> {
        match text {
            "*" => Ok(Self::Any),
            "**" => Ok(Self::Rest),
            "{credential}" => Ok(Self::Credential),
            "" => Err(Malformed::new("a path has no empty segments and no `/` at its end")),
            "." | ".." => Err(Malformed::new("a path has no `.` or `..` segments")),
            name if name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)) => {
                Ok(Self::Name(name.into()))
            }
            other => Err(Malformed::new(format!(
                "{other:?} is no path segment; take letters, digits and `-._~`, or `*`, `{{credential}}`, or `**` at the end"
            ))),
        }
    }
}

/// The decoded segments of a path; `None` if the path could mean something else to another reader.
fn decode(path: &str) -> Option<Vec<String>> {
    if path.len() > PATH_BYTES {
        return None;
    }
    let path = match path.strip_prefix('/') {
        Some(below) => below,
        None if path.is_empty() => path,
        None => return None,
    };
    if path.is_empty() {
        return Some(Vec::new());
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').map(decode_segment).collect()
}

/// Whether each `%` begins a percent-encoded byte.
pub(super) fn is_whole(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    bytes.iter().enumerate().all(|(at, b)| {
        let hex = |offset| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        *b != b'%' || (hex(1) && hex(2))
    })
}

fn decode_segment(raw: &str) -> Option<String> {
    if !is_whole(raw) || raw.contains(['?', '#']) {
        return None;
    }
    let decoded = percent_decode_str(raw).decode_utf8().ok()?;
    let unsafe_character = |c: char| c == '/' || c == '\\' || c.is_control();
    if decoded.is_empty() || decoded == "." || decoded == ".." || decoded.contains(unsafe_character) {
        return None;
    }
    Some(decoded.into_owned())
}

fn overlap(left: &[Segment], right: &[Segment]) -> bool {
    match (left.split_first(), right.split_first()) {
        (None, None) => true,
        (Some((Segment::Rest, _)), _) | (_, Some((Segment::Rest, _))) => {
            // `**` takes whatever the other still asks for; everything before it has matched already.
            true
        }
        (None, Some(_)) | (Some(_), None) => false,
        (Some((Segment::Name(one), left)), Some((Segment::Name(other), right))) => one == other && overlap(left, right),
        (Some((_, left)), Some((_, right))) => overlap(left, right),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn found(pattern: &str, path: &str) -> Option<(Option<String>, Vec<String>)> {
        let PathMatch { credential, wildcards } = PathPattern::parse(pattern).unwrap().matches(path)?;
        Some((credential, wildcards))
    }

    #[test]
    fn paths_match_by_decoded_segments() {
        let none = || Some((None, vec![]));
        for (pattern, path, expected) in [
            ("/", "", none()),
            ("/", "/", none()),
            ("/", "/a", None),
            ("/a", "/a", none()),
            ("/a", "/a/", none()),
            ("/a", "/a//", None),
            ("/a", "//a", None),
            ("/a", "a", None),
            ("/a", "/%61", none()),
            ("/a", "/A", None),
            ("/a/*", "/a/b%20c", Some((None, vec!["b c".into()]))),
            ("/a/*", "/a", None),
            ("/a/*", "/a/b/c", None),
            ("/{credential}", "/github", Some((Some("github".into()), vec![]))),
            ("/{credential}/**", "/github", Some((Some("github".into()), vec![String::new()]))),
            ("/{credential}/**", "/github/x/y", Some((Some("github".into()), vec!["x/y".into()]))),
            ("/*/**", "/a/b", Some((None, vec!["a".into(), "b".into()]))),
        ] {
            assert_eq!(found(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn paths_that_others_may_read_differently_match_nothing() {
        for path in [
            "/..", "/.", "/a/../b", "/%2e%2e", "/%2E", "/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/%00", "/%0a", "/%",
            "/%4", "/%zz", "/%ff", "/a?b", "/a#b", "//", "/a//b",
        ] {
            assert_eq!(found("/**", path), None, "{path}");
        }
        assert_eq!(found("/**", &format!("/{}", "a".repeat(2048))), None);
    }

    #[test]
    fn patterns_are_strict() {
        let long = "/a".repeat(17);
        for bad in
            ["", "a", "/a/", "//", "/a//b", "/.", "/..", "/a*", "/**/a", "/{x}", "/%41", "/a b", "/ä", "/***", &long]
        {
            assert!(PathPattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn patterns_overlap_when_one_path_matches_both() {
        for (one, other, expected) in [
            ("/", "/", true),
            ("/", "/*", false),
            ("/", "/**", true),
            ("/a", "/b", false),
            ("/a", "/*", true),
            ("/a/*", "/*/b", true),
            ("/a/*", "/a", false),
            ("/a/**", "/a", true),
            ("/a/**", "/b/**", false),
            ("/a/**", "/*/x/y", true),
            ("/{credential}", "/a", true),
            ("/{credential}", "/a/b", false),
        ] {
            let (one, other) = (PathPattern::parse(one).unwrap(), PathPattern::parse(other).unwrap());
            assert_eq!(one.overlaps(&other), expected, "{one:?} {other:?}");
            assert_eq!(other.overlaps(&one), expected, "{other:?} {one:?}");
        }
    }

    fn pattern() -> impl Strategy<Value = String> {
        prop::collection::vec(prop_oneof!["[ab]", Just("*".into()), Just("{credential}".into())], 0..4).prop_flat_map(
            |parts| {
                any::<bool>().prop_map(move |rest| {
                    let all: Vec<String> = parts.iter().cloned().chain(rest.then(|| "**".to_owned())).collect();
                    format!("/{}", all.join("/"))
                })
            },
        )
    }

    proptest! {
        #[test]
        fn any_path_is_matched_without_panic(path in "\\PC*") {
            let _ = PathPattern::parse("/*/**").unwrap().matches(&path);
        }

        #[test]
        fn what_both_match_overlaps(one in pattern(), other in pattern(), path in "(/[ab]){0,4}") {
            let (one, other) = (PathPattern::parse(&one).unwrap(), PathPattern::parse(&other).unwrap());
            if one.matches(&path).is_some() && other.matches(&path).is_some() {
                prop_assert!(one.overlaps(&other));
            }
        }
    }
}
