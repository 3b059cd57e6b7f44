//! What the receiver of a packet answers.

use vpcsim_packet::build::{self, Build, Echo};
use vpcsim_packet::{Headers, Icmp, IcmpBody, Tcp, TcpFlags, Transport, icmp};

/// First sequence number of whoever answers a SYN.
const SEQUENCE: u32 = 9_000;

/// The answer, or `None` where there is none.
pub(super) fn to(bytes: &[u8]) -> Option<Vec<u8>> {
    let headers = Headers::parse(bytes).ok()?;
    let (source, destination) = (headers.destination, headers.source);
    let answer = match headers.transport {
        Transport::Tcp(tcp) => {
            let ends = (
                (source, tcp.destination_port),
                (destination, tcp.source_port),
            );
            segment(ends, &tcp)?
        }
        Transport::Udp(udp) => {
            let from = (source, udp.destination_port);
            build::udp(from, (destination, udp.source_port), b"answer")
        }
        Transport::Icmp(Icmp {
            kind: 8,
            body:
                IcmpBody::Query {
                    identifier,
                    sequence,
                },
            ..
        }) => {
            // With its payload where that was captured.
            if let Some(reply) = icmp::echo_reply(bytes, &headers) {
                return Some(reply);
            }
            build::icmp_echo(Echo::Reply, source, destination, identifier, sequence, &[])
        }
        Transport::Icmp(_) | Transport::LaterFragment => return None,
        Transport::Other => {
            let payload = bytes.get(headers.header_len..).unwrap_or_default();
            build::raw(headers.protocol, source, destination, payload)
        }
    };
    Some(answer.bytes())
}

type Ends = ((std::net::Ipv4Addr, u16), (std::net::Ipv4Addr, u16));

fn segment((from, to): Ends, tcp: &Tcp) -> Option<Build> {
    let has = |flag| tcp.flags.contains(flag);
    if has(TcpFlags::RST) {
        return None;
    }
    let counted = u32::from(has(TcpFlags::SYN)) + u32::from(has(TcpFlags::FIN));
    let acknowledgment = tcp
        .sequence
        .wrapping_add(counted)
        .wrapping_add(tcp.payload_len as u32);
    let (flags, sequence) = if has(TcpFlags::SYN) && !has(TcpFlags::ACK) {
        (TcpFlags::SYN | TcpFlags::ACK, SEQUENCE)
    } else if has(TcpFlags::FIN) {
        (TcpFlags::FIN | TcpFlags::ACK, tcp.acknowledgment)
    } else {
        (TcpFlags::ACK, tcp.acknowledgment)
    };
    let answer = build::tcp(from, to, flags);
    Some(answer.sequence(sequence).acknowledgment(acknowledgment))
}
