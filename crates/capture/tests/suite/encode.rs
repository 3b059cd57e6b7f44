//! Small encoders of every format, written from the drafts and not from the code they test.

use std::io::{Cursor, Write};

use vpcsim_capture::{ByteOrder, CaptureError, Reader, Warning};

/// A record that owns its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) time: u64,
    pub(crate) interface: u32,
    pub(crate) original_len: u32,
    pub(crate) data: Vec<u8>,
}

/// Everything a reader gives.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) packets: Vec<Packet>,
    pub(crate) error: Option<CaptureError>,
    pub(crate) warnings: Vec<Warning>,
}

pub(crate) fn read(bytes: &[u8]) -> Outcome {
    read_all(Reader::from_stream(Cursor::new(bytes.to_vec())))
}

pub(crate) fn read_all(reader: Result<Reader, CaptureError>) -> Outcome {
    let mut reader = match reader {
        Ok(reader) => reader,
        Err(error) => {
            return Outcome {
                packets: Vec::new(),
                error: Some(error),
                warnings: Vec::new(),
            };
        }
    };
    let mut packets = Vec::new();
    let mut error = None;
    loop {
        match reader.next_record() {
            Ok(Some(record)) => packets.push(Packet {
                time: record.time,
                interface: record.interface,
                original_len: record.original_len,
                data: record.data.to_vec(),
            }),
            Ok(None) => break,
            Err(found) => {
                error = Some(found);
                assert!(
                    reader.next_record().unwrap().is_none(),
                    "nothing comes after an error"
                );
                break;
            }
        }
    }
    Outcome {
        packets,
        error,
        warnings: reader.warnings().to_vec(),
    }
}

/// The packets of a file that has nothing wrong.
pub(crate) fn read_clean(bytes: &[u8]) -> Vec<Packet> {
    let outcome = read(bytes);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert!(outcome.warnings.is_empty(), "{:?}", outcome.warnings);
    outcome.packets
}

/// Three packets of different lengths, 1 µs apart.
pub(crate) fn three() -> Vec<Packet> {
    [1_usize, 60, 33]
        .into_iter()
        .enumerate()
        .map(|(index, len)| Packet {
            time: 1_700_000_000_123_456_000 + index as u64 * 1000,
            interface: 0,
            original_len: len as u32 + 7,
            data: (0..len as u8).map(|byte| byte ^ index as u8).collect(),
        })
        .collect()
}

pub(crate) fn u16_of(order: ByteOrder, value: u16) -> [u8; 2] {
    if order == ByteOrder::Big {
        value.to_be_bytes()
    } else {
        value.to_le_bytes()
    }
}

pub(crate) fn u32_of(order: ByteOrder, value: u32) -> [u8; 4] {
    if order == ByteOrder::Big {
        value.to_be_bytes()
    } else {
        value.to_le_bytes()
    }
}

fn words(order: ByteOrder, values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| u32_of(order, *value))
        .collect()
}

/// A pcap file: `tick` is nanoseconds per unit of the sub-second part, `extra` more bytes per record header.
pub(crate) struct PcapFile {
    pub(crate) order: ByteOrder,
    pub(crate) magic: u32,
    pub(crate) version: (u16, u16),
    pub(crate) link_type: u32,
    pub(crate) tick: u64,
    pub(crate) extra: usize,
    pub(crate) swapped: bool,
}

impl PcapFile {
    pub(crate) fn new(order: ByteOrder) -> Self {
        Self {
            order,
            magic: 0xa1b2_c3d4,
            version: (2, 4),
            link_type: 1,
            tick: 1000,
            extra: 0,
            swapped: false,
        }
    }

    pub(crate) fn header(&self) -> Vec<u8> {
        let mut file = u32_of(self.order, self.magic).to_vec();
        file.extend(u16_of(self.order, self.version.0));
        file.extend(u16_of(self.order, self.version.1));
        file.extend(words(self.order, &[0, 0, 65_535, self.link_type]));
        if self.magic >> 8 == 0x1c_0001 {
            file.extend([0xff; 4]);
        }
        file
    }

