//! `fragment`: RFC 791 §3.2, and SEMANTICS §11 "MTU".

use crate::generate::{ends, hostile_with_headers, shape};
use proptest::prelude::*;
use vpcsim_packet::build;
use vpcsim_packet::{Headers, Transport, Verdict, fragment, verify_checksums};

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [10, 0, 0, 2];

/// RFC 791 §3.2, the receiving side: the payload, if nothing is missing or overlaps.
fn reassemble(pieces: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    let (last, rest) = pieces.split_last()?;
    for (piece, more) in rest
        .iter()
        .map(|piece| (piece, true))
        .chain([(last, false)])
    {
        let headers = Headers::parse(piece).ok()?;
        let whole = headers.total_len == piece.len();
        let fits = headers.fragment_offset as usize == payload.len();
        if !whole || !fits || headers.more_fragments != more {
            return None;
        }
        payload.extend_from_slice(&piece[headers.header_len..]);
    }
    Some(payload)
}

proptest! {
    /// RFC 791 §3.2: pieces fit the link, are right, and come together again; also when pieces
    /// are cut once more on the way.
    #[test]
    fn pieces_come_together_again(
        shape in shape(400),
        ends in ends(),
        first in 120_usize..300,
        second in 84_usize..200,
    ) {
        let packet = shape.between(ends).bytes();
        let headers = Headers::parse(&packet).unwrap();
        let pieces = fragment(&packet, &headers, first).unwrap();
        let payload = &packet[headers.header_len..];
        prop_assert_eq!(reassemble(&pieces), Some(payload.to_vec()));
        let smaller: Vec<Vec<u8>> = pieces
            .iter()
            .flat_map(|piece| fragment(piece, &Headers::parse(piece).unwrap(), second).unwrap())
            .collect();
        prop_assert_eq!(reassemble(&smaller), Some(payload.to_vec()));
        for (pieces, mtu) in [(pieces, first), (smaller, second)] {
            for piece in &pieces {
                prop_assert!(piece.len() <= mtu);
                let piece_headers = Headers::parse(piece).unwrap();
                prop_assert_eq!(verify_checksums(piece, &piece_headers).ip, Verdict::Right);
                let same = Headers {
                    more_fragments: headers.more_fragments,
                    fragment_offset: headers.fragment_offset,
                    header_len: headers.header_len,
                    total_len: headers.total_len,
                    transport: headers.transport,
                    ..piece_headers
                };
                prop_assert_eq!(same, headers);
            }
        }
    }

    /// SEMANTICS §11, truncated captures: the pieces have the lengths the header says and the
    /// bytes that were captured.
    #[test]
    fn a_cut_packet_is_fragmented_by_its_header(
        shape in shape(300),
        ends in ends(),
        mtu in 108_usize..200,
        cut in 80_usize..300,
    ) {
        let packet = shape.between(ends).bytes();
        let headers = Headers::parse(&packet).unwrap();
        let whole = fragment(&packet, &headers, mtu).unwrap();
        let cut = cut.clamp(headers.header_len, packet.len());
        let pieces = fragment(&packet[..cut], &headers, mtu).unwrap();
        prop_assert_eq!(pieces.len(), whole.len());
        let mut left = cut - headers.header_len;
        for (piece, whole) in pieces.iter().zip(&whole) {
            let header_len = usize::from(piece[0] & 0xf) * 4;
            let there = left.min(whole.len() - header_len);
            prop_assert_eq!(piece, &whole[..header_len + there]);
            left -= there;
        }
        prop_assert_eq!(left, 0);
    }

    /// SEMANTICS §11: a wrong header checksum is wrong in every piece.
    #[test]
    fn pieces_repair_nothing((packet, headers) in hostile_with_headers(), mtu in 28_usize..100) {
        let before = verify_checksums(&packet, &headers).ip;
        for piece in fragment(&packet, &headers, mtu).unwrap_or_default() {
            let whole = Headers { header_len: usize::from(piece[0] & 0xf) * 4, ..headers };
            prop_assert_eq!(verify_checksums(&piece, &whole).ip, before);
        }
    }
}

