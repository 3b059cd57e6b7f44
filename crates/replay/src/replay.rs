//! Packets through a network, in batches.

use crate::attribution::Attribution;
use crate::carrier::{Carrier, End, Wants};
use crate::counters::{connections, nat_rows};
use crate::flow::{PackedFlow, flow_of};
use crate::flow_log::FlowLogOptions;
use crate::intake::{Intake, Nothing, Taken};
use crate::ledger::{Captured, Ledger};
use crate::mapping::Mapping;
use crate::origins::Origins;
use crate::report::Report;
use crate::rules::RuleReport;
use crate::sink::Sink;
use crate::watch::Watch;
use crate::workers::Workers;
use std::io;
use vpcsim_capture::Record;
use vpcsim_dataplane::{Arrival, ArrivedAt, Ended, Nanos, Place, Program, Source, Use};
use vpcsim_packet::{Glance, Headers};

/// How a capture is to be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Every packet came from here (`--at`).
    pub at: Option<Source>,
    /// Addresses of the capture that stand for hosts (`--map`).
    pub map: Vec<Mapping>,
    /// Hand dropped packets to the sink too (`--with-drops`).
    pub keep_drops: bool,
    /// Threads that carry packets beside the one that reads and writes (`--workers`); 0 and 1: that
    /// one carries them too. What comes out is the same. With [`rules`](Self::rules) or
    /// [`flow_log`](Self::flow_log) it is always that one.
    pub workers: usize,
    /// Gather what happened when ([`Report::timeline`]).
    pub timeline: bool,
    /// Count what each rule decides (`--rules`).
    pub rules: bool,
    /// Hand flow-log records to the sink (`--flow-log`).
    pub flow_log: Option<FlowLogOptions>,
}

/// A replay under way.
///
/// Packets are carried in batches: what [`Replay::packet`] was given may wait for those that come
/// after it, until [`Replay::flush`].
#[derive(Debug)]
pub struct Replay<'p> {
    program: &'p Program,
    origins: Origins<'p>,
    carrier: Carrier,
    ledger: Ledger<'p>,
    watch: Option<Watch>,
    /// A packet whose addresses are replaced.
    mapped: Vec<u8>,
    intake: Intake,
}

impl<'p> Replay<'p> {
    /// A replay that has seen nothing, on this thread alone.
    pub fn new(program: &'p Program, options: &Options) -> Self {
        Self::with(program, options, Carrier::alone(program))
    }

    /// A replay that has seen nothing, whose packets are carried by workers.
    pub fn with_workers(program: &'p Program, options: &Options, workers: Workers) -> Self {
        Self::with(program, options, Carrier::shared(program, workers))
    }

    fn with(program: &'p Program, options: &Options, carrier: Carrier) -> Self {
        Self {
            program,
            origins: Origins::new(Attribution::new(program, options)),
            carrier,
            ledger: Ledger::new(program, options.keep_drops, options.timeline),
            watch: Watch::new(program, options),
            mapped: Vec::new(),
            intake: Intake::new(),
        }
    }

    /// The packets from here on are of another capture.
    pub fn begin_capture(&mut self, name: &str, format: &str) {
        self.ledger.counters.begin_capture(name, format);
    }

    /// Something is odd about the capture begun last.
    pub fn capture_warning(&mut self, text: String) {
        self.ledger.counters.capture_warning(text);
    }

    /// Packets so far, those that wait included.
    pub fn packets(&self) -> u64 {
        self.ledger.counters.all.packets
    }

    /// How full the tables are. Packets that wait have left nothing there yet; with workers, flush
    /// first.
    pub fn usage(&self) -> Use {
        self.carrier.usage(self.program)
    }

