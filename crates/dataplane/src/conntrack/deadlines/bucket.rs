//! The spans of time into which a wheel divides the future.
//!
//! A level is a ring of buckets of one width; that of the next level is 64 times as wide. What is
//! due sooner lies in finer buckets: in the finest level whose ring reaches it.

use crate::Nanos;
use std::ops::Range;

/// The finest buckets are one tick wide, 2^15 ns: about as long as a batch of packets at 5 Gbit/s
/// takes, so that what ends in a tick ends within a batch.
const TICK: u32 = 15;
/// Each level's buckets are 2^6 times as wide as those of the level below.
const RADIX: u32 = 6;
/// Buckets of a level: as many as reach to the end of the *next* bucket of the level above, so
/// that this can be emptied into them while the present one lasts.
pub(super) const RING: u64 = 128;
/// 2^15 ns · 2^(6·7) · 2^7 is 2^64 ns.
pub(super) const LEVELS: u32 = 8;

/// One bucket, named by its level and by how many widths it lies after time 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) level: u32,
    pub(super) number: u64,
}

impl Bucket {
    /// The bucket of a level in which a time lies.
    #[inline]
    pub(super) fn of(level: u32, at: Nanos) -> Self {
        Self {
            level,
            number: at.0 >> (TICK + RADIX * level),
        }
    }

    /// The bucket of the finest level that reaches `at` from `clock`, a tick or more before it:
    /// it is `RING` buckets ahead at most.
    #[inline]
    pub(super) fn reaching(at: Nanos, clock: Nanos) -> Self {
        let ticks = tick(at) - tick(clock);
        let bits = u64::BITS - ticks.leading_zeros();
        let level = bits.saturating_sub(RING.ilog2()).div_ceil(RADIX);
        Self::of(level, at)
    }

    #[inline]
    pub(super) fn next(self) -> Self {
        Self {
            number: self.number + 1,
            ..self
        }
    }

    /// When it begins.
    #[inline]
    pub(super) fn start(self) -> Nanos {
        Nanos(self.number << (TICK + RADIX * self.level))
    }

    /// The ticks in it.
    pub(super) fn ticks(self) -> Range<u64> {
        let width = RADIX * self.level;
        self.number << width..(self.number + 1) << width
    }

    /// Its place on its ring.
    #[inline]
    pub(super) fn on_ring(self) -> u32 {
        (self.number % RING) as u32
    }
}

/// The number of the tick in which a time lies.
#[inline]
pub(super) fn tick(at: Nanos) -> u64 {
    at.0 >> TICK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_within_reach_of_a_level_and_of_none_finer() {
        let times =
            (0..64).flat_map(|bit| [-1_i64, 0, 1].map(|by| (1_u64 << bit).wrapping_add_signed(by)));
        for clock in times.clone() {
            for at in times
                .clone()
                .filter(|&at| tick(Nanos(at)) > tick(Nanos(clock)))
            {
                let (at, clock) = (Nanos(at), Nanos(clock));
                let bucket = Bucket::reaching(at, clock);
                let ahead = |level| Bucket::of(level, at).number - Bucket::of(level, clock).number;
                assert!(bucket.level < LEVELS);
                assert!(
                    (1..=RING).contains(&ahead(bucket.level)),
                    "{at:?} {clock:?}"
                );
                assert!(bucket.level == 0 || ahead(bucket.level - 1) >= RING);
            }
        }
    }
}
