//! rmcp's handler: what the server declares, and how tools run.

use std::{borrow::Cow, collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use rmcp::{
    RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorCode, ErrorData, Implementation,
        ListToolsResult, MetaObject, PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};

use super::{Surface, ToolDefinition, ToolError};

/// With a newer protocol Claude Code connects, but does not register the server as a channel.
const NEWEST_PROTOCOL: ProtocolVersion = ProtocolVersion::V_2025_11_25;
/// Tools that may run at the same time.
const MAX_CALLS: usize = 64;

pub(super) struct Handler<S> {
    surface: Arc<S>,
    call_limit: Duration,
    calls: Semaphore,
    /// Whether the client has asked for the tools: before that, no change of them needs to be told.
    listed: watch::Sender<bool>,
}

impl<S: Surface> Handler<S> {
    pub(super) fn new(surface: Arc<S>, call_limit: Duration, listed: watch::Sender<bool>) -> Self {
        Self { surface, call_limit, calls: Semaphore::new(MAX_CALLS), listed }
    }

    async fn run(&self, request: CallToolRequestParams) -> Result<String, ToolError> {
        let Ok(_running) = self.calls.try_acquire() else {
            return Err(failed("too many tool calls are running at once; wait for the earlier ones"));
        };
        let tool = request.name.into_owned();
        let surface = self.surface.clone();
        let name = tool.clone();
        // Inside the guard also where the call itself panics, before there is a future.
        let call = async move { surface.call(name, request.arguments.unwrap_or_default()).await };
        let guarded = AssertUnwindSafe(call).catch_unwind();
        match tokio::time::timeout(self.call_limit, guarded).await {
            Ok(Ok(result)) => result.map(|answer| answer.text),
            Ok(Err(_panic)) => {
                tracing::error!(tool, "a tool panicked; please report this");
                Err(failed("the tool failed inside Sluicegate; whether it took effect is not known"))
            }
            Err(_elapsed) => {
                let limit = self.call_limit;
                tracing::warn!(tool, "a tool gave no answer within {limit:?}");
                Err(ToolError::Failed(format!(
                    "no answer within {limit:?}; whether it took effect is not known: look before you repeat it"
                )))
            }
        }
    }
}

fn failed(text: &str) -> ToolError {
    ToolError::Failed(text.to_owned())
}

fn as_tool(definition: ToolDefinition) -> Tool {
    let mut tool = Tool::new(definition.name, definition.description, Arc::new(definition.input_schema));
    if definition.always_load {
        let mut meta = MetaObject::default();
        meta.insert("anthropic/alwaysLoad".to_owned(), Value::Bool(true));
        tool.meta = Some(meta);
    }
    tool
}

impl<S: Surface> ServerHandler for Handler<S> {
    fn get_info(&self) -> ServerConfig {
        let mut channel = BTreeMap::from([("claude/channel".to_owned(), serde_json::Map::new())]);
        if self.surface.relays_permissions() {
            channel.insert("claude/channel/permission".to_owned(), serde_json::Map::new());
        }
        // Tools are declared even while there are none: adapters that are granted later bring theirs.
        let capabilities = ServerCapabilities::builder()
            .enable_experimental_with(channel)
            .enable_tools()
            .enable_tool_list_changed()
            .build();
        let (name, version) = self.surface.server();
        ServerConfig::new(capabilities)
            .with_protocol_version(NEWEST_PROTOCOL)
            .with_server_info(Implementation::new(name, version))
            .with_instructions(self.surface.instructions())
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(ProtocolVersion::known_up_to(&NEWEST_PROTOCOL))
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        // First, so that a change from here on is told, whether or not this list has it already.
        self.listed.send_replace(true);
        let tools = self.surface.tools().into_iter().map(as_tool).collect();
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.clone();
        let result = tokio::select! {
            biased;
            // The client no longer waits: rmcp sends it no answer.
            () = context.ct.cancelled() => Err(failed("cancelled")),
            result = self.run(request) => result,
        };
        match result {
            Ok(text) => Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into()),
            Err(ToolError::Failed(text)) => Ok(CallToolResult::error(vec![ContentBlock::text(text)]).into()),
            Err(error @ ToolError::Unknown) => {
                Err(ErrorData::new(ErrorCode::INVALID_PARAMS, format!("{name}: {error}"), None))
            }
        }
    }
}
