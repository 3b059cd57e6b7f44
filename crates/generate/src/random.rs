//! The source of chance: a seed, and the same numbers from it for ever.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
///
/// Part of the format: captures are named by their seed, so neither the algorithm nor the way in
/// which numbers are drawn from it may change.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The stream of a seed and a number: streams of different numbers have nothing in common.
    pub(crate) fn stream(seed: u64, number: u64) -> Self {
        let mut mixer = Self { state: seed };
        let base = mixer.next();
        let mut mixer = Self {
            state: base ^ number.wrapping_mul(GOLDEN),
        };
        Self {
            state: mixer.next(),
        }
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 for a limit of 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // The high half of a 128-bit product: no division, and a bias far below what shows.
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from `first` to `last`, both included.
    pub(crate) fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first).saturating_add(1))
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `items`; `None` when there are none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }

    /// An ephemeral port as Linux chooses them (`ip_local_port_range`).
    pub(crate) fn port(&mut self) -> u16 {
        self.between(32_768, 60_999) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        // The first outputs for seed 0, as published with the algorithm.
        let mut random = Random { state: 0 };
        assert_eq!(random.next(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.next(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn limits_hold() {
        let mut random = Random::stream(7, 0);
        for _ in 0..10_000 {
            assert!(random.below(13) < 13);
            assert!((5..=6).contains(&random.between(5, 6)));
        }
        assert_eq!(random.below(0), 0);
        assert_eq!(random.pick::<u8>(&[]), None);
    }
}
