//! The dataplane as `replay` drives it: batches through every stage.

use crate::carrier::{Carrier, Way};
use crate::error::BenchError;
use crate::flow::Flow;
use std::io;
use std::sync::Arc;
use vpcsim_dataplane::{
    Arrival, Arrived, Batch, Nanos, Program, Round, Shards, Source, State, Use, Verdict, Work,
    advance,
};
use vpcsim_network::CvmId;
use vpcsim_replay::Workers;

/// Virtual time between two packets, in nanoseconds: the smallest ones at 5 Gbit/s. So the clock
/// moves as it would at the target, deadlines move with it, and what should expire expires.
pub(crate) const PACE: u64 = 134;
/// 2025-01-01 00:00:00 UTC.
pub(crate) const START: Nanos = Nanos(1_735_689_600_000_000_000);

/// A dataplane with its state and its clock.
#[derive(Debug)]
pub(crate) struct Pipeline {
    program: Arc<Program>,
    engine: Engine,
    now: Nanos,
    pace: u64,
    /// Packets so far.
    packets: u64,
}

/// One state on this thread, or several: the last one on this thread, which has nothing else to do
/// meanwhile, the others each on a thread of its own.
#[derive(Debug)]
enum Engine {
    Alone(Box<State>, Batch),
    Shared(Box<Shared>),
}

/// Rounds that are carried at once: few enough that their packets stay in the second-level cache.
const ROUNDS: usize = 2;

/// Rounds that are filled one after the other, and then carried all at once.
#[derive(Debug)]
struct Shared {
    shards: Shards,
    workers: Workers,
    rounds: Vec<Round>,
}

/// A round that is under way.
#[derive(Debug)]
struct Dealt<'r> {
    round: &'r mut Round,
    /// For this thread.
    own: Option<Work>,
    /// How many others.
    given: usize,
}

impl Shared {
    fn new(program: &Arc<Program>, workers: usize) -> io::Result<Self> {
        let shards = Shards::new(program, workers);
        let workers = Workers::start_detached(program, shards.workers() - 1)?;
        Ok(Self {
            shards,
            workers,
            rounds: (0..ROUNDS).map(|_| Round::new()).collect(),
        })
    }

    fn push(&mut self, program: &Program, arrival: Arrival, packet: &[u8]) {
        let next = self.rounds.iter_mut().find(|round| !round.is_full());
        if let Some(round) = next {
            self.shards.push(program, round, arrival, packet);
        }
    }

    fn run(&mut self, program: &Program) {
        let Self {
            shards,
            workers,
            rounds,
        } = self;
        let mut under_way = Vec::new();
        for round in rounds {
            let mut works = loop {
                if let Some(works) = shards.deal(program, round) {
                    break works;
                }
                collect(program, shards, workers, &mut under_way);
            };
            let own = works.pop();
            let given = works.len();
            // A worker that is gone has panicked, and its packets are lost.
            let _ = workers.give(works);
            under_way.push(Dealt { round, own, given });
        }
        collect(program, shards, workers, &mut under_way);
    }

    /// A packet, in the order in which they were pushed.
    fn packet(&mut self, mut index: usize) -> Option<&[u8]> {
        for round in &mut self.rounds {
            if index < round.len() {
                return round.bytes(index);
            }
            index -= round.len();
        }
        None
    }
}

/// Does this thread's works, and waits for those of the others.
fn collect(
    program: &Program,
    shards: &mut Shards,
    workers: &Workers,
    under_way: &mut Vec<Dealt<'_>>,
) {
    let own = under_way.iter_mut().filter_map(|dealt| dealt.own.as_mut());
    own.for_each(|work| work.run(program));
    for Dealt { round, own, given } in under_way.drain(..) {
        let mut done = workers.take(given).unwrap_or_default();
        done.extend(own);
        shards.collect(program, round, done);
    }
}

impl Engine {
    fn run(&mut self, program: &Program) {
        match self {
            Self::Alone(state, batch) => batch.run(program, state, &mut ()),
            Self::Shared(shared) => shared.run(program),
        }
    }

    fn arrived(&self) -> Arrived {
        match self {
            Self::Alone(_, batch) => batch.places().collect(),
            Self::Shared(shared) => {
                let mut all = Arrived::default();
                let rounds = shared.rounds.iter();
                let rounds = rounds.map(|round| round.arrived().collect::<Arrived>());
                rounds.for_each(|arrived| all += arrived);
                all
            }
        }
    }
}

