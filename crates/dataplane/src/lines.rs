//! Where things are found by a hash: lines of twelve tags and the handles of those that have them.
//!
//! A handle is a number by which its owner finds a thing. A look-up compares the tags of a line, all at
//! once, and then, almost always, the one thing that is named: one cache line of each. A handle whose line
//! is full goes to the next one; the line counts those that went past it, so that a search knows when to
//! end, and nothing is left behind by what is taken out.
//!
//! The lines are cut into segments that grow one at a time: growing moves little and costs little memory.

use crate::lanes::equal;
use crate::memory::{Large, prefetch};

/// Segments: as many pauses, each as much shorter, when the lines grow.
const SEGMENTS: usize = 4;
/// Handles that a line has room for.
const LINE: usize = 12;
/// Of a line's handles, as many may be taken on average: few searches leave their first line.
const FULL: usize = 10;
/// Lines of a segment from which on it grows by less.
const MANY: usize = 1 << 14;

/// What handles stand for.
pub(crate) trait Hashed {
    /// The hash by which a handle that is there is found.
    fn hash_of(&self, handle: u32) -> u64;

    /// Asks for what that is worked out from.
    fn prefetch_hash(&self, handle: u32);
}

/// Handles by hash. Of several with the same hash each is found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    segments: [Segment; SEGMENTS],
}

#[derive(Debug, Clone, Default)]
struct Segment {
    lines: Large<Line>,
    live: usize,
}

/// Tags and handles, those that are taken first.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
struct Line {
    /// [`LINE`] tags; then four bytes: in the lowest four bits how many handles there are, above how many
    /// went past.
    head: [u8; LINE + 4],
    handles: [u32; LINE],
}

const _: () = assert!(size_of::<Line>() == 64);

/// One that went past, where a line counts.
const PAST: u32 = 1 << 4;

/// Where a look-up starts: a line, and the tag that it looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    /// A segment has fewer than 2^32 handles.
    line: u32,
    segment: u8,
    tag: u8,
}

/// Where a search has ended.
struct Found {
    line: usize,
    place: usize,
    handle: u32,
}

impl Lines {
    /// The place where a look-up begins; asks for the line that it will compare.
    #[inline]
    pub(crate) fn start(&self, hash: u64) -> Start {
        let number = segment_of(hash);
        let segment = &self.segments[number];
        let line = segment.home(hash);
        if let Some(line) = segment.lines.get(line) {
            prefetch(line);
        }
        Start {
            line: line as u32,
            segment: number as u8,
            tag: tag(hash),
        }
    }

    /// The first handle that the line names. A hint: it may be another's, or farther on, or none
    /// any more.
    #[inline]
    pub(crate) fn guess(&self, start: Start) -> Option<u32> {
        let segment = &self.segments[usize::from(start.segment) % SEGMENTS];
        let line = segment.lines.get(start.line as usize)?;
        // Those that are taken come first: how many they are need not be asked.
        let place = equal(&line.head, start.tag).trailing_zeros() as usize;
        line.handles.get(place).copied()
    }

