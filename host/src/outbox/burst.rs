//! Bursts: what one sender says in one place in quick succession becomes one event.
//!
//! A **place** is a conversation, or a thread of it, of one adapter. In each place at most one burst is open, so that
//! whatever is said there closes it or joins it and the order within a place is kept; other places are not held up.
//!
//! A message joins the open burst of its place if it is by the same sender, says that it gathers, comes in time,
//! answers what the burst answers or nothing, puts no words beside those of another author (the sender, others whom
//! the sender passes on, the adapter), and the sum is within bounds. A further part of an album that is open comes in
//! time whenever it comes, and answers what it likes. Time is given by the caller: nothing here looks at a clock.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{Hash, Hasher},
    iter,
    sync::Arc,
    time::{Duration, Instant},
};

use super::wording::Wording;
use crate::{
    journal::Stored,
    manifest::Burst,
    message::{Kind, Message},
};

/// Most messages of one burst.
const MAX_MESSAGES: usize = 32;
/// Most bytes of text of one burst of several messages, with the line breaks between them.
const MAX_TEXT: usize = 64 << 10;
/// Most attachments of one burst of several messages: as many as are described.
const MAX_ATTACHMENTS: usize = super::render::MAX_ATTACHMENTS;

/// Messages that are one event, in order; one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bundle {
    pub(super) first: Arc<Stored>,
    /// Those after the first. Empty without an allocation: most events are one message.
    pub(super) rest: Vec<Arc<Stored>>,
}

impl Bundle {
    pub(super) fn of(first: Arc<Stored>) -> Self {
        Self { first, rest: Vec::new() }
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &Arc<Stored>> + Clone {
        iter::once(&self.first).chain(&self.rest)
    }

    /// The highest number in it.
    pub(super) fn last_seq(&self) -> i64 {
        self.rest.last().unwrap_or(&self.first).seq
    }
}

/// When a message came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) at: Instant,
    /// Known exactly. Otherwise it is the sender's time, which many platforms give in whole seconds: then not the
    /// pause counts but only how long the burst is.
    pub(super) exact: bool,
}

impl Arrival {
    /// It came to the wire at that time.
    pub(super) const fn exactly(at: Instant) -> Self {
        Self { at, exact: true }
    }

    /// It is read from the journal at `now`, and was sent so many milliseconds ago.
    pub(super) fn ago(now: Instant, age_ms: i64) -> Self {
        let age = Duration::from_millis(u64::try_from(age_ms).unwrap_or(0));
        Self { at: now.checked_sub(age).unwrap_or(now), exact: false }
    }
}

/// Bounds on what waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// So many messages may have come since the first of a burst; then it leaves. So no more than that wait.
    pub(super) messages: usize,
    /// Bytes that wait, as [`weight`](super::wire::weight) counts them; above it the oldest bursts leave.
    pub(super) bytes: usize,
}

/// The open bursts.
pub(super) struct Gathering {
    most: Most,
    /// By the number of their first message: the oldest first.
    open: BTreeMap<i64, Open>,
    /// The open burst of each place.
    places: HashMap<Place, i64>,
    /// When each is due.
    due: BTreeSet<(Instant, i64)>,
    bytes: usize,
}

impl Gathering {
    pub(super) fn new(most: Most) -> Self {
        Self { most, open: BTreeMap::new(), places: HashMap::new(), due: BTreeSet::new(), bytes: 0 }
    }

    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The lowest number among the messages that wait: all before it have left.
    pub(super) fn oldest(&self) -> Option<i64> {
        self.open.first_key_value().map(|(first, _)| *first)
    }

    /// When the next burst is due.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes the burst that has been due for the longest time, if one is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Bundle> {
        let (at, first) = *self.due.first()?;
        if at > now { None } else { self.close(first) }
    }

    /// Takes in the next message, in the journal's order. What leaves because of it is appended to `leaving`, in
    /// order; often that is the message itself.
    pub(super) fn push(&mut self, stored: Arc<Stored>, arrival: Arrival, leaving: &mut Vec<Bundle>) {
        let windows = Windows::of(&stored.message);
        if self.open.is_empty() && windows.is_none() {
            leaving.push(Bundle::of(stored));
            return;
        }
        let held = i64::try_from(self.most.messages).unwrap_or(i64::MAX);
        while let Some(oldest) = self.oldest().filter(|oldest| stored.seq.saturating_sub(*oldest) >= held) {
            leaving.extend(self.close(oldest));
        }
        if let Some(first) = self.places.get(&Place(stored.clone())).copied() {
            if windows.is_some() && self.open.get(&first).is_some_and(|open| open.admits(&stored.message, arrival)) {
                self.join(first, stored, arrival.at);
                if self.open.get(&first).is_some_and(Open::is_full) {
                    leaving.extend(self.close(first));
                }
                self.lighten(leaving);
                return;
            }
            leaving.extend(self.close(first));
        }
        match windows.map(|windows| Open::new(stored.clone(), arrival.at, windows)) {
            Some(open) if !open.is_full() => self.open(open),
            _ => leaving.push(Bundle::of(stored)),
        }
        self.lighten(leaving);
    }

    fn open(&mut self, open: Open) {
        let first = open.bundle.first.seq;
        self.bytes += open.bytes;
        self.due.insert((open.due(), first));
        self.places.insert(Place(open.bundle.first.clone()), first);
        self.open.insert(first, open);
    }

    fn join(&mut self, first: i64, stored: Arc<Stored>, at: Instant) {
        let Some(open) = self.open.get_mut(&first) else { return };
        self.due.remove(&(open.due(), first));
        self.bytes -= open.bytes;
        open.join(stored, at);
        self.bytes += open.bytes;
        self.due.insert((open.due(), first));
    }

    fn close(&mut self, first: i64) -> Option<Bundle> {
        let open = self.open.remove(&first)?;
        self.due.remove(&(open.due(), first));
        self.places.remove(&Place(open.bundle.first.clone()));
        self.bytes -= open.bytes;
        Some(open.bundle)
    }

    fn lighten(&mut self, leaving: &mut Vec<Bundle>) {
        while let Some(oldest) = self.oldest().filter(|_| self.bytes > self.most.bytes) {
            leaving.extend(self.close(oldest));
        }
    }
}

