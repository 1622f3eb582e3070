//! The client's side of the wire: every line that the server writes is checked, then sorted.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use serde_json::{Map, Value};

use crate::deadline::patience;

/// What Claude would see of one `notifications/claude/channel`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What stands between the tags.
    pub content: String,
    /// The attributes.
    pub meta: BTreeMap<String, String>,
}

impl Event {
    /// The attribute of that name, or the empty text.
    pub fn attribute(&self, name: &str) -> &str {
        self.meta.get(name).map_or("", String::as_str)
    }

    /// Whether it is marked as one that may have been on the wire before.
    pub fn is_redelivered(&self) -> bool {
        self.attribute("redelivered") == "1"
    }

    /// Its `message_id`.
    pub fn id(&self) -> &str {
        self.attribute("message_id")
    }
}

/// The answer to `tools/call`.
#[derive(Debug, Clone)]
pub struct ToolResult {
    /// The text of all its parts.
    pub text: String,
    /// Whether the tool says that it failed.
    pub is_error: bool,
}

/// A JSON-RPC error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    /// Its code.
    pub code: i64,
    /// Its words.
    pub message: String,
}

/// What has arrived so far.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    /// Answers by the JSON of their id.
    pub(crate) answers: HashMap<String, Result<Value, RpcError>>,
    /// Channel events, in order.
    pub(crate) events: Vec<Event>,
    /// The names of the permission requests that the client has sent.
    pub(crate) asked: BTreeSet<String>,
    /// Verdicts, in order: which request, `allow` or `deny`.
    pub(crate) verdicts: Vec<(String, String)>,
    /// All other notifications and requests.
    pub(crate) others: Vec<Value>,
    /// What no line may be.
    pub(crate) violations: Vec<String>,
    /// The server closed its standard output.
    pub(crate) ended: bool,
    /// The client does not read.
    pub(crate) paused: bool,
    /// Lines so far.
    pub(crate) lines: u64,
}

/// What has arrived, shared between the thread that reads and the test that waits.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    arrived: Mutex<Arrived>,
    changed: Condvar,
}

