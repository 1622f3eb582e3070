//! The words of templates: characters, and gaps in braces.

use crate::manifest::{
    error::Malformed,
    plain::excerpt,
    shapes::{KeyName, Shape, ToolName},
};

/// A character, or a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Char(char),
    Gap(Gap<'a>),
}

/// What stands in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap<'a> {
    /// `{config:NAME}`
    Config(&'a str),
    /// `{secret:NAME}`
    Secret(&'a str),
    /// `{NAME}`
    Variable(&'a str),
    /// `{NAME*}`
    Rest(&'a str),
    /// `{NAME?}`
    Optional(&'a str),
}

/// Reads a template's words.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Malformed> {
    let mut tokens = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '{' => {
                let Some((inside, after)) = chars.as_str().split_once('}') else {
                    return Err(Malformed::new("a `{` is not closed; write the gap like {token} or {secret:token}"));
                };
                tokens.push(Token::Gap(gap(inside)?));
                chars = after.chars();
            }
            '}' => return Err(Malformed::new("a `}` closes nothing; braces stand only around gaps")),
            c => tokens.push(Token::Char(c)),
        }
    }
    Ok(tokens)
}

fn gap(inside: &str) -> Result<Gap<'_>, Malformed> {
    let (gap, fits, rule) = if let Some(name) = inside.strip_prefix("config:") {
        (Gap::Config(name), KeyName::fits(name), KeyName::RULE)
    } else if let Some(name) = inside.strip_prefix("secret:") {
        (Gap::Secret(name), KeyName::fits(name), KeyName::RULE)
    } else if let Some(name) = inside.strip_suffix('*') {
        (Gap::Rest(name), ToolName::fits(name), ToolName::RULE)
    } else if let Some(name) = inside.strip_suffix('?') {
        (Gap::Optional(name), ToolName::fits(name), ToolName::RULE)
    } else {
        (Gap::Variable(inside), ToolName::fits(inside), ToolName::RULE)
    };
    if fits {
        return Ok(gap);
    }
    let shown = excerpt(inside, 40);
    Err(Malformed::new(format!(
        "`{{{shown}}}` is no gap; write {{config:NAME}}, {{secret:NAME}}, {{NAME}}, {{NAME*}} or {{NAME?}}, where for the \
         name: {rule}"
    )))
}
