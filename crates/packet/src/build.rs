//! Packets from scratch, with valid checksums: for tests, traces and generated captures.
//!
//! ```
//! use vpcsim_packet::{TcpFlags, build};
//! let syn = build::tcp(([10, 0, 0, 1], 1234), ([10, 0, 0, 2], 80), TcpFlags::SYN)
//!     .sequence(1000)
//!     .ttl(63)
//!     .bytes();
//! let headers = vpcsim_packet::Headers::parse(&syn)?;
//! assert_eq!(
//!     vpcsim_packet::FlowKey::of(&headers).map(|key| key.to_string()).as_deref(),
//!     Some("tcp 10.0.0.1:1234 > 10.0.0.2:80")
//! );
//! # Ok::<(), vpcsim_packet::Malformed>(())
//! ```

use crate::fragment::fragment;
use crate::parse::MAX_DATAGRAM;
use crate::{FlowKey, Headers, Protocol, TcpFlags};
use etherparse::{
    Icmpv4Header, Icmpv4Type, IpDscp, IpEcn, IpFragOffset, IpNumber, Ipv4Header, Ipv4Options,
    TcpHeader, UdpHeader,
};
use std::net::Ipv4Addr;

/// A packet in the making. TTL 64, TOS 0, identification 0, DF clear unless set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    ttl: u8,
    tos: u8,
    identification: u16,
    dont_fragment: bool,
    options: Vec<u8>,
    content: Content,
    payload: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Tcp(TcpHeader),
    Udp {
        source_port: u16,
        destination_port: u16,
        checksum: bool,
    },
    Icmp {
        kind: u8,
        code: u8,
        rest: [u8; 4],
    },
    Raw(Protocol),
}

/// Which half of a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Echo {
    /// Type 8.
    Request,
    /// Type 0.
    Reply,
}

/// A UDP datagram.
pub fn udp(
    source: (impl Into<Ipv4Addr>, u16),
    destination: (impl Into<Ipv4Addr>, u16),
    payload: &[u8],
) -> Build {
    let content = Content::Udp {
        source_port: source.1,
        destination_port: destination.1,
        checksum: true,
    };
    Build::new(source.0, destination.0, content).payload(payload)
}

/// A TCP segment with sequence and acknowledgment number 0, window 65 535, no options and no
/// payload, unless set.
pub fn tcp(
    source: (impl Into<Ipv4Addr>, u16),
    destination: (impl Into<Ipv4Addr>, u16),
    flags: TcpFlags,
) -> Build {
    let mut header = TcpHeader::new(source.1, destination.1, 0, u16::MAX);
    header.fin = flags.contains(TcpFlags::FIN);
    header.syn = flags.contains(TcpFlags::SYN);
    header.rst = flags.contains(TcpFlags::RST);
    header.psh = flags.contains(TcpFlags::PSH);
    header.ack = flags.contains(TcpFlags::ACK);
    header.urg = flags.contains(TcpFlags::URG);
    header.ece = flags.contains(TcpFlags::ECE);
    header.cwr = flags.contains(TcpFlags::CWR);
    Build::new(source.0, destination.0, Content::Tcp(header))
}

/// An ICMP echo request or reply.
pub fn icmp_echo(
    echo: Echo,
    source: impl Into<Ipv4Addr>,
    destination: impl Into<Ipv4Addr>,
    identifier: u16,
    sequence: u16,
    payload: &[u8],
) -> Build {
    let kind = match echo {
        Echo::Request => 8,
        Echo::Reply => 0,
    };
    let [a, b] = identifier.to_be_bytes();
    let [c, d] = sequence.to_be_bytes();
    icmp(source, destination, kind, 0, [a, b, c, d], payload)
}

/// Any ICMP message: type, code, the last four bytes of the header, and what follows them (for
/// an error, the quoted packet).
pub fn icmp(
    source: impl Into<Ipv4Addr>,
    destination: impl Into<Ipv4Addr>,
    kind: u8,
    code: u8,
    rest: [u8; 4],
    payload: &[u8],
) -> Build {
    Build::new(source, destination, Content::Icmp { kind, code, rest }).payload(payload)
}

