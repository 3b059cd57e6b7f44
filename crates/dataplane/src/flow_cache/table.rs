//! Where flow entries are found: open addressing with a byte of tag for each entry.
//!
//! Eight tags stand in one word. A look-up compares a word of tags, and then, almost always, the
//! one entry that it names: a line of tags (64 entries share it) and a line of entry. The table is
//! cut into segments that grow one at a time, so that growing moves little and costs little memory.

use super::entry::{Entry, Key};
use crate::memory::{Large, prefetch};

/// Segments: as many pauses, each as much shorter, when the table grows.
const SEGMENTS: usize = 4;
/// Tags in a word.
const WORD: usize = 8;
/// The lowest and the highest bit of each tag of a word.
const LOW: u64 = u64::from_ne_bytes([1; WORD]);
const HIGH: u64 = u64::from_ne_bytes([0x80; WORD]);
/// Of eight places, six may be taken: few searches leave their first word.
const FULL: usize = 6;
/// Entries of a segment from which on it grows by less, and from twice as many on by less still.
const MANY: usize = 1 << 16;

const VACANT: u8 = 0;
/// There was an entry: a search goes on.
const LEFT: u8 = 1;

/// Where an entry is. Entries stay where they are until their segment grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryId(u32);

impl EntryId {
    /// Nowhere.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

/// Some bits of a hash, to tell entries apart by without a look at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u8);

const INDEX_BITS: u32 = 29;

impl EntryId {
    pub(super) const FIRST: Self = Self(0);

    fn new(segment: usize, index: usize) -> Self {
        Self((segment as u32) << INDEX_BITS | index as u32)
    }

    fn parts(self) -> (usize, usize) {
        let index = self.0 & ((1 << INDEX_BITS) - 1);
        ((self.0 >> INDEX_BITS) as usize, index as usize)
    }
}

/// Who knows where entries are.
pub(super) trait Follow {
    /// An entry is here from now on.
    fn moved(&mut self, entry: &Entry, to: EntryId);

    /// Asks for what that will change.
    fn prefetch(&self, entry: &Entry);
}

#[derive(Debug)]
pub(super) struct Table {
    segments: [Segment; SEGMENTS],
    len: usize,
}

#[derive(Debug, Default)]
struct Segment {
    /// A tag for each entry.
    tags: Large<[u8; WORD]>,
    entries: Large<Entry>,
    live: usize,
    /// Live ones and those that left.
    used: usize,
}

/// What a hash says: segment, first word, tag.
#[derive(Clone, Copy)]
struct Spot {
    segment: usize,
    word: usize,
    tag: u8,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            segments: Default::default(),
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn spot(&self, hash: u64) -> Spot {
        let segment = hash as usize % SEGMENTS;
        self.segments[segment].spot(segment, hash)
    }

    /// The place where a look-up begins, and the tag that it looks for; asks for the tags that it
    /// will compare.
    #[inline]
    pub(super) fn start(&self, hash: u64) -> (EntryId, Tag) {
        let Spot { segment, word, tag } = self.spot(hash);
        if let Some(word) = self.segments[segment].tags.get(word) {
            prefetch(word);
        }
        (EntryId::new(segment, word * WORD), Tag(tag))
    }

    /// The place that the tags name first; asks for its line. A hint: the entry may be another's.
    #[inline]
    pub(super) fn guess(&self, start: EntryId, tag: Tag) -> EntryId {
        let (number, index) = start.parts();
        let segment = &self.segments[number];
        let mut word = index / WORD;
        let Some(&tags) = segment.tags.get(word) else {
            return EntryId::NONE;
        };
        let mut found = first_match(tags, tag.0);
        if found >= WORD {
            // Nowhere, and then this is where it will be; or, seldom, the word was full when it came.
            found = first_free(tags);
            if found >= WORD {
                word = (word + 1) % segment.tags.len();
                found = first_match(segment.tags[word], tag.0).min(WORD - 1);
            }
        }
        let index = word * WORD + found;
        prefetch(&segment.entries[index]);
        EntryId::new(number, index)
    }

    /// The entry of this key if it is at this place.
    #[inline]
    pub(super) fn at(&self, id: EntryId, key: &Key) -> Option<&Entry> {
        let (segment, index) = id.parts();
        let entry = self.segments.get(segment)?.entries.get(index)?;
        entry.is_of(key).then_some(entry)
    }

