//! A packet's flow at a glance: for the many packets that a flow cache knows.

use crate::checksum::InPlace;
use crate::{FlowKey, Protocol};
use std::net::Ipv4Addr;
use std::num::NonZeroU32;

/// RFC 791: an IPv4 header without options.
const IPV4_MIN: usize = 20;
/// Version 4, a header without options.
const VERSION_AND_LENGTH: u8 = 0x45;
/// RFC 9293: a TCP header without options.
const TCP_MIN: usize = 20;
/// RFC 768.
const UDP_LEN: usize = 8;
/// Where the checksum is in a TCP header, and in a UDP header.
const TCP_CHECKSUM: usize = 16;
const UDP_CHECKSUM: usize = 6;
/// More fragments, and the fragment offset (RFC 791).
const FRAGMENT: u16 = 0x3fff;

/// The flow of a whole TCP or UDP packet and where its fields are, in words that compare and hash
/// quickly. Of such a packet [`Headers::parse`](crate::Headers::parse) says the same.
///
/// Which of the two protocols it is nobody can foresee, and a branch that is guessed wrong costs
/// as much as all the rest: nothing here branches on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// Source address, then destination address.
    pub addresses: u64,
    /// Source port, then destination port.
    pub ports: u32,
    /// What else there is to know.
    pub shape: Shape,
}

/// What a packet is apart from its addresses and ports: one word, since fields that are written one
/// by one and then read together make a processor wait.
///
/// From the lowest bit on: 16 of the length, 8 of the time to live, 4 of the header's length in
/// words, one for TCP, and one that is always there, so that none of anything that has a shape needs no
/// word of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape(NonZeroU32);

impl Glance {
    /// Looks at a packet that starts at its IPv4 header; `None` where it is anything but a TCP or
    /// UDP packet in one piece, its headers captured in full and its lengths in agreement.
    #[inline(always)]
    pub fn of(packet: &[u8]) -> Option<Self> {
        // Nearly every packet: no options, and as many bytes as either header needs.
        if let Some(head) = packet.first_chunk::<{ IPV4_MIN + TCP_MIN }>()
            && head[0] == VERSION_AND_LENGTH
        {
            let (ip, transport) = head.split_first_chunk()?;
            return Self::read(ip, IPV4_MIN, transport);
        }
        Self::of_other(packet)
    }

    #[cold]
    fn of_other(packet: &[u8]) -> Option<Self> {
        let ip = packet.first_chunk::<IPV4_MIN>()?;
        let header_len = usize::from(ip[0] & 0x0f) * 4;
        if ip[0] >> 4 != 4 || header_len < IPV4_MIN {
            return None;
        }
        Self::read(ip, header_len, packet.get(header_len..)?)
    }

    #[inline(always)]
    fn read(ip: &[u8; IPV4_MIN], header_len: usize, transport: &[u8]) -> Option<Self> {
        let total_len = u16::from_be_bytes([ip[2], ip[3]]);
        let fragment = u16::from_be_bytes([ip[6], ip[7]]) & FRAGMENT;
        let is_tcp = ip[9] == Protocol::TCP.0;
        let known = is_tcp | (ip[9] == Protocol::UDP.0);
        let first = transport.first_chunk::<UDP_LEN>()?;
        // A byte that a short UDP packet need not have; its value counts for TCP only.
        let offset = transport.get(12).map_or(0, |byte| byte >> 4);
        let stated = usize::from(u16::from_be_bytes([first[4], first[5]]));
        let least = UDP_LEN + usize::from(is_tcp) * (TCP_MIN - UDP_LEN);
        let len = if is_tcp {
            usize::from(offset) * 4
        } else {
            stated
        };
        let fits = (len >= least)
            & (header_len + len <= usize::from(total_len))
            & (transport.len() >= least);
        if !(known & fits & (fragment == 0)) {
            return None;
        }
        let addresses = [
            ip[12], ip[13], ip[14], ip[15], ip[16], ip[17], ip[18], ip[19],
        ];
        Some(Self {
            addresses: u64::from_be_bytes(addresses),
            ports: u32::from_be_bytes([first[0], first[1], first[2], first[3]]),
            shape: Shape(
                THERE
                    | u32::from(total_len)
                    | u32::from(ip[8]) << TTL
                    | (header_len as u32 / 4) << WORDS
                    | u32::from(is_tcp) << TCP,
            ),
        })
    }

