//! Putting fragments together, naively.

use crate::bytes::{header_len, replace, word};

/// The datagram that these packets are pieces of: what its first piece says of TOS,
/// identification, TTL, protocol, addresses and options, and the payload. `None` unless the
/// pieces make up exactly one datagram without gap or overlap.
pub(crate) fn reassembled<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut pieces: Vec<&[u8]> = pieces.into_iter().collect();
    let offset = |piece: &[u8]| usize::from(word(piece, 6) & 0x1fff) * 8;
    pieces.sort_by_key(|piece| offset(piece));
    let first = *pieces.first()?;
    let mut payload = Vec::new();
    for (place, piece) in pieces.iter().enumerate() {
        let more = word(piece, 6) & 0x2000 != 0;
        let last = place + 1 == pieces.len();
        if offset(piece) != payload.len() || more == last || said(piece) != said(first) {
            return None;
        }
        payload.extend_from_slice(piece.get(header_len(piece)..)?);
    }
    let mut header = said(first);
    header.extend_from_slice(first.get(20..header_len(first))?);
    Some((header, payload))
}

/// What every piece of a datagram says alike.
fn said(piece: &[u8]) -> Vec<u8> {
    let part = |range: std::ops::Range<usize>| piece.get(range).unwrap_or_default();
    [part(1..2), part(4..6), part(8..10), part(12..20)].concat()
}

/// A packet without options cut into pieces of `room` bytes of payload, a multiple of eight.
pub(crate) fn cut(packet: &[u8], room: usize) -> Vec<Vec<u8>> {
    let at = header_len(packet);
    let (header, payload) = packet.split_at(at.min(packet.len()));
    let count = payload.len().div_ceil(room).max(1);
    (0..count)
        .map(|place| {
            let from = place * room;
            let part = &payload[from..(from + room).min(payload.len())];
            let mut piece = [header, part].concat();
            let more = if place + 1 < count { 0x2000 } else { 0 };
            let length = piece.len() as u16;
            replace(&mut piece, 2, length, 10);
            replace(&mut piece, 6, more | (from / 8) as u16, 10);
            piece
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vpcsim_packet::build;

    #[test]
    fn pieces_make_the_datagram_whatever_their_order() {
        let whole = build::udp(([10, 0, 0, 1], 1), ([10, 0, 0, 2], 2), &[7; 200]);
        let bytes = whole.bytes();
        let mut pieces = cut(&bytes, 48);
        assert_eq!(pieces, whole.fragments(68));
        let expected = reassembled([bytes.as_slice()]);
        assert!(expected.is_some());
        pieces.reverse();
        assert_eq!(reassembled(pieces.iter().map(Vec::as_slice)), expected);
        pieces.pop();
        assert_eq!(reassembled(pieces.iter().map(Vec::as_slice)), None);
    }
}
