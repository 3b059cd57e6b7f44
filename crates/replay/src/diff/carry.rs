//! Packets through both networks, in batches.

use super::changes::Change;
use super::judge::{Captured, Judge};
use super::report::{DiffReport, SenderRow, SideReport};
use super::text::change_report;
use super::watch::Watch;
use crate::attribution::{Attribution, Origin};
use crate::counters::Counters;
use crate::intake::{Intake, Taken};
use crate::mapping::Mapping;
use crate::names::source_text;
use crate::origins::Origins;
use crate::replay::Options;
use crate::report::Verdicts;
use crate::tally::Tally;
use std::cmp::Reverse;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::thread;
use vpcsim_capture::Record;
use vpcsim_dataplane::{Arrival, Batch, Nanos, Program, Source, State};
use vpcsim_packet::Headers;

/// Senders that are told apart, of those that are somebody else's in the new network.
const MOST_SENDERS: usize = 1024;

/// Packets that are carried together: enough that it pays to begin a thread for one of the
/// networks, few enough that they stay in the cache.
const MOST_WAITING: usize = 8 * Batch::SIZE;
/// Fewer are carried by one thread.
const WORTH_A_THREAD: usize = MOST_WAITING / 4;

/// Packets that are compared together.
const GROUP: usize = 32;

/// One of the two networks, and how the captures are to be taken there.
#[derive(Debug, Clone)]
pub struct Side<'p> {
    /// What the report calls it.
    pub name: String,
    /// The network.
    pub program: &'p Program,
    /// Every packet comes from here (`--at`).
    pub at: Option<Source>,
    /// Addresses of the capture that stand for hosts (`--map`).
    pub map: Vec<Mapping>,
    /// Addresses of the capture that stand for hosts which this network does not have: their
    /// packets are nobody's.
    pub absent: Vec<Ipv4Addr>,
}

impl<'p> Side<'p> {
    /// A network in which every packet comes from where its source is.
    pub fn new(name: impl Into<String>, program: &'p Program) -> Self {
        Self {
            name: name.into(),
            program,
            at: None,
            map: Vec::new(),
            absent: Vec::new(),
        }
    }
}

/// Packets on their way through one of the networks.
#[derive(Debug)]
struct Crossing<'p> {
    name: String,
    program: &'p Program,
    origins: Origins<'p>,
    absent: Vec<Ipv4Addr>,
    state: State,
    batch: Batch,
    watch: Watch,
}

impl<'p> Crossing<'p> {
    fn new(side: &Side<'p>) -> Self {
        let options = Options {
            at: side.at,
            map: side.map.clone(),
            ..Options::default()
        };
        Self {
            name: side.name.clone(),
            program: side.program,
            origins: Origins::new(Attribution::new(side.program, &options)),
            absent: side.absent.clone(),
            state: State::new(side.program),
            batch: Batch::new(),
            watch: Watch::default(),
        }
    }

    /// Where packets of this source start.
    #[inline]
    fn origin(&mut self, address: Ipv4Addr) -> Origin {
        if !self.absent.is_empty() && self.absent.contains(&address) {
            return Origin {
                source: None,
                ambiguous: false,
            };
        }
        self.origins.of(address)
    }

    #[inline]
    fn push(&mut self, id: u64, time: u64, source: Source, bytes: &[u8]) {
        let time = Nanos(time);
        self.batch.push(Arrival { id, time, source }, bytes);
        let mappings = self.origins.attribution().mappings();
        if !mappings.is_empty()
            && let Some(bytes) = self.batch.bytes_mut(self.batch.len() - 1)
            && let Ok(mut headers) = Headers::parse(bytes)
        {
            mappings.apply(bytes, &mut headers);
        }
    }

    fn run(&mut self) {
        self.watch.clear();
        self.batch
            .run(self.program, &mut self.state, &mut self.watch);
    }
}

