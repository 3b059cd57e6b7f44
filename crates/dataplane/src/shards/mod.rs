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
//!
//! Rounds may be under way while others are dealt out: each state carries its part of them in order,
//! and of those not yet collected every packet counts against every limit. Before states are joined
//! or parted all have to be back.

mod journal;
mod level;
mod limits;
mod push;
mod round;
mod transfer;
mod work;

pub(crate) use journal::Journal;
pub use round::Round;
pub use work::Work;

use crate::bucket::{Buckets, Emptiest};
use crate::fragments::Fragments;
use crate::steer::{SHARDS, Steering};
use crate::walk::Other;
use crate::{GatewayUse, Nanos, Program, State, Use};
use journal::Peaks;
use level::Level;
use limits::Costs;
use round::At;
use vpcsim_network::NatGatewayId;
use work::{Part, Seat};

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
/// in the place of [`run`](Self::run); packets of other rounds may be pushed, and other rounds dealt out,
/// in between.
#[derive(Debug)]
pub struct Shards {
    /// At home; none while a round is under way.
    #[expect(
        clippy::vec_box,
        reason = "each moves to its seat and back with every round"
    )]
    states: Vec<Box<State>>,
    /// Where each of them waits for its works meanwhile.
    seats: Vec<Seat>,
    /// How full each of them was after the last round that was collected.
    levels: Vec<Level>,
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
    under_way: UnderWay,
    rounds: Rounds,
}

/// What has been dealt out and not collected.
#[derive(Debug, Default)]
struct UnderWay {
    rounds: usize,
    packets: usize,
    /// Buckets from which all packets under way have taken what they may cost.
    emptiest: Emptiest,
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
const PATIENCE: u64 = 1 << 17;
/// The same for each connection, which has to move and is to be remembered anew.
const PATIENCE_FOR_EACH: u64 = 32;

impl Shards {
    /// So many empty states for a program, at least one and at most [`SHARDS`].
    pub fn new(program: &Program, workers: usize) -> Self {
        let workers = workers.clamp(1, SHARDS);
        let mut shards = Self {
            states: (0..workers)
                .map(|_| Box::new(Self::state(program)))
                .collect(),
            seats: (0..workers).map(|_| Seat::new()).collect(),
            levels: Vec::new(),
            cache: usize::MAX,
            steering: Steering::new(program),
            costs: Costs::new(program.network()),
            fragments: Fragments::default(),
            clock: Nanos(0),
            joined: true,
            stays_joined: 0,
            patience: PATIENCE,
            buckets: Buckets::new(program.network()),
            peaks: Peaks::default(),
            under_way: UnderWay::default(),
            rounds: Rounds::default(),
        };
        shards.take_stock(program);
        shards.part(program);
        shards
    }

    /// The same with room for so many flow entries in each state.
    #[must_use]
    pub fn with_flow_cache(mut self, entries: usize) -> Self {
        self.cache = entries;
        let states = std::mem::take(&mut self.states).into_iter();
        let states = states.map(|state| Box::new(state.with_flow_cache(entries)));
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
        self.seats.len()
    }

    /// How the rounds so far were carried.
    pub fn rounds(&self) -> Rounds {
        self.rounds
    }

    /// The latest time seen.
    pub fn now(&self) -> Nanos {
        self.clock
    }

    /// A state whose connections end when they are due: what all states count together depends on it.
    fn state(program: &Program) -> State {
        State::new(program).with_ends_a_turn(usize::MAX)
    }

    fn empty(&self, program: &Program) -> Box<State> {
        Box::new(Self::state(program).with_flow_cache(self.cache))
    }

    /// Carries every packet of a round to its verdict, in order. No round may be under way.
    pub fn run(&mut self, program: &Program, round: &mut Round) {
        let mut works = self.deal(program, round).unwrap_or_default();
        for work in &mut works {
            work.run(program);
        }
        self.collect(program, round, works);
    }

    /// Deals a round out: the work of each state, one for all where it has to be done in order.
    /// `None` where first a round that is under way has to be [collected](Self::collect); of course
    /// never where none is.
    pub fn deal(&mut self, program: &Program, round: &mut Round) -> Option<Vec<Work>> {
        let Some(last) = round.turns.last().copied() else {
            return Some(Vec::new());
        };
        if !self.is_arranged(program, round) {
            return None;
        }
        self.stays_joined = self.stays_joined.saturating_sub(round.len() as u64);
        self.under_way.rounds += 1;
        self.under_way.packets += round.len();
        round.arrange(!self.joined);
        let (taken, counted) = if self.joined {
            (1, &mut self.rounds.in_order)
        } else {
            (self.seats.len(), &mut self.rounds.parallel)
        };
        *counted += 1;
        // Who has the last packet has ended what was due before it; the others end it now.
        let of_last = match last.at {
            At::Shard(shard) => Some(round.lane(shard)),
            At::Here => None,
        };
        for (seat, state) in self.seats.iter().zip(self.states.drain(..)) {
            seat.put(state);
        }
        let lanes = self.seats.iter().zip(&mut round.lanes).take(taken);
        let works = lanes.enumerate().map(|(lane, (seat, part))| Work {
            lane,
            seat: seat.clone(),
            part: std::mem::take(part),
            until: (of_last != Some(lane)).then_some(last.clock),
        });
        Some(works.collect())
    }

