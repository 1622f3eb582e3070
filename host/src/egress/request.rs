//! The heart of egress: makes of what an adapter asks for the request that the host sends, or denies it.
//!
//! ```text
//! purpose ─▶ variables ─▶ body read strictly ─▶ no code of a prompt ─▶ every leaf listed ─▶ the host's leaves
//!                           URL, headers and body written anew ◀─ compared with the action ◀─┘
//! ```
//! What is compared is the very tree that is then written, so nothing that two parsers read in two ways passes. Whatever
//! is not known to be within the grant is denied.

mod body;
mod bound;

use bytes::Bytes;

use super::{Asked, Denied, Permit, Prepared, PreparedBody, Values, fill};
use crate::{
    evidence::{Document, Found, split_items},
    manifest::{Endpoint, Method, Pointer, Poll, Sent, Use, excerpt, is_plain},
    relay::Live,
};

/// The longest id of a message, in bytes.
const ID_BYTES: usize = 256;
/// The most messages that one answer names.
const SENT: usize = 100;

/// Makes the request that an adapter asks for.
///
/// # Errors
/// [`Denied`] if anything of it is not within the endpoint's grant or does not agree with the permit, or if the user has
/// not set what it needs. It names the endpoint, what is wrong and the mend, and holds no secret.
pub(super) fn build(
    endpoint: &Endpoint,
    values: &Values,
    live: &Live,
    permit: &Permit,
    asked: Asked,
) -> Result<Prepared, Denied> {
    prepare(endpoint, values, live, permit, asked).map_err(|problem| problem.about("endpoint", &endpoint.name))
}

fn prepare(
    endpoint: &Endpoint,
    values: &Values,
    live: &Live,
    permit: &Permit,
    asked: Asked,
) -> Result<Prepared, Denial> {
    if !endpoint.uses.contains(&permit.purpose) {
        let (now, granted) = (word(permit.purpose), endpoint.uses.iter().copied().map(word).collect::<Vec<_>>());
        return Err(Denial::new(format!(
            "it is not for `{now}`, only for {}; ask for another, or have it granted for that",
            granted.join(", ")
        )));
    }
    let variables = fill::variables(&endpoint.url, asked.vars)?;
    let mut document = body::read(endpoint, permit, asked.body)?;
    let carries = |text: &str| live.carries(text, permit.ask);
    let beside = variables.values().chain(asked.headers.iter().map(|(_, value)| value));
    if beside.into_iter().any(|text| carries(text)) || document.as_ref().is_some_and(|it| it.any_text(&carries)) {
        return Err(Denial::new(
            "it carries the code or token of a permission prompt; only the prompt itself may, so leave it out",
        ));
    }
    if let Some(document) = &mut document {
        document.check_listed(&endpoint.fields)?;
        if permit.plain {
            document.check_listed(&endpoint.compared()).map_err(|denial| denial.of("in a prompt without styles"))?;
        }
        for (pointer, value) in &endpoint.fixed {
            document.write_fixed(pointer, value)?;
        }
    } else if !endpoint.fixed.is_empty() {
        return Err(Denial::new("the host writes into its body, and it has none; this is an error of its manifest"));
    }
    bound::check(endpoint, permit, &variables, document.as_ref())?;
    let filled = fill::url(&endpoint.url, values, &variables, None)?;
    let mut headers = fill::headers(&endpoint.headers, values)?;
    let may_set = if permit.plain { &[] } else { &*endpoint.may_set };
    fill::added_headers(&mut headers, may_set, asked.headers)?;
    let body = document.map_or(Ok(PreparedBody::Empty), |document| body::write(endpoint, document))?;
    Ok(Prepared { method: endpoint.method, url: filled.url, by_user: filled.by_user, headers, body })
}

/// Makes the next request of a poll; `cursor` is what it says of what was taken, if anything was.
///
/// # Errors
/// [`Denied`] if the user has not set what it needs. It names the poll and the mend, and holds no secret.
pub(super) fn build_poll(poll: &Poll, values: &Values, cursor: Option<i64>) -> Result<Prepared, Denied> {
    let prepare = || {
        let variables = fill::variables(&poll.url, Vec::new())?;
        let cursor = cursor.map(|cursor| (&*poll.cursor.query, cursor));
        let filled = fill::url(&poll.url, values, &variables, cursor)?;
        let headers = fill::headers(&poll.headers, values)?;
        let body = PreparedBody::Empty;
        Ok(Prepared { method: Method::Get, url: filled.url, by_user: filled.by_user, headers, body })
    };
    prepare().map_err(|problem: Denial| problem.about("poll", &poll.name))
}

/// The ids of the new messages that a successful answer names, in its order. What is no strict JSON names none, and an
/// id is an integer of 64 bits or a plain string of at most 256 bytes; anything else is left out, and what follows the
/// first 100.
#[must_use]
pub(super) fn sent(endpoint: &Endpoint, answer: &[u8]) -> Vec<String> {
    let answer = || Bytes::copy_from_slice(answer);
    let read = |bytes: Bytes, at: &Pointer| Document::parse(bytes).ok().and_then(|document| id(document.at(at)));
    match &endpoint.sent {
        None => Vec::new(),
        Some(Sent::One(at)) => read(answer(), at).into_iter().collect(),
        Some(Sent::Each { items, id }) => {
            let items = split_items(items, &answer()).unwrap_or_default();
            items.into_iter().filter_map(|item| read(item.bytes, id)).take(SENT).collect()
        }
    }
}

fn id(found: Option<Found<'_>>) -> Option<String> {
    match found? {
        Found::Integer(number) => Some(number.to_string()),
        Found::Text(text) => {
            let plain = (1..=ID_BYTES).contains(&text.len()) && text.chars().all(is_plain) && text.trim() == text;
            plain.then(|| text.to_owned())
        }
        _ => None,
    }
}

/// The word that manifests use.
fn word(purpose: Use) -> &'static str {
    match purpose {
        Use::Handle => "handle",
        Use::Action(action) => action.as_str(),
        Use::Call => "call",
    }
}

/// What is wrong with a request, and the mend: what follows the name of the endpoint in [`Denied`]. Foreign text in it is
/// shortened and escaped, and it holds no secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Denial(String);

impl Denial {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Says first what it is that is wrong.
    fn of(self, what: &str) -> Self {
        Self(format!("{what} {}", self.0))
    }

    fn about(self, kind: &str, name: &str) -> Denied {
        Denied(format!("the {kind} `{}`: {}", excerpt(name, 40), self.0))
    }
}

#[cfg(test)]
mod tests;