/// How much a comparison remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiffUse {
    /// Flows remembered at nics now, in both networks.
    pub connections: usize,
    /// Flows whose ways are known.
    pub flows: usize,
    /// Flows that are listed because something of them changed.
    pub listed: usize,
    /// Packets that are held.
    pub held: usize,
}

/// A comparison under way.
///
/// Packets are carried in batches: what [`Diff::packet`] was given may wait for those that come
/// after it, until [`Diff::flush`].
#[derive(Debug)]
pub struct Diff<'p> {
    intake: Intake,
    counters: Counters,
    sides: [Crossing<'p>; 2],
    /// Packets that wait to be carried.
    waiting: Vec<Captured>,
    judge: Judge<'p>,
    senders: Tally<(Ipv4Addr, [Option<Source>; 2])>,
    unattributed: [u64; 2],
}

impl<'p> Diff<'p> {
    /// A comparison that has seen nothing.
    pub fn new(old: &Side<'p>, new: &Side<'p>) -> Self {
        Self {
            intake: Intake::new(),
            counters: Counters::new(old.program),
            sides: [Crossing::new(old), Crossing::new(new)],
            waiting: Vec::new(),
            judge: Judge::new(old.program, new.program),
            senders: Tally::new(MOST_SENDERS),
            unattributed: [0; 2],
        }
    }

    /// The packets from here on are of another capture.
    pub fn begin_capture(&mut self, name: &str, format: &str) {
        self.counters.begin_capture(name, format);
    }

    /// Something is odd about the capture begun last.
    pub fn capture_warning(&mut self, text: String) {
        self.counters.capture_warning(text);
    }

    /// Packets so far, those that wait included.
    pub fn packets(&self) -> u64 {
        self.counters.all.packets
    }

    /// How full the tables are. Packets that wait have left nothing there yet.
    pub fn usage(&self) -> DiffUse {
        let connections = |side: &Crossing<'_>| side.state.usage(side.program).connections;
        DiffUse {
            connections: self.sides.iter().map(connections).sum(),
            flows: self.judge.flows.len(),
            listed: self.judge.changes.len(),
            held: self.judge.held(),
        }
    }

    /// Takes a captured packet; carries all that wait when they are many.
    pub fn packet(&mut self, record: &Record<'_>) {
        let Ok(taken) = self.intake.take(&mut self.counters, record) else {
            return;
        };
        let starts = self.starts(&taken);
        let Taken {
            id,
            bytes,
            frame_len,
            flow,
            ..
        } = taken;
        for (at, start) in starts.into_iter().enumerate() {
            match start {
                Some(source) => self.sides[at].push(id, record.time, source, bytes),
                None => self.unattributed[at] += 1,
            }
        }
        if starts == [None, None] {
            return;
        }
        self.waiting.push(Captured {
            id,
            time: record.time,
            frame_len,
            key: flow.key(),
            starts,
        });
        if self.waiting.len() >= MOST_WAITING {
            self.flush();
        }
    }

    /// Where a packet starts in either network.
    #[inline]
    fn starts(&mut self, taken: &Taken<'_>) -> [Option<Source>; 2] {
        let address = taken.flow.source();
        let [old, new] = &mut self.sides;
        let origins = [old.origin(address), new.origin(address)];
        let starts = origins.map(|origin| origin.source);
        let counters = &mut self.counters;
        let mut inside = starts.into_iter().flatten();
        let inside = inside.find(|start| *start != Source::Internet);
        counters.strangers.seen(address, inside.or(starts[0]));
        if origins.iter().any(|origin| origin.ambiguous) {
            counters.ambiguous(address);
        }
        if !self.judge.twins.same_source(starts[0], starts[1]) {
            self.senders.add(&(address, starts), taken.frame_len);
        }
        starts
    }

    /// Carries the packets that wait through both networks and compares what became of them.
    pub fn flush(&mut self) {
        let [old, new] = &mut self.sides;
        if self.waiting.len() < WORTH_A_THREAD {
            old.run();
            new.run();
        } else {
            // Each network has a state of its own: neither waits for the other.
            thread::scope(|scope| {
                scope.spawn(|| old.run());
                new.run();
            });
        }
        self.compare();
        for side in &mut self.sides {
            side.batch.clear();
        }
        self.waiting.clear();
    }