    /// Sees to it that the states are joined, or parted, as a round needs them; false where they would
    /// have to be and a round is under way.
    fn is_arranged(&mut self, program: &Program, round: &Round) -> bool {
        let is_busy = self.under_way.rounds > 0;
        let in_order = !self.steering.divides() || round.mixes;
        if self.joined {
            if in_order || self.stays_joined > 0 {
                return true;
            }
            if is_busy {
                return false;
            }
            self.take_stock(program);
            if !self.may_reach_a_limit(program, round) {
                self.part(program);
            }
        } else if in_order || self.may_reach_a_limit(program, round) {
            if is_busy {
                return false;
            }
            self.join(program);
        }
        true
    }

    /// Takes back what was dealt out and done; the round then knows how its packets ended. Rounds have
    /// to be collected in the order in which they were dealt out.
    pub fn collect(&mut self, program: &Program, round: &mut Round, works: Vec<Work>) {
        if round.is_empty() {
            return;
        }
        self.under_way.rounds = self.under_way.rounds.saturating_sub(1);
        self.under_way.packets = self.under_way.packets.saturating_sub(round.len());
        for work in works {
            if let Some(part) = round.lanes.get_mut(work.lane) {
                *part = work.part;
            }
        }
        if self.under_way.rounds == 0 {
            self.states.extend(self.seats.iter().filter_map(Seat::take));
        }
        if !self.joined {
            self.account(program, round);
        }
        round.join_early();
    }

    /// Counts together what the states did in a round, each for itself.
    fn account(&mut self, program: &Program, round: &mut Round) {
        let Round { turns, lanes, .. } = round;
        let mut moved = false;
        for (level, Part { told, .. }) in self.levels.iter_mut().zip(&mut *lanes) {
            if !told.events.is_empty() {
                std::mem::swap(level, &mut told.level);
                moved = true;
            }
        }
        if moved {
            let events = lanes.iter().map(|part| part.told.events.as_slice());
            self.peaks.raise(turns, &events.collect::<Vec<_>>());
            self.peaks.begin = self.counts(program);
        }
        debug_assert!(self.levels_are_right(program));
        if self.buckets.are_limited() {
            let taken = lanes.iter().flat_map(|part| &part.told.taken).copied();
            let mut taken: Vec<_> = taken.collect();
            taken.sort_by_key(|taken| taken.at);
            self.buckets.settle(&taken);
        }
    }

    /// Whether what was told of the states that are at home is how full they are.
    fn levels_are_right(&self, program: &Program) -> bool {
        let mut told = self.states.iter().zip(&self.levels);
        told.all(|(state, level)| Level::of(program, state) == *level)
    }

    /// Connections of nics, then of each gateway.
    fn counts(&self, program: &Program) -> Vec<usize> {
        let gateways = 0..program.network().nat_gateways.len();
        let flows = self.sum(|level| level.flows);
        let sessions = gateways.map(|number| self.sum(|level| level.of_gateway(number)));
        [flows].into_iter().chain(sessions).collect()
    }

    /// Of all states together.
    fn sum(&self, of: impl Fn(&Level) -> usize) -> usize {
        self.levels.iter().map(of).sum()
    }

    /// Looks how full the states are, and joined ones' buckets. No round may be under way.
    fn take_stock(&mut self, program: &Program) {
        let levels = self.states.iter().map(|state| Level::of(program, state));
        self.levels = levels.collect();
        if self.joined
            && let Some(all) = self.states.first()
        {
            self.buckets = all.buckets.clone();
        }
    }

    /// Joins the states into the first one.
    fn join(&mut self, program: &Program) {
        if self.joined {
            return;
        }
        debug_assert!(self.states.iter().enumerate().all(|(lane, state)| {
            let lane_of = |shard| usize::from(shard) % self.workers();
            transfer::shards(program, &self.steering, state).all(|shard| lane_of(shard) == lane)
        }));
        let rest = self.states.split_off(1.min(self.states.len()));
        for mut state in rest {
            transfer::pour(program, &self.steering, &mut state, &mut self.states, |_| 0);
        }
        let fresh = (self.states.len()..self.workers()).map(|_| self.empty(program));
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
        self.take_stock(program);
        self.be_patient();
    }

    /// States that were joined, or cannot be parted, stay so for a while.
    fn be_patient(&mut self) {
        let connections = self.sum(|level| level.flows);
        let for_each = self.patience.min(PATIENCE_FOR_EACH);
        self.stays_joined = self.patience + for_each * connections as u64;
    }

    /// Parts the connections of the first state among all, of which stock was just taken.
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
        let limited = self.buckets.are_limited();
        let mut states: Vec<_> = (0..self.workers()).map(|_| self.empty(program)).collect();
        let workers = self.workers();
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
        self.take_stock(program);
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
                journal.forget();
            }
        }
        self.take_stock(program);
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
        let fresh = (1..self.workers()).map(|_| self.empty(new));
        let fresh: Vec<_> = fresh.collect();
        self.states.extend(fresh);
        self.steering = Steering::new(new);
        self.costs = Costs::new(new.network());
        self.take_stock(new);
        self.stays_joined = 0;
    }

    /// The states, for who adds up what each of them counts. No round may be under way.
    pub fn states(&self) -> impl Iterator<Item = &State> {
        self.states.iter().map(Box::as_ref)
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
