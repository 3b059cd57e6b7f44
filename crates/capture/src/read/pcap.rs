//! Classic pcap and its relatives.
//!
//! The format is draft-ietf-opsawg-pcap. Two things are older than the draft: files before version 2.3 (and
//! DG/UX, which calls itself 543.0) store the two lengths of a record the other way round, and so do some
//! files of version 2.3, which shows when more was captured than there was.

use super::{Found, MAX_RECORD, Stop, need, window::Window};
use crate::{ByteOrder, CaptureError, Interface, LinkType, Part, PcapVariant, TickRate};

/// Bytes of the file header (draft §4).
const FILE_HEADER: usize = 24;
/// Bytes of a record header (draft §5).
const RECORD_HEADER: usize = 16;

/// What the magic number of a pcap file says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Magic {
    pub(super) variant: PcapVariant,
    pub(super) byte_order: ByteOrder,
}

impl Magic {
    /// The meaning of the first four bytes, if they start a pcap file.
    pub(super) fn from_bytes(first: [u8; 4]) -> Option<Self> {
        let variant = |number| match number {
            0xa1b2_c3d4 => Some(PcapVariant::Micros),
            0xa1b2_3c4d => Some(PcapVariant::Nanos),
            0xa1b2_cd34 => Some(PcapVariant::Modified),
            0x1c00_01ac | 0x1c00_01ab => Some(PcapVariant::Ixia),
            _ => None,
        };
        let order = |variant, byte_order| Magic {
            variant,
            byte_order,
        };
        variant(u32::from_le_bytes(first))
            .map(|variant| order(variant, ByteOrder::Little))
            .or_else(|| {
                variant(u32::from_be_bytes(first)).map(|variant| order(variant, ByteOrder::Big))
            })
    }

    /// Bytes of the file header; IXIA appends the size of all records.
    pub(super) fn header_len(self) -> usize {
        if self.variant == PcapVariant::Ixia {
            FILE_HEADER + 4
        } else {
            FILE_HEADER
        }
    }
}

/// Which of the two lengths of a record comes first.
#[derive(Debug, Clone, Copy)]
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    SmallerIsCaptured,
}

/// The records of a pcap file.
#[derive(Debug)]
pub(super) struct Pcap {
    byte_order: ByteOrder,
    lengths: Lengths,
    /// Nanoseconds in one unit of the sub-second part of a time.
    nanos_per_tick: u32,
    header_len: usize,
}

impl Pcap {
    /// Decodes a whole file header; returns the variant too, for AIX is told by more than the magic.
    pub(super) fn new(
        magic: Magic,
        header: &[u8],
    ) -> Result<(Self, PcapVariant, Interface), CaptureError> {
        let Magic {
            mut variant,
            byte_order,
        } = magic;
        let (major, minor) = (byte_order.u16(header, 4), byte_order.u16(header, 6));
        if major < 2 {
            return Err(CaptureError::Version {
                part: Part::PcapHeader,
                offset: 0,
                major,
                minor,
            });
        }
        let lengths = match (major, minor) {
            (2, 0..=2) | (543, _) => Lengths::OriginalFirst,
            (2, 3) => Lengths::SmallerIsCaptured,
            _ => Lengths::CapturedFirst,
        };
        // The top six bits tell of a frame check sequence, which the IP length cuts off anyway.
        let mut link_type = byte_order.u32(header, 20) & 0x03ff_ffff;
        if (variant, major, minor) == (PcapVariant::Micros, 2, 2) {
            // AIX counts link types as RFC 1573 does. No libpcap of that version used these numbers.
            let translated = match link_type {
                6 => Some(1),
                9 => Some(6),
                15 => Some(10),
                24 => Some(0),
                _ => None,
            };
            if let Some(translated) = translated {
                (variant, link_type) = (PcapVariant::Aix, translated);
            }
        }
        let nanos = matches!(variant, PcapVariant::Nanos | PcapVariant::Aix);
        let pcap = Self {
            byte_order,
            lengths,
            nanos_per_tick: if nanos { 1 } else { 1000 },
            header_len: if variant == PcapVariant::Modified {
                RECORD_HEADER + 8
            } else {
                RECORD_HEADER
            },
        };
        let interface = Interface {
            link_type: LinkType(link_type),
            snaplen: byte_order.u32(header, 16),
            name: None,
            description: None,
            tick_rate: if nanos {
                TickRate::NANOS
            } else {
                TickRate::MICROS
            },
            time_offset: 0,
        };
        Ok((pcap, variant, interface))
    }

    /// The next record.
    #[inline(always)]
    pub(super) fn step(&mut self, window: &mut Window) -> Result<Found, Stop> {
        let header = match window.available().first_chunk() {
            Some(header) if window.available().len() >= self.header_len => *header,
            _ => self.wait(window)?,
        };
        let word = |index: usize| self.byte_order.u32(&header, index * 4);
        let (seconds, fraction, first, second) = (word(0), word(1), word(2), word(3));
        if (seconds | fraction | first | second) == 0 {
            return Err(CaptureError::ZeroFilled {
                offset: window.offset(),
            }
            .into());
        }
        let swap = match self.lengths {
            Lengths::CapturedFirst => false,
            Lengths::OriginalFirst => true,
            Lengths::SmallerIsCaptured => first > second,
        };
        let (captured, original_len) = if swap {
            (second, first)
        } else {
            (first, second)
        };
        if captured as usize > MAX_RECORD {
            return Err(CaptureError::LengthTooLarge {
                part: Part::PcapRecord,
                offset: window.offset(),
                limit: MAX_RECORD as u64,
                got: captured.into(),
            }
            .into());
        }
        let len = self.header_len + captured as usize;
        need(window, Part::PcapRecord, len)?;
        let record = window.take(len);
        Ok(Found {
            // At most 2^32 seconds and 2^32 microseconds: less than 2^63 nanoseconds.
            time: u64::from(seconds) * 1_000_000_000
                + u64::from(fraction) * u64::from(self.nanos_per_tick),
            interface: 0,
            original_len,
            data: record.start + self.header_len..record.end,
        })
    }

    /// The header of the next record, which is not there yet.
    #[cold]
    fn wait(&self, window: &mut Window) -> Result<[u8; RECORD_HEADER], Stop> {
        if !window.fill(1)? {
            return Err(Stop::End);
        }
        need(window, Part::PcapRecord, self.header_len)?;
        window.available().first_chunk().copied().ok_or(Stop::End)
    }
}
