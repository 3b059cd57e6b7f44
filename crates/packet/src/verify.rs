//! Judging checksums, for those who ask (`--verify-checksums`).

use crate::bytes::{get16, within};
use crate::checksum::{full, with_pseudo_header};
use crate::{Headers, Protocol, Transport};

/// What a checksum says of the bytes it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It fits them.
    Right,
    /// It does not. Captures taken at the sender often hold such: the nic was to fill it in.
    Wrong,
    /// There is none: UDP with 0 (RFC 768), or a protocol whose checksums are not read here.
    Absent,
    /// The bytes are not all there: a fragment, or cut by the snap length.
    Unknown,
}

/// Both checksums of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChecksumReport {
    /// The IPv4 header's.
    pub ip: Verdict,
    /// TCP's, UDP's or ICMP's.
    pub transport: Verdict,
}

/// Computes the checksums of a packet afresh and compares. A UDP length field that is below its
/// header or beyond the packet makes the checksum wrong: no receiver takes it.
pub fn verify_checksums(packet: &[u8], headers: &Headers) -> ChecksumReport {
    let packet = within(packet, headers.total_len);
    let ip = packet
        .get(..headers.header_len)
        .map_or(Verdict::Unknown, |header| verdict(full(header)));
    ChecksumReport {
        ip,
        transport: transport(packet, headers),
    }
}

fn transport(packet: &[u8], headers: &Headers) -> Verdict {
    let Some(segment) = packet.get(headers.header_len..) else {
        return Verdict::Unknown;
    };
    let covered = match headers.transport {
        Transport::Other => return Verdict::Absent,
        Transport::LaterFragment => return Verdict::Unknown,
        Transport::Udp(_) if get16(segment, 6) == Some(0) => return Verdict::Absent,
        _ if headers.more_fragments || packet.len() < headers.total_len => {
            return Verdict::Unknown;
        }
        Transport::Udp(udp) if udp.length < 8 => None,
        Transport::Udp(udp) => segment.get(..usize::from(udp.length)),
        Transport::Tcp(_) | Transport::Icmp(_) => Some(segment),
    };
    match covered {
        None => Verdict::Wrong,
        Some(message) if headers.protocol == Protocol::ICMP => verdict(full(message)),
        Some(segment) => verdict(with_pseudo_header(
            headers.source,
            headers.destination,
            headers.protocol,
            segment,
        )),
    }
}

/// Bytes that contain their own checksum add up to 0xffff.
fn verdict(checksum: u16) -> Verdict {
    if checksum == 0 {
        Verdict::Right
    } else {
        Verdict::Wrong
    }
}
