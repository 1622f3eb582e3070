//! What an approver is shown: the host's own words around what Claude Code says, laid out for a phone.
//!
//! Everything in a request is foreign text. It shows all that it holds ([`show`]), and stands apart from the host's
//! words: in a block or a quotation, or behind a bar where a platform has neither, so that no value can be taken for
//! another argument, an instruction of the host's or an outcome. Allow is offered only where the tool and all of its
//! arguments are there to be read; what is left out is counted.

mod arguments;
mod layout;
mod outcome;
mod page;
mod show;

use super::{Choice, Codes, Request, Token};
use crate::{manifest::TextLimit, text::RichText};
use layout::Draft;

pub use outcome::{Ending, counted, outcome, subject};

/// What the button says that lets the tool run.
pub const ALLOW: &str = "✅ Allow";
/// What the button says that does not.
pub const DENY: &str = "❌ Deny";
/// What the button says that shows the whole request.
pub const SEE_MORE: &str = "See more";

/// What a platform can show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Means {
    /// The longest text of a message.
    pub limit: Option<TextLimit>,
    /// Parts of a text can be bold, code or a quotation.
    pub spans: bool,
    /// Messages can have buttons.
    pub buttons: bool,
}

/// How much of a request is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// What fits on the screen of a phone. Without buttons it is `Full`: nobody could ask for more.
    Short,
    /// Everything that the platform takes.
    Full,
}

/// A request that one approver is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// What Claude Code asks.
    pub request: &'a Request,
    /// What this approver answers with.
    pub codes: &'a Codes,
    /// Typed verdicts are taken, so the prompt names them.
    pub typed: bool,
    /// How many approvers must allow it.
    pub needed: u8,
    /// How many have.
    pub allowed: u8,
    /// When it expires, as people read it: `14:32`.
    pub expires: &'a str,
}

/// What is shown, and what can be answered to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The text, within the platform's limit. It has no control characters but line breaks and neither begins nor ends
    /// with white space, so platforms repeat it as it is.
    pub text: RichText,
    /// The buttons in their order; none where the platform has none.
    pub choices: Vec<Choice>,
    /// Everything essential is shown, so Allow is offered and a typed `yes` counts.
    pub allow: bool,
    /// See more is offered.
    pub more: bool,
}

impl Shown {
    /// A text to which nothing can be answered any more.
    #[must_use]
    pub const fn closed(text: RichText) -> Self {
        Self { text, choices: Vec::new(), allow: false, more: false }
    }

    fn open(text: RichText, codes: &Codes, buttons: bool, allow: bool, more: bool) -> Self {
        let choice = |label: &str, token: &Token| Choice { label: label.into(), token: token.as_str().into() };
        let mut choices = Vec::new();
        if buttons {
            if more {
                choices.push(choice(SEE_MORE, &codes.more));
            }
            if allow {
                choices.push(choice(ALLOW, &codes.allow));
            }
            choices.push(choice(DENY, &codes.deny));
        }
        Self { text, choices, allow, more }
    }
}

/// Renders a request for one approver.
///
/// `Short` offers See more only where it does not show everything. Claude Code's name of the request is never in it.
#[must_use]
pub fn prompt(asking: &Asking<'_>, means: &Means, view: View) -> Shown {
    let draft = Draft::new(asking, means);
    let short = if means.buttons && view == View::Short { draft.short() } else { None };
    short.or_else(|| draft.full()).unwrap_or_else(|| draft.least())
}

#[cfg(test)]
mod tests;
