//! Packets on their way through several states: a round, its lanes, and the work that it gives.

use crate::batch::{Batch, Ended};
use crate::bucket::Cost;
use crate::walk::{Arrival, Other, Walked};
use crate::{Nanos, Place, Program, State};

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

/// Packets that travel together through several states, in the order in which they were pushed.
///
/// What [`Batch`] is for one [`State`], this is for [`Shards`](super::Shards).
#[derive(Debug, Default)]
pub struct Round {
    pub(super) turns: Vec<Turn>,
    /// The packets of each state; all are in the first one unless the round is `spread`.
    pub(super) lanes: Vec<Batch>,
    pub(super) spread: bool,
    /// Whether some packet may touch several shards.
    pub(super) mixes: bool,
    pub(super) stays: Vec<Stays>,
    /// What had waited too long when a packet came, by the packet's place.
    pub(super) early: Vec<(usize, Vec<Other>)>,
    /// Bytes of all packets.
    pub(super) bytes: usize,
}

impl Round {
    /// Packets of a full round: so many that handing them to workers costs next to nothing.
    pub const SIZE: usize = 16384;
    /// Bytes of a full round.
    const MOST_BYTES: usize = 4 << 20;

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
        self.lanes.iter_mut().for_each(Batch::clear);
        self.mixes = false;
        self.stays.clear();
        self.early.clear();
        self.bytes = 0;
    }

    /// What became of each packet, in order; nothing before it was run.
    pub fn ended(&self) -> impl Iterator<Item = Ended<'_>> {
        let mut lanes: Vec<_> = self.lanes.iter().map(Batch::ended).collect();
        let mut stays = self.stays.iter();
        let mut early = self.early.iter().peekable();
        (0..).zip(&self.turns).filter_map(move |(index, turn)| {
            let mut ended = match turn.at {
                At::Here => {
                    let stays = stays.next()?;
                    Ended {
                        arrival: stays.arrival,
                        walked: stays.walked,
                        bytes: &stays.bytes,
                        others: &[],
                    }
                }
                At::Shard(shard) => lanes.get_mut(self.lane(shard))?.next()?,
            };
            ended.arrival.time = turn.time;
            if let Some((_, others)) = early.next_if(|(at, _)| *at == index) {
                ended.others = others;
            }
            Some(ended)
        })
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
        self.lanes[lane].bytes_mut(before).map(|bytes| &*bytes)
    }

    /// Where each packet arrived, lane by lane: what [`ended`](Self::ended) says, for those who
    /// only count.
    pub fn places(&self) -> impl Iterator<Item = Option<Place>> {
        self.lanes.iter().flat_map(Batch::places)
    }

    /// The lane of a shard.
    pub(super) fn lane(&self, shard: u8) -> usize {
        lane(shard, self.lanes.len(), self.spread)
    }

    /// Puts the packets into one lane, or into one for each state.
    pub(super) fn arrange(&mut self, spread: bool) {
        if self.spread == spread {
            return;
        }
        let mut before = std::mem::take(&mut self.lanes);
        let count = before.len();
        self.lanes.resize_with(count, Batch::new);
        let mut next = vec![0; count];
        for turn in &self.turns {
            let At::Shard(shard) = turn.at else {
                continue;
            };
            let (from, to) = (lane(shard, count, self.spread), lane(shard, count, spread));
            before[from].move_to(next[from], &mut self.lanes[to]);
            next[from] += 1;
        }
        self.spread = spread;
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

/// The lane of a shard among so many, if they are used at all.
fn lane(shard: u8, lanes: usize, spread: bool) -> usize {
    if spread {
        usize::from(shard) % lanes.max(1)
    } else {
        0
    }
}

/// What a worker has to do in a round: a state and its packets. Whoever has it owns it.
#[derive(Debug)]
pub struct Work {
    /// Which of the states it is.
    pub(super) lane: usize,
    pub(super) state: State,
    pub(super) batch: Batch,
    /// Until when the clock moves in the end.
    pub(super) until: Option<Nanos>,
}

impl Work {
    /// Which lane of the round it is, from 0.
    pub fn lane(&self) -> usize {
        self.lane
    }

    /// Carries the packets to their verdicts.
    pub fn run(&mut self, program: &Program) {
        self.batch.run(program, &mut self.state, &mut ());
        if let Some(until) = self.until {
            self.state.settle(program, until);
        }
    }
}

impl State {
    /// Moves the clock where no fragments wait.
    pub(super) fn settle(&mut self, program: &Program, to: Nanos) {
        self.now = self.now.max(to);
        self.end_due(program);
    }
}
