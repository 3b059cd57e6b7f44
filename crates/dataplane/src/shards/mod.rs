//! Several states that are as good as one.
//!
//! Packets are taken in rounds. As a packet comes it is given the clock of its turn and a shard
//! ([`crate::steer`]); fragments are held here until their shard is known. A round is then dealt
//! out: each state carries the packets of its shards, alone, on whatever thread, and no packet
//! meets what a packet of another shard has left behind. What shards do share are limits. A round
//! in which none of them can be reached is dealt to all states; for one in which a limit could be
//! reached, or a packet may touch several shards, the states are joined into one that carries it
//! in order, and parted again when that is over. So the verdicts, the bytes and what is left behind
//! are those of one [`State`], whatever the number of states.

mod journal;
mod limits;
mod push;
mod round;
mod transfer;

pub(crate) use journal::Journal;
pub use round::{Round, Work};

use crate::bucket::Buckets;
use crate::fragments::Fragments;
use crate::steer::{SHARDS, Steering};
use crate::walk::Other;
use crate::{GatewayUse, Nanos, Program, State, Use};
use journal::Peaks;
use limits::Costs;
use round::At;
use vpcsim_network::NatGatewayId;

/// What packets leave behind for later ones, in several states, each of which is owned by one
/// worker at a time.
///
/// ```text
/// while there are packets {
///     while !round.is_full() { shards.push(&program, &mut round, arrival, bytes) }
///     shards.run(&program, &mut round);
///     for ended in round.ended() { … }
///     round.clear();
/// }
/// ```
///
/// With threads, [`deal`](Self::deal), [`Work::run`] on each, and [`collect`](Self::collect) stand
/// in the place of [`run`](Self::run); packets of the next round may be pushed in between.
#[derive(Debug)]
pub struct Shards {
    /// At home; none while a round is under way.
    states: Vec<State>,
    workers: usize,
    /// Most flow entries of a state.
    cache: usize,
    steering: Steering,
    costs: Costs,
    /// The fragments of all shards: a later one has no shard before its first one is known.
    fragments: Fragments,
    /// The latest time of the packets pushed.
    clock: Nanos,
    /// All connections are in the first state, and packets are carried in order.
    joined: bool,
    /// Packets to be carried in order before the states are parted.
    stays_joined: u64,
    /// Packets that states stay joined for at least.
    patience: u64,
    /// While the states are parted: the limits and the most there were of all together.
    buckets: Buckets,
    peaks: Peaks,
    rounds: Rounds,
}

/// How rounds were carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rounds {
    /// By all states, each for itself.
    pub parallel: u64,
    /// By one state, in order.
    pub in_order: u64,
}

/// Packets that states stay joined for: joining and parting costs some 100 ns a packet at most.
const PATIENCE: u64 = 8 * Round::SIZE as u64;
/// The same for each connection, which has to move and is to be remembered anew.
const PATIENCE_FOR_EACH: u64 = 32;

impl Shards {
    /// So many empty states for a program, at least one and at most [`SHARDS`].
    pub fn new(program: &Program, workers: usize) -> Self {
        let steering = Steering::new(program);
        let mut shards = Self {
            states: Vec::new(),
            workers: workers.clamp(1, SHARDS),
            cache: usize::MAX,
            costs: Costs::new(program.network()),
            fragments: Fragments::default(),
            clock: Nanos(0),
            joined: true,
            stays_joined: 0,
            patience: PATIENCE,
            buckets: Buckets::new(program.network()),
            peaks: Peaks::default(),
            rounds: Rounds::default(),
            steering,
        };
        shards.states = (0..shards.workers).map(|_| shards.empty(program)).collect();
        shards.part(program);
        shards
    }

    /// The same with room for so many flow entries in each state.
    #[must_use]
    pub fn with_flow_cache(mut self, entries: usize) -> Self {
        self.cache = entries;
        let states = std::mem::take(&mut self.states).into_iter();
        let states = states.map(|state| state.with_flow_cache(entries));
        self.states = states.collect();
        self
    }

    /// The same whose states are parted again after so many packets in order, at the earliest.
    #[doc(hidden)]
    #[must_use]
    pub fn with_patience(mut self, packets: u64) -> Self {
        self.patience = packets;
        self
    }

    /// How many states there are.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// How the rounds so far were carried.
    pub fn rounds(&self) -> Rounds {
        self.rounds
    }

