//! Where things are found by a hash: the slots of those whose hash is equal.
//!
//! Seven handles share a cache line, each a slot and the hash of what is there. So looking
//! something up touches one line here and then the thing itself, the line can be asked for ahead,
//! and the index grows without a look at what it names. A handle whose line is full goes to the
//! next one; the line counts those that went past it, so that a search knows when to end, and
//! nothing is left behind by what is taken out.
//!
//! It is cut into segments that grow one at a time: growing moves little and costs little memory.

use crate::memory::{Large, prefetch};

/// Segments: as many pauses, each as much shorter, when the index grows.
const SEGMENTS: usize = 4;
/// Handles of a line.
const LINE: usize = 7;
/// So many of them may be taken on average: few searches leave their first line.
const FULL: usize = 6;
/// Lines of a segment from which on it grows by less.
const MANY: usize = 1 << 14;

/// Slots by hash. Of several with the same hash each is found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    segments: [Segment; SEGMENTS],
}

/// A hash and a slot.
type Handle = (u32, u32);

#[derive(Debug, Clone, Default)]
struct Segment {
    lines: Large<Line>,
    live: usize,
}

/// Handles, the first of each array's places, and in the last places two counts.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Line {
    /// Then how many handles there are.
    hashes: [u32; LINE + 1],
    /// Then how many handles went past.
    slots: [u32; LINE + 1],
}

const _: () = assert!(size_of::<Line>() == 64);

/// The half of a hash that a handle keeps. It says everything about where the handle belongs.
#[inline]
fn half(hash: u64) -> u32 {
    hash as u32
}

impl Index {
    /// Asks for the line at which a search starts.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        let hash = half(hash);
        let segment = &self.segments[segment_of(hash)];
        if let Some(line) = segment.lines.get(segment.home(hash)) {
            prefetch(line);
        }
    }

    /// The first slot with this hash that is the one looked for.
    #[inline]
    pub(crate) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let hash = half(hash);
        let segment = &self.segments[segment_of(hash)];
        let mut at = segment.home(hash);
        // Few lines may each have some that went past.
        for _ in 0..segment.lines.len() {
            let line = &segment.lines[at];
            if line.may_have(hash) {
                let found = line.places(hash).map(|place| line.slots[place]);
                for slot in found {
                    if is_it(slot) {
                        return Some(slot);
                    }
                }
            }
            if line.went_past() == 0 {
                break;
            }
            at = segment.after(at);
        }
        None
    }

    /// Adds a slot. It is not looked whether it is there already.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, slot: u32) {
        let hash = half(hash);
        let segment = &mut self.segments[segment_of(hash)];
        if segment.live >= segment.lines.len() * FULL {
            segment.grow();
        }
        segment.put((hash, slot));
    }

    /// Takes a slot out; whether it was there.
    pub(crate) fn remove(&mut self, hash: u64, slot: u32) -> bool {
        let hash = half(hash);
        let segment = &mut self.segments[segment_of(hash)];
        let home = segment.home(hash);
        let mut at = home;
        let mut found = None;
        for _ in 0..segment.lines.len() {
            let line = &segment.lines[at];
            found = line.places(hash).find(|&place| line.slots[place] == slot);
            if found.is_some() || line.went_past() == 0 {
                break;
            }
            at = segment.after(at);
        }
        let Some(place) = found else { return false };
        segment.lines[at].take(place);
        segment.live -= 1;
        let mut passed = home;
        while passed != at {
            segment.lines[passed].slots[LINE] -= 1;
            passed = segment.after(passed);
        }
        true
    }
}

/// The low bits of a hash pick the segment.
#[inline]
fn segment_of(hash: u32) -> usize {
    hash as usize % SEGMENTS
}

impl Segment {
    /// The high bits of a hash pick the line, whatever the number of lines (Lemire's reduction).
    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.lines.len() as u64) >> u32::BITS) as usize
    }

    #[inline]
    fn after(&self, line: usize) -> usize {
        if line + 1 == self.lines.len() {
            0
        } else {
            line + 1
        }
    }

    /// Places a handle where the search for it will come by. There is room.
    #[inline]
    fn put(&mut self, handle: Handle) {
        let mut at = self.home(handle.0);
        while let Some(line) = self.lines.get_mut(at) {
            if line.len() < LINE {
                line.add(handle);
                self.live += 1;
                return;
            }
            line.slots[LINE] += 1;
            at = self.after(at);
        }
    }

    /// Makes room for twice as much as lives, a quarter more where that is much memory.
    ///
    /// In place: hashes stand in order, and the more lines there are the later each belongs. So from the
    /// last line on each handle moves to where all who were there have left. The few that were carried
    /// past the line in which they will belong, or now past the end, are placed last.
    #[cold]
    fn grow(&mut self) {
        let before = self.lines.len();
        let more = if before < MANY { 1 } else { 4 };
        let lines = (self.live + self.live / more) / FULL + 1;
        self.lines.widen(lines, Line::default());
        self.live = 0;
        let mut last = Vec::new();
        for at in (0..before).rev() {
            let line = std::mem::take(&mut self.lines[at]);
            for place in 0..line.len() {
                let handle = line.handle(place);
                let home = self.home(handle.0);
                if home >= at && self.has_room_from(home) {
                    self.put(handle);
                } else {
                    last.push(handle);
                }
            }
        }
        last.into_iter().for_each(|handle| self.put(handle));
    }

    /// Whether a handle that belongs to a line finds room before the end.
    #[inline]
    fn has_room_from(&self, line: usize) -> bool {
        self.lines[line..].iter().any(|line| line.len() < LINE)
    }
}

