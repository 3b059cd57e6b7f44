//! Who is inside.

use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// The private blocks (RFC 1918) that a vpc's ranges lie in, with the shortest prefix of a range.
pub(super) const BLOCKS: [(Ipv4Addr, u8, u8); 3] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8, 12),
    (Ipv4Addr::new(172, 16, 0, 0), 12, 12),
    (Ipv4Addr::new(192, 168, 0, 0), 16, 16),
];
/// The longest prefix of a vpc's range.
pub(super) const LONGEST: u8 = 28;

/// Where an address belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A host of the network that is learned.
    Inside,
    /// Somebody on the internet.
    Outside,
    /// No host sends from it: 0/8, loopback, multicast, broadcast.
    Nobody,
}

/// The ranges that are inside: the private blocks, unless others are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inside {
    ranges: Vec<Ipv4Net>,
}

impl Inside {
    /// Private ranges shorter than a vpc can have are taken for the smallest that it can.
    pub(super) fn new(asked: &[Ipv4Net]) -> Self {
        let ranges = if asked.is_empty() {
            BLOCKS
                .iter()
                .filter_map(|(at, len, _)| net(*at, *len))
                .collect()
        } else {
            let widened = asked.iter().map(|range| {
                let len = match block(range.network()) {
                    Some(_) => range.prefix_len().min(LONGEST),
                    None => range.prefix_len(),
                };
                net(range.network(), len).unwrap_or(*range)
            });
            widened.collect()
        };
        Self { ranges }
    }

    pub(super) fn of(&self, address: Ipv4Addr) -> Side {
        let first = address.octets()[0];
        if first == 0 || first == 127 || first >= 224 {
            Side::Nobody
        } else if self.range(address).is_some() {
            Side::Inside
        } else {
            Side::Outside
        }
    }

    /// The widest range that an address lies in.
    pub(super) fn range(&self, address: Ipv4Addr) -> Option<Ipv4Net> {
        let holding = self.ranges.iter().filter(|range| range.contains(&address));
        holding.min_by_key(|range| range.prefix_len()).copied()
    }
}

/// What an eip can be of the addresses outside the private blocks: not shared by carriers (RFC
/// 6598), link-local (RFC 3927) or for measurements (RFC 2544).
pub(super) fn is_public(address: Ipv4Addr) -> bool {
    const OTHERS: [(Ipv4Addr, u8); 3] = [
        (Ipv4Addr::new(100, 64, 0, 0), 10),
        (Ipv4Addr::new(169, 254, 0, 0), 16),
        (Ipv4Addr::new(198, 18, 0, 0), 15),
    ];
    let holds = |&(at, len): &(Ipv4Addr, u8)| net(at, len).is_some_and(|n| n.contains(&address));
    block(address).is_none() && !OTHERS.iter().any(holds)
}

/// The private block of an address, as a position in [`BLOCKS`].
pub(super) fn block(address: Ipv4Addr) -> Option<usize> {
    let holds = |&(at, len, _): &(Ipv4Addr, u8, u8)| {
        net(at, len).is_some_and(|block| block.contains(&address))
    };
    BLOCKS.iter().position(holds)
}

/// The prefix of this length that an address lies in.
pub(super) fn net(address: Ipv4Addr, len: u8) -> Option<Ipv4Net> {
    Ipv4Net::new(address, len).ok().map(|net| net.trunc())
}
