//! Counting by kind, in bounded memory.

use hashbrown::HashMap;
use std::hash::Hash;

/// Counts by kind: the first kinds to be seen, up to a ceiling, and the rest together.
#[derive(Debug, Clone)]
pub(crate) struct Tally<K> {
    counts: HashMap<K, Count>,
    most: usize,
    rest: Count,
}

/// Packets, and the bytes that they had on the link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

impl Count {
    pub(crate) fn add(&mut self, bytes: u32) {
        self.packets += 1;
        self.bytes += u64::from(bytes);
    }
}

impl<K: Eq + Hash + Clone> Tally<K> {
    /// At most `most` kinds are told apart.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            counts: HashMap::new(),
            most,
            rest: Count::default(),
        }
    }

    /// Counts a packet of a kind.
    pub(crate) fn add(&mut self, kind: &K, bytes: u32) {
        if let Some(count) = self.counts.get_mut(kind) {
            count.add(bytes);
        } else if self.counts.len() < self.most {
            self.counts.entry(kind.clone()).or_default().add(bytes);
        } else {
            self.rest.add(bytes);
        }
    }

    /// Every kind with its count, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, Count)> {
        self.counts.iter().map(|(kind, count)| (kind, *count))
    }

    /// What was seen after the ceiling was reached.
    pub(crate) fn rest(&self) -> Count {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_has_a_ceiling_and_loses_nothing() {
        let mut tally = Tally::new(8);
        for kind in 0..1000 {
            tally.add(&kind, 10);
            tally.add(&0, 1);
        }
        let kinds: Count = tally.iter().fold(tally.rest(), |sum, (_, count)| Count {
            packets: sum.packets + count.packets,
            bytes: sum.bytes + count.bytes,
        });
        assert_eq!(tally.iter().count(), 8);
        assert_eq!((kinds.packets, kinds.bytes), (2000, 11_000));
        assert_eq!(tally.rest().packets, 992);
    }
}
