//! The dataplane as `replay` drives it: batches through every stage.

use crate::carrier::{Arrived, Carrier, Way};
use crate::flow::Flow;
use std::sync::Arc;
use vpcsim_dataplane::{
    Arrival, Batch, Nanos, Place, Program, Source, State, Use, Verdict, advance,
};
use vpcsim_network::CvmId;

/// Virtual time between two packets, in nanoseconds: the smallest ones at 5 Gbit/s. So the clock
/// moves as it would at the target, deadlines move with it, and what should expire expires.
pub(crate) const PACE: u64 = 134;
/// 2025-01-01 00:00:00 UTC.
pub(crate) const START: Nanos = Nanos(1_735_689_600_000_000_000);

/// A dataplane with its state and its clock.
#[derive(Debug)]
pub(crate) struct Pipeline {
    program: Arc<Program>,
    state: State,
    batch: Batch,
    now: Nanos,
    pace: u64,
    /// Packets so far.
    packets: u64,
}

impl Pipeline {
    pub(crate) fn new(program: Arc<Program>) -> Self {
        let state = State::new(&program);
        Self {
            program,
            state,
            batch: Batch::new(),
            now: START,
            pace: PACE,
            packets: 0,
        }
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
        self.state.usage(&self.program)
    }

    /// Packets of the batch that were not delivered.
    pub(crate) fn lost(&self) -> usize {
        self.batch.places().filter(Option::is_none).count()
    }

    /// Ends what is due, without a packet.
    pub(crate) fn expire(&mut self) {
        let (program, state) = (&self.program, &mut self.state);
        advance(program, state, self.now, &mut (), &mut Vec::new());
    }
}

impl Carrier for Pipeline {
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
        self.batch.push(arrival, packet);
    }

    // By its name `cargo xtask instructions` finds what is to be counted.
    #[inline(never)]
    fn carry(&mut self) -> Arrived {
        self.batch.run(&self.program, &mut self.state, &mut ());
        let mut arrived = Arrived::default();
        for place in self.batch.places() {
            // Which way a packet goes nobody can foresee: no branch.
            arrived.outside += usize::from(place == Some(Place::Internet));
            arrived.inside += usize::from(matches!(place, Some(Place::Nic(_))));
        }
        arrived
    }

    fn packet(&mut self, index: usize) -> Option<&[u8]> {
        self.batch.bytes_mut(index).map(|bytes| &*bytes)
    }

    fn first_lost(&self) -> Option<String> {
        let mut verdicts = self.batch.ended().map(|ended| ended.walked.verdict);
        let lost = verdicts.find(|verdict| !matches!(verdict, Verdict::Delivered(_)))?;
        Some(match lost {
            Verdict::Dropped(drop) => format!("{} at {}", drop.reason, drop.stage),
            other => format!("{other:?}"),
        })
    }

    fn clear(&mut self) {
        self.batch.clear();
    }
}