impl Wire {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Arrived> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and wakes whoever waits.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Arrived)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits while the client does not read.
    pub(crate) fn wait_while_paused(&self) {
        let paused = self.changed.wait_while(self.lock(), |arrived| arrived.paused);
        drop(paused.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until `look` finds something; `None` when the deadline has passed or the server has ended without it.
    pub(crate) fn wait<T>(&self, mut look: impl FnMut(&mut Arrived) -> Option<T>) -> Option<T> {
        let end = Instant::now() + patience();
        let mut arrived = self.lock();
        loop {
            assert!(arrived.violations.is_empty(), "the server broke the protocol: {:#?}", arrived.violations);
            if let Some(found) = look(&mut arrived) {
                return Some(found);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || arrived.ended {
                return None;
            }
            arrived = self.changed.wait_timeout(arrived, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes one line of the server's.
    pub(crate) fn take_line(&self, line: &[u8]) {
        self.change(|arrived| {
            arrived.lines += 1;
            if let Err(violation) = sort(arrived, line) {
                let shown: String = String::from_utf8_lossy(line).chars().take(300).collect();
                arrived.violations.push(format!("{violation}: {shown}"));
            }
        });
    }
}

fn sort(arrived: &mut Arrived, line: &[u8]) -> Result<(), String> {
    let message: Value = serde_json::from_slice(line).map_err(|error| format!("not JSON ({error})"))?;
    let message = message.as_object().ok_or("not an object")?;
    if message.get("jsonrpc") != Some(&"2.0".into()) {
        return Err("not JSON-RPC 2.0".into());
    }
    match message.get("method") {
        Some(Value::String(method)) if method == "notifications/claude/channel" => {
            only(message, &["jsonrpc", "method", "params"])?;
            arrived.events.push(event(message.get("params").ok_or("no params")?)?);
        }
        Some(Value::String(method)) if method == "notifications/claude/channel/permission" => {
            only(message, &["jsonrpc", "method", "params"])?;
            let verdict = verdict(message.get("params").ok_or("no params")?)?;
            if !arrived.asked.contains(&verdict.0) {
                return Err("a verdict on what was not asked".into());
            }
            if arrived.verdicts.iter().any(|(request, _)| *request == verdict.0) {
                return Err("a second verdict".into());
            }
            arrived.verdicts.push(verdict);
        }
        Some(Value::String(_)) => arrived.others.push(Value::Object(message.clone())),
        Some(_) => return Err("the method is no string".into()),
        None => {
            only(message, &["jsonrpc", "id", "result", "error"])?;
            let id = message.get("id").filter(|id| id.is_string() || id.is_number());
            // JSON-RPC 2.0, section 5: what could not be read had no id to answer to.
            let unread = |error: &Value| error["code"] == -32700 || error["code"] == -32600;
            if message.get("id") == Some(&Value::Null) && message.get("error").is_some_and(unread) {
                return Ok(());
            }
            let id = id.ok_or("an answer to nothing")?;
            let answer = match (message.get("result"), message.get("error")) {
                (Some(result), None) => Ok(result.clone()),
                (None, Some(error)) => Err(RpcError {
                    code: error["code"].as_i64().ok_or("an error without code")?,
                    message: error["message"].as_str().ok_or("an error without message")?.into(),
                }),
                _ => return Err("neither a result nor an error".into()),
            };
            if arrived.answers.insert(id.to_string(), answer).is_some() {
                return Err("a second answer".into());
            }
        }
    }
    Ok(())
}

/// What Claude Code needs of an event; it drops others in silence, or shows them wrongly.
fn event(params: &Value) -> Result<Event, String> {
    let params = params.as_object().ok_or("the params are no object")?;
    only(params, &["content", "meta"])?;
    let content = params.get("content").and_then(Value::as_str).ok_or("no content")?;
    let mut meta = BTreeMap::new();
    for (key, value) in params.get("meta").and_then(Value::as_object).ok_or("no meta")? {
        let value = value.as_str().ok_or_else(|| format!("the attribute {key} is no string"))?;
        let shaped = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !shaped || key == "source" {
            return Err(format!("no event may have the attribute {key:?}"));
        }
        meta.insert(key.clone(), value.to_owned());
    }
    Ok(Event { content: content.to_owned(), meta })
}

/// What Claude Code needs of a verdict; it ignores others in silence.
fn verdict(params: &Value) -> Result<(String, String), String> {
    let params = params.as_object().ok_or("the params are no object")?;
    only(params, &["request_id", "behavior"])?;
    let text = |name: &str| params.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(format!("no {name}"));
    let (request, behavior) = (text("request_id")?, text("behavior")?);
    if behavior != "allow" && behavior != "deny" {
        return Err(format!("the behavior is {behavior:?}"));
    }
    Ok((request, behavior))
}

fn only(object: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(other) => Err(format!("the member {other:?} has no place here")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(line: &str) -> Option<String> {
        let wire = Wire::default();
        wire.take_line(line.as_bytes());
        wire.lock().violations.first().cloned()
    }

    #[test]
    fn what_claude_code_would_drop_or_show_wrongly_is_a_violation() {
        let event =
            |params: &str| format!(r#"{{"jsonrpc":"2.0","method":"notifications/claude/channel","params":{params}}}"#);
        let good = event(r#"{"content":"x","meta":{"chat_id":"1"}}"#);
        assert_eq!(violation(&good), None);
        for bad in [
            "".to_owned(),
            "ready".to_owned(),
            "[]".to_owned(),
            r#"{"id":1,"result":{}}"#.to_owned(),
            r#"{"jsonrpc":"2.0","id":1}"#.to_owned(),
            r#"{"jsonrpc":"2.0","id":null,"result":{}}"#.to_owned(),
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}"#.to_owned(),
            event(r#"{"content":"x"}"#),
            event(r#"{"content":"x","meta":{"n":1}}"#),
            event(r#"{"content":"x","meta":{"a-b":"1"}}"#),
            event(r#"{"content":"x","meta":{"source":"1"}}"#),
            event(r#"{"content":7,"meta":{}}"#),
        ] {
            assert!(violation(&bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_verdict_is_on_what_was_asked_and_there_is_one() {
        let verdict = |request: &str, behavior: &str| {
            let params = format!(r#"{{"request_id":"{request}","behavior":"{behavior}"}}"#);
            format!(r#"{{"jsonrpc":"2.0","method":"notifications/claude/channel/permission","params":{params}}}"#)
        };
        let wire = Wire::default();
        wire.change(|arrived| arrived.asked.extend(["abcde".to_owned(), "fghij".to_owned()]));
        let violations = |line: &str| {
            wire.take_line(line.as_bytes());
            wire.lock().violations.len()
        };
        assert_eq!(violations(&verdict("abcde", "allow")), 0);
        assert_eq!(violations(&verdict("abcde", "deny")), 1, "a second one");
        assert_eq!(violations(&verdict("kmnop", "allow")), 2, "on what was not asked");
        assert_eq!(violations(&verdict("fghij", "ask")), 3, "neither allow nor deny");
        assert_eq!(wire.lock().verdicts, [("abcde".to_owned(), "allow".to_owned())]);
    }

    #[test]
    fn a_second_answer_is_a_violation() {
        let wire = Wire::default();
        for _ in 0..2 {
            wire.take_line(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        }
        assert_eq!(wire.lock().violations.len(), 1);
    }
}
