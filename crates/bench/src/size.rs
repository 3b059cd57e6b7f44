//! How large packets are, and what they take on a wire.

use crate::random::Random;

/// What an Ethernet frame adds to an IPv4 packet: header 14, checksum 4.
const FRAME: usize = 18;
/// What a frame takes on the wire beside itself: preamble 8, gap 12 (IEEE 802.3).
const BETWEEN: usize = 20;

/// Sizes of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Size {
    /// Frames of 64 bytes, the smallest there are: IPv4 packets of 46 bytes.
    Least,
    /// Frames of 512 bytes: IPv4 packets of 494.
    Middle,
    /// IPv4 packets of 1500 bytes, the largest of an Ethernet: frames of 1518.
    Most,
    /// Frames of 64, 594 and 1518 bytes as 7 : 4 : 1, the "simple IMIX".
    Imix,
}

impl Size {
    /// The shortest IPv4 packet that fills a frame, in bytes.
    pub(crate) const SMALLEST: usize = 46;

    /// All of them.
    pub const ALL: [Self; 4] = [Self::Least, Self::Middle, Self::Most, Self::Imix];

    /// `64`, `512`, `1500`, `imix`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Least => "64",
            Self::Middle => "512",
            Self::Most => "1500",
            Self::Imix => "imix",
        }
    }

    /// Lengths of IPv4 packets, and how many of twelve have each.
    fn parts(self) -> &'static [(usize, u32)] {
        match self {
            Self::Least => &[(Self::SMALLEST, 12)],
            Self::Middle => &[(494, 12)],
            Self::Most => &[(1500, 12)],
            Self::Imix => &[(Self::SMALLEST, 7), (576, 4), (1500, 1)],
        }
    }

    /// The length of the next IPv4 packet in bytes.
    pub(crate) fn next(self, random: &mut Random) -> usize {
        let parts = self.parts();
        let mut chosen = if parts.len() == 1 {
            0
        } else {
            random.below(12)
        };
        for &(len, share) in parts {
            if chosen < share {
                return len;
            }
            chosen -= share;
        }
        0
    }

    /// The mean length of IPv4 packets, in bytes.
    pub fn mean_packet(self) -> f64 {
        let bytes: usize = self
            .parts()
            .iter()
            .map(|&(len, share)| len * share as usize)
            .sum();
        bytes as f64 / 12.0
    }

    /// The mean of what a packet takes on the wire, in bits: its frame with checksum, the preamble
    /// before it and the gap after it.
    pub fn mean_wire_bits(self) -> f64 {
        (self.mean_packet() + (FRAME + BETWEEN) as f64) * 8.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_packet_takes_672_bits_of_wire() {
        // 5 Gbit/s of them are 7.44 million a second.
        assert_eq!(Size::Least.mean_wire_bits(), 672.0);
    }

    #[test]
    fn an_imix_is_seven_four_one() {
        let mean = (7.0 * 64.0 + 4.0 * 594.0 + 1518.0) / 12.0;
        let bits = Size::Imix.mean_wire_bits();
        assert!((bits - (mean + 20.0) * 8.0).abs() < 1e-9);
        let mut random = Random::new(1);
        let drawn: Vec<_> = (0..12_000).map(|_| Size::Imix.next(&mut random)).collect();
        let of = |len| drawn.iter().filter(|&&drawn| drawn == len).count();
        assert!((6800..7200).contains(&of(46)));
        assert!((3800..4200).contains(&of(576)));
        assert!((900..1100).contains(&of(1500)));
    }
}
