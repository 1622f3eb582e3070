//! What the MCP side needs of the rest of the host.

use futures_util::future::BoxFuture;
use rmcp::model::JsonObject;

/// A tool as the client sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDefinition {
    /// Unique among the tools.
    pub name: String,
    /// What it does; Claude Code cuts it at [`TEXT_LIMIT`](super::TEXT_LIMIT) bytes.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub input_schema: JsonObject,
    /// Claude sees it from the first request on, without searching for it.
    pub always_load: bool,
}

/// What a tool answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolAnswer {
    /// For Claude to read.
    pub text: String,
}

impl ToolAnswer {
    /// An answer of that text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

/// Why a tool did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// There is no such tool (any more).
    #[error("there is no such tool; the list of tools has changed")]
    Unknown,
    /// It was refused or failed; Claude reads the text, which says what to do about it.
    #[error("{0}")]
    Failed(String),
}

impl From<super::tools::ArgumentError> for ToolError {
    fn from(error: super::tools::ArgumentError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What the server offers. The calls without a future must not block.
pub trait Surface: Send + Sync + 'static {
    /// The server's name and version.
    fn server(&self) -> (String, String);

    /// What Claude is told about the server, at most [`TEXT_LIMIT`](super::TEXT_LIMIT) bytes.
    fn instructions(&self) -> String;

    /// The tools as they are now.
    fn tools(&self) -> Vec<ToolDefinition>;

    /// Runs a tool. The arguments are whatever the client sent: the implementation checks them.
    ///
    /// The future is **dropped** when the client cancels the call (Esc), when the time is up and when the connection
    /// ends: what must not stop half-way belongs into a task of its own.
    fn call(&self, tool: String, arguments: JsonObject) -> BoxFuture<'_, Result<ToolAnswer, ToolError>>;

    /// The client has sent `initialize`: only now may anything have a side effect. Called once.
    fn initialized(&self);

    /// Whether the client's permission requests can be taken to somebody: declared as `claude/channel/permission`.
    fn relays_permissions(&self) -> bool;

    /// The client asks whether a tool may run; untrusted, in the order in which requests and tool calls came.
    fn permission_request(&self, request: JsonObject);

    /// The client calls a tool; told in the same order, and before [`call`](Self::call).
    fn tool_called(&self);
}
