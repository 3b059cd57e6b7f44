//! Flow entries: they stand one behind the other and stay where they are, and [`Lines`] find them.

use super::entry::{Entry, Key};
use crate::lines::{Hashed, Lines, Start};
use crate::memory::{Large, prefetch};

/// Where an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryId(u32);

impl EntryId {
    /// Nowhere.
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(super) const FIRST: Self = Self(0);
}

#[derive(Debug)]
pub(super) struct Table {
    lines: Lines,
    entries: Large<Entry>,
    /// The slot that was vacated last, which names the next one.
    free: EntryId,
    len: usize,
}

impl Hashed for Large<Entry> {
    fn hash_of(&self, slot: u32) -> u64 {
        self[slot as usize].key().hash()
    }

    fn prefetch_hash(&self, slot: u32) {
        prefetch(&self[slot as usize]);
    }
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            lines: Lines::default(),
            entries: Large::new(),
            free: EntryId::NONE,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The place where a look-up begins; asks for the line that it will compare.
    #[inline]
    pub(super) fn start(&self, hash: u64) -> Start {
        self.lines.start(hash)
    }

    /// The first entry that the line names; asks for it. A hint: the entry may be another's, or farther
    /// on.
    #[inline]
    pub(super) fn guess(&self, start: Start) -> EntryId {
        match self.lines.guess(start) {
            Some(slot) => {
                if let Some(entry) = self.entries.get(slot as usize) {
                    prefetch(entry);
                }
                EntryId(slot)
            }
            None => EntryId::NONE,
        }
    }

    /// The entry of this key if it is at this place.
    #[inline]
    pub(super) fn at(&self, id: EntryId, key: &Key) -> Option<&Entry> {
        let entry = self.entries.get(id.0 as usize)?;
        entry.is_of(key).then_some(entry)
    }

    /// The entry of a key.
    #[inline]
    pub(super) fn find(&self, hash: u64, key: &Key) -> Option<EntryId> {
        let is_it = |slot: u32| self.entries[slot as usize].is_of(key);
        self.lines.find(hash, is_it).map(EntryId)
    }

    /// Asks for an entry.
    pub(super) fn prefetch(&self, id: EntryId) {
        if let Some(entry) = self.entries.get(id.0 as usize) {
            prefetch(entry);
        }
    }

    /// Asks for the line that names an entry, which is there.
    pub(super) fn prefetch_line(&self, id: EntryId) {
        self.lines.prefetch(self.get(id).key().hash());
    }

    #[inline]
    pub(super) fn get(&self, id: EntryId) -> &Entry {
        &self.entries[id.0 as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: EntryId) -> &mut Entry {
        &mut self.entries[id.0 as usize]
    }

    /// Makes the place of an entry whose key has none; it is to be written there.
    pub(super) fn make(&mut self, hash: u64) -> EntryId {
        let id = if self.free == EntryId::NONE {
            self.entries.push(Entry::VACANT);
            // Entries are 64 bytes: there are fewer than 2^32.
            EntryId(self.entries.len() as u32 - 1)
        } else {
            let next = self.entries[self.free.0 as usize].next_vacant();
            let id = std::mem::replace(&mut self.free, EntryId(next));
            self.prefetch(self.free);
            id
        };
        self.lines.insert(hash, id.0, &self.entries);
        self.len += 1;
        id
    }

    pub(super) fn remove(&mut self, id: EntryId) {
        let entry = &mut self.entries[id.0 as usize];
        if self.lines.remove(entry.key().hash(), id.0) {
            *entry = Entry::vacant(self.free.0);
            self.free = id;
            self.len -= 1;
        }
    }

    /// The entry after a place, in a circle; `None` in an empty table.
    pub(super) fn next_after(&self, id: EntryId) -> Option<EntryId> {
        let slots = self.entries.len();
        let from = (id.0 as usize).saturating_add(1).min(slots);
        let mut circle = (from..slots).chain(0..from);
        let next = circle.find(|&slot| !self.entries[slot].is_vacant());
        next.filter(|_| self.len > 0)
            .map(|slot| EntryId(slot as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow_cache::{Memory, PackedFlow};
    use crate::{Nanos, Source};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::net::Ipv4Addr;
    use vpcsim_packet::{FlowKey, Protocol};

    /// As many entries come as the first number says; then those leave that the second picks.
    fn any_step() -> impl Strategy<Value = (u32, usize)> {
        (0..200_u32, 1..6_usize)
    }

    fn entry(number: u32) -> (Key, Entry) {
        let flow = FlowKey {
            protocol: Protocol::UDP,
            source: Ipv4Addr::from(number),
            source_port: 7,
            destination: Ipv4Addr::LOCALHOST,
            destination_port: 9,
        };
        let memory = Memory {
            becomes: PackedFlow::of(&flow),
            ..Memory::NOTHING
        };
        let key = Key::of_flow(Source::Internet, &flow);
        (key, Entry::new(&key, &memory, number, Nanos(0)))
    }

    proptest! {
        /// Entries stay where they were made, and a search finds them there; what has left is nowhere.
        #[test]
        fn entries_are_where_it_was_said(steps in vec(any_step(), 0..20)) {
            let mut table = Table::new();
            let mut there: HashMap<Key, EntryId> = HashMap::new();
            let mut gone = Vec::new();
            let mut number = 0;
            for (come, keep) in steps {
                for _ in 0..come {
                    number += 1;
                    let (key, entry) = entry(number);
                    let id = table.make(key.hash());
                    *table.get_mut(id) = entry;
                    there.insert(key, id);
                }
                let leave = there.keys().enumerate().filter(|(at, _)| at % keep != 0);
                for key in leave.map(|(_, key)| *key).collect::<Vec<_>>() {
                    table.remove(there.remove(&key).expect("it is there"));
                    gone.push(key);
                }
                prop_assert_eq!(table.len(), there.len());
                for (key, id) in &there {
                    prop_assert!(table.get(*id).is_of(key));
                    prop_assert_eq!(table.find(key.hash(), key), Some(*id));
                }
                for key in &gone {
                    prop_assert_eq!(table.find(key.hash(), key), None);
                }
            }
        }
    }
}
