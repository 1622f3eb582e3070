//! How many bytes of answers a call may still get, where they wait in the host's memory until the guest reads them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Bytes of all answers of one call together.
pub(super) const ANSWERS: u64 = 16 << 20;
/// A request is not made if its answer could not have so many bytes, or as many as the endpoint allows: what it does on
/// the platform is done, whether or not there is room for the answer.
const LEAST: u64 = 1 << 20;

/// The room of one call. Clones share it.
#[derive(Clone)]
pub(super) struct Room(Arc<AtomicU64>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(ANSWERS)))
    }
}

impl Room {
    /// Takes room for one answer of at most so many bytes, or all that is left; `None` if that is too little.
    pub(super) fn reserve(&self, longest: u64) -> Option<Reserved> {
        let enough = |left: u64| (left >= longest.min(LEAST)).then(|| left - left.min(longest));
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough).ok()?;
        Some(Reserved { room: self.clone(), bytes: before.min(longest) })
    }
}

/// Room for one answer; what is not used is given back at the end.
pub(super) struct Reserved {
    room: Room,
    bytes: u64,
}

impl Reserved {
    /// The most bytes that the answer may have.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The answer is there: its bytes stay used for the rest of the call.
    pub(super) const fn filled(mut self, bytes: usize) -> Self {
        self.bytes = self.bytes.saturating_sub(bytes as u64);
        self
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.room.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_answers_of_a_call_have_one_room_together() {
        let room = Room::default();
        for _ in 0..16 {
            drop(room.reserve(MIB).unwrap().filled(1 << 20));
        }
        assert!(room.reserve(1).is_none(), "it is full");
        assert!(Room::default().reserve(MIB).is_some(), "another call has its own");
    }

    #[test]
    fn what_an_answer_does_not_use_is_for_the_next() {
        let room = Room::default();
        for _ in 0..64 {
            let reserved = room.reserve(32 * MIB).unwrap();
            assert!(reserved.bytes() >= 16 * MIB - 64 * 1000);
            drop(reserved.filled(1000));
        }
        drop(room.reserve(32 * MIB).unwrap());
        assert_eq!(room.reserve(u64::MAX).unwrap().bytes(), 16 * MIB - 64 * 1000);
    }

    #[test]
    fn requests_at_the_same_time_share_it() {
        let room = Room::default();
        let under_way: Vec<Reserved> = std::iter::from_fn(|| room.reserve(5 * MIB)).collect();
        assert_eq!(under_way.iter().map(Reserved::bytes).collect::<Vec<_>>(), [5 * MIB, 5 * MIB, 5 * MIB, MIB]);
        drop(under_way);
        assert_eq!(room.reserve(16 * MIB).unwrap().bytes(), 16 * MIB);
    }

    #[test]
    fn no_request_is_made_whose_answer_would_find_no_room() {
        let room = Room::default();
        drop(room.reserve(16 * MIB).unwrap().filled(15 << 20 | 1));
        assert!(room.reserve(2 * MIB).is_none() && room.reserve(MIB).is_none());
        assert_eq!(room.reserve(1000).unwrap().bytes(), 1000);
    }
}
