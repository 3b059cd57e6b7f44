//! Which flows a rule has been asked about: told apart exactly, in bounded memory.

use hashbrown::HashSet;
use vpcsim_packet::FlowKey;

/// Most pairs of a rule and a flow that are told apart: they take 71 MB.
const MOST: usize = 7 << 19;

/// Rows are told apart by so many bits.
const ROW_BITS: u32 = 24;

/// Pairs of a rule and a flow.
#[derive(Debug)]
pub(super) struct Flows {
    /// Addresses; ports, protocol and row.
    seen: HashSet<(u64, u64)>,
    most: usize,
    overflown: bool,
}

impl Default for Flows {
    fn default() -> Self {
        Self::of_at_most(MOST)
    }
}

impl Flows {
    fn of_at_most(most: usize) -> Self {
        Self {
            seen: HashSet::new(),
            most,
            overflown: false,
        }
    }

    /// Whether this row has not met this flow before, in either direction. Says no to all that is
    /// new once there are too many.
    pub(super) fn is_new(&mut self, row: u32, key: &FlowKey) -> bool {
        let pair = pack(row, key);
        if self.seen.len() < self.most && row >> ROW_BITS == 0 {
            return self.seen.insert(pair);
        }
        self.overflown |= !self.seen.contains(&pair);
        false
    }

    /// Whether every flow was told apart.
    pub(super) fn is_exact(&self) -> bool {
        !self.overflown
    }
}

/// A row and a flow; the same for both directions of it.
fn pack(row: u32, key: &FlowKey) -> (u64, u64) {
    let words = |key: &FlowKey| {
        let addresses = [key.source.to_bits(), key.destination.to_bits()];
        let ports = [key.source_port, key.destination_port];
        let addresses = u64::from(addresses[0]) << 32 | u64::from(addresses[1]);
        let ports = u64::from(ports[0]) << 48 | u64::from(ports[1]) << 32;
        (addresses, ports | u64::from(key.protocol.0) << ROW_BITS)
    };
    let (addresses, rest) = words(key).min(words(&key.reversed()));
    (addresses, rest | u64::from(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use vpcsim_packet::Protocol;

    fn key(number: u32) -> FlowKey {
        FlowKey {
            protocol: Protocol::UDP,
            source: Ipv4Addr::from_bits(number),
            source_port: 53,
            destination: Ipv4Addr::new(10, 0, 0, 1),
            destination_port: 53,
        }
    }

    #[test]
    fn both_directions_are_one_flow_and_rows_are_apart() {
        let mut flows = Flows::default();
        let ping = FlowKey {
            protocol: Protocol::ICMP,
            source_port: 7,
            destination_port: 8 << 8,
            ..key(1)
        };
        for key in [key(1), ping] {
            assert!(flows.is_new(3, &key));
            assert!(!flows.is_new(3, &key));
            assert!(!flows.is_new(3, &key.reversed()));
            assert!(flows.is_new(4, &key.reversed()));
        }
    }

    #[test]
    fn a_scan_ends_at_the_ceiling_and_says_so() {
        let mut flows = Flows::of_at_most(1000);
        let new = (0..1000).filter(|&number| flows.is_new(0, &key(number)));
        assert_eq!(new.count(), 1000);
        assert!(flows.is_exact());
        assert!(!flows.is_new(0, &key(1000)), "it is not told apart");
        assert!(!flows.is_exact());
        assert!(!flows.is_new(0, &key(5)), "it has been seen");
    }
}