/// A message as the name of the place where it was said.
struct Place(Arc<Stored>);

impl Place {
    fn parts(&self) -> (&str, &str, Option<&str>) {
        let message = &self.0.message;
        (message.adapter.as_str(), &message.conversation, message.thread.as_deref())
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Place {}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

/// How long the parts of an album are waited for: the images of each are fetched before it is kept.
const ALBUM: Burst = Burst { quiet_ms: 2000, longest_ms: 20_000 };

/// How long a burst waits.
#[derive(Debug, Clone, Copy)]
struct Windows {
    quiet: Duration,
    longest: Duration,
}

impl Windows {
    /// `None` for what gathers with nothing. An album is one event also where bursts are switched off.
    fn of(message: &Message) -> Option<Self> {
        let burst = message.burst.filter(|_| message.kind == Kind::Message)?;
        let burst = match &message.group {
            Some(_) => ALBUM,
            None if burst.quiet_ms > 0 && burst.longest_ms > 0 => burst,
            None => return None,
        };
        Some(Self {
            quiet: Duration::from_millis(burst.quiet_ms.into()),
            longest: Duration::from_millis(burst.longest_ms.into()),
        })
    }
}

/// A burst that may still grow.
struct Open {
    bundle: Bundle,
    windows: Windows,
    /// The earliest and the latest arrival of its messages.
    from: Instant,
    until: Instant,
    /// What its messages answer.
    reply_to: Option<String>,
    wording: Wording,
    /// Bytes of all texts with the line breaks between them.
    text: usize,
    attachments: usize,
    bytes: usize,
}

impl Open {
    fn new(first: Arc<Stored>, at: Instant, windows: Windows) -> Self {
        let message = &first.message;
        Self {
            windows,
            from: at,
            until: at,
            reply_to: message.reply_to.clone(),
            wording: Wording::of(message),
            text: message.text.len(),
            attachments: message.attachments.len(),
            bytes: super::wire::weight(&first),
            bundle: Bundle::of(first),
        }
    }

    fn due(&self) -> Instant {
        (self.until + self.windows.quiet).min(self.from + self.windows.longest)
    }

    /// Nothing can join it any more.
    fn is_full(&self) -> bool {
        self.bundle.rest.len() + 1 >= MAX_MESSAGES || self.text >= MAX_TEXT
    }

    /// Whether a message that was said in the same place, and gathers, belongs to it.
    fn admits(&self, message: &Message, arrival: Arrival) -> bool {
        let mut parts = self.bundle.parts();
        let one_album = message.group.is_some() && parts.any(|part| part.message.group == message.group);
        let belongs = one_album
            || (self.comes_in_time(arrival) && (message.reply_to.is_none() || message.reply_to == self.reply_to));
        belongs
            && self.bundle.first.message.sender == message.sender
            && self.wording.goes_with(Wording::of(message))
            && self.bundle.rest.len() + 1 < MAX_MESSAGES
            && self.text + 1 + message.text.len() <= MAX_TEXT
            && self.attachments + message.attachments.len() <= MAX_ATTACHMENTS
    }

    fn comes_in_time(&self, Arrival { at, exact }: Arrival) -> bool {
        let length = self.until.max(at).saturating_duration_since(self.from.min(at));
        let pause = at.saturating_duration_since(self.until);
        if exact { length < self.windows.longest && pause < self.windows.quiet } else { length <= self.windows.longest }
    }

    fn join(&mut self, stored: Arc<Stored>, at: Instant) {
        self.from = self.from.min(at);
        self.until = self.until.max(at);
        let message = &stored.message;
        // What an album joins waits for the rest of the album.
        if let Some(windows) = Windows::of(message) {
            self.windows.quiet = self.windows.quiet.max(windows.quiet);
            self.windows.longest = self.windows.longest.max(windows.longest);
        }
        self.reply_to = self.reply_to.take().or_else(|| message.reply_to.clone());
        self.wording = self.wording.with(Wording::of(message));
        self.text += 1 + message.text.len();
        self.attachments += message.attachments.len();
        self.bytes += super::wire::weight(&stored);
        self.bundle.rest.push(stored);
    }
}

#[cfg(test)]
#[path = "burst_tests.rs"]
mod tests;
