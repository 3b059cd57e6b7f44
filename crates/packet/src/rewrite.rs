//! Changing addresses, ports and TTL in place, checksums by difference.
//!
//! Every function takes the packet from its IPv4 header on and the [`Headers`] parsed from it.
//! Fields that the capture cut off are skipped. Nothing here can fail or panic: handed the headers
//! of another packet it changes bytes that mean nothing, within the packet.
//!
//! What a changed field was is read from the packet, and checksums move by the difference
//! ([`Delta`]), so rewriting back restores the packet, but for the two zeros of ones-complement
//! arithmetic: a checksum stored as 0xffff in an IPv4, TCP or ICMP header, which stands for 0x0000
//! there, may come back as 0x0000, and an ICMP message of nothing but zeros, checksum included,
//! comes back with the right 0xffff.

use crate::bytes::{get16, get32, put16, put32, within};
use crate::checksum::Delta;
use crate::parse::{ICMP_LEN, is_query};
use crate::{FlowKey, Headers, Icmp, IcmpBody, Protocol, Transport};
use std::net::Ipv4Addr;

/// New addresses and ports for a packet; `None` leaves a field alone.
///
/// For ICMP queries `source_port` is the identifier and `destination_port` means nothing; for
/// protocols without ports neither does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rewrite {
    /// Source address.
    pub source: Option<Ipv4Addr>,
    /// Source port, or ICMP identifier.
    pub source_port: Option<u16>,
    /// Destination address.
    pub destination: Option<Ipv4Addr>,
    /// Destination port.
    pub destination_port: Option<u16>,
}

impl Rewrite {
    /// What turns a packet of flow `from` into one of flow `to`. Fields that agree are `None`, and
    /// so is `destination_port` for ICMP, where it is type and code.
    // As `rewrite` is.
    #[inline(always)]
    pub fn between(from: &FlowKey, to: &FlowKey) -> Self {
        let mut change = Self::default();
        if from.source != to.source {
            change.source = Some(to.source);
        }
        if from.source_port != to.source_port {
            change.source_port = Some(to.source_port);
        }
        if from.destination != to.destination {
            change.destination = Some(to.destination);
        }
        if from.destination_port != to.destination_port && from.protocol != Protocol::ICMP {
            change.destination_port = Some(to.destination_port);
        }
        change
    }

    /// Whether there is nothing to change.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Rewrites addresses, TCP and UDP ports or the ICMP identifier; the IPv4 header checksum and the
/// TCP, UDP or ICMP checksum follow by difference (RFC 1624), `headers` too.
///
/// A later fragment has only addresses. A first fragment's transport checksum changes as well: it
/// covers the whole datagram, addresses included. Protocols without ports here keep their payload
/// as it is. What an ICMP error quotes is left to [`rewrite_quoted`].
///
/// Returns the difference of the addresses, and of the ports or the identifier, as far as they are there.
// Always inlined, and an optional address is handed on by reference alone, so that `change` stays in
// registers: in memory it is written field by field and read by words, which waits until every store
// before it is done.
#[inline(always)]
pub fn rewrite(packet: &mut [u8], headers: &mut Headers, change: &Rewrite) -> Written {
    let packet = within_mut(packet, headers);
    let at = headers.header_len;
    let fields = match headers.transport {
        Transport::Tcp(_) => Fields::Tcp,
        Transport::Udp(_) => Fields::Udp,
        Transport::Icmp(Icmp {
            body: IcmpBody::Query { .. },
            ..
        }) => Fields::Identifier,
        Transport::Icmp(_) | Transport::Other | Transport::LaterFragment => Fields::None,
    };
    let (written, _) = rewrite_at(packet, 0, at, fields, change);
    replace(&mut headers.source, &change.source);
    replace(&mut headers.destination, &change.destination);
    let (source_port, destination_port) = match &mut headers.transport {
        Transport::Tcp(tcp) => (&mut tcp.source_port, &mut tcp.destination_port),
        Transport::Udp(udp) => (&mut udp.source_port, &mut udp.destination_port),
        Transport::Icmp(Icmp {
            body: IcmpBody::Query { identifier, .. },
            ..
        }) => {
            let old = *identifier;
            *identifier = change.source_port.unwrap_or(old);
            if *identifier != old && !headers.more_fragments {
                settle_zero(packet, at, headers.total_len);
            }
            return written;
        }
        Transport::Icmp(_) | Transport::Other | Transport::LaterFragment => return written,
    };
    *source_port = change.source_port.unwrap_or(*source_port);
    *destination_port = change.destination_port.unwrap_or(*destination_port);
    written
}

/// By how much a rewriting changed what checksums cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The addresses.
    pub addresses: Delta,
    /// The ports, or the identifier.
    pub ports: Delta,
}

/// The new address, if any.
#[inline(always)]
fn replace(address: &mut Ipv4Addr, new: &Option<Ipv4Addr>) {
    if let Some(new) = new {
        *address = *new;
    }
}

