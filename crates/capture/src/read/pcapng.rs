//! pcapng (draft-ietf-opsawg-pcapng).

use super::{
    Found, MAX_INTERFACES, MAX_RECORD, Stop, need,
    options::{IF_DESCRIPTION, IF_NAME, IF_TSOFFSET, IF_TSRESOL, Options, text},
    window::Window,
};
use crate::{
    ByteOrder, CaptureError, Interface, LinkType, Part, TickRate, WarningKind, time::Clock,
    warning::Warnings,
};

/// Block types (draft §11.1). The section header's reads the same in both byte orders.
pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// The byte-order mark of a section header (draft §4.1).
const BYTE_ORDER_MARK: u32 = 0x1a2b_3c4d;

/// Bytes of a block in front of its body (type, length) and behind it (length again).
const HEAD: usize = 8;
const TAIL: usize = 4;

/// The packets of a pcapng file.
#[derive(Debug)]
pub(super) struct PcapNg {
    /// Of the current section.
    byte_order: ByteOrder,
    /// Every interface of the file so far, and its clock.
    interfaces: Vec<Interface>,
    clocks: Vec<Clock>,
    /// Index of the first interface of the current section.
    section: usize,
    /// The time of the latest packet, which a packet without one takes.
    latest: u64,
    skipping: Option<Skipping>,
}

/// A block being skipped: it may be longer than what fits in memory.
#[derive(Debug)]
struct Skipping {
    offset: u64,
    len: u32,
    left: u64,
}

/// A block that is whole in the window.
struct Block<'a> {
    offset: u64,
    part: Part,
    body: &'a [u8],
}

/// What a packet block says, before its interface is looked up.
struct PacketHead {
    interface: u32,
    ticks: Option<u64>,
    captured: usize,
    original_len: u32,
    /// Where the packet starts in the body.
    start: usize,
}

impl PcapNg {
    /// A file whose first section has not been read yet.
    pub(super) fn new() -> Self {
        Self {
            byte_order: ByteOrder::Little,
            interfaces: Vec::new(),
            clocks: Vec::new(),
            section: 0,
            latest: 0,
            skipping: None,
        }
    }

    /// The byte order of the current section.
    pub(super) fn byte_order(&self) -> ByteOrder {
        self.byte_order
    }

    /// All interfaces so far, of all sections.
    pub(super) fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Reads the section header that starts the file.
    pub(super) fn first_section(&mut self, window: &mut Window) -> Result<(), Stop> {
        let len = self.section_length(window)?;
        self.read_section(window, len)
    }

    /// The next packet.
    #[inline]
    pub(super) fn step(
        &mut self,
        window: &mut Window,
        warnings: &mut Warnings,
    ) -> Result<Found, Stop> {
        loop {
            if self.skipping.is_some() {
                self.skip(window)?;
            }
            if !window.fill(1)? {
                return Err(Stop::End);
            }
            need(window, Part::Block, HEAD)?;
            let kind = self.byte_order.u32(window.available(), 0);
            if kind == SECTION_HEADER {
                let len = self.section_length(window)?;
                self.read_section(window, len)?;
                continue;
            }
            let offset = window.offset();
            let len = self.byte_order.u32(window.available(), 4);
            let (part, least) = match kind {
                INTERFACE_DESCRIPTION => (Part::InterfaceDescription, 8),
                SIMPLE_PACKET => (Part::PacketBlock, 4),
                PACKET | ENHANCED_PACKET => (Part::PacketBlock, 20),
                _ => (Part::SkippedBlock, 0),
            };
            check_length(part, offset, len, least)?;
            if part == Part::SkippedBlock {
                window.take(HEAD);
                self.skipping = Some(Skipping {
                    offset,
                    len,
                    left: u64::from(len) - (HEAD + TAIL) as u64,
                });
                continue;
            }
            let body = self.whole_block(window, part, len)?;
            let block = Block {
                offset,
                part,
                body: window.bytes(body.clone()),
            };
            if kind == INTERFACE_DESCRIPTION {
                self.describe_interface(&block)?;
                continue;
            }
            let head = match kind {
                SIMPLE_PACKET => self.simple_packet(&block)?,
                PACKET => self.obsolete_packet(block.body),
                _ => self.enhanced_packet(block.body),
            };
            return Ok(self.packet(&block, &head, body.start, warnings)?);
        }
    }