    /// The flow.
    #[inline(always)]
    pub fn key(&self) -> FlowKey {
        let [a, b, c, d, e, f, g, h] = self.addresses.to_be_bytes();
        FlowKey {
            protocol: if self.shape.is_tcp() {
                Protocol::TCP
            } else {
                Protocol::UDP
            },
            source: Ipv4Addr::new(a, b, c, d),
            source_port: (self.ports >> 16) as u16,
            destination: Ipv4Addr::new(e, f, g, h),
            destination_port: self.ports as u16,
        }
    }
}

/// Where the fields of a shape begin.
const TTL: u32 = 16;
const WORDS: u32 = 24;
const TCP: u32 = 28;
const THERE: NonZeroU32 = NonZeroU32::new(1 << 29).unwrap();

impl Shape {
    /// Length as the IPv4 header says.
    #[inline(always)]
    pub fn total_len(self) -> u16 {
        self.0.get() as u16
    }

    /// Time to live.
    #[inline(always)]
    pub fn ttl(self) -> u8 {
        (self.0.get() >> TTL) as u8
    }

    /// Length of the IPv4 header in bytes: where the transport header begins.
    #[inline(always)]
    pub fn header_len(self) -> u8 {
        (self.0.get() >> WORDS & 0xf) as u8 * 4
    }

    /// TCP; else UDP.
    #[inline(always)]
    pub fn is_tcp(self) -> bool {
        self.0.get() >> TCP & 1 == 1
    }

    /// Writes new addresses, ports and time to live into the packet that was looked at, and moves
    /// its two checksums (RFC 1624; a UDP checksum of 0 stays).
    #[inline(always)]
    pub fn write(self, packet: &mut [u8], new: &Change) {
        // As in `Glance::of`: nearly every packet.
        if let Some(head) = packet.first_chunk_mut::<{ IPV4_MIN + TCP_MIN }>()
            && usize::from(self.header_len()) == IPV4_MIN
            && let Some((ip, transport)) = head.split_first_chunk_mut()
        {
            self.write_headers(ip, transport, new);
        } else {
            self.write_other(packet, new);
        }
    }

    #[cold]
    fn write_other(self, packet: &mut [u8], new: &Change) {
        let header = packet.split_at_mut_checked(usize::from(self.header_len()));
        if let Some((header, transport)) = header
            && let Some(ip) = header.first_chunk_mut()
        {
            self.write_headers(ip, transport, new);
        }
    }

    #[inline(always)]
    fn write_headers(self, ip: &mut [u8; IPV4_MIN], transport: &mut [u8], new: &Change) {
        ip[8] = ip[8].wrapping_sub(new.ttl_down);
        let checksum = new.ip.apply(u16::from_ne_bytes([ip[10], ip[11]]));
        ip[10..12].copy_from_slice(&checksum.to_ne_bytes());
        ip[12..20].copy_from_slice(&new.addresses);
        if let Some(ports) = transport.first_chunk_mut() {
            *ports = new.ports;
        }
        let is_udp = !self.is_tcp();
        let at = TCP_CHECKSUM - usize::from(is_udp) * (TCP_CHECKSUM - UDP_CHECKSUM);
        if let Some(field) = transport
            .get_mut(at..at + 2)
            .and_then(|field| field.as_mut_array::<2>())
        {
            let stored = u16::from_ne_bytes(*field);
            let moved = new.transport.apply(stored);
            // RFC 768: 0 says that there is none; a computed 0 is written as 0xffff.
            let some = if is_udp & (moved == 0) {
                u16::MAX
            } else {
                moved
            };
            let moved = if is_udp & (stored == 0) { 0 } else { some };
            *field = moved.to_ne_bytes();
        }
    }
}

/// What a packet's fields become, as they lie in it, and by how much its checksums change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Source address, then destination address.
    pub addresses: [u8; 8],
    /// Source port, then destination port.
    pub ports: [u8; 4],
    /// Change of the IPv4 header checksum.
    pub ip: InPlace,
    /// Change of the TCP or UDP checksum.
    pub transport: InPlace,
    /// What is taken from the time to live.
    pub ttl_down: u8,
}

impl Change {
    /// All zero: what fills a table.
    pub const NONE: Self = Self {
        addresses: [0; 8],
        ports: [0; 4],
        ip: InPlace::NONE,
        transport: InPlace::NONE,
        ttl_down: 0,
    };
}
