//! The key of a flow: the 5-tuple in one direction.

use crate::{Headers, IcmpBody, Protocol, Transport};
use std::net::Ipv4Addr;

/// A 5-tuple in one direction. For TCP and UDP the ports are ports. For ICMP
/// queries `source_port` is the identifier in both directions and
/// `destination_port` is `type << 8 | code`, as in the kernel's tuple
/// (`net/netfilter/nf_conntrack_proto_icmp.c`). For everything else they are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowKey {
    /// Protocol.
    pub protocol: Protocol,
    /// Source address.
    pub source: Ipv4Addr,
    /// Source port, or ICMP identifier.
    pub source_port: u16,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// Destination port, or ICMP type and code.
    pub destination_port: u16,
}

impl FlowKey {
    /// The key of a packet; `None` for a later fragment, whose ports are in the first one.
    #[inline]
    pub fn of(headers: &Headers) -> Option<Self> {
        let (source_port, destination_port) = match headers.transport {
            Transport::Tcp(tcp) => (tcp.source_port, tcp.destination_port),
            Transport::Udp(udp) => (udp.source_port, udp.destination_port),
            Transport::Icmp(icmp) => {
                let identifier = match icmp.body {
                    IcmpBody::Query { identifier, .. } => identifier,
                    IcmpBody::Error(_) | IcmpBody::Other => 0,
                };
                (identifier, u16::from_be_bytes([icmp.kind, icmp.code]))
            }
            Transport::Other => (0, 0),
            Transport::LaterFragment => return None,
        };
        Some(Self {
            protocol: headers.protocol,
            source: headers.source,
            source_port,
            destination: headers.destination,
            destination_port,
        })
    }

    /// The key of the other direction: addresses and ports swapped, an ICMP request's type
    /// turned into its reply's and back. A type without a counterpart stays as it is.
    pub fn reversed(&self) -> Self {
        let (source_port, destination_port) = if self.protocol == Protocol::ICMP {
            let [kind, code] = self.destination_port.to_be_bytes();
            (
                self.source_port,
                u16::from_be_bytes([icmp_counterpart(kind), code]),
            )
        } else {
            (self.destination_port, self.source_port)
        };
        Self {
            protocol: self.protocol,
            source: self.destination,
            source_port,
            destination: self.source,
            destination_port,
        }
    }

    /// The ICMP type, for ICMP.
    pub fn icmp_kind(&self) -> Option<u8> {
        (self.protocol == Protocol::ICMP).then(|| self.destination_port.to_be_bytes()[0])
    }
}

/// RFC 792 and RFC 950: echo, timestamp, information, address mask.
fn icmp_counterpart(kind: u8) -> u8 {
    match kind {
        8 => 0,
        0 => 8,
        13 => 14,
        14 => 13,
        15 => 16,
        16 => 15,
        17 => 18,
        18 => 17,
        other => other,
    }
}
