//! A fixed hash of keys: equal on every run, so that nothing observable
//! depends on a seed.
//!
//! A network simulator's input is a file, not an adversary on the wire; what a
//! crafted file could slow down is its own replay.

use super::Zone;
use vpcsim_packet::FlowKey;

/// Odd, bits well spread (digits of √2 and √3).
const A: u64 = 0x6a09_e667_f3bc_c909;
const B: u64 = 0xbb67_ae85_84ca_a73b;

/// Hash of a key in a zone. A folded 64×64 multiplication mixes every input
/// bit into every output bit: ports that count up spread over all buckets.
pub(super) fn hash(zone: Zone, key: &FlowKey) -> u64 {
    let addresses =
        (u64::from(u32::from(key.source)) << 32) | u64::from(u32::from(key.destination));
    let rest = (u64::from(key.source_port) << 48)
        | (u64::from(key.destination_port) << 32)
        | u64::from(zone.0);
    let first = fold(addresses ^ A, rest ^ B ^ (u64::from(key.protocol.0) << 24));
    fold(first ^ rest, A)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Hash of a small number, for the count of connections per zone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ZoneHasher(u64);

impl std::hash::Hasher for ZoneHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = fold(self.0 ^ u64::from(byte) ^ A, B);
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = fold(self.0 ^ u64::from(number) ^ A, B);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::net::Ipv4Addr;
    use vpcsim_packet::Protocol;

    #[test]
    fn counting_ports_and_zones_spread_over_buckets_and_tags() {
        let mut buckets = HashSet::new();
        let mut tags = HashSet::new();
        for n in 0..4096_u32 {
            let key = FlowKey {
                protocol: Protocol::TCP,
                source: Ipv4Addr::new(10, 0, 0, 1),
                source_port: 1024 + (n % 1024) as u16,
                destination: Ipv4Addr::new(10, 0, 0, 2),
                destination_port: 443,
            };
            let hash = hash(Zone(n / 1024), &key);
            buckets.insert(hash & 4095);
            tags.insert(hash >> 57);
        }
        // 4096 balls in 4096 bins fill 1 - 1/e of them, about 2589.
        assert!(buckets.len() > 2450, "{} buckets", buckets.len());
        assert_eq!(tags.len(), 128);
    }
}