    /// Takes a captured packet; carries all that wait to their verdicts when they are many.
    ///
    /// # Errors
    /// When the sink does not take what ended.
    pub fn packet(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> io::Result<()> {
        if self.ledger.timeline.is_some() {
            self.next_step(self.intake.clock().max(record.time), sink)?;
        }
        let taken = match self.intake.take(&mut self.ledger.counters, record) {
            Ok(taken) => taken,
            Err(nothing) => {
                self.met_nothing(nothing);
                return Ok(());
            }
        };
        let Taken {
            id,
            bytes,
            glance,
            original_len,
            frame_len,
            flow,
        } = taken;
        let counters = &mut self.ledger.counters;
        let sender = flow.source();
        let origin = self.origins.of(sender);
        counters.strangers.seen(sender, origin.source);
        if origin.ambiguous {
            counters.ambiguous(sender);
        }
        let Some(source) = origin.source else {
            counters.verdicts.unattributed += 1;
            self.met_nothing(Nothing {
                frame_len,
                verdict: |verdicts| &mut verdicts.unattributed,
            });
            return Ok(());
        };
        let arrival = Arrival {
            id,
            time: Nanos(record.time),
            source,
        };
        let mut captured = Captured {
            clock: self.intake.clock(),
            frame_len,
            original_len,
            flow,
        };
        let is_full = if self.origins.attribution().mappings().is_empty() {
            let glance = glance.as_ref();
            self.carrier
                .push(self.program, arrival, bytes, glance, captured)
        } else {
            captured.flow = self.map(flow, bytes);
            let (bytes, glance) = (&self.mapped, Glance::of(&self.mapped));
            self.carrier
                .push(self.program, arrival, bytes, glance.as_ref(), captured)
        };
        if is_full {
            self.carry(false, sink)
        } else {
            Ok(())
        }
    }

    /// Where the clock enters another step of the timeline: carries what waits, so that the tables
    /// are as full as they were then, and looks at them.
    #[cold]
    fn next_step(&mut self, clock: u64, sink: &mut dyn Sink) -> io::Result<()> {
        let timeline = self.ledger.timeline.as_ref();
        if timeline.is_some_and(|timeline| timeline.is_next(clock)) {
            self.flush(sink)?;
            self.sample();
        }
        Ok(())
    }

    fn sample(&mut self) {
        if let Some(timeline) = &mut self.ledger.timeline {
            timeline.sample(self.carrier.fill(self.program));
        }
    }

    /// A packet that is not carried, on the timeline.
    fn met_nothing(&mut self, Nothing { frame_len, verdict }: Nothing) {
        if let Some(timeline) = &mut self.ledger.timeline {
            timeline.nothing(self.intake.clock(), frame_len, verdict);
        }
    }

    /// Puts the hosts' own addresses in the place of mapped ones in a copy of the packet, and gives
    /// the flow that it then is of.
    fn map(&mut self, flow: PackedFlow, bytes: &[u8]) -> PackedFlow {
        self.mapped.clear();
        self.mapped.extend_from_slice(bytes);
        let Ok(mut headers) = Headers::parse(&self.mapped) else {
            return flow;
        };
        let mappings = self.origins.attribution().mappings();
        mappings.apply(&mut self.mapped, &mut headers);
        flow_of(&headers).into()
    }

    /// Carries the packets that wait to their verdicts.
    ///
    /// # Errors
    /// When the sink does not take what ended.
    pub fn flush(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        let result = self.carry(true, sink);
        self.ledger.check();
        result
    }

    /// Carries the packets that wait; `all`: until none is under way.
    fn carry(&mut self, all: bool, sink: &mut dyn Sink) -> io::Result<()> {
        let mut ending = Ending {
            ledger: &mut self.ledger,
            wants: sink.wants_packets(),
            sink,
            result: Ok(()),
        };
        let watch = self.watch.as_mut();
        let carried = if all {
            self.carrier.carry_all(self.program, watch, &mut ending)
        } else {
            self.carrier.carry(self.program, watch, &mut ending)
        };
        carried.and(ending.result)?;
        let watch = self.watch.as_mut();
        watch.map_or(Ok(()), |watch| watch.pass_on(sink))
    }

    /// Carries the packets that wait to their verdicts, and reports.
    ///
    /// # Errors
    /// When the sink does not take what ended.
    pub fn finish(mut self, sink: &mut dyn Sink) -> io::Result<Report> {
        self.flush(sink)?;
        self.sample();
        let timeline = self.ledger.timeline.take();
        let (rules, flow_log) = match &mut self.watch {
            Some(watch) => watch.finish(sink)?,
            None => (None, None),
        };
        let odd = [
            rules.as_ref().and_then(RuleReport::warning),
            flow_log.and_then(|log| log.warning()),
        ];
        let program = self.program;
        let usage = self.usage();
        let counters = self.ledger.counters;
        let packets = counters.all.packets;
        let timing = self.intake.timing(packets);
        Ok(Report {
            packets,
            bytes: counters.all.bytes,
            verdicts: counters.verdicts,
            generated: counters.generated,
            drops: counters.drops.rows(program),
            places: counters.place_rows(program),
            nat: nat_rows(program, &usage),
            connections: connections(&usage),
            dropped_flows: counters.flow_rows(program),
            malformed: counters.malformed_rows(),
            not_ipv4: counters.not_ipv4_rows(),
            link_types: counters.link_rows(),
            warnings: [counters.warnings(), odd.into_iter().flatten().collect()].concat(),
            captures: counters.into_captures(),
            rules,
            flow_log,
            timing,
            timeline: timeline.map(|timeline| Box::new(timeline.finish())),
        })
    }
}

/// Ends packets as they come back.
struct Ending<'a, 'p> {
    ledger: &'a mut Ledger<'p>,
    sink: &'a mut dyn Sink,
    /// The sink wants packets.
    wants: bool,
    /// What the sink said.
    result: io::Result<()>,
}

impl End for Ending<'_, '_> {
    fn wants(&self) -> Wants {
        match (&self.ledger.timeline, self.wants) {
            (Some(_), _) => Wants::Each,
            (None, true) => Wants::Packets,
            (None, false) => Wants::Sums,
        }
    }

    fn arrived(&mut self, sum: ArrivedAt) {
        self.ledger.counters.arrived(sum);
    }

    #[inline(always)]
    fn write(&mut self, place: Place, time: Nanos, bytes: &[u8], captured: &Captured) {
        if self.wants && self.result.is_ok() {
            let len = captured.original_len;
            self.result = self.sink.delivered(place, time.0, len, bytes);
        }
    }

    fn end(&mut self, ended: Ended<'_>, captured: &Captured) {
        // Nothing more for a sink that has failed, but the counts stay whole.
        let takes = self.wants && self.result.is_ok();
        let taken = self.ledger.end(ended, captured, takes, self.sink);
        if self.result.is_ok() {
            self.result = taken;
        }
    }
}
