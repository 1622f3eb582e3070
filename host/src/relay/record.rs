//! What is kept of every request for ever: who was asked, what was decided by which evidence, and why an attempt was
//! refused. Claude Code's name of a request, codes and tokens are not in it.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Attempt, By, Request};
use crate::{clock::now_ms, name::AdapterName};

/// One line of the record. The journal chains the lines by their hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// The host's own name of the request, the same in all of its lines; none for an attempt that belongs to none.
    pub request: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// Characters of each of Claude Code's texts that are kept.
const EXCERPT: usize = 2000;

impl Entry {
    /// What happens now.
    #[must_use]
    pub fn of(request: Option<&str>, what: What) -> Self {
        Self { time_ms: now_ms(), request: request.map(str::to_owned), what }
    }
}

/// What happened to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// Claude Code asks.
    Requested {
        /// The tool.
        tool: String,
        /// What Claude Code says of the call.
        description: String,
        /// The beginning of its arguments, at most 2,000 characters.
        preview: String,
        /// The SHA-256 of all of the arguments that Claude Code sent, in hexadecimal.
        preview_sha256: String,
    },
    /// Nobody is asked; the terminal decides.
    NotRelayed {
        /// Why, and what the user can do.
        why: String,
    },
    /// An approver was sent the prompt.
    Asked {
        /// Through which adapter.
        adapter: AdapterName,
        /// Who.
        sender: String,
        /// Where.
        conversation: String,
        /// The platform's id of the prompt.
        message: String,
    },
    /// The prompt did not reach an approver as the host wrote it.
    NotSent {
        /// Through which adapter.
        adapter: AdapterName,
        /// Who.
        sender: String,
        /// Why.
        why: String,
    },
    /// One of two approvers allows it.
    Counted {
        /// By whom and how.
        by: Evidence,
    },
    /// It is decided.
    Decided {
        /// `allow` or `deny`.
        verdict: String,
        /// By whom and how.
        by: Evidence,
    },
    /// It ended without an answer that came through a channel.
    Ended {
        /// Why: it expired, Claude went on, the session ended.
        why: String,
    },
    /// Something that looks like a verdict counted for nothing.
    Refused {
        /// Why.
        why: String,
        /// What is known of it.
        by: Evidence,
    },
}

impl What {
    /// That Claude Code asks this.
    #[must_use]
    pub fn requested(request: &Request) -> Self {
        let excerpt = |text: &str| text.chars().take(EXCERPT).collect();
        Self::Requested {
            tool: excerpt(&request.tool),
            description: excerpt(&request.description),
            preview: excerpt(&request.preview),
            preview_sha256: hex::encode(Sha256::digest(&request.preview)),
        }
    }
}

/// By which evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Through which adapter.
    pub adapter: AdapterName,
    /// Who.
    pub sender: String,
    /// What they are called: decoration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// Where.
    pub conversation: String,
    /// `typed`, `pressed` or `looks like one`.
    pub how: String,
    /// The platform's id of the message.
    pub message: String,
    /// The platform's id of the event.
    pub event: String,
    /// The rule that read it.
    pub rule: String,
}

impl Evidence {
    /// What is known of an attempt.
    #[must_use]
    pub fn of(attempt: &Attempt) -> Self {
        let how = match attempt.by {
            By::Typed { .. } => "typed",
            By::Pressed { .. } => "pressed",
            By::Lookalike => "looks like one",
        };
        Self {
            adapter: attempt.adapter.clone(),
            sender: attempt.sender.clone(),
            sender_name: attempt.sender_name.clone(),
            conversation: attempt.conversation.clone(),
            how: how.into(),
            message: attempt.message.clone(),
            event: attempt.event.clone(),
            rule: attempt.rule.clone(),
        }
    }
}
