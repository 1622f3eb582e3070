//! One reply of Claude's: its pieces, one message each, in order.

use std::sync::Arc;

use super::{ActionError, perform};
use crate::{
    adapters::Adapter,
    gate::{ChunkMode, ReplyToMode, Settings},
    sandbox::types,
    text::{self, Format, Pieces, RichText, Span, Style},
};

/// Messages that one reply may become.
const MESSAGES: usize = 32;

/// What is to be said, and where.
pub(super) struct Saying {
    pub(super) place: types::Place,
    pub(super) reply_to: Option<String>,
    pub(super) text: String,
    pub(super) format: Format,
    pub(super) files: Vec<types::KeptFile>,
}

/// Says it; gives the ids of the messages, as far as the platform names them.
///
/// # Errors
/// A text for Claude, which says how much of it was said.
pub(super) async fn say_all(adapter: &Arc<Adapter>, saying: Saying) -> Result<Vec<String>, String> {
    let Saying { place, reply_to, text, format, mut files } = saying;
    let settings = adapter.gate.settings();
    let mut pieces = pieces(adapter, &text, format, &settings);
    if pieces.is_empty() {
        if files.is_empty() {
            return Err("there is nothing to read in this text, so nothing was sent".into());
        }
        pieces.push(RichText::default());
    }
    let count = pieces.len();
    if count > MESSAGES {
        return Err(format!("this would be {count} messages and at most {MESSAGES} leave at once: say it shorter"));
    }
    adapter.presence.answered(&place.conversation);
    let mut ids = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let refers = match settings.reply_to_mode {
            ReplyToMode::Off => false,
            ReplyToMode::First => index == 0,
            ReplyToMode::All => true,
        };
        let send = types::Outgoing {
            place: place.clone(),
            reply_to: reply_to.clone().filter(|_| refers),
            text: spoken(piece),
            // The last piece brings them.
            files: if index + 1 == count { std::mem::take(&mut files) } else { Vec::new() },
        };
        match perform(adapter, types::Action::Send(send)).await {
            Ok(types::Outcome::Sent(new)) => ids.extend(new),
            Ok(_) => {}
            Err(error) => return Err(partly(index, count, &error)),
        }
    }
    Ok(ids)
}

/// The one message that an edited text must be.
///
/// # Errors
/// A text for Claude.
pub(super) fn one(adapter: &Adapter, text: &str, format: Format) -> Result<types::RichText, String> {
    let mut pieces = pieces(adapter, text, format, &Settings::default());
    match (pieces.pop(), pieces.len()) {
        (Some(piece), 0) => Ok(spoken(piece)),
        (None, _) => Err("there is nothing to read in this text".into()),
        (Some(_), more) => Err(format!("the text is too long for one message ({} would be needed)", more + 1)),
    }
}

fn pieces(adapter: &Adapter, text: &str, format: Format, settings: &Settings) -> Vec<RichText> {
    let contract = &adapter.program.contract;
    // Who cannot show styles gets what Claude wrote.
    let format = if contract.manifest.spans { format } else { Format::Text };
    let wanted = Pieces { chunk_limit: settings.text_chunk_limit, reader: settings.chunk_mode == ChunkMode::Newline };
    text::pieces(text, format, contract.platform.text_limit, &wanted)
}

fn partly(done: usize, count: usize, error: &ActionError) -> String {
    match done {
        0 => error.to_string(),
        done => format!("of {count} messages the first {done} were sent, and then: {error}"),
    }
}

/// The text as the interface has it.
#[must_use]
pub fn spoken(rich: RichText) -> types::RichText {
    let span = |Span { start, end, style }: Span| {
        let style = match style {
            Style::Bold => types::Style::Bold,
            Style::Italic => types::Style::Italic,
            Style::Strike => types::Style::Strike,
            Style::Code => types::Style::Code,
            Style::Block(language) => types::Style::Block(language),
            Style::Quote => types::Style::Quote,
            Style::Link(url) => types::Style::Link(url),
        };
        types::Span { start, end, style }
    };
    types::RichText { text: rich.text, spans: rich.spans.into_iter().map(span).collect() }
}
