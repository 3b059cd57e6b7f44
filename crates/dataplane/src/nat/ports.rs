//! Classes of ports, and the search for a free one.

use std::ops::Range;

/// Ports a gateway may choose start here (§9); the original port is kept even below.
const FIRST_CHOSEN: u16 = 1024;

/// A block is 64 ports; every block has exactly one of each class.
const BLOCKS: u16 = 1024;
/// The first block whose ports may be chosen.
const FIRST_BLOCK: u16 = FIRST_CHOSEN / 64;

/// The class of a port or ICMP identifier, 0 to 63: all 16 bits folded to 6. NAT keeps a
/// port's class, so that two workers never choose the same port towards one destination.
pub(crate) fn class(port: u16) -> u16 {
    (port ^ (port >> 6) ^ (port >> 12)) & 63
}

/// The block of a port.
pub(super) fn block(port: u16) -> u16 {
    port >> 6
}

/// The port of a class in a block.
pub(super) fn port(class: u16, block: u16) -> u16 {
    // Low six bits such that the fold of the whole gives the class.
    let low = (class ^ block ^ (block >> 6)) & 63;
    block << 6 | low
}

/// The blocks in which to look for another port than `wanted`: those after its own (before the
/// first one: that), then from the first one on.
pub(super) fn search(wanted: u16) -> [Range<u16>; 2] {
    let start = (block(wanted) + 1).max(FIRST_BLOCK);
    [start..BLOCKS, FIRST_BLOCK..start]
}

/// The ports of `wanted`'s class at 1024 or above, each once, beginning after `wanted`
/// (before the first block: at 1024) and wrapping around.
pub fn of_same_class(wanted: u16) -> impl Iterator<Item = u16> {
    let blocks = search(wanted).into_iter().flatten();
    blocks.map(move |block| port(class(wanted), block))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn chosen_ports_keep_the_class_and_stay_at_1024_or_above() {
        // SEMANTICS §9, "the next free one of its class at 1024 or above".
        for wanted in 0..=u16::MAX {
            let mut seen = 0;
            for port in of_same_class(wanted).take(3) {
                assert_eq!(class(port), class(wanted));
                assert!(port >= 1024);
                assert_ne!(port, wanted);
                seen += 1;
            }
            assert_eq!(seen, 3);
        }
    }

    #[test]
    fn a_search_visits_every_port_of_the_class_once() {
        for wanted in [0, 53, 1023, 1024, 40_000, 65_535] {
            let all: Vec<u16> = of_same_class(wanted).collect();
            let distinct: HashSet<u16> = all.iter().copied().collect();
            assert_eq!(all.len(), 1008);
            assert_eq!(distinct.len(), 1008);
        }
    }

    #[test]
    fn the_next_port_is_the_nearest_above() {
        assert!(
            of_same_class(40_000)
                .next()
                .is_some_and(|next| (40_001..40_128).contains(&next))
        );
    }
}
