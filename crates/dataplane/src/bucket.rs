//! Token buckets on the virtual clock: SEMANTICS §9, `bandwidth`.

use crate::Nanos;
use crate::flow_cache::Charge;
use vpcsim_network::{Bandwidth, Network};

/// Nanobits: bits times 10^9, so that megabits per second times nanoseconds is exact.
const NANO: u128 = 1_000_000_000;
/// Depth of a bucket in nanoseconds of its rate: 10 ms.
const BURST: u128 = 10_000_000;

/// What a packet may cost each of the limits that it is counted against, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// This at once, or nothing.
    Once(usize),
    /// Not more than this, at once or bit by bit.
    AtMost(usize),
}

/// A bucket that fills at a rate and holds 10 ms of it.
///
/// A packet larger than the whole bucket (captures contain offloaded
/// super-packets) passes when the bucket is full and leaves a debt, so that the
/// long-run rate is exact and nothing starves.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    /// Bits per second; `None`: unlimited.
    rate: Option<u128>,
    /// Nanobits in the bucket; negative: a debt.
    level: i128,
    filled: Nanos,
}

impl Bucket {
    pub(crate) fn new(bandwidth: Bandwidth) -> Self {
        let rate = match bandwidth {
            Bandwidth::Unlimited => None,
            Bandwidth::Mbps(mbps) => Some(u128::from(mbps) * 1_000_000),
        };
        Self {
            rate,
            level: rate.map_or(0, capacity),
            filled: Nanos(0),
        }
    }

    /// Whether there is a limit at all.
    pub(crate) fn is_limited(&self) -> bool {
        self.rate.is_some()
    }

    /// Whether a packet of `len` bytes may pass at `now`. Takes nothing.
    pub(crate) fn allows(&mut self, len: usize, now: Nanos) -> bool {
        let Some(full) = self.fill(now) else {
            return true;
        };
        self.level >= cost(len).min(full)
    }

    /// Lets it fill until `now`; how much it holds.
    fn fill(&mut self, now: Nanos) -> Option<i128> {
        let rate = self.rate?;
        let full = capacity(rate);
        let gained = rate.saturating_mul(u128::from(now.since(self.filled)));
        self.level = self
            .level
            .saturating_add(i128::try_from(gained).unwrap_or(i128::MAX))
            .min(full);
        self.filled = self.filled.max(now);
        Some(full)
    }

    /// Takes what a packet may cost; whether nothing that it costs can be refused.
    fn bears(&mut self, cost: Cost, now: Nanos) -> bool {
        let (len, suffices) = match cost {
            Cost::Once(len) => (len, self.allows(len, now)),
            // Of several the last one may find less than a full bucket.
            Cost::AtMost(len) => {
                self.fill(now);
                (len, self.level >= self::cost(len))
            }
        };
        self.take(len);
        suffices
    }

    /// Takes the tokens of a packet that [`Self::allows`] let pass.
    pub(crate) fn take(&mut self, len: usize) {
        if self.rate.is_some() {
            self.level -= cost(len);
        }
    }
}

/// The buckets of all gateways and eips.
#[derive(Debug, Clone)]
pub(crate) struct Buckets {
    gateways: Vec<Bucket>,
    eips_outbound: Vec<Bucket>,
    eips_inbound: Vec<Bucket>,
    /// Whether any has a limit.
    limited: bool,
    /// What was taken, where another looks after the levels and knows that they suffice.
    book: Option<Vec<Taken>>,
}

/// Tokens that were taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) at: Nanos,
    charge: Charge,
    len: usize,
}

impl Buckets {
    pub(crate) fn new(network: &Network) -> Self {
        let gateways = network.nat_gateways.iter();
        let eips = || network.eips.iter().map(|eip| eip.bandwidth);
        let buckets = Self {
            gateways: gateways
                .map(|gateway| Bucket::new(gateway.bandwidth))
                .collect(),
            eips_outbound: eips().map(Bucket::new).collect(),
            // §9: the inbound cap is the outbound one or 10 Mbps, whichever is more.
            eips_inbound: eips()
                .map(|bandwidth| match bandwidth {
                    Bandwidth::Unlimited => Bandwidth::Unlimited,
                    Bandwidth::Mbps(mbps) => Bandwidth::Mbps(mbps.max(10)),
                })
                .map(Bucket::new)
                .collect(),
            limited: false,
            book: None,
        };
        let limited = buckets.all().any(Bucket::is_limited);
        Self { limited, ..buckets }
    }

    /// From now on everything is allowed, and written down.
    pub(crate) fn keep_book(&mut self) {
        self.book = Some(Vec::new());
    }

    /// Moves what was written down since the last time behind other entries.
    pub(crate) fn take_book(&mut self, into: &mut Vec<Taken>) {
        if let Some(book) = &mut self.book {
            into.append(book);
        }
    }

