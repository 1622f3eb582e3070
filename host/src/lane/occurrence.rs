//! What a source hands to an adapter, and the event that the adapter gets of it.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use crate::{
    evidence::{Context, Evidence},
    files::KeptFile,
    journal::{DeadEvent, Key},
    sandbox::types,
};

/// Something that happened on one of an adapter's sources.
#[derive(Debug, Clone)]
pub struct Occurrence {
    /// What happened.
    pub happening: Happening,
    /// The bytes that came with it, for what can be evidence.
    pub evidence: Option<Arc<Evidence>>,
    /// What makes it a repetition if it was seen before.
    pub once: Option<Key>,
    /// The dead letter that is tried again with this.
    pub revives: Option<i64>,
    /// What it came together with.
    pub(super) batch: Option<Arc<Batch>>,
}

/// What happened; kept with dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Happening {
    /// The adapter begins.
    Started,
    /// The timer of that name ran out.
    Elapsed(String),
    /// A frame, or an element of a batch.
    Received {
        /// The connection, for frames.
        connection: Option<u64>,
    },
    /// A request on a route.
    Requested {
        /// Its method.
        method: String,
        /// Its query, decoded.
        query: Vec<(String, String)>,
        /// Uploaded files.
        files: Vec<KeptFile>,
    },
    /// A WebSocket connection came.
    Opened {
        /// The route's name.
        socket: String,
        /// Its number.
        connection: u64,
    },
    /// A WebSocket connection went.
    Closed {
        /// The route's name.
        socket: String,
        /// Its number.
        connection: u64,
        /// The close code of RFC 6455.
        code: u16,
        /// The peer's words.
        reason: String,
    },
}

/// What a dead letter keeps beside the bytes.
#[derive(Serialize, Deserialize)]
struct Circumstances {
    happening: Happening,
    context: Option<Context>,
    #[serde(default)]
    once: Option<Key>,
}

impl Occurrence {
    /// Something without bytes.
    #[must_use]
    pub fn bare(happening: Happening) -> Self {
        Self { happening, evidence: None, once: None, revives: None, batch: None }
    }

    /// Something that came with bytes; `once` is what makes it a repetition.
    #[must_use]
    pub fn with(happening: Happening, evidence: Evidence, once: Option<Key>) -> Self {
        Self { evidence: Some(Arc::new(evidence)), once, ..Self::bare(happening) }
    }

    /// The source's name, for people and for dead letters.
    #[must_use]
    pub fn source(&self) -> &str {
        match (&self.happening, &self.evidence) {
            (_, Some(evidence)) => &evidence.source,
            (Happening::Elapsed(name), None) => name,
            (Happening::Opened { socket, .. } | Happening::Closed { socket, .. }, None) => socket,
            (Happening::Started, None) => "start",
            (Happening::Received { .. } | Happening::Requested { .. }, None) => "unknown",
        }
    }

    /// Whether it is worth keeping when the adapter fails on it for good. What comes again by itself is not.
    #[must_use]
    pub fn is_kept_when_dead(&self) -> bool {
        matches!(self.happening, Happening::Received { .. } | Happening::Requested { .. } | Happening::Elapsed(_))
    }

    /// What was known around the bytes, as JSON.
    pub(super) fn circumstances(&self) -> String {
        let context = self.evidence.as_ref().map(|evidence| evidence.context.clone());
        let circumstances = Circumstances { happening: self.happening.clone(), context, once: self.once };
        serde_json::to_string(&circumstances).unwrap_or_default()
    }

    /// A dead letter, to be tried again: the same event as before, so it and a repetition of the platform's that
    /// succeeds exclude each other.
    ///
    /// # Errors
    /// If its circumstances were written by a version that this one does not understand.
    pub fn revived(dead: &DeadEvent) -> Result<Self, serde_json::Error> {
        let Circumstances { happening, context, once } = serde_json::from_str(&dead.context)?;
        let evidence = context
            .map(|context| Arc::new(Evidence::new(dead.entry.source.clone(), Bytes::clone(&dead.event), context)));
        Ok(Self { evidence, once, revives: Some(dead.entry.id), ..Self::bare(happening) })
    }

    /// The event, as the interface has it.
    pub(super) fn event(&self) -> types::Event {
        let item = |connection| types::Item {
            source: self.source().to_owned(),
            connection,
            body: self.evidence.as_ref().map_or_else(Vec::new, |evidence| evidence.bytes.to_vec()),
        };
        match &self.happening {
            Happening::Started => types::Event::Started,
            Happening::Elapsed(name) => types::Event::Elapsed(name.clone()),
            Happening::Received { connection } => types::Event::Received(item(*connection)),
            Happening::Requested { method, query, files } => {
                let context = self.evidence.as_ref().map(|evidence| &evidence.context);
                types::Event::Requested(types::RouteRequest {
                    item: item(None),
                    method: method.clone(),
                    path: context.map(|context| context.path.clone()).unwrap_or_default(),
                    query: query.clone(),
                    headers: context.map(|context| context.headers.clone()).unwrap_or_default(),
                    credential: context.and_then(|context| context.credential.clone()).unwrap_or_default(),
                    files: files.iter().map(kept).collect(),
                })
            }
            Happening::Opened { socket, connection } => types::Event::Opened((socket.clone(), *connection)),
            Happening::Closed { socket, connection, code, reason } => types::Event::Closed(types::Closure {
                socket: socket.clone(),
                connection: *connection,
                code: *code,
                reason: reason.clone(),
            }),
        }
    }
}

/// A file as the adapter sees it: without its path.
#[must_use]
pub fn kept(file: &KeptFile) -> types::KeptFile {
    types::KeptFile {
        file: file.id.to_string(),
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        size: file.size,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::journal::DeadEntry;

    #[test]
    fn a_dead_letter_is_the_same_event_as_its_repetition() {
        let happening = Happening::Received { connection: None };
        let evidence = Arc::new(Evidence::new("hook".into(), Bytes::from_static(b"{}"), Context::default()));
        let died = Occurrence { evidence: Some(evidence), once: Some([7; 16]), ..Occurrence::bare(happening) };
        let dead = |context: String| DeadEvent {
            entry: DeadEntry {
                id: 3,
                adapter: crate::name::AdapterName::new("chat").unwrap(),
                source: "hook".into(),
                size: 2,
                error: String::new(),
                attempts: 3,
                first_ms: 0,
                last_ms: 0,
            },
            key: [7; 16],
            event: Bytes::from_static(b"{}"),
            context,
        };
        let revived = Occurrence::revived(&dead(died.circumstances())).unwrap();
        assert_eq!((revived.once, revived.revives), (Some([7; 16]), Some(3)));
        let older = r#"{"happening":{"received":{"connection":null}},"context":null}"#;
        assert_eq!(Occurrence::revived(&dead(older.into())).unwrap().once, None);
    }
}
