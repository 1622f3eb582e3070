//! Templates of the requests that the host makes: whole URLs and header values, with gaps that only the host fills.
//!
//! ```text
//! {config:api}/bot{secret:token}/getUpdates?timeout=50&topic={topic?}
//! https://files.example/{path*}
//! ```
//! `{config:NAME}` and `{secret:NAME}` stand for what the user set, `{NAME}` for a variable of the request. A gap fills
//! a part of one path segment or of one query value, percent-encoded; `{NAME*}` fills the rest of the path, segment
//! by segment; `{NAME?}` is the whole value of a query parameter that may be left out.

/// A URL with gaps. Its scheme and authority are fixed, or are what the user set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate {
    /// The template as it was written.
    pub text: String,
    /// Scheme and authority.
    pub base: Base,
    /// Segments of the path, after that of the base.
    pub path: Vec<Vec<Piece>>,
    /// The name of the variable that fills the rest of the path.
    pub rest: Option<String>,
    /// Parameters of the query, in order; names are literal.
    pub query: Vec<Parameter>,
}

/// Where the request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// `https://` and an authority that stand in the manifest or profile; never an address of a private range.
    Fixed {
        /// A domain name, or an address; without brackets.
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
    /// Text as it is.
    Literal(String),
    /// The setting of that name.
    Config(String),
    /// The secret of that name.
    Secret(String),
    /// The variable of that name. Not in headers, and not in polls.
    Variable(String),
}

/// A parameter of the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
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
    /// Its value: literals, settings and secrets.
    pub value: Vec<Piece>,
}

impl UrlTemplate {
    /// All pieces but those of the base.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.path.iter().flatten().chain(self.query.iter().flat_map(|parameter| &parameter.value))
    }

    /// The names of its variables, each once.
    #[must_use]
    pub fn variables(&self) -> std::collections::BTreeSet<&str> {
        let pieces = self.pieces().filter_map(|piece| match piece {
            Piece::Variable(name) => Some(&**name),
            _ => None,
        });
        pieces.chain(self.rest.as_deref()).collect()
    }
}
