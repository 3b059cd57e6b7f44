//! Records in slots: a free one is used again.

use super::record::Record;
use super::tracks::TrackId;
use crate::memory::{Large, prefetch};

#[derive(Debug, Clone)]
pub(super) struct Records<N, G> {
    slots: Large<Record<N, G>>,
    /// The first free one; each names the next.
    free: u32,
    live: usize,
}

/// No slot.
const NONE: u32 = u32::MAX;

impl<N: Copy + Default, G: Copy + Default> Records<N, G> {
    pub(super) fn new() -> Self {
        Self {
            slots: Large::new(),
            free: NONE,
            live: 0,
        }
    }

    /// A record that nobody remembers yet, to be filled where it is: what is written in parts is not to
    /// be copied a moment later.
    #[inline]
    pub(super) fn take(&mut self) -> (u32, &mut Record<N, G>) {
        self.live += 1;
        let slot = self.free;
        if slot == NONE {
            self.slots.push(Record::free());
            // 2^31 records would take more than a tenth of a terabyte.
            let slot = self.slots.len() as u32 - 1;
            return (slot, &mut self.slots[slot as usize]);
        }
        self.free = self.slots[slot as usize].track().0;
        if self.free != NONE {
            self.prefetch(self.free);
        }
        (slot, &mut self.slots[slot as usize])
    }

    /// Nobody remembers a record any more.
    pub(super) fn give_back(&mut self, slot: u32) {
        let next = std::mem::replace(&mut self.free, slot);
        self.slots[slot as usize].set_track(TrackId(next));
        self.live -= 1;
    }

    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// The record in a slot, unless it is free.
    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Record<N, G>> {
        let record = self.slots.get(slot as usize)?;
        record.is_live().then_some(record)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Record<N, G>> {
        let record = self.slots.get_mut(slot as usize)?;
        record.is_live().then_some(record)
    }

    /// Asks for a record ahead of its use.
    pub(super) fn prefetch(&self, slot: u32) {
        if let Some(record) = self.slots.get(slot as usize) {
            prefetch(record);
        }
    }

    /// All that are not free.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Record<N, G>)> {
        let records = (0..).zip(self.slots.iter());
        records.filter(|(_, record)| record.is_live())
    }

    /// How many slots there are, free ones included.
    #[cfg(test)]
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }
}