/// RFC 791 §3.1: options with the copied flag go into every fragment, the others into the first.
#[test]
fn options_are_copied_by_their_flag() {
    let security = [130, 4, 1, 2];
    let record_route = [7, 7, 4, 0, 0, 0, 0];
    let stream_id = [136, 4, 9, 9];
    let options = [&security[..], &record_route, &[1], &stream_id].concat();
    let pieces = build::udp((A, 1), (B, 2), &[5; 100])
        .options(&options)
        .fragments(84);
    assert_eq!(pieces[0][20..36], options);
    for piece in &pieces[1..] {
        assert_eq!(piece[0], 0x47);
        assert_eq!(piece[20..28], [security, stream_id].concat());
    }
    assert!(reassemble(&pieces).is_some());
}

/// RFC 791 §3.2: options that end in the middle of nowhere are not followed.
#[test]
fn broken_options_are_not_copied() {
    for options in [
        &[0x83, 0, 0, 0][..],
        &[0x83, 1, 0x83, 4],
        &[0x83, 40, 1, 1],
        &[0, 0x83, 2, 0],
    ] {
        let pieces = build::udp((A, 1), (B, 2), &[5; 100])
            .options(options)
            .fragments(60);
        assert_eq!(pieces[0][20..24], *options);
        assert!(pieces[1..].iter().all(|piece| piece[0] == 0x45));
    }
}

/// RFC 791 §3.2: the last piece may fill the link to the byte, the others end at eight.
#[test]
fn pieces_are_as_large_as_may_be() {
    let packet = build::raw(vpcsim_packet::Protocol::GRE, A, B, &[0; 100]).bytes();
    let headers = Headers::parse(&packet).unwrap();
    let sizes = |mtu| -> Vec<usize> {
        let pieces = fragment(&packet, &headers, mtu).unwrap();
        pieces.iter().map(|piece| piece.len() - 20).collect()
    };
    assert_eq!(sizes(120), [100]);
    assert_eq!(sizes(119), [96, 4]);
    assert_eq!(sizes(72), [48, 52]);
    assert_eq!(sizes(28).len(), 13);
    assert_eq!(fragment(&packet, &headers, 27), None);
}

/// SEMANTICS §11: DF forbids it, but a packet that fits is not cut at all.
#[test]
fn dont_fragment_is_obeyed() {
    let packet = build::udp((A, 1), (B, 2), &[0; 100])
        .dont_fragment(true)
        .bytes();
    let headers = Headers::parse(&packet).unwrap();
    assert_eq!(fragment(&packet, &headers, 127), None);
    assert_eq!(fragment(&packet, &headers, 128), Some(vec![packet]));
}

/// SEMANTICS §11, offloaded super-packets: stated length 0, as captured; beyond 65 535 bytes
/// there are no fragments.
#[test]
fn a_super_packet_is_fragmented_as_far_as_offsets_go() {
    let mut packet = build::udp((A, 1), (B, 2), &[3; 60_000]).bytes();
    packet[2..4].fill(0);
    let pieces = fragment(&packet, &Headers::parse(&packet).unwrap(), 1500).unwrap();
    assert_eq!(reassemble(&pieces).as_deref(), Some(&packet[20..]));
    packet.resize(70_000, 3);
    let headers = Headers::parse(&packet).unwrap();
    assert!(matches!(headers.transport, Transport::Udp(_)));
    assert_eq!(fragment(&packet, &headers, 1500), None);
}

/// RFC 791 §3.1: header lengths are multiples of four. With any other (made up: none parses) a
/// piece could have no room for eight bytes, and there would be no end of pieces.
#[test]
fn an_impossible_header_length_makes_no_pieces() {
    let packet = build::udp((A, 1), (B, 2), &[0; 100])
        .options(&[0x82, 2, 0, 0])
        .bytes();
    let headers = Headers::parse(&packet).unwrap();
    for header_len in [0, 19, 21, 22, 23] {
        let absurd = Headers {
            header_len,
            ..headers
        };
        assert_eq!(fragment(&packet, &absurd, 30), None);
    }
}
