//! Sluicegate runs Claude Code channel adapters as sandboxed WebAssembly components.
//!
//! The modules are the steps that data takes:
//!
//! ```text
//! platform ─▶ source ─▶ adapter.handle ─▶ evidence ─▶ gate ─▶ journal ─▶ outbox ─▶ Claude Code
//!             listener   lane, sandbox                 (commit)             mcp
//!             timers
//! Claude Code ─▶ tool call ─▶ outbound gate ─▶ adapter.perform ─▶ platform
//!    mcp          actions          gate             sandbox
//! Claude Code ─▶ permission request ─▶ policy, prompt ─▶ adapter.perform ─▶ platform
//! Claude Code ◀── verdict ◀─ relay ◀─ evidence ◀─ source ◀─ platform
//!    mcp          relay
//! ```
//!
//! Around them: [`adapters`] (what is there), [`grants`] (what the user allowed), [`registry`] (what runs),
//! [`host`] (what holds it together), [`session`] and [`serve`] (one Claude Code session), [`cli`] and [`control`].

pub mod actions;
pub mod adapters;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod controlled;
pub mod demo;
pub mod egress;
pub mod evidence;
pub mod files;
pub mod gate;
pub mod grants;
pub mod home;
pub mod host;
pub mod import;
pub mod intake;
pub mod journal;
pub mod lane;
pub mod limits;
pub mod listener;
pub mod logging;
pub mod manifest;
pub mod mcp;
pub mod message;
pub mod name;
pub mod outbox;
pub mod poll;
pub mod registry;
pub mod relay;
pub mod resident;
pub mod sandbox;
pub mod secrets;
pub mod serve;
pub mod session;
pub mod signature;
pub mod text;
pub mod timers;
pub mod watch;
