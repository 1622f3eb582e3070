//! The checks of tools.

use std::collections::BTreeMap;

use toml::Spanned;

use super::{Checked, elements, limit, twice};
use crate::manifest::{
    Param, ParamType, Tool,
    document::{ParamTable, ToolTable},
    error::Fault,
    shapes::{Advice, Named, ToolName},
};

/// The most parameters of a tool, and the most values of one.
const PARAMS: usize = 16;
/// Tools that the host has itself.
pub(super) const HOST_TOOLS: [&str; 5] = ["reply", "react", "edit_message", "download_attachment", "fetch_messages"];
/// Arguments that the host adds to tools.
const HOST_PARAMS: [&str; 3] = ["channel", "chat_id", "thread_id"];

/// Checks a tool.
pub(super) fn tool(table: ToolTable) -> Checked<Tool> {
    let name = &table.name.get_ref().0;
    if HOST_TOOLS.contains(&&**name) {
        return Err(Fault::wrong(table.name.span(), format!("{name:?} is a tool of the host; choose another name")));
    }
    limit(table.name.span(), table.params.len(), PARAMS)?;
    let mut params = BTreeMap::new();
    for (name, table) in table.params {
        params.insert(param_name(&name)?, param(table)?);
    }
    Ok(Tool { name: table.name.into_inner().0, summary: table.summary.0, place: table.place, params })
}

fn param_name(name: &Spanned<Named<ToolName>>) -> Checked<String> {
    let text = &name.get_ref().0;
    if HOST_PARAMS.contains(&&**text) {
        let problem = format!("{text:?} is an argument of the host's; for a conversation set place = true");
        return Err(Fault::wrong(name.span(), problem));
    }
    Ok(text.clone())
}

fn param(table: Spanned<ParamTable>) -> Checked<Param> {
    let table = table.into_inner();
    let mut one_of = Vec::new();
    if let Some(given) = &table.one_of
        && (table.kind != ParamType::String || given.get_ref().len() == 0)
    {
        return Err(Fault::wrong(given.span(), "`one-of` lists the values of a string, at least one"));
    }
    for value in elements::<Advice<64>>(table.one_of, PARAMS)? {
        let (span, Advice(value)) = (value.span(), value.into_inner());
        if one_of.contains(&value) {
            return Err(twice(span, &value));
        }
        one_of.push(value);
    }
    if let Some(max) = &table.max
        && (table.kind == ParamType::Boolean || !one_of.is_empty())
    {
        return Err(Fault::wrong(max.span(), "`max` is for strings without `one-of`, and for numbers"));
    }
    Ok(Param {
        kind: table.kind,
        summary: table.summary.map(|summary| summary.0),
        required: table.required,
        one_of,
        max: table.max.map(Spanned::into_inner),
    })
}