    /// The latest time seen.
    pub fn now(&self) -> Nanos {
        self.clock
    }

    fn empty(&self, program: &Program) -> State {
        State::new(program).with_flow_cache(self.cache)
    }

    /// Carries every packet of a round to its verdict, in order.
    pub fn run(&mut self, program: &Program, round: &mut Round) {
        let mut works = self.deal(program, round);
        for work in &mut works {
            work.run(program);
        }
        self.collect(program, round, works);
    }

    /// Deals a round out: the work of each state, one for all where it has to be done in order.
    /// Nothing while another round is under way.
    pub fn deal(&mut self, program: &Program, round: &mut Round) -> Vec<Work> {
        let Some(last) = round.turns.last().copied() else {
            return Vec::new();
        };
        let in_order = !self.steering.divides()
            || round.mixes
            || (!self.joined && self.may_reach_a_limit(program, round));
        if in_order {
            self.join(program);
        } else if self.joined && self.stays_joined == 0 && !self.may_reach_a_limit(program, round) {
            self.part(program);
        }
        self.stays_joined = self.stays_joined.saturating_sub(round.len() as u64);
        round.lanes.resize_with(self.workers, Default::default);
        round.arrange(!self.joined);
        let taken = if self.joined { 1 } else { self.workers };
        let counted = if self.joined {
            &mut self.rounds.in_order
        } else {
            &mut self.rounds.parallel
        };
        *counted += 1;
        // Who has the last packet has ended what was due before it; the others end it now.
        let of_last = match last.at {
            At::Shard(shard) => Some(round.lane(shard)),
            At::Here => None,
        };
        let states = std::mem::take(&mut self.states);
        let mut lanes = round.lanes.iter_mut();
        let works = states.into_iter().enumerate().map(|(lane, state)| Work {
            lane,
            state,
            batch: lanes.next().map(std::mem::take).unwrap_or_default(),
            until: (of_last != Some(lane)).then_some(last.clock),
        });
        let mut works: Vec<_> = works.collect();
        // Nothing is left in the others.
        self.states = works.drain(taken..).map(|work| work.state).collect();
        works
    }

    /// Takes back what was dealt out and done; the round then knows how its packets ended.
    pub fn collect(&mut self, program: &Program, round: &mut Round, mut works: Vec<Work>) {
        works.sort_by_key(Work::lane);
        let mut states = Vec::with_capacity(self.workers);
        for work in works {
            if let Some(lane) = round.lanes.get_mut(work.lane) {
                *lane = work.batch;
            }
            states.push(work.state);
        }
        states.append(&mut self.states);
        self.states = states;
        if !self.joined {
            self.account(program, round);
        }
        round.join_early();
    }

    /// Counts together what the states did in a round, each for itself.
    fn account(&mut self, program: &Program, round: &Round) {
        let journals = self
            .states
            .iter_mut()
            .filter_map(|s| s.journal.as_deref_mut());
        let mut journals: Vec<_> = journals.collect();
        self.peaks.raise(&round.turns, &mut journals);
        self.peaks.begin = self.counts(program);
        if self.buckets.are_limited() {
            let mut book = Vec::new();
            for state in &mut self.states {
                book.append(state.buckets.book());
            }
            book.sort_by_key(|taken| taken.at);
            self.buckets.settle(&book);
        }
    }

    /// Connections of nics, then of each gateway.
    fn counts(&self, program: &Program) -> Vec<usize> {
        let gateways = (0..program.network().nat_gateways.len() as u32).map(NatGatewayId);
        let sum = |of: &dyn Fn(&State) -> usize| self.states.iter().map(of).sum();
        let flows = sum(&|state| state.flows.len());
        let sessions = gateways.map(|id| sum(&|state| state.sessions.gateway_len(id)));
        [flows].into_iter().chain(sessions).collect()
    }

    /// Joins the states into the first one.
    fn join(&mut self, program: &Program) {
        if self.joined {
            return;
        }
        debug_assert!(self.states.iter().enumerate().all(|(lane, state)| {
            let lane_of = |shard| usize::from(shard) % self.workers;
            transfer::shards(program, &self.steering, state).all(|shard| lane_of(shard) == lane)
        }));
        let rest = self.states.split_off(1.min(self.states.len()));
        for mut state in rest {
            transfer::pour(program, &self.steering, &mut state, &mut self.states, |_| 0);
        }
        let fresh = (self.states.len()..self.workers).map(|_| self.empty(program));
        let fresh: Vec<_> = fresh.collect();
        if let Some(all) = self.states.first_mut() {
            all.journal = None;
            all.buckets = self.buckets.clone();
            let mut peaks = self.peaks.most.iter().copied();
            all.flows.raise_peak(peaks.next().unwrap_or(0));
            for (id, peak) in (0..).map(NatGatewayId).zip(peaks) {
                all.sessions.raise_gateway_peak(id, peak);
            }
        }
        self.states.extend(fresh);
        self.joined = true;
        self.be_patient();
    }