    /// Reads on to the end of a block nobody wants.
    fn skip(&mut self, window: &mut Window) -> Result<(), Stop> {
        let Some(Skipping { offset, len, left }) = &mut self.skipping else {
            return Ok(());
        };
        let (offset, len) = (*offset, *len);
        if window.skip(left)? && window.fill(TAIL)? {
            let tail = self.byte_order.u32(window.available(), 0);
            window.take(TAIL);
            self.skipping = None;
            return Ok(same_length(offset, len, tail)?);
        }
        let got = window.offset() + window.available().len() as u64 - offset;
        Err(Stop::Cut {
            part: Part::SkippedBlock,
            offset,
            wanted: len.into(),
            got,
        })
    }

    /// Learns the byte order of the section that starts here and checks the length of its header.
    fn section_length(&mut self, window: &mut Window) -> Result<u32, Stop> {
        need(window, Part::SectionHeader, HEAD + 4)?;
        let offset = window.offset();
        let head = window.available();
        self.byte_order = match ByteOrder::Big.u32(head, HEAD) {
            BYTE_ORDER_MARK => ByteOrder::Big,
            swapped if swapped.swap_bytes() == BYTE_ORDER_MARK => ByteOrder::Little,
            got => return Err(CaptureError::ByteOrderMark { offset, got }.into()),
        };
        let len = self.byte_order.u32(head, 4);
        check_length(Part::SectionHeader, offset, len, 16)?;
        Ok(len)
    }

    /// Starts a section (draft §4.1). Its length is for seeking only and often unknown.
    fn read_section(&mut self, window: &mut Window, len: u32) -> Result<(), Stop> {
        let offset = window.offset();
        let body = self.whole_block(window, Part::SectionHeader, len)?;
        let body = window.bytes(body);
        let (major, minor) = (self.byte_order.u16(body, 4), self.byte_order.u16(body, 6));
        if major != 1 {
            return Err(CaptureError::Version {
                part: Part::SectionHeader,
                offset,
                major,
                minor,
            }
            .into());
        }
        self.section = self.interfaces.len();
        Ok(())
    }

    /// Takes a block out of the window and returns the place of its body.
    #[inline]
    fn whole_block(
        &self,
        window: &mut Window,
        part: Part,
        len: u32,
    ) -> Result<std::ops::Range<usize>, Stop> {
        need(window, part, len as usize)?;
        let offset = window.offset();
        let place = window.take(len as usize);
        let body = place.start + HEAD..place.end - TAIL;
        same_length(
            offset,
            len,
            self.byte_order.u32(window.bytes(body.end..place.end), 0),
        )?;
        Ok(body)
    }

