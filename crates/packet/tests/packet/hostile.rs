//! DESIGN, the house: nothing panics on any input, not even with the headers of another packet.

use crate::generate::{change, hostile, hostile_with_headers};
use proptest::prelude::*;
use vpcsim_packet::build;
use vpcsim_packet::icmp::{IcmpError, echo_reply, error};
use vpcsim_packet::{
    FlowKey, Headers, Rewrite, decrement_ttl, fragment, rewrite, rewrite_quoted, verify_checksums,
};

fn everything(packet: &[u8], headers: &Headers, change: &Rewrite, mtu: usize) {
    let mut packet = packet.to_vec();
    let mut changed = *headers;
    let len = packet.len();
    rewrite(&mut packet, &mut changed, change);
    rewrite_quoted(&mut packet, &mut changed, change);
    decrement_ttl(&mut packet, &mut changed);
    assert_eq!(packet.len(), len);
    verify_checksums(&packet, headers);
    let too_big = IcmpError::FragmentationNeeded { mtu: 1400 };
    let answer = error(&packet, headers, [192, 0, 2, 1].into(), too_big);
    assert!(answer.is_none_or(|answer| answer.len() <= 576));
    echo_reply(&packet, headers);
    fragment(&packet, headers, mtu);
    if let Some(key) = FlowKey::of(headers) {
        let _ = key.to_string();
        let _ = build::of_flow(&key.reversed()).bytes();
    }
}

proptest! {
    /// DESIGN: any bytes, at any cut.
    #[test]
    fn nothing_panics_on_its_own_headers(
        packet in hostile(),
        change in change(),
        mtu in 0_usize..200,
    ) {
        for cut in 0..=packet.len() {
            match Headers::parse(&packet[..cut]) {
                Ok(headers) => everything(&packet[..cut], &headers, &change, mtu),
                Err(malformed) => prop_assert!(!malformed.to_string().is_empty()),
            }
        }
    }

    /// DESIGN: any bytes with headers that are not theirs, or that no packet has.
    #[test]
    fn nothing_panics_on_foreign_headers(
        packet in hostile(),
        (_, headers) in hostile_with_headers(),
        (header_len, total_len) in (0_usize..80, 0_usize..70_000),
        fragment_offset: u32,
        change in change(),
        mtu in 0_usize..200,
    ) {
        everything(&packet, &headers, &change, mtu);
        let absurd = Headers { header_len, total_len, fragment_offset, ..headers };
        everything(&packet, &absurd, &change, mtu);
    }
}

/// DESIGN: what does not fit into a packet is left out of it.
#[test]
fn a_builder_takes_too_much_of_everything() {
    let a = ([10, 0, 0, 1], 1);
    let b = ([10, 0, 0, 2], 2);
    let much = vec![1; 100_000];
    for build in [
        build::udp(a, b, &much),
        build::tcp(a, b, vpcsim_packet::TcpFlags::SYN)
            .tcp_options(&much)
            .payload(&much),
        build::icmp(a.0, b.0, 8, 0, [0; 4], &much),
        build::raw(vpcsim_packet::Protocol::GRE, a.0, b.0, &much),
    ] {
        let packet = build.options(&much).bytes();
        assert_eq!(packet.len(), 65_535);
        let headers = Headers::parse(&packet).unwrap();
        assert_eq!((headers.header_len, headers.total_len), (60, 65_535));
    }
}
