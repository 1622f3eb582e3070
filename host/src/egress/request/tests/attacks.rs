//! What a hostile adapter with a grant may try. Every row must be denied, for the reason that is named.

mod codes;
mod document;
mod grant;
mod parts;
mod prompt;
mod url;

use super::platform::*;
use crate::{egress::Asked, manifest::Endpoint};

struct Attack {
    name: &'static str,
    endpoint: Endpoint,
    asked: Asked,
    why: &'static str,
}

fn attack(name: &'static str, endpoint: Endpoint, asked: Asked, why: &'static str) -> Attack {
    Attack { name, endpoint, asked, why }
}

fn assert_denied(attacks: Vec<Attack>) {
    for Attack { name, endpoint, asked, why } in attacks {
        let shown = format!("{asked:?}");
        let denied = match attempt(&endpoint, asked) {
            Ok(prepared) => panic!("{name}: {} was made of {shown}", prepared.url),
            Err(denied) => denied.to_string(),
        };
        assert!(denied.starts_with(&format!("the endpoint `{}`: ", endpoint.name)), "{name}: {denied}");
        assert!(denied.contains(why), "{name}: {denied}");
        assert!(!denied.contains(TOKEN) && denied.chars().all(crate::manifest::is_plain), "{name}: {denied}");
        assert!(denied.len() < 700, "{name}: {denied}");
    }
}

/// A message with a conversation as it is written in JSON.
fn to(chat: &str) -> Asked {
    json(format!(r#"{{"chat_id":{chat},"text":"{TEXT}"}}"#))
}

const OTHER: &str = "and the conversation of the action is";
const UNLISTED: &str = "is not among its `fields`";
