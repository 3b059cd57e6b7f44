//! `rewrite`, `Rewrite::between`, `decrement_ttl`: SEMANTICS §11 "checksums are updated
//! incrementally and never recomputed".

use crate::generate::{Ends, change, ends, hostile_with_headers, shape, word, word_at};
use proptest::prelude::*;
use vpcsim_packet::build::{self, Echo};
use vpcsim_packet::{
    FlowKey, Headers, IcmpBody, Protocol, Rewrite, TcpFlags, Transport, Verdict, decrement_ttl,
    rewrite, verify_checksums,
};

/// The change that makes a packet between `to` of any packet.
pub(crate) fn to(to: Ends) -> Rewrite {
    Rewrite {
        source: Some(to.source.0),
        source_port: Some(to.source.1),
        destination: Some(to.destination.0),
        destination_port: Some(to.destination.1),
    }
}

/// Where the checksums of a packet are that may be stored as either zero.
fn checksums(headers: &Headers) -> Vec<usize> {
    match headers.transport {
        Transport::Tcp(_) => vec![10, headers.header_len + 16],
        Transport::Icmp(_) => vec![10, headers.header_len + 2],
        _ => vec![10],
    }
}

/// The same packet, but for the documented zeros.
fn same(before: &[u8], after: &[u8], headers: &Headers) -> bool {
    let mut expected = before.to_vec();
    for at in checksums(headers) {
        let zero = |packet| matches!(word_at(packet, at), 0 | 0xffff);
        if zero(before) && zero(after) {
            expected[at..at + 2].copy_from_slice(&after[at..at + 2]);
        }
    }
    expected == after
}

proptest! {
    /// SEMANTICS §11: the rewritten packet is the packet built with the new values, all of it.
    #[test]
    fn rewriting_is_building_anew(shape in shape(80), from in ends(), other in ends()) {
        let mut packet = shape.between(from).bytes();
        let mut headers = Headers::parse(&packet).unwrap();
        rewrite(&mut packet, &mut headers, &to(other));
        prop_assert_eq!(&packet, &shape.between(other).bytes());
        prop_assert_eq!(Headers::parse(&packet), Ok(headers));
    }

    /// SEMANTICS §11: `between` two flows is enough to turn one into the other.
    #[test]
    fn between_turns_one_flow_into_another(shape in shape(20), from in ends(), other in ends()) {
        let mut packet = shape.between(from).bytes();
        let target = shape.between(other).bytes();
        let mut headers = Headers::parse(&packet).unwrap();
        let key = FlowKey::of(&headers).unwrap();
        let goal = FlowKey::of(&Headers::parse(&target).unwrap()).unwrap();
        rewrite(&mut packet, &mut headers, &Rewrite::between(&key, &goal));
        prop_assert_eq!(FlowKey::of(&headers), Some(goal));
        prop_assert_eq!(packet, target);
        prop_assert!(Rewrite::between(&goal, &goal).is_nothing());
    }

    /// SEMANTICS §11, RFC 791: a datagram may be rewritten piece by piece. The first fragment's
    /// transport checksum covers the whole; later fragments have only addresses.
    #[test]
    fn fragments_are_rewritten_like_the_whole(
        shape in shape(200),
        from in ends(),
        other in ends(),
        mtu in 84_usize..160,
    ) {
        // The checksum of ICMP's one all-zero message cannot be told from a fragment.
        let mut pieces = shape.between(from).fragments(mtu);
        for piece in &mut pieces {
            let mut headers = Headers::parse(piece).unwrap();
            rewrite(piece, &mut headers, &to(other));
            prop_assert_eq!(Headers::parse(piece), Ok(headers));
        }
        prop_assert_eq!(pieces, shape.between(other).fragments(mtu));
    }

    /// SEMANTICS §11: rewriting back restores any bytes, right or wrong, but for the two zeros.
    #[test]
    fn rewriting_back_restores((packet, headers) in hostile_with_headers(), change in change()) {
        let (source_port, destination_port) = match headers.transport {
            Transport::Tcp(tcp) => (tcp.source_port, tcp.destination_port),
            Transport::Udp(udp) => (udp.source_port, udp.destination_port),
            Transport::Icmp(icmp) => match icmp.body {
                IcmpBody::Query { identifier, .. } => (identifier, 0),
                _ => (0, 0),
            },
            _ => (0, 0),
        };
        let back = Rewrite {
            source: change.source.map(|_| headers.source),
            source_port: change.source_port.map(|_| source_port),
            destination: change.destination.map(|_| headers.destination),
            destination_port: change.destination_port.map(|_| destination_port),
        };
        let (mut there, mut changed) = (packet.clone(), headers);
        rewrite(&mut there, &mut changed, &change);
        prop_assert_eq!(Headers::parse(&there), Ok(changed));
        rewrite(&mut there, &mut changed, &back);
        prop_assert!(same(&packet, &there, &headers), "{packet:02x?} came back as {there:02x?}");
        prop_assert_eq!(changed, headers);
    }

    /// SEMANTICS §11: a rewrite leaves what a checksum says as it is. `--verify-checksums` sees
    /// the same before and after.
    #[test]
    fn the_verdict_on_checksums_stays(
        (packet, headers) in hostile_with_headers(),
        change in change(),
    ) {
        // RFC 1624's zeros: over bytes that are all zero 0x0000 is wrong and 0xffff is right.
        if packet[headers.header_len..].iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let before = verify_checksums(&packet, &headers);
        let (mut packet, mut headers) = (packet, headers);
        rewrite(&mut packet, &mut headers, &change);
        prop_assert_eq!(verify_checksums(&packet, &headers), before);
    }

    /// RFC 1812 §5.3.1: one less, and the header checksum follows.
    #[test]
    fn ttl_goes_down_by_one(shape in shape(20), ends in ends(), ttl: u8) {
        let mut packet = shape.between(ends).ttl(ttl).bytes();
        let mut headers = Headers::parse(&packet).unwrap();
        decrement_ttl(&mut packet, &mut headers);
        prop_assert_eq!(&packet, &shape.between(ends).ttl(ttl.saturating_sub(1)).bytes());
        prop_assert_eq!(Headers::parse(&packet), Ok(headers));
    }

    /// SEMANTICS §11: UDP 0 stays 0; a computed 0 is written 0xffff (RFC 768).
    #[test]
    fn udp_without_a_checksum_stays_without(from in ends(), other in ends(), port in word()) {
        for build in [
            build::udp(from.source, (from.destination.0, port), b"x"),
            build::udp(from.source, (from.destination.0, port), b"x").without_checksum(),
        ] {
            let mut packet = build.bytes();
            let absent = word_at(&packet, 26) == 0;
            let mut headers = Headers::parse(&packet).unwrap();
            rewrite(&mut packet, &mut headers, &to(other));
            prop_assert_eq!(word_at(&packet, 26) == 0, absent);
        }
    }
}

