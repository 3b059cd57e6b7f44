//! Where flow entries are found: lines of twelve tags and the slots of the entries that have them.
//!
//! Entries stand one behind the other and stay where they are. A look-up compares the tags of a line, all
//! at once, and then, almost always, the one entry that is named: one cache line of each. An entry whose
//! line is full goes to the next one; the line counts those that went past it, so that a search knows when
//! to end, and nothing is left behind by what is taken out.
//!
//! The lines are cut into segments that grow one at a time: growing moves little and costs little memory.

use super::entry::{Entry, Key};
use crate::lanes::equal;
use crate::memory::{Large, prefetch};

/// Segments: as many pauses, each as much shorter, when the table grows.
const SEGMENTS: usize = 4;
/// Entries that a line has room for.
const LINE: usize = 12;
/// Of a line's entries, as many may be taken on average: few searches leave their first line.
const FULL: usize = 10;

/// Where an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryId(u32);

impl EntryId {
    /// Nowhere.
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(super) const FIRST: Self = Self(0);
}

/// Where a look-up starts: a line, and the tag that it looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    /// Segment and line in a word.
    line: u32,
    tag: u8,
}

/// A segment has less than a quarter of the lines for 2^32 entries.
const LINE_BITS: u32 = 29;

#[derive(Debug)]
pub(super) struct Table {
    segments: [Segment; SEGMENTS],
    entries: Large<Entry>,
    /// The slot that was vacated last, which names the next one.
    free: EntryId,
    len: usize,
}

#[derive(Debug, Default)]
struct Segment {
    lines: Large<Line>,
    live: usize,
}

/// Tags and slots, those that are taken first.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line {
    /// [`LINE`] tags; then four bytes: in the lowest four bits how many entries there are, above how many
    /// went past.
    head: [u8; LINE + 4],
    slots: [u32; LINE],
}

const _: () = assert!(size_of::<Line>() == 64);

/// One that went past, where a line counts.
const PAST: u32 = 1 << 4;

