//! Packets one by one through a network.

use crate::attribution::Attribution;
use crate::counters::{Broken, Counters, connections, nat_rows};
use crate::frame::{Frame, NotIpv4, frame};
use crate::mapping::Mapping;
use crate::report::{CaptureReport, Report, Timing};
use crate::sink::Sink;
use crate::time::rfc3339;
use hashbrown::HashMap;
use std::io;
use std::time::Instant;
use vpcsim_capture::Record;
use vpcsim_capture::link::Other as OtherProtocol;
use vpcsim_dataplane::{
    Arrival, Nanos, Other, Program, Role, Source, State, Use, Verdict, Walked, walk,
};
use vpcsim_packet::{FlowKey, Headers};

/// How a capture is to be taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Every packet came from here (`--at`).
    pub at: Option<Source>,
    /// Addresses of the capture that stand for hosts (`--map`).
    pub map: Vec<Mapping>,
    /// Hand dropped packets to the sink too (`--with-drops`).
    pub keep_drops: bool,
}

/// A replay under way.
#[derive(Debug)]
pub struct Replay<'p> {
    program: &'p Program,
    attribution: Attribution<'p>,
    keep_drops: bool,
    state: State,
    counters: Counters,
    /// The packet being walked; kept for its allocation.
    packet: Vec<u8>,
    /// What ended beside it; kept for its allocation.
    others: Vec<Other>,
    /// Fragments that are held, by number.
    held: HashMap<u64, Captured>,
    /// The latest time seen: the clock.
    latest: u64,
    earliest: Option<u64>,
    began: Instant,
}

/// What is remembered of a captured packet while it is under way.
#[derive(Debug, Clone, Copy)]
struct Captured {
    /// Length on the link: what is counted.
    frame_len: u32,
    /// Length of the IPv4 packet: what is written.
    original_len: u32,
    flow: FlowKey,
}

impl<'p> Replay<'p> {
    /// A replay that has seen nothing.
    pub fn new(program: &'p Program, options: &Options) -> Self {
        Self {
            program,
            attribution: Attribution::new(program, options),
            keep_drops: options.keep_drops,
            state: State::new(program),
            counters: Counters::new(),
            packet: Vec::new(),
            others: Vec::new(),
            held: HashMap::new(),
            latest: 0,
            earliest: None,
            began: Instant::now(),
        }
    }

    /// The packets from here on are of another capture.
    pub fn begin_capture(&mut self, name: &str, format: &str) {
        self.counters.captures.push(CaptureReport {
            name: name.to_owned(),
            format: format.to_owned(),
            packets: 0,
            warnings: Vec::new(),
        });
    }

    /// Something is odd about the capture begun last.
    pub fn capture_warning(&mut self, text: String) {
        if let Some(capture) = self.counters.captures.last_mut() {
            capture.warnings.push(text);
        }
    }

    /// Packets so far.
    pub fn packets(&self) -> u64 {
        self.counters.all.packets
    }

    /// How full the tables are.
    pub fn usage(&self) -> Use {
        self.state.usage(self.program)
    }

    /// Carries a captured packet to its verdict.
    ///
    /// # Errors
    /// When the sink does not take what ended.
    pub fn packet(&mut self, record: &Record<'_>, sink: &mut dyn Sink) -> io::Result<()> {
        let frame_len = record.original_len.max(record.data.len() as u32);
        let id = self.counters.all.packets;
        self.counters.read(record.link_type, frame_len);
        self.tick(record.time);
        let (bytes, original_len) = match frame(record) {
            Frame::Ipv4 {
                bytes,
                original_len,
            } => (bytes, original_len),
            Frame::NotIpv4(kind) => {
                self.counters.not_ipv4(kind, frame_len);
                return Ok(());
            }
            Frame::Truncated { link_type } => {
                let broken = Broken::LinkHeader(link_type);
                self.counters.malformed(broken, frame_len);
                return Ok(());
            }
        };
        let mut headers = match Headers::parse(bytes) {
            Ok(headers) => headers,
            Err(malformed) => {
                let broken = Broken::Packet(malformed);
                self.counters.malformed(broken, frame_len);
                return Ok(());
            }
        };
        let origin = self.attribution.of(headers.source);
        self.counters.strangers.seen(headers.source, origin.source);
        if origin.ambiguous {
            self.counters.ambiguous(headers.source);
        }
        let Some(source) = origin.source else {
            self.counters.verdicts.unattributed += 1;
            return Ok(());
        };
        self.packet.clear();
        self.packet.extend_from_slice(bytes);
        self.attribution
            .mappings()
            .apply(&mut self.packet, &mut headers);
        let captured = Captured {
            frame_len,
            original_len,
            flow: flow_of(&headers),
        };
        let arrival = Arrival {
            id,
            time: Nanos(record.time),
            source,
        };
        let walked = walk(
            self.program,
            &mut self.state,
            arrival,
            &mut self.packet,
            &mut (),
            &mut self.others,
        );
        let ended = self.end_walked(id, record.time, captured, walked, sink);
        let others = self.end_others(sink);
        self.check();
        ended.and(others)
    }