    /// States that were joined, or cannot be parted, stay so for a while.
    fn be_patient(&mut self) {
        let connections: usize = self.states.iter().map(|state| state.flows.len()).sum();
        let for_each = self.patience.min(PATIENCE_FOR_EACH);
        self.stays_joined = self.patience + for_each * connections as u64;
    }

    /// Parts the connections of the first state among all.
    fn part(&mut self, program: &Program) {
        if !self.joined || !self.steering.divides() {
            return;
        }
        let Some(all) = self.states.first_mut() else {
            return;
        };
        if !transfer::is_separable(program, &self.steering, all) {
            self.be_patient();
            return;
        }
        let used = all.usage(program);
        self.peaks.most = [used.connections_peak]
            .into_iter()
            .chain(used.gateways.iter().map(|gateway| gateway.sessions_peak))
            .collect();
        self.buckets = all.buckets.clone();
        let limited = self.buckets.are_limited();
        let mut states: Vec<_> = (0..self.workers).map(|_| self.empty(program)).collect();
        let workers = self.workers;
        if let Some(all) = self.states.first_mut() {
            transfer::pour(program, &self.steering, all, &mut states, |shard| {
                usize::from(shard) % workers
            });
        }
        for state in &mut states {
            state.journal = Some(Box::default());
            if limited {
                state.buckets.keep_book();
            }
        }
        self.states = states;
        self.joined = false;
        self.peaks.begin = self.counts(program);
    }

    /// Moves the clock without a packet, as [`advance`](crate::advance) does. No round may be
    /// under way.
    pub fn advance(&mut self, program: &Program, now: Nanos, others: &mut Vec<Other>) {
        self.clock = self.clock.max(now);
        self.time_out(others);
        for state in &mut self.states {
            state.settle(program, self.clock);
            if let Some(journal) = &mut state.journal {
                journal.clear();
            }
        }
        if !self.joined {
            self.peaks.begin = self.counts(program);
        }
    }

    /// Goes on under a changed network, as [`State::adopt`] does. No round may be under way.
    pub fn adopt(&mut self, old: &Program, new: &Program) {
        self.join(old);
        if let Some(all) = self.states.first_mut() {
            all.fragments = std::mem::take(&mut self.fragments);
            all.adopt(old, new);
            self.fragments = std::mem::take(&mut all.fragments);
        }
        self.states.truncate(1);
        let fresh = (1..self.workers).map(|_| self.empty(new));
        let fresh: Vec<_> = fresh.collect();
        self.states.extend(fresh);
        self.steering = Steering::new(new);
        self.costs = Costs::new(new.network());
        self.stays_joined = 0;
    }

    /// The states, for who adds up what each of them counts. No round may be under way.
    pub fn states(&self) -> impl Iterator<Item = &State> {
        self.states.iter()
    }

    /// How full the tables are. No round may be under way.
    pub fn usage(&self, program: &Program) -> Use {
        let mut states = self.states.iter().map(|state| state.usage(program));
        let mut all = states
            .next()
            .unwrap_or_else(|| State::new(program).usage(program));
        for other in states {
            all.connections += other.connections;
            for (gateway, other) in all.gateways.iter_mut().zip(other.gateways) {
                gateway.add(other);
            }
        }
        if !self.joined {
            let mut peaks = self.peaks.most.iter().copied();
            all.connections_peak = peaks.next().unwrap_or(0);
            for (gateway, peak) in all.gateways.iter_mut().zip(peaks) {
                gateway.sessions_peak = peak;
            }
        }
        all.fragments_held = self.fragments.held();
        all
    }
}

impl GatewayUse {
    /// Counts the sessions of another state too.
    fn add(&mut self, other: Self) {
        self.sessions += other.sessions;
        for ((_, sessions), (_, more)) in self.by_eip.iter_mut().zip(other.by_eip) {
            *sessions += more;
        }
    }
}
