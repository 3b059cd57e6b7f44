//! The protocol state of connections, shared by the places that see the same packets.
//!
//! A packet that leaves by a NAT gateway is judged at its nic and at the gateway. Both remember a
//! connection, each with keys and a deadline of its own, and both would keep the same [`Tracker`]:
//! it began with the same packet and has seen the same ones since. So it is kept once, with the
//! list of those who share it, and judged once for each packet. Who misses a packet that another
//! has seen (it was dropped between them) goes on with a copy.

use super::holders::{Few, Holder, MOST, More, Packed};
use super::other::Other;
use super::tcp::Tcp;
use super::tracker::{Kind, TrackerMut, TrackerRef};
use super::{Direction, Tracker};
use crate::flow_cache::EntryId;
use crate::memory::{Large, prefetch};

/// The number of a [`Tracker`] among all those of TCP, or, with the highest bit, among all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrackId(pub u32);

/// Set in the number of a tracker that is not TCP's. Among those of TCP nothing has such a number, so that a
/// segment's tracker is found without a question more.
const OTHER: u32 = 1 << 31;

impl TrackId {
    #[inline]
    fn is_other(self) -> bool {
        self.0 & OTHER != 0
    }

    /// Among those of its kind.
    #[inline]
    fn number(self) -> usize {
        (self.0 & !OTHER) as usize
    }
}

/// A TCP tracker and the flow entries that stand for it, by direction: a cache line, which is all that
/// packets of a connection need.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct TcpRecord {
    tcp: Tcp,
    entries: [EntryId; 2],
}

const _: () = assert!(size_of::<TcpRecord>() == 64);

/// Any other tracker and all that belongs to it, within a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct OtherRecord {
    other: Other,
    entries: [EntryId; 2],
    holders: Few,
}

const _: () = assert!(size_of::<OtherRecord>() == 32);

/// Places in [`Tracks::free`].
const FREE_TCP: usize = 0;
const FREE_OTHER: usize = 1;

