//! The protocol state of connections, shared by the places that see the same packets.
//!
//! A packet that leaves by a NAT gateway is judged at its nic and at the gateway. Both remember a
//! connection, each with keys and a deadline of its own, and both would keep the same [`Tracker`]:
//! it began with the same packet and has seen the same ones since. So it is kept once, with the
//! list of those who share it, and judged once for each packet. Who misses a packet that another
//! has seen (it was dropped between them) goes on with a copy.

use super::tracker::{TrackerMut, TrackerRef};
use super::{Direction, Tracker};
use crate::flow_cache::EntryId;
use crate::memory::{Large, prefetch};

/// Most places that share a tracker: a sender's nic, a gateway out, a gateway in, a receiver's.
const MOST_HOLDERS: usize = 4;

/// The number of a [`Tracker`] among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrackId(pub u32);

/// A connection that holds a tracker, by its slot: no other one comes there while it holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// At a nic.
    Nic(u32),
    /// At a NAT gateway.
    Gateway(u32),
}

/// A [`Holder`] in a word: the slot, then where. 2^31 connections would take a tenth of a
/// terabyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Packed(u32);

impl Default for Packed {
    fn default() -> Self {
        Self::NONE
    }
}

impl Packed {
    const NONE: Self = Self(u32::MAX);

    #[inline]
    fn of(holder: Holder) -> Self {
        Self(match holder {
            Holder::Nic(slot) => slot << 1,
            Holder::Gateway(slot) => slot << 1 | 1,
        })
    }

    #[inline]
    fn unpack(self) -> Option<Holder> {
        let slot = self.0 >> 1;
        let holder = if self.0 & 1 == 0 {
            Holder::Nic(slot)
        } else {
            Holder::Gateway(slot)
        };
        (self != Self::NONE).then_some(holder)
    }
}

/// A tracker and the flow entries that stand for it, by direction: a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line {
    tracker: Tracker,
    entries: [EntryId; 2],
}

const _: () = assert!(size_of::<Line>() == 64);

impl Line {
    fn new(tracker: Tracker) -> Self {
        Self {
            tracker,
            entries: [EntryId::NONE; 2],
        }
    }
}

/// All trackers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tracks {
    lines: Large<Line>,
    holders: Large<[Packed; MOST_HOLDERS]>,
    /// The first of those that nobody holds; each names the next one in place of its first holder.
    free: Packed,
    alone: bool,
}

impl Tracks {
    /// From now on every tracker has one holder.
    pub(crate) fn share_nothing(&mut self) {
        self.alone = true;
    }

    pub(crate) fn is_shared(&self) -> bool {
        !self.alone
    }

    /// A tracker that nobody holds yet.
    pub(crate) fn insert(&mut self, tracker: &Tracker) -> TrackId {
        if self.free != Packed::NONE {
            let slot = self.free.0;
            self.free = std::mem::take(&mut self.holders[slot as usize][0]);
            self.lines[slot as usize] = Line::new(*tracker);
            if self.free != Packed::NONE {
                self.prefetch_all(TrackId(self.free.0));
            }
            return TrackId(slot);
        }
        // As many as connections at most, of which there are fewer than 2^32.
        let slot = self.lines.len() as u32;
        self.lines.push(Line::new(*tracker));
        self.holders.push([Packed::NONE; MOST_HOLDERS]);
        TrackId(slot)
    }

    pub(crate) fn get(&self, id: TrackId) -> TrackerRef<'_> {
        self.lines[id.0 as usize].tracker.by_ref()
    }

    pub(crate) fn get_mut(&mut self, id: TrackId) -> TrackerMut<'_> {
        self.lines[id.0 as usize].tracker.by_mut()
    }

    /// Asks for a tracker's line ahead of its use. `wanted` is not to be branched on: nobody can
    /// foresee it; where it is false the first line is asked for again and again.
    #[inline]
    pub(crate) fn prefetch(&self, id: TrackId, wanted: bool) {
        if let Some(tracker) = self.lines.get(id.0 as usize * usize::from(wanted)) {
            prefetch(tracker);
        }
    }

    /// Asks for everything about a tracker ahead of its use.
    pub(crate) fn prefetch_all(&self, id: TrackId) {
        self.prefetch(id, true);
        if let Some(holders) = self.holders.get(id.0 as usize) {
            prefetch(holders);
        }
    }

    /// Who holds it.
    pub(crate) fn holders(&self, id: TrackId) -> impl Iterator<Item = Holder> + use<> {
        self.holders[id.0 as usize]
            .into_iter()
            .filter_map(Packed::unpack)
    }

    /// The flow entry that stands for a direction.
    pub(crate) fn entry(&self, id: TrackId, direction: Direction) -> Option<EntryId> {
        let entry = self.lines[id.0 as usize].entries[direction.index()];
        (entry != EntryId::NONE).then_some(entry)
    }

    /// Whether any flow entry stands for it.
    pub(crate) fn is_remembered(&self, id: TrackId) -> bool {
        self.lines[id.0 as usize].entries != [EntryId::NONE; 2]
    }

    pub(crate) fn set_entry(&mut self, id: TrackId, direction: Direction, entry: Option<EntryId>) {
        self.lines[id.0 as usize].entries[direction.index()] = entry.unwrap_or(EntryId::NONE);
    }

    /// Whether one more may hold it.
    pub(crate) fn has_room(&self, id: TrackId) -> bool {
        !self.alone && self.holders[id.0 as usize].contains(&Packed::NONE)
    }

    /// One more holds it; false if it has no room.
    pub(crate) fn hold(&mut self, id: TrackId, holder: Holder) -> bool {
        let mut places = self.holders[id.0 as usize].iter_mut();
        match places.find(|place| **place == Packed::NONE) {
            Some(place) => {
                *place = Packed::of(holder);
                true
            }
            None => false,
        }
    }

    /// Which of its holders this is, as one bit.
    pub(crate) fn bit(&self, id: TrackId, holder: Holder) -> u8 {
        let mut holders = self.holders[id.0 as usize].iter();
        let place = holders.position(|other| *other == Packed::of(holder));
        place.map_or(0, |place| 1 << place)
    }

    /// All of its holders, as bits.
    pub(crate) fn bits(&self, id: TrackId) -> u8 {
        let places = (0..).zip(&self.holders[id.0 as usize]);
        let taken = places.filter(|(_, holder)| **holder != Packed::NONE);
        taken.fold(0, |bits, (place, _)| bits | 1 << place)
    }

    /// A holder lets go of it; whether it was the last and the tracker is gone.
    pub(crate) fn release(&mut self, id: TrackId, holder: Holder) -> bool {
        let holders = &mut self.holders[id.0 as usize];
        let held = Packed::of(holder);
        for place in holders.iter_mut().filter(|place| **place == held) {
            *place = Packed::NONE;
        }
        let gone = *holders == [Packed::NONE; MOST_HOLDERS];
        if gone {
            holders[0] = std::mem::replace(&mut self.free, Packed(id.0));
        }
        gone
    }
}
