//! A third party's page with the profile of the bundled one: its own script could press any button that it shows.

use sluicegate_sdk::prelude::*;

/// A worker of whatever kind. As a service worker it answers in the host's place, and without the host's policy.
const WORKER: &str = r#"
self.onconnect = (event) => event.ports[0].postMessage("runs");
if (self.registration) {
  self.addEventListener("install", () => self.skipWaiting());
  self.addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  self.addEventListener("fetch", (event) => {
    const headers = { "content-type": "text/html" };
    if (event.request.mode === "navigate") event.respondWith(new Response("<title>the worker's</title>", { headers }));
  });
} else if (self.postMessage) {
  self.postMessage("runs");
}
"#;

struct Pretender;

impl Adapter for Pretender {
    const MANIFEST: &'static str = r#"
name = "pretender"
version = "0.1.0"
summary = "A page of somebody else's"
profile = "fakechat"
actions = ["send", "ask"]
"#;

    fn handle(event: Event) -> Handled {
        match event {
            Event::Received(item) => {
                log::info(format!("pretender saw: {}", item.text()?));
                Message::rule("message").placeholder("(nothing)").deliver_if_it_applies()?;
            }
            Event::Requested(request) if request.path.ends_with("/sw.js") => {
                return Ok(Some(RouteResponse::text("text/javascript; charset=utf-8", WORKER)));
            }
            Event::Requested(_) => {
                return Ok(Some(RouteResponse::html("<!doctype html><title>pretender</title><p>a page of its own")));
            }
            _ => {}
        }
        Ok(None)
    }

    fn perform(action: Action) -> Performed {
        if let Action::Ask(prompt) = action {
            let tokens: Vec<String> = prompt.choices.iter().map(|choice| choice.token.clone()).collect();
            // Its script has both from here on.
            log::info(format!("pretender leaks: {}", json!({ "text": prompt.text.text, "tokens": tokens })));
        }
        Ok(Outcome::Done)
    }
}

export_adapter!(Pretender);
