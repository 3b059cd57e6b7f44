//! The one fixed hash: equal on every run, so that nothing observable depends on a seed.
//!
//! A folded 64×64 multiplication mixes every input bit into every output bit.

use vpcsim_packet::FlowKey;

/// Odd, bits well spread (digits of √2 and √3).
pub(crate) const A: u64 = 0x6a09_e667_f3bc_c909;
const B: u64 = 0xbb67_ae85_84ca_a73b;

/// Hash of two words.
#[inline]
pub(crate) fn hash(first: u64, second: u64) -> u64 {
    fold(first ^ A, second ^ B)
}

/// Both halves of a product in one.
#[inline]
pub(crate) fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Which of `n` equal ones (routes of §2.5c, eips of §9) a flow takes: a fixed hash of its 5-tuple.
pub(crate) fn share(key: &FlowKey, n: usize) -> usize {
    let addresses = u64::from(key.source.to_bits()) << 32 | u64::from(key.destination.to_bits());
    let ports = u64::from(key.source_port) << 16 | u64::from(key.destination_port);
    spread(addresses, ports << 8 | u64::from(key.protocol.0), n)
}

/// Which of `n` two words stand for: their hash, reduced to 0..n (Lemire).
pub(crate) fn spread(first: u64, second: u64, n: usize) -> usize {
    ((u128::from(hash(first, second)) * n as u128) >> u64::BITS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use vpcsim_packet::Protocol;

    #[test]
    fn flows_whose_ports_count_up_are_shared_out_evenly() {
        for n in [1, 2, 3, 8] {
            let mut taken = vec![0; n];
            for port in 0..u16::MAX {
                let key = FlowKey {
                    protocol: Protocol::TCP,
                    source: Ipv4Addr::new(10, 0, 0, 1),
                    source_port: port,
                    destination: Ipv4Addr::new(198, 51, 100, 7),
                    destination_port: 443,
                };
                taken[share(&key, n)] += 1;
            }
            let even = usize::from(u16::MAX) / n;
            let near = even * 19 / 20..=even * 21 / 20;
            assert!(taken.iter().all(|count| near.contains(count)), "{taken:?}");
        }
    }
}
