//! `icmp::error` and `icmp::echo_reply`: packets the network makes itself (RFC 792, RFC 1122
//! §3.2.2, RFC 1812 §4.3).

use crate::generate::{ends, hostile_with_headers, shape, word_at};
use proptest::prelude::*;
use std::net::Ipv4Addr;
use vpcsim_packet::build::{self, Build, Echo};
use vpcsim_packet::icmp::{IcmpError, echo_reply, error};
use vpcsim_packet::{FlowKey, Headers, IcmpBody, Protocol, Transport, Verdict, verify_checksums};

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];
const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

fn answer(packet: &[u8], kind: IcmpError) -> Option<Vec<u8>> {
    error(packet, &Headers::parse(packet).unwrap(), ROUTER, kind)
}

fn is_right(packet: &[u8]) -> bool {
    let headers = Headers::parse(packet).unwrap();
    let report = verify_checksums(packet, &headers);
    (report.ip, report.transport) == (Verdict::Right, Verdict::Right)
}

/// RFC 792, RFC 1191 §4: type, code and MTU of every kind.
#[test]
fn each_kind_has_its_type_and_code() {
    let udp = build::udp((A, 1), (B, 2), b"data").bytes();
    for (kind, icmp_type, code, rest) in [
        (IcmpError::TimeExceeded, 11, 0, 0),
        (IcmpError::ReassemblyTimeExceeded, 11, 1, 0),
        (IcmpError::NetUnreachable, 3, 0, 0),
        (IcmpError::HostUnreachable, 3, 1, 0),
        (IcmpError::ProtocolUnreachable, 3, 2, 0),
        (IcmpError::PortUnreachable, 3, 3, 0),
        (IcmpError::FragmentationNeeded { mtu: 1400 }, 3, 4, 1400),
        (IcmpError::AdministrativelyProhibited, 3, 13, 0),
    ] {
        let answer = answer(&udp, kind).unwrap();
        let [_, _, high, low] = u32::to_be_bytes(rest);
        let expected = build::icmp(ROUTER, A, icmp_type, code, [0, 0, high, low], &udp)
            .tos(0xc0)
            .bytes();
        assert_eq!(answer, expected);
    }
}

/// RFC 1812 §4.3.2.3 and §4.3.2.5, as Linux does it: at most 576 bytes, precedence 6, TOS kept.
#[test]
fn an_error_quotes_what_fits_into_576_bytes() {
    let long = build::udp((A, 1), (B, 2), &[7; 1400]).tos(0xff).bytes();
    let answer = answer(&long, IcmpError::TimeExceeded).unwrap();
    assert_eq!(answer.len(), 576);
    assert_eq!(word_at(&answer, 2), 576);
    assert_eq!(answer[1], 0xc0 | 0x1e);
    assert_eq!(answer[8], 64);
    assert_eq!(answer[28..], long[..548]);
    assert!(is_right(&answer));
}

/// RFC 1122 §3.2.2: no error about an error, a later fragment, or to or from what is no host.
#[test]
fn some_packets_are_never_answered() {
    let forbidden = |packet: Build| {
        let answer = answer(&packet.bytes(), IcmpError::HostUnreachable);
        assert_eq!(answer, None, "{packet:?}");
    };
    let quoted = build::udp((A, 1), (B, 2), b"").bytes();
    for kind in [3, 4, 5, 11, 12] {
        forbidden(build::icmp(A, B, kind, 0, [0; 4], &quoted));
        forbidden(build::icmp(A, B, kind, 0, [0; 4], &[]));
    }
    for destination in [[224, 0, 0, 1], [239, 255, 255, 255], [255; 4]] {
        forbidden(build::udp((A, 1), (destination, 2), b""));
    }
    for source in [[0; 4], [127, 0, 0, 1], [224, 0, 0, 1], [255; 4]] {
        forbidden(build::udp((source, 1), (B, 2), b""));
    }
    // Linux answers class E and what lies between 0.0.0.0 and 1.0.0.0.
    for source in [[240, 0, 0, 1], [0, 1, 2, 3]] {
        let packet = build::udp((source, 1), (B, 2), b"").bytes();
        assert!(answer(&packet, IcmpError::HostUnreachable).is_some());
    }
    let pieces = build::udp((A, 1), (B, 2), &[0; 100]).fragments(68);
    assert_eq!(answer(&pieces[1], IcmpError::HostUnreachable), None);
    // A first fragment and a ping are answered.
    assert!(answer(&pieces[0], IcmpError::HostUnreachable).is_some());
    let ping = build::icmp_echo(Echo::Request, A, B, 1, 1, b"").bytes();
    assert!(answer(&ping, IcmpError::HostUnreachable).is_some());
}

