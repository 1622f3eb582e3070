//! Reading `[permissions]`: strict, with the place of what is wrong and how to mend it. What stands in a line is not
//! repeated.

use std::time::Duration;

use jiff::tz::TimeZone;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Policy, Span, Wildcard, Written};
use crate::{config::position, gate::visible};

/// The longest time that approvers may answer in, in minutes.
const MAX_MINUTES: u64 = 24 * 60;

/// What is wrong with the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where, in bytes from the beginning of the file.
    pub(crate) at: usize,
    /// What is wrong and how to mend it.
    pub(crate) message: String,
}

type Value<'a, 'i> = &'a Spanned<DeValue<'i>>;

impl Policy {
    /// The name of the table.
    pub(crate) const TABLE: &str = "permissions";

    /// Reads the table from the whole of config.toml; without one there is nothing but defaults.
    ///
    /// # Errors
    /// [`Fault`], for the first thing in it that is not understood. Other tables are not looked at.
    pub(crate) fn read(config: &str) -> Result<Self, Fault> {
        let document = DeTable::parse(config).map_err(|error| Fault {
            at: error.span().map_or(0, |span| span.start),
            message: error.message().to_owned(),
        })?;
        let mut policy = Self::default();
        let Some(value) = document.get_ref().get(Self::TABLE) else { return Ok(policy) };
        let DeValue::Table(table) = value.get_ref() else {
            return Err(fault(value, "permissions are a table: write [permissions] on a line of its own"));
        };
        let line = |value: Value<'_, '_>| position(config, value.span().start).0;
        for (key, value) in table {
            match &**key.get_ref() {
                "never" => policy.never = names("never", value, line)?,
                "two-approvers" => policy.two_approvers = names("two-approvers", value, line)?,
                "quiet" => policy.quiet = spans(value, line)?,
                "time-zone" => policy.zone = Some(zone(value)?),
                "expiry-minutes" => policy.expiry = expiry(value)?,
                other => {
                    let message = format!(
                        "`{}` is not known here; [permissions] takes never, two-approvers, quiet, time-zone and \
                         expiry-minutes",
                        visible(other, 40)
                    );
                    return Err(Fault { at: key.span().start, message });
                }
            }
        }
        Ok(policy)
    }
}

fn names(
    key: &str,
    value: Value<'_, '_>,
    line: impl Fn(Value<'_, '_>) -> usize,
) -> Result<Vec<Written<Wildcard>>, Fault> {
    let form = format!("`{key}` takes a list of tools' names: {key} = [\"mcp__bank__*\", \"Write\"]");
    texts(value, &form)?
        .into_iter()
        .map(|(value, written)| match Wildcard::parse(written) {
            Some(what) => Ok(Written { what, line: line(value) }),
            None => Err(fault(
                value,
                "this is the name of no tool: it has letters, digits, _ - . : / and * for anything, and nothing about \
                 what the tool is called with, like \"Bash\" or \"mcp__bank__*\"",
            )),
        })
        .collect()
}

fn spans(value: Value<'_, '_>, line: impl Fn(Value<'_, '_>) -> usize) -> Result<Vec<Written<Span>>, Fault> {
    let form = "`quiet` takes a list of spans of local time: quiet = [\"22:00-07:00\"]";
    texts(value, form)?
        .into_iter()
        .map(|(value, written)| match Span::parse(written) {
            Ok(what) => Ok(Written { what, line: line(value) }),
            Err(mend) => Err(fault(value, mend)),
        })
        .collect()
}

fn zone(value: Value<'_, '_>) -> Result<TimeZone, Fault> {
    let zone = value.get_ref().as_str().and_then(|name| TimeZone::get(name).ok());
    zone.ok_or_else(|| {
        fault(
            value,
            "this system knows no time zone of that name; write one like time-zone = \"Europe/Berlin\", or leave it out \
             for the system's own",
        )
    })
}

fn expiry(value: Value<'_, '_>) -> Result<Duration, Fault> {
    let minutes = match value.get_ref() {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    };
    let minutes = minutes.filter(|minutes| (1..=MAX_MINUTES).contains(minutes));
    minutes.map(Duration::from_mins).ok_or_else(|| {
        fault(value, &format!("`expiry-minutes` takes a whole number from 1 to {MAX_MINUTES}: expiry-minutes = 30"))
    })
}

/// The texts of a list, each with its place.
fn texts<'a, 'i>(value: Value<'a, 'i>, form: &str) -> Result<Vec<(Value<'a, 'i>, &'a str)>, Fault> {
    let DeValue::Array(elements) = value.get_ref() else { return Err(fault(value, form)) };
    let text = |element: Value<'a, 'i>| element.get_ref().as_str().map(|text| (element, text));
    elements.iter().map(|element| text(element).ok_or_else(|| fault(element, form))).collect()
}

fn fault(value: Value<'_, '_>, message: &str) -> Fault {
    Fault { at: value.span().start, message: message.to_owned() }
}
