//! What carries packets to their verdicts: one state, or several with a thread each.

use crate::ledger::Captured;
use crate::timeline::Usage as Fill;
use crate::watch::Watch;
use crate::workers::Workers;
use std::collections::VecDeque;
use std::io;
use vpcsim_dataplane::{
    Arrival, Arrivals, ArrivedAt, Batch, Ended, InOrder, Nanos, Place, Program, Round, Shards,
    State, Use,
};
use vpcsim_packet::Glance;

/// Is told what became of packets.
pub(crate) trait End {
    /// Which packets it wants to be told of.
    fn wants(&self) -> Wants;

    /// So many simply arrived; their weights are lengths on the link.
    fn arrived(&mut self, sum: ArrivedAt);

    /// A packet simply arrived, in order with [`Self::end`]; it is in a sum.
    fn write(&mut self, place: Place, time: Nanos, bytes: &[u8], captured: &Captured);

    /// What became of a packet that is in no sum.
    fn end(&mut self, ended: Ended<'_>, captured: &Captured);
}

/// Which packets somebody wants to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// None that simply arrived, but of how many.
    Sums,
    /// Of these as well, so that they are written.
    Packets,
    /// Of each, and there are to be no sums.
    Each,
}

/// Ends packets in order.
struct Ending<'a, E> {
    end: &'a mut E,
    waiting: &'a [Captured],
}

impl<'a, E: End> InOrder<'a> for Ending<'_, E> {
    #[inline(always)]
    fn arrived(&mut self, number: usize, place: Place, time: Nanos, bytes: &'a [u8]) {
        self.end.write(place, time, bytes, &self.waiting[number]);
    }

    fn ended(&mut self, number: usize, ended: Ended<'a>) {
        self.end.end(ended, &self.waiting[number]);
    }
}

/// Carries packets, and gives them back in the order in which it was given them.
#[derive(Debug)]
pub(crate) enum Carrier {
    Alone(Box<Alone>),
    Shared(Box<Shared>),
}

/// One state, on the thread that reads and writes.
#[derive(Debug)]
pub(crate) struct Alone {
    state: State,
    /// Packets that wait to be carried.
    batch: Batch,
    /// What is remembered of each of them, in the same order.
    waiting: Vec<Captured>,
    arrivals: Arrivals,
}

/// Several states, each carried on by a thread of its own while this one reads what comes next and
/// writes what came before.
#[derive(Debug)]
pub(crate) struct Shared {
    shards: Shards,
    workers: Workers,
    filling: Load,
    /// In the order in which they were dealt out.
    under_way: VecDeque<UnderWay>,
    spare: Vec<Load>,
}

#[derive(Debug)]
struct UnderWay {
    load: Load,
    /// In how many works it was dealt out.
    works: usize,
}

/// A round, and what is remembered of each of its packets.
#[derive(Debug, Default)]
struct Load {
    round: Round,
    waiting: Vec<Captured>,
}

impl Carrier {
    pub(crate) fn alone(program: &Program) -> Self {
        Self::Alone(Box::new(Alone {
            state: State::new(program),
            batch: Batch::new(),
            waiting: Vec::new(),
            arrivals: Arrivals::new(),
        }))
    }

    pub(crate) fn shared(program: &Program, workers: Workers) -> Self {
        Self::Shared(Box::new(Shared {
            shards: Shards::new(program, workers.count()),
            workers,
            filling: Load::default(),
            under_way: VecDeque::new(),
            spare: Vec::new(),
        }))
    }

    /// Adds a packet; whether there are so many now that they should be carried.
    #[inline]
    pub(crate) fn push(
        &mut self,
        program: &Program,
        arrival: Arrival,
        bytes: &[u8],
        glance: Option<&Glance>,
        captured: Captured,
    ) -> bool {
        let weight = captured.frame_len;
        match self {
            Self::Alone(alone) => {
                alone.batch.push_weighing(arrival, bytes, weight);
                alone.waiting.push(captured);
                alone.batch.is_full()
            }
            Self::Shared(shared) => {
                let Load { round, waiting } = &mut shared.filling;
                let shards = &mut shared.shards;
                shards.push_known(program, round, arrival, bytes, glance, weight);
                waiting.push(captured);
                round.is_full()
            }
        }
    }

