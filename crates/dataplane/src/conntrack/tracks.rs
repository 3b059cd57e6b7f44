//! The protocol state of connections, shared by the places that see the same packets.
//!
//! A packet that leaves by a NAT gateway is judged at its nic and at the gateway. Both remember a
//! connection, each with keys and a deadline of its own, and both would keep the same [`Tracker`]:
//! it began with the same packet and has seen the same ones since. So it is kept once, with the
//! list of those who share it, and judged once for each packet. Who misses a packet that another
//! has seen (it was dropped between them) goes on with a copy.

use super::{ConnectionId, Direction, Tracker};
use crate::flow_cache::EntryId;

/// Most places that share a tracker: a sender's nic, a gateway out, a gateway in, a receiver's.
const MOST_HOLDERS: usize = 4;

/// The number of a [`Tracker`] among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrackId(pub u32);

/// A connection that holds a tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// At a nic.
    Nic(ConnectionId),
    /// At a NAT gateway.
    Gateway(ConnectionId),
}

/// Who holds a tracker, and which flow entries stand for it.
#[derive(Debug, Clone, Default)]
struct Sharing {
    holders: [Option<Holder>; MOST_HOLDERS],
    /// By direction.
    entries: [Option<EntryId>; 2],
}

/// A tracker on a cache line of its own.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line(Tracker);

/// All trackers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tracks {
    trackers: Vec<Line>,
    sharing: Vec<Sharing>,
    free: Vec<u32>,
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
    pub(crate) fn insert(&mut self, tracker: Tracker) -> TrackId {
        if let Some(slot) = self.free.pop() {
            self.trackers[slot as usize] = Line(tracker);
            return TrackId(slot);
        }
        // As many as connections at most, of which there are fewer than 2^32.
        let slot = self.trackers.len() as u32;
        self.trackers.push(Line(tracker));
        self.sharing.push(Sharing::default());
        TrackId(slot)
    }

    pub(crate) fn get(&self, id: TrackId) -> &Tracker {
        &self.trackers[id.0 as usize].0
    }

    pub(crate) fn get_mut(&mut self, id: TrackId) -> &mut Tracker {
        &mut self.trackers[id.0 as usize].0
    }

    /// Asks for a tracker's line ahead of its use. `wanted` is not to be branched on: nobody can
    /// foresee it; where it is false the first line is asked for again and again.
    #[inline]
    pub(crate) fn prefetch(&self, id: TrackId, wanted: bool) {
        if let Some(tracker) = self.trackers.get(id.0 as usize * usize::from(wanted)) {
            crate::memory::prefetch(tracker);
        }
    }

    /// Who holds it.
    pub(crate) fn holders(&self, id: TrackId) -> impl Iterator<Item = Holder> + use<> {
        self.sharing[id.0 as usize].holders.into_iter().flatten()
    }

    /// The flow entry that stands for a direction.
    pub(crate) fn entry(&self, id: TrackId, direction: Direction) -> Option<EntryId> {
        self.sharing[id.0 as usize].entries[direction.index()]
    }

    /// Whether any flow entry stands for it.
    pub(crate) fn is_remembered(&self, id: TrackId) -> bool {
        self.sharing[id.0 as usize].entries != [None; 2]
    }

    pub(crate) fn set_entry(&mut self, id: TrackId, direction: Direction, entry: Option<EntryId>) {
        self.sharing[id.0 as usize].entries[direction.index()] = entry;
    }

    /// Whether one more may hold it.
    pub(crate) fn has_room(&self, id: TrackId) -> bool {
        !self.alone && self.sharing[id.0 as usize].holders.contains(&None)
    }

    /// One more holds it; false if it has no room.
    pub(crate) fn hold(&mut self, id: TrackId, holder: Holder) -> bool {
        let mut places = self.sharing[id.0 as usize].holders.iter_mut();
        match places.find(|place| place.is_none()) {
            Some(place) => {
                *place = Some(holder);
                true
            }
            None => false,
        }
    }

    /// Which of its holders this is, as one bit.
    pub(crate) fn bit(&self, id: TrackId, holder: Holder) -> u8 {
        let mut holders = self.sharing[id.0 as usize].holders.iter();
        let place = holders.position(|other| *other == Some(holder));
        place.map_or(0, |place| 1 << place)
    }

    /// All of its holders, as bits.
    pub(crate) fn bits(&self, id: TrackId) -> u8 {
        self.holders(id)
            .fold(0, |bits, holder| bits | self.bit(id, holder))
    }

    /// A holder lets go of it; whether it was the last and the tracker is gone.
    pub(crate) fn release(&mut self, id: TrackId, holder: Holder) -> bool {
        let holders = &mut self.sharing[id.0 as usize].holders;
        for place in holders.iter_mut().filter(|place| **place == Some(holder)) {
            *place = None;
        }
        let gone = self.holders(id).next().is_none();
        if gone {
            self.free.push(id.0);
        }
        gone
    }
}
