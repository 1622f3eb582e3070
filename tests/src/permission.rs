//! Claude Code's side of the permission relay.

use std::{
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::Server;

/// The letters of Claude Code's names of requests: a to z without l.
const LETTERS: &[u8; 25] = b"abcdefghijkmnopqrstuvwxyz";

impl Server {
    /// Whether it declared at the start that it relays permission requests.
    pub fn relays(&self) -> bool {
        self.initialized["capabilities"]["experimental"]["claude/channel/permission"].is_object()
    }

    /// Asks whether a tool may run, under a new name; gives that name.
    ///
    /// # Panics
    /// If the server did not declare the relay: Claude Code would not ask it.
    pub fn ask_permission(&self, tool: &str, description: &str, preview: &str) -> String {
        let id = fresh();
        self.ask_permission_as(&id, tool, description, preview);
        id
    }

    /// As [`Server::ask_permission`], under that name.
    ///
    /// # Panics
    /// If the server did not declare the relay: Claude Code would not ask it.
    pub fn ask_permission_as(&self, id: &str, tool: &str, description: &str, preview: &str) {
        assert!(self.relays(), "the relay was not declared: {}", self.initialized["capabilities"]);
        self.wire.change(|arrived| _ = arrived.asked.insert(id.to_owned()));
        self.notify(
            "notifications/claude/channel/permission_request",
            &json!({ "request_id": id, "tool_name": tool, "description": description, "input_preview": preview }),
        );
    }

    /// The verdicts so far: which request, `allow` or `deny`.
    pub fn verdicts(&self) -> Vec<(String, String)> {
        self.wire.lock().verdicts.clone()
    }

    /// Waits for the verdict on that request.
    ///
    /// # Panics
    /// If none comes.
    pub fn verdict_on(&self, id: &str) -> String {
        self.wait(&format!("the verdict on {id}"), |arrived| {
            arrived.verdicts.iter().find(|(request, _)| request == id).map(|(_, behavior)| behavior.clone())
        })
    }
}

/// A name that no request of this run had.
fn fresh() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let seed = format!("{} {now} {}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Sha256::digest(seed).iter().take(5).map(|byte| char::from(LETTERS[usize::from(byte % 25)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_five_letters_of_the_alphabet_and_none_comes_twice() {
        let names: std::collections::BTreeSet<String> = (0..50).map(|_| fresh()).collect();
        assert_eq!(names.len(), 50);
        assert!(names.iter().all(|name| name.len() == 5 && name.bytes().all(|letter| LETTERS.contains(&letter))));
    }
}
