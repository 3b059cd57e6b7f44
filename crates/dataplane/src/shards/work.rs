//! What a worker has to do in a round, and what is told of it.

use super::journal::Event;
use super::level::Level;
use crate::batch::Batch;
use crate::bucket::Taken;
use crate::{Arrivals, ArrivedAt, Nanos, Program, State};
use crossbeam_channel::{Receiver, Sender, bounded};

/// Where a state waits for whoever goes on with it: it has one owner at a time, and no lock.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    put: Sender<Box<State>>,
    take: Receiver<Box<State>>,
}

impl Seat {
    pub(super) fn new() -> Self {
        let (put, take) = bounded(1);
        Self { put, take }
    }

    /// The state that waits here; none while somebody has it.
    pub(super) fn take(&self) -> Option<Box<State>> {
        self.take.try_recv().ok()
    }

    pub(super) fn put(&self, state: Box<State>) {
        let put = self.put.try_send(state);
        debug_assert!(put.is_ok(), "a seat is for one state");
    }
}

/// What of a round has to be done with one of the states: whoever runs it has that state meanwhile. The
/// works of one lane have to be run in the order in which they were dealt out, one after the other.
#[derive(Debug)]
pub struct Work {
    /// Which of the states it is.
    pub(super) lane: usize,
    pub(super) seat: Seat,
    pub(super) part: Part,
    /// Until when the clock moves in the end.
    pub(super) until: Option<Nanos>,
}

/// A state's part of a round.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) batch: Batch,
    pub(super) told: Told,
}

impl Part {
    /// Forgets all and keeps the room that it took.
    pub(super) fn clear(&mut self) {
        self.batch.clear();
        self.told.clear();
    }
}

/// What a state tells of a round.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// How full it is then, if anything came or went.
    pub(super) level: Level,
    /// What came and went.
    pub(super) events: Vec<Event>,
    /// What was taken from buckets.
    pub(super) taken: Vec<Taken>,
    /// Packets that simply arrived, by place.
    pub(super) arrived: Vec<ArrivedAt>,
    /// The numbers of the others.
    pub(super) others: Vec<usize>,
}

impl Told {
    fn clear(&mut self) {
        self.events.clear();
        self.taken.clear();
        self.arrived.clear();
        self.others.clear();
    }
}

impl Work {
    /// Which lane of the round it is, from 0.
    pub fn lane(&self) -> usize {
        self.lane
    }

    /// Carries the packets to their verdicts; none where another work of the lane is not done.
    pub fn run(&mut self, program: &Program) {
        let Some(mut state) = self.seat.take() else {
            return;
        };
        let Part { batch, told } = &mut self.part;
        told.clear();
        batch.run(program, &mut state, &mut ());
        if let Some(until) = self.until {
            state.settle(program, until);
        }
        let mut arrivals = Arrivals::new();
        batch.sum_up(&mut arrivals, |number| told.others.push(number));
        told.arrived.extend(arrivals.take());
        if let Some(journal) = state.journal.as_deref_mut() {
            journal.take(&mut told.events);
        }
        if !told.events.is_empty() {
            told.level.set(program, &state);
        }
        state.buckets.take_book(&mut told.taken);
        self.seat.put(state);
    }
}

impl State {
    /// Moves the clock where no fragments wait.
    pub(super) fn settle(&mut self, program: &Program, to: Nanos) {
        self.now = self.now.max(to);
        self.end_due(program);
    }
}
