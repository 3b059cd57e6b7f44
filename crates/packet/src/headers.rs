//! What the headers of a packet say.

use std::net::Ipv4Addr;

/// An IANA protocol number, as in the IPv4 header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Protocol(pub u8);

impl Protocol {
    /// ICMP (RFC 792).
    pub const ICMP: Self = Self(1);
    /// TCP (RFC 9293).
    pub const TCP: Self = Self(6);
    /// UDP (RFC 768).
    pub const UDP: Self = Self(17);
    /// GRE (RFC 2784).
    pub const GRE: Self = Self(47);
    /// ESP (RFC 4303).
    pub const ESP: Self = Self(50);
    /// SCTP (RFC 9260).
    pub const SCTP: Self = Self(132);
}

/// The headers of an IPv4 packet, by value: addresses, lengths and what the transport says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers {
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// Protocol number.
    pub protocol: Protocol,
    /// Time to live.
    pub ttl: u8,
    /// Type of service (DSCP and ECN).
    pub tos: u8,
    /// Identification.
    pub identification: u16,
    /// DF.
    pub dont_fragment: bool,
    /// MF.
    pub more_fragments: bool,
    /// Fragment offset in bytes.
    pub fragment_offset: u32,
    /// Length of the IPv4 header in bytes, options included.
    pub header_len: usize,
    /// Length of the packet in bytes as its header says; as captured where the header says 0
    /// (segmentation offload).
    pub total_len: usize,
    /// The transport header.
    pub transport: Transport,
}

/// The transport header, as far as one is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp(Tcp),
    /// UDP.
    Udp(Udp),
    /// ICMP.
    Icmp(Icmp),
    /// A protocol without ports here (GRE, ESP, SCTP, …).
    Other,
    /// A later fragment: the transport header is in the first one.
    LaterFragment,
}

/// A TCP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tcp {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number.
    pub acknowledgment: u32,
    /// Flags.
    pub flags: TcpFlags,
    /// Window, unscaled.
    pub window: u16,
    /// Length of the header in bytes, options included.
    pub header_len: usize,
    /// Length of the payload in bytes, from the IP header.
    pub payload_len: usize,
}

/// The TCP flags byte (FIN is bit 0, CWR bit 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgment field counts.
    pub const ACK: Self = Self(0x10);
    /// Urgent.
    pub const URG: Self = Self(0x20);
    /// Congestion was experienced (RFC 3168).
    pub const ECE: Self = Self(0x40);
    /// The congestion window was reduced (RFC 3168).
    pub const CWR: Self = Self(0x80);

    /// Whether every flag of `other` is set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for TcpFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A UDP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Udp {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Length field: header and payload in bytes.
    pub length: u16,
}

/// An ICMP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icmp {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// What follows.
    pub body: IcmpBody,
}

/// What follows the first four bytes of an ICMP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IcmpBody {
    /// A query or its reply: echo (8, 0), timestamp (13, 14), information (15, 16), mask (17, 18).
    Query {
        /// Identifier: maps like a port.
        identifier: u16,
        /// Sequence number.
        sequence: u16,
    },
    /// An error (3, 4, 5, 11, 12) that quotes the packet it speaks of.
    Error(Quoted),
    /// Any other type, or an error whose quotation is too short to name a flow.
    Other,
}

/// The packet that an ICMP error quotes: headers only, often cut after eight bytes of transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoted {
    /// Where the quoted IPv4 header starts, in bytes from the start of the outer packet.
    pub offset: usize,
    /// Length of the quoted IPv4 header in bytes.
    pub header_len: usize,
    /// The quoted packet's flow, in the direction in which it was sent. Ports are 0 where the
    /// quotation is of a later fragment.
    pub key: crate::FlowKey,
    /// Whether the quotation is of a later fragment, without transport header.
    pub later_fragment: bool,
}