impl Line {
    #[inline]
    fn len(&self) -> usize {
        (self.hashes[LINE] as usize).min(LINE)
    }

    /// How many handles belong here or before and are in lines after this one.
    #[inline]
    fn went_past(&self) -> u32 {
        self.slots[LINE]
    }

    /// False where no handle has this hash: all compared at once, without a branch.
    #[inline]
    fn may_have(&self, hash: u32) -> bool {
        self.hashes.contains(&hash)
    }

    /// The places of a hash.
    #[inline]
    fn places(&self, hash: u32) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(move |&place| self.hashes[place] == hash)
    }

    #[inline]
    fn handle(&self, place: usize) -> Handle {
        (self.hashes[place], self.slots[place])
    }

    #[inline]
    fn add(&mut self, (hash, slot): Handle) {
        let place = self.len();
        self.hashes[place] = hash;
        self.slots[place] = slot;
        self.hashes[LINE] += 1;
    }

    /// The last one takes the place of what is taken out. Its hash does not stay behind: it would be
    /// found again and again by the flow that comes back.
    fn take(&mut self, place: usize) {
        let last = self.len() - 1;
        self.hashes[place] = self.hashes[last];
        self.slots[place] = self.slots[last];
        self.hashes[last] = 0;
        self.hashes[LINE] -= 1;
    }
}

#[cfg(test)]
impl Index {
    /// How many slots there are.
    pub(crate) fn len(&self) -> usize {
        self.segments.iter().map(|segment| segment.live).sum()
    }

    /// How many there is room for.
    pub(crate) fn capacity(&self) -> usize {
        let lines: usize = self.segments.iter().map(|s| s.lines.len()).sum();
        lines * LINE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u64),
        /// Takes out this one of those that are there.
        Remove(usize),
        /// Takes out what is not there.
        RemoveOther(u64),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        // Few lines, many of the same.
        let hash = prop_oneof![
            0..4_u64,
            (0..64_u64).prop_map(|n| n << 26),
            any::<u32>().prop_map(u64::from)
        ];
        prop_oneof![
            4 => hash.clone().prop_map(Step::Insert),
            2 => any::<usize>().prop_map(Step::Remove),
            1 => hash.prop_map(Step::RemoveOther),
        ]
    }

    proptest! {
        /// The same slots are found as in a list that is looked through.
        #[test]
        fn what_is_there_is_found_and_nothing_else(steps in vec(any_step(), 0..400)) {
            let mut index = Index::default();
            let mut list: Vec<(u64, u32)> = Vec::new();
            for (slot, step) in (0..).zip(steps) {
                match step {
                    Step::Insert(hash) => {
                        index.insert(hash, slot);
                        list.push((hash, slot));
                    }
                    Step::Remove(at) if !list.is_empty() => {
                        let (hash, slot) = list.swap_remove(at % list.len());
                        prop_assert!(index.remove(hash, slot));
                        prop_assert!(!index.remove(hash, slot));
                    }
                    Step::Remove(_) => {}
                    Step::RemoveOther(hash) => prop_assert!(!index.remove(hash, slot)),
                }
                prop_assert_eq!(index.len(), list.len());
            }
            for &(hash, slot) in &list {
                prop_assert_eq!(index.find(hash, |found| found == slot), Some(slot));
                let mut seen = Vec::new();
                prop_assert_eq!(index.find(hash, |found| { seen.push(found); false }), None);
                seen.sort_unstable();
                let mut wanted: Vec<_> = list.iter().filter(|one| one.0 == hash).map(|one| one.1).collect();
                wanted.sort_unstable();
                prop_assert_eq!(seen, wanted);
            }
        }
    }

    #[test]
    fn room_follows_what_is_there() {
        let hash = |n: u32| u64::from(n.wrapping_mul(0x9e37_79b9));
        let mut index = Index::default();
        for n in 0..10_000 {
            index.insert(hash(n), n);
        }
        for round in 1..50_u32 {
            for n in 0..10_000_u32 {
                assert!(index.remove(hash(n.wrapping_add((round - 1) * 77_777)), n));
                index.insert(hash(n.wrapping_add(round * 77_777)), n);
            }
        }
        assert!(index.capacity() <= 20_000, "{}", index.capacity());
    }
}
