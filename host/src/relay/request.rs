//! What Claude Code asks.

use std::fmt;

use serde_json::{Map, Value};

/// Claude Code's own name of a request: five letters. It leaves the host towards Claude Code alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// The name, for Claude Code.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Shows nothing: in a channel of another make it is all that a verdict needs.
impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestId(…)")
    }
}

/// Whether a tool may run. Everything in it is untrusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Claude Code's name of it.
    pub id: RequestId,
    /// The tool: `Bash`, `Write`, `mcp__server__tool`.
    pub tool: String,
    /// What Claude Code says of the call.
    pub description: String,
    /// The call's arguments, in the shape of JSON; Claude Code cuts long values.
    pub preview: String,
}

/// Why something that Claude Code sent is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a permission request of Claude Code's cannot be used: {0}")]
pub struct Malformed(pub String);

/// Bytes that a member may have. Claude Code sends some 15,000 characters of arguments at most.
const LONGEST: usize = 64 << 10;

impl Request {
    /// Reads the params of `notifications/claude/channel/permission_request`.
    ///
    /// # Errors
    /// [`Malformed`] if a member is missing, is no text, or is too long.
    pub fn read(params: &Map<String, Value>) -> Result<Self, Malformed> {
        let text = |name: &str| match params.get(name) {
            Some(Value::String(text)) if text.len() <= LONGEST => Ok(text.clone()),
            Some(Value::String(_)) => Err(Malformed(format!("`{name}` has more than {LONGEST} bytes"))),
            _ => Err(Malformed(format!("`{name}` is missing or no text"))),
        };
        let id = text("request_id")?;
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err(Malformed("`request_id` is no plain name".into()));
        }
        let tool = text("tool_name")?;
        if tool.trim().is_empty() {
            return Err(Malformed("`tool_name` is empty".into()));
        }
        let optional = |name: &str| if params.contains_key(name) { text(name) } else { Ok(String::new()) };
        Ok(Self { id: RequestId(id), tool, description: optional("description")?, preview: optional("input_preview")? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn read(params: &Value) -> Result<Request, Malformed> {
        Request::read(params.as_object().unwrap())
    }

    #[test]
    fn a_request_is_read_as_it_came() {
        let preview = "{ \"command\": \"printf '\u{202e}'\\nls\" }";
        let params = json!({
            "request_id": "tqaec", "tool_name": " Bash\u{200b}", "description": "Run\nit", "input_preview": preview,
            "later": { "versions": ["may", "say", "more"] }
        });
        let request = read(&params).unwrap();
        assert_eq!(request.id.expose(), "tqaec");
        assert_eq!((&*request.tool, &*request.description, &*request.preview), (" Bash\u{200b}", "Run\nit", preview));
    }

    #[test]
    fn what_is_said_of_the_call_may_be_missing() {
        let request = read(&json!({ "request_id": "a", "tool_name": "Bash" })).unwrap();
        assert_eq!((&*request.description, &*request.preview), ("", ""));
    }

    #[test]
    fn what_is_no_request_is_refused_by_the_member_that_is_wrong() {
        let long = "x".repeat(LONGEST + 1);
        let longest = "ä".repeat(LONGEST / 2);
        for (member, value, fault) in [
            ("request_id", json!(null), "`request_id` is missing or no text"),
            ("request_id", json!(7), "`request_id` is missing or no text"),
            ("request_id", json!(""), "`request_id` is no plain name"),
            ("request_id", json!("a b"), "`request_id` is no plain name"),
            ("request_id", json!("a\n"), "`request_id` is no plain name"),
            ("request_id", json!("ä"), "`request_id` is no plain name"),
            ("request_id", json!("a\"},{"), "`request_id` is no plain name"),
            ("request_id", json!("x".repeat(65)), "`request_id` is no plain name"),
            ("request_id", json!("x".repeat(64)), ""),
            ("request_id", json!("toolu_01-A"), ""),
            ("tool_name", json!(["Bash"]), "`tool_name` is missing or no text"),
            ("tool_name", json!(" \n"), "`tool_name` is empty"),
            ("tool_name", json!(long), "`tool_name` has more than 65536 bytes"),
            ("description", json!(null), "`description` is missing or no text"),
            ("description", json!(long), "`description` has more than 65536 bytes"),
            ("description", json!(longest), ""),
            ("input_preview", json!({ "command": "ls" }), "`input_preview` is missing or no text"),
            ("input_preview", json!(long), "`input_preview` has more than 65536 bytes"),
            ("input_preview", json!(longest), ""),
        ] {
            let mut params =
                json!({ "request_id": "a", "tool_name": "Bash", "description": "", "input_preview": "{}" });
            params[member] = value;
            let found = read(&params).map_or_else(|malformed| malformed.0, |_| String::new());
            assert_eq!(found, fault, "{member}");
        }
        for member in ["request_id", "tool_name"] {
            let mut params = json!({ "request_id": "a", "tool_name": "Bash" });
            params.as_object_mut().unwrap().remove(member);
            assert_eq!(read(&params), Err(Malformed(format!("`{member}` is missing or no text"))));
        }
    }

    #[test]
    fn no_fault_repeats_what_came() {
        let fault = read(&json!({ "request_id": "secret id", "tool_name": "Bash" })).unwrap_err();
        assert!(!fault.to_string().contains("secret"), "{fault}");
    }

    #[test]
    fn claude_codes_name_of_a_request_is_in_no_log() {
        let request = read(&json!({ "request_id": "tqaec", "tool_name": "Bash" })).unwrap();
        assert_eq!(format!("{:?}", request.id), "RequestId(…)");
        assert!(!format!("{request:?} {request:#?}").contains("tqaec"));
    }
}