    /// The report.
    pub fn finish(self) -> Report {
        self.check();
        let program = self.program;
        let usage = self.usage();
        let counters = self.counters;
        let elapsed = self.began.elapsed().as_secs_f64();
        let packets = counters.all.packets;
        let timing = Timing {
            elapsed_seconds: elapsed,
            packets_per_second: if elapsed > 0.0 {
                packets as f64 / elapsed
            } else {
                0.0
            },
            capture_start: self.earliest.map(rfc3339),
            capture_end: self.earliest.map(|_| rfc3339(self.latest)),
        };
        Report {
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
            warnings: counters.warnings(),
            captures: counters.captures,
            timing,
        }
    }

    fn tick(&mut self, time: u64) {
        if time < self.latest {
            self.counters.went_back += 1;
        }
        self.latest = self.latest.max(time);
        self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
    }

    /// The packet that was given has come to an end, or waits.
    fn end_walked(
        &mut self,
        id: u64,
        time: u64,
        captured: Captured,
        walked: Walked,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        self.count(captured, &walked.verdict);
        match walked.verdict {
            Verdict::Held => {
                self.held.insert(id, captured);
                Ok(())
            }
            // The pieces are written, not the whole.
            _ if walked.cut => Ok(()),
            verdict => {
                let (packet, len) = (&self.packet, captured.original_len);
                write(self.keep_drops, &verdict, time, len, packet, sink)
            }
        }
    }

    /// What ended beside it.
    fn end_others(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        // Taken out for the borrow, put back for its allocation.
        let mut others = std::mem::take(&mut self.others);
        let mut result = Ok(());
        for other in others.drain(..) {
            let mut original_len = other.original_len.max(other.bytes.len()) as u32;
            match other.role {
                Role::Piece => {}
                Role::Generated => {
                    self.counters.generated.total += 1;
                    match other.verdict {
                        Verdict::Delivered(_) => self.counters.generated.delivered += 1,
                        _ => self.counters.generated.dropped += 1,
                    }
                }
                Role::Captured => {
                    // Given back exactly once: whoever is not known was not held.
                    let Some(captured) = self.held.remove(&other.id) else {
                        continue;
                    };
                    self.counters.verdicts.held -= 1;
                    self.count(captured, &other.verdict);
                    original_len = captured.original_len;
                }
            }
            // It ends now, not when it was captured. Of one that was cut, the pieces are written.
            let (time, keep) = (self.latest, self.keep_drops);
            if result.is_ok() && !other.cut {
                result = write(keep, &other.verdict, time, original_len, &other.bytes, sink);
            }
        }
        self.others = others;
        result
    }

    /// Counts the verdict of a captured packet.
    fn count(&mut self, captured: Captured, verdict: &Verdict) {
        let Captured {
            frame_len, flow, ..
        } = captured;
        let counters = &mut self.counters;
        match *verdict {
            Verdict::Delivered(place) => counters.delivered(place, frame_len),
            Verdict::Dropped(ref drop) => counters.dropped(flow, drop, frame_len),
            Verdict::NotIpv4 => counters.not_ipv4(NotIpv4::Other(OtherProtocol::Ipv6), frame_len),
            Verdict::Malformed(malformed) => {
                counters.malformed(Broken::Packet(malformed), frame_len);
            }
            Verdict::Unattributed => counters.verdicts.unattributed += 1,
            Verdict::Held => counters.verdicts.held += 1,
        }
    }

    /// Every packet has exactly one verdict.
    fn check(&self) {
        let (total, packets) = (self.counters.verdicts.total(), self.counters.all.packets);
        debug_assert_eq!(total, packets, "the verdicts add up");
        let held = self.held.len() as u64;
        debug_assert_eq!(self.counters.verdicts.held, held, "held packets are known");
    }
}

/// Hands a packet that ended to the sink.
fn write(
    keep_drops: bool,
    verdict: &Verdict,
    time: u64,
    original_len: u32,
    bytes: &[u8],
    sink: &mut dyn Sink,
) -> io::Result<()> {
    match verdict {
        Verdict::Delivered(place) => sink.delivered(*place, time, original_len, bytes),
        Verdict::Dropped(drop) if keep_drops => sink.dropped(drop, time, original_len, bytes),
        _ => Ok(()),
    }
}

/// The flow, without ports where only an earlier fragment knows them.
fn flow_of(headers: &Headers) -> FlowKey {
    FlowKey::of(headers).unwrap_or(FlowKey {
        protocol: headers.protocol,
        source: headers.source,
        source_port: 0,
        destination: headers.destination,
        destination_port: 0,
    })
}
