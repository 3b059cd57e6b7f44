//! Who holds a tracker.

use super::TrackId;
use hashbrown::HashMap;

/// Most places that share a tracker: a sender's nic, a gateway out, a gateway in, a receiver's.
pub(super) const MOST: usize = 4;
/// Almost always there are no more.
const FEW: usize = 2;

/// A flow at one place, by its record's slot: no other one comes there while it is remembered. It holds
/// a tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// At the nic.
    Nic(u32),
    /// At the NAT gateway.
    Gateway(u32),
}

impl Holder {
    /// The record's slot.
    #[inline]
    pub fn slot(self) -> u32 {
        let (Self::Nic(slot) | Self::Gateway(slot)) = self;
        slot
    }
}

/// A [`Holder`] in a word: the slot, then where. 2^31 records would take more than a tenth of a
/// terabyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed(u32);

impl Default for Packed {
    fn default() -> Self {
        Self::NONE
    }
}

impl Packed {
    pub(super) const NONE: Self = Self(u32::MAX);

    #[inline]
    pub(super) fn of(holder: Holder) -> Self {
        Self(match holder {
            Holder::Nic(slot) => slot << 1,
            Holder::Gateway(slot) => slot << 1 | 1,
        })
    }

    #[inline]
    pub(super) fn unpack(self) -> Option<Holder> {
        let slot = self.0 >> 1;
        let holder = if self.0 & 1 == 0 {
            Holder::Nic(slot)
        } else {
            Holder::Gateway(slot)
        };
        (self != Self::NONE).then_some(holder)
    }
}

/// The holders that are kept with a tracker, each at a place of its own while it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Few([Packed; FEW]);

impl Few {
    pub(super) const NONE: Self = Self([Packed::NONE; FEW]);

    /// Of a tracker that nobody holds: in place of its first holder the one that will be free after it.
    pub(super) fn before(next: Option<TrackId>) -> Self {
        let mut few = Self::NONE;
        few.0[0] = next.map_or(Packed::NONE, |id| Packed(id.0));
        few
    }

    /// The tracker that it is [before](Self::before).
    pub(super) fn next(self) -> Option<TrackId> {
        (self.0[0] != Packed::NONE).then_some(TrackId(self.0[0].0))
    }

    /// Gives a holder the first free place, if there is one: which it is.
    #[inline]
    pub(super) fn add(&mut self, holder: Packed) -> Option<usize> {
        let place = self.0.iter().position(|place| *place == Packed::NONE)?;
        self.0[place] = holder;
        Some(place)
    }

    /// Frees the place of a holder, if it has one.
    pub(super) fn take(&mut self, holder: Packed) {
        for place in self.0.iter_mut().filter(|place| **place == holder) {
            *place = Packed::NONE;
        }
    }
}

/// The holders of trackers beyond the first [`Few`].
#[derive(Debug, Clone, Default)]
pub(super) struct More(HashMap<TrackId, Few>);

impl More {
    /// With those that are kept with the tracker, all.
    #[inline]
    pub(super) fn all(&self, id: TrackId, few: &Few) -> [Packed; MOST] {
        let [first, second] = few.0;
        let [third, fourth] = self.of(id).0;
        [first, second, third, fourth]
    }

    #[inline]
    fn of(&self, id: TrackId) -> Few {
        // Almost always, and then nothing is hashed.
        if self.0.is_empty() {
            return Few::NONE;
        }
        self.0.get(&id).copied().unwrap_or(Few::NONE)
    }

    /// One more holds a tracker: its place among [all](Self::all), if there is one.
    pub(super) fn add(&mut self, id: TrackId, holder: Packed) -> Option<usize> {
        let place = self.0.entry(id).or_insert(Few::NONE).add(holder)?;
        Some(FEW + place)
    }

    /// A holder lets go of a tracker, if it is one of these; whether none is left.
    pub(super) fn take(&mut self, id: TrackId, holder: Packed) -> bool {
        let Some(few) = self.0.get_mut(&id) else {
            return true;
        };
        few.take(holder);
        let none = *few == Few::NONE;
        if none {
            self.0.remove(&id);
        }
        none
    }
}
