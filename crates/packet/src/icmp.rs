//! ICMP messages that the network makes itself: errors and echo replies.

use crate::bytes::{get16, put16, within};
use crate::checksum::{Delta, full};
use crate::parse::{ICMP_LEN, IPV4_MIN, MAX_DATAGRAM, is_error};
use crate::rewrite::{settle_zero, update};
use crate::{Headers, Icmp, Protocol, Transport};
use std::net::Ipv4Addr;

/// An error is at most this long, IPv4 header included: what every host must accept (RFC 791),
/// RFC 1812 §4.3.2.3 and Linux.
const MAX_ERROR: usize = 576;
/// The TTL of packets made here: the IANA recommendation and Linux's default.
const TTL: u8 = 64;
/// Precedence "internetwork control" (RFC 1812 §4.3.2.5).
const INTERNETWORK_CONTROL: u8 = 0xc0;
/// The type of service bits that an error takes over (RFC 1349; Linux's `IPTOS_TOS_MASK`).
const TOS_MASK: u8 = 0x1e;

/// Why a packet could not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IcmpError {
    /// TTL exceeded in transit (11, 0).
    TimeExceeded,
    /// Fragment reassembly time exceeded (11, 1).
    ReassemblyTimeExceeded,
    /// No route to the network (3, 0).
    NetUnreachable,
    /// No such host (3, 1).
    HostUnreachable,
    /// The host does not speak the protocol (3, 2).
    ProtocolUnreachable,
    /// Nobody listens at the port (3, 3).
    PortUnreachable,
    /// Too long for the next link, and DF is set (3, 4).
    FragmentationNeeded {
        /// The next link's MTU in bytes (RFC 1191 §4).
        mtu: u16,
    },
    /// Forbidden by an administrator (3, 13; RFC 1812 §5.2.7.1).
    AdministrativelyProhibited,
}

impl IcmpError {
    /// Type, code and the last four bytes of the header.
    fn header(self) -> (u8, u8, u32) {
        match self {
            Self::TimeExceeded => (11, 0, 0),
            Self::ReassemblyTimeExceeded => (11, 1, 0),
            Self::NetUnreachable => (3, 0, 0),
            Self::HostUnreachable => (3, 1, 0),
            Self::ProtocolUnreachable => (3, 2, 0),
            Self::PortUnreachable => (3, 3, 0),
            Self::FragmentationNeeded { mtu } => (3, 4, u32::from(mtu)),
            Self::AdministrativelyProhibited => (3, 13, 0),
        }
    }
}

/// The ICMP error that `from` sends back for `offending`, quoting as much of it as fits into 576
/// bytes, as Linux does: TTL 64, identification 0, DF clear, precedence "internetwork control"
/// beside the offending packet's type of service.
///
/// `None` where RFC 1122 §3.2.2 forbids an answer: to an ICMP error, to a later fragment, to a
/// destination that is broadcast or multicast, or to a source that is no single host (0.0.0.0,
/// loopback, multicast, broadcast). A subnet's directed broadcast looks like any address
/// here: that is for the caller to know.
pub fn error(
    offending: &[u8],
    headers: &Headers,
    from: Ipv4Addr,
    kind: IcmpError,
) -> Option<Vec<u8>> {
    let answers_error = match headers.transport {
        Transport::Icmp(icmp) => is_error(icmp.kind),
        Transport::LaterFragment => true,
        Transport::Tcp(_) | Transport::Udp(_) | Transport::Other => false,
    };
    if answers_error || !is_between_hosts(headers) {
        return None;
    }
    let offending = within(offending, headers.total_len);
    let quoted = within(offending, MAX_ERROR - IPV4_MIN - ICMP_LEN);
    let (icmp_type, code, rest) = kind.header();
    let mut message = Vec::with_capacity(ICMP_LEN + quoted.len());
    message.extend_from_slice(&[icmp_type, code, 0, 0]);
    message.extend_from_slice(&rest.to_be_bytes());
    message.extend_from_slice(quoted);
    let checksum = full(&message);
    put16(&mut message, 2, checksum);
    let tos = INTERNETWORK_CONTROL | (headers.tos & TOS_MASK);
    Some(packet(tos, from, headers.source, &message, message.len()))
}

/// The reply to an echo request (RFC 792, RFC 1122 §3.2.2.6): addresses swapped, code, identifier,
/// sequence number, type of service and payload (as far as captured) kept, TTL 64, identification
/// 0, DF clear, no IP options. The ICMP checksum moves by the difference, so a wrong one stays
/// wrong.
///
/// `None` for anything but a whole echo request between two hosts: a fragment has to be put
/// together first, and one sent to broadcast or multicast is not answered.
pub fn echo_reply(request: &[u8], headers: &Headers) -> Option<Vec<u8>> {
    let Transport::Icmp(Icmp { kind: 8, code, .. }) = headers.transport else {
        return None;
    };
    if headers.more_fragments || !is_between_hosts(headers) {
        return None;
    }
    let message = within(request, headers.total_len).get(headers.header_len..)?;
    let message_len = headers.total_len.checked_sub(headers.header_len)?;
    let first_word = get16(message, 0)?;
    let mut reply = packet(
        headers.tos,
        headers.destination,
        headers.source,
        message,
        message_len,
    );
    let reply_word = u16::from_be_bytes([0, code]);
    put16(&mut reply, IPV4_MIN, reply_word);
    let delta = Delta::NONE.replace16(first_word, reply_word);
    update(&mut reply, IPV4_MIN + 2, delta);
    settle_zero(&mut reply, IPV4_MIN, IPV4_MIN + message_len);
    Some(reply)
}

/// An IPv4 packet around an ICMP message that is `message_len` bytes long, of which `message` is
/// there.
fn packet(
    tos: u8,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    message: &[u8],
    message_len: usize,
) -> Vec<u8> {
    let total_len = match IPV4_MIN + message_len {
        len if len > MAX_DATAGRAM => 0,
        len => len as u16,
    };
    let mut packet = Vec::with_capacity(IPV4_MIN + message.len());
    packet.extend_from_slice(&[0x45, tos]);
    packet.extend_from_slice(&total_len.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 0, TTL, Protocol::ICMP.0, 0, 0]);
    packet.extend_from_slice(&source.octets());
    packet.extend_from_slice(&destination.octets());
    let checksum = full(&packet);
    put16(&mut packet, 10, checksum);
    packet.extend_from_slice(message);
    packet
}

/// Whether source and destination are single hosts, as far as addresses tell: RFC 1122 §3.2.1.3,
/// with class E and 0.0.0.1 and up taken for hosts, as Linux takes them.
fn is_between_hosts(headers: &Headers) -> bool {
    let source = headers.source;
    let group = |address: Ipv4Addr| address.is_multicast() || address.is_broadcast();
    let sender = !source.is_unspecified() && !source.is_loopback() && !group(source);
    sender && !group(headers.destination)
}
