//! A fixed hash of keys: equal on every run, so that nothing observable
//! depends on a seed.
//!
//! A network simulator's input is a file, not an adversary on the wire; what a
//! crafted file could slow down is its own replay.

use crate::hash::{A, fold, hash as mixed};
use vpcsim_packet::{FlowKey, Protocol};

/// Hash of a key, the same for both directions of a conversation that nobody translates: of a key and
/// its [`reversed`](FlowKey::reversed) one. Ports that count up spread over all lines.
#[inline]
pub(super) fn hash(key: &FlowKey) -> u64 {
    let (source_port, destination_port, what) = if key.protocol == Protocol::ICMP {
        // The identifier belongs to neither end, and the type is another one on the way back.
        let back = key.reversed().destination_port;
        let message = u64::from(key.destination_port.min(back));
        (key.source_port, key.source_port, message << 40)
    } else {
        (key.source_port, key.destination_port, 0)
    };
    let source = u64::from(u32::from(key.source)) << 16 | u64::from(source_port);
    let destination = u64::from(u32::from(key.destination)) << 16 | u64::from(destination_port);
    let (low, high) = (source.min(destination), source.max(destination));
    let rest = what | u64::from(key.protocol.0) << 32;
    let first = mixed(low, high ^ rest.rotate_left(24));
    fold(first ^ rest, A)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::net::Ipv4Addr;

    #[test]
    fn counting_ports_and_addresses_spread_over_lines_and_tags() {
        let mut lines = HashSet::new();
        let mut tags = HashSet::new();
        for n in 0..4096_u32 {
            let key = FlowKey {
                protocol: Protocol::TCP,
                source: Ipv4Addr::new(10, 0, 0, (n / 1024) as u8),
                source_port: 1024 + (n % 1024) as u16,
                destination: Ipv4Addr::new(10, 0, 0, 2),
                destination_port: 443,
            };
            let hash = hash(&key);
            lines.insert(hash >> 52);
            tags.insert((hash >> 6) as u8);
        }
        // 4096 balls in 4096 bins fill 1 - 1/e of them, about 2589.
        assert!(lines.len() > 2450, "{} lines", lines.len());
        assert_eq!(tags.len(), 256);
    }

    #[test]
    fn both_directions_have_the_same_hash() {
        let key = |protocol, source_port, destination_port| FlowKey {
            protocol,
            source: Ipv4Addr::new(10, 0, 0, 1),
            source_port,
            destination: Ipv4Addr::new(198, 51, 100, 7),
            destination_port,
        };
        let echo = u16::from_be_bytes([8, 0]);
        let keys = [
            key(Protocol::TCP, 40_000, 443),
            key(Protocol::UDP, 53, 53),
            key(Protocol::ICMP, 7, echo),
            key(Protocol::GRE, 0, 0),
        ];
        let hashes = keys.map(|key| hash(&key));
        assert_eq!(keys.map(|key| hash(&key.reversed())), hashes);
        assert_eq!(HashSet::from(hashes).len(), 4);
        // Other ports of the same hosts, and the other host's port, are other conversations.
        let swapped = key(Protocol::TCP, 443, 40_000);
        assert_ne!(hash(&swapped), hashes[0]);
    }
}
