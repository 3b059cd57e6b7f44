//! Classic pcap out.

use std::io::Write;

use super::{WriteError, buffer::Buffer};
use crate::{LinkType, MAX_RECORD};

/// The unit of the times in a classic pcap file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// Magic a1b2c3d4; finer times are rounded down.
    Micros,
    /// Magic a1b23c4d.
    Nanos,
}

/// Writes classic pcap (draft-ietf-opsawg-pcap), version 2.4, little-endian on every machine.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    out: Buffer<W>,
    nanos_per_tick: u64,
    snaplen: usize,
}

impl<W: Write> PcapWriter<W> {
    /// Starts a file: all packets have the one `link_type`, and at most `snaplen` bytes of each are kept.
    /// A `snaplen` of 0 means the most that every reader takes: 262144 (tcpdump's own).
    ///
    /// # Errors
    /// When the output refuses the header or the link type has no 16-bit number.
    pub fn new(
        out: W,
        resolution: Resolution,
        link_type: LinkType,
        snaplen: u32,
    ) -> Result<Self, WriteError> {
        if link_type.0 > u16::MAX.into() {
            return Err(WriteError::LinkType { got: link_type.0 });
        }
        let (magic, nanos_per_tick) = match resolution {
            Resolution::Micros => (0xa1b2_c3d4_u32, 1000),
            Resolution::Nanos => (0xa1b2_3c4d, 1),
        };
        let snaplen = if snaplen == 0 { 262_144 } else { snaplen };
        let mut header = [0; 24];
        header[0..4].copy_from_slice(&magic.to_le_bytes());
        header[4..6].copy_from_slice(&2_u16.to_le_bytes());
        header[6..8].copy_from_slice(&4_u16.to_le_bytes());
        header[16..20].copy_from_slice(&snaplen.to_le_bytes());
        header[20..24].copy_from_slice(&link_type.0.to_le_bytes());
        let mut out = Buffer::new(out);
        out.room(header.len())?.extend_from_slice(&header);
        Ok(Self {
            out,
            nanos_per_tick,
            snaplen: snaplen as usize,
        })
    }

    /// Writes a packet captured `time` nanoseconds after 1970 that had `original_len` bytes (never less
    /// than `data` has: the larger of the two is written).
    ///
    /// # Errors
    /// When the output refuses it, the time is after 2106, or the packet is too long to be read back.
    pub fn write(&mut self, time: u64, original_len: u32, data: &[u8]) -> Result<(), WriteError> {
        if data.len() > MAX_RECORD {
            return Err(WriteError::TooLong {
                limit: MAX_RECORD,
                got: data.len(),
            });
        }
        let seconds = time / 1_000_000_000;
        let seconds = u32::try_from(seconds).map_err(|_| WriteError::Time { got: seconds })?;
        // Less than a billion, whatever the unit.
        let fraction = (time % 1_000_000_000 / self.nanos_per_tick) as u32;
        let original_len = original_len.max(data.len() as u32);
        let data = &data[..data.len().min(self.snaplen)];
        let mut header = [0; 16];
        let words = [seconds, fraction, data.len() as u32, original_len];
        for (place, word) in header.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let out = self.out.room(header.len() + data.len())?;
        out.extend_from_slice(&header);
        out.extend_from_slice(data);
        Ok(())
    }

    /// Hands everything written so far to the output.
    ///
    /// # Errors
    /// When the output refuses it.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        Ok(self.out.flush()?)
    }

    /// Ends the file and gives the output back.
    ///
    /// # Errors
    /// When the output refuses the last bytes.
    pub fn finish(self) -> Result<W, WriteError> {
        Ok(self.out.finish()?)
    }
}
