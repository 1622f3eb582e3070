//! Which lanes are broken: what comes after a failure may rest on what was not kept.

use std::collections::HashMap;

use super::Lane;
use crate::name::AdapterName;

#[derive(Default)]
pub(super) struct Lanes(HashMap<AdapterName, LaneState>);

#[derive(Default)]
struct LaneState {
    /// The highest generation that was seen.
    highest: u64,
    /// This generation and all before it are broken.
    broken: Option<u64>,
}

impl Lanes {
    /// Notes the generation, and says whether it is broken. What stands by itself is never behind.
    pub(super) fn is_behind(&mut self, lane: &Lane) -> bool {
        let Some(generation) = lane.generation else { return false };
        if !self.0.contains_key(&lane.adapter) {
            self.0.insert(lane.adapter.clone(), LaneState::default());
        }
        self.0.get_mut(&lane.adapter).is_some_and(|state| {
            state.highest = state.highest.max(generation);
            state.broken.is_some_and(|broken| generation <= broken)
        })
    }

    /// A transaction of this lane failed.
    pub(super) fn break_off(&mut self, lane: Lane) {
        if lane.generation.is_some() {
            self.0.entry(lane.adapter).or_default().broken = lane.generation;
        }
    }

    /// Every generation that was seen belongs to a grant that is gone.
    pub(super) fn forget(&mut self, adapter: &AdapterName) {
        if let Some(state) = self.0.get_mut(adapter) {
            state.broken = Some(state.highest);
        }
    }
}
