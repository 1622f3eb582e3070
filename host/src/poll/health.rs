//! How an adapter's sources fare, for `status`.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::clock::now_ms;

/// How a source fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "why")]
pub enum State {
    /// It listens.
    Listening,
    /// It waits until there is room for more events.
    Paused,
    /// Somebody else polls with the same secret.
    Elsewhere,
    /// The platform asks to be left alone for a while.
    Slowed,
    /// It cannot work before the user does something.
    Refused(String),
    /// It does not work now and is tried again.
    Failing(String),
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// How it fares.
    #[serde(flatten)]
    pub state: State,
    /// Since when, in milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// When it is tried again, where it waits.
    pub next_ms: Option<i64>,
    /// Items that it brought since it was started.
    pub items: u64,
}

/// The sources of one adapter.
#[derive(Debug, Default)]
pub struct Health(Mutex<BTreeMap<String, Source>>);

impl Health {
    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Source> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Notes how a source fares now; says whether that is news.
    pub(super) fn note(&self, name: &str, state: State, next_ms: Option<i64>, items: u64) -> bool {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let source = sources.entry(name.to_owned()).or_insert_with(|| Source {
            name: name.to_owned(),
            state: State::Paused,
            since_ms: 0,
            next_ms: None,
            items: 0,
        });
        source.items += items;
        source.next_ms = next_ms;
        let news = source.since_ms == 0 || source.state != state;
        if news {
            (source.state, source.since_ms) = (state, now_ms());
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_news() {
        let health = Health::default();
        assert!(health.note("updates", State::Listening, None, 0));
        assert!(!health.note("updates", State::Listening, None, 2));
        assert!(health.note("updates", State::Elsewhere, Some(5), 0));
        assert!(health.note("updates", State::Listening, None, 1));
        let all = health.all();
        assert_eq!((all.len(), all[0].items, all[0].next_ms), (1, 3, None));
    }
}
