//! Why a packet has no flow.

use std::fmt;

/// A packet too broken to have a flow: which layer, where, what was wanted and what was there.
///
/// Displays as `tcp data offset 2 at byte 32: wanted 5 or more`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{layer} {} at byte {offset}: {}", what.found(), what.wanted())]
pub struct Malformed {
    /// The layer whose header is broken.
    pub layer: Layer,
    /// Where the offending field, or the header that is cut short, starts: bytes from the start
    /// of the IPv4 header.
    pub offset: usize,
    /// What is wrong.
    pub what: Fault,
}

/// A layer whose header can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// IPv4 (RFC 791).
    Ipv4,
    /// TCP (RFC 9293).
    Tcp,
    /// UDP (RFC 768).
    Udp,
    /// ICMP (RFC 792).
    Icmp,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "ipv4",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        })
    }
}

/// What is wrong with a header. `wanted` is the nearest value that would have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The version is not 4.
    Version {
        /// 4.
        wanted: u8,
        /// The version found.
        got: u8,
    },
    /// Fewer bytes of the header are there than it needs. Bytes past the packet's stated length
    /// do not count.
    Cut {
        /// Bytes the header needs at least.
        wanted: usize,
        /// Bytes there.
        got: usize,
    },
    /// The IPv4 header length (IHL) is below 5 words.
    HeaderLength {
        /// 32-bit words at least.
        wanted: u8,
        /// 32-bit words found.
        got: u8,
    },
    /// The IPv4 total length is less than the header's own length.
    TotalLength {
        /// Bytes at least.
        wanted: usize,
        /// Bytes found.
        got: usize,
    },
    /// A fragment that ends past the largest datagram there can be.
    FragmentEnd {
        /// Bytes at most.
        wanted: usize,
        /// Offset and payload of the fragment in bytes.
        got: usize,
    },
    /// The TCP data offset is below 5 words.
    DataOffsetLow {
        /// 32-bit words at least.
        wanted: u8,
        /// 32-bit words found.
        got: u8,
    },
    /// The TCP data offset points past the end of the packet.
    DataOffsetHigh {
        /// 32-bit words at most.
        wanted: u8,
        /// 32-bit words found.
        got: u8,
    },
}

impl Fault {
    fn found(self) -> Phrase {
        match self {
            Self::Version { got, .. } => Phrase("version ", got.into(), ""),
            Self::Cut { got, .. } => Phrase("header of ", got, " bytes"),
            Self::HeaderLength { got, .. } => Phrase("header length ", got.into(), ""),
            Self::TotalLength { got, .. } => Phrase("total length ", got, ""),
            Self::FragmentEnd { got, .. } => Phrase("fragment end ", got, ""),
            Self::DataOffsetLow { got, .. } | Self::DataOffsetHigh { got, .. } => {
                Phrase("data offset ", got.into(), "")
            }
        }
    }

    fn wanted(self) -> Phrase {
        match self {
            Self::Version { wanted, .. } => Phrase("wanted ", wanted.into(), ""),
            Self::HeaderLength { wanted, .. } | Self::DataOffsetLow { wanted, .. } => {
                Phrase("wanted ", wanted.into(), " or more")
            }
            Self::Cut { wanted, .. } | Self::TotalLength { wanted, .. } => {
                Phrase("wanted ", wanted, " or more")
            }
            Self::FragmentEnd { wanted, .. } => Phrase("wanted ", wanted, " or less"),
            Self::DataOffsetHigh { wanted, .. } => Phrase("wanted ", wanted.into(), " or less"),
        }
    }
}

/// Words around a number.
struct Phrase(&'static str, usize, &'static str);

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.0, self.1, self.2)
    }
}
