//! What became of packets: counted, handed to the sink, or held.

use crate::counters::{Broken, Counters};
use crate::flow::PackedFlow;
use crate::frame::NotIpv4;
use crate::sink::Sink;
use crate::timeline::Gather;
use hashbrown::HashMap;
use std::io;
use vpcsim_capture::link::Other as OtherProtocol;
use vpcsim_dataplane::{Ended, Other, Program, Role, Verdict};

/// What is remembered of a captured packet while it is under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Captured {
    /// The clock when it was read: the latest time seen.
    pub(crate) clock: u64,
    /// Length on the link: what is counted.
    pub(crate) frame_len: u32,
    /// Length of the IPv4 packet: what is written.
    pub(crate) original_len: u32,
    pub(crate) flow: PackedFlow,
}

/// The counts, and the captured packets that have no final verdict yet.
#[derive(Debug)]
pub(crate) struct Ledger<'p> {
    pub(crate) counters: Counters,
    /// What happened when, where somebody wants to know.
    pub(crate) timeline: Option<Box<Gather<'p>>>,
    /// Fragments that are held, by number.
    held: HashMap<u64, Captured>,
    /// Dropped packets go to the sink too.
    keep_drops: bool,
}

impl<'p> Ledger<'p> {
    pub(crate) fn new(program: &'p Program, keep_drops: bool, timeline: bool) -> Self {
        Self {
            counters: Counters::new(program),
            timeline: timeline.then(|| Box::new(Gather::new(program))),
            held: HashMap::new(),
            keep_drops,
        }
    }

    /// A packet has come to an end, or waits; and what ended beside it. `takes`: whether the sink is
    /// handed packets. Of packets that simply arrived there are sums instead, where those suffice.
    pub(crate) fn end(
        &mut self,
        ended: Ended<'_>,
        captured: &Captured,
        takes: bool,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let sink = if takes { sink } else { &mut () };
        let verdict = &ended.walked.verdict;
        self.count(captured, verdict);
        if let Some(timeline) = &mut self.timeline {
            let arrival = ended.arrival;
            timeline.ended(captured, arrival.id, arrival.source, verdict);
        }
        let mut result = Ok(());
        if matches!(verdict, Verdict::Held) {
            self.held.insert(ended.arrival.id, *captured);
        } else if !ended.walked.cut {
            // Of one that was cut the pieces are written, not the whole.
            let (time, len) = (ended.arrival.time.0, captured.original_len);
            result = self.write(verdict, time, len, ended.bytes, sink);
        }
        if ended.others.is_empty() {
            return result;
        }
        let others = self.end_others(ended.others, captured.clock, sink);
        result.and(others)
    }

    /// What ended beside a packet, at this time.
    #[cold]
    fn end_others(&mut self, others: &[Other], clock: u64, sink: &mut dyn Sink) -> io::Result<()> {
        let mut result = Ok(());
        for other in others {
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
                    self.count(&captured, &other.verdict);
                    if let Some(timeline) = &mut self.timeline {
                        timeline.released(&captured, other.id, &other.verdict);
                    }
                    original_len = captured.original_len;
                }
            }
            // It ends now, not when it was captured. Of one that was cut, the pieces are written.
            if result.is_ok() && !other.cut {
                result = self.write(&other.verdict, clock, original_len, &other.bytes, sink);
            }
        }
        result
    }

    /// Counts the verdict of a captured packet.
    #[inline]
    fn count(&mut self, captured: &Captured, verdict: &Verdict) {
        let Captured {
            frame_len, flow, ..
        } = *captured;
        let counters = &mut self.counters;
        match *verdict {
            Verdict::Delivered(place) => counters.delivered(place, frame_len),
            Verdict::Dropped(ref drop) => counters.dropped(flow.key(), drop, frame_len),
            Verdict::NotIpv4 => counters.not_ipv4(NotIpv4::Other(OtherProtocol::Ipv6), frame_len),
            Verdict::Malformed(malformed) => {
                counters.malformed(Broken::Packet(malformed), frame_len);
            }
            Verdict::Unattributed => counters.verdicts.unattributed += 1,
            Verdict::Held => counters.verdicts.held += 1,
        }
    }

    /// Hands a packet that ended to the sink.
    #[inline]
    fn write(
        &self,
        verdict: &Verdict,
        time: u64,
        original_len: u32,
        bytes: &[u8],
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        match verdict {
            Verdict::Delivered(place) => sink.delivered(*place, time, original_len, bytes),
            Verdict::Dropped(drop) if self.keep_drops => {
                sink.dropped(drop, time, original_len, bytes)
            }
            _ => Ok(()),
        }
    }

    /// Every packet that was carried has exactly one verdict.
    pub(crate) fn check(&self) {
        let (total, packets) = (self.counters.verdicts.total(), self.counters.all.packets);
        debug_assert_eq!(total, packets, "the verdicts add up");
        let held = self.held.len() as u64;
        debug_assert_eq!(self.counters.verdicts.held, held, "held packets are known");
    }
}
