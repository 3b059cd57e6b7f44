//! Chance from a seed, and the same on every run.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 for a limit of 0.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        ((u128::from(self.bits()) * u128::from(limit)) >> 64) as u32
    }
}

/// Mixes 32 bits into 32 others: no two numbers give the same.
pub(crate) fn shuffle(number: u32) -> u32 {
    // Each step can be undone: a shifted copy is xor-ed in, odd factors have an inverse.
    let mut x = number ^ (number >> 16);
    x = x.wrapping_mul(0x9e37_79b1);
    x ^= x >> 15;
    x = x.wrapping_mul(0x85eb_ca77);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn shuffled_numbers_are_distinct() {
        let shuffled: HashSet<u32> = (0..100_000).map(shuffle).collect();
        assert_eq!(shuffled.len(), 100_000);
    }

    #[test]
    fn shuffled_numbers_spread() {
        // The low bits choose the host: each of 16 has its share.
        let mut hosts = [0; 16];
        for number in 0..16_000 {
            hosts[(shuffle(number) & 15) as usize] += 1;
        }
        assert!(hosts.iter().all(|n| (800..1200).contains(n)), "{hosts:?}");
    }

    #[test]
    fn limits_hold() {
        let mut random = Random::new(7);
        assert!((0..1000).all(|_| random.below(13) < 13));
        assert_eq!(random.below(0), 0);
    }
}
