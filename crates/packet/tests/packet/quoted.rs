//! `rewrite_quoted`: SEMANTICS §9 "outer and quoted headers translated, both checksums right"
//! (RFC 5508 §4.2).

use crate::generate::{change, ends, error, hostile_with_headers, shape, word_at};
use crate::rewriting::to;
use proptest::prelude::*;
use vpcsim_packet::build::{self, Echo};
use vpcsim_packet::{
    Headers, IcmpBody, Rewrite, TcpFlags, Transport, Verdict, rewrite, rewrite_quoted,
    verify_checksums,
};

proptest! {
    /// RFC 5508 §4.2: the error after translation is the error that quotes the translated packet,
    /// byte for byte, however much is quoted.
    #[test]
    fn rewriting_a_quotation_is_quoting_anew(
        shape in shape(40),
        outer in ends(),
        from in ends(),
        other in ends(),
        kind in proptest::sample::select(vec![3_u8, 4, 5, 11, 12]),
        half in 10_usize..70,
    ) {
        // Half a checksum word cannot follow, and is left alone.
        let quoted = half * 2;
        let mut packet = error(outer, kind, &shape.between(from).bytes(), quoted);
        let mut headers = Headers::parse(&packet).unwrap();
        let names_a_flow = matches!(
            headers.transport,
            Transport::Icmp(icmp) if matches!(icmp.body, IcmpBody::Error(_))
        );
        // Less than a flow is left alone.
        let then = if names_a_flow { other } else { from };
        rewrite_quoted(&mut packet, &mut headers, &to(other));
        prop_assert_eq!(&packet, &error(outer, kind, &shape.between(then).bytes(), quoted));
        prop_assert_eq!(Headers::parse(&packet), Ok(headers));
        prop_assert_eq!(verify_checksums(&packet, &headers).transport, Verdict::Right);
    }

    /// RFC 5508 §4.2: the same for a quoted fragment, first or later.
    #[test]
    fn a_quoted_fragment_is_rewritten_too(
        shape in shape(120),
        outer in ends(),
        from in ends(),
        other in ends(),
        later: bool,
    ) {
        let from = shape.between(from).fragments(88);
        let to_be = shape.between(other).fragments(88);
        let which = usize::from(later && from.len() > 1);
        let mut packet = error(outer, 11, &from[which], 200);
        let mut headers = Headers::parse(&packet).unwrap();
        rewrite_quoted(&mut packet, &mut headers, &to(other));
        prop_assert_eq!(&packet, &error(outer, 11, &to_be[which], 200));
        prop_assert_eq!(Headers::parse(&packet), Ok(headers));
    }

    /// SEMANTICS §11: what was wrong stays wrong, outside and inside, on hostile bytes; nothing
    /// but the ICMP message changes, and nothing past it.
    #[test]
    fn the_outer_verdict_stays((packet, headers) in hostile_with_headers(), change in change()) {
        let before = verify_checksums(&packet, &headers);
        let (mut after, mut changed) = (packet.clone(), headers);
        rewrite_quoted(&mut after, &mut changed, &change);
        prop_assert_eq!(verify_checksums(&after, &changed), before);
        prop_assert_eq!(Headers::parse(&after), Ok(changed));
        prop_assert_eq!(&after[..headers.header_len], &packet[..headers.header_len]);
        let end = headers.total_len.min(packet.len());
        prop_assert_eq!(&after[end..], &packet[end..]);
        let Transport::Icmp(icmp) = headers.transport else {
            prop_assert_eq!(after, packet);
            return Ok(());
        };
        if !matches!(icmp.body, IcmpBody::Error(_)) {
            prop_assert_eq!(after, packet);
        }
    }
}

/// SEMANTICS §9: a whole translation, as a NAT gateway does it inwards. A router on the internet
/// answers the packet that the gateway sent; the cvm gets an answer to the packet that it sent.
#[test]
fn an_error_from_the_internet_reaches_the_cvm_as_its_own() {
    let cvm = ([10, 0, 0, 5], 40_000);
    let eip = ([198, 51, 100, 9], 1_024);
    let server = ([203, 0, 113, 80], 443);
    let router = [192, 0, 2, 1];
    let sent = |source| build::tcp(source, server, TcpFlags::SYN).bytes();
    let error =
        |to: [u8; 4], quoted: &[u8]| build::icmp(router, to, 11, 0, [0; 4], &quoted[..28]).bytes();
    let mut packet = error(eip.0, &sent(eip));
    let mut headers = Headers::parse(&packet).unwrap();
    let outer = Rewrite {
        destination: Some(cvm.0.into()),
        ..Rewrite::default()
    };
    let inner = Rewrite {
        source: Some(cvm.0.into()),
        source_port: Some(cvm.1),
        ..Rewrite::default()
    };
    rewrite(&mut packet, &mut headers, &outer);
    rewrite_quoted(&mut packet, &mut headers, &inner);
    // TCP's checksum is not quoted; everything that is agrees.
    assert_eq!(packet, error(cvm.0, &sent(cvm)));
    let report = verify_checksums(&packet, &headers);
    assert_eq!(
        (report.ip, report.transport),
        (Verdict::Right, Verdict::Right)
    );
}

/// RFC 768: a quoted UDP checksum of 0 says that there is none.
#[test]
fn a_quoted_udp_checksum_of_zero_stays() {
    let quoted = build::udp(([10, 0, 0, 5], 1), ([1, 1, 1, 1], 53), b"q")
        .without_checksum()
        .bytes();
    let mut packet = build::icmp([1, 1, 1, 1], [10, 0, 0, 5], 3, 3, [0; 4], &quoted).bytes();
    let mut headers = Headers::parse(&packet).unwrap();
    let change = Rewrite {
        source: Some([9, 9, 9, 9].into()),
        source_port: Some(9),
        ..Rewrite::default()
    };
    rewrite_quoted(&mut packet, &mut headers, &change);
    assert_eq!(word_at(&packet, 28 + 20 + 6), 0);
    assert_eq!(
        verify_checksums(&packet, &headers).transport,
        Verdict::Right
    );
}

/// RFC 5508 §4.2: a quoted ping's identifier maps back.
#[test]
fn a_quoted_ping_gets_its_identifier_back() {
    let ping = |source: [u8; 4], identifier| {
        build::icmp_echo(Echo::Request, source, [8, 8, 8, 8], identifier, 3, b"abc").bytes()
    };
    let error =
        |quoted: &[u8]| build::icmp([8, 8, 8, 8], [10, 0, 0, 5], 3, 1, [0; 4], quoted).bytes();
    let mut packet = error(&ping([198, 51, 100, 9], 5000));
    let mut headers = Headers::parse(&packet).unwrap();
    let change = Rewrite {
        source: Some([10, 0, 0, 5].into()),
        source_port: Some(7),
        destination_port: Some(1),
        ..Rewrite::default()
    };
    rewrite_quoted(&mut packet, &mut headers, &change);
    assert_eq!(packet, error(&ping([10, 0, 0, 5], 7)));
}