    /// Asks for the line at which a search starts.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        self.start(hash);
    }

    /// The first handle that may have this hash and is the one looked for.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let segment = &self.segments[segment_of(hash)];
        segment.search(hash, is_it).map(|found| found.handle)
    }

    /// Adds a handle. It is not looked whether it is there already.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, handle: u32, of: &impl Hashed) {
        let segment = &mut self.segments[segment_of(hash)];
        if segment.live >= segment.lines.len() * FULL {
            segment.grow(of);
        }
        segment.put(hash, handle);
    }

    /// Takes a handle out; whether it was there.
    pub(crate) fn remove(&mut self, hash: u64, handle: u32) -> bool {
        let segment = &mut self.segments[segment_of(hash)];
        let Some(found) = segment.search(hash, |other| other == handle) else {
            return false;
        };
        segment.lines[found.line].take(found.place);
        segment.live -= 1;
        let mut passed = segment.home(hash);
        while passed != found.line {
            segment.lines[passed].pass(-1);
            passed = segment.after(passed);
        }
        true
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

    #[inline]
    fn search(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<Found> {
        let (mut at, tag) = (self.home(hash), tag(hash));
        // Few lines may each have some that went past.
        for _ in 0..self.lines.len() {
            let line = &self.lines[at];
            let mut matches = line.matches(tag);
            while matches != 0 {
                let place = matches.trailing_zeros() as usize % LINE;
                let handle = line.handles[place];
                if is_it(handle) {
                    return Some(Found {
                        line: at,
                        place,
                        handle,
                    });
                }
                matches &= matches - 1;
            }
            if line.went_past() == 0 {
                break;
            }
            at = self.after(at);
        }
        None
    }

    /// Places a handle where the search for it will come by. There is room.
    #[inline]
    fn put(&mut self, hash: u64, handle: u32) {
        let mut at = self.home(hash);
        while let Some(line) = self.lines.get_mut(at) {
            if line.len() < LINE {
                line.add(tag(hash), handle);
                self.live += 1;
                return;
            }
            line.pass(1);
            at = self.after(at);
        }
    }

    /// Makes room for twice as much as lives, a quarter more where that is much memory.
    ///
    /// In place: hashes stand in order, and the more lines there are the later each belongs. So from the
    /// last line on all move to where all who were there have left. The few that were carried past the line
    /// in which they will belong, or now past the end, are placed last.
    #[cold]
    fn grow(&mut self, of: &impl Hashed) {
        /// Lines whose hashes are asked for ahead.
        const AHEAD: usize = 2;
        let before = self.lines.len();
        let more = if before < MANY { 1 } else { 4 };
        let lines = (self.live + self.live / more) / FULL + 1;
        self.lines.widen(lines, Line::default());
        self.live = 0;
        let mut last = Vec::new();
        for at in (0..before).rev() {
            if let Some(line) = at.checked_sub(AHEAD).map(|ahead| &self.lines[ahead]) {
                line.taken()
                    .iter()
                    .for_each(|&handle| of.prefetch_hash(handle));
            }
            let line = std::mem::take(&mut self.lines[at]);
            for &handle in line.taken() {
                let hash = of.hash_of(handle);
                let home = self.home(hash);
                if home >= at && self.has_room_from(home) {
                    self.put(hash, handle);
                } else {
                    last.push((hash, handle));
                }
            }
        }
        for (hash, handle) in last {
            self.put(hash, handle);
        }
    }

    /// Whether a handle that belongs to a line finds room before the end.
    #[inline]
    fn has_room_from(&self, line: usize) -> bool {
        self.lines[line..].iter().any(|line| line.len() < LINE)
    }
}

impl Line {
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

    /// How many handles belong here or before and are in lines after this one.
    #[inline]
    fn went_past(&self) -> u32 {
        self.count() / PAST
    }

    /// So many more go past: as many as there are handles at most.
    #[inline]
    fn pass(&mut self, more: i32) {
        self.set_count(self.count().wrapping_add_signed(more * PAST as i32));
    }

    /// A bit for each place whose handle has this tag.
    #[inline]
    fn matches(&self, tag: u8) -> u32 {
        equal(&self.head, tag) & ((1 << self.len()) - 1)
    }

    /// The handles that there are.
    fn taken(&self) -> &[u32] {
        &self.handles[..self.len()]
    }

    #[inline]
    fn add(&mut self, tag: u8, handle: u32) {
        let place = self.len();
        self.head[place] = tag;
        self.handles[place] = handle;
        self.set_count(self.count() + 1);
    }

    /// The last one takes the place of what is taken out.
    fn take(&mut self, place: usize) {
        let last = self.len() - 1;
        self.head[place] = self.head[last];
        self.handles[place] = self.handles[last];
        self.set_count(self.count() - 1);
    }
}

#[cfg(test)]
impl Lines {
    /// How many handles there are.
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

    /// The hash of each handle, by number.
    impl Hashed for Vec<u64> {
        fn hash_of(&self, handle: u32) -> u64 {
            self[handle as usize]
        }

        fn prefetch_hash(&self, handle: u32) {
            prefetch(&self[handle as usize]);
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u64),
        /// Takes out this one of those that are there.
        Remove(usize),
        /// Takes out what is not there.
        RemoveOther(u64),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        // Few lines, few tags, many of the same; any.
        let hash = prop_oneof![
            0..4_u64,
            (0..64_u64, 0..3_u64).prop_map(|(line, tag)| line << 58 | tag << 6),
            any::<u64>()
        ];
        prop_oneof![
            4 => hash.clone().prop_map(Step::Insert),
            2 => any::<usize>().prop_map(Step::Remove),
            1 => hash.prop_map(Step::RemoveOther),
        ]
    }

    /// Every handle that a search for a hash would compare.
    fn compared(lines: &Lines, hash: u64) -> Vec<u32> {
        let mut seen = Vec::new();
        let none = lines.find(hash, |found| {
            seen.push(found);
            false
        });
        assert_eq!(none, None);
        seen
    }

    proptest! {
        /// The same handles are found as in a list that is looked through, each once.
        #[test]
        fn what_is_there_is_found_and_nothing_else(steps in vec(any_step(), 0..600)) {
            let mut lines = Lines::default();
            let mut hashes: Vec<u64> = Vec::new();
            let mut list: Vec<u32> = Vec::new();
            for step in steps {
                // Of none that is there.
                let other = hashes.len() as u32;
                match step {
                    Step::Insert(hash) => {
                        hashes.push(hash);
                        lines.insert(hash, other, &hashes);
                        list.push(other);
                    }
                    Step::Remove(at) if !list.is_empty() => {
                        let handle = list.swap_remove(at % list.len());
                        let hash = hashes[handle as usize];
                        prop_assert!(lines.remove(hash, handle));
                        prop_assert!(!lines.remove(hash, handle));
                    }
                    Step::Remove(_) => {}
                    Step::RemoveOther(hash) => prop_assert!(!lines.remove(hash, other)),
                }
                prop_assert_eq!(lines.len(), list.len());
            }
            for (handle, &hash) in (0..).zip(&hashes) {
                let is_there = list.contains(&handle);
                let found = lines.find(hash, |found| found == handle);
                prop_assert_eq!(found, is_there.then_some(handle));
                let mut seen = compared(&lines, hash);
                seen.retain(|&other| hashes[other as usize] == hash);
                seen.sort_unstable();
                let wanted = (0..).zip(&hashes).filter(|&(other, one)| *one == hash && list.contains(&other));
                prop_assert_eq!(seen, wanted.map(|(other, _)| other).collect::<Vec<_>>());
            }
        }

        /// Where a look-up starts, it is told of the first handle that the search would compare, if that is
        /// in the first line.
        #[test]
        fn what_is_guessed_is_what_a_search_would_find_first(hashes: Vec<u64>, tags in 1..4_u64) {
            let hashes = hashes.into_iter().map(|hash| hash << 32 | ((hash >> 60) % tags) << 6);
            let hashes: Vec<_> = hashes.collect();
            let mut lines = Lines::default();
            for (handle, &hash) in (0..).zip(&hashes) {
                lines.insert(hash, handle, &hashes);
            }
            for &hash in &hashes {
                if let Some(guess) = lines.guess(lines.start(hash)) {
                    prop_assert_eq!(compared(&lines, hash)[0], guess);
                }
            }
        }
    }

    fn spread(n: u32) -> u64 {
        crate::hash::hash(u64::from(n), 0)
    }

    #[test]
    fn room_follows_what_is_there() {
        const LIVE: u32 = 10_000;
        let mut lines = Lines::default();
        let mut hashes: Vec<_> = (0..LIVE).map(spread).collect();
        for (handle, &hash) in (0..).zip(&hashes) {
            lines.insert(hash, handle, &hashes);
        }
        for round in 1..50 {
            for handle in 0..LIVE {
                let hash = &mut hashes[handle as usize];
                assert!(lines.remove(*hash, handle));
                *hash = spread(round * LIVE + handle);
                lines.insert(*hash, handle, &hashes);
            }
        }
        assert!(lines.capacity() <= 25_000, "{}", lines.capacity());
    }

    #[test]
    fn where_there_are_many_little_room_is_left() {
        // Beyond what is twice as much as is not yet many.
        const LIVE: u32 = (2 * SEGMENTS * MANY * FULL) as u32 + 1;
        let hashes: Vec<_> = (0..LIVE).map(spread).collect();
        let mut lines = Lines::default();
        for (handle, &hash) in (0..).zip(&hashes) {
            lines.insert(hash, handle, &hashes);
        }
        let most = LIVE as usize * 5 / 4 * LINE / FULL;
        assert!(
            lines.capacity() <= most + LINE * SEGMENTS,
            "{}",
            lines.capacity()
        );
    }
}
