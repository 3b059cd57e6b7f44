//! What looking flows up and ending them will touch, asked for ahead, in steps that are short of waiting.

use super::deadlines::AHEAD;
use super::{Record, Table, TrackId};
use crate::Nanos;
use vpcsim_packet::FlowKey;

/// How many records of one hash are asked for ahead: a flow between two hosts is remembered at both.
pub(crate) const LIKELY: usize = 2;

impl<N: Copy + Default, G: Copy + Default> Table<N, G> {
    /// Asks for what looking a key up will read first. Returns the key's hash, to
    /// [go on](Self::prefetch_found) with when that is there.
    pub(crate) fn prefetch(&self, key: &FlowKey) -> u64 {
        self.keys.prefetch(key)
    }

    /// Asks for the records that looking a key up will most likely find. Returns their slots, to
    /// [go on](Self::prefetch_rest) with when they are there.
    pub(crate) fn prefetch_found(&self, hash: u64) -> [Option<u32>; LIKELY] {
        let mut found = [None; LIKELY];
        let mut count = 0;
        self.keys.find_hash(hash, |slot| {
            self.records.prefetch(slot);
            self.deadlines.prefetch_place(slot);
            found[count] = Some(slot);
            count += 1;
            count == LIKELY
        });
        found
    }

    /// Asks for a record's timer. Returns where its protocol state is, to be asked for too.
    pub(crate) fn prefetch_rest(&self, slot: u32) -> Option<TrackId> {
        self.deadlines.prefetch_timer(slot);
        self.records.get(slot).map(Record::track)
    }

    /// Asks for what looking up either key of a record will read first.
    pub(crate) fn prefetch_keys(&self, slot: u32) {
        if let Some(record) = self.records.get(slot) {
            self.keys.prefetch_of(record);
        }
    }

    /// Where a record is [due](Self::due), asks for what ending its flows and those of the next ones will
    /// touch, unless it was asked for before. `also` is told of each, to ask for what else there
    /// is. One after the other they would wait for memory a dozen times each; so the waits overlap.
    #[inline]
    pub(crate) fn prefetch_due(&mut self, now: Nanos, also: impl FnMut(&Record<N, G>)) {
        let mut slots = [0; AHEAD];
        let mut count = 0;
        for (slot, next) in slots.iter_mut().zip(self.deadlines.next_up(now)) {
            *slot = next;
            count += 1;
        }
        if count > 0 {
            self.prefetch_all(&slots[..count], also);
        }
    }

    fn prefetch_all(&self, slots: &[u32], mut also: impl FnMut(&Record<N, G>)) {
        for &slot in slots {
            self.records.prefetch(slot);
        }
        for record in slots.iter().filter_map(|&slot| self.records.get(slot)) {
            also(record);
            self.keys.prefetch_of(record);
        }
    }
}
