//! Equal steps of time that become longer as the capture does.

use super::Usage;
use crate::report::Verdicts;

/// Most steps at any time.
const MOST: u64 = 480;

/// How long a step can be, in nanoseconds: each divides the next, so that steps merge whole. From
/// a microsecond to a week; then twice as long each time.
const LENGTHS: [u64; 25] = {
    const US: u64 = 1_000;
    const MS: u64 = 1_000_000;
    const S: u64 = 1_000_000_000;
    [
        US,
        2 * US,
        10 * US,
        20 * US,
        100 * US,
        200 * US,
        MS,
        2 * MS,
        10 * MS,
        20 * MS,
        100 * MS,
        200 * MS,
        S,
        2 * S,
        10 * S,
        20 * S,
        60 * S,
        120 * S,
        600 * S,
        1_200 * S,
        3_600 * S,
        7_200 * S,
        43_200 * S,
        86_400 * S,
        604_800 * S,
    ]
};

/// What is counted in a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) verdicts: Verdicts,
    pub(super) bytes: u64,
    /// By kind of drop; kinds beyond the end: none.
    pub(super) drops: Vec<u64>,
    pub(super) usage: Option<Usage>,
}

impl Bucket {
    /// A packet was dropped; what is not told apart has no number.
    pub(super) fn dropped(&mut self, kind: Option<usize>) {
        let Some(kind) = kind else {
            return;
        };
        if self.drops.len() <= kind {
            self.drops.resize(kind + 1, 0);
        }
        self.drops[kind] += 1;
    }

    fn merge(&mut self, other: Self) {
        let Verdicts {
            delivered,
            dropped,
            not_ipv4,
            malformed,
            unattributed,
            held,
        } = other.verdicts;
        self.verdicts.delivered += delivered;
        self.verdicts.dropped += dropped;
        self.verdicts.not_ipv4 += not_ipv4;
        self.verdicts.malformed += malformed;
        self.verdicts.unattributed += unattributed;
        self.verdicts.held += held;
        self.bytes += other.bytes;
        if self.drops.len() < other.drops.len() {
            self.drops.resize(other.drops.len(), 0);
        }
        for (own, other) in self.drops.iter_mut().zip(other.drops) {
            *own += other;
        }
        self.usage = match (self.usage.take(), other.usage) {
            (Some(own), Some(other)) => Some(own.or_more(other)),
            (own, other) => own.or(other),
        };
    }
}

/// Steps from the first packet to the latest.
#[derive(Debug)]
pub(super) struct Buckets {
    step: u64,
    /// The number of the first one, counted from 1970.
    base: u64,
    buckets: Vec<Bucket>,
}

impl Default for Buckets {
    fn default() -> Self {
        Self {
            step: LENGTHS[0],
            base: 0,
            buckets: Vec::new(),
        }
    }
}

impl Buckets {
    /// Whether a time lies after the last step.
    pub(super) fn is_next(&self, clock: u64) -> bool {
        clock / self.step >= self.base + self.buckets.len() as u64
    }

    /// The step of a time. Times before the first one count as the first: the clock does not go
    /// back.
    pub(super) fn at(&mut self, clock: u64) -> &mut Bucket {
        if self.buckets.is_empty() {
            self.base = clock / self.step;
        }
        while (clock / self.step).saturating_sub(self.base) >= MOST {
            self.lengthen();
        }
        let at = (clock / self.step).saturating_sub(self.base) as usize;
        if at >= self.buckets.len() {
            self.buckets.resize(at + 1, Bucket::default());
        }
        &mut self.buckets[at]
    }

    /// What the last step ends with.
    pub(super) fn sample(&mut self, usage: Usage) {
        if let Some(last) = self.buckets.last_mut() {
            last.usage = match last.usage.take() {
                Some(before) => Some(before.or_more(usage)),
                None => Some(usage),
            };
        }
    }

    fn lengthen(&mut self) {
        let longer = LENGTHS.into_iter().find(|&length| length > self.step);
        let longer = longer.unwrap_or(self.step.saturating_mul(2));
        let base = self.base * self.step / longer;
        let mut merged: Vec<Bucket> = Vec::new();
        for (number, bucket) in (self.base..).zip(std::mem::take(&mut self.buckets)) {
            let at = (number * self.step / longer - base) as usize;
            if at >= merged.len() {
                merged.resize(at + 1, Bucket::default());
            }
            merged[at].merge(bucket);
        }
        *self = Self {
            step: longer,
            base,
            buckets: merged,
        };
    }

    /// When it starts, how long a step is, and the steps.
    pub(super) fn finish(self) -> (u64, u64, Vec<Bucket>) {
        (self.base * self.step, self.step, self.buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_divides_the_next() {
        for pair in LENGTHS.windows(2) {
            assert!(pair[1] > pair[0] && pair[1] % pair[0] == 0, "{pair:?}");
        }
    }

    /// However times are spread, nothing is lost, each packet is in the step of its time, and
    /// there are never more steps.
    #[test]
    fn merging_loses_nothing_and_moves_nothing() {
        for spread in [
            0,
            1,
            999,
            1_000_000,
            3_333_333_333,
            86_400_000_000_000,
            1 << 53,
        ] {
            let mut buckets = Buckets::default();
            let times: Vec<u64> = (0..1000)
                .map(|n| 1_700_000_000_123_456_789 + n * spread)
                .collect();
            for (n, &time) in times.iter().enumerate() {
                let bucket = buckets.at(time);
                bucket.verdicts.delivered += 1;
                bucket.bytes += 10;
                bucket.dropped(Some(n % 3));
                buckets.sample(Usage {
                    connections: n as u64,
                    sessions: vec![1],
                });
                assert!(buckets.buckets.len() as u64 <= MOST);
            }
            let (start, step, buckets) = buckets.finish();
            assert_eq!(start % step, 0);
            let mut expected = vec![0; buckets.len()];
            for time in &times {
                expected[((time - start) / step) as usize] += 1;
            }
            let counted: Vec<u64> = buckets.iter().map(|b| b.verdicts.delivered).collect();
            assert_eq!(counted, expected, "{spread}");
            assert_eq!(buckets.iter().map(|b| b.bytes).sum::<u64>(), 10_000);
            assert_eq!(buckets.iter().flat_map(|b| &b.drops).sum::<u64>(), 1000);
            let most = buckets.iter().filter_map(|b| b.usage.as_ref());
            assert_eq!(most.map(|usage| usage.connections).max(), Some(999));
        }
    }

    #[test]
    fn the_end_of_time_is_a_time() {
        let mut buckets = Buckets::default();
        buckets.at(0).verdicts.dropped += 1;
        buckets.at(u64::MAX).verdicts.delivered += 1;
        let (start, step, buckets) = buckets.finish();
        assert_eq!((start, buckets.len()), (0, (u64::MAX / step + 1) as usize));
    }
}
