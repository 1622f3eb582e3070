//! Brings a platform of its own whose endpoints lead to public names; one of them stands for a private address.

use sluicegate_sdk::{http, prelude::*};

struct Reacher;

impl Adapter for Reacher {
    const MANIFEST: &'static str = r#"
name = "reacher"
version = "0.1.0"
summary = "Hostile adapter of the tests"
actions = []

[config.base]
default = "https://base.example"

[[endpoint]]
name = "default"
for = ["call"]
method = "GET"
url = "{config:base}/"

# A public name whose answer is 127.0.0.1.
[[endpoint]]
name = "rebind"
for = ["call"]
method = "GET"
url = "https://localtest.me/"

[[tool]]
name = "reach"
summary = "Requests an endpoint"
[tool.params.endpoint]
type = "string"
required = true
"#;

    fn handle(_: Event) -> Handled {
        Ok(None)
    }

    fn perform(action: Action) -> Performed {
        let Action::Call(call) = action else { return Err(Failure::Unsupported) };
        let arguments: Value = sluicegate_sdk::serde_json::from_str(&call.arguments)?;
        let request = Request::to(arguments["endpoint"].as_str().unwrap_or_default());
        Ok(Outcome::Text(match request.send() {
            Ok(response) => format!("answered: {}", response.status),
            Err(http::Problem::Denied(reason)) => format!("denied: {reason}"),
            Err(http::Problem::TooLarge) => "too large".to_owned(),
            Err(http::Problem::TimedOut) => "timed out".to_owned(),
            Err(http::Problem::Unreachable(reason)) => format!("unreachable: {reason}"),
        }))
    }
}

export_adapter!(Reacher);
