//! Formatting as Telegram has it: entities beside the text, so that nothing in the text needs escaping.
//! <https://core.telegram.org/bots/api#messageentity>

use sluicegate_sdk::prelude::*;

/// The entities of a text, with offsets in UTF-16 code units; `null` if there are none.
///
/// Telegram takes code neither in other styles nor in links. Other styles stop around code, and a link is worth more
/// than the code in it.
pub fn of(text: &RichText) -> Value {
    let spans: Vec<Span> =
        text.utf16_spans().into_iter().filter(|span| span.start < span.end && is_known(span)).collect();
    let links: Vec<&Span> = spans.iter().filter(|span| matches!(span.style, Style::Link(_))).collect();
    let is_shown = |span: &&Span| is_code(span) && !links.iter().any(|link| meet(link, span));
    let code: Vec<&Span> = spans.iter().filter(is_shown).collect();
    let mut entities = Vec::new();
    for span in &spans {
        match &span.style {
            Style::Code | Style::Block(_) if !code.contains(&span) => {}
            Style::Bold | Style::Italic | Style::Strike => {
                let mut start = span.start;
                for hole in code.iter().filter(|hole| meet(hole, span)) {
                    entities.extend(entity(span, start, hole.start));
                    start = hole.end;
                }
                entities.extend(entity(span, start, span.end));
            }
            _ => entities.extend(entity(span, span.start, span.end)),
        }
    }
    if entities.is_empty() { Value::Null } else { entities.into() }
}

fn is_code(span: &Span) -> bool {
    matches!(span.style, Style::Code | Style::Block(_))
}

/// Telegram knows no links to mail.
fn is_known(span: &Span) -> bool {
    !matches!(&span.style, Style::Link(url) if !url.contains("://"))
}

fn meet(one: &Span, other: &Span) -> bool {
    one.start < other.end && other.start < one.end
}

/// The part of a span from there to there, if there is one.
fn entity(span: &Span, start: u32, end: u32) -> Option<Value> {
    let length = end.checked_sub(start).filter(|length| *length > 0)?;
    let mut entity = json!({ "offset": start, "length": length });
    entity["type"] = match &span.style {
        Style::Bold => "bold",
        Style::Italic => "italic",
        Style::Strike => "strikethrough",
        Style::Code => "code",
        Style::Quote => "blockquote",
        Style::Block(language) => {
            if let Some(language) = language.as_deref().filter(|language| !language.is_empty()) {
                entity["language"] = language.into();
            }
            "pre"
        }
        Style::Link(url) => {
            entity["url"] = url.as_str().into();
            "text_link"
        }
    }
    .into();
    Some(entity)
}