fn is_lost(verdict: &Verdict) -> bool {
    !matches!(verdict, Verdict::Delivered(_))
}

impl Pipeline {
    pub(crate) fn new(program: Arc<Program>, workers: usize) -> Result<Self, BenchError> {
        let engine = if workers > 1 {
            Engine::Shared(Box::new(Shared::new(&program, workers)?))
        } else {
            Engine::Alone(Box::new(State::new(&program)), Batch::new())
        };
        Ok(Self {
            program,
            engine,
            now: START,
            pace: PACE,
            packets: 0,
        })
    }

    /// Nothing happens for some seconds.
    pub(crate) fn pause(&mut self, seconds: u32) {
        self.now = self.now.after_seconds(seconds);
    }

    /// From now on so many nanoseconds pass between two packets.
    pub(crate) fn set_pace(&mut self, pace: u64) {
        self.pace = pace;
    }

    /// The virtual time since the beginning, in nanoseconds.
    pub(crate) fn elapsed(&self) -> u64 {
        self.now.0 - START.0
    }

    /// How full the tables are.
    pub(crate) fn usage(&self) -> Use {
        match &self.engine {
            Engine::Alone(state, _) => state.usage(&self.program),
            Engine::Shared(shared) => shared.shards.usage(&self.program),
        }
    }

    /// Packets of the batch that were not delivered.
    pub(crate) fn lost(&self) -> usize {
        match &self.engine {
            Engine::Alone(_, batch) => batch.places().filter(Option::is_none).count(),
            Engine::Shared(shared) => {
                let ended = shared.rounds.iter().flat_map(Round::ended);
                ended.filter(|ended| is_lost(&ended.walked.verdict)).count()
            }
        }
    }

    /// Ends what is due, without a packet.
    pub(crate) fn expire(&mut self) {
        let (program, now, others) = (&self.program, self.now, &mut Vec::new());
        match &mut self.engine {
            Engine::Alone(state, _) => advance(program, state, now, &mut (), others),
            Engine::Shared(shared) => shared.shards.advance(program, now, others),
        }
    }
}

impl Carrier for Pipeline {
    fn size(&self) -> usize {
        match self.engine {
            Engine::Alone(..) => Batch::SIZE,
            Engine::Shared(..) => ROUNDS * Round::SIZE,
        }
    }

    fn push(&mut self, flow: &Flow, way: Way, packet: &[u8]) {
        self.now.0 += self.pace;
        let arrival = Arrival {
            id: self.packets,
            time: self.now,
            source: match way {
                Way::Out => Source::Cvm(CvmId(flow.host)),
                Way::In => Source::Internet,
            },
        };
        self.packets += 1;
        match &mut self.engine {
            Engine::Alone(_, batch) => batch.push(arrival, packet),
            Engine::Shared(shared) => shared.push(&self.program, arrival, packet),
        }
    }

    // By its name `cargo xtask instructions` finds what is to be counted.
    #[inline(never)]
    fn carry(&mut self) -> Arrived {
        self.engine.run(&self.program);
        self.engine.arrived()
    }

    fn packet(&mut self, index: usize) -> Option<&[u8]> {
        match &mut self.engine {
            Engine::Alone(_, batch) => batch.bytes_mut(index).map(|bytes| &*bytes),
            Engine::Shared(shared) => shared.packet(index),
        }
    }

    fn first_lost(&self) -> Option<String> {
        let lost = match &self.engine {
            Engine::Alone(_, batch) => batch.ended().map(|e| e.walked.verdict).find(is_lost),
            Engine::Shared(shared) => {
                let ended = shared.rounds.iter().flat_map(Round::ended);
                ended.map(|e| e.walked.verdict).find(is_lost)
            }
        }?;
        Some(match lost {
            Verdict::Dropped(drop) => format!("{} at {}", drop.reason, drop.stage),
            other => format!("{other:?}"),
        })
    }

    fn clear(&mut self) {
        match &mut self.engine {
            Engine::Alone(_, batch) => batch.clear(),
            Engine::Shared(shared) => shared.rounds.iter_mut().for_each(Round::clear),
        }
    }
}
