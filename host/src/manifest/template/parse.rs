//! How the template of a URL is read: strictly, because a secret goes wherever it says.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

use super::{
    Base, Parameter, Piece, UrlTemplate,
    host::public_host,
    lex::{self, Gap, Token},
};
use crate::manifest::{error::Malformed, is_plain, path::is_whole, plain::excerpt};

/// The longest template, in bytes.
const URL_BYTES: usize = 2000;
/// The most segments of the path, and the most parameters of the query.
const PARTS: usize = 32;

const SCHEME: &str = "https://";

/// Where a piece stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Segment,
    Query,
}

impl Part {
    /// Characters beside letters, digits and `-._~` that stand for themselves there. Fewer than RFC 3986 has: `;`, `+`
    /// and `'` mean different things to different servers.
    const fn plain(self) -> &'static str {
        match self {
            Self::Segment => "!$&()*,=:@",
            Self::Query => "!$()*,:@/?",
        }
    }
}

impl UrlTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// [`Malformed`] says what is wrong with it and how to mend it.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > URL_BYTES {
            return Err(Malformed::new(format!("a URL has at most {URL_BYTES} bytes")));
        }
        let tokens = lex::tokens(text)?;
        if tokens.contains(&Token::Char('#')) {
            return Err(Malformed::new("a request has no fragment; write `#` as %23, or take it out"));
        }
        let (base, below) = base(text, &tokens)?;
        let at = below.iter().position(|token| *token == Token::Char('?')).unwrap_or(below.len());
        let (path, query) = below.split_at(at);
        let (path, rest) = self::path(path)?;
        let template = Self { text: text.into(), base, path, rest, query: self::query(query)? };
        variables_once(&tokens)?;
        Ok(template)
    }
}

/// The base, and what follows it: nothing, or what begins with `/` or `?`.
fn base<'t, 'a>(text: &str, tokens: &'t [Token<'a>]) -> Result<(Base, &'t [Token<'a>]), Malformed> {
    let ends = |token: &Token<'_>| matches!(token, Token::Char('/' | '?'));
    if let Some((Token::Gap(Gap::Config(name)), below)) = tokens.split_first() {
        if below.first().is_some_and(|token| !ends(token)) {
            return Err(Malformed::new(format!(
                "{{config:{name}}} is the whole scheme and host here; after it comes `/` or `?`"
            )));
        }
        return Ok((Base::Config((*name).into()), below));
    }
    if text.starts_with("http://") {
        return Err(Malformed::new(
            "a request goes out over https; plain http is for the user to choose: {config:NAME} at the beginning",
        ));
    }
    if !text.starts_with(SCHEME) {
        return Err(Malformed::new("a URL begins with `https://` and a host, or with {config:NAME}"));
    }
    let after = tokens.get(SCHEME.len()..).unwrap_or_default();
    let (authority, below) = after.split_at(after.iter().position(ends).unwrap_or(after.len()));
    let authority = authority.iter().map(|token| match token {
        Token::Char(c) => Ok(*c),
        Token::Gap(_) => Err(Malformed::new(
            "the host has no gaps, or a request could go anywhere; write it out, or begin with {config:NAME}",
        )),
    });
    Ok((self::authority(&authority.collect::<Result<String, _>>()?)?, below))
}

