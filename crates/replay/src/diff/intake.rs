//! What is known of captured packets before any network sees them.

use crate::counters::{Broken, Counters};
use crate::flow::flow;
use crate::frame::{Frame, frame};
use crate::report::Timing;
use crate::time::rfc3339;
use std::time::Instant;
use vpcsim_capture::Record;
use vpcsim_dataplane::Program;
use vpcsim_packet::FlowKey;

/// Reads packets and counts those that meet no network.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) counters: Counters,
    /// The latest time seen.
    latest: u64,
    earliest: Option<u64>,
    began: Instant,
}

/// An IPv4 packet with a flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken<'a> {
    pub(super) id: u64,
    pub(super) bytes: &'a [u8],
    pub(super) frame_len: u32,
    pub(super) flow: FlowKey,
}

impl Intake {
    /// `program`: of either network.
    pub(super) fn new(program: &Program) -> Self {
        Self {
            counters: Counters::new(program),
            latest: 0,
            earliest: None,
            began: Instant::now(),
        }
    }

    /// The packet of a record; `None`: it was counted, and meets no network.
    pub(super) fn take<'a>(&mut self, record: &Record<'a>) -> Option<Taken<'a>> {
        let frame_len = record.original_len.max(record.data.len() as u32);
        let id = self.counters.all.packets;
        self.counters.read(record.link_type, frame_len);
        self.counters.went_back += u64::from(record.time < self.latest);
        self.latest = self.latest.max(record.time);
        self.earliest = Some(self.earliest.map_or(record.time, |e| e.min(record.time)));
        let bytes = match frame(record) {
            Frame::Ipv4 { bytes, .. } => bytes,
            Frame::NotIpv4(kind) => {
                self.counters.not_ipv4(kind, frame_len);
                return None;
            }
            Frame::Truncated { link_type } => {
                let broken = Broken::LinkHeader(link_type);
                self.counters.malformed(broken, frame_len);
                return None;
            }
        };
        match flow(bytes) {
            Ok(flow) => Some(Taken {
                id,
                bytes,
                frame_len,
                flow,
            }),
            Err(malformed) => {
                let broken = Broken::Packet(malformed);
                self.counters.malformed(broken, frame_len);
                None
            }
        }
    }

    /// How long it took until now.
    pub(super) fn timing(&self) -> Timing {
        let elapsed = self.began.elapsed().as_secs_f64();
        let packets = self.counters.all.packets as f64;
        Timing {
            elapsed_seconds: elapsed,
            packets_per_second: if elapsed > 0.0 {
                packets / elapsed
            } else {
                0.0
            },
            capture_start: self.earliest.map(rfc3339),
            capture_end: self.earliest.map(|_| rfc3339(self.latest)),
        }
    }
}
