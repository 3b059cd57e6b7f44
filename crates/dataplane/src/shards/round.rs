//! Packets on their way through several states: a round and its lanes.

use super::SHARDS;
use super::work::Part;
use crate::batch::{Ended, InOrder};
use crate::bucket::Cost;
use crate::walk::{Arrival, Other, Walked};
use crate::{ArrivedAt, Nanos};

/// A packet in the order of its round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) id: u64,
    /// The clock when it has its turn.
    pub(crate) clock: Nanos,
    /// Its own time.
    pub(super) time: Nanos,
    pub(super) cost: Cost,
    pub(super) at: At,
}

/// Where a packet is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// In this shard.
    Shard(u8),
    /// Nowhere: a fragment that waits, or has waited enough.
    Here,
}

/// A packet that ended, or waits, without being carried.
#[derive(Debug)]
pub(super) struct Stays {
    pub(super) arrival: Arrival,
    pub(super) walked: Walked,
    pub(super) bytes: Vec<u8>,
}

impl Stays {
    fn tell<'a>(&'a self, tell: impl FnOnce(Ended<'a>)) {
        tell(Ended {
            arrival: self.arrival,
            walked: self.walked,
            bytes: &self.bytes,
            others: &[],
        });
    }
}

/// Packets that travel together through several states, in the order in which they were pushed.
///
/// What [`Batch`](crate::Batch) is for one [`State`](crate::State), this is for [`Shards`](super::Shards).
#[derive(Debug, Default)]
pub struct Round {
    pub(super) turns: Vec<Turn>,
    /// What each state carries and tells.
    pub(super) lanes: Vec<Part>,
    /// The lane of each shard; the first one of all unless the round is `spread`.
    lane_of: LaneOf,
    spread: bool,
    /// Whether some packet may touch several shards.
    pub(super) mixes: bool,
    pub(super) stays: Vec<Stays>,
    /// What had waited too long when a packet came, by the packet's place.
    pub(super) early: Vec<(usize, Vec<Other>)>,
    /// Bytes of all packets.
    pub(super) bytes: usize,
}

impl Round {
    /// Packets of a full round: so many that handing them to workers costs next to nothing, so few that
    /// some rounds under way lie in a second-level cache.
    pub const SIZE: usize = 2048;
    /// Bytes of a full round.
    const MOST_BYTES: usize = 2 << 20;

    /// An empty round.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many packets there are.
    pub fn len(&self) -> usize {
        self.turns.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Whether it is time to run: there are [`Self::SIZE`] packets or as many as there should be
    /// bytes.
    pub fn is_full(&self) -> bool {
        self.len() >= Self::SIZE || self.bytes >= Self::MOST_BYTES
    }

    /// Forgets all packets and keeps the room that they took.
    pub fn clear(&mut self) {
        self.turns.clear();
        self.lanes.iter_mut().for_each(Part::clear);
        self.mixes = false;
        self.stays.clear();
        self.early.clear();
        self.bytes = 0;
    }

    /// Tells of what became of each packet, in order; nothing before it was run.
    pub fn for_each_ended<'a>(&'a self, mut tell: impl FnMut(Ended<'a>)) {
        let mut next = [0; SHARDS];
        let mut stays = self.stays.iter();
        let mut early = self.early.iter().peekable();
        for (index, turn) in self.turns.iter().enumerate() {
            let early = early.next_if(|(at, _)| *at == index);
            let tell = |mut ended: Ended<'a>| {
                ended.arrival.time = turn.time;
                if let Some((_, others)) = early {
                    ended.others = others;
                }
                tell(ended);
            };
            match turn.at {
                At::Here => {
                    if let Some(stays) = stays.next() {
                        stays.tell(tell);
                    }
                }
                At::Shard(shard) => {
                    let lane = self.lane(shard);
                    self.lanes[lane].batch.tell_ended(next[lane], tell);
                    next[lane] += 1;
                }
            }
        }
    }

