//! Captures that speak of another network than the one they are replayed through.

use hashbrown::HashMap;
use std::net::Ipv4Addr;
use vpcsim_dataplane::Source;

/// Most addresses that are counted: who sends much is seen early.
const MOST: usize = 1024;
/// How many are named.
const NAMED: usize = 3;

/// Counts who sends when it is nobody of the network, so that a capture that fits in no packet can
/// be told what to do about it.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    /// A host of the network, or what lies behind one of its gateways, has sent something.
    known: bool,
    private: HashMap<Ipv4Addr, u64>,
}

impl Strangers {
    /// A packet with this source, as captured, was taken to come from there.
    #[inline]
    pub(crate) fn seen(&mut self, address: Ipv4Addr, source: Option<Source>) {
        if !self.known {
            self.strange(address, source);
        }
    }

    fn strange(&mut self, address: Ipv4Addr, source: Option<Source>) {
        self.known = !matches!(source, None | Some(Source::Internet));
        if self.known || !(address.is_private() || address.is_loopback()) {
            return;
        }
        if let Some(count) = self.private.get_mut(&address) {
            *count += 1;
        } else if self.private.len() < MOST {
            self.private.insert(address, 1);
        }
    }

    /// What to say of a capture in which no host of the network sends, but private ones do.
    pub(crate) fn warning(&self) -> Option<String> {
        if self.known || self.private.is_empty() {
            return None;
        }
        let mut busiest: Vec<_> = self.private.iter().map(|(&a, &n)| (n, a)).collect();
        busiest.sort_by_key(|&(count, address)| (std::cmp::Reverse(count), address));
        let named = busiest.iter().take(NAMED);
        let named: Vec<String> = named
            .map(|(count, address)| format!("{address} ({count} packets)"))
            .collect();
        let example = busiest[0].1;
        Some(format!(
            "no packet was sent by a host of this network; the private addresses that sent most \
             are {}: say which host one is with --map {example}=CVM",
            named.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vpcsim_network::CvmId;

    #[test]
    fn the_busiest_private_senders_are_named() {
        let mut strangers = Strangers::default();
        for (address, count) in [([192, 168, 1, 9], 2), ([10, 0, 0, 1], 5), ([8, 8, 8, 8], 9)] {
            for _ in 0..count {
                strangers.seen(address.into(), Some(Source::Internet));
            }
        }
        let warning = strangers.warning().expect("nobody is known");
        assert!(
            warning.contains("10.0.0.1 (5 packets), 192.168.1.9 (2 packets)"),
            "{warning}"
        );
        assert!(warning.contains("--map 10.0.0.1=CVM"), "{warning}");
        assert!(!warning.contains("8.8.8.8"), "{warning}");
    }

    #[test]
    fn one_host_of_the_network_is_enough_to_say_nothing() {
        let mut strangers = Strangers::default();
        strangers.seen([192, 168, 1, 9].into(), None);
        strangers.seen([10, 0, 1, 10].into(), Some(Source::Cvm(CvmId(0))));
        assert_eq!(strangers.warning(), None);
    }

    #[test]
    fn a_flood_of_addresses_does_not_grow_it() {
        let mut strangers = Strangers::default();
        for last in 0..100_000_u32 {
            strangers.seen(Ipv4Addr::from(0x0a00_0000 + last), None);
        }
        assert_eq!(strangers.private.len(), MOST);
    }
}
