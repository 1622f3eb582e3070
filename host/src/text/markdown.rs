//! Reads Markdown as a chat shows it: CommonMark with tables, struck-out text and task lists.
//!
//! Where Markdown would lose or change what somebody who knows nothing of it wrote, the words win: whatever is no
//! markup stays as it is, and no word is lost.

mod address;
mod definitions;
mod gaps;
mod marker;
mod render;
mod table;
mod writer;

use std::{borrow::Cow, ops::Range};

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::RichText;
use marker::Content;
use render::Renderer;

/// The most quotes and lists that may begin on one line. A text with more is no Markdown that somebody wrote to be
/// read, and parsers take quadratic time for it.
const NESTED: usize = 64;

/// What the parser found, and where in the source.
type Found<'s> = Vec<(Event<'s>, Range<usize>)>;

/// Reads Markdown. Never fails; a text without markup comes out as it went in, but for white space around it and
/// carriage returns.
///
/// - Paragraphs are separated by an empty line, line breaks stay, other blocks are as far apart as in the source.
/// - Headings are bold lines; a rule is `———`; lists have `•`, their own numbers, or ☐ and ☑, and are indented.
/// - Tables are aligned columns in a [block](super::Style::Block); HTML is shown as it is written.
/// - Addresses other than `http`, `https`, `mailto` and `tg` are no links: they stand in brackets behind the label.
#[must_use]
pub fn markdown(source: &str) -> RichText {
    let source = one_line_break(source);
    let (rich, _) = read(&source);
    if rich.is_blank() || (rich.spans.is_empty() && same_words(&source, &rich.text)) {
        let text = source.trim_end_matches([' ', '\t', '\n']).trim_start_matches('\n');
        return RichText::plain(text);
    }
    rich
}

/// What the text becomes, and how many of the parser's events it took.
pub(super) fn read(source: &str) -> (RichText, usize) {
    if nests_too_deeply(source) {
        return (RichText::plain(source), 0);
    }
    let mut parser = parser(source);
    let found: Found<'_> = parser.by_ref().collect();
    match definitions::shown(source, &found, parser.reference_definitions()) {
        None => (render(source, &found), found.len()),
        Some(escaped) => {
            let again = self::parser(&escaped).collect();
            (render(&escaped, &again), found.len() + again.len())
        }
    }
}

fn parser(source: &str) -> pulldown_cmark::OffsetIter<'_> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    Parser::new_ext(source, options).into_offset_iter()
}

fn render(source: &str, found: &Found<'_>) -> RichText {
    let mut renderer = Renderer::new(source);
    for (at, (event, range)) in found.iter().enumerate() {
        match event {
            Event::Start(Tag::Item) => renderer.item(range.clone(), content(&found[at + 1..])),
            event => renderer.event(event, range.clone()),
        }
    }
    renderer.finish()
}

/// What the item has whose events these are: its marker looks like that.
fn content(found: &[(Event<'_>, Range<usize>)]) -> Content {
    let mut events = found.iter().map(|(event, _)| event).filter(|event| **event != Event::Start(Tag::Paragraph));
    match events.next() {
        Some(Event::TaskListMarker(done)) => Content::Task { done: *done },
        Some(Event::End(_)) | None => Content::Nothing,
        Some(_) => Content::Words,
    }
}

/// Other systems' line breaks become `\n`.
fn one_line_break(source: &str) -> Cow<'_, str> {
    if source.contains('\r') { source.replace("\r\n", "\n").replace('\r', "\n").into() } else { source.into() }
}

/// Whether reading changed nothing but white space.
fn same_words(source: &str, text: &str) -> bool {
    let words = |text| str::chars(text).filter(|c| !c.is_whitespace());
    words(source).eq(words(text))
}

fn nests_too_deeply(source: &str) -> bool {
    source.lines().any(|line| markers(line).0 > NESTED)
}

/// How many quotes and list items a line could begin at most, and the bytes that their markers take.
fn markers(line: &str) -> (usize, usize) {
    let (mut count, mut rest) = (0, line);
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let after = match rest.as_bytes().first() {
            Some(b'>') => Some(&rest[1..]),
            Some(b'-' | b'+' | b'*') => Some(&rest[1..]).filter(|rest| ends_marker(rest)),
            Some(b'0'..=b'9') => {
                let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                after.strip_prefix(['.', ')']).filter(|rest| ends_marker(rest))
            }
            _ => None,
        };
        match after {
            Some(after) => (count, rest) = (count + 1, after),
            None => return (count, line.len() - rest.len()),
        }
    }
}

/// Whether what comes after a list's sign makes it one.
fn ends_marker(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with([' ', '\t'])
}
