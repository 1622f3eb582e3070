//! The queue of updates and `getUpdates`.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    refusal::{Answer, Refusal},
    request::Arguments,
    server::Shared,
    state::State,
};

const TERMINATED: &str =
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
const TERMINATED_BY_WEBHOOK: &str = "Conflict: terminated by setWebhook request";
const WEBHOOK: &str =
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

/// What a bot gets only if it asks for it.
const NOT_BY_DEFAULT: [&str; 3] = ["message_reaction", "message_reaction_count", "chat_member"];
const KINDS: [&str; 24] = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "message_reaction",
    "message_reaction_count",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "managed_bot",
];

/// The updates that the bot has not confirmed, as the texts in which they go out.
#[derive(Debug)]
pub(super) struct Queue {
    events: BTreeMap<i64, String>,
    next: i64,
    allowed: Option<Vec<String>>,
    /// The `getUpdates` that waits.
    pub(super) waiting: Option<u64>,
    /// Why the one that waited no longer does.
    ended_by: &'static str,
}

impl Default for Queue {
    fn default() -> Self {
        Self { events: BTreeMap::new(), next: 731_946_001, allowed: None, waiting: None, ended_by: TERMINATED }
    }
}

impl Queue {
    /// The first id that is not confirmed.
    pub(super) fn head(&self) -> i64 {
        self.events.keys().next().copied().unwrap_or(self.next)
    }

    pub(super) fn pending(&self) -> impl Iterator<Item = &String> {
        self.events.values()
    }

    fn is_allowed(&self, kind: &str) -> bool {
        match &self.allowed {
            Some(allowed) => allowed.iter().any(|allowed| allowed == kind),
            None => !NOT_BY_DEFAULT.contains(&kind),
        }
    }

    /// Queues an update; 0 if the bot does not want its kind, and then it is lost, as Telegram loses it.
    pub(super) fn push(&mut self, kind: &str, value: &Value) -> i64 {
        if !self.is_allowed(kind) {
            return 0;
        }
        self.push_text(&format!("{}:{value}", Value::from(kind)))
    }

    /// Queues these members of an update as they are.
    pub(super) fn push_text(&mut self, members: &str) -> i64 {
        let id = self.next;
        self.next += 1;
        self.events.insert(id, format!("{{\"update_id\":{id},\n{members}}}"));
        id
    }

    /// Remembers which kinds the bot wants. As Telegram: what is no list of strings changes nothing, an empty list or
    /// one of unknown kinds only means the default.
    fn allow(&mut self, list: &str) {
        let Ok(Value::Array(kinds)) = serde_json::from_str(list) else { return };
        let Some(kinds) = kinds.iter().map(Value::as_str).collect::<Option<Vec<&str>>>() else { return };
        let kinds: Vec<String> = kinds.iter().map(|kind| kind.to_ascii_lowercase()).collect();
        let known: Vec<String> = kinds.into_iter().filter(|kind| KINDS.contains(&kind.as_str())).collect();
        self.allowed = Some(known).filter(|known| !known.is_empty());
    }

    /// Confirms what is below the offset and gives what follows.
    fn take(&mut self, offset: i64, limit: usize) -> Vec<(i64, String)> {
        if offset < 0 {
            let keep = usize::try_from(-offset).unwrap_or(usize::MAX);
            while self.events.len() > keep {
                self.events.pop_first();
            }
        }
        // An offset far in the future is taken as none.
        if offset > 0 && offset <= self.next + 10 {
            self.events = self.events.split_off(&offset);
        }
        self.events.iter().take(limit).map(|(id, text)| (*id, text.clone())).collect()
    }

    fn end_waiting(&mut self, reason: &'static str) {
        if self.waiting.take().is_some() {
            self.ended_by = reason;
        }
    }

    pub(super) fn set_webhook(&mut self) {
        self.end_waiting(TERMINATED_BY_WEBHOOK);
    }

    pub(super) fn forget_all(&mut self) {
        self.events.clear();
    }
}

impl State {
    pub(super) fn remember_allowed(&mut self, arguments: &Arguments) {
        self.queue.allow(arguments.get("allowed_updates"));
    }
}

/// `getUpdates`. `is_there` says whether the client still waits; `None` if it does not.
pub(super) fn get_updates(
    shared: &Shared,
    arguments: &Arguments,
    is_there: &dyn Fn() -> bool,
) -> Option<Answer<String>> {
    let offset = arguments.integer("offset");
    let limit = arguments.integer("limit");
    let limit = if arguments.get("limit").is_empty() { 100 } else { usize::try_from(limit.clamp(1, 100)).unwrap_or(1) };
    let timeout = Duration::from_secs(arguments.integer("timeout").clamp(0, 50).unsigned_abs());
    let end = Instant::now() + timeout;
    let mut state = shared.lock();
    state.seen.polls += 1;
    let me = state.seen.polls;
    if !state.webhook.is_empty() {
        state.seen.conflicts += 1;
        shared.notify();
        return Some(Err(Refusal::new(409, WEBHOOK)));
    }
    state.remember_allowed(arguments);
    let mut updates = state.queue.take(offset, limit);
    // What was confirmed shows.
    shared.notify();
    if updates.is_empty() && !timeout.is_zero() {
        state.queue.end_waiting(TERMINATED);
        state.queue.waiting = Some(me);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || !shared.is_listening() {
                state.queue.waiting = None;
                break;
            }
            // Whether the client is still there can only be asked.
            state = shared.wait(state, left.min(Duration::from_millis(50)));
            let is_there = is_there();
            if state.queue.waiting != Some(me) {
                let reason = state.queue.ended_by;
                state.seen.conflicts += u64::from(is_there);
                shared.notify();
                return is_there.then(|| Err(Refusal::new(409, reason)));
            }
            if !is_there {
                state.queue.waiting = None;
                shared.notify();
                return None;
            }
            // A negative offset has done its work; what came since is new.
            updates = state.queue.take(offset.max(0), limit);
            if !updates.is_empty() {
                state.queue.waiting = None;
                break;
            }
        }
        shared.notify();
    }
    let now = Instant::now();
    for (id, _) in &updates {
        state.seen.handed_out.entry(*id).or_insert(now);
    }
    let texts: Vec<String> = updates.into_iter().map(|(_, text)| text).collect();
    Some(Ok(format!("[{}]", texts.join(",\n"))))
}
