//! What the page routes answer.

use crate::history;
use sluicegate_sdk::prelude::*;

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Name, media type and text of everything that the page loads.
const ASSETS: &[(&str, &str, &str)] = &[
    ("style.css", "text/css; charset=utf-8", include_str!("../page/style.css")),
    ("icon.svg", "image/svg+xml", include_str!("../page/icon.svg")),
    ("app.js", SCRIPT, include_str!("../page/app.js")),
    ("card.js", SCRIPT, include_str!("../page/card.js")),
    ("connection.js", SCRIPT, include_str!("../page/connection.js")),
    ("key.js", SCRIPT, include_str!("../page/key.js")),
    ("outbox.js", SCRIPT, include_str!("../page/outbox.js")),
    ("presses.js", SCRIPT, include_str!("../page/presses.js")),
    ("text.js", SCRIPT, include_str!("../page/text.js")),
    ("view.js", SCRIPT, include_str!("../page/view.js")),
];

/// Pictures that a browser shows without running anything in them. SVG is not among them.
const SHOWN: &[&str] = &["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];

/// The page itself.
pub fn index() -> RouteResponse {
    RouteResponse::html(include_str!("../page/index.html")).header("cache-control", "no-cache")
}

/// What the page loads.
pub fn asset(name: &str) -> RouteResponse {
    match ASSETS.iter().find(|(known, _, _)| *known == name) {
        Some((_, media_type, text)) => RouteResponse::text(media_type, *text).header("cache-control", "no-cache"),
        None => RouteResponse::status(404),
    }
}

/// A file of a kept message. All but pictures is offered for download under a type that no browser runs: the
/// page's policy trusts scripts of its own origin, and an uploaded file has that origin.
pub fn file(id: &str) -> RouteResponse {
    let Some(kept) = history::file(id) else {
        return RouteResponse::status(404);
    };
    if SHOWN.contains(&kept.media_type.as_str()) {
        RouteResponse::file(kept.file, &kept.media_type).header("content-disposition", "inline")
    } else {
        RouteResponse::file(kept.file, "application/octet-stream").header("content-disposition", "attachment")
    }
}
