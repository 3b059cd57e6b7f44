//! What arrived where, summed up by who carries packets: whoever counts need not look at each.

use crate::Place;
use crate::flow_cache::PackedPlace;

/// Places of which a sum is at hand.
const NEAR: usize = 64;

/// What arrived at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrivedAt {
    /// Where.
    pub place: Place,
    /// How many packets.
    pub packets: u64,
    /// The sum of their weights: what they were pushed with.
    pub weight: u64,
}

/// Sums of packets that arrived, by place.
#[derive(Debug)]
pub struct Arrivals {
    /// Of the places seen last, each [where it has to be](near); most of them nothing.
    near: [Sum; NEAR],
    /// What had to make room: a place may be there several times.
    far: Vec<Sum>,
}

#[derive(Debug, Clone, Copy)]
struct Sum {
    place: PackedPlace,
    /// Far fewer: each is a packet in memory.
    packets: u32,
    weight: u64,
}

impl Sum {
    const NOTHING: Self = Self {
        place: PackedPlace::FIRST,
        packets: 0,
        weight: 0,
    };
}

/// Where the sum of a place is: nics, whose ids are in a row, from the first one on, the internet and the
/// first of the others among the last ten. No branch: nobody foresees where a packet arrives.
#[inline]
fn near(place: PackedPlace) -> usize {
    let (kind, id) = place.parts();
    (id ^ (kind * 61)) as usize % NEAR
}

impl Default for Arrivals {
    fn default() -> Self {
        Self::new()
    }
}

impl Arrivals {
    /// None yet.
    pub fn new() -> Self {
        Self {
            near: [Sum::NOTHING; NEAR],
            far: Vec::new(),
        }
    }

    /// A packet of this weight arrived.
    #[inline]
    pub(crate) fn add(&mut self, place: PackedPlace, weight: u32) {
        let sum = &mut self.near[near(place)];
        if sum.place != place {
            Self::make_room(&mut self.far, sum);
            sum.place = place;
        }
        sum.packets += 1;
        sum.weight += u64::from(weight);
    }

    #[cold]
    fn make_room(far: &mut Vec<Sum>, sum: &mut Sum) {
        if sum.packets > 0 {
            far.push(*sum);
        }
        *sum = Sum::NOTHING;
    }

    /// The sums; then there are none. A place may have several.
    pub fn take(&mut self) -> impl Iterator<Item = ArrivedAt> + '_ {
        let near = self.near.iter_mut();
        let near = near.map(|sum| std::mem::replace(sum, Sum::NOTHING));
        let all = self.far.drain(..).chain(near);
        all.filter(|sum| sum.packets > 0).map(|sum| ArrivedAt {
            place: sum.place.unpack(),
            packets: sum.packets.into(),
            weight: sum.weight,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use vpcsim_network::{ExternalId, NatGatewayId, NicId};

    fn any_place() -> impl Strategy<Value = Place> {
        prop_oneof![
            (0..100_u32).prop_map(|id| Place::Nic(NicId(id))),
            Just(Place::Internet),
            (0..3_u32).prop_map(|id| Place::External(ExternalId(id))),
            (0..3_u32).prop_map(|id| Place::NatGateway(NatGatewayId(id))),
        ]
    }

    proptest! {
        #[test]
        fn every_packet_is_in_one_sum(packets in vec((any_place(), 0..2000_u32), 0..300)) {
            let mut arrivals = Arrivals::new();
            let mut wanted: BTreeMap<Place, (u64, u64)> = BTreeMap::new();
            for &(place, weight) in &packets {
                arrivals.add(PackedPlace::of(place), weight);
                let sum = wanted.entry(place).or_default();
                *sum = (sum.0 + 1, sum.1 + u64::from(weight));
            }
            let mut sums: BTreeMap<Place, (u64, u64)> = BTreeMap::new();
            for ArrivedAt { place, packets, weight } in arrivals.take() {
                let sum = sums.entry(place).or_default();
                *sum = (sum.0 + packets, sum.1 + weight);
            }
            prop_assert_eq!(sums, wanted);
            prop_assert_eq!(arrivals.take().count(), 0);
        }
    }
}
