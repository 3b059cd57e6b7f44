//! `checksum`: RFC 1071, and RFC 1624's incremental update against full recomputation.

use crate::generate::word;
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::Ipv4Addr;
use vpcsim_packet::Protocol;
use vpcsim_packet::checksum::{Delta, full, with_pseudo_header};

fn bytes(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A checksum as the number it stands for: both zeros are 0.
fn number(checksum: u16) -> u32 {
    u32::from(checksum) % 0xffff
}

proptest! {
    /// RFC 1071: as pnet_packet computes it, for every length.
    #[test]
    fn full_is_what_pnet_computes(data in vec(any::<u8>(), 0..100)) {
        // pnet skips one word, counted from the start: give it one of zeros.
        let mut padded = vec![0, 0];
        padded.extend(&data);
        prop_assert_eq!(full(&data), pnet_packet::util::checksum(&padded, 0));
    }

    /// RFC 9293 §3.1: with the pseudo-header, as pnet_packet computes it.
    #[test]
    fn pseudo_header_is_what_pnet_computes(
        source: u32,
        destination: u32,
        data in vec(any::<u8>(), 20..100),
    ) {
        let (source, destination) = (Ipv4Addr::from(source), Ipv4Addr::from(destination));
        let mut segment = data;
        segment[16..18].fill(0);
        let tcp = pnet_packet::tcp::TcpPacket::new(&segment).unwrap();
        prop_assert_eq!(
            with_pseudo_header(source, destination, Protocol::TCP, &segment),
            pnet_packet::tcp::ipv4_checksum(&tcp, &source, &destination)
        );
    }

    /// RFC 1624 §3: a right checksum stays right bit for bit, a wrong one stays wrong by the same
    /// amount, over any data that is not all zero.
    #[test]
    fn incremental_is_full(
        before in vec(word(), 1..12),
        changes in vec((any::<proptest::sample::Index>(), word()), 0..8),
        error in word(),
    ) {
        let mut after = before.clone();
        let mut delta = Delta::NONE;
        for (at, new) in changes {
            let at = at.index(after.len());
            delta = delta.replace16(after[at], new);
            after[at] = new;
        }
        if [&before, &after].iter().any(|words| words.iter().all(|word| *word == 0)) {
            return Ok(());
        }
        let (old, new) = (full(&bytes(&before)), full(&bytes(&after)));
        prop_assert_eq!(delta.apply(old), new);

        let wrong = old.wrapping_add(error);
        let off = (number(wrong) + 0xffff - number(old)) % 0xffff;
        let still_off = (number(delta.apply(wrong)) + 0xffff - number(new)) % 0xffff;
        prop_assert_eq!(off, still_off);
    }

    /// RFC 768: 0 is "none" and stays; a computed 0 is written 0xffff.
    #[test]
    fn udp_never_becomes_absent(stored in word(), old: u32, new: u32) {
        let delta = Delta::NONE.replace32(old, new);
        let after = delta.apply_udp(stored);
        prop_assert_eq!(after == 0, stored == 0);
        if stored != 0 {
            prop_assert_eq!(number(after), number(delta.apply(stored)));
        }
    }

    /// RFC 1624 equation 3 is a sum: order and grouping do not matter.
    #[test]
    fn deltas_add_up(changes in vec((word(), word()), 0..8), stored in 0..0xffff_u16) {
        let one_by_one = changes.iter().fold(stored, |checksum, (old, new)| {
            Delta::NONE.replace16(*old, *new).apply(checksum)
        });
        let at_once = changes.iter().rev().fold(Delta::NONE, |delta, (old, new)| {
            delta.and(Delta::NONE.replace16(*old, *new))
        });
        prop_assert_eq!(at_once.apply(stored), one_by_one);
    }
}

/// RFC 1624 §4: the example where RFC 1141's equation gives 0xffff.
#[test]
fn the_example_of_rfc_1624() {
    assert_eq!(Delta::NONE.replace16(0x5555, 0x3285).apply(0xdd2f), 0x0000);
}

/// RFC 1071 §3: the example.
#[test]
fn the_example_of_rfc_1071() {
    let data = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(full(&data), !0xddf2);
    assert_eq!(full(&[]), 0xffff);
    assert_eq!(full(&[0xab]), !0xab00);
}
