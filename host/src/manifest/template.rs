//! Templates of the requests that the host makes: whole URLs and header values, with gaps that only the host fills.
//!
//! ```text
//! {config:api}/bot{secret:token}/getUpdates?timeout=50&topic={topic?}
//! https://files.example/{path*}
//! ```
//! `{config:NAME}` and `{secret:NAME}` stand for what the user set, `{NAME}` for a variable of the request. A gap fills
//! a part of one path segment or of one query value, percent-encoded; `{NAME*}` fills the rest of the path, segment
//! by segment; `{NAME?}` is the whole value of a query parameter that may be left out.

mod header;
mod host;
mod lex;
mod parse;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt};

use super::value::quoted;
pub(crate) use header::is_hosts_header;
pub(super) use header::settable;
pub(super) use host::base_url;
pub(crate) use host::is_private_name;

/// A URL with gaps. Its scheme and authority are fixed, or are what the user set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate {
    /// The template as it was written.
    pub text: String,
    /// Scheme and authority.
    pub base: Base,
    /// Segments of the path, after that of the base. None of them is empty.
    pub path: Vec<Vec<Piece>>,
    /// The name of the variable that fills the rest of the path.
    pub rest: Option<String>,
    /// Parameters of the query, in order; names are literal.
    pub query: Vec<Parameter>,
}

/// Where the request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// `https://` and an authority that stand in the manifest or profile; never an address or a private name.
    Fixed {
        /// A domain name, in lower case and ASCII.
        host: String,
        /// The port, where it is not 443.
        port: Option<u16>,
    },
    /// The setting of that name: an `http` or `https` URL without user information, query and fragment.
    Config(String),
}

/// A piece of a path segment, of a query value or of a header's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is. In URLs it is percent-encoded already, as it was written, and goes out unchanged.
    Literal(String),
    /// The setting of that name.
    Config(String),
    /// The secret of that name.
    Secret(String),
    /// The variable of that name. Not in headers, and not in polls. No other gap touches it.
    Variable(String),
}

/// A parameter of the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, percent-encoded as it was written. No two parameters of a template have the same name when decoded.
    pub name: String,
    /// Its value.
    pub value: Vec<Piece>,
    /// It is left out when its only piece, a variable, is not given.
    pub optional: bool,
}

/// A header that the host writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderTemplate {
    /// Its name, in lower case.
    pub name: String,
    /// Its value: literals of printable ASCII, settings and secrets.
    pub value: Vec<Piece>,
}

impl UrlTemplate {
    /// All pieces but those of the base.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.path.iter().flatten().chain(self.query.iter().flat_map(|parameter| &parameter.value))
    }

    /// The names of its variables, each once.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<&str> {
        let pieces = self.pieces().filter_map(|piece| match piece {
            Piece::Variable(name) => Some(&**name),
            _ => None,
        });
        pieces.chain(self.rest.as_deref()).collect()
    }

    /// The names of the secrets that it needs.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<&str> {
        self.pieces().filter_map(Piece::secret).collect()
    }

    /// The names of the settings that it needs, that of its base among them.
    #[must_use]
    pub fn configs(&self) -> BTreeSet<&str> {
        self.base.config().into_iter().chain(self.pieces().filter_map(Piece::config)).collect()
    }
}

impl Base {
    /// The setting that it is.
    #[must_use]
    pub fn config(&self) -> Option<&str> {
        match self {
            Self::Config(name) => Some(name),
            Self::Fixed { .. } => None,
        }
    }
}

impl Piece {
    /// The secret that it is.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::Secret(name) => Some(name),
            _ => None,
        }
    }

    /// The setting that it is.
    #[must_use]
    pub fn config(&self) -> Option<&str> {
        match self {
            Self::Config(name) => Some(name),
            _ => None,
        }
    }
}

/// The names of the secrets that a request needs.
pub(super) fn secrets<'a>(url: &'a UrlTemplate, headers: &'a [HeaderTemplate]) -> BTreeSet<&'a str> {
    let headers = headers.iter().flat_map(|header| &header.value);
    url.pieces().chain(headers).filter_map(Piece::secret).collect()
}

/// Headers as pairs of an inline table.
pub(super) fn header_pairs(headers: &[HeaderTemplate]) -> impl Iterator<Item = (String, String)> {
    headers.iter().map(|header| (quoted(&header.name), quoted(&header.text())))
}

/// The template as it was written.
impl fmt::Display for UrlTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The piece as templates write it.
impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Config(name) => write!(f, "{{config:{name}}}"),
            Self::Secret(name) => write!(f, "{{secret:{name}}}"),
            Self::Variable(name) => write!(f, "{{{name}}}"),
        }
    }
}
