//! What can be wrong with a capture file.

use std::{fmt, io, path::PathBuf};

use crate::Compression;

/// The part of a file that an error or a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The header at the start of a pcap file.
    PcapHeader,
    /// A packet record of a pcap file.
    PcapRecord,
    /// The header of a pcapng block: its type and length.
    Block,
    /// A pcapng section header block.
    SectionHeader,
    /// A pcapng interface description block.
    InterfaceDescription,
    /// A pcapng enhanced, simple or (obsolete) packet block.
    PacketBlock,
    /// A pcapng block of a kind that is skipped.
    SkippedBlock,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PcapHeader => "pcap header",
            Self::PcapRecord => "pcap record",
            Self::Block => "pcapng block",
            Self::SectionHeader => "pcapng section header",
            Self::InterfaceDescription => "pcapng interface description",
            Self::PacketBlock => "pcapng packet block",
            Self::SkippedBlock => "pcapng block of another kind",
        })
    }
}

/// Why a capture cannot be read, or not any further.
///
/// Offsets count bytes of the capture itself: of the uncompressed data when the file is compressed.
/// Every packet before the offset has been returned already.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The file cannot be opened.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Reading failed. The reader stays where it was: reading on is a retry.
    #[error("cannot read at offset {offset}: {source}")]
    Io {
        /// How far the capture had been read.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The compressed data is damaged, or needs more memory than is allowed.
    #[error("damaged {compression} data after {offset} uncompressed bytes: {source}")]
    Compressed {
        /// The compression.
        compression: Compression,
        /// How many bytes could be uncompressed.
        offset: u64,
        /// What the decoder said.
        source: io::Error,
    },
    /// The input ends before its format can be told.
    #[error("not a capture: it has only {got} bytes, a capture starts with 4 that name its format")]
    TooShort {
        /// How many bytes there are.
        got: usize,
    },
    /// The first bytes belong to no format that is read here.
    #[error("not a capture: it starts with {:02x} {:02x} {:02x} {:02x}, neither pcap nor pcapng", .first[0], .first[1], .first[2], .first[3])]
    NotACapture {
        /// The first bytes, after decompression.
        first: [u8; 4],
    },
    /// A version of the format that is not known.
    #[error(
        "{part} at offset {offset}: version {major}.{minor} is not supported (pcap from 2.0, pcapng 1.x)"
    )]
    Version {
        /// Which header.
        part: Part,
        /// Where it starts.
        offset: u64,
        /// The major version found.
        major: u16,
        /// The minor version found.
        minor: u16,
    },
    /// A section header without either byte-order mark.
    #[error(
        "{} at offset {offset}: byte-order mark 1a2b3c4d wanted in either order, got {got:08x}",
        Part::SectionHeader
    )]
    ByteOrderMark {
        /// Where the section header starts.
        offset: u64,
        /// What stands there, read as big-endian.
        got: u32,
    },
    /// A length smaller than what it must cover.
    #[error("{part} at offset {offset}: length of at least {wanted} bytes wanted, got {got}")]
    LengthTooSmall {
        /// Which part.
        part: Part,
        /// Where it starts.
        offset: u64,
        /// The least length.
        wanted: u64,
        /// The length in the file.
        got: u64,
    },
    /// A length larger than what is allowed or than what holds it.
    #[error("{part} at offset {offset}: length of at most {limit} bytes wanted, got {got}")]
    LengthTooLarge {
        /// Which part.
        part: Part,
        /// Where it starts.
        offset: u64,
        /// The largest length.
        limit: u64,
        /// The length in the file.
        got: u64,
    },
    /// A pcapng block length that is not a multiple of four.
    #[error(
        "{} at offset {offset}: length that is a multiple of 4 wanted, got {got}",
        Part::Block
    )]
    LengthUnaligned {
        /// Where the block starts.
        offset: u64,
        /// The length in the file.
        got: u32,
    },
    /// The two lengths of a pcapng block differ.
    #[error(
        "{} at offset {offset}: starts with length {wanted} but ends with length {got}",
        Part::Block
    )]
    LengthsDiffer {
        /// Where the block starts.
        offset: u64,
        /// The length at its start.
        wanted: u32,
        /// The length at its end.
        got: u32,
    },
    /// Zeros where a record was expected: the hole that a crash or a full disk leaves.
    #[error(
        "{} at offset {offset}: nothing but zeros, the file has a hole from here on",
        Part::PcapRecord
    )]
    ZeroFilled {
        /// Where the zeros start.
        offset: u64,
    },
    /// A packet of an interface that the section has not described.
    #[error(
        "{} at offset {offset}: interface {got} wanted, the section has described {known}",
        Part::PacketBlock
    )]
    UnknownInterface {
        /// Where the block starts.
        offset: u64,
        /// The interface that the packet names.
        got: u32,
        /// How many interfaces the section has.
        known: usize,
    },
    /// More interfaces than any real capture has.
    #[error(
        "{} at offset {offset}: more than {limit} interfaces",
        Part::InterfaceDescription
    )]
    TooManyInterfaces {
        /// Where the block starts.
        offset: u64,
        /// How many are allowed in one file.
        limit: usize,
    },
}
