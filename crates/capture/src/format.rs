//! What kind of file a capture is.

use std::fmt;

use crate::ByteOrder;

/// What kind of file a capture is, as found in its first bytes; the name of the file counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Format {
    /// The format of the capture itself.
    pub kind: FileKind,
    /// How it is compressed, if it is.
    pub compression: Option<Compression>,
}

/// The format of a capture, without its compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// Classic pcap (draft-ietf-opsawg-pcap) or a relative of it.
    Pcap {
        /// Which relative.
        variant: PcapVariant,
        /// The byte order of the machine that wrote it.
        byte_order: ByteOrder,
    },
    /// pcapng (draft-ietf-opsawg-pcapng).
    PcapNg {
        /// The byte order of the first section; each section has its own.
        byte_order: ByteOrder,
    },
}

/// The relatives of classic pcap that can be told apart by their magic number (and AIX by its version).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PcapVariant {
    /// Magic a1b2c3d4: times in microseconds.
    Micros,
    /// Magic a1b23c4d: times in nanoseconds.
    Nanos,
    /// Magic a1b2cd34: the "modified" format of Alexey Kuznetzov's patch of 1999-10-29, whose record
    /// headers have 8 more bytes (interface index, protocol, packet type).
    Modified,
    /// Magic 1c0001ac or 1c0001ab: IXIA "lcap", with 4 more bytes in the file header. No specification is
    /// public; times are in microseconds, as Wireshark 4.0 reads both.
    Ixia,
    /// AIX: version 2.2, link types counted as RFC 1573 ifType, nanoseconds.
    Aix,
}

/// How a capture is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// gzip (RFC 1952), one or many members.
    Gzip,
    /// Zstandard (RFC 8878), one or many frames.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match self.kind {
            FileKind::Pcap {
                variant,
                byte_order,
            } => {
                f.write_str(match variant {
                    PcapVariant::Micros => "pcap, microseconds",
                    PcapVariant::Nanos => "pcap, nanoseconds",
                    PcapVariant::Modified => "modified pcap, microseconds",
                    PcapVariant::Ixia => "IXIA lcap, microseconds",
                    PcapVariant::Aix => "AIX pcap, nanoseconds",
                })?;
                byte_order
            }
            FileKind::PcapNg { byte_order } => {
                f.write_str("pcapng")?;
                byte_order
            }
        };
        f.write_str(match order {
            ByteOrder::Little => ", little-endian",
            ByteOrder::Big => ", big-endian",
        })?;
        match self.compression {
            Some(compression) => write!(f, ", {compression}"),
            None => Ok(()),
        }
    }
}
