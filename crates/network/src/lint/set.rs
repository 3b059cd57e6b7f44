//! Sets of addresses or ports: ranges in order, none of which touch.

use crate::{AddressRange, PortRange};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// A set of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Set {
    /// First and last of each range.
    ranges: Vec<(u32, u32)>,
}

impl FromIterator<(u32, u32)> for Set {
    fn from_iter<I: IntoIterator<Item = (u32, u32)>>(ranges: I) -> Self {
        let mut sorted: Vec<(u32, u32)> = ranges.into_iter().collect();
        sorted.sort_unstable();
        let mut set = Self::default();
        for (first, last) in sorted {
            match set.ranges.last_mut() {
                // Touching, or one before the other's end.
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                _ => set.ranges.push((first, last)),
            }
        }
        set
    }
}

impl Set {
    /// Every address.
    pub(super) fn all() -> Self {
        Self::from_iter([(0, u32::MAX)])
    }

    pub(super) fn of_prefixes(prefixes: &[Ipv4Net]) -> Self {
        let ends = |net: &Ipv4Net| (net.network().into(), net.broadcast().into());
        prefixes.iter().map(ends).collect()
    }

    pub(super) fn of_ranges(ranges: &[AddressRange]) -> Self {
        let ends = |range: &AddressRange| (range.first.into(), range.last.into());
        ranges.iter().map(ends).collect()
    }

    pub(super) fn of_ports(ports: &[PortRange]) -> Self {
        let ends = |range: &PortRange| (range.first.into(), range.last.into());
        ports.iter().map(ends).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The smallest member, as an address.
    pub(super) fn first_address(&self) -> Option<Ipv4Addr> {
        self.ranges.first().map(|(first, _)| (*first).into())
    }

    /// Members of the set, one of every kind that `others` tell apart, as addresses.
    pub(super) fn representatives(&self, others: impl Iterator<Item = Self>) -> Vec<Ipv4Addr> {
        let mut edges: Vec<u32> = self.ranges.iter().map(|(first, _)| *first).collect();
        for other in others {
            for (first, last) in other.ranges {
                edges.push(first);
                edges.extend(last.checked_add(1));
            }
        }
        edges.sort_unstable();
        edges.dedup();
        edges.retain(|edge| self.contains(*edge));
        edges.into_iter().map(Ipv4Addr::from).collect()
    }

    pub(super) fn contains(&self, member: u32) -> bool {
        let at = self.ranges.partition_point(|(_, last)| *last < member);
        self.ranges
            .get(at)
            .is_some_and(|(first, _)| *first <= member)
    }

    /// What is in this set and not in the other.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        let mut cuts = other.ranges.iter().peekable();
        for &(first, last) in &self.ranges {
            let mut from = u64::from(first);
            while let Some(&&(cut, end)) = cuts.peek() {
                if u64::from(end) < from {
                    cuts.next();
                    continue;
                }
                if cut > last {
                    break;
                }
                if u64::from(cut) > from {
                    left.push((from as u32, cut - 1));
                }
                from = u64::from(end) + 1;
                if end >= last {
                    break;
                }
                cuts.next();
            }
            if from <= u64::from(last) {
                left.push((from as u32, last));
            }
        }
        Self { ranges: left }
    }

    /// What is in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        self.minus(&self.minus(other))
    }

    /// What is in either.
    pub(super) fn or(&self, other: &Self) -> Self {
        let both = self.ranges.iter().chain(&other.ranges);
        both.copied().collect()
    }

    pub(super) fn covers(&self, other: &Self) -> bool {
        other.minus(self).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(ranges: &[(u32, u32)]) -> Set {
        ranges.iter().copied().collect()
    }

    #[test]
    fn ranges_that_touch_are_one() {
        assert_eq!(
            set(&[(5, 9), (0, 4), (20, 30), (25, 26)]).ranges,
            [(0, 9), (20, 30)]
        );
        assert_eq!(set(&[(0, u32::MAX), (3, 4)]), Set::all());
    }

    #[test]
    fn a_set_without_its_middle() {
        assert_eq!(
            Set::all().minus(&set(&[(10, 19)])).ranges,
            [(0, 9), (20, u32::MAX)]
        );
        assert!(Set::all().minus(&Set::all()).is_empty());
        assert_eq!(Set::all().minus(&Set::default()), Set::all());
    }

    #[test]
    fn a_representative_of_every_kind() {
        let others = [set(&[(3, 5)]), set(&[(5, 30)])];
        let kinds = set(&[(0, 9), (20, 25)]).representatives(others.into_iter());
        assert_eq!(kinds, [0, 3, 5, 6, 20].map(Ipv4Addr::from));
    }

    fn any_set() -> impl Strategy<Value = Set> {
        let range = (0_u32..40, 0_u32..9).prop_map(|(first, len)| (first, first + len));
        prop::collection::vec(range, 0..5).prop_map(|ranges| ranges.into_iter().collect())
    }

    proptest! {
        #[test]
        fn members_are_what_the_operations_say(one in any_set(), other in any_set()) {
            let (minus, and, or) = (one.minus(&other), one.and(&other), one.or(&other));
            let mut within = true;
            for n in 0..60 {
                let (a, b) = (one.contains(n), other.contains(n));
                prop_assert_eq!(minus.contains(n), a && !b);
                prop_assert_eq!(and.contains(n), a && b);
                prop_assert_eq!(or.contains(n), a || b);
                within &= a || !b;
            }
            prop_assert_eq!(one.covers(&other), within);
        }
    }
}