/// All trackers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tracks {
    tcp: Large<TcpRecord>,
    /// Of those of TCP, by number.
    holders: Large<Few>,
    others: Large<OtherRecord>,
    more: More,
    /// Of TCP and of the others, the one that was let go of last; each names the one before it.
    free: [Option<TrackId>; 2],
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
        let entries = [EntryId::NONE; 2];
        // As many as connections at most, of which there are fewer than 2^31.
        match *tracker.kind() {
            Kind::Tcp(tcp) => {
                let record = TcpRecord { tcp, entries };
                if let Some(id) = self.reuse(FREE_TCP) {
                    self.tcp[id.number()] = record;
                    return id;
                }
                self.tcp.push(record);
                self.holders.push(Few::NONE);
                TrackId(self.tcp.len() as u32 - 1)
            }
            Kind::Other(other) => {
                let record = OtherRecord {
                    other,
                    entries,
                    holders: Few::NONE,
                };
                if let Some(id) = self.reuse(FREE_OTHER) {
                    self.others[id.number()] = record;
                    return id;
                }
                self.others.push(record);
                TrackId(OTHER | (self.others.len() as u32 - 1))
            }
        }
    }

    /// A place that was let go of, if there is one; asks for the one that will be next.
    fn reuse(&mut self, kind: usize) -> Option<TrackId> {
        let id = self.free[kind]?;
        let few = std::mem::replace(self.few_mut(id), Few::NONE);
        self.free[kind] = few.next();
        if let Some(next) = self.free[kind] {
            self.prefetch_all(next);
        }
        Some(id)
    }

    #[inline]
    pub(crate) fn get(&self, id: TrackId) -> TrackerRef<'_> {
        match self.tcp.get(id.0 as usize) {
            Some(record) => TrackerRef::of_tcp(&record.tcp),
            None => TrackerRef::of_other(&self.others[id.number()].other),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: TrackId) -> TrackerMut<'_> {
        match self.tcp.get_mut(id.0 as usize) {
            Some(record) => TrackerMut::of_tcp(&mut record.tcp),
            None => TrackerMut::of_other(&mut self.others[id.number()].other),
        }
    }

    /// Asks for a TCP tracker ahead of its use. `wanted` is not to be branched on: nobody can
    /// foresee it; where it is false the first one is asked for again and again.
    #[inline]
    pub(crate) fn prefetch(&self, id: TrackId, wanted: bool) {
        if let Some(record) = self.tcp.get(id.0 as usize * usize::from(wanted)) {
            prefetch(record);
        }
    }

    /// Asks for everything about a tracker ahead of its use.
    pub(crate) fn prefetch_all(&self, id: TrackId) {
        if id.is_other() {
            if let Some(record) = self.others.get(id.number()) {
                prefetch(record);
            }
        } else {
            self.prefetch(id, true);
            if let Some(holders) = self.holders.get(id.number()) {
                prefetch(holders);
            }
        }
    }

    fn few(&self, id: TrackId) -> &Few {
        if id.is_other() {
            &self.others[id.number()].holders
        } else {
            &self.holders[id.number()]
        }
    }

    fn few_mut(&mut self, id: TrackId) -> &mut Few {
        if id.is_other() {
            &mut self.others[id.number()].holders
        } else {
            &mut self.holders[id.number()]
        }
    }

    fn entries(&self, id: TrackId) -> &[EntryId; 2] {
        match self.tcp.get(id.0 as usize) {
            Some(record) => &record.entries,
            None => &self.others[id.number()].entries,
        }
    }

    /// The flow entry that stands for a direction.
    pub(crate) fn entry(&self, id: TrackId, direction: Direction) -> Option<EntryId> {
        let entry = self.entries(id)[direction.index()];
        (entry != EntryId::NONE).then_some(entry)
    }

    /// Whether any flow entry stands for it.
    pub(crate) fn is_remembered(&self, id: TrackId) -> bool {
        *self.entries(id) != [EntryId::NONE; 2]
    }

    pub(crate) fn set_entry(&mut self, id: TrackId, direction: Direction, entry: Option<EntryId>) {
        let entries = match self.tcp.get_mut(id.0 as usize) {
            Some(record) => &mut record.entries,
            None => &mut self.others[id.number()].entries,
        };
        entries[direction.index()] = entry.unwrap_or(EntryId::NONE);
    }

    /// All who hold it, each at its place.
    #[inline]
    fn all(&self, id: TrackId) -> [Packed; MOST] {
        self.more.all(id, self.few(id))
    }

    /// Who holds it.
    pub(crate) fn holders(&self, id: TrackId) -> impl Iterator<Item = Holder> + use<> {
        self.all(id).into_iter().filter_map(Packed::unpack)
    }

    /// Whether one more may hold it.
    pub(crate) fn has_room(&self, id: TrackId) -> bool {
        !self.alone && self.all(id).contains(&Packed::NONE)
    }

    /// Whether anybody holds it.
    #[inline]
    pub(crate) fn is_held(&self, id: TrackId) -> bool {
        self.all(id) != [Packed::NONE; MOST]
    }

    /// One more holds it: its [bit](Self::bit), none if there is no room.
    pub(crate) fn hold(&mut self, id: TrackId, holder: Holder) -> u8 {
        let holder = Packed::of(holder);
        let place = self.few_mut(id).add(holder);
        let place = place.or_else(|| self.more.add(id, holder));
        place.map_or(0, |place| 1 << place)
    }

    /// Which of its holders this is, as one bit.
    pub(crate) fn bit(&self, id: TrackId, holder: Holder) -> u8 {
        let holder = Packed::of(holder);
        let place = self.all(id).iter().position(|other| *other == holder);
        place.map_or(0, |place| 1 << place)
    }

    /// All of its holders, as bits.
    pub(crate) fn bits(&self, id: TrackId) -> u8 {
        let all = self.all(id);
        let taken = (0..).zip(&all).filter(|(_, one)| **one != Packed::NONE);
        taken.fold(0, |bits, (place, _)| bits | 1 << place)
    }

    /// A holder lets go of it; whether it was the last and the tracker is gone.
    pub(crate) fn release(&mut self, id: TrackId, holder: Holder) -> bool {
        let holder = Packed::of(holder);
        let few = self.few_mut(id);
        few.take(holder);
        let gone = *few == Few::NONE;
        let gone = self.more.take(id, holder) && gone;
        if gone {
            let kind = if id.is_other() { FREE_OTHER } else { FREE_TCP };
            let next = self.free[kind].replace(id);
            *self.few_mut(id) = Few::before(next);
        }
        gone
    }
}
