//! From the listener to the lanes: each request, frame and connection becomes an occurrence.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    evidence::{Context, Evidence, split_items},
    journal::{Journal, Key},
    lane::{Handled, Happening, Occurrence},
    listener::{Answer, Caller, Frame, Incoming, Intake, Page, PageBody, Request},
    manifest::PointerPattern,
    name::AdapterName,
    registry::{Registry, Running},
    sandbox::types,
};

/// The lanes, as the listener sees them.
pub struct Lanes {
    registry: Arc<Registry>,
    journal: Journal,
}

impl Lanes {
    /// The lanes of those that run.
    #[must_use]
    pub fn new(registry: Arc<Registry>, journal: Journal) -> Self {
        Self { registry, journal }
    }
}

impl Intake for Lanes {
    fn is_full(&self, _: &AdapterName) -> bool {
        self.journal.is_full()
    }

    async fn room(&self, _: &AdapterName) {
        self.journal.room().await;
    }

    async fn accept(&self, adapter: &AdapterName, incoming: Incoming) -> Answer {
        let Some(running) = self.registry.get(adapter) else { return Answer::Busy };
        match incoming {
            Incoming::Request(request) => self.request(&running, *request).await,
            Incoming::Frame(socket, frame) => {
                let bytes = match frame.frame {
                    Frame::Text(text) => Bytes::from(text),
                    Frame::Binary(bytes) => bytes,
                };
                let context = context(&socket.caller, frame.signed, frame.received_ms);
                let happening = Happening::Received { connection: Some(socket.connection) };
                let evidence = Evidence::new(socket.route.name.clone(), bytes, context);
                let occurrence = Occurrence::with(happening, evidence, None);
                answer(&running, running.lane.handle(occurrence).await)
            }
            Incoming::Opened(socket) => {
                let happening = Happening::Opened { socket: socket.route.name.clone(), connection: socket.connection };
                match running.lane.handle(Occurrence::bare(happening)).await {
                    // An adapter that has no use for the news still gets the frames.
                    Handled::Refused(_) => Answer::Stored,
                    handled => answer(&running, handled),
                }
            }
            Incoming::Closed(socket, closure) => {
                let happening = Happening::Closed {
                    socket: socket.route.name.clone(),
                    connection: socket.connection,
                    code: closure.code,
                    reason: closure.reason,
                };
                answer(&running, running.lane.handle(Occurrence::bare(happening)).await)
            }
        }
    }
}

impl Lanes {
    async fn request(&self, running: &Running, request: Request) -> Answer {
        let Request { route, caller, method, body, once, signed, files, received_ms } = request;
        let context = context(&caller, signed, received_ms);
        if let Some(pattern) = &route.items {
            return self.items(running, &route.name, pattern, &body, context, once).await;
        }
        let files = files.into_iter().map(|upload| upload.file).collect();
        let happening = Happening::Requested { method, query: caller.query, files };
        let evidence = Evidence::new(route.name.clone(), body, context);
        let occurrence = Occurrence::with(happening, evidence, once);
        answer(running, running.lane.handle(occurrence).await)
    }

    /// A body of several events: each is a transaction of its own, and one that fails stops none of the others.
    async fn items(
        &self,
        running: &Running,
        route: &str,
        pattern: &PointerPattern,
        body: &Bytes,
        context: Context,
        once: Option<Key>,
    ) -> Answer {
        let items = match split_items(pattern, body) {
            Ok(items) => items,
            Err(reason) => return Answer::Refused(reason.to_string()),
        };
        let handled = items.into_iter().enumerate().map(|(index, item)| {
            let mut context = context.clone();
            context.signed = context.signed.map(|signed| format!("{signed}/{index}"));
            context.matches.extend(item.matches);
            let evidence = Evidence::new(route.to_owned(), item.bytes, context);
            let once = once.map(|once| element(once, index));
            let happening = Happening::Received { connection: None };
            Occurrence::with(happening, evidence, once)
        });
        let answers = running.lane.handle_all(handled).await.into_iter().map(|handled| answer(running, handled));
        answers.fold(Answer::Repeated, worse)
    }
}

/// The worse of two answers decides, because it makes the platform send the batch again; what is stored already
/// is then a repetition.
fn worse(left: Answer, right: Answer) -> Answer {
    let rank = |answer: &Answer| match answer {
        Answer::Repeated => 0,
        Answer::Stored | Answer::Page(_) => 1,
        Answer::Refused(_) => 2,
        Answer::Failed => 3,
        Answer::Busy => 4,
    };
    if rank(&right) > rank(&left) { right } else { left }
}

/// The key of one element of a batch.
fn element(once: Key, index: usize) -> Key {
    let mut key = once;
    for (byte, part) in key.iter_mut().zip((index as u64 + 1).to_le_bytes()) {
        *byte ^= part;
    }
    key
}

fn context(caller: &Caller, signed: String, received_ms: i64) -> Context {
    Context {
        credential: Some(caller.credential.clone()),
        signed: Some(signed),
        headers: caller.headers.clone(),
        path: caller.path.clone(),
        matches: caller.matches.clone(),
        received_ms,
        keyed: caller.keyed,
        account: None,
    }
}

fn answer(running: &Running, handled: Handled) -> Answer {
    match handled {
        Handled::Stored(None) => Answer::Stored,
        Handled::Stored(Some(response)) => page(running, response),
        Handled::Repeated => Answer::Repeated,
        Handled::Refused(reason) => Answer::Refused(reason),
        Handled::Failed(_) => Answer::Failed,
        Handled::Busy(reason) => {
            tracing::debug!(adapter = %running.adapter.name(), "not taken: {reason}");
            Answer::Busy
        }
    }
}

fn page(running: &Running, response: types::RouteResponse) -> Answer {
    let types::RouteResponse { status, headers, body } = response;
    let body = match body {
        types::Content::Bytes(bytes) => PageBody::Bytes(bytes.into()),
        types::Content::File(id) => match running.adapter.files.get(&id) {
            Some(file) => PageBody::File(file),
            None => return Answer::Page(Page { status: 404, headers: vec![], body: PageBody::Bytes(Bytes::new()) }),
        },
    };
    Answer::Page(Page { status, headers, body })
}
