//! The words of the interface, as `channel.wit` describes them.

pub use crate::bindings::sluicegate::channel::types::{
    Action, Choice, Closure, ConnectionId, Content, Edit, Event, Failure, FileId, Frame, Header, HistoryQuery, Id,
    Item, KeptFile, Outcome, Outgoing, Place, PlatformFailure, Prompt, Reaction, RichText, RouteRequest, RouteResponse,
    Span, Style, ToolCall,
};
