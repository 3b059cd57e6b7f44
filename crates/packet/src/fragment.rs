//! Cutting a packet into fragments (RFC 791 §3.2).

use crate::Headers;
use crate::bytes::{put16, within};
use crate::checksum::Delta;
use crate::parse::{IPV4_MIN, MAX_DATAGRAM};
use crate::rewrite::update;

/// MF in the word of flags and fragment offset.
const MORE_FRAGMENTS: u16 = 0x2000;
/// The flag of an option that goes into every fragment.
const COPIED: u8 = 0x80;

/// The fragments of a packet for a link that takes `mtu` bytes, in order. A packet that fits comes
/// back as it is. A packet that is a fragment itself is cut further.
///
/// The first piece keeps the IP options; later pieces keep those with the copied flag, padded.
/// Header checksums move by the difference, so a wrong one is wrong in every piece.
///
/// A packet cut short by a snap length is fragmented by its stated length: pieces hold the bytes
/// of theirs that were captured, and a piece of which none were is a header alone.
///
/// `None` when DF is set and the packet does not fit, when `mtu` leaves no room for a header and
/// eight bytes, or when the packet (segmentation offload) is longer than a datagram can be.
pub fn fragment(packet: &[u8], headers: &Headers, mtu: usize) -> Option<Vec<Vec<u8>>> {
    let packet = within(packet, headers.total_len);
    if headers.total_len <= mtu {
        return Some(vec![packet.to_vec()]);
    }
    let header = packet.get(..headers.header_len)?;
    let payload = packet.get(headers.header_len..)?;
    let payload_len = headers.total_len.checked_sub(headers.header_len)?;
    let start = headers.fragment_offset as usize;
    let too_long =
        headers.total_len > MAX_DATAGRAM || start.saturating_add(payload_len) > MAX_DATAGRAM;
    let odd_header = header.len() < IPV4_MIN || !header.len().is_multiple_of(4);
    if headers.dont_fragment || mtu < header.len() + 8 || odd_header || too_long {
        return None;
    }

    let later = later_header(header);
    let mut pieces = Vec::with_capacity(payload_len / (mtu - header.len()) + 2);
    let mut from = 0;
    while from < payload_len {
        let header = if from == 0 { header } else { &later };
        let room = mtu - header.len();
        let left = payload_len - from;
        let len = if left <= room { left } else { room & !7 };
        let more = from + len < payload_len || headers.more_fragments;
        let captured = within(payload.get(from..).unwrap_or_default(), len);
        let mut piece = Vec::with_capacity(header.len() + captured.len());
        piece.extend_from_slice(header);
        piece.extend_from_slice(captured);
        set_word(&mut piece, 2, (header.len() + len) as u16);
        // DF is clear here, so the word is MF and the offset; bit 15 is reserved and zero.
        let flags = if more { MORE_FRAGMENTS } else { 0 };
        set_word(&mut piece, 6, flags | ((start + from) / 8) as u16);
        pieces.push(piece);
        from += len;
    }
    Some(pieces)
}

/// The header of every piece but the first: options without the copied flag left out.
fn later_header(header: &[u8]) -> Vec<u8> {
    let (fixed, mut options) = header.split_at(IPV4_MIN);
    let mut later = fixed.to_vec();
    // 0 ends the list, 1 is padding; any other option has its length in its second byte.
    while let [kind, len, ..] = *options {
        let len = match (kind, len) {
            (0, _) | (2.., 0 | 1) => break,
            (1, _) => 1,
            (_, len) => usize::from(len),
        };
        let Some(option) = options.get(..len) else {
            break;
        };
        if kind & COPIED != 0 {
            later.extend_from_slice(option);
        }
        options = options.get(len..).unwrap_or_default();
    }
    later.resize(later.len().next_multiple_of(4), 0);

    // The first word holds the header length; the options that went are words that became zero.
    let mut delta = Delta::NONE;
    later[0] = 0x40 | (later.len() / 4) as u8;
    let pairs = |bytes: &[u8]| -> Vec<u16> {
        let (words, _) = bytes.as_chunks::<2>();
        words.iter().map(|word| u16::from_be_bytes(*word)).collect()
    };
    let mut new = pairs(&later);
    let old = pairs(header);
    new.resize(old.len(), 0);
    for (old, new) in old.iter().zip(&new) {
        delta = delta.replace16(*old, *new);
    }
    update(&mut later, 10, delta);
    later
}

/// Sets a word of the IPv4 header and takes the difference into its checksum.
fn set_word(packet: &mut [u8], at: usize, new: u16) {
    let Some(old) = crate::bytes::get16(packet, at) else {
        return;
    };
    put16(packet, at, new);
    update(packet, 10, Delta::NONE.replace16(old, new));
}
