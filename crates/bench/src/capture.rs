//! The same flows as a capture, for what reads files.

use crate::carrier::Way;
use crate::flow::Flow;
use crate::header::Writer;
use crate::live::{Live, Shot};
use crate::opening::{DATA_OUT, HANDSHAKE};
use crate::pipeline::START;
use crate::size::Size;
use crate::traffic::Traffic;
use std::io::Write;
use vpcsim_capture::{LinkType, PcapWriter, Resolution, WriteError};
use vpcsim_packet::TcpFlags;

/// Nanoseconds between two packets: a hundred thousand a second, so that a million last ten
/// seconds and no flow grows old between two of its packets.
const PACE: u64 = 10_000;

/// Ethernet addresses (02: locally administered) of the inside host's side and of its router.
const INSIDE: [u8; 6] = [2, 0, 0, 0, 0, 1];
const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 2];
const IPV4: [u8; 2] = [0x08, 0x00];

/// Writes so many packets of so many flows as a pcap file (Ethernet, nanoseconds), as they are seen
/// inside: handshakes and first datagrams, then packets at random over all flows and both
/// directions. Every one of them is delivered in [`network`](crate::network).
///
/// # Errors
/// When the output refuses it.
pub fn write_capture(
    out: impl Write,
    flows: u32,
    packets: u64,
    size: Size,
) -> Result<(), WriteError> {
    let mut file = File {
        out: PcapWriter::new(out, Resolution::Nanos, LinkType::ETHERNET, 0)?,
        time: START.0,
        left: packets,
        live: Live::new(flows),
        writer: Writer::new(),
        frame: Vec::new(),
    };
    for round in &HANDSHAKE {
        for number in 0..flows {
            if round.is_sent_by(&Flow::number(number)) {
                file.write(&round.shot(number), round.flags)?;
            }
        }
    }
    let mut traffic = Traffic::new(flows, size);
    while file.left > 0 {
        file.write(&traffic.next(None), DATA_OUT.flags)?;
    }
    file.out.finish().map(drop)
}

struct File<W: Write> {
    out: PcapWriter<W>,
    time: u64,
    /// Packets still to be written.
    left: u64,
    live: Live,
    writer: Writer,
    frame: Vec<u8>,
}

impl<W: Write> File<W> {
    fn write(&mut self, shot: &Shot, flags: TcpFlags) -> Result<(), WriteError> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        self.time += PACE;
        let flow = Flow::number(shot.flow);
        let mut wanted = self.live.packet(shot, &flow, flags);
        let (to, from) = match shot.way {
            Way::Out => (ROUTER, INSIDE),
            // Inside, an answer has been translated back.
            Way::In => {
                wanted.destination = flow.inside;
                (INSIDE, ROUTER)
            }
        };
        self.live.sent(shot, &flow, flags);
        self.frame.clear();
        for part in [&to[..], &from, &IPV4, self.writer.write(&wanted)] {
            self.frame.extend_from_slice(part);
        }
        // IEEE 802.3: at least 60 bytes without the checksum.
        self.frame.resize(self.frame.len().max(60), 0);
        self.out.write(self.time, 0, &self.frame)
    }
}
