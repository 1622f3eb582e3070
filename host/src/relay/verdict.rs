//! What somebody wrote or pressed that may be a verdict, and why it is none.

use std::fmt;

use super::{Code, Token};
use crate::{message::TextBy, name::AdapterName};

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The tool may run.
    Allow,
    /// It may not.
    Deny,
}

impl Verdict {
    /// The word of Claude Code's protocol, `behavior`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// A button: what it shows, and what comes back when it is pressed.
#[derive(Clone, PartialEq, Eq)]
pub struct Choice {
    /// What it shows.
    pub label: String,
    /// What comes back.
    pub token: String,
}

/// Shows no token: whoever knows one could press the button.
impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choice").field("label", &self.label).finish_non_exhaustive()
    }
}

/// What the platform repeats of the message whose button was pressed.
#[derive(Clone, PartialEq, Eq)]
pub struct Repeated {
    /// Its text, if the rule names a place for it.
    pub text: Option<String>,
    /// Its buttons in their order, if the rule names a place for them.
    pub choices: Option<Vec<Choice>>,
}

/// Shows no text: the code is in it.
impl fmt::Debug for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeated").field("choices", &self.choices).finish_non_exhaustive()
    }
}

/// Something that looks like a verdict, read by the host from evidence. Only what the host itself knows is in it.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The adapter whose source brought it.
    pub adapter: AdapterName,
    /// The identity rule that read it.
    pub rule: String,
    /// The platform's id of the event.
    pub event: String,
    /// The rule is a profile's or vetted by the user, is the only one that applies, and its sender cannot be made up by
    /// the adapter.
    pub vetted: bool,
    /// The event is a dead letter that is tried again.
    pub revived: bool,
    /// The sender's immutable id.
    pub sender: String,
    /// Whether the gate would let the sender be heard there.
    pub admitted: bool,
    /// What the sender is called: decoration, for the record alone.
    pub sender_name: Option<String>,
    /// Whether the sender is an approver of the adapter now.
    pub approver: bool,
    /// Where it was said.
    pub conversation: String,
    /// Said to the adapter alone.
    pub direct: bool,
    /// The platform's id of the message: of the typed one, or of the one whose button was pressed.
    pub message: String,
    /// When the host received it, in milliseconds since the Unix epoch.
    pub received_ms: i64,
    /// What it was.
    pub by: By,
}

/// How a verdict is attempted.
#[derive(Debug, Clone)]
pub enum By {
    /// `yes CODE` or `no CODE`.
    Typed {
        /// What it says.
        verdict: Verdict,
        /// The code.
        code: Code,
        /// Of what kind the message is: only one that was written anew counts, not an edit or a reaction.
        written: bool,
        /// Whose words it is.
        text_by: TextBy,
        /// It is the message itself, not words below a picture.
        whole: bool,
        /// The message that it answers.
        reply_to: Option<String>,
        /// The access settings take buttons alone (`verdicts = "buttons"`).
        buttons_only: bool,
    },
    /// A pressed button whose token has the shape of the host's.
    Pressed {
        /// What came back.
        token: Token,
        /// What the platform repeats of the message.
        repeated: Repeated,
    },
    /// Something that a person would take for a verdict, and that is none: look-alike letters, hidden characters.
    Lookalike,
}

/// Why an attempt is no verdict. The texts are for the record and the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// An adapter's own rule read it.
    #[error(
        "the rule that read the sender is the adapter's own, or not the only one that applies, or the page has not its key"
    )]
    NotVetted,
    /// It is a dead letter that is tried again.
    #[error("it is an old event that was tried again")]
    Revived,
    /// Whoever sent it is no approver.
    #[error("the sender is no approver")]
    NotApprover,
    /// It was said in a group or a channel.
    #[error("it was not said in a direct conversation")]
    NotDirect,
    /// It is an edit, or words of others.
    #[error("it is not the sender's own new message: edited, forwarded, sent by way of a bot, or below a picture")]
    NotOwnWords,
    /// It answers another message than the prompt.
    #[error("it answers another message than the prompt")]
    OtherReply,
    /// Typed verdicts are not taken.
    #[error("the access settings take buttons alone (verdicts = \"buttons\")")]
    ButtonsOnly,
    /// It only looks like one.
    #[error("it looks like a verdict and has other characters than one")]
    Lookalike,
    /// Nothing that waits has this code or token.
    #[error("no request that waits has this code")]
    Unknown,
    /// The code is another approver's.
    #[error("the code is another approver's")]
    NotTheirs,
    /// The code is theirs, and it came from another conversation.
    #[error("it came from another conversation than the prompt was sent to")]
    OtherConversation,
    /// The button hung on another message.
    #[error("the button is not at the message of the prompt")]
    OtherMessage,
    /// The message whose button was pressed is not what the host had sent.
    #[error("the message whose button was pressed does not read as the host wrote it")]
    Altered,
    /// It came before the prompt was sent.
    #[error("it came before the prompt was sent")]
    TooEarly,
    /// The request has expired.
    #[error("the request has expired")]
    Expired,
    /// The prompt did not show all, and offered no Allow.
    #[error("the prompt did not show everything, so it offered no Allow")]
    Incomplete,
    /// Five wrong tries in ten minutes.
    #[error("five wrong tries within ten minutes: nothing of this sender counts until they are over")]
    TooManyTries,
    /// This approver has answered already.
    #[error("this approver has answered already")]
    Answered,
    /// Somebody answered before.
    #[error("it was decided before")]
    Decided,
}

impl Why {
    /// What an honest sender is told. Nothing of it says whether a code exists.
    #[must_use]
    pub const fn for_sender(&self) -> &'static str {
        match self {
            Self::Decided | Self::Answered => "That was decided already, so this changes nothing.",
            Self::Expired => "That request has expired: decide at the terminal.",
            Self::Incomplete => {
                "The prompt did not show everything yet, so it cannot be allowed from here: press See more, or decide at \
                 the terminal."
            }
            Self::ButtonsOnly => "Only the prompt's buttons count here, not what is typed.",
            Self::TooManyTries => "Too many wrong codes: nothing that you answer counts for ten minutes.",
            _ => {
                "This reads like an answer to a permission prompt, and none waits for it. If it was meant for Claude, say \
                 it in other words."
            }
        }
    }
}