impl Table {
    pub(super) fn new() -> Self {
        Self {
            segments: Default::default(),
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
        let number = segment_of(hash);
        let segment = &self.segments[number];
        let line = segment.home(hash);
        if let Some(line) = segment.lines.get(line) {
            prefetch(line);
        }
        Start {
            line: (number as u32) << LINE_BITS | line as u32,
            tag: tag(hash),
        }
    }

    /// The first entry that the line names; asks for it. A hint: the entry may be another's, or farther
    /// on.
    #[inline]
    pub(super) fn guess(&self, start: Start) -> EntryId {
        let number = (start.line >> LINE_BITS) as usize;
        let line = (start.line & ((1 << LINE_BITS) - 1)) as usize;
        let Some(line) = self.segments[number].lines.get(line) else {
            return EntryId::NONE;
        };
        let place = line.matches(start.tag).trailing_zeros() as usize;
        match line.slots.get(place) {
            Some(&slot) => {
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
        let segment = &self.segments[segment_of(hash)];
        let (mut at, tag) = (segment.home(hash), tag(hash));
        for _ in 0..segment.lines.len() {
            let line = &segment.lines[at];
            let mut matches = line.matches(tag);
            while matches != 0 {
                let slot = line.slots[matches.trailing_zeros() as usize % LINE];
                if self.entries[slot as usize].is_of(key) {
                    return Some(EntryId(slot));
                }
                matches &= matches - 1;
            }
            if line.went_past() == 0 {
                break;
            }
            at = segment.after(at);
        }
        None
    }

    /// Asks for an entry.
    pub(super) fn prefetch(&self, id: EntryId) {
        if let Some(entry) = self.entries.get(id.0 as usize) {
            prefetch(entry);
        }
    }

    /// Asks for the line that names an entry, which is there.
    pub(super) fn prefetch_line(&self, id: EntryId) {
        self.start(self.get(id).key().hash());
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
        let segment = &mut self.segments[segment_of(hash)];
        if segment.live >= segment.lines.len() * FULL {
            segment.grow(&self.entries);
        }
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
        self.segments[segment_of(hash)].put(hash, id.0);
        self.len += 1;
        id
    }

    pub(super) fn remove(&mut self, id: EntryId) {
        let entry = &mut self.entries[id.0 as usize];
        let hash = entry.key().hash();
        if self.segments[segment_of(hash)].take(hash, id.0) {
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

#[inline]
fn segment_of(hash: u64) -> usize {
    hash as usize % SEGMENTS
}

#[inline]
fn tag(hash: u64) -> u8 {
    (hash >> 6) as u8
}

impl Segment {
    /// The high half picks the line, whatever the number of lines (Lemire's reduction).
    #[inline]
    fn home(&self, hash: u64) -> usize {
        (((hash >> 32) * self.lines.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, line: usize) -> usize {
        if line + 1 == self.lines.len() {
            0
        } else {
            line + 1
        }
    }

    /// There is room.
    #[inline]
    fn put(&mut self, hash: u64, slot: u32) {
        let mut at = self.home(hash);
        while let Some(line) = self.lines.get_mut(at) {
            if line.len() < LINE {
                line.add(tag(hash), slot);
                self.live += 1;
                return;
            }
            line.pass(1);
            at = self.after(at);
        }
    }

    /// Takes an entry out; false where it is not.
    fn take(&mut self, hash: u64, slot: u32) -> bool {
        let home = self.home(hash);
        let mut at = home;
        let mut found = None;
        for _ in 0..self.lines.len() {
            let line = &self.lines[at];
            found = line.slots[..line.len()]
                .iter()
                .position(|&other| other == slot);
            if found.is_some() || line.went_past() == 0 {
                break;
            }
            at = self.after(at);
        }
        let Some(place) = found else { return false };
        self.lines[at].take(place);
        self.live -= 1;
        let mut passed = home;
        while passed != at {
            self.lines[passed].pass(-1);
            passed = self.after(passed);
        }
        true
    }

    /// Makes room for half as many more as live.
    ///
    /// In place: hashes stand in order, and the more lines there are the later each belongs. So from the
    /// last line on all move to where all who were there have left. The few that were carried past the line
    /// in which they will belong, or now past the end, are placed last.
    #[cold]
    fn grow(&mut self, entries: &Large<Entry>) {
        /// Lines whose entries, which know their hashes, are asked for ahead.
        const AHEAD: usize = 2;
        let before = self.lines.len();
        let lines = (self.live + self.live / 2) / FULL + 1;
        self.lines.widen(lines, Line::EMPTY);
        self.live = 0;
        let mut last = Vec::new();
        for at in (0..before).rev() {
            if let Some(line) = at.checked_sub(AHEAD).map(|ahead| &self.lines[ahead]) {
                let slots = line.slots[..line.len()].iter();
                slots.for_each(|&slot| prefetch(&entries[slot as usize]));
            }
            let line = std::mem::replace(&mut self.lines[at], Line::EMPTY);
            for &slot in &line.slots[..line.len()] {
                let hash = entries[slot as usize].key().hash();
                let home = self.home(hash);
                if home >= at && self.has_room_from(home) {
                    self.put(hash, slot);
                } else {
                    last.push((hash, slot));
                }
            }
        }
        for (hash, slot) in last {
            self.put(hash, slot);
        }
    }

    /// Whether a line or one after it has room, without going on at the first.
    #[inline]
    fn has_room_from(&self, line: usize) -> bool {
        self.lines[line..].iter().any(|line| line.len() < LINE)
    }
}

impl Line {
    const EMPTY: Self = Self {
        head: [0; LINE + 4],
        slots: [0; LINE],
    };

    #[inline]
    fn count(&self) -> u32 {
        let [.., a, b, c, d] = self.head;
        u32::from_le_bytes([a, b, c, d])
    }

    #[inline]
    fn set_count(&mut self, count: u32) {
        self.head[LINE..].copy_from_slice(&count.to_le_bytes());
    }

    #[inline]
    fn len(&self) -> usize {
        ((self.count() % PAST) as usize).min(LINE)
    }

    #[inline]
    fn went_past(&self) -> u32 {
        self.count() / PAST
    }

    /// So many more go past: as many as there are entries at most.
    #[inline]
    fn pass(&mut self, more: i32) {
        self.set_count(self.count().wrapping_add_signed(more * PAST as i32));
    }

    /// A bit for each place whose entry has this tag.
    #[inline]
    fn matches(&self, tag: u8) -> u32 {
        equal(&self.head, tag) & ((1 << self.len()) - 1)
    }

    #[inline]
    fn add(&mut self, tag: u8, slot: u32) {
        let place = self.len();
        self.head[place] = tag;
        self.slots[place] = slot;
        self.set_count(self.count() + 1);
    }

    fn take(&mut self, place: usize) {
        let last = self.len() - 1;
        self.head[place] = self.head[last];
        self.slots[place] = self.slots[last];
        self.set_count(self.count() - 1);
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
