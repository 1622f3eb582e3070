//! Headers of requests: which ones a template or an adapter may write.

use super::{HeaderTemplate, Piece, lex};
use crate::manifest::{
    error::Malformed,
    plain::excerpt,
    value::{SECRET_HEADERS, is_header_name},
};

/// The longest value, in bytes.
const VALUE_BYTES: usize = 500;
/// Headers that are the host's: those of the connection, of the message's length and shape (RFC 9110, 9112), and those
/// by which servers take a request for another one.
const HOSTS: [&str; 15] = [
    "accept-encoding",
    "connection",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "via",
];
/// Beginnings of the names of such headers.
const HOSTS_BEGIN: [&str; 4] = ["content-", "proxy-", "upgrade", "x-forwarded-"];

/// Whether only the host writes the header of that name, which is in lower case. The one rule for templates, for what
/// adapters set, and for what is sent.
pub(crate) fn is_hosts_header(name: &str) -> bool {
    HOSTS.contains(&name) || HOSTS_BEGIN.iter().any(|begin| name.starts_with(begin))
}

/// The name of a header that is not the host's, in lower case.
fn name(text: &str) -> Result<String, Malformed> {
    if !is_header_name(text) {
        let shown = excerpt(text, 40);
        return Err(Malformed::new(format!(
            "{shown:?} is no name of a header; take letters, digits and `-`, at most 64"
        )));
    }
    let name = text.to_ascii_lowercase();
    if is_hosts_header(&name) {
        return Err(Malformed::new(format!("the host itself writes the header `{name}`; take it out")));
    }
    Ok(name)
}

/// The name of a header that an adapter may set: nothing by which it could speak as somebody else.
///
/// # Errors
/// [`Malformed`] says why it is not one.
pub(in crate::manifest) fn settable(text: &str) -> Result<String, Malformed> {
    let name = name(text)?;
    if SECRET_HEADERS.contains(&&*name) {
        return Err(Malformed::new(format!(
            "the header `{name}` says who asks; it belongs in `headers`, with a secret in it, and not in `may-set`"
        )));
    }
    Ok(name)
}

impl HeaderTemplate {
    /// Reads a header's name and value.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong with it.
    pub fn parse(header: &str, value: &str) -> Result<Self, Malformed> {
        let name = name(header)?;
        if value.is_empty() || value.len() > VALUE_BYTES || value.trim() != value {
            return Err(Malformed::new(format!(
                "a header's value has 1 to {VALUE_BYTES} bytes and no spaces around it"
            )));
        }
        let mut pieces: Vec<Piece> = Vec::new();
        for token in lex::tokens(value)? {
            match token {
                lex::Token::Char(c @ ' '..='~') => match pieces.last_mut() {
                    Some(Piece::Literal(text)) => text.push(c),
                    _ => pieces.push(Piece::Literal(c.into())),
                },
                lex::Token::Char(c) => {
                    let problem = format!("a header has printable ASCII characters only, not {}", c.escape_unicode());
                    return Err(Malformed::new(problem));
                }
                lex::Token::Gap(lex::Gap::Config(name)) => pieces.push(Piece::Config(name.into())),
                lex::Token::Gap(lex::Gap::Secret(name)) => pieces.push(Piece::Secret(name.into())),
                lex::Token::Gap(_) => {
                    return Err(Malformed::new(
                        "a header has {config:NAME} and {secret:NAME} only; what the adapter sets itself it names in \
                         `may-set`",
                    ));
                }
            }
        }
        Ok(Self { name, value: pieces })
    }

    /// The value as templates write it.
    #[must_use]
    pub fn text(&self) -> String {
        self.value.iter().map(Piece::to_string).collect()
    }
}