fn authority(text: &str) -> Result<Base, Malformed> {
    if text.contains('@') {
        return Err(Malformed::new("a URL has no user information (`user@`); put the secret into `headers`"));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    public_host(host)?;
    let port = match port {
        None => None,
        Some("443") => return Err(Malformed::new("443 is the port of https; leave it out")),
        Some(port) => match port.parse() {
            Ok(number @ 1..) if u16::to_string(&number) == port => Some(number),
            _ => return Err(Malformed::new(format!("{:?} is no port", excerpt(port, 20)))),
        },
    };
    Ok(Base::Fixed { host: host.into(), port })
}

type Path = (Vec<Vec<Piece>>, Option<String>);

fn path(tokens: &[Token<'_>]) -> Result<Path, Malformed> {
    let below = match tokens.split_first() {
        None | Some((_, [])) => return Ok((Vec::new(), None)),
        Some((_, below)) => below,
    };
    let mut segments: Vec<&[Token<'_>]> = below.split(|token| *token == Token::Char('/')).collect();
    if segments.len() > PARTS {
        return Err(Malformed::new(format!("a path has at most {PARTS} segments")));
    }
    let rest = match segments.last() {
        Some([Token::Gap(Gap::Rest(name))]) => Some((*name).to_owned()),
        _ => None,
    };
    if rest.is_some() {
        segments.pop();
    }
    let segments = segments.into_iter().map(segment).collect::<Result<_, _>>()?;
    Ok((segments, rest))
}

fn segment(tokens: &[Token<'_>]) -> Result<Vec<Piece>, Malformed> {
    let pieces = pieces(tokens, Part::Segment)?;
    match pieces.as_slice() {
        [] => Err(Malformed::new("a path has no empty segments and no `/` at its end")),
        [Piece::Literal(text)] if matches!(&*decoded(text)?, "." | "..") => {
            Err(Malformed::new("a path has no `.` or `..` segments"))
        }
        _ => Ok(pieces),
    }
}

fn query(tokens: &[Token<'_>]) -> Result<Vec<Parameter>, Malformed> {
    let Some((_, tokens)) = tokens.split_first() else { return Ok(Vec::new()) };
    let mut names = BTreeSet::new();
    let mut parameters = Vec::new();
    for tokens in tokens.split(|token| *token == Token::Char('&')) {
        let mut sides = tokens.splitn(2, |token| *token == Token::Char('='));
        let name = pieces(sides.next().unwrap_or_default(), Part::Query)?;
        let [Piece::Literal(name)] = name.as_slice() else {
            return Err(Malformed::new("a parameter of the query is written name=value, and its name has no gaps"));
        };
        let Some(value) = sides.next() else {
            return Err(Malformed::new("a parameter of the query is written name=value; the value may be empty"));
        };
        if !names.insert(decoded(name)?) {
            return Err(Malformed::new(format!("the query has {:?} twice; each parameter is there once", name)));
        }
        let (value, optional) = match value {
            [Token::Gap(Gap::Optional(name))] => (vec![Piece::Variable((*name).into())], true),
            value => (pieces(value, Part::Query)?, false),
        };
        parameters.push(Parameter { name: name.clone(), value, optional });
    }
    if parameters.len() > PARTS {
        return Err(Malformed::new(format!("a query has at most {PARTS} parameters")));
    }
    Ok(parameters)
}

/// The pieces of one segment, name or value.
fn pieces(tokens: &[Token<'_>], part: Part) -> Result<Vec<Piece>, Malformed> {
    let mut pieces: Vec<Piece> = Vec::new();
    for token in tokens {
        let piece = match *token {
            Token::Char(c) => {
                let own = c.is_ascii_alphanumeric() || "-._~%".contains(c) || part.plain().contains(c);
                if !own {
                    let problem = format!("{c:?} cannot stand for itself there; percent-encode it");
                    return Err(Malformed::new(problem));
                }
                if let Some(Piece::Literal(text)) = pieces.last_mut() {
                    text.push(c);
                    continue;
                }
                Piece::Literal(c.into())
            }
            Token::Gap(Gap::Config(name)) => Piece::Config(name.into()),
            Token::Gap(Gap::Secret(name)) => Piece::Secret(name.into()),
            Token::Gap(Gap::Variable(name)) => Piece::Variable(name.into()),
            Token::Gap(Gap::Rest(name)) => {
                return Err(Malformed::new(format!(
                    "{{{name}*}} stands for the rest of the path: between the last `/` and the end or the `?`, alone"
                )));
            }
            Token::Gap(Gap::Optional(name)) => {
                return Err(Malformed::new(format!(
                    "{{{name}?}} is the whole value of a parameter of the query, such as ?{name}={{{name}?}}"
                )));
            }
        };
        // Otherwise what belongs to one of them could be given to the other.
        let touch = matches!(
            (pieces.last(), &piece),
            (Some(Piece::Config(_) | Piece::Secret(_) | Piece::Variable(_)), Piece::Variable(_))
                | (Some(Piece::Variable(_)), Piece::Config(_) | Piece::Secret(_))
        );
        if touch {
            return Err(Malformed::new(format!("{piece} touches another gap; put text or a `/` between them")));
        }
        pieces.push(piece);
    }
    for piece in &pieces {
        if let Piece::Literal(text) = piece {
            let decoded = decoded(text)?;
            if part == Part::Segment && decoded.contains(['/', '\\']) {
                return Err(Malformed::new("a segment of a path has no encoded `/` or `\\`"));
            }
        }
    }
    Ok(pieces)
}

/// What a literal says.
fn decoded(text: &str) -> Result<String, Malformed> {
    if !is_whole(text) {
        return Err(Malformed::new("a `%` is followed by two hexadecimal digits; a `%` itself is written %25"));
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) if decoded.chars().all(is_plain) => Ok(decoded.into_owned()),
        _ => Err(Malformed::new("what is percent-encoded must be UTF-8 without control and invisible characters")),
    }
}

fn variables_once(tokens: &[Token<'_>]) -> Result<(), Malformed> {
    let mut names = BTreeSet::new();
    for token in tokens {
        if let Token::Gap(Gap::Variable(name) | Gap::Rest(name) | Gap::Optional(name)) = *token
            && !names.insert(name)
        {
            return Err(Malformed::new(format!(
                "the variable {name:?} is there twice; give each place a name of its own"
            )));
        }
    }
    Ok(())
}
