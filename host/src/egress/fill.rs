//! Fills the gaps of templates: with what the user set, and with the variables that the adapter gives.
//!
//! A gap can only ever be a part of one path segment or of one query value: all that could act is percent-encoded, and
//! the URL is taken only if parsing it gives back, byte for byte, what was put together. What the adapter gives
//! is never read as a template.

mod base;
mod header;

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

pub(super) use header::{added_headers, headers};

use super::{Values, request::Denial};
use crate::manifest::{Parameter, Piece, UrlTemplate, excerpt};

/// The longest value of a variable, in bytes.
const VARIABLE_BYTES: usize = 1024;
/// The most segments that a variable such as `{path*}` fills.
const SEGMENTS: usize = 32;

/// All but the unreserved characters of RFC 3986, 2.3.
const GAP: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Some platforms know their tokens only with the `:` that is in them.
const SECRET: &AsciiSet = &GAP.remove(b':');

/// The variables of a request, each of which the template has.
pub(super) type Variables = BTreeMap<String, String>;

/// A URL without gaps. It holds secrets.
pub(super) struct Filled {
    pub(super) url: Url,
    /// The user's own setting names scheme and authority.
    pub(super) by_user: bool,
}

/// Takes the variables that the adapter gives: those of the template, each once, those that may be left out at most
/// once, and no others.
///
/// # Errors
/// [`Denial`] names the variable and the mend.
pub(super) fn variables(template: &UrlTemplate, given: Vec<(String, String)>) -> Result<Variables, Denial> {
    let known = template.variables();
    let mut variables = Variables::new();
    for (name, value) in given {
        let shown = excerpt(&name, 40);
        let problem = if !known.contains(&*name) {
            let known: Vec<&str> = known.iter().copied().collect();
            match known.is_empty() {
                true => "is not in its URL, which has no variables".into(),
                false => format!("is not in its URL; it has {}", excerpt(&known.join(", "), 200)),
            }
        } else if value.is_empty() || value.len() > VARIABLE_BYTES {
            format!("has {} bytes; give 1 to {VARIABLE_BYTES}", value.len())
        } else if value.chars().any(char::is_control) {
            "has control characters; take them out".into()
        } else if variables.insert(name, value).is_some() {
            "is given twice; give it once".into()
        } else {
            continue;
        };
        return Err(Denial::new(format!("the variable `{shown}` {problem}")));
    }
    let values = template.query.iter().filter(|parameter| !parameter.optional).flat_map(|parameter| &parameter.value);
    let needed = template.path.iter().flatten().chain(values).filter_map(variable).chain(template.rest.as_deref());
    match needed.into_iter().find(|name| !variables.contains_key(*name)) {
        None => Ok(variables),
        Some(name) => Err(Denial::new(format!("the variable `{}` is missing; give it", excerpt(name, 40)))),
    }
}

fn variable(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Variable(name) => Some(name),
        _ => None,
    }
}

/// Fills a URL. `cursor` is a query parameter that the host adds: its name, not encoded, and its value.
///
/// # Errors
/// [`Denial`] names what is missing, or what would not stay in its place.
pub(super) fn url(
    template: &UrlTemplate,
    values: &Values,
    variables: &Variables,
    cursor: Option<(&str, i64)>,
) -> Result<Filled, Denial> {
    let base = base::base(&template.base, values)?;
    let mut path = base.prefix();
    for pieces in &template.path {
        push_segment(&mut path, &text(pieces, values, variables)?)?;
    }
    if let Some(name) = &template.rest {
        let rest = given(name, variables)?;
        if rest.split('/').count() > SEGMENTS {
            let problem = format!("the variable `{}` has more than {SEGMENTS} segments", excerpt(name, 40));
            return Err(Denial::new(problem));
        }
        for segment in rest.split('/') {
            push_segment(&mut path, &utf8_percent_encode(segment, GAP).to_string())?;
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    let query = query(template, values, variables, cursor)?;
    Ok(Filled { url: base.with(&path, query.as_deref())?, by_user: base.by_user })
}

/// A segment stays one segment and leads nowhere else.
fn push_segment(path: &mut String, segment: &str) -> Result<(), Denial> {
    if matches!(segment, "" | "." | "..") {
        return Err(Denial::new(
            "a segment of the path would be empty, `.` or `..`, which leads to another path; give a name instead",
        ));
    }
    path.push('/');
    path.push_str(segment);
    Ok(())
}

fn query(
    template: &UrlTemplate,
    values: &Values,
    variables: &Variables,
    cursor: Option<(&str, i64)>,
) -> Result<Option<String>, Denial> {
    let mut query: Vec<String> = Vec::new();
    for parameter in &template.query {
        let is_given = |piece| variable(piece).is_none_or(|name| variables.contains_key(name));
        if parameter.optional && !parameter.value.iter().all(is_given) {
            continue;
        }
        query.push(format!("{}={}", parameter.name, text(&parameter.value, values, variables)?));
    }
    if let Some((name, value)) = cursor {
        let is_same = |it: &Parameter| percent_decode_str(&it.name).decode_utf8_lossy() == name;
        if template.query.iter().any(is_same) {
            let problem = format!("its URL has the cursor's parameter `{}` already", excerpt(name, 40));
            return Err(Denial::new(problem));
        }
        query.push(format!("{}={value}", utf8_percent_encode(name, GAP)));
    }
    Ok(if query.is_empty() { None } else { Some(query.join("&")) })
}

/// The text of one segment or of one query value. Literals are percent-encoded already.
fn text(pieces: &[Piece], values: &Values, variables: &Variables) -> Result<String, Denial> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Config(name) => text.extend(utf8_percent_encode(setting(name, values)?, GAP)),
            Piece::Secret(name) => text.extend(utf8_percent_encode(secret(name, values)?, SECRET)),
            Piece::Variable(name) => text.extend(utf8_percent_encode(given(name, variables)?, GAP)),
        }
    }
    Ok(text)
}

fn given<'v>(name: &str, variables: &'v Variables) -> Result<&'v str, Denial> {
    let missing = || Denial::new(format!("the variable `{}` is missing; give it", excerpt(name, 40)));
    variables.get(name).map(|value| &**value).ok_or_else(missing)
}

/// The setting of that name. Its value does not appear in errors, because users put passwords into URLs.
fn setting<'v>(name: &str, values: &'v Values) -> Result<&'v str, Denial> {
    let shown = excerpt(name, 40);
    let value = values.config.get(name).ok_or_else(|| {
        Denial::new(format!("the setting `{shown}` is not set: it is the user's to set, `sluicegate doctor` shows how"))
    })?;
    if value.chars().any(char::is_control) {
        return Err(Denial::new(format!("the setting `{shown}` has control characters: set it again without them")));
    }
    Ok(value)
}

/// The secret of that name, for a URL or a header and for nothing else.
fn secret<'v>(name: &str, values: &'v Values) -> Result<&'v str, Denial> {
    let shown = excerpt(name, 40);
    let secret = values.secrets.get(name).ok_or_else(|| {
        Denial::new(format!("the secret `{shown}` is not set: it is the user's to set, `sluicegate doctor` shows how"))
    })?;
    match std::str::from_utf8(secret.expose()) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => Ok(text),
        _ => Err(Denial::new(format!(
            "the secret `{shown}` has control characters or is no text: set it again, `sluicegate doctor` shows how"
        ))),
    }
}