    fn compare(&mut self) {
        let (judge, sides) = (&mut self.judge, &self.sides);
        let mut ends = sides.each_ref().map(|side| side.batch.ended());
        let mut walks = [0; 2];
        // A packet that fares otherwise seldom comes alone.
        let mut expected = false;
        for group in self.waiting.chunks(GROUP) {
            // One of the two networks was carried on another core: fetches its headers.
            for ended in ends.iter().flat_map(|ends| ends.clone().take(GROUP)) {
                black_box(ended.bytes.first());
            }
            if expected {
                group.iter().for_each(|captured| judge.touch(captured));
            }
            let mut alike = 0;
            for captured in group {
                let mut ended = [None; 2];
                for (at, start) in captured.starts.iter().enumerate() {
                    if start.is_some() {
                        ended[at] = ends[at].next();
                    }
                }
                let mut own = [None; 2];
                for (at, side) in sides.iter().enumerate() {
                    // Beside a packet walk those that were held because of it; their numbers are
                    // lower.
                    while let Some((id, notes)) = side.watch.walk(walks[at])
                        && id <= captured.id
                    {
                        walks[at] += 1;
                        if id == captured.id {
                            own[at] = Some(notes);
                        } else {
                            judge.held_walked(at, id, notes);
                        }
                    }
                }
                if let ([Some(old), Some(new)], [None, None]) = (&ended, &own)
                    && judge.is_alike(old, new)
                {
                    alike += 1;
                    continue;
                }
                judge.end(captured, ended, own);
            }
            expected = alike < group.len() / 2;
        }
    }

    /// Carries the packets that wait, and reports. Of the flows of which something changed the
    /// `top` ones of each change are listed.
    pub fn finish(mut self, top: usize) -> DiffReport {
        self.flush();
        self.judge.finish();
        let timing = self.intake.timing(self.counters.all.packets);
        let (senders, senders_beyond) = self.senders();
        let (counters, judge) = (self.counters, &self.judge);
        let programs = self.sides.each_ref().map(|side| side.program);
        let side = |at: usize| {
            let totals = judge.totals[at];
            SideReport {
                network: self.sides[at].name.clone(),
                verdicts: Verdicts {
                    not_ipv4: counters.verdicts.not_ipv4,
                    malformed: counters.verdicts.malformed,
                    unattributed: self.unattributed[at],
                    ..totals.verdicts
                },
                generated: totals.generated,
            }
        };
        let report = |change| change_report(programs, &judge.changes, change, top);
        DiffReport {
            packets: counters.all.packets,
            bytes: counters.all.bytes,
            flows: judge.flows.seen,
            flows_forgotten: judge.flows.forgotten,
            old: side(0),
            new: side(1),
            lost: report(Change::Lost),
            allowed: report(Change::Allowed),
            moved: report(Change::Moved),
            senders,
            senders_beyond,
            malformed: counters.malformed_rows(),
            not_ipv4: counters.not_ipv4_rows(),
            warnings: counters.warnings(),
            captures: counters.into_captures(),
            timing,
        }
    }

    /// Who sends from elsewhere in the new network, and the packets of those that are not told
    /// apart.
    fn senders(&self) -> (Vec<SenderRow>, u64) {
        let name = |side: usize, start: Option<Source>| {
            start.map(|start| source_text(self.sides[side].program, start))
        };
        let mut rows: Vec<_> = self
            .senders
            .iter()
            .map(|(&(address, [old, new]), count)| SenderRow {
                address,
                old: name(0, old),
                new: name(1, new),
                packets: count.packets,
            })
            .collect();
        rows.sort_by_key(|row| (Reverse(row.packets), row.address));
        (rows, self.senders.rest().packets)
    }
}
