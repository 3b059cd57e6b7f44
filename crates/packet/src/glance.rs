//! A packet's flow at a glance: for the many packets that a flow cache knows.

use crate::checksum::Delta;
use crate::{FlowKey, Protocol};
use std::net::Ipv4Addr;

/// RFC 791: an IPv4 header without options.
const IPV4_MIN: usize = 20;
/// RFC 9293: a TCP header without options.
const TCP_MIN: usize = 20;
/// RFC 768.
const UDP_LEN: usize = 8;
/// More fragments, and the fragment offset (RFC 791).
const FRAGMENT: u16 = 0x3fff;

/// The flow of a whole TCP or UDP packet and where its fields are, in words that compare and hash
/// quickly. Of such a packet [`Headers::parse`](crate::Headers::parse) says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// Source address, then destination address.
    pub addresses: u64,
    /// Source port, then destination port.
    pub ports: u32,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Time to live.
    pub ttl: u8,
    /// Length as the IPv4 header says.
    pub total_len: u16,
    /// Length of the IPv4 header: where the transport header begins.
    pub header_len: u8,
}

impl Glance {
    /// Looks at a packet that starts at its IPv4 header; `None` where it is anything but a TCP or
    /// UDP packet in one piece, its headers captured in full and its lengths in agreement.
    #[inline]
    pub fn of(packet: &[u8]) -> Option<Self> {
        let ip = packet.first_chunk::<IPV4_MIN>()?;
        let header_len = usize::from(ip[0] & 0x0f) * 4;
        let total_len = u16::from_be_bytes([ip[2], ip[3]]);
        let whole = u16::from_be_bytes([ip[6], ip[7]]) & FRAGMENT == 0;
        if ip[0] >> 4 != 4 || header_len < IPV4_MIN || !whole {
            return None;
        }
        let room = usize::from(total_len).checked_sub(header_len)?;
        let transport = packet.get(header_len..)?;
        let protocol = Protocol(ip[9]);
        let fits = match protocol {
            Protocol::TCP => {
                let tcp = transport.first_chunk::<TCP_MIN>()?;
                let len = usize::from(tcp[12] >> 4) * 4;
                len >= TCP_MIN && len <= room
            }
            Protocol::UDP => {
                let udp = transport.first_chunk::<UDP_LEN>()?;
                let len = usize::from(u16::from_be_bytes([udp[4], udp[5]]));
                len >= UDP_LEN && len <= room
            }
            _ => false,
        };
        if !fits {
            return None;
        }
        let ports = transport.first_chunk::<4>()?;
        let addresses = [
            ip[12], ip[13], ip[14], ip[15], ip[16], ip[17], ip[18], ip[19],
        ];
        Some(Self {
            addresses: u64::from_be_bytes(addresses),
            ports: u32::from_be_bytes(*ports),
            protocol,
            ttl: ip[8],
            total_len,
            header_len: header_len as u8,
        })
    }

    /// The flow.
    pub fn key(&self) -> FlowKey {
        FlowKey {
            protocol: self.protocol,
            source: Ipv4Addr::from_bits((self.addresses >> 32) as u32),
            source_port: (self.ports >> 16) as u16,
            destination: Ipv4Addr::from_bits(self.addresses as u32),
            destination_port: self.ports as u16,
        }
    }

    /// Writes new addresses, ports and time to live into the packet that was looked at, and moves
    /// its two checksums by `ip` and `transport` (RFC 1624; a UDP checksum of 0 stays).
    #[inline]
    pub fn write(&self, packet: &mut [u8], new: &Change) {
        let Some(ip) = packet.first_chunk_mut::<IPV4_MIN>() else {
            return;
        };
        ip[8] = ip[8].wrapping_sub(new.ttl_down);
        let checksum = new.ip.apply(u16::from_be_bytes([ip[10], ip[11]]));
        ip[10..12].copy_from_slice(&checksum.to_be_bytes());
        ip[12..20].copy_from_slice(&new.addresses.to_be_bytes());
        let at = usize::from(self.header_len);
        let Some(transport) = packet.get_mut(at..) else {
            return;
        };
        if self.protocol == Protocol::TCP {
            if let Some(tcp) = transport.first_chunk_mut::<TCP_MIN>() {
                tcp[..4].copy_from_slice(&new.ports.to_be_bytes());
                let checksum = new.transport.apply(u16::from_be_bytes([tcp[16], tcp[17]]));
                tcp[16..18].copy_from_slice(&checksum.to_be_bytes());
            }
        } else if let Some(udp) = transport.first_chunk_mut::<UDP_LEN>() {
            udp[..4].copy_from_slice(&new.ports.to_be_bytes());
            let checksum = new
                .transport
                .apply_udp(u16::from_be_bytes([udp[6], udp[7]]));
            udp[6..8].copy_from_slice(&checksum.to_be_bytes());
        }
    }
}

/// What a packet's fields become, and by how much its checksums change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Source address, then destination address.
    pub addresses: u64,
    /// Source port, then destination port.
    pub ports: u32,
    /// What is taken from the time to live.
    pub ttl_down: u8,
    /// Change of the IPv4 header checksum.
    pub ip: Delta,
    /// Change of the TCP or UDP checksum.
    pub transport: Delta,
}
