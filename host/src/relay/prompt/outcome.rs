//! What takes the place of a prompt when it has ended, or when one of two approvers has answered.

use super::{
    Means, Request,
    arguments::{Arguments, quoted},
    page::{Page, most, units},
    show,
};
use crate::{
    relay::Verdict,
    text::{RichText, Style},
};

/// Characters of what is kept of a request.
const SUBJECT: u64 = 300;
/// Characters of a person's name, or of a reason.
const NAME: u64 = 100;
/// Arguments that say most about a call.
const TELLING: [&str; 6] = ["command", "file_path", "notebook_path", "url", "path", "query"];

/// How a request ended for an approver who had been asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// An approver decided.
    Decided {
        /// What.
        verdict: Verdict,
        /// What they are called.
        by: String,
        /// It is the approver who is told so.
        you: bool,
    },
    /// Nobody decided in time.
    Expired,
    /// Claude Code went on: it was answered at the terminal or in another channel.
    Elsewhere,
    /// The session that asked is over.
    SessionEnded,
    /// The host took it back, for that reason.
    Withdrawn(String),
}

impl Ending {
    /// The same, told to the approver who decided or to another one.
    #[must_use]
    pub fn to(mut self, decided: bool) -> Self {
        if let Self::Decided { you, .. } = &mut self {
            *you = decided;
        }
        self
    }
}

/// What a request is about, in one line of at most 300 characters in which everything shows: `Bash: npm test`.
#[must_use]
pub fn subject(request: &Request) -> String {
    let arguments = Arguments::read(&request.preview);
    let telling = TELLING.iter().find_map(|name| arguments.get(name)).or_else(|| arguments.list.first());
    let tool = quoted(&request.tool);
    let value = telling.map_or_else(String::new, |argument| show::whole(&show::line(&argument.value)));
    let about = if value.is_empty() { value } else { format!(": {value}") };
    let more = if arguments.list.len() > 1 { " …" } else { "" };
    let whole = format!("{tool}{about}");
    if whole.chars().count() as u64 + 2 <= SUBJECT {
        return whole + more;
    }
    shortened(&whole, SUBJECT)
}

/// Says how a request ended: `subject` as [`subject`] gave it, `at` the time as people read it.
#[must_use]
pub fn outcome(subject: &str, ending: &Ending, at: &str, means: &Means) -> RichText {
    let at = show::again(at);
    let head = match ending {
        Ending::Decided { verdict: Verdict::Allow, you: true, .. } => format!("✅ You allowed it at {at}"),
        Ending::Decided { verdict: Verdict::Deny, you: true, .. } => format!("❌ You denied it at {at}"),
        Ending::Decided { verdict: Verdict::Allow, by, .. } => format!("✅ Allowed at {at} by {}", named(by)),
        Ending::Decided { verdict: Verdict::Deny, by, .. } => format!("❌ Denied at {at} by {}", named(by)),
        Ending::Expired => format!("⌛ Expired at {at}: decide at the terminal"),
        Ending::Elsewhere => format!("Answered elsewhere by {at}: nothing can be decided here any more"),
        Ending::SessionEnded => "The session ended: nothing can be decided here any more".to_owned(),
        Ending::Withdrawn(why) => format!("Withdrawn at {at}: {}", named(why)),
    };
    let brief = match ending {
        Ending::Decided { verdict: Verdict::Allow, .. } => "✅ Allowed",
        Ending::Decided { verdict: Verdict::Deny, .. } => "❌ Denied",
        _ => "Closed",
    };
    headed(&head, brief, subject, means)
}

/// Says to an approver that their yes counts and others must follow.
#[must_use]
pub fn counted(subject: &str, allowed: u8, needed: u8, means: &Means) -> RichText {
    let others = match needed.saturating_sub(allowed) {
        0 => String::new(),
        1 => "; one more approver must".to_owned(),
        more => format!("; {more} more approvers must"),
    };
    headed(&format!("✅ You allowed it{others}"), "✅ Allowed", subject, means)
}

/// A line in bold and the subject below it, as far as it fits.
fn headed(head: &str, brief: &str, subject: &str, means: &Means) -> RichText {
    let subject = show::again(subject);
    let lengths = [SUBJECT, 120, 40];
    let page = |subject: Option<String>| {
        let mut page = Page::new(means);
        page.styled(head, Style::Bold);
        if let Some(subject) = subject.filter(|subject| !subject.is_empty()) {
            page.foreign(&subject, Style::Quote);
        }
        page.fits(means)
    };
    let with = lengths.iter().find_map(|length| page(Some(shortened(&subject, *length))));
    with.or_else(|| page(None)).unwrap_or_else(|| {
        let fits = units(brief, means.limit) <= most(means);
        RichText::plain(if fits { brief } else { "." })
    })
}

fn named(name: &str) -> String {
    shortened(&show::whole(&show::line(name.trim())), NAME)
}

/// At most that many characters, with an ellipsis where it was cut.
fn shortened(shown: &str, most: u64) -> String {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if shown.chars().count() <= most {
        return shown.to_owned();
    }
    let kept: String = shown.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}
