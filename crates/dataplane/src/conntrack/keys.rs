//! Where records are found: by the hash of their inside key, which nic and gateway share, and by that of
//! the outside key where it is another one.

use super::hash::hash;
use super::record::{Record, Side};
use super::records::Records;
use crate::lines::{Hashed, Lines};
use vpcsim_packet::FlowKey;

/// Records by their keys, in either direction.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(Lines);

/// A record's slot, then which of its keys. 2^31 records would take more than a tenth of a terabyte.
#[inline]
fn handle(slot: u32, side: Side) -> u32 {
    slot << 1 | u32::from(side == Side::Outside)
}

#[inline]
fn slot_of(handle: u32) -> u32 {
    handle >> 1
}

/// The hash by which a record is found on a side, if it is found there.
#[inline]
fn hash_of<N, G>(record: &Record<N, G>, side: Side) -> Option<u64> {
    record.key(side).map(|key| hash(&key))
}

impl<N: Copy + Default, G: Copy + Default> Hashed for Records<N, G> {
    #[inline]
    fn hash_of(&self, handle: u32) -> u64 {
        let side = match handle & 1 {
            0 => Side::Inside,
            _ => Side::Outside,
        };
        let record = self.get(slot_of(handle));
        record.and_then(|record| hash_of(record, side)).unwrap_or(0)
    }

    #[inline]
    fn prefetch_hash(&self, handle: u32) {
        self.prefetch(slot_of(handle));
    }
}

impl Keys {
    /// The first slot under a key's hash that is the one looked for.
    #[inline]
    pub(super) fn find(&self, key: &FlowKey, is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        self.find_hash(hash(key), is_it)
    }

    /// The same by the hash. A slot may come up by each of its keys.
    #[inline]
    pub(super) fn find_hash(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let found = self.0.find(hash, |handle| is_it(slot_of(handle)));
        found.map(slot_of)
    }

    /// Asks for what looking a key up will read first. Returns the key's hash.
    pub(super) fn prefetch(&self, key: &FlowKey) -> u64 {
        let hash = hash(key);
        self.0.prefetch(hash);
        hash
    }

    /// Asks for the same of both keys of a record.
    pub(super) fn prefetch_of<N, G>(&self, record: &Record<N, G>) {
        for side in [Side::Inside, Side::Outside] {
            if let Some(hash) = hash_of(record, side) {
                self.0.prefetch(hash);
            }
        }
    }

    /// The record in a slot is found by a key of its from now on.
    #[inline]
    pub(super) fn add<N: Copy + Default, G: Copy + Default>(
        &mut self,
        slot: u32,
        side: Side,
        records: &Records<N, G>,
    ) {
        let record = records.get(slot);
        if let Some(hash) = record.and_then(|record| hash_of(record, side)) {
            self.0.insert(hash, handle(slot, side), records);
        }
    }

    /// It is not any more.
    #[inline]
    pub(super) fn remove<N, G>(&mut self, slot: u32, side: Side, record: &Record<N, G>) {
        if let Some(hash) = hash_of(record, side) {
            self.0.remove(hash, handle(slot, side));
        }
    }

    /// How many keys there are, and room for how many.
    #[cfg(test)]
    pub(super) fn usage(&self) -> [usize; 2] {
        [self.0.len(), self.0.capacity()]
    }
}