/// SEMANTICS §11: a wrong checksum stays wrong.
#[test]
fn a_wrong_checksum_stays_wrong() {
    let a = ([10, 0, 0, 1], 1000);
    let b = ([10, 0, 0, 2], 80);
    let mut packet = build::tcp(a, b, TcpFlags::SYN).bytes();
    packet[10] ^= 1;
    packet[36] ^= 1;
    let mut headers = Headers::parse(&packet).unwrap();
    let change = Rewrite {
        source: Some([203, 0, 113, 7].into()),
        source_port: Some(4242),
        ..Rewrite::default()
    };
    rewrite(&mut packet, &mut headers, &change);
    let report = verify_checksums(&packet, &headers);
    assert_eq!(
        (report.ip, report.transport),
        (Verdict::Wrong, Verdict::Wrong)
    );
}

/// SEMANTICS §11: bytes past the packet's stated length are the capture's, not the packet's.
#[test]
fn a_trailer_is_left_alone() {
    let a = ([10, 0, 0, 1], 1000);
    let b = ([10, 0, 0, 2], 80);
    let mut packet = build::tcp(a, b, TcpFlags::SYN).bytes();
    packet[2..4].copy_from_slice(&40_u16.to_be_bytes());
    packet.extend([0xee; 6]);
    let mut headers = Headers::parse(&packet).unwrap();
    let goal = FlowKey::of(&headers).unwrap().reversed();
    let change = Rewrite::between(&FlowKey::of(&headers).unwrap(), &goal);
    rewrite(&mut packet, &mut headers, &change);
    assert_eq!(FlowKey::of(&headers), Some(goal));
    assert_eq!(packet[40..], [0xee; 6]);
}

/// RFC 1624 §3: the one message whose right checksum is 0xffff, an echo reply of zeros.
#[test]
fn an_echo_reply_of_zeros_has_a_right_checksum() {
    let reply = |identifier| {
        build::icmp_echo(
            Echo::Reply,
            [10, 0, 0, 1],
            [10, 0, 0, 2],
            identifier,
            0,
            &[0; 6],
        )
        .bytes()
    };
    let change = |identifier| Rewrite {
        source_port: Some(identifier),
        ..Rewrite::default()
    };
    let mut packet = reply(7);
    let mut headers = Headers::parse(&packet).unwrap();
    rewrite(&mut packet, &mut headers, &change(0));
    assert_eq!(packet, reply(0));
    rewrite(&mut packet, &mut headers, &change(9));
    assert_eq!(packet, reply(9));
}

/// SEMANTICS §11: ESP, GRE, SCTP pass by address and protocol; their payload is theirs.
#[test]
fn protocols_without_ports_keep_their_payload() {
    for protocol in [Protocol::GRE, Protocol::ESP, Protocol::SCTP] {
        let payload: Vec<u8> = (0..40).collect();
        let mut packet = build::raw(protocol, [10, 0, 0, 1], [10, 0, 0, 2], &payload).bytes();
        let mut headers = Headers::parse(&packet).unwrap();
        let change = Rewrite {
            source: Some([1, 2, 3, 4].into()),
            source_port: Some(1),
            destination_port: Some(2),
            ..Rewrite::default()
        };
        rewrite(&mut packet, &mut headers, &change);
        assert_eq!(
            packet,
            build::raw(protocol, [1, 2, 3, 4], [10, 0, 0, 2], &payload).bytes()
        );
    }
}

/// RFC 768: a rewrite that arrives at 0 writes 0xffff, as a sender would; and back again.
#[test]
fn a_udp_checksum_that_comes_to_zero_is_all_ones() {
    let datagram = |port| build::udp(([10, 0, 0, 1], port), ([10, 0, 0, 2], 53), b"query").bytes();
    let before = datagram(0);
    // The port whose complement is what is missing to 0.
    let port = word_at(&before, 26);
    let mut packet = before.clone();
    let mut headers = Headers::parse(&packet).unwrap();
    let change = |port| Rewrite {
        source_port: Some(port),
        ..Rewrite::default()
    };
    rewrite(&mut packet, &mut headers, &change(port));
    assert_eq!(word_at(&packet, 26), 0xffff);
    assert_eq!(packet, datagram(port));
    rewrite(&mut packet, &mut headers, &change(0));
    assert_eq!(packet, before);
}
