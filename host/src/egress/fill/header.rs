//! Headers of requests: those that the host writes, and the few that the adapter may set.

use std::collections::BTreeSet;

use super::{secret, setting};
use crate::{
    egress::{Values, request::Denial},
    manifest::{HeaderTemplate, Piece, excerpt, is_hosts_header},
};

/// The longest value that an adapter may set, in bytes.
const VALUE_BYTES: usize = 1024;

/// The headers that the host writes. They hold secrets.
///
/// # Errors
/// [`Denial`] if a setting or secret is missing, or cannot stand in a header.
pub(in crate::egress) fn headers(
    templates: &[HeaderTemplate],
    values: &Values,
) -> Result<Vec<(String, String)>, Denial> {
    let mut headers = Vec::with_capacity(templates.len());
    for template in templates {
        let mut text = String::new();
        for piece in &template.value {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Config(name) => text.push_str(setting(name, values)?),
                Piece::Secret(name) => text.push_str(secret(name, values)?),
                Piece::Variable(name) => {
                    let problem = format!("the variable `{}` stands in a header, where none can", excerpt(name, 40));
                    return Err(Denial::new(problem));
                }
            }
        }
        if !is_value(&text) {
            return Err(Denial::new(format!(
                "the header `{}` would be no printable ASCII: set the secrets and settings that it names again",
                excerpt(&template.name, 40)
            )));
        }
        headers.push((template.name.to_ascii_lowercase(), text));
    }
    Ok(headers)
}

/// Adds the headers that the adapter sets: those that it may, each once.
///
/// # Errors
/// [`Denial`] names the header and the mend.
pub(in crate::egress) fn added_headers(
    headers: &mut Vec<(String, String)>,
    may_set: &[String],
    given: Vec<(String, String)>,
) -> Result<(), Denial> {
    let written: BTreeSet<String> = headers.iter().map(|(name, _)| name.clone()).collect();
    let mut seen = BTreeSet::new();
    for (name, value) in given {
        let shown = excerpt(&name, 40);
        let name = name.to_ascii_lowercase();
        let problem = if is_hosts_header(&name) || written.contains(&name) {
            "is the host's to write; leave it out".into()
        } else if !may_set.contains(&name) {
            "is not among its `may-set`; leave it out, or have it granted".into()
        } else if value.len() > VALUE_BYTES {
            format!("has {} bytes; give at most {VALUE_BYTES}", value.len())
        } else if !is_value(&value) {
            "has a value that is not printable ASCII, or is empty or has spaces around it; give a plain one".into()
        } else if !seen.insert(name.clone()) {
            "is given twice; give it once".into()
        } else {
            headers.push((name, value));
            continue;
        };
        return Err(Denial::new(format!("the header `{shown}` {problem}")));
    }
    Ok(())
}

/// A field value of RFC 9110, 5.5, without tabs and bytes above ASCII.
fn is_value(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && text.bytes().all(|b| matches!(b, b' '..=b'~'))
}