/// A packet of any protocol; `payload` is what follows the IPv4 header.
pub fn raw(
    protocol: Protocol,
    source: impl Into<Ipv4Addr>,
    destination: impl Into<Ipv4Addr>,
    payload: &[u8],
) -> Build {
    Build::new(source, destination, Content::Raw(protocol)).payload(payload)
}

/// A packet of the flow `key` with an empty payload: TCP with `ACK`, UDP, ICMP of the key's type,
/// code and identifier, or the bare protocol.
pub fn of_flow(key: &FlowKey) -> Build {
    let source = (key.source, key.source_port);
    let destination = (key.destination, key.destination_port);
    match key.protocol {
        Protocol::TCP => tcp(source, destination, TcpFlags::ACK),
        Protocol::UDP => udp(source, destination, &[]),
        Protocol::ICMP => {
            let [kind, code] = key.destination_port.to_be_bytes();
            let [a, b] = key.source_port.to_be_bytes();
            icmp(key.source, key.destination, kind, code, [a, b, 0, 0], &[])
        }
        protocol => raw(protocol, key.source, key.destination, &[]),
    }
}

impl Build {
    fn new(
        source: impl Into<Ipv4Addr>,
        destination: impl Into<Ipv4Addr>,
        content: Content,
    ) -> Self {
        Self {
            source: source.into(),
            destination: destination.into(),
            ttl: 64,
            tos: 0,
            identification: 0,
            dont_fragment: false,
            options: Vec::new(),
            content,
            payload: Vec::new(),
        }
    }

