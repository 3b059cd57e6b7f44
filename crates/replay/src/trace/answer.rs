//! Who answers a request that arrived, and with what.

use vpcsim_dataplane::{Place, Program, Source};
use vpcsim_network::CvmId;
use vpcsim_packet::build::{Echo, icmp_echo, raw, tcp, udp};
use vpcsim_packet::{Headers, Icmp, IcmpBody, Protocol, TcpFlags, Transport};

/// What happens where a request arrived.
pub(super) enum Answer {
    /// A reply starts there.
    Reply { source: Source, packet: Vec<u8> },
    /// A gateway answers: the walk of the request has the reply already.
    ByTheNetwork,
    /// The host says what it listens on, and this is not among it.
    Deaf {
        cvm: CvmId,
        protocol: Protocol,
        port: u16,
    },
    /// Nobody answers.
    Nobody(String),
}

/// Answers a request, as it looks where it arrived.
pub(super) fn answer(program: &Program, place: Place, request: &[u8]) -> Answer {
    let Ok(headers) = Headers::parse(request) else {
        return Answer::Nobody("the request cannot be read where it arrived".to_owned());
    };
    let source = match place {
        Place::NatGateway(_) => return Answer::ByTheNetwork,
        Place::Internet => Source::Internet,
        Place::External(external) => Source::External(external),
        Place::Nic(nic) => {
            let cvm = program.network().nic(nic).cvm;
            if let Some(port) = deaf(program, cvm, &headers) {
                let protocol = headers.protocol;
                return Answer::Deaf {
                    cvm,
                    protocol,
                    port,
                };
            }
            Source::Cvm(cvm)
        }
    };
    match reply(&headers) {
        Some(packet) => Answer::Reply { source, packet },
        None => Answer::Nobody("nothing answers such a packet".to_owned()),
    }
}

/// The port that a request asks for, where its host listens on others. Pings are answered by
/// every host.
fn deaf(program: &Program, cvm: CvmId, headers: &Headers) -> Option<u16> {
    let port = match headers.transport {
        Transport::Tcp(tcp) => tcp.destination_port,
        Transport::Udp(udp) => udp.destination_port,
        _ => return None,
    };
    let services = program.network().cvm(cvm).listen.as_ref()?;
    let listens = services.iter().any(|service| {
        let protocol = service.protocol.number();
        protocol.is_none_or(|number| number == headers.protocol.0)
            && service.ports.iter().any(|range| range.contains(port))
    });
    (!listens).then_some(port)
}

fn reply(headers: &Headers) -> Option<Vec<u8>> {
    let (from, to) = (headers.destination, headers.source);
    match headers.transport {
        Transport::Tcp(segment) => {
            let flags = TcpFlags::SYN | TcpFlags::ACK;
            let source = (from, segment.destination_port);
            let reply = tcp(source, (to, segment.source_port), flags).sequence(1);
            Some(
                reply
                    .acknowledgment(segment.sequence.wrapping_add(1))
                    .bytes(),
            )
        }
        Transport::Udp(datagram) => {
            let source = (from, datagram.destination_port);
            Some(udp(source, (to, datagram.source_port), b"answer").bytes())
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
            debug_assert_eq!(headers.protocol, Protocol::ICMP);
            let payload = b"question";
            Some(icmp_echo(Echo::Reply, from, to, identifier, sequence, payload).bytes())
        }
        // Whoever speaks another protocol speaks it both ways.
        Transport::Other => Some(raw(headers.protocol, from, to, b"answer").bytes()),
        Transport::Icmp(_) | Transport::LaterFragment => None,
    }
}
