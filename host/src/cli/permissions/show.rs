//! The record's lines as people read them. All of the texts are foreign.

use anstyle::Style;

use crate::{
    cli::screen::{BAD, BOLD, DIM, GOOD, WAITS, paint, reason, visible},
    journal::Recorded,
    relay::record::{Entry, Evidence, What},
};

/// Longest texts, in characters: of a tool or an id, of a name, of a sentence, of a call's arguments.
const ID: usize = 256;
const NAME: usize = 40;
const SENTENCE: usize = 300;
const PREVIEW: usize = 300;

/// One request: what was asked, then what happened to it.
pub(super) fn block(lines: &[Recorded]) -> Vec<String> {
    let mut live = Live::default();
    lines.iter().flat_map(|line| live.lines(line)).collect()
}

/// Lines one after another, with a heading wherever another request begins or goes on.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// The request of the last line; nothing before the first.
    last: Option<Option<String>>,
    /// The day of the last heading.
    day: String,
}

impl Live {
    /// What is shown for the next line.
    pub(super) fn lines(&mut self, line: &Recorded) -> Vec<String> {
        let Some(entry) = line.entry() else {
            self.last = None;
            let text =
                format!("{} {}", paint(BAD, format!("line {} cannot be read:", line.id)), visible(&line.text, ID));
            return vec![text];
        };
        let (day, time) = local(entry.time_ms);
        let mut shown = Vec::new();
        if self.last.as_ref() != Some(&entry.request) || entry.request.is_none() {
            self.day.clone_from(&day);
            shown.push(heading(&entry, &day, &time));
        }
        self.last = Some(entry.request.clone());
        match &entry.what {
            What::Requested { preview, .. } if preview.is_empty() => {}
            What::Requested { preview, .. } => shown.push(format!("    {}", visible(preview, PREVIEW))),
            what => {
                let (style, word, details) = happened(what);
                // The day is said only where it is another one than the heading's.
                let time = if day == self.day { time } else { format!("{day} {time}") };
                let word = paint(style, format!("{:<9}", visible(&word, NAME)));
                shown.push(format!("    {} {word} {details}", paint(DIM, time)));
            }
        }
        shown
    }
}

fn heading(entry: &Entry, day: &str, time: &str) -> String {
    let when = paint(DIM, format!("{day} {time}"));
    let request = entry.request.as_ref().map(|request| visible(request, ID));
    match (&entry.what, request) {
        (What::Requested { tool, description, .. }, request) => {
            let description = if description.trim().is_empty() {
                String::new()
            } else {
                format!("  {}", visible(description, SENTENCE))
            };
            let request = request.map(|request| paint(DIM, format!("  request {request}"))).unwrap_or_default();
            format!("{when}  {}{description}{request}", paint(BOLD, visible(tool, ID)))
        }
        (_, Some(request)) => format!("{when}  request {request}"),
        (_, None) => format!("{when}  belongs to no request"),
    }
}

/// What happened: a word and its style, and the details.
fn happened(what: &What) -> (Style, String, String) {
    match what {
        What::Requested { .. } => (Style::new(), "requested".into(), String::new()),
        What::NotRelayed { why } => (WAITS, "terminal".into(), format!("nobody was asked: {}", reason(why, SENTENCE))),
        What::Asked { adapter, sender, conversation, message } => (
            Style::new(),
            "asked".into(),
            format!(
                "{} through {adapter}, conversation {}, message {}",
                visible(sender, ID),
                visible(conversation, ID),
                visible(message, ID)
            ),
        ),
        What::NotSent { adapter, sender, why } => {
            (BAD, "not sent".into(), format!("to {} through {adapter}: {}", visible(sender, ID), reason(why, SENTENCE)))
        }
        What::Counted { by } => (GOOD, "one allow".into(), format!("by {}", evidence(by))),
        What::Decided { verdict, by } => {
            let (style, word) = match verdict.as_str() {
                "allow" => (GOOD, "allowed"),
                "deny" => (BAD, "denied"),
                other => (BAD, other),
            };
            (style, word.into(), format!("by {}", evidence(by)))
        }
        What::Ended { why } => (WAITS, "ended".into(), reason(why, SENTENCE)),
        // Why comes first: what follows was chosen by others.
        What::Refused { why, by } => {
            (BAD, "refused".into(), format!("{}; from {}", reason(why, SENTENCE), evidence(by)))
        }
    }
}

/// Who and how. What the sender is called is only decoration and stands in quotes at the end, where it can imitate
/// nothing.
fn evidence(by: &Evidence) -> String {
    let mut text = format!("{} through {}", visible(&by.sender, ID), by.adapter);
    for (word, value) in [
        ("", &by.how),
        ("conversation ", &by.conversation),
        ("message ", &by.message),
        ("event ", &by.event),
        ("rule ", &by.rule),
    ] {
        if !value.is_empty() {
            text.push_str(&format!(", {word}{}", visible(value, ID)));
        }
    }
    if let Some(name) = &by.sender_name {
        text.push_str(&format!(", called \"{}\"", visible(name, NAME).replace('"', "'")));
    }
    text
}

/// Day and time in the user's own time zone.
fn local(ms: i64) -> (String, String) {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(time) => {
            let time = time.to_zoned(jiff::tz::TimeZone::system());
            (time.strftime("%Y-%m-%d").to_string(), time.strftime("%H:%M:%S").to_string())
        }
        Err(_) => ("at".into(), format!("{ms} ms")),
    }
}