/// Rewrites the packet that an ICMP error quotes (RFC 5508 §4.2): `change` speaks of the quoted
/// packet's own source and destination.
///
/// The quoted IPv4 header checksum follows, the quoted TCP, UDP or ICMP checksum where its bytes
/// are there (TCP's usually are not), and the outer ICMP checksum takes in every byte changed. The
/// outer addresses are left to [`rewrite`]. Does nothing to a packet that quotes none.
pub fn rewrite_quoted(packet: &mut [u8], headers: &mut Headers, change: &Rewrite) {
    let packet = within_mut(packet, headers);
    let Transport::Icmp(Icmp {
        body: IcmpBody::Error(quoted),
        ..
    }) = &mut headers.transport
    else {
        return;
    };
    let fields = match quoted.key.protocol {
        _ if quoted.later_fragment => Fields::None,
        Protocol::TCP => Fields::Tcp,
        Protocol::UDP => Fields::Udp,
        Protocol::ICMP if quoted.key.icmp_kind().is_some_and(is_query) => Fields::Identifier,
        _ => Fields::None,
    };
    // The quotation starts at an even offset of the ICMP message and its header is a multiple of
    // four bytes long, so every changed word is a word of the outer checksum too.
    let transport = quoted.offset + quoted.header_len;
    let (_, written) = rewrite_at(packet, quoted.offset, transport, fields, change);
    update(packet, headers.header_len + 2, written);

    let key = &mut quoted.key;
    replace(&mut key.source, &change.source);
    replace(&mut key.destination, &change.destination);
    if fields != Fields::None {
        key.source_port = change.source_port.unwrap_or(key.source_port);
    }
    if matches!(fields, Fields::Tcp | Fields::Udp) {
        key.destination_port = change.destination_port.unwrap_or(key.destination_port);
    }
}

/// Takes one from the TTL, as a host does that forwards (RFC 1812 §5.3.1); the header checksum
/// follows. A TTL of 0 stays.
pub fn decrement_ttl(packet: &mut [u8], headers: &mut Headers) {
    let Some(old) = get16(packet, 8) else {
        return;
    };
    let [ttl, protocol] = old.to_be_bytes();
    let ttl = ttl.saturating_sub(1);
    let new = u16::from_be_bytes([ttl, protocol]);
    put16(packet, 8, new);
    update(packet, 10, Delta::NONE.replace16(old, new));
    headers.ttl = ttl;
}

/// What a transport header has that can change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fields {
    Tcp,
    Udp,
    /// Of an ICMP query.
    Identifier,
    None,
}

/// Rewrites the IPv4 header at `ip` and the transport header at `transport`. Returns the
/// difference of addresses and ports, and that of every byte written, checksums included.
// As `rewrite` is.
#[inline(always)]
fn rewrite_at(
    packet: &mut [u8],
    ip: usize,
    transport: usize,
    fields: Fields,
    change: &Rewrite,
) -> (Written, Delta) {
    let addresses =
        set32(packet, ip + 12, &change.source).and(set32(packet, ip + 16, &change.destination));
    let header_checksum = update(packet, ip + 10, addresses);
    let (ports, checksum) = match fields {
        Fields::Tcp | Fields::Udp => {
            let ports = set16(packet, transport, change.source_port).and(set16(
                packet,
                transport + 2,
                change.destination_port,
            ));
            // The pseudo-header holds the addresses (RFC 9293 §3.1, RFC 768).
            let covered = addresses.and(ports);
            let checksum = if fields == Fields::Tcp {
                update(packet, transport + 16, covered)
            } else {
                update_udp(packet, transport + 6, covered)
            };
            (ports, checksum)
        }
        Fields::Identifier => {
            let identifier = set16(packet, transport + 4, change.source_port);
            let checksum = update(packet, transport + 2, identifier);
            (identifier, checksum)
        }
        Fields::None => (Delta::NONE, Delta::NONE),
    };
    let all = addresses.and(header_checksum).and(ports).and(checksum);
    (Written { addresses, ports }, all)
}

/// RFC 1624's two zeros: a message that is nothing but zeros (an echo reply with identifier and
/// sequence 0 and no payload) is the one whose right checksum is 0xffff. The difference cannot
/// know; it arrives at 0x0000, and this puts it right. Only for a message that is there in full.
pub(crate) fn settle_zero(packet: &mut [u8], at: usize, total_len: usize) {
    if get16(packet, at + 2) != Some(0) || packet.len() < total_len {
        return;
    }
    let message = packet.get(at..total_len).unwrap_or_default();
    if message.len() >= ICMP_LEN && message.iter().all(|byte| *byte == 0) {
        put16(packet, at + 2, 0xffff);
    }
}

/// The packet without what a capture carries after it.
fn within_mut<'a>(packet: &'a mut [u8], headers: &Headers) -> &'a mut [u8] {
    let len = within(packet, headers.total_len).len();
    packet.get_mut(..len).unwrap_or_default()
}

/// Writes `new`, if any and if its place is there; returns the difference.
#[inline]
fn set16(packet: &mut [u8], at: usize, new: Option<u16>) -> Delta {
    let (Some(new), Some(old)) = (new, get16(packet, at)) else {
        return Delta::NONE;
    };
    put16(packet, at, new);
    Delta::NONE.replace16(old, new)
}

/// The same for an address.
#[inline(always)]
fn set32(packet: &mut [u8], at: usize, new: &Option<Ipv4Addr>) -> Delta {
    let (Some(new), Some(old)) = (new, get32(packet, at)) else {
        return Delta::NONE;
    };
    put32(packet, at, new.to_bits());
    Delta::NONE.replace32(old, new.to_bits())
}

/// Applies `delta` to the checksum at `at`, if it is there; returns the checksum's own difference.
#[inline]
pub(crate) fn update(packet: &mut [u8], at: usize, delta: Delta) -> Delta {
    let new = get16(packet, at).map(|old| delta.apply(old));
    set16(packet, at, new)
}

/// The same for UDP.
#[inline]
fn update_udp(packet: &mut [u8], at: usize, delta: Delta) -> Delta {
    let new = get16(packet, at).map(|old| delta.apply_udp(old));
    set16(packet, at, new)
}
