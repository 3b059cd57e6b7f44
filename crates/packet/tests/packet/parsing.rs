//! `Headers::parse`: SEMANTICS §11 "headers decide, lengths come from the IP header", and
//! "malformed, with what and where".

use crate::generate::{ends, hostile, shape};
use etherparse::{InternetSlice, SlicedPacket};
use pnet_packet::Packet;
use pnet_packet::icmp::IcmpPacket;
use pnet_packet::ipv4::Ipv4Packet;
use pnet_packet::tcp::TcpPacket;
use pnet_packet::udp::UdpPacket;
use proptest::prelude::*;
use vpcsim_packet::build::{self, Echo};
use vpcsim_packet::{
    Fault, FlowKey, Headers, IcmpBody, Layer, Malformed, Protocol, TcpFlags, Transport,
};

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];

/// Every field of the headers as pnet_packet reads it.
fn agrees_with_pnet(packet: &[u8], headers: &Headers) {
    let ip = Ipv4Packet::new(packet).unwrap();
    assert_eq!(headers.source, ip.get_source());
    assert_eq!(headers.destination, ip.get_destination());
    assert_eq!(headers.protocol.0, ip.get_next_level_protocol().0);
    assert_eq!(headers.ttl, ip.get_ttl());
    assert_eq!(headers.tos, ip.get_dscp() << 2 | ip.get_ecn());
    assert_eq!(headers.identification, ip.get_identification());
    assert_eq!(headers.dont_fragment, ip.get_flags() & 2 != 0);
    assert_eq!(headers.more_fragments, ip.get_flags() & 1 != 0);
    assert_eq!(
        headers.fragment_offset,
        u32::from(ip.get_fragment_offset()) * 8
    );
    assert_eq!(headers.header_len, usize::from(ip.get_header_length()) * 4);
    let stated = usize::from(ip.get_total_length());
    assert_eq!(
        headers.total_len,
        if stated == 0 { packet.len() } else { stated }
    );
    let rest = &packet[headers.header_len..];
    match headers.transport {
        Transport::Tcp(ours) => {
            let tcp = TcpPacket::new(rest).unwrap();
            assert_eq!(ours.source_port, tcp.get_source());
            assert_eq!(ours.destination_port, tcp.get_destination());
            assert_eq!(ours.sequence, tcp.get_sequence());
            assert_eq!(ours.acknowledgment, tcp.get_acknowledgement());
            assert_eq!(ours.flags.0, tcp.get_flags());
            assert_eq!(ours.window, tcp.get_window());
            assert_eq!(ours.header_len, usize::from(tcp.get_data_offset()) * 4);
        }
        Transport::Udp(ours) => {
            let udp = UdpPacket::new(rest).unwrap();
            assert_eq!(ours.source_port, udp.get_source());
            assert_eq!(ours.destination_port, udp.get_destination());
            assert_eq!(ours.length, udp.get_length());
        }
        Transport::Icmp(ours) => {
            let icmp = IcmpPacket::new(rest).unwrap();
            assert_eq!(ours.kind, icmp.get_icmp_type().0);
            assert_eq!(ours.code, icmp.get_icmp_code().0);
            if let IcmpBody::Error(quoted) = ours.body {
                assert_eq!(quoted.offset, headers.header_len + 8);
                let inner = Ipv4Packet::new(&icmp.payload()[4..]).unwrap();
                assert_eq!(quoted.key.source, inner.get_source());
                assert_eq!(quoted.key.destination, inner.get_destination());
                assert_eq!(quoted.key.protocol.0, inner.get_next_level_protocol().0);
                assert_eq!(
                    quoted.header_len,
                    usize::from(inner.get_header_length()) * 4
                );
                assert_eq!(quoted.later_fragment, inner.get_fragment_offset() > 0);
            }
        }
        Transport::Other | Transport::LaterFragment => {}
    }
}

