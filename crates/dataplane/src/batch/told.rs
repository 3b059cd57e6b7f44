//! What became of the packets of a batch: for who wants all of each, for who writes those that arrived, and
//! for who only counts.

use super::{Batch, Slot};
use crate::arrivals::Arrivals;
use crate::walk::{Arrival, Other, Walked};
use crate::{Nanos, Place};
use std::iter::repeat_n;

/// A packet of a batch that has come to its end, or waits.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// How it started.
    pub arrival: Arrival,
    /// What became of it.
    pub walked: Walked,
    /// The packet as it looks where it ended, from its IPv4 header on.
    pub bytes: &'a [u8],
    /// What ended beside it.
    pub others: &'a [Other],
}

/// Is told in order what became of packets.
// By words for nearly all of them: what is written in parts and read a moment later waits.
pub trait InOrder<'a> {
    /// The packet with this number simply arrived; as it looks there.
    fn arrived(&mut self, number: usize, place: Place, time: Nanos, bytes: &'a [u8]);

    /// It did not, or was cut, or something else ended with it.
    fn ended(&mut self, number: usize, ended: Ended<'a>);
}

impl Batch {
    /// Where each packet arrived, in order; `None` for one that did not. What [`ended`](Self::ended)
    /// says, for those who only count.
    pub fn places(&self) -> impl Iterator<Item = Option<Place>> {
        let wait = self.len() - self.ends.len();
        self.ends.places().chain(repeat_n(None, wait))
    }

    /// Adds up the packets that simply arrived, and tells of the number of each other: one that did not
    /// arrive, was cut, or with which something else ended.
    pub fn sum_up(&self, arrivals: &mut Arrivals, mut other: impl FnMut(usize)) {
        for (index, &weight) in self.weights.iter().enumerate() {
            match self.ends.plain_place(index) {
                Some(place) => arrivals.add(place, weight),
                None => other(index),
            }
        }
    }

    /// What became of each packet, in order; nothing before [`Self::run`].
    pub fn ended(&self) -> impl Iterator<Item = Ended<'_>> + Clone {
        self.packets.iter().enumerate().filter_map(|(index, slot)| {
            let (walked, others) = self.ends.of(index)?;
            Some(self.ended_of(slot, walked, others))
        })
    }

    /// Tells in order what became of each packet.
    pub fn tell_in_order<'a>(&'a self, told: &mut impl InOrder<'a>) {
        for index in 0..self.len() {
            self.tell_next(index, index, None, told);
        }
    }

    /// Tells of the packet pushed as number `index`, which `told` knows by another number, perhaps at
    /// another time.
    #[inline(always)]
    pub(crate) fn tell_next<'a>(
        &'a self,
        index: usize,
        number: usize,
        time: Option<Nanos>,
        told: &mut impl InOrder<'a>,
    ) {
        let Some(slot) = self.packets.get(index) else {
            return;
        };
        self.prefetch_packets(index);
        let time = time.unwrap_or(slot.time);
        match self.ends.plain_place(index) {
            Some(place) => {
                told.arrived(number, place.unpack(), time, &self.arena[slot.range()]);
            }
            None => self.ends.tell(index, |walked, others| {
                let mut ended = self.ended_of(slot, walked, others);
                ended.arrival.time = time;
                told.ended(number, ended);
            }),
        }
    }

    /// The number that the packet pushed as number `index` came with.
    pub(crate) fn id(&self, index: usize) -> Option<u64> {
        self.packets.get(index).map(|slot| slot.id)
    }

    /// Tells of what became of each packet, in order: what [`ended`](Self::ended) says. Those who can
    /// wait until they are told need not copy it.
    pub fn for_each_ended<'a>(&'a self, mut tell: impl FnMut(Ended<'a>)) {
        for index in 0..self.len() {
            self.tell_ended(index, &mut tell);
        }
    }

    /// The same of the packet pushed as number `index`.
    #[inline(always)]
    pub fn tell_ended<'a>(&'a self, index: usize, tell: impl FnOnce(Ended<'a>)) {
        let Some(slot) = self.packets.get(index) else {
            return;
        };
        self.ends.tell(index, |walked, others| {
            tell(self.ended_of(slot, walked, others));
        });
    }

    #[inline(always)]
    fn ended_of<'a>(&'a self, slot: &Slot, walked: Walked, others: &'a [Other]) -> Ended<'a> {
        Ended {
            arrival: slot.arrival(),
            walked,
            bytes: &self.arena[slot.range()],
            others,
        }
    }
}