    /// An interface description block (draft §4.2): link type, reserved, snaplen, options.
    fn describe_interface(&mut self, block: &Block<'_>) -> Result<(), CaptureError> {
        let Block { offset, part, body } = *block;
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(CaptureError::TooManyInterfaces {
                offset,
                limit: MAX_INTERFACES,
            });
        }
        let mut interface = Interface {
            link_type: LinkType(self.byte_order.u16(body, 0).into()),
            snaplen: self.byte_order.u32(body, 4),
            name: None,
            description: None,
            tick_rate: TickRate::MICROS,
            time_offset: 0,
        };
        for option in Options::new(&body[8..], self.byte_order) {
            let (code, value) = option.map_err(|long| CaptureError::LengthTooLarge {
                part,
                offset,
                limit: long.limit as u64,
                got: long.got as u64,
            })?;
            match (code, value.len()) {
                (IF_NAME, _) => interface.name = Some(text(value)),
                (IF_DESCRIPTION, _) => interface.description = Some(text(value)),
                (IF_TSRESOL, 1..) => interface.tick_rate = TickRate::from_option(value[0]),
                // Signed, for it may point back: the cast keeps the bits.
                (IF_TSOFFSET, 8..) => interface.time_offset = self.byte_order.u64(value, 0) as i64,
                _ => {}
            }
        }
        self.clocks
            .push(Clock::new(interface.tick_rate, interface.time_offset));
        self.interfaces.push(interface);
        Ok(())
    }

    /// An enhanced packet block (draft §4.3).
    #[inline]
    fn enhanced_packet(&self, body: &[u8]) -> PacketHead {
        PacketHead {
            interface: self.byte_order.u32(body, 0),
            ..self.timed_packet(body)
        }
    }

    /// The obsolete packet block (draft appendix A): a 16-bit interface and a drop count come first.
    fn obsolete_packet(&self, body: &[u8]) -> PacketHead {
        PacketHead {
            interface: self.byte_order.u16(body, 0).into(),
            ..self.timed_packet(body)
        }
    }

    /// What the two have in common.
    #[inline]
    fn timed_packet(&self, body: &[u8]) -> PacketHead {
        let word = |at| self.byte_order.u32(body, at);
        PacketHead {
            interface: 0,
            ticks: Some(u64::from(word(4)) << 32 | u64::from(word(8))),
            captured: word(12) as usize,
            original_len: word(16),
            start: 20,
        }
    }

    /// A simple packet block (draft §4.4): of the first interface, whose snaplen says how much was captured.
    fn simple_packet(&self, block: &Block<'_>) -> Result<PacketHead, CaptureError> {
        let original_len = self.byte_order.u32(block.body, 0);
        let snaplen = match self.interfaces.get(self.section) {
            Some(interface) if interface.snaplen > 0 => interface.snaplen,
            Some(_) => u32::MAX,
            None => {
                return Err(CaptureError::UnknownInterface {
                    offset: block.offset,
                    got: 0,
                    known: 0,
                });
            }
        };
        let captured = original_len.min(snaplen) as usize;
        Ok(PacketHead {
            interface: 0,
            ticks: None,
            captured,
            original_len,
            start: 4,
        })
    }

    /// Checks a packet against its block and its section.
    #[inline]
    fn packet(
        &mut self,
        block: &Block<'_>,
        head: &PacketHead,
        body_start: usize,
        warnings: &mut Warnings,
    ) -> Result<Found, CaptureError> {
        let Block { offset, part, body } = *block;
        let limit = body.len() - head.start;
        if head.captured > limit {
            let (limit, got) = (limit as u64, head.captured as u64);
            return Err(CaptureError::LengthTooLarge {
                part,
                offset,
                limit,
                got,
            });
        }
        let known = self.clocks.len() - self.section;
        if head.interface as usize >= known {
            return Err(CaptureError::UnknownInterface {
                offset,
                got: head.interface,
                known,
            });
        }
        let interface = self.section + head.interface as usize;
        if let Some(ticks) = head.ticks {
            let (time, fits) = self.clocks[interface].nanos(ticks);
            if !fits {
                warnings.add(offset, WarningKind::TimeOutOfRange);
            }
            self.latest = time;
        }
        let start = body_start + head.start;
        Ok(Found {
            time: self.latest,
            // At most MAX_INTERFACES.
            interface: interface as u32,
            original_len: head.original_len,
            data: start..start + head.captured,
        })
    }
}

/// Checks the length of a block whose body must have `least` bytes, before anything relies on it.
#[inline]
fn check_length(part: Part, offset: u64, len: u32, least: usize) -> Result<(), CaptureError> {
    let wanted = (HEAD + least + TAIL) as u64;
    if u64::from(len) < wanted {
        return Err(CaptureError::LengthTooSmall {
            part,
            offset,
            wanted,
            got: len.into(),
        });
    }
    if !len.is_multiple_of(4) {
        return Err(CaptureError::LengthUnaligned { offset, got: len });
    }
    if part != Part::SkippedBlock && len as usize > MAX_RECORD {
        return Err(CaptureError::LengthTooLarge {
            part,
            offset,
            limit: MAX_RECORD as u64,
            got: len.into(),
        });
    }
    Ok(())
}

/// Checks that a block ends with the length it started with.
#[inline]
fn same_length(offset: u64, wanted: u32, got: u32) -> Result<(), CaptureError> {
    if wanted == got {
        Ok(())
    } else {
        Err(CaptureError::LengthsDiffer {
            offset,
            wanted,
            got,
        })
    }
}