proptest! {
    /// SEMANTICS §11: what we read, others read too.
    #[test]
    fn reads_what_pnet_reads(packet in hostile()) {
        if let Ok(headers) = Headers::parse(&packet) {
            agrees_with_pnet(&packet, &headers);
        }
    }

    /// RFC 791, RFC 9293, RFC 768, RFC 792: a built packet parses, and etherparse sees the same
    /// payload behind the same headers.
    #[test]
    fn reads_what_etherparse_reads(shape in shape(80), ends in ends()) {
        let packet = shape.between(ends).bytes();
        let headers = Headers::parse(&packet).unwrap();
        agrees_with_pnet(&packet, &headers);
        let ip = etherparse::Ipv4HeaderSlice::from_slice(&packet).unwrap();
        prop_assert_eq!(ip.source_addr(), headers.source);
        prop_assert_eq!(ip.destination_addr(), headers.destination);
        prop_assert_eq!(ip.slice().len(), headers.header_len);
        let rest = &packet[headers.header_len..];
        match headers.transport {
            Transport::Tcp(tcp) => {
                let theirs = etherparse::TcpSlice::from_slice(rest).unwrap();
                prop_assert_eq!(theirs.header_len(), tcp.header_len);
                prop_assert_eq!(theirs.payload().len(), tcp.payload_len);
                prop_assert_eq!(theirs.sequence_number(), tcp.sequence);
            }
            Transport::Udp(udp) => {
                let theirs = etherparse::UdpSlice::from_slice(rest).unwrap();
                prop_assert_eq!(theirs.length(), udp.length);
            }
            Transport::Icmp(icmp) => {
                let theirs = etherparse::Icmpv4Slice::from_slice(rest).unwrap();
                prop_assert_eq!(theirs.type_u8(), icmp.kind);
            }
            Transport::Other => {}
            Transport::LaterFragment => prop_assert!(false, "not a fragment"),
        }
    }

    /// SEMANTICS §11: nothing that etherparse's strict reader takes is malformed here, fragments
    /// apart (it does not look into them).
    #[test]
    fn takes_what_etherparse_takes(packet in hostile()) {
        let Ok(SlicedPacket { net: Some(InternetSlice::Ipv4(ip)), .. }) =
            SlicedPacket::from_ip(&packet)
        else {
            return Ok(());
        };
        if !ip.header().is_fragmenting_payload() {
            prop_assert_eq!(Headers::parse(&packet).err(), None);
        }
    }
}

#[track_caller]
fn malformed(packet: &[u8], message: &str) -> Malformed {
    let fault = Headers::parse(packet).unwrap_err();
    assert_eq!(fault.to_string(), message);
    fault
}

/// SEMANTICS §11: malformed, with what and where.
#[test]
fn a_packet_without_a_flow_says_what_and_where() {
    let good = build::tcp((A, 1), (B, 2), TcpFlags::SYN)
        .payload(b"data")
        .bytes();
    let with = |at: usize, bytes: &[u8]| {
        let mut packet = good.clone();
        packet[at..at + bytes.len()].copy_from_slice(bytes);
        packet
    };
    malformed(&[], "ipv4 header of 0 bytes at byte 0: wanted 20 or more");
    malformed(&[0x60], "ipv4 version 6 at byte 0: wanted 4");
    malformed(
        &[0x45; 19],
        "ipv4 header of 19 bytes at byte 0: wanted 20 or more",
    );
    malformed(
        &with(0, &[0x44]),
        "ipv4 header length 4 at byte 0: wanted 5 or more",
    );
    malformed(
        &with(0, &[0x4f]),
        "ipv4 header of 44 bytes at byte 0: wanted 60 or more",
    );
    malformed(
        &with(2, &[0, 19]),
        "ipv4 total length 19 at byte 2: wanted 20 or more",
    );
    malformed(
        &with(6, &[0x1f, 0xff]),
        "ipv4 fragment end 65552 at byte 6: wanted 65535 or less",
    );
    malformed(
        &with(32, &[0x20]),
        "tcp data offset 2 at byte 32: wanted 5 or more",
    );
    malformed(
        &with(32, &[0x70]),
        "tcp data offset 7 at byte 32: wanted 6 or less",
    );
    malformed(
        &good[..39],
        "tcp header of 19 bytes at byte 20: wanted 20 or more",
    );
    malformed(
        &with(9, &[17])[..27],
        "udp header of 7 bytes at byte 20: wanted 8 or more",
    );
    let fault = malformed(
        &with(9, &[1])[..21],
        "icmp header of 1 bytes at byte 20: wanted 8 or more",
    );
    assert_eq!(
        fault,
        Malformed {
            layer: Layer::Icmp,
            offset: 20,
            what: Fault::Cut { wanted: 8, got: 1 }
        }
    );
    // The stated length counts, not what the capture carries after it.
    malformed(
        &with(2, &[0, 30]),
        "tcp header of 10 bytes at byte 20: wanted 20 or more",
    );
}

