//! The checks of polls.

use std::ops::RangeInclusive;

use percent_encoding::percent_decode_str;

use super::{Checked, settings::Settings};
use crate::manifest::{Cursor, Poll, document::PollTable, error::Fault, plain::excerpt};

/// Seconds that a poll may take, and those of one that does not say.
const TIMEOUT_S: RangeInclusive<u64> = 5..=300;
const DEFAULT_TIMEOUT_S: u64 = 75;
/// The longest pause, in milliseconds.
const PAUSE_MS: u64 = 24 * 3600 * 1000;
/// What may be added to a cursor.
const ADD: RangeInclusive<i64> = 0..=1000;

/// Checks a poll.
pub(super) fn poll(table: PollTable, settings: &Settings) -> Checked<Poll> {
    settings.url(&table.url)?;
    let (url, cursor) = (table.url.get_ref(), table.cursor);
    if let Some(name) = url.variables().into_iter().next() {
        let problem =
            format!("the host polls by itself, so nobody fills {{{name}}}; write it out, or make it a setting");
        return Err(Fault::wrong(table.url.span(), problem));
    }
    let query = cursor.query.get_ref();
    let named = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if query.is_empty() || query.len() > 64 || !query.bytes().all(named) {
        let shown = excerpt(query, 40);
        let problem = format!("{shown:?} is no name of a parameter; take letters, digits and `-._~`, at most 64");
        return Err(Fault::wrong(cursor.query.span(), problem));
    }
    if url.query.iter().any(|parameter| percent_decode_str(&parameter.name).eq(query.bytes())) {
        let problem = format!("`url` has the parameter {query:?} too; take it out there, the host adds it");
        return Err(Fault::wrong(cursor.query.span(), problem));
    }
    if let Some(add) = &cursor.add
        && !ADD.contains(add.get_ref())
    {
        return Err(Fault::wrong(add.span(), format!("it is from {} to {}", ADD.start(), ADD.end())));
    }
    if let Some(timeout) = &table.timeout_s
        && !TIMEOUT_S.contains(timeout.get_ref())
    {
        let problem = format!("it is from {} to {} seconds", TIMEOUT_S.start(), TIMEOUT_S.end());
        return Err(Fault::wrong(timeout.span(), problem));
    }
    if let Some(pause) = &table.pause_ms
        && *pause.get_ref() > PAUSE_MS
    {
        return Err(Fault::wrong(pause.span(), "a pause is at most a day (86400000)"));
    }
    Ok(Poll {
        name: table.name.into_inner().0,
        headers: settings.headers(table.headers)?,
        url: table.url.into_inner(),
        items: table.items,
        cursor: Cursor {
            query: cursor.query.into_inner(),
            max: cursor.max,
            add: cursor.add.map_or(0, toml::Spanned::into_inner),
        },
        timeout_s: table.timeout_s.map_or(DEFAULT_TIMEOUT_S, toml::Spanned::into_inner),
        pause_ms: table.pause_ms.map_or(0, toml::Spanned::into_inner),
    })
}
