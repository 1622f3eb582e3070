#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arguments;
mod laws;
mod outcomes;
mod samples;

use std::collections::HashSet;

use serde_json::json;

use super::*;
use crate::{
    manifest::TextUnit,
    text::{Span, Style},
};

/// A platform like Telegram.
const PHONE: Means = Means { limit: Some(TextLimit { max: 4096, unit: TextUnit::Utf16 }), spans: true, buttons: true };
/// A platform with nothing but text.
const BARE: Means = Means { limit: Some(TextLimit { max: 2000, unit: TextUnit::Chars }), spans: false, buttons: false };

fn request(tool: &str, description: &str, preview: &str) -> Request {
    // Capitals are in no code, and the tests use no such word.
    let params = json!({
        "request_id": "ZQXJV", "tool_name": tool, "description": description, "input_preview": preview
    });
    Request::read(params.as_object().unwrap()).unwrap()
}

fn codes() -> Codes {
    Codes::mint(&HashSet::new()).unwrap()
}

fn asking<'a>(request: &'a Request, codes: &'a Codes) -> Asking<'a> {
    Asking { request, codes, typed: true, needed: 1, allowed: 0, expires: "14:32" }
}

/// The prompt with CODE in place of the code.
fn text(request: &Request, means: &Means, view: View) -> (String, Shown) {
    let codes = codes();
    let shown = prompt(&asking(request, &codes), means, view);
    (shown.text.text.replace(codes.code.as_str(), "CODE"), shown)
}

fn labels(shown: &Shown) -> Vec<&str> {
    shown.choices.iter().map(|choice| &*choice.label).collect()
}

/// The characters of a span.
fn part(rich: &RichText, span: &Span) -> String {
    rich.text.chars().skip(span.start as usize).take((span.end - span.start) as usize).collect()
}
