//! What is known of captured packets before any network sees them: the same for a replay and for a
//! comparison.

use crate::counters::{Broken, Counters};
use crate::flow::{PackedFlow, flow_at};
use crate::frame::{Frame, frame};
use crate::report::{Timing, Verdicts};
use crate::time::rfc3339;
use std::time::Instant;
use vpcsim_capture::Record;
use vpcsim_packet::Glance;

/// Reads packets, and counts those that meet no network.
#[derive(Debug)]
pub(crate) struct Intake {
    /// The latest time seen: the clock.
    latest: u64,
    earliest: Option<u64>,
    began: Instant,
}

/// An IPv4 packet with a flow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken<'a> {
    pub(crate) id: u64,
    /// As much of it as was captured.
    pub(crate) bytes: &'a [u8],
    /// What a glance at it says.
    pub(crate) glance: Option<Glance>,
    /// How long it was.
    pub(crate) original_len: u32,
    /// How long its frame was.
    pub(crate) frame_len: u32,
    pub(crate) flow: PackedFlow,
}

/// A packet that meets no network; it was counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nothing {
    pub(crate) frame_len: u32,
    /// As what it counts.
    pub(crate) verdict: fn(&mut Verdicts) -> &mut u64,
}

impl Intake {
    pub(crate) fn new() -> Self {
        Self {
            latest: 0,
            earliest: None,
            began: Instant::now(),
        }
    }

    /// The latest time seen: the clock.
    pub(crate) fn clock(&self) -> u64 {
        self.latest
    }

    /// The packet of a record.
    ///
    /// # Errors
    /// When it meets no network.
    #[inline(always)]
    pub(crate) fn take<'a>(
        &mut self,
        counters: &mut Counters,
        record: &Record<'a>,
    ) -> Result<Taken<'a>, Nothing> {
        let frame_len = record.original_len.max(record.data.len() as u32);
        let id = counters.all.packets;
        counters.read(record.link_type, frame_len);
        counters.went_back += u64::from(record.time < self.latest);
        self.latest = self.latest.max(record.time);
        self.earliest = Some(self.earliest.map_or(record.time, |e| e.min(record.time)));
        let broken = match frame(record) {
            Frame::Ipv4 {
                bytes,
                original_len,
            } => {
                let glance = Glance::of(bytes);
                match flow_at(glance.as_ref(), bytes) {
                    Ok(flow) => {
                        return Ok(Taken {
                            id,
                            bytes,
                            glance,
                            original_len,
                            frame_len,
                            flow,
                        });
                    }
                    Err(malformed) => Broken::Packet(malformed),
                }
            }
            Frame::NotIpv4(kind) => {
                counters.not_ipv4(kind, frame_len);
                return Err(Nothing {
                    frame_len,
                    verdict: |verdicts| &mut verdicts.not_ipv4,
                });
            }
            Frame::Truncated { link_type } => Broken::LinkHeader(link_type),
        };
        counters.malformed(broken, frame_len);
        Err(Nothing {
            frame_len,
            verdict: |verdicts| &mut verdicts.malformed,
        })
    }

    /// How long it took until now, for so many packets.
    pub(crate) fn timing(&self, packets: u64) -> Timing {
        let elapsed = self.began.elapsed().as_secs_f64();
        Timing {
            elapsed_seconds: elapsed,
            packets_per_second: if elapsed > 0.0 {
                packets as f64 / elapsed
            } else {
                0.0
            },
            capture_start: self.earliest.map(rfc3339),
            capture_end: self.earliest.map(|_| rfc3339(self.latest)),
        }
    }
}
