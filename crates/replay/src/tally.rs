//! Counting by kind, in bounded memory.

use hashbrown::HashMap;
use std::hash::Hash;

/// Counts by kind: the first kinds to be seen, up to a ceiling, and the rest together.
#[derive(Debug, Clone)]
pub(crate) struct Tally<K> {
    /// In the order in which they were first seen.
    kinds: Vec<(K, Count)>,
    places: HashMap<K, usize>,
    /// Where the kind counted last is: packets of a kind come in rows.
    latest: usize,
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
    #[inline]
    pub(crate) fn add(&mut self, bytes: u32) {
        self.packets += 1;
        self.bytes += u64::from(bytes);
    }

    pub(crate) fn add_all(&mut self, more: Self) {
        self.packets += more.packets;
        self.bytes += more.bytes;
    }
}

impl<K: Eq + Hash + Clone> Tally<K> {
    /// At most `most` kinds are told apart.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            kinds: Vec::new(),
            places: HashMap::new(),
            latest: 0,
            most,
            rest: Count::default(),
        }
    }

    /// Counts a packet of a kind.
    #[inline(always)]
    pub(crate) fn add(&mut self, kind: &K, bytes: u32) {
        match self.kinds.get_mut(self.latest) {
            Some((latest, count)) if latest == kind => count.add(bytes),
            _ => self.add_other(kind, bytes),
        }
    }

    #[inline(never)]
    fn add_other(&mut self, kind: &K, bytes: u32) {
        if let Some(&place) = self.places.get(kind) {
            self.latest = place;
            self.kinds[place].1.add(bytes);
        } else if self.kinds.len() < self.most {
            self.latest = self.kinds.len();
            self.places.insert(kind.clone(), self.latest);
            self.kinds.push((kind.clone(), Count::default()));
            self.kinds[self.latest].1.add(bytes);
        } else {
            self.rest.add(bytes);
        }
    }

    /// Every kind with its count, in the order in which they were first seen.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, Count)> {
        self.kinds.iter().map(|(kind, count)| (kind, *count))
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
