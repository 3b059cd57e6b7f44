//! What happened when: counts over the capture's clock, in bounded memory.
//!
//! Gathered only where it is asked for ([`crate::Options::timeline`]). Memory is for a fixed number
//! of steps, of kinds of drop and of pairs that talk, however long the capture is.

mod buckets;
mod drops;
mod talk;
mod usage;

use crate::ledger::Captured;
use crate::report::Verdicts;
use crate::tally::Count;
use buckets::Buckets;
use drops::Kinds;
use talk::Talking;
use vpcsim_dataplane::{Program, Source, Verdict};

pub use drops::TimelineDrop;
pub use talk::{Talk, Talks};
pub use usage::Usage;

/// What a replay found, over time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// When the first step begins, in nanoseconds since 1970: a multiple of `step`.
    pub start: u64,
    /// How long a step is, in nanoseconds.
    pub step: u64,
    /// Every step until the last packet, in order; at most 480.
    pub steps: Vec<Step>,
    /// Kinds of drop, most packets first; what differs in an address alone is one kind.
    pub drops: Vec<TimelineDrop>,
    /// The names of the NAT gateways, in file order.
    pub gateways: Vec<String>,
    /// Who talked to whom.
    pub talks: Talks,
}

/// What happened in a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// The verdicts of the packets that were captured in it.
    pub verdicts: Verdicts,
    /// Their bytes on the link.
    pub bytes: u64,
    /// How full the tables were; nothing where no packet came.
    pub usage: Option<Usage>,
}

/// Gathers a [`Timeline`].
#[derive(Debug)]
pub(crate) struct Gather<'p> {
    program: &'p Program,
    buckets: Buckets,
    kinds: Kinds,
    talking: Talking,
    held: hashbrown::HashMap<u64, Source>,
}

impl<'p> Gather<'p> {
    pub(crate) fn new(program: &'p Program) -> Self {
        Self {
            program,
            buckets: Buckets::default(),
            kinds: Kinds::default(),
            talking: Talking::new(program),
            held: hashbrown::HashMap::new(),
        }
    }

    /// Whether a packet at this time is in a later step than those before it.
    pub(crate) fn is_next(&self, clock: u64) -> bool {
        self.buckets.is_next(clock)
    }

    /// How full the tables are, now that all packets of a step have passed.
    pub(crate) fn sample(&mut self, usage: Usage) {
        self.buckets.sample(usage);
    }

    /// A packet that met nothing: whichever count `of` gives.
    pub(crate) fn nothing(
        &mut self,
        clock: u64,
        frame_len: u32,
        of: impl Fn(&mut Verdicts) -> &mut u64,
    ) {
        let bucket = self.buckets.at(clock);
        *of(&mut bucket.verdicts) += 1;
        bucket.bytes += u64::from(frame_len);
    }

    /// A packet has come to an end, or waits.
    pub(crate) fn ended(
        &mut self,
        captured: &Captured,
        id: u64,
        source: Source,
        verdict: &Verdict,
    ) {
        let bucket = self.buckets.at(captured.clock);
        bucket.bytes += u64::from(captured.frame_len);
        if matches!(verdict, Verdict::Held) {
            bucket.verdicts.held += 1;
            self.held.insert(id, source);
            return;
        }
        self.count(captured, source, verdict);
    }

    /// A packet that waited has come to an end.
    pub(crate) fn released(&mut self, captured: &Captured, id: u64, verdict: &Verdict) {
        let Some(source) = self.held.remove(&id) else {
            return;
        };
        self.buckets.at(captured.clock).verdicts.held -= 1;
        self.count(captured, source, verdict);
    }

    fn count(&mut self, captured: &Captured, source: Source, verdict: &Verdict) {
        let bucket = self.buckets.at(captured.clock);
        let verdicts = &mut bucket.verdicts;
        match verdict {
            Verdict::Delivered(place) => {
                verdicts.delivered += 1;
                let pair = (self.talking.source(source), self.talking.place(*place));
                self.talking.add(pair, captured.frame_len, false);
            }
            Verdict::Dropped(drop) => {
                verdicts.dropped += 1;
                let kind = self.kinds.number(drop, captured.frame_len);
                bucket.dropped(kind);
                let aim = self.talking.aim(self.program, &captured.flow.key());
                let pair = (self.talking.source(source), aim);
                self.talking.add(pair, captured.frame_len, true);
            }
            Verdict::NotIpv4 => verdicts.not_ipv4 += 1,
            Verdict::Malformed(_) => verdicts.malformed += 1,
            Verdict::Unattributed => verdicts.unattributed += 1,
            Verdict::Held => verdicts.held += 1,
        }
    }

    /// What was gathered.
    pub(crate) fn finish(self) -> Timeline {
        let network = self.program.network();
        let (start, step, buckets) = self.buckets.finish();
        let steps = buckets.iter().map(|bucket| Step {
            verdicts: bucket.verdicts,
            bytes: bucket.bytes,
            usage: bucket.usage.clone(),
        });
        let gateways = network.nat_gateways.iter();
        Timeline {
            start,
            step,
            steps: steps.collect(),
            drops: self.kinds.finish(self.program, &buckets),
            gateways: gateways.map(|gateway| gateway.name.clone()).collect(),
            talks: self.talking.finish(self.program),
        }
    }
}

/// Packets and bytes, and how many of the packets were dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Fared {
    all: Count,
    dropped: u64,
}

impl Fared {
    fn add(&mut self, bytes: u32, dropped: bool) {
        self.all.add(bytes);
        self.dropped += u64::from(dropped);
    }

    fn merge(&mut self, other: Self) {
        self.all.packets += other.all.packets;
        self.all.bytes += other.all.bytes;
        self.dropped += other.dropped;
    }
}
