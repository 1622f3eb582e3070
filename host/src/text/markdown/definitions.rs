//! Definitions of references (`[label]: address`), which Markdown shows nowhere. A line such as `- [Status]: done` is
//! one too, so only those that a link of the text uses stay hidden.

use std::{collections::HashSet, ops::Range};

use pulldown_cmark::{Event, LinkType, RefDefs, Tag};

use super::{address::may_link, markers};

/// The source with all definitions that no link uses escaped, so that they are text; `None` if there are none.
pub(super) fn shown(source: &str, found: &[(Event<'_>, Range<usize>)], all: &RefDefs<'_>) -> Option<String> {
    all.iter().next()?;
    let used = used(found, all);
    let text = text(source, found);
    let mut escaped = String::with_capacity(source.len());
    let (mut start, mut copied) = (0, 0);
    for line in source.split_inclusive('\n') {
        let at = start + markers(line).1;
        start += line.len();
        if source[at..].starts_with('[') && !text[at] && !used.contains(&at) {
            escaped.push_str(&source[copied..at]);
            escaped.push('\\');
            copied = at;
        }
    }
    escaped.push_str(&source[copied..]);
    (copied > 0 || escaped.len() > source.len()).then_some(escaped)
}

/// Where the definitions begin that a link uses.
fn used(found: &[(Event<'_>, Range<usize>)], all: &RefDefs<'_>) -> HashSet<usize> {
    let mut used = HashSet::new();
    for (event, _) in found {
        if let Event::Start(Tag::Link { link_type, dest_url, id, .. } | Tag::Image { link_type, dest_url, id, .. }) =
            event
            && matches!(link_type, LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut)
            && may_link(dest_url)
            && let Some(definition) = all.get(id)
        {
            used.insert(definition.span.start);
        }
    }
    used
}

/// Which bytes of the source are text or the beginning of a link.
fn text(source: &str, found: &[(Event<'_>, Range<usize>)]) -> Vec<bool> {
    let mut text = vec![false; source.len()];
    for (event, range) in found {
        let part = match event {
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => range.start..range.start + 1,
            Event::Start(Tag::CodeBlock(_) | Tag::HtmlBlock) => range.clone(),
            Event::Start(_) | Event::End(_) => continue,
            _ => range.clone(),
        };
        if let Some(part) = text.get_mut(part) {
            part.fill(true);
        }
    }
    text
}