    /// Takes what was written down, in order of time. Packets of one time may come in any order:
    /// a bucket does not fill between them.
    pub(crate) fn settle(&mut self, book: &[Taken]) {
        for &Taken { at, charge, len } in book {
            let bucket = self.of(charge);
            let allowed = bucket.allows(len, at);
            debug_assert!(allowed, "the levels suffice");
            bucket.take(len);
        }
    }

    /// Whether a charge's packet of `len` bytes may pass at `now`. Takes nothing.
    #[inline]
    pub(crate) fn allows(&mut self, charge: Charge, len: usize, now: Nanos) -> bool {
        self.book.is_some() || self.of(charge).allows(len, now)
    }

    /// Takes the tokens of a packet that [`Self::allows`] let pass; whether there is a limit.
    #[inline]
    pub(crate) fn take(&mut self, charge: Charge, len: usize, now: Nanos) -> bool {
        let bucket = self.of(charge);
        let is_limited = bucket.is_limited();
        match &mut self.book {
            Some(book) if is_limited => book.push(Taken {
                at: now,
                charge,
                len,
            }),
            Some(_) => {}
            None => self.of(charge).take(len),
        }
        is_limited
    }

    /// Whether any has a limit.
    #[inline]
    pub(crate) fn are_limited(&self) -> bool {
        self.limited
    }

    /// The emptiest of all that have a limit, filled until `begin`: of those that fill alike it
    /// stands for all.
    pub(crate) fn emptiest(&self, begin: Nanos) -> Emptiest {
        let mut emptiest: Vec<Bucket> = Vec::new();
        for bucket in self.all().filter(|bucket| bucket.is_limited()) {
            let mut bucket = bucket.clone();
            bucket.fill(begin);
            match emptiest.iter_mut().find(|other| other.rate == bucket.rate) {
                Some(other) => other.level = other.level.min(bucket.level),
                None => emptiest.push(bucket),
            }
        }
        Emptiest(emptiest)
    }

    fn all(&self) -> impl Iterator<Item = &Bucket> {
        let eips = self.eips_outbound.iter().chain(&self.eips_inbound);
        self.gateways.iter().chain(eips)
    }

    /// Whether there is a limit behind a charge.
    pub(crate) fn is_limited(&mut self, charge: Charge) -> bool {
        self.of(charge).is_limited()
    }

    /// The bucket of a charge.
    fn of(&mut self, charge: Charge) -> &mut Bucket {
        match charge {
            Charge::Gateway(id) => &mut self.gateways[id.index()],
            Charge::EipOutbound(id) => &mut self.eips_outbound[id.index()],
            Charge::EipInbound(id) => &mut self.eips_inbound[id.index()],
        }
    }
}

/// Buckets that stand for all others of their rate: what these bear, those do.
#[derive(Debug, Default)]
pub(crate) struct Emptiest(Vec<Bucket>);

impl Emptiest {
    /// Takes what packets may cost, in order of time, from each; whether none can refuse one.
    pub(crate) fn bear(&mut self, costs: impl Iterator<Item = (Nanos, Cost)> + Clone) -> bool {
        let mut buckets = self.0.iter_mut();
        buckets.all(|bucket| costs.clone().all(|(at, cost)| bucket.bears(cost, at)))
    }
}

fn capacity(rate: u128) -> i128 {
    i128::try_from(rate * BURST).unwrap_or(i128::MAX)
}

fn cost(len: usize) -> i128 {
    (len as u128 * 8 * NANO) as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_ten_milliseconds_of_the_rate() {
        // SEMANTICS §9: 100 Mbps for 10 ms is 125 000 bytes.
        let mut bucket = Bucket::new(Bandwidth::Mbps(100));
        for _ in 0..125 {
            assert!(bucket.allows(1000, Nanos(0)));
            bucket.take(1000);
        }
        assert!(!bucket.allows(1000, Nanos(0)));
        assert!(!bucket.allows(1000, Nanos(79_999)));
        assert!(
            bucket.allows(1000, Nanos(80_000)),
            "1000 bytes at 100 Mbps take 80 µs"
        );
    }

    #[test]
    fn a_packet_larger_than_the_bucket_passes_when_it_is_full_and_leaves_a_debt() {
        let mut bucket = Bucket::new(Bandwidth::Mbps(1));
        assert!(bucket.allows(60_000, Nanos(0)));
        bucket.take(60_000);
        assert!(!bucket.allows(1, Nanos(460_000_000)));
        assert!(bucket.allows(1, Nanos(480_000_000)));
    }

    #[test]
    fn unlimited_never_refuses() {
        let mut bucket = Bucket::new(Bandwidth::Unlimited);
        for _ in 0..1000 {
            assert!(bucket.allows(65_535, Nanos(0)));
            bucket.take(65_535);
        }
    }
}
