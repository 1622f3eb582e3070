//! Tools of the adapters' own: their definitions from the manifests, and the check of their arguments.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    manifest::{Contract, Param, ParamType, Tool},
    mcp::{JsonObject, ToolDefinition, ToolError},
    name::AdapterName,
    sandbox::types,
};

/// A call that fits its tool.
pub(super) struct Checked {
    pub(super) adapter: AdapterName,
    /// Where it is about, for the outbound gate.
    pub(super) place: Option<types::Place>,
    pub(super) call: types::ToolCall,
}

/// The name under which Claude sees a tool: no two adapters, and none of the host's, can have the same.
fn full_name(contract: &Contract, tool: &Tool) -> String {
    format!("{}_{}", contract.manifest.name, tool.name)
}

pub(super) fn definitions(contracts: &[Arc<Contract>]) -> Vec<ToolDefinition> {
    let each = |contract: &Arc<Contract>| {
        let tools = contract.manifest.tools.iter().map(|tool| definition(contract, tool));
        tools.collect::<Vec<_>>()
    };
    contracts.iter().flat_map(each).collect()
}

fn definition(contract: &Contract, tool: &Tool) -> ToolDefinition {
    let mut properties = JsonObject::new();
    let mut required = Vec::new();
    if tool.place {
        properties.insert("chat_id".into(), json!({"type": "string", "description": "chat_id of the <channel> tag"}));
        let thread = "thread_id of the <channel> tag, if it has one";
        properties.insert("thread_id".into(), json!({"type": "string", "description": thread}));
        required.push("chat_id");
    }
    for (name, param) in &tool.params {
        let mut schema = json!({"type": param.kind.as_str()});
        if let Some(summary) = &param.summary {
            schema["description"] = summary.as_str().into();
        }
        if !param.one_of.is_empty() {
            schema["enum"] = param.one_of.clone().into();
        }
        if let Some(max) = param.max {
            schema[if param.kind == ParamType::String { "maxLength" } else { "maximum" }] = max.into();
        }
        if param.required {
            required.push(name);
        }
        properties.insert(name.clone(), schema);
    }
    let mut input_schema = JsonObject::new();
    input_schema.insert("type".into(), "object".into());
    input_schema.insert("properties".into(), properties.into());
    input_schema.insert("required".into(), required.into());
    input_schema.insert("additionalProperties".into(), false.into());
    ToolDefinition {
        name: full_name(contract, tool),
        description: format!("{} (a tool of the channel adapter {})", tool.summary, contract.manifest.name),
        input_schema,
        always_load: false,
    }
}

pub(super) fn check(contracts: &[Arc<Contract>], name: &str, mut arguments: JsonObject) -> Result<Checked, ToolError> {
    let found = contracts.iter().find_map(|contract| {
        let tool = contract.manifest.tools.iter().find(|tool| full_name(contract, tool) == name)?;
        Some((contract, tool))
    });
    let Some((contract, tool)) = found else { return Err(ToolError::Unknown) };
    arguments.retain(|_, value| !value.is_null());
    let place = if tool.place { Some(place(&mut arguments)?) } else { None };
    for (name, value) in &arguments {
        let Some(param) = tool.params.get(name) else {
            let known: Vec<_> = tool.params.keys().map(String::as_str).collect();
            let name: String = name.chars().take(60).collect();
            return Err(wrong(format!("there is no argument `{name}`: the tool takes {}", known.join(", "))));
        };
        fits(param, value).map_err(|wanted| wrong(format!("`{name}` must be {wanted}")))?;
    }
    if let Some((missing, _)) =
        tool.params.iter().find(|(name, param)| param.required && !arguments.contains_key(name.as_str()))
    {
        return Err(wrong(format!("`{missing}` is missing")));
    }
    let call = types::ToolCall {
        tool: tool.name.clone(),
        place: place.clone(),
        arguments: Value::Object(arguments).to_string(),
    };
    Ok(Checked { adapter: contract.manifest.name.clone(), place, call })
}

fn place(arguments: &mut JsonObject) -> Result<types::Place, ToolError> {
    let mut text = |name: &str| match arguments.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(wrong(format!("`{name}` must be a string that is not empty"))),
    };
    let conversation = text("chat_id")?.ok_or_else(|| wrong("`chat_id` is missing".into()))?;
    Ok(types::Place { conversation, thread: text("thread_id")? })
}

/// Whether a value fits; if not, what would.
fn fits(param: &Param, value: &Value) -> Result<(), String> {
    let fitting = match (param.kind, value) {
        (ParamType::String, Value::String(text)) => {
            let known = param.one_of.is_empty() || param.one_of.contains(text);
            known && param.max.is_none_or(|max| text.chars().count() as u64 <= max)
        }
        (ParamType::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => {
            param.max.is_none_or(|max| number.as_u64().is_none_or(|value| value <= max))
        }
        (ParamType::Number, Value::Number(number)) => {
            #[expect(clippy::cast_precision_loss, reason = "a bound of this size need not be exact")]
            let below = |max: u64| number.as_f64().is_some_and(|value| value <= max as f64);
            param.max.is_none_or(below)
        }
        (ParamType::Boolean, Value::Bool(_)) => true,
        _ => false,
    };
    if fitting {
        return Ok(());
    }
    let mut wanted = format!("of type {}", param.kind.as_str());
    if !param.one_of.is_empty() {
        wanted.push_str(&format!(", one of: {}", param.one_of.join(", ")));
    }
    if let Some(max) = param.max {
        let unit = if param.kind == ParamType::String { " characters" } else { "" };
        wanted.push_str(&format!(", at most {max}{unit}"));
    }
    Err(wanted)
}

fn wrong(reason: String) -> ToolError {
    ToolError::Failed(reason)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    const MANIFEST: &str = r#"
name = "dice"
version = "1.0.0"
summary = "Dice"

[[tool]]
name = "roll"
summary = "Roll dice"
place = true
[tool.params.sides]
type = "integer"
required = true
max = 100
[tool.params.colour]
type = "string"
one-of = ["red", "blue"]
"#;

    fn contracts() -> Vec<Arc<Contract>> {
        vec![Arc::new(Manifest::parse(MANIFEST).unwrap().resolve().unwrap())]
    }

    #[test]
    fn only_arguments_of_the_declared_shape_reach_an_adapter() {
        let contracts = contracts();
        let check = |arguments: Value| {
            check(&contracts, "dice_roll", arguments.as_object().unwrap().clone()).map(|checked| checked.call.arguments)
        };
        assert_eq!(check(json!({"chat_id": "c", "sides": 6})).unwrap(), r#"{"sides":6}"#);
        assert!(check(json!({"chat_id": "c", "sides": 6, "colour": "red", "thread_id": null})).is_ok());
        for bad in [
            json!({"sides": 6}),
            json!({"chat_id": "c"}),
            json!({"chat_id": 7, "sides": 6}),
            json!({"chat_id": "c", "sides": 6.5}),
            json!({"chat_id": "c", "sides": 101}),
            json!({"chat_id": "c", "sides": "6"}),
            json!({"chat_id": "c", "sides": 6, "colour": "green"}),
            json!({"chat_id": "c", "sides": 6, "extra": 1}),
        ] {
            assert!(matches!(check(bad.clone()), Err(ToolError::Failed(_))), "{bad}");
        }
    }

    #[test]
    fn a_tool_that_is_not_declared_does_not_exist() {
        assert!(matches!(check(&contracts(), "dice_other", JsonObject::new()), Err(ToolError::Unknown)));
        assert!(matches!(check(&contracts(), "roll", JsonObject::new()), Err(ToolError::Unknown)));
    }
}