    /// The entry of a key.
    #[inline]
    pub(super) fn find(&self, hash: u64, key: &Key) -> Option<EntryId> {
        let spot = self.spot(hash);
        let segment = &self.segments[spot.segment];
        let words = segment.tags.len();
        let mut word = spot.word;
        for _ in 0..words {
            let tags = segment.tags[word];
            for at in matches(tags, spot.tag) {
                let index = word * WORD + at;
                if segment.entries[index].is_of(key) {
                    return Some(EntryId::new(spot.segment, index));
                }
            }
            if first_match(tags, VACANT) < WORD {
                return None;
            }
            word = if word + 1 == words { 0 } else { word + 1 };
        }
        None
    }

    /// Asks for an entry and its tag.
    pub(super) fn prefetch(&self, id: EntryId) {
        let (segment, index) = id.parts();
        let segment = &self.segments[segment];
        prefetch(&segment.entries[index]);
        prefetch(&segment.tags[index / WORD]);
    }

    #[inline]
    pub(super) fn get(&self, id: EntryId) -> &Entry {
        let (segment, index) = id.parts();
        &self.segments[segment].entries[index]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: EntryId) -> &mut Entry {
        let (segment, index) = id.parts();
        &mut self.segments[segment].entries[index]
    }

    /// Makes the place of an entry whose key has none; it is to be written there.
    pub(super) fn make(&mut self, hash: u64, follow: &mut impl Follow) -> EntryId {
        let number = self.spot(hash).segment;
        let segment = &mut self.segments[number];
        if segment.used >= segment.tags.len() * FULL {
            segment.grow(number, follow);
        }
        let spot = self.spot(hash);
        let index = self.segments[number].take(spot);
        self.len += 1;
        EntryId::new(number, index)
    }

    pub(super) fn remove(&mut self, id: EntryId) {
        let (segment, index) = id.parts();
        let segment = &mut self.segments[segment];
        let word = &mut segment.tags[index / WORD];
        // No search has gone past a word with a vacant place.
        if word.contains(&VACANT) {
            word[index % WORD] = VACANT;
            segment.used -= 1;
        } else {
            word[index % WORD] = LEFT;
        }
        segment.entries[index] = Entry::VACANT;
        segment.live -= 1;
        self.len -= 1;
    }

    /// The entry after a place, in a circle; `None` in an empty table.
    pub(super) fn next_after(&self, id: EntryId) -> Option<EntryId> {
        let (first, index) = id.parts();
        let rest = self.segments[first].live_from(index + 1);
        let others = (1..=SEGMENTS).map(|step| (first + step) % SEGMENTS);
        let beginnings = others.filter_map(|number| {
            let index = self.segments[number].live_from(0)?;
            Some(EntryId::new(number, index))
        });
        rest.map(|index| EntryId::new(first, index))
            .or_else(|| { beginnings }.next())
    }
}

impl Segment {
    #[inline]
    fn spot(&self, segment: usize, hash: u64) -> Spot {
        // The high half picks the word, whatever the number of words (Lemire's reduction).
        let word = (((hash >> 32) * self.tags.len() as u64) >> 32) as usize;
        // Two values are not tags.
        let tag = ((hash >> 6) as u8).max(LEFT + 1);
        Spot { segment, word, tag }
    }

    /// The first live entry at `index` or after.
    fn live_from(&self, index: usize) -> Option<usize> {
        let taken = self.tags.as_flattened().iter().enumerate().skip(index);
        let mut live = taken.filter(|(_, tag)| **tag > LEFT);
        live.next().map(|(index, _)| index)
    }

    /// Takes the place where the search for an entry will come by first. There is one.
    #[inline]
    fn take(&mut self, Spot { word, tag, .. }: Spot) -> usize {
        let taken = self.take_from(word, tag);
        taken.or_else(|| self.take_from(0, tag)).unwrap_or(0)
    }

    /// Takes the first free place of a word or of one after it, if one of them has any.
    #[inline]
    fn take_from(&mut self, first: usize, tag: u8) -> Option<usize> {
        let mut tags = self.tags.iter_mut().enumerate().skip(first);
        let (word, tags) = tags.find(|(_, tags)| first_free(**tags) < WORD)?;
        let at = first_free(*tags);
        self.used += usize::from(tags[at] == VACANT);
        self.live += 1;
        // As a word, as it will be read a moment later.
        let shift = at * WORD;
        let others = u64::from_le_bytes(*tags) & !(0xff << shift);
        *tags = (others | u64::from(tag) << shift).to_le_bytes();
        Some(word * WORD + at)
    }