/// SEMANTICS §11: headers decide. None of this keeps a packet from having a flow.
#[test]
fn a_packet_that_is_merely_odd_has_a_flow() {
    let udp = build::udp((A, 1), (B, 2), b"data").bytes();
    let good = Headers::parse(&udp).unwrap();
    for (at, value) in [(24, 0), (25, 1), (24, 0xff), (10, 0xaa), (26, 0xaa)] {
        let mut packet = udp.clone();
        packet[at] = value;
        assert_eq!(
            FlowKey::of(&Headers::parse(&packet).unwrap()),
            FlowKey::of(&good)
        );
    }
    // Cut by the snap length: the length is the header's.
    assert_eq!(Headers::parse(&udp[..28]).unwrap(), good);
    // Segmentation offload: the length is the capture's.
    let mut offloaded = udp.clone();
    offloaded[2..4].fill(0);
    assert_eq!(Headers::parse(&offloaded).unwrap(), good);
    // Options that make no sense are carried.
    let options = build::udp((A, 1), (B, 2), b"").options(&[0xff; 40]).bytes();
    assert_eq!(Headers::parse(&options).unwrap().header_len, 60);
}

/// RFC 791: every link takes 68 bytes, so a first fragment may hold half of a TCP header with
/// options. It has a flow.
#[test]
fn a_first_fragment_may_end_inside_the_tcp_options() {
    let pieces = build::tcp((A, 1), (B, 2), TcpFlags::SYN)
        .tcp_options(&[1; 40])
        .fragments(68);
    let Transport::Tcp(tcp) = Headers::parse(&pieces[0]).unwrap().transport else {
        panic!("the first fragment has the ports");
    };
    assert_eq!(
        (tcp.source_port, tcp.header_len, tcp.payload_len),
        (1, 60, 0)
    );
    let later = Headers::parse(&pieces[1]).unwrap();
    assert_eq!(later.transport, Transport::LaterFragment);
    assert_eq!(FlowKey::of(&later), None);
}

/// RFC 792: an error quotes the IPv4 header and eight bytes; less names no flow.
#[test]
fn a_quotation_names_the_flow_it_speaks_of() {
    let sent = build::udp((B, 53), (A, 4096), b"answer").bytes();
    let body = |quotation: &[u8]| {
        let packet = build::icmp(A, B, 3, 3, [0; 4], quotation).bytes();
        match Headers::parse(&packet).unwrap().transport {
            Transport::Icmp(icmp) => icmp.body,
            other => panic!("{other:?} is not icmp"),
        }
    };
    let IcmpBody::Error(quoted) = body(&sent[..28]) else {
        panic!("28 bytes are enough");
    };
    assert_eq!(
        Some(quoted.key),
        FlowKey::of(&Headers::parse(&sent).unwrap())
    );
    assert_eq!((quoted.offset, quoted.header_len), (28, 20));
    for bad in [&sent[..27], &sent[..19], &[], &[0x60; 40], &[0x42; 40]] {
        assert_eq!(body(bad), IcmpBody::Other);
    }
    // No ports, nothing else needed.
    let gre = build::raw(Protocol::GRE, B, A, &[0; 20]).bytes();
    assert!(matches!(body(&gre[..20]), IcmpBody::Error(_)));
    // A later fragment.
    let pieces = build::udp((B, 53), (A, 4096), &[0; 64]).fragments(60);
    let IcmpBody::Error(quoted) = body(&pieces[1]) else {
        panic!("addresses are there");
    };
    assert!(quoted.later_fragment);
    assert_eq!(
        (quoted.key.source_port, quoted.key.destination_port),
        (0, 0)
    );
    // A ping: the identifier.
    let ping = build::icmp_echo(Echo::Request, B, A, 77, 1, b"").bytes();
    let IcmpBody::Error(quoted) = body(&ping) else {
        panic!("28 bytes are enough");
    };
    assert_eq!(
        (quoted.key.source_port, quoted.key.destination_port),
        (77, 0x0800)
    );
}

/// RFC 792, RFC 950: queries have an identifier, errors a quotation, the rest neither.
#[test]
fn icmp_types_sort_into_queries_errors_and_others() {
    for kind in 0..=255_u8 {
        let packet = build::icmp(A, B, kind, 0, [0, 5, 0, 6], &[]).bytes();
        let Transport::Icmp(icmp) = Headers::parse(&packet).unwrap().transport else {
            panic!("icmp");
        };
        let query = IcmpBody::Query {
            identifier: 5,
            sequence: 6,
        };
        let expected = if [0, 8, 13, 14, 15, 16, 17, 18].contains(&kind) {
            query
        } else {
            IcmpBody::Other
        };
        assert_eq!(icmp.body, expected, "type {kind}");
    }
}