    pub(crate) fn record(&self, packet: &Packet) -> Vec<u8> {
        let (seconds, nanos) = (packet.time / 1_000_000_000, packet.time % 1_000_000_000);
        let (captured, original) = (packet.data.len() as u32, packet.original_len);
        let (first, second) = if self.swapped {
            (original, captured)
        } else {
            (captured, original)
        };
        let mut record = words(
            self.order,
            &[seconds as u32, (nanos / self.tick) as u32, first, second],
        );
        record.resize(record.len() + self.extra, 0xee);
        record.extend(&packet.data);
        record
    }

    pub(crate) fn encode(&self, packets: &[Packet]) -> Vec<u8> {
        let mut file = self.header();
        packets
            .iter()
            .for_each(|packet| file.extend(self.record(packet)));
        file
    }
}

/// A pcapng file being put together.
pub(crate) struct NgFile {
    pub(crate) order: ByteOrder,
    pub(crate) bytes: Vec<u8>,
}

impl NgFile {
    pub(crate) fn new(order: ByteOrder) -> Self {
        let mut file = Self {
            order,
            bytes: Vec::new(),
        };
        file.section(order);
        file
    }

    /// One interface with microseconds, then the packets in enhanced packet blocks.
    pub(crate) fn of(order: ByteOrder, packets: &[Packet]) -> Vec<u8> {
        let mut file = Self::new(order);
        file.interface(1, 0, &[]);
        packets
            .iter()
            .for_each(|packet| file.enhanced(0, packet.time / 1000, packet));
        file.bytes
    }

    pub(crate) fn block(&mut self, kind: u32, body: &[u8]) {
        let len = 12 + body.len().next_multiple_of(4) as u32;
        self.bytes.extend(words(self.order, &[kind, len]));
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.bytes.extend(u32_of(self.order, len));
    }

    pub(crate) fn section(&mut self, order: ByteOrder) {
        self.order = order;
        let mut body = u32_of(order, 0x1a2b_3c4d).to_vec();
        body.extend(u16_of(order, 1));
        body.extend(u16_of(order, 0));
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body);
    }

    pub(crate) fn interface(&mut self, link_type: u16, snaplen: u32, options: &[(u16, &[u8])]) {
        let mut body = u16_of(self.order, link_type).to_vec();
        body.extend([0, 0]);
        body.extend(u32_of(self.order, snaplen));
        for (code, value) in options {
            body.extend(u16_of(self.order, *code));
            body.extend(u16_of(self.order, value.len() as u16));
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        if !options.is_empty() {
            body.extend([0; 4]);
        }
        self.block(1, &body);
    }

    pub(crate) fn enhanced(&mut self, interface: u32, ticks: u64, packet: &Packet) {
        let (high, low) = ((ticks >> 32) as u32, ticks as u32);
        let mut body = words(
            self.order,
            &[
                interface,
                high,
                low,
                packet.data.len() as u32,
                packet.original_len,
            ],
        );
        body.extend(&packet.data);
        self.block(6, &body);
    }

    pub(crate) fn obsolete(&mut self, interface: u16, ticks: u64, packet: &Packet) {
        let mut body = u16_of(self.order, interface).to_vec();
        body.extend(u16_of(self.order, 0xffff));
        let (high, low) = ((ticks >> 32) as u32, ticks as u32);
        body.extend(words(
            self.order,
            &[high, low, packet.data.len() as u32, packet.original_len],
        ));
        body.extend(&packet.data);
        self.block(2, &body);
    }

    pub(crate) fn simple(&mut self, original_len: u32, data: &[u8]) {
        let mut body = u32_of(self.order, original_len).to_vec();
        body.extend(data);
        self.block(3, &body);
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 1).unwrap()
}

pub(crate) const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];
