//! Longest prefix match.
//!
//! Prefixes nest or lie apart, so a table cuts all addresses into intervals in each of which one
//! prefix is the longest; a prefix knows the next shorter one around it.

use crate::intervals::{Cuts, Intervals};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Where no prefix is.
const NONE: u32 = u32::MAX;

/// Values by prefix; several values of one prefix keep their order.
#[derive(Debug, Clone)]
pub struct Lpm<T> {
    /// By interval, the first entry of its longest prefix.
    intervals: Intervals,
    /// The values of one prefix stand together.
    entries: Box<[Entry<T>]>,
}

#[derive(Debug, Clone)]
struct Entry<T> {
    value: T,
    /// From the first entry of a prefix, how many it has; 0 in the others.
    values: u32,
    /// The first entry of the next shorter prefix that holds this one.
    shorter: u32,
}

impl<T> Lpm<T> {
    /// A table of prefixes. What an address has behind the prefix's length is ignored.
    pub fn new(entries: impl IntoIterator<Item = (Ipv4Net, T)>) -> Self {
        let truncated = entries.into_iter().map(|(net, value)| (net.trunc(), value));
        let mut sorted: Vec<_> = truncated.collect();
        // A prefix comes before those in it. Stable: equal ones keep their order.
        sorted.sort_by_key(|(net, _)| (net.network(), net.prefix_len()));
        let mut entries: Vec<Entry<T>> = Vec::with_capacity(sorted.len());
        let mut cuts = Cuts::new(NONE);
        // The prefixes around the present one, longest last: their last address and first entry.
        let mut around: Vec<(u32, u32)> = Vec::new();
        let mut before = None;
        for (net, value) in sorted {
            let at = entries.len() as u32;
            if before == Some(net) {
                let &(_, first) = around.last().unwrap_or(&(0, 0));
                entries[first as usize].values += 1;
                entries.push(Entry {
                    value,
                    values: 0,
                    shorter: NONE,
                });
                continue;
            }
            before = Some(net);
            let start = u32::from(net.network());
            close(&mut around, &mut cuts, |last| last < start);
            let shorter = around.last().map_or(NONE, |&(_, first)| first);
            entries.push(Entry {
                value,
                values: 1,
                shorter,
            });
            cuts.cut(start, at);
            around.push((net.broadcast().into(), at));
        }
        close(&mut around, &mut cuts, |_| true);
        Self {
            intervals: cuts.build(),
            entries: entries.into(),
        }
    }

    /// The first value of the longest matching prefix.
    #[inline]
    pub fn longest(&self, address: Ipv4Addr) -> Option<&T> {
        let entry = self
            .entries
            .get(self.intervals.find(address.into()) as usize)?;
        Some(&entry.value)
    }

    /// The values of every matching prefix, longest prefix first.
    #[inline]
    pub fn matches(&self, address: Ipv4Addr) -> Matches<'_, T> {
        let next = self.intervals.find(address.into());
        Matches { table: self, next }
    }
}

/// Ends the prefixes whose last address `is_over`: behind them the next shorter one goes on.
fn close(around: &mut Vec<(u32, u32)>, cuts: &mut Cuts, is_over: impl Fn(u32) -> bool) {
    while let Some(&(last, _)) = around.last()
        && is_over(last)
    {
        around.pop();
        if let Some(after) = last.checked_add(1) {
            cuts.cut(after, around.last().map_or(NONE, |&(_, first)| first));
        }
    }
}

/// The prefixes that match an address, each as its values in order.
#[derive(Debug)]
pub struct Matches<'a, T> {
    table: &'a Lpm<T>,
    next: u32,
}

impl<'a, T> Iterator for Matches<'a, T> {
    type Item = Values<'a, T>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.table.entries.get(self.next as usize..)?;
        let first = rest.first()?;
        self.next = first.shorter;
        Some(Values(&rest[..first.values as usize]))
    }
}

/// The values of one prefix.
#[derive(Debug)]
pub struct Values<'a, T>(&'a [Entry<T>]);

impl<'a, T> Values<'a, T> {
    /// In the order in which they were given.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &'a T> + use<'a, T> {
        self.0.iter().map(|entry| &entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// The reference: every prefix in turn, longest first, then as given.
    fn linear(table: &[(Ipv4Net, usize)], address: Ipv4Addr) -> Vec<usize> {
        let held = table.iter().filter(|(net, _)| net.contains(&address));
        let mut found: Vec<_> = held.collect();
        found.sort_by_key(|(net, _)| std::cmp::Reverse(net.prefix_len()));
        found.into_iter().map(|&(_, value)| value).collect()
    }

    fn check(prefixes: Vec<Ipv4Net>, addresses: impl IntoIterator<Item = Ipv4Addr>) {
        let table: Vec<_> = prefixes.into_iter().zip(0..).collect();
        let lpm = Lpm::new(table.clone());
        for address in addresses {
            let expected = linear(&table, address);
            let found: Vec<_> = lpm
                .matches(address)
                .flat_map(|v| v.iter())
                .copied()
                .collect();
            assert_eq!(found, expected, "{address}");
            assert_eq!(lpm.longest(address), expected.first(), "{address}");
        }
    }

    /// Few bits, so that prefixes nest, repeat and touch; both ends of the range are among them.
    fn address() -> impl Strategy<Value = Ipv4Addr> {
        let bits = prop::sample::select(vec![0, 1, 3, 0x80, 0xff00, 0x1_0000, 0xffff_0000]);
        let gathered = vec(bits, 0..4).prop_map(|bits| bits.into_iter().fold(0, |a, b| a ^ b));
        prop_oneof![
            4 => gathered.prop_map(Ipv4Addr::from),
            1 => Just(Ipv4Addr::BROADCAST),
            1 => any::<u32>().prop_map(Ipv4Addr::from),
        ]
    }

    fn prefix() -> impl Strategy<Value = Ipv4Net> {
        let len = prop_oneof![Just(0), Just(8), Just(24), Just(32), 0..=32_u8];
        (address(), len).prop_map(|(address, len)| Ipv4Net::new(address, len).expect("a length"))
    }

    fn around(prefix: &Ipv4Net) -> [Ipv4Addr; 4] {
        let (first, last) = (prefix.network(), prefix.broadcast());
        let (before, after) = (
            u32::from(first).wrapping_sub(1),
            u32::from(last).wrapping_add(1),
        );
        [first, last, before.into(), after.into()]
    }

    proptest! {
        #[test]
        fn all_matches_are_found_longest_first(
            prefixes in vec(prefix(), 0..60),
            addresses in vec(address(), 30),
        ) {
            let edges: Vec<_> = prefixes.iter().flat_map(around).collect();
            check(prefixes, addresses.into_iter().chain(edges));
        }
    }

    #[test]
    fn a_large_table_is_searched_right() {
        // Lengths 8 to 31, addresses spread over the whole range.
        let prefixes: Vec<_> = (0..3_000_u32)
            .map(|n| Ipv4Net::new(n.wrapping_mul(0x9e37_79b9).into(), 8 + (n % 24) as u8))
            .collect::<Result<_, _>>()
            .expect("lengths");
        let edges: Vec<_> = prefixes.iter().step_by(7).flat_map(around).collect();
        check(prefixes, edges);
    }

    #[test]
    fn an_empty_table_matches_nothing() {
        check(Vec::new(), [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST]);
    }
}