    /// What became of each packet, in order: what [`for_each_ended`](Self::for_each_ended) tells.
    pub fn ended(&self) -> impl Iterator<Item = Ended<'_>> {
        let mut all = Vec::with_capacity(self.len());
        self.for_each_ended(|ended| all.push(ended));
        all.into_iter()
    }

    /// The packet pushed as number `index`, as it is now.
    pub fn bytes(&mut self, index: usize) -> Option<&[u8]> {
        let At::Shard(shard) = self.turns.get(index)?.at else {
            let here = |turn: &&Turn| turn.at == At::Here;
            let before = self.turns[..index].iter().filter(here).count();
            return self.stays.get(before).map(|stays| stays.bytes.as_slice());
        };
        let lane = self.lane(shard);
        let in_lane =
            |turn: &&Turn| matches!(turn.at, At::Shard(shard) if self.lane(shard) == lane);
        let before = self.turns[..index].iter().filter(in_lane).count();
        self.lanes[lane]
            .batch
            .bytes_mut(before)
            .map(|bytes| &*bytes)
    }

    /// The packets that simply arrived, added up by who carried them: a place may have several sums.
    /// They are all of which [`for_each_other`](Self::for_each_other) does not tell.
    pub fn arrived(&self) -> impl Iterator<Item = &ArrivedAt> {
        self.lanes.iter().flat_map(|part| &part.told.arrived)
    }

    /// Whether nothing ended with packets that simply arrived: then [sums](Self::arrived) say all of them.
    pub fn is_plain(&self) -> bool {
        self.early.is_empty()
    }

    /// Tells in order what became of each packet of a round that [is plain](Self::is_plain), by its
    /// number.
    pub fn tell_in_order<'a>(&'a self, told: &mut impl InOrder<'a>) {
        let mut next = [0; SHARDS];
        let mut stays = self.stays.iter();
        for (number, turn) in self.turns.iter().enumerate() {
            match turn.at {
                At::Here => {
                    if let Some(stays) = stays.next() {
                        stays.tell(|mut ended| {
                            ended.arrival.time = turn.time;
                            told.ended(number, ended);
                        });
                    }
                }
                At::Shard(shard) => {
                    let lane = self.lane(shard);
                    let batch = &self.lanes[lane].batch;
                    batch.tell_next(next[lane], number, Some(turn.time), told);
                    next[lane] += 1;
                }
            }
        }
    }

    /// Whether few enough packets did anything but arrive for it to pay to be
    /// [told of those alone](Self::for_each_other).
    pub fn others_are_few(&self) -> bool {
        let others: usize = self.lanes.iter().map(|part| part.told.others.len()).sum();
        (others + self.stays.len()) * 8 <= self.len()
    }

    /// Tells in order of the packets that did not simply arrive, each by its number. Only of a round that
    /// [is plain](Self::is_plain).
    pub fn for_each_other<'a>(&'a self, mut tell: impl FnMut(usize, Ended<'a>)) {
        let number = &|id: u64| self.turns.partition_point(|turn| turn.id < id);
        let carried = self.lanes.iter().flat_map(|Part { batch, told }| {
            let others = told.others.iter();
            others.filter_map(move |&at| Some((number(batch.id(at)?), Ok((batch, at)))))
        });
        let stays = self.stays.iter();
        let stays = stays.map(|stays| (number(stays.arrival.id), Err(stays)));
        let mut all: Vec<_> = carried.chain(stays).collect();
        all.sort_unstable_by_key(|(number, _)| *number);
        for (number, which) in all {
            let time = self.turns[number].time;
            let tell = |mut ended: Ended<'a>| {
                ended.arrival.time = time;
                tell(number, ended);
            };
            match which {
                Ok((batch, at)) => batch.tell_ended(at, tell),
                Err(stays) => stays.tell(tell),
            }
        }
    }

    /// The lane of a shard.
    #[inline]
    pub(super) fn lane(&self, shard: u8) -> usize {
        self.lane_of.of(shard)
    }

    /// So many lanes, for packets yet to come: the first one, or all of them.
    pub(super) fn set_out(&mut self, lanes: usize, spread: bool) {
        self.lanes.resize_with(lanes, Part::default);
        self.lane_of = LaneOf::new(lanes, spread);
        self.spread = spread;
    }

    /// Puts the packets into one lane, or into one for each state.
    pub(super) fn arrange(&mut self, spread: bool) {
        if self.spread == spread {
            return;
        }
        let mut before = std::mem::take(&mut self.lanes);
        let before_of = self.lane_of;
        self.set_out(before.len(), spread);
        let mut next = vec![0; before.len()];
        for turn in &self.turns {
            let At::Shard(shard) = turn.at else {
                continue;
            };
            let (from, to) = (before_of.of(shard), self.lane(shard));
            let to = &mut self.lanes[to].batch;
            before[from].batch.move_to(next[from], to);
            next[from] += 1;
        }
    }

    /// Puts what had waited too long when a packet came before what ended beside it.
    pub(super) fn join_early(&mut self) {
        if self.early.is_empty() {
            return;
        }
        let early = std::mem::take(&mut self.early);
        let mut joined = Vec::with_capacity(early.len());
        let mut ended = self.ended().enumerate();
        for (at, mut others) in early {
            if let Some((_, beside)) = ended.find(|(index, _)| *index == at) {
                others.extend_from_slice(beside.others);
            }
            joined.push((at, others));
        }
        drop(ended);
        self.early = joined;
    }
}

/// The lane of each shard.
#[derive(Debug, Clone, Copy)]
struct LaneOf([u8; SHARDS]);

impl Default for LaneOf {
    fn default() -> Self {
        Self([0; SHARDS])
    }
}

impl LaneOf {
    fn new(lanes: usize, spread: bool) -> Self {
        let mut all = Self::default();
        if spread {
            let lanes = (0..lanes.clamp(1, SHARDS) as u8).cycle();
            all.0
                .iter_mut()
                .zip(lanes)
                .for_each(|(at, lane)| *at = lane);
        }
        all
    }

    #[inline]
    fn of(self, shard: u8) -> usize {
        usize::from(self.0[usize::from(shard) % SHARDS])
    }
}