proptest! {
    /// RFC 792: the answer's checksums are right and it names the flow it answers.
    #[test]
    fn an_error_names_the_flow((packet, headers) in hostile_with_headers()) {
        let Some(answer) = error(&packet, &headers, ROUTER, IcmpError::TimeExceeded) else {
            return Ok(());
        };
        prop_assert!(answer.len() <= 576);
        prop_assert!(is_right(&answer));
        let Transport::Icmp(icmp) = Headers::parse(&answer).unwrap().transport else {
            return Err(TestCaseError::fail("not icmp"));
        };
        let IcmpBody::Error(quoted) = icmp.body else {
            return Err(TestCaseError::fail("no quotation"));
        };
        prop_assert_eq!(Some(quoted.key), FlowKey::of(&headers));
    }

    /// RFC 1122 §3.2.2.6: the reply is the request with its ends exchanged.
    #[test]
    fn a_reply_is_the_request_turned_round(
        identifier: u16,
        sequence: u16,
        tos: u8,
        payload in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let request = build::icmp_echo(Echo::Request, A, B, identifier, sequence, &payload)
            .tos(tos)
            .ttl(3)
            .identification(9)
            .options(&[1; 8])
            .bytes();
        let headers = Headers::parse(&request).unwrap();
        let reply = build::icmp_echo(Echo::Reply, B, A, identifier, sequence, &payload).tos(tos);
        prop_assert_eq!(echo_reply(&request, &headers), Some(reply.bytes()));
        let reply = Headers::parse(&reply.bytes()).unwrap();
        prop_assert_eq!(
            FlowKey::of(&reply),
            FlowKey::of(&headers).map(|key| key.reversed())
        );
    }

    /// Only an echo request is answered with an echo reply.
    #[test]
    fn nothing_else_is_answered(shape in shape(20), ends in ends()) {
        let packet = shape.between(ends).bytes();
        let headers = Headers::parse(&packet).unwrap();
        let is_request = headers.protocol == Protocol::ICMP && packet[headers.header_len] == 8;
        prop_assert!(is_request || echo_reply(&packet, &headers).is_none());
    }
}

/// RFC 1624 §3: the reply of zeros, whose right checksum is 0xffff.
#[test]
fn a_reply_of_zeros_is_right() {
    let request = build::icmp_echo(Echo::Request, A, B, 0, 0, &[0; 3]).bytes();
    let reply = echo_reply(&request, &Headers::parse(&request).unwrap()).unwrap();
    assert_eq!(word_at(&reply, 22), 0xffff);
    assert!(is_right(&reply));
}

/// SEMANTICS §11: a wrong checksum stays wrong, and a cut request gets a reply cut alike.
#[test]
fn a_reply_repairs_nothing() {
    let mut request = build::icmp_echo(Echo::Request, A, B, 1, 1, b"payload").bytes();
    let whole = echo_reply(&request, &Headers::parse(&request).unwrap()).unwrap();
    let cut = &request[..30];
    let reply = echo_reply(cut, &Headers::parse(cut).unwrap()).unwrap();
    assert_eq!(reply, whole[..30]);
    request[30] ^= 1;
    let reply = echo_reply(&request, &Headers::parse(&request).unwrap()).unwrap();
    let headers = Headers::parse(&reply).unwrap();
    assert_eq!(verify_checksums(&reply, &headers).transport, Verdict::Wrong);
}

/// RFC 1122 §3.2.2.6: no reply to broadcast or multicast, nor to a piece of a request.
#[test]
fn some_requests_are_not_answered() {
    for destination in [[224, 0, 0, 1], [255; 4]] {
        let request = build::icmp_echo(Echo::Request, A, destination, 1, 1, b"").bytes();
        assert_eq!(
            echo_reply(&request, &Headers::parse(&request).unwrap()),
            None
        );
    }
    for piece in build::icmp_echo(Echo::Request, A, B, 1, 1, &[0; 99]).fragments(68) {
        assert_eq!(echo_reply(&piece, &Headers::parse(&piece).unwrap()), None);
    }
}
