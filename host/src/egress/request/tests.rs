#![allow(clippy::unwrap_used, clippy::panic)]

mod attacks;
mod everyday;
mod platform;
mod prompts;
mod properties;