    /// Carries the packets that wait. Some may be under way afterwards; `end` is told of those that
    /// are not.
    ///
    /// # Errors
    /// When a worker has ended early.
    pub(crate) fn carry(
        &mut self,
        program: &Program,
        watch: Option<&mut Watch>,
        end: &mut impl End,
    ) -> io::Result<()> {
        match self {
            Self::Alone(alone) => {
                alone.carry(program, watch, end);
                Ok(())
            }
            Self::Shared(shared) => shared.carry(program, end),
        }
    }

    /// Carries the packets that wait, until none is under way.
    ///
    /// # Errors
    /// When a worker has ended early.
    pub(crate) fn carry_all(
        &mut self,
        program: &Program,
        watch: Option<&mut Watch>,
        end: &mut impl End,
    ) -> io::Result<()> {
        self.carry(program, watch, end)?;
        if let Self::Shared(shared) = self {
            while !shared.under_way.is_empty() {
                shared.collect(program, end)?;
            }
        }
        Ok(())
    }

    /// Flows remembered at nics, and sessions of each gateway: counts that cost nothing. None may
    /// be under way.
    pub(crate) fn fill(&mut self, program: &Program) -> Fill {
        match self {
            Self::Alone(alone) => {
                alone.state.end_due(program);
                Fill::of(program, [&alone.state])
            }
            Self::Shared(shared) => Fill::of(program, shared.shards.states()),
        }
    }

    /// How full the tables are. Packets that wait have left nothing there yet.
    pub(crate) fn usage(&self, program: &Program) -> Use {
        match self {
            Self::Alone(alone) => alone.state.usage(program),
            Self::Shared(shared) => shared.shards.usage(program),
        }
    }
}

impl Alone {
    /// Nothing else than one state has a watcher: it sees the packets in order.
    fn carry(&mut self, program: &Program, watch: Option<&mut Watch>, end: &mut impl End) {
        match watch {
            Some(watch) => self.batch.run(program, &mut self.state, watch),
            None => self.batch.run(program, &mut self.state, &mut ()),
        }
        let (batch, waiting) = (&self.batch, &self.waiting);
        let wants = end.wants();
        if wants == Wants::Each {
            let waiting = &mut waiting.iter();
            batch.for_each_ended(|ended| {
                if let Some(captured) = waiting.next() {
                    end.end(ended, captured);
                }
            });
        } else {
            let in_order = wants == Wants::Packets;
            batch.sum_up(&mut self.arrivals, |other| {
                if !in_order {
                    batch.tell_ended(other, |ended| end.end(ended, &waiting[other]));
                }
            });
            self.arrivals.take().for_each(|sum| end.arrived(sum));
            if in_order {
                batch.tell_in_order(&mut Ending { end, waiting });
            }
        }
        self.batch.clear();
        self.waiting.clear();
    }
}

impl Shared {
    /// Deals out the packets that wait, and ends those of rounds that had to come back before.
    fn carry(&mut self, program: &Program, end: &mut impl End) -> io::Result<()> {
        if self.filling.round.is_empty() {
            return Ok(());
        }
        if self.under_way.len() == Workers::ROUNDS {
            self.collect(program, end)?;
        }
        let works = loop {
            if let Some(works) = self.shards.deal(program, &mut self.filling.round) {
                break works;
            }
            self.collect(program, end)?;
        };
        let next = self.spare.pop().unwrap_or_default();
        self.under_way.push_back(UnderWay {
            load: std::mem::replace(&mut self.filling, next),
            works: works.len(),
        });
        self.workers.give(works)
    }

    /// Takes back the round that was dealt out first, and ends its packets.
    fn collect(&mut self, program: &Program, end: &mut impl End) -> io::Result<()> {
        let Some(UnderWay { mut load, works }) = self.under_way.pop_front() else {
            return Ok(());
        };
        let works = self.workers.take(works)?;
        let Load { round, waiting } = &mut load;
        self.shards.collect(program, round, works);
        let wants = end.wants();
        if wants == Wants::Each || !round.is_plain() {
            let waiting = &mut waiting.iter();
            round.for_each_ended(|ended| {
                if let Some(captured) = waiting.next() {
                    end.end(ended, captured);
                }
            });
        } else {
            round.arrived().for_each(|sum| end.arrived(*sum));
            if wants == Wants::Sums && round.others_are_few() {
                round.for_each_other(|other, ended| end.end(ended, &waiting[other]));
            } else {
                round.tell_in_order(&mut Ending { end, waiting });
            }
        }
        round.clear();
        waiting.clear();
        self.spare.push(load);
        Ok(())
    }
}
