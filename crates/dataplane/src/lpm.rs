//! Longest prefix match.

use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Values by prefix; several values of one prefix keep their order.
#[derive(Debug, Clone)]
pub(crate) struct Lpm<T> {
    /// Longest prefixes first, then as inserted.
    entries: Vec<(Ipv4Net, T)>,
}

impl<T> Lpm<T> {
    pub(crate) fn new(entries: impl IntoIterator<Item = (Ipv4Net, T)>) -> Self {
        let mut entries: Vec<_> = entries
            .into_iter()
            .map(|(net, v)| (net.trunc(), v))
            .collect();
        // Stable: equal prefixes keep their order, and stand together.
        entries.sort_by_key(|(net, _)| (std::cmp::Reverse(net.prefix_len()), net.network()));
        Self { entries }
    }

    /// All matches, longest prefix first.
    pub(crate) fn matches(&self, address: Ipv4Addr) -> impl Iterator<Item = &(Ipv4Net, T)> {
        self.entries
            .iter()
            .filter(move |(net, _)| net.contains(&address))
    }

    /// The first value of the longest matching prefix.
    pub(crate) fn longest(&self, address: Ipv4Addr) -> Option<&T> {
        self.matches(address).next().map(|(_, value)| value)
    }
}
