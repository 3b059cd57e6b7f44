//! Where the timer of each connection is.

use crate::memory::{Large, prefetch};

/// Where a timer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: nobody waits for it.
    Off,
    /// At this index of the heap of what was set within that tick.
    Soon(usize),
    /// At this index of the queue of the clock's tick.
    Queue(usize),
    /// On the wheel.
    Chunk { chunk: usize, index: usize },
}

/// A chunk has at most this many timers.
pub(super) const STRIDE: usize = 32;

/// Codes from here on are places in the heap. Below, chunks for two billion timers.
const SOON: u32 = 1 << 31;
/// Codes from here on are places in the queue: as many as in the heap, a billion.
const QUEUE: u32 = 3 << 30;
const OFF: u32 = u32::MAX;

/// The place of each slot's timer, four bytes each.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Large<u32>);

impl Places {
    /// Makes sure that there is a place for a slot.
    #[inline]
    pub(super) fn make(&mut self, slot: u32) {
        while self.0.len() <= slot as usize {
            self.0.push(OFF);
        }
    }

    /// Where a timer is; `Off` for slots that never had one.
    #[inline]
    pub(super) fn get(&self, slot: u32) -> Place {
        match self.0.get(slot as usize) {
            None | Some(&OFF) => Place::Off,
            Some(&code) if code >= QUEUE => Place::Queue((code - QUEUE) as usize),
            Some(&code) if code >= SOON => Place::Soon((code - SOON) as usize),
            Some(&code) => Place::Chunk {
                chunk: code as usize / STRIDE,
                index: code as usize % STRIDE,
            },
        }
    }

    #[inline]
    pub(super) fn set(&mut self, slot: u32, place: Place) {
        self.0[slot as usize] = match place {
            Place::Off => OFF,
            Place::Soon(index) => SOON + index as u32,
            Place::Queue(index) => QUEUE + index as u32,
            Place::Chunk { chunk, index } => (chunk * STRIDE + index) as u32,
        };
    }

    /// Asks for a place ahead of its use.
    pub(super) fn prefetch(&self, slot: u32) {
        if let Some(place) = self.0.get(slot as usize) {
            prefetch(place);
        }
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.0.room()
    }
}
