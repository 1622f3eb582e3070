//! What `[permissions]` in config.toml says of a tool: whether it is relayed, how many approvers it needs, and for how
//! long they may answer.

mod quiet;
mod read;
mod wildcard;

#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use self::{quiet::Span, wildcard::Wildcard};
use crate::gate::visible;

/// How long approvers may answer where the user sets nothing.
const EXPIRY: Duration = Duration::from_mins(30);
/// Characters of a tool's name that a reason shows.
const SHOWN: usize = 80;

/// The user's policy. Without a table, every tool is relayed, to be decided by one approver within 30 minutes.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    never: Vec<Written<Wildcard>>,
    two_approvers: Vec<Written<Wildcard>>,
    quiet: Vec<Written<Span>>,
    /// None is the system's, as it is at that moment.
    zone: Option<TimeZone>,
    expiry: Duration,
}

/// Something that the user wrote, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written<T> {
    what: T,
    /// From 1.
    line: usize,
}

/// What the policy says of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Approvers are asked.
    Relay {
        /// How many of them must allow it: 1 or 2.
        approvers: u8,
        /// How long they may answer.
        expiry: Duration,
    },
    /// Nobody is asked: only the terminal decides. Why, for the log and the record, with the line that changes it.
    No(String),
}

impl Default for Policy {
    fn default() -> Self {
        Self { never: Vec::new(), two_approvers: Vec::new(), quiet: Vec::new(), zone: None, expiry: EXPIRY }
    }
}

impl Policy {
    /// What holds for a tool at that time. A tool that is never relayed is not relayed even if it is named among those
    /// for two approvers as well.
    #[must_use]
    pub fn rule(&self, tool: &str, now: Timestamp) -> Rule {
        if let Some(Written { what, line }) = self.never.iter().find(|name| name.what.matches(tool)) {
            return Rule::No(format!(
                "{} is decided at the terminal alone, by \"{}\" in config.toml, line {line} (`never` in \
                 [permissions]); take it out there to have it relayed",
                visible(tool, SHOWN),
                what.as_str()
            ));
        }
        if let Err(why) = self.may_disturb(now) {
            return Rule::No(why);
        }
        let two = self.two_approvers.iter().any(|name| name.what.matches(tool));
        Rule::Relay { approvers: if two { 2 } else { 1 }, expiry: self.expiry }
    }

    /// The names of tools that need two approvers, as the user wrote them.
    pub fn two_approvers(&self) -> impl Iterator<Item = &str> {
        self.two_approvers.iter().map(|name| name.what.as_str())
    }

    /// Whether the quiet hours can be kept.
    ///
    /// # Errors
    /// What to add to config.toml, if there are any and the system does not say which time it is here.
    pub fn check_clock(&self) -> Result<(), String> {
        if self.quiet.is_empty() { Ok(()) } else { self.zone().map(drop) }
    }

    fn may_disturb(&self, now: Timestamp) -> Result<(), String> {
        if self.quiet.is_empty() {
            return Ok(());
        }
        let now = self.zone()?.to_datetime(now).time();
        match self.quiet.iter().find(|span| span.what.covers(now)) {
            None => Ok(()),
            Some(Written { what, line }) => Err(format!(
                "nobody is asked now, at {}, by \"{what}\" in config.toml, line {line} (`quiet` in [permissions]); \
                 change it there",
                now.strftime("%H:%M")
            )),
        }
    }

    fn zone(&self) -> Result<TimeZone, String> {
        self.zone.clone().map_or_else(TimeZone::try_system, Ok).map_err(|_| {
            "the system does not say its time zone, so that the quiet hours cannot be kept and nobody is asked; add \
             time-zone = \"Europe/Berlin\" (or yours) to [permissions] in config.toml"
                .to_owned()
        })
    }
}