    /// Time to live.
    #[must_use]
    pub fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }

    /// Type of service: DSCP and ECN.
    #[must_use]
    pub fn tos(mut self, tos: u8) -> Self {
        self.tos = tos;
        self
    }

    /// Identification, which ties fragments together.
    #[must_use]
    pub fn identification(mut self, identification: u16) -> Self {
        self.identification = identification;
        self
    }

    /// Sets or clears DF.
    #[must_use]
    pub fn dont_fragment(mut self, dont_fragment: bool) -> Self {
        self.dont_fragment = dont_fragment;
        self
    }

    /// IP options: at most 40 bytes count, padded with zeros to a multiple of four.
    #[must_use]
    pub fn options(mut self, options: &[u8]) -> Self {
        self.options = padded(options);
        self
    }

    /// What follows the transport header. Bytes that do not fit into a datagram are left out.
    #[must_use]
    pub fn payload(mut self, payload: &[u8]) -> Self {
        self.payload = payload.to_vec();
        self
    }

    /// TCP sequence number; nothing for other protocols.
    #[must_use]
    pub fn sequence(self, sequence: u32) -> Self {
        self.edit_tcp(|tcp| tcp.sequence_number = sequence)
    }

    /// TCP acknowledgment number; nothing for other protocols. The ACK flag is left as it is.
    #[must_use]
    pub fn acknowledgment(self, acknowledgment: u32) -> Self {
        self.edit_tcp(|tcp| tcp.acknowledgment_number = acknowledgment)
    }

    /// TCP window, unscaled; nothing for other protocols.
    #[must_use]
    pub fn window(self, window: u16) -> Self {
        self.edit_tcp(|tcp| tcp.window_size = window)
    }

    /// TCP options: at most 40 bytes count, padded with zeros to a multiple of four; nothing for
    /// other protocols.
    #[must_use]
    pub fn tcp_options(self, options: &[u8]) -> Self {
        let options = padded(options);
        self.edit_tcp(|tcp| {
            // Cannot be refused: 40 bytes is what the header holds.
            let _ = tcp.set_options_raw(&options);
        })
    }

    /// UDP without a checksum (RFC 768: 0); nothing for other protocols.
    #[must_use]
    pub fn without_checksum(mut self) -> Self {
        if let Content::Udp { checksum, .. } = &mut self.content {
            *checksum = false;
        }
        self
    }

    /// The packet, from its IPv4 header on.
    pub fn bytes(&self) -> Vec<u8> {
        let transport_len = match &self.content {
            Content::Tcp(tcp) => tcp.header_len(),
            Content::Udp { .. } | Content::Icmp { .. } => 8,
            Content::Raw(_) => 0,
        };
        let room = MAX_DATAGRAM - 20 - self.options.len() - transport_len;
        let payload = self.payload.get(..room).unwrap_or(&self.payload);
        let header = self.ip_header(transport_len + payload.len());
        let mut packet = header.to_bytes().to_vec();
        self.write_transport(&mut packet, payload);
        packet.extend_from_slice(payload);
        packet
    }

    /// The packet cut into fragments for a link that takes `mtu` bytes, as [`fragment`] does it,
    /// but whatever DF says. Fragments of at least a header and eight bytes are made however
    /// small `mtu` is; a packet that does not parse (`raw` with a broken TCP header) comes back
    /// whole.
    pub fn fragments(&self, mtu: usize) -> Vec<Vec<u8>> {
        let packet = self.clone().dont_fragment(false).bytes();
        let mtu = mtu.max(20 + self.options.len() + 8);
        Headers::parse(&packet)
            .ok()
            .and_then(|headers| fragment(&packet, &headers, mtu))
            .unwrap_or_else(|| vec![packet])
    }

    fn edit_tcp(mut self, edit: impl FnOnce(&mut TcpHeader)) -> Self {
        if let Content::Tcp(tcp) = &mut self.content {
            edit(tcp);
        }
        self
    }

    fn protocol(&self) -> Protocol {
        match self.content {
            Content::Tcp(_) => Protocol::TCP,
            Content::Udp { .. } => Protocol::UDP,
            Content::Icmp { .. } => Protocol::ICMP,
            Content::Raw(protocol) => protocol,
        }
    }

    fn ip_header(&self, payload_len: usize) -> Ipv4Header {
        let mut header = Ipv4Header {
            dscp: IpDscp::try_new(self.tos >> 2).unwrap_or_default(),
            ecn: IpEcn::try_new(self.tos & 3).unwrap_or_default(),
            // `bytes` cuts the payload so that this fits.
            total_len: (20 + self.options.len() + payload_len) as u16,
            identification: self.identification,
            dont_fragment: self.dont_fragment,
            more_fragments: false,
            fragment_offset: IpFragOffset::ZERO,
            time_to_live: self.ttl,
            protocol: IpNumber(self.protocol().0),
            header_checksum: 0,
            source: self.source.octets(),
            destination: self.destination.octets(),
            options: Ipv4Options::try_from(self.options.as_slice()).unwrap_or_default(),
        };
        header.header_checksum = header.calc_header_checksum();
        header
    }

    fn write_transport(&self, packet: &mut Vec<u8>, payload: &[u8]) {
        let (source, destination) = (self.source.octets(), self.destination.octets());
        match &self.content {
            Content::Tcp(tcp) => {
                let mut tcp = tcp.clone();
                // Cannot be refused: the payload fits.
                tcp.checksum = tcp
                    .calc_checksum_ipv4_raw(source, destination, payload)
                    .unwrap_or_default();
                packet.extend_from_slice(&tcp.to_bytes());
            }
            Content::Udp {
                source_port,
                destination_port,
                checksum,
            } => {
                let mut udp = UdpHeader {
                    source_port: *source_port,
                    destination_port: *destination_port,
                    length: (8 + payload.len()) as u16,
                    checksum: 0,
                };
                if *checksum {
                    udp.checksum = udp
                        .calc_checksum_ipv4_raw(source, destination, payload)
                        .unwrap_or_default();
                }
                packet.extend_from_slice(&udp.to_bytes());
            }
            Content::Icmp { kind, code, rest } => {
                let message = Icmpv4Type::Unknown {
                    type_u8: *kind,
                    code_u8: *code,
                    bytes5to8: *rest,
                };
                packet.extend_from_slice(&Icmpv4Header::with_checksum(message, payload).to_bytes());
            }
            Content::Raw(_) => {}
        }
    }
}

/// At most 40 bytes, and zeros up to a multiple of four.
fn padded(options: &[u8]) -> Vec<u8> {
    let mut options = options.get(..40).unwrap_or(options).to_vec();
    options.resize(options.len().next_multiple_of(4), 0);
    options
}
