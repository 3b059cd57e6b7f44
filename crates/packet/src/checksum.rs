//! The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
//!
//! A simulator that recomputed checksums would repair packets that arrived broken. A [`Delta`]
//! carries only the difference: a right checksum stays right bit for bit, a wrong one stays wrong
//! by the same amount.
//!
//! Ones-complement arithmetic has two zeros, 0x0000 and 0xffff. A checksum over bytes that are
//! not all zero is never 0xffff (RFC 1624 §3), so for IPv4 and TCP headers equation 3 gives the
//! very bits that a full computation gives. A stored 0xffff there is an alias of 0x0000 that no
//! correct sender writes; after a change it counts on as 0x0000.

use crate::Protocol;
use std::net::Ipv4Addr;

/// The checksum over `bytes` (RFC 1071): the complement of their ones-complement sum. An odd last
/// byte is padded with zero. Over bytes that contain their own checksum, 0 means right.
pub fn full(bytes: &[u8]) -> u16 {
    !fold(sum(bytes))
}

/// The checksum over a TCP or UDP segment with its pseudo-header (RFC 9293 §3.1, RFC 768). Over a
/// segment that contains its own checksum, 0 means right. UDP writes a computed 0 as 0xffff:
/// that is left to the caller.
pub fn with_pseudo_header(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: Protocol,
    segment: &[u8],
) -> u16 {
    let pseudo = sum(&source.octets())
        + sum(&destination.octets())
        + u64::from(protocol.0)
        + segment.len() as u64;
    !fold(pseudo + sum(segment))
}

/// The sum of the 16-bit words. Eight bytes at a time: 2^32 ≡ 1 (mod 2^16 − 1), so words may be
/// added up in 32-bit pieces and folded at the end.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut sum: u64 = words
        .iter()
        .map(|word| u64::from(u32::from_be_bytes(*word)))
        .sum();
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    sum += u64::from(u32::from_be_bytes(last));
    sum
}

/// End-around carry down to 16 bits.
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// What a set of changes adds to a checksum: Σ(~m + m') of RFC 1624 equation 3, folded to 16
/// bits, so that it can be kept beside a flow and applied to each of its packets.
///
/// ```
/// use vpcsim_packet::checksum::{Delta, full};
/// let before = full(&[0x12, 0x34, 0x00, 0x50]);
/// let after = full(&[0x12, 0x34, 0x1f, 0x90]);
/// assert_eq!(Delta::NONE.replace16(0x0050, 0x1f90).apply(before), after);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Delta(u16);

impl Delta {
    /// No change.
    pub const NONE: Self = Self(0);

    /// A 16-bit word of the covered bytes, at an even offset, goes from `old` to `new`.
    #[must_use]
    #[inline]
    pub fn replace16(self, old: u16, new: u16) -> Self {
        if old == new {
            return self;
        }
        Self(add(add(self.0, !old), new))
    }

    /// Two neighbouring words (an address) go from `old` to `new`.
    #[must_use]
    #[inline]
    pub fn replace32(self, old: u32, new: u32) -> Self {
        self.replace16((old >> 16) as u16, (new >> 16) as u16)
            .replace16(old as u16, new as u16)
    }

    /// Both sets of changes.
    #[must_use]
    #[inline]
    pub fn and(self, other: Self) -> Self {
        Self(add(self.0, other.0))
    }

    /// The checksum after the changes, HC' = ~(~HC + Σ(~m + m')): RFC 1624 equation 3.
    #[must_use]
    #[inline]
    pub fn apply(self, stored: u16) -> u16 {
        !add(!stored, self.0)
    }

    /// The same for UDP (RFC 768): 0 says that there is none and stays; a computed 0 is written
    /// as 0xffff.
    #[must_use]
    #[inline]
    pub fn apply_udp(self, stored: u16) -> u16 {
        if stored == 0 {
            return 0;
        }
        match self.apply(stored) {
            0 => 0xffff,
            computed => computed,
        }
    }
}

/// A [`Delta`] in the byte order of packets, whatever that of the machine: sums of words that are all
/// swapped are the swapped sums (RFC 1071 §2 B), so a checksum can be moved where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InPlace(u16);

impl From<Delta> for InPlace {
    #[inline]
    fn from(delta: Delta) -> Self {
        Self(delta.0.to_be())
    }
}

impl InPlace {
    /// No change.
    pub const NONE: Self = Self(0);

    /// What [`Delta::apply`] says, of a checksum as it lies in the packet, read as a word.
    #[must_use]
    #[inline]
    pub(crate) fn apply(self, stored: u16) -> u16 {
        !add(!stored, self.0)
    }
}

/// Ones-complement addition: a carry out comes in again below.
#[inline]
fn add(a: u16, b: u16) -> u16 {
    let (sum, carry) = a.overflowing_add(b);
    sum + u16::from(carry)
}
