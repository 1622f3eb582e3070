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

/// Characters that a member may have; Claude Code sends 3,500.
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