    /// Makes room for half as many more as live, a quarter or an eighth where that is much memory; or,
    /// where most have left, tidies up.
    ///
    /// In place: hashes stand in order, and the more words there are the later each belongs. So from the
    /// last word on each entry moves to where all who were there have left. The few that were carried
    /// past the word in which they will belong, or now past the end, are placed last.
    #[cold]
    fn grow(&mut self, number: usize, follow: &mut impl Follow) {
        let before = self.tags.len();
        let more = match self.live / MANY {
            0 => 2,
            1 => 4,
            _ => 8,
        };
        let words = ((self.live + self.live / more) / FULL + 1).max(before);
        self.tags.widen(words, [VACANT; WORD]);
        self.entries.widen(words * WORD, Entry::VACANT);
        (self.live, self.used) = (0, 0);
        let mut last = Vec::new();
        for word in (0..before).rev() {
            self.prefetch_before(word, follow);
            let tags = std::mem::replace(&mut self.tags[word], [VACANT; WORD]);
            for at in taken(tags) {
                let from = word * WORD + at;
                let spot = self.spot(number, self.entries[from].key().hash());
                let place = if spot.word >= word {
                    self.take_from(spot.word, spot.tag)
                } else {
                    None
                };
                match place {
                    Some(to) if to == from => {
                        follow.moved(&self.entries[from], EntryId::new(number, to))
                    }
                    Some(to) => {
                        follow.moved(&self.entries[from], EntryId::new(number, to));
                        // From line to line: not in parts by way of the stack.
                        self.entries.copy_within(from..=from, to);
                        self.entries[from] = Entry::VACANT;
                    }
                    None => {
                        last.push((spot, self.entries[from]));
                        self.entries[from] = Entry::VACANT;
                    }
                }
            }
        }
        for (spot, entry) in last {
            let to = self.take(spot);
            self.entries[to] = entry;
            follow.moved(&entry, EntryId::new(number, to));
        }
    }

    /// Asks for what moving the entries of the words before this one will touch.
    #[inline]
    fn prefetch_before(&self, word: usize, follow: &impl Follow) {
        const ENTRIES: usize = 4;
        const FOLLOWERS: usize = 2;
        let of = |ahead: usize| {
            let word = word.checked_sub(ahead);
            let tags = word.map_or([VACANT; WORD], |word| self.tags[word]);
            taken(tags).filter_map(move |at| self.entries.get(word? * WORD + at))
        };
        of(ENTRIES).for_each(prefetch);
        of(FOLLOWERS).for_each(|entry| follow.prefetch(entry));
    }
}

/// The places of a word that have an entry.
#[inline]
fn taken(tags: [u8; WORD]) -> impl Iterator<Item = usize> {
    places(taken_marks(tags))
}

/// The highest bit of each byte that is the tag of an entry.
#[inline]
fn taken_marks(tags: [u8; WORD]) -> u64 {
    const _: () = assert!(VACANT < 2 && LEFT < 2);
    let word = u64::from_le_bytes(tags);
    // Two or more, without a carry from byte to byte.
    (((word & !HIGH) + 0x7e * LOW) | word) & HIGH
}

/// The places whose highest bits are set.
#[inline]
fn places(mut marks: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = marks.trailing_zeros() as usize / WORD;
        marks &= marks.wrapping_sub(1);
        (at < WORD).then_some(at)
    })
}

/// The places of a word that have a tag; perhaps more of them, which the keys tell apart.
#[inline]
fn matches(word: [u8; WORD], tag: u8) -> impl Iterator<Item = usize> {
    places(marks(word, tag))
}

/// The first place of a word that has a tag; [`WORD`] or more where none has.
#[inline]
fn first_match(word: [u8; WORD], tag: u8) -> usize {
    marks(word, tag).trailing_zeros() as usize / WORD
}

/// The first place of a word that is free; [`WORD`] where none is.
#[inline]
fn first_free(word: [u8; WORD]) -> usize {
    (taken_marks(word) ^ HIGH).trailing_zeros() as usize / WORD
}

/// The highest bit of each byte that equals the tag. The lowest one is exact, a higher one may be
/// a false alarm (of a byte that differs by one, above one that is equal).
#[inline]
fn marks(word: [u8; WORD], tag: u8) -> u64 {
    let differing = u64::from_le_bytes(word) ^ (LOW * u64::from(tag));
    differing.wrapping_sub(LOW) & !differing & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;
    use crate::flow_cache::{Memory, PackedFlow};
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
        (key, Entry::new(&key, &memory, number))
    }

    impl Follow for HashMap<Key, EntryId> {
        fn moved(&mut self, entry: &Entry, to: EntryId) {
            self.insert(*entry.key(), to);
        }

        fn prefetch(&self, _: &Entry) {}
    }

    proptest! {
        /// Whoever is told where entries are, and where they move, finds them there; so does a search.
        /// What has left is nowhere.
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
                    let id = table.make(key.hash(), &mut there);
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
